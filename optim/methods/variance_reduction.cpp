// Estimators with names of their own.
#include "optim/variance_reduction.hpp"

namespace cotangent::optim {
namespace {

Recipe with(Recipe recipe, Choice<Estimator> estimator) {
  recipe.estimator = std::move(estimator);
  return recipe;
}

}  // namespace

Svrg::Svrg(const SvrgOptions& o)
    : Optimizer(with(recipe_of("Svrg", o, o.epochs), svrg({.inner = o.inner, .batch = o.batch}))) {}

Saga::Saga(const SagaOptions& o)
    : Optimizer(with(recipe_of("Saga", o, o.epochs), saga({.two_draws = o.two_draws, .memory = o.memory}))) {}

Page::Page(const PageOptions& o)
    : Optimizer(with(recipe_of("Page", o, o.epochs),
                     page({.batch = o.batch, .restart = o.restart, .large_batch = o.large_batch}))) {}

ZerothOrder::ZerothOrder(const ZerothOrderOptions& o)
    : Optimizer(with(recipe_of("ZerothOrder", o, o.iterations),
                     zeroth_order({.distance = o.distance, .directions = o.directions})),
                "iterations") {}

}  // namespace cotangent::optim
