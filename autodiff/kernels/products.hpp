// Matrix products of plain numbers, row-major and one after another in memory, by OpenBLAS. Other rooms
// include this header too.
#pragma once
#include <cstdint>

#include "autodiff/matmul_options.hpp"

namespace cotangent::kernel {

/// Sizes of the product op(a) op(b): op(a) is [rows, inner], op(b) is [inner, columns].
struct ProductSizes {
  std::int64_t rows;
  std::int64_t inner;
  std::int64_t columns;
};

/// Throws: ShapeError in `operation`'s name if the product has a side that OpenBLAS, whose integers have 32
/// bits, cannot count. Those of no terms, of one term, or of one number are made here, of any size.
void check_sizes(const char* operation, const ProductSizes& sizes);

/// y = scale * op(a) op(b) + keep * y, where what is not finite in a or b shows also for a scale of 0; y is
/// not read for a keep of 0. Shapes: y [rows, columns]. Throws: as check_sizes, and as check_workspace.
void matmul(double* y, const double* a, const double* b, const ProductSizes& sizes,
            const MatmulOptions& options, double keep);
/// y_k = scale * op(a_k) op(b_k) for `count` products one after another.
void matmul_blocks(double* y, const double* a, const double* b, std::int64_t count, const ProductSizes& sizes,
                   const MatmulOptions& options);
/// The lower triangle of y = a a^T. Shapes: a [n, k], y [n, n].
void gram_lower(double* y, const double* a, std::int64_t n, std::int64_t k);

}  // namespace cotangent::kernel
