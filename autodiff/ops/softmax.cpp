// log-sum-exp, softmax and its logarithm along an axis.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/transcendental.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {
namespace {

/// y = f(y, s) for every number, s being that of its place in [outer, inner].
template <class F>
void along(double* __restrict y, const double* __restrict s, const Around& a, F f) {
  for (Index o = 0; o < a.outer; ++o, s += a.inner)
    for (Index m = 0; m < a.middle; ++m, y += a.inner)
      for (Index k = 0; k < a.inner; ++k) y[k] = f(y[k], s[k]);
}
template <class F>
void along_rows(double* __restrict y, const double* s, const Around& a, F f) {
  for (Index o = 0; o < a.outer; ++o, y += a.middle) {
    const double own = s[o];
    for (Index m = 0; m < a.middle; ++m) y[m] = f(y[m], own);
  }
}

/// x less the largest number along the axis, and room for one number at each place without the axis.
struct Shifted {
  Around s;
  Tensor numbers;
  Tensor one;
  Shifted(const Tensor& x, int axis)
      : s(x.shape(), axis), numbers(uninitialized(x.shape())), one(uninitialized(x.shape().without(axis))) {
    if (x.size() == 0) return;
    kernel::loops().max_middle(mutable_data(one), x.data().data(), s.outer, s.middle, s.inner);
    std::copy(x.data().begin(), x.data().end(), mutable_data(numbers));
    update(numbers, [](double v, double top) { return v - top; });
  }
  void sum(const Tensor& of) {
    kernel::loops().sum_middle(mutable_data(one), of.data().data(), s.outer, s.middle, s.inner);
  }
  /// log sum_m exp(numbers), from the sum without the largest of them, whose exp is 1: so the rest keeps its
  /// digits beside it. `e`, which may be the numbers, is for the exponentials.
  void log_sum(Tensor& e) {
    double* to = mutable_data(e);
    kernel::transcendental().exp(to, numbers.data().data(), e.size());
    for (Index o = 0; o < s.outer; ++o)
      for (Index k = 0; k < s.inner; ++k) {
        double* line = to + o * s.middle * s.inner + k;
        Index m = s.inner == 1 && s.middle >= 32 ? kernel::loops().find(line, 1.0, s.middle) : 0;
        while (m < s.middle && line[m * s.inner] != 1.0) ++m;
        if (m < s.middle) line[m * s.inner] = 0.0;
      }
    sum(e);
    double* y = mutable_data(one);
    kernel::transcendental().log1p(y, y, one.size());
  }
  template <class F>
  void update(Tensor& y, F f) const {
    if (s.inner == 1)
      along_rows(mutable_data(y), one.data().data(), s, f);
    else
      along(mutable_data(y), one.data().data(), s, f);
  }
};

/// In units of u, what rounding does to log sum_i exp(x_i - top) of n numbers: theirs, for the sum over i of
/// their shares times |x_i - top| is at most log n, those of exp, of the sum and of the logarithm.
double error_of_log_sum(Index n) {
  const auto all = static_cast<double>(n);
  return 12.0 + all + 7.0 * std::log(all);
}

int axis_of(const OpRecord& p) { return static_cast<int>(p.whole(0)); }

const Op kLogSumExp({
    .name = "log_sum_exp",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const int axis = static_cast<int>(a.whole[0]);
          check_axis("log_sum_exp", in.shape(0), axis);
          if (in.shape(0)[axis] == 0)
            throw DomainError(fmt::format("[log_sum_exp] axis {} of {} is empty; there is no largest element",
                                          axis, in.shape(0).to_string()));
          Shifted shifted(in[0], axis);
          const Tensor top = Tensor::from(shifted.one.data(), shifted.one.shape());
          shifted.log_sum(shifted.numbers);
          double* y = mutable_data(shifted.one);
          // Where the largest is infinite or NaN, so is the result; the shifted numbers are NaN.
          for (Index i = 0; i < top.size(); ++i) {
            const double t = top.flat(i);
            y[i] = std::isfinite(t) ? t + y[i] : t;
          }
          return shifted.one;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          return (error_of_log_sum(in.shape(0)[static_cast<int>(a.whole[0])]) + abs(out)).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          // Not exp(x - y): y, rounded, has lost the digits of differences between large numbers.
          const int axis = static_cast<int>(p.whole(0));
          out.add(0, spread(g, axis, p.shape(0)[axis]) * softmax(p.in(0), axis));
        },
    .keep = Keep::kInputs,
    .row_rule = reduced_axis,
});

// ---- the derivatives, for s of sum 1. By g_c - sum_k s_k g_k they would lose the digits of a class that has
// nearly all of s: softmax's sees g from near that mean, its logarithm's sums what the others have alone.

/// f(line by line): first number, step to the next, how many.
template <class F>
void each_line(const Shape& shape, int axis, F f) {
  const Around a(shape, axis);
  for (Index o = 0; o < a.outer; ++o)
    for (Index k = 0; k < a.inner; ++k) f(o * a.middle * a.inner + k, a.inner, a.middle);
}

/// The position of the number above 1/2, or -1.
Index dominant(const double* s, Index step, Index count) {
  Index found = -1;
  for (Index m = 0; m < count; ++m) found = s[m * step] > 0.5 ? m : found;
  return found;
}

/// term(m) summed over m except one.
template <class F>
double sum_without(Index one, Index count, F term) {
  double before = 0.0, after = 0.0;
  for (Index m = 0; m < one; ++m) before += term(m);
  for (Index m = one + 1; m < count; ++m) after += term(m);
  return before + after;
}

// y_c = sum of x_k over k != c: its own adjoint.
const Op kSumOthers({
    .name = "sum_others",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          Tensor out = uninitialized(in.shape(0));
          double* to = mutable_data(out);
          const double* from = in[0].data().data();
          each_line(in.shape(0), static_cast<int>(a.whole[0]), [&](Index first, Index step, Index count) {
            double *y = to + first, total = 0.0;
            const double* x = from + first;
            for (Index m = 0; m < count; ++m) {  // what comes before, then what comes after
              y[m * step] = total;
              total += x[m * step];
            }
            total = 0.0;
            for (Index m = count; m-- > 0;) {
              y[m * step] += total;
              total += x[m * step];
            }
          });
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor&) {
          const int axis = static_cast<int>(a.whole[0]);
          return (static_cast<double>(in.shape(0)[axis]) * sum_others(abs(in[0]), axis)).value();
        },
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, sum_others(g, axis_of(p))); },
    .row_rule = kept_axis,
});

/// In units of u, for the rounding of a derivative of n classes.
double error_of_slope(Index n) { return 6.0 + static_cast<double>(n); }

double weighted_sum(const double* g, const double* s, Index step, Index count) {
  if (step == 1) return kernel::loops().dot(g, s, count);
  double total = 0.0;
  for (Index m = 0; m < count; ++m) total += s[m * step] * g[m * step];
  return total;
}

/// Of numbers g with weights s the one nearest to their mean. Seen from there, numbers that are equal to most
/// of the others have no distance from the mean but what these few make.
double nearest_to_mean(const double* g, const double* s, Index step, Index count) {
  const double mean = weighted_sum(g, s, step, count);
  if (count == 0) return 0.0;
  if (step == 1) return kernel::loops().nearest(g, mean, count);
  double found = g[0];
  for (Index m = 1; m < count; ++m)
    found = std::fabs(g[m * step] - mean) < std::fabs(found - mean) ? g[m * step] : found;
  return found;
}

/// f(result, g, s, step, how many) for each line of the inputs g and s.
template <class F>
Tensor line_by_line(const OpInputs& in, const OpAttributes& a, F f) {
  Tensor out = uninitialized(in.shape(0));
  double* y = mutable_data(out);
  const double *g = in[0].data().data(), *s = in[1].data().data();
  each_line(in.shape(0), static_cast<int>(a.whole[0]),
            [&](Index first, Index step, Index count) { f(y + first, g + first, s + first, step, count); });
  return out;
}

// Inputs g, s: y_c = s_c sum_k s_k (g_c - g_k), symmetric in g and what it is multiplied with.
const Op kSoftmaxSlope({
    .name = "softmax_slope",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          return line_by_line(in, a,
                              [](double* y, const double* g, const double* s, Index step, Index count) {
                                const double near = nearest_to_mean(g, s, step, count);
                                for (Index m = 0; m < count; ++m) y[m * step] = g[m * step] - near;
                                const double mean = weighted_sum(y, s, step, count);
                                for (Index m = 0; m < count; ++m)
                                  y[m * step] = s[m * step] * (y[m * step] - mean);
                              });
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor&) {
          const int axis = static_cast<int>(a.whole[0]);
          const Var g = abs(in[0]), s = abs(in[1]);
          return (error_of_slope(in.shape(0)[axis]) *
                  (s * (g * sum_others(s, axis) + sum_others(s * g, axis))))
              .value();
        },
    .pullback =
        [](const OpRecord& p, const Var& h, OpCotangents& out) {
          const int axis = axis_of(p);
          const Var &g = p.in(0), &s = p.in(1);
          if (out.needs(0)) out.add(0, softmax_slope(h, s, axis));
          // sum_k s_k (g_c - g_k) (h_c - h_k).
          if (out.needs(1))
            out.add(1, g * h * sum_others(s, axis) - g * sum_others(s * h, axis) -
                           h * sum_others(s * g, axis) + sum_others(s * g * h, axis));
        },
    .keep = Keep::kInputs,
    .row_rule = kept_axis,
});

// Inputs g, s: y_c = sum_k (s_k g_c - s_c g_k).
const Op kLogSoftmaxSlope({
    .name = "log_softmax_slope",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          return line_by_line(
              in, a, [](double* y, const double* g, const double* s, Index step, Index count) {
                double total = 0.0;
                if (step == 1)
                  total = kernel::loops().sum(g, count);
                else
                  for (Index m = 0; m < count; ++m) total += g[m * step];
                for (Index m = 0; m < count; ++m) y[m * step] = g[m * step] - s[m * step] * total;
                const Index top = dominant(s, step, count);
                if (top < 0) return;
                const double of_others = sum_without(top, count, [&](Index m) { return s[m * step]; });
                const double others = sum_without(top, count, [&](Index m) { return g[m * step]; });
                y[top * step] = g[top * step] * of_others - s[top * step] * others;
              });
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor&) {
          const int axis = static_cast<int>(a.whole[0]);
          const Var g = abs(in[0]), s = abs(in[1]);
          return (error_of_slope(in.shape(0)[axis]) * (g * sum_others(s, axis) + s * sum_others(g, axis)))
              .value();
        },
    .pullback =
        [](const OpRecord& p, const Var& h, OpCotangents& out) {
          const int axis = axis_of(p);
          const Var &g = p.in(0), &s = p.in(1);
          if (out.needs(0)) out.add(0, h * sum_others(s, axis) - sum_others(s * h, axis));
          if (out.needs(1)) out.add(1, sum_others(g * h, axis) - h * sum_others(g, axis));
        },
    .keep = Keep::kInputs,
    .row_rule = kept_axis,
});

const Op kSoftmax({
    .name = "softmax",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          Shifted shifted(in[0], static_cast<int>(a.whole[0]));
          double* y = mutable_data(shifted.numbers);
          kernel::transcendental().exp(y, y, in[0].size());
          shifted.sum(shifted.numbers);
          shifted.update(shifted.numbers, [](double e, double sum) { return e / sum; });
          return shifted.numbers;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          // x - top, rounded, is no larger than |log y|.
          const double of_sum = error_of_log_sum(in.shape(0)[static_cast<int>(a.whole[0])]);
          return (out * (of_sum - log(maximum(out, 1e-300)))).value();
        },
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, softmax_slope(g, p.out(), axis_of(p))); },
    .keep = Keep::kOutput,
    .row_rule = kept_axis,
});

const Op kLogSoftmax({
    .name = "log_softmax",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          Shifted shifted(in[0], static_cast<int>(a.whole[0]));
          Tensor room = uninitialized(in.shape(0));
          shifted.log_sum(room);
          shifted.update(shifted.numbers, [](double v, double log_sum) { return v - log_sum; });
          return shifted.numbers;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          // The logarithm of the sum is not above |y|, nor its error above so many roundings of it.
          const double of_sum = error_of_log_sum(in.shape(0)[static_cast<int>(a.whole[0])]);
          return (of_sum * minimum(abs(out), 1.0) + 2.0 * abs(out)).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g,
           OpCotangents& out) {  // By exp of the logarithm derivatives of the derivative would lose digits.
          const int axis = axis_of(p);
          const bool again = p.in(0).tracked() || g.tracked();
          out.add(0, log_softmax_slope(g, again ? softmax(p.in(0), axis) : exp(p.out()), axis));
        },
    .keep = Keep::kInputsAndOutput,
    .row_rule = kept_axis,
});

}  // namespace

Var sum_others(const Var& x, int axis) { return apply(kSumOthers, x, {.whole = {axis}}); }
Var softmax_slope(const Var& g, const Var& s, int axis) {
  return apply(kSoftmaxSlope, g, s, {.whole = {axis}});
}
Var log_softmax_slope(const Var& g, const Var& s, int axis) {
  return apply(kLogSoftmaxSlope, g, s, {.whole = {axis}});
}

}  // namespace detail

Var log_sum_exp(const Var& x, int axis) { return detail::apply(detail::kLogSumExp, x, {.whole = {axis}}); }
Var log_sum_exp(const Var& x, const ReduceOptions& options) {
  return detail::over_axes("log_sum_exp", x, options, log_sum_exp);
}
Var softmax(const Var& x, int axis) {
  detail::check_axis("softmax", x.shape(), axis);
  return detail::apply(detail::kSoftmax, x, {.whole = {axis}});
}
Var log_softmax(const Var& x, int axis) {
  detail::check_axis("log_softmax", x.shape(), axis);
  return detail::apply(detail::kLogSoftmax, x, {.whole = {axis}});
}

}  // namespace cotangent
