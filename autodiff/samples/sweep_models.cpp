// One backward pass for each output over a record whose samples were proved apart.
#include "autodiff/samples/sweep.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/samples/sweep_once.hpp"
#include "autodiff/tape/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {

std::optional<SampleAnalysis> analysis_of(const SampleSource& source, const TapeState& tape,
                                          std::uint32_t output, SampleSweep& result) {
  static const std::vector<ColumnRange> kNone;
  try {
    SampleAnalysis analysis(source.operation(), tape, output,
                            source.wrt() == Wrt::params ? source.columns() : kNone);
    result.slow_reason = analysis.slow_reason();
    return analysis;
  } catch (const TapeError&) {
    if (result.samples != 1) throw;
    result.slow_reason = "the axis of the only sample is not told from others";
  }
  return std::nullopt;
}

void collect(TapeState& state, std::uint32_t output, const SampleAnalysis& analysis, Index passes,
             FunctionRef<Tensor(Index)> seed, SampleSweep& result) {
  const std::vector<unsigned char> active = analysis.active_on_w();
  for (const SharedInput& use : analysis.uses())
    result.uses.push_back({.offset = use.offset, .size = use.size});
  const auto capture = [&](std::uint32_t node, const Var& g) {
    for (std::size_t k = 0; k < analysis.uses().size(); ++k) {
      const SharedInput& use = analysis.uses()[k];
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

/// The same with respect to the inputs: one use of all d numbers of a sample.
void collect_inputs(TapeState& state, std::uint32_t output, const SampleAnalysis& analysis, Index d,
                    FunctionRef<Tensor(Index)> seed, SampleSweep& result) {
  const std::vector<unsigned char> active = analysis.active_on_x();
  result.uses.push_back({.size = d});
  for (Index c = 0; c < result.outputs; ++c) {
    Sweep sweep(state, output, kX, false);
    sweep.set_active(active.data());
    sweep.run(seed(c));
    result.uses[0].delta.push_back(sweep.reached() ? sweep.take().value().reshape(Shape{result.samples, d})
                                                   : Tensor());
  }
}

Index check_output(const SampleSource& source, const TapeState& tape, const Var& y, Index n) {
  if (y.rank() != 0 && y.size(0) == n) return y.size() / n;
  const std::string mixing = y.tracked() ? mixing_on_the_way(tape, VarAccess::node(y)) : "";
  throw ShapeError(
      fmt::format("[{}] f returned {} for {} samples; it must return one row a sample, [{}, ...]{}",
                  source.operation(), y.shape().to_string(), n, n, mixing.empty() ? "" : "; " + mixing));
}

Tensor column_seed(const Shape& shape, Index outputs, Index c) {
  Tensor seed = Tensor::zeros(shape);
  for (Index k = c; k < seed.size(); k += outputs) mutable_data(seed)[k] = 1.0;
  return seed;
}

SampleSweep sweep_model_once(const SampleSource& source, Index first, Index last, Tensor& values,
                             RecordCosts* costs) {
  Tape tape;
  TapeState& state = VarAccess::state(tape);
  const Var y = source.record(tape, first, last);
  SampleSweep result{.samples = last - first};
  result.outputs = check_output(source, state, y, result.samples);
  values = y.value();
  if (!y.tracked()) return result;
  const std::uint32_t output = VarAccess::node(y);
  const std::optional<SampleAnalysis> analysis = analysis_of(source, state, output, result);
  if (!analysis) return result;
  const bool by_inputs = source.wrt() == Wrt::inputs;
  if (by_inputs) result.slow_reason.clear();  // it speaks of parameters
  if (costs)
    *costs = record_costs(state, output, by_inputs ? analysis->active_on_x() : analysis->active_on_w());
  if (!result.slow_reason.empty()) return result;
  const auto seed = [&](Index c) { return column_seed(y.shape(), result.outputs, c); };
  if (by_inputs)
    collect_inputs(state, output, *analysis, count_columns(source.columns()), seed, result);
  else
    collect(state, output, *analysis, result.outputs, seed, result);
  return result;
}

}  // namespace

SampleSweep sweep_once(const SampleSource& source, Index first, Index last, Tensor& values,
                       RecordCosts* costs) {
  return source.of_loss() ? sweep_losses_once(source, first, last, values, costs)
                          : sweep_model_once(source, first, last, values, costs);
}

SampleSweep sweep_once(const SampleSource& source, RecordCosts& costs) {
  Tensor values;
  return sweep_once(source, 0, source.samples(), values, &costs);
}

}  // namespace cotangent::detail
