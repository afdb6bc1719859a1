// Proxy convexity at a point, and along a run of gradient descent.
#include "theory/proxy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "optim/first_order.hpp"

namespace cotangent::theory {
namespace {

constexpr const char* kDefinition = "g(w) + <grad f(w), v - w> <= h(v)";

/// The definition at w from g(w), inner = <grad f(w), v - w> and h(v).
Inequality definition(double g, const Compensated& inner, double h) {
  return {
      .name = kDefinition, .lhs = g + inner.value, .rhs = h, .tolerance = rounding({g, inner.magnitude, h})};
}

Compensated inner_product(const Tensor& gradient, const Params& v, const Params& w) {
  return compensated_dot_difference(gradient.data(), v.flat().data(), w.flat().data());
}

void check(const ProxyConvexity& triple, const Params& w0, const ProxyDescentOptions& o) {
  if (w0.size() != triple.v.size())
    throw ShapeError(
        fmt::format("[check_proxy_descent] w0 has {} parameters, v has {}; give points of one space",
                    w0.size(), triple.v.size()));
  if (o.iterations < 1)
    throw DomainError(
        fmt::format("[check_proxy_descent] iterations is {}; the theorem needs T >= 1", o.iterations));
  if (!(o.step > 0.0 && std::isfinite(o.step)))
    throw DomainError(fmt::format("[check_proxy_descent] step is {}; give a positive number", o.step));
  if (!(o.lipschitz >= 0.0))
    throw DomainError(fmt::format("[check_proxy_descent] lipschitz is {}; give G >= 0", o.lipschitz));
}

/// Watches the run and evaluates the proof.
class ProxyObserver final : public optim::Observer {
 public:
  ProxyObserver(const ProxyConvexity& triple, const Params& w0, const ProxyDescentOptions& options,
                Proof& proof, ProxyDescent& seen)
      : triple_(triple),
        options_(options),
        seen_(seen),
        h_(triple.h(triple.v).item()),
        start_(squared_distance(w0.flat().data(), triple.v.flat().data()).value),
        distance_(start_),
        self_bounded_(options.bound == ProxyBound::self_bounded),
        definition_(proof.hypothesis_at_each("iterate", kDefinition)),
        gradient_(proof.hypothesis_at_each("iterate",
                                           self_bounded_ ? "|grad f(w)|^2 <= g(w)" : "|grad f(w)| <= G")),
        identity_(proof.step_at_each("iterate",
                                     "|w+ - v|^2 <= |w - v|^2 - 2 step <grad, w - v> + step^2 |grad|^2")),
        theorem_(proof.step_at_each("iterate", "min_{s<=t} g(w_s) <= the theorem's bound for T = t + 1")) {
    seen_.least = std::numeric_limits<double>::infinity();
  }

  double bound(double iterations) const {
    const double distance = start_ / (options_.step * iterations);
    return self_bounded_
               ? (2.0 * h_ + distance) / (2.0 - options_.step)
               : h_ + 0.5 * options_.step * options_.lipschitz * options_.lipschitz + 0.5 * distance;
  }

  optim::Flow on_step(const optim::View& view) override {
    const Index t = view.iteration;
    const double g = triple_.g ? triple_.g(view.w).item() : view.value;
    const double square = view.gradient_norm * view.gradient_norm;
    const Compensated inner = inner_product(view.gradient.flat(), triple_.v, view.w);
    const Inequality q = definition(g, inner, h_);
    definition_.observe(t, q.lhs, q.rhs, q.tolerance);
    if (self_bounded_)
      gradient_.observe(t, square, g, rounding({square, g}));
    else
      gradient_.observe(t, view.gradient_norm, options_.lipschitz,
                        rounding({view.gradient_norm, options_.lipschitz}));

    const double next =
        distance_ + 2.0 * options_.step * inner.value + options_.step * options_.step * square;
    const Params after = axpy(-options_.step, view.gradient, view.w);
    const double measured = squared_distance(after.flat().data(), triple_.v.flat().data()).value;
    // w+ itself is rounded, by eps |w+|.
    identity_.observe(t, measured, next,
                      rounding({distance_, 2.0 * options_.step * inner.magnitude,
                                options_.step * options_.step * square, std::sqrt(measured) * norm(after)}));
    distance_ = measured;

    if (g < seen_.least) {
      seen_.least = g;
      seen_.least_at = t;
    }
    const double limit = bound(static_cast<double>(t + 1));
    theorem_.observe(t, seen_.least, limit, rounding({seen_.least, limit}));
    seen_.g.push_back(g);
    seen_.gradient_norms.push_back(view.gradient_norm);
    seen_.slacks.push_back(q.rhs - q.lhs);
    seen_.bounds.push_back(limit);
    sum_g_ += g;
    sum_square_ += square;
    sum_slack_ += q.rhs - q.lhs;
    const bool reached = options_.stop_at && seen_.least <= *options_.stop_at;
    return reached || t + 1 == options_.iterations ? optim::Flow::stop : optim::Flow::go_on;
  }

  /// What each inequality of the proof gave away; sums to bound - min g for the T iterates seen.
  std::vector<std::pair<std::string, double>> account() const {
    const auto n = static_cast<double>(seen_.g.size());
    if (seen_.g.empty()) return {};
    const double share = self_bounded_ ? 1.0 / (1.0 - 0.5 * options_.step) : 1.0;
    const double ceiling = self_bounded_ ? sum_g_ / n : options_.lipschitz * options_.lipschitz;
    return {{"proxy inequality, mean over the iterates", share * sum_slack_ / n},
            {"bound on the gradient, mean", share * 0.5 * options_.step * (ceiling - sum_square_ / n)},
            {"|w_T - v|^2 / (2 step T) dropped", share * distance_ / (2.0 * options_.step * n)},
            {"minimum instead of mean", sum_g_ / n - seen_.least}};
  }

 private:
  const ProxyConvexity& triple_;
  const ProxyDescentOptions& options_;
  ProxyDescent& seen_;
  double h_;
  double start_;
  double distance_;
  bool self_bounded_;
  Row& definition_;
  Row& gradient_;
  Row& identity_;
  Row& theorem_;
  double sum_g_ = 0.0, sum_square_ = 0.0, sum_slack_ = 0.0;
};

}  // namespace

Var ProxyConvexity::violation(const Var& w) const {
  const VarValueAndGrad at_w = value_and_grad(f, w);
  const Var value = g ? g(w) : at_w.value;
  return value + dot(at_w.grad, v.flat() - w) - h(v);
}

Inequality ProxyConvexity::at(const Params& w) const {
  if (w.size() != v.size())
    throw ShapeError(fmt::format("[ProxyConvexity] w has {} parameters, v has {}; give points of one space",
                                 w.size(), v.size()));
  const auto [value, gradient] = value_and_grad(f, w.flat());
  return definition(g ? g(w.flat()).item() : value, inner_product(gradient, v, w), h(v.flat()).item());
}

PointwiseClaim ProxyConvexity::claim() const {
  return {.claim = {.name = "(g, h, v)-proxy convexity",
                    .source = "proxy O29",
                    .statement = "g(w) + <grad f(w), v - w> <= h(v) for every w"},
          .violation = [triple = *this](const Var& w) { return triple.violation(w); },
          .evaluate = [triple = *this](const Params& w) { return triple.at(w); }};
}

Verdict check_proxy_convexity(const ProxyConvexity& triple, const Params& centre, Rng& rng,
                              FalsifyOptions options) {
  options.starts.push_back(triple.v);
  options.radius = std::max(options.radius, 3.0 * norm(triple.v - centre));
  return falsify(triple.claim(), centre, rng, options);
}

ProxyDescent run_proxy_descent(const ProxyConvexity& triple, const Params& w0,
                               const ProxyDescentOptions& options, Proof& proof,
                               const std::string& conclusion, const std::vector<optim::Observer*>& also) {
  check(triple, w0, options);
  ProxyDescent seen;
  const auto claimed_side = [&](double bound) {
    const double rhs = options.claimed.value_or(bound);
    return Inequality{
        .name = conclusion, .lhs = seen.least, .rhs = rhs, .tolerance = rounding({seen.least, rhs})};
  };
  if (options.bound == ProxyBound::self_bounded)
    proof.hypothesis({.name = "step < 2", .lhs = options.step, .rhs = 2.0, .strict = true});
  ProxyObserver observer(triple, w0, options, proof, seen);
  if (!proof.applicable()) {
    seen.least = std::numeric_limits<double>::quiet_NaN();
    seen.verdict = proof.conclude(Scope::trajectory, claimed_side(std::numeric_limits<double>::quiet_NaN()));
    return seen;
  }
  std::vector<optim::Observer*> observers = also;
  observers.push_back(&observer);
  const optim::Gd descent(
      {.step = options.step, .iterations = options.iterations, .progress = options.progress});
  seen.run = descent.minimize(optim::objective(triple.f), w0, observers);
  Inequality last = claimed_side(observer.bound(static_cast<double>(seen.g.size())));
  last.where = fmt::format("iterate {}", seen.least_at);
  const bool whole = seen.run.stop != optim::StopReason::diverged &&
                     (static_cast<Index>(seen.g.size()) == options.iterations ||
                      (options.stop_at && seen.least <= *options.stop_at));
  seen.verdict =
      whole ? proof.conclude(Scope::trajectory, std::move(last))
            : proof.unfinished(Scope::trajectory, std::move(last),
                               fmt::format("the run ended after {} of {} iterations: {}", seen.g.size(),
                                           options.iterations, optim::to_string(seen.run.stop)));
  if (whole) seen.verdict.account = observer.account();
  return seen;
}

ProxyDescent check_proxy_descent(const ProxyConvexity& triple, const Params& w0,
                                 const ProxyDescentOptions& options) {
  Proof proof({.name = "gradient descent on a proxy-convex function",
               .source = "proxy O30",
               .statement = options.bound == ProxyBound::self_bounded
                                ? "min_{t<T} g(w_t) <= (2 h(v) + |w_0 - v|^2 / (step T)) / (2 - step)"
                                : "min_{t<T} g(w_t) <= h(v) + step G^2 / 2 + |w_0 - v|^2 / (2 step T)"});
  return run_proxy_descent(triple, w0, options, proof, "min_{t<T} g(w_t) <= bound");
}

}  // namespace cotangent::theory
