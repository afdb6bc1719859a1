// Per-sample gradients and their squares, from the sweep of a loss or from one record a sample.
#include "autodiff/per_sample_gradients.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace {

using detail::SampleSource;
using detail::SampleSweep;

/// The samples, and the names of the columns of their rows.
struct Task {
  SampleSource source;
  std::vector<ParamEntry> names;
  Index width() const { return detail::count_columns(source.columns()); }
};

Task task_of(const char* operation, SampleLoss loss, const Tensor& w, const std::vector<ParamEntry>& table,
             const Tensor& x, const Tensor& targets, const SampleGradientOptions& options) {
  detail::check_memory(operation, options.memory);
  std::vector<ParamEntry> names;
  std::vector<detail::ColumnRange> columns = detail::select_columns(table, w.size(), options.params, names);
  return {SampleSource::losses(loss, w, x, targets, std::move(columns)), std::move(names)};
}

std::vector<ParamEntry> table_of(const Tensor& w) {
  if (w.rank() != 1)
    throw ShapeError(fmt::format("[per_sample_gradients] w is {}; give the flat vector [P], or Params",
                                 w.shape().to_string()));
  return {{"w", w.shape(), 0}};
}

Plan plan_of(const char* what, const SampleSource& source, Index numbers, std::optional<Index> memory) {
  return detail::plan_samples(fmt::format("per-sample {} of {} samples", what, source.samples()),
                              detail::forecast_samples(source), numbers, memory);
}

/// visit(first, sweep, part) for chunks of samples that leave the result and the sweep within the memory.
template <class Visit>
void each_sweep(const char* what, const SampleSource& source, Index numbers, std::optional<Index> memory,
                Visit visit) {
  Index chunk = source.samples();
  if (memory) {
    const detail::BlockTrace apart;  // the cache keeps nothing of the plan
    chunk = detail::samples_at_a_time(plan_of(what, source, numbers, memory).chosen(), chunk);
  }
  detail::each_chunk(source.samples(), chunk, [&](Index first, Index last) {
    const SampleSource part = source.part(first, last);
    visit(first, detail::sweep_samples(part), part);
  });
}

Jacobian gradients(Task task, std::optional<Index> memory) {
  const SampleSource& source = task.source;
  const Index n = source.samples(), width = task.width();
  Tensor rows = detail::uninitialized(Shape{n, width});
  each_sweep("gradients", source, n * width, memory,
             [&](Index first, const SampleSweep& sweep, const SampleSource& part) {
               detail::write_rows(sweep, part, rows, first);
             });
  return Jacobian(std::move(rows), n, 1, std::move(task.names));
}

Tensor square_norms(const Task& task, std::optional<Index> memory) {
  const Index n = task.source.samples();
  Tensor squares = detail::uninitialized(Shape{n});
  each_sweep("square norms", task.source, n, memory,
             [&](Index first, const SampleSweep& sweep, const SampleSource& part) {
               if (sweep.slow_reason.empty()) return detail::write_row_squares(sweep, squares, first);
               for (Index i = 0; i < part.samples(); ++i) {
                 const Tensor row = detail::rows_alone(part.part(i, i + 1), 1);
                 const double* numbers = row.data().data();
                 detail::mutable_data(squares)[first + i] = kernel::loops().dot(numbers, numbers, row.size());
               }
             });
  return squares;
}

}  // namespace

Plan plan_per_sample_gradients(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options) {
  const Task task = task_of("plan", loss, w.flat(), w.table(), x, targets, options);
  return plan_of("gradients", task.source, x.size(0) * task.width(), options.memory);
}

Jacobian per_sample_gradients(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                              const SampleGradientOptions& options) {
  return gradients(task_of("per_sample_gradients", loss, w.flat(), w.table(), x, targets, options),
                   options.memory);
}
Jacobian per_sample_gradients(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
                              const SampleGradientOptions& options) {
  return gradients(task_of("per_sample_gradients", loss, w, table_of(w), x, targets, options),
                   options.memory);
}
Tensor per_sample_square_norms(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options) {
  return square_norms(task_of("per_sample_square_norms", loss, w.flat(), w.table(), x, targets, options),
                      options.memory);
}
Tensor per_sample_square_norms(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options) {
  return square_norms(task_of("per_sample_square_norms", loss, w, table_of(w), x, targets, options),
                      options.memory);
}

}  // namespace cotangent
