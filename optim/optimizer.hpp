// Optimizer: a choice of parts, and their use on any objective.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "optim/loop.hpp"

namespace cotangent::optim {

/// A recipe that no run changes. Any choice of parts is one; Gd, Sgd and the others are those with names.
///
///   optim::Optimizer({.estimator = optim::svrg({.inner = 2 * n}), .rule = optim::adam(), .step = 1e-3})
///
/// An iteration is w <- move(w, rule(estimator(w)), step): an estimate at w; the run ends if it is not
/// finite, or meets a reason to stop; observers see it; then the step is made.
class Optimizer {
 public:
  /// Parts left empty are: the gradient over all samples, the gradient itself, a plain step.
  /// Throws: DomainError on options outside their ranges.
  explicit Optimizer(Recipe recipe);

  const Recipe& recipe() const noexcept { return *recipe_; }

  /// Minimises f from w on. Random choices come from rng, so the same state of it gives the same run.
  ///
  /// Cost: the epochs' gradients and one value over all samples; after the first epoch the loop itself takes
  /// nothing from the heap.
  /// Throws: DomainError if w is empty or not finite, naming the position, or if an observer is null.
  Run minimize(const FiniteSum& f, const Params& w, Rng& rng,
               const std::vector<Observer*>& observers = {}) const;
  /// The same for a plain vector, as Params of one block called "w". Throws: also ShapeError unless w is [P].
  Run minimize(const FiniteSum& f, const Tensor& w, Rng& rng,
               const std::vector<Observer*>& observers = {}) const;

  /// The run before its first iteration, to be driven by hand.
  Loop start(const FiniteSum& f, const Params& w, Rng& rng,
             const std::vector<Observer*>& observers = {}) const;
  Loop start(const FiniteSum& f, const Tensor& w, Rng& rng,
             const std::vector<Observer*>& observers = {}) const;

  /// Goes on with a run that was saved by Loop::save or a Checkpoint, to be driven by hand; see
  /// Loop::resumed.
  Loop resume(const std::string& path, const FiniteSum& f, Rng& rng,
              const std::vector<Observer*>& observers = {}) const;

 protected:
  /// `epochs` is called `epochs_name` in errors. `options` are what the recipe was made of, kept here so that
  /// an optimizer with a name holds nothing more than one without: a copy as an Optimizer loses nothing.
  explicit Optimizer(Recipe recipe, const char* epochs_name, std::shared_ptr<const void> options = nullptr);
  const void* made_of() const noexcept { return options_.get(); }

 private:
  std::shared_ptr<const Recipe> recipe_;
  std::shared_ptr<const void> options_;
};

/// Any choice of parts: Descent({.estimator = svrg(), .move = proximal(l1(0.1))}).
using Descent = Optimizer;

}  // namespace cotangent::optim
