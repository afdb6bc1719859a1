// checkpoint: its node holds the function; its pullback is the function's own backward pass, made
// when it is needed.
#include "autodiff/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "autodiff/error.hpp"
#include "autodiff/memory/recycled.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tape.hpp"
#include "autodiff/tape/dependents.hpp"
#include "autodiff/tape/probe.hpp"
#include "autodiff/tape/sweep.hpp"

namespace cotangent {
namespace detail {
namespace {

const ManyFunction& function_of(const OpAttributes& a) {
  return *static_cast<const ManyFunction*>(a.payload.get());
}

[[noreturn]] void throw_captured() {
  throw TapeError(
      "[checkpoint] f uses a tracked variable that is not among its inputs; hand it over as one, or detach "
      "it");
}

using Vars = RecycledVector<Var>;
using Wanted = RecycledVector<char>;  // whose cotangents are asked for

/// Cotangents of f's inputs for the cotangent g of f(inputs), all from one backward pass; those of inputs not
/// wanted stay constant.
Vars backward(TapeState& tape, const ManyFunction& f, std::vector<Var> inputs, const Wanted& wanted,
              const Var& g, bool create_graph) {
  Vars result;
  for (const Var& input : inputs) result.emplace_back(Tensor::zeros(input.shape()));
  const auto first = static_cast<std::uint32_t>(tape.nodes.size());
  RecycledVector<std::size_t> order;  // of the nodes first, first + 1, ...
  for (std::size_t j = 0; j < inputs.size(); ++j) {
    if (!wanted[j]) continue;
    inputs[j] = inputs[j].tracked() ? alias(inputs[j]) : add_leaf(tape, inputs[j].value());
    order.push_back(j);
  }
  const Var y = f(inputs);
  if (!y.tracked()) return result;
  if (&live_tape("checkpoint", y) != &tape) throw_captured();
  const std::uint32_t last = VarAccess::node(y);
  if (last < first) return result;
  // What depends on one of these inputs.
  RecycledVector<unsigned char> marks(tape.nodes.size(), 0);
  std::fill_n(marks.begin() + first, order.size(), static_cast<unsigned char>(1));
  mark_dependents(tape, first, last, marks.data());
  const auto collect = [&](std::uint32_t node, const Var& cotangent) {
    if (node < first + order.size()) result[order[node - first]] = cotangent;
  };
  const FunctionRef<void(std::uint32_t, const Var&)> visit(collect);
  Sweep sweep(tape, last, first, create_graph);
  sweep.set_active(marks.data());
  if (!sweep.connected()) return result;
  sweep.run(g, &visit);
  if (sweep.reached()) result[order[0]] = sweep.take();
  return result;
}

/// A tape for the backward pass if some of these are recorded on one; null if all are plain numbers.
TapeState* tape_of(const std::vector<Var>& inputs, const Var& g) {
  if (g.tracked()) return &live_tape("checkpoint", g);
  for (const Var& input : inputs)
    if (input.tracked()) return &live_tape("checkpoint", input);
  return nullptr;
}

Vars backward(const ManyFunction& f, std::vector<Var> inputs, const Wanted& wanted, const Var& g) {
  if (TapeState* tape = tape_of(inputs, g)) return backward(*tape, f, std::move(inputs), wanted, g, true);
  Tape own;
  return backward(VarAccess::state(own), f, std::move(inputs), wanted, g, false);
}

/// The wanted cotangents one after another, as a function of inputs and, last, g.
ManyFunction packed_backward(const ManyFunction& f, const Wanted& wanted) {
  return [f, wanted](const std::vector<Var>& inputs_and_g) -> Var {
    const Vars all = backward(f, {inputs_and_g.begin(), inputs_and_g.end() - 1}, wanted, inputs_and_g.back());
    Vars pieces;
    for (std::size_t j = 0; j < all.size(); ++j)
      if (wanted[j]) pieces.push_back(flatten(all[j]));
    return concat_of(pieces, 0);
  };
}

}  // namespace

const Op kCheckpoint({
    .name = "checkpoint",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          std::vector<Var> constants;
          constants.reserve(static_cast<std::size_t>(in.count()));
          for (int j = 0; j < in.count(); ++j) constants.emplace_back(in[j]);
          const Var y = function_of(a)(constants);
          if (y.tracked()) throw_captured();
          return y.value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const ManyFunction& f = function_of(p.attributes());
          std::vector<Var> inputs;
          inputs.reserve(static_cast<std::size_t>(p.count()) + 1);
          Wanted wanted;
          for (int j = 0; j < p.count(); ++j) {
            inputs.push_back(p.in(j));
            wanted.push_back(out.needs(j) ? 1 : 0);
          }
          if (std::find(wanted.begin(), wanted.end(), char{1}) == wanted.end()) return;
          if (!tape_of(inputs, g)) {
            Vars all = backward(f, std::move(inputs), wanted, g);
            for (int j = 0; j < p.count(); ++j)
              if (out.needs(j)) out.add(j, std::move(all[static_cast<std::size_t>(j)]));
            return;
          }
          inputs.push_back(g);
          const Var packed = checkpoint(packed_backward(f, wanted), inputs);
          Index offset = 0;
          for (int j = 0; j < p.count(); ++j) {
            if (!out.needs(j)) continue;
            out.add(j, view_of(packed, offset, p.shape(j)));
            offset += p.shape(j).size();
          }
        },
    .keep = Keep::kInputs,
});

Var checkpointed(const OpAttributes& attributes, const std::vector<Var>& inputs) {
  return function_of(attributes)(inputs);
}

namespace {

/// Whether a diagnosis wants to see what the function does.
bool opened(const std::vector<Var>& inputs) {
  for (const Var& input : inputs)
    if (input.tracked()) {
      const Probe* probe = live_tape("checkpoint", input).probe;
      return probe && probe->opens_checkpoints();
    }
  return false;
}

}  // namespace
}  // namespace detail

Var checkpoint(ManyFunction f, const std::vector<Var>& inputs) {
  if (detail::opened(inputs)) return f(inputs);
  detail::RecycledVector<const Var*> pointers;
  for (const Var& input : inputs) pointers.push_back(&input);
  return detail::apply(
      detail::kCheckpoint, pointers,
      {.payload = std::allocate_shared<ManyFunction>(detail::Recycled<ManyFunction>(), std::move(f))});
}

}  // namespace cotangent
