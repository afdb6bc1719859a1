// Euclidean lengths along an axis, and the unit vectors that are their derivatives.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/kernels/length.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {
namespace {

int axis_of(const OpRecord& p) { return static_cast<int>(p.whole(0)); }

Tensor lengths(const Tensor& x, int axis) {
  const Around s(x.shape(), axis);
  Tensor out = uninitialized(x.shape().without(axis));
  double* y = mutable_data(out);
  const double* from = x.data().data();
  kernel::loops().sum_squares_middle(y, from, s.outer, s.middle, s.inner);
  for (Index o = 0; o < s.outer; ++o, from += s.middle * s.inner, y += s.inner)
    for (Index k = 0; k < s.inner; ++k) y[k] = kernel::length_by(y[k], from + k, s.middle, s.inner);
  return out;
}

const Op kNorm({
    .name = "norm_axis",
    .forward = [](const OpInputs& in,
                  const OpAttributes& a) { return lengths(in[0], static_cast<int>(a.whole[0])); },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          const auto n = static_cast<double>(in.shape(0)[static_cast<int>(a.whole[0])]);
          return ((0.5 * n + 4.0) * abs(out)).value();
        },
    // x / |x|, and 0 at 0, an element of the subdifferential.
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const int axis = axis_of(p);
          const Var at_kink_nothing = where(equal_to(p.out(), 0.0), 0.0, g);
          out.add(0, spread(at_kink_nothing, axis, p.shape(0)[axis]) * unit_along(p.in(0), axis));
        },
    .keep = Keep::kInputsAndOutput,
    .at_kink = "0",
    .row_rule = reduced_axis,
    .kink_distance =
        [](const OpInputs& in, const OpAttributes& a) {
          return (-length_along(in[0], static_cast<int>(a.whole[0]))).value();  // only 0 is on the side of 0
        },
});

/// y = x / |x|: divided by the largest number first where the length, rounded, has lost digits.
void unit(double* y, const double* x, double length, Index n, Index stride) {
  if (length > 1e-290 && length < 1e300) {
    for (Index i = 0; i < n; ++i) y[i * stride] = x[i * stride] / length;
    return;
  }
  double top = 0.0;
  for (Index i = 0; i < n; ++i) top = std::fmax(top, std::fabs(x[i * stride]));
  for (Index i = 0; i < n; ++i) {
    const double v = x[i * stride];
    y[i * stride] = top == 0.0 ? v : std::isinf(v) ? std::copysign(1.0, v) : v / top;
  }
  if (top == 0.0) return;
  const double scaled = kernel::length(y, n, stride);
  for (Index i = 0; i < n; ++i) y[i * stride] /= scaled;
}

const Op kUnit({
    .name = "unit",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const int axis = static_cast<int>(a.whole[0]);
          const Around s(in.shape(0), axis);
          const Tensor length = lengths(in[0], axis);
          Tensor out = uninitialized(in.shape(0));
          double* y = mutable_data(out);
          const double* x = in[0].data().data();
          for (Index o = 0; o < s.outer; ++o)
            for (Index k = 0; k < s.inner; ++k) {
              const Index first = o * s.middle * s.inner + k;
              unit(y + first, x + first, length.flat(o * s.inner + k), s.middle, s.inner);
            }
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          const auto n = static_cast<double>(in.shape(0)[static_cast<int>(a.whole[0])]);
          return ((0.5 * n + 6.0) * abs(out)).value();
        },
    // (h - u <u, h>) / |x|, where h_j - u_j (u_j h_j) is h_j times the other squares, which sum to 1 with
    // u_j^2.
    .pullback =
        [](const OpRecord& p, const Var& h, OpCotangents& out) {
          const int axis = axis_of(p);
          const Tensor plain = lengths(p.in(0).value(), axis);
          if (std::find(plain.data().begin(), plain.data().end(), 0.0) != plain.data().end())
            throw DomainError(
                fmt::format("[norm] a vector of x, which is {}, is 0 along axis {}: |x| has no second "
                            "derivative there; for "
                            "that of |x|^2 take sum(square(x)), or begin away from 0",
                            p.shape(0).to_string(), axis));
          const Var& u = p.out();
          const Var along = h * sum_others(square(u), axis) - u * sum_others(u * h, axis);
          out.add(0, along / spread(length_along(p.in(0), axis), axis, p.shape(0)[axis]));
        },
    .keep = Keep::kInputsAndOutput,
    .row_rule = kept_axis,
});

}  // namespace

Var length_along(const Var& x, int axis) { return apply(kNorm, x, {.whole = {axis}}); }
Var unit_along(const Var& x, int axis) { return apply(kUnit, x, {.whole = {axis}}); }

}  // namespace cotangent::detail
