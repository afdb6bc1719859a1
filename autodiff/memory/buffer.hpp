// The memory behind tensors: reference-counted blocks, recycled through a bounded cache of the
// thread that frees them.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define COTANGENT_SINGLE_THREADED __libc_single_threaded
#else
#define COTANGENT_SINGLE_THREADED 0
#endif

namespace cotangent::detail {

/// Header of a block of doubles. The numbers follow it, aligned to 64 bytes (16 for blocks of at most six).
struct Buffer {
  std::atomic<std::uint32_t> count;
  std::uint32_t size_class;
  Buffer* next;  // in a free list
};

/// A block for at least n doubles, held once, and the address of its first number. What
/// it contains is unspecified.
Buffer* acquire_buffer(std::size_t n, double*& data);
void recycle_buffer(Buffer* buffer) noexcept;
/// How many bytes the block has that n doubles get.
std::size_t block_bytes(std::size_t n) noexcept;

// While the program has one thread, plain counting spares a locked instruction of some 10 ns.
inline void retain(Buffer* buffer) noexcept {
  if (!buffer) return;
  if (COTANGENT_SINGLE_THREADED)
    buffer->count.store(buffer->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  else
    buffer->count.fetch_add(1, std::memory_order_relaxed);
}
inline void release(Buffer* buffer) noexcept {
  if (!buffer) return;
  const std::uint32_t count = buffer->count.load(std::memory_order_acquire);
  // The last holder needs no read-modify-write: nobody else can raise the count any more.
  if (count == 1) return recycle_buffer(buffer);
  if (COTANGENT_SINGLE_THREADED)
    buffer->count.store(count - 1, std::memory_order_relaxed);
  else if (buffer->count.fetch_sub(1, std::memory_order_acq_rel) == 1)
    recycle_buffer(buffer);
}

}  // namespace cotangent::detail
