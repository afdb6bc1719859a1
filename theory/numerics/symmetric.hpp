// What every function of a symmetric matrix demands of it.
#pragma once
#include "autodiff/tensor.hpp"

namespace cotangent::theory {

/// Throws: ShapeError unless k is square and not empty; DomainError if it is not finite or not symmetric to
/// 1e-12 of its largest entry; both in `operation`'s name.
void check_symmetric(const char* operation, const Tensor& k);

}  // namespace cotangent::theory
