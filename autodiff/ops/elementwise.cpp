// Elementwise operations: sums, products, exp, log, roots and functions with a kink.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/transcendental.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/ops/zip.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {

int same_axis(const NodeView& node, int axis, int j) { return node.in(j).rank() == 0 ? kFactor : axis; }

void throw_unequal(const char* name, const Shape& a, const Shape& b) {
  std::string hint = "make the shapes equal; nothing broadcasts silently";
  if (a.rank() == 2 && b.rank() == 1 && a[1] == b[0])
    hint = "a vector against every row is add_rows or mul_rows";
  else if (a.rank() == 2 && b.rank() == 1 && a[0] == b[0])
    hint = "reshape one of them, or use scale_rows for a number per row";
  else if (a.size() == b.size())
    hint = "they hold the same number of elements: reshape one of them";
  else if (a.size() == 1 || b.size() == 1)
    hint = "reshape the single element to a scalar, shape [], or use broadcast_to";
  else if (a.rank() == b.rank())
    hint = "use broadcast_to if repetition is meant";
  throw ShapeError(
      fmt::format("[{}] shapes differ: a is {}, b is {}; {}", name, a.to_string(), b.to_string(), hint));
}

RowFactor summed_by_sample(const Tensor& each, int axis) {
  const Around s(each.shape(), axis);
  Tensor delta = Tensor::zeros(Shape{s.middle, 1});
  double* to = mutable_data(delta);
  const double* from = each.data().data();
  for (Index o = 0; o < s.outer; ++o)
    for (Index i = 0; i < s.middle; ++i, from += s.inner) to[i] += kernel::loops().sum(from, s.inner);
  return RowFactor{delta};
}

namespace {

template <auto kKernel>
Tensor by_kernel(const OpInputs& in, const OpAttributes&) {
  return map(in[0], kernel::transcendental().*kKernel);
}

const Op kAdd({
    .name = "add",
    .forward = [](const OpInputs& in, const OpAttributes&) { return zip("add", in, kernel::elements().add); },
    .roundings = 1,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, like(g, p.shape(0)));
          if (out.needs(1)) out.add(1, like(g, p.shape(1)));
        },
    .row_rule = same_axis,
    .row_factor = [](const OpRecord&, int axis, int, const Tensor& g) { return summed_by_sample(g, axis); },
});

const Op kSub({
    .name = "sub",
    .forward = [](const OpInputs& in, const OpAttributes&) { return zip("sub", in, kernel::elements().sub); },
    .roundings = 1,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, like(g, p.shape(0)));
          if (out.needs(1)) out.add(1, -like(g, p.shape(1)));
        },
    .row_rule = same_axis,
    .row_factor = [](const OpRecord&, int axis, int j,
                     const Tensor& g) { return summed_by_sample(j == 0 ? g : (-Var(g)).value(), axis); },
});

const Op kMul({
    .name = "mul",
    .forward = [](const OpInputs& in, const OpAttributes&) { return zip("mul", in, kernel::elements().mul); },
    .roundings = 1,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, like(g * p.in(1), p.shape(0)));
          if (out.needs(1)) out.add(1, like(g * p.in(0), p.shape(1)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
    .row_factor = [](const OpRecord& p, int axis, int j,
                     const Tensor& g) { return summed_by_sample((g * p.in(1 - j)).value(), axis); },
    .linear = OpLinear::in_each,
});

const Op kDiv({
    .name = "div",
    .forward = [](const OpInputs& in, const OpAttributes&) { return zip("div", in, kernel::elements().div); },
    .roundings = 1,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          // Not (g / b) (a / b), where one factor may be 0 and the other infinite.
          if (out.needs(0)) out.add(0, like(g / p.in(1), p.shape(0)));
          if (out.needs(1)) out.add(1, like(-((g * (p.in(0) / p.in(1))) / p.in(1)), p.shape(1)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
    .row_factor =
        [](const OpRecord& p, int axis, int j, const Tensor& g) {
          const Var by = j == 0 ? g / p.in(1) : -((g * (p.in(0) / p.in(1))) / p.in(1));
          return summed_by_sample(by.value(), axis);
        },
    .linear = OpLinear::in_first,
});

const Op kScale({
    .name = "scale",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          Tensor out = uninitialized(in.shape(0));
          // By a count it divides: the quotient is then rounded once, and exact where it can be.
          const auto count = static_cast<double>(a.whole[1]);
          if (a.whole[1] > 0)
            kernel::elements().div(mutable_data(out), {in[0].data().data(), false}, {&count, true},
                                   out.size());
          else
            kernel::elements().mul(mutable_data(out), {a.real.data(), true}, {in[0].data().data(), false},
                                   out.size());
          return out;
        },
    .own_error =
        [](const OpInputs&, const OpAttributes& a, const Tensor& out) {
          // A power of two is exact; a factor that stands for another number was itself rounded.
          int exponent = 0;
          const bool exact = std::fabs(std::frexp(a.real[0], &exponent)) == 0.5 || a.real[0] == 0.0;
          const double own = exact ? 0.0 : 1.0, stands = a.whole[1] < 0 ? 1.0 : 0.0;
          return own + stands == 0.0 ? Tensor() : ((own + stands) * abs(out)).value();
        },
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, times(p.real(), p.whole(1), g, p.real(1))); },
    .row_rule = same_axis,
    .linear = OpLinear::in_first,
});

const Op kExp({
    .name = "exp",
    .forward = by_kernel<&kernel::Transcendental::exp>,
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, g * p.out()); },
    .keep = Keep::kOutput,
    .row_rule = same_axis,
});

// The derivative of log where log is defined: g / x for x >= 0, also for -0, and NaN below.
const Op kOverPositive({
    .name = "over_positive",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          Tensor out = uninitialized(in.shape(1));
          double* __restrict y = mutable_data(out);
          const double *g = in[0].data().data(), *x = in[1].data().data();
          const double nan = std::numeric_limits<double>::quiet_NaN();
          for (Index i = 0, n = out.size(); i < n; ++i) y[i] = g[i] / (x[i] >= 0.0 ? std::fabs(x[i]) : nan);
          return out;
        },
    .roundings = 1,
    .pullback =
        [](const OpRecord& p, const Var& h, OpCotangents& out) {
          const Var part = over_positive(h, p.in(1));
          if (out.needs(0)) out.add(0, part);
          if (out.needs(1)) out.add(1, -(part * over_positive(p.in(0), p.in(1))));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kLog({
    .name = "log",
    .forward = by_kernel<&kernel::Transcendental::log>,
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, over_positive(g, p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kSqrt({
    .name = "sqrt",
    .forward = [](const OpInputs& in, const OpAttributes&) { return map(in[0], kernel::elements().sqrt); },
    .roundings = 1,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, 0.5 * over_positive(g, p.out())); },
    .keep = Keep::kOutput,
    .row_rule = same_axis,
});

const Op kSquare({
    .name = "square",
    .forward = [](const OpInputs& in, const OpAttributes&) { return map(in[0], kernel::elements().square); },
    .roundings = 1,
    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, 2.0 * (g * p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kSin({
    .name = "sin",
    .forward = by_kernel<&kernel::Transcendental::sin>,
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, g * cos(p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kCos({
    .name = "cos",
    .forward = by_kernel<&kernel::Transcendental::cos>,
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, -(g * sin(p.in(0)))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kElu({
    .name = "elu",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          Tensor out = map(in[0], kernel::transcendental().expm1);
          double* __restrict y = mutable_data(out);
          const double* x = in[0].data().data();
          const double alpha = a.real[0];
          for (Index i = 0, n = out.size(); i < n; ++i) y[i] = x[i] >= 0.0 ? x[i] : alpha * y[i];
          return out;
        },
    .roundings = 6,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, exp_mask(g, p.in(0), p.real(), 1.0)); },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
});

const Op kExpMask({
    .name = "exp_mask",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          if (in.shape(0) != in.shape(1)) throw_unequal("exp_mask", in.shape(0), in.shape(1));
          Tensor out = map(in[1], kernel::transcendental().exp);
          double* __restrict y = mutable_data(out);
          const double* g = in[0].data().data();
          const double* x = in[1].data().data();
          const double alpha = a.real[0], right = a.real[1];
          // A factor of 0 lets nothing through, also no infinity.
          const auto of_right = [right](double v) { return right == 0.0 ? 0.0 : right * v; };
          const auto of_left = [alpha](double e, double v) { return alpha == 0.0 ? 0.0 : alpha * e * v; };
          const Index n = out.size();
          if (alpha != 0.0 && right == 1.0)  // the first derivative, without a choice to make in the loop
            for (Index i = 0; i < n; ++i) y[i] = (x[i] >= 0.0 ? 1.0 : alpha * y[i]) * g[i];
          else
            for (Index i = 0; i < n; ++i)
              y[i] = x[i] >= 0.0 ? of_right(g[i]) : x[i] < 0.0 ? of_left(y[i], g[i]) : x[i];
          return out;
        },
    .roundings = 7,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, exp_mask(g, p.in(1), p.real(0), p.real(1)));
          if (out.needs(1)) out.add(1, exp_mask(g * p.in(0), p.in(1), p.real(0), 0.0));
        },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
    .kink_distance = [](const OpInputs& in, const OpAttributes&) { return in[1]; },
});

// Written by sign and never as max(x, slope x), which is another function for slopes above 1.
const Op kLeakyRelu({
    .name = "leaky_relu",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          Tensor out = uninitialized(in.shape(0));
          kernel::loops().leaky_relu(mutable_data(out), in[0].data().data(), a.real[0], out.size());
          return out;
        },
    .roundings = 1,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, leaky_mask(g, p.in(0), p.real())); },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
});

const Op kRelu({
    .name = "relu",
    .forward = [](const OpInputs& in, const OpAttributes&) { return map(in[0], kernel::elements().relu); },
    .roundings = 0,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, leaky_mask(g, p.in(0), 0.0)); },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
});

const Op kLeakyMask({
    .name = "leaky_mask",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          if (!(in.shape(0) == in.shape(1))) throw_unequal("leaky_mask", in.shape(0), in.shape(1));
          Tensor out = uninitialized(in.shape(1));
          kernel::loops().leaky_mask(mutable_data(out), in[0].data().data(), in[1].data().data(), a.real[0],
                                     out.size());
          return out;
        },
    .roundings = 1,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, leaky_mask(g, p.in(1), p.real()));
        },
    .keep = Keep::kInputs,
    .at_kink = "1",
    .row_rule = same_axis,
    .kink_distance = [](const OpInputs& in, const OpAttributes&) { return in[1]; },
});

}  // namespace

Var over_positive(const Var& g, const Var& x) { return apply(kOverPositive, g, x); }

Var leaky_mask(const Var& g, const Var& x, double slope) {
  return apply(kLeakyMask, g, x, {.real = {slope}});
}

Var exp_mask(const Var& g, const Var& x, double alpha, double right) {
  return apply(kExpMask, g, x, {.real = {alpha, right}});
}

Var average(const Var& total, Index count) {
  return apply(kScale, total, {.real = {1.0 / static_cast<double>(count)}, .whole = {count, count}});
}

Var times(double factor, Index stands_for, const Var& x, double base) {
  return apply(kScale, x, {.real = {factor, base}, .whole = {0, stands_for}});
}

Index averaged(const Op& op, const OpAttributes& attributes) {
  return &op == &kScale ? attributes.whole[0] : 0;
}

}  // namespace detail

using detail::apply;

Var operator+(const Var& a, const Var& b) { return apply(detail::kAdd, a, b); }
Var operator-(const Var& a, const Var& b) { return apply(detail::kSub, a, b); }
Var operator*(const Var& a, const Var& b) { return apply(detail::kMul, a, b); }
Var operator/(const Var& a, const Var& b) { return apply(detail::kDiv, a, b); }
Var operator-(const Var& a) { return apply(detail::kScale, a, {.real = {-1.0}}); }
Var operator*(double c, const Var& x) { return apply(detail::kScale, x, {.real = {c}}); }
Var operator*(const Var& x, double c) { return apply(detail::kScale, x, {.real = {c}}); }
Var operator/(const Var& x, double c) { return apply(detail::kDiv, x, Var(c)); }
Var exp(const Var& x) { return apply(detail::kExp, x); }
Var log(const Var& x) { return apply(detail::kLog, x); }
Var sqrt(const Var& x) { return apply(detail::kSqrt, x); }
Var square(const Var& x) { return apply(detail::kSquare, x); }
Var sin(const Var& x) { return apply(detail::kSin, x); }
Var cos(const Var& x) { return apply(detail::kCos, x); }
Var elu(const Var& x, double alpha) {
  if (!std::isfinite(alpha)) throw DomainError(fmt::format("[elu] alpha {}; give a finite number", alpha));
  return apply(detail::kElu, x, {.real = {alpha}});
}
Var relu(const Var& x) { return apply(detail::kRelu, x); }
Var leaky_relu(const Var& x, double slope) {
  if (!std::isfinite(slope))
    throw DomainError(fmt::format("[leaky_relu] slope {}; give a finite number", slope));
  return apply(detail::kLeakyRelu, x, {.real = {slope}});
}

}  // namespace cotangent
