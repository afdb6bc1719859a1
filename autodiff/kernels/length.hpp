// Euclidean length without overflow or underflow on the way.
#pragma once
#include <cstdint>

namespace cotangent::kernel {

/// |x| of n numbers that lie a stride apart.
double length(const double* x, std::int64_t n, std::int64_t stride = 1);
/// The same for somebody who has the sum of squares, which may have left the range of doubles.
double length_by(double squares, const double* x, std::int64_t n, std::int64_t stride = 1);

}  // namespace cotangent::kernel
