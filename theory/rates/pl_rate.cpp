// Gradient descent under PL (O7).
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "theory/claims/enclosed.hpp"
#include "theory/numerics/arguments.hpp"
#include "theory/numerics/from_record.hpp"
#include "theory/proof.hpp"
#include "theory/rates.hpp"

namespace cotangent::theory {
namespace {

/// f(w) and |grad f(w)|^2 as computed, each off by what its record says; f besides by what the rounding of w
/// and of constants as large as w does to it, to first order by the gradient and to second by the smoothness.
struct Known {
  Measured value, square_gradient;
  double of_w = 0.0;  // the last part
};
Known known(const Function<Var(const Var& w)>& f, const Params& w, double smoothness) {
  Tensor slope;
  const auto both = [&](const Var& at) {
    const VarValueAndGrad here = value_and_grad(f, at);
    slope = here.grad.value();
    return in_a_row({here.value, dot(here.grad, here.grad)});
  };
  const std::vector<Measured> recorded = from_record(both, w);
  const Params gradient = w.with(slope);
  const double first = inner(gradient, w).error(), moved = rounding({norm(w)}),
               of_w = first + 0.5 * std::fabs(smoothness) * moved * moved;
  return {rounded_by(recorded[0].value(), recorded[0].error() + of_w),
          rounded_by(squared_norm(gradient).value(), recorded[1].error()), of_w};
}

/// A row of two points of the run, and how it is enclosed.
using Sides2 = Function<Sides(const Var& v, const Var& w)>;
void observe(Clause& clause, Index k, const Inequality& q, const Sides2& sides, const Params& v,
             const Params& w) {
  if (clause.observe(k, q)) clause.closest([=] { return enclosed_at(sides, v, w); });
}

}  // namespace

Verdict check_pl_rate(const Function<Var(const Var& w)>& f, const Params& w0, HalvedPl pl,
                      const PlRateOptions& options) {
  const double a = options.step.value_or(1.0 / options.smoothness);
  for (const auto& [name, value] : {std::pair("mu", pl.mu),
                                    {"smoothness", options.smoothness},
                                    {"step", a},
                                    {"optimum", options.optimum},
                                    {"decrease", options.decrease.value_or(0.0)}})
    check_finite("check_pl_rate", name, value);
  const Measured L = exact(options.smoothness), mu = exact(pl.mu), step = exact(a),
                 optimum = exact(options.optimum);
  const Measured c =
      options.decrease ? exact(*options.decrease) : step * (exact(1.0) - exact(0.5) * step * L);
  const Measured rate = exact(1.0) - exact(2.0) * mu * c;

  Study s(Claim(entry("O7"), fmt::format("mu = {}, c = {}, rate {}", pl.mu, c.value(), rate.value()),
                options.decrease ? "with a claimed decrease" : ""));
  s.hypothesis("0 < step", exact(0.0) < step);
  s.hypothesis("step < 2 / L", step * L < exact(2.0));
  s.hypothesis("0 < mu", exact(0.0) < mu);
  s.hypothesis("mu <= L", mu <= L);
  Clause &minimum = s.hypothesis_at_each("iterate", "f* <= f(w+)"),
         &smooth = s.hypothesis_at_each("iterate", "f(w+) <= f(w) - (step - L step^2 / 2) |grad f(w)|^2"),
         &condition = s.hypothesis_at_each("iterate", "2 mu (f(w) - f*) <= |grad f(w)|^2"),
         &decrease = s.step_at_each("iterate", "f(w+) <= f(w) - c |grad f(w)|^2"),
         &theorem = s.conclusion_at_each("iterate", "f(w_t) - f* <= (1 - 2 mu c)^t (f(w_0) - f*)");
  std::vector<double>&gaps = s.observed("f - f*"), &bounds = s.predicted("bound"),
  &factors = s.noted("factor");
  Known here = known(f, w0, options.smoothness);
  const Measured start = here.value - optimum;
  if (!(start.value() > 0.0))
    throw DomainError(fmt::format(
        "[check_pl_rate] f(w0) - f* is {}; give the optimum f*, and a start above it", start.value()));

  // The same rows on the record: of w and the exact w - step grad f(w), or of w_0 and w_t, which rounding
  // moved.
  const auto gap_of = [=](const Var& at) { return side(f(at)) - side(optimum); };
  const auto descent = [=](const Measured& by) -> Sides2 {
    return [=](const Var& w, const Var&) {
      const VarValueAndGrad at = value_and_grad(f, w);
      return side(f(w - a * at.grad)) <= side(at.value) - by * inner_product(at.grad, at.grad);
    };
  };
  const Sides2 above = [=](const Var&, const Var& next) { return side(optimum) <= side(f(next)); };
  const Sides2 pl_row = [=](const Var& w, const Var&) {
    const VarValueAndGrad at = value_and_grad(f, w);
    return exact(2.0) * mu * (side(at.value) - side(optimum)) <= inner_product(at.grad, at.grad);
  };
  const Measured by_smoothness = step * (exact(1.0) - exact(0.5) * step * L);
  const Sides2 smooth_row = descent(by_smoothness), decrease_row = descent(c);
  const auto theorem_row = [=](const Measured& factor, double moved) -> Sides2 {
    return [=](const Var& first, const Var& now) {
      return gap_of(now) + side(within(0.0, moved)) <= factor * gap_of(first);
    };
  };
  Params reached = w0;
  double moved = 0.0;
  const double moved_start = here.of_w;
  Measured factor = exact(1.0);
  Measured bound = start, by_condition = exact(0.0), by_decrease = exact(0.0), last = start;
  return s.descend(
      f, w0, {.step = a, .iterations = options.iterations, .progress = options.progress},
      [&](const Iterate& it) {
        const Measured value = here.value, square_gradient = here.square_gradient;
        const Measured gap = value - optimum;
        here = known(f, it.next, options.smoothness);
        const Measured next = here.value;
        observe(minimum, it.t, optimum <= next, above, it.w, it.next);
        if (const Measured left = next - optimum; it.t > 0 && !(left.value() > 1000.0 * left.error())) {
          s.enough();
          return;
        }
        const Inequality pl_here = exact(2.0) * mu * gap <= square_gradient,
                         down = next <= value - c * square_gradient;
        observe(smooth, it.t, next <= value - by_smoothness * square_gradient, smooth_row, it.w, it.next);
        observe(condition, it.t, pl_here, pl_row, it.w, it.next);
        observe(decrease, it.t, down, decrease_row, it.w, it.next);
        by_condition = rate * by_condition + c * (pl_here.rhs - pl_here.lhs);
        by_decrease = rate * by_decrease + (down.rhs - down.lhs);
        factor = rate * factor;
        bound = rate * bound;
        last = next - optimum;
        reached = it.next;
        moved = here.of_w + std::fabs(factor.value()) * moved_start;
        observe(theorem, it.t + 1, last <= bound, theorem_row(factor, moved), w0, reached);
        gaps.push_back(last.value());
        bounds.push_back(bound.value());
        factors.push_back(last.value() / gap.value());
      },
      [&] {
        s.number("T", static_cast<double>(gaps.size()));
        s.vacuous_if(exact(1.0) <= rate, fmt::format("the rate is {}, not below 1", rate.value()));
        s.account(
            {{"PL inequality, discounted", by_condition}, {"decrease of each step, discounted", by_decrease}},
            bound - last);
        return enclosed_or(last <= bound,
                           [&] { return enclosed_at(theorem_row(factor, moved), w0, reached); });
      },
      "f(w_T) - f* <= (1 - 2 mu c)^T (f(w_0) - f*)");
}

}  // namespace cotangent::theory
