// Kernels: loops and library calls on plain numbers, without shapes to check or anything to record.
#pragma once
#include "autodiff/kernels_transcendental.hpp"
#include "autodiff/op.hpp"
#include "autodiff/tensor.hpp"

namespace cotangent::kernel {

/// y_i = x_i + z_i; y_i += x_i; y_i += c x_i.
void add(double* y, const double* x, const double* z, Index n);
void add_to(double* y, const double* x, Index n);
void add_scaled_to(double* y, double c, const double* x, Index n);
/// Sums and inner products in a fixed order of eight partial sums, the same under every compiler.
double sum(const double* x, Index n);
double dot(const double* x, const double* y, Index n);

/// y_j = sum_i x_ij for x [rows, columns].
void sum_columns(double* y, const double* x, Index rows, Index columns);
/// y_k = sum over the middle axis of x [outer, middle, inner].
void sum_middle(double* y, const double* x, Index outer, Index middle, Index inner);
/// y_k = the largest (smallest) number along the middle axis, which is not empty; NaN if there is one.
void max_middle(double* y, const double* x, Index outer, Index middle, Index inner);
void min_middle(double* y, const double* x, Index outer, Index middle, Index inner);

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
