// Forecasts from two, three and one sample, and the ways between which the number of samples decides.
#include "autodiff/samples/forecast.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/plan/record_costs.hpp"
#include "autodiff/samples/internal.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {
namespace {

/// What the record of one sample costs, and what `rows`, its whole way to rows, takes.
template <class Record, class Rows>
void forecast_alone(RowForecast& forecast, const Tensor& w, Record record, Rows rows) {
  {
    Tape tape;
    const Var y = record(tape.input(w));
    const TapeState& state = VarAccess::state(tape);
    const std::vector<unsigned char> no_rows(state.nodes.size(), 0);
    if (y.tracked()) forecast.alone = record_costs(state, VarAccess::node(y), no_rows);
  }
  const BlockTrace trace;
  rows();
  forecast.trace_alone = trace.events();
}

/// sweep(k, costs) on two and on three samples.
template <class Sweep>
RowForecast forecast_sweep(Sweep sweep) {
  RowForecast forecast;
  {
    const BlockTrace trace;
    forecast.sweep = sweep(Index{2}, forecast.two);
    forecast.trace.two = trace.events();
  }
  const BlockTrace trace;
  const RowSweep kept = sweep(Index{3}, forecast.three);
  forecast.trace.three = trace.events();
  return forecast;
}

void check_samples(const Tensor& x) {
  if (x.rank() == 0 || x.size(0) == 0)
    throw ShapeError(
        fmt::format("[plan] X is {}; give it at least one sample along axis 0", x.shape().to_string()));
}

}  // namespace

Tensor some_samples(const Tensor& x, Index k) {
  const Index n = x.size(0), d = x.size() / n;
  if (k <= n) return x.rows(0, k);
  Tensor some = uninitialized(x.shape().with(0, k));
  for (Index i = 0; i < k; ++i) std::copy_n(x.data().data() + (i % n) * d, d, mutable_data(some) + i * d);
  return some;
}

void check_memory(const char* operation, const std::optional<Index>& memory) {
  if (memory && *memory < 0)
    throw DomainError(
        fmt::format("[{}] .memory is {}; give the number of bytes the work may hold", operation, *memory));
}

RowCosts RowForecast::at(Index samples) const {
  RowCosts costs;
  const auto more = static_cast<double>(samples - 2);
  for (const auto field : {&RowCosts::forward_flops, &RowCosts::rows_flops, &RowCosts::gradient_flops})
    costs.*field = std::max(0.0, two.*field + more * (three.*field - two.*field));
  return costs;
}

double RowForecast::sweep_bytes(Index samples) const {
  BlockReplay replay;
  replay.run(trace, static_cast<double>(samples));
  if (samples == 1) return replay.peak();
  // The values of all are kept to be compared with those of samples alone.
  return replay.run(trace_alone).peak() + block_of(samples * sweep.outputs) + block_of(sweep.outputs);
}

double RowForecast::sweep_flops(Index samples) const {
  const auto outputs = static_cast<double>(sweep.outputs);
  const RowCosts all = at(samples), one = at(1);
  return all.forward_flops + outputs * all.rows_flops +
         static_cast<double>(samples_to_check(samples).size()) *
             (one.forward_flops + outputs * one.rows_flops);
}

double RowForecast::alone_flops(Index samples) const {
  const auto n = static_cast<double>(samples), outputs = static_cast<double>(sweep.outputs);
  // Without structure a sample is recorded once more than that is found out.
  return structured() ? n * sweep_flops(1) : n * (2.0 * alone.forward_flops + outputs * alone.gradient_flops);
}

RowForecast forecast_rows(ModelFunction f, const Tensor& w, const Tensor& x,
                          const std::vector<ColumnRange>& columns) {
  check_samples(x);
  RowForecast forecast = forecast_sweep(
      [&](Index k, RowCosts& costs) { return sweep_rows_once(f, w, some_samples(x, k), columns, costs); });
  const Tensor first = x.rows(0, 1);
  const Index outputs = forecast.sweep.outputs;
  Tensor row = uninitialized(Shape{outputs, count_columns(columns)});
  forecast_alone(
      forecast, w, [&](const Var& at) { return f(at, Var(first)); },
      [&] {
        const RowSweep one = sweep_rows(f, w, first, columns);
        if (!one.slow_reason.empty() && one.outputs == outputs)
          write_slow_rows(f, w, first, outputs, columns, row, 0);
      });
  return forecast;
}

RowForecast forecast_losses(LossFunction f, const Tensor& w, const Tensor& x, const Tensor& targets,
                            const std::vector<ColumnRange>& columns) {
  samples_of(x, targets);
  RowForecast forecast = forecast_sweep([&](Index k, RowCosts& costs) {
    return sweep_losses_once(f, w, some_samples(x, k), some_samples(targets, k), columns, costs);
  });
  const Tensor first = x.rows(0, 1), target = targets.rows(0, 1);
  forecast_alone(
      forecast, w, [&](const Var& at) { return f(at, Var(first), target); },
      [&] {
        if (!sweep_losses(f, w, first, target, columns).slow_reason.empty())
          slow_losses(f, w, first, target, columns);
      });
  return forecast;
}

RowForecast forecast_inputs(ModelFunction f, const Tensor& w, const Tensor& x) {
  check_samples(x);
  RowForecast forecast = forecast_sweep([&](Index k, RowCosts& costs) {
    RowSweep sweep;
    input_rows_once(f, w, some_samples(x, k), sweep.outputs, costs);
    return sweep;
  });
  const Tensor first = x.rows(0, 1);
  forecast_alone(
      forecast, w, [&](const Var& at) { return f(at, Var(first)); },
      [&] {
        Index outputs = 0;
        input_rows(f, w, first, outputs);
      });
  return forecast;
}

Index samples_at_a_time(const Way& way, Index samples) {
  return way.name == "single" ? 1 : way.chunk.value_or(samples);
}

Plan plan_rows(std::string task, const RowForecast& forecast, Index samples, Index numbers,
               std::optional<Index> memory) {
  const double result = block_of(numbers), writing = static_cast<double>(numbers);
  Way structured{.name = "structured",
                 .flops = forecast.sweep_flops(samples) + writing,
                 .bytes = result + forecast.sweep_bytes(samples),
                 .refusal = forecast.sweep.slow_reason};
  const auto over = [&](Index k) {
    return memory && result + forecast.sweep_bytes(k) > static_cast<double>(*memory);
  };
  Index k = samples;
  if (over(samples)) {  // the largest number of samples that fits, or 1; then chunks of equal sizes
    k = 1;
    for (Index too_many = samples; too_many - k > 1;) {
      const Index middle = k + (too_many - k) / 2;
      over(middle) ? too_many = middle : k = middle;
    }
    const Index fewest = (samples + k - 1) / k, even = (samples + fewest - 1) / fewest;
    if (!over(even)) k = even;
  }
  const Index times = (samples + k - 1) / k;
  const Way chunks{.name = "chunks",
                   .flops = static_cast<double>(times) * forecast.sweep_flops(k) + writing,
                   .bytes = result + forecast.sweep_bytes(k),
                   .refusal = forecast.sweep.slow_reason,
                   .chunk = k};
  const Way single{.name = "single",
                   .flops = forecast.alone_flops(samples) + writing,
                   .bytes = result + forecast.alone_bytes()};
  return Plan(std::move(task), {std::move(structured), chunks, single}, memory);
}

}  // namespace cotangent::detail
