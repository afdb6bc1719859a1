// Numbers of a function with what rounding may have done to them, as their own record says.
#pragma once
#include <initializer_list>
#include <vector>

#include "autodiff/transforms.hpp"
#include "theory/measured.hpp"

namespace cotangent::theory {

/// The numbers of f(w), each off by at most the first-order bound of rounding_bound: a tolerance from the
/// operations that made it, where rounded(x) guesses from the number alone. Not for proofs: see there.
/// Shapes: f: [P] -> [t]; t numbers. Cost: a gradient, and half of one more for each number; of those that f
/// takes gradients for, three times that.
std::vector<Measured> from_record(VarFunction f, const Params& w);

/// Several scalars as one result, for an f that makes them from one record. Shapes: [] each -> [t].
Var in_a_row(std::initializer_list<Var> scalars);

}  // namespace cotangent::theory
