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

Var tanh_slope(const Var& x);
Var sigmoid_moment(const Var& x);

// Not 1 - tanh^2, which loses the digits of a large tanh.
const Op kTanhSlope({
    .name = "tanh_slope",
    .forward = by_kernel<&kernel::Transcendental::tanh_slope>,
    .roundings = 15,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, -2.0 * (g * (p.out() * tanh(p.in(0))))); },
    .keep = Keep::kInputsAndOutput,
    .row_rule = same_axis,
});

const Op kTanh({
    .name = "tanh",
    .forward = by_kernel<&kernel::Transcendental::tanh>,
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, g * tanh_slope(p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

// s(x) s(-x), as 1 - s would lose the digits of a large s.
const Op kSigmoidSlope({
    .name = "sigmoid_slope",
    .forward = by_kernel<&kernel::Transcendental::sigmoid_slope>,
    .roundings = 10,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, -(g * (p.out() * tanh(0.5 * p.in(0))))); },
    .keep = Keep::kInputsAndOutput,
    .row_rule = same_axis,
});

const Op kSigmoid({
    .name = "sigmoid",
    .forward = by_kernel<&kernel::Transcendental::sigmoid>,
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, g * sigmoid_slope(p.in(0))); },
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

// x s'(x), which with s' and tanh is closed under derivatives and finite at both infinities.
const Op kSigmoidMoment({
    .name = "sigmoid_moment",
    .forward = by_kernel<&kernel::Transcendental::sigmoid_moment>,
    .roundings = 16,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          out.add(0, g * (sigmoid_slope(p.in(0)) - p.out() * tanh(0.5 * p.in(0))));
        },
    .keep = Keep::kInputsAndOutput,
    .row_rule = same_axis,
});

const Op kSilu({
    .name = "silu",
    .forward = by_kernel<&kernel::Transcendental::silu>,
    .roundings = 13,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, g * (sigmoid(p.in(0)) + sigmoid_moment(p.in(0)))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

Var tanh_slope(const Var& x) { return apply(kTanhSlope, x); }
Var sigmoid_moment(const Var& x) { return apply(kSigmoidMoment, x); }

}  // namespace

Var sigmoid_slope(const Var& x) { return apply(kSigmoidSlope, x); }

}  // namespace detail

Var tanh(const Var& x) { return detail::apply(detail::kTanh, x); }
Var sigmoid(const Var& x) { return detail::apply(detail::kSigmoid, x); }
Var softplus(const Var& x) { return detail::apply(detail::kSoftplus, x); }
Var silu(const Var& x) { return detail::apply(detail::kSilu, x); }

}  // namespace cotangent
