// Replaying a trace at another size: each block has its class, and freed ones serve again as the cache would
// let them.
#include "autodiff/plan/block_trace.hpp"

#include <algorithm>

namespace cotangent::detail {
namespace {

std::size_t affine(std::size_t two, std::size_t three, double samples) {
  const auto a = static_cast<double>(two), b = static_cast<double>(three);
  return static_cast<std::size_t>(std::max(0.0, a + (samples - 2.0) * (b - a)));
}

bool alike(const std::vector<BlockEvent>& a, const std::vector<BlockEvent>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const BlockEvent& s, const BlockEvent& t) {
    return s.block == t.block && s.taken == t.taken;
  });
}

std::size_t numbers_taken(const std::vector<BlockEvent>& events) {
  std::size_t numbers = 0;
  for (const BlockEvent& event : events) numbers += event.taken ? event.numbers : 0;
  return numbers;
}

}  // namespace

void BlockReplay::take(std::size_t numbers) {
  const std::size_t bytes = block_bytes(numbers);
  if (std::size_t& waiting = free_[block_class(numbers)]; waiting > 0) {
    --waiting;
    cached_ -= bytes;
  }
  used_ += bytes;
  peak_ = std::max(peak_, used_ + cached_);
}

void BlockReplay::give(std::size_t numbers) {
  const std::size_t bytes = block_bytes(numbers);
  used_ -= bytes;
  if (cached_ + bytes > cached_bytes_limit()) return;
  ++free_[block_class(numbers)];
  cached_ += bytes;
}

template <class Numbers>
void BlockReplay::replay(const std::vector<BlockEvent>& events, Numbers numbers) {
  std::unordered_map<std::uint32_t, std::size_t> living;
  for (std::size_t k = 0; k < events.size(); ++k) {
    const std::uint32_t block = events[k].block;
    if (events[k].taken) {
      take(living[block] = numbers(k));
    } else {
      give(living[block]);
      living.erase(block);
    }
  }
}

BlockReplay& BlockReplay::run(const std::vector<BlockEvent>& events) {
  replay(events, [&](std::size_t k) { return events[k].numbers; });
  return *this;
}

BlockReplay& BlockReplay::run(const SampleTrace& trace, double samples) {
  if (alike(trace.two, trace.three)) {
    replay(trace.two,
           [&](std::size_t k) { return affine(trace.two[k].numbers, trace.three[k].numbers, samples); });
  } else {
    const std::size_t numbers = affine(numbers_taken(trace.two), numbers_taken(trace.three), samples);
    take(numbers);
    give(numbers);
  }
  return *this;
}

double bytes_taken(const std::vector<BlockEvent>& events) {
  double bytes = 0.0;
  for (const BlockEvent& event : events)
    bytes += event.taken ? static_cast<double>(block_bytes(event.numbers)) : 0.0;
  return bytes;
}

}  // namespace cotangent::detail
