// Rates of methods under conditions: each theorem is run, with its proof evaluated at every iterate.
#pragma once
#include <optional>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/var.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// The PL inequality |grad f|^2 >= 2 mu (f - f*), the convention of the course.
struct HalvedPl {
  double mu;
};
/// The same as lecture 003 writes it, |grad f|^2 >= nu (f - f*): mu = nu / 2.
struct UnhalvedPl {
  double nu;
  operator HalvedPl() const noexcept { return {0.5 * nu}; }  // NOLINT(google-explicit-constructor)
};

struct PlRateOptions {
  /// L of the L-smooth f, whose consequence, the decrease of each step, is evaluated.
  double smoothness = 1.0;
  /// f*, exactly.
  double optimum = 0.0;
  /// Unless set, 1 / L.
  std::optional<double> step = std::nullopt;
  Index iterations = 100;
  /// c: each step is claimed to bring f(w+) <= f(w) - c |grad f(w)|^2, and the rate 1 - 2 mu c with it.
  /// Unless set, the descent lemma's step (1 - step L / 2); lecture 003 prints 1 / L, twice that at step 1 /
  /// L, which is false.
  std::optional<double> decrease = std::nullopt;
  bool progress = false;
};

/// f(w_t) - f* <= (1 - 2 mu c)^t (f(w_0) - f*) for every t <= T, for gradient descent on an L-smooth
/// f that satisfies PL.
///
/// Hypotheses: 0 < step < 2 / L, 0 < mu <= L, and at every iterate f* <= f(w), PL, and what L-smoothness says
/// of the step. Step of the proof: the claimed decrease. The account's parts add up to the bound less the
/// gap: what PL and the decrease gave away, each discounted by the steps that followed. The run ends before
/// the gap sinks to 1000 times its rounding, and the verdict speaks of the T seen, its number "T". What
/// rounding may have done to f and |grad f|^2 is taken from the record of each iterate, to first order (see
/// rounding_bound). Series: "f - f*"; predicted "bound"; noted "factor", (f(w_{t+1}) - f*) / (f(w_t) - f*).
/// Throws: DomainError for options that are not numbers, or a gap that is not positive at w0.
/// Source: proxy, ece826, ece8101 (theorem 2), O7.
Verdict check_pl_rate(const Function<Var(const Var& w)>& f, const Params& w0, HalvedPl pl,
                      const PlRateOptions& options = {});

}  // namespace cotangent::theory
