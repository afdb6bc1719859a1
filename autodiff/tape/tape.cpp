// Recording: Tape, Var, and the one place where an operation enters the record.
#include "autodiff/tape.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/params.hpp"
#include "autodiff/tape/probe.hpp"
#include "autodiff/tape/registry.hpp"
#include "autodiff/tape/state.hpp"
#include "autodiff/tape/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {

using detail::kNoNode;

Op::Op(const detail::OpSpec& spec) : spec_(spec), next_(detail::list_op(this)) {}
const Op* Op::first() noexcept { return detail::listed_ops(); }

Var::Var(const Params& params) : value_(params.flat()) {}
std::string Var::to_string() const { return value_.to_string(); }

Tape::Tape() : state_(detail::acquire_tape_state()) {
  state_->cell = detail::acquire_epoch_cell();
  state_->cell->tape = state_;
}

Tape::~Tape() {
  detail::EpochCell* cell = std::exchange(state_->cell, nullptr);
  cell->advance();
  cell->tape = nullptr;
  detail::recycle_tape_state(state_);
  detail::recycle_epoch_cell(cell);
}

void Tape::reset() {
  state_->cell->advance();
  state_->clear();
}

Var Tape::input(Tensor value) { return detail::add_leaf(*state_, std::move(value)); }

Var Tape::grad(const Var& y, const Var& x, GradOptions options) {
  if (y.size() != 1)
    throw ShapeError(
        fmt::format("[grad] y has shape {}, not one element; reduce it with sum or mean, or ask for jacobian",
                    y.shape().to_string()));
  return detail::pull_back("grad", *state_, y, Var(Tensor::ones(y.shape())), x, options.create_graph);
}

Var Tape::vjp(const Var& y, const Var& cotangent, const Var& x, GradOptions options) {
  return detail::pull_back("vjp", *state_, y, cotangent, x, options.create_graph);
}

Index Tape::num_nodes() const noexcept { return static_cast<Index>(state_->nodes.size()); }

std::string Tape::to_string() const {
  std::string text;
  for (std::size_t i = 0; i < state_->nodes.size(); ++i) {
    const detail::Node& node = state_->nodes[i];
    text += fmt::format("{:>6}  {:<14} {}", i, node.op ? node.op->name() : "input",
                        node.output.shape().to_string());
    for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
      const std::uint32_t source = state_->source(node, j);
      text += source == kNoNode ? std::string("  const") : fmt::format("  {}", source);
    }
    text += "\n";
  }
  return text;
}

Var lift(const Tensor& x, const Var& w) {
  if (!w.tracked()) return Var(x);
  return detail::add_leaf(detail::live_tape("lift", w), x);
}

Var detach(const Var& x) { return Var(x.value()); }

namespace detail {
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
                                               const Attributes& attributes, const Shape* target) {
  struct Pause {  // the record is made as ever
    TapeState& tape;
    explicit Pause(TapeState& of) : tape(of) { tape.limit = kMostNodes; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause() { tape.limit = 0; }
  } pause(tape);
  tape.probe->forward_begins();
  Var result = apply(op, inputs, attributes, target);
  tape.probe->recorded(tape, VarAccess::node(result), Inputs{inputs, target}, result.value());
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
  tape.nodes.emplace_back(nullptr, 0, 0, Attributes{}, value, false, position);
  ++tape.leaves;
  return VarAccess::tracked(std::move(value), tape.cell, position);
}

Var compute(const Op& op, std::span<const Var* const> inputs, const Attributes& attributes,
            const Shape* target) {
  return VarAccess::computed(op.spec(), Inputs{inputs, target}, attributes);
}

Var apply(const Op& op, std::span<const Var* const> inputs, const Attributes& attributes,
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
  Var result = VarAccess::computed(spec, Inputs{inputs, target}, attributes);
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

}  // namespace detail
}  // namespace cotangent
