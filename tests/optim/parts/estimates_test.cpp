// What estimates say of themselves: their value, their samples, and whether they are f's own.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/parts.hpp"
#include "tests/support/paths.hpp"

namespace cotangent::optim {
namespace {

using test::Bench;

/// Three parabolas and what is true of each estimate of theirs.
struct Parabolas {
  FiniteSum f = test::three_parabolas().sum();
  Bench bench{f, Tensor{2.0}};

  /// The value is that of the samples named, at w.
  void expect_value(const Estimate& e, double w) const {
    EXPECT_NEAR(e.value, f.value(bench.params(Tensor{w}), e.batch), 1e-15);
  }
  void expect_exact(const Estimate& e, double w) const {
    EXPECT_TRUE(e.exact);
    EXPECT_TRUE(e.batch.is_all());
    expect_value(e, w);
    EXPECT_NEAR(e.gradient.flat()(0), f.grad(bench.params(Tensor{w})).flat()(0), 1e-15);
  }
};

TEST(Estimates, OfSagaAreExactBeforeTheFirstStep) {
  for (const bool two : {false, true}) {
    Parabolas p;
    const auto saga_alone = saga({.two_draws = two})(p.bench.setting());
    saga_alone->begin_epoch(p.bench.start);
    p.expect_exact(saga_alone->at(p.bench.start, 0), 2.0);
    for (Index i = 1; i < 30; ++i) {
      const double w = 2.0 - 0.1 * static_cast<double>(i);
      const Estimate e = saga_alone->at(p.bench.params(Tensor{w}), i);
      EXPECT_FALSE(e.exact);
      EXPECT_EQ(e.batch.size(), 1);
      p.expect_value(e, w);
    }
  }
}

TEST(Estimates, OfPageAreExactWhereTheyBeginAnew) {
  for (const Index large : {3, 2}) {
    Parabolas p;
    const auto page_alone = page({.batch = 1, .restart = 0.5, .large_batch = large})(p.bench.setting());
    Index begun = 0;
    for (Index i = 0; i < 40; ++i) {
      const double w = 2.0 - 0.1 * static_cast<double>(i);
      const Estimate e = page_alone->at(p.bench.params(Tensor{w}), i);
      p.expect_value(e, w);
      if (e.batch.size() == large) ++begun;
      if (i == 0) {
        EXPECT_EQ(e.batch.size(), large);
      }
      if (large == 3 && e.batch.size() == 3) {
        p.expect_exact(e, w);
      } else {
        EXPECT_FALSE(e.exact);
      }
    }
    EXPECT_GT(begun, 10);
    EXPECT_LT(begun, 30);
  }
}

TEST(Estimates, OfPageBeginAnewBelowTheChance) {
  Parabolas p;
  const double drawn = Rng(1).uniform();
  for (const double chance : {drawn, std::nextafter(drawn, 1.0)}) {
    p.bench.rng = Rng(1);
    const auto page_alone = page({.batch = 1, .restart = chance})(p.bench.setting());
    EXPECT_TRUE(page_alone->at(p.bench.start, 0).exact);
    EXPECT_EQ(page_alone->at(p.bench.start, 1).exact, chance > drawn);
  }
}

TEST(Estimates, OfPageMakeEpochsOfOneBeginningOnAverage) {
  Parabolas p;
  const auto epoch = [&](double restart) {
    return page({.batch = 1, .restart = restart})(p.bench.setting())->begin_epoch(p.bench.start);
  };
  EXPECT_EQ(epoch(1.0), 1);
  EXPECT_EQ(epoch(0.75), 2);
  EXPECT_EQ(epoch(0.25), 4);
  EXPECT_EQ(epoch(1e-300), 1'000'000'000'000'000);
}

TEST(Estimates, NoiseIsANormalVectorOfItsLength) {
  Bench bench(objective([](const Var& w) { return 0.5 * dot(w, w); }), Tensor{1.0, -2.0}, 7);
  Rng again(7);
  const auto noisy_alone = noisy(full(), 0.25)(bench.setting());
  for (Index i = 0; i < 5; ++i) {
    const Estimate e = noisy_alone->at(bench.start, i);
    const double x = again.normal(), y = again.normal(), share = 0.25 / std::hypot(x, y);
    EXPECT_NEAR(e.gradient.flat()(0), 1.0 + share * x, 1e-15);
    EXPECT_NEAR(e.gradient.flat()(1), -2.0 + share * y, 1e-15);
  }
}

}  // namespace
}  // namespace cotangent::optim
