// Powers, and exp and log near 0.
#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/kernels/transcendental.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/ops/zip.hpp"

namespace cotangent {
namespace detail {
namespace {

// The math library says NaN^0 = 1; here NaN stays NaN.
double power(double x, double p) { return std::isunordered(x, p) ? x + p : std::pow(x, p); }

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

// x^0 is constant, also at 0: there another base keeps 0 * 0^-1, which is NaN, out of this
// and of its derivatives.
Var power_by_base(const OpRecord& p, const Var& g) {
  const Var constant = equal_to(p.in(0), 0.0) * equal_to(p.in(1), 0.0);
  return g * (p.in(1) * pow(where(constant, 1.0, p.in(0)), p.in(1) - 1.0));
}
// 0^b is 0 for every b > 0: its derivative by b is 0, not 0 * log(0).
Var power_by_exponent(const OpRecord& p, const Var& g) {
  return g * (p.out() * log(where(equal_to(p.in(0), 0.0), 1.0, p.in(0))));
}

const Op kPowVar({
    .name = "pow_var",
    .forward = [](const OpInputs& in, const OpAttributes&) { return zip("pow", in, power); },
    .roundings = 2,
    .pullback =
        [](const OpRecord& p, const Var& g, OpCotangents& out) {
          if (out.needs(0)) out.add(0, like(power_by_base(p, g), p.shape(0)));
          if (out.needs(1)) out.add(1, like(power_by_exponent(p, g), p.shape(1)));
        },
    .keep = Keep::kInputsAndOutput,
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
    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, g / (1.0 + p.in(0))); },
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
