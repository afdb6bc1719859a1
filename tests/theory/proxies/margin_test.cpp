// The hard margin: closed forms, the best direction of the plane by search, duality,
// inseparable data, bad input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "nn/generators.hpp"
#include "theory/linear_program.hpp"
#include "theory/margin.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::hard_margin;
using theory::HardMargin;
using theory::margin_of;

/// The best of many directions of the plane.
double best_of_the_plane(const Tensor& x, const Tensor& y) {
  double best = -1e300;
  const int steps = 200000;
  for (int k = 0; k < steps; ++k) {
    const double angle = 2.0 * 3.14159265358979323846 * k / steps, c = std::cos(angle), s = std::sin(angle);
    double least = 1e300;
    for (Index i = 0; i < x.size(0); ++i)
      least = std::min(least, y.data()[static_cast<std::size_t>(i)] * (c * x(i, 0) + s * x(i, 1)));
    best = std::max(best, least);
  }
  return best;
}

TEST(HardMargin, TheLecturesSquare) {
  const HardMargin m = hard_margin({{0.6, 0.8}, {0.6, -0.8}, {-0.6, 0.8}, {-0.6, -0.8}}, {1, 1, -1, -1});
  EXPECT_NEAR(m.margin, 0.6, 2e-15);
  EXPECT_LE(m.margin, 0.6);
  EXPECT_GE(m.upper, 0.6);
  EXPECT_NEAR(m.direction(0), 1.0, 1e-15);
  EXPECT_NEAR(m.direction(1), 0.0, 1e-15);
}

TEST(HardMargin, OneSampleAndTwoOppositeOnes) {
  const HardMargin one = hard_margin({{3.0, 4.0}}, {-1});
  EXPECT_NEAR(one.margin, 5.0, 1e-14);
  EXPECT_NEAR(one.direction(0), -0.6, 1e-15);
  EXPECT_NEAR(hard_margin({{1.0, 0.0}, {-1.0, 0.0}}, Tensor{{1}, {-1}}).margin, 1.0, 1e-15);
}

TEST(HardMargin, IsTheBestDirectionOfThePlane) {
  Rng rng(3);
  for (int k = 0; k < 20; ++k) {
    const auto data =
        nn::separable(rng, {.n = 4 + rng.below(20), .d = 2, .margin = 0.02 + 0.3 * rng.uniform()});
    const HardMargin m = hard_margin(data.x, data.y);
    EXPECT_NEAR(m.margin, best_of_the_plane(data.x, data.y), 2e-5);
    EXPECT_GE(m.margin, best_of_the_plane(data.x, data.y) - 1e-12) << "no direction is better";
  }
}

TEST(HardMargin, WeightsProveThatNothingIsBetter) {
  Rng rng(4);
  for (int k = 0; k < 60; ++k) {
    const Index n = 2 + rng.below(150), d = 2 + rng.below(60);
    const auto data = nn::separable(rng, {.n = n, .d = d, .margin = 0.01 + 0.5 * rng.uniform()});
    const HardMargin m = hard_margin(data.x, data.y);
    EXPECT_TRUE(m.separable());
    EXPECT_GE(m.margin, margin_of(data.direction, data.x, data.y) - 1e-12);
    EXPECT_LE(m.upper - m.margin, 1e-9 * m.upper) << "n " << n << " d " << d;
    double sum = 0.0, point = 0.0;
    std::vector<double> combination(static_cast<std::size_t>(d));
    for (Index i = 0; i < n; ++i) {
      EXPECT_GE(m.weights(i), 0.0);
      sum += m.weights(i);
      for (Index j = 0; j < d; ++j)
        combination[static_cast<std::size_t>(j)] += m.weights(i) * data.y(i, 0) * data.x(i, j);
    }
    for (const double c : combination) point += c * c;
    EXPECT_NEAR(sum, 1.0, 1e-12);
    EXPECT_NEAR(std::sqrt(point), m.upper, 1e-12);
  }
}

TEST(HardMargin, RepeatedSamplesAndManyOfThem) {
  Rng rng(8);
  const auto data = nn::separable(rng, {.n = 50, .d = 5, .margin = 0.1});
  const Tensor x = concat({data.x, data.x, data.x}, 0).value(),
               y = concat({data.y, data.y, data.y}, 0).value();
  EXPECT_NEAR(hard_margin(x, y).margin, hard_margin(data.x, data.y).margin, 1e-12);
}

TEST(HardMargin, SaysWhenNothingSeparates) {
  const HardMargin opposite = hard_margin({{1.0, 0.0}, {-1.0, 0.0}}, {1, 1});
  EXPECT_FALSE(opposite.separable());
  EXPECT_EQ(opposite.direction.size(), 0);
  EXPECT_LT(opposite.upper, 1e-14);
  Rng rng(6);
  for (int k = 0; k < 20; ++k) {
    const Tensor x = rng.normal({60, 3});
    std::vector<double> y;
    for (int i = 0; i < 60; ++i) y.push_back(rng.below(2) ? 1.0 : -1.0);
    const HardMargin m = hard_margin(x, Tensor::from(y, {60}));
    EXPECT_FALSE(m.separable());
    EXPECT_LT(m.upper, 1e-7) << "the hull holds 0";
  }
}

// y_i <v, x_i> >= 1 for some v, or by Farkas weights of sum 1 with sum_i lambda_i y_i x_i = 0: another
// solver finds the same of the two.
TEST(HardMargin, AgreesWithALinearProgramOnWhatIsSeparable) {
  Rng rng(9);
  int separable = 0;
  for (int k = 0; k < 200; ++k) {
    const Index n = 2 + rng.below(12), d = 1 + rng.below(6);
    const Tensor x = rng.normal({n, d}), y = (2.0 * less(rng.uniform({n, 1}), 0.5) - 1.0).value();
    const Tensor rows = scale_rows(x, reshape(-Var(y), Shape{n})).value();  // [n, d]
    const theory::LinearSolution s =
        theory::linear_program({.c = Tensor::zeros({d}), .a = rows, .b = (-Var(Tensor::ones({n}))).value()});
    const HardMargin m = hard_margin(x, y);
    ASSERT_EQ(m.separable(), s.status == theory::LinearStatus::optimal)
        << s.to_string() << " n " << n << " d " << d;
    separable += m.separable();
    if (m.separable()) {
      EXPECT_GT(margin_of(s.x, x, y), 0.0);
      EXPECT_LE(margin_of(s.x, x, y), m.upper);
    } else {
      ASSERT_EQ(s.status, theory::LinearStatus::infeasible);
      EXPECT_NEAR(s.bound, 1.0, 1e-12) << "the weights' sum";
      EXPECT_LT(s.residual, 1e-12) << "the weights' combination is 0";
    }
  }
  EXPECT_GT(separable, 40);
  EXPECT_LT(separable, 160);
}

TEST(HardMargin, AnyScaleWillDo) {
  Rng rng(7);
  const auto data = nn::separable(rng, {.n = 20, .d = 4, .margin = 0.2});
  const double margin = hard_margin(data.x, data.y).margin;
  for (const double scale : {0x1p-600, 0x1p-200, 0x1p300, 0x1p900}) {
    const HardMargin m = hard_margin((scale * Var(data.x)).value(), data.y);
    EXPECT_NEAR(m.margin / scale, margin, 1e-12) << scale;
    EXPECT_GE(m.upper, m.margin);
  }
  EXPECT_NEAR(hard_margin(Tensor{{1e200, 0}}, Tensor{1}).margin, 1e200, 1e186);
}

TEST(HardMargin, OfADirectionOfOnesOwnIsRoundedDown) {
  const Tensor x{{0.1, 0.2}, {0.3, 0.4}}, y{1, 1};
  EXPECT_LE(margin_of({2.0, 0.0}, x, y), 0.1);
  EXPECT_NEAR(margin_of({2.0, 0.0}, x, y), 0.1, 1e-15);
  EXPECT_NEAR(margin_of({-1.0, 0.0}, x, y), -0.3, 1e-15);
  EXPECT_LE(margin_of({-1.0, 0.0}, x, y), -0.3);
}

template <class F>
std::string message(F f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(HardMargin, BadInputIsNamed) {
  const Tensor x{{1.0, 0.0}, {0.0, 1.0}};
  EXPECT_THAT(message([&] { hard_margin(x, Tensor{1, 0}); }), HasSubstr("a label is 0"));
  EXPECT_THAT(message([&] { hard_margin(x, Tensor{1}); }), HasSubstr("X is [2, 2], y is [1]"));
  EXPECT_THAT(message([&] {
                hard_margin(Tensor::zeros({0, 2}), Tensor());
              }),
              HasSubstr("at least one sample"));
  EXPECT_THAT(message([&] { hard_margin(Tensor{{NAN, 0.0}}, Tensor{1}); }), HasSubstr("nan"));
  EXPECT_THAT(message([&] { margin_of(Tensor{0, 0}, x, Tensor{1, 1}); }), HasSubstr("zero"));
  EXPECT_THAT(message([&] { margin_of(Tensor{1, 0, 0}, x, Tensor{1, 1}); }), HasSubstr("[3]"));
}

// No, yes, and that the numbers leave it open, are three answers.
TEST(HardMargin, SaysWhatItKnows) {
  const auto found = [](const Tensor& x, const Tensor& y) { return theory::hard_margin(x, y); };
  // Opposite samples, a sample at 0, and 0 in the middle of three: certainly not.
  for (const double unit : {1.0, 1e-160, 1e160}) {
    for (const Tensor& x :
         {Tensor{{0.3, 0.7}, {-0.3, -0.7}, {0.5, 0.5}}, Tensor{{0.0, 0.0}, {0.3, 0.1}, {1, 1}},
          Tensor{{1.0, 0.0}, {-0.5, 0.8}, {-0.6, -0.7}}}) {
      const theory::HardMargin m = found((unit * Var(x)).value(), {1, 1, 1});
      EXPECT_TRUE(m.inseparable() && !m.separable()) << m.margin << " to " << m.upper << " at " << unit;
      EXPECT_EQ(m.upper, 0.0);
    }
    EXPECT_TRUE(found((unit * Var(Tensor{{1.0, 0.1}, {-0.5, 0.8}})).value(), {1, 1}).separable());
  }
  const theory::HardMargin open = found({{0.1, 0.3}, {-0.2, -0.6 + 1e-16}}, {1, 1});
  EXPECT_FALSE(open.separable() || open.inseparable()) << open.margin << " to " << open.upper;
  // Three points that surround 0 by less than their rounding: nobody knows.
  const theory::HardMargin thin = found({{1.0, 1e-17}, {-0.5, -1e-17}, {-0.6, 1e-17}}, {1, 1, 1});
  EXPECT_FALSE(thin.inseparable()) << thin.margin << " to " << thin.upper;
}

TEST(HardMargin, TheMarginsOfADirectionAreBracketed) {
  Rng rng(7);
  for (int k = 0; k < 200; ++k) {
    const Tensor x = rng.normal({5, 3}), v = rng.normal({3});
    Tensor y = Tensor::ones({5});
    const theory::DirectionMargins m = theory::margins_of(v, x, y);
    double least = INFINITY;
    for (Index i = 0; i < 5; ++i) {
      __float128 dot = 0, square = 0;
      for (Index j = 0; j < 3; ++j) {
        dot += static_cast<__float128>(x(i, j)) * v(j);
        square += static_cast<__float128>(v(j)) * v(j);
      }
      const auto at = static_cast<std::size_t>(i);
      // Squares, for there is no root of __float128 in the standard library.
      const auto signed_square = [](__float128 t) { return t < 0 ? -t * t : t * t; };
      EXPECT_TRUE(signed_square(m.lower[at]) * square <= signed_square(dot)) << k;
      EXPECT_TRUE(signed_square(m.upper[at]) * square >= signed_square(dot)) << k;
      EXPECT_LT(m.upper[at] - m.lower[at], 1e-14);
      least = std::min(least, m.lower[at]);
    }
    EXPECT_EQ(margin_of(v, x, y), least);
  }
}

}  // namespace
}  // namespace cotangent
