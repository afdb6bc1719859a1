// Per-sample gradients from the row sweep of a loss, or from one record a sample.
#include "autodiff/per_sample_gradients.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/kernels.hpp"
#include "autodiff/rows.hpp"
#include "autodiff/tensor_access.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent {
namespace {

using detail::ColumnRange;

Tensor gradient_alone(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets, Index i) {
  return grad(
      [&](const Var& at) {
        Var y = loss(at, Var(x.rows(i, i + 1)), targets.rows(i, i + 1));
        if (y.size() != 1)
          throw ShapeError(fmt::format(
              "[per_sample_gradients] the loss of the single sample {} of {} is {}; it must be one number", i,
              x.shape().to_string(), y.shape().to_string()));
        return y;
      },
      w);
}

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

Jacobian gradients(SampleLoss loss, const Tensor& w, const std::vector<ParamEntry>& table, const Tensor& x,
                   const Tensor& targets, const SampleGradientOptions& options) {
  Columns columns(table, w.size(), options);
  const detail::RowSweep sweep = detail::sweep_losses(loss, w, x, targets, columns.ranges);
  const Index n = x.size(0), width = detail::count_columns(columns.ranges);
  if (sweep.slow_reason.empty())
    return Jacobian(detail::rows_from(sweep, columns.ranges), n, 1, std::move(columns.selected));
  Tensor rows = detail::uninitialized(Shape{n, width});
  for (Index i = 0; i < n; ++i) {
    const Tensor g = gradient_alone(loss, w, x, targets, i);
    for (const ColumnRange& range : columns.ranges)
      std::copy(g.data().data() + range.first, g.data().data() + range.last,
                detail::mutable_data(rows) + i * width + range.column);
  }
  return Jacobian(std::move(rows), n, 1, std::move(columns.selected));
}

Tensor square_norms(SampleLoss loss, const Tensor& w, const std::vector<ParamEntry>& table, const Tensor& x,
                    const Tensor& targets, const SampleGradientOptions& options) {
  const Columns columns(table, w.size(), options);
  const detail::RowSweep sweep = detail::sweep_losses(loss, w, x, targets, columns.ranges);
  if (sweep.slow_reason.empty()) return detail::row_squares(sweep);
  Tensor squares = Tensor::zeros(Shape{x.size(0)});
  for (Index i = 0; i < x.size(0); ++i) {
    const Tensor g = gradient_alone(loss, w, x, targets, i);
    for (const ColumnRange& range : columns.ranges) {
      const double* part = g.data().data() + range.first;
      detail::mutable_data(squares)[i] += kernel::loops().dot(part, part, range.last - range.first);
    }
  }
  return squares;
}

}  // namespace

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
