// The bridge to xtensor: no copies on the way out, always copies on the way in.
#include <gtest/gtest.h>

#include <type_traits>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

#include "autodiff/rng.hpp"
#include "autodiff/xtensor.hpp"

namespace cotangent {
namespace {

TEST(XtensorBridge, AViewSharesTheNumbersAndIsConstant) {
  const Tensor t{{1, 2, 3}, {4, 5, 6}};
  const auto v = view(t);
  EXPECT_EQ(v.data(), t.data().data());
  EXPECT_EQ(v.shape()[0], 2u);
  EXPECT_EQ(v.shape()[1], 3u);
  EXPECT_EQ(v(1, 2), 6.0);
  EXPECT_EQ(xt::sum(v)(), 21.0);
  static_assert(std::is_same_v<std::remove_pointer_t<decltype(v.data())>, const double>);
}

TEST(XtensorBridge, AViewOfATemporaryStaysAlive) {
  Rng rng(3);
  auto v = view(rng.normal(Shape{1000}));
  const Tensor again = Rng(3).normal(Shape{1000});
  const Tensor other = rng.normal(Shape{1000});  // would reuse the temporary's numbers, had they been freed
  for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(v(i), again(static_cast<Index>(i)));
  EXPECT_NE(v(0), other(0));
}

TEST(XtensorBridge, ViewsOfSlicesAndScalars) {
  const Tensor t{{1, 2}, {3, 4}, {5, 6}};
  EXPECT_EQ(view(t.rows(1, 3))(1, 0), 5.0);
  EXPECT_EQ(view(Tensor::scalar(7.0))(), 7.0);
}

TEST(XtensorBridge, ExpressionsAreEvaluatedAndCopied) {
  xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}};
  const Tensor sum = from_xtensor(2.0 * a + 1.0);
  EXPECT_TRUE(equal(sum, Tensor{{3, 5, 7}, {9, 11, 13}}));
  const Tensor copy = from_xtensor(a);
  a(0, 0) = 100.0;
  EXPECT_EQ(copy(0, 0), 1.0);
  EXPECT_TRUE(equal(from_xtensor(xt::transpose(a)), Tensor{{100, 4}, {2, 5}, {3, 6}}));
  EXPECT_TRUE(equal(from_xtensor(xt::view(a, xt::all(), 1)), Tensor{2, 5}));
  const xt::xarray<double, xt::layout_type::column_major> columns = a;
  EXPECT_TRUE(equal(from_xtensor(columns), from_xtensor(a)));
  EXPECT_TRUE(equal(from_xtensor(view(copy)), copy));
}

}  // namespace
}  // namespace cotangent
