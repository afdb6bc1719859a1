// check_gradient: the engine's derivatives against central differences, along random directions.
#pragma once
#include <string>
#include <vector>

#include "autodiff/rng.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent {

struct GradientCheckOptions {
  /// 1: the gradient; 2: also the gradient of the directional derivative.
  int order = 2;
  /// Random directions tried at each order.
  Index directions = 4;
  /// Step of the central differences, relative to max(1, |x|); where engine and differences differ, shorter
  /// ones are tried too.
  double step = 1e-5;
  /// Largest error allowed, relative to max(|analytic|, |numeric|, magnitude of f / 1e3).
  double tolerance = 1e-6;
  std::uint64_t seed = 1;
};

/// kink: the numbers differ, but a kink between the points of the difference explains it. See check_gradient.
enum class GradientOutcome { passed, kink, failed };
const char* to_string(GradientOutcome outcome) noexcept;

/// One comparison: the derivative along a direction, by the engine and by differences.
struct GradientCheckRow {
  int order;
  Index direction;
  double analytic;
  double numeric;
  double error;
  GradientOutcome outcome = GradientOutcome::passed;
  /// Where the outcome is not `passed`: elements that are on another side of their kink at one of the
  /// difference's points than at x (-1: other operations were recorded), and derivatives from the left and
  /// from the right by differences, NaN for a side that has none.
  Index flips = 0;
  double left = 0.0;
  double right = 0.0;
  /// The function itself jumps there; the two derivatives are those of the pieces on either side.
  bool jump = false;
};

struct GradientCheck {
  /// All comparisons agree.
  bool passed = true;
  /// The worst of them: `kink` if all that do not agree are explained by a kink.
  GradientOutcome outcome = GradientOutcome::passed;
  double worst_error = 0.0;
  std::vector<GradientCheckRow> rows;
  /// A table of all comparisons, the worst marked.
  std::string to_string() const;
};

/// Compares <c^T df/dx, v> with (c^T f(x + h v) - c^T f(x - h v)) / 2h for random c and v; at order 2 does
/// the same to x -> <c^T df/dx, v>.
///
/// Shapes: f: [s] -> [t] for any s, t.
/// At a kink: where they differ, recorded operations with a kink are looked at in x + h v, x and x - h v. If
/// an element is on different sides there, the engine's number is compared with the two one-sided
/// derivatives, each by differences on a piece without flips: between them (or near one) it is called `kink`,
/// else `failed`. At order 2, where the derivative itself jumps, it must be near the one of the side that x
/// counts to; without such a side along v the rules must be right on both. Where x is at several kinks, each
/// takes a side of its own, and the sum need not be that of any side, as for relu(x) - relu(-x) at 0: this is
/// `kink` too if the rules are right on both. At a jump the same is asked of the derivatives of the pieces,
/// without the jump, and the row says so. Without a kink between, up to eight shorter steps are tried, as
/// long as rounding leaves the digits that are compared: near a point where f is not smooth, like 0 of a
/// norm, they agree where the long one does not. Where the value and the engine's number are both 0 the
/// differences must fall by h^2 with all eight; the error is then 0.
/// Cost: a gradient and two values a comparison; at most two gradients and 80 values more
/// for one that differs.
/// Throws: DomainError for options out of range; what f throws.
GradientCheck check_gradient(VarFunction f, const Tensor& x, const GradientCheckOptions& options = {});
GradientCheck check_gradient(VarFunction f, const Params& w, const GradientCheckOptions& options = {});

}  // namespace cotangent
