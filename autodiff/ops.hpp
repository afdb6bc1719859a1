// Every public operation: the reference page. Operands are Vars; Tensors and doubles convert. Shapes never
// broadcast silently: operands are equal in shape, or one is a scalar (rank 0), or the operation says what it
// spreads.
#pragma once
#include <vector>

#include "autodiff/op.hpp"
#include "autodiff/tape.hpp"

namespace cotangent {

// ---- elementwise, two operands
// ------------------------------------------------------------------------------------

/// a + b, a - b, a * b, a / b, element by element.
///
/// Shapes: [s], [s] -> [s]; a scalar (rank 0) on either side goes with any shape.
/// Throws: ShapeError for other shapes, with the explicit operation to use ([n,1] against [n] is an error).
Var operator+(const Var& a, const Var& b);
Var operator-(const Var& a, const Var& b);
Var operator*(const Var& a, const Var& b);
Var operator/(const Var& a, const Var& b);
Var operator-(const Var& a);
/// c * x for a constant c. Shapes: [s] -> [s].
Var operator*(double c, const Var& x);
Var operator*(const Var& x, double c);
Var operator/(const Var& x, double c);

// ---- elementwise, one operand
// -------------------------------------------------------------------------------------

/// exp(x). Shapes: [s] -> [s].
Var exp(const Var& x);
/// Natural logarithm. Shapes: [s] -> [s]. At 0: -inf, derivative inf; below 0: NaN.
Var log(const Var& x);
/// Square root. Shapes: [s] -> [s]. At 0: derivative inf; below 0: NaN.
Var sqrt(const Var& x);
/// x^2. Shapes: [s] -> [s].
Var square(const Var& x);
/// Sine and cosine of radians. Shapes: [s] -> [s].
Var sin(const Var& x);
Var cos(const Var& x);
/// Hyperbolic tangent. Its derivative is taken as 1 - y^2, so beyond |x| = 18 it is 0. Shapes: [s] -> [s].
Var tanh(const Var& x);
/// 1 / (1 + exp(-x)), without overflow. Shapes: [s] -> [s].
Var sigmoid(const Var& x);
/// log(1 + exp(x)), without overflow. Shapes: [s] -> [s].
Var softplus(const Var& x);
/// Error function (2 / sqrt(pi)) int_0^x exp(-t^2) dt, and its complement 1 - erf(x) without cancellation.
/// Shapes: [s] -> [s]. Cost: the math library's, several times that of tanh.
Var erf(const Var& x);
Var erfc(const Var& x);
/// x Phi(x), Phi the normal distribution function: (x / 2) erfc(-x / sqrt(2)), whose tail keeps its digits
/// where 1 + erf would be 0: relative errors stay near x^2 2^-53 down to x = -37.5, where normal numbers end.
/// Shapes: [s] -> [s]. At -inf: NaN. Source: Hendrycks, Gimpel 2016.
Var gelu(const Var& x);
/// x sigmoid(x). Shapes: [s] -> [s]. At -inf: NaN. Source: Elfwing, Uchibe, Doya 2018.
Var silu(const Var& x);
/// x where x >= 0, else alpha (exp(x) - 1), without cancellation near 0; NaN stays NaN. Shapes: [s] -> [s].
/// At 0: first derivative 1 (the course's convention; a kink unless alpha is 1), all higher ones 0.
/// Throws: DomainError if alpha is not finite.
/// Source: Clevert, Unterthiner, Hochreiter 2016.
Var elu(const Var& x, double alpha = 1.0);
/// x where x >= 0, else 0; NaN stays NaN. Shapes: [s] -> [s].
/// At 0: first derivative 1 (the course's convention), second derivative 0 everywhere.
Var relu(const Var& x);
/// x where x >= 0, else slope * x; goes by sign, so any finite slope is allowed.
/// Shapes: [s] -> [s].
/// At 0: first derivative 1 (the course's convention), second derivative 0 everywhere.
/// Throws: DomainError if the slope is not finite.
/// Source: proxy (lecture 000); Maas, Hannun, Ng 2013.
Var leaky_relu(const Var& x, double slope = 0.01);

// ---- products
// -----------------------------------------------------------------------------------------------------

/// scale * op(a) op(b), op(a) = a or its transpose as the options say; no transpose is copied.
///
/// Shapes: op(a) [m, k], op(b) [k, n] -> [m, n].
/// Throws: ShapeError unless both have rank 2 and the inner sizes agree.
Var matmul(const Var& a, const Var& b, MatmulOptions options = {});

/// Constant factors in front of linear's weight and bias (the NTK parametrisation uses them).
struct LinearScales {
  double weight = 1.0;
  double bias = 1.0;
};
/// y = scales.weight * x W^T + scales.bias * b, every row of x through the same neurons; row j of W is neuron
/// j.
///
/// Shapes: x [n, in], W [out, in], b [out] -> [n, out].
/// Throws: ShapeError for other shapes.
Var linear(const Var& x, const Var& weight, LinearScales scales = {});
Var linear(const Var& x, const Var& weight, const Var& bias, LinearScales scales = {});

/// sum_i a_i b_i over all elements. Shapes: [s], [s] -> []. Throws: ShapeError if the shapes differ.
Var dot(const Var& a, const Var& b);

// ---- row operations: a vector against every row, or a number for each row
// --------------------------------------------

/// y_ij = x_ij + r_j. Shapes: x [n, k], r [k] -> [n, k]. Throws: ShapeError.
Var add_rows(const Var& x, const Var& r);
/// y_ij = x_ij * r_j. Shapes: x [n, k], r [k] -> [n, k]. Throws: ShapeError.
Var mul_rows(const Var& x, const Var& r);
/// y_ij = s_i * x_ij. Shapes: x [n, k], s [n] -> [n, k]. Throws: ShapeError.
Var scale_rows(const Var& x, const Var& s);

// ---- reductions
// ---------------------------------------------------------------------------------------------------

/// Sum of all elements. Shapes: [s] -> [].
Var sum(const Var& x);
/// Sum along one axis, which disappears. Shapes: [.., k, ..] -> [.., ..]. Throws: ShapeError if there is no
/// such axis.
Var sum(const Var& x, int axis);
/// Mean of all elements, or along one axis. Throws: ShapeError as sum; DomainError if there is nothing to
/// average.
Var mean(const Var& x);
Var mean(const Var& x, int axis);
/// log sum_k exp(x_k) along one axis, which disappears; without overflow. Shapes: [.., k, ..] -> [.., ..].
/// Throws: ShapeError if there is no such axis; DomainError if it is empty.
Var log_sum_exp(const Var& x, int axis);

// ---- shape
// --------------------------------------------------------------------------------------------------------

/// The same numbers in another shape. Cost: O(1). Throws: ShapeError if the sizes differ.
Var reshape(const Var& x, const Shape& shape);
/// Axes in another order: axis k of the result is axis order[k] of x; without an order, a matrix transposed.
/// Throws: ShapeError if order is not a permutation of the axes, or without one if x is not a matrix.
Var transpose(const Var& x);
Var transpose(const Var& x, const std::vector<int>& order);
/// Positions first <= i < last along an axis. Cost: O(1) along axis 0. Throws: ShapeError if out of range.
Var slice(const Var& x, int axis, Index first, Index last);
/// size consecutive numbers of a vector from `offset` on, in the given shape: how a parameter is read from w.
/// Cost: O(1). Shapes: x [P] -> shape. Throws: ShapeError if out of range or x is not a vector.
Var view(const Var& x, Index offset, const Shape& shape);
/// Joins along an axis. Shapes: [.., k1, ..], [.., k2, ..], ... -> [.., k1 + k2 + ..., ..].
/// Throws: ShapeError if another axis differs; DomainError if there is nothing to join.
Var concat(const std::vector<Var>& parts, int axis);
/// Repeats x along new leading axes and along axes of size 1, on request only. Shapes: [1, k] or [k] -> [n,
/// k]. Throws: ShapeError if an axis is neither equal nor 1.
Var broadcast_to(const Var& x, const Shape& shape);

}  // namespace cotangent
