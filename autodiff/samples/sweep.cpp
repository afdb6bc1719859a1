// One sweep an output column over a record whose samples were proved apart.
#include "autodiff/samples/sweep.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/plan/record_costs.hpp"
#include "autodiff/samples/internal.hpp"
#include "autodiff/tape/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {

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

std::optional<RowAnalysis> analysis_of(const char* operation, const TapeState& tape, std::uint32_t output,
                                       const std::vector<ColumnRange>& columns, RowSweep& result) {
  try {
    RowAnalysis analysis(operation, tape, output, columns);
    result.slow_reason = analysis.slow_reason();
    return analysis;
  } catch (const TapeError&) {
    if (result.samples != 1) throw;
    result.slow_reason = "the axis of the only sample is not told from others";
  }
  return std::nullopt;
}

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

namespace {

constexpr const char* kJacobian = "per_sample_jacobian";

Index check_output(const TapeState& tape, const Var& y, Index n) {
  if (y.rank() != 0 && y.size(0) == n) return y.size() / n;
  const std::string mixing = y.tracked() ? mixing_on_the_way(tape, VarAccess::node(y)) : "";
  throw ShapeError(fmt::format(
      "[per_sample_jacobian] f returned {} for {} samples; it must return one row a sample, [{}, ...]{}",
      y.shape().to_string(), n, n, mixing.empty() ? "" : "; " + mixing));
}

Tensor column_seed(const Shape& shape, Index outputs, Index c) {
  Tensor seed = Tensor::zeros(shape);
  for (Index k = c; k < seed.size(); k += outputs) mutable_data(seed)[k] = 1.0;
  return seed;
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
  const std::optional<RowAnalysis> analysis = analysis_of(kJacobian, state, output, columns, result);
  if (costs && analysis) *costs = record_costs(state, output, analysis->active_on_w());
  if (!result.slow_reason.empty()) return result;
  collect(
      state, output, *analysis, result.outputs,
      [&](Index c) { return column_seed(y.shape(), result.outputs, c); }, result);
  return result;
}

/// Rows by the inputs, as of one use of all numbers of x.
RowSweep sweep_inputs_once(ModelFunction f, const Tensor& w, const Tensor& x, Tensor& values,
                           RowCosts* costs = nullptr) {
  Tape tape;
  const Var wv = tape.input(w);
  const Var xv = tape.input(x);
  const Var y = f(wv, xv);
  RowSweep result;
  const Index n = result.samples = x.size(0), d = x.size() / n;
  TapeState& state = VarAccess::state(tape);
  check_tape(kJacobian, state, y);
  result.outputs = check_output(state, y, n);
  values = y.value();
  if (!y.tracked()) return result;
  const std::uint32_t output = VarAccess::node(y);
  const std::optional<RowAnalysis> analysis = analysis_of(kJacobian, state, output, {}, result);
  if (!analysis) return result;
  result.slow_reason.clear();  // it speaks of parameters
  const std::vector<unsigned char> active = analysis->active_on_x();
  if (costs) *costs = record_costs(state, output, active);
  result.uses.push_back({.size = d});
  for (Index c = 0; c < result.outputs; ++c) {
    Sweep sweep(state, output, kX, false);
    sweep.set_active(active.data());
    sweep.run(column_seed(y.shape(), result.outputs, c));
    result.uses[0].delta.push_back(sweep.reached() ? sweep.take().value().reshape(Shape{n, d}) : Tensor());
  }
  return result;
}

Tensor input_rows_alone(ModelFunction f, const Tensor& w, const Tensor& x, Index outputs, Index width) {
  return rows_alone(kJacobian, x.size(0), outputs, {{0, width, 0}}, [&](Tape& tape, Index i, Var& leaf) {
    leaf = tape.input(x.rows(i, i + 1));
    return f(Var(w), leaf);
  });
}

}  // namespace

RowSweep sweep_rows(ModelFunction f, const Tensor& w, const Tensor& x,
                    const std::vector<ColumnRange>& columns) {
  check_inputs(kJacobian, x);
  Index outputs = 1;
  const auto sweep = [&](Index first, Index last, Tensor& values) {
    RowSweep found = sweep_once(f, w, x.rows(first, last), columns, values);
    outputs = found.outputs;
    return found;
  };
  const auto alone = [&](Index i) { return slow_rows(f, w, x.rows(i, i + 1), outputs, columns); };
  return checked_sweep({kJacobian, x.size(0), columns, sweep, alone, true});
}

Tensor input_rows(ModelFunction f, const Tensor& w, const Tensor& x, Index& outputs) {
  check_inputs(kJacobian, x);
  const Index width = x.size() / x.size(0);
  const std::vector<ColumnRange> columns{{0, width, 0}};
  const auto sweep = [&](Index first, Index last, Tensor& values) {
    RowSweep found = sweep_inputs_once(f, w, x.rows(first, last), values);
    outputs = found.outputs;
    return found;
  };
  const auto alone = [&](Index i) { return input_rows_alone(f, w, x.rows(i, i + 1), outputs, width); };
  const RowSweep found = checked_sweep({kJacobian, x.size(0), columns, sweep, alone, true});
  outputs = found.outputs;
  return found.slow_reason.empty() ? rows_from(found, columns) : input_rows_alone(f, w, x, outputs, width);
}

Tensor input_rows_once(ModelFunction f, const Tensor& w, const Tensor& x, Index& outputs, RowCosts& costs) {
  check_inputs(kJacobian, x);
  Tensor values;
  const RowSweep found = sweep_inputs_once(f, w, x, values, &costs);
  outputs = found.outputs;
  return rows_from(found, {{0, x.size() / x.size(0), 0}});
}

RowSweep sweep_rows_once(ModelFunction f, const Tensor& w, const Tensor& x,
                         const std::vector<ColumnRange>& columns, RowCosts& costs) {
  check_inputs(kJacobian, x);
  Tensor values;
  return sweep_once(f, w, x, columns, values, &costs);
}

void write_slow_rows(ModelFunction f, const Tensor& w, const Tensor& x, Index outputs,
                     const std::vector<ColumnRange>& columns, Tensor& jacobian, Index first_row) {
  const auto record = [&](Tape& tape, Index i, Var& leaf) {
    leaf = tape.input(w);
    return f(leaf, Var(x.rows(i, i + 1)));
  };
  write_rows_alone(kJacobian, x.size(0), outputs, columns, record, jacobian, first_row);
}

Tensor slow_rows(ModelFunction f, const Tensor& w, const Tensor& x, Index outputs,
                 const std::vector<ColumnRange>& columns) {
  Tensor rows = uninitialized(Shape{x.size(0) * outputs, count_columns(columns)});
  write_slow_rows(f, w, x, outputs, columns, rows, 0);
  return rows;
}

}  // namespace cotangent::detail
