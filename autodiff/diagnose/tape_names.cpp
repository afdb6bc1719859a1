// Words for the places of a record.
#include "autodiff/diagnose/tape_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "autodiff/ops/rule_ops.hpp"

namespace cotangent::detail {

const char* operation_name(const Node& node) { return node.op ? node.op->name() : "input"; }

std::uint32_t behind_views(const TapeState& tape, std::uint32_t node, Index& offset) {
  offset = 0;
  while (tape.nodes[node].op == &kView) {
    offset += tape.nodes[node].attributes.whole[0];
    node = tape.source(tape.nodes[node], 0);
  }
  return node;
}

std::string parameter_name(const TapeState& tape, std::uint32_t node, const Params& w) {
  Index offset = 0;
  if (behind_views(tape, node, offset) != 0) return {};
  const Index end = offset + tape.nodes[node].output.size();
  const ParamEntry *first = nullptr, *last = nullptr;
  for (const ParamEntry& entry : w.table()) {
    if (entry.offset >= end || entry.offset + entry.size() <= offset) continue;
    if (!first) first = &entry;
    last = &entry;
  }
  if (!first) return {};
  if (first != last) return first->name + " .. " + last->name;
  const bool whole = first->offset == offset && first->offset + first->size() == end;
  return whole ? first->name : fmt::format("{} .. {}", w.position_name(offset), w.position_name(end - 1));
}

std::string parameter_element(const TapeState& tape, std::uint32_t node, Index at, const Params& w) {
  Index offset = 0;
  if (behind_views(tape, node, offset) != 0 || offset + at >= w.size()) return {};
  return w.position_name(offset + at);
}

namespace {

/// Calls visit(node) for `node` and the nodes before it, nearest first, until it says stop.
template <class Visit>
void walk_back(const TapeState& tape, std::uint32_t node, Visit visit) {
  std::vector<std::uint32_t> waiting{node};
  std::unordered_set<std::uint32_t> seen{node};
  for (std::size_t k = 0; k < waiting.size(); ++k) {
    const std::uint32_t at = waiting[k];
    if (!visit(at)) return;
    for (std::uint32_t j = 0; j < tape.nodes[at].num_inputs; ++j) {
      const std::uint32_t source = tape.source(tape.nodes[at], j);
      if (source != kNoNode && seen.insert(source).second) waiting.push_back(source);
    }
  }
}

}  // namespace

std::vector<std::string> nearest_parameters(const TapeState& tape, std::uint32_t node, const Params& w) {
  std::vector<std::string> names;
  walk_back(tape, node, [&](std::uint32_t at) {
    for (std::uint32_t j = 0; j < tape.nodes[at].num_inputs; ++j) {
      const std::uint32_t source = tape.source(tape.nodes[at], j);
      if (source == kNoNode || tape.nodes[at].op == &kView) continue;
      const std::string name = parameter_name(tape, source, w);
      if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names.empty();
  });
  return names;
}

std::vector<std::uint32_t> chain_before(const TapeState& tape, std::uint32_t node, std::size_t most) {
  std::vector<std::uint32_t> chain;
  walk_back(tape, node, [&](std::uint32_t at) {
    if (tape.nodes[at].op != &kView) chain.push_back(at);
    return chain.size() < most;
  });
  std::sort(chain.begin(), chain.end());
  return chain;
}

std::vector<std::uint32_t> chain_after(const TapeState& tape, std::uint32_t node, std::uint32_t last,
                                       std::size_t most) {
  std::vector<std::uint32_t> chain{node};
  for (std::uint32_t i = node + 1; i <= last && chain.size() < most; ++i)
    for (std::uint32_t j = 0; j < tape.nodes[i].num_inputs; ++j)
      if (std::binary_search(chain.begin(), chain.end(), tape.source(tape.nodes[i], j))) {
        chain.push_back(i);
        break;
      }
  return chain;
}

}  // namespace cotangent::detail
