// What the engine needs of the operations. It is declared here, below them, and defined in ops/.
#pragma once
#include <span>

#include "autodiff/matmul_options.hpp"
#include "autodiff/tape/state.hpp"

namespace cotangent {

// These are public operations too: see autodiff/ops.hpp.
Var operator+(const Var& a, const Var& b);
Var dot(const Var& a, const Var& b);
Var matmul(const Var& a, const Var& b, MatmulOptions options);
Var reshape(const Var& x, const Shape& shape);

namespace detail {

/// Consecutive numbers of the input in another shape; the backward pass looks through it.
extern const Op kView;
/// Any consecutive numbers of x, of any rank.
Var view_of(const Var& x, Index offset, const Shape& shape);
/// Zeros of `shape` plus each piece at its offset; pieces may overlap. Its pullback is views.
Var assemble(std::span<const Piece> pieces, const Shape& shape);

/// The shape of scale * op(a) op(b). Throws: ShapeError with the operation's name.
Shape matmul_shape(const char* operation, const Shape& a, const Shape& b, const MatmulOptions& options);
/// y = scale * op(a) op(b) + keep * y, for shapes that fit.
void matmul_into(double* y, const Tensor& a, const Tensor& b, const MatmulOptions& options, double keep);

}  // namespace detail
}  // namespace cotangent
