// What a record costs to replay, in operations. Behind the planners.
#pragma once
#include <vector>

#include "autodiff/samples/sweep.hpp"
#include "autodiff/tape/state.hpp"

namespace cotangent::detail {

/// What takes about as much time as so many operations of a large matrix product: each number an operation
/// reads or writes, and calling it at all.
inline constexpr double kNumberFlops = 2.0;
inline constexpr double kCallFlops = 400.0;

/// Costs of the record from the node w to `output`; `rows` marks the nodes that carry cotangent rows.
RowCosts record_costs(const TapeState& tape, std::uint32_t output, const std::vector<unsigned char>& rows,
                      std::uint32_t w = 0);

}  // namespace cotangent::detail
