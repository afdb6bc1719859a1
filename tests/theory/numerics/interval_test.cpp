// Outward rounding, number by number.
#include "theory/numerics/interval.hpp"

#include <gtest/gtest.h>

namespace cotangent::theory {
namespace {

constexpr double kEps = 0x1p-52, kTiny = 5e-324;

TEST(Interval, SumsAreRoundedDown) {
  EXPECT_EQ(sum_below(0.0, 0.1), 0.1);
  EXPECT_EQ(sum_below(0.1, 0.0), 0.1);
  EXPECT_EQ(sum_below(-0.0, 0.0), 0.0);
  // 1 + 2^-60 lies above 1 and is computed as 1.
  EXPECT_EQ(sum_below(1.0, 0x1p-60), 1.0 - 0.5 * kEps);
  // 1 - 2^-60 is computed as 1, which lies above it.
  EXPECT_LT(sum_below(1.0, -0x1p-60), 1.0);
  EXPECT_LT(sum_below(2.0, 3.0), 5.0);
  EXPECT_LT(sum_below(1.0, 1.0), 2.0);
}

TEST(Interval, DifferencesAndProductsAreRoundedOutward) {
  const Interval d = Interval{1.0, 3.0} - 0x1p-60;
  EXPECT_LT(d.lower, 1.0);
  EXPECT_GT(d.upper, 3.0);
  const Interval own = Interval{1.0, 3.0} - 1.0, other = Interval{1.0, 3.0} - 3.0,
                 none = Interval{1.0, 3.0} - 0.0;
  EXPECT_EQ(own.lower, 0.0);
  EXPECT_GT(own.upper, 2.0);
  EXPECT_EQ(other.upper, 0.0);
  EXPECT_LT(other.lower, -2.0);
  EXPECT_EQ(none.lower, 1.0);
  EXPECT_EQ(none.upper, 3.0);

  const auto spans = [](const Interval& x, double lower, double upper) {
    return lower - 4e-16 * std::fabs(lower) <= x.lower && x.lower < lower && upper < x.upper &&
           x.upper <= upper + 4e-16 * std::fabs(upper);
  };
  EXPECT_TRUE(spans(Interval{2.0, 3.0} * Interval{5.0, 7.0}, 10.0, 21.0));
  EXPECT_TRUE(spans(Interval{-2.0, 3.0} * Interval{5.0, 7.0}, -14.0, 21.0));
  EXPECT_TRUE(spans(Interval{-2.0, 3.0} * Interval{-5.0, 7.0}, -15.0, 21.0));
  EXPECT_TRUE(spans(Interval{-3.0, -2.0} * Interval{-7.0, -5.0}, 10.0, 21.0));
  EXPECT_TRUE(spans(Interval{1.0, 3.0} * Interval{-7.0, 5.0}, -21.0, 15.0));
  const Interval zero = Interval{0.0, 3.0} * Interval{0.0, 5.0},
                 all = Interval{0.0, 0.0} * Interval{-5.0, 5.0};
  EXPECT_EQ(zero.lower, 0.0);
  EXPECT_GT(zero.upper, 15.0);
  EXPECT_EQ(all.lower, 0.0);
  EXPECT_EQ(all.upper, 0.0);
  // What underflows is not 0.
  const Interval small = Interval{1e-200, 1e-200} * Interval{-1e-200, 1e-200};
  EXPECT_EQ(small.lower, -kTiny);
  EXPECT_EQ(small.upper, kTiny);
}

}  // namespace
}  // namespace cotangent::theory
