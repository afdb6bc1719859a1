// Only what the result depends on is replayed, and balls end after their last use.
#include "enclose/replay/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "autodiff/error.hpp"

namespace cotangent::enclosing {
namespace {

/// The step after which each step's balls are no longer wanted; 0: the result does not depend on it.
std::vector<std::uint32_t> last_uses(const Program& program) {
  std::vector<std::uint32_t> last(program.steps.size(), 0);
  if (program.result == kNoNode) return last;
  last[program.result] = static_cast<std::uint32_t>(program.steps.size());
  for (std::uint32_t i = program.result + 1; i-- > 0;)
    if (last[i] > 0)
      for (const std::uint32_t source : program.steps[i].sources)
        if (source != kNoNode) last[source] = std::max(last[source], i);
  return last;
}

}  // namespace

void check_rules(const Program& program) {
  const std::vector<std::uint32_t> last = last_uses(program);
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Op* op = program.steps[i].op;
    if (last[i] > 0 && op && !rule_of(*op))
      throw DomainError(
          fmt::format("[enclose] [{}] has no enclosure; write f of operations that have one", op->name()));
  }
}

Balls replay(const Program& program, const Balls& input, Account& account) {
  if (program.result == kNoNode) return Balls::of(program.constant);
  const std::vector<std::uint32_t> last = last_uses(program);
  std::vector<Balls> values(program.steps.size());
  std::vector<Balls> in;
  for (std::uint32_t i = 0; i <= program.result; ++i) {
    if (last[i] == 0) continue;
    const Step& step = program.steps[i];
    if (!step.op) {
      values[i] = i == program.input ? input : Balls::of(step.numbers);
      continue;
    }
    in.clear();
    for (std::size_t j = 0; j < step.sources.size(); ++j)
      in.push_back(step.sources[j] == kNoNode ? Balls::of(step.constants[j]) : values[step.sources[j]]);
    values[i] = rule_of(*step.op)({step, in, account});
    for (const std::uint32_t source : step.sources)
      if (source != kNoNode && last[source] <= i) values[source] = Balls();
  }
  return values[program.result];
}

}  // namespace cotangent::enclosing
