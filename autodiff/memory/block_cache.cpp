// Of the library's kinds of global state this file holds one, the bounded thread-local cache: its part for
// blocks. Tapes have theirs in tape/registry.cpp.
#include "autodiff/memory/block_cache.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <iterator>
#include <new>

#include "autodiff/memory/sanitizer.hpp"

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#include <unistd.h>
#endif
#ifdef COTANGENT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace cotangent::detail {
namespace {

// Four classes per power of two, so at most a quarter of a block is unused. Class 0 holds up to six numbers.
constexpr std::uint32_t kClasses = 4 * 48;
constexpr std::size_t kSmall = 6;
constexpr std::size_t kSmallHeader = sizeof(Buffer) <= 16 ? 16 : 32;
constexpr std::size_t kLargeHeader = 64;
constexpr std::size_t kUsualLimit = std::size_t{512} << 20;
constexpr std::size_t kFull = std::size_t{1} << 62;  // more than any limit

std::uint32_t class_of(std::size_t n) {
  if (n <= kSmall) return 0;
  const int top = static_cast<int>(std::bit_width(n - 1));  // 2^(top-1) <= n - 1 < 2^top, top >= 3
  const std::size_t quarter = std::size_t{1} << (top - 3);
  return static_cast<std::uint32_t>(4 * (top - 3) + static_cast<int>((n - 1) / quarter) - 4 + 1);
}

std::size_t capacity_of(std::uint32_t size_class) {
  if (size_class == 0) return kSmall;
  const std::uint32_t k = size_class - 1;
  return (std::size_t{5} + k % 4) << (k / 4);
}

std::size_t bytes_of(std::uint32_t size_class) {
  const std::size_t bytes = 8 * capacity_of(size_class);
  if (size_class == 0) return kSmallHeader + bytes;
  return (kLargeHeader + bytes + 63) / 64 * 64;
}

struct Cache {
  Buffer* free[kClasses] = {};
  std::size_t bytes = 0;
  std::size_t limit = kUsualLimit;
  bool open = true;
  // While there is one, nothing is free and the cache is full: no hot path sees it.
  BlockTrace* trace = nullptr;
};
thread_local Cache cache;  // trivially destructible: still readable while other thread_locals are torn down

struct CacheGuard {
  bool alive = true;
  ~CacheGuard() {
    drop_cached_buffers();
    cache.open = false;
  }
};
thread_local CacheGuard cache_guard;

double* numbers(Buffer* buffer, std::uint32_t size_class) {
  const std::size_t header = size_class == 0 ? kSmallHeader : kLargeHeader;
  return reinterpret_cast<double*>(reinterpret_cast<char*>(buffer) + header);
}

void poison([[maybe_unused]] Buffer* buffer) {
#ifdef COTANGENT_ASAN
  ASAN_POISON_MEMORY_REGION(numbers(buffer, buffer->size_class), 8 * capacity_of(buffer->size_class));
#endif
}
void unpoison([[maybe_unused]] Buffer* buffer) {
#ifdef COTANGENT_ASAN
  ASAN_UNPOISON_MEMORY_REGION(numbers(buffer, buffer->size_class), 8 * capacity_of(buffer->size_class));
#endif
}

/// Large blocks ask for large pages: there are fewer to make at the first touch, and to look
/// up at every access.
void ask_for_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr std::size_t kWorthwhile = std::size_t{8} << 20;
  if (bytes < kWorthwhile) return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::size_t before = (page - address % page) % page, after = (address + bytes) % page;
  madvise(static_cast<char*>(memory) + before, bytes - before - after, MADV_HUGEPAGE);  // a wish, no more
#endif
}

[[gnu::noinline]] Buffer* new_block(std::uint32_t size_class, std::size_t n) {
  cache_guard.alive = true;  // touching it registers its destructor with this thread
  const std::size_t bytes = (bytes_of(size_class) + 63) / 64 * 64;
  void* memory = std::aligned_alloc(64, bytes);
  if (!memory) {  // what is kept for later may be in the way
    drop_cached_buffers();
    memory = std::aligned_alloc(64, bytes);
  }
  if (!memory) throw std::bad_alloc();
  ask_for_large_pages(memory, bytes_of(size_class));
  Buffer* buffer = ::new (memory) Buffer;
  buffer->size_class = size_class;
  buffer->next = nullptr;
  if (cache.trace) cache.trace->took(buffer, n);
  return buffer;
}

Buffer* pop(std::uint32_t size_class, std::size_t n, double*& data) {
  Buffer* buffer = cache.free[size_class];
  if (buffer) {
    cache.free[size_class] = buffer->next;
    cache.bytes -= bytes_of(size_class);
    unpoison(buffer);
  } else {
    buffer = new_block(size_class, n);
  }
  buffer->count.store(1, std::memory_order_relaxed);
  data = numbers(buffer, size_class);
  return buffer;
}

void push(Buffer* buffer, std::uint32_t size_class) noexcept {
  const std::size_t bytes = bytes_of(size_class);
  if (!cache.open || cache.bytes + bytes > cache.limit) {
    if (cache.trace) cache.trace->gave(buffer);
    std::free(buffer);
    return;
  }
  // A thread may free what it never made: its cache must be given back at its end all the same.
  if (cache.bytes == 0) cache_guard.alive = true;
  poison(buffer);
  buffer->next = cache.free[size_class];
  cache.free[size_class] = buffer;
  cache.bytes += bytes;
}

}  // namespace

// Small blocks, the scalars among them, have a branch of their own in which the class is a constant.
Buffer* acquire_buffer(std::size_t n, double*& data) {
  return n <= kSmall ? pop(0, n, data) : pop(class_of(n), n, data);
}

void recycle_buffer(Buffer* buffer) noexcept {
  if (buffer->size_class == 0)
    push(buffer, 0);
  else
    push(buffer, buffer->size_class);
}

std::size_t block_bytes(std::size_t n) noexcept { return bytes_of(class_of(n)); }
std::uint32_t block_class(std::size_t n) noexcept { return class_of(n); }
std::size_t cached_bytes() noexcept { return cache.trace ? 0 : cache.bytes; }
std::size_t cached_bytes_limit() noexcept { return cache.limit; }

void limit_cached_bytes(std::size_t bytes) noexcept {
  cache.limit = std::min(bytes, kFull);
  if (cache.bytes > cache.limit) drop_cached_buffers();
}

void drop_cached_buffers() noexcept {
  if (cache.trace) return;  // it has them
  for (Buffer*& head : cache.free) {
    while (head) {
      Buffer* next = head->next;
      unpoison(head);
      std::free(head);
      head = next;
    }
  }
  cache.bytes = 0;
}

BlockTrace::BlockTrace()
    : cached_(std::begin(cache.free), std::end(cache.free)), cached_bytes_(cache.bytes), outer_(cache.trace) {
  std::fill(std::begin(cache.free), std::end(cache.free), nullptr);
  cache.bytes = kFull;
  cache.trace = this;
}

BlockTrace::~BlockTrace() {
  std::copy(cached_.begin(), cached_.end(), cache.free);
  cache.bytes = cached_bytes_;
  cache.trace = outer_;
}

void BlockTrace::took(const Buffer* buffer, std::size_t numbers) {
  events_.push_back({taken_, true, numbers});
  living_[buffer] = taken_++;
}

void BlockTrace::gave(const Buffer* buffer) {
  const auto found = living_.find(buffer);
  if (found == living_.end()) return;  // taken before the trace began
  events_.push_back({found->second, false, 0});
  living_.erase(found);
}

}  // namespace cotangent::detail
