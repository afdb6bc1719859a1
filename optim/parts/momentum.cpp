// The gradient itself, and velocities.
#include <fmt/format.h>

#include <utility>

#include "autodiff/error.hpp"
#include "optim/rules.hpp"

namespace cotangent::optim {
namespace {

class Plain final : public Rule {
 public:
  Params direction(const At&, Params gradient) override { return gradient; }
};

class HeavyBall final : public Rule {
 public:
  explicit HeavyBall(double momentum) : momentum_(momentum) {}
  Params direction(const At&, Params gradient) override {
    // Written over the gradient where nobody else holds it.
    velocity_ = velocity_.size() ? axpy(momentum_, velocity_, std::move(gradient)) : std::move(gradient);
    return velocity_;
  }
  void visit(State& state) override { state("velocity", velocity_); }

 private:
  double momentum_;
  Params velocity_;
};

class Nesterov final : public Rule {
 public:
  explicit Nesterov(double momentum) : momentum_(momentum) {}
  Params direction(const At&, Params gradient) override {
    velocity_ = velocity_.size() ? axpy(momentum_, velocity_, gradient) : gradient;
    return axpy(momentum_, velocity_, std::move(gradient));
  }
  void visit(State& state) override { state("nesterov velocity", velocity_); }

 private:
  double momentum_;
  Params velocity_;
};

}  // namespace

Choice<Rule> plain() {
  return [](const Setting&) -> std::unique_ptr<Rule> { return std::make_unique<Plain>(); };
}

Choice<Rule> momentum(double momentum, bool nesterov) {
  if (!(momentum >= 0.0 && momentum < 1.0))
    throw DomainError(fmt::format("[momentum] momentum is {}; give 0 <= momentum < 1", momentum));
  if (momentum == 0.0) return plain();
  return [momentum, nesterov](const Setting&) -> std::unique_ptr<Rule> {
    if (nesterov) return std::make_unique<Nesterov>(momentum);
    return std::make_unique<HeavyBall>(momentum);
  };
}

}  // namespace cotangent::optim
