// Surrogates of the 0-1 loss: the numbers of O27 and O28, and what is no surrogate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "theory/surrogate.hpp"

namespace cotangent {
namespace {

using theory::check_slope_surrogate;
using theory::check_surrogate;
using theory::MarginLoss;
using theory::Outcome;
using theory::Scope;

constexpr MarginLoss kAll[] = {MarginLoss::hinge, MarginLoss::squared_hinge, MarginLoss::exponential,
                               MarginLoss::logistic};

TEST(Surrogates, HingeAndExponentialAreOnes) {
  for (const MarginLoss loss : {MarginLoss::hinge, MarginLoss::squared_hinge, MarginLoss::exponential}) {
    const theory::Verdict v = check_surrogate(loss);
    EXPECT_EQ(v.outcome, Outcome::certified) << to_string(loss);
    EXPECT_EQ(v.scope, Scope::everywhere);
  }
}

TEST(Surrogates, TheLogisticLossIsNone) {
  const theory::Verdict v = check_surrogate(MarginLoss::logistic);
  EXPECT_EQ(v.outcome, Outcome::refuted);
  ASSERT_TRUE(v.witness);
  const double t = (*v.witness)["t"].item();
  EXPECT_LT(t, 0.0);
  EXPECT_LT(std::log1p(std::exp(-t)), 1.0) << "1{t < 0} = 1 exceeds it there";
  EXPECT_NEAR(theory::value(MarginLoss::logistic, -0.1), 0.744397, 5e-7);  // the sheet's witness
  EXPECT_NEAR(theory::value(MarginLoss::logistic, 0.0), std::log(2.0), 1e-16);
}

TEST(Surrogates, TheSharpFactorDecides) {
  EXPECT_EQ(check_surrogate(MarginLoss::logistic, 1.442695041).outcome, Outcome::certified);
  EXPECT_EQ(check_surrogate(MarginLoss::logistic, 1.44269504).outcome, Outcome::refuted);
  EXPECT_EQ(check_surrogate(MarginLoss::logistic, 2.0).outcome, Outcome::certified);
  EXPECT_EQ(check_surrogate(MarginLoss::hinge, 0.999).outcome, Outcome::refuted);
  EXPECT_EQ(check_slope_surrogate(MarginLoss::logistic, 2.0).outcome, Outcome::certified);
  EXPECT_EQ(check_slope_surrogate(MarginLoss::logistic, 1.999).outcome, Outcome::refuted);
  EXPECT_EQ(check_slope_surrogate(MarginLoss::exponential).outcome, Outcome::certified);
}

TEST(Surrogates, MinusTheSlopeAloneIsNoneAsTheLectureSays) {
  const theory::Verdict v = check_slope_surrogate(MarginLoss::logistic);
  EXPECT_EQ(v.outcome, Outcome::refuted);
  ASSERT_TRUE(v.witness);
  const double t = (*v.witness)["t"].item();
  EXPECT_LT(t, 0.0);
  EXPECT_LT(1.0 / (1.0 + std::exp(t)), 1.0);
  EXPECT_DOUBLE_EQ(theory::logistic_slope(0.0), -0.5);  // so "-l'(z) < 0" is false: it is 1/2
}

TEST(Surrogates, TheSheetsMargins) {
  const Tensor t{-1.0, 0.5, 2.0, -0.2};
  const theory::SurrogateRisks logistic = theory::surrogate_risks(t);
  EXPECT_DOUBLE_EQ(logistic.error, 0.5);
  EXPECT_NEAR(logistic.slope_risk, 0.444409041691, 5e-13);
  EXPECT_NEAR(logistic.bound, 0.888818083381, 5e-13);
  EXPECT_NEAR(logistic.risk, 0.678101388031, 5e-13);
  EXPECT_NEAR(theory::surrogate_risks(t, MarginLoss::exponential).risk, 1.170387632392, 5e-13);
}

TEST(Surrogates, MarkovsBoundHoldsOnRandomMargins) {
  Rng rng(2);
  for (int k = 0; k < 2000; ++k) {
    const Tensor t = rng.normal({1 + rng.below(30)}, rng.normal(), 0.01 + 5.0 * rng.uniform());
    for (const MarginLoss loss : kAll) {
      const theory::SurrogateRisks r = theory::surrogate_risks(t, loss);
      EXPECT_LE(r.error, r.bound + 1e-12) << to_string(loss);
    }
  }
}

TEST(Surrogates, SlopesAreThoseOfTheValues) {
  for (const MarginLoss loss : kAll)
    for (const double t : {-40.0, -3.0, -0.7, 0.2, 0.9, 1.3, 5.0}) {
      const double h = 1e-6;
      const double d = (theory::value(loss, t + h) - theory::value(loss, t - h)) / (2.0 * h);
      EXPECT_NEAR(theory::slope(loss, t), d, 1e-6 * std::max(1.0, std::fabs(d)))
          << to_string(loss) << " at " << t;
    }
  EXPECT_EQ(theory::logistic(-1000.0), 1000.0);
  EXPECT_EQ(theory::logistic(1000.0), 0.0);
  EXPECT_EQ(theory::logistic_slope(-1000.0), -1.0);
  EXPECT_EQ(theory::slope(MarginLoss::hinge, 1.0), -1.0);
}

TEST(Surrogates, FactsTheProofsUse) {
  for (double t = -30.0; t <= 30.0; t += 0.01) {
    const double l = theory::logistic(t), s = -theory::logistic_slope(t);
    EXPECT_GE(s, 0.0);
    EXPECT_LE(s, std::min(1.0, l) * (1.0 + 1e-15));
    EXPECT_LE(l, std::exp(-t));
    EXPECT_LE(t * s, 0.278464542761074);  // max z / (1 + e^z) = W(1/e)
  }
}

TEST(Surrogates, BadInputIsRefused) {
  EXPECT_THROW(check_surrogate(MarginLoss::hinge, 0.0), DomainError);
  EXPECT_THROW(check_surrogate(MarginLoss::hinge, NAN), DomainError);
  EXPECT_THROW(theory::surrogate_risks(Tensor()), DomainError);
  EXPECT_THROW(theory::surrogate_risks(Tensor{1.0, NAN}), DomainError);
}

}  // namespace
}  // namespace cotangent
