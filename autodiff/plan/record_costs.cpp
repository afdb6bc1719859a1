// Counting over a record: two floating-point operations for each multiplication of a product with its addition, and
// a few for each number of anything else.
#include "autodiff/plan/record_costs.hpp"

#include <algorithm>
#include <string_view>

#include "autodiff/ops/internal.hpp"
#include "autodiff/tape/dependents.hpp"

namespace cotangent::detail {
namespace {

/// Operations of one product of this node's sizes; each of its cotangents costs the same. 0 if it is none.
double product_flops(const TapeState& tape, const Node& node) {
  const Shape& a = tape.inputs[node.first_input].shape();
  const double size = static_cast<double>(node.output.size());
  const std::string_view name = node.op->name();
  if (node.op == &kLinear) return 2.0 * size * static_cast<double>(a[1]);
  if (node.op == &kMatmul) return 2.0 * size * static_cast<double>(a[node.attributes.whole[0] != 0 ? 0 : 1]);
  if (name == "batch_matmul")
    return 2.0 * size * static_cast<double>(a[a.rank() - (node.attributes.whole[0] != 0 ? 2 : 1)]);
  if (name == "solve_spd" || name == "log_det_spd") {  // a factorisation, and substitutions or an inverse
    const auto k = static_cast<double>(a[0]);
    return k * k * k / 3.0 + 2.0 * k * (name == "solve_spd" ? size : k * k / 3.0);
  }
  return 0.0;
}

/// Operations of one evaluation besides its call.
double forward_flops(const TapeState& tape, const Node& node) {
  Index numbers = node.output.size();
  for (std::uint32_t j = 0; j < node.num_inputs; ++j) numbers += tape.inputs[node.first_input + j].size();
  return product_flops(tape, node) + kNumberFlops * static_cast<double>(numbers);
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
    const double flops = inside ? whole.forward_flops : forward_flops(tape, node);
    double by_w = 0.0, by_samples = 0.0;
    for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
      const std::uint32_t source = tape.source(node, j);
      if (source == kNoNode) continue;
      const bool bias = node.op == &kLinear && j == 2;
      const double one = bias ? kNumberFlops * static_cast<double>(node.output.size()) : flops;
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
