// What a record costs to replay, in floating-point operations.
#pragma once
#include <cstdint>
#include <vector>

namespace cotangent::detail {

class TapeState;

/// Floating-point operations of a record, of a backward pass that carries the samples' cotangents and those
/// of no parameter, and of a whole backward pass to the parameters.
struct RecordCosts {
  double forward_flops = 0.0;
  double samples_flops = 0.0;
  double gradient_flops = 0.0;
};

/// What takes about as much time as so many operations of a large matrix product: each number that an
/// operation reads or writes, and calling it at all.
inline constexpr double kNumberFlops = 2.0;
inline constexpr double kCallFlops = 400.0;

/// Costs of the record from the node w to `output`. `samples` marks the nodes that carry the samples'
/// cotangents, one byte a node; if it is empty, none does.
RecordCosts record_costs(const TapeState& tape, std::uint32_t output,
                         const std::vector<unsigned char>& samples = {}, std::uint32_t w = 0);

}  // namespace cotangent::detail
