// Proxies: surrogates of the 0-1 loss (O27, O28), proxy convexity for any functions (O29) and what gradient
// descent then achieves (O30), the best proxy for a run that was made, and Euler's identity (O32).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "nn/margin_loss.hpp"
#include "theory/falsifier.hpp"
#include "theory/proof.hpp"

namespace cotangent::theory {

// ---- surrogates of the 0-1 loss

using nn::MarginLoss;

/// 1{t < 0} <= factor * u(t) for every t (and then 1{t <= 0} too), u = l or u = -l', both nonincreasing, so
/// that u(0) decides:
/// certified everywhere if certainly factor * u(0) >= 1; refuted by the t < 0 given as the witness if
/// certainly factor * u(t) < 1 there; inconclusive where rounding leaves it open, as for l and the double
/// nearest to 1 / log 2.
///
/// The sharp factor is 1 / u(0); for the logistic loss 1 / log 2, and 2 for its slope.
/// Throws: DomainError unless factor is positive and finite.
/// Source: proxy (lecture 000), O27, O28.
Verdict check_surrogate(MarginLoss loss, double factor = 1.0);
Verdict check_slope_surrogate(MarginLoss loss, double factor = 1.0);

/// What margins t_1, ..., t_n say of the error.
struct SurrogateRisks {
  double error = 0.0;       // (1/n) sum 1{t_i <= 0}
  double risk = 0.0;        // (1/n) sum l(t_i)
  double slope_risk = 0.0;  // G = (1/n) sum -l'(t_i)
  double bound = 0.0;       // G / (-l'(0)): at least the error, by Markov's inequality
};

/// Throws: DomainError if there is no margin or one is NaN. Source: proxy (lecture 000), O28.
SurrogateRisks surrogate_risks(const Tensor& margins, MarginLoss loss = MarginLoss::logistic);

// ---- proxy convexity

/// f is (g, h, v)-proxy convex: h(v) >= g(w) + <grad f(w), v - w> for every w.
///
/// Any scalar functions of the flat parameters; g unless given is f itself, as for convex f, which are
/// (f, f, v)-proxy convex for every v. Where f is not differentiable its derivative is the engine's (at
/// a kink: the course's).
/// Source: proxy (lecture 000), O29; Frei, Gu 2021 ask it of every v at once.
struct ProxyConvexity {
  Function<Var(const Var& w)> f;
  Function<Var(const Var& w)> g = {};
  Function<Var(const Var& v)> h;
  Params v;

  /// g(w) + <grad f(w), v - w> <= h(v), for falsify; the inner product compensated.
  PointwiseClaim claim() const;
  /// The same at one point. Throws: ShapeError unless w is of v's size.
  Inequality at(const Params& w) const;
};

/// Looks for a w at which f is not (g, h, v)-proxy convex: falsify() from v and from around `centre`, within
/// at least three times the distance between the two.
Verdict check_proxy_convexity(const ProxyConvexity& triple, const Params& centre, Rng& rng,
                              FalsifyOptions options = {});

/// Which bound on the gradients the theorem uses.
///   lipschitz:     |grad f(w_t)| <= G            ->  min_{t<T} g(w_t) <= h(v) + step G^2/2 + D/(2 step T)
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
  /// The run may end, if the claim for all of T has come true, at the first iterate with g(w_t) at most this:
  /// later ones cannot change the minimum's being so.
  std::optional<double> stop_at = std::nullopt;
  bool progress = false;
};

/// Runs w_{t+1} = w_t - step grad f(w_t) and evaluates on it every inequality of the proof, at every iterate:
/// the proxy inequality and the bound on the gradient (its hypotheses), |w_{t+1} - v|^2 = |w_t - v|^2 - 2
/// step <grad, w_t - v> + step^2 |grad|^2, and the conclusion for every T up to the last. The account's parts
/// add up to the theorem's slack:
///
///   bound - min g = mean proxy slack + (step/2) mean(G^2 - |grad|^2) + |w_T - v|^2 / (2 step T)
///                   + (mean g - min g)
///
/// (self_bounded: the first three divided by 1 - step/2, with g - |grad|^2 for G^2 - |grad|^2). Series: "g",
/// "|grad f|", "proxy slack"; predicted "bound", on min_{s<=t} g(w_s). Numbers: "least", "least at".
/// What rounding may have done to g, <grad f, v - w> and |grad f|^2 is taken from their record, to first
/// order (see rounding_bound), at iterates 0, 1, 2, 4, 8, ..., where two sides are within a millionth of each
/// other, and everywhere once a record said that digits are lost.
/// Cost: the run, and one evaluation of g an iterate unless g is f; about ten gradients a record.
/// Throws: DomainError on options outside their ranges; ShapeError if w0 and v differ in size.
/// Source: proxy (lecture 000), O30; the self-bounded form is derived in optimisation.md.
Verdict check_proxy_descent(const ProxyConvexity& triple, const Params& w0,
                            const ProxyDescentOptions& options = {});

// ---- the best proxy for a run

struct ProxySearchOptions {
  double step = 0.1;
  /// T: as many gradients are kept, and a matrix [T, T].
  Index iterations = 200;
  /// The search ends when value and lower differ by at most this, or after so many exchanges of weight.
  double gap = 1e-6;
  Index exchanges = 100'000;
};

struct ProxySearch {
  /// min_v max_t [g(w_t) + <grad f(w_t), v - w_t>] + |w_0 - v|^2 / (2 step T), bracketed by lower
  /// <= exact <= value.
  double value = 0.0;
  double lower = 0.0;
  /// The v of `value`, and its h = max_t [...]: on this run f is (g, h, v)-proxy convex.
  Params v;
  double h = 0.0;
  /// [T], weights of the iterates: those that bind are positive.
  std::vector<double> weights;
  /// value + (step/2) mean |grad f(w_t)|^2, which bounds min_t g(w_t); and that minimum.
  double bound = 0.0;
  double least = 0.0;
};

/// Runs w_{t+1} = w_t - step grad f(w_t) and finds the v for which the proxy theorem says most of this run: a
/// convex quadratic program, solved through its dual over the simplex by pairwise Frank-Wolfe steps with
/// exact line search.
///
/// A value that stays high whatever the v shows that no proxy of this kind explains the run: dead ReLU units
/// give value = g(w_0).
/// Cost: the run; T^2 P for the gradients' Gram matrix; O(T) an exchange.
/// Throws: DomainError on options outside their ranges or a run that stops being finite.
/// Source: proxy (lecture 000), O29; Lacoste-Julien, Jaggi 2015 (pairwise steps).
ProxySearch search_proxy(const Function<Var(const Var& w)>& f, const Params& w0,
                         const ProxySearchOptions& options = {}, const Function<Var(const Var& w)>& g = {});

// ---- homogeneity

/// <grad f(w), w> = L f(w), as for every L-positively homogeneous f, f(c w) = c^L f(w) for c > 0: looked for
/// a counterexample to, within 1e-10 of the sum of the terms' magnitudes, around `w`.
///
/// A two-layer leaky ReLU net is 1-homogeneous in W; a network of L layers without biases is L-homogeneous in
/// all weights. At a kink any subgradient the engine takes will do, if it is the one the value is made of.
/// Cost, Throws: as falsify; DomainError if the degree is not finite.
/// Source: proxy (lecture 000), O32; the lecture's g(c w) = c L g(w) has lost the power.
Verdict check_homogeneity(const Function<Var(const Var& w)>& f, double degree, const Params& w, Rng& rng,
                          const FalsifyOptions& options = {});

}  // namespace cotangent::theory
