// Every public operation: the reference page. Operands are Vars; Tensors and doubles convert. Shapes
// never broadcast silently: operands are equal in shape, or one is a scalar (rank 0), or the
// operation says what it spreads. Beside them: detach, which stops derivatives (autodiff/var.hpp),
// checkpoint, which computes twice instead of keeping (autodiff/checkpoint.hpp), and CustomOp, an
// operation of one's own (autodiff/custom_op.hpp).
#pragma once
#include <vector>

#include "autodiff/matmul_options.hpp"
#include "autodiff/var.hpp"

namespace cotangent {

// ---- elementwise, two operands ----------------------------------------------------------------------------

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

// ---- elementwise, one operand -----------------------------------------------------------------------------

/// exp(x). Shapes: [s] -> [s].
Var exp(const Var& x);
/// Natural logarithm. Shapes: [s] -> [s]. At 0: -inf, derivative inf; below 0: NaN, the derivative too.
Var log(const Var& x);
/// Square root. Shapes: [s] -> [s]. At 0: derivative inf; below 0: NaN, the derivative too.
Var sqrt(const Var& x);
/// x^2. Shapes: [s] -> [s].
Var square(const Var& x);
/// Sine and cosine of radians. Shapes: [s] -> [s].
Var sin(const Var& x);
Var cos(const Var& x);
/// Hyperbolic tangent; its derivative keeps its digits also where tanh is rounded to 1. Shapes: [s] -> [s].
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
/// where 1 + erf would be 0: relative errors stay near 1e-15 down to x = -37.5, where normal numbers end.
/// Shapes: [s] -> [s]. At -inf: 0, as the derivatives. Source: Hendrycks, Gimpel 2016.
Var gelu(const Var& x);
/// x sigmoid(x). Shapes: [s] -> [s]. At -inf: 0, as the derivatives. Source: Elfwing, Uchibe, Doya 2018.
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

/// exp(x) - 1 and log(1 + x), without cancellation near 0.
/// Shapes: [s] -> [s]. log1p at -1: -inf, derivative inf; below: NaN, the derivative too.
Var expm1(const Var& x);
Var log1p(const Var& x);
/// x^p for a constant p. Shapes: [s] -> [s]. Below 0: NaN unless p is whole. NaN^0 is NaN.
/// At 0: for p = 0 value 1, derivative 0; the derivative of order k is 0 for k < p, and inf for k > p unless
/// p is whole.
/// Throws: DomainError if p is not finite.
Var pow(const Var& x, double exponent);
/// a^b, both variable. Shapes: [s], [s] -> [s]; a scalar on either side goes with any shape.
/// At a = 0: derivatives by a, of any order, are those of pow(a, constant), also at b = 0; derivative by b 0
/// for b >= 0 (0^b = 0 for b > 0), -inf below. Where a < 0 the derivative by b is NaN, and a^b too unless b
/// is whole. Derivatives by both hold for b > 1 alone: they are infinite at b = 1 and below.
Var pow(const Var& base, const Var& exponent);

/// |x|. Shapes: [s] -> [s]. At 0: derivative 1, as sign(0); second derivative 0.
Var abs(const Var& x);
/// 1 where x >= 0, else -1: the course's sign(0) is +1. Shapes: [s] -> [s].
/// Not differentiable: a step, whose derivative is taken as 0 everywhere, also at 0.
Var sign(const Var& x);
/// x, or low where x is below it, or high where x is above it; infinite bounds do not bind.
/// Shapes: [s] -> [s].
/// At low and at high: derivative 1, so that clip(x, 0, INFINITY) is relu; second derivative 0 everywhere.
/// Throws: DomainError unless low <= high.
Var clip(const Var& x, double low, double high);

// ---- elementwise, chosen by comparison; NaN stays NaN -----------------------------------------------------

/// The larger, the smaller of a and b.
///
/// Shapes: [s], [s] -> [s]; a scalar (rank 0) on either side goes with any shape.
/// At a tie: the derivative goes to a alone, so that maximum(x, 0) is relu; second derivative 0.
Var maximum(const Var& a, const Var& b);
Var minimum(const Var& a, const Var& b);
/// Masks: 1 where a < b, a <= b, a > b, a >= b, a == b, else 0; NaN where either is NaN.
/// Shapes: [s], [s] -> [s]; a scalar on either side goes with any shape.
/// Not differentiable: steps, whose derivative is taken as 0 everywhere.
Var less(const Var& a, const Var& b);
Var less_equal(const Var& a, const Var& b);
Var greater(const Var& a, const Var& b);
Var greater_equal(const Var& a, const Var& b);
Var equal_to(const Var& a, const Var& b);
/// a where the mask is not 0, else b; NaN where the mask is NaN. The side not taken has derivative 0,
/// whatever it is; but a rule before it still multiplies that 0 by a derivative of its own, and 0 * inf is
/// NaN: where(x > 0, log(x), 0) has derivative NaN at 0. The safe form keeps such arguments out as well: m =
/// greater(x, 0.0); where(m, log(where(m, x, 1.0)), 0.0).
/// Shapes: mask, a, b [s] -> [s]; any of them may be a scalar. By the mask the derivative
/// is 0. Throws: ShapeError.
Var where(const Var& mask, const Var& a, const Var& b);

// ---- products ---------------------------------------------------------------------------------------------

/// scale * op(a) op(b), op(a) = a or its transpose as the options say; no transpose is copied.
///
/// Shapes: op(a) [m, k], op(b) [k, n] -> [m, n]; or a vector b [k] -> [m].
/// Throws: ShapeError unless a is a matrix, b a matrix or, not transposed, a vector, and the inner sizes
/// agree.
Var matmul(const Var& a, const Var& b, MatmulOptions options = {});

/// Constant factors in front of linear's weight and bias (the NTK parametrisation uses them).
struct LinearScales {
  double weight = 1.0;
  double bias = 1.0;
};
/// y = scales.weight * x W^T + scales.bias * b, every row of x through the same neurons; row j of
/// W is neuron j.
///
/// Shapes: x [n, in], W [out, in], b [out] -> [n, out].
/// Throws: ShapeError for other shapes.
Var linear(const Var& x, const Var& weight, LinearScales scales = {});
Var linear(const Var& x, const Var& weight, const Var& bias, LinearScales scales = {});

/// sum_i a_i b_i over all elements. Shapes: [s], [s] -> []. Throws: ShapeError if the shapes differ.
Var dot(const Var& a, const Var& b);

/// scale * op(a) op(b) for each of many pairs of matrices.
///
/// Shapes: op(a) [.., m, k], op(b) [.., k, n] -> [.., m, n], leading axes equal;
/// broadcast_to repeats one matrix.
/// Throws: ShapeError.
Var batch_matmul(const Var& a, const Var& b, MatmulOptions options = {});
/// y_ij = a_i b_j. Shapes: a [m], b [n] -> [m, n]. Throws: ShapeError.
Var outer(const Var& a, const Var& b);

/// The x with a x = b, for a symmetric positive definite a.
///
/// Shapes: a [n, n], b [n] or [n, k] -> as b. The derivative by a is that within
/// symmetric matrices, itself symmetric.
/// Cost: n^3 / 3 for the factor, 2 n^2 k for the solution; the backward pass the same again.
/// Throws: ShapeError; DomainError if a is not finite or not symmetric (to 1e-8 of its largest number), or
/// with the order of the first leading minor that is not positive.
Var solve_spd(const Var& a, const Var& b);
/// Logarithm of the determinant of a symmetric positive definite matrix. Its derivative is the inverse.
/// Shapes: a [n, n] -> []. Cost: n^3 / 3, backward 2 n^3 more. Throws: as solve_spd.
Var log_det_spd(const Var& a);

// ---- row operations: a vector against every row, or a number for each row ---------------------------------

/// y_ij = x_ij + r_j. Shapes: x [n, k], r [k] -> [n, k]. Throws: ShapeError.
Var add_rows(const Var& x, const Var& r);
/// y_ij = x_ij * r_j. Shapes: x [n, k], r [k] -> [n, k]. Throws: ShapeError.
Var mul_rows(const Var& x, const Var& r);
/// y_ij = s_i * x_ij. Shapes: x [n, k], s [n] -> [n, k]. Throws: ShapeError.
Var scale_rows(const Var& x, const Var& s);

// ---- reductions -------------------------------------------------------------------------------------------

/// Sum of all elements, pairwise: its error grows as log n. Shapes: [s] -> [].
Var sum(const Var& x);
/// Sum along one axis, which disappears. Shapes: [.., k, ..] -> [.., ..]. Throws: ShapeError if there
/// is no such axis.
Var sum(const Var& x, int axis);
/// Mean of all elements, or along one axis: the sum divided by the count, also where the sum alone would
/// overflow. Throws: ShapeError as sum; DomainError if there is nothing to average.
Var mean(const Var& x);
Var mean(const Var& x, int axis);
/// log sum_k exp(x_k) along one axis, which disappears; without overflow. Its derivative is softmax(x):
/// where the largest x_k is infinite, -inf too, the value is that one and the derivative NaN. Shapes: [..,
/// k, ..] -> [.., ..].
/// Throws: ShapeError if there is no such axis; DomainError if it is empty.
Var log_sum_exp(const Var& x, int axis);

/// Which axes a reduction takes, in any order (none listed: all of them), and whether they stay, with size 1.
struct ReduceOptions {
  std::vector<int> axes = {};
  bool keep_dims = false;
};
/// The same along any set of axes: sum(x, {.axes = {0, 2}, .keep_dims = true}).
/// Shapes: [a, b, c] by axes 0 and 2 -> [b], or [1, b, 1] with keep_dims. Throws: ShapeError for an axis
/// there is not or listed twice; DomainError where there is nothing to average or exponentiate.
Var sum(const Var& x, const ReduceOptions& options);
Var mean(const Var& x, const ReduceOptions& options);
Var log_sum_exp(const Var& x, const ReduceOptions& options);

/// The largest, the smallest number along one axis or several; NaN if there is one, which is then what is
/// chosen and has the derivative.
/// Shapes: as sum. At a tie: the derivative goes to the first of the equal numbers, in row-major order.
/// Throws: ShapeError as sum; DomainError if there is nothing to choose from.
Var max(const Var& x, int axis);
Var max(const Var& x, const ReduceOptions& options = {});
Var min(const Var& x, int axis);
Var min(const Var& x, const ReduceOptions& options = {});

/// As ReduceOptions; the sum of squares is divided by the number of elements less ddof.
struct VarianceOptions {
  std::vector<int> axes = {};
  bool keep_dims = false;
  Index ddof = 0;
};
/// sum_i (x_i - mean)^2 / (N - ddof) along axes, without cancellation however far x is from
/// 0; NaN if a number is infinite. Shapes: as sum.
/// Cost: reads x once; axes that are no neighbours take a transposed copy.
/// Source: Chan, Golub, LeVeque 1983 (sums of squares of parts, joined).
/// Throws: ShapeError as sum; DomainError unless 0 <= ddof < N.
Var variance(const Var& x, const VarianceOptions& options = {});

/// sum |x_i|, sqrt(sum x_i^2) (of both axes of a matrix: the Frobenius norm), max |x_i|.
enum class Norm { one, two, infinity };
struct NormOptions {
  Norm kind = Norm::two;
  std::vector<int> axes = {};
  bool keep_dims = false;
};
/// A norm along axes: norm(x, {.kind = Norm::one, .axes = {1}}). two neither overflows nor underflows.
/// Shapes: as sum. At 0: two has derivative 0, and no second one: |x| bends infinitely there, and its
/// square by the chain rule would be 0 times infinity; one and infinity go by abs and max.
/// Throws: ShapeError as sum; DomainError if infinity has nothing to choose from, or where the second
/// derivative of two is asked for at 0.
Var norm(const Var& x, const NormOptions& options = {});

/// exp(x_k) / sum_j exp(x_j) along one axis, and its logarithm; without overflow. NaN if the
/// largest x_k is infinite.
/// Shapes: [s] -> [s]. Throws: ShapeError if there is no such axis.
Var softmax(const Var& x, int axis);
Var log_softmax(const Var& x, int axis);

// ---- shape ------------------------------------------------------------------------------------------------

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
/// Joins along a new axis. Shapes: [s], [s], ... -> [.., number of parts, ..].
/// Throws: ShapeError if shapes differ or there is no such place; DomainError if there is nothing to stack.
Var stack(const std::vector<Var>& parts, int axis = 0);
/// All axes from `from_axis` on as one: flatten(x, 1) keeps the samples. Shapes: [n, a, b] -> [n,
/// a b]. Cost: O(1).
Var flatten(const Var& x, int from_axis = 0);

struct PadOptions {
  int axis = 0;
  Index before = 0;
  Index after = 0;
  double value = 0.0;
};
/// A constant put before and after x along an axis. Shapes: [.., k, ..] -> [.., before + k + after, ..].
/// Throws: ShapeError for an axis there is not, or negative numbers.
Var pad(const Var& x, const PadOptions& options);

/// Rows index_0, index_1, ... of x, repeats allowed: gather_rows(table, Tensor{2, 0, 2}). A table that is a
/// parameter is shared by the samples that choose from it, so per-sample Jacobians are structured.
/// Shapes: x [r, ..], index [m] -> [m, ..]. The index has no derivative.
/// Throws: ShapeError; DomainError unless the index holds whole numbers 0 .. r - 1.
Var gather_rows(const Var& x, const Var& index);
/// Zeros with x_i added to row index_i: the adjoint of gather_rows, and sums by group.
/// Shapes: x [m, ..], index [m] -> [rows, ..]. Throws: as gather_rows.
Var scatter_rows(const Var& x, const Var& index, Index rows);
/// y_ij = x_i,index_ij along axis 1, and so on for others: for each place along the axis a
/// position of its own.
/// Shapes: x [.., k, ..], index [.., m, ..] -> as index. The index has no derivative.
/// Throws: ShapeError if another axis differs; DomainError unless the index holds positions of the axis.
Var take_along_axis(const Var& x, const Var& index, int axis);

/// A matrix with x on its diagonal and 0 elsewhere; or the diagonal of a matrix.
/// Shapes: [n] -> [n, n]; [m, n] -> [min(m, n)]. Throws: ShapeError.
Var diag(const Var& x);
/// sum_i x_ii. Shapes: [n, n] -> []. Throws: ShapeError.
Var trace(const Var& x);
/// x where column - row <= offset (lower) or >= offset (upper), else 0, also where x is NaN.
/// Shapes: [.., m, n] -> [.., m, n]. Throws: ShapeError.
Var lower_triangle(const Var& x, Index offset = 0);
Var upper_triangle(const Var& x, Index offset = 0);

}  // namespace cotangent
