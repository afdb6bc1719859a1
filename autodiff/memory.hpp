// The memory that is kept for reuse. Freed tensors' blocks wait for others of their size, so that a loop's
// steps take nothing from the system after the first; each thread has blocks of its own. They are given back
// at the thread's end, and where memory runs out.
//
//   limit_cached_memory(std::size_t{64} << 20);  // this thread keeps 64 MiB at most
#pragma once
#include <cstddef>

namespace cotangent {

/// Bytes the calling thread keeps for reuse at present. Cost: O(1).
std::size_t cached_memory() noexcept;

/// The most it keeps, 512 MiB unless limit_cached_memory was called. Cost: O(1).
std::size_t cached_memory_limit() noexcept;

/// Sets what the calling thread keeps at most; 0: nothing. If it keeps more now, all is given back to the
/// system. Other threads, and those begun later, have limits of their own.
void limit_cached_memory(std::size_t bytes) noexcept;

/// Gives all that the calling thread keeps back to the system.
void release_cached_memory() noexcept;

}  // namespace cotangent
