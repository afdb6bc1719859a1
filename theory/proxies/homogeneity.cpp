// Euler's identity as a claim for the falsifier.
#include "theory/proxies.hpp"

#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent::theory {

Verdict check_homogeneity(const Function<Var(const Var& w)>& f, double degree, const Params& w, Rng& rng,
                          const FalsifyOptions& options) {
  if (!std::isfinite(degree))
    throw DomainError(fmt::format("[check_homogeneity] the degree is {}; give a finite number", degree));
  const PointwiseClaim euler{Claim(entry("O32"), fmt::format("L = {:g}", degree)), [=](const Var& at) {
                               const VarValueAndGrad here = value_and_grad(f, at);
                               return equal(inner_product(here.grad, at), exact(degree) * side(here.value));
                             }};
  return falsify(euler, w, rng, options);
}

}  // namespace cotangent::theory
