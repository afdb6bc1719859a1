// Shaping: what every optimizer's gradients and directions go through, whatever its parts.
#pragma once
#include "optim/recipe.hpp"

namespace cotangent::optim {

/// Clipping, weight decay, and the groups' own numbers, the last group that matches a parameter deciding.
class Shaping {
 public:
  /// Throws: DomainError in the recipe's name for a group that matches nothing, or with numbers outside their
  /// ranges.
  Shaping(const Recipe& recipe, const Params& w);

  /// Some parameter is drawn to 0.
  bool decays() const noexcept { return decays_; }
  /// Gradients, or directions too, pass as they are.
  bool keeps_gradients() const noexcept { return !decays_ && !clip_norm_; }
  bool keeps_all() const noexcept { return keeps_gradients() && step_factor_.size() == 0; }

  /// A gradient at w and its norm: cut to the largest, then with decay that goes through the rule.
  Params gradient(Params g, double norm, const Params& w) const;
  /// A rule's direction at w: with decay that is apart from the rule, then with each number's own factor.
  Params direction(Params d, const Params& w) const;

 private:
  Params decayed(Params g, const Params& w) const;

  std::optional<double> clip_norm_;
  double weight_decay_;  // of all parameters, where there are no groups
  bool decoupled_;
  Tensor step_factor_, decay_of_each_;  // [P]; empty without groups
  bool decays_;
};

}  // namespace cotangent::optim
