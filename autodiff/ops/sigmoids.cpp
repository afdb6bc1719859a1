// tanh, the logistic function and what is made of it.
#include "autodiff/kernels/transcendental.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/ops/zip.hpp"

namespace cotangent {
namespace detail {
namespace {

template <auto kKernel>
Tensor by_kernel(const OpInputs& in, const OpAttributes&) {
  return map(in[0], kernel::transcendental().*kKernel);
}

// The derivatives of f are operations of g and x, as masks are: g f'(x), whose own derivatives are others of
// them at g h.
using SlopeKernel = void (*kernel::Transcendental::*)(double*, const double*, const double*, std::int64_t);
template <SlopeKernel kKernel>
Tensor slope_by_kernel(const OpInputs& in, const OpAttributes&) {
  if (in.shape(0) != in.shape(1)) throw_unequal("slope", in.shape(0), in.shape(1));
  Tensor out = uninitialized(in.shape(1));
  (kernel::transcendental().*kKernel)(mutable_data(out), in[0].data().data(), in[1].data().data(),
                                      out.size());
  return out;
}

Var tanh_slope(const Var& g, const Var& x);
Var sigmoid_slope(const Var& g, const Var& x);
Var silu_slope(const Var& g, const Var& x);
Var sigmoid_moment(const Var& g, const Var& x);

// Not 1 - tanh^2, which loses the digits of a large tanh.
const Op kTanhSlope({
    .name = "tanh_slope",
    .forward = slope_by_kernel<&kernel::Transcendental::tanh_slope>,
    .roundings = 16,
    .pullback =
        [](const OpRecord& p, const Var& h, OpCotangents& out) {
          const Var& x = p.in(1);
          if (out.needs(0)) out.add(0, tanh_slope(h, x));
          if (out.needs(1)) out.add(1, -2.0 * (tanh_slope(h * p.in(0), x) * tanh(x)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kTanh({
    .name = "tanh",
    .forward = by_kernel<&kernel::Transcendental::tanh>,
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, tanh_slope(g, p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

// s(x) s(-x), as 1 - s would lose the digits of a large s.
const Op kSigmoidSlope({
    .name = "sigmoid_slope",
    .forward = slope_by_kernel<&kernel::Transcendental::sigmoid_slope>,
    .roundings = 11,
    .pullback =
        [](const OpRecord& p, const Var& h, OpCotangents& out) {
          const Var& x = p.in(1);
          if (out.needs(0)) out.add(0, sigmoid_slope(h, x));
          if (out.needs(1)) out.add(1, -(sigmoid_slope(h * p.in(0), x) * tanh(0.5 * x)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kSigmoid({
    .name = "sigmoid",
    .forward = by_kernel<&kernel::Transcendental::sigmoid>,
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, sigmoid_slope(g, p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kSoftplus({
    .name = "softplus",
    .forward = by_kernel<&kernel::Transcendental::softplus>,
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, g * sigmoid(p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

// g x s'(x), which with s' and tanh is closed under derivatives and finite at both infinities.
const Op kSigmoidMoment({
    .name = "sigmoid_moment",
    .forward = slope_by_kernel<&kernel::Transcendental::sigmoid_moment>,
    .roundings = 17,
    .pullback =
        [](const OpRecord& p, const Var& h, OpCotangents& out) {
          const Var& x = p.in(1);
          if (out.needs(0)) out.add(0, sigmoid_moment(h, x));
          if (!out.needs(1)) return;
          const Var both = h * p.in(0);
          out.add(1, sigmoid_slope(both, x) - sigmoid_moment(both, x) * tanh(0.5 * x));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

// g (s(x) + x s'(x)).
const Op kSiluSlope({
    .name = "silu_slope",
    .forward = slope_by_kernel<&kernel::Transcendental::silu_slope>,
    .own_error =
        [](const OpInputs& in, const OpAttributes&, const Tensor&) {
          // The two terms have different signs below 0.
          const Var g = abs(in[0]);
          return (18.0 * (g * sigmoid(in[1]) + abs(sigmoid_moment(g, in[1])))).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& h, OpCotangents& out) {
          const Var& x = p.in(1);
          if (out.needs(0)) out.add(0, silu_slope(h, x));
          if (!out.needs(1)) return;
          const Var both = h * p.in(0);
          out.add(1, 2.0 * sigmoid_slope(both, x) - sigmoid_moment(both, x) * tanh(0.5 * x));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kSilu({
    .name = "silu",
    .forward = by_kernel<&kernel::Transcendental::silu>,
    .roundings = 13,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, silu_slope(g, p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

Var sigmoid_slope(const Var& g, const Var& x) { return apply(kSigmoidSlope, g, x); }
Var tanh_slope(const Var& g, const Var& x) { return apply(kTanhSlope, g, x); }
Var silu_slope(const Var& g, const Var& x) { return apply(kSiluSlope, g, x); }
Var sigmoid_moment(const Var& g, const Var& x) { return apply(kSigmoidMoment, g, x); }

}  // namespace
}  // namespace detail

Var tanh(const Var& x) { return detail::apply(detail::kTanh, x); }
Var sigmoid(const Var& x) { return detail::apply(detail::kSigmoid, x); }
Var softplus(const Var& x) { return detail::apply(detail::kSoftplus, x); }
Var silu(const Var& x) { return detail::apply(detail::kSilu, x); }

}  // namespace cotangent
