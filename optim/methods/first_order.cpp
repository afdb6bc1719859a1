// Gradient descent and its stochastic form.
#include "optim/first_order.hpp"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <utility>

#include "autodiff/error.hpp"
#include "optim/estimators.hpp"
#include "optim/rules.hpp"

namespace cotangent::optim {
namespace {

void check_momentum(const char* name, double momentum) {
  if (!(momentum >= 0.0 && momentum < 1.0))
    throw DomainError(fmt::format("[{}] momentum is {}; give 0 <= momentum < 1", name, momentum));
}

Recipe gd(const GdOptions& o) {
  if (o.gradient_tolerance && !(*o.gradient_tolerance >= 0.0 && std::isfinite(*o.gradient_tolerance)))
    throw DomainError(fmt::format("[Gd] gradient_tolerance is {}; give a finite number, 0 or above, or none",
                                  *o.gradient_tolerance));
  check_momentum("Gd", o.momentum);
  Recipe r = recipe_of("Gd", o, o.iterations);
  r.rule = momentum(o.momentum, o.nesterov);
  if (o.gradient_tolerance) r.stop.residual = o.gradient_tolerance;
  return r;
}

Recipe sgd(const SgdOptions& o) {
  check_momentum("Sgd", o.momentum);
  if (o.batch < 1)
    throw DomainError(
        fmt::format("[Sgd] batch is {}; give the number of samples an iteration, 1 or more", o.batch));
  Recipe r = recipe_of("Sgd", o, o.epochs);
  r.estimator = mini_batch({.batch = o.batch, .replacement = o.replacement});
  r.rule = momentum(o.momentum, o.nesterov);
  return r;
}

}  // namespace

Gd::Gd(const GdOptions& options)
    : Optimizer(gd(options), "iterations", std::make_shared<GdOptions>(options)) {}

Run Gd::minimize(const FiniteSum& f, const Params& w, const std::vector<Observer*>& observers) const {
  Rng unused(0);
  return Optimizer::minimize(f, w, unused, observers);
}

Run Gd::minimize(const FiniteSum& f, const Tensor& w, const std::vector<Observer*>& observers) const {
  Rng unused(0);
  return Optimizer::minimize(f, w, unused, observers);
}

Sgd::Sgd(const SgdOptions& options)
    : Optimizer(sgd(options), "epochs", std::make_shared<SgdOptions>(options)) {}

}  // namespace cotangent::optim
