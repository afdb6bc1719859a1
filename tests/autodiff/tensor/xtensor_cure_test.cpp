// Proves that this build's flags cure xtensor's immediate reducers, which g++ in C++20 otherwise gets wrong.
#include <gtest/gtest.h>

#include <cstddef>
#include <vector>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xeval.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>

namespace {

using Extents = std::vector<std::size_t>;

// 0 .. 23 in [2, 3, 4]: entry (i, j, k) is 12 i + 4 j + k, so every sum has a closed form.
xt::xarray<double> counting() {
  xt::xarray<double> a = xt::zeros<double>(Extents{2, 3, 4});
  for (std::size_t p = 0; p < a.size(); ++p) a.flat(p) = static_cast<double>(p);
  return a;
}

template <class E>
Extents extents(const E& e) {
  return {e.shape().begin(), e.shape().end()};
}

TEST(XtensorCure, ImmediateSumAlongOneAxis) {
  const auto a = counting();
  const xt::xarray<double> first = xt::sum(a, {0}, xt::evaluation_strategy::immediate);
  const xt::xarray<double> middle = xt::sum(a, {1}, xt::evaluation_strategy::immediate);
  const xt::xarray<double> last = xt::sum(a, {2}, xt::evaluation_strategy::immediate);
  ASSERT_EQ(extents(first), (Extents{3, 4}));
  ASSERT_EQ(extents(middle), (Extents{2, 4}));
  ASSERT_EQ(extents(last), (Extents{2, 3}));
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 4; ++k) {
        const auto di = static_cast<double>(i), dj = static_cast<double>(j), dk = static_cast<double>(k);
        EXPECT_EQ(first(j, k), 12.0 + 2.0 * (4.0 * dj + dk));
        EXPECT_EQ(middle(i, k), 3.0 * (12.0 * di + dk) + 12.0);
        EXPECT_EQ(last(i, j), 4.0 * (12.0 * di + 4.0 * dj) + 6.0);
      }
    }
  }
}

TEST(XtensorCure, ImmediateMeanAlongTwoAxes) {
  const xt::xarray<double> m = xt::mean(counting(), {0, 2}, xt::evaluation_strategy::immediate);
  ASSERT_EQ(extents(m), (Extents{3}));
  for (std::size_t j = 0; j < 3; ++j) EXPECT_DOUBLE_EQ(m(j), 7.5 + 4.0 * static_cast<double>(j));
}

TEST(XtensorCure, EvaluatedReducer) {
  const auto a = counting();
  const auto s = xt::eval(xt::sum(a, {1}));
  ASSERT_EQ(extents(s), (Extents{2, 4}));
  EXPECT_EQ(s(1, 3), 57.0);  // 15 + 19 + 23
}

TEST(XtensorCure, FixedRankAndAdaptedBuffers) {
  std::vector<double> numbers{1, 2, 3, 4, 5, 6};
  const auto a = xt::adapt(numbers, Extents{2, 3});
  const xt::xtensor<double, 1> rows = xt::sum(a, {1}, xt::evaluation_strategy::immediate);
  ASSERT_EQ(extents(rows), (Extents{2}));
  EXPECT_EQ(rows(0), 6.0);
  EXPECT_EQ(rows(1), 15.0);
  const xt::xtensor<double, 1> top = xt::amax(a, {0}, xt::evaluation_strategy::immediate);
  ASSERT_EQ(extents(top), (Extents{3}));
  EXPECT_EQ(top(0), 4.0);
}

}  // namespace
