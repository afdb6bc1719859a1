// Transcendental loops, compiled once for each processor level (COTANGENT_ISA_NAME is v1, v3 or v4).
#include <cmath>
#include <cstdint>
#include <xsimd/xsimd.hpp>

#include "autodiff/kernels/transcendental.hpp"

namespace cotangent::kernel {
namespace COTANGENT_ISA_NAME {
namespace {

using Index = std::int64_t;
// Not what xsimd takes by itself: with AVX2 it would fuse multiplications and additions, which are then
// rounded once and not twice, as by the other levels.
#if defined(__AVX512F__)
using Batch = xsimd::batch<double, xsimd::avx512bw>;
#elif defined(__AVX2__)
using Batch = xsimd::batch<double, xsimd::avx2>;
#else
using Batch = xsimd::batch<double>;
#endif
constexpr Index kWidth = static_cast<Index>(Batch::size);
constexpr Index kFew = 4;

// xsimd takes a wrong exponent from numbers below the smallest normal one, so those are scaled up first.
Batch log_of(const Batch& x) {
  const auto tiny = x < Batch(0x1p-1022);
  const Batch shift = xsimd::select(tiny, Batch(54.0 * 0.693147180559945309), Batch(0.0));
  return xsimd::log(xsimd::select(tiny, x * Batch(0x1p54), x)) - shift;
}

Batch softplus_of(const Batch& x) {
  return xsimd::max(x, Batch(0.0)) + xsimd::log1p(xsimd::exp(-xsimd::abs(x)));
}
double softplus_of(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

Batch sigmoid_of(const Batch& x) {
  const Batch e = xsimd::exp(-xsimd::abs(x));
  return xsimd::select(x >= Batch(0.0), Batch(1.0), e) / (Batch(1.0) + e);
}
double sigmoid_of(double x) {
  const double e = std::exp(-std::fabs(x));
  return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}

// A few numbers go through the math library, which is quicker, at every level. A ragged end goes through a
// padded batch, so that a number's result does not depend on where in a longer array it stands.
template <class Vector, class Scalar>
void map(double* y, const double* x, Index n, Vector vector, Scalar scalar) {
  if (n < kFew) {
    for (Index i = 0; i < n; ++i) y[i] = scalar(x[i]);
    return;
  }
  Index i = 0;
  for (; i + kWidth <= n; i += kWidth) vector(Batch::load_unaligned(x + i)).store_unaligned(y + i);
  if (i == n) return;
  double end[kWidth] = {};
  for (Index k = 0; i + k < n; ++k) end[k] = x[i + k];
  vector(Batch::load_unaligned(end)).store_unaligned(end);
  for (Index k = 0; i + k < n; ++k) y[i + k] = end[k];
}

void exp(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return xsimd::exp(b); }, [](double t) { return std::exp(t); });
}
void log(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return log_of(b); }, [](double t) { return std::log(t); });
}
void sin(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return xsimd::sin(b); }, [](double t) { return std::sin(t); });
}
void cos(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return xsimd::cos(b); }, [](double t) { return std::cos(t); });
}
void tanh(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return xsimd::tanh(b); }, [](double t) { return std::tanh(t); });
}
void sigmoid(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return sigmoid_of(b); }, [](double t) { return sigmoid_of(t); });
}
void softplus(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return softplus_of(b); }, [](double t) { return softplus_of(t); });
}
void expm1(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return xsimd::expm1(b); }, [](double t) { return std::expm1(t); });
}
void log1p(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return xsimd::log1p(b); }, [](double t) { return std::log1p(t); });
}

}  // namespace

extern const Transcendental kTable;
const Transcendental kTable{exp, log, sin, cos, tanh, sigmoid, softplus, expm1, log1p};

}  // namespace COTANGENT_ISA_NAME
}  // namespace cotangent::kernel
