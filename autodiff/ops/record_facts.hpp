// What must be known of recorded operations to compute them once more in other numbers. Other rooms include
// this too.
#pragma once
#include "autodiff/memory/recycled.hpp"
#include "autodiff/shape.hpp"

namespace cotangent::detail {

/// A row-major array seen as [outer, middle, inner] around one axis.
struct Around {
  Index outer = 1;
  Index middle = 1;
  Index inner = 1;
  Around(const Shape& shape, int axis) {
    for (int k = 0; k < shape.rank(); ++k) (k < axis ? outer : k == axis ? middle : inner) *= shape[k];
  }
};
/// The number that the factor of a recorded `scale` stands for is said by whole(1), where rounding changed
/// it: 1 / n for n > 0, which is divided by, +-2 / sqrt(pi), 1 / sqrt(2 pi), or real(1) - k for kReduced -
/// k; 0: the factor itself.
inline constexpr Index kTwoOverRootPi = -1, kOneOverRootTwoPi = -2, kReduced = -16;

/// Where the parts of a recorded `assemble` begin: its payload.
using AssembleOffsets = RecycledVector<Index>;

}  // namespace cotangent::detail
