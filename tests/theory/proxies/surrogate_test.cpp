// Surrogates of the 0-1 loss: the numbers of O27 and O28, and what is no surrogate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cotangent.hpp"

namespace cotangent {
namespace {

using theory::check_slope_surrogate, theory::check_surrogate, theory::MarginLoss, theory::Outcome;

TEST(Surrogates, TheSharpFactorDecides) {
  for (const MarginLoss loss : {MarginLoss::hinge, MarginLoss::squared_hinge, MarginLoss::exponential})
    EXPECT_EQ(check_surrogate(loss).outcome, Outcome::certified) << to_string(loss);
  EXPECT_EQ(check_surrogate(MarginLoss::logistic, 1.442695041).outcome, Outcome::certified);
  EXPECT_EQ(check_surrogate(MarginLoss::logistic, 1.44269504).outcome, Outcome::refuted);
  EXPECT_EQ(check_surrogate(MarginLoss::hinge, 0.999).outcome, Outcome::refuted);
  EXPECT_EQ(check_slope_surrogate(MarginLoss::logistic, 2.0).outcome, Outcome::certified);
  const theory::Verdict wrong = check_slope_surrogate(MarginLoss::logistic, 1.999);
  EXPECT_EQ(wrong.outcome, Outcome::refuted);
  const double t = wrong.witness.value()["t"].item();
  EXPECT_TRUE(t < 0.0 && 1.999 / (1.0 + std::exp(t)) < 1.0) << t;
  EXPECT_THROW(check_surrogate(MarginLoss::hinge, 0.0), DomainError);
  EXPECT_THROW(check_surrogate(MarginLoss::hinge, NAN), DomainError);
  // The double next to 1 / log 2 lies below it, although its product with log 2 rounds to 1.
  EXPECT_EQ(1.0 / std::log(2.0) * std::log1p(1.0), 1.0);
  EXPECT_EQ(check_surrogate(MarginLoss::logistic, 1.0 / std::log(2.0)).outcome, Outcome::inconclusive);
}

// What is certified is what is written: the factor stands in the statement with all its digits.
TEST(Surrogates, TheStatementHoldsTheFactorItself) {
  const double factor = 1.0 / std::log(2.0);
  EXPECT_THAT(check_surrogate(MarginLoss::logistic, factor).claim.statement,
              testing::HasSubstr("1.4426950408889634 times"));
  EXPECT_EQ(check_surrogate(MarginLoss::logistic, std::nextafter(factor, 0.0)).outcome,
            Outcome::inconclusive);
  for (const double extreme : {1e-320, 1e-300, 1e-17, 1e300, 8e307})
    for (const MarginLoss loss : nn::kMarginLosses) {
      const Outcome wanted = extreme < 1.0 ? Outcome::refuted : Outcome::certified;
      EXPECT_EQ(check_surrogate(loss, extreme).outcome, wanted) << to_string(loss) << " " << extreme;
      EXPECT_EQ(check_slope_surrogate(loss, extreme).outcome, wanted) << to_string(loss) << " " << extreme;
    }
  EXPECT_THROW(check_surrogate(MarginLoss::hinge, INFINITY), DomainError);
  EXPECT_THROW(check_surrogate(MarginLoss::hinge, -1.0), DomainError);
}

TEST(Surrogates, RisksOfTheSheetsMarginsAndMarkovsBound) {
  const theory::SurrogateRisks logistic = theory::surrogate_risks({-1.0, 0.5, 2.0, -0.2});
  EXPECT_DOUBLE_EQ(logistic.error, 0.5);
  EXPECT_NEAR(logistic.slope_risk, 0.444409041691, 5e-13);
  EXPECT_NEAR(logistic.bound, 0.888818083381, 5e-13);
  EXPECT_NEAR(logistic.risk, 0.678101388031, 5e-13);
  EXPECT_NEAR(theory::surrogate_risks({-1.0, 0.5, 2.0, -0.2}, MarginLoss::exponential).risk, 1.170387632392,
              5e-13);
  Rng rng(2);
  for (int k = 0; k < 2000; ++k) {
    const auto r = theory::surrogate_risks(rng.normal({1 + rng.below(30)}),
                                           nn::kMarginLosses[static_cast<std::size_t>(k % 4)]);
    EXPECT_LE(r.error, r.bound + 1e-12);
  }
  EXPECT_THROW(theory::surrogate_risks(Tensor()), DomainError);
  EXPECT_THROW(theory::surrogate_risks({1.0, NAN}), DomainError);
}

}  // namespace
}  // namespace cotangent
