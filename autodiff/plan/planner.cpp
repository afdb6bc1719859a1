// What all plans check.
#include "autodiff/plan/planner.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"

namespace cotangent::detail {

void check_memory(const char* operation, const std::optional<Index>& memory) {
  if (memory && *memory < 0)
    throw DomainError(
        fmt::format("[{}] .memory is {}; give the number of bytes the work may hold", operation, *memory));
}

}  // namespace cotangent::detail
