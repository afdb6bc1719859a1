// Euler's identity as a claim for the falsifier.
#include "theory/proxies.hpp"

#include <fmt/format.h>

#include "autodiff/transforms.hpp"
#include "theory/numerics/arguments.hpp"

namespace cotangent::theory {

Verdict check_homogeneity(const Function<Var(const Var& w)>& f, double degree, const Params& w, Rng& rng,
                          const FalsifyOptions& options) {
  check_finite("check_homogeneity", "degree", degree);
  const PointwiseClaim euler{Claim(entry("O32"), fmt::format("L = {}", degree)), [=](const Var& at) {
                               const VarValueAndGrad here = value_and_grad(f, at);
                               return equal(inner_product(here.grad, at), exact(degree) * side(here.value));
                             }};
  return falsify(euler, w, rng, options);
}

}  // namespace cotangent::theory
