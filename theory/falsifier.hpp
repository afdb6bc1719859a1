// The falsifier: looks for a counterexample to a claim about every w, or about every two points, by ascending
// its violation with the engine's gradients.
#pragma once
#include <optional>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/tape.hpp"
#include "theory/proof.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// One side of a claim at one w: the variable that is ascended and enclosed, what was measured of it, and the
/// sum of the magnitudes it is made of. So a claim is written once, and its violation, its evaluation and its
/// enclosure cannot differ.
struct Side {
  Var var;
  Measured measured;
  double magnitude = 0.0;
  /// By how much the errors of constants, and the rounding of sums and products of plain numbers, may move
  /// `var`; nullopt where there is none.
  std::optional<Var> slack = std::nullopt;
};
/// A scalar as the engine computed it. Throws: ShapeError unless v is one.
Side side(const Var& v);
/// A constant.
Side side(const Measured& constant);
/// <a, b>, compensated; <a, b - c>, the differences taken without loss. Throws: ShapeError.
Side inner_product(const Var& a, const Var& b);
Side inner_product(const Var& a, const Var& b, const Var& c);
Side operator-(const Side& a);
Side operator+(const Side& a, const Side& b);
Side operator-(const Side& a, const Side& b);
Side operator*(const Measured& factor, const Side& a);

/// A claim at one w: a <= b, a < b, or an identity |a - b| <= accuracy (sum of both sides' magnitudes).
struct Sides {
  Side lhs;
  Relation relation;
  Side rhs;
  double accuracy = 0.0;

  Inequality inequality() const;
  /// lhs - rhs; of an identity (lhs - rhs)^2.
  Var violation() const;
};
Sides operator<=(const Side& a, const Side& b);
/// Rounding is not forgiven.
Sides operator<(const Side& a, const Side& b);
Sides equal(const Side& a, const Side& b, double accuracy = 1e-10);

/// A claim about every w, which one point can refute. Numbers that leave the record count as exact data, also
/// those of a function of other points: h(lift(v, w)) is enclosed, h(v) is what rounding made of it.
///
///   PointwiseClaim pl{Claim("PL", "2 mu f <= |grad f|^2"), [=](const Var& w) {
///     const VarValueAndGrad at = value_and_grad(f, w);
///     return exact(2.0 * mu) * side(at.value) <= inner_product(at.grad, at.grad); }};
struct PointwiseClaim {
  Claim claim;
  /// Called at a tracked w for the gradient of the violation, and at a plain one for its numbers.
  Function<Sides(const Var& w)> sides;

  Inequality evaluate(const Params& w) const;
  Var violation(const Var& w) const;
};

/// A claim lhs(w) <= rhs(w) from two functions:
///
///   falsify(pointwise({"PL", "2 mu f <= |g|^2"}, two_mu_f, square_gradient), w, rng)
PointwiseClaim pointwise(Claim claim, const Function<Var(const Var& w)>& lhs,
                         const Function<Var(const Var& w)>& rhs);

/// A claim about every two points, x and y. Its witness has blocks "x.<name>" and "y.<name>".
///
///   PairClaim convex{"f(y) + <grad f(y), x - y> <= f(x)", [=](const Var& x, const Var& y) {
///     const VarValueAndGrad at = value_and_grad(f, y);
///     return side(at.value) + inner_product(at.grad, x, y) <= side(f(x)); }};
struct PairClaim {
  Claim claim;
  /// As of a PointwiseClaim.
  Function<Sides(const Var& x, const Var& y)> sides;

  Inequality evaluate(const Params& x, const Params& y) const;
};

struct FalsifyOptions {
  /// How far from the centre things happen: half of the points drawn lie within it, at distances from
  /// radius / 1000 on, the others over nine decades, from radius / 1e5 to 1e4 radius, uniform in the
  /// logarithm.
  double radius = 10.0;
  /// Evaluations of the two sides, at most; a gradient of the violation counts as two, the enclosure of a
  /// violation as a hundred. The last ascent may pass it by a few.
  Index evaluations = 40'000;
  /// The claim is made on |w - centre| <= domain only, of a pair for each of its points. Without it: for
  /// every w.
  std::optional<double> domain = std::nullopt;
  /// Points to look at first (and to ascend from), besides the centre; with a pair's other point there. Those
  /// outside the domain are moved inside.
  std::vector<Params> starts = {};
  bool progress = false;
};

/// refuted, with a witness at which an enclosure of lhs - rhs lies above 0; or supported by so many points,
/// with the smallest margin and its point; inconclusive if at most points the margin is within rounding, or
/// if the claim is violated as computed but its sides have an operation without enclosure. Never certified.
///
/// By turns: L-BFGS ascents of log lhs - log rhs and of lhs - rhs, from the worst points and from any;
/// descent on either side, and from where it ends along the top eigenvectors of the violation's Hessian, for
/// a claim is often tight there; the same from pairs of one point twice; points where units of a net die;
/// walks along gradients and around them, for kinks and jumps. A point where a side throws or is no number is
/// counted, and left.
/// Cost: options.evaluations, if nothing is found.
/// Throws: DomainError on options outside their ranges, if the sides are numbers at no point, or if their
/// variables and their measured numbers differ about which is larger; what the sides throw, if they do so at
/// every point.
Verdict falsify(const PointwiseClaim& claim, const Params& centre, Rng& rng,
                const FalsifyOptions& options = {});
Verdict falsify(const PairClaim& claim, const Params& centre, Rng& rng, const FalsifyOptions& options = {});

/// The search alone, for a Proof with hypotheses of its own: proof.searched(search(…)).
Evidence search(const PointwiseClaim& claim, const Params& centre, Rng& rng,
                const FalsifyOptions& options = {});
Evidence search(const PairClaim& claim, const Params& centre, Rng& rng, const FalsifyOptions& options = {});

}  // namespace cotangent::theory
