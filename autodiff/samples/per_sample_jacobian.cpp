// The choice between the structured, the chunked and the slow exact way to a per-sample Jacobian.
#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace {

using detail::SampleForecast;
using detail::SampleSource;
using detail::SampleSweep;

/// The samples, and the names of the columns of their rows.
struct Task {
  SampleSource source;
  std::vector<ParamEntry> names;
};

Task task_of(ModelFunction f, const Tensor& w, const std::vector<ParamEntry>& table, const Tensor& x,
             const JacobianOptions& options) {
  detail::check_memory("per_sample_jacobian", options.memory);
  if (options.wrt == Wrt::inputs && !options.params.empty())
    throw DomainError(
        "[per_sample_jacobian] .params chooses columns among parameters; leave it out with .wrt = "
        "Wrt::inputs");
  if (options.wrt == Wrt::inputs) {
    SampleSource source = SampleSource::inputs(f, w, x);
    return {std::move(source), {{"x", x.shape().without(0), 0}}};
  }
  std::vector<ParamEntry> names;
  std::vector<detail::ColumnRange> columns = detail::select_columns(table, w.size(), options.params, names);
  return {SampleSource::model(f, w, x, std::move(columns)), std::move(names)};
}

Plan plan_of(const SampleSource& source, const SampleForecast& forecast, std::optional<Index> memory) {
  const Index rows = source.samples() * forecast.sweep.outputs;
  const Index width = detail::count_columns(source.columns());
  return detail::plan_samples(fmt::format("per-sample Jacobian [{}, {}]", rows, width), forecast,
                              rows * width, memory);
}

/// Rows of consecutive samples, each chunk by whichever way its own record allows.
Tensor in_chunks(const SampleSource& source, Index outputs, Index chunk) {
  Tensor rows =
      detail::uninitialized(Shape{source.samples() * outputs, detail::count_columns(source.columns())});
  detail::each_chunk(source.samples(), chunk, [&](Index first, Index last) {
    const SampleSource part = source.part(first, last);
    const SampleSweep sweep = detail::sweep_samples(part);
    if (sweep.outputs != outputs)
      throw ShapeError(
          fmt::format("[per_sample_jacobian] f has {} outputs for samples {} .. {} of {}, {} for the "
                      "first; it must treat samples alike",
                      sweep.outputs, first, last - 1, source.samples(), outputs));
    detail::write_rows(sweep, part, rows, first * outputs);
  });
  return rows;
}

Jacobian jacobian_of(Task task, std::optional<Index> memory) {
  const SampleSource& source = task.source;
  const Index n = source.samples();
  if (!memory) {
    const SampleSweep sweep = detail::sweep_samples(source);
    return Jacobian(detail::rows_of(sweep, source), n, sweep.outputs, std::move(task.names));
  }
  Index outputs = 0, chunk = 0;
  {
    const detail::BlockTrace apart;  // the cache keeps nothing of the plan
    const SampleForecast forecast = detail::forecast_samples(source);
    outputs = forecast.sweep.outputs;
    chunk = detail::samples_at_a_time(plan_of(source, forecast, memory).chosen(), n);
  }
  return Jacobian(in_chunks(source, outputs, chunk), n, outputs, std::move(task.names));
}

}  // namespace

Plan plan_per_sample_jacobian(ModelFunction f, const Params& w, const Tensor& x,
                              const JacobianOptions& options) {
  const Task task = task_of(f, w.flat(), w.table(), x, options);
  return plan_of(task.source, detail::forecast_samples(task.source), options.memory);
}

Jacobian per_sample_jacobian(ModelFunction f, const Params& w, const Tensor& x,
                             const JacobianOptions& options) {
  return jacobian_of(task_of(f, w.flat(), w.table(), x, options), options.memory);
}

Jacobian per_sample_jacobian(ModelFunction f, const Tensor& w, const Tensor& x,
                             const JacobianOptions& options) {
  if (w.rank() != 1)
    throw ShapeError(fmt::format("[per_sample_jacobian] w is {}; give the flat vector [P], or Params",
                                 w.shape().to_string()));
  return jacobian_of(task_of(f, w, {{"w", w.shape(), 0}}, x, options), options.memory);
}

}  // namespace cotangent
