// Kernels: loops and library calls on plain numbers, with nothing to record.
#pragma once
#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/transcendental.hpp"
#include "autodiff/op.hpp"
#include "autodiff/tensor.hpp"

namespace cotangent::kernel {

/// Shape of scale * op(a) op(b). Throws: ShapeError with `operation`'s name.
Shape matmul_shape(const char* operation, const Shape& a, const Shape& b, const MatmulOptions& options);
/// y = scale * op(a) op(b) + keep * y, row-major.
void matmul(double* y, const Tensor& a, const Tensor& b, const MatmulOptions& options, double keep);
/// The same for `count` products one after another, of a [rows, inner] or its transpose and b alike.
void matmul_blocks(double* y, const double* a, const double* b, Index count, Index rows, Index inner,
                   Index columns, const MatmulOptions& options);
/// Lower triangle of y [n, n] = a a^T, for a [n, k].
void gram_lower(double* y, const double* a, Index n, Index k);

}  // namespace cotangent::kernel
