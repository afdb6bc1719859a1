// Eigenvalues of enclosed kernels, by Weyl's inequality.
#include "theory/conditions/smallest_eigenvalue.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "theory/enclosed_kernel.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent::theory {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
double up(double x) { return std::nextafter(x, kInfinity); }

Tensor middle_of(const Enclosure& k) {
  if (!k.finite())
    throw DomainError(
        "[tangent kernel] an entry has no bounds: f is not defined, or not differentiable, at w");
  const Var middle = 0.5 * Var(k.lower()) + 0.5 * Var(k.upper());
  return (0.5 * middle + 0.5 * transpose(middle)).value();
}

/// The largest row sum of what an entry may be off its middle, which bounds the spectral norm.
double row_sum(const Enclosure& k, const Tensor& middle) {
  double most = 0.0;
  for (Index i = 0; i < middle.size(0); ++i) {
    double sum = 0.0;
    for (Index j = 0; j < middle.size(1); ++j) {
      const double off = std::max(k.upper()(i, j) - middle(i, j), middle(i, j) - k.lower()(i, j));
      sum = up(sum + up(std::max(off, 0.0)));
    }
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

KernelSpectrum::KernelSpectrum(const Enclosure& k)
    : matrix_(middle_of(k)),
      eigen_(spectrum(matrix_)),
      error_(up(eigen_.bound + row_sum(k, matrix_))),
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
