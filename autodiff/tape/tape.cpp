// A tape as scripts hold it: its life, its text, and derivatives by the backward pass.
#include "autodiff/tape.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/tape/record.hpp"
#include "autodiff/tape/registry.hpp"
#include "autodiff/tape/sweep.hpp"

namespace cotangent {

using detail::kNoNode;

detail::TapeState& detail::VarAccess::state(Tape& tape) { return *tape.state_; }

Tape::Tape() : state_(detail::acquire_tape_state()) {}
Tape::~Tape() { detail::recycle_tape_state(state_); }

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
Var lift(double x, const Var& w) { return lift(Tensor::scalar(x), w); }

}  // namespace cotangent
