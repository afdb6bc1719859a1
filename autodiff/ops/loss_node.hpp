// A loss as a single node: what training records of it, where nobody looks into the record.
#pragma once
#include "autodiff/var.hpp"

namespace cotangent::detail {

/// A loss of outputs x and constant targets, by its numbers and by public operations. All rules are given
/// operands that have been checked.
struct LossRule {
  /// The loss by public operations, of which a record tells samples, kinks and parts.
  Var (*by_operations)(const Var& x, const Var& target);
  /// Its derivative by x by public operations, so that derivatives of any order follow. Shapes: as x.
  Var (*slope)(const Var& x, const Var& target);
  /// The bits of by_operations, and of its pullback from the cotangent g, which fills out. Shapes: out as x.
  double (*value)(const Tensor& x, const Tensor& target);
  void (*pull_back)(double* out, double g, const Tensor& x, const Tensor& target);
};

/// The loss: one node on a tape that is made to be pulled back and let go (TapeState::brief), else its public
/// operations.
Var loss_node(const LossRule& rule, const Var& x, const Tensor& target);

// ---- operations that losses and layers use besides the public ones

/// total / count as a mean has it: the record says that the divisor is a count and not
/// the user's, see averaged.
Var average(const Var& total, Index count);
/// The pullback of log_softmax where softmax is s: sum_k (s_k g_c - s_c g_k) for s that sums to 1. It keeps
/// the digits of a class which has nearly all of s. Shapes: g [s], s [s] -> [s].
Var log_softmax_slope(const Var& g, const Var& s, int axis);
/// x less its mean along the axis, also the digits of what is small beside the mean; its own adjoint. Shapes:
/// [s] -> [s].
Var centred(const Var& x, int axis);

}  // namespace cotangent::detail
