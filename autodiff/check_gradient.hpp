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
  /// Step of the central differences, relative to max(1, |x|).
  double step = 1e-5;
  /// Largest error allowed, relative to max(|analytic|, |numeric|, magnitude of f / 1e3).
  double tolerance = 1e-6;
  std::uint64_t seed = 1;
};

/// One comparison: the derivative along a direction, by the engine and by differences.
struct GradientCheckRow {
  int order;
  Index direction;
  double analytic;
  double numeric;
  double error;
};

struct GradientCheck {
  bool passed = true;
  double worst_error = 0.0;
  std::vector<GradientCheckRow> rows;
  /// A table of all comparisons, the worst marked.
  std::string to_string() const;
};

/// Compares <c^T df/dx, v> with (c^T f(x + h v) - c^T f(x - h v)) / 2h for random c and v; at order 2 does
/// the same to x -> <c^T df/dx, v>. Shapes: f: [s] -> [t] for any s, t. Keep x away from kinks.
GradientCheck check_gradient(VarFunction f, const Tensor& x, const GradientCheckOptions& options = {});
GradientCheck check_gradient(VarFunction f, const Params& w, const GradientCheckOptions& options = {});

}  // namespace cotangent
