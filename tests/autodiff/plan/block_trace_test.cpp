// A replay of blocks holds what the cache would: freed ones serve again, and none is kept beyond the limit.
#include "autodiff/plan/block_trace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "autodiff/rng.hpp"

namespace cotangent::detail {
namespace {

/// Another limit of the thread's cache, which is empty at first and in the end.
class CacheLimit {
 public:
  explicit CacheLimit(std::size_t bytes) {
    drop_cached_buffers();
    limit_cached_bytes(bytes);
  }
  ~CacheLimit() {
    drop_cached_buffers();
    limit_cached_bytes(before_);
  }
  CacheLimit(const CacheLimit&) = delete;
  CacheLimit& operator=(const CacheLimit&) = delete;

 private:
  std::size_t before_ = cached_bytes_limit();
};

double peak(const std::vector<BlockEvent>& events) { return BlockReplay().run(events).peak(); }
double bytes(std::size_t numbers) { return static_cast<double>(block_bytes(numbers)); }

TEST(BlockReplay, BlocksLargerThanTheLimitAreNotKept) {
  const CacheLimit limit(4096);
  std::vector<BlockEvent> events;
  for (std::uint32_t k = 0; k < 5; ++k)
    for (const bool taken : {true, false}) events.push_back({k, taken, std::size_t{1000} * (5 - k)});
  EXPECT_EQ(peak(events), bytes(5000));
}

TEST(BlockReplay, TheLimitItselfIsReached) {
  const std::vector<BlockEvent> events{{0, true, 1000},  {1, true, 1000}, {0, false, 1000},
                                       {1, false, 1000}, {2, true, 5000}, {2, false, 5000}};
  const std::size_t both = 2 * block_bytes(1000);
  {
    const CacheLimit limit(both);
    EXPECT_EQ(peak(events), 2.0 * bytes(1000) + bytes(5000));
  }
  const CacheLimit limit(both - 1);
  EXPECT_EQ(peak(events), bytes(1000) + bytes(5000));
}

TEST(BlockReplay, HoldsWhatTheCacheHolds) {
  for (const std::size_t most :
       {std::size_t{0}, std::size_t{30000}, std::size_t{200000}, std::size_t{1} << 30}) {
    Rng rng(17);
    const CacheLimit limit(most);
    std::vector<BlockEvent> events;
    std::map<std::uint32_t, std::pair<Buffer*, std::size_t>> living;
    std::size_t used = 0, held = 0;
    const auto give = [&](std::uint32_t block) {
      const auto [buffer, numbers] = living.at(block);
      recycle_buffer(buffer);
      used -= block_bytes(numbers);
      events.push_back({block, false, numbers});
      living.erase(block);
    };
    for (std::uint32_t block = 0; block < 300; ++block) {
      const auto numbers = static_cast<std::size_t>(1 + rng.below(block % 2 ? 40 : 2000));
      double* data = nullptr;
      living[block] = {acquire_buffer(numbers, data), numbers};
      events.push_back({block, true, numbers});
      used += block_bytes(numbers);
      held = std::max(held, used + cached_bytes());
      while (!living.empty() && rng.below(10) < 5)
        give(std::next(living.begin(), rng.below(static_cast<Index>(living.size())))->first);
    }
    while (!living.empty()) give(living.begin()->first);
    EXPECT_EQ(peak(events), static_cast<double>(held)) << most;
  }
}

}  // namespace
}  // namespace cotangent::detail
