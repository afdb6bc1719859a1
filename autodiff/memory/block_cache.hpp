// The cache of freed blocks, of which each thread has one, and the recording of what is taken from
// it and given back.
#pragma once
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "autodiff/memory/buffer.hpp"

namespace cotangent::detail {

/// Bytes the calling thread's cache holds at present, and the most it may hold.
std::size_t cached_bytes() noexcept;
std::size_t cached_bytes_limit() noexcept;
/// Sets that limit; a cache that holds more is given back.
void limit_cached_bytes(std::size_t bytes) noexcept;
/// The class of the block that n doubles get: a freed one serves again for all of its class, for no others.
std::uint32_t block_class(std::size_t n) noexcept;
/// Gives the calling thread's cached blocks back to the system.
void drop_cached_buffers() noexcept;

/// A block was taken, or given back; blocks are counted in the order they were taken.
struct BlockEvent {
  std::uint32_t block;
  bool taken;
  std::size_t numbers;
};

/// Lists the blocks the calling thread takes and gives back while it lives; none is
/// reused or cached meanwhile.
class BlockTrace {
 public:
  BlockTrace();
  ~BlockTrace();
  BlockTrace(const BlockTrace&) = delete;
  BlockTrace& operator=(const BlockTrace&) = delete;

  const std::vector<BlockEvent>& events() const { return events_; }
  /// The cache tells what happened to a block.
  void took(const Buffer* buffer, std::size_t numbers);
  void gave(const Buffer* buffer);

 private:
  std::vector<BlockEvent> events_;
  std::unordered_map<const Buffer*, std::uint32_t> living_;
  std::uint32_t taken_ = 0;
  std::vector<Buffer*> cached_;  // the free lists, set aside
  std::size_t cached_bytes_;
  BlockTrace* outer_;
};

}  // namespace cotangent::detail
