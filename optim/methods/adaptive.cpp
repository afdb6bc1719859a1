// Adam and its relatives on batches.
#include "optim/adaptive.hpp"

#include <fmt/format.h>

#include <utility>

#include "autodiff/error.hpp"
#include "optim/estimators.hpp"
#include "optim/rules.hpp"

namespace cotangent::optim {
namespace {

template <class Options>
Recipe on_batches(const char* name, const Options& o, Choice<Rule> rule) {
  if (o.batch < 0)
    throw DomainError(fmt::format("[{}] batch is {}; give the number of samples an iteration, or 0 for all",
                                  name, o.batch));
  Recipe recipe = recipe_of(name, o, o.epochs);
  if (o.batch > 0) recipe.estimator = mini_batch({.batch = o.batch});
  recipe.rule = std::move(rule);
  return recipe;
}

Recipe adamw(const AdamWOptions& o) {
  Recipe recipe = on_batches(
      "AdamW", o, adam({.beta1 = o.beta1, .beta2 = o.beta2, .epsilon = o.epsilon, .amsgrad = o.amsgrad}));
  recipe.decoupled_decay = true;
  return recipe;
}

}  // namespace

Adam::Adam(const AdamOptions& o)
    : Optimizer(on_batches(
          "Adam", o,
          adam({.beta1 = o.beta1, .beta2 = o.beta2, .epsilon = o.epsilon, .amsgrad = o.amsgrad}))) {}

AdamW::AdamW(const AdamWOptions& o) : Optimizer(adamw(o)) {}

RmsProp::RmsProp(const RmsPropOptions& o)
    : Optimizer(on_batches("RmsProp", o, rmsprop({.alpha = o.alpha, .epsilon = o.epsilon}))) {}

AdaGrad::AdaGrad(const AdaGradOptions& o) : Optimizer(on_batches("AdaGrad", o, adagrad(o.epsilon))) {}

}  // namespace cotangent::optim
