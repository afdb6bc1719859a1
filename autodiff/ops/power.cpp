// Powers, and exp and log near 0.
#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/kernels/transcendental.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/ops/zip.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {
namespace {

// The math library says NaN^0 = 1 and (-inf)^0.5 = inf; here both are NaN.
double power(double x, double p) {
  if (std::isunordered(x, p)) return x + p;
  return x == -HUGE_VAL && p != std::rint(p) ? std::sqrt(x) : std::pow(x, p);
}

extern const Op kPow;
const Op kPow({
    .name = "pow",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          const double p = a.real[0];
          if (p == 1.0) return in[0];
          if (p == 2.0) return map(in[0], [](double x) { return x * x; });
          if (p == 3.0) return map(in[0], [](double x) { return x * x * x; });
          if (p == -1.0) return map(in[0], [](double x) { return 1.0 / x; });
          return map(in[0], [p](double x) { return power(x, p); });
        },
    .own_error =
        [](const OpInputs& in, const OpAttributes& a, const Tensor& out) {
          const double p = a.real[0];
          if (p == 1.0) return Tensor();
          const Var own = (p == 2.0 || p == -1.0 ? 1.0 : 2.0) * abs(out);
          if (a.whole[0] == 0 || p == std::rint(p)) return own.value();
          // The exponent is a rounded difference: |x^p log x| times its error.
          const Var base = where(equal_to(in[0], 0.0), 1.0, in[0]);
          return (own + std::fabs(p) * abs(Var(out) * log(base))).value();
        },
    // x^0 is constant; the rule would say 0 * x^-1, which is NaN at 0.
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (p.real() == 0.0) return;
          // The exponent is real(1) less whole(0), and real(0) is that number rounded.
          const Var lower =
              apply(kPow, p.in(0), {.real = {p.real() - 1.0, p.real(1)}, .whole = {p.whole(0) + 1}});
          out.add(0, times(p.real(), p.whole(0) ? kReduced - p.whole(0) : 0, g * lower, p.real(1)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

// With these two all derivatives of a power by both operands are written. At 0 the conventions: x^0 is
// constant, so its derivative by x is 0; 0^b is 0 for b > 0 and 1 for b = 0, and its derivatives by b >= 0
// are 0.
Var power_slope(const Var& x, const Var& b);
Var power_and_logarithm(const Var& x, const Var& b, Index k);

/// x, and 1 where x^b is the constant 0^0, which keeps 0 * 0^-1 out of derivatives.
Var where_constant_one(const Var& x, const Var& b) {
  return where(equal_to(x, 0.0) * equal_to(b, 0.0), 1.0, x);
}

Var power_by_base(const OpRecord& p, const Var& g) { return g * power_slope(p.in(0), p.in(1)); }
Var power_by_exponent(const OpRecord& p, const Var& g) {
  return g * power_and_logarithm(p.in(0), p.in(1), 1);
}

/// |b| a^(b - 1) for a >= 0: by a^b / a where b - 1 is rounded, or a^(b - 1) no normal number though the
/// product may be one.
double size_of_slope(double a, double b) {
  const double less = b - 1.0, lower = std::pow(a, less), y = std::pow(a, b);
  const bool exact = less + 1.0 == b && b - less == 1.0;
  if ((exact && std::isnormal(lower)) || a == 0.0 || std::isinf(a)) return std::fabs(b) * lower;
  if (std::isnormal(y)) return std::fabs(b) * y / a;
  if (std::isinf(b)) return y == 0.0 ? 0.0 : y;
  if (exact && lower != 0.0 && std::isfinite(lower)) return std::fabs(b) * lower;
  const double root = std::pow(a, 0.5 * b);
  return root / a * std::fabs(b) * root;
}

/// b x^(b - 1), with the sign of b x^b / x, which b - 1 has lost where it is rounded.
double power_times_exponent(double x, double b) {
  if (b == 0.0) return std::isnan(x) ? x : 0.0;
  const double y = power(x, b);
  if (std::isnan(y)) return y;
  const bool odd_sign = std::signbit(x) && (x != 0.0 || b == std::rint(b));
  const bool negative = std::signbit(b) != (odd_sign != std::signbit(y));
  return std::copysign(size_of_slope(std::fabs(x), b), negative ? -1.0 : 1.0);
}

/// x^b (log x)^k for k >= 1: its limit where one factor is 0 and the other infinite, and by two roots where
/// x^b leaves the range of doubles that the product does not leave.
double power_times_logarithm(double x, double b, Index k) {
  if ((x == 0.0 && b >= 0.0) || (x == HUGE_VAL && b < 0.0)) return 0.0;
  if (x == 0.0 && std::signbit(x) && b == std::rint(b)) return std::nan("");  // as below 0
  const double y = power(x, b), factor = std::pow(std::log(x), static_cast<double>(k));
  if (std::isnormal(y) || x == 0.0 || !std::isfinite(x) || std::isnan(y)) return y * factor;
  const double root = power(x, 0.5 * b);
  return root * (root * factor);
}

/// f(x_i, b_i); a scalar goes with any shape.
template <class F>
Tensor each_pair(const OpInputs& in, F f) {
  const Tensor &x = in[0], &b = in[1];
  Tensor out = uninitialized(x.rank() ? x.shape() : b.shape());
  double* y = mutable_data(out);
  for (Index i = 0; i < out.size(); ++i) y[i] = f(x.flat(x.rank() ? i : 0), b.flat(b.rank() ? i : 0));
  return out;
}

const Op kPowSlope({
    .name = "pow_slope",
    .forward = [](const OpInputs& in, const OpAttributes&) { return each_pair(in, power_times_exponent); },
    .own_error =
        [](const OpInputs& in, const OpAttributes&, const Tensor& out) {
          // The exponent is rounded: |x^b log x| times its error.
          const Var base = where(less_equal(abs(in[0]), 0.0), 1.0, abs(in[0]));
          return (4.0 * abs(out) + abs(Var(out) * (abs(in[1]) + 1.0) * log(base))).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const Var& b = p.in(1);
          const Var base = where_constant_one(p.in(0), b);
          if (out.needs(0)) out.add(0, like(g * (b * power_slope(base, b - 1.0)), p.shape(0)));
          if (out.needs(1))
            out.add(1,
                    like(g * (pow(base, b - 1.0) + b * power_and_logarithm(base, b - 1.0, 1)), p.shape(1)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

// Of whole(0) = k.
const Op kPowLog({
    .name = "pow_log",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          return each_pair(in,
                           [k = a.whole[0]](double x, double b) { return power_times_logarithm(x, b, k); });
        },
    .own_error =
        [](const OpInputs&, const OpAttributes& a, const Tensor& out) {
          return ((6.0 + 2.0 * static_cast<double>(a.whole[0])) * abs(out)).value();
        },
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          const Index k = p.whole(0);
          const Var &x = p.in(0), &b = p.in(1);
          if (out.needs(0)) {
            const Var base = where_constant_one(x, b);
            const Var lower = k > 1 ? power_and_logarithm(base, b - 1.0, k - 1) : pow(base, b - 1.0);
            const Var by_base = b * power_and_logarithm(base, b - 1.0, k) + static_cast<double>(k) * lower;
            out.add(0, like(g * by_base, p.shape(0)));
          }
          if (out.needs(1)) out.add(1, like(g * power_and_logarithm(x, b, k + 1), p.shape(1)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

Var power_slope(const Var& x, const Var& b) { return apply(kPowSlope, x, b); }
Var power_and_logarithm(const Var& x, const Var& b, Index k) { return apply(kPowLog, x, b, {.whole = {k}}); }

const Op kPowVar({
    .name = "pow_var",
    .forward = [](const OpInputs& in, const OpAttributes&) { return zip("pow", in, power); },
    .roundings = 2,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, like(power_by_base(p, g), p.shape(0)));
          if (out.needs(1)) out.add(1, like(power_by_exponent(p, g), p.shape(1)));
        },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
    .row_factor =
        [](const OpRecord& p, int axis, int j, const Tensor& g) {
          return summed_by_sample((j == 0 ? power_by_base(p, g) : power_by_exponent(p, g)).value(), axis);
        },
});

// exp(x) and not y + 1, which loses the digits of a small exp(x).
const Op kExpm1({
    .name = "expm1",
    .forward = [](const OpInputs& in,
                  const OpAttributes&) { return map(in[0], kernel::transcendental().expm1); },
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, g * exp(p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

const Op kLog1p({
    .name = "log1p",
    .forward = [](const OpInputs& in,
                  const OpAttributes&) { return map(in[0], kernel::transcendental().log1p); },
    .roundings = 5,
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, over_positive(g, 1.0 + p.in(0))); },
    .keep = Keep::kInputs,
    .row_rule = same_axis,
});

}  // namespace
}  // namespace detail

using detail::apply;

Var pow(const Var& x, double exponent) {
  if (!std::isfinite(exponent))
    throw DomainError(fmt::format("[pow] exponent {}; give a finite number", exponent));
  return apply(detail::kPow, x, {.real = {exponent, exponent}});
}
Var pow(const Var& base, const Var& exponent) { return apply(detail::kPowVar, base, exponent); }
Var expm1(const Var& x) { return apply(detail::kExpm1, x); }
Var log1p(const Var& x) { return apply(detail::kLog1p, x); }

}  // namespace cotangent
