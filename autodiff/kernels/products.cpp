// Matrix products by OpenBLAS, by the cheapest of its routines that does them.
#include "autodiff/kernels/products.hpp"

#include <cblas.h>

#include <algorithm>

#include "autodiff/kernels/elements.hpp"
#include "autodiff/kernels/loops.hpp"

namespace cotangent::kernel {
namespace {

int blas_int(std::int64_t n) { return static_cast<int>(n); }

CBLAS_TRANSPOSE turned(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

}  // namespace

void matmul(double* y, const double* a, const double* b, const ProductSizes& sizes,
            const MatmulOptions& options, double keep) {
  const auto [rows, inner, columns] = sizes;
  const bool ta = options.transpose_a, tb = options.transpose_b;
  if (rows == 0 || columns == 0) return;
  if (inner == 0) {
    for (std::int64_t i = 0; i < rows * columns; ++i) y[i] = keep == 0.0 ? 0.0 : keep * y[i];
    return;
  }
  const std::int64_t a_columns = ta ? rows : inner, b_columns = tb ? inner : columns;
  // What takes no more than a multiplication a number is not worth a library's call.
  if (rows == 1 && columns == 1) {
    y[0] = (keep == 0.0 ? 0.0 : keep * y[0]) + options.scale * loops().dot(a, b, inner);
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
  if (rows == 0 || columns == 0) return;
  if (inner == 0) {
    std::fill(y, y + count * rows * columns, 0.0);
    return;
  }
  const bool ta = options.transpose_a, tb = options.transpose_b;
  for (std::int64_t i = 0; i < count; ++i)
    cblas_dgemm(CblasRowMajor, turned(ta), turned(tb), blas_int(rows), blas_int(columns), blas_int(inner),
                options.scale, a + i * rows * inner, blas_int(ta ? rows : inner), b + i * inner * columns,
                blas_int(tb ? inner : columns), 0.0, y + i * rows * columns, blas_int(columns));
}

void gram_lower(double* y, const double* a, std::int64_t n, std::int64_t k) {
  if (n == 0) return;
  if (k == 0) {
    std::fill(y, y + n * n, 0.0);
    return;
  }
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, blas_int(n), blas_int(k), 1.0, a, blas_int(k), 0.0, y,
              blas_int(n));
}

}  // namespace cotangent::kernel
