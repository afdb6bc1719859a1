// The error function, the normal distribution function, gelu, and all their derivatives by one operation.
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "autodiff/kernels/transcendental.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/ops/zip.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {
namespace {

constexpr double kErfSlope = 2.0 * std::numbers::inv_sqrtpi;                             // at 0
constexpr double kNormalDensity = 0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // at 0

/// (high, low) with high^2 exact and x^2 = high^2 + low: a rounded x^2 would cost exp(-x^2) its last digits.
struct SquareInTwo {
  double high, low;
  explicit SquareInTwo(double x) {
    const double part = std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & ~std::uint64_t{0x7ffffff});
    high = part * part;
    low = (x - part) * (x + part);
  }
};

/// d^k/dx^k exp(-a x^2), from exp(-a x^2): a polynomial times it, by D_(k+1) = -2 a (x D_k + k D_(k-1)); 0
/// where it is, also at infinity.
double bell(double x, double e, double a, Index k) {
  if (e == 0.0) return 0.0;
  double before = 0.0, now = e;
  for (Index j = 0; j < k; ++j) {
    const double next = -2.0 * a * (x * now + static_cast<double>(j) * before);
    before = now;
    now = next;
  }
  return now;
}

/// y_i = exp(-a x_i^2).
void bells(double* __restrict y, const double* x, double a, Index n) {
  for (Index i = 0; i < n; ++i) y[i] = -a * SquareInTwo(x[i]).high;
  kernel::transcendental().exp(y, y, n);
  for (Index i = 0; i < n; ++i) {
    const double t = a * SquareInTwo(x[i]).low;  // below 1e-4 where y is above 0
    const double e = y[i] * (1.0 - t * (1.0 - t / 2.0 * (1.0 - t / 3.0)));
    y[i] = y[i] == 0.0 ? 0.0 : e;
  }
}

// Of real(0) = a and whole(0) = k.
extern const Op kBell;
const Op kBell({
    .name = "bell",
    .forward =
        [](const OpInputs& in, const OpAttributes& attributes) {
          const double a = attributes.real[0];
          const Index k = attributes.whole[0], n = in[0].size();
          Tensor out = uninitialized(in.shape(0));
          double* __restrict y = mutable_data(out);
          const double* x = in[0].data().data();
          bells(y, x, a, n);
          if (k > 0)
            for (Index i = 0; i < n; ++i) y[i] = bell(x[i], y[i], a, k);
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& attributes, const Tensor& out) {
          // The terms of the polynomial are largest where all have one sign.
          Tensor bound = uninitialized(out.shape());
          double* y = mutable_data(bound);
          const double a = attributes.real[0];
          for (Index i = 0; i < out.size(); ++i) {
            const double x = std::fabs(in[0].flat(i)), e = std::exp(-a * x * x);
            double before = 0.0, now = e;
            for (Index j = 0; j < attributes.whole[0]; ++j) {
              const double next = 2.0 * a * (x * now + static_cast<double>(j) * before);
              before = now;
              now = next;
            }
            y[i] = e == 0.0 ? 0.0 : (9.0 + 4.0 * static_cast<double>(attributes.whole[0])) * now;
          }
          return bound;
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          out.add(0, g * apply(kBell, p.in(0), {.real = {p.real()}, .whole = {p.whole(0) + 1}}));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

/// d^k/dx^k exp(-a x^2).
Var bell_of(const Var& x, double a, Index k) { return apply(kBell, x, {.real = {a}, .whole = {k}}); }

const Op kErf({
    .name = "erf",
    .forward = [](const OpInputs& in,
                  const OpAttributes&) { return map(in[0], [](double x) { return std::erf(x); }); },
    .roundings = 3,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          out.add(0, g * times(kErfSlope, kTwoOverRootPi, bell_of(p.in(0), 1.0, 0)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kErfc({
    .name = "erfc",
    .forward = [](const OpInputs& in,
                  const OpAttributes&) { return map(in[0], [](double x) { return std::erfc(x); }); },
    .roundings = 6,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          out.add(0, g * times(-kErfSlope, kTwoOverRootPi, bell_of(p.in(0), 1.0, 0)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

/// erfc(-x / sqrt 2) / 2. Where it is small it falls so steeply that the rounding of x / sqrt 2 counts.
double normal_cdf(double x) {
  constexpr double kRoot = 0.5 * std::numbers::sqrt2, kRest = -4.833646656726457e-17;  // sqrt(1/2) - kRoot
  const double t = -x * kRoot, half = 0.5 * std::erfc(t);
  if (!(t > 2.0) || half == 0.0) return half;
  const double rounded = std::fma(-x, kRoot, -t) - x * kRest;
  return half * (1.0 - rounded * (2.0 * t + 1.0 / t));
}

Var density(const Var& x, Index k) { return times(kNormalDensity, kOneOverRootTwoPi, bell_of(x, 0.5, k)); }

const Op kNormalCdf({
    .name = "normal_cdf",
    .forward = [](const OpInputs& in, const OpAttributes&) { return map(in[0], normal_cdf); },
    .roundings = 10,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, g * density(p.in(0), 0)); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

Var gelu_slope(const Var& g, const Var& x, const Var& cdf);

// Inputs x and F(x) for the normal distribution function F, which its derivative needs again: x F(x), as a
// function of x alone, so that what is known of F goes into no derivative twice.
const Op kGelu({
    .name = "gelu",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          return zip("gelu", in, [](double x, double part) { return part == 0.0 ? -0.0 : x * part; });
        },
    .roundings = 11,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, gelu_slope(g, p.in(0), p.in(1))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

// Inputs g, x and F(x): g (F + x F').
const Op kGeluSlope({
    .name = "gelu_slope",
    .forward =
        [](const OpInputs& in, const OpAttributes&) {
          Tensor out = uninitialized(in.shape(1));
          double* __restrict y = mutable_data(out);
          const double *g = in[0].data().data(), *x = in[1].data().data(), *part = in[2].data().data();
          const Index n = out.size();
          bells(y, x, 0.5, n);
          for (Index i = 0; i < n; ++i) {
            const double e = y[i] == 0.0 ? 0.0 : kNormalDensity * (x[i] * y[i]);
            y[i] = g[i] * (part[i] + e);
          }
          return out;
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes&, const Tensor&) {
          // The two terms have different signs below 0; what F has lost counts here too.
          return (16.0 * abs(in[0]) * (in[2] + abs(density(in[1], 1)))).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& h, OpCotangents& out) {
          const Var &g = p.in(0), &x = p.in(1);
          if (out.needs(0)) out.add(0, gelu_slope(h, x, p.in(2)));
          if (out.needs(1)) out.add(1, h * g * (density(x, 0) - density(x, 2)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

Var gelu_slope(const Var& g, const Var& x, const Var& cdf) { return apply(kGeluSlope, g, x, cdf); }

}  // namespace
}  // namespace detail

Var erf(const Var& x) { return detail::apply(detail::kErf, x); }
Var erfc(const Var& x) { return detail::apply(detail::kErfc, x); }
Var gelu(const Var& x) { return detail::apply(detail::kGelu, x, detail::apply(detail::kNormalCdf, x)); }

}  // namespace cotangent
