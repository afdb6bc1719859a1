// What rounding within each operation of a record may do to a number computed from it, to first order. Behind
// rounding_bound and the comparison of samples alone with their batch.
#pragma once
#include <vector>

#include "autodiff/tape/probe.hpp"

namespace cotangent::detail {

/// |own error| of each number of an operation's result: units times the magnitudes of `numbers`. `numbers` is
/// empty where nothing is rounded.
struct OwnRounding {
  Tensor numbers = {};
  double units = 0.0;
};
OwnRounding own_rounding(const Op& op, const OpInputs& in, const OpAttributes& attributes, const Tensor& out);

/// Sees every operation of a tape, also within checkpoints and derivatives, and keeps its own errors.
class RoundingProbe final : public Probe {
 public:
  void recorded(const TapeState& tape, std::uint32_t node, const OpInputs& in, const Tensor& out) override {
    if (own_.size() <= node) own_.resize(std::size_t{node} + 1);
    own_[node] = own_rounding(*tape.nodes[node].op, in, tape.nodes[node].attributes, out);
  }
  bool opens_checkpoints() const override { return true; }
  bool records_constants() const override { return true; }

  /// Sum over the nodes of |cotangent| times own error, for the cotangent c of y: how far <c, y> may be off.
  /// It is infinite where a number or a derivative on the way is not finite. Watching has ended by then.
  /// Cost: a backward pass, without the gradients by the tape's inputs.
  double bound(TapeState& tape, const Var& y, const Tensor& c);

 private:
  std::vector<OwnRounding> own_;  // of each node
};

}  // namespace cotangent::detail
