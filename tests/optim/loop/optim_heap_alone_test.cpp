// A steady training step takes nothing from the heap: the malloc family and mmap are counted between two
// steps of a run.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <vector>

#include "autodiff/memory/sanitizer.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"

namespace {
std::atomic<long> heap_calls{0};
}

#ifndef COTANGENT_ASAN
extern "C" {
void* __libc_malloc(std::size_t);                 // NOLINT
void* __libc_calloc(std::size_t, std::size_t);    // NOLINT
void* __libc_realloc(void*, std::size_t);         // NOLINT
void* __libc_memalign(std::size_t, std::size_t);  // NOLINT

void* malloc(std::size_t size) {
  ++heap_calls;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++heap_calls;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++heap_calls;
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++heap_calls;
  return __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++heap_calls;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
  ++heap_calls;
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}
void* mmap(void* address, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
  ++heap_calls;
  const long result = ::syscall(SYS_mmap, address, size, protection, flags, file, offset);
  return reinterpret_cast<void*>(result);  // -1 is MAP_FAILED
}
}
#endif

namespace cotangent::optim {
namespace {

#ifndef COTANGENT_ASAN
TEST(OptimHeap, MapsAreCountedToo) {
  const long before = heap_calls;
  void* const map = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(map, MAP_FAILED);
  EXPECT_EQ(heap_calls, before + 1);
  ::munmap(map, 4096);
}
#endif

/// Counts heap calls from one iteration to another.
struct Counter : Observer {
  Index from, to;
  long before = 0, calls = -1;
  Counter(Index first, Index last) : from(first), to(last) {}
  Flow on_step(const View& view) override {
    if (view.iteration == from) before = heap_calls;
    if (view.iteration == to) calls = heap_calls - before;
    return Flow::go_on;
  }
};

/// (1/n) sum_i |w - x_i|^2 / 2 without its constant: needs no operation that carries a shape.
struct Points {
  Tensor x;
  FiniteSum f = finite_sum(200, [this](const Var& v, const Batch& b) {
    return 0.5 * dot(v, v) - dot(v, mean(Var(b.rows(x)), 0));
  });
  explicit Points(Rng& rng) : x(rng.normal({200, 20})) {}
  Params start() const { return Params({{"w", Tensor::zeros({20})}}); }
};

struct Net {
  Tensor x, y;
  Params w;
  FiniteSum f = finite_sum(200, [this](const Var& v, const Batch& b) {
    const Var h = leaky_relu(linear(b.rows(x), view(v, 0, {64, 10}), view(v, 640, {64})), 0.1);
    return mean(square(linear(h, view(v, 704, {1, 64})) - b.rows(y)));
  });
  explicit Net(Rng& rng)
      : x(rng.normal({200, 10})),
        y(rng.normal({200, 1})),
        w({{"0.weight", rng.normal({64, 10}, 0.0, 0.3)},
           {"0.bias", Tensor::zeros({64})},
           {"2.weight", rng.normal({1, 64}, 0.0, 0.1)}}) {}
};

/// Heap calls of 1000 steps of a run, over more than a hundred epochs of the stochastic methods.
long calls_of_steps(const Optimizer& optimizer, const FiniteSum& f, const Params& start) {
  Rng rng(1);
  Counter counter(50, 1050);
  heap_calls = 0;
  const auto run = optimizer.minimize(f, start, rng, {&counter});
  EXPECT_EQ(run.stop, StopReason::finished);
  EXPECT_GT(counter.before, 0);  // the run's own start: the counting works
  return counter.calls;
}

/// Heap calls of 1000 gradients alone.
long calls_of_gradients(const FiniteSum& f, const Params& w) {
  const std::vector<Index> list = {3, 1, 4, 1, 5, 9, 2, 6};
  for (int k = 0; k < 3; ++k) f.value_and_grad(w, Batch::view(f.size(), list));
  const long before = heap_calls;
  for (int k = 0; k < 1000; ++k) f.value_and_grad(w, Batch::view(f.size(), list));
  return heap_calls - before;
}

class SteadyStep : public testing::TestWithParam<std::shared_ptr<Optimizer>> {
 protected:
  void SetUp() override {
#ifdef COTANGENT_ASAN
    GTEST_SKIP() << "the address sanitizer has a heap of its own";
#endif
  }
};

TEST_P(SteadyStep, TakesNothingFromTheHeap) {
  Rng rng(1);
  const Points points(rng);
  EXPECT_EQ(calls_of_steps(*GetParam(), points.f, points.start()), 0);
}

TEST_P(SteadyStep, TakesNoMoreThanItsGradientOnANet) {
  Rng rng(1);
  const Net net(rng);
  EXPECT_EQ(calls_of_steps(*GetParam(), net.f, net.w), calls_of_gradients(net.f, net.w));
}

TEST_P(SteadyStep, TakesNothingFromTheHeapOnSomeSamplesInPieces) {
  Rng rng(1);
  const Points points(rng);
  const FiniteSum some = points.f.on(Batch::of(200, rng.permutation(200))).chunked(7);
  EXPECT_EQ(calls_of_steps(*GetParam(), some, points.start()), 0);
}

INSTANTIATE_TEST_SUITE_P(
    FirstOrder, SteadyStep,
    testing::Values(
        std::make_shared<Gd>(GdOptions{.step = 0.01, .iterations = 1100}),
        std::make_shared<Gd>(GdOptions{.step = 0.01, .iterations = 1100, .momentum = 0.9}),
        std::make_shared<Gd>(GdOptions{.step = 0.01, .iterations = 1100, .momentum = 0.9, .nesterov = true}),
        std::make_shared<Sgd>(SgdOptions{.step = 0.01, .epochs = 200}),
        std::make_shared<Sgd>(SgdOptions{.step = inverse_sqrt(0.01), .epochs = 200, .momentum = 0.9}),
        std::make_shared<Sgd>(SgdOptions{.step = 0.01, .epochs = 200, .replacement = true}),
        std::make_shared<Svrg>(SvrgOptions{.step = 0.01, .epochs = 60, .inner = 20, .batch = 5}),
        std::make_shared<Saga>(SagaOptions{.step = 0.01, .epochs = 6}),
        std::make_shared<Page>(PageOptions{.step = 0.01, .epochs = 200, .batch = 10}),
        std::make_shared<Adam>(AdamOptions{.step = 1e-3, .epochs = 200}),
        std::make_shared<AdamW>(AdamWOptions{
            .step = 1e-3, .epochs = 200, .weight_decay = 0.1, .clip_norm = 0.5}),
        std::make_shared<RmsProp>(RmsPropOptions{.step = 1e-3, .epochs = 200, .average = Average::uniform()}),
        std::make_shared<AdaGrad>(AdaGradOptions{.step = 1e-3, .epochs = 200}),
        std::make_shared<Nesterov>(NesterovOptions{.step = 1e-3, .iterations = 1100}),
        std::make_shared<ZerothOrder>(ZerothOrderOptions{.step = 1e-4, .iterations = 1100}),
        std::make_shared<ProximalGd>(l1(0.01), ProximalGdOptions{.step = 1e-3, .iterations = 1100})));

}  // namespace
}  // namespace cotangent::optim
