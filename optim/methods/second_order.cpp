// Rules with names of their own.
#include "optim/second_order.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "optim/moves.hpp"

namespace cotangent::optim {
namespace {

Recipe with(Recipe recipe, Choice<Rule> rule) {
  recipe.rule = std::move(rule);
  return recipe;
}

Recipe nesterov(const NesterovOptions& o) {
  if (o.mu && !(*o.mu >= 0.0 && std::isfinite(*o.mu)))
    throw DomainError(fmt::format("[Nesterov] mu is {}; give a finite number, 0 or above, or none", *o.mu));
  if (o.mu && o.step.scheduled() && *o.mu * o.step(0) > 1.0)
    throw DomainError(
        fmt::format("[Nesterov] mu = {} is above 1 / step = {}, where L should be; no f is both", *o.mu,
                    1.0 / o.step(0)));
  Recipe recipe = recipe_of("Nesterov", o, o.iterations);
  recipe.move = accelerated(o.mu);
  return recipe;
}

/// The step is of HeavyBallOptions' own making.
struct WithStep : HeavyBallOptions {
  Step step = 1.0;
};

Recipe heavy_ball(const HeavyBallOptions& o) {
  if (!(o.mu > 0.0 && o.mu <= o.smoothness && std::isfinite(o.smoothness)))
    throw DomainError(fmt::format("[HeavyBall] mu is {}, the smoothness {}; give 0 < mu <= smoothness", o.mu,
                                  o.smoothness));
  const double high = std::sqrt(o.smoothness), low = std::sqrt(o.mu), ratio = (high - low) / (high + low);
  WithStep all;
  static_cast<HeavyBallOptions&>(all) = o;
  all.step = Step(4.0 / ((high + low) * (high + low)));
  return with(recipe_of("HeavyBall", all, o.iterations), momentum(ratio * ratio));
}

}  // namespace

Lbfgs::Lbfgs(const LbfgsOptions& o)
    : Optimizer(with(recipe_of("Lbfgs", o, o.iterations), lbfgs(o.pairs)), "iterations") {}

Newton::Newton(const NewtonOptions& o)
    : Optimizer(with(recipe_of("Newton", o, o.iterations), newton({.dense = o.dense, .radius = o.radius})),
                "iterations") {}

GaussNewton::GaussNewton(Residuals r, const GaussNewtonOptions& o)
    : Optimizer(
          with(recipe_of("GaussNewton", o, o.iterations), gauss_newton(std::move(r), {.damping = o.damping})),
          "iterations") {}

Nesterov::Nesterov(const NesterovOptions& o) : Optimizer(nesterov(o), "iterations") {}

HeavyBall::HeavyBall(const HeavyBallOptions& o) : Optimizer(heavy_ball(o), "iterations") {}

}  // namespace cotangent::optim
