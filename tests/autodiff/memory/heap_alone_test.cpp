// A steady training step makes no heap call: malloc's family (operator new ends there) and mmap are counted.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>

#include "autodiff/checkpoint.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/transforms.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COTANGENT_NO_INTERPOSITION 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COTANGENT_NO_INTERPOSITION 1
#endif
#endif
#if !defined(__GLIBC__)
#define COTANGENT_NO_INTERPOSITION 1
#endif

namespace {
std::atomic<long> heap_calls = 0;
}

#ifndef COTANGENT_NO_INTERPOSITION
// The program's own definitions take the place of the C library's; operator new ends in malloc.
extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT
void* __libc_realloc(void* block, std::size_t size);             // NOLINT
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT

void* malloc(std::size_t size) noexcept {
  ++heap_calls;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  ++heap_calls;
  return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) noexcept {
  ++heap_calls;
  return __libc_realloc(block, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  ++heap_calls;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++heap_calls;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  ++heap_calls;
  *block = __libc_memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}
void* mmap(void* address, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
  ++heap_calls;
  const long result = ::syscall(SYS_mmap, address, size, protection, flags, file, offset);
  return reinterpret_cast<void*>(result);  // -1 is MAP_FAILED
}
}
#endif

namespace cotangent {
namespace {

struct Network {
  Params w;
  Tensor x, y;
};

Network small_network() {
  Rng rng(2);
  return {Params({{"0.weight", rng.normal(Shape{64, 10})},
                  {"0.bias", rng.normal(Shape{64})},
                  {"1.scale", rng.normal(Shape{64})},
                  {"2.weight", rng.normal(Shape{3, 64})},
                  {"2.bias", rng.normal(Shape{3})}}),
          rng.normal(Shape{64, 10}), rng.normal(Shape{64, 3})};
}

// Touches every kind of operation a training step is made of.
Var risk(const Var& w, const Tensor& x, const Tensor& y) {
  Var h = leaky_relu(linear(x, view(w, 0, Shape{64, 10}), view(w, 640, Shape{64})), 0.1);
  h = mul_rows(h, view(w, 704, Shape{64}));
  const Var logits = linear(h, view(w, 768, Shape{3, 64}), view(w, 960, Shape{3}));
  return mean(square(logits - y)) + mean(log_sum_exp(logits, 1)) + 1e-3 * dot(w, w);
}

template <class Step>
long calls_in_steady_state(Step step) {
  for (int k = 0; k < 5; ++k) step();
  const long before = heap_calls;
  for (int k = 0; k < 100; ++k) step();
  return heap_calls - before;
}

class Heap : public testing::Test {
 protected:
  void SetUp() override {
#ifdef COTANGENT_NO_INTERPOSITION
    GTEST_SKIP() << "a sanitizer or another C library owns malloc here";
#endif
  }
};

TEST_F(Heap, TheCountersCount) {
  const long before = heap_calls;
  { const Tensor fresh = Tensor::zeros(Shape{1234567}); }
  EXPECT_GT(heap_calls, before);
}

TEST_F(Heap, ATrainingStepMakesNoHeapCall) {
  const Network net = small_network();
  const Tensor &x = net.x, &y = net.y;
  Params w = net.w;
  double value = 0.0;
  EXPECT_EQ(calls_in_steady_state([&] {
              auto [v, g] = value_and_grad([&](const Var& p) { return risk(p, x, y); }, w);
              value = v;
              w = axpy(-1e-3, g, std::move(w));
            }),
            0);
  EXPECT_TRUE(std::isfinite(value));
}

TEST_F(Heap, AStepWithFreshTensorsOfTheSameSizesMakesNoHeapCall) {
  const Network net = small_network();
  const Tensor &x = net.x, &y = net.y;
  Params w = net.w;
  EXPECT_EQ(calls_in_steady_state([&] {
              const Tensor batch = x.rows(0, 32), labels = y.rows(0, 32);
              w = w - 1e-3 * grad([&](const Var& p) { return risk(p, batch, labels); }, w);
            }),
            0);
}

/// A vector of 24 numbers, one step of its gradient, and the heap calls this makes: none of the library's own
/// where a note does not say so. An option's or an argument's vector that the script writes is one call each.
struct Counted {
  const char* name;
  void (*step)(const Tensor& x);
  long calls;
};

template <class F>
void differentiate(F f, const Tensor& x) {
  value_and_grad(f, x);
}

const Counted kCounted[] = {
    {"slice",
     [](const Tensor& x) {
       differentiate([](const Var& v) { return sum(square(slice(view(v, 0, Shape{4, 6}), 1, 2, 5))); }, x);
     },
     0},
    // The list of what of x no rule wrote, before and behind the slice.
    {"slice of a vector whose rest is unused",
     [](const Tensor& x) {
       differentiate([](const Var& v) { return sum(square(view(v, 3, Shape{4}))); }, x);
     },
     2},
    {"transpose",
     [](const Tensor& x) {
       differentiate([](const Var& v) { return sum(square(transpose(view(v, 0, Shape{4, 6})))); }, x);
     },
     0},
    {"transpose by a list",
     [](const Tensor& x) {
       differentiate(
           [](const Var& v) {
             return sum(square(transpose(view(v, 0, Shape{2, 3, 4}), {2, 0, 1})));
           },
           x);
     },
     1},
    {"pad",
     [](const Tensor& x) {
       differentiate([](const Var& v) { return sum(square(pad(v, {.axis = 0, .before = 1, .after = 2}))); },
                     x);
     },
     0},
    {"concat",
     [](const Tensor& x) {
       differentiate([](const Var& v) { return sum(square(concat({v, 2.0 * v}, 0))); }, x);
     },
     1},
    {"stack",
     [](const Tensor& x) {
       differentiate([](const Var& v) { return sum(square(stack({v, v}, 1))); }, x);
     },
     1},
    {"sum over axes",
     [](const Tensor& x) {
       differentiate(
           [](const Var& v) {
             return sum(square(sum(view(v, 0, Shape{2, 3, 4}), {.axes = {0, 2}, .keep_dims = true})));
           },
           x);
     },
     1},
    {"norm over axes",
     [](const Tensor& x) {
       differentiate([](const Var& v) { return sum(norm(view(v, 0, Shape{2, 3, 4}), {.axes = {0, 2}})); }, x);
     },
     1},
    // The list, and the order that makes its axes neighbours.
    {"variance over axes",
     [](const Tensor& x) {
       differentiate(
           [](const Var& v) {
             return sum(variance(view(v, 0, Shape{2, 3, 4}), {.axes = {0, 2}}));
           },
           x);
     },
     2},
    {"gradient penalty",
     [](const Tensor& x) {
       differentiate(
           [](const Var& v) {
             return sum(square(grad(
                 [](const Var& z) { return sum(exp(view(z, 0, Shape{12})) * sin(view(z, 12, Shape{12}))); },
                 v)));
           },
           x);
     },
     0},
    // The list of inputs a ManyFunction takes: of the call, of the forward and of the backward pass.
    {"checkpoint",
     [](const Tensor& x) {
       differentiate(
           [](const Var& v) { return sum(checkpoint([](const Var& z) { return sin(exp(z)); }, v)); }, x);
     },
     3},
    {"hvp",
     [](const Tensor& x) {
       hvp([](const Var& z) { return sum(exp(view(z, 0, Shape{12})) * sin(view(z, 12, Shape{12}))); }, x, x);
     },
     0},
    {"gradient of v H v",
     [](const Tensor& x) {
       differentiate([](const Var& v) { return dot(v, hvp([](const Var& z) { return sum(exp(z)); }, v, v)); },
                     x);
     },
     0},
};

TEST_F(Heap, WhatEveryOtherOperationAndTransformTakesInAStep) {
  Rng rng(3);
  const Tensor x = rng.normal(Shape{24});
  for (const Counted& counted : kCounted)
    EXPECT_EQ(calls_in_steady_state([&] { counted.step(x); }), 100 * counted.calls) << counted.name;
}

TEST_F(Heap, AScalarChainMakesNoHeapCall) {
  EXPECT_EQ(calls_in_steady_state([] {
              grad(
                  [](const Var& x) {
                    Var y = x;
                    for (int k = 0; k < 1000; ++k) y = sin(y);
                    return y;
                  },
                  0.5);
            }),
            0);
}

TEST_F(Heap, ResidentMemoryStaysFlat) {
  const Network net = small_network();
  const Tensor &x = net.x, &y = net.y;
  Params w = net.w;
  const auto resident = [] {
    std::ifstream file("/proc/self/statm");
    long size = 0, pages = 0;
    file >> size >> pages;
    return pages;
  };
  const auto step = [&] { w = w - 1e-3 * grad([&](const Var& p) { return risk(p, x, y); }, w); };
  for (int k = 0; k < 20; ++k) step();
  const long before = resident();
  for (int k = 0; k < 1000; ++k) step();
  EXPECT_LE(resident(), before + 4);
}

}  // namespace
}  // namespace cotangent
