// Counts that really hold: component gradients to 1e-8 of the first gap on a least-squares problem
// (additions.md 6.3).
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "optim/optim.hpp"

namespace cotangent::optim {
namespace {

/// Problem A of one seed.
Problem problem(std::uint64_t seed, double noise = 1.0) {
  Rng rng(seed);
  return least_squares_problem(rng, {.noise = noise});
}

/// Component gradients until the gap is 1e-8 of the first, looked at every `every` iterations.
double gradients_needed(const Problem& p, const Optimizer& optimizer, Index every) {
  Rng rng(7);
  Loop loop = optimizer.start(p.f, p.start, rng);
  const double first = p.f.value(p.start) - p.optimum->value;
  for (Index k = 1; loop.next(); ++k)
    if (k % every == 0 && p.f.value(loop.result()) - p.optimum->value <= 1e-8 * first)
      return static_cast<double>(loop.spent().gradients);
  return HUGE_VAL;
}

struct Range {
  const char* name;
  double low, high;
  double slack = 1.5;
};

void expect_within(const Range& range, double count, std::uint64_t seed) {
  EXPECT_GE(count, range.low / range.slack) << range.name << ", seed " << seed;
  EXPECT_LE(count, range.high * range.slack) << range.name << ", seed " << seed;
}

constexpr Index kMany = 1000000;

TEST(Counts, DeterministicMethods) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Problem p = problem(seed);
    const double mu = p.mu->value;
    expect_within({"GD", 1.05e6, 1.35e6}, gradients_needed(p, Gd({.step = 1.0, .iterations = kMany}), 1),
                  seed);
    expect_within({"A12, L and mu", 1.4e5, 1.7e5},
                  gradients_needed(p, Nesterov({.step = 1.0, .iterations = kMany, .mu = mu}), 1), seed);
    expect_within({"A12, L", 4.3e5, 6.4e5},
                  gradients_needed(p, Nesterov({.step = 1.0, .iterations = kMany}), 1), seed);
    expect_within({"A11", 1.0e5, 1.3e5},
                  gradients_needed(p, HeavyBall({.smoothness = 1.0, .mu = mu, .iterations = kMany}), 1),
                  seed);
    expect_within({"L-BFGS", 8.6e4, 9.8e4}, gradients_needed(p, Lbfgs({.iterations = kMany}), 1), seed);
  }
}

TEST(Counts, VarianceReducedMethods) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Problem p = problem(seed);
    const double largest = p.component_smoothness->value;
    const PageTheory theory = page_theory(2000, 44, p.mean_smoothness->value, p.mu->value);
    expect_within({"SVRG", 1.5e5, 1.9e5},
                  gradients_needed(p, Svrg({.step = 0.25 / largest, .epochs = kMany, .inner = 4000}), 100),
                  seed);
    expect_within({"SAGA", 4.4e4, 6.0e4},
                  gradients_needed(p, Saga({.step = 1.0 / (3.0 * largest), .epochs = kMany}), 100), seed);
    expect_within({"PAGE, theory", 6.1e5, 7.8e5},
                  gradients_needed(p, Page({.step = theory.step_of_pl, .epochs = kMany, .batch = 44}), 20),
                  seed);
    expect_within({"PAGE, 1/(2L)", 1.4e5, 1.9e5},
                  gradients_needed(p, Page({.step = 0.5, .epochs = kMany, .batch = 44}), 10), seed);
  }
}

TEST(Counts, StochasticDescentOnAConsistentSystem) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Problem p = problem(seed, 0.0);
    const double largest = p.component_smoothness->value;
    const Sgd plain({.step = 1.0 / largest, .batch = 1, .epochs = kMany, .replacement = true});
    expect_within({"SGD, 1/Lmax", 1.4e4, 1.9e4}, gradients_needed(p, plain, 50), seed);
  }
}

TEST(SlowCounts, StepsOfTheTheory) {
  const Problem p = problem(0);
  const double largest = p.component_smoothness->value;
  const SvrgTheory svrg = svrg_theory(2000, largest);
  expect_within({"SVRG, A6", 3.3e7, 3.3e7},
                gradients_needed(p, Svrg({.step = svrg.step, .epochs = kMany, .inner = svrg.inner}), 5000),
                0);
  const SagaTheory saga = saga_theory(2000, largest);
  expect_within({"SAGA, A7", 1.8e7, 1.8e7},
                gradients_needed(p, Saga({.step = saga.step, .epochs = kMany, .two_draws = true}), 5000), 0);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Problem consistent = problem(seed, 0.0);
    const double step = interpolation_step(0.01, 1.0, consistent.component_smoothness->value, 1);
    expect_within(
        {"SGD, s*(1)", 1.4e6, 1.9e6},
        gradients_needed(consistent, Sgd({.step = step, .batch = 1, .epochs = kMany, .replacement = true}),
                         2000),
        seed);
  }
}

}  // namespace
}  // namespace cotangent::optim
