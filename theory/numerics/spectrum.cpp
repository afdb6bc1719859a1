// Symmetric eigenproblems by LAPACK, as OpenBLAS exports it.
#include "theory/spectrum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/kernels.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"

extern "C" void dsyevr_(const char* jobz, const char* range, const char* uplo, const int* n, double* a,
                        const int* lda, const double* vl, const double* vu, const int* il, const int* iu,
                        const double* abstol, int* m, double* w, double* z, const int* ldz, int* isuppz,
                        double* work, const int* lwork, int* iwork, const int* liwork, int* info);

namespace cotangent::theory {
namespace {

double frobenius(const Tensor& x) {
  return std::sqrt(kernel::loops().dot(x.data().data(), x.data().data(), x.size()));
}

void check(const Tensor& k) {
  if (k.rank() != 2 || k.size(0) != k.size(1) || k.size(0) == 0)
    throw ShapeError(
        fmt::format("[spectrum] the matrix is {}; it must be square and not empty", k.shape().to_string()));
  const Index n = k.size(0);
  double largest = 0.0;
  for (const double v : k.data()) {
    if (!std::isfinite(v))
      throw DomainError(fmt::format("[spectrum] the matrix {} holds {}; eigenvalues need finite numbers",
                                    k.shape().to_string(), v));
    largest = std::max(largest, std::fabs(v));
  }
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < i; ++j) {
      const double off = std::fabs(k(i, j) - k(j, i));
      if (off > 1e-12 * largest)
        throw DomainError(
            fmt::format("[spectrum] entries ({}, {}) and ({}, {}) differ by {:.3g}: the matrix is not "
                        "symmetric; average it with its "
                        "transpose if that is rounding",
                        i, j, j, i, off));
    }
}

}  // namespace

Spectrum spectrum(const Tensor& k) {
  check(k);
  const int n = static_cast<int>(k.size(0));
  std::vector<double> a(k.data().begin(), k.data().end());
  Spectrum s;
  s.values = detail::uninitialized(Shape{n});
  Tensor by_row = detail::uninitialized(Shape{n, n});  // LAPACK's columns are our rows
  std::vector<int> support(2 * static_cast<std::size_t>(n));
  const double zero = 0.0;
  const int none = 0, query = -1;
  int found = 0, info = 0, iwork_size = 0;
  double work_size = 0.0;
  const auto run = [&](double* work, const int* lwork, int* iwork, const int* liwork) {
    dsyevr_("V", "A", "L", &n, a.data(), &n, &zero, &zero, &none, &none, &zero, &found,
            detail::mutable_data(s.values), detail::mutable_data(by_row), &n, support.data(), work, lwork,
            iwork, liwork, &info);
  };
  run(&work_size, &query, &iwork_size, &query);
  const int lwork = static_cast<int>(work_size);
  std::vector<double> work(static_cast<std::size_t>(lwork));
  std::vector<int> iwork(static_cast<std::size_t>(iwork_size));
  run(work.data(), &lwork, iwork.data(), &iwork_size);
  if (info != 0 || found != n)
    throw DomainError(
        fmt::format("[spectrum] LAPACK's dsyevr found {} of {} eigenvalues (info {})", found, n, info));

  s.vectors = transpose(by_row).value();
  const Tensor moved = (matmul(k, s.vectors) - mul_rows(s.vectors, s.values)).value();
  const Tensor defect = (matmul(by_row, s.vectors) - Tensor::eye(n)).value();
  s.residuals = sqrt(sum(square(moved), 0)).value();
  // Rounding of K V itself: each entry is an inner product of length n.
  const double rounding = 2.0 * n * std::numeric_limits<double>::epsilon() * frobenius(k);
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
