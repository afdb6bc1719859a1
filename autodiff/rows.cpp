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
constexpr int kUnseen = -3;

struct Use {
  std::uint32_t node;
  int input;
  Index offset;
  Index size;
};

/// Follows the samples forward from X to the first operation after which no one axis holds them apart; kNoNode if there
/// is none, with the axis of the output they end on.
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
  const char* name = node.op ? node.op->name() : "input";
  if (node.op == &kView)
    name = tape.inputs[node.first_input].size() == node.output.size() ? "reshape" : "slice";
  return fmt::format("[{}] mixes samples: from {} it makes {}, in which no one axis holds the samples apart",
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
    int end_axis = 0;
    const std::uint32_t culprit = first_mixing(tape_, output_, end_axis);
    if (culprit == kNoNode && end_axis != 0)
      throw TapeError(fmt::format(
          "[per_sample_jacobian] f returns {} with the samples along axis {}; they must lie along axis 0, "
          "transpose the result",
          tape_.nodes[output_].output.shape().to_string(), end_axis));
    throw TapeError(
        fmt::format("{}; per-sample derivatives are refused for it, use jacobian for the joint one",
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
  int end_axis = 0;
  const std::uint32_t culprit = y.tracked() ? first_mixing(tape, VarAccess::node(y), end_axis) : kNoNode;
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

Tensor column_seed(const Shape& shape, Index outputs, Index c) {
  Tensor seed = Tensor::zeros(shape);
  for (Index k = c; k < seed.size(); k += outputs) mutable_data(seed)[k] = 1.0;
  return seed;
}

RowSweep sweep_once(ModelFunction f, const Tensor& w, const Tensor& x,
                    const std::vector<ColumnRange>& columns, Tensor& values) {
  Tape tape;
  const Var wv = tape.input(w);
  const Var xv = tape.input(x);
  const Var y = f(wv, xv);
  RowSweep result;
  result.samples = x.size(0);
  TapeState& state = VarAccess::state(tape);
  check_tape(state, y);
  result.outputs = check_output(state, y, result.samples);
  values = y.value();
  if (!y.tracked()) return result;
  const std::uint32_t output = VarAccess::node(y);
  const RowAnalysis analysis(state, output, columns);
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

double largest_finite(std::span<const double> numbers) {
  double top = 0.0;
  for (const double v : numbers)
    if (std::isfinite(v)) top = std::max(top, std::fabs(v));
  return top;
}

/// Equal up to `tolerance`; numbers that are not finite must be the same.
bool close(std::span<const double> a, std::span<const double> b, double tolerance) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](double s, double t) {
    if (std::isfinite(s) && std::isfinite(t)) return std::fabs(s - t) <= tolerance;
    return s == t || (std::isnan(s) && std::isnan(t));
  });
}

bool close_rows(const Tensor& a, Index i, const Tensor& b, Index j) {
  if (a.rank() != 2 || b.rank() != 2) return a.rank() == b.rank();
  const std::span<const double> s =
      a.data().subspan(static_cast<std::size_t>(i * a.size(1)), static_cast<std::size_t>(a.size(1)));
  const std::span<const double> t =
      b.data().subspan(static_cast<std::size_t>(j * b.size(1)), static_cast<std::size_t>(b.size(1)));
  return close(s, t, 1e-9 * largest_finite(t));
}

/// Whether sample i of one sweep and sample j of another have the same per-sample gradients.
bool same_gradients(const RowSweep& a, Index i, const RowSweep& b, Index j) {
  return std::equal(a.uses.begin(), a.uses.end(), b.uses.begin(), b.uses.end(),
                    [&](const ParamUse& u, const ParamUse& v) {
                      bool same = u.offset == v.offset && u.size == v.size && u.data_first == v.data_first &&
                                  close_rows(u.data, i, v.data, j);
                      for (std::size_t c = 0; same && c < u.delta.size(); ++c)
                        same = close_rows(u.delta[c], i, v.delta[c], j);
                      return same;
                    });
}

std::vector<Index> samples_to_check(Index n) {
  if (n == 1) return {};
  return n == 2 ? std::vector<Index>{0, 1} : std::vector<Index>{0, n / 2, n - 1};
}

/// n copies of sample i: a function that keeps samples apart treats sample i among them exactly as it did before.
Tensor copies_of(const Tensor& x, Index i) {
  Tensor copies = uninitialized(x.shape());
  const Index d = x.size() / x.size(0);
  for (Index k = 0; k < x.size(0); ++k) std::copy_n(x.data().data() + i * d, d, mutable_data(copies) + k * d);
  return copies;
}

[[noreturn]] void throw_hidden_mixing(const std::string& difference) {
  throw TapeError(
      fmt::format("[per_sample_jacobian] {}: f mixes samples where the record cannot show it (a branch, "
                  "value(), detach); "
                  "use jacobian for the joint derivative",
                  difference));
}

/// Sample i by itself. Its function value must be that within the batch.
template <class Work>
auto alone(Index i, Index n, Work work) {
  try {
    return work();
  } catch (const ShapeError& e) {
    throw ShapeError(fmt::format(
        "{} (while f was evaluated on sample {} of {} alone, as per-sample derivatives are defined)",
        e.what(), i, n));
  }
}

void check_values(const Tensor& batch, const Tensor& single, Index i) {
  const Index n = batch.size(0), outputs = batch.size() / n;
  if (single.size() != outputs)
    throw ShapeError(
        fmt::format("[per_sample_jacobian] f returned {} for the single sample {}, {} for all {}; it must "
                    "treat samples alike",
                    single.shape().to_string(), i, batch.shape().to_string(), n));
  for (Index c = 0; c < outputs; ++c) {
    double scale = 0.0;
    for (Index k = c; k < batch.size(); k += outputs)
      if (const double v = batch.data()[static_cast<std::size_t>(k)]; std::isfinite(v))
        scale = std::max(scale, std::fabs(v));
    const std::span<const double> a = single.data().subspan(static_cast<std::size_t>(c), 1);
    const std::span<const double> b = batch.data().subspan(static_cast<std::size_t>(i * outputs + c), 1);
    if (!close(a, b, 1e-9 * std::fabs(b[0]) + 1e-10 * scale))
      throw_hidden_mixing(fmt::format("output {} of sample {} is {} alone but {} within the batch of {}", c,
                                      i, a[0], b[0], n));
  }
}

}  // namespace

// What the record cannot show, C++ that looks at values, is looked for by evaluating some samples alone: their values and
// their gradients must be those within the batch.
RowSweep sweep_rows(ModelFunction f, const Tensor& w, const Tensor& x,
                    const std::vector<ColumnRange>& columns) {
  check_inputs(x);
  const Index n = x.size(0);
  Tensor values;
  RowSweep batch = sweep_once(f, w, x, columns, values);
  for (const Index i : samples_to_check(n)) {
    Tensor value;
    const RowSweep single = alone(i, n, [&] { return sweep_once(f, w, x.rows(i, i + 1), columns, value); });
    check_values(values, value, i);
    if (!batch.slow_reason.empty() || same_gradients(batch, i, single, 0)) continue;
    // At a kink rounding alone can tell the two apart. Copies of the sample have the same rounding as the batch.
    const RowSweep copies = sweep_once(f, w, copies_of(x, i), columns, value);
    if (!same_gradients(batch, i, copies, i))
      throw_hidden_mixing(fmt::format("the gradient of sample {} depends on the other {} samples", i, n - 1));
  }
  return batch;
}

namespace {

Tensor input_rows_once(ModelFunction f, const Tensor& w, const Tensor& x, Index& outputs, Tensor& values) {
  Tape tape;
  const Var wv = tape.input(w);
  const Var xv = tape.input(x);
  const Var y = f(wv, xv);
  const Index n = x.size(0), d = x.size() / n;
  TapeState& state = VarAccess::state(tape);
  check_tape(state, y);
  outputs = check_output(state, y, n);
  values = y.value();
  Tensor rows = Tensor::zeros(Shape{n * outputs, d});
  if (!y.tracked()) return rows;
  const std::uint32_t output = VarAccess::node(y);
  const std::vector<ColumnRange> no_columns;
  const RowAnalysis analysis(state, output, no_columns);
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

}  // namespace

Tensor input_rows(ModelFunction f, const Tensor& w, const Tensor& x, Index& outputs) {
  check_inputs(x);
  const Index n = x.size(0);
  Tensor values, value;
  Tensor batch = input_rows_once(f, w, x, outputs, values);
  for (const Index i : samples_to_check(n)) {
    Index single_outputs = 0;
    const Tensor single =
        alone(i, n, [&] { return input_rows_once(f, w, x.rows(i, i + 1), single_outputs, value); });
    check_values(values, value, i);
    Tensor copies;
    for (Index c = 0; c < outputs; ++c) {
      if (close_rows(batch, i * outputs + c, single, c)) continue;
      if (copies.rank() != 2) copies = input_rows_once(f, w, copies_of(x, i), single_outputs, value);
      if (!close_rows(batch, i * outputs + c, copies, i * outputs + c))
        throw_hidden_mixing(
            fmt::format("the derivative of sample {} depends on the other {} samples", i, n - 1));
    }
  }
  return batch;
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
      throw DomainError(fmt::format("[params] no parameter matches \"{}\"; there are {}", pattern, names));
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
