// Step sizes by iteration.
#include "optim/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "autodiff/error.hpp"

namespace cotangent::optim {
namespace {

bool is_positive(double x) { return x > 0.0 && std::isfinite(x); }

}  // namespace

Step::Step(const Step& other) = default;
Step::Step(Step&& other) noexcept = default;
Step& Step::operator=(const Step& other) = default;
Step& Step::operator=(Step&& other) noexcept = default;
Step::~Step() = default;

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

Step Step::schedule(Function<double(Index)> rule) {
  Step step = Step::rule(std::move(rule));
  step.kind_ = Kind::schedule;
  return step;
}

double Step::operator()(Index k) const {
  if (make_)
    throw DomainError("[Step] this step depends on more than the iteration; begin() makes it for a run");
  switch (kind_) {
    case Kind::constant:
      return step_;
    case Kind::decaying:
      return step_ / (1.0 + rate_ * static_cast<double>(k));
    case Kind::inverse_sqrt:
      return step_ / std::sqrt(static_cast<double>(k) + 1.0);
    case Kind::schedule:
      return rule_(k);
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

namespace {

void check_positive(const char* operation, const char* name, double value) {
  if (!is_positive(value))
    throw DomainError(fmt::format("[{}] {} is {}; give a finite number above 0", operation, name, value));
}

void check_count(const char* operation, const char* name, Index count) {
  if (count < 1) throw DomainError(fmt::format("[{}] {} is {}; give 1 or more", operation, name, count));
}

void check_from_to(const char* operation, double from, double to) {
  check_positive(operation, "from", from);
  if (!(to >= 0.0 && std::isfinite(to)))
    throw DomainError(fmt::format("[{}] to is {}; give a finite number, 0 or above", operation, to));
}

/// The share of the way gone at iteration k.
double share(Index k, Index iterations) {
  return std::min(1.0, static_cast<double>(k) / static_cast<double>(iterations));
}

/// A step that grows over its first iterations, in front of another that looks at the run.
class WarmedUp final : public StepSize {
 public:
  WarmedUp(Index k, const Step& then) : k_(k), then_(then), size_(then.begin()) {}
  WarmedUp(const WarmedUp& other) : WarmedUp(other.k_, other.then_) {}

  double next(const At& at, Line& line) override {
    const double full = size_->next(at, line), grown = static_cast<double>(at.iteration + 1);
    return at.iteration < k_ ? full * grown / static_cast<double>(k_) : full;
  }
  bool searches() const override { return size_->searches(); }
  void visit(State& state) override { size_->visit(state); }

 private:
  Index k_;
  Step then_;
  std::unique_ptr<StepSize> size_;
};

}  // namespace

Step frank_wolfe_step() {
  return Step::rule([](Index k) { return 2.0 / static_cast<double>(k + 2); });
}

Step linear(double from, double to, Index iterations) {
  check_from_to("linear", from, to);
  check_count("linear", "iterations", iterations);
  return Step::schedule([=](Index k) {
    const double gone = share(k, std::max<Index>(iterations - 1, 1));
    return from + gone * (to - from);
  });
}

Step cosine(double from, double to, Index iterations) {
  check_from_to("cosine", from, to);
  check_count("cosine", "iterations", iterations);
  return Step::schedule([=](Index k) {
    return to + 0.5 * (from - to) * (1.0 + std::cos(std::numbers::pi * share(k, iterations)));
  });
}

Step step_decay(double step, double factor, Index every) {
  check_positive("step_decay", "step", step);
  if (!(factor > 0.0 && factor <= 1.0))
    throw DomainError(fmt::format("[step_decay] factor is {}; give a number in (0, 1]", factor));
  check_count("step_decay", "every", every);
  return Step::schedule([=](Index k) {
    return step * std::pow(factor, std::floor(static_cast<double>(k) / static_cast<double>(every)));
  });
}

Step warmup(Index iterations, Step then) {
  check_count("warmup", "iterations", iterations);
  if (!then.scheduled()) return Step::of(WarmedUp(iterations, then));
  return Step::schedule([iterations, then = std::move(then)](Index k) {
    if (k >= iterations) return then(k - iterations);
    return then(0) * static_cast<double>(k + 1) / static_cast<double>(iterations);
  });
}

Step diminishing(double mu) {
  check_positive("diminishing", "mu", mu);
  return Step::rule([mu](Index k) {
    const double i = static_cast<double>(k) + 1.0;
    return (2.0 * i - 1.0) / (2.0 * mu * i * i);
  });
}

double interpolation_step(double mu, double smoothness, double component_smoothness, Index batch) {
  check_positive("interpolation_step", "mu", mu);
  check_positive("interpolation_step", "smoothness", smoothness);
  check_positive("interpolation_step", "component_smoothness", component_smoothness);
  check_count("interpolation_step", "batch", batch);
  if (mu > smoothness)
    throw DomainError(fmt::format(
        "[interpolation_step] mu = {} is above the smoothness {}; no function is both", mu, smoothness));
  const double b = static_cast<double>(batch);
  return mu * b / (smoothness * (component_smoothness + mu * (b - 1.0)));
}

}  // namespace cotangent::optim
