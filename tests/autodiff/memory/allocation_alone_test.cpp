// What the system refuses: aligned_alloc, which gives tensors their blocks, is this program's and can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <thread>

#include "autodiff/error.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"
#include "tests/support/files_support.hpp"
#include "theory/jacobian_summary.hpp"
#include "theory/linear_program.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define COTANGENT_NO_INTERPOSITION 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COTANGENT_NO_INTERPOSITION 1
#endif
#endif

namespace {

constexpr std::size_t kHuge = std::size_t{1} << 33;
int to_fail = 0;  // so many calls fail from now on
int calls = 0;

}  // namespace

#ifndef COTANGENT_NO_INTERPOSITION
extern "C" {
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT

// Huge blocks, which these tests never write, are address space alone and never given back.
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++calls;
  if (to_fail > 0) {
    --to_fail;
    return nullptr;
  }
  if (size < kHuge) return __libc_memalign(alignment, size);
  void* block =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return block == MAP_FAILED ? nullptr : block;
}
}
#endif

namespace cotangent {
namespace {

using test::error_of;
using testing::StartsWith;

class Allocation : public testing::Test {
 protected:
  void SetUp() override {
#ifdef COTANGENT_NO_INTERPOSITION
    GTEST_SKIP() << "a sanitizer or another C library owns malloc here";
#endif
    release_cached_memory();
    limit_cached_memory(std::size_t{512} << 20);
  }
  void TearDown() override { to_fail = 0; }
};

/// Leaves a block of a million numbers in the cache.
void fill_cache() { static_cast<void>(Tensor::zeros({1 << 20})); }

TEST_F(Allocation, ThatFailsGivesTheCacheBackAndIsTriedOnceMore) {
  fill_cache();
  EXPECT_GE(cached_memory(), std::size_t{8} << 20);
  to_fail = 1;
  const int before = calls;
  const Tensor t = Tensor::full({1000}, 3.0);
  EXPECT_EQ(calls - before, 2);
  EXPECT_EQ(cached_memory(), 0u);
  EXPECT_EQ(sum(t).item(), 3000.0);
}

TEST_F(Allocation, ThatFailsTwiceThrowsAndLosesNothing) {
  fill_cache();
  const Tensor held = Tensor::full({1000}, 2.0);
  to_fail = 2;
  EXPECT_THROW(static_cast<void>(Tensor::zeros({2000})), std::bad_alloc);
  EXPECT_EQ(to_fail, 0);
  EXPECT_EQ(cached_memory(), 0u);
  EXPECT_EQ(sum(held).item(), 2000.0);
  EXPECT_EQ(sum(Tensor::ones({2000})).item(), 2000.0);
}

TEST_F(Allocation, TheCacheKeepsWhatItsThreadAllows) {
  EXPECT_EQ(cached_memory_limit(), std::size_t{512} << 20);
  fill_cache();
  limit_cached_memory(std::size_t{16} << 20);
  EXPECT_EQ(cached_memory_limit(), std::size_t{16} << 20);
  EXPECT_GE(cached_memory(), std::size_t{8} << 20) << "it fits";
  limit_cached_memory(std::size_t{1} << 20);
  EXPECT_EQ(cached_memory(), 0u) << "it does not";
  fill_cache();
  EXPECT_EQ(cached_memory(), 0u);
  limit_cached_memory(0);
  static_cast<void>(Tensor::zeros({2}));
  EXPECT_EQ(cached_memory(), 0u);
  std::thread([] {
    EXPECT_EQ(cached_memory_limit(), std::size_t{512} << 20) << "another thread has its own";
    fill_cache();
    EXPECT_GE(cached_memory(), std::size_t{8} << 20);
    release_cached_memory();
    EXPECT_EQ(cached_memory(), 0u);
  }).join();
  EXPECT_EQ(cached_memory_limit(), 0u);
}

/// Of any size, and never freed: its numbers are there only if they are looked at.
const Tensor& address_space(const Shape& shape) { return *new Tensor(detail::uninitialized(shape)); }

// Nobody could wait for these products, or give them memory: the errors come before any work.
TEST_F(Allocation, ProductsWithSidesOpenBlasCannotCountAreErrors) {
  const Index over = Index{1} << 31;
  const Tensor &tall = address_space({over, 2}), &wide = address_space({2, over}), two = Tensor::eye(2);
  const Tensor& blocks = address_space({1, over, 2});
  const int before = calls;
  const auto shape_error = [](auto f) { return error_of<ShapeError>(f); };
  EXPECT_THAT(shape_error([&] { matmul(tall, two); }),
              StartsWith("[matmul] a product of [2147483648, 2] and [2, 2] has a side of 2^31 or more"));
  EXPECT_THAT(shape_error([&] {
                matmul(tall, Tensor{1, 2});
              }),
              StartsWith("[matmul] a product of [2147483648, 2]"));
  EXPECT_THAT(shape_error([&] { matmul(two, wide); }),
              StartsWith("[matmul] a product of [2, 2] and [2, 2147"));
  EXPECT_THAT(shape_error([&] { matmul(wide, tall); }),
              StartsWith("[matmul] a product of [2, 2147483648] and"));
  EXPECT_THAT(shape_error([&] { matmul(tall, tall, {.transpose_a = true}); }),
              StartsWith("[matmul] a product of"));
  EXPECT_THAT(shape_error([&] { matmul(two, tall, {.transpose_b = true}); }),
              StartsWith("[matmul] a product of"));
  EXPECT_THAT(shape_error([&] { linear(tall, two); }), StartsWith("[linear] a product of [2147483648, 2]"));
  EXPECT_THAT(shape_error([&] { linear(tall, two, Tensor{1, 2}); }), StartsWith("[linear] a product of"));
  EXPECT_THAT(shape_error([&] {
                batch_matmul(blocks, two.reshape({1, 2, 2}));
              }),
              StartsWith("[batch_matmul] a product of [2147483648, 2] and [2, 2]"));
  const Tensor& row = address_space({1, over});
  EXPECT_THAT(error_of<DomainError>([&] { solve_spd(Tensor::eye(1), row); }),
              StartsWith("[solve_spd] a matrix has a side of 2147483648"));
  EXPECT_THAT(error_of<DomainError>([&] { theory::singular_values(row); }),
              StartsWith("[singular_values] a matrix has a side of 2147483648"));
  EXPECT_LE(calls - before, 10) << "nothing but the small operands and the last row";
}

TEST_F(Allocation, ProgramsThatClpCannotCountAreErrors) {
  const Index n = 1 << 16;
  theory::LinearProgram program;
  program.c = Tensor::ones({n});
  program.a = address_space({n / 2, n});
  program.b = Tensor::ones({n / 2});
  EXPECT_EQ(error_of<DomainError>([&] { theory::linear_program(program); }),
            "[linear_program] 65536 variables and 32768 rows are more than the 2^31 numbers that Clp can "
            "count; give "
            "fewer of them");
}

}  // namespace
}  // namespace cotangent
