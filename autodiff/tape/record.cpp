// The one place where an operation enters the record.
#include "autodiff/tape/record.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/tape/probe.hpp"

namespace cotangent::detail {
namespace {

[[noreturn]] void throw_stale(const char* operation, const Var& v) {
  throw TapeError(
      fmt::format("[{}] this variable was recorded in epoch {} of a tape that is now in epoch {}: the tape "
                  "has ended or was reset; "
                  "use its value(), or record it again on a living tape",
                  operation, VarAccess::epoch(v), VarAccess::cell(v)->now()));
}

void check_room(const TapeState& tape) {
  if (tape.nodes.size() >= kMostNodes)
    throw TapeError("[tape] 2^32 - 2 operations recorded; reset the tape or split the computation");
}

/// apply once more, with the tape's probe told of it: only in a diagnosis is an operation computed twice.
[[gnu::noinline, gnu::cold]] Var apply_watched(TapeState& tape, const Op& op,
                                               std::span<const Var* const> inputs,
                                               const OpAttributes& attributes, const Shape* target) {
  struct Pause {  // the record is made as ever
    TapeState& tape;
    explicit Pause(TapeState& of) : tape(of) { tape.limit = kMostNodes; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause() { tape.limit = 0; }
  } pause(tape);
  tape.probe->forward_begins();
  Var result = apply(op, inputs, attributes, target);
  tape.probe->recorded(tape, VarAccess::node(result), OpInputs{inputs, target}, result.value());
  return result;
}

}  // namespace

TapeState& live_tape(const char* operation, const Var& v) {
  EpochCell* cell = VarAccess::cell(v);
  if (!cell)
    throw TapeError(fmt::format(
        "[{}] the variable is a constant, not recorded on any tape; make it with Tape::input or lift",
        operation));
  if (cell->now() != VarAccess::epoch(v)) throw_stale(operation, v);
  return *cell->tape;
}

Var add_leaf(TapeState& tape, Tensor value) {
  check_room(tape);
  const auto position = static_cast<std::uint32_t>(tape.nodes.size());
  tape.nodes.emplace_back(nullptr, 0, 0, OpAttributes{}, value, false, position);
  ++tape.leaves;
  if (tape.probe) [[unlikely]]
    tape.probe->input(tape, position, value);
  return VarAccess::tracked(std::move(value), tape.cell, position);
}

Var compute(const Op& op, std::span<const Var* const> inputs, const OpAttributes& attributes,
            const Shape* target) {
  return VarAccess::computed(op.spec(), OpInputs{inputs, target}, attributes);
}

Var apply(const Op& op, std::span<const Var* const> inputs, const OpAttributes& attributes,
          const Shape* target) {
  EpochCell* cell = nullptr;
  for (const Var* v : inputs) {
    EpochCell* of = VarAccess::cell(*v);
    if (!of) continue;
    if (of->now() != VarAccess::epoch(*v)) throw_stale(op.name(), *v);
    if (cell && cell != of)
      throw TapeError(
          fmt::format("[{}] operands are recorded on two different tapes (of {} and {} operations); inside a "
                      "traced function start "
                      "the inner transform from lift(X, w), or pass a tracked variable through detach",
                      op.name(), cell->tape->nodes.size(), of->tape->nodes.size()));
    cell = of;
  }
  const OpSpec& spec = op.spec();
  Var result = VarAccess::computed(spec, OpInputs{inputs, target}, attributes);
  if (!cell) return result;

  TapeState& tape = *cell->tape;
  if (tape.nodes.size() >= tape.limit) [[unlikely]] {
    check_room(tape);
    result = apply_watched(tape, op, inputs, attributes, target);
    return result;
  }
  const auto position = static_cast<std::uint32_t>(tape.nodes.size());
  const auto first = static_cast<std::uint32_t>(tape.inputs.size());
  const bool keep_inputs = static_cast<unsigned>(spec.keep) & static_cast<unsigned>(Keep::kInputs);
  const bool keep_output = static_cast<unsigned>(spec.keep) & static_cast<unsigned>(Keep::kOutput);
  for (const Var* v : inputs)
    tape.inputs.emplace_back(
        RecordedValue{v->value(), keep_inputs, v->tracked() ? VarAccess::node(*v) : kNoNode});
  tape.nodes.emplace_back(&op, first, static_cast<std::uint32_t>(inputs.size()), attributes, result.value(),
                          keep_output, position);
  VarAccess::track(result, cell, position);
  return result;
}

}  // namespace cotangent::detail
