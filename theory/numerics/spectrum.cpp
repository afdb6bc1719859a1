// Symmetric eigenproblems.
#include "theory/spectrum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/kernels/lapack.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"
#include "theory/numerics/arguments.hpp"

namespace cotangent::theory {
namespace {

double frobenius(const Tensor& x) {
  return std::sqrt(kernel::loops().dot(x.data().data(), x.data().data(), x.size()));
}

}  // namespace

Spectrum spectrum(const Tensor& k) {
  check_symmetric("spectrum", k);
  const Index n = k.size(0);
  std::vector<double> a(k.data().begin(), k.data().end());
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
  const double rounding = static_cast<double>(n + 3) * unit * frobenius(k) * (1.0 + frobenius(s.vectors));
  const double smallest_singular = std::sqrt(std::max(0.0, 1.0 - frobenius(defect)));
  s.bound = smallest_singular > 0.0 ? (frobenius(moved) + rounding) / smallest_singular
                                    : std::numeric_limits<double>::infinity();
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
