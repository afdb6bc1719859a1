// Euler's identity as a claim for the falsifier.
#include "theory/homogeneity.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent::theory {

Verdict check_homogeneity(const Function<Var(const Var& w)>& f, double degree, const Params& w, Rng& rng,
                          const FalsifyOptions& options) {
  if (!std::isfinite(degree))
    throw DomainError(fmt::format("[check_homogeneity] the degree is {}; give a finite number", degree));
  const PointwiseClaim euler{
      .claim = {.name = "Euler's identity",
                .source = "proxy O32",
                .statement = fmt::format("<grad f(w), w> = {:g} f(w) for every w, to 1e-10", degree)},
      .violation =
          [f, degree](const Var& at) {
            const VarValueAndGrad here = value_and_grad(f, at);
            return square(dot(here.grad, at) - degree * here.value);
          },
      .evaluate =
          [f, degree](const Params& at) {
            const auto [value, gradient] = value_and_grad(f, at.flat());
            const Compensated inner = compensated_dot(gradient.data(), at.flat().data());
            const double size = inner.magnitude + std::fabs(degree * value);
            return Inequality{.name = "|<grad f(w), w> - L f(w)| <= 1e-10 (sum |g_i w_i| + |L f(w)|)",
                              .lhs = std::fabs(inner.value - degree * value),
                              .rhs = 1e-10 * size,
                              .tolerance = rounding({size})};
          }};
  return falsify(euler, w, rng, options);
}

}  // namespace cotangent::theory
