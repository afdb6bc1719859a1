// Errors that say what was wrong with an argument.
#include "theory/numerics/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"

namespace cotangent::theory {

void check_finite(const char* operation, const char* name, double value) {
  if (!std::isfinite(value))
    throw DomainError(fmt::format("[{}] {} is {}; give a finite number", operation, name, value));
}

std::span<const double> row_of(const Tensor& x, Index i) {
  const auto d = static_cast<std::size_t>(x.size(1));
  return x.data().subspan(static_cast<std::size_t>(i) * d, d);
}

void check_symmetric(const char* operation, const Tensor& k) {
  if (k.rank() != 2 || k.size(0) != k.size(1) || k.size(0) == 0)
    throw ShapeError(fmt::format("[{}] the matrix is {}; it must be square and not empty", operation,
                                 k.shape().to_string()));
  const Index n = k.size(0);
  double largest = 0.0;
  for (const double v : k.data()) {
    if (!std::isfinite(v))
      throw DomainError(fmt::format("[{}] the matrix {} holds {}; eigenvalues need finite numbers", operation,
                                    k.shape().to_string(), v));
    largest = std::max(largest, std::fabs(v));
  }
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < i; ++j) {
      const double off = std::fabs(k(i, j) - k(j, i));
      if (off > 1e-12 * largest)
        throw DomainError(
            fmt::format("[{}] entries ({}, {}) and ({}, {}) differ by {:.3g}: the matrix is not "
                        "symmetric; average it with its transpose if that is rounding",
                        operation, i, j, j, i, off));
    }
}

}  // namespace cotangent::theory
