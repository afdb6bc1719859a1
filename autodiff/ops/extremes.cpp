// The largest and the smallest number along axes.
#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {
namespace {

using Kernel = void (*)(double*, const double*, Index, Index, Index);

Tensor extreme(const char* name, const OpInputs& in, const OpAttributes& a, Kernel kernel) {
  const int axis = static_cast<int>(a.whole[0]);
  check_axis(name, in.shape(0), axis);
  const Around s(in.shape(0), axis);
  if (s.middle == 0)
    throw DomainError(fmt::format("[{}] axis {} of x, which is {}, is empty; give it at least one element",
                                  name, axis, in.shape(0).to_string()));
  Tensor out = uninitialized(in.shape(0).without(axis));
  kernel(mutable_data(out), in[0].data().data(), s.outer, s.middle, s.inner);
  return out;
}

/// Where along the axis the number of the result first stands.
Tensor first_position(const Tensor& x, const Tensor& y, int axis) {
  const Around s(x.shape(), axis);
  Tensor out = uninitialized(x.shape().with(axis, 1));
  double* __restrict to = mutable_data(out);
  const double* px = x.data().data();
  const double* py = y.data().data();
  if (s.inner == 1) {
    for (Index o = 0; o < s.outer; ++o, px += s.middle) {
      Index m = 0;
      while (!(px[m] == py[o] || (std::isnan(px[m]) && std::isnan(py[o])))) ++m;
      to[o] = static_cast<double>(m);
    }
    return out;
  }
  for (Index o = 0; o < s.outer; ++o, px += s.middle * s.inner, py += s.inner, to += s.inner)
    for (Index m = s.middle; m-- > 0;)
      for (Index k = 0; k < s.inner; ++k) {
        const double v = px[m * s.inner + k];
        const int here =
            static_cast<int>(v == py[k]) | (static_cast<int>(v != v) & static_cast<int>(py[k] != py[k]));
        to[k] = here ? static_cast<double>(m) : to[k];
      }
  return out;
}

// Which position it is does not change near x, so it may be found from plain numbers; the rest is operations.
void to_first_position(const OpRecord& p, const Var& g, OpCotangents& out) {
  const int axis = static_cast<int>(p.whole(0));
  const Var index = first_position(p.in(0).value(), p.out().value(), axis);
  out.add(0, put_along_axis(reshape(g, index.shape()), index, axis, p.shape(0)[axis]));
}

/// How far each number is above the largest of the others along its axis: below 0 for those not chosen, 0 at
/// a tie. `sign` is -1 for the smallest.
Tensor lead(const OpInputs& in, const OpAttributes& a, double sign) {
  const Around s(in.shape(0), static_cast<int>(a.whole[0]));
  Tensor out = uninitialized(in.shape(0));
  double* to = mutable_data(out);
  const double* x = in[0].data().data();
  for (Index o = 0; o < s.outer; ++o, x += s.middle * s.inner, to += s.middle * s.inner)
    for (Index k = 0; k < s.inner; ++k) {
      double first = -HUGE_VAL, second = -HUGE_VAL;
      for (Index m = 0; m < s.middle; ++m) {
        const double v = sign * x[m * s.inner + k];
        second = std::fmax(second, std::fmin(first, v));
        first = std::fmax(first, v);
      }
      for (Index m = 0; m < s.middle; ++m) {
        const double v = sign * x[m * s.inner + k];
        to[m * s.inner + k] = v - (v == first ? second : first);
      }
    }
  return out;
}

const Op kMax({
    .name = "max",
    .forward = [](const OpInputs& in,
                  const OpAttributes& a) { return extreme("max", in, a, kernel::loops().max_middle); },
    .roundings = 0,
    .pullback = to_first_position,
    .keep = Keep::kInputsAndOutput,
    .at_kink = "1",
    .row_rule = reduced_axis,
    .kink_distance = [](const OpInputs& in, const OpAttributes& a) { return lead(in, a, 1.0); },
});

const Op kMin({
    .name = "min",
    .forward = [](const OpInputs& in,
                  const OpAttributes& a) { return extreme("min", in, a, kernel::loops().min_middle); },
    .roundings = 0,
    .pullback = to_first_position,
    .keep = Keep::kInputsAndOutput,
    .at_kink = "1",
    .row_rule = reduced_axis,
    .kink_distance = [](const OpInputs& in, const OpAttributes& a) { return lead(in, a, -1.0); },
});

}  // namespace
}  // namespace detail

Var max(const Var& x, int axis) { return detail::apply(detail::kMax, x, {.whole = {axis}}); }
Var max(const Var& x, const ReduceOptions& options) { return detail::over_axes("max", x, options, max); }
Var min(const Var& x, int axis) { return detail::apply(detail::kMin, x, {.whole = {axis}}); }
Var min(const Var& x, const ReduceOptions& options) { return detail::over_axes("min", x, options, min); }

}  // namespace cotangent
