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
  const Inequality there = exact(1.0) <= exact(factor) * at_zero;
  if (!there.disproved()) return proof.conclude(Domain::everywhere(), "1 <= factor * u(0)", there);
  // Just below 0: half-way to where it would reach 1.
  double t = -1.0;
  while (!(exact(1.0) <= exact(factor) * rounded(u(t))).disproved() && t < -1e-15) t *= 0.5;
  Verdict v = proof.conclude(Domain::everywhere(), fmt::format("1{{t < 0}} <= factor * u(t) at t = {}", t),
                             exact(1.0) <= exact(factor) * rounded(u(t)));
  v.witness = Params({{"t", Tensor{t}}});
  return v;
}

}  // namespace

Verdict check_surrogate(MarginLoss loss, double factor) {
  const nn::MarginLossFacts& l = facts(loss);
  const Measured at_zero = l.at_zero_error == 0.0 ? exact(l.at_zero) : within(l.at_zero, l.at_zero_error);
  return decide("O27", fmt::format("{:.10g} times the {} loss", factor, l.name), at_zero, factor, l.value);
}

Verdict check_slope_surrogate(MarginLoss loss, double factor) {
  const nn::MarginLossFacts& l = facts(loss);
  return decide("O28", fmt::format("{:.10g} times -l' of the {} loss", factor, l.name),
                exact(-l.slope_at_zero), factor, [&](double t) { return -l.slope(t); });
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
  r.bound = r.slope_risk / -facts(loss).slope_at_zero;
  return r;
}

}  // namespace cotangent::theory
