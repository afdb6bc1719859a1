// The error model of operations, and the backward pass that brings every node's own error to the result.
#include "autodiff/ops/own_rounding.hpp"

#include <cmath>
#include <limits>

#include "autodiff/tape/sweep.hpp"

namespace cotangent::detail {
namespace {

constexpr double kUnit = 0x1p-53;
/// Below the normal numbers an error is absolute; kernels make 0 of what is smaller.
constexpr double kUnderflow = std::numeric_limits<double>::min() / kUnit;

/// Sum of |c_i| times the own error of number i.
double weighed(const OwnRounding& own, const Tensor& c) {
  const double* e = own.numbers.data().data();
  const double* g = c.data().data();
  const Index n = c.size();
  double total = 0.0;
  for (Index i = 0; i < n; ++i) total += std::fabs(g[i]) * (std::fabs(e[i]) + kUnderflow);
  if (std::isfinite(total)) return own.units * total;
  // What nothing is made of does not count, whatever it is.
  for (Index i = 0; i < n; ++i)
    if (g[i] != 0.0 && !std::isfinite(g[i] * e[i])) return std::numeric_limits<double>::infinity();
  total = 0.0;
  for (Index i = 0; i < n; ++i)
    if (g[i] != 0.0) total += own.units * (std::fabs(g[i]) * (std::fabs(e[i]) + kUnderflow));
  return total;
}

}  // namespace

OwnRounding own_rounding(const Op& op, const OpInputs& in, const OpAttributes& attributes,
                         const Tensor& out) {
  const OpSpec& spec = op.spec();
  if (spec.own_error) return {spec.own_error(in, attributes, out), kUnit};
  const double roundings = spec.roundings == kRoundingsNotStated ? kRoundingsAssumed : spec.roundings;
  return roundings == 0.0 ? OwnRounding{} : OwnRounding{out, roundings * kUnit};
}

double RoundingProbe::bound(TapeState& tape, const Var& y, const Tensor& c) const {
  if (!y.tracked()) return 0.0;
  const std::uint32_t last = VarAccess::node(y);
  // Asked for are the cotangents of what is rounded or is made of such: no weight's, for instance.
  std::vector<unsigned char> rounded(std::size_t{last} + 1, 0);
  for (std::uint32_t i = 0; i <= last; ++i) {
    const Node& node = tape.nodes[i];
    bool found = i < own_.size() && own_[i].numbers.size() > 0;
    for (std::uint32_t j = 0; j < node.num_inputs && !found; ++j) {
      const std::uint32_t source = tape.source(node, j);
      found = source != kNoNode && rounded[source];
    }
    rounded[i] = found ? 1 : 0;
  }
  if (!rounded[last]) return 0.0;
  double total = 0.0;
  const auto add = [&](std::uint32_t node, const Var& g) {
    if (node < own_.size() && own_[node].numbers.size() > 0) total += weighed(own_[node], g.value());
  };
  const FunctionRef<void(std::uint32_t, const Var&)> visit(add);
  Sweep sweep(tape, last, 0, false);  // node 0 is an input
  sweep.set_active(rounded.data());
  sweep.run(c, &visit);
  return std::isnan(total) ? std::numeric_limits<double>::infinity() : total;
}

}  // namespace cotangent::detail
