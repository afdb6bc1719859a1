// Matrix products by OpenBLAS.
#include "autodiff/kernels/kernels.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"

namespace cotangent::kernel {
namespace {

int blas_int(Index n) { return static_cast<int>(n); }

}  // namespace

Shape matmul_shape(const char* operation, const Shape& a, const Shape& b, const MatmulOptions& options) {
  if (a.rank() != 2 || b.rank() != 2)
    throw ShapeError(fmt::format("[{}] a is {}, b is {}; a matrix product takes two matrices, reshape first",
                                 operation, a.to_string(), b.to_string()));
  const Index rows = a[options.transpose_a ? 1 : 0], inner = a[options.transpose_a ? 0 : 1];
  const Index other = b[options.transpose_b ? 1 : 0], columns = b[options.transpose_b ? 0 : 1];
  if (inner != other) {
    const char* ta = options.transpose_a ? " (transposed)" : "";
    const char* tb = options.transpose_b ? " (transposed)" : "";
    const char* hint = inner == columns ? "; did you mean transpose(b)?"
                       : rows == other  ? "; did you mean transpose(a)?"
                                        : "; a's columns must equal b's rows";
    throw ShapeError(fmt::format("[{}] inner sizes differ: a is {}{}, b is {}{}{}", operation, a.to_string(),
                                 ta, b.to_string(), tb, hint));
  }
  return Shape{rows, columns};
}

void matmul(double* y, const Tensor& a, const Tensor& b, const MatmulOptions& options, double keep) {
  const bool ta = options.transpose_a, tb = options.transpose_b;
  const Index rows = a.size(ta ? 1 : 0), inner = a.size(ta ? 0 : 1), columns = b.size(tb ? 0 : 1);
  if (rows == 0 || columns == 0) return;
  if (inner == 0) {
    for (Index i = 0; i < rows * columns; ++i) y[i] = keep == 0.0 ? 0.0 : keep * y[i];
    return;
  }
  const double* pa = a.data().data();
  const double* pb = b.data().data();
  // A matrix times one column or one row is a matrix-vector product, several times cheaper than a general
  // one.
  if (columns == 1) {
    cblas_dgemv(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, blas_int(a.size(0)), blas_int(a.size(1)),
                options.scale, pa, blas_int(a.size(1)), pb, 1, keep, y, 1);
    return;
  }
  if (rows == 1) {
    cblas_dgemv(CblasRowMajor, tb ? CblasNoTrans : CblasTrans, blas_int(b.size(0)), blas_int(b.size(1)),
                options.scale, pb, blas_int(b.size(1)), pa, 1, keep, y, 1);
    return;
  }
  if (inner == 1) {
    for (Index i = 0; i < rows; ++i) {
      const double s = options.scale * pa[i];
      double* row = y + i * columns;
      if (keep == 0.0)
        for (Index j = 0; j < columns; ++j) row[j] = s * pb[j];
      else
        for (Index j = 0; j < columns; ++j) row[j] = keep * row[j] + s * pb[j];
    }
    return;
  }
  cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, blas_int(rows),
              blas_int(columns), blas_int(inner), options.scale, pa, blas_int(a.size(1)), pb,
              blas_int(b.size(1)), keep, y, blas_int(columns));
}

void matmul_blocks(double* y, const double* a, const double* b, Index count, Index rows, Index inner,
                   Index columns, const MatmulOptions& options) {
  if (rows == 0 || columns == 0) return;
  if (inner == 0) {
    std::fill(y, y + count * rows * columns, 0.0);
    return;
  }
  const bool ta = options.transpose_a, tb = options.transpose_b;
  for (Index i = 0; i < count; ++i)
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, blas_int(rows),
                blas_int(columns), blas_int(inner), options.scale, a + i * rows * inner,
                blas_int(ta ? rows : inner), b + i * inner * columns, blas_int(tb ? inner : columns), 0.0,
                y + i * rows * columns, blas_int(columns));
}

void gram_lower(double* y, const double* a, Index n, Index k) {
  if (n == 0) return;
  if (k == 0) {
    std::fill(y, y + n * n, 0.0);
    return;
  }
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, blas_int(n), blas_int(k), 1.0, a, blas_int(k), 0.0, y,
              blas_int(n));
}

}  // namespace cotangent::kernel
