// Shape: the sizes of a dense array along at most eight axes, stored inline.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace cotangent {

/// Sizes, positions and counts. Signed, so that differences are safe.
using Index = std::int64_t;

inline constexpr int kMaxRank = 8;

/// The sizes of an array, one per axis; rank 0 is a scalar (one element).
///
/// Throws: ShapeError for a negative size, a size of 2^32 or more, or more than eight axes.
class Shape {
 public:
  constexpr Shape() noexcept = default;
  /// [0], the shape of a tensor without elements.
  static constexpr Shape empty() noexcept {
    Shape shape;
    shape.rank_ = 1;
    return shape;
  }
  Shape(std::initializer_list<Index> sizes) {
    if (sizes.size() == 1 && small(*sizes.begin())) {
      sizes_[rank_++] = static_cast<std::uint32_t>(*sizes.begin());
    } else if (sizes.size() == 2 && small(sizes.begin()[0]) && small(sizes.begin()[1])) {
      sizes_[rank_++] = static_cast<std::uint32_t>(sizes.begin()[0]);
      sizes_[rank_++] = static_cast<std::uint32_t>(sizes.begin()[1]);
    } else {
      *this = Shape(std::span<const Index>(sizes.begin(), sizes.size()));
    }
  }
  explicit Shape(std::span<const Index> sizes);

  int rank() const noexcept { return static_cast<int>(rank_); }
  /// Size along `axis`, 0 <= axis < rank(). Throws: ShapeError.
  Index operator[](int axis) const {
    if (axis < 0 || axis >= rank()) throw_bad_axis(axis);
    return sizes_[axis];
  }
  /// Number of elements: the product of all sizes (1 for a scalar).
  Index size() const noexcept {
    Index n = 1;
    for (std::uint32_t k = 0; k < rank_; ++k) n *= sizes_[k];
    return n;
  }
  /// This shape without `axis`, with `size` put in at `axis`, or with `size` in place of the one at `axis`.
  Shape without(int axis) const;
  Shape with_inserted(int axis, Index size) const;
  Shape with(int axis, Index size) const;

  /// "[32, 10]", "[]" for a scalar.
  std::string to_string() const;
  /// "[3, 1]", where the element at `flat` in row-major order stands; nothing for a scalar's only one.
  std::string position(Index flat) const;

  friend bool operator==(const Shape& a, const Shape& b) noexcept {
    if (a.rank_ != b.rank_) return false;
    for (std::uint32_t k = 0; k < a.rank_; ++k)
      if (a.sizes_[k] != b.sizes_[k]) return false;
    return true;
  }

 private:
  friend class Tensor;
  void make_empty() noexcept {
    sizes_[0] = 0;
    rank_ = 1;
  }
  [[noreturn]] void throw_bad_axis(int axis) const;
  /// Of two such sizes no check is needed.
  static bool small(Index size) noexcept { return size >= 0 && size < (Index{1} << 24); }

  std::uint32_t sizes_[kMaxRank] = {};
  std::uint32_t rank_ = 0;
};

}  // namespace cotangent
