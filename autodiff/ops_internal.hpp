// Operations that only the engine's own rules use, and what several operation files share.
#pragma once
#include <vector>

#include "autodiff/op.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape_state.hpp"

namespace cotangent::detail {

/// Consecutive numbers of the input in another shape; the backward pass looks through it.
extern const Op kView;
extern const Op kLinear;
extern const Op kMatmul;

/// x itself as a new node, so that a derivative by it sees no other use of x.
Var alias(const Var& x);
/// Any consecutive numbers of x, of any rank.
Var view_of(const Var& x, Index offset, const Shape& shape);
/// Zeros of `shape` plus each piece at its offset; pieces may overlap. Its pullback is views.
Var assemble(const std::vector<Piece>& pieces, const Shape& shape);
/// g where x >= 0, else slope * g. Linear in g; its derivative by x is 0.
Var leaky_mask(const Var& g, const Var& x, double slope);
/// right * g where x >= 0, else alpha * exp(x) * g: the first derivative of elu with right = 1, all others
/// with 0. Linear in g. Shapes: g [s], x [s] -> [s]. Throws: ShapeError if they differ.
Var exp_mask(const Var& g, const Var& x, double alpha, double right);
/// Zeros with x at positions first .. of `axis`, whose size becomes `size`: the adjoint of slice.
Var unslice(const Var& x, int axis, Index first, Index size);
/// g summed down to `shape`, the adjoint of broadcast_to; a scalar shape sums everything.
Var sum_to(const Var& g, const Shape& shape);
/// x with a size-1 axis put back at `axis` and repeated `size` times: the adjoint of sum along it.
Var spread(const Var& x, int axis, Index size);

/// Row rule of operations that treat every element alike; scalar operands are shared.
int same_axis(const NodeView& node, int axis, int j);

}  // namespace cotangent::detail
