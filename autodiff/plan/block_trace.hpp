// Replaying what a piece of work took of memory, block by block, at another number of samples.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "autodiff/memory/block_cache.hpp"

namespace cotangent::detail {

/// The same work's events for two and for three samples; block sizes are affine in the number of samples.
struct SampleTrace {
  std::vector<BlockEvent> two;
  std::vector<BlockEvent> three;
};

/// A thread's blocks and their cache, empty at first, as events happen.
class BlockReplay {
 public:
  /// What the events leave stays in use.
  BlockReplay& run(const std::vector<BlockEvent>& events);
  /// The events for `samples`; where two and three samples make different ones, nothing is given back.
  BlockReplay& run(const SampleTrace& trace, double samples);
  /// Most bytes held at once, in use or in the cache.
  double peak() const { return static_cast<double>(peak_); }

 private:
  void take(std::size_t numbers);
  void give(std::size_t numbers);
  template <class Numbers>
  void replay(const std::vector<BlockEvent>& events, Numbers numbers);

  std::unordered_map<std::uint32_t, std::size_t> free_;  // class of blocks -> how many
  std::size_t cached_ = 0;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
};

/// Bytes of all blocks the events take, as if none were given back.
double bytes_taken(const std::vector<BlockEvent>& events);

}  // namespace cotangent::detail
