// What scripts may ask of the cache of blocks.
#include "autodiff/memory.hpp"

#include "autodiff/memory/block_cache.hpp"

namespace cotangent {

std::size_t cached_memory() noexcept { return detail::cached_bytes(); }
std::size_t cached_memory_limit() noexcept { return detail::cached_bytes_limit(); }
void limit_cached_memory(std::size_t bytes) noexcept { detail::limit_cached_bytes(bytes); }
void release_cached_memory() noexcept { detail::drop_cached_buffers(); }

}  // namespace cotangent
