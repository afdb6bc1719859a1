// The only way past Tensor's immutability, for code of the library that fills a new tensor. Other rooms
// include this header too.
#pragma once
#include <cstring>

#include "autodiff/tensor.hpp"

namespace cotangent::detail {

struct TensorAccess {
  /// A new tensor whose numbers are unspecified; it is to be filled through data() before
  /// anyone else sees it.
  static Tensor uninitialized(const Shape& shape) { return Tensor::uninitialized(shape); }
  /// The same tensor, or only its shape, for a tape need not keep all numbers.
  static Tensor kept(const Tensor& t, bool numbers) {
    Buffer* buffer = numbers ? t.buffer_ : nullptr;
    retain(buffer);
    return Tensor(buffer, numbers ? t.data_ : nullptr, t.shape_);
  }
  static bool has_data(const Tensor& t) { return t.data_ != nullptr; }
  /// The numbers from `offset` on, in another shape. They share the block.
  static Tensor view(const Tensor& t, Index offset, const Shape& shape) { return t.view(offset, shape); }
  static double* data(Tensor& t) { return t.data_; }
  /// Whether nobody else shares the numbers, so that they may be overwritten.
  static bool unique(const Tensor& t) {
    return t.buffer_ && t.buffer_->count.load(std::memory_order_acquire) == 1;
  }
};

/// Copies numbers that lie side by side. Of a few the call of a library takes longer than the copying.
inline void copy_run(double* to, const double* from, Index run) {
  constexpr Index kFew = 32, kStep = 4;
  if (run > kFew) {
    std::memcpy(to, from, static_cast<std::size_t>(run) * sizeof(double));
    return;
  }
  for (; run >= kStep; run -= kStep, to += kStep, from += kStep)
    std::memcpy(to, from, kStep * sizeof(double));
  for (; run > 0; --run) *to++ = *from++;
}

/// Short names for what every operation does.
inline Tensor uninitialized(const Shape& shape) { return TensorAccess::uninitialized(shape); }
inline double* mutable_data(Tensor& t) { return TensorAccess::data(t); }

}  // namespace cotangent::detail
