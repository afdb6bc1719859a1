// Sweeps of losses: of [n] numbers, or of the parts whose sum a loss is, each with its sample's own factor.
#include <fmt/format.h>

#include <cmath>
#include <unordered_map>

#include "autodiff/error.hpp"
#include "autodiff/memory/recycled.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/samples/sweep_once.hpp"
#include "autodiff/tape/probe.hpp"

namespace cotangent::detail {
namespace {

constexpr const char* kNotParts = "the loss is not a multiple of the sum of its samples' parts";

/// Where the samples' parts of a loss stand in the record: the loss is `factor` times the sum of the numbers
/// of `node`, which the node `sum` adds up.
struct Parts {
  std::uint32_t node = kNoNode;
  std::uint32_t sum = kNoNode;
  double factor = 1.0;
  /// How many numbers were averaged; 1 for a sum.
  Index count = 1;
  /// Whether there is any other factor. Of those the record cannot tell what they were computed from.
  bool other = false;
};

bool sums_all(const Node& node) { return node.op->spec().linear == OpLinear::sum && node.output.rank() == 0; }

/// Whether an input is one number and no variable.
bool is_constant(const TapeState& tape, const Node& node, std::uint32_t j) {
  const Tensor& t = tape.inputs[node.first_input + j].value();
  return tape.source(node, j) == kNoNode && t.size() == 1 && TensorAccess::has_data(t);
}

/// The input of which a node's number is a multiple, if that and all the others are single numbers, and
/// constant.
std::optional<std::uint32_t> multiplied_input(const TapeState& tape, const Node& node) {
  const OpLinear linear = node.op->spec().linear;
  if (linear != OpLinear::in_first && linear != OpLinear::in_each) return std::nullopt;
  std::uint32_t found = 0;
  while (linear == OpLinear::in_each && found + 1 < node.num_inputs && is_constant(tape, node, found))
    ++found;
  for (std::uint32_t j = 0; j < node.num_inputs; ++j)
    if (j == found ? tape.inputs[node.first_input + j].size() != 1 : !is_constant(tape, node, j))
      return std::nullopt;
  return found;
}

/// The node's number if its input j were `factor`.
double multiple_of(const TapeState& tape, const Node& node, std::uint32_t j, double factor) {
  RecycledVector<Var> inputs;
  RecycledVector<const Var*> pointers;
  for (std::uint32_t k = 0; k < node.num_inputs; ++k) {
    const Tensor& t = tape.inputs[node.first_input + k].value();
    inputs.emplace_back(k == j ? Tensor::full(t.shape(), factor) : t);
  }
  for (const Var& input : inputs) pointers.push_back(&input);
  return compute(*node.op, pointers, node.attributes, &node.output.shape()).item();
}

/// Looks through multiples of one number down to the sum; no node if there is anything else.
Parts parts_of(const TapeState& tape, const Var& y) {
  Parts parts;
  for (std::uint32_t i = VarAccess::node(y); i != kNoNode;) {
    const Node& node = tape.nodes[i];
    if (!node.op || node.num_inputs == 0) return {};
    if (sums_all(node)) {
      parts.node = tape.source(node, 0);
      parts.sum = i;
      return parts;
    }
    const std::optional<std::uint32_t> j = multiplied_input(tape, node);
    if (!j) return {};
    parts.factor = multiple_of(tape, node, *j, parts.factor);
    const Index count = averaged(*node.op, node.attributes);
    parts.count *= std::max<Index>(count, 1);
    parts.other |= count == 0 && node.op != &kView;
    i = tape.source(node, *j);
  }
  return {};
}

/// Keeps what is summed to one number: a record has no use for it.
class Summands : public Probe {
 public:
  void recorded(const TapeState& tape, std::uint32_t node, const OpInputs& in, const Tensor&) override {
    if (sums_all(tape.nodes[node])) kept_.insert_or_assign(node, in[0]);
  }
  /// The sum of each sample's share of what `node` sums. Shapes: [n, ...] -> [n].
  Tensor by_sample(std::uint32_t node) const {
    const Tensor& numbers = kept_.at(node);
    const Index n = numbers.size(0);
    return sum(reshape(numbers, Shape{n, numbers.size() / n}), 1).value();
  }

 private:
  std::unordered_map<std::uint32_t, Tensor> kept_;
};

/// The factor of each sample alone, by a forward pass of each; nothing where one has none, or where the loss
/// alone is not that factor times the sum of the parts within the batch.
std::optional<Tensor> factors_alone(const SampleSource& source, Index first, const Tensor& sums) {
  Tensor factors = uninitialized(sums.shape());
  for (Index i = 0; i < sums.size(); ++i) {
    Tape tape;
    const Var y = source.record(tape, first + i, first + i + 1);
    if (!y.tracked() || y.size() != 1) return std::nullopt;
    const Parts parts = parts_of(VarAccess::state(tape), y);
    if (parts.node == kNoNode) return std::nullopt;
    mutable_data(factors)[i] = parts.factor;
    const double within = parts.factor * sums(i);
    const double scale = 1e-9 * std::fabs(sums(i)) + 1e-10 * largest_finite(sums.data());
    if (!close_numbers(y.value().data(), {&within, 1}, std::fabs(parts.factor) * scale)) return std::nullopt;
  }
  return factors;
}

/// Row i of the seed is factor i.
Tensor seed_of(const Tensor& factors, const Shape& shape) {
  Tensor seed = uninitialized(shape);
  const Index share = shape.size() / factors.size();
  for (Index i = 0; i < factors.size(); ++i) std::fill_n(mutable_data(seed) + i * share, share, factors(i));
  return seed;
}

/// The parts, if they are one sample's after the other's.
Parts parts_by_sample(const TapeState& tape, const Var& y, Index n) {
  const Parts parts = parts_of(tape, y);
  if (parts.node == kNoNode) return {};
  const Shape& shape = tape.nodes[parts.node].output.shape();
  return shape.rank() != 0 && shape[0] == n && (parts.count == 1 || parts.count % n == 0) ? parts : Parts();
}

}  // namespace

// Of [n] losses, or of parts that are summed, each sample's times the factor that it has alone.
SampleSweep sweep_losses_once(const SampleSource& source, Index first, Index last, Tensor& values,
                              RecordCosts* costs) {
  const Index n = last - first;
  Tape tape;
  TapeState& state = VarAccess::state(tape);
  Summands summands;
  std::optional<Probing> watch;
  if (n > 1) watch.emplace(state, summands);
  const Var y = source.record(tape, first, last);
  watch.reset();
  if (y.size() != 1 && y.size() != n)
    throw ShapeError(fmt::format(
        "[{}] the loss is {} for {} samples; it must be [{}], one number a sample, or [], their mean",
        source.operation(), y.shape().to_string(), n, n));
  SampleSweep result{.samples = n, .outputs = 1};
  const bool each = y.size() == n && y.rank() != 0;  // [n] losses
  values = y.size() == n ? y.value().reshape(Shape{n}) : Tensor();
  if (!y.tracked()) return result;
  const Parts parts = n > 1 && each ? Parts() : parts_by_sample(state, y, n);
  if (parts.node == kNoNode && !each) result.slow_reason = kNotParts;
  if (!result.slow_reason.empty()) return result;
  const std::uint32_t output = parts.node == kNoNode ? VarAccess::node(y) : parts.node;
  const std::optional<SampleAnalysis> analysis = analysis_of(source, state, output, result);
  if (costs && analysis) *costs = record_costs(state, output, analysis->active_on_w());
  if (!result.slow_reason.empty()) return result;
  // A mean's own divisor is known for a sample alone; what else there is may be computed from the targets.
  Tensor factors = Tensor::full(Shape{n}, parts.factor * (parts.count > 1 ? static_cast<double>(n) : 1.0));
  if (n > 1 && !each) {
    const Tensor sums = summands.by_sample(parts.sum);
    if (parts.other) {
      std::optional<Tensor> found = factors_alone(source, first, sums);
      if (!found) result.slow_reason = "the loss of a sample alone is not its part of the batch's";
      if (!found) return result;
      factors = std::move(*found);
    }
    values = (Var(factors) * sums).value();
  }
  const Shape shape = state.nodes[output].output.shape();
  collect(
      state, output, *analysis, 1, [&](Index) { return seed_of(factors, shape); }, result);
  return result;
}

}  // namespace cotangent::detail
