// The choice between the structured, the chunked and the slow exact way to a per-sample Jacobian.
#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/samples/forecast.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace {

void check_outputs(Index found, Index outputs, Index first, Index last, const Tensor& x) {
  if (found != outputs)
    throw ShapeError(
        fmt::format("[per_sample_jacobian] f has {} outputs for samples {} .. {} of {}, {} for the "
                    "first; it must treat samples alike",
                    found, first, last - 1, x.shape().to_string(), outputs));
}

/// Rows of consecutive samples, each chunk by whichever way its own record allows.
Tensor in_chunks(ModelFunction f, const Tensor& w, const Tensor& x,
                 const std::vector<detail::ColumnRange>& columns, Index outputs, Index chunk) {
  Tensor rows = detail::uninitialized(Shape{x.size(0) * outputs, detail::count_columns(columns)});
  detail::each_chunk(x.size(0), chunk, [&](Index first, Index last) {
    const Tensor part = x.rows(first, last);
    const detail::RowSweep sweep = detail::sweep_rows(f, w, part, columns);
    check_outputs(sweep.outputs, outputs, first, last, x);
    if (sweep.slow_reason.empty())
      detail::write_rows(sweep, columns, rows, first * outputs);
    else
      detail::write_slow_rows(f, w, part, outputs, columns, rows, first * outputs);
  });
  return rows;
}

Tensor inputs_in_chunks(ModelFunction f, const Tensor& w, const Tensor& x, Index outputs, Index chunk) {
  const Index n = x.size(0), d = x.size() / n;
  Tensor rows = detail::uninitialized(Shape{n * outputs, d});
  detail::each_chunk(n, chunk, [&](Index first, Index last) {
    Index found = 0;
    const Tensor part = detail::input_rows(f, w, x.rows(first, last), found);
    check_outputs(found, outputs, first, last, x);
    std::copy(part.data().begin(), part.data().end(), detail::mutable_data(rows) + first * outputs * d);
  });
  return rows;
}

void check_options(const JacobianOptions& options) {
  detail::check_memory("per_sample_jacobian", options.memory);
  if (options.wrt == Wrt::inputs && !options.params.empty())
    throw DomainError(
        "[per_sample_jacobian] .params chooses columns among parameters; leave it out with .wrt = "
        "Wrt::inputs");
}

std::string task_of(Index rows, Index width) {
  return fmt::format("per-sample Jacobian [{}, {}]", rows, width);
}

Plan plan_by_inputs(const detail::RowForecast& forecast, const Tensor& x, std::optional<Index> memory) {
  const Index rows = x.size(0) * forecast.sweep.outputs, width = x.size() / x.size(0);
  return detail::plan_rows(task_of(rows, width), forecast, x.size(0), rows * width, memory);
}

Plan plan_by_params(const detail::RowForecast& forecast, const Tensor& x,
                    const std::vector<detail::ColumnRange>& columns, std::optional<Index> memory) {
  const Index rows = x.size(0) * forecast.sweep.outputs, width = detail::count_columns(columns);
  return detail::plan_rows(task_of(rows, width), forecast, x.size(0), rows * width, memory);
}

struct Chunks {
  Index outputs;
  Index samples;
};

Jacobian by_inputs(ModelFunction f, const Tensor& w, const Tensor& x, std::optional<Index> memory) {
  Index outputs = 0;
  Tensor rows;
  if (memory) {
    const Chunks chunks = [&] {
      const detail::BlockTrace apart;  // the cache keeps nothing of the plan
      const detail::RowForecast forecast = detail::forecast_inputs(f, w, x);
      const Way way = plan_by_inputs(forecast, x, memory).chosen();
      return Chunks{forecast.sweep.outputs, detail::samples_at_a_time(way, x.size(0))};
    }();
    outputs = chunks.outputs;
    rows = inputs_in_chunks(f, w, x, outputs, chunks.samples);
  } else {
    rows = detail::input_rows(f, w, x, outputs);
  }
  return Jacobian(std::move(rows), x.size(0), outputs, {{"x", x.shape().without(0), 0}});
}

Jacobian by_params(ModelFunction f, const Tensor& w, const std::vector<ParamEntry>& table, const Tensor& x,
                   const JacobianOptions& options) {
  check_options(options);
  if (options.wrt == Wrt::inputs) return by_inputs(f, w, x, options.memory);
  std::vector<ParamEntry> selected;
  const std::vector<detail::ColumnRange> columns =
      detail::select_columns(table, w.size(), options.params, selected);
  if (options.memory) {
    const Chunks chunks = [&] {
      const detail::BlockTrace apart;
      const detail::RowForecast forecast = detail::forecast_rows(f, w, x, columns);
      const Way way = plan_by_params(forecast, x, columns, options.memory).chosen();
      return Chunks{forecast.sweep.outputs, detail::samples_at_a_time(way, x.size(0))};
    }();
    return Jacobian(in_chunks(f, w, x, columns, chunks.outputs, chunks.samples), x.size(0), chunks.outputs,
                    std::move(selected));
  }
  const detail::RowSweep sweep = detail::sweep_rows(f, w, x, columns);
  Tensor rows = sweep.slow_reason.empty() ? detail::rows_from(sweep, columns)
                                          : detail::slow_rows(f, w, x, sweep.outputs, columns);
  return Jacobian(std::move(rows), sweep.samples, sweep.outputs, std::move(selected));
}

}  // namespace

Plan plan_per_sample_jacobian(ModelFunction f, const Params& w, const Tensor& x,
                              const JacobianOptions& options) {
  check_options(options);
  if (options.wrt == Wrt::inputs)
    return plan_by_inputs(detail::forecast_inputs(f, w.flat(), x), x, options.memory);
  std::vector<ParamEntry> selected;
  const std::vector<detail::ColumnRange> columns =
      detail::select_columns(w.table(), w.size(), options.params, selected);
  return plan_by_params(detail::forecast_rows(f, w.flat(), x, columns), x, columns, options.memory);
}

Jacobian per_sample_jacobian(ModelFunction f, const Params& w, const Tensor& x,
                             const JacobianOptions& options) {
  return by_params(f, w.flat(), w.table(), x, options);
}

Jacobian per_sample_jacobian(ModelFunction f, const Tensor& w, const Tensor& x,
                             const JacobianOptions& options) {
  if (w.rank() != 1)
    throw ShapeError(fmt::format("[per_sample_jacobian] w is {}; give the flat vector [P], or Params",
                                 w.shape().to_string()));
  return by_params(f, w, {{"w", w.shape(), 0}}, x, options);
}

}  // namespace cotangent
