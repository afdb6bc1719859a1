// The replay of a program in balls.
#pragma once
#include "enclose/rules/rules.hpp"

namespace cotangent::enclosing {

/// Throws: DomainError for an operation without a rule.
void check_rules(const Program& program);

/// The result's balls at any point of the input's; what the comparisons were is added to the account.
Balls replay(const Program& program, const Balls& input, Account& account);

}  // namespace cotangent::enclosing
