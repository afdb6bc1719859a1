// Several threads that enclose at once and end: what Arb caches for a thread goes with it, and what one has
// made outlives it.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "enclose/enclose.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

const CustomOp kSoftsign(elementwise([](auto x) { return x / (1.0 + abs(x)); },
                                     {.name = "softsign of threads",
                                      .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) {
                                        out.add(0, g / square(1.0 + abs(p.in(0))));
                                      }}));

Enclosure made(std::uint64_t seed, int bits) {
  Rng rng(seed);
  const Tensor w = rng.normal({12}), x = rng.normal({5, 3});
  const auto f = [&](const Var& v) {
    return sum(kSoftsign(softplus(matmul(x, reshape(v, {3, 4}))))) + exp(1e6 * sum(square(v)));
  };
  return enclose([&](const Var& v) { return grad(f, v); }, w, {.bits = bits, .most_bits = bits});
}

TEST(EnclosureThreads, SeveralAtOnceGiveTheSameBoundsAndMayEnd) {
  std::vector<Enclosure> expected;
  for (std::uint64_t k = 0; k < 4; ++k) expected.push_back(made(k, 300));
  for (int round = 0; round < 3; ++round) {
    std::vector<Enclosure> found(4);
    std::vector<std::thread> threads;
    for (std::uint64_t k = 0; k < 4; ++k) threads.emplace_back([&, k] { found[k] = made(k, 300); });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t k = 0; k < 4; ++k) {
      EXPECT_TRUE(equal(found[k].lower(), expected[k].lower()));
      EXPECT_TRUE(equal(found[k].upper(), expected[k].upper()));
      EXPECT_EQ(found[k].digits(0, 60), expected[k].digits(0, 60));  // balls of a thread that has ended
    }
  }
}

// A function that is recorded once may be asked from any thread.
TEST(EnclosureThreads, OneRecordServesThemAll) {
  const EnclosedFunction f([](const Var& w) { return sum(exp(w) * sin(w)); }, Tensor{0.5, 0.25});
  std::vector<double> lower(4);
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < 4; ++k)
    threads.emplace_back([&, k] { lower[k] = f(Tensor{0.1 * static_cast<double>(k), 0.3}).lower().item(); });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t k = 0; k < 4; ++k) {
    const double a = 0.1 * static_cast<double>(k);
    EXPECT_NEAR(lower[k], std::exp(a) * std::sin(a) + std::exp(0.3) * std::sin(0.3), 1e-14);
  }
}

}  // namespace
}  // namespace cotangent
