// The leaky ReLU theorem: its constants, and its proof evaluated along a run.
#include "theory/leaky_relu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "theory/numerics/arguments.hpp"
#include "theory/proxies/leaky_relu_margins.hpp"
#include "theory/proxies/proxy_steps.hpp"

namespace cotangent::theory {
namespace {

/// What the proof of O34 uses, at every iterate and sample.
class AlignmentSteps {
 public:
  AlignmentSteps(const LeakyReluProblem& problem, double rho, const Params& reference, Study& study)
      : rho_(exact(rho)),
        level_(rho_ * exact(problem.slope()) * exact(problem.margin())),
        level_loss_(nn::log_loss(level_.value())),
        reference_(reference),
        z_(problem),
        known_(study.step_at_each("iterate", "rounding of y f(x) <= 1")),
        along_w_(study.step_at_each("iterate", "<grad Lhat, W> = mean l'(z) z")),
        along_v_(study.step_at_each("iterate", "<grad Lhat, V> = mean l'(z) y <grad f, V>")),
        alignment_(study.step_at_each("iterate", "rho alpha gamma <= y <grad f(x), V>")),
        convexity_(study.step_at_each("iterate", "l(z) - l(rho alpha gamma) <= l'(z) (z - rho alpha gamma)")),
        unit_(study.step_at_each("iterate", "|grad f(x)| <= 1")),
        by_slopes_(study.step_at_each("iterate", "|grad Lhat| <= mean -l'(z)")),
        at_most_one_(study.step_at_each("iterate", "mean -l'(z) <= 1")) {}

  /// Returns the risk, with what rounding may have done to it: l is 1-Lipschitz.
  Measured at(const Iterate& it) {
    z_.at(it.w);
    known_.observe(it.t, exact(z_.largest_rounding()) <= exact(1.0));
    const auto n = static_cast<double>(z_.size());
    const Index summed = z_.summed();
    double slopes = 0.0, along_w = 0.0, along_v = 0.0, size_w = 0.0, size_v = 0.0;
    for (Index i = 0; i < z_.size(); ++i) {
      const double z = z_.margin(i), loss = z_.loss(i), dl = z_.slope(i), level = level_.value();
      const Measured aligned = rho_ * rounded(z_.alignment(i), z_.alignment_magnitude(i), summed);
      alignment_.observe(it.t, rounded(level) <= aligned);
      convexity_.observe(it.t, rounded(loss - level_loss_, loss + level_loss_) <=
                                   rounded(dl * (z - level), std::fabs(dl * z) + std::fabs(dl * level)));
      unit_.observe(it.t, rounded(z_.gradient_norm(i), 1.0, summed) <= exact(1.0));
      slopes -= dl;
      along_w += dl * z;
      along_v += dl * aligned.value();
      size_w += std::fabs(dl) * z_.magnitude(i);
      size_v += std::fabs(dl) * rho_.value() * z_.alignment_magnitude(i);
    }
    along_w_.observe(it.t, inner(it.gradient, it.w) == rounded(along_w / n, size_w / n, summed));
    along_v_.observe(it.t, inner(it.gradient, reference_) == rounded(along_v / n, size_v / n, summed));
    const Measured mean = rounded(slopes / n, slopes / n, summed);
    by_slopes_.observe(it.t, rounded(it.gradient_norm.value(), it.gradient_norm.value(), summed) <= mean);
    at_most_one_.observe(it.t, mean <= exact(1.0));
    return within(it.value, rounded(it.value, it.value, summed).error() + z_.mean_rounding());
  }

 private:
  Measured rho_, level_;
  double level_loss_;
  const Params& reference_;
  LeakyReluMargins z_;
  Clause &known_, &along_w_, &along_v_, &alignment_, &convexity_, &unit_, &by_slopes_, &at_most_one_;
};

/// A step that certainly is at most 2 eps / 3, by a few units in the last place.
double two_thirds_rounded_down(double eps) {
  return eps / 1.5 * (1.0 - 8.0 * std::numeric_limits<double>::epsilon());
}

Index iterations_needed(double exact) {
  constexpr double kMost = 4e18;
  return std::isfinite(exact) ? static_cast<Index>(std::min(std::ceil(exact), kMost))
                              : static_cast<Index>(kMost);
}

}  // namespace

Verdict check_leaky_relu_proxy(const LeakyReluProblem& problem, double rho, Rng& rng,
                               std::optional<double> claimed, const FalsifyOptions& options) {
  if (!(rho > 0.0 && std::isfinite(rho)))
    throw DomainError(fmt::format("[check_leaky_relu_proxy] rho is {}; give a positive number", rho));
  if (claimed) check_finite("check_leaky_relu_proxy", "claimed", *claimed);
  const Measured level = problem.level(rho), theorem = mapped(level, nn::log_loss(level.value()), 1.0);
  // Where nothing is claimed, h is the theorem's own constant, rounded up.
  const double h = claimed.value_or(
      std::nextafter(theorem.value() + 3.0 * theorem.error(), std::numeric_limits<double>::max()));
  Proof proof(
      Claim(entry("O34"), claimed ? fmt::format("rho = {}, h = {}", rho, h)
                                  : fmt::format("rho = {}, h = {}, l(rho alpha gamma) rounded up", rho, h)));
  problem.hypotheses(proof);
  if (!proof.applicable() || !(exact(h) <= theorem).proved())
    return proof.conclude(Domain::everywhere(), "l(rho alpha gamma) <= h", theorem <= exact(h));
  ProxyConvexity triple = problem.proxy(rho);
  triple.h = [h = *claimed](const Var&) { return Var(h); };
  const Params centre = triple.v.zeros_like();
  return proof.searched(search(triple.claim(), centre, rng, around(triple, centre, options)));
}

Verdict check_leaky_relu_theorem(const LeakyReluProblem& problem, const Params& w0,
                                 const LeakyReluOptions& options) {
  constexpr const char* kName = "check_leaky_relu_theorem";
  problem.check_start(kName, w0);
  check_finite(kName, "accuracy", options.accuracy);
  if (options.claimed) check_finite(kName, "claimed", *options.claimed);
  if (options.step) check_finite(kName, "step", *options.step);
  if (options.budget < 1 || options.iterations.value_or(1) < 1)
    throw DomainError(
        fmt::format("[{}] iterations and budget must be at least 1; budget is {}", kName, options.budget));

  const bool sharper = options.form == LeakyReluForm::sharper;
  const double longest = sharper ? 1.0 : two_thirds_rounded_down(options.accuracy),
               step_length = options.step.value_or(longest);
  const Measured eps = exact(options.accuracy), step = exact(step_length), alpha = exact(problem.slope()),
                 gamma = exact(problem.margin()), claimed = exact(options.claimed.value_or(options.accuracy));
  Study study(Claim(entry("O35"),
                    options.claimed ? fmt::format("eps = {}, claimed {}", options.accuracy, *options.claimed)
                                    : fmt::format("eps = {}", options.accuracy),
                    sharper ? "sharper form" : ""));
  problem.hypotheses(study);
  study.hypothesis("0 < eps", exact(0.0) < eps);
  study.hypothesis("eps < 3", eps < exact(3.0));
  study.hypothesis("0 < step", exact(0.0) < step);
  study.hypothesis(sharper ? "step <= 1" : "step <= 2 eps / 3",
                   step <= (sharper ? exact(1.0) : exact(2.0) * eps / exact(3.0)));
  if (!study.applicable()) return study.unfinished(Domain::run(), "a hypothesis fails");

  const double rho = std::log(3.0 / options.accuracy) / (problem.slope() * problem.margin());
  const Measured level = exact(rho) * alpha * gamma, h = mapped(level, nn::log_loss(level.value()), 1.0);
  const Params reference = problem.reference(rho);
  const Measured distance = squared_distance(w0, reference);
  const Measured needed = exact(sharper ? 3.0 : 1.5) * distance / (step * eps);
  if (!std::isfinite(needed.value()))
    throw DomainError(
        fmt::format("[{}] T = {}: |W_0 - V|^2 = {} is beyond the range of numbers; give a smaller start or a "
                    "larger accuracy",
                    kName, needed.value(), distance.value()));
  const Index iterations = options.iterations.value_or(iterations_needed(needed.value()));
  // The T of the theorem itself is no claim to verify, and may exceed every whole-number type.
  const double made =
      options.iterations ? static_cast<double>(iterations) : std::max(std::ceil(needed.value()), 1.0);
  study.hypothesis(sharper ? "3 |W_0 - V|^2 / (step eps) <= T" : "(3/2) |W_0 - V|^2 / (step eps) <= T",
                   needed <= exact(made));
  study.step("l(rho alpha gamma) <= eps / 3", h <= eps / exact(3.0));
  study.number("rho", rho);
  study.number("h", h.value());
  study.number("distance", distance.value());
  study.number("step", step_length);
  study.number("T", made);

  const ProxyConvexity triple = problem.proxy(rho);
  ProxySteps descent(
      triple, w0, {.step = step_length, .bound = sharper ? ProxyBound::self_bounded : ProxyBound::lipschitz},
      study, ProxySteps::Bound::step, "risk");
  AlignmentSteps alignment(problem, rho, reference, study);
  const Measured goal = least(claimed, eps);
  Measured lowest = exact(std::numeric_limits<double>::infinity());
  return study.descend(
      triple.f, w0,
      {.step = step_length, .iterations = iterations, .budget = options.budget, .progress = options.progress},
      [&](const Iterate& it) {
        const Measured risk = alignment.at(it);
        descent.at(it);
        if (it.t == 0)
          study.vacuous_if(risk <= claimed, fmt::format("the risk at W_0 is {:.3g} already", risk.value()));
        if (it.t == 0 || risk.value() + risk.error() < lowest.value() + lowest.error()) lowest = risk;
        if ((lowest <= goal).proved() && (!options.whole_run || it.t + 1 == options.budget)) study.enough();
      },
      [&] {
        descent.finish(study);
        return lowest <= claimed;
      },
      "min_{t<T} Lhat(W_t) <= claimed");
}

}  // namespace cotangent::theory
