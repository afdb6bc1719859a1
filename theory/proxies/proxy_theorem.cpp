// Proxy convexity at a point, and along a run of gradient descent.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "theory/claims/enclosed.hpp"
#include "theory/numerics/from_record.hpp"
#include "theory/proxies.hpp"
#include "theory/proxies/proxy_steps.hpp"

namespace cotangent::theory {
namespace {

/// Of the sides of a row: how near they are for a record to be asked, and how much of them rounding takes for
/// digits to be lost.
constexpr double kClose = 1e-6, kLossy = 1e-9;
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
      h_(from_record(triple.h, triple.v).front()),
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
      bounds_(study.predicted("bound")),
      w0_(w0) {
  if (self_bounded_) study.hypothesis("step < 2", exact(options.step) < exact(2.0));
}

Measured ProxySteps::bound_after(double iterations) const {
  const Measured step = exact(options_.step), distance = start_ / (step * exact(iterations));
  if (self_bounded_) return (exact(2.0) * h_ + distance) / (exact(2.0) - step);
  return h_ + exact(0.5) * step * square(exact(options_.lipschitz)) + exact(0.5) * distance;
}

Function<Inequality()> ProxySteps::theorem_row() const {
  const Measured step = exact(options_.step), n = exact(static_cast<double>(g_.size()));
  // The iterates are those of gradient descent up to what the identity may be off by.
  const double share = self_bounded_ ? 1.0 / (1.0 - 0.5 * options_.step) : 1.0;
  const Measured moved = within(0.0, share * static_cast<double>(lost_) / (2.0 * options_.step * n.value()));
  return [triple = triple_, w = least_w_, w0 = w0_, own = self_bounded_, step, n, moved,
          lipschitz = exact(options_.lipschitz)] {
    return enclosed_at(
        [&](const Var& start, const Var& at) {
          const Var v = lift(triple.v.flat(), at);
          const Side h = side(triple.h(v)), distance = inner_product(start - v, start, v);
          const Side bound =
              own ? exact(1.0) / (exact(2.0) - step) * (exact(2.0) * h + exact(1.0) / (step * n) * distance)
                  : h + side(exact(0.5) * step * square(lipschitz)) + exact(0.5) / (step * n) * distance;
          return side(triple.g ? triple.g(at) : triple.f(at)) + side(moved) <= bound;
        },
        w0, w);
  };
}

Inequality ProxySteps::enclosed_bound() const { return enclosed_or(least() <= bound(), theorem_row()); }

Inequality ProxySteps::enclosed_claim(double claimed) const {
  return enclosed_or(least() <= exact(claimed), [&] {
    return enclosed_at(
        [&](const Var& w) { return side(triple_.g ? triple_.g(w) : triple_.f(w)) <= side(exact(claimed)); },
        least_w_.flat());
  });
}

// A record costs ten times the rest of an iterate, so it is asked where a row is close, after 2^k iterates,
// and everywhere once it said that digits are lost.
bool ProxySteps::wants_record(Index t, std::initializer_list<Inequality> rows) const {
  if (lossy_ || (t & (t - 1)) == 0) return true;
  return std::any_of(rows.begin(), rows.end(), [](const Inequality& q) {
    return !(std::fabs(q.margin()) > kClose * (std::fabs(q.lhs.value()) + std::fabs(q.rhs.value())));
  });
}

void ProxySteps::at(const Iterate& it) {
  const Measured step = exact(options_.step);
  // Of the gradient as it was computed, which is all that the identity speaks of.
  const Measured along = inner_product(it.gradient.flat(), triple_.v.flat(), it.w.flat()).measured,
                 square_norm = square(it.gradient_norm);
  Measured g = rounded(triple_.g ? triple_.g(it.w.flat()).item() : it.value), inner = along,
           squared = square_norm;
  const auto definition = [&] { return g + inner <= h_; };
  const auto bounded = [&] {
    return self_bounded_ ? squared <= g : sqrt(squared) <= exact(options_.lipschitz);
  };
  if (wants_record(it.t, {definition(), bounded()})) {
    const std::vector<Measured> recorded = from_record(
        [&](const Var& w) {
          const VarValueAndGrad at = value_and_grad(triple_.f, w);
          return in_a_row({triple_.g ? triple_.g(w) : at.value, dot(at.grad, Var(triple_.v.flat()) - w),
                           dot(at.grad, at.grad)});
        },
        it.w);
    const auto take = [&](Measured& x, const Measured& from) {
      x = rounded_by(x.value(), from.error());
      lossy_ = lossy_ || !(x.error() <= kLossy * (std::fabs(x.value()) + std::fabs(h_.value())));
    };
    take(g, recorded[0]);
    take(inner, recorded[1]);
    take(squared, recorded[2]);
  }
  if (definition_.observe(it.t, definition()))
    definition_.closest([triple = triple_, w = it.w] { return enclosed_at(triple.claim().sides, w.flat()); });
  if (gradient_.observe(it.t, bounded()))
    gradient_.closest([triple = triple_, w = it.w, own = self_bounded_, lipschitz = options_.lipschitz] {
      return enclosed_at(
          [&](const Var& at) {
            const VarValueAndGrad here = value_and_grad(triple.f, at);
            return own ? inner_product(here.grad, here.grad) <= side(triple.g ? triple.g(at) : here.value)
                       : side(norm(here.grad)) <= side(exact(lipschitz));
          },
          w.flat());
    });

  const Measured after = squared_distance(it.next, triple_.v);
  const Measured expected = distance_ + exact(2.0) * step * along + step * step * square_norm;
  // w+ itself is rounded, by eps |w+|.
  const double moved = rounding({std::sqrt(after.value()) * norm(it.next)});
  const Inequality identity = within(after.value(), after.error() + moved) == expected;
  identity_.observe(it.t, identity);
  lost_ += identity.tolerance();
  distance_ = after;

  if (g.value() < least_.value() || it.t == 0) {
    least_ = g;
    least_at_ = it.t;
    least_w_ = it.w;
  }
  g_.push_back(g.value());
  const Measured limit = bound();
  if (theorem_.observe(it.t, least() <= limit)) theorem_.closest(theorem_row());
  norms_.push_back(it.gradient_norm.value());
  slacks_.push_back(definition().margin());
  bounds_.push_back(limit.value());
  sum_g_ += g.value();
  sum_square_ += squared.value();
  sum_slack_ += definition().margin();
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
                 {"minimum instead of mean", rounded(mean(sum_g_) - least_.value())}},
                bound() - least());
  study.number("least", least_.value());
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
        return options.claimed ? steps.enclosed_claim(*options.claimed) : steps.enclosed_bound();
      },
      options.claimed ? "min_{t<T} g(w_t) <= claimed" : "min_{t<T} g(w_t) <= bound");
}

}  // namespace cotangent::theory
