// Elementwise operations that choose by comparison: masks, absolute value, clip, maximum and minimum, where.
#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/ops/zip.hpp"

namespace cotangent {
namespace detail {
namespace {

// 1 where the comparison holds, 0 where not, NaN where it has no answer. A sum of both keeps the NaN.
template <class Compare>
Tensor compared(const char* name, const OpInputs& in, Compare holds) {
  return zip(name, in, [holds](double a, double b) {
    const double answer = holds(a, b) ? 1.0 : 0.0;
    return std::isunordered(a, b) ? a + b : answer;
  });
}

// A variable compared with itself is never anywhere else: its kink is infinitely far.
template <class Apart>
Tensor distance_by(const OpInputs& in, Apart apart) {
  const Var &a = *in.vars[0], &b = *in.vars[1];
  if (a.tracked() && b.tracked() && VarAccess::node(a) == VarAccess::node(b))
    return Tensor::full(in.shape(0), HUGE_VAL);
  return zip("kink_distance", in, apart);
}
// The side that equal numbers count to is above 0: with >= and < that of larger ones, with <= and
// > of smaller ones.
Tensor difference(const OpInputs& in, const OpAttributes&) {
  return distance_by(in, [](double a, double b) { return a - b; });
}
Tensor negated_difference(const OpInputs& in, const OpAttributes&) {
  return distance_by(in, [](double a, double b) { return b - a; });
}
Tensor apart(const OpInputs& in, const OpAttributes&) {
  return distance_by(in, [](double a, double b) { return -std::fabs(a - b); });
}
/// How far x is above low, and how far below high: from both kinks of a band.
Tensor band_distances(const Tensor& x, const OpAttributes& a) {
  const double low = a.real[0], high = a.real[1];
  const Tensor flat = x.reshape(Shape{x.size()});
  const Tensor above = map(flat, [low](double t) { return std::isinf(low) ? HUGE_VAL : t - low; });
  const Tensor below = map(flat, [high](double t) { return std::isinf(high) ? HUGE_VAL : high - t; });
  return stack({above, below}).value();
}

// Masks are constant wherever they have a derivative, so they have no pullback: nothing flows through them.
RowFactor no_gradient(const OpRecord&, int axis, int, const Tensor& g) {
  return RowFactor{Tensor::zeros(Shape{g.size(axis), 1})};
}

const Op kSign({
    .name = "sign",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          return map(in[0], [](double x) { return x >= 0.0 ? 1.0 : x < 0.0 ? -1.0 : x; });
        },
    .roundings = 0,
    .pullback = nullptr,
    .at_kink = "0",
    .row_rule = same_axis,
});

const Op kLess({
    .name = "less",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          return compared("less", in, [](double a, double b) { return a < b; });
        },
    .roundings = 0,
    .pullback = nullptr,
    .at_kink = "0",
    .row_rule = same_axis,
    .row_factor = no_gradient,
    .kink_distance = difference,
});

const Op kLessEqual({
    .name = "less_equal",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          return compared("less_equal", in, [](double a, double b) { return a <= b; });
        },
    .roundings = 0,
    .pullback = nullptr,
    .at_kink = "0",
    .row_rule = same_axis,
    .row_factor = no_gradient,
    .kink_distance = negated_difference,
});

const Op kGreater({
    .name = "greater",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          return compared("greater", in, [](double a, double b) { return a > b; });
        },
    .roundings = 0,
    .pullback = nullptr,
    .at_kink = "0",
    .row_rule = same_axis,
    .row_factor = no_gradient,
    .kink_distance = negated_difference,
});

const Op kGreaterEqual({
    .name = "greater_equal",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          return compared("greater_equal", in, [](double a, double b) { return a >= b; });
        },
    .roundings = 0,
    .pullback = nullptr,
    .at_kink = "0",
    .row_rule = same_axis,
    .row_factor = no_gradient,
    .kink_distance = difference,
});

const Op kEqualTo({
    .name = "equal_to",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          return compared("equal_to", in, [](double a, double b) { return a == b; });
        },
    .roundings = 0,
    .pullback = nullptr,
    .at_kink = "0",
    .row_rule = same_axis,
    .row_factor = no_gradient,
    .kink_distance = apart,
});

const Op kAbs({
    .name = "abs",
    .forward = [](const OpInputs& in, const OpAttributes&) { return map(in[0], kernel::elements().abs); },
    .roundings = 0,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, leaky_mask(g, p.in(0), -1.0)); },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
});

const Op kClip({
    .name = "clip",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          Tensor out = uninitialized(in.shape(0));
          kernel::elements().clip(mutable_data(out), in[0].data().data(), a.real[0], a.real[1], out.size());
          return out;
        },
    .roundings = 0,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, band_mask(g, p.in(0), p.real(0), p.real(1))); },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
    .kink_distance = [](const OpInputs& in, const OpAttributes& a) { return band_distances(in[0], a); },
    .kinks = 2,
});

const Op kBandMask({
    .name = "band_mask",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          return zip("band_mask", in, [low = a.real[0], high = a.real[1]](double g, double x) {
            const bool within = static_cast<int>(x >= low) & static_cast<int>(x <= high);
            const double inside = within ? g : 0.0;
            return std::isnan(x) ? x : inside;
          });
        },
    .roundings = 0,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, band_mask(g, p.in(1), p.real(0), p.real(1)));
        },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
    .kink_distance = [](const OpInputs& in, const OpAttributes& a) { return band_distances(in[1], a); },
    .kinks = 2,
});

/// The cotangent g of an extremum where `chosen` (or where not), for the operand of that shape.
Var share_of(const Var& g, const Var& chosen, bool first, const Shape& shape) {
  return like(first ? where(chosen, g, 0.0) : where(chosen, 0.0, g), shape);
}

/// The same for the two operands from input j on.
void share_out(const OpRecord& p, const Var& g, const Var& chosen, int j, OpCotangents& out) {
  if (out.needs(j)) out.add(j, share_of(g, chosen, true, p.shape(j)));
  if (out.needs(j + 1)) out.add(j + 1, share_of(g, chosen, false, p.shape(j + 1)));
}

const Op kMaximum({
    .name = "maximum",
    .forward = [](const OpInputs& in,
                  const OpAttributes&) { return zip("maximum", in, kernel::elements().maximum); },
    .roundings = 0,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { share_out(p, g, greater_equal(p.in(0), p.in(1)), 0, out); },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
    .row_factor =
        [](const OpRecord& p, int axis, int j, const Tensor& g) {
          const Var first = greater_equal(p.in(0), p.in(1));
          return summed_by_sample(share_of(g, first, j == 0, g.shape()).value(), axis);
        },
    .kink_distance = difference,
});

const Op kMinimum({
    .name = "minimum",
    .forward = [](const OpInputs& in,
                  const OpAttributes&) { return zip("minimum", in, kernel::elements().minimum); },
    .roundings = 0,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { share_out(p, g, less_equal(p.in(0), p.in(1)), 0, out); },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
    .row_factor =
        [](const OpRecord& p, int axis, int j, const Tensor& g) {
          const Var first = less_equal(p.in(0), p.in(1));
          return summed_by_sample(share_of(g, first, j == 0, g.shape()).value(), axis);
        },
    .kink_distance = negated_difference,
});

double chosen(double mask, double a, double b) {
  const double value = mask != 0.0 ? a : b;
  return std::isnan(mask) ? mask : value;
}

const Op kWhere({
    .name = "where",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          Shape shape;
          for (int j = 0; j < 3; ++j)
            if (in.shape(j).rank() != 0) shape = in.shape(j);
          for (int j = 0; j < 3; ++j)
            if (in.shape(j).rank() != 0 && !(in.shape(j) == shape))
              throw ShapeError(
                  fmt::format("[where] mask is {}, a is {}, b is {}; give them one shape, or scalars: "
                              "broadcast_to repeats",
                              in.shape(0).to_string(), in.shape(1).to_string(), in.shape(2).to_string()));
          Tensor out = uninitialized(shape);
          double* __restrict y = mutable_data(out);
          const double* m = in[0].data().data();
          const double* a = in[1].data().data();
          const double* b = in[2].data().data();
          const Index n = out.size();
          const bool full_m = in.shape(0) == shape, full_a = in.shape(1) == shape,
                     full_b = in.shape(2) == shape;
          if (full_m && full_a && full_b) {
            for (Index i = 0; i < n; ++i) y[i] = chosen(m[i], a[i], b[i]);
          } else if (full_m && full_a) {
            for (Index i = 0, s = 0; i < n; ++i) y[i] = chosen(m[i], a[i], b[s]);
          } else if (full_m && full_b) {
            for (Index i = 0, s = 0; i < n; ++i) y[i] = chosen(m[i], a[s], b[i]);
          } else {
            for (Index i = 0; i < n; ++i)
              y[i] = chosen(m[full_m ? i : 0], a[full_a ? i : 0], b[full_b ? i : 0]);
          }
          return out;
        },
    .roundings = 0,
    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { share_out(p, g, p.in(0), 1, out); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
    .row_factor =
        [](const OpRecord& p, int axis, int j, const Tensor& g) {
          if (j == 0) return no_gradient(p, axis, j, g);
          return summed_by_sample(share_of(g, p.in(0), j == 1, g.shape()).value(), axis);
        },
});

}  // namespace

Var band_mask(const Var& g, const Var& x, double low, double high) {
  return apply(kBandMask, g, x, {.real = {low, high}});
}

}  // namespace detail

using detail::apply;

Var sign(const Var& x) { return apply(detail::kSign, x); }
Var less(const Var& a, const Var& b) { return apply(detail::kLess, a, b); }
Var less_equal(const Var& a, const Var& b) { return apply(detail::kLessEqual, a, b); }
Var greater(const Var& a, const Var& b) { return apply(detail::kGreater, a, b); }
Var greater_equal(const Var& a, const Var& b) { return apply(detail::kGreaterEqual, a, b); }
Var equal_to(const Var& a, const Var& b) { return apply(detail::kEqualTo, a, b); }
Var abs(const Var& x) { return apply(detail::kAbs, x); }
Var clip(const Var& x, double low, double high) {
  if (!(low <= high))
    throw DomainError(fmt::format(
        "[clip] from {} to {}; give two numbers, the lower one first (infinity for no bound)", low, high));
  return apply(detail::kClip, x, {.real = {low, high}});
}
Var maximum(const Var& a, const Var& b) { return apply(detail::kMaximum, a, b); }
Var minimum(const Var& a, const Var& b) { return apply(detail::kMinimum, a, b); }
Var where(const Var& mask, const Var& a, const Var& b) { return apply(detail::kWhere, mask, a, b); }

}  // namespace cotangent
