// Losses of the margin: the table's scalar formulas against its operations, and its constants against both.
#include "nn/margin_loss.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "autodiff/autodiff.hpp"
#include "nn/losses.hpp"

namespace cotangent {
namespace {

using nn::MarginLoss;

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(MarginLosses, NamesAreTheirOwn) {
  std::set<std::string> names, formulas;
  for (const MarginLoss loss : nn::kMarginLosses) {
    names.insert(to_string(loss));
    formulas.insert(facts(loss).formula);
  }
  EXPECT_EQ(names, (std::set<std::string>{"hinge", "squared hinge", "exponential", "logistic"}));
  EXPECT_EQ(formulas.size(), names.size());
  EXPECT_STREQ(to_string(MarginLoss::squared_hinge), "squared hinge");
  EXPECT_STREQ(facts(MarginLoss::logistic).formula, "log(1 + exp(-t))");
}

TEST(MarginLosses, NumbersAndOperationsAgree) {
  for (const MarginLoss loss : nn::kMarginLosses)
    for (const double t : {-40.0, -3.0, -0.7, 0.0, 0.2, 0.9, 1.0, 1.3, 5.0, 40.0}) {
      SCOPED_TRACE(std::string(to_string(loss)) + " at " + std::to_string(t));
      const auto [l, d] = value_and_grad(facts(loss).elementwise, Tensor::scalar(t));
      EXPECT_NEAR(value(loss, t), l, 4e-16 * std::fabs(l));
      EXPECT_NEAR(slope(loss, t), d.item(), 4e-16 * std::fabs(d.item()));
    }
}

TEST(MarginLosses, TheLossesOfOutputsAreTheirMeans) {
  Rng rng(1);
  const Tensor f = rng.normal({20, 1}, 0.0, 2.0), u = rng.uniform({20, 1});
  const Tensor y = (2.0 * less(u, 0.5) - 1.0).value();
  const auto mean_of = [&](MarginLoss loss) {
    double sum = 0.0;
    for (Index i = 0; i < 20; ++i) sum += value(loss, y(i, 0) * f(i, 0));
    return sum / 20.0;
  };
  EXPECT_NEAR(nn::hinge(f, y).item(), mean_of(MarginLoss::hinge), 1e-15);
  EXPECT_NEAR(nn::squared_hinge(f, y).item(), mean_of(MarginLoss::squared_hinge), 4e-15);
  EXPECT_NEAR(nn::exponential(f, y).item(), mean_of(MarginLoss::exponential), 4e-15);
  EXPECT_NEAR(nn::logistic(f, y).item(), mean_of(MarginLoss::logistic), 1e-15);
}

TEST(MarginLosses, ConstantsAreThoseOfTheFormulas) {
  for (const MarginLoss loss : nn::kMarginLosses) {
    SCOPED_TRACE(to_string(loss));
    const nn::MarginLossFacts& l = facts(loss);
    EXPECT_DOUBLE_EQ(l.value(0.0), l.at_zero);
    EXPECT_EQ(l.slope(0.0), l.slope_at_zero);
    double steepest = 0.0, curvature = 0.0;
    const double h = 1e-3;
    for (double t = -30.0; t <= 30.0; t += h) {
      EXPECT_LE(l.slope(t), 0.0);
      EXPECT_GE(l.slope(t + h), l.slope(t)) << "convex";
      steepest = std::max(steepest, -l.slope(t));
      curvature = std::max(curvature, (l.slope(t + h) - l.slope(t)) / h);
    }
    if (l.steepest < kInf)
      EXPECT_NEAR(steepest, l.steepest, 1e-12);
    else
      EXPECT_GT(steepest, 60.0);
    if (l.curvature < kInf)
      EXPECT_NEAR(curvature, l.curvature, 1e-6);
    else
      EXPECT_GT(curvature, 900.0) << "a jump of the slope, or no bound";
  }
  EXPECT_EQ(facts(MarginLoss::hinge).at_zero_error, 0.0);
  const long double missed = std::fabs(std::log(2.0L) - facts(MarginLoss::logistic).at_zero);
  EXPECT_GT(facts(MarginLoss::logistic).at_zero_error, missed);
  EXPECT_LT(facts(MarginLoss::logistic).at_zero_error, 2.0L * missed);
}

TEST(MarginLosses, LogLossWithoutOverflow) {
  EXPECT_EQ(nn::log_loss(-1000.0), 1000.0);
  EXPECT_EQ(nn::log_loss(1000.0), 0.0);
  EXPECT_EQ(nn::log_loss_slope(-1000.0), -1.0);
  EXPECT_EQ(nn::log_loss_slope(1000.0), -0.0);
  EXPECT_TRUE(std::isnan(nn::log_loss(NAN)));
  EXPECT_TRUE(std::isnan(nn::log_loss_slope(NAN)));
  EXPECT_EQ(nn::slope(MarginLoss::hinge, 1.0), -1.0);
  EXPECT_EQ(nn::slope(MarginLoss::squared_hinge, 1.0), -0.0);
}

}  // namespace
}  // namespace cotangent
