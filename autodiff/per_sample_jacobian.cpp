// The choice between the structured, the chunked and the slow exact way to a per-sample Jacobian.
#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/row_forecast.hpp"
#include "autodiff/rows.hpp"
#include "autodiff/tensor_access.hpp"

namespace cotangent {
namespace {

/// Rows of consecutive samples, each chunk by whichever way its own record allows.
Jacobian in_chunks(ModelFunction f, const Tensor& w, const Tensor& x,
                   const std::vector<detail::ColumnRange>& columns, std::vector<ParamEntry> selected,
                   Index outputs, Index chunk) {
  const Index n = x.size(0), width = detail::count_columns(columns);
  Tensor rows = detail::uninitialized(Shape{n * outputs, width});
  for (Index first = 0; first < n; first += chunk) {
    const Tensor part = x.rows(first, std::min(first + chunk, n));
    const detail::RowSweep sweep = detail::sweep_rows(f, w, part, columns);
    if (sweep.outputs != outputs)
      throw ShapeError(
          fmt::format("[per_sample_jacobian] f has {} outputs for samples {} .. {} of {}, {} for the "
                      "first; it must treat samples alike",
                      sweep.outputs, first, std::min(first + chunk, n) - 1, x.shape().to_string(), outputs));
    if (sweep.slow_reason.empty()) {
      detail::write_rows(sweep, columns, rows, first * outputs);
      continue;
    }
    const Tensor slow = detail::slow_rows(f, w, part, outputs, columns);
    std::copy(slow.data().begin(), slow.data().end(), detail::mutable_data(rows) + first * outputs * width);
  }
  return Jacobian(std::move(rows), n, outputs, std::move(selected));
}

Jacobian within_memory(ModelFunction f, const Tensor& w, const Tensor& x,
                       const std::vector<detail::ColumnRange>& columns, std::vector<ParamEntry> selected,
                       Index memory) {
  const detail::RowForecast forecast = detail::forecast_rows(f, w, x, columns);
  const Way way = detail::plan_rows(forecast, w, x, detail::count_columns(columns), memory).chosen();
  const Index n = x.size(0);
  return in_chunks(f, w, x, columns, std::move(selected), forecast.sweep.outputs,
                   way.name == "single" ? 1 : way.chunk.value_or(n));
}

Jacobian by_params(ModelFunction f, const Tensor& w, const std::vector<ParamEntry>& table, const Tensor& x,
                   const JacobianOptions& options) {
  if (options.wrt == Wrt::inputs) {
    if (!options.params.empty())
      throw DomainError(
          "[per_sample_jacobian] .params chooses columns among parameters; leave it out with .wrt = "
          "Wrt::inputs");
    if (options.memory)
      throw DomainError(
          "[per_sample_jacobian] .memory plans derivatives by the parameters; leave it out with .wrt = "
          "Wrt::inputs");
    Index outputs = 0;
    Tensor rows = detail::input_rows(f, w, x, outputs);
    Shape shape = x.shape().without(0);
    return Jacobian(std::move(rows), x.size(0), outputs, {{"x", shape, 0}});
  }
  std::vector<ParamEntry> selected;
  const std::vector<detail::ColumnRange> columns =
      detail::select_columns(table, w.size(), options.params, selected);
  if (options.memory) return within_memory(f, w, x, columns, std::move(selected), *options.memory);
  const detail::RowSweep sweep = detail::sweep_rows(f, w, x, columns);
  Tensor rows = sweep.slow_reason.empty() ? detail::rows_from(sweep, columns)
                                          : detail::slow_rows(f, w, x, sweep.outputs, columns);
  return Jacobian(std::move(rows), sweep.samples, sweep.outputs, std::move(selected));
}

}  // namespace

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
