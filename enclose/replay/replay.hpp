// The replay of a program in balls.
#pragma once
#include "enclose/rules/rules.hpp"

namespace cotangent::enclosing {

/// A program with what every replay of it wants to know.
class Replay {
 public:
  /// Throws: DomainError for an operation without a rule.
  explicit Replay(Program program);

  /// The result's balls at any point of the input's; what the comparisons were is added to the account.
  Balls operator()(const Balls& input, Account& account) const;
  const Shape& input_shape() const { return program_.steps[program_.input].shape; }

 private:
  /// The step after which a step's balls are no longer wanted; 0: the result does not depend on it.
  std::vector<std::uint32_t> last_uses() const;

  Program program_;
  std::vector<std::uint32_t> last_;
  std::vector<Rule> rules_;  // of each step that the result depends on
  std::vector<bool> jumps_;  // whether its operation jumps
};

}  // namespace cotangent::enclosing
