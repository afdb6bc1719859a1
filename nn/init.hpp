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

/// The same variances with uniform numbers: in [-sqrt(3 v), sqrt(3 v)) for variance v.
///
/// Shapes: weight [out, in].
/// Throws: as those above.
Init lecun_uniform();
Init he_uniform(double slope = 0.0);
Init glorot_uniform();

/// N(0, 1) for layers with Parametrisation::ntk, which have the factor 1 / sqrt(in) in front of the weight.
///
/// Source: Jacot, Gabriel, Hongler 2018.
Init ntk_normal();

/// gain times a uniform (Haar) matrix with orthonormal rows, if out <= in, else with orthonormal columns.
///
/// By Gram and Schmidt, each vector twice, on normal vectors; the diagonal of R is positive, which is what
/// makes Q uniform. The same bits under every compiler.
/// Shapes: weight [out, in].
/// Cost: 4 min^2 max multiplications and additions of the two sizes.
/// Throws: DomainError unless gain is finite; ShapeError as lecun_normal.
/// Source: Saxe, McClelland, Ganguli 2014; Mezzadri 2007.
Init orthogonal(double gain = 1.0);

/// What init draws, but with row 2j + 1 equal to row 2j: hidden units in pairs. Of biases too, [out].
///
/// The whole shape is drawn and the odd rows are dropped, so that deviations are those of the shape.
/// Shapes: [out, ...] with even out.
/// Throws: ShapeError for other shapes; DomainError for an empty Init.
Init paired_rows(Init init);
/// What init draws, but with column 2j + 1 minus column 2j: behind paired_rows, pairs cancel, so that the
/// network starts as f = 0 up to rounding, about 1e-16 of the sizes of the terms. See symmetric_mlp.
///
/// Shapes: [out, in] with even in.
/// Throws: as paired_rows.
/// Source: Chizat, Oyallon, Bach 2019; Zhang, Xu, Luo, Ma 2020.
Init opposed_columns(Init init);

}  // namespace cotangent::nn
