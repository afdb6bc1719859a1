// Per-sample gradients from the row sweep of a loss, or from one record a sample.
#include "autodiff/per_sample_gradients.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/kernels/kernels.hpp"
#include "autodiff/samples/forecast.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace {

using detail::ColumnRange;

struct Columns {
  std::vector<ParamEntry> selected;
  std::vector<ColumnRange> ranges;
  Columns(const std::vector<ParamEntry>& table, Index size, const SampleGradientOptions& options)
      : ranges(detail::select_columns(table, size, options.params, selected)) {}
};

std::vector<ParamEntry> table_of(const Tensor& w) {
  if (w.rank() != 1)
    throw ShapeError(fmt::format("[per_sample_gradients] w is {}; give the flat vector [P], or Params",
                                 w.shape().to_string()));
  return {{"w", w.shape(), 0}};
}

Plan plan_of(const char* what, SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
             const Columns& columns, Index numbers, std::optional<Index> memory) {
  return detail::plan_rows(fmt::format("per-sample {} of {} samples", what, x.size(0)),
                           detail::forecast_losses(loss, w, x, targets, columns.ranges), x.size(0), numbers,
                           memory);
}

/// with_sweep(first, sweep) for chunks of samples that fit the memory, or alone(i, row) for samples whose chunk has no
/// structure. Shapes: row [1, width].
template <class WithSweep, class Alone>
void each_gradient(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
                   const Columns& columns, Index chunk, WithSweep with_sweep, Alone alone) {
  detail::each_chunk(x.size(0), chunk, [&](Index first, Index last) {
    const bool all = last - first == x.size(0);
    const detail::RowSweep sweep = detail::sweep_losses(
        loss, w, all ? x : x.rows(first, last), all ? targets : targets.rows(first, last), columns.ranges);
    if (sweep.slow_reason.empty()) return with_sweep(first, sweep);
    for (Index i = first; i < last; ++i)
      alone(i, detail::slow_losses(loss, w, x.rows(i, i + 1), targets.rows(i, i + 1), columns.ranges));
  });
}

Index chunk_of(const char* what, SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
               const Columns& columns, Index numbers, const SampleGradientOptions& options) {
  if (!options.memory) return detail::samples_of(x, targets);
  const detail::BlockTrace apart;  // the cache keeps nothing of the plan
  return detail::samples_at_a_time(
      plan_of(what, loss, w, x, targets, columns, numbers, options.memory).chosen(), x.size(0));
}

Jacobian gradients(SampleLoss loss, const Tensor& w, const std::vector<ParamEntry>& table, const Tensor& x,
                   const Tensor& targets, const SampleGradientOptions& options) {
  detail::check_memory("per_sample_gradients", options.memory);
  const Index n = detail::samples_of(x, targets);
  Columns columns(table, w.size(), options);
  const Index width = detail::count_columns(columns.ranges);
  const Index chunk = chunk_of("gradients", loss, w, x, targets, columns, n * width, options);
  Tensor rows = detail::uninitialized(Shape{n, width});
  each_gradient(
      loss, w, x, targets, columns, chunk,
      [&](Index first, const detail::RowSweep& sweep) {
        detail::write_rows(sweep, columns.ranges, rows, first);
      },
      [&](Index i, const Tensor& row) {
        std::copy(row.data().begin(), row.data().end(), detail::mutable_data(rows) + i * width);
      });
  return Jacobian(std::move(rows), n, 1, std::move(columns.selected));
}

Tensor square_norms(SampleLoss loss, const Tensor& w, const std::vector<ParamEntry>& table, const Tensor& x,
                    const Tensor& targets, const SampleGradientOptions& options) {
  detail::check_memory("per_sample_square_norms", options.memory);
  const Index n = detail::samples_of(x, targets);
  const Columns columns(table, w.size(), options);
  const Index chunk = chunk_of("square norms", loss, w, x, targets, columns, n, options);
  Tensor squares = detail::uninitialized(Shape{n});
  each_gradient(
      loss, w, x, targets, columns, chunk,
      [&](Index first, const detail::RowSweep& sweep) { detail::write_row_squares(sweep, squares, first); },
      [&](Index i, const Tensor& row) {
        const double* numbers = row.data().data();
        detail::mutable_data(squares)[i] = kernel::loops().dot(numbers, numbers, row.size());
      });
  return squares;
}

}  // namespace

Plan plan_per_sample_gradients(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options) {
  detail::check_memory("plan", options.memory);
  const Columns columns(w.table(), w.size(), options);
  const Index numbers = detail::samples_of(x, targets) * detail::count_columns(columns.ranges);
  return plan_of("gradients", loss, w.flat(), x, targets, columns, numbers, options.memory);
}

Jacobian per_sample_gradients(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                              const SampleGradientOptions& options) {
  return gradients(loss, w.flat(), w.table(), x, targets, options);
}
Jacobian per_sample_gradients(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
                              const SampleGradientOptions& options) {
  return gradients(loss, w, table_of(w), x, targets, options);
}
Tensor per_sample_square_norms(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options) {
  return square_norms(loss, w.flat(), w.table(), x, targets, options);
}
Tensor per_sample_square_norms(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options) {
  return square_norms(loss, w, table_of(w), x, targets, options);
}

}  // namespace cotangent
