// Elementwise arithmetic, compiled once for each processor level (COTANGENT_ISA_NAME is v1, v3 or v4).
#include "autodiff/kernels/elements.hpp"

namespace cotangent::kernel {
namespace COTANGENT_ISA_NAME {
namespace {

using Index = std::int64_t;

template <class F>
void map(double* __restrict y, const double* x, Index n, F f) {
  for (Index i = 0; i < n; ++i) y[i] = f(x[i]);
}

template <class F>
void zip(double* __restrict y, Operand a, Operand b, Index n, F f) {
  const double *x = a.numbers, *z = b.numbers;
  if (a.one) {
    const double first = *x;
    for (Index i = 0; i < n; ++i) y[i] = f(first, z[i]);
  } else if (b.one) {
    const double second = *z;
    for (Index i = 0; i < n; ++i) y[i] = f(x[i], second);
  } else {
    for (Index i = 0; i < n; ++i) y[i] = f(x[i], z[i]);
  }
}

void square(double* y, const double* x, Index n) {
  map(y, x, n, [](double t) { return t * t; });
}
void sqrt(double* y, const double* x, Index n) {
  map(y, x, n, [](double t) { return __builtin_sqrt(t); });
}
void abs(double* y, const double* x, Index n) {
  map(y, x, n, [](double t) { return __builtin_fabs(t); });
}
void relu(double* y, const double* x, Index n) {
  map(y, x, n, [](double t) { return t < 0.0 ? 0.0 : t; });
}

void add(double* y, Operand a, Operand b, Index n) {
  zip(y, a, b, n, [](double s, double t) { return s + t; });
}
void sub(double* y, Operand a, Operand b, Index n) {
  zip(y, a, b, n, [](double s, double t) { return s - t; });
}
void mul(double* y, Operand a, Operand b, Index n) {
  zip(y, a, b, n, [](double s, double t) { return s * t; });
}
void div(double* y, Operand a, Operand b, Index n) {
  zip(y, a, b, n, [](double s, double t) { return s / t; });
}
// The sum of two numbers of which one is NaN is NaN too.
void maximum(double* y, Operand a, Operand b, Index n) {
  zip(y, a, b, n, [](double s, double t) {
    const double larger = s >= t ? s : t;
    return __builtin_isunordered(s, t) ? s + t : larger;
  });
}
void minimum(double* y, Operand a, Operand b, Index n) {
  zip(y, a, b, n, [](double s, double t) {
    const double smaller = s <= t ? s : t;
    return __builtin_isunordered(s, t) ? s + t : smaller;
  });
}

void clip(double* y, const double* x, double low, double high, Index n) {
  map(y, x, n, [low, high](double t) {
    const double raised = t < low ? low : t;
    return raised > high ? high : raised;
  });
}

}  // namespace

extern const Elements kElements;
const Elements kElements{square, sqrt, abs, relu, add, sub, mul, div, maximum, minimum, clip};

}  // namespace COTANGENT_ISA_NAME
}  // namespace cotangent::kernel
