// Operations that pick numbers by position, their adjoints, and what is composed of them: diagonals,
// triangles, stacks, borders.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/memory/recycled.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {
namespace {

// Checks all positions at once, so that the loops that use them need not.
void check_positions(const char* name, const Tensor& index, const Shape& x, int axis, Index size) {
  const std::span<const double> positions = index.data();
  for (std::size_t i = 0; i < positions.size(); ++i)
    if (!(positions[i] >= 0.0 && positions[i] < static_cast<double>(size)) ||
        positions[i] != std::floor(positions[i]))
      throw DomainError(
          fmt::format("[{}] element {} of the index, which is {}, is {}; positions along axis {} of "
                      "{} are the whole numbers 0 .. {}",
                      name, i, index.shape().to_string(), positions[i], axis, x.to_string(), size - 1));
}

Index at(const double* positions, Index i) { return static_cast<Index>(positions[i]); }

Shape rows_shape(const Shape& x, Index rows) { return x.with(0, rows); }

/// Row rule of gather_rows and its adjoint by the input with the rows: every axis but theirs is kept.
int other_axes(const NodeView&, int axis, int j) { return j == 1 ? kFactor : axis == 0 ? kBlocked : axis; }

const Op kGatherRows({
    .name = "gather_rows",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          if (in.shape(0).rank() == 0 || in.shape(1).rank() != 1)
            throw ShapeError(
                fmt::format("[gather_rows] x is {}, index is {}; x must have rows and index be [m]",
                            in.shape(0).to_string(), in.shape(1).to_string()));
          check_positions("gather_rows", in[1], in.shape(0), 0, in.shape(0)[0]);
          const Index m = in[1].size();
          Tensor out = uninitialized(rows_shape(in.shape(0), m));
          const Index row = m ? out.size() / m : 0;
          const double* index = in[1].data().data();
          for (Index i = 0; i < m; ++i)
            copy_run(mutable_data(out) + i * row, in[0].data().data() + at(index, i) * row, row);
          return out;
        },
    .roundings = 0,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, scatter_rows(g, p.in(1), p.shape(0)[0])); },
    .keep = Keep::kInputs,
    // A table whose rows the samples choose is shared by them.
    .row_rule = [](const NodeView& node, int axis,
                   int j) { return axis == 0 ? (j == 0 ? kFactor : 0) : other_axes(node, axis, j); },
    // Sample i's gradient is g_i in the row it chose: one-hot (x) g_i.
    .row_factor =
        [](const OpRecord& p, int axis, int j, const Tensor& g) {
          if (j == 1) return RowFactor{Tensor::zeros(Shape{g.size(axis), p.shape(1).size()})};
          const Tensor& index = p.in(1).value();
          const Index n = index.size(), rows = p.shape(0)[0];
          Tensor chosen = Tensor::zeros(Shape{n, rows});
          for (Index i = 0; i < n; ++i) mutable_data(chosen)[i * rows + at(index.data().data(), i)] = 1.0;
          return RowFactor{g.reshape(Shape{n, n ? g.size() / n : 0}), chosen, true};
        },
});

// Numbers that meet at one place are added one after another, not pairwise.
const Op kScatterRows({
    .name = "scatter_rows",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const Index rows = a.whole[0];
          if (rows < 0)
            throw ShapeError(fmt::format("[scatter_rows] a result of {} rows; give 0 or more", rows));
          if (in.shape(0).rank() == 0 || in.shape(1).rank() != 1 || in.shape(0)[0] != in.shape(1)[0])
            throw ShapeError(fmt::format(
                "[scatter_rows] x is {}, index is {}, for {} rows; give one position for each row of x, [m]",
                in.shape(0).to_string(), in.shape(1).to_string(), rows));
          Tensor out = Tensor::zeros(rows_shape(in.shape(0), rows));
          check_positions("scatter_rows", in[1], out.shape(), 0, rows);
          const Index m = in[1].size(), row = m ? in[0].size() / m : 0;
          const double* index = in[1].data().data();
          for (Index i = 0; i < m; ++i)
            kernel::loops().add_to(mutable_data(out) + at(index, i) * row, in[0].data().data() + i * row,
                                   row);
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor&) {
          std::vector<double> summed(static_cast<std::size_t>(a.whole[0]));
          for (const double row : in[1].data()) ++summed[static_cast<std::size_t>(row)];
          const double most = summed.empty() ? 0.0 : *std::max_element(summed.begin(), summed.end());
          return most <= 1.0 ? Tensor()
                             : ((most - 1.0) * scatter_rows(abs(in[0]), in[1], a.whole[0])).value();
        },
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, gather_rows(g, p.in(1))); },
    .keep = Keep::kInputs,
    .row_rule = [](const NodeView& node, int axis,
                   int j) { return axis == 0 ? kBlocked : other_axes(node, axis, j); },
});

bool agree_but(const Shape& a, const Shape& b, int axis) {
  return a.rank() == b.rank() && a.with(axis, 0) == b.with(axis, 0);
}

const Op kTakeAlongAxis({
    .name = "take_along_axis",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const int axis = static_cast<int>(a.whole[0]);
          check_axis("take_along_axis", in.shape(0), axis);
          if (!agree_but(in.shape(0), in.shape(1), axis))
            throw ShapeError(fmt::format(
                "[take_along_axis] x is {}, index is {}; all axes but {} must agree, broadcast_to "
                "repeats an index",
                in.shape(0).to_string(), in.shape(1).to_string(), axis));
          check_positions("take_along_axis", in[1], in.shape(0), axis, in.shape(0)[axis]);
          const Around from(in.shape(0), axis), to(in.shape(1), axis);
          Tensor out = uninitialized(in.shape(1));
          double* y = mutable_data(out);
          const double* x = in[0].data().data();
          const double* index = in[1].data().data();
          for (Index o = 0; o < to.outer; ++o, x += from.middle * from.inner)
            for (Index m = 0; m < to.middle; ++m, y += to.inner, index += to.inner)
              for (Index k = 0; k < to.inner; ++k) y[k] = x[at(index, k) * to.inner + k];
          return out;
        },
    .roundings = 0,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const int axis = static_cast<int>(p.whole(0));
          out.add(0, put_along_axis(g, p.in(1), axis, p.shape(0)[axis]));
        },
    .keep = Keep::kInputs,
    .row_rule = kept_axis,
});

// As above.
const Op kPutAlongAxis({
    .name = "put_along_axis",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const int axis = static_cast<int>(a.whole[0]);
          Tensor out = Tensor::zeros(in.shape(0).with(axis, a.whole[1]));
          const Around from(in.shape(0), axis), to(out.shape(), axis);
          double* y = mutable_data(out);
          const double* x = in[0].data().data();
          const double* index = in[1].data().data();
          for (Index o = 0; o < from.outer; ++o, y += to.middle * to.inner)
            for (Index m = 0; m < from.middle; ++m, x += from.inner, index += from.inner)
              for (Index k = 0; k < from.inner; ++k) y[at(index, k) * from.inner + k] += x[k];
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor&) {
          const int axis = static_cast<int>(a.whole[0]);
          const auto together = static_cast<double>(in.shape(0)[axis]);
          return together <= 1.0
                     ? Tensor()
                     : ((together - 1.0) * put_along_axis(abs(in[0]), in[1], axis, a.whole[1])).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          out.add(0, take_along_axis(g, p.in(1), static_cast<int>(p.whole(0))));
        },
    .keep = Keep::kInputs,
    .row_rule = kept_axis,
});

/// 0, step, 2 step, ...: count of them.
Tensor steps(Index count, Index step) {
  Tensor out = uninitialized(Shape{count});
  for (Index i = 0; i < count; ++i) mutable_data(out)[i] = static_cast<double>(i * step);
  return out;
}

/// 1 where column - row is within [low, high] in the last two axes, else 0.
Tensor band(const char* name, const Shape& shape, Index low, Index high) {
  if (shape.rank() < 2)
    throw ShapeError(
        fmt::format("[{}] x is {}; it must be a matrix, or several: [.., m, n]", name, shape.to_string()));
  const Index rows = shape[shape.rank() - 2], columns = shape[shape.rank() - 1];
  low = std::clamp(low, -rows, columns);
  high = std::clamp(high, -rows, columns);
  Tensor mask = Tensor::zeros(shape);
  double* row = mutable_data(mask);
  for (Index at = 0; at < shape.size(); at += rows * columns)
    for (Index i = 0; i < rows; ++i, row += columns) {
      const Index first = std::clamp(i + low, Index{0}, columns),
                  last = std::clamp(i + high + 1, Index{0}, columns);
      if (first < last) std::fill(row + first, row + last, 1.0);
    }
  return mask;
}

constexpr Index kFar = Index{1} << 40;

}  // namespace

Var put_along_axis(const Var& x, const Var& index, int axis, Index size) {
  return apply(kPutAlongAxis, x, index, {.whole = {axis, size}});
}

}  // namespace detail

using detail::apply;

Var gather_rows(const Var& x, const Var& index) { return apply(detail::kGatherRows, x, index); }
Var scatter_rows(const Var& x, const Var& index, Index rows) {
  return apply(detail::kScatterRows, x, index, {.whole = {rows}});
}
Var take_along_axis(const Var& x, const Var& index, int axis) {
  return apply(detail::kTakeAlongAxis, x, index, {.whole = {axis}});
}

Var stack(const std::vector<Var>& parts, int axis) {
  if (parts.empty()) throw DomainError("[stack] nothing to stack; give at least one part");
  const Shape& first = parts[0].shape();
  if (axis < 0 || axis > first.rank())
    throw ShapeError(fmt::format("[stack] axis {} for parts of shape {}; the new axis goes to 0 .. {}", axis,
                                 first.to_string(), first.rank()));
  for (std::size_t j = 1; j < parts.size(); ++j)
    if (!(parts[j].shape() == first))
      throw ShapeError(fmt::format("[stack] part 0 is {}, part {} is {}; all must agree", first.to_string(),
                                   j, parts[j].shape().to_string()));
  detail::RecycledVector<Var> slices;
  for (const Var& part : parts) slices.push_back(reshape(part, first.with_inserted(axis, 1)));
  return detail::concat_of(slices, axis);
}

Var flatten(const Var& x, int from_axis) {
  if (from_axis < 0 || from_axis > x.rank())
    throw ShapeError(fmt::format("[flatten] from axis {} of x, which is {}; give one of 0 .. {}", from_axis,
                                 x.shape().to_string(), x.rank()));
  Index joined = 1;
  for (int k = from_axis; k < x.rank(); ++k) joined *= x.size(k);
  Shape shape;
  for (int k = 0; k < from_axis; ++k) shape = shape.with_inserted(k, x.size(k));
  return reshape(x, shape.with_inserted(from_axis, joined));
}

Var pad(const Var& x, const PadOptions& options) {
  detail::check_axis("pad", x.shape(), options.axis);
  if (options.before < 0 || options.after < 0)
    throw ShapeError(
        fmt::format("[pad] {} positions before and {} after x, which is {}; give numbers from 0 on",
                    options.before, options.after, x.shape().to_string()));
  const Tensor before = Tensor::full(x.shape().with(options.axis, options.before), options.value);
  const Tensor after = Tensor::full(x.shape().with(options.axis, options.after), options.value);
  const Var parts[] = {before, x, after};
  return detail::concat_of(parts, options.axis);
}

Var diag(const Var& x) {
  if (x.rank() == 1) {
    const Index n = x.size();
    return reshape(scatter_rows(x, detail::steps(n, n + 1), n * n), Shape{n, n});
  }
  if (x.rank() != 2)
    throw ShapeError(
        fmt::format("[diag] x is {}; give a vector to make a matrix of, or a matrix to take the "
                    "diagonal of",
                    x.shape().to_string()));
  const Index count = std::min(x.size(0), x.size(1));
  return gather_rows(reshape(x, Shape{x.size()}), detail::steps(count, x.size(1) + 1));
}

Var trace(const Var& x) {
  if (x.rank() != 2 || x.size(0) != x.size(1))
    throw ShapeError(fmt::format("[trace] x is {}; it must be a square matrix", x.shape().to_string()));
  return sum(diag(x));
}

Var lower_triangle(const Var& x, Index offset) {
  return where(detail::band("lower_triangle", x.shape(), -detail::kFar, offset), x, 0.0);
}
Var upper_triangle(const Var& x, Index offset) {
  return where(detail::band("upper_triangle", x.shape(), offset, detail::kFar), x, 0.0);
}

}  // namespace cotangent
