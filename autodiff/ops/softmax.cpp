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
          double* e = mutable_data(shifted.numbers);
          kernel::transcendental().exp(e, e, in[0].size());
          shifted.sum(shifted.numbers);
          double* y = mutable_data(shifted.one);
          kernel::transcendental().log(y, y, shifted.one.size());
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

int axis_of(const OpRecord& p) { return static_cast<int>(p.whole(0)); }

int axis_kept(const NodeView& node, int axis, int) { return axis == node.whole(0) ? kBlocked : axis; }

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
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const int axis = axis_of(p);
          const Var mean = sum(g * p.out(), axis);
          out.add(0, p.out() * (g - spread(mean, axis, p.shape(0)[axis])));
        },
    .keep = Keep::kOutput,
    .row_rule = axis_kept,
});

const Op kLogSoftmax({
    .name = "log_softmax",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          Shifted shifted(in[0], static_cast<int>(a.whole[0]));
          Tensor e = uninitialized(in.shape(0));
          kernel::transcendental().exp(mutable_data(e), shifted.numbers.data().data(), e.size());
          shifted.sum(e);
          kernel::transcendental().log(mutable_data(shifted.one), shifted.one.data().data(),
                                       shifted.one.size());
          shifted.update(shifted.numbers, [](double v, double log_sum) { return v - log_sum; });
          return shifted.numbers;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          return (error_of_log_sum(in.shape(0)[static_cast<int>(a.whole[0])]) + 2.0 * abs(out)).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const int axis = axis_of(p);
          out.add(0, g - exp(p.out()) * spread(sum(g, axis), axis, p.shape(0)[axis]));
        },
    .keep = Keep::kOutput,
    .row_rule = axis_kept,
});

}  // namespace
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
