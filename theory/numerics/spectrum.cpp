// Symmetric eigenproblems.
#include "theory/spectrum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/kernels/lapack.hpp"
#include "autodiff/kernels/length.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"
#include "theory/numerics/arguments.hpp"

namespace cotangent::theory {
namespace {

double frobenius(const Tensor& x) {
  return kernel::length(x.data().data(), x.size());
}

std::vector<double> entries(const Tensor& x) { return {x.data().begin(), x.data().end()}; }

/// x 2^exponent, entry by entry.
Tensor scaled(const Tensor& x, int exponent) {
  std::vector<double> y;
  for (const double v : x.data()) y.push_back(std::ldexp(v, exponent));
  return Tensor::from(y, x.shape());
}

/// The e for which the largest entry is in [1/2, 1) 2^e.
int exponent_of(const Tensor& x) {
  double largest = 0.0;
  for (const double v : x.data()) largest = std::max(largest, std::fabs(v));
  int exponent = 0;
  std::frexp(largest, &exponent);
  return exponent;
}

}  // namespace

Spectrum spectrum(const Tensor& given) {
  check_symmetric("spectrum", given);
  const Index n = given.size(0);
  const int exponent = exponent_of(given);
  std::vector<double> a = entries(scaled(given, -exponent));
  // The bound is one for symmetric matrices: what is not so by rounding is averaged.
  bool averaged = false;
  for (std::size_t i = 0, m = static_cast<std::size_t>(n); i < m; ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (a[i * m + j] != a[j * m + i]) {
        averaged = true;
        a[i * m + j] = a[j * m + i] = 0.5 * a[i * m + j] + 0.5 * a[j * m + i];
      }
  const Tensor k = Tensor::from(a, given.shape());
  Spectrum s;
  s.values = detail::uninitialized(Shape{n});
  Tensor by_row = detail::uninitialized(Shape{n, n});  // LAPACK's columns are our rows
  kernel::symmetric_eigen("spectrum", a.data(), n, detail::mutable_data(s.values),
                          detail::mutable_data(by_row));

  s.vectors = transpose(by_row).value();
  const Tensor moved = (matmul(k, s.vectors) - mul_rows(s.vectors, s.values)).value();
  const Tensor defect = (matmul(by_row, s.vectors) - Tensor::eye(n)).value();
  s.residuals = sqrt(sum(square(moved), 0)).value();
  // Rounding of K V - V Lambda: an entry of K V is an inner product of length n, so that with the unit
  // roundoff eps/2 it is off by at most (n + 1) eps/2 |K|_F |V|_F in all; products with Lambda and the
  // subtraction add as of one more.
  const double unit = 0.5 * std::numeric_limits<double>::epsilon();
  const double rounding = static_cast<double>(n + 3) * unit * frobenius(k) * (1.0 + frobenius(s.vectors)) +
                          (averaged ? 2.0 * unit * frobenius(k) : 0.0);
  const double smallest_singular = std::sqrt(std::max(0.0, 1.0 - frobenius(defect)));
  s.bound = smallest_singular > 0.0 ? (frobenius(moved) + rounding) / smallest_singular
                                    : std::numeric_limits<double>::infinity();
  // Back to the scale of K. Entries that were lost below the range of numbers, and eigenvalues that are,
  // moved by less than the smallest of them.
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  s.bound = std::ldexp(s.bound + static_cast<double>(n) * kLeast, exponent) + 2.0 * kLeast;
  s.values = scaled(s.values, exponent);
  s.residuals = scaled(s.residuals, exponent);
  return s;
}

std::string Spectrum::to_string() const {
  const Index n = values.size();
  std::string text =
      fmt::format("{} eigenvalues, each known to within {:.3g}; condition {:.4g}\n", n, bound, condition());
  for (Index i = n; i-- > 0;) {
    if (n > 12 && i == n - 7) {
      text += "  ...\n";
      i = 6;
    }
    text += fmt::format("  {:>4}  {: .12g}  residual {:.2g}\n", n - i, values(i), residuals(i));
  }
  return text;
}

}  // namespace cotangent::theory
