// Proxy convexity: the definition for any functions (O29), and what gradient descent then achieves (O30, O31).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "optim/optimizer.hpp"
#include "theory/falsifier.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// f is (g, h, v)-proxy convex: h(v) >= g(w) + <grad f(w), v - w> for every w.
///
/// Any scalar functions of the flat parameters; g unless given is f itself, as for convex f, which are (f, f, v)-proxy
/// convex for every v. Where f is not differentiable its derivative is the engine's (at a kink: the course's).
/// Source: proxy (lecture 000), O29; Frei, Gu 2021 ask it of every v at once.
struct ProxyConvexity {
  Function<Var(const Var& w)> f;
  Function<Var(const Var& w)> g = {};
  Function<Var(const Var& v)> h;
  Params v;

  /// g(w) + <grad f(w), v - w> - h(v): above 0 at a counterexample. Differentiable.
  Var violation(const Var& w) const;
  /// g(w) + <grad f(w), v - w> <= h(v) at one point, the inner product compensated.
  Inequality at(const Params& w) const;
  /// For falsify.
  PointwiseClaim claim() const;
};

/// Looks for a w at which f is not (g, h, v)-proxy convex: falsify() from v and from around `centre`, within at least
/// three times the distance between the two.
Verdict check_proxy_convexity(const ProxyConvexity& triple, const Params& centre, Rng& rng,
                              FalsifyOptions options = {});

/// Which bound on the gradients the theorem uses.
///   lipschitz:     |grad f(w_t)| <= G               ->  min_{t<T} g(w_t) <= h(v) + step G^2 / 2 + D / (2 step T)
///   self_bounded:  |grad f(w_t)|^2 <= g(w_t), step < 2  ->  min <= (2 h(v) + D / (step T)) / (2 - step)
/// with D = |w_0 - v|^2.
enum class ProxyBound { lipschitz, self_bounded };

struct ProxyDescentOptions {
  double step = 0.1;
  Index iterations = 100;
  ProxyBound bound = ProxyBound::lipschitz;
  /// G of the lipschitz form: a claim that is verified at every iterate.
  double lipschitz = 1.0;
  /// The bound on min_{t<T} g(w_t) that is claimed; unless set, the theorem's.
  std::optional<double> claimed = std::nullopt;
  /// The run may end at the first iterate with g(w_t) at most this: later ones cannot change the minimum's being so.
  std::optional<double> stop_at = std::nullopt;
  bool progress = false;
};

/// A run of gradient descent and what was seen on it.
struct ProxyDescent {
  Verdict verdict;
  optim::Run run;
  std::vector<double> g;               // g(w_t), t = 0 .. T-1
  std::vector<double> gradient_norms;  // |grad f(w_t)|
  std::vector<double> slacks;          // h(v) - g(w_t) - <grad f(w_t), v - w_t>
  std::vector<double> bounds;          // the theorem's bound on min_{s<=t} g(w_s), entry t for T = t + 1
  /// min_{t<T} g(w_t) and its place.
  double least = 0.0;
  Index least_at = 0;
};

/// Runs w_{t+1} = w_t - step grad f(w_t) and evaluates on it every inequality of the proof, at every iterate:
/// the proxy inequality, the bound on the gradient, |w_{t+1} - v|^2 = |w_t - v|^2 - 2 step <grad, w_t - v> +
/// step^2 |grad|^2, and the conclusion for every T up to the last. All hold: certified on this trajectory. The
/// account's parts add up to the theorem's slack:
///
///   bound - min g = mean proxy slack + (step/2) mean(G^2 - |grad|^2) + |w_T - v|^2 / (2 step T) + (mean g - min g)
///
/// (self_bounded: the first three divided by 1 - step/2, with g - |grad|^2 for G^2 - |grad|^2).
/// Cost: the run, and one evaluation of g an iterate unless g is f.
/// Throws: DomainError on options outside their ranges; ShapeError if w0 and v differ in size.
/// Source: proxy (lecture 000), O30; the self-bounded form is derived in optimisation.md.
ProxyDescent check_proxy_descent(const ProxyConvexity& triple, const Params& w0,
                                 const ProxyDescentOptions& options = {});

/// The same run as a part of a larger proof: rows are added to `proof`, `also` watches the run, and the verdict is the
/// larger claim's, with `conclusion`'s name and claimed bound in `options`.
ProxyDescent run_proxy_descent(const ProxyConvexity& triple, const Params& w0,
                               const ProxyDescentOptions& options, Proof& proof,
                               const std::string& conclusion, const std::vector<optim::Observer*>& also = {});

}  // namespace cotangent::theory
