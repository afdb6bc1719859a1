// The falsifier: looks for a counterexample to a claim about every w by ascending its violation
// with the engine's gradients.
#pragma once
#include <optional>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/tape.hpp"
#include "theory/proof.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// One side of a claim at one w: the variable that is ascended, what was measured of it, and the sum of the
/// magnitudes it is made of. So a claim is written once, and its violation and its evaluation cannot differ.
struct Side {
  Var var;
  Measured measured;
  double magnitude = 0.0;
};
/// A scalar as the engine computed it. Throws: ShapeError unless v is one.
Side side(const Var& v);
/// A constant.
Side side(const Measured& constant);
/// <a, b>, compensated; <a, b - c>, the differences taken without loss. Throws: ShapeError.
Side inner_product(const Var& a, const Var& b);
Side inner_product(const Var& a, const Var& b, const Var& c);
Side operator+(const Side& a, const Side& b);
Side operator-(const Side& a, const Side& b);
Side operator*(const Measured& factor, const Side& a);

/// A claim at one w: a <= b, or an identity |a - b| <= accuracy (sum of both sides' magnitudes).
struct Sides {
  Side lhs;
  Relation relation;
  Side rhs;
  double accuracy = 0.0;
};
Sides operator<=(const Side& a, const Side& b);
Sides equal(const Side& a, const Side& b, double accuracy = 1e-10);

/// A claim about every w, which one point can refute.
///
///   PointwiseClaim pl{Claim("PL", "2 mu f <= |grad f|^2"), [=](const Var& w) {
///     const VarValueAndGrad at = value_and_grad(f, w);
///     return exact(2.0 * mu) * side(at.value) <= inner_product(at.grad, at.grad); }};
struct PointwiseClaim {
  Claim claim;
  /// Called at a tracked w for the gradient of the violation, and at a plain one for its numbers.
  Function<Sides(const Var& w)> sides;

  Inequality evaluate(const Params& w) const;
  /// lhs - rhs; of an identity (lhs - rhs)^2.
  Var violation(const Var& w) const;
};

/// A claim lhs(w) <= rhs(w) from two functions:
///
///   falsify(pointwise({"PL", "2 mu f <= |g|^2"}, two_mu_f, square_gradient), w, rng)
PointwiseClaim pointwise(Claim claim, const Function<Var(const Var& w)>& lhs,
                         const Function<Var(const Var& w)>& rhs);

struct FalsifyOptions {
  /// Points are drawn around the centre at distances from radius / 1000 to radius, uniform in the logarithm.
  double radius = 10.0;
  Index samples = 500;
  /// Ascents, from the worst of the points drawn and from others, each of at most so many steps.
  Index restarts = 50;
  Index ascent_steps = 100;
  /// The claim is made on |w - centre| <= domain only. Without it: for every w.
  std::optional<double> domain = std::nullopt;
  /// Points to look at first (and to ascend from), besides the centre.
  std::vector<Params> starts = {};
  bool progress = false;
};

/// refuted, with the worst point found as the witness; or supported by so many points, with the smallest
/// margin and its point; inconclusive if at most points the margin is within rounding, or if the worst
/// violation does not survive at neighbouring points, being rounding inside the two sides. Never certified.
///
/// An ascent moves by normalised gradients whose length grows by a half after a success and is halved after a
/// failure. Kinks and jumps of the violation are taken as they come, hence the restarts.
/// Cost: samples evaluations, and a gradient of the violation an ascent step (for proxies: of second order).
/// Throws: DomainError on options outside their ranges, or if the violation is finite at no point drawn;
/// ShapeError unless the violation is a scalar.
Verdict falsify(const PointwiseClaim& claim, const Params& centre, Rng& rng,
                const FalsifyOptions& options = {});

/// The search alone, for a Proof with hypotheses of its own: proof.searched(search(…)).
Evidence search(const PointwiseClaim& claim, const Params& centre, Rng& rng,
                const FalsifyOptions& options = {});

}  // namespace cotangent::theory
