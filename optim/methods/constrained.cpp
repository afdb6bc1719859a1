// Moves with names of their own.
#include "optim/constrained.hpp"

#include <utility>

namespace cotangent::optim {
namespace {

Recipe with(Recipe recipe, Choice<Move> move) {
  recipe.move = std::move(move);
  return recipe;
}

struct WithStep : PerturbedGdOptions {
  Step step = 1.0;
};

Recipe perturbed_recipe(const Perturbation& numbers, const PerturbedGdOptions& o) {
  Choice<Move> move = perturbed(numbers);  // first: it names the number that is wrong
  WithStep all;
  static_cast<PerturbedGdOptions&>(all) = o;
  all.step = Step(numbers.step);
  return with(recipe_of("PerturbedGd", all, o.iterations), std::move(move));
}

}  // namespace

ProximalGd::ProximalGd(Regulariser h, const ProximalGdOptions& o)
    : Optimizer(with(recipe_of("ProximalGd", o, o.iterations),
                     proximal(std::move(h), {.accelerated = o.accelerated, .mu = o.mu})),
                "iterations") {}

FrankWolfe::FrankWolfe(LinearMinimiser set, const FrankWolfeOptions& o)
    : Optimizer(with(recipe_of("FrankWolfe", o, o.iterations), frank_wolfe(std::move(set))), "iterations") {}

RiemannianGd::RiemannianGd(const RiemannianGdOptions& o)
    : Optimizer(with(recipe_of("RiemannianGd", o, o.iterations), on_unit_sphere()), "iterations") {}

PerturbedGd::PerturbedGd(const Perturbation& numbers, const PerturbedGdOptions& o)
    : Optimizer(perturbed_recipe(numbers, o), "iterations") {}

}  // namespace cotangent::optim
