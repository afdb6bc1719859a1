// Shape: checks and text.
#include "autodiff/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "autodiff/error.hpp"

namespace cotangent {

Shape::Shape(std::span<const Index> sizes) {
  if (sizes.size() > kMaxRank)
    throw ShapeError(
        fmt::format("[shape] {} axes asked for; at most {} are supported", sizes.size(), kMaxRank));
  Index product = 1;
  for (const Index size : sizes) {
    if (size < 0 || size > std::numeric_limits<std::uint32_t>::max())
      throw ShapeError(
          fmt::format("[shape] a size of {} along axis {}; sizes lie in 0 .. 2^32 - 1", size, rank_));
    if (__builtin_mul_overflow(product, size, &product) || product > (Index{1} << 48))
      throw ShapeError("[shape] the sizes multiply to more than 2^48 elements; use a smaller array");
    sizes_[rank_++] = static_cast<std::uint32_t>(size);
  }
}

Shape Shape::without(int axis) const {
  if (axis < 0 || axis >= rank()) throw_bad_axis(axis);
  Shape result;
  for (int k = 0; k < rank(); ++k)
    if (k != axis) result.sizes_[result.rank_++] = sizes_[k];
  return result;
}

Shape Shape::with_inserted(int axis, Index size) const {
  if (axis < 0 || axis > rank()) throw_bad_axis(axis);
  Index sizes[kMaxRank + 1];
  for (int k = 0, from = 0; k <= rank(); ++k)
    sizes[k] = k == axis ? size : static_cast<Index>(sizes_[from++]);
  return Shape(std::span<const Index>(sizes, static_cast<std::size_t>(rank()) + 1));
}

Shape Shape::with(int axis, Index size) const {
  if (axis < 0 || axis >= rank()) throw_bad_axis(axis);
  Index sizes[kMaxRank];
  for (int k = 0; k < rank(); ++k) sizes[k] = k == axis ? size : static_cast<Index>(sizes_[k]);
  return Shape(std::span<const Index>(sizes, static_cast<std::size_t>(rank())));
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (int k = 0; k < rank(); ++k) text += (k ? ", " : "") + std::to_string(sizes_[k]);
  return text + "]";
}

std::string Shape::position(Index flat) const {
  std::string text;
  for (int k = rank(); k-- > 0;) {
    const Index size = std::max<Index>(sizes_[k], 1);
    text = std::to_string(flat % size) + (text.empty() ? "" : ", ") + text;
    flat /= size;
  }
  return rank() == 0 ? text : "[" + text + "]";
}

void Shape::throw_bad_axis(int axis) const {
  const std::string axes = rank_ ? fmt::format("its axes are 0 .. {}", rank_ - 1) : "a scalar has no axes";
  throw ShapeError(fmt::format("[shape] axis {} of {}; {}", axis, to_string(), axes));
}

}  // namespace cotangent
