// Row analysis: a walk back from the output along sample axes, then one sweep an output column.
#include "autodiff/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "autodiff/error.hpp"
#include "autodiff/ops_internal.hpp"
#include "autodiff/sweep.hpp"
#include "autodiff/tensor_access.hpp"

namespace cotangent::detail {
namespace {

constexpr std::uint32_t kW = 0;  // the first two nodes of the record
constexpr std::uint32_t kX = 1;
constexpr signed char kUnseen = -3;

struct Use {
  std::uint32_t node;
  int input;
  Index offset;
  Index size;
};

/// Follows the samples forward from X to the first operation after which no axis holds them apart; kNoNode if
/// none.
std::uint32_t first_mixing(const TapeState& tape, std::uint32_t output) {
  std::vector<unsigned char> reaches(tape.nodes.size(), 0);
  reaches[output] = 1;
  for (std::uint32_t i = output; i > kX; --i)
    for (std::uint32_t j = 0; reaches[i] && j < tape.nodes[i].num_inputs; ++j)
      if (const std::uint32_t source = tape.source(tape.nodes[i], j); source != kNoNode) reaches[source] = 1;
  std::vector<signed char> along(tape.nodes.size(), kUnseen);  // kUnseen: does not depend on X
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
      if (keeps(axis)) along[i] = static_cast<signed char>(axis);
    if (along[i] == kUnseen) return i;
  }
  return kNoNode;
}

std::string describe_mixing(const TapeState& tape, std::uint32_t i) {
  const Node& node = tape.nodes[i];
  std::string inputs;
  for (std::uint32_t j = 0; j < node.num_inputs; ++j)
    inputs += (j ? ", " : "") + tape.inputs[node.first_input + j].shape().to_string();
  const char* name = node.op ? node.op->name() : "input";
  if (node.op == &kView)
    name = tape.inputs[node.first_input].size() == node.output.size() ? "reshape" : "slice";
  return fmt::format(
      "[{}] mixes samples: from {} it makes {}, in which the samples are no longer apart along one axis",
      name, inputs, node.output.shape().to_string());
}

class RowAnalysis {
 public:
  RowAnalysis(const TapeState& tape, std::uint32_t output, const std::vector<ColumnRange>& columns)
      : tape_(tape), output_(output), columns_(columns) {
    find_dependencies();
    walk_back();
  }

  const std::vector<Use>& uses() const { return uses_; }
  const std::string& slow_reason() const { return slow_reason_; }
  int axis(std::uint32_t node) const { return axis_[node]; }
  /// Nodes that carry cotangent rows on the way to the wanted parameters (or to the inputs).
  std::vector<unsigned char> active(const std::vector<unsigned char>& depends) const {
    std::vector<unsigned char> marks(tape_.nodes.size(), 0);
    for (std::uint32_t i = 0; i <= output_; ++i) marks[i] = axis_[i] >= 0 && depends[i];
    return marks;
  }
  const std::vector<unsigned char>& on_w() const { return on_w_; }
  const std::vector<unsigned char>& on_x() const { return on_x_; }

 private:
  /// The slice of w a node is, if it is nothing but a slice.
  std::optional<std::pair<Index, Index>> slice_of_w(std::uint32_t node) const {
    const Index size = tape_.nodes[node].output.size();
    Index offset = 0;
    while (tape_.nodes[node].op == &kView) {
      offset += tape_.nodes[node].attributes.whole[0];
      node = tape_.source(tape_.nodes[node], 0);
    }
    if (node != kW) return std::nullopt;
    return std::pair{offset, offset + size};
  }

  bool wanted(Index first, Index last) const {
    return std::any_of(columns_.begin(), columns_.end(),
                       [&](const ColumnRange& r) { return first < r.last && r.first < last; });
  }

  void find_dependencies() {
    const std::size_t n = tape_.nodes.size();
    on_w_.assign(n, 0);
    on_x_.assign(n, 0);
    any_w_.assign(n, 0);
    on_w_[kW] = any_w_[kW] = 1;
    on_x_[kX] = 1;
    for (std::uint32_t i = 2; i <= output_; ++i) {
      const Node& node = tape_.nodes[i];
      for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
        const std::uint32_t source = tape_.source(node, j);
        if (source == kNoNode) continue;
        on_w_[i] |= on_w_[source];
        any_w_[i] |= any_w_[source];
        on_x_[i] |= on_x_[source];
      }
      if (node.op == &kView && on_w_[i]) {
        const auto slice = slice_of_w(i);
        if (slice && !wanted(slice->first, slice->second)) on_w_[i] = 0;
      }
    }
  }

  void walk_back() {
    axis_.assign(tape_.nodes.size(), kUnseen);
    axis_[output_] = 0;
    for (std::uint32_t i = output_; i > kX; --i) {
      if (axis_[i] < 0) continue;
      const Node& node = tape_.nodes[i];
      const Pullback p = recorded(tape_, i);
      for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
        const std::uint32_t source = tape_.source(node, j);
        if (source == kNoNode || !(any_w_[source] || on_x_[source])) continue;
        const auto rule = node.op->spec().row_rule;
        const int answer = rule ? rule(NodeView{p}, axis_[i], static_cast<int>(j)) : kBlocked;
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

  void share(std::uint32_t i, int j, std::uint32_t source) {
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
  void share_with_one(std::uint32_t i, int j, std::uint32_t source) {
    if (tape_.nodes[i].num_inputs == 1) return share(i, j, source);
    axis_[source] = kFactor;
    if (on_w_[source])
      slow_reason_ =
          fmt::format("[{}] meets a parameter along the axis of the only sample", tape_.nodes[i].op->name());
  }

  void follow(std::uint32_t i, int j, std::uint32_t source, int axis) {
    if (source == kW || (any_w_[source] && !on_x_[source] && slice_of_w(source))) {
      if (tape_.nodes[source].output.shape()[axis] == 1) return share_with_one(i, j, source);
      throw TapeError(
          fmt::format("[{}] meets a parameter of shape {} along the axis of the samples: the samples would "
                      "have parameters of their own; "
                      "use broadcast_to or a row operation for shared ones",
                      tape_.nodes[i].op->name(), tape_.nodes[source].output.shape().to_string()));
    }
    if (axis_[source] != kUnseen && axis_[source] != axis) refuse(i);
    axis_[source] = static_cast<signed char>(axis);
  }

  void check_overlaps() {
    for (const Use& a : uses_) {
      for (const Use& b : uses_) {
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

  [[noreturn]] void refuse(std::uint32_t found) const {
    const std::uint32_t culprit = first_mixing(tape_, output_);
    throw TapeError(fmt::format(
        "{}; per-sample derivatives do not exist for this function, use jacobian for the joint one",
        describe_mixing(tape_, culprit == kNoNode ? found : culprit)));
  }

  const TapeState& tape_;
  std::uint32_t output_;
  const std::vector<ColumnRange>& columns_;
  std::vector<unsigned char> on_w_;   // depends on a wanted parameter
  std::vector<unsigned char> any_w_;  // depends on any parameter
  std::vector<unsigned char> on_x_;   // depends on the samples
  std::vector<signed char> axis_;     // of the samples, or kFactor, or kUnseen
  std::vector<Use> uses_;
  std::string slow_reason_;
};

Index check_output(const TapeState& tape, const Var& y, Index n) {
  if (y.rank() != 0 && y.size(0) == n) return y.size() / n;
  const std::uint32_t culprit = y.tracked() ? first_mixing(tape, VarAccess::node(y)) : kNoNode;
  throw ShapeError(fmt::format(
      "[per_sample_jacobian] f returned {} for {} samples; it must return one row a sample, [{}, ...]{}",
      y.shape().to_string(), n, n, culprit == kNoNode ? "" : "; " + describe_mixing(tape, culprit)));
}

void check_tape(const TapeState& state, const Var& y) {
  if (y.tracked() && &live_tape("per_sample_jacobian", y) != &state)
    throw TapeError(
        "[per_sample_jacobian] f returned a variable of another tape; let it use the w and X it is given");
}

void check_inputs(const Tensor& x) {
  if (x.rank() == 0 || x.size(0) == 0)
    throw ShapeError(fmt::format("[per_sample_jacobian] X is {}; give it at least one sample along axis 0",
                                 x.shape().to_string()));
}

/// Branches on the data are invisible on the record; a sample that changes when it stands alone betrays them.
void check_alone(ModelFunction f, const Tensor& w, const Tensor& x, const Tensor& y) {
  const Index n = x.size(0), outputs = y.size() / n;
  if (n == 1) return;
  double scale = 0.0;
  for (const double v : y.data()) scale = std::max(scale, std::fabs(v));
  for (const Index i : {Index{0}, n - 1}) {
    const Tensor alone = f(Var(w), Var(x.rows(i, i + 1))).value();
    if (alone.size() != outputs)
      throw ShapeError(fmt::format(
          "[per_sample_jacobian] f returned {} for the single sample {}, {} for all {}; it must treat "
          "samples alike",
          alone.shape().to_string(), i, y.shape().to_string(), n));
    for (Index c = 0; c < outputs; ++c) {
      const double a = alone.data()[static_cast<std::size_t>(c)],
                   b = y.data()[static_cast<std::size_t>(i * outputs + c)];
      if (std::fabs(a - b) > 1e-9 * (std::fabs(b) + scale))
        throw TapeError(fmt::format(
            "[per_sample_jacobian] output {} of sample {} is {} alone but {} within the batch of {}: f mixes "
            "samples where the record cannot show it; use jacobian for the joint derivative",
            c, i, a, b, n));
    }
  }
}

Tensor column_seed(const Shape& shape, Index outputs, Index c) {
  Tensor seed = Tensor::zeros(shape);
  for (Index k = c; k < seed.size(); k += outputs) mutable_data(seed)[k] = 1.0;
  return seed;
}

}  // namespace

RowSweep sweep_rows(ModelFunction f, const Tensor& w, const Tensor& x,
                    const std::vector<ColumnRange>& columns) {
  check_inputs(x);
  Tape tape;
  const Var wv = tape.input(w);
  const Var xv = tape.input(x);
  const Var y = f(wv, xv);
  RowSweep result;
  result.samples = x.size(0);
  TapeState& state = VarAccess::state(tape);
  check_tape(state, y);
  result.outputs = check_output(state, y, result.samples);
  if (!y.tracked()) return result;
  const std::uint32_t output = VarAccess::node(y);
  const RowAnalysis analysis(state, output, columns);
  check_alone(f, w, x, y.value());
  result.slow_reason = analysis.slow_reason();
  if (!result.slow_reason.empty()) return result;

  const std::vector<unsigned char> active = analysis.active(analysis.on_w());
  for (const Use& use : analysis.uses()) result.uses.push_back({.offset = use.offset, .size = use.size});
  const auto capture = [&](std::uint32_t node, const Var& g) {
    for (std::size_t k = 0; k < analysis.uses().size(); ++k) {
      const Use& use = analysis.uses()[k];
      if (use.node != node) continue;
      const auto rule = state.nodes[node].op->spec().row_factor;
      RowFactor factor = rule(recorded(state, node), analysis.axis(node), use.input, g.value());
      ParamUse& found = result.uses[k];
      if (!found.outer()) {
        found.data = factor.data;
        found.data_first = factor.data_first;
      }
      found.delta.push_back(std::move(factor.delta));
    }
  };
  const FunctionRef<void(std::uint32_t, const Var&)> visit(capture);
  for (Index c = 0; c < result.outputs; ++c) {
    Sweep sweep(state, output, kW, false);
    sweep.set_active(active.data());
    sweep.run(column_seed(y.shape(), result.outputs, c), &visit);
    // A use the seed did not reach has a zero gradient in this column.
    for (ParamUse& use : result.uses)
      if (static_cast<Index>(use.delta.size()) == c) use.delta.emplace_back();
  }
  return result;
}

Tensor input_rows(ModelFunction f, const Tensor& w, const Tensor& x, Index& outputs) {
  check_inputs(x);
  Tape tape;
  const Var wv = tape.input(w);
  const Var xv = tape.input(x);
  const Var y = f(wv, xv);
  const Index n = x.size(0), d = x.size() / n;
  TapeState& state = VarAccess::state(tape);
  check_tape(state, y);
  outputs = check_output(state, y, n);
  Tensor rows = Tensor::zeros(Shape{n * outputs, d});
  if (!y.tracked()) return rows;
  const std::uint32_t output = VarAccess::node(y);
  const std::vector<ColumnRange> no_columns;
  const RowAnalysis analysis(state, output, no_columns);
  check_alone(f, w, x, y.value());
  const std::vector<unsigned char> active = analysis.active(analysis.on_x());
  for (Index c = 0; c < outputs; ++c) {
    Sweep sweep(state, output, kX, false);
    sweep.set_active(active.data());
    sweep.run(column_seed(y.shape(), outputs, c));
    if (!sweep.reached()) continue;
    const Tensor g = sweep.take().value();
    for (Index i = 0; i < n; ++i)
      std::copy_n(g.data().data() + i * d, d, mutable_data(rows) + (i * outputs + c) * d);
  }
  return rows;
}

Tensor slow_rows(ModelFunction f, const Tensor& w, const Tensor& x, Index outputs,
                 const std::vector<ColumnRange>& columns) {
  const Index n = x.size(0), width = count_columns(columns);
  Tensor rows = uninitialized(Shape{n * outputs, width});
  for (Index i = 0; i < n; ++i) {
    Tape tape;
    const Var wv = tape.input(w);
    const Var y = f(wv, Var(x.rows(i, i + 1)));
    for (Index c = 0; c < outputs; ++c) {
      Tensor seed = Tensor::zeros(y.shape());
      mutable_data(seed)[c] = 1.0;
      const Tensor g = tape.vjp(y, seed, wv).value();
      for (const ColumnRange& range : columns)
        std::copy(g.data().data() + range.first, g.data().data() + range.last,
                  mutable_data(rows) + (i * outputs + c) * width + range.column);
    }
  }
  return rows;
}

namespace {

/// row (=, +=) left (x) right, or left alone.
template <bool kAdd>
void write_outer(double* row, const double* left, Index p, const double* right, Index q) {
  for (Index a = 0; a < p; ++a, row += q) {
    const double s = left[a];
    for (Index b = 0; b < q; ++b) {
      if constexpr (kAdd)
        row[b] += s * right[b];
      else
        row[b] = s * right[b];
    }
  }
}

}  // namespace

Tensor rows_from(const RowSweep& sweep, const std::vector<ColumnRange>& columns) {
  const Index n = sweep.samples, outputs = sweep.outputs, width = count_columns(columns);
  Tensor rows = uninitialized(Shape{n * outputs, width});
  // For each use: its first column, and whether it is the first to write there.
  struct Target {
    const ParamUse* use;
    Index column;
    bool first;
  };
  std::vector<Target> targets;
  std::vector<std::pair<Index, Index>> written;
  for (const ParamUse& use : sweep.uses) {
    const auto range = std::find_if(columns.begin(), columns.end(), [&](const ColumnRange& r) {
      return r.first <= use.offset && use.offset + use.size <= r.last;
    });
    const Index column = range->column + use.offset - range->first;
    const std::pair<Index, Index> place{column, column + use.size};
    const bool first = std::find(written.begin(), written.end(), place) == written.end();
    if (first) written.push_back(place);
    targets.push_back({&use, column, first});
  }
  std::sort(written.begin(), written.end());
  for (Index i = 0; i < n; ++i) {
    for (Index c = 0; c < outputs; ++c) {
      double* row = mutable_data(rows) + (i * outputs + c) * width;
      Index end = 0;
      for (const auto& [first, last] : written) {
        std::fill(row + end, row + first, 0.0);
        end = last;
      }
      std::fill(row + end, row + width, 0.0);
      for (const Target& target : targets) {
        const ParamUse& use = *target.use;
        const Tensor& delta = use.delta[static_cast<std::size_t>(c)];
        double* to = row + target.column;
        if (delta.rank() != 2) {
          if (target.first) std::fill(to, to + use.size, 0.0);
          continue;
        }
        const double one = 1.0;
        const Index p = delta.size(1), q = use.outer() ? use.data.size(1) : 1;
        const double* d = delta.data().data() + i * p;
        const double* h = use.outer() ? use.data.data().data() + i * q : &one;
        if (use.data_first)
          target.first ? write_outer<false>(to, h, q, d, p) : write_outer<true>(to, h, q, d, p);
        else if (use.outer())
          target.first ? write_outer<false>(to, d, p, h, q) : write_outer<true>(to, d, p, h, q);
        else
          target.first ? write_outer<false>(to, h, 1, d, p) : write_outer<true>(to, h, 1, d, p);
      }
    }
  }
  return rows;
}

std::vector<ColumnRange> select_columns(const std::vector<ParamEntry>& table, Index size,
                                        const std::vector<std::string>& patterns,
                                        std::vector<ParamEntry>& selected) {
  selected.clear();
  if (patterns.empty()) {
    selected = table;
    return {{0, size, 0}};
  }
  for (const std::string& pattern : patterns)
    if (std::none_of(table.begin(), table.end(),
                     [&](const ParamEntry& e) { return matches(pattern, e.name); })) {
      std::string names;
      for (const ParamEntry& entry : table) names += (names.empty() ? "\"" : ", \"") + entry.name + "\"";
      throw DomainError(
          fmt::format("[per_sample_jacobian] no parameter matches \"{}\"; there are {}", pattern, names));
    }
  std::vector<ColumnRange> columns;
  Index column = 0;
  for (const ParamEntry& entry : table) {
    if (std::none_of(patterns.begin(), patterns.end(),
                     [&](const std::string& p) { return matches(p, entry.name); }))
      continue;
    columns.push_back({entry.offset, entry.offset + entry.size(), column});
    selected.push_back({entry.name, entry.shape, column});
    column += entry.size();
  }
  return columns;
}

Index count_columns(const std::vector<ColumnRange>& columns) {
  return columns.empty() ? 0 : columns.back().column + columns.back().last - columns.back().first;
}

}  // namespace cotangent::detail
