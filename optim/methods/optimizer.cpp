// Recipes are checked once; their runs are loops.
#include "optim/optimizer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "optim/estimators.hpp"
#include "optim/moves.hpp"
#include "optim/rules.hpp"

namespace cotangent::optim {
namespace {

void check(const Recipe& r, const char* epochs_name) {
  const auto not_negative = [&](const char* name, double value) {
    if (!(value >= 0.0 && std::isfinite(value)))
      throw DomainError(fmt::format("[{}] {} is {}; give a finite number, 0 or above", r.name, name, value));
  };
  if (r.epochs < 0)
    throw DomainError(fmt::format("[{}] {} is {}; give 0 or more", r.name, epochs_name, r.epochs));
  if (r.stop.residual) not_negative("stop.residual", *r.stop.residual);
  if (r.stop.seconds) not_negative("stop.seconds", *r.stop.seconds);
  if (r.stop.value && std::isnan(*r.stop.value))
    throw DomainError(fmt::format("[{}] stop.value is nan; give the value to reach", r.name));
  if (r.stop.component_gradients && *r.stop.component_gradients < 0)
    throw DomainError(fmt::format("[{}] stop.component_gradients is {}; give 0 or more", r.name,
                                  *r.stop.component_gradients));
  if (std::isnan(r.value_limit))
    throw DomainError(
        fmt::format("[{}] value_limit is nan; give a number above every value to allow", r.name));
  not_negative("weight_decay", r.weight_decay);
  if (r.clip_norm && !(*r.clip_norm > 0.0))
    throw DomainError(fmt::format("[{}] clip_norm is {}; give a number above 0", r.name, *r.clip_norm));
  if (r.average.from < 0 || !(r.average.decay >= 0.0 && r.average.decay < 1.0))
    throw DomainError(
        fmt::format("[{}] the average begins at {} with the decay {}; give 0 or more, in [0, 1)", r.name,
                    r.average.from, r.average.decay));
  if (r.trace_every < 1)
    throw DomainError(fmt::format("[{}] trace_every is {}; give 1 or more", r.name, r.trace_every));
}

Params as_params(const char* name, const Tensor& w) {
  if (w.rank() != 1)
    throw ShapeError(
        fmt::format("[{}] the start is {}, not a vector; give shape [P], or Params for named blocks", name,
                    w.shape().to_string()));
  return Params({{"w", w}});
}

}  // namespace

Optimizer::Optimizer(Recipe recipe) : Optimizer(std::move(recipe), "epochs") {}

Optimizer::Optimizer(Recipe recipe, const char* epochs_name, std::shared_ptr<const void> options)
    : options_(std::move(options)) {
  if (!recipe.estimator) recipe.estimator = full();
  if (!recipe.rule) recipe.rule = plain();
  if (!recipe.move) recipe.move = plain_move();
  check(recipe, epochs_name);
  recipe_ = std::make_shared<const Recipe>(std::move(recipe));
}

Loop Optimizer::start(const FiniteSum& f, const Params& w, Rng& rng,
                      const std::vector<Observer*>& observers) const {
  return Loop(*recipe_, f, w, rng, observers);
}

Loop Optimizer::start(const FiniteSum& f, const Tensor& w, Rng& rng,
                      const std::vector<Observer*>& observers) const {
  return start(f, as_params(recipe_->name, w), rng, observers);
}

Loop Optimizer::resume(const std::string& path, const FiniteSum& f, Rng& rng,
                       const std::vector<Observer*>& observers) const {
  return Loop::resumed(*recipe_, path, f, rng, observers);
}

Run Optimizer::minimize(const FiniteSum& f, const Params& w, Rng& rng,
                        const std::vector<Observer*>& observers) const {
  Loop loop = start(f, w, rng, observers);
  while (loop.next()) {
  }
  return loop.finish();
}

Run Optimizer::minimize(const FiniteSum& f, const Tensor& w, Rng& rng,
                        const std::vector<Observer*>& observers) const {
  return minimize(f, as_params(recipe_->name, w), rng, observers);
}

}  // namespace cotangent::optim
