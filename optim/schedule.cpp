// Step sizes by iteration.
#include "optim/schedule.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autodiff/error.hpp"

namespace cotangent::optim {
namespace {

bool is_positive(double x) { return x > 0.0 && std::isfinite(x); }

}  // namespace

Step::Step(double constant) : Step(Kind::constant, constant, 0.0, "Step") {}

Step::Step(Kind kind, double step, double rate, const char* operation)
    : kind_(kind), step_(step), rate_(rate) {
  if (!is_positive(step))
    throw DomainError(fmt::format("[{}] a step of {}; give a finite number above 0", operation, step));
  if (!(rate >= 0.0) || !std::isfinite(rate))
    throw DomainError(fmt::format("[{}] a rate of {} for the step {}; give a finite number, 0 or above",
                                  operation, rate, step));
}

Step Step::rule(Function<double(Index)> rule) {
  if (!rule) throw DomainError("[Step::rule] the rule is empty; give a callable of the iteration");
  Step step(1.0);
  step.kind_ = Kind::rule;
  step.rule_ = std::move(rule);
  return step;
}

double Step::operator()(Index k) const {
  switch (kind_) {
    case Kind::constant:
      return step_;
    case Kind::decaying:
      return step_ / (1.0 + rate_ * static_cast<double>(k));
    case Kind::inverse_sqrt:
      return step_ / std::sqrt(static_cast<double>(k) + 1.0);
    case Kind::rule:
      break;
  }
  const double step = rule_(k);
  if (!is_positive(step))
    throw DomainError(fmt::format(
        "[Step::rule] the rule gave the step {} at iteration {}; give finite numbers above 0", step, k));
  return step;
}

Step decaying(double step, double rate) { return Step(Step::Kind::decaying, step, rate, "decaying"); }
Step inverse_sqrt(double step) { return Step(Step::Kind::inverse_sqrt, step, 0.0, "inverse_sqrt"); }

}  // namespace cotangent::optim
