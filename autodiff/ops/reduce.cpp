// Reductions: sums, means, variances and norms along any axes, and the adjoints of sums.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {

void check_axis(const char* name, const Shape& shape, int axis) {
  if (axis >= 0 && axis < shape.rank()) return;
  const std::string axes =
      shape.rank() ? fmt::format("its axes are 0 .. {}", shape.rank() - 1) : "a scalar has no axes";
  throw ShapeError(fmt::format("[{}] axis {} of x, which is {}; {}", name, axis, shape.to_string(), axes));
}

namespace {

/// Which axes are listed; none: all.
std::array<bool, kMaxRank> reduced_axes(const char* name, const Shape& shape, std::span<const int> axes) {
  std::array<bool, kMaxRank> reduced{};
  for (const int axis : axes) {
    check_axis(name, shape, axis);
    if (std::exchange(reduced[static_cast<std::size_t>(axis)], true))
      throw ShapeError(fmt::format("[{}] axis {} of x, which is {}, is listed twice; list each axis once",
                                   name, axis, shape.to_string()));
  }
  if (axes.empty()) reduced.fill(true);
  return reduced;
}

}  // namespace

int reduced_axis(const NodeView& node, int axis, int) {
  const int gone = static_cast<int>(node.whole(0));
  return axis < gone ? axis : axis + 1;
}

int kept_axis(const NodeView& node, int axis, int) { return axis == node.whole(0) ? kBlocked : axis; }

namespace {

const Op kSum({
    .name = "sum",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          return Tensor::scalar(kernel::loops().sum(in[0].data().data(), in[0].size()));
        },
    .own_error = [](const OpInputs& in, const OpAttributes&,
                    const Tensor&) { return (additions(in[0].size()) * sum(abs(in[0]))).value(); },
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, broadcast_to(g, p.shape(0))); },
    .linear = OpLinear::sum,
});

const Op kSumAxis({
    .name = "sum_axis",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const int axis = static_cast<int>(a.whole[0]);
          check_axis("sum", in.shape(0), axis);
          const Around s(in.shape(0), axis);
          Tensor out = uninitialized(in.shape(0).without(axis));
          kernel::loops().sum_middle(mutable_data(out), in[0].data().data(), s.outer, s.middle, s.inner);
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor&) {
          const int axis = static_cast<int>(a.whole[0]);
          const Around s(in.shape(0), axis);
          return ((s.inner == 1 ? additions(s.middle) : additions_down(s.middle)) * sum(abs(in[0]), axis))
              .value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const int axis = static_cast<int>(p.whole(0));
          out.add(0, spread(g, axis, p.shape(0)[axis]));
        },
    .row_rule = reduced_axis,
    .linear = OpLinear::sum,  // of all numbers where there is one axis
});

}  // namespace

Var spread(const Var& x, int axis, Index size) {
  const Shape one = x.shape().with_inserted(axis, 1);
  return broadcast_to(reshape(x, one), one.with(axis, size));
}

Var sum_to(const Var& g, const Shape& shape) {
  if (shape.rank() == 0) return sum(g);
  Var result = g;
  while (result.rank() > shape.rank()) result = sum(result, 0);
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (shape[axis] == 1 && result.shape()[axis] != 1)
      result = reshape(sum(result, axis), result.shape().with(axis, 1));
  return result;
}

Var over_axes(const char* name, const Var& x, std::span<const int> axes, bool keep_dims,
              Var (*along)(const Var&, int)) {
  const int rank = x.rank();
  const std::array<bool, kMaxRank> listed = reduced_axes(name, x.shape(), axes);
  const auto reduced = [&](int axis) { return listed[static_cast<std::size_t>(axis)]; };
  Var y = rank == 0 ? reshape(x, Shape{1}) : x;
  if (rank == 0) y = along(y, 0);
  // Neighbouring axes go in one step, the last ones first: a reshape makes one axis of them,
  // and keeps the others.
  for (int last = rank; last-- > 0;) {
    if (!reduced(last)) continue;
    int first = last;
    while (first > 0 && reduced(first - 1)) --first;
    if (first < last) {
      Shape merged;
      Index run = 1;
      for (int k = 0; k < y.rank(); ++k) {
        if (k >= first && k <= last) run *= y.size(k);
        if (k < first || k > last) merged = merged.with_inserted(merged.rank(), y.size(k));
        if (k == last) merged = merged.with_inserted(first, run);
      }
      y = reshape(y, merged);
    }
    y = along(y, first);
    last = first;
  }
  if (!keep_dims) return y;
  Shape kept = x.shape();
  for (int k = 0; k < rank; ++k)
    if (reduced(k)) kept = kept.with(k, 1);
  return reshape(y, kept);
}

Index count_reduced(const Shape& shape, const std::vector<int>& axes) {
  if (axes.empty()) return shape.size();
  Index count = 1;
  for (const int axis : axes) count *= shape[axis];
  return count;
}

namespace {

// Squares around the kernel's first centre may overflow where those around the mean do not:
// then by two passes.
double squared_deviations(double found, const double* x, Index n, Index stride) {
  if (std::isfinite(found)) return found;
  double total = 0.0, squares = 0.0;
  for (Index i = 0; i < n; ++i) total += x[i * stride];
  const double mean = total / static_cast<double>(n);
  for (Index i = 0; i < n; ++i) squares += (x[i * stride] - mean) * (x[i * stride] - mean);
  return squares;
}

/// The mean of n numbers whose sum is not finite: any of them, if it is because the sum overflows.
double mean_beyond(double mean, const double* x, Index n, Index stride) {
  for (Index i = 0; i < n; ++i)
    if (!std::isfinite(x[i * stride])) return mean;
  return x[0];
}

// Twice: the mean of large numbers, rounded, is not theirs, but what is left has one that is known to its
// last digits; so equal numbers have no distance from it.
const Op kCentred({
    .name = "centred",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const Around s(in.shape(0), static_cast<int>(a.whole[0]));
          Tensor out = uninitialized(in.shape(0)), of_lines = uninitialized(Shape{s.inner});
          double *y = mutable_data(out), *mean = mutable_data(of_lines);
          const double* x = in[0].data().data();
          const auto n = static_cast<double>(s.middle);
          const Index block = s.middle * s.inner;
          const auto take_mean = [&](double* to, const double* from, bool again) {
            kernel::loops().sum_middle(mean, from, 1, s.middle, s.inner);
            for (Index k = 0; k < s.inner; ++k) {
              mean[k] /= n;
              if (!std::isfinite(mean[k]))
                mean[k] = again ? 0.0 : mean_beyond(mean[k], from + k, s.middle, s.inner);
            }
            if (s.inner == 1)
              for (Index m = 0; m < block; ++m) to[m] = from[m] - *mean;
            else
              for (Index m = 0; m < block; m += s.inner)
                for (Index k = 0; k < s.inner; ++k) to[m + k] = from[m + k] - mean[k];
          };
          for (Index first = 0; first < out.size(); first += block) {
            take_mean(y + first, x + first, false);
            take_mean(y + first, y + first, true);
          }
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          if (out.size() == 0) return Tensor();
          const int axis = static_cast<int>(a.whole[0]);
          const Index n = in.shape(0)[axis];
          const double terms = additions(n) + additions_down(n) + 3.0;
          const Var of_rest = mean(abs(out), axis), of_mean = 0x1p-53 * terms * mean(abs(in[0]), axis);
          return (3.0 * abs(out) + spread(terms * (of_rest + of_mean), axis, n)).value();
        },
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, centred(g, static_cast<int>(p.whole(0)))); },
    .row_rule = kept_axis,
});

const Op kDeviations({
    .name = "squared_deviations",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const int axis = static_cast<int>(a.whole[0]);
          const Around s(in.shape(0), axis);
          Tensor out = uninitialized(in.shape(0).without(axis)), room = uninitialized(Shape{5 * s.inner});
          double* y = mutable_data(out);
          const double* x = in[0].data().data();
          kernel::loops().deviations_middle(y, mutable_data(room), x, s.outer, s.middle, s.inner);
          for (Index o = 0; o < s.outer; ++o, x += s.middle * s.inner, y += s.inner)
            for (Index k = 0; k < s.inner; ++k) y[k] = squared_deviations(y[k], x + k, s.middle, s.inner);
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          // An outlier that comes first makes the first 16 squares larger than they are from the mean.
          const auto n = static_cast<double>(in.shape(0)[static_cast<int>(a.whole[0])]);
          return ((4.0 * n + 128.0) * abs(out)).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const int axis = static_cast<int>(p.whole(0));
          out.add(0, spread(2.0 * g, axis, p.shape(0)[axis]) * centred(p.in(0), axis));
        },
    .keep = Keep::kInputs,
    .row_rule = reduced_axis,
});

Var deviations_along(const Var& x, int axis) { return apply(kDeviations, x, {.whole = {axis}}); }

/// x with all its listed axes behind the others, which keep their order.
Var with_axes_last(const Var& x, const std::vector<int>& axes) {
  const auto listed = [&](int axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); };
  std::vector<int> order;
  order.reserve(static_cast<std::size_t>(x.rank()));
  for (const bool last : {false, true})
    for (int axis = 0; axis < x.rank(); ++axis)
      if (listed(axis) == last) order.push_back(axis);
  return transpose(x, order);
}

/// The sum by the count; of numbers divided before by no less than the count where their sum overflows.
template <class Sum>
Var mean_by(Sum total, const Var& x, Index count) {
  const Var plain = total(x);
  const std::span<const double> sums = plain.value().data();
  if (std::all_of(sums.begin(), sums.end(), [](double v) { return std::isfinite(v); }))
    return average(plain, count);
  const double by = std::ldexp(1.0, std::ilogb(static_cast<double>(count)) + 1);
  return by * average(total((1.0 / by) * x), count);
}

Var sum_of_magnitudes(const Var& x, int axis) { return sum(abs(x), axis); }
Var largest_magnitude(const Var& x, int axis) { return max(abs(x), axis); }
}  // namespace

Var centred(const Var& x, int axis) { return apply(kCentred, x, {.whole = {axis}}); }
}  // namespace detail

Var sum(const Var& x) { return detail::apply(detail::kSum, x); }
Var sum(const Var& x, int axis) { return detail::apply(detail::kSumAxis, x, {.whole = {axis}}); }
Var sum(const Var& x, const ReduceOptions& options) { return detail::over_axes("sum", x, options, sum); }

Var mean(const Var& x) {
  if (x.size() == 0)
    throw DomainError(
        fmt::format("[mean] x is {}, without elements; give it at least one", x.shape().to_string()));
  return detail::mean_by([](const Var& v) { return sum(v); }, x, x.size());
}

Var mean(const Var& x, int axis) {
  detail::check_axis("mean", x.shape(), axis);
  if (x.size(axis) == 0)
    throw DomainError(fmt::format("[mean] axis {} of x, which is {}, is empty; give it at least one element",
                                  axis, x.shape().to_string()));
  return detail::mean_by([axis](const Var& v) { return sum(v, axis); }, x, x.size(axis));
}

Var mean(const Var& x, const ReduceOptions& options) {
  detail::reduced_axes("mean", x.shape(), options.axes);
  const Index count = detail::count_reduced(x.shape(), options.axes);
  if (count == 0)
    throw DomainError(
        fmt::format("[mean] no elements along these axes of x, which is {}; give it at least one",
                    x.shape().to_string()));
  return detail::mean_by([&](const Var& v) { return detail::over_axes("mean", v, options, sum); }, x, count);
}

Var variance(const Var& x, const VarianceOptions& options) {
  detail::reduced_axes("variance", x.shape(), options.axes);
  const Index count = detail::count_reduced(x.shape(), options.axes);
  if (options.ddof < 0 || count - options.ddof < 1)
    throw DomainError(
        fmt::format("[variance] {} numbers of x, which is {}, and ddof {}; ddof must be at least 0 and below "
                    "the number averaged over",
                    count, x.shape().to_string(), options.ddof));
  const Index divisor = count - options.ddof;
  const double share = 1.0 / static_cast<double>(divisor);
  const auto [first, last] = std::minmax_element(options.axes.begin(), options.axes.end());
  if (options.axes.empty() || *last - *first < static_cast<int>(options.axes.size()))
    return detail::times(
        share, divisor,
        detail::over_axes("variance", x, options.axes, options.keep_dims, detail::deviations_along));
  // One mean for all of them: axes that are no neighbours become such first.
  const int kept = x.rank() - static_cast<int>(options.axes.size());
  Var y = detail::times(
      share, divisor, detail::deviations_along(flatten(detail::with_axes_last(x, options.axes), kept), kept));
  if (!options.keep_dims) return y;
  Shape shape = x.shape();
  for (const int axis : options.axes) shape = shape.with(axis, 1);
  return reshape(y, shape);
}

Var norm(const Var& x, const NormOptions& options) {
  const auto along = options.kind == Norm::one        ? detail::sum_of_magnitudes
                     : options.kind == Norm::infinity ? detail::largest_magnitude
                                                      : detail::length_along;
  return detail::over_axes("norm", x, options.axes, options.keep_dims, along);
}

}  // namespace cotangent
