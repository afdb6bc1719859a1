// Compensated arithmetic: what cancels in plain arithmetic, and bounds against numbers of 113 bits.
#include "autodiff/kernels/compensated.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cotangent {
namespace {

TEST(Compensated, SumsAndProductsSurviveCancellation) {
  EXPECT_EQ(compensated_sum({1.0, 1e100, 1.0, -1e100}).value, 2.0);
  EXPECT_EQ(compensated_sum({1.0, 1e100, 1.0, -1e100}).magnitude, 2e100);
  // x y with a large common part that cancels: plain arithmetic gives 0 or 2.
  const double e = 0x1p-30;
  const std::vector<double> a{1.0 + e, -1.0}, b{1.0 - e, 1.0};
  EXPECT_EQ(compensated_dot(a, b).value, -e * e);
  EXPECT_EQ((1.0 + e) * (1.0 - e) - 1.0, 0.0);
  const std::vector<double> c{1e16, 0.0}, d{1.0, 0.0};
  EXPECT_EQ(compensated_dot_difference(d, c, d).value, 1e16);
  EXPECT_EQ(compensated_dot_minus(a, b, -e * e).value, 0.0);
  EXPECT_EQ(compensated_dot_minus(c, c, 1e32).value, -5366162204393472.0);  // what 1e32 was rounded by
  EXPECT_EQ(compensated_dot_difference(c, c, d).value, 1e32 - 1e16);
  EXPECT_EQ(squared_distance(a, b).value, 4.0 * e * e + 4.0);
}

TEST(Compensated, RoundedProductsBracketTheExactOne) {
  Rng rng(5);
  for (int k = 0; k < 2000; ++k) {
    const Index n = 1 + rng.below(40);
    const Tensor a = rng.normal({n}), b = rng.normal({n}, 0.0, std::pow(10.0, rng.uniform() * 20.0 - 10.0));
    __float128 exact = 0;
    for (Index i = 0; i < n; ++i) exact += static_cast<__float128>(a(i)) * static_cast<__float128>(b(i));
    const double down = dot_rounded_down(a.data(), b.data()), up = dot_rounded_up(a.data(), b.data());
    EXPECT_LE(static_cast<__float128>(down), exact);
    EXPECT_GE(static_cast<__float128>(up), exact);
    EXPECT_LE(up - down, 1e-14 * compensated_dot(a.data(), b.data()).magnitude);
  }
}

TEST(Compensated, LengthsMustAgree) {
  const std::vector<double> a{1.0, 2.0}, b{1.0};
  EXPECT_THROW(compensated_dot(a, b), ShapeError);
  EXPECT_THROW(compensated_dot_minus(a, b, 1.0), ShapeError);
  EXPECT_THROW(squared_distance(a, b), ShapeError);
}

}  // namespace
}  // namespace cotangent
