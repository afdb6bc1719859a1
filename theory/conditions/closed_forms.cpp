// Two-layer nets in closed form, against the engine's Jacobian and kernel.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "theory/conditions.hpp"
#include "theory/conditions/kernel_spectrum.hpp"
#include "theory/proof.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent::theory {
namespace {

/// phi'(<w_j, x_i>), by the engine. Shapes: -> [n, m].
Tensor derivatives(const nn::TwoLayer& net, const Params& w, const Tensor& x) {
  const auto total = [&](const Var& z) { return sum(net.activation()(Tensor::zeros({0}), z)); };
  return grad(total, linear(x, w["weight"]).value());
}

/// A derivative of phi: of a leaky ReLU one of two given numbers, of another activation what was computed.
Measured known(const nn::TwoLayer& net, double derivative) {
  return net.slope() ? exact(derivative) : rounded(derivative);
}

/// v_j z_ij. Shapes: z [n, m], v [m].
Tensor times_outer(const Tensor& z, const Tensor& v) {
  return (z * broadcast_to(v.reshape({1, v.size()}), z.shape())).value();
}

/// d_ij = v_j phi'(<w_j, x_i>). Shapes: -> [n, m].
Tensor factors(const nn::TwoLayer& net, const Params& w, const Tensor& x) {
  return times_outer(derivatives(net, w, x), net.outer());
}

Tensor gram(const Tensor& x) { return matmul(x, x, {.transpose_b = true}).value(); }

/// A refuted verdict keeps the point it is about.
Verdict at_witness(Verdict v, const Params& w, const Tensor& x) {
  if (v.outcome == Outcome::refuted) v.witness = Params({{"w", w.flat()}, {"X", x}});
  return v;
}

/// Adds the two comparisons; gives the larger error.
Measured compare_with_engine(Proof& proof, const nn::TwoLayer& net, const Params& w, const Tensor& x,
                             const Tensor& d, const Measured& accuracy) {
  if (!(accuracy.value() > 0.0 && std::isfinite(accuracy.value())))
    throw DomainError(fmt::format("[closed form of the Jacobian] accuracy is {}; give a positive number",
                                  accuracy.value()));
  proof.vacuous_if(exact(1.0) <= accuracy, "zeros are as near");
  std::vector<Var> blocks;
  for (Index j = 0; j < net.width(); ++j)
    blocks.push_back(scale_rows(x, slice(d, 1, j, j + 1).value().reshape({x.size(0)})));
  const Tensor jacobian = per_sample_jacobian(net, w, x).matrix(),
               kernel = tangent_kernel(net, w, x).matrix();
  const Measured of_j = rounded(relative_error(jacobian, concat(blocks, 1).value())),
                 of_k = rounded(relative_error(kernel, (gram(x) * Var(gram(d))).value()));
  proof.step("|J - its closed form| <= accuracy max |J|", of_j <= accuracy);
  proof.step("|K - its closed form| <= accuracy max |K|", of_k <= accuracy);
  return of_j.value() >= of_k.value() ? of_j : of_k;
}

}  // namespace

Verdict check_linear_jacobian(const nn::TwoLayer& net, const Params& w, const Tensor& x, double accuracy) {
  Proof proof(Claim(entry("O13"), fmt::format("to {}", accuracy)));
  Clause& straight = proof.hypothesis_at_each("pre-activation", "phi'(<w_j, x_i>) = 1");
  Index k = 0;
  const Tensor slopes = derivatives(net, w, x);
  for (const double derivative : slopes.data()) straight.observe(k++, known(net, derivative) == exact(1.0));
  const Tensor d = times_outer(Tensor::ones({x.size(0), net.width()}), net.outer());
  const Measured error = compare_with_engine(proof, net, w, x, d, exact(accuracy));
  return at_witness(proof.conclude(Domain::here("W"), "error <= accuracy", error <= exact(accuracy)), w, x);
}

Verdict check_leaky_relu_jacobian(const nn::TwoLayer& net, const Params& w, const Tensor& x,
                                  double accuracy) {
  Proof proof(Claim(entry("O14"), fmt::format("to {}", accuracy)));
  const Measured error = compare_with_engine(proof, net, w, x, factors(net, w, x), exact(accuracy));
  return at_witness(proof.conclude(Domain::here("W"), "error <= accuracy", error <= exact(accuracy)), w, x);
}

Verdict check_two_layer_bound(const nn::TwoLayer& net, const Params& w, const Tensor& x,
                              const KernelBoundOptions& options) {
  Proof proof(Claim(entry("O14"),
                    options.claimed ? fmt::format("claimed {} <= lambda_min(K(W))", *options.claimed)
                    : options.slope ? fmt::format("slope {}", *options.slope)
                                    : "the bound at this W",
                    "bound on lambda_min"));
  const Measured data = KernelSpectrum::gram(x).smallest();
  Measured bound;
  if (options.slope) {
    const Measured slope = exact(*options.slope);
    proof.hypothesis("0 <= slope", exact(0.0) <= slope);
    Clause& steep = proof.hypothesis_at_each("pre-activation", "slope <= |phi'(<w_j, x_i>)|");
    Index k = 0;
    const Tensor slopes = derivatives(net, w, x);
    for (const double derivative : slopes.data())
      steep.observe(k++, slope <= known(net, std::fabs(derivative)));
    bound = square(slope) * inner(net.outer().data(), net.outer().data()) * data;
  } else {
    const Tensor b = sum(square(factors(net, w, x)), 1).value();
    bound = data * rounded(*std::min_element(b.data().begin(), b.data().end()));
  }
  const KernelSpectrum kernel = KernelSpectrum::of(net, w, x);
  kernel.tell(proof);
  const Measured smallest = kernel.smallest();
  if (options.claimed) proof.step("bound <= lambda_min(K(W))", bound <= smallest);
  proof.number("bound", bound.value());
  proof.number("lambda_min", smallest.value());
  const Measured claimed = options.claimed ? exact(*options.claimed) : bound;
  proof.vacuous_if(claimed <= exact(0.0), "no eigenvalue of a Gram matrix is below 0");
  return at_witness(
      proof.conclude(Domain::here("W"),
                     options.claimed ? "claimed <= lambda_min(K(W))" : "bound <= lambda_min(K(W))",
                     claimed <= smallest),
      w, x);
}

}  // namespace cotangent::theory
