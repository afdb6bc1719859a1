// Counting over a record: two floating-point operations for each multiplication with its addition.
#include "autodiff/record_costs.hpp"

#include <algorithm>
#include <unordered_map>

#include "autodiff/ops_internal.hpp"
#include "autodiff/tensor_access.hpp"

namespace cotangent::detail {
namespace {

/// Operations of one product of this node's sizes; each of its two cotangents costs the same. 0 if it is none.
double product_flops(const TapeState& tape, const Node& node) {
  if (node.op != &kMatmul && node.op != &kLinear) return 0.0;
  const Shape& a = tape.inputs[node.first_input].shape();
  const bool transposed = node.op == &kMatmul && node.attributes.whole[0] != 0;
  return 2.0 * static_cast<double>(node.output.size()) * static_cast<double>(a[transposed ? 0 : 1]);
}

bool within(const Tensor& part, const Tensor& whole) {
  const double* first = whole.data().data();
  return part.data().data() >= first && part.data().data() < first + std::max<Index>(whole.size(), 1);
}

/// Numbers kept, each block counted once.
class Kept {
 public:
  void add(const Tensor& t) {
    if (!TensorAccess::has_data(t)) return;
    double& bytes = blocks_[t.data().data()];
    bytes = std::max(bytes, 8.0 * static_cast<double>(t.size()));
  }
  double bytes() const {
    double total = 0.0;
    for (const auto& [place, bytes] : blocks_) total += bytes;
    return total;
  }

 private:
  std::unordered_map<const double*, double> blocks_;
};

}  // namespace

RowCosts record_costs(const TapeState& tape, std::uint32_t output, const std::vector<unsigned char>& rows,
                      const Tensor& w, const Tensor& x) {
  RowCosts costs;
  std::vector<unsigned char> on_w(std::size_t{output} + 1, 0);
  on_w[0] = 1;
  Kept kept;
  double largest = 0.0;
  const auto keep = [&](const Tensor& t) {
    if (TensorAccess::has_data(t) && !within(t, w) && !within(t, x)) kept.add(t);
  };
  for (std::uint32_t i = 1; i <= output; ++i) {
    const Node& node = tape.nodes[i];
    const double flops = product_flops(tape, node);
    costs.forward_flops += flops;
    if (node.op != &kView) largest = std::max(largest, 8.0 * static_cast<double>(node.output.size()));
    keep(node.output.value());
    for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
      const Var& input = tape.inputs[node.first_input + j];
      keep(input.value());
      const std::uint32_t source = tape.source(node, j);
      if (source == kNoNode) continue;
      on_w[i] |= on_w[source];
      if (j >= 2) continue;
      if (on_w[source]) costs.gradient_flops += flops;
      if (rows[i] && rows[source]) costs.rows_flops += flops;
    }
  }
  costs.record_bytes = kept.bytes();
  costs.transient_bytes = 3.0 * largest;  // a cotangent, its successor and one on its way between them
  return costs;
}

}  // namespace cotangent::detail
