// Stochastic gradient descent: which samples it visits, hand iteration, and its exact moments on quadratics.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/losses.hpp"
#include "optim/optim.hpp"
#include "tests/support/paths.hpp"

namespace cotangent::optim {
namespace {

using test::Parabolas, test::Path;

const Parabolas kFive{{1.0, 0.4, 2.0, 0.7, 1.5}, {0.5, -1.0, 0.2, 2.0, -0.3}};

TEST(Sgd, AnEpochVisitsEachSampleOnceInThePermutationDrawn) {
  const Parabolas p{Tensor::ones({10}), Tensor::linspace(0.0, 9.0, 10)};
  Path seen;
  Rng rng(3), same(3);
  Sgd({.batch = 4, .epochs = 50}).minimize(p.sum(), Tensor{0.0}, rng, {&seen});
  ASSERT_EQ(seen.batches.size(), 150u);
  std::vector<std::vector<Index>> orders;
  for (std::size_t e = 0; e < 50; ++e) {
    std::vector<Index> order;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::vector<Index>& batch = seen.batches[3 * e + i];
      EXPECT_EQ(batch.size(), i < 2 ? 4u : 2u);
      order.insert(order.end(), batch.begin(), batch.end());
    }
    EXPECT_EQ(order, same.permutation(10)) << e;
    orders.push_back(order);
    std::sort(order.begin(), order.end());
    for (Index i = 0; i < 10; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  }
  std::sort(orders.begin(), orders.end());
  EXPECT_EQ(std::unique(orders.begin(), orders.end()), orders.end());  // 50 of 3 628 800 orders
  EXPECT_EQ(rng, same);
}

TEST(Sgd, WithReplacementDrawsFullBatchesIndependently) {
  const Parabolas p{Tensor::ones({10}), Tensor::linspace(0.0, 9.0, 10)};
  Path seen;
  Rng rng(3), same(3);
  Sgd({.batch = 4, .epochs = 2000, .replacement = true}).minimize(p.sum(), Tensor{0.0}, rng, {&seen});
  ASSERT_EQ(seen.batches.size(), 6000u);
  std::array<double, 10> counts{};
  for (const std::vector<Index>& batch : seen.batches) {
    ASSERT_EQ(batch.size(), 4u);
    for (const Index i : batch) {
      EXPECT_EQ(i, same.below(10));
      counts[static_cast<std::size_t>(i)] += 1.0;
    }
  }
  double chi_squared = 0.0;
  for (const double c : counts) chi_squared += (c - 2400.0) * (c - 2400.0) / 2400.0;
  EXPECT_LT(chi_squared, 9.0 + 5.0 * std::sqrt(18.0));
}

TEST(Sgd, ABatchOfAllIsGradientDescentAndDrawsNothing) {
  Rng rng(5);
  const Rng before = rng;
  for (const Index batch : {5, 6, 1000}) {
    const auto run = Sgd({.step = 0.3, .batch = batch, .epochs = 12, .momentum = 0.5})
                         .minimize(kFive.sum(), Tensor{4.0}, rng);
    const auto gd = Gd({.step = 0.3, .iterations = 12, .momentum = 0.5}).minimize(kFive.sum(), Tensor{4.0});
    EXPECT_TRUE(equal(run.w.flat(), gd.w.flat()));
    EXPECT_EQ(run.iterations, 12);
    EXPECT_EQ(run.value, gd.value);
  }
  EXPECT_EQ(rng, before);
}

TEST(Sgd, SameSeedSameRunAndOptionsStayAsTheyWere) {
  const Sgd sgd({.step = decaying(0.2, 0.1), .batch = 2, .epochs = 7, .momentum = 0.9, .nesterov = true});
  const auto run_from = [&](std::uint64_t seed) {
    Rng rng(seed);
    return sgd.minimize(kFive.sum(), Tensor{4.0}, rng);
  };
  const auto first = run_from(1), again = run_from(1), other = run_from(2);
  EXPECT_TRUE(equal(first.w.flat(), again.w.flat()));
  EXPECT_EQ(first.value, again.value);
  EXPECT_EQ(first.trace.back().value, again.trace.back().value);
  EXPECT_FALSE(equal(first.w.flat(), other.w.flat()));
  EXPECT_EQ(sgd.options().batch, 2);
  EXPECT_EQ(sgd.options().step(0), 0.2);
  Rng rng(1);
  sgd.minimize(kFive.sum(), Tensor{4.0}, rng);
  EXPECT_FALSE(
      equal(sgd.minimize(kFive.sum(), Tensor{4.0}, rng).w.flat(), first.w.flat()));  // rng has moved on
}

TEST(Sgd, HandIterationOverTheBatchesSeen) {
  for (const bool replacement : {false, true})
    for (const bool nesterov : {false, true})
      for (const double momentum : {0.0, 0.8}) {
        const Step step = inverse_sqrt(0.3);
        Path seen;
        Rng rng(11);
        const auto run = Sgd({.step = step,
                              .batch = 2,
                              .epochs = 6,
                              .momentum = momentum,
                              .nesterov = nesterov,
                              .replacement = replacement})
                             .minimize(kFive.sum(), Tensor{4.0}, rng, {&seen});
        ASSERT_EQ(seen.batches.size(), 18u);
        double x = 4.0, v = 0.0;
        for (std::size_t k = 0; k < 18; ++k) {
          EXPECT_NEAR(seen.x[k], x, 1e-14);
          EXPECT_EQ(seen.steps[k], step(static_cast<Index>(k)));
          const double g = kFive.gradient(x, seen.batches[k]);
          v = momentum * v + g;
          x -= seen.steps[k] * (nesterov ? g + momentum * v : v);
        }
        EXPECT_NEAR(run.w["w"](0), x, 1e-14);
        EXPECT_EQ(run.trace.back().component_gradients, replacement ? 36 : 30);
      }
}

// ---- expectations -----------------------------------------------------------------------------------------

/// Mean of many numbers and its standard error.
struct Average {
  double sum = 0.0, squares = 0.0, count = 0.0;
  void add(double x) {
    sum += x;
    squares += x * x;
    count += 1.0;
  }
  double mean() const { return sum / count; }
  double error() const { return std::sqrt(std::max(0.0, squares / count - mean() * mean()) / count); }
};

#define EXPECT_WITHIN_5_ERRORS(average, exact) \
  EXPECT_NEAR((average).mean(), (exact), 5.0 * (average).error() + 1e-11)

/// First and second moments of e_k = x_k - x*, carried exactly through x+ = x - s * (batch mean gradient)
/// with B independent draws.
struct Moments {
  double first, second;
  void step(const Parabolas& p, double s, double batch) {
    const double n = static_cast<double>(p.n()), minimiser = p.minimiser();
    double a = 0.0, aa = 0.0, acac = 0.0, aac = 0.0;  // means; that of a c is 0 by the choice of x*
    for (Index i = 0; i < p.n(); ++i) {
      const double c = p.b(i) - minimiser;
      a += p.a(i) / n;
      aa += p.a(i) * p.a(i) / n;
      acac += p.a(i) * p.a(i) * c * c / n;
      aac += p.a(i) * p.a(i) * c / n;
    }
    const double qq = 1.0 - 2.0 * s * a + s * s * (a * a + (aa - a * a) / batch);  // E (1 - s A)^2
    const double qc = -s * s * aac / batch;                                        // E (1 - s A) s D
    second = qq * second + 2.0 * qc * first + s * s * acac / batch;
    first = (1.0 - s * a) * first;
  }
};

TEST(SgdMoments, WithReplacementAreTheExactRecursions) {
  constexpr Index kRuns = 3000;
  for (const Index batch : {1, 3}) {
    const double s = 0.4, start = 3.0;
    const FiniteSum f = kFive.sum();
    const Index epochs = batch == 1 ? 2 : 4;  // 10 and 8 iterations
    const Sgd sgd({.step = s, .batch = batch, .epochs = epochs, .replacement = true});
    std::vector<Average> first(10), second(10);
    Rng rng(17);
    for (Index r = 0; r < kRuns; ++r) {
      Path seen;
      sgd.minimize(f, Tensor{start}, rng, {&seen});
      for (std::size_t k = 0; k < seen.x.size(); ++k) {
        const double e = seen.x[k] - kFive.minimiser();
        first[k].add(e);
        second[k].add(e * e);
      }
    }
    Moments exact{start - kFive.minimiser(), std::pow(start - kFive.minimiser(), 2.0)};
    for (std::size_t k = 0; k < (batch == 1 ? 10u : 8u); ++k) {
      EXPECT_EQ(first[k].count, static_cast<double>(kRuns));
      EXPECT_WITHIN_5_ERRORS(first[k], exact.first) << "batch " << batch << ", iteration " << k;
      EXPECT_WITHIN_5_ERRORS(second[k], exact.second) << "batch " << batch << ", iteration " << k;
      exact.step(kFive, s, static_cast<double>(batch));
    }
  }
}

/// How often each of the possible results came out; every result must be one of them.
std::vector<double> frequencies(const Sgd& sgd, const Parabolas& p, const std::vector<double>& possible,
                                Index runs) {
  const FiniteSum f = p.sum();
  std::vector<double> counts(possible.size());
  Rng rng(23);
  for (Index r = 0; r < runs; ++r) {
    const double x = sgd.minimize(f, Tensor{3.0}, rng).w["w"](0);
    const auto at =
        std::find_if(possible.begin(), possible.end(), [x](double y) { return std::abs(x - y) < 1e-13; });
    if (at == possible.end()) {
      ADD_FAILURE() << x << " is not possible";
      return counts;
    }
    counts[static_cast<std::size_t>(at - possible.begin())] += 1.0;
  }
  return counts;
}

double chi_squared(const std::vector<double>& counts, double expected) {
  double total = 0.0;
  for (const double c : counts) total += (c - expected) * (c - expected) / expected;
  return total;
}

TEST(SgdMoments, AnEpochWithoutReplacementIsOneOfTheSixOrders) {
  const Parabolas p{{1.0, 0.37, 2.1}, {0.5, -1.13, 0.21}};
  std::vector<Index> order = {0, 1, 2};
  std::vector<double> possible;
  do {
    double x = 3.0;
    for (const Index i : order) x -= 0.3 * p.gradient(x, {i});
    possible.push_back(x);
  } while (std::next_permutation(order.begin(), order.end()));
  const std::vector<double> counts =
      frequencies(Sgd({.step = 0.3, .batch = 1, .epochs = 1}), p, possible, 6000);
  EXPECT_LT(chi_squared(counts, 1000.0), 5.0 + 5.0 * std::sqrt(10.0));
}

TEST(SgdMoments, ThreeDrawsWithReplacementAreTwentySevenPaths) {
  const Parabolas p{{1.0, 0.37, 2.1}, {0.5, -1.13, 0.21}};
  std::vector<double> possible;
  for (Index path = 0; path < 27; ++path) {
    double x = 3.0;
    for (const Index i : {path / 9, path / 3 % 3, path % 3}) x -= 0.3 * p.gradient(x, {i});
    possible.push_back(x);
  }
  const std::vector<double> counts =
      frequencies(Sgd({.step = 0.3, .batch = 1, .epochs = 1, .replacement = true}), p, possible, 13500);
  EXPECT_LT(chi_squared(counts, 500.0), 26.0 + 5.0 * std::sqrt(52.0));
}

TEST(SgdMoments, PublishedGapsWithDiminishingAndConstantSteps) {  // O20, O21
  const Parabolas p{{1.0, 1.0}, {1.0, -1.0}};  // f_i = (x -+ 1)^2 / 2: mu = L = 1, f - f* = x^2 / 2
  const FiniteSum f = p.sum();
  const auto gaps = [&](const Step& step, Index epochs, const std::vector<std::size_t>& at) {
    const Sgd sgd({.step = step, .batch = 1, .epochs = epochs, .replacement = true});
    std::vector<Average> averages(at.size());
    Rng rng(29);
    for (int r = 0; r < 1000; ++r) {
      Path seen;
      sgd.minimize(f, Tensor{2.0}, rng, {&seen});
      for (std::size_t j = 0; j < at.size(); ++j) averages[j].add(0.5 * seen.x[at[j]] * seen.x[at[j]]);
    }
    return averages;
  };
  const Step diminishing = Step::rule([](Index k) {
    const double x = static_cast<double>(k);
    return (2.0 * x + 1.0) / (2.0 * (x + 1.0) * (x + 1.0));
  });
  const std::vector<Average> falling = gaps(diminishing, 26, {1, 2, 3, 10, 50});
  const std::array<double, 5> exact = {0.625, 0.314453125, 0.202600549769, 0.054392059195, 0.010194454314};
  for (std::size_t j = 0; j < 5; ++j) EXPECT_WITHIN_5_ERRORS(falling[j], exact[j]) << j;
  const std::vector<Average> constant = gaps(0.1, 6, {1, 10});
  EXPECT_WITHIN_5_ERRORS(constant[0], 1.625);
  EXPECT_WITHIN_5_ERRORS(constant[1], 0.266269713008);
}

TEST(Sgd, OnHalfSquaresIsLeastMeanSquares) {  // Widrow's and Hoff's rule, bit for bit
  Rng data(6), rng(2), same(2);
  const Tensor x = data.normal({30, 3}), y = data.normal({30, 1});
  const FiniteSum f = finite_sum(30, [&](const Var& w, const Batch& b) {
    return nn::half_mse(matmul(b.rows(x), reshape(w, {3, 1})), b.rows(y));
  });
  const auto run = Sgd({.step = 0.05, .batch = 1, .epochs = 4}).minimize(f, Tensor{0.5, -1.0, 0.0}, rng);
  std::array<double, 3> w{0.5, -1.0, 0.0};
  for (int epoch = 0; epoch < 4; ++epoch)
    for (const Index i : same.permutation(30)) {
      const double error = matmul(x.rows(i, i + 1), Tensor{{w[0]}, {w[1]}, {w[2]}}).item() - y(i, 0);
      for (Index j = 0; j < 3; ++j) w[static_cast<std::size_t>(j)] -= 0.05 * (error * x(i, j));
    }
  for (Index j = 0; j < 3; ++j) EXPECT_EQ(run.w.flat()(j), w[static_cast<std::size_t>(j)]);
}

}  // namespace
}  // namespace cotangent::optim
