// Matrix products by OpenBLAS, by the cheapest of its routines that does them.
#include "autodiff/kernels/products.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/elements.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/workspace.hpp"

namespace cotangent::kernel {
namespace {

/// Of a size that check_sizes has seen.
int blas_int(std::int64_t n) { return static_cast<int>(n); }

CBLAS_TRANSPOSE turned(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

/// Whether a product is one of no terms, of one, or for one number: no library's routine is called.
bool plain(const ProductSizes& s) {
  return s.rows == 0 || s.columns == 0 || s.inner <= 1 || (s.rows == 1 && s.columns == 1);
}

/// What `keep` leaves of y, which is not read where nothing is kept.
double kept(double keep, double y) { return keep == 0.0 ? 0.0 : keep * y; }

/// scale * op(a) op(b) + keep * y for a scale of 0, with which BLAS reads neither a nor b: what is not finite
/// there would be lost.
void matmul_by_zero(double* y, const double* a, const double* b, const ProductSizes& sizes,
                    MatmulOptions options, double keep) {
  const double zero = options.scale;
  options.scale = 1.0;
  const std::int64_t n = sizes.rows * sizes.columns;
  std::vector<double> product(static_cast<std::size_t>(n));
  matmul(product.data(), a, b, sizes, options, 0.0);
  for (std::int64_t i = 0; i < n; ++i) y[i] = kept(keep, y[i]) + zero * product[static_cast<std::size_t>(i)];
}

}  // namespace

void check_sizes(const char* operation, const ProductSizes& sizes) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  const auto [rows, inner, columns] = sizes;
  if (plain(sizes) || std::max({rows, inner, columns}) <= kMost) return;
  throw ShapeError(
      fmt::format("[{}] a product of [{}, {}] and [{}, {}] has a side of 2^31 or more, which OpenBLAS cannot "
                  "count; take it in parts: rows of a, columns of b, or a sum over parts of the inner axis",
                  operation, rows, inner, inner, columns));
}

void matmul(double* y, const double* a, const double* b, const ProductSizes& sizes,
            const MatmulOptions& options, double keep) {
  const auto [rows, inner, columns] = sizes;
  const bool ta = options.transpose_a, tb = options.transpose_b;
  if (rows == 0 || columns == 0) return;
  if (inner == 0) {
    const double nothing = options.scale * 0.0 + 0.0;  // NaN where the scale is not finite, never -0
    for (std::int64_t i = 0; i < rows * columns; ++i) y[i] = kept(keep, y[i]) + nothing;
    return;
  }
  if (options.scale == 0.0) return matmul_by_zero(y, a, b, sizes, options, keep);
  const std::int64_t a_columns = ta ? rows : inner, b_columns = tb ? inner : columns;
  // What takes no more than a multiplication a number is not worth a library's call.
  if (rows == 1 && columns == 1) {
    y[0] = kept(keep, y[0]) + options.scale * loops().dot(a, b, inner);
    return;
  }
  if (inner == 1) {
    // The longer of the two vectors is gone through within the shorter.
    const bool upright = columns == 1;
    const std::int64_t outside = upright ? columns : rows, inside = upright ? rows : columns;
    const double *of = upright ? b : a, *along = upright ? a : b;
    for (std::int64_t i = 0; i < outside; ++i) {
      const double s = options.scale * of[i];
      double* row = y + i * inside;
      if (keep == 0.0)
        elements().mul(row, {&s, true}, {along, false}, inside);
      else if (keep == 1.0)
        loops().add_scaled_to(row, s, along, inside);
      else
        for (std::int64_t j = 0; j < inside; ++j) row[j] = keep * row[j] + s * along[j];
    }
    return;
  }
  check_sizes("matmul", sizes);
  check_workspace("matmul");
  // A matrix times one column or one row is a matrix-vector product, several times cheaper
  // than a general one.
  if (columns == 1) {
    cblas_dgemv(CblasRowMajor, turned(ta), blas_int(ta ? inner : rows), blas_int(a_columns), options.scale, a,
                blas_int(a_columns), b, 1, keep, y, 1);
    return;
  }
  if (rows == 1) {
    cblas_dgemv(CblasRowMajor, turned(!tb), blas_int(tb ? columns : inner), blas_int(b_columns),
                options.scale, b, blas_int(b_columns), a, 1, keep, y, 1);
    return;
  }
  cblas_dgemm(CblasRowMajor, turned(ta), turned(tb), blas_int(rows), blas_int(columns), blas_int(inner),
              options.scale, a, blas_int(a_columns), b, blas_int(b_columns), keep, y, blas_int(columns));
}

void matmul_blocks(double* y, const double* a, const double* b, std::int64_t count, const ProductSizes& sizes,
                   const MatmulOptions& options) {
  const auto [rows, inner, columns] = sizes;
  for (std::int64_t i = 0; i < count; ++i)
    matmul(y + i * rows * columns, a + i * rows * inner, b + i * inner * columns, sizes, options, 0.0);
}

void gram_lower(double* y, const double* a, std::int64_t n, std::int64_t k) {
  if (n == 0) return;
  if (k == 0) {
    std::fill(y, y + n * n, 0.0);
    return;
  }
  check_sizes("gram", {n, k, n});
  check_workspace("gram");
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, blas_int(n), blas_int(k), 1.0, a, blas_int(k), 0.0, y,
              blas_int(n));
}

}  // namespace cotangent::kernel
