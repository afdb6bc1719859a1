// Arithmetic of each element, in one version for each level of processors, all of which give the same bits.
// This header includes next to nothing, for the reason that transcendental.hpp gives.
#pragma once
#include <cstdint>

namespace cotangent::kernel {

/// One operand of a loop over n numbers: n of them, or one for all, which no more than one operand is.
struct Operand {
  const double* numbers;
  bool one;
};

/// The loops for this processor, chosen when they are first used.
struct Elements {
  using Unary = void (*)(double* y, const double* x, std::int64_t n);
  using Binary = void (*)(double* y, Operand a, Operand b, std::int64_t n);
  Unary square, sqrt, abs, relu;
  /// The larger and the smaller one; NaN if there is one.
  Binary add, sub, mul, div, maximum, minimum;
  /// low below low, high above high; NaN stays.
  void (*clip)(double* y, const double* x, double low, double high, std::int64_t n);
};
const Elements& elements();

}  // namespace cotangent::kernel
