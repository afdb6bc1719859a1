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

/// Sum of |c_i| times the own error of number i; what nothing is made of does not count, whatever it is.
double weighed(const OwnRounding& own, const Tensor& c) {
  const double* e = own.numbers.data().data();
  const double* g = c.data().data();
  double total = 0.0;
  for (Index i = 0, n = c.size(); i < n; ++i)
    total += g[i] == 0.0 ? 0.0 : std::fabs(g[i]) * (std::fabs(e[i]) + kUnderflow);
  return own.units * total;
}

}  // namespace

OwnRounding own_rounding(const Op& op, const OpInputs& in, const OpAttributes& attributes,
                         const Tensor& out) {
  const OpSpec& spec = op.spec();
  if (spec.own_error) return {spec.own_error(in, attributes, out), kUnit};
  const double roundings = spec.roundings == kRoundingsNotStated ? kRoundingsAssumed : spec.roundings;
  return roundings == 0.0 ? OwnRounding{} : OwnRounding{out, roundings * kUnit};
}

double RoundingProbe::bound(TapeState& tape, const Var& y, const Tensor& c) {
  if (!y.tracked()) return 0.0;
  const std::uint32_t last = VarAccess::node(y);
  own_.resize(tape.nodes.size());  // inputs that came last are not among them
  const auto rounds = [&](std::uint32_t node) { return own_[node].numbers.size() > 0; };
  // Asked for are the cotangents of what is rounded or is made of such: no weight's, for instance.
  std::vector<unsigned char> wanted(tape.nodes.size());
  for (std::uint32_t i = 0; i <= last; ++i) {
    wanted[i] = rounds(i);
    for (std::uint32_t j = 0; j < tape.nodes[i].num_inputs; ++j) {
      const std::uint32_t source = tape.source(tape.nodes[i], j);
      if (source != kNoNode) wanted[i] |= wanted[source];
    }
  }
  if (!wanted[last]) return 0.0;
  double total = 0.0;
  const auto add = [&](std::uint32_t node, const Var& g) {
    if (rounds(node)) total += weighed(own_[node], g.value());
  };
  const FunctionRef<void(std::uint32_t, const Var&)> visit(add);
  Sweep sweep(tape, last, 0, false);  // node 0 is an input
  sweep.set_active(wanted.data());
  sweep.run(c, &visit);
  return std::isnan(total) ? std::numeric_limits<double>::infinity() : total;
}

}  // namespace cotangent::detail
