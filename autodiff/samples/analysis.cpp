// The walk back along sample axes, and the naming of the operation that mixes samples.
#include "autodiff/samples/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tape/dependents.hpp"
#include "autodiff/tape/sweep.hpp"

namespace cotangent::detail {
namespace {

constexpr int kUnseen = -3;

/// Follows the samples forward from X to the first operation after which no one axis holds them apart;
/// kNoNode if there is none, with the axis of the output they end on.
std::uint32_t first_mixing(const TapeState& tape, std::uint32_t output, int& end_axis) {
  end_axis = 0;
  std::vector<unsigned char> reaches(tape.nodes.size(), 0);
  reaches[output] = 1;
  for (std::uint32_t i = output; i > kX; --i)
    for (std::uint32_t j = 0; reaches[i] && j < tape.nodes[i].num_inputs; ++j)
      if (const std::uint32_t source = tape.source(tape.nodes[i], j); source != kNoNode) reaches[source] = 1;
  std::vector<int> along(tape.nodes.size(), kUnseen);  // kUnseen: does not depend on X
  along[kX] = 0;
  for (std::uint32_t i = kX + 1; i <= output; ++i) {
    if (!reaches[i]) continue;
    const Node& node = tape.nodes[i];
    const auto rule = node.op ? node.op->spec().row_rule : nullptr;
    const auto keeps = [&](int axis) {
      for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
        const std::uint32_t source = tape.source(node, j);
        if (source == kNoNode || along[source] == kUnseen) continue;
        if (rule(NodeView{recorded(tape, i)}, axis, static_cast<int>(j)) != along[source]) return false;
      }
      return true;
    };
    bool on_x = false;
    for (std::uint32_t j = 0; j < node.num_inputs; ++j)
      if (const std::uint32_t source = tape.source(node, j); source != kNoNode)
        on_x |= along[source] != kUnseen;
    if (!on_x) continue;
    for (int axis = 0; rule && axis < node.output.rank() && along[i] == kUnseen; ++axis)
      if (keeps(axis)) along[i] = axis;
    if (along[i] == kUnseen) return i;
  }
  if (along[output] != kUnseen) end_axis = along[output];
  return kNoNode;
}

std::string describe_mixing(const TapeState& tape, std::uint32_t i) {
  const Node& node = tape.nodes[i];
  std::string inputs;
  for (std::uint32_t j = 0; j < node.num_inputs; ++j)
    inputs += (j ? ", " : "") + tape.inputs[node.first_input + j].shape().to_string();
  if (node.op == &kCheckpoint)
    return fmt::format(
        "[checkpoint] hides what becomes of the samples: how {} becomes {} is not in the record, so whether "
        "they stay apart is not known; call the function itself instead",
        inputs, node.output.shape().to_string());
  const bool whole = tape.inputs[node.first_input].size() == node.output.size();
  return fmt::format("[{}] mixes samples: from {} it makes {}, in which no one axis holds the samples apart",
                     !node.op            ? "input"
                     : node.op != &kView ? node.op->name()
                     : whole             ? "reshape"
                                         : "slice",
                     inputs, node.output.shape().to_string());
}

}  // namespace

std::string mixing_on_the_way(const TapeState& tape, std::uint32_t output) {
  int end_axis = 0;
  const std::uint32_t culprit = first_mixing(tape, output, end_axis);
  return culprit == kNoNode ? "" : describe_mixing(tape, culprit);
}

SampleAnalysis::SampleAnalysis(const char* operation, const TapeState& tape, std::uint32_t output,
                               const std::vector<ColumnRange>& columns)
    : operation_(operation), tape_(tape), output_(output), columns_(columns) {
  find_dependencies();
  walk_back();
}

std::vector<unsigned char> SampleAnalysis::active(const std::vector<unsigned char>& depends) const {
  std::vector<unsigned char> marks(tape_.nodes.size(), 0);
  for (std::uint32_t i = 0; i <= output_; ++i) marks[i] = axis_[i] >= 0 && depends[i];
  return marks;
}

/// The slice of w a node is, if it is nothing but a slice.
std::optional<std::pair<Index, Index>> SampleAnalysis::slice_of_w(std::uint32_t node) const {
  const Index size = tape_.nodes[node].output.size();
  Index offset = 0;
  while (tape_.nodes[node].op == &kView) {
    offset += tape_.nodes[node].attributes.whole[0];
    node = tape_.source(tape_.nodes[node], 0);
  }
  if (node != kW) return std::nullopt;
  return std::pair{offset, offset + size};
}

bool SampleAnalysis::wanted(Index first, Index last) const {
  return std::any_of(columns_.begin(), columns_.end(),
                     [&](const ColumnRange& r) { return first < r.last && r.first < last; });
}

void SampleAnalysis::find_dependencies() {
  const std::size_t n = tape_.nodes.size();
  on_w_.assign(n, 0);
  on_x_.assign(n, 0);
  any_w_.assign(n, 0);
  on_w_[kW] = any_w_[kW] = 1;
  on_x_[kX] = 1;
  mark_dependents(tape_, kX, output_, any_w_.data());
  mark_dependents(tape_, kX, output_, on_x_.data());
  mark_dependents(tape_, kX, output_, on_w_.data(), [&](std::uint32_t i) {
    if (tape_.nodes[i].op != &kView) return false;
    const auto slice = slice_of_w(i);
    return slice && !wanted(slice->first, slice->second);
  });
}

void SampleAnalysis::walk_back() {
  axis_.assign(tape_.nodes.size(), kUnseen);
  axis_[output_] = 0;
  for (std::uint32_t i = output_; i > kX; --i) {
    if (axis_[i] < 0) continue;
    const Node& node = tape_.nodes[i];
    const OpRecord p = recorded(tape_, i);
    for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
      const std::uint32_t source = tape_.source(node, j);
      if (source == kNoNode || !(any_w_[source] || on_x_[source])) continue;
      const auto rule = node.op->spec().row_rule;
      // Axes of size 1 look alike to a reshape; one that changes nothing keeps them all.
      const bool same = node.op == &kView && p.shape(0) == p.out_shape();
      const int answer = same ? axis_[i] : rule ? rule(NodeView{p}, axis_[i], static_cast<int>(j)) : kBlocked;
      if (answer == kBlocked) refuse(i);
      if (answer == kFactor)
        share(i, static_cast<int>(j), source);
      else
        follow(i, static_cast<int>(j), source, answer);
    }
  }
  if (axis_[kW] >= 0 || (axis_[kX] != kUnseen && axis_[kX] != 0)) refuse(output_);
  check_overlaps();
}

void SampleAnalysis::share(std::uint32_t i, int j, std::uint32_t source) {
  if (on_x_[source] || axis_[source] >= 0) refuse(i);
  axis_[source] = kFactor;
  if (!on_w_[source]) return;
  const Op& op = *tape_.nodes[i].op;
  const auto slice = slice_of_w(source);
  if (!slice)
    slow_reason_ = fmt::format("a parameter reaches [{}] through other operations", op.name());
  else if (!op.spec().row_factor)
    slow_reason_ = fmt::format("[{}] has no per-sample factor for a shared input", op.name());
  else
    uses_.push_back({i, j, slice->first, slice->second - slice->first});
}

/// Of one sample alone, an axis of size 1 does not tell the sample's from a parameter's own.
void SampleAnalysis::share_with_one(std::uint32_t i, int j, std::uint32_t source) {
  if (tape_.nodes[i].num_inputs == 1) return share(i, j, source);
  axis_[source] = kFactor;
  if (on_w_[source])
    slow_reason_ =
        fmt::format("[{}] meets a parameter along the axis of the only sample", tape_.nodes[i].op->name());
}

void SampleAnalysis::follow(std::uint32_t i, int j, std::uint32_t source, int axis) {
  if (source == kW || (any_w_[source] && !on_x_[source] && slice_of_w(source))) {
    if (tape_.nodes[output_].output.shape()[0] == 1) return share_with_one(i, j, source);
    throw TapeError(
        fmt::format("[{}] meets a parameter of shape {} along the axis of the samples: the samples would "
                    "have parameters of their own; "
                    "use broadcast_to or a row operation for shared ones",
                    tape_.nodes[i].op->name(), tape_.nodes[source].output.shape().to_string()));
  }
  if (axis_[source] != kUnseen && axis_[source] != axis) refuse(i);
  axis_[source] = static_cast<signed char>(axis);
}

void SampleAnalysis::check_overlaps() {
  for (const SharedInput& a : uses_) {
    for (const SharedInput& b : uses_) {
      const bool same = a.offset == b.offset && a.size == b.size;
      if (!same && a.offset < b.offset + b.size && b.offset < a.offset + a.size)
        slow_reason_ = "slices of the parameters overlap in part";
    }
    const bool within = std::any_of(columns_.begin(), columns_.end(), [&](const ColumnRange& r) {
      return r.first <= a.offset && a.offset + a.size <= r.last;
    });
    if (!within) slow_reason_ = "one slice covers several parameters of which only some are wanted";
  }
}

void SampleAnalysis::refuse(std::uint32_t found) const {
  int end_axis = 0;
  const std::uint32_t culprit = first_mixing(tape_, output_, end_axis);
  if (culprit == kNoNode && end_axis != 0)
    throw TapeError(fmt::format(
        "[{}] f returns {} with the samples along axis {}; they must lie along axis 0, transpose the result",
        operation_, tape_.nodes[output_].output.shape().to_string(), end_axis));
  throw TapeError(fmt::format("{}; per-sample derivatives are refused for it, use jacobian for the joint one",
                              describe_mixing(tape_, culprit == kNoNode ? found : culprit)));
}

}  // namespace cotangent::detail
