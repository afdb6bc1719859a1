// Proxy convexity at a point, and along a run of gradient descent.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "theory/proxies.hpp"
#include "theory/proxies/proxy_steps.hpp"

namespace cotangent::theory {
namespace {

constexpr const char* kDefinition = "g(w) + <grad f(w), v - w> <= h(v)";

void check(const ProxyConvexity& triple, const Params& w0, const ProxyDescentOptions& o) {
  if (w0.size() != triple.v.size())
    throw ShapeError(
        fmt::format("[check_proxy_descent] w0 has {} parameters, v has {}; give points of one space",
                    w0.size(), triple.v.size()));
  if (!(o.step > 0.0 && std::isfinite(o.step)))
    throw DomainError(fmt::format("[check_proxy_descent] step is {}; give a positive number", o.step));
  if (o.iterations < 1)
    throw DomainError(
        fmt::format("[check_proxy_descent] iterations is {}; the theorem needs T >= 1", o.iterations));
  if (!(o.lipschitz >= 0.0))
    throw DomainError(fmt::format("[check_proxy_descent] lipschitz is {}; give G >= 0", o.lipschitz));
}

}  // namespace

PointwiseClaim ProxyConvexity::claim() const {
  return {Claim(entry("O29")), [triple = *this](const Var& w) {
            const VarValueAndGrad at_w = value_and_grad(triple.f, w);
            const Var upper = triple.g ? triple.g(w) : at_w.value;
            const Var at_v = lift(triple.v.flat(), w);
            return side(upper) + inner_product(at_w.grad, at_v, w) <= side(triple.h(at_v));
          }};
}

Inequality ProxyConvexity::at(const Params& w) const {
  if (w.size() != v.size())
    throw ShapeError(fmt::format("[ProxyConvexity] w has {} parameters, v has {}; give points of one space",
                                 w.size(), v.size()));
  return claim().evaluate(w);
}

FalsifyOptions around(const ProxyConvexity& triple, const Params& centre, FalsifyOptions options) {
  options.starts.push_back(triple.v);
  options.radius = std::max(options.radius, 3.0 * norm(triple.v - centre));
  return options;
}

Verdict check_proxy_convexity(const ProxyConvexity& triple, const Params& centre, Rng& rng,
                              FalsifyOptions options) {
  return falsify(triple.claim(), centre, rng, around(triple, centre, std::move(options)));
}

ProxySteps::ProxySteps(const ProxyConvexity& triple, const Params& w0, const ProxyDescentOptions& options,
                       Study& study, Bound claims, const char* name_of_g)
    : triple_(triple),
      options_(options),
      self_bounded_(options.bound == ProxyBound::self_bounded),
      h_(rounded(triple.h(triple.v.flat()).item())),
      start_(squared_distance(w0, triple.v)),
      distance_(start_),
      definition_(study.hypothesis_at_each("iterate", kDefinition)),
      gradient_(
          study.hypothesis_at_each("iterate", self_bounded_ ? "|grad f(w)|^2 <= g(w)" : "|grad f(w)| <= G")),
      identity_(
          study.step_at_each("iterate", "|w+ - v|^2 = |w - v|^2 - 2 step <grad, w - v> + step^2 |grad|^2")),
      theorem_(claims == Bound::conclusion
                   ? study.conclusion_at_each("iterate", "min_{s<=t} g(w_s) <= the bound for T = t + 1")
                   : study.step_at_each("iterate",
                                        "min_{s<=t} g(w_s) <= the proxy theorem's bound for T = t + 1")),
      g_(study.observed(name_of_g)),
      norms_(study.noted("|grad|")),
      slacks_(study.noted("proxy slack")),
      bounds_(study.predicted("bound")) {
  if (self_bounded_) study.hypothesis("step < 2", exact(options.step) < exact(2.0));
}

Measured ProxySteps::bound_after(double iterations) const {
  const Measured step = exact(options_.step), distance = start_ / (step * exact(iterations));
  if (self_bounded_) return (exact(2.0) * h_ + distance) / (exact(2.0) - step);
  return h_ + exact(0.5) * step * square(exact(options_.lipschitz)) + exact(0.5) * distance;
}

void ProxySteps::at(const Iterate& it) {
  const Measured step = exact(options_.step), squared = square(it.gradient_norm);
  const double g = triple_.g ? triple_.g(it.w.flat()).item() : it.value;
  const Side inner = inner_product(it.gradient.flat(), triple_.v.flat(), it.w.flat());
  const Inequality definition = rounded(g) + inner.measured <= h_;
  definition_.observe(it.t, definition);
  gradient_.observe(it.t,
                    self_bounded_ ? squared <= rounded(g) : it.gradient_norm <= exact(options_.lipschitz));

  const Measured after = squared_distance(it.next, triple_.v);
  const Measured expected = distance_ + exact(2.0) * step * inner.measured + step * step * squared;
  // w+ itself is rounded, by eps |w+|.
  const double moved = rounding({std::sqrt(after.value()) * norm(it.next)});
  const Inequality identity = within(after.value(), after.error() + moved) == expected;
  identity_.observe(it.t, identity);
  lost_ += identity.tolerance();
  distance_ = after;

  if (g < least_) {
    least_ = g;
    least_at_ = it.t;
  }
  g_.push_back(g);
  const Measured limit = bound();
  theorem_.observe(it.t, least() <= limit);
  norms_.push_back(it.gradient_norm.value());
  slacks_.push_back(definition.margin());
  bounds_.push_back(limit.value());
  sum_g_ += g;
  sum_square_ += squared.value();
  sum_slack_ += definition.margin();
}

void ProxySteps::finish(Study& study) const {
  const auto n = static_cast<double>(g_.size());
  const auto mean = [n](long double sum) { return static_cast<double>(sum / n); };
  const double step = options_.step, share = self_bounded_ ? 1.0 / (1.0 - 0.5 * step) : 1.0;
  const double ceiling = self_bounded_ ? mean(sum_g_) : options_.lipschitz * options_.lipschitz;
  // What rounding may have done to the identity, on the average, ends up in the first part.
  const double lost = share * mean(lost_) / (2.0 * step);
  study.account({{"proxy inequality, mean over the iterates", within(share * mean(sum_slack_), lost)},
                 {"bound on the gradient, mean", rounded(share * 0.5 * step * (ceiling - mean(sum_square_)))},
                 {"|w_T - v|^2 / (2 step T) dropped", rounded(share * distance_.value() / (2.0 * step * n))},
                 {"minimum instead of mean", rounded(mean(sum_g_) - least_)}},
                bound() - least());
  study.number("least", least_);
  study.number("least at", static_cast<double>(least_at_));
}

Verdict check_proxy_descent(const ProxyConvexity& triple, const Params& w0,
                            const ProxyDescentOptions& options) {
  check(triple, w0, options);
  const bool own = options.bound == ProxyBound::self_bounded;
  Study study(Claim(entry("O30"),
                    fmt::format("step = {}, T = {}{}", options.step, options.iterations,
                                options.claimed ? fmt::format(", claimed {}", *options.claimed) : ""),
                    own ? "self-bounded form" : ""));
  ProxySteps steps(triple, w0, options, study, ProxySteps::Bound::conclusion);
  const auto claimed = [&](const ProxySteps& seen) {
    return options.claimed ? exact(*options.claimed)
                           : seen.bound_after(static_cast<double>(options.iterations));
  };
  return study.descend(
      triple.f, w0, {.step = options.step, .iterations = options.iterations, .progress = options.progress},
      [&](const Iterate& it) {
        steps.at(it);
        // Only where the claim for all of T has come true, which nothing later can change.
        const bool settled = (steps.least() <= claimed(steps)).proved();
        if (options.stop_at && steps.least().value() <= *options.stop_at && settled) study.enough();
      },
      [&] {
        steps.finish(study);
        const double first = steps.first();
        study.vacuous_if(exact(first) <= claimed(steps), fmt::format("g(w_0) is {:.4g} already", first));
        return steps.least() <= claimed(steps);
      },
      options.claimed ? "min_{t<T} g(w_t) <= claimed" : "min_{t<T} g(w_t) <= bound");
}

}  // namespace cotangent::theory
