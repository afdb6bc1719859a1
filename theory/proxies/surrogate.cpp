// Surrogates of the 0-1 loss.
#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "theory/proxies.hpp"

namespace cotangent::theory {
namespace {

/// 1{t < 0} <= factor * u(t) for a nonincreasing u, continuous at 0.
Verdict decide(const char* id, const std::string& instance, const Measured& at_zero, double factor,
               FunctionRef<double(double)> u) {
  if (!(factor > 0.0 && std::isfinite(factor)))
    throw DomainError(fmt::format("[check_surrogate] factor is {}; give a positive number", factor));
  const Proof proof(Claim(entry(id), instance));
  const auto at = [&](double t) { return exact(1.0) <= exact(factor) * (t < 0.0 ? rounded(u(t)) : at_zero); };
  // Where 0 does not decide, just below it: half-way to where factor * u would reach 1.
  double t = at(0.0).disproved() ? -1.0 : 0.0;
  while (t < -1e-15 && !at(t).disproved()) t *= 0.5;
  Verdict v = proof.conclude(Domain::everywhere(), fmt::format("1 <= factor * u(t) at t = {:g}", t), at(t));
  if (t < 0.0) v.witness = Params({{"t", Tensor{t}}});
  return v;
}

}  // namespace

Verdict check_surrogate(MarginLoss loss, double factor) {
  const nn::MarginLossFacts& l = facts(loss);
  const Measured at_zero = l.at_zero_error == 0.0 ? exact(l.at_zero) : within(l.at_zero, l.at_zero_error);
  return decide("O27", fmt::format("{} times the {} loss", factor, l.name), at_zero, factor, l.value);
}

Verdict check_slope_surrogate(MarginLoss loss, double factor) {
  const nn::MarginLossFacts& l = facts(loss);
  return decide("O28", fmt::format("{} times -l' of the {} loss", factor, l.name), exact(-l.slope_at_zero),
                factor, [&](double t) { return -l.slope(t); });
}

SurrogateRisks surrogate_risks(const Tensor& margins, MarginLoss loss) {
  if (margins.size() == 0)
    throw DomainError("[surrogate_risks] there is no margin y f(x); give at least one");
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
  r.bound = r.slope_risk / -facts(loss).slope_at_zero;
  return r;
}

}  // namespace cotangent::theory
