// Step sizes that the iteration alone decides.
#include "optim/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::optim {
namespace {

using test::error_of;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Step, CountsIterationsFromZero) {
  const Step constant = 0.25, hyperbolic = decaying(0.5, 0.1), root = inverse_sqrt(2.0);
  const Step squares = Step::rule([](Index k) { return 1.0 / static_cast<double>((k + 1) * (k + 1)); });
  for (const Index k : {0, 1, 2, 10, 1000000}) {
    const double x = static_cast<double>(k);
    EXPECT_EQ(constant(k), 0.25);
    EXPECT_EQ(hyperbolic(k), 0.5 / (1.0 + 0.1 * x));
    EXPECT_EQ(root(k), 2.0 / std::sqrt(x + 1.0));
    EXPECT_EQ(squares(k), 1.0 / ((x + 1.0) * (x + 1.0)));
  }
  EXPECT_EQ(decaying(0.5, 0.0)(7), 0.5);
}

TEST(Step, Errors) {
  EXPECT_EQ(error_of<DomainError>([] { Step(0.0); }), "[Step] a step of 0; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { Step(-0.1); }), "[Step] a step of -0.1; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { (void)Step(kNan); }),
            "[Step] a step of nan; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { inverse_sqrt(kInf); }),
            "[inverse_sqrt] a step of inf; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { decaying(-1.0, 0.5); }),
            "[decaying] a step of -1; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { decaying(0.1, -0.5); }),
            "[decaying] a rate of -0.5 for the step 0.1; give a finite number, 0 or above");
  EXPECT_EQ(error_of<DomainError>([] { Step::rule({}); }),
            "[Step::rule] the rule is empty; give a callable of the iteration");
  const Step falling = Step::rule([](Index k) { return 2.0 - static_cast<double>(k); });
  EXPECT_EQ(falling(1), 1.0);
  EXPECT_EQ(error_of<DomainError>([&] { falling(2); }),
            "[Step::rule] the rule gave the step 0 at iteration 2; give finite numbers above 0");
}

TEST(Step, SchedulesHaveTheirShapes) {
  const Step line = linear(1.0, 0.1, 10);
  EXPECT_EQ(line(0), 1.0);
  EXPECT_NEAR(line(3), 0.7, 1e-15);
  EXPECT_NEAR(line(9), 0.1, 1e-15);
  EXPECT_NEAR(line(1000), 0.1, 1e-15);
  const Step half = cosine(0.5, 0.0, 8);
  EXPECT_EQ(half(0), 0.5);
  EXPECT_NEAR(half(2), 0.25 * (1.0 + std::sqrt(0.5)), 1e-15);
  EXPECT_NEAR(half(4), 0.25, 1e-15);
  EXPECT_NEAR(cosine(0.5, 0.1, 8)(20), 0.1, 1e-15);
  const Step stairs = step_decay(0.8, 0.5, 3);
  EXPECT_EQ(stairs(2), 0.8);
  EXPECT_EQ(stairs(3), 0.4);
  EXPECT_EQ(stairs(8), 0.2);
  EXPECT_EQ(diminishing(0.5)(0), 1.0);  // O20: (2k + 1) / (2 mu (k + 1)^2)
  EXPECT_NEAR(diminishing(0.5)(3), 7.0 / 16.0, 1e-15);
  EXPECT_NEAR(interpolation_step(0.01, 1.0, 25.0, 1), 0.01 / 25.0, 1e-18);  // O23
  EXPECT_NEAR(interpolation_step(0.5, 1.0, 2.0, 5), 2.5 / 4.0, 1e-15);
}

TEST(Step, ClocksBeginWhereTheWarmUpEnds) {
  const Step root = inverse_sqrt(1.0), warm = warmup(4, root);
  for (const Index k : {0, 1, 2, 3}) EXPECT_EQ(warm(k), static_cast<double>(k + 1) / 4.0);
  for (const Index k : {0, 1, 2, 100}) EXPECT_EQ(warm(4 + k), root(k));
  // A run of N iterations comes to the cosine's own end.
  const Step half = cosine(0.5, 0.1, 16), to_the_end = warmup(4, half);
  EXPECT_EQ(to_the_end(4), 0.5);
  EXPECT_EQ(to_the_end(12), half(8));
  EXPECT_EQ(to_the_end(20), half(16));
  const Step twice = warmup(2, warmup(4, root));
  EXPECT_EQ(twice(0), 0.125);
  EXPECT_EQ(twice(2), 0.25);
  EXPECT_EQ(twice(6), 1.0);
  EXPECT_EQ(twice(7), root(1));
}

TEST(Step, MayEndAtZero) {
  EXPECT_GT(cosine(0.3, 0.0, 7)(6), 0.0);
  EXPECT_EQ(cosine(0.3, 0.0, 7)(7), 0.0);
  EXPECT_EQ(cosine(0.3, 0.0, 7)(1000), 0.0);
  EXPECT_EQ(warmup(3, cosine(0.3, 0.0, 7))(10), 0.0);
  EXPECT_GT(linear(0.3, 0.0, 7)(5), 0.0);
  EXPECT_EQ(linear(0.3, 0.0, 7)(6), 0.0);
  EXPECT_EQ(linear(0.3, 0.0, 7)(1000), 0.0);
  EXPECT_GT(step_decay(0.8, 0.5, 1)(1070), 0.0);
  EXPECT_EQ(step_decay(0.8, 0.5, 1)(1100), 0.0);
  // A rule of a script's own may not: there it is a mistake, such as 1 / (k + 1) of whole numbers.
  const auto whole = [](Index k) {
    const Index quotient = 1 / (k + 1);
    return static_cast<double>(quotient);
  };
  EXPECT_EQ(error_of<DomainError>([&] { warmup(2, Step::rule(whole))(3); }),
            "[Step::rule] the rule gave the step 0 at iteration 1; give finite numbers above 0");
}

TEST(Step, OfZeroLeavesThePointWhereItIs) {
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(Tensor{1.0, 20.0}, square(w)); });
  const Step falls = cosine(0.04, 0.0, 6);
  const std::vector<Optimizer> all{Gd({.step = falls, .iterations = 12, .momentum = 0.9}),
                                   AdamW({.step = falls, .epochs = 12, .weight_decay = 0.5}),
                                   Nesterov({.step = falls, .iterations = 12}),
                                   Nesterov({.step = falls, .iterations = 12, .mu = 1.0}),
                                   ProximalGd(l1(0.1), {.step = falls, .iterations = 12}),
                                   FrankWolfe(over_l2_ball(2.0), {.step = falls, .iterations = 12})};
  for (const Optimizer& o : all) {
    Rng rng(1);
    Loop loop = o.start(f, Tensor{1.0, -1.0}, rng);
    for (int k = 0; k < 6; ++k) loop.next();
    const Params there = loop.result();
    while (loop.next()) {
    }
    const auto run = loop.finish();
    EXPECT_TRUE(equal(run.w.flat(), there.flat())) << o.recipe().name;
    EXPECT_EQ(run.stop, StopReason::finished) << o.recipe().name;
    EXPECT_EQ(run.iterations, 12) << o.recipe().name;
    EXPECT_EQ(run.trace.back().step, 0.0);
    EXPECT_TRUE(std::isfinite(run.trace.back().residual)) << o.recipe().name;
  }
}

TEST(Step, ScheduleErrors) {
  EXPECT_EQ(error_of<DomainError>([] { linear(1.0, -1e-9, 3); }),
            "[linear] to is -1e-09; give a finite number, 0 or above");
  EXPECT_EQ(error_of<DomainError>([] { linear(0.0, 1.0, 3); }),
            "[linear] from is 0; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { cosine(1.0, -1.0, 3); }),
            "[cosine] to is -1; give a finite number, 0 or above");
  EXPECT_EQ(error_of<DomainError>([] { step_decay(1.0, 1.5, 3); }),
            "[step_decay] factor is 1.5; give a number in (0, 1]");
  EXPECT_EQ(error_of<DomainError>([] { step_decay(0.0, 0.5, 3); }),
            "[step_decay] step is 0; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { warmup(0, 0.1); }), "[warmup] iterations is 0; give 1 or more");
  EXPECT_EQ(error_of<DomainError>([] { diminishing(kNan); }),
            "[diminishing] mu is nan; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { interpolation_step(2.0, 1.0, 1.0, 1); }),
            "[interpolation_step] mu = 2 is above the smoothness 1; no function is both");
  EXPECT_EQ(error_of<DomainError>([] { polyak(0.0)(3); }),
            "[Step] this step depends on more than the iteration; begin() makes it for a run");
}

}  // namespace
}  // namespace cotangent::optim
