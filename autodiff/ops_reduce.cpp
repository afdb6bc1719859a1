// Reductions: sums and log-sum-exp, and their adjoints.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/kernels.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops_internal.hpp"
#include "autodiff/tensor_access.hpp"

namespace cotangent {
namespace detail {
namespace {

/// A row-major array seen as [outer, middle, inner] around one axis.
struct Around {
  Index outer = 1;
  Index middle = 1;
  Index inner = 1;
  Around(const Shape& shape, int axis) {
    for (int k = 0; k < shape.rank(); ++k) (k < axis ? outer : k == axis ? middle : inner) *= shape[k];
  }
};

void check_axis(const char* name, const Shape& shape, int axis) {
  if (axis < 0 || axis >= shape.rank())
    throw ShapeError(fmt::format("[{}] axis {} of x, which is {}; its axes are 0 .. {}", name, axis,
                                 shape.to_string(), shape.rank() - 1));
}

int reduced_axis(const NodeView& node, int axis, int) {
  const int gone = static_cast<int>(node.whole(0));
  return axis < gone ? axis : axis + 1;
}

const Op kSum({
    .name = "sum",
    .forward =
        [](const Inputs& in, const Attributes&) {
          return Tensor::scalar(kernel::sum(in[0].data().data(), in[0].size()));
        },
    .pullback = [](const Pullback& p, const Var& g,
                   Cotangents& out) { out.add(0, broadcast_to(g, p.shape(0))); },
});

const Op kSumAxis({
    .name = "sum_axis",
    .forward =
        [](const Inputs& in, const Attributes& a) {
          const int axis = static_cast<int>(a.whole[0]);
          check_axis("sum", in.shape(0), axis);
          const Around s(in.shape(0), axis);
          Tensor out = uninitialized(in.shape(0).without(axis));
          kernel::sum_middle(mutable_data(out), in[0].data().data(), s.outer, s.middle, s.inner);
          return out;
        },
    .pullback =
        [](const Pullback& p, const Var& g, Cotangents& out) {
          const int axis = static_cast<int>(p.whole(0));
          out.add(0, spread(g, axis, p.shape(0)[axis]));
        },
    .row_rule = reduced_axis,
});

const Op kLogSumExp({
    .name = "log_sum_exp",
    .forward =
        [](const Inputs& in, const Attributes& a) {
          const int axis = static_cast<int>(a.whole[0]);
          check_axis("log_sum_exp", in.shape(0), axis);
          const Around s(in.shape(0), axis);
          if (s.middle == 0)
            throw DomainError(fmt::format("[log_sum_exp] axis {} of {} is empty; there is no largest element",
                                          axis, in.shape(0).to_string()));
          Tensor out = uninitialized(in.shape(0).without(axis));
          double* y = mutable_data(out);
          Tensor shifted = uninitialized(Shape{s.middle});
          double* e = mutable_data(shifted);
          for (Index o = 0; o < s.outer; ++o) {
            for (Index k = 0; k < s.inner; ++k) {
              const double* x = in[0].data().data() + o * s.middle * s.inner + k;
              double top = -std::numeric_limits<double>::infinity();
              for (Index m = 0; m < s.middle; ++m) top = !(x[m * s.inner] <= top) ? x[m * s.inner] : top;
              if (std::isinf(top) || std::isnan(top)) {  // all -inf, or +inf or NaN among them
                for (Index m = 0; m < s.middle; ++m) top = std::isnan(x[m * s.inner]) ? x[m * s.inner] : top;
                y[o * s.inner + k] = top;
                continue;
              }
              for (Index m = 0; m < s.middle; ++m) e[m] = x[m * s.inner] - top;
              kernel::transcendental().exp(e, e, s.middle);
              y[o * s.inner + k] = top + std::log(kernel::sum(e, s.middle));
            }
          }
          return out;
        },
    .pullback =
        [](const Pullback& p, const Var& g, Cotangents& out) {
          const int axis = static_cast<int>(p.whole(0));
          const Index size = p.shape(0)[axis];
          out.add(0, spread(g, axis, size) * exp(p.in(0) - spread(p.out(), axis, size)));
        },
    .keep = Keep::kInputsAndOutput,
    .row_rule = reduced_axis,
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

}  // namespace detail

Var sum(const Var& x) { return detail::apply(detail::kSum, x); }
Var sum(const Var& x, int axis) { return detail::apply(detail::kSumAxis, x, {.whole = {axis}}); }

Var mean(const Var& x) {
  if (x.size() == 0)
    throw DomainError(
        fmt::format("[mean] x is {}, without elements; give it at least one", x.shape().to_string()));
  return (1.0 / static_cast<double>(x.size())) * sum(x);
}

Var mean(const Var& x, int axis) {
  detail::check_axis("mean", x.shape(), axis);
  if (x.size(axis) == 0)
    throw DomainError(fmt::format("[mean] axis {} of x, which is {}, is empty; give it at least one element",
                                  axis, x.shape().to_string()));
  return (1.0 / static_cast<double>(x.size(axis))) * sum(x, axis);
}

Var log_sum_exp(const Var& x, int axis) { return detail::apply(detail::kLogSumExp, x, {.whole = {axis}}); }

}  // namespace cotangent
