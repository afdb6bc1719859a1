// What is differentiated sample by sample: models, and losses of samples.
#pragma once
#include "autodiff/function.hpp"
#include "autodiff/var.hpp"

namespace cotangent {

/// A model: f(w, X) with samples along axis 0 of X and of the result. Modules are such callables.
using ModelFunction = FunctionRef<Var(const Var& w, const Var& x)>;

/// A loss of samples against their targets: [n] numbers, one a sample, or [] or [1], their mean or sum, as
/// the losses of nn are. Its value for one sample alone is what is differentiated.
using SampleLoss = FunctionRef<Var(const Var& w, const Var& x, const Tensor& targets)>;

/// What the columns of a Jacobian are.
enum class Wrt { params, inputs };

}  // namespace cotangent
