// Gradient descent under PL (O7): the sheet's numbers, its account, and the rate of lecture 003 as printed,
// refuted through its own proof.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cotangent.hpp"
#include "tests/support/leaky_relu.hpp"

namespace cotangent {
namespace {

using testing::AllOf, testing::HasSubstr;
using theory::check_pl_rate, theory::HalvedPl, theory::Outcome, theory::UnhalvedPl, theory::Verdict;

Params point(std::initializer_list<detail::Number> numbers) { return Params({{"w", Tensor(numbers)}}); }
/// (x_1^2 + x_2^2 / 4) / 2: L = 1, mu = 1/4.
Var quadratic(const Var& w) { return 0.5 * sum(Var(Tensor{1.0, 0.25}) * square(w)); }
/// x^2 + 3 sin^2 x: L = 8, mu = 0.1755 (Karimi, Nutini, Schmidt).
Var karimi(const Var& w) { return sum(square(w) + 3.0 * square(sin(w))); }

TEST(PlRate, TheSheetsNumbers) {
  const Verdict v = check_pl_rate(quadratic, point({1.0, 1.0}), HalvedPl{0.25}, {.iterations = 10});
  EXPECT_EQ(v.outcome, Outcome::certified) << v.to_string();
  EXPECT_DOUBLE_EQ(v.curve("f - f*")[0], 0.0703125);
  EXPECT_DOUBLE_EQ(v.curve("f - f*")[1], 0.03955078125);
  EXPECT_NEAR(v.curve("f - f*")[9], 0.000396401492, 5e-13);
  EXPECT_DOUBLE_EQ(v.curve("bound")[9], 0.625 * std::pow(0.75, 10));
  EXPECT_NEAR(test::total(v.account), v.conclusion.margin(), 1e-12);
  const Verdict k =
      check_pl_rate(karimi, point({3.0}), HalvedPl{0.1755}, {.smoothness = 8.0, .iterations = 100});
  EXPECT_EQ(k.outcome, Outcome::certified) << k.to_string();
  EXPECT_NEAR(k.curve("f - f*")[0], 7.049233701190, 5e-12);
  EXPECT_NEAR(k.curve("f - f*")[1], 6.709848349949, 5e-12);
  EXPECT_NEAR(k.curve("f - f*")[4], 4.852212419157, 5e-12);
  for (const double step : {0.2, 1.0, 1.7})
    EXPECT_EQ(check_pl_rate(quadratic, point({1.0, 1.0}), HalvedPl{0.25}, {.step = step}).outcome,
              Outcome::certified);
}

// Lecture 003 takes PL unhalved, |grad f|^2 >= nu (f - f*), and a decrease of (1/L) |grad f|^2 a step, which
// is twice what the descent lemma gives; the rate it prints, 1 - nu / L, is false. Run through its own proof
// it is refuted, and the false step is named.
TEST(PlRate, ThePrintedRateIsRefutedThroughItsOwnProof) {
  const Verdict printed =
      check_pl_rate(quadratic, point({0.0, 1.0}), UnhalvedPl{0.5}, {.iterations = 5, .decrease = 1.0});
  EXPECT_EQ(printed.outcome, Outcome::refuted) << printed.to_string();
  EXPECT_THAT(printed.reason,
              AllOf(HasSubstr("f(w_t) - f* <= (1 - 2 mu c)^t"),
                    HasSubstr("the proof's first false step is \"f(w+) <= f(w) - c |grad f(w)|^2\"")));
  EXPECT_DOUBLE_EQ(printed.curve("f - f*")[0] / 0.125, 0.5625);  // above the 0.5 claimed, below the true 0.75
  ASSERT_TRUE(printed.witness) << "its start";
  const Verdict right = check_pl_rate(quadratic, point({0.0, 1.0}), UnhalvedPl{0.5}, {.iterations = 5});
  EXPECT_EQ(right.outcome, Outcome::certified);
  // f = x^2 / 2 has nu = 2 at best, and 1 - nu / L is -1.
  const auto parabola = [](const Var& w) { return 0.5 * sum(square(w)); };
  EXPECT_EQ(
      check_pl_rate(parabola, point({1.0}), UnhalvedPl{2.0}, {.step = 0.5, .iterations = 5, .decrease = 1.0})
          .outcome,
      Outcome::refuted);
}

TEST(PlRate, ATrueClaimWithAFalseStepIsNoProof) {
  // From (1, 0.1) the first coordinate reaches 0 at once, far below the bound; its step brings 0.5 |grad f|^2
  // and not 0.6.
  const Verdict v =
      check_pl_rate(quadratic, point({1.0, 0.1}), HalvedPl{0.01}, {.iterations = 3, .decrease = 0.6});
  EXPECT_EQ(v.outcome, Outcome::inconclusive) << v.to_string();
  EXPECT_THAT(v.reason,
              AllOf(HasSubstr("the proof breaks at \"f(w+) <= f(w) - c"), HasSubstr("the claim held here")));
}

// f(w) = (w - 1/3)^2 / 2 attains the bound at every T, and near its minimum the rounding of w is all that
// is left of it.
TEST(PlRate, ATrueRateIsNeverRefutedByRounding) {
  const auto shifted = [](const Var& w) { return 0.5 * sum(square(w - 1.0 / 3.0)); };
  for (const Index iterations : {10, 30, 2000}) {
    EXPECT_NE(check_pl_rate(shifted, point({2.0}), {1.0}, {.step = 0.5, .iterations = iterations}).outcome,
              Outcome::refuted);
    EXPECT_EQ(check_pl_rate(shifted, point({2.0}), {0.9}, {.step = 0.5, .iterations = iterations}).outcome,
              Outcome::certified);
  }
  Rng rng(1);
  const Tensor x = rng.normal({4, 8}), y = rng.normal({4, 1});
  const auto squares = [&](const Var& w) { return 0.5 * sum(square(linear(x, reshape(w, {1, 8})) - y)); };
  const auto k = theory::spectrum(matmul(x, x, {.transpose_b = true}).value());
  const Verdict v = check_pl_rate(squares, Params({{"w", rng.normal({8})}}), {0.999 * k.smallest()},
                                  {.smoothness = 1.001 * k.largest(), .iterations = 20'000});
  EXPECT_EQ(v.outcome, Outcome::certified) << v.to_string();
  EXPECT_LT(v.number("T"), 20'000.0) << "it ends where the gap drowns";
}

// Rows are bounded at each iterate and enclosed where they came closest; where that cannot be, nothing is
// certified, and the operation is named.
TEST(PlRate, WhereSidesCameClosestTheyAreEnclosed) {
  const Verdict v = check_pl_rate(quadratic, point({1.0, 1.0}), HalvedPl{0.25}, {.iterations = 20});
  EXPECT_EQ(v.outcome, Outcome::certified) << v.to_string();
  EXPECT_THAT(v.reason, HasSubstr("enclosed where sides came closest"));
  ASSERT_FALSE(v.steps.empty());
  EXPECT_EQ(v.steps.front().by(), theory::Measured::By::enclosure);
  static const CustomOp own(
      {.name = "square_without_enclosure",
       .forward = [](const OpInputs& x,
                     const OpAttributes&) { return map_elements(x[0], [](double t) { return t * t; }); },
       .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, 2.0 * g * p.in(0)); },
       .samples = OpSamples::elementwise,
       .at_kink = "none"});
  const auto f = [](const Var& w) { return 0.5 * sum(Var(Tensor{1.0, 0.25}) * own(w)); };
  const Verdict u = check_pl_rate(f, point({1.0, 1.0}), HalvedPl{0.25}, {.iterations = 20});
  EXPECT_EQ(u.outcome, Outcome::supported) << u.to_string();
  EXPECT_THAT(u.reason, HasSubstr("could not be enclosed: [enclose] [square_without_enclosure]"));
}

// f loses eight digits to a constant that cancels; its numbers alone do not show it, its record does.
TEST(PlRate, WhatLargeConstantsLoseIsNoViolation) {
  for (const double c : {1e8, -3e6, 1e11}) {
    const auto lossy = [c](const Var& w) { return (c + quadratic(w)) - c; };
    const Verdict v = check_pl_rate(lossy, point({1.0, 1.0}), HalvedPl{0.25}, {.iterations = 200});
    EXPECT_TRUE(v.outcome == Outcome::certified || v.outcome == Outcome::inconclusive) << v.to_string();
    // What is false by more than that is seen all the same.
    const Verdict wrong = check_pl_rate(lossy, point({1.0, 1.0}), HalvedPl{0.3}, {.iterations = 200});
    EXPECT_EQ(wrong.outcome, Outcome::not_applicable) << wrong.to_string();
  }
}

TEST(PlRate, SmoothnessAndTheOptimumAreHypothesesThatAreLookedAt) {
  const auto steep = [](const Var& w) { return 0.5 * sum(Var(Tensor{1.0, 4.0}) * square(w)); };
  const Verdict rough = check_pl_rate(steep, point({1.0, 1.0}), {0.5}, {.smoothness = 1.0});
  EXPECT_EQ(rough.outcome, Outcome::not_applicable) << rough.to_string();
  EXPECT_THAT(rough.reason, HasSubstr("(step - L step^2 / 2)"));
  const Verdict high = check_pl_rate(quadratic, point({1.0, 1.0}), {0.25}, {.optimum = 0.3});
  EXPECT_EQ(high.outcome, Outcome::not_applicable) << high.to_string();
}

TEST(PlRate, BrokenHypothesesAreNamed) {
  const auto reason = [](HalvedPl pl, const theory::PlRateOptions& options) {
    const Verdict v = check_pl_rate(quadratic, point({0.0, 1.0}), pl, options);
    EXPECT_EQ(v.outcome, Outcome::not_applicable) << v.to_string();
    return v.reason;
  };
  EXPECT_THAT(reason({0.3}, {}), AllOf(HasSubstr("2 mu (f(w) - f*) <= |grad f(w)|^2"), HasSubstr("iterate")));
  EXPECT_THAT(reason({1.5}, {}), HasSubstr("mu <= L"));
  EXPECT_THAT(reason({0.25}, {.step = 2.0}), HasSubstr("step < 2 / L"));
  EXPECT_THAT(reason({-1.0}, {}), HasSubstr("0 < mu"));
  EXPECT_THROW(check_pl_rate(quadratic, point({0.0, 0.0}), {0.25}), DomainError);
  EXPECT_THROW(check_pl_rate(quadratic, point({0.0, 1.0}), {NAN}), DomainError);
}

TEST(PlRate, StopsWhereTheGapDrownsInRounding) {
  const Verdict v =
      check_pl_rate(quadratic, point({1.0, 1.0}), HalvedPl{0.25}, {.optimum = -0.0, .iterations = 100'000});
  EXPECT_EQ(v.outcome, Outcome::certified) << v.to_string();
  const auto shifted = [](const Var& w) { return quadratic(w) + 1.0; };
  const Verdict s =
      check_pl_rate(shifted, point({1.0, 1.0}), HalvedPl{0.25}, {.optimum = 1.0, .iterations = 100'000});
  EXPECT_EQ(s.outcome, Outcome::certified) << s.to_string();
  EXPECT_LT(s.curve("f - f*").size(), 200u);
}

}  // namespace
}  // namespace cotangent
