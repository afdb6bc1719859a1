// Surrogates of the 0-1 loss.
#include "theory/surrogate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"

namespace cotangent::theory {
namespace {

/// l(t) or -l'(t), both nonincreasing, against 1{t < 0}.
template <class F>
Verdict decide(Claim claim, F l, double factor) {
  if (!(factor > 0.0 && std::isfinite(factor)))
    throw DomainError(fmt::format("[check_surrogate] factor is {}; give a positive number", factor));
  Proof proof(std::move(claim));
  const double at_zero = factor * l(0.0);
  if (at_zero >= 1.0)
    return proof.conclude(Scope::everywhere,
                          {.name = "1 <= factor * l(0)", .lhs = 1.0, .rhs = at_zero, .where = "t = 0"});
  // Just below 0, where l is continuous: half-way to where it would reach 1.
  double t = -1.0;
  while (factor * l(t) >= 1.0 && t < -1e-15) t *= 0.5;
  const double there = factor * l(t);
  Verdict verdict = proof.conclude(Scope::everywhere, {.name = "1{t < 0} <= factor * l(t)",
                                                       .lhs = 1.0,
                                                       .rhs = there,
                                                       .tolerance = rounding({1.0, there}),
                                                       .where = fmt::format("t = {}", t)});
  verdict.witness = Params({{"t", Tensor{t}}});
  return verdict;
}

}  // namespace

double logistic(double t) noexcept { return std::fmax(-t, 0.0) + std::log1p(std::exp(-std::fabs(t))); }

double logistic_slope(double t) noexcept {
  const double e = std::exp(-std::fabs(t));
  return -(t >= 0.0 ? e : 1.0) / (1.0 + e);
}

const char* to_string(MarginLoss loss) noexcept {
  switch (loss) {
    case MarginLoss::hinge:
      return "hinge";
    case MarginLoss::squared_hinge:
      return "squared hinge";
    case MarginLoss::exponential:
      return "exponential";
    case MarginLoss::logistic:
      break;
  }
  return "logistic";
}

double value(MarginLoss loss, double t) noexcept {
  switch (loss) {
    case MarginLoss::hinge:
      return t <= 1.0 ? 1.0 - t : 0.0;
    case MarginLoss::squared_hinge:
      return t <= 1.0 ? (1.0 - t) * (1.0 - t) : 0.0;
    case MarginLoss::exponential:
      return std::exp(-t);
    case MarginLoss::logistic:
      break;
  }
  return logistic(t);
}

double slope(MarginLoss loss, double t) noexcept {
  switch (loss) {
    case MarginLoss::hinge:
      return t <= 1.0 ? -1.0 : 0.0;
    case MarginLoss::squared_hinge:
      return t <= 1.0 ? -2.0 * (1.0 - t) : 0.0;
    case MarginLoss::exponential:
      return -std::exp(-t);
    case MarginLoss::logistic:
      break;
  }
  return logistic_slope(t);
}

Verdict check_surrogate(MarginLoss loss, double factor) {
  return decide(
      {.name = fmt::format("the {} loss as a surrogate", to_string(loss)),
       .source = "proxy O27",
       .statement = fmt::format("1{{t < 0}} <= {:.10g} l(t) for every t", factor)},
      [loss](double t) { return value(loss, t); }, factor);
}

Verdict check_slope_surrogate(MarginLoss loss, double factor) {
  return decide(
      {.name = fmt::format("-l' of the {} loss as a surrogate", to_string(loss)),
       .source = "proxy O28",
       .statement = fmt::format("1{{t < 0}} <= {:.10g} (-l'(t)) for every t", factor)},
      [loss](double t) { return -slope(loss, t); }, factor);
}

SurrogateRisks surrogate_risks(const Tensor& margins, MarginLoss loss) {
  if (margins.size() == 0)
    throw DomainError(fmt::format("[surrogate_risks] margins is {}; give at least one margin y f(x)",
                                  margins.shape().to_string()));
  SurrogateRisks r;
  for (const double t : margins.data()) {
    if (std::isnan(t)) throw DomainError("[surrogate_risks] a margin is nan; give numbers");
    r.error += t <= 0.0 ? 1.0 : 0.0;
    r.risk += value(loss, t);
    r.slope_risk -= slope(loss, t);
  }
  const auto n = static_cast<double>(margins.size());
  r.error /= n;
  r.risk /= n;
  r.slope_risk /= n;
  r.bound = r.slope_risk / -slope(loss, 0.0);
  return r;
}

}  // namespace cotangent::theory
