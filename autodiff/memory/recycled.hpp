// Recycled: an allocator that takes from the cache of tensors' blocks, for what a recorded operation carries.
#pragma once
#include <cstddef>
#include <vector>

#include "autodiff/memory/buffer.hpp"

namespace cotangent::detail {

template <class T>
struct Recycled {
  static_assert(alignof(T) <= 16);
  using value_type = T;

  Recycled() = default;
  template <class U>
  Recycled(const Recycled<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t n) {
    double* block = nullptr;
    const std::size_t bytes = n * sizeof(T);  // NOLINT(bugprone-sizeof-expression): T may be a pointer
    Buffer* buffer = acquire_buffer(kHeader + (bytes + sizeof(double) - 1) / sizeof(double), block);
    *reinterpret_cast<Buffer**>(block) = buffer;
    return reinterpret_cast<T*>(block + kHeader);
  }
  void deallocate(T* at, std::size_t) noexcept {
    release(*reinterpret_cast<Buffer**>(reinterpret_cast<double*>(at) - kHeader));
  }
  template <class U>
  bool operator==(const Recycled<U>&) const noexcept {
    return true;
  }

 private:
  static constexpr std::size_t kHeader = 2;  // doubles in front, for the block's own address
};

template <class T>
using RecycledVector = std::vector<T, Recycled<T>>;

}  // namespace cotangent::detail
