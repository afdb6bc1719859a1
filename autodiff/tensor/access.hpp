// The only way past Tensor's immutability, for code of the library that fills a new tensor. Other rooms
// include this header too.
#pragma once
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

/// Short names for what every operation does.
inline Tensor uninitialized(const Shape& shape) { return TensorAccess::uninitialized(shape); }
inline double* mutable_data(Tensor& t) { return TensorAccess::data(t); }

}  // namespace cotangent::detail
