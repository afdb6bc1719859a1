// Eigenvalues of enclosed kernels, by Weyl's inequality.
#include "theory/conditions/kernel_spectrum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "theory/enclosed_kernel.hpp"
#include "theory/numerics/interval.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent::theory {
namespace {

Tensor middle_of(const Enclosure& k) {
  if (!k.finite())
    throw DomainError(
        "[tangent kernel] an entry has no bounds: f is not defined, or not differentiable, at w");
  const Var middle = k.middle();
  return (0.5 * middle + 0.5 * transpose(middle)).value();
}

/// The largest row sum of what an entry may be off its middle, which bounds the spectral norm.
double row_sum(const Enclosure& k, const Tensor& middle) {
  double most = 0.0;
  for (Index i = 0; i < middle.size(0); ++i) {
    double sum = 0.0;
    for (Index j = 0; j < middle.size(1); ++j) {
      const double off = std::max(k.upper()(i, j) - middle(i, j), middle(i, j) - k.lower()(i, j));
      sum = above(sum + above(std::max(off, 0.0)));
    }
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

KernelSpectrum::KernelSpectrum(const Enclosure& k)
    : matrix_(middle_of(k)),
      eigen_(spectrum(matrix_)),
      error_(above(eigen_.bound + row_sum(k, matrix_))),
      enclosure_(k) {}

KernelSpectrum::KernelSpectrum(const Tensor& computed, Index columns, std::string why)
    : matrix_(computed), eigen_(spectrum(computed)), why_(std::move(why)) {
  double trace = 0.0;
  for (Index i = 0; i < computed.size(0); ++i) trace += computed(i, i);
  error_ = eigen_.bound + rounding({trace}, columns);
}

KernelSpectrum KernelSpectrum::gram(const Tensor& x) {
  return KernelSpectrum(enclose([](const Var& v) { return matmul(v, v, {.transpose_b = true}); }, x));
}

KernelSpectrum KernelSpectrum::of(ModelFunction f, const Params& w, const Tensor& x) {
  std::string why;
  try {
    return KernelSpectrum(enclose_tangent_kernel(f, w, x));
  } catch (const DomainError& e) {
    why = e.what();
  }
  return KernelSpectrum(tangent_kernel(f, w, x).matrix(), w.size(), std::move(why));
}

KernelSpectrum KernelSpectrum::computed(ModelFunction f, const Params& w, const Tensor& x) {
  return {tangent_kernel(f, w, x).matrix(), w.size(), {}};
}

void KernelSpectrum::check_is_of(ModelFunction f, const Params& w, const Tensor& x) const {
  constexpr double kFarApart = 1e-6;  // by far more than rounding
  const Tensor own = tangent_kernel(f, w, x).matrix();
  if (!(own.shape() == matrix_.shape()))
    throw ShapeError(
        fmt::format("[check_pl_star] .kernel is {}, that of f at w {}; give enclose_tangent_kernel(f, w, X)",
                    matrix_.shape().to_string(), own.shape().to_string()));
  if (!(max(abs(own - Var(matrix_))).item() <= kFarApart * max(abs(Var(own))).item()))
    throw DomainError("[check_pl_star] .kernel is not that of f at w; give enclose_tangent_kernel(f, w, X)");
}

Measured KernelSpectrum::smallest() const { return within(eigen_.smallest(), error_); }

Measured KernelSpectrum::sharp_smallest() const {
  if (!enclosure_) return smallest();
  const Verdict bounds = certify_positive_definite(*enclosure_);
  const Measured sharp = enclosed(bounds.number("lower"), bounds.number("upper"));
  return sharp.error() < error_ ? sharp : smallest();
}

void KernelSpectrum::tell(Proof& proof) const {
  if (!why_.empty()) proof.as_computed(why_);
}

}  // namespace cotangent::theory
