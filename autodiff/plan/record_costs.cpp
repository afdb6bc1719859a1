// Counting over a record: two floating-point operations for each multiplication of a product with its
// addition, and a few for each number of anything else.
#include "autodiff/plan/record_costs.hpp"

#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tape.hpp"
#include "autodiff/tape/dependents.hpp"
#include "autodiff/tape/sweep.hpp"

namespace cotangent::detail {
namespace {

/// Operations of a node's own products: of its value, or of the cotangent of input j.
double product_flops(const TapeState& tape, std::uint32_t i, int j) {
  const auto rule = tape.nodes[i].op->spec().flops;
  return rule ? rule(recorded(tape, i), j) : 0.0;
}

/// Operations of one evaluation besides its call.
double forward_flops(const TapeState& tape, std::uint32_t i) {
  const Node& node = tape.nodes[i];
  Index numbers = node.output.size();
  for (std::uint32_t j = 0; j < node.num_inputs; ++j) numbers += tape.inputs[node.first_input + j].size();
  return product_flops(tape, i, kValue) + kNumberFlops * static_cast<double>(numbers);
}

/// Operations of the cotangent of input j: those of an evaluation, but where a product takes none for it,
/// which then only adds the result's cotangent up.
double cotangent_flops(const TapeState& tape, std::uint32_t i, std::uint32_t j, double forward) {
  const bool adds_up =
      product_flops(tape, i, kValue) > 0.0 && product_flops(tape, i, static_cast<int>(j)) == 0.0;
  return adds_up ? kNumberFlops * static_cast<double>(tape.nodes[i].output.size()) : forward;
}

/// A checkpoint's inside, whose backward pass evaluates it again.
RecordCosts costs_inside(const TapeState& tape, const Node& node) {
  Tape inner;
  std::vector<Var> inputs;
  for (std::uint32_t j = 0; j < node.num_inputs; ++j)
    inputs.push_back(inner.input(tape.inputs[node.first_input + j].value()));
  const Var y = checkpointed(node.attributes, inputs);
  if (!y.tracked()) return {};
  const TapeState& state = VarAccess::state(inner);
  RecordCosts costs = record_costs(state, VarAccess::node(y));
  costs.gradient_flops += costs.forward_flops;
  return costs;
}

}  // namespace

RecordCosts record_costs(const TapeState& tape, std::uint32_t output,
                         const std::vector<unsigned char>& samples, std::uint32_t w) {
  RecordCosts costs;
  std::vector<unsigned char> on_w(std::size_t{output} + 1, 0);
  on_w[w] = 1;
  mark_dependents(tape, w, output, on_w.data());
  for (std::uint32_t i = w + 1; i <= output; ++i) {
    const Node& node = tape.nodes[i];
    if (!node.op) continue;
    const bool inside = node.op == &kCheckpoint, view = node.op == &kView;
    const RecordCosts whole = inside ? costs_inside(tape, node) : RecordCosts();
    const double flops = inside ? whole.forward_flops : forward_flops(tape, i);
    double by_w = 0.0, by_samples = 0.0;
    for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
      const std::uint32_t source = tape.source(node, j);
      if (source == kNoNode) continue;
      const double one = inside ? flops : cotangent_flops(tape, i, j, flops);
      if (on_w[source]) by_w += one;
      if (!samples.empty() && samples[i] && samples[source]) by_samples += one;
    }
    if (view) continue;  // passes look through it
    costs.forward_flops += flops + kCallFlops;
    if (by_w > 0.0) costs.gradient_flops += (inside ? whole.gradient_flops : by_w) + kCallFlops;
    if (by_samples > 0.0) costs.samples_flops += by_samples + kCallFlops;
  }
  return costs;
}

}  // namespace cotangent::detail
