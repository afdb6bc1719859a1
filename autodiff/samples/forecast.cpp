// Forecasts from two, three and one sample, and the ways between which the number of samples decides.
#include "autodiff/samples/sweep_once.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {
namespace {

/// What the record of one sample costs.
RecordCosts costs_alone(const SampleSource& source) {
  Tape tape;
  Var leaf;
  const Var y = source.record_alone(tape, 0, leaf);
  return y.tracked() ? record_costs(VarAccess::state(tape), VarAccess::node(y)) : RecordCosts();
}

/// The blocks that one sample's whole way to rows takes, of `outputs` outputs.
std::vector<BlockEvent> trace_alone(const SampleSource& source, Index outputs) {
  Tensor rows;
  const auto make_rows = [&] { rows = uninitialized(Shape{outputs, count_columns(source.columns())}); };
  // A model's rows are written into the result; of a loss's row perhaps only the square is taken.
  if (!source.of_loss()) make_rows();
  const BlockTrace trace;
  const SampleSweep sweep = sweep_samples(source);
  if (!sweep.slow_reason.empty() && sweep.outputs == outputs) {
    if (source.of_loss()) make_rows();
    write_rows(sweep, source, rows, 0);
  }
  return trace.events();
}

/// Sweeps over so many samples, and the blocks they take.
SampleSweep traced_sweep(const SampleSource& source, Index count, RecordCosts& costs,
                         std::vector<BlockEvent>& events) {
  const BlockTrace trace;
  SampleSweep sweep = sweep_once(source.some(count), costs);
  events = trace.events();
  return sweep;
}

}  // namespace

SampleForecast forecast_samples(const SampleSource& source) {
  SampleForecast forecast{.samples = source.samples()};
  forecast.sweep = traced_sweep(source, 2, forecast.two, forecast.trace.two);
  traced_sweep(source, 3, forecast.three, forecast.trace.three);
  const SampleSource first = source.part(0, 1);
  forecast.alone = costs_alone(first);
  forecast.trace_alone = trace_alone(first, forecast.sweep.outputs);
  return forecast;
}

RecordCosts SampleForecast::at(Index count) const {
  RecordCosts costs;
  const auto more = static_cast<double>(count - 2);
  for (const auto field :
       {&RecordCosts::forward_flops, &RecordCosts::samples_flops, &RecordCosts::gradient_flops})
    costs.*field = std::max(0.0, two.*field + more * (three.*field - two.*field));
  return costs;
}

double SampleForecast::sweep_bytes(Index count) const {
  BlockReplay replay;
  replay.run(trace, static_cast<double>(count));
  if (count == 1) return replay.peak();
  // The values of all are kept to be compared with those of samples alone.
  return replay.run(trace_alone).peak() + block_of(count * sweep.outputs) + block_of(sweep.outputs);
}

double SampleForecast::sweep_flops(Index count) const {
  const auto outputs = static_cast<double>(sweep.outputs);
  const RecordCosts all = at(count), one = at(1);
  return all.forward_flops + outputs * all.samples_flops +
         static_cast<double>(samples_to_check(count).size()) *
             (one.forward_flops + outputs * one.samples_flops);
}

double SampleForecast::alone_flops(Index count) const {
  const auto n = static_cast<double>(count), outputs = static_cast<double>(sweep.outputs);
  // Without structure a sample is recorded once more than that is found out.
  return structured() ? n * sweep_flops(1) : n * (2.0 * alone.forward_flops + outputs * alone.gradient_flops);
}

Index samples_at_a_time(const Way& way, Index samples) {
  return way.name == kSingleWay ? 1 : way.chunk.value_or(samples);
}

Plan plan_samples(std::string task, const SampleForecast& forecast, Index numbers,
                  std::optional<Index> memory) {
  const Index n = forecast.samples;
  const double result = block_of(numbers), writing = static_cast<double>(numbers);
  const auto bytes = [&](Index k) { return result + forecast.sweep_bytes(k); };
  const auto over = [&](Index k) { return memory && bytes(k) > static_cast<double>(*memory); };
  Index k = largest_that_fits(n, over);
  const auto times = [&] { return (n + k - 1) / k; };
  if (const Index even = (n + times() - 1) / times(); !over(even)) k = even;  // chunks of equal sizes
  const Way structured{.name = kStructuredWay,
                       .flops = forecast.sweep_flops(n) + writing,
                       .bytes = bytes(n),
                       .refusal = forecast.sweep.slow_reason};
  const Way chunks{.name = kChunksWay,
                   .flops = static_cast<double>(times()) * forecast.sweep_flops(k) + writing,
                   .bytes = bytes(k),
                   .refusal = forecast.sweep.slow_reason,
                   .chunk = k};
  const Way single{.name = kSingleWay,
                   .flops = forecast.alone_flops(n) + writing,
                   .bytes = result + forecast.alone_bytes()};
  return Plan(std::move(task), {structured, chunks, single}, memory);
}

}  // namespace cotangent::detail
