// What theory's functions demand of what they are given, and rows of a matrix of samples.
#pragma once
#include <span>

#include "autodiff/tensor.hpp"

namespace cotangent::theory {

/// Throws: DomainError "[operation] name is value; give a finite number" unless it is one.
void check_finite(const char* operation, const char* name, double value);

/// Throws: ShapeError unless k is square and not empty; DomainError if it is not finite or not symmetric to
/// 1e-12 of its largest entry; both in `operation`'s name.
void check_symmetric(const char* operation, const Tensor& k);

/// Row i of X [n, d]: its numbers where they stand, as long as X lives.
std::span<const double> row_of(const Tensor& x, Index i);

}  // namespace cotangent::theory
