// Lengths by the sum of squares, or of numbers scaled to be near 1.
#include "autodiff/kernels/length.hpp"

#include <cmath>

#include "autodiff/kernels/loops.hpp"

namespace cotangent::kernel {

double length(const double* x, std::int64_t n, std::int64_t stride) {
  double squares = 0.0;
  if (stride == 1)
    squares = loops().dot(x, x, n);
  else
    for (std::int64_t i = 0; i < n; ++i) squares += x[i * stride] * x[i * stride];
  return length_by(squares, x, n, stride);
}

// The square of a number above 1e154 or below 1e-154 is not a normal one.
double length_by(double squares, const double* x, std::int64_t n, std::int64_t stride) {
  if (std::isnan(squares) || (squares > 1e-280 && squares < 1e300)) return std::sqrt(squares);
  double top = 0.0;
  for (std::int64_t i = 0; i < n; ++i) top = std::fmax(top, std::fabs(x[i * stride]));
  if (top == 0.0 || std::isinf(top)) return top;
  squares = 0.0;
  for (std::int64_t i = 0; i < n; ++i) squares += (x[i * stride] / top) * (x[i * stride] / top);
  return top * std::sqrt(squares);
}

}  // namespace cotangent::kernel
