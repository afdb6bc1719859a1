// Which nodes of a record depend on others. The backward pass, the analysis of samples and the planner ask.
#pragma once
#include "autodiff/tape/state.hpp"

namespace cotangent::detail {

/// Marks every node of (first, last] with a marked input; `marks` has one byte a node. A node that `cut`
/// names stays unmarked, and with it what depends on nothing else.
template <class Cut>
void mark_dependents(const TapeState& tape, std::uint32_t first, std::uint32_t last, unsigned char* marks,
                     Cut cut) {
  for (std::uint32_t i = first + 1; i <= last; ++i) {
    const Node& node = tape.nodes[i];
    for (std::uint32_t j = 0; j < node.num_inputs; ++j) {
      const std::uint32_t source = tape.source(node, j);
      if (source != kNoNode && marks[source]) {
        marks[i] = !cut(i);
        break;
      }
    }
  }
}
inline void mark_dependents(const TapeState& tape, std::uint32_t first, std::uint32_t last,
                            unsigned char* marks) {
  mark_dependents(tape, first, last, marks, [](std::uint32_t) { return false; });
}

}  // namespace cotangent::detail
