// Tapes on several threads at once, and tensors that outlive, or die on, another thread than their own.
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "autodiff/memory/block_cache.hpp"
#include "cotangent.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::HasSubstr;

Tensor train(std::uint64_t seed) {
  Rng rng(seed);
  const Tensor x = rng.normal(Shape{16, 4}), y = rng.normal(Shape{16, 1});
  Tensor w = rng.normal(Shape{4 * 8 + 8 + 8});
  for (int step = 0; step < 50; ++step) {
    const Tensor g = grad(
        [&](const Var& p) {
          const Var hidden = tanh(linear(x, view(p, 0, Shape{8, 4}), view(p, 32, Shape{8})));
          return mean(square(linear(hidden, view(p, 40, Shape{1, 8})) - y));
        },
        w);
    w = (Var(w) - 0.05 * Var(g)).value();
  }
  return w;
}

TEST(Threads, TapesOnSeveralAtOnceGiveTheSameNumbers) {
  const std::vector<Tensor> expected{train(1), train(2)};
  for (int round = 0; round < 5; ++round) {
    std::vector<Tensor> found(2);
    std::thread one([&] { found[0] = train(1); });
    std::thread two([&] { found[1] = train(2); });
    one.join();
    two.join();
    for (std::size_t k = 0; k < 2; ++k) EXPECT_TRUE(equal(found[k], expected[k]));
  }
}

TEST(Threads, TensorsOutliveTheThreadThatMadeThem) {
  std::vector<Tensor> kept;
  std::thread maker([&] {
    for (Index n = 1; n < 300; ++n) kept.push_back(Tensor::full(Shape{n}, static_cast<double>(n)));
  });
  maker.join();
  for (Index n = 1; n < 300; ++n) {
    const Tensor& t = kept[static_cast<std::size_t>(n - 1)];
    EXPECT_EQ(t(0), static_cast<double>(n));
    EXPECT_EQ(t(n - 1), static_cast<double>(n));
  }
}

TEST(Threads, TensorsMayDieOnAnotherThread) {
  for (int round = 0; round < 3; ++round) {
    std::vector<Tensor> made;
    for (Index n = 1; n < 300; ++n) made.push_back(Tensor::full(Shape{n}, 1.0));
    // This thread frees and never makes a tensor; its cache must still be given back at its end.
    std::thread([mine = std::move(made)]() mutable { mine.clear(); }).join();
  }
}

TEST(Threads, TensorsSharedByManyAreFreedOnce) {
  const Tensor shared = Tensor::linspace(0.0, 1.0, 1001);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int k = 0; k < 4; ++k)
    readers.emplace_back([&wrong, shared] {
      for (int round = 0; round < 2000; ++round) {
        const Tensor copy = shared;
        const Tensor part = copy.rows(round % 1000, round % 1000 + 1);
        if (part(0) != shared(round % 1000)) ++wrong;
      }
    });
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(shared(1000), 1.0);
}

// A sanitizer keeps freed memory back; there its leak checker is the judge.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

const Shape kBig{1 << 20, 5};  // 40 MB

// Eight threads free 40 MB each into caches of their own; none of it may stay behind when they end.
TEST(Threads, MemoryOfAFinishedThreadIsGivenBack) {
  const std::size_t before = resident_bytes();
  for (int round = 0; round < 8; ++round) {
    std::thread([] {
      { const Tensor big = Tensor::zeros(kBig); }
      EXPECT_GT(detail::cached_bytes(), std::size_t{40} << 20);
    }).join();
  }
  EXPECT_TRUE(kSanitized || resident_bytes() < before + (std::size_t{100} << 20));
}

TEST(Threads, MemoryFreedByAThreadThatMadeNoneIsGivenBack) {
  const std::size_t before = resident_bytes();
  for (int round = 0; round < 8; ++round) {
    Tensor big = Tensor::zeros(kBig);
    std::thread([mine = std::move(big)]() mutable {
      mine = Tensor();
      EXPECT_GT(detail::cached_bytes(), std::size_t{40} << 20);
    }).join();
  }
  EXPECT_TRUE(kSanitized || resident_bytes() < before + (std::size_t{100} << 20));
}

TEST(Threads, ValuesOfAVarAreReadableAnywhere) {
  Tape tape;
  const Var x = tape.input(Tensor{1.0, 2.0});
  double seen = 0.0;
  std::thread([&] { seen = x.value()(1); }).join();
  EXPECT_EQ(seen, 2.0);
}

TEST(Threads, HandlesOfATapeThatEndedOnAnotherThread) {
  Var stale;
  std::thread([&] {
    Tape tape;
    stale = square(tape.input(Tensor{3.0}));
  }).join();
  EXPECT_EQ(stale.value()(0), 9.0);
  EXPECT_THAT(error_of<TapeError>([&] { stale + 1.0; }), HasSubstr("epoch"));
}

// The cell that tells a stale handle goes on to other tapes and threads while the handle is being asked.
TEST(Threads, StaleHandlesAreToldWhileOtherTapesComeAndGo) {
  Var stale;
  {
    Tape tape;
    stale = square(tape.input(Tensor{3.0}));
  }
  std::thread others([] {
    for (int round = 0; round < 2000; ++round) Tape().input(Tensor{1.0});
  });
  for (int round = 0; round < 200; ++round) EXPECT_THROW(stale + 1.0, TapeError);
  others.join();
}

struct Work {
  Params trained;
  Tensor jacobian, kernel, curvature;
};

// Everything shared is read only: a net, its parameters, the data.
Work course_work(const nn::Sequential& net, const Params& w, const Tensor& x, const Tensor& y) {
  const auto risk = [&](const Var& v) { return nn::mse(net(v, x), y); };
  const auto f = optim::finite_sum(
      x.size(0), [&](const Var& v, const Batch& b) { return nn::mse(net(v, b.rows(x)), b.rows(y)); });
  Rng rng(5);
  Work work{optim::Sgd({.step = 0.05, .batch = 4, .epochs = 5}).minimize(f, w, rng).w, {}, {}, {}};
  work.jacobian = per_sample_jacobian(net, work.trained, x).matrix();
  work.kernel = theory::tangent_kernel(net, work.trained, x).matrix();
  const auto saved = [&](const Var& v) { return checkpoint([&](const Var& u) { return risk(u); }, v); };
  work.curvature = hvp(saved, work.trained, grad(risk, w)).flat();
  return work;
}

TEST(Threads, ACourseScriptOnTwoAtOnceSharesItsNetAndData) {
  Rng rng(3);
  const nn::Sequential net{nn::Linear(3, 8), nn::Tanh(), nn::Linear(8, 8), nn::LeakyReLU(0.1),
                           nn::Linear(8, 1)};
  const Params w = net.init(rng);
  const Tensor x = rng.normal(Shape{12, 3}), y = rng.normal(Shape{12, 1});
  const Work alone = course_work(net, w, x, y);
  std::vector<Work> both(2);
  std::thread one([&] { both[0] = course_work(net, w, x, y); });
  std::thread two([&] { both[1] = course_work(net, w, x, y); });
  one.join();
  two.join();
  for (const Work& work : both) {
    EXPECT_TRUE(equal(work.trained.flat(), alone.trained.flat()));
    EXPECT_TRUE(equal(work.jacobian, alone.jacobian));
    EXPECT_TRUE(equal(work.kernel, alone.kernel));
    EXPECT_TRUE(equal(work.curvature, alone.curvature));
  }
}

TEST(Threads, APullbackMayBeDroppedOnAnotherThread) {
  std::optional<Vjp<Tensor>> pullback;
  std::thread([&] { pullback = vjp([](const Var& x) { return exp(x); }, Tensor{0.0, 1.0}); }).join();
  expect_close((*pullback)(Tensor{2.0, 1.0}), Tensor{2.0, std::exp(1.0)}, 1e-15);
  std::thread([mine = std::move(*pullback)]() mutable { mine = {}; }).join();
}

thread_local Tensor last_words;

// Thread-local tensors die after or before the cache, depending on which was touched first.
TEST(Threads, ThreadLocalTensorsAtAThreadsEnd) {
  std::thread([] {
    last_words = Tensor::full(Shape{100}, 1.0);
    const Tensor other = Tensor::zeros(Shape{5});
    EXPECT_EQ(last_words(99), 1.0);
  }).join();
  std::thread([] {
    { const Tensor first = Tensor::zeros(Shape{5}); }
    last_words = Tensor::full(Shape{7}, 2.0);
  }).join();
}

}  // namespace
}  // namespace cotangent
