// From the uses of a sweep to numbers: rows and their squares, and the rows of samples alone.
#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/samples/sweep_once.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {

namespace {

void write_rows_alone(const SampleSource& source, Index outputs, Tensor& jacobian, Index first_row) {
  const Index n = source.samples(), width = count_columns(source.columns());
  double* row = mutable_data(jacobian) + first_row * width;
  for (Index i = 0; i < n; ++i) {
    Tape tape;
    Var leaf;
    const Var y = source.record_alone(tape, i, leaf);
    if (y.size() != outputs)
      throw ShapeError(
          fmt::format("[{}] f returned {} for the single sample {} of {}; it must be {} number{}",
                      source.operation(), y.shape().to_string(), i, n, outputs, outputs == 1 ? "" : "s"));
    for (Index c = 0; c < outputs; ++c, row += width) {
      std::fill_n(row, width, 0.0);
      if (!y.tracked()) continue;
      Tensor seed = Tensor::zeros(y.shape());
      mutable_data(seed)[c] = 1.0;
      const Tensor g = tape.vjp(y, seed, leaf).value();
      for (const ColumnRange& range : source.columns())
        std::copy(g.data().data() + range.first, g.data().data() + range.last, row + range.column);
    }
  }
}

}  // namespace

Tensor rows_alone(const SampleSource& source, Index outputs) {
  Tensor rows = uninitialized(Shape{source.samples() * outputs, count_columns(source.columns())});
  write_rows_alone(source, outputs, rows, 0);
  return rows;
}

Tensor rows_of(const SampleSweep& sweep, const SampleSource& source) {
  Tensor rows = uninitialized(Shape{sweep.samples * sweep.outputs, count_columns(source.columns())});
  write_rows(sweep, source, rows, 0);
  return rows;
}

namespace {

void write_uses(const SampleSweep& sweep, const std::vector<ColumnRange>& columns, Tensor& jacobian,
                Index first_row) {
  const Index n = sweep.samples, outputs = sweep.outputs, width = count_columns(columns);
  // For each use: its first column, and whether it is the first to write there.
  struct Target {
    const ParamUse* use;
    Index column;
    bool first;
  };
  std::vector<Target> targets;
  std::vector<std::pair<Index, Index>> written;
  for (const ParamUse& use : sweep.uses) {
    const auto range = std::find_if(columns.begin(), columns.end(), [&](const ColumnRange& r) {
      return r.first <= use.offset && use.offset + use.size <= r.last;
    });
    const Index column = range->column + use.offset - range->first;
    const std::pair<Index, Index> place{column, column + use.size};
    const bool first = std::find(written.begin(), written.end(), place) == written.end();
    if (first) written.push_back(place);
    targets.push_back({&use, column, first});
  }
  std::sort(written.begin(), written.end());
  const kernel::Loops& loops = kernel::loops();
  for (Index i = 0; i < n; ++i) {
    for (Index c = 0; c < outputs; ++c) {
      double* row = mutable_data(jacobian) + (first_row + i * outputs + c) * width;
      Index end = 0;
      for (const auto& [first, last] : written) {
        std::fill(row + end, row + first, 0.0);
        end = last;
      }
      std::fill(row + end, row + width, 0.0);
      for (const Target& target : targets) {
        const ParamUse& use = *target.use;
        const Tensor& delta = use.delta[static_cast<std::size_t>(c)];
        double* to = row + target.column;
        if (delta.rank() != 2) {
          if (target.first) std::fill(to, to + use.size, 0.0);
          continue;
        }
        const double one = 1.0;
        const Index p = delta.size(1), q = use.outer() ? use.data.size(1) : 1;
        const double* d = delta.data().data() + i * p;
        const double* h = use.outer() ? use.data.data().data() + i * q : &one;
        const auto write = target.first ? loops.outer : loops.outer_add;
        if (use.data_first || !use.outer())
          write(to, h, q, d, p);
        else
          write(to, d, p, h, q);
      }
    }
  }
}

double inner(const Tensor& a, const Tensor& b, Index i) {
  const Index k = a.size(1);
  return kernel::loops().dot(a.data().data() + i * k, b.data().data() + i * k, k);
}

/// Sample i's gradient of output c by one use spelled out.
void spell(const ParamUse& use, std::size_t c, Index i, double* to) {
  const double one = 1.0;
  const Tensor& delta = use.delta[c];
  const Index p = delta.size(1), q = use.outer() ? use.data.size(1) : 1;
  const double* d = delta.data().data() + i * p;
  const double* h = use.outer() ? use.data.data().data() + i * q : &one;
  const auto outer = kernel::loops().outer;
  use.data_first ? outer(to, h, q, d, p) : outer(to, d, p, h, q);
}

}  // namespace

void write_rows(const SampleSweep& sweep, const SampleSource& source, Tensor& jacobian, Index first_row) {
  if (sweep.slow_reason.empty())
    write_uses(sweep, source.columns(), jacobian, first_row);
  else
    write_rows_alone(source, sweep.outputs, jacobian, first_row);
}

void write_row_squares(const SampleSweep& sweep, Tensor& squares, Index first) {
  const Index n = sweep.samples, outputs = sweep.outputs;
  double* to = mutable_data(squares) + first;
  std::fill_n(to, n * outputs, 0.0);
  std::vector<double> left, right;
  for (std::size_t a = 0; a < sweep.uses.size(); ++a)
    for (std::size_t b = 0; b <= a; ++b) {
      const ParamUse &u = sweep.uses[a], &v = sweep.uses[b];
      if (u.offset != v.offset || u.size != v.size) continue;
      const double twice = a == b ? 1.0 : 2.0;
      for (std::size_t c = 0; c < static_cast<std::size_t>(outputs); ++c) {
        const Tensor &du = u.delta[c], &dv = v.delta[c];
        if (du.rank() != 2 || dv.rank() != 2) continue;
        const bool alike = u.outer() == v.outer() && u.data_first == v.data_first && du.size(1) == dv.size(1);
        const bool crossed =
            u.outer() && v.outer() && u.data_first != v.data_first && du.size(1) == v.data.size(1);
        for (Index i = 0; i < n; ++i) {
          double product = 0.0;
          if (alike) {
            product = inner(du, dv, i) * (u.outer() ? inner(u.data, v.data, i) : 1.0);
          } else if (crossed) {
            product = inner(u.data, dv, i) * inner(du, v.data, i);
          } else {
            left.resize(static_cast<std::size_t>(u.size));
            right.resize(static_cast<std::size_t>(v.size));
            spell(u, c, i, left.data());
            spell(v, c, i, right.data());
            product = kernel::loops().dot(left.data(), right.data(), u.size);
          }
          to[i * outputs + static_cast<Index>(c)] += twice * product;
        }
      }
    }
}

}  // namespace cotangent::detail
