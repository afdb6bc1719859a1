// The proof of the proxy theorem (O30) as a part of any study of a run: the theorem's own check, and the
// leaky ReLU theorem.
#pragma once
#include <initializer_list>

#include "theory/proxies.hpp"

namespace cotangent::theory {

/// Where the triple's inequality is searched for a counterexample: from v also, and at least three times as
/// far around `centre` as v lies.
FalsifyOptions around(const ProxyConvexity& triple, const Params& centre, FalsifyOptions options);

/// Announces the proof's clauses to a study and evaluates them at every iterate.
class ProxySteps {
 public:
  /// Whose claim the bound for every T is: the study's own conclusion, or a step on the way to another one.
  enum class Bound { conclusion, step };

  ProxySteps(const ProxyConvexity& triple, const Params& w0, const ProxyDescentOptions& options, Study& study,
             Bound claims, const char* name_of_g = "g");

  void at(const Iterate& it);
  /// min_{s<=t} g(w_s), and the theorem's bound on it for T = t + 1, of the iterates seen.
  Measured least() const { return least_; }
  /// g(w_0).
  double first() const { return g_.front(); }
  Measured bound() const { return bound_after(static_cast<double>(g_.size())); }
  Measured bound_after(double iterations) const;
  /// min g <= the bound, or what is claimed, enclosed if that can be.
  Inequality enclosed_bound() const;
  Inequality enclosed_claim(double claimed) const;
  /// Adds account and numbers to the study, at the end of the run.
  void finish(Study& study) const;

 private:
  Function<Inequality()> theorem_row() const;
  /// Whether the numbers of these rows are to be recorded at iterate t, for their tolerance.
  bool wants_record(Index t, std::initializer_list<Inequality> rows) const;

  const ProxyConvexity& triple_;
  const ProxyDescentOptions options_;
  bool self_bounded_;
  bool lossy_ = false;
  Measured h_, start_, distance_;
  Clause &definition_, &gradient_, &identity_, &theorem_;
  std::vector<double>&g_, &norms_, &slacks_, &bounds_;
  Params w0_, least_w_;
  Measured least_ = exact(std::numeric_limits<double>::infinity());
  Index least_at_ = 0;
  long double sum_g_ = 0.0L, sum_square_ = 0.0L, sum_slack_ = 0.0L, lost_ = 0.0L;
};

}  // namespace cotangent::theory
