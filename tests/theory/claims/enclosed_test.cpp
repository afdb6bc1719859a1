// What enclosures make of the two sides of a claim at a point.
#include "theory/claims/enclosed.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/autodiff.hpp"

namespace cotangent::theory {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Enclosed, TheDifferenceIsTheExactFunctions) {
  const auto sides = [](const Var& w) { return side(1.0 - cos(sum(w))) <= side(0.5 * square(sum(w))); };
  const Tensor w{1e-9};
  EXPECT_EQ(sides(w).inequality().margin(), 5e-19) << "as computed";
  const Inequality q = enclosed_at(sides, w);
  ASSERT_TRUE(q.difference);
  EXPECT_EQ(q.by(), Measured::By::enclosure);
  EXPECT_NEAR(q.margin(), std::pow(1e-9, 4) / 24.0, 1e-6 * std::pow(1e-9, 4));
  EXPECT_TRUE(q.proved());
  EXPECT_EQ(q.rhs.value(), 5e-19) << "the sides are shown as computed";
}

// 2 <= 2 + c, c known to 0.25: between -0.25 and 0.25 more than the constant says.
TEST(Enclosed, ConstantsAreTakenWithTheirErrors) {
  const auto row = [](double constant, double error) {
    return enclosed_at(
        [=](const Var& w) {
          return side(sum(w)) <= side(2.0 * sum(w) / 2.0) + side(within(constant, error));
        },
        Tensor{2.0});
  };
  const Inequality open = row(0.0, 0.25);
  EXPECT_FALSE(open.proved() || open.disproved());
  EXPECT_NEAR(open.tolerance(), 0.25, 1e-12);
  EXPECT_NEAR(open.margin(), 0.0, 1e-12);
  EXPECT_TRUE(row(0.3, 0.25).proved());
  EXPECT_TRUE(row(-0.3, 0.25).disproved());
  EXPECT_FALSE(row(0.2, 0.25).proved());
  EXPECT_FALSE(row(-0.2, 0.25).disproved());
  // A factor's error goes by what it multiplies, and errors of both sides add up.
  const auto factor = [](double constant) {
    return enclosed_at(
        [=](const Var& w) {
          return within(1.0, 0.1) * side(sum(w)) <= within(1.0, 0.2) * side(sum(w)) + side(exact(constant));
        },
        Tensor{-2.0});
  };
  EXPECT_NEAR(factor(0.0).tolerance(), 0.6, 1e-12);
  EXPECT_TRUE(factor(0.61).proved());
  EXPECT_FALSE(factor(0.59).proved());
}

// |a - b| <= accuracy (|a| + |b|): 1e-3 (2 + 3) for sides of 2 and 3.
TEST(Enclosed, AnIdentityIsJudgedWithItsAccuracy) {
  const auto row = [](double off) {
    return enclosed_at(
        [=](const Var& w) { return equal(side(sum(w)) + side(exact(1.0 + off)), side(1.5 * sum(w)), 1e-3); },
        Tensor{2.0});
  };
  EXPECT_FALSE(row(0.0).disproved());
  EXPECT_NEAR(row(0.0).tolerance(), 1e-3 * 6.0, 1e-9);
  EXPECT_FALSE(row(5.9e-3).disproved());
  EXPECT_TRUE(row(6.1e-3).disproved());
  EXPECT_FALSE(row(-5.9e-3).disproved());
  EXPECT_TRUE(row(-6.1e-3).disproved());
  // Of an inequality nothing is allowed.
  const Inequality at_most =
      enclosed_at([](const Var& w) { return side(sum(w)) <= side(sum(w) - 1e-9); }, Tensor{2.0});
  EXPECT_TRUE(at_most.disproved());
}

TEST(Enclosed, TwoPointsAtOnceAndWhatCannotBeEnclosed) {
  const Params v({{"w", Tensor{1.0, 2.0}}}), w({{"w", Tensor{3.0, 5.0}}});
  const Inequality q =
      enclosed_at([](const Var& a, const Var& b) { return side(dot(a, a)) <= side(dot(a, b)); }, v, w);
  EXPECT_NEAR(q.margin(), 13.0 - 5.0, 1e-12);

  const Inequality computed = rounded(1.0) <= rounded(2.0);
  Inequality known = computed;
  known.difference = enclosed(0.5, 0.5);
  EXPECT_EQ(enclosed_or(computed, [&] { return known; }).margin(), 0.5);
  known.difference = enclosed(-kInf, kInf);
  EXPECT_EQ(enclosed_or(computed, [&] { return known; }).margin(), 1.0) << "nothing is known of it";
  EXPECT_EQ(enclosed_or(computed, []() -> Inequality { throw DomainError("no enclosure"); }).margin(), 1.0);
  // An estimate stays one.
  const Inequality estimate =
      enclosed_at([](const Var& u) { return side(sum(u)) <= side(sampled(9.0, 0.1)); }, Tensor{1.0});
  EXPECT_FALSE(estimate.difference);
}

}  // namespace
}  // namespace cotangent::theory
