// Step sizes that the iteration alone decides.
#include "optim/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "autodiff/error.hpp"
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
  const Step warm = warmup(4, inverse_sqrt(1.0));
  EXPECT_EQ(warm(0), 0.25);
  EXPECT_EQ(warm(1), 0.5 / std::sqrt(2.0));
  EXPECT_EQ(warm(5), 1.0 / std::sqrt(6.0));
  EXPECT_EQ(diminishing(0.5)(0), 1.0);  // O20: (2k + 1) / (2 mu (k + 1)^2)
  EXPECT_NEAR(diminishing(0.5)(3), 7.0 / 16.0, 1e-15);
  EXPECT_NEAR(interpolation_step(0.01, 1.0, 25.0, 1), 0.01 / 25.0, 1e-18);  // O23
  EXPECT_NEAR(interpolation_step(0.5, 1.0, 2.0, 5), 2.5 / 4.0, 1e-15);
}

TEST(Step, ScheduleErrors) {
  EXPECT_EQ(error_of<DomainError>([] { linear(0.0, 1.0, 3); }),
            "[linear] from is 0; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { cosine(1.0, -1.0, 3); }),
            "[cosine] to is -1; give a finite number, 0 or above");
  EXPECT_EQ(error_of<DomainError>([] { cosine(1.0, 0.0, 3)(3); }),
            "[Step::rule] the rule gave the step 0 at iteration 3; give finite numbers above 0");
  EXPECT_EQ(error_of<DomainError>([] { step_decay(1.0, 1.5, 3); }),
            "[step_decay] factor is 1.5; give a number in (0, 1]");
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
