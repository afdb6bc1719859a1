// rounding_bound: how far rounding may have moved a computed number, to first order, from its record.
#pragma once
#include "autodiff/transforms.hpp"

namespace cotangent {

/// Numbers, and for each of them a first-order bound of |computed - exact|. Shapes: both [t].
struct RoundedValue {
  Tensor value;
  Tensor rounding;
};

/// The numbers f(w) as rounding left them, each with
///
///   sum over the recorded operations v of |df/dv| e_v,
///
/// where e_v bounds what rounding within the operation alone does to its result: u |v| for a sum of two
/// numbers (u = 2^-53), k u |A| |B| for a product of matrices over k, a few units in the last place for the
/// kernels of exp, tanh and the like. A CustomOp states its own, or is taken for off by eight units.
///
/// It is a tolerance: for the comparison of two computed numbers, where enclosures (enclose/enclosure.hpp)
/// would cost too much. It certifies nothing and refutes nothing. It is of first order, and too small where
/// what was lost decides the derivatives: the square of a difference that is lost altogether has a computed
/// derivative of 0, and on the other side of a kink or a step the function is another one. Where terms cancel
/// it is typically 10 to 100 times the error, of networks 1e4 times.
///
/// f may take derivatives inside: their operations, their seeds and the engine's own rounded constants are on
/// the record and count. What leaves the record, by value(), item() or a branch, and what f computes of plain
/// numbers, is exact data, as w is.
///
/// Shapes: f: [s] -> [t]. Cost: at most two gradients for a scalar, of which one is f with a product |A| |B|
/// beside each product; one more backward pass for each further number of the result; memory: the result of
/// every operation.
/// Throws: TapeError if f returns a variable of another tape; what f throws.
/// Source: Linnainmaa, Taylor expansion of the accumulated rounding error (1976); Higham, Accuracy and
/// Stability of Numerical Algorithms, 2nd ed. (2002), 3.1, 3.5, 10.1 for the operations.
RoundedValue rounding_bound(VarFunction f, const Tensor& w);
RoundedValue rounding_bound(VarFunction f, const Params& w);

}  // namespace cotangent
