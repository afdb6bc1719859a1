// Only what the result depends on is replayed, and balls end after their last use.
#include "enclose/replay/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autodiff/error.hpp"

namespace cotangent::enclosing {
namespace {

bool is_of_library(const Op* op) {
  for (const Op* known = Op::first(); known; known = known->next())
    if (known == op) return true;
  return false;
}

}  // namespace

std::vector<std::uint32_t> Replay::last_uses() const {
  std::vector<std::uint32_t> last(program_.steps.size(), 0);
  if (program_.result == kNoNode) return last;
  last[program_.result] = static_cast<std::uint32_t>(program_.steps.size());
  for (std::uint32_t i = program_.result + 1; i-- > 0;)
    if (last[i] > 0)
      for (const std::uint32_t source : program_.steps[i].sources)
        if (source != kNoNode) last[source] = std::max(last[source], i);
  return last;
}

Replay::Replay(Program program)
    : program_(std::move(program)),
      last_(last_uses()),
      rules_(program_.steps.size()),
      jumps_(program_.steps.size()) {
  for (std::size_t i = 0; i < program_.steps.size(); ++i) {
    const Op* op = program_.steps[i].op;
    if (last_[i] == 0 || !op) continue;
    rules_[i] = rule_of(*op);
    jumps_[i] = jumps(*op);
    if (!rules_[i])
      throw DomainError(
          fmt::format("[enclose] [{}] has no enclosure; {}write f of operations that have one", op->name(),
                      is_of_library(op) ? "" : "give its CustomOp one by elementwise or .enclose, or "));
  }
}

Balls Replay::operator()(const Balls& input, Account& account) const {
  if (program_.result == kNoNode) return Balls::of(program_.constant);
  std::vector<Balls> values(program_.steps.size());
  std::vector<Balls> in;
  for (std::uint32_t i = 0; i <= program_.result; ++i) {
    if (last_[i] == 0) continue;
    const Step& step = program_.steps[i];
    if (!step.op) {
      values[i] = i == program_.input ? input : Balls::of(step.numbers);
      continue;
    }
    in.clear();
    for (std::size_t j = 0; j < step.sources.size(); ++j)
      in.push_back(step.sources[j] == kNoNode ? Balls::of(step.constants[j]) : values[step.sources[j]]);
    const Index before = account.undecided;
    values[i] = rules_[i]({step, in, account});
    if (jumps_[i]) account.jumps += account.undecided - before;
    for (const std::uint32_t source : step.sources)
      if (source != kNoNode && last_[source] <= i) values[source] = Balls();
  }
  return values[program_.result];
}

}  // namespace cotangent::enclosing
