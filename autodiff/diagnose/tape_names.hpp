// Words for the places of a record: parameters, chains of operations. The diagnostics use them.
#pragma once
#include <string>
#include <vector>

#include "autodiff/params.hpp"
#include "autodiff/tape/state.hpp"

namespace cotangent::detail {

/// The name of a node's operation, like "sub"; "input" for a node without one.
const char* operation_name(const Node& node);

/// The node behind all views of `node`, and where in it they begin.
std::uint32_t behind_views(const TapeState& tape, std::uint32_t node, Index& offset);

/// The parameter that `node` is, where w is node 0: "0.weight", "0.weight .. 2.bias"
/// for several, else nothing.
std::string parameter_name(const TapeState& tape, std::uint32_t node, const Params& w);
/// "0.weight[3, 1]" for element `at` of a node that is a part of w, else nothing.
std::string parameter_element(const TapeState& tape, std::uint32_t node, Index at, const Params& w);
/// Names of the parameters that `node` reads, or, if it reads none, the nearest operations before it.
std::vector<std::string> nearest_parameters(const TapeState& tape, std::uint32_t node, const Params& w);

/// The `most` nodes nearest before `node` (or, with users, from it towards `last`), itself
/// among them, in order.
std::vector<std::uint32_t> chain_before(const TapeState& tape, std::uint32_t node, std::size_t most);
std::vector<std::uint32_t> chain_after(const TapeState& tape, std::uint32_t node, std::uint32_t last,
                                       std::size_t most);

}  // namespace cotangent::detail
