// Transcendental loops, compiled once for each processor level (COTANGENT_ISA_NAME is v1, v3 or v4).
#include <cmath>
#include <cstdint>
#include <xsimd/xsimd.hpp>

#include "autodiff/kernels/transcendental.hpp"

namespace cotangent::kernel {
namespace COTANGENT_ISA_NAME {
namespace {

using Index = std::int64_t;
// With AVX2 alone xsimd fuses multiplications and additions, which saves up to a third of the time.
using Batch = xsimd::batch<double>;
constexpr Index kWidth = static_cast<Index>(Batch::size);
constexpr Index kFew = 4;

// xsimd takes a wrong exponent from numbers below the smallest normal one, so those are scaled up first.
Batch log_of(const Batch& x) {
  const auto tiny = x < Batch(0x1p-1022);
  const Batch shift = xsimd::select(tiny, Batch(54.0 * 0.693147180559945309), Batch(0.0));
  return xsimd::log(xsimd::select(tiny, x * Batch(0x1p54), x)) - shift;
}

// xsimd takes results below the smallest normal number for 0, and the largest ones for infinite; those come
// of a square.
Batch exp_of(const Batch& x) {
  const auto far = xsimd::abs(x) > Batch(708.0);
  if (!xsimd::any(far)) return xsimd::exp(x);
  const Batch e = xsimd::exp(xsimd::select(far, Batch(0.5) * x, x));
  return xsimd::select(far, e * e, e);
}
Batch expm1_of(const Batch& x) {
  const Batch y = xsimd::select(x == Batch(0.0), x, xsimd::expm1(x));  // -0 too
  const auto large = x > Batch(708.0);
  return xsimd::any(large) ? xsimd::select(large, exp_of(x), y) : y;
}
Batch log1p_of(const Batch& x) { return xsimd::select(x == Batch(0.0), x, xsimd::log1p(x)); }

Batch softplus_of(const Batch& x) { return xsimd::max(x, Batch(0.0)) + xsimd::log1p(exp_of(-xsimd::abs(x))); }
double softplus_of(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

Batch sigmoid_of(const Batch& x) {
  const Batch e = exp_of(-xsimd::abs(x));
  return xsimd::select(x >= Batch(0.0), Batch(1.0), e) / (Batch(1.0) + e);
}
double sigmoid_of(double x) {
  const double e = std::exp(-std::fabs(x));
  return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}

// e / (1 + e)^2 for e = exp(-|x|).
Batch sigmoid_slope_of(const Batch& x) {
  const Batch e = exp_of(-xsimd::abs(x)), one_more = Batch(1.0) + e;
  return e / (one_more * one_more);
}
double sigmoid_slope_of(double x) {
  const double e = std::exp(-std::fabs(x));
  return e / ((1.0 + e) * (1.0 + e));
}

// (2 h / (1 + h^2))^2 for h = exp(-|x|).
Batch tanh_slope_of(const Batch& x) {
  const Batch h = xsimd::exp(-xsimd::abs(x)), root = (h + h) / (Batch(1.0) + h * h);
  return root * root;
}
double tanh_slope_of(double x) {
  const double h = std::exp(-std::fabs(x)), root = (h + h) / (1.0 + h * h);
  return root * root;
}

// Of h = exp(-|x| / 2), so that the small numbers of large x are rounded once: x s(x) is (x h) h / (1 + h^2)
// below 0, and x s'(x) is (x r) r for r = h / (1 + h^2).
Batch silu_of(const Batch& x) {
  const Batch h = xsimd::exp(Batch(-0.5) * xsimd::abs(x)), e = h * h;
  const Batch left = xsimd::select(h == Batch(0.0), Batch(-0.0), (x * h) * h);
  return xsimd::select(x >= Batch(0.0), x, left) / (Batch(1.0) + e);
}
double silu_of(double x) {
  const double h = std::exp(-0.5 * std::fabs(x));
  return (x >= 0.0 ? x : h == 0.0 ? -0.0 : (x * h) * h) / (1.0 + h * h);
}
// s(x) + x s'(x) = (s(x) + m) for m = (x r) r; s(x) is h^2 / (1 + h^2) below 0.
Batch silu_slope_of(const Batch& x) {
  const Batch h = xsimd::exp(Batch(-0.5) * xsimd::abs(x)), e = h * h, one_more = Batch(1.0) + e,
              r = h / one_more;
  const Batch moment = xsimd::select(h == Batch(0.0), Batch(0.0), (x * r) * r);
  return xsimd::select(x >= Batch(0.0), Batch(1.0), e) / one_more + moment;
}
double silu_slope_of(double x) {
  const double h = std::exp(-0.5 * std::fabs(x)), e = h * h, r = h / (1.0 + e);
  return (x >= 0.0 ? 1.0 : e) / (1.0 + e) + (h == 0.0 ? 0.0 : (x * r) * r);
}
Batch sigmoid_moment_of(const Batch& x) {
  const Batch h = xsimd::exp(Batch(-0.5) * xsimd::abs(x)), r = h / (Batch(1.0) + h * h);
  return xsimd::select(h == Batch(0.0), Batch(0.0), (x * r) * r);
}
double sigmoid_moment_of(double x) {
  const double h = std::exp(-0.5 * std::fabs(x)), r = h / (1.0 + h * h);
  return h == 0.0 ? 0.0 : (x * r) * r;
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

// g times f(x).
template <class Vector, class Scalar>
void map_times(double* y, const double* g, const double* x, Index n, Vector vector, Scalar scalar) {
  if (n < kFew) {
    for (Index i = 0; i < n; ++i) y[i] = g[i] * scalar(x[i]);
    return;
  }
  Index i = 0;
  for (; i + kWidth <= n; i += kWidth)
    (Batch::load_unaligned(g + i) * vector(Batch::load_unaligned(x + i))).store_unaligned(y + i);
  if (i == n) return;
  double end[kWidth] = {};
  for (Index k = 0; i + k < n; ++k) end[k] = x[i + k];
  vector(Batch::load_unaligned(end)).store_unaligned(end);
  for (Index k = 0; i + k < n; ++k) y[i + k] = g[i + k] * end[k];
}

void exp(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return exp_of(b); }, [](double t) { return std::exp(t); });
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
void silu(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return silu_of(b); }, [](double t) { return silu_of(t); });
}
void softplus(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return softplus_of(b); }, [](double t) { return softplus_of(t); });
}
void expm1(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return expm1_of(b); }, [](double t) { return std::expm1(t); });
}
void log1p(double* y, const double* x, Index n) {
  map(
      y, x, n, [](const Batch& b) { return log1p_of(b); }, [](double t) { return std::log1p(t); });
}
void tanh_slope(double* y, const double* g, const double* x, Index n) {
  map_times(
      y, g, x, n, [](const Batch& b) { return tanh_slope_of(b); }, [](double t) { return tanh_slope_of(t); });
}
void sigmoid_slope(double* y, const double* g, const double* x, Index n) {
  map_times(
      y, g, x, n, [](const Batch& b) { return sigmoid_slope_of(b); },
      [](double t) { return sigmoid_slope_of(t); });
}
void silu_slope(double* y, const double* g, const double* x, Index n) {
  map_times(
      y, g, x, n, [](const Batch& b) { return silu_slope_of(b); }, [](double t) { return silu_slope_of(t); });
}
void sigmoid_moment(double* y, const double* g, const double* x, Index n) {
  map_times(
      y, g, x, n, [](const Batch& b) { return sigmoid_moment_of(b); },
      [](double t) { return sigmoid_moment_of(t); });
}

}  // namespace

extern const Transcendental kTable;
const Transcendental kTable{exp,      log,   sin,   cos,        tanh,          sigmoid,    silu,
                            softplus, expm1, log1p, tanh_slope, sigmoid_slope, silu_slope, sigmoid_moment};

}  // namespace COTANGENT_ISA_NAME
}  // namespace cotangent::kernel
