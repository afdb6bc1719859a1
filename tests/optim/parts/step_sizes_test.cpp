// Step sizes that look at the run.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/paths.hpp"

namespace cotangent::optim {
namespace {

using test::error_of, test::Path;

FiniteSum valley() {
  return objective([](const Var& w) { return 0.5 * dot(Tensor{1.0, 0.25}, square(w)); });
}

TEST(Polyak, PublishedValues) {  // diag(1, 1/4) from (1, 1), f* = 0
  Path seen;
  Gd({.step = polyak(0.0), .iterations = 6}).minimize(valley(), Tensor{1.0, 1.0}, {&seen});
  EXPECT_NEAR(seen.values[1], 0.17571366782, 1e-11);
  EXPECT_NEAR(seen.values[2], 0.060409621102, 1e-12);
  EXPECT_NEAR(seen.values[5], 0.00255458402463, 1e-14);
  EXPECT_NEAR(seen.steps[0], 0.625 / 1.0625, 1e-15);
}

TEST(Polyak, MeasuresFromTheOptimum) {
  Path from_zero, from_below;
  const FiniteSum lowered = objective([](const Var& w) {
    return 0.5 * dot(Tensor{1.0, 0.25}, square(w)) - 3.0;
  });
  Gd({.step = polyak(0.0), .iterations = 5}).minimize(valley(), Tensor{1.0, 1.0}, {&from_zero});
  Gd({.step = polyak(-3.0), .iterations = 5}).minimize(lowered, Tensor{1.0, 1.0}, {&from_below});
  for (std::size_t k = 0; k < 5; ++k) EXPECT_NEAR(from_below.steps[k], from_zero.steps[k], 1e-13);
  // Where f is not above the optimum asked for, and at a stationary point, the step before is kept.
  Path kept;
  Gd({.step = polyak(100.0), .iterations = 2}).minimize(valley(), Tensor{1.0, 1.0}, {&kept});
  EXPECT_EQ(kept.steps, (std::vector<double>{1.0, 1.0}));
  Path still;
  Gd({.step = polyak(-1.0), .iterations = 2}).minimize(valley(), Tensor{0.0, 0.0}, {&still});
  EXPECT_EQ(still.steps, (std::vector<double>{1.0, 1.0}));
}

TEST(Backtracking, StepsByHand) {
  // x^2 / 2 from 1: (1 - s)^2 / 2 <= 1/2 - c s where s <= 2 (1 - c).
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(w, w); });
  const auto steps = [&](const BacktrackingOptions& o) {
    Path seen;
    Gd({.step = backtracking(o), .iterations = 3}).minimize(f, Tensor{1.0}, {&seen});
    return seen.steps;
  };
  EXPECT_EQ(steps({.first = 1.9, .decrease = 0.45}), (std::vector<double>{0.95, 0.95, 0.95}));
  EXPECT_EQ(steps({.first = 1.9}), (std::vector<double>{1.9, 1.9, 1.9}));
  EXPECT_EQ(steps({.first = 8.0, .growth = 1.0, .factor = 0.25}), (std::vector<double>{0.5, 0.5, 0.5}));
  EXPECT_EQ(steps({.first = 0.25, .growth = 3.0}), (std::vector<double>{0.25, 0.75, 1.125}));
}

TEST(Backtracking, DecreasesByArmijo) {
  const FiniteSum f = objective([](const Var& w) {
    const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
    return 0.5 * sum(square(1.0 - x)) + 50.0 * sum(square(y - square(x)));
  });
  Path seen;
  const auto run = Gd({.step = backtracking(), .iterations = 200}).minimize(f, Tensor{-1.2, 1.0}, {&seen});
  for (std::size_t k = 0; k + 1 < seen.steps.size(); ++k) {
    const double square = dot(seen.gradients[k], seen.gradients[k]);
    EXPECT_LE(seen.values[k + 1], seen.values[k] - 1e-4 * seen.steps[k] * square + 1e-14);
    // The next longer step did not, or is more than twice the last one.
    if (k > 0 && seen.steps[k] < 1.9 * seen.steps[k - 1]) {
      const double longer = 2.0 * seen.steps[k];
      EXPECT_GT(f.value(axpy(-longer, seen.gradients[k], seen.points[k])),
                seen.values[k] - 1e-4 * longer * square);
    }
  }
  EXPECT_GT(run.spent.values, 200);
  EXPECT_EQ(run.spent.gradients, 200);
  EXPECT_EQ(run.trace.back().component_values, run.spent.values);
}

TEST(Backtracking, ShortensWhereTheValueIsNotFinite) {
  const FiniteSum f = objective([](const Var& w) { return sum(w - log(w)); });  // finite for w > 0 alone
  Rng rng(1);
  const auto run =
      Gd({.step = backtracking({.first = 1000.0}), .iterations = 1000}).minimize(f, Tensor{4.0}, rng);
  EXPECT_EQ(run.stop, StopReason::finished);
  EXPECT_NEAR(run.w.flat()(0), 1.0, 1e-6);
}

TEST(StrongWolfe, HoldsAtEveryStep) {
  const FiniteSum f = objective([](const Var& w) {
    const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
    return 0.5 * sum(square(1.0 - x)) + 50.0 * sum(square(y - square(x)));
  });
  Path seen;
  Rng rng(1);
  Lbfgs({.iterations = 30, .stop = {.residual = 1e-6}}).minimize(f, Tensor{-1.2, 1.0}, rng, {&seen});
  for (std::size_t k = 0; k + 1 < seen.points.size(); ++k) {
    const Params step = seen.points[k + 1] - seen.points[k];
    const double slope = dot(seen.gradients[k], step), after = dot(seen.gradients[k + 1], step);
    EXPECT_LT(slope, 0.0);
    EXPECT_LE(seen.values[k + 1], seen.values[k] + 1e-4 * slope + 1e-14) << k;
    EXPECT_LE(std::fabs(after), 0.9 * std::fabs(slope) + 1e-12) << k;
  }
}

TEST(StrongWolfe, AsksNothingTwice) {
  // What the search found at the point it took is the next iteration's estimate.
  Index calls = 0;
  const FiniteSum f = finite_sum(1, [&](const Var& w, const Batch&) {
    ++calls;
    return sum(softplus(w)) + 0.5 * dot(w, w);
  });
  Rng rng(1);
  const auto run = Lbfgs({.iterations = 5}).minimize(f, Tensor{3.0, 4.0}, rng);
  EXPECT_EQ(calls, run.spent.gradients + 1);  // the value of the last point
}

TEST(Plateau, WaitsAndFalls) {
  const FiniteSum f = objective([](const Var& w) { return sum(abs(w)); });
  Path seen;
  Gd({.step = plateau({.step = 0.5, .factor = 0.5, .patience = 3}), .iterations = 30})
      .minimize(f, Tensor{0.25}, {&seen});  // to and fro between 0.25 and -0.25
  EXPECT_EQ(seen.steps[0], 0.5);
  EXPECT_EQ(seen.steps[2], 0.5);
  EXPECT_EQ(seen.steps[3], 0.25);
  EXPECT_LT(seen.steps[29], 0.25);
}

TEST(Warmup, LeadsIntoAnyStep) {
  Path seen, plain;
  Gd({.step = warmup(4, polyak(0.0)), .iterations = 1}).minimize(valley(), Tensor{1.0, 1.0}, {&seen});
  Gd({.step = polyak(0.0), .iterations = 1}).minimize(valley(), Tensor{1.0, 1.0}, {&plain});
  EXPECT_NEAR(seen.steps[0], 0.25 * plain.steps[0], 1e-16);
  // A search stays one.
  EXPECT_NE(
      error_of<DomainError>([&] {
        Gd({.step = warmup(4, backtracking()), .weight_decay = 0.1}).minimize(valley(), Tensor{1.0, 1.0});
      }).find("weight decay is not in f"),
      std::string::npos);
}

TEST(Step, AStatefulOneIsMadeAnewForEachRun) {
  const Gd gd({.step = plateau({.step = 0.5, .patience = 1}), .iterations = 20});
  const FiniteSum f = objective([](const Var& w) { return sum(abs(w)); });
  Path first, second;
  gd.minimize(f, Tensor{0.25}, {&first});
  gd.minimize(f, Tensor{0.25}, {&second});
  EXPECT_EQ(first.steps, second.steps);
}

TEST(StepSizes, Errors) {
  EXPECT_THROW(polyak(NAN), DomainError);
  EXPECT_EQ(error_of<DomainError>([] { backtracking({.factor = 1.0}); }),
            "[backtracking] factor is 1; give a number between 0 and 1");
  EXPECT_THROW(backtracking({.growth = 0.5}), DomainError);
  EXPECT_THROW(strong_wolfe({.decrease = 0.5, .curvature = 0.4}), DomainError);
  EXPECT_THROW(plateau({.patience = 0}), DomainError);
}

}  // namespace
}  // namespace cotangent::optim
