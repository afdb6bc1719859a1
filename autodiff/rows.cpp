// One sweep an output column over a record whose samples were proved apart; then some samples alone, to look for
// what the record cannot show.
#include "autodiff/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops_internal.hpp"
#include "autodiff/record_costs.hpp"
#include "autodiff/row_analysis.hpp"
#include "autodiff/sweep.hpp"
#include "autodiff/tensor_access.hpp"

namespace cotangent::detail {
namespace {

constexpr const char* kJacobian = "per_sample_jacobian";
constexpr const char* kGradients = "per_sample_gradients";

Index check_output(const TapeState& tape, const Var& y, Index n) {
  if (y.rank() != 0 && y.size(0) == n) return y.size() / n;
  const std::string mixing = y.tracked() ? mixing_on_the_way(tape, VarAccess::node(y)) : "";
  throw ShapeError(fmt::format(
      "[per_sample_jacobian] f returned {} for {} samples; it must return one row a sample, [{}, ...]{}",
      y.shape().to_string(), n, n, mixing.empty() ? "" : "; " + mixing));
}

void check_tape(const char* operation, const TapeState& state, const Var& y) {
  if (y.tracked() && &live_tape(operation, y) != &state)
    throw TapeError(fmt::format(
        "[{}] f returned a variable of another tape; let it use the w and X it is given", operation));
}

void check_inputs(const char* operation, const Tensor& x) {
  if (x.rank() == 0 || x.size(0) == 0)
    throw ShapeError(fmt::format("[{}] X is {}; give it at least one sample along axis 0", operation,
                                 x.shape().to_string()));
}

Tensor column_seed(const Shape& shape, Index outputs, Index c) {
  Tensor seed = Tensor::zeros(shape);
  for (Index k = c; k < seed.size(); k += outputs) mutable_data(seed)[k] = 1.0;
  return seed;
}

/// Runs `passes` passes, each for its own seed, from `output` down and collects the cotangent rows at the uses.
void collect(TapeState& state, std::uint32_t output, const RowAnalysis& analysis, Index passes,
             FunctionRef<Tensor(Index)> seed, RowSweep& result) {
  const std::vector<unsigned char> active = analysis.active_on_w();
  for (const RowUse& use : analysis.uses()) result.uses.push_back({.offset = use.offset, .size = use.size});
  const auto capture = [&](std::uint32_t node, const Var& g) {
    for (std::size_t k = 0; k < analysis.uses().size(); ++k) {
      const RowUse& use = analysis.uses()[k];
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
  for (Index c = 0; c < passes; ++c) {
    Sweep sweep(state, output, kW, false);
    sweep.set_active(active.data());
    sweep.run(seed(c), &visit);
    // A use the seed did not reach has a zero gradient in this column.
    for (ParamUse& use : result.uses)
      if (static_cast<Index>(use.delta.size()) == c) use.delta.emplace_back();
  }
}

RowSweep sweep_once(ModelFunction f, const Tensor& w, const Tensor& x,
                    const std::vector<ColumnRange>& columns, Tensor& values, RowCosts* costs = nullptr) {
  Tape tape;
  const Var wv = tape.input(w);
  const Var xv = tape.input(x);
  const Var y = f(wv, xv);
  RowSweep result;
  result.samples = x.size(0);
  TapeState& state = VarAccess::state(tape);
  check_tape(kJacobian, state, y);
  result.outputs = check_output(state, y, result.samples);
  values = y.value();
  if (!y.tracked()) return result;
  const std::uint32_t output = VarAccess::node(y);
  const RowAnalysis analysis(kJacobian, state, output, columns);
  result.slow_reason = analysis.slow_reason();
  if (costs) *costs = record_costs(state, output, analysis.active_on_w());
  if (!result.slow_reason.empty()) return result;
  collect(
      state, output, analysis, result.outputs,
      [&](Index c) { return column_seed(y.shape(), result.outputs, c); }, result);
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

/// Work on a record of one sample, in which axes of size 1 can be mistaken for the samples': a refusal stands only if
/// two copies of the sample are refused too, else `instead` is done.
template <class Work, class Copies, class Instead>
auto single_or(Work work, Copies copies, Instead instead) {
  try {
    return work();
  } catch (const TapeError& refusal) {
    try {
      copies();
    } catch (const TapeError&) {
      throw refusal;
    }
    return instead();
  }
}

Tensor twice(const Tensor& x) { return concat({x, x}, 0).value(); }

RowSweep slow_sweep(Index samples, Index outputs, const char* reason) {
  RowSweep none;
  none.samples = samples;
  none.outputs = outputs;
  none.slow_reason = reason;
  return none;
}

constexpr const char* kOneSample = "the axis of the only sample is not told from others";

[[noreturn]] void throw_hidden_mixing(const char* operation, const std::string& difference) {
  throw TapeError(
      fmt::format("[{}] {}: f mixes samples where the record cannot show it (a branch, "
                  "value(), detach); "
                  "use jacobian for the joint derivative",
                  operation, difference));
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
      throw_hidden_mixing(
          kJacobian, fmt::format("output {} of sample {} is {} alone but {} within the batch of {}", c, i,
                                 a[0], b[0], n));
  }
}

}  // namespace

// What the record cannot show, C++ that looks at values, is looked for by evaluating some samples alone: their values and
// their gradients must be those within the batch.
RowSweep sweep_rows(ModelFunction f, const Tensor& w, const Tensor& x,
                    const std::vector<ColumnRange>& columns) {
  check_inputs(kJacobian, x);
  const Index n = x.size(0);
  Tensor values;
  const auto sweep_single = [&](const Tensor& sample, Tensor& value) {
    Tensor unused;
    return single_or([&] { return sweep_once(f, w, sample, columns, value); },
                     [&] { sweep_once(f, w, twice(sample), columns, unused); },
                     [&] { return slow_sweep(1, value.size(), kOneSample); });
  };
  if (n == 1) return sweep_single(x, values);
  RowSweep batch = sweep_once(f, w, x, columns, values);
  for (const Index i : samples_to_check(n)) {
    Tensor value;
    const RowSweep single = alone(i, n, [&] { return sweep_single(x.rows(i, i + 1), value); });
    check_values(values, value, i);
    if (!batch.slow_reason.empty() || same_gradients(batch, i, single, 0)) continue;
    // At a kink rounding alone can tell the two apart. Copies of the sample have the same rounding as the batch.
    const RowSweep copies = sweep_once(f, w, copies_of(x, i), columns, value);
    if (!same_gradients(batch, i, copies, i))
      throw_hidden_mixing(kJacobian,
                          fmt::format("the gradient of sample {} depends on the other {} samples", i, n - 1));
  }
  return batch;
}

namespace {

/// Nodes that depend on X.
std::vector<unsigned char> dependents(const TapeState& tape, std::uint32_t output) {
  std::vector<unsigned char> marks(tape.nodes.size(), 0);
  marks[kX] = 1;
  for (std::uint32_t i = kX + 1; i <= output; ++i)
    for (std::uint32_t j = 0; j < tape.nodes[i].num_inputs; ++j)
      if (const std::uint32_t source = tape.source(tape.nodes[i], j); source != kNoNode)
        marks[i] |= marks[source];
  return marks;
}

/// `proved`: the samples are known to be apart, or there is only one.
Tensor input_rows_once(ModelFunction f, const Tensor& w, const Tensor& x, Index& outputs, Tensor& values,
                       bool proved = false, RowCosts* costs = nullptr) {
  Tape tape;
  const Var wv = tape.input(w);
  const Var xv = tape.input(x);
  const Var y = f(wv, xv);
  const Index n = x.size(0), d = x.size() / n;
  TapeState& state = VarAccess::state(tape);
  check_tape(kJacobian, state, y);
  outputs = check_output(state, y, n);
  values = y.value();
  Tensor rows = Tensor::zeros(Shape{n * outputs, d});
  if (!y.tracked()) return rows;
  const std::uint32_t output = VarAccess::node(y);
  const std::vector<ColumnRange> no_columns;
  std::vector<unsigned char> active;
  if (proved)
    active = dependents(state, output);
  else
    active = RowAnalysis(kJacobian, state, output, no_columns).active_on_x();
  if (costs) *costs = record_costs(state, output, active);
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
  check_inputs(kJacobian, x);
  const Index n = x.size(0);
  Tensor values, value;
  const auto rows_single = [&](const Tensor& sample, Index& count, Tensor& found) {
    Index unused_count = 0;
    Tensor unused;
    return single_or([&] { return input_rows_once(f, w, sample, count, found); },
                     [&] { input_rows_once(f, w, twice(sample), unused_count, unused); },
                     [&] { return input_rows_once(f, w, sample, count, found, true); });
  };
  if (n == 1) return rows_single(x, outputs, values);
  Tensor batch = input_rows_once(f, w, x, outputs, values);
  for (const Index i : samples_to_check(n)) {
    Index single_outputs = 0;
    const Tensor single = alone(i, n, [&] { return rows_single(x.rows(i, i + 1), single_outputs, value); });
    check_values(values, value, i);
    Tensor copies;
    for (Index c = 0; c < outputs; ++c) {
      if (close_rows(batch, i * outputs + c, single, c)) continue;
      if (copies.rank() != 2) copies = input_rows_once(f, w, copies_of(x, i), single_outputs, value);
      if (!close_rows(batch, i * outputs + c, copies, i * outputs + c))
        throw_hidden_mixing(
            kJacobian, fmt::format("the derivative of sample {} depends on the other {} samples", i, n - 1));
    }
  }
  return batch;
}

Tensor input_rows_once(ModelFunction f, const Tensor& w, const Tensor& x, Index& outputs, RowCosts& costs) {
  check_inputs(kJacobian, x);
  Tensor values;
  return input_rows_once(f, w, x, outputs, values, false, &costs);
}

RowSweep sweep_rows_once(ModelFunction f, const Tensor& w, const Tensor& x,
                         const std::vector<ColumnRange>& columns, RowCosts& costs) {
  check_inputs(kJacobian, x);
  Tensor values;
  return sweep_once(f, w, x, columns, values, &costs);
}

namespace {

constexpr const char* kNotParts = "the loss is not a multiple of the sum of its samples' parts";

/// The factor in front of the sum of the parts of one sample alone; none if the loss is no such sum.
std::optional<double> factor_alone(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets) {
  Tape tape;
  const Var wv = tape.input(w);
  const Var xv = tape.input(x);
  const Var y = f(wv, xv, targets);
  TapeState& state = VarAccess::state(tape);
  check_tape(kGradients, state, y);
  if (!y.tracked()) return 1.0;
  const LossParts parts = loss_parts(state, VarAccess::node(y));
  return parts.node == kNoNode ? std::nullopt : std::optional(parts.factor);
}

/// One record of the loss and its rows: of [n] losses, or of the parts that are summed, `factor` times each.
RowSweep sweep_losses_once(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets,
                           const std::vector<ColumnRange>& columns, std::optional<double> factor,
                           RowCosts* costs = nullptr) {
  Tape tape;
  const Var wv = tape.input(w);
  const Var xv = tape.input(x);
  const Var y = f(wv, xv, targets);
  TapeState& state = VarAccess::state(tape);
  check_tape(kGradients, state, y);
  RowSweep result;
  result.samples = x.size(0);
  result.outputs = 1;
  if (!y.tracked()) return result;
  std::uint32_t output = VarAccess::node(y);
  if (factor) {
    output = loss_parts(state, output).node;
    const Shape* shape = output == kNoNode ? nullptr : &state.nodes[output].output.shape();
    if (!shape || shape->rank() == 0 || (*shape)[0] != result.samples) {
      result.slow_reason = kNotParts;
      return result;
    }
  }
  const RowAnalysis analysis(kGradients, state, output, columns);
  result.slow_reason = analysis.slow_reason();
  if (costs) *costs = record_costs(state, output, analysis.active_on_w());
  if (!result.slow_reason.empty()) return result;
  const Shape shape = state.nodes[output].output.shape();
  collect(
      state, output, analysis, 1, [&](Index) { return Tensor::full(shape, factor.value_or(1.0)); }, result);
  return result;
}

/// Work on sample i and its target alone.
template <class Work>
auto one_loss(const Tensor& x, const Tensor& targets, Index i, Work work) {
  return alone(i, x.size(0), [&] { return work(x.rows(i, i + 1), targets.rows(i, i + 1)); });
}

/// The record of all samples, with the factor in front of the parts of one alone; a slow_reason if there is none.
RowSweep sweep_all_losses(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets,
                          const std::vector<ColumnRange>& columns, bool& by_parts,
                          std::optional<double>& factor, RowCosts* costs) {
  const Index n = samples_of(x, targets);
  const Shape shape = f(Var(w), Var(x), targets).shape();
  by_parts = shape.size() == 1;
  if (!by_parts && shape.size() != n)
    throw ShapeError(fmt::format(
        "[per_sample_gradients] the loss is {} for {} samples; it must be [{}], one number a sample, "
        "or [], their mean",
        shape.to_string(), n, n));
  if (by_parts) {
    factor = one_loss(x, targets, 0,
                      [&](const Tensor& xs, const Tensor& ts) { return factor_alone(f, w, xs, ts); });
    if (!factor) return slow_sweep(n, 1, kNotParts);
  }
  if (n == 1)
    return single_or([&] { return sweep_losses_once(f, w, x, targets, columns, factor, costs); },
                     [&] { sweep_losses_once(f, w, twice(x), twice(targets), columns, factor); },
                     [&] { return slow_sweep(1, 1, kOneSample); });
  return sweep_losses_once(f, w, x, targets, columns, factor, costs);
}

}  // namespace

Index samples_of(const Tensor& x, const Tensor& targets) {
  check_inputs(kGradients, x);
  const Index n = x.size(0);
  if (targets.rank() == 0 || targets.size(0) != n)
    throw ShapeError(
        fmt::format("[per_sample_gradients] X is {}, the targets are {}; give one target a sample",
                    x.shape().to_string(), targets.shape().to_string()));
  return n;
}

RowSweep sweep_losses_once(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets,
                           const std::vector<ColumnRange>& columns, RowCosts& costs) {
  bool by_parts = false;
  std::optional<double> factor;
  return sweep_all_losses(f, w, x, targets, columns, by_parts, factor, &costs);
}

RowSweep sweep_losses(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets,
                      const std::vector<ColumnRange>& columns) {
  bool by_parts = false;
  std::optional<double> factor;
  RowSweep batch = sweep_all_losses(f, w, x, targets, columns, by_parts, factor, nullptr);
  const Index n = x.size(0);
  const auto sweep_single = [&](const Tensor& xs, const Tensor& ts) {
    const std::optional<double> own = by_parts ? factor_alone(f, w, xs, ts) : std::nullopt;
    return single_or([&] { return sweep_losses_once(f, w, xs, ts, columns, own); },
                     [&] { sweep_losses_once(f, w, twice(xs), twice(ts), columns, own); },
                     [&] { return slow_sweep(1, 1, kOneSample); });
  };
  for (const Index i : samples_to_check(n)) {
    if (!batch.slow_reason.empty()) break;
    const RowSweep single = one_loss(x, targets, i, sweep_single);
    if (same_gradients(batch, i, single, 0)) continue;
    const RowSweep copies = sweep_losses_once(f, w, copies_of(x, i), copies_of(targets, i), columns, factor);
    if (!same_gradients(batch, i, copies, i))
      throw_hidden_mixing(kGradients,
                          fmt::format("the gradient of sample {} depends on the other {} samples", i, n - 1));
  }
  return batch;
}

}  // namespace cotangent::detail
