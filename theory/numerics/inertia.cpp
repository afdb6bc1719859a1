// Proofs about eigenvalues by a factorisation whose rounding is bounded beforehand.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/lapack.hpp"
#include "theory/numerics/arguments.hpp"
#include "theory/spectrum.hpp"

namespace cotangent::theory {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kTiny = std::numeric_limits<double>::min();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

// Where the factorisation of B runs through, R^T R = B + E with |E_ij| <= g sqrt(b_ii b_jj), g = (n + 2) u /
// (1 - 2 (n + 2) u), u = 2^-53: one rounding more than Higham's, for divisions by reciprocals. So
// lambda_min(B) >= -|E|_2 >= -g trace(B), and K - mu I is at least B + margin I, up to the averages'
// rounding. Taking 2^-52 for u doubles the bound, which covers how the margin itself is rounded; the smallest
// normal number covers underflow, flushed to zero or not.
PositiveDefinite certify_positive_definite(const Tensor& k, double mu) {
  check_symmetric("certify_positive_definite", k);
  check_finite("certify_positive_definite", "mu", mu);
  const Index n = k.size(0);
  std::vector<double> b(k.data().begin(), k.data().end());
  const auto at = [&](Index i, Index j) -> double& { return b[static_cast<std::size_t>(i * n + j)]; };
  double averaged = 0.0, trace = 0.0, largest = 0.0;
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < i; ++j)
      if (at(i, j) != at(j, i)) {
        at(i, j) = at(j, i) = 0.5 * at(i, j) + 0.5 * at(j, i);
        averaged += 2.0 * kEpsilon * std::fabs(at(i, j)) + kTiny;
      }
    largest = std::max(largest, std::fabs(at(i, i)) + std::fabs(mu));
    trace += std::max(at(i, i) - mu, 0.0);
  }
  const auto size = static_cast<double>(n);
  const double part = (size + 2.0) * kEpsilon;
  const double margin =
      part / (1.0 - part) * trace + averaged + 4.0 * (size + 1.0) * (2.0 * (size + 2.0) + largest) * kTiny;
  const double shift = std::nextafter(mu + margin, kInfinity);
  bool positive = true;
  for (Index i = 0; i < n; ++i) {
    at(i, i) = std::nextafter(at(i, i) - shift, -kInfinity);
    positive = positive && at(i, i) > 0.0;
  }
  positive = positive && kernel::cholesky("certify_positive_definite", b.data(), n) == 0;
  // OpenBLAS takes a pivot that overflow made NaN for a positive one.
  for (Index i = 0; i < n; ++i) positive = positive && std::isfinite(at(i, i));
  return {.proved = positive, .margin = margin};
}

}  // namespace cotangent::theory
