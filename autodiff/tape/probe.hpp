// Probe: what watches a tape at work, as the diagnostics do. A tape without one pays nothing for it:
// recording compares with the limit of nodes anyway, and that comparison finds a probe too.
#pragma once
#include "autodiff/tape/state.hpp"

namespace cotangent::detail {

/// Is told of everything that happens on a tape, in order. Nodes are positions in the record, which may grow
/// while a rule runs.
class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  virtual ~Probe() = default;

  /// Before and after a forward rule whose operation enters the record.
  virtual void forward_begins() {}
  virtual void recorded(const TapeState&, std::uint32_t /*node*/, const OpInputs&, const Tensor& /*output*/) {
  }
  /// An input of the tape, made at any time.
  virtual void input(const TapeState&, std::uint32_t /*node*/, const Tensor& /*value*/) {}
  /// Whether passes that are recorded make inputs of the tape of the constants that rules are given, and of
  /// the cotangent they start from: then rules compute nothing outside the record.
  virtual bool records_constants() const { return false; }
  /// The complete cotangent of a node, before its rule gets it.
  virtual void cotangent(const TapeState&, std::uint32_t /*node*/, const Var&) {}
  virtual void rule_begins(std::uint32_t /*node*/) {}
  virtual void rule_ended(std::uint32_t /*node*/) {}
  /// Whether contributions are to be seen; then a matrix product is formed before it is added to a gradient.
  virtual bool sees_contributions() const { return false; }
  /// Whether checkpoint is to record its function's operations one by one.
  virtual bool opens_checkpoints() const { return false; }
  /// What the rule of a node adds to the cotangent of its input j.
  virtual void contribution(const TapeState&, std::uint32_t /*node*/, int /*j*/, const Var&) {}
};

/// Lets a probe watch a tape as long as this lives; both must outlive it.
class Probing {
 public:
  Probing(TapeState& tape, Probe& probe) : tape_(tape), before_(tape.probe) {
    tape.probe = &probe;
    tape.limit = 0;
  }
  Probing(const Probing&) = delete;
  Probing& operator=(const Probing&) = delete;
  ~Probing() {
    tape_.probe = before_;
    tape_.limit = before_ ? 0 : kMostNodes;
  }

 private:
  TapeState& tape_;
  Probe* before_;
};

}  // namespace cotangent::detail
