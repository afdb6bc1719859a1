// Operations that only rules use, and what several files of operations share.
#pragma once
#include <cmath>
#include <span>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/ops/loss_node.hpp"
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
/// g / x where x >= 0, by |x|, so that -0 counts as 0; NaN below. Shapes: g [s], x [s] -> [s].
Var over_positive(const Var& g, const Var& x);
/// g where x >= 0, else slope * g. Linear in g; its derivative by x is 0.
Var leaky_mask(const Var& g, const Var& x, double slope);
/// g where low <= x <= high, else 0: the derivative of clip. Linear in g; its derivative by x is 0.
Var band_mask(const Var& g, const Var& x, double low, double high);
/// right * g where x >= 0, else alpha * exp(x) * g: the first derivative of elu with right = 1, all others
/// with 0. Linear in g. Shapes: g [s], x [s] -> [s]. Throws: ShapeError if they differ.
Var exp_mask(const Var& g, const Var& x, double alpha, double right);
/// For each number along the axis the sum of the others; its own adjoint. Shapes: [s] -> [s].
Var sum_others(const Var& x, int axis);
/// The pullback of softmax at s: s_c sum_k s_k (g_c - g_k) for s that sums to 1. It keeps the digits of a
/// class which has nearly all of s. Shapes: g [s], s [s] -> [s].
Var softmax_slope(const Var& g, const Var& s, int axis);
/// |x| along the axis, which disappears.
Var length_along(const Var& x, int axis);
/// x / |x| along the axis, and 0 at 0. Throws: DomainError where its derivative is asked for at 0.
Var unit_along(const Var& x, int axis);
/// Zeros with x at positions first .. of `axis`, whose size becomes `size`: the adjoint of slice.
Var unslice(const Var& x, int axis, Index first, Index size);
/// g summed down to `shape`, the adjoint of broadcast_to; a scalar shape sums everything.
Var sum_to(const Var& g, const Shape& shape);
/// x with a size-1 axis put back at `axis` and repeated `size` times: the adjoint of sum along it.
Var spread(const Var& x, int axis, Index size);

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
/// How many roundings at most one of n numbers goes through in the kernels' sum, and in that down columns:
/// see kernels/loops_isa.cpp.
inline double additions(Index n) {
  const auto all = static_cast<double>(n);
  if (n < 512) return n < 8 ? std::fmax(all - 1.0, 0.0) : all / 8.0 + 3.0;
  return 40.0 + std::ceil(std::log2(all / 1024.0 + 1.0));
}
inline double additions_down(Index n) {
  const auto all = static_cast<double>(n);
  return n <= 128 ? std::fmax(all - 1.0, 0.0) : 139.0 + std::ceil(std::log2(all / 128.0));
}
/// How many numbers go into one of the result.
Index count_reduced(const Shape& shape, const std::vector<int>& axes);

/// Row rule of operations that reduce the axis whole(0), which disappears.
int reduced_axis(const NodeView& node, int axis, int j);
/// Row rule of operations that keep all axes and bring numbers together along the axis whole(0) alone.
int kept_axis(const NodeView& node, int axis, int j);
/// Row rule of operations that treat every element alike; scalar operands are shared.
int same_axis(const NodeView& node, int axis, int j);

}  // namespace cotangent::detail
