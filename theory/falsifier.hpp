// The falsifier: looks for a counterexample to lhs(w) <= rhs(w) by ascending the violation with the engine's gradients.
#pragma once
#include <optional>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/tape.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// lhs(w) <= rhs(w) for every w: a claim that one point can refute.
struct PointwiseClaim {
  Claim claim;
  /// lhs(w) - rhs(w), a scalar: what is ascended. Traceable, so an inner gradient is taken at w itself.
  Function<Var(const Var& w)> violation;
  /// The two sides and their rounding: what decides. Compensated wherever the check itself does arithmetic.
  Function<Inequality(const Params& w)> evaluate;
};

/// A claim from its two sides: check my claim,
///
///   falsify(pointwise({.name = "PL", .statement = "|g|^2 >= 2 mu f"}, two_mu_f, square_gradient), w, rng)
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

/// refuted, with the worst point found as the witness; or supported by so many points, with the smallest margin and
/// its point; inconclusive if at most points the margin is within rounding, or if the worst violation does not survive
/// at neighbouring points, being rounding inside the two sides. Never certified.
///
/// An ascent moves by normalised gradients whose length grows by a half after a success and is halved after a
/// failure. Kinks and jumps of the violation are taken as they come, hence the restarts.
/// Cost: samples evaluations, and a gradient of the violation an ascent step (for proxies: of second order).
/// Throws: DomainError on options outside their ranges, or if the violation is finite at no point drawn; ShapeError
/// unless the violation is a scalar.
Verdict falsify(const PointwiseClaim& claim, const Params& centre, Rng& rng,
                const FalsifyOptions& options = {});

}  // namespace cotangent::theory
