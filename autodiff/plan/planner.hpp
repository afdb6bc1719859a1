// The planner: with what is in here jacobian, the samples' rows and theory's kernels forecast their ways, and
// optim the memory of a batch. Other rooms include this header too.
#pragma once
#include <optional>

#include "autodiff/plan/block_trace.hpp"
#include "autodiff/plan/record_costs.hpp"
#include "autodiff/shape.hpp"

namespace cotangent::detail {

/// Throws: DomainError, beginning with the operation, for a memory below 0.
void check_memory(const char* operation, const std::optional<Index>& memory);

/// Bytes of the block behind so many numbers.
inline double block_of(Index numbers) {
  return static_cast<double>(block_bytes(static_cast<std::size_t>(numbers)));
}

/// How many things, of at most `most`, fit at a time: the largest count that is not `over`, and 1 if all are
/// over. If a count is over, all larger ones must be.
template <class Over>
Index largest_that_fits(Index most, Over over) {
  if (!over(most)) return most;
  Index fits = 1;
  for (Index too_many = most; too_many - fits > 1;) {
    const Index middle = fits + (too_many - fits) / 2;
    (over(middle) ? too_many : fits) = middle;
  }
  return fits;
}

}  // namespace cotangent::detail
