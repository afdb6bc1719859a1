// Jacobians filled by one pass for each output or input. Behind jacobian and hessian.
#pragma once
#include "autodiff/tape/state.hpp"

namespace cotangent::detail {

/// The Jacobian's shape. Throws: ShapeError beginning with the transform where that is too many axes.
Shape derivative_shape(const char* transform, const Shape& outputs, const Shape& inputs);

/// One backward pass for each element of y, each a row of the result, [y, at].
Tensor rows_of(const char* transform, TapeState& tape, const Var& y, const Var& at);
Var tracked_rows_of(const char* transform, TapeState& tape, const Var& y, const Var& at);

}  // namespace cotangent::detail
