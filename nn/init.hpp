// Init: how a parameter's first numbers are drawn.
#pragma once
#include "autodiff/function.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/tensor.hpp"

namespace cotangent::nn {

/// Draws a tensor of the shape asked for. Any callable Tensor(Rng&, const Shape&) is one, so a script can
/// write its own.
using Init = Function<Tensor(Rng&, const Shape&)>;

Init zeros();
Init ones();
/// The same number everywhere. Throws: DomainError unless it is finite.
Init constant(double value);
/// N(0, deviation^2). Throws: DomainError unless deviation is finite and at least 0.
Init normal(double deviation);
/// Uniform in [low, high). Throws: DomainError unless low <= high, both finite.
Init uniform(double low, double high);

/// N(0, 1 / in): keeps the variance of a linear layer's inputs.
///
/// Shapes: weight [out, in].
/// Throws: ShapeError for other ranks, or sizes of 0.
/// Source: LeCun, Bottou, Orr, Mueller 1998.
Init lecun_normal();
/// N(0, 2 / ((1 + slope^2) in)): keeps the mean square through (leaky) ReLU units of that slope.
///
/// Shapes: weight [out, in].
/// Throws: DomainError unless slope is finite; ShapeError as lecun_normal.
/// Source: He, Zhang, Ren, Sun 2015, equation 15.
Init he_normal(double slope = 0.0);
/// N(0, 2 / (in + out)): a compromise between the forward and the backward pass.
///
/// Shapes: weight [out, in].
/// Throws: ShapeError as lecun_normal.
/// Source: Glorot, Bengio 2010.
Init glorot_normal();

}  // namespace cotangent::nn
