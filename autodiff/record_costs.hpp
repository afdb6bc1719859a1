// What a record costs to replay: products of matrices and numbers kept. Behind the planners.
#pragma once
#include <vector>

#include "autodiff/rows.hpp"
#include "autodiff/tape_state.hpp"

namespace cotangent::detail {

/// Costs of the record up to `output`, whose first node is w. `rows` marks the nodes that carry cotangent rows;
/// numbers within w and x are not counted.
RowCosts record_costs(const TapeState& tape, std::uint32_t output, const std::vector<unsigned char>& rows,
                      const Tensor& w, const Tensor& x);

}  // namespace cotangent::detail
