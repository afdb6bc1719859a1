// Recipe: all that makes an optimizer, its parts, its step and how long it runs.
#pragma once
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "optim/contract.hpp"
#include "optim/schedule.hpp"

namespace cotangent::optim {

/// When to end before the last iteration. Each is looked at in every iteration where it is known.
struct Stop {
  /// The move's residual at an exact estimate (|g| of a plain one) is at most this.
  std::optional<double> residual = std::nullopt;
  /// The value at an exact estimate, penalty included, is at most this: StopReason::target.
  std::optional<double> value = std::nullopt;
  /// So many component gradients are spent, or more: StopReason::budget, as for the seconds.
  std::optional<Index> component_gradients = std::nullopt;
  /// Wall time without the observers'.
  std::optional<double> seconds = std::nullopt;
};

/// What Run::average is made of: all points after the first steps, or of exponentially falling weight.
struct Average {
  /// none; uniform: of the points after each step from `from` on; exponential: a <- decay a + (1 - decay) w,
  /// beginning with the start.
  enum class Kind { none, uniform, exponential };
  Kind kind = Kind::none;
  Index from = 0;
  double decay = 0.0;

  /// Polyak's and Ruppert's: every point a step led to. Source: Polyak, Juditsky 1992.
  static Average uniform() { return {.kind = Kind::uniform}; }
  /// Those of iteration `from` on, counted from 0.
  static Average tail(Index from) { return {.kind = Kind::uniform, .from = from}; }
  static Average exponential(double decay) { return {.kind = Kind::exponential, .decay = decay}; }
};

/// Parameters with a step and a weight decay of their own: those whose names match the pattern.
struct Group {
  std::string pattern;
  /// Multiplies the direction.
  double step_factor = 1.0;
  /// In place of the optimizer's.
  std::optional<double> weight_decay = std::nullopt;
};

/// A list that a script writes between braces, and whose inside no script compiles.
class Names {
 public:
  Names();
  Names(const Names& other);
  Names(Names&& other) noexcept;
  Names& operator=(const Names& other);
  Names& operator=(Names&& other) noexcept;
  ~Names();
  Names(std::initializer_list<std::string_view> names);
  Names(const std::vector<std::string>& names);  // NOLINT(google-explicit-constructor)
  const std::vector<std::string>& list() const;

 private:
  std::shared_ptr<const std::vector<std::string>> list_;  // null: none
};
class Groups {
 public:
  Groups();
  Groups(const Groups& other);
  Groups(Groups&& other) noexcept;
  Groups& operator=(const Groups& other);
  Groups& operator=(Groups&& other) noexcept;
  ~Groups();
  Groups(std::initializer_list<Group> groups);
  Groups(const std::vector<Group>& groups);  // NOLINT(google-explicit-constructor)
  const std::vector<Group>& list() const;

 private:
  std::shared_ptr<const std::vector<Group>> list_;  // null: none
};

/// All that makes an optimizer: its parts, its step and how long it runs.
struct Recipe {
  const char* name = "Descent";
  Choice<Estimator> estimator = {};
  Choice<Rule> rule = {};
  Choice<Move> move = {};
  Step step = 0.1;
  Index epochs = 100;
  Stop stop = {};
  /// A value above it ends the run as diverged.
  double value_limit = std::numeric_limits<double>::infinity();
  /// g <- g + weight_decay * w before the rule, or decoupled after it; not in the value.
  double weight_decay = 0.0;
  bool decoupled_decay = false;
  /// Patterns of names: the run moves in the space of these parameters alone. None: all.
  Names params = {};
  Groups groups = {};
  /// |g| is at most this, by scaling, before weight decay and the rule, as in PyTorch.
  std::optional<double> clip_norm = std::nullopt;
  Average average = {};
  /// A row of the trace every so many epochs, the last one always.
  Index trace_every = 1;
  bool progress = false;
};

}  // namespace cotangent::optim
