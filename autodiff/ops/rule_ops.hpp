// Operations that only rules use, and what several files of operations share.
#pragma once
#include <span>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/ops/record_facts.hpp"
#include "autodiff/tape/engine_ops.hpp"
#include "autodiff/tape/record.hpp"

namespace cotangent::detail {

/// A product's options as its node carries them, and back.
inline OpAttributes attributes_of(const MatmulOptions& options) {
  return {.real = {options.scale}, .whole = {options.transpose_a ? 1 : 0, options.transpose_b ? 1 : 0}};
}
inline MatmulOptions matmul_options(const OpAttributes& a) {
  return {.transpose_a = a.whole[0] != 0, .transpose_b = a.whole[1] != 0, .scale = a.real[0]};
}

extern const Op kCheckpoint;
/// The function behind a checkpoint's node, on other inputs.
Var checkpointed(const OpAttributes& attributes, const std::vector<Var>& inputs);

/// What concat does, for at least one part.
Var concat_of(std::span<const Var> parts, int axis);
/// x itself as a new node, so that a derivative by this node sees no other use of x.
Var alias(const Var& x);
/// g where x >= 0, else slope * g. Linear in g; its derivative by x is 0.
Var leaky_mask(const Var& g, const Var& x, double slope);
/// g where low <= x <= high, else 0: the derivative of clip. Linear in g; its derivative by x is 0.
Var band_mask(const Var& g, const Var& x, double low, double high);
/// right * g where x >= 0, else alpha * exp(x) * g: the first derivative of elu with right = 1, all others
/// with 0. Linear in g. Shapes: g [s], x [s] -> [s]. Throws: ShapeError if they differ.
Var exp_mask(const Var& g, const Var& x, double alpha, double right);
/// The derivative of sigmoid, without the loss of digits that s (1 - s) has. Shapes: [s] -> [s].
Var sigmoid_slope(const Var& x);
/// Zeros with x at positions first .. of `axis`, whose size becomes `size`: the adjoint of slice.
Var unslice(const Var& x, int axis, Index first, Index size);
/// g summed down to `shape`, the adjoint of broadcast_to; a scalar shape sums everything.
Var sum_to(const Var& g, const Shape& shape);
/// x with a size-1 axis put back at `axis` and repeated `size` times: the adjoint of sum along it.
Var spread(const Var& x, int axis, Index size);

/// total / count as a mean has it: the record says that the divisor is a count and not
/// the user's, see averaged.
Var average(const Var& total, Index count);
/// factor * x, where factor is what rounding made of another number, which the record says for enclosures:
/// see ops/record_facts.hpp.
Var times(double factor, Index stands_for, const Var& x, double base = 0.0);
/// The count of an `average`. It is 0 for everything else.
Index averaged(const Op& op, const OpAttributes& attributes);

/// Throws: ShapeError, beginning with the name, unless the shape has such an axis.
void check_axis(const char* name, const Shape& shape, int axis);

/// Numbers put at the positions `index` names along an axis of zeros, whose size becomes `size`; those put at
/// one place add up. Its pullback is take_along_axis. Shapes: x, index [.., k, ..] -> [.., size, ..].
Var put_along_axis(const Var& x, const Var& index, int axis, Index size);

/// A reduction along any axes (none listed: all) by one along a single axis. Throws:
/// ShapeError with its name.
Var over_axes(const char* name, const Var& x, std::span<const int> axes, bool keep_dims,
              Var (*along)(const Var&, int));
inline Var over_axes(const char* name, const Var& x, const ReduceOptions& options,
                     Var (*along)(const Var&, int)) {
  return over_axes(name, x, options.axes, options.keep_dims, along);
}
/// How many roundings one of n numbers goes through in the kernels' sum, which has eight running sums.
inline double additions(Index n) {
  const auto all = static_cast<double>(n);
  return n < 8 ? (n > 0 ? all - 1.0 : 0.0) : all / 8.0 + 3.0;
}
/// How many numbers go into one of the result.
Index count_reduced(const Shape& shape, const std::vector<int>& axes);

/// Row rule of operations that reduce the axis whole(0), which disappears.
int reduced_axis(const NodeView& node, int axis, int j);
/// Row rule of operations that treat every element alike; scalar operands are shared.
int same_axis(const NodeView& node, int axis, int j);

}  // namespace cotangent::detail
