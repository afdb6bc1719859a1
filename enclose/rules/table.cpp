// The table of all rules.
#include "enclose/rules/rules.hpp"

namespace cotangent::enclosing {

Rule rule_of(const Op& op) {
  if (op.spec().enclose) return by_script;
  static const RuleTable table = [] {
    RuleTable all;
    add_elementwise(all);
    add_kinks(all);
    add_products(all);
    add_reductions(all);
    add_moves(all);
    return all;
  }();
  const auto found = table.find(op.name());
  return found == table.end() ? nullptr : found->second;
}

}  // namespace cotangent::enclosing
