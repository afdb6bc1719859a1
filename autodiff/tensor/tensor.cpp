// Tensor: construction, access, views. Its text is in tensor_print.cpp.
#include "autodiff/tensor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"

namespace cotangent {
namespace {

Index count(std::size_t n) { return static_cast<Index>(n); }

/// The shape of nested lists, found on the way through all of them.
class Measure {
 public:
  Measure(std::initializer_list<detail::Number> list) { visit(list, 0); }
  Shape shape() const { return Shape(std::span<const Index>(sizes_, static_cast<std::size_t>(rank_))); }

 private:
  void visit(std::initializer_list<detail::Number> list, int axis) {
    if (axis == kMaxRank)
      throw ShapeError(fmt::format(
          "[tensor] lists are nested more than {} deep; a tensor has at most {} axes", kMaxRank, kMaxRank));
    const Index size = count(list.size());
    if (axis == seen_) sizes_[seen_++] = size;
    if (sizes_[axis] != size) throw_differ(list, sizes_[axis]);
    if (size == 0) leaf(axis + 1);
    for (const detail::Number& item : list) {
      if (item.is_list)
        visit(item.list, axis + 1);
      else
        leaf(axis + 1);
    }
  }
  /// Below so many axes there are numbers, or there is nothing.
  void leaf(int depth) {
    if (rank_ == 0) rank_ = depth;
    if (rank_ != depth)
      throw ShapeError("[tensor] numbers and lists stand side by side; give all numbers the same depth");
  }
  [[noreturn]] static void throw_differ(std::initializer_list<detail::Number> list, Index first) {
    const bool rows = list.size() == 0 || !list.begin()->is_list;
    throw ShapeError(rows ? fmt::format("[tensor] rows of {} and {} numbers; give every row the same length",
                                        first, list.size())
                          : fmt::format("[tensor] blocks of {} and {} rows; give every block the same shape",
                                        first, list.size()));
  }

  Index sizes_[kMaxRank] = {};
  int seen_ = 0;
  int rank_ = 0;
};

double* put(std::initializer_list<detail::Number> list, double* to) {
  for (const detail::Number& item : list) {
    if (item.is_list)
      to = put(item.list, to);
    else
      *to++ = item.number;
  }
  return to;
}

}  // namespace

Tensor::Tensor(std::initializer_list<detail::Number> list) : Tensor(uninitialized(Measure(list).shape())) {
  put(list, data_);
}

Tensor Tensor::scalar(double value) {
  Tensor result = uninitialized(Shape{});
  *result.data_ = value;
  return result;
}

Tensor Tensor::full(const Shape& shape, double value) {
  Tensor result = uninitialized(shape);
  std::fill_n(result.data_, shape.size(), value);
  return result;
}

Tensor Tensor::eye(Index n) {
  Tensor result = zeros(Shape{n, n});
  for (Index i = 0; i < n; ++i) result.data_[i * n + i] = 1.0;
  return result;
}

Tensor Tensor::linspace(double first, double last, Index count) {
  if (count < 2) throw DomainError(fmt::format("[linspace] {} points; ask for at least 2", count));
  Tensor result = uninitialized(Shape{count});
  // Multiplied before it is divided, so that whole numbers come out whole, unless that would overflow.
  const auto parts = static_cast<double>(count - 1);
  const double width = last - first, most = std::numeric_limits<double>::max();
  for (Index i = 0; i < count; ++i) {
    const auto k = static_cast<double>(i);
    const double between = std::fabs(width) <= most / parts ? first + k * width / parts
                                                            : (1.0 - k / parts) * first + k / parts * last;
    result.data_[i] = i == count - 1 ? last : between;
  }
  return result;
}

Tensor Tensor::from(std::span<const double> values, const Shape& shape) {
  if (count(values.size()) != shape.size())
    throw ShapeError(fmt::format("[tensor] {} numbers cannot fill {}, which holds {}", values.size(),
                                 shape.to_string(), shape.size()));
  Tensor result = uninitialized(shape);
  std::copy(values.begin(), values.end(), result.data_);
  return result;
}

double Tensor::at(std::span<const Index> index) const {
  if (static_cast<int>(index.size()) != rank())
    throw ShapeError(
        fmt::format("[tensor] {} indices for shape {}; give one per axis", index.size(), shape_.to_string()));
  Index position = 0;
  for (int k = 0; k < rank(); ++k) {
    const Index i = index[static_cast<std::size_t>(k)];
    if (i < 0 || i >= shape_[k])
      throw ShapeError(fmt::format("[tensor] index {} along axis {} of shape {}; it must lie in 0 .. {}", i,
                                   k, shape_.to_string(), shape_[k] - 1));
    position = position * shape_[k] + i;
  }
  return data_[position];
}

double Tensor::item() const {
  if (size() != 1)
    throw ShapeError(fmt::format("[item] shape {} holds {} numbers, not one; index it or reduce it first",
                                 shape_.to_string(), size()));
  return data_[0];
}

Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.size() != size())
    throw ShapeError(fmt::format("[reshape] {} holds {} numbers, {} holds {}; the sizes must agree",
                                 shape_.to_string(), size(), shape.to_string(), shape.size()));
  return view(0, shape);
}

Tensor Tensor::rows(Index first, Index last) const {
  if (rank() == 0 || first < 0 || first > last || last > shape_[0])
    throw ShapeError(fmt::format("[rows] rows {} .. {} of shape {}; they must lie within axis 0", first, last,
                                 shape_.to_string()));
  Index row = 1;
  for (int k = 1; k < rank(); ++k) row *= shape_.sizes_[k];
  Tensor result = view(first * row, shape_);
  result.shape_.sizes_[0] = static_cast<std::uint32_t>(last - first);
  return result;
}

bool equal(const Tensor& a, const Tensor& b) noexcept {
  return a.shape() == b.shape() && std::equal(a.data().begin(), a.data().end(), b.data().begin());
}

}  // namespace cotangent
