// The tape's inside: the nodes stand in one vector in the order of their creation, and
// their inputs in another.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "autodiff/tape/op_spec.hpp"
#include "autodiff/tensor/access.hpp"
#include "autodiff/var.hpp"

namespace cotangent {
class Tape;
}

namespace cotangent::detail {

class TapeState;

/// A cell outlives its tape; a handle whose epoch differs from the cell's belongs to a tape that has ended or
/// was reset. Only the tape's thread writes, but stale handles may be anywhere.
struct EpochCell {
  std::atomic<std::uint64_t> epoch = 1;
  std::uint64_t now() const noexcept { return epoch.load(std::memory_order_relaxed); }
  void advance() noexcept { epoch.store(now() + 1, std::memory_order_relaxed); }
  TapeState* tape = nullptr;
  EpochCell* next_free = nullptr;
};

inline constexpr std::uint32_t kNoNode = 0xffffffffu;
inline constexpr std::size_t kMostNodes = kNoNode - 1;

/// A Var's place on its tape, and what stands behind a Tape.
struct VarAccess {
  static Var tracked(Tensor value, EpochCell* cell, std::uint32_t node) {
    Var v(std::move(value));
    track(v, cell, node);
    return v;
  }
  static EpochCell* cell(const Var& v) { return v.cell_; }
  static std::uint64_t epoch(const Var& v) { return v.epoch_; }
  static std::uint32_t node(const Var& v) { return v.node_; }
  static Tensor& value(Var& v) { return v.value_; }
  static Var computed(const OpSpec& spec, const OpInputs& in, const OpAttributes& attributes) {
    return Var(spec.forward, in, attributes);
  }
  static void track(Var& v, EpochCell* cell, std::uint32_t node) {
    v.cell_ = cell;
    v.epoch_ = cell->now();
    v.node_ = node;
  }
  static TapeState& state(Tape& tape);
};

/// What the record holds of an input or output: a detached value, or only its shape, whose
/// node_ names its source.
struct RecordedValue {
  const Tensor& from;
  bool numbers;
  std::uint32_t node;
};

/// A recorded operation; op is null for an input of the tape.
struct Node {
  const Op* op;
  std::uint32_t first_input;
  std::uint32_t num_inputs;
  OpAttributes attributes;
  Var output;
  // Filled at once, not zeroed first: this is the hot path of scalar code.
  Node(const Op* of, std::uint32_t first, std::uint32_t count, const OpAttributes& with, const Tensor& result,
       bool numbers, std::uint32_t position)
      : op(of),
        first_input(first),
        num_inputs(count),
        attributes(with),
        output(RecordedValue{result, numbers, position}) {}
};

/// The cotangent gathered so far for one node. `partial`: only the written ranges of value's numbers are set.
struct Slot {
  Var value;
  bool filled = false;
  bool partial = false;
};
/// Neighbouring numbers of a node's output, first .. last - 1.
struct Stretch {
  std::uint32_t node;
  Index first;
  Index last;
};
/// A contribution to part of a node's cotangent while a graph is created.
struct Piece {
  std::uint32_t node;
  Index offset;
  Var value;
};
/// A backward pass's working memory; every slot is empty between passes.
struct SweepScratch {
  std::vector<Slot> slots;
  std::vector<Stretch> ranges;
  std::vector<Piece> pieces;
  std::vector<unsigned char> active;
};

class Probe;

class TapeState {
 public:
  std::vector<Node> nodes;
  std::vector<Var> inputs;
  EpochCell* cell = nullptr;       // of this state alone, from one tape to the next
  std::size_t limit = kMostNodes;  // 0 while a probe watches, so that one comparison serves both
  Probe* probe = nullptr;          // see tape/probe.hpp
  std::uint32_t leaves = 0;
  // Made to be pulled back and let go: what does not change the derivatives need not stand in it.
  bool brief = false;
  std::unique_ptr<SweepScratch> scratch = std::make_unique<SweepScratch>();  // null while a pass has it

  std::uint32_t source(const Node& node, std::uint32_t j) const {
    return VarAccess::node(inputs[node.first_input + j]);
  }
  void clear() {
    nodes.clear();
    inputs.clear();
    leaves = 0;
    brief = false;
  }
};

}  // namespace cotangent::detail

namespace cotangent {
inline Var::Var(const detail::RecordedValue& what) noexcept
    : value_(detail::TensorAccess::kept(what.from, what.numbers)), node_(what.node) {}
}  // namespace cotangent
