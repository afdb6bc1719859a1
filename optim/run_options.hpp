// What every optimizer's options end with, written once.
#pragma once
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "optim/recipe.hpp"

namespace cotangent::optim {

/// The options that every optimizer has, after its own:
///
///   params        names or patterns, "0.*": moves these alone, the others stay bit for bit; none: all. Each
///                 is to match a parameter, and one of these to have numbers
///   groups        {pattern, step factor, weight decay}: of the last group that a parameter matches
///   stop          when to end before the last iteration
///   value_limit   a value above it ends the run as diverged
///   weight_decay  g <- g + weight_decay * w before anything is made of g (AdamW: after); not in values
///   clip_norm     |g| is scaled down to at most this
///   average       Run::average: Average::uniform(), ::tail(from) or ::exponential(decay)
///   trace_every   a row of the trace every so many epochs, and at the end
///   progress      a progress line on standard error
///
/// Where a step is searched on f, or made from a model of it, what changes the gradient alone would be
/// undone: weight_decay is refused with backtracking and strong_wolfe, so by Lbfgs; it and clip_norm by
/// Newton; these and params by GaussNewton. Each says so when a run begins.
#define COTANGENT_RUN_OPTIONS COTANGENT_RUN_OPTIONS_WITH_DECAY(0.0)
#define COTANGENT_RUN_OPTIONS_WITH_DECAY(decay)                 \
  ::cotangent::optim::Names params = {};                        \
  ::cotangent::optim::Groups groups = {};                       \
  ::cotangent::optim::Stop stop = {};                           \
  double value_limit = std::numeric_limits<double>::infinity(); \
  double weight_decay = decay;                                  \
  std::optional<double> clip_norm = std::nullopt;               \
  ::cotangent::optim::Average average = {};                     \
  ::cotangent::Index trace_every = 1;                           \
  bool progress = false

/// A recipe with those of these options, which is then given its parts.
template <class Options>
Recipe recipe_of(const char* name, const Options& options, Index epochs) {
  Recipe recipe;
  recipe.name = name;
  recipe.step = options.step;
  recipe.epochs = epochs;
  recipe.params = options.params;
  recipe.groups = options.groups;
  recipe.stop = options.stop;
  recipe.value_limit = options.value_limit;
  recipe.weight_decay = options.weight_decay;
  recipe.clip_norm = options.clip_norm;
  recipe.average = options.average;
  recipe.trace_every = options.trace_every;
  recipe.progress = options.progress;
  return recipe;
}

}  // namespace cotangent::optim
