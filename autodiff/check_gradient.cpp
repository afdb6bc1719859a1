// check_gradient: comparisons and their table.
#include "autodiff/check_gradient.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace cotangent {
namespace {

double largest(const Tensor& x) {
  double top = 0.0;
  for (const double v : x.data()) top = std::max(top, std::fabs(v));
  return top;
}

/// Compares <grad phi(x), v> with the central difference of phi along v.
GradientCheckRow compare(VarFunction phi, const Tensor& x, const Tensor& v, int order, Index direction,
                         const GradientCheckOptions& options) {
  const double h = options.step * std::max(1.0, largest(x));
  const auto [value, g] = value_and_grad(phi, x);
  const double analytic = dot(g, v).item();
  const double plus = phi(Var(x) + h * Var(v)).item();
  const double minus = phi(Var(x) - h * Var(v)).item();
  const double numeric = (plus - minus) / (2.0 * h);
  const double scale = std::max({std::fabs(analytic), std::fabs(numeric), 1e-3 * std::fabs(value), 1e-12});
  double error = std::fabs(analytic - numeric) / scale;
  if (!(error <= 1e300)) error = HUGE_VAL;  // NaN and inf must not pass a comparison
  return {order, direction, analytic, numeric, error};
}

}  // namespace

GradientCheck check_gradient(VarFunction f, const Tensor& x, const GradientCheckOptions& options) {
  if (options.order < 1 || options.order > 2)
    throw DomainError(fmt::format("[check_gradient] order {}; ask for 1 or 2", options.order));
  if (options.directions < 1 || !(options.step > 0.0) || !(options.tolerance > 0.0))
    throw DomainError("[check_gradient] directions, step and tolerance must be positive");
  Rng rng(options.seed);
  GradientCheck check;
  const Shape out = f(Var(x)).shape();
  for (int order = 1; order <= options.order; ++order) {
    for (Index k = 0; k < options.directions; ++k) {
      const Tensor c = rng.normal(out);
      const Tensor u = rng.normal(x.shape());
      const Tensor v = rng.normal(x.shape());
      const auto phi = [&](const Var& z) { return dot(f(z), c); };
      const auto directional = [&](const Var& z) { return dot(grad(phi, z), u); };
      check.rows.push_back(order == 1 ? compare(phi, x, v, order, k, options)
                                      : compare(directional, x, v, order, k, options));
      check.worst_error = std::max(check.worst_error, check.rows.back().error);
      if (!(check.rows.back().error <= options.tolerance)) check.passed = false;
    }
  }
  return check;
}

GradientCheck check_gradient(VarFunction f, const Params& w, const GradientCheckOptions& options) {
  return check_gradient(f, w.flat(), options);
}

std::string GradientCheck::to_string() const {
  std::string text = fmt::format("gradient check {}: worst relative error {:.3g}\n",
                                 passed ? "passed" : "FAILED", worst_error);
  for (const GradientCheckRow& row : rows)
    text += fmt::format(
        "  order {} direction {}: engine {:.12g}, differences {:.12g}, relative error {:.3g}{}\n", row.order,
        row.direction, row.analytic, row.numeric, row.error, row.error == worst_error ? "  <- worst" : "");
  return text;
}

}  // namespace cotangent
