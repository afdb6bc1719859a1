// Numbers that are easily wrong, by kind: small differences of large numbers, sums of many, what over- or
// underflows on the way, 1/n times for divided by n, 0 times infinity, rules that are constant too soon.
// Expected values have 17 digits from 60; the table of extreme values asks every operation.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/losses.hpp"
#include "nn/module.hpp"
#include "nn/normalise.hpp"

namespace cotangent {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();
constexpr double kOfForty = 4.2483542552915889e-18;  // exp(-40) / (1 + exp(-40))

/// |a - b| at most so many units in the last place of b.
void expect_units(double a, double b, double units, const char* what) {
  const double unit = std::fabs(b) > 0.0 ? std::nextafter(std::fabs(b), kInf) - std::fabs(b) : kTiny;
  EXPECT_LE(std::fabs(a - b), units * unit) << what << ": " << a << " for " << b;
}

Var cross_entropy_of(const Var& logits, const Tensor& labels) { return nn::cross_entropy(logits, labels); }

TEST(Precision, SmallDifferencesOfLargeNumbersKeepTheirDigits) {
  for (const double x : {0.0, 1e12, 1e16, -1e300})
    expect_units(cross_entropy_of(Tensor{{x, x}}, Tensor{0.0}).item(), std::log(2.0), 2.0, "equal logits");
  const Tensor far{{40.0, 0.0}}, first{0.0};
  expect_units(cross_entropy_of(far, first).item(), kOfForty, 4.0, "cross entropy");
  // The loss as one node and by its operations, which a derivative of the derivative asks for.
  const auto loss = [&](const Var& z) { return cross_entropy_of(z, first); };
  const auto recorded = [&](const Var& z) { return grad(loss, z); };
  const std::vector<Tensor> gradients{grad(loss, far), jvp(recorded, far, far).value};
  for (const Tensor& g : gradients)
    for (const auto& [k, expected] : {std::pair{0, -kOfForty}, {1, kOfForty}})
      expect_units(g(0, k), expected, 8.0, "its gradient");
  for (const bool logarithm : {false, true}) {
    const auto top = [&](const Var& z) {
      return sum(slice(logarithm ? log_softmax(z, 1) : softmax(z, 1), 1, 0, 1));
    };
    const Tensor g = grad(top, far);
    expect_units(g(0, 0), kOfForty, 8.0, "the likely class");
    expect_units(g(0, 1), -kOfForty, 8.0, "the other class");
  }
  expect_units(log_softmax(far, 1).value()(0, 0), -kOfForty, 4.0, "log_softmax");
  const Tensor curvature = hessian([](const Var& z) { return log_sum_exp(z, 0); }, Tensor{0.0, 40.0});
  for (const auto& [i, j] : {std::pair{0, 0}, {0, 1}, {1, 0}, {1, 1}})
    expect_units(curvature(i, j), i == j ? kOfForty : -kOfForty, 8.0, "log_sum_exp's second derivative");
  expect_units(grad([](const Var& x) { return tanh(x); }, 20.0), 1.6993417021166355e-17, 8.0, "tanh'(20)");
  expect_units(hessian([](const Var& x) { return tanh(x); }, 20.0), -3.3986834042332711e-17, 12.0,
               "tanh''(20)");
}

// A class that cannot be and is not costs nothing; labelled, it costs infinitely much.
TEST(Precision, LogitsOfMinusInfinityMayBeMasked) {
  const Tensor logits{{1.0, -kInf, 1.0}};
  const auto loss = [](const Var& z) { return cross_entropy_of(z, Tensor{0.0}); };
  EXPECT_NEAR(loss(logits).item(), std::log(2.0), 1e-16);
  const Tensor g = grad(loss, logits);
  EXPECT_NEAR(g(0, 0), -0.5, 1e-16);
  EXPECT_EQ(g(0, 1), 0.0);
  EXPECT_NEAR(g(0, 2), 0.5, 1e-16);
  EXPECT_EQ(cross_entropy_of(logits, Tensor{1.0}).item(), kInf);
}

TEST(Precision, SumsOfManyArePairwise) {
  constexpr Index kMany = 10'000'000;
  const double exact = 1000000.0000000000555;  // 1e7 times the double 0.1
  const Tensor x = Tensor::full({kMany}, 0.1);
  const double off = 1e-15 * exact;
  EXPECT_NEAR(sum(x).item(), exact, off);
  EXPECT_NEAR(mean(x).item(), 0.1, 1e-16);
  EXPECT_NEAR(dot(x, Tensor::ones({kMany})).item(), exact, off);
  for (const Index columns : {1, 4, 40, 2000}) {
    const Tensor rows = x.reshape({kMany / columns, columns});
    const Tensor down = sum(rows, 0).value();
    const double part = exact / static_cast<double>(columns);
    for (const double v : down.data()) EXPECT_NEAR(v, part, 4e-15 * part) << columns << " columns";
  }
  EXPECT_NEAR(norm(x).item(), 0.1 * std::sqrt(1e7), 1e-15 * 400.0);
}

TEST(Precision, NothingOverflowsOrUnderflowsOnTheWay) {
  const auto length = [](const Var& x) { return norm(x); };
  for (const double t : {kTiny, 3e-310, 1e-200, 1e200, 1.7e308}) {
    const Tensor g = grad(length, Tensor{t, t});
    for (const double v : g.data()) EXPECT_NEAR(v, std::sqrt(0.5), 2e-16) << t;
  }
  const Tensor beside = grad(length, Tensor{kInf, 1.0});
  EXPECT_EQ(beside(0), 1.0);
  EXPECT_EQ(beside(1), 0.0);
  EXPECT_DOUBLE_EQ(norm(Params({{"w", Tensor{3e200, 4e200}}})), 5e200);
  // 2^1024 is no double, but its derivative by the exponent is.
  const auto power = [](const Var& b) { return pow(2.0, b); };
  expect_units(grad(power, 1024.0), 1.2460659279417838e308, 4.0, "2^x at 1024");
  expect_units(grad([](const Var& x) { return pow(x, Var(1e-300)); }, kTiny), 2.0240225330731062e+23, 4.0,
               "x^1e-300");
  expect_units(exp(Tensor::full({9}, 709.7)).value()(4), 1.6549840276802644e308, 4.0, "exp");
  expect_units(exp(Tensor::full({9}, -720.0)).value()(4), 2.0322308024183599e-313, 4.0, "exp");
  EXPECT_EQ(grad([](const Var& b) { return 0.0 / b; }, kTiny), 0.0);
  EXPECT_DOUBLE_EQ(mean(Tensor{1.7e308, 1.7e308, 1.7e308}).item(), 1.7e308);
  EXPECT_EQ(mean(Tensor{{1.7e308, 1e-300}, {1.7e308, 3e-300}}, 0).value()(1), 2e-300);
}

TEST(Precision, MeansDivideByTheCount) {
  EXPECT_EQ(mean(Tensor::ones({49})).item(), 1.0);
  EXPECT_EQ(mean(Tensor::ones({2, 49}), 1).value()(1), 1.0);
  EXPECT_EQ(nn::mse(Tensor::ones({49}), Tensor::zeros({49})).item(), 1.0);
  EXPECT_EQ(grad([](const Var& x) { return sum(mean(x, 0)); }, Tensor::ones({49, 3}))(0, 0), 1.0 / 49.0);
  const Tensor whole = Tensor::linspace(0.0, 22.0, 23);
  for (Index k = 0; k < 23; ++k) EXPECT_EQ(whole(k), static_cast<double>(k));
  const Tensor wide = Tensor::linspace(-1.7e308, 1.7e308, 5);
  EXPECT_EQ(wide(2), 0.0);
  EXPECT_DOUBLE_EQ(wide(1), -0.85e308);
}

TEST(Precision, EqualNumbersHaveNoVariance) {
  for (const double v : {1.0, 0.1, 1e15, 1.1e15, 1e200}) {
    const Tensor x = Tensor::full({1, 49}, v);
    EXPECT_EQ(variance(x).item(), 0.0) << v;
    const Tensor slopes = grad([](const Var& t) { return variance(t); }, x);
    for (const double slope : slopes.data()) EXPECT_EQ(slope, 0.0) << v;
    const nn::Normalise normalise({.to = nn::NormaliseTo::unit_variance, .epsilon = 1e-5});
    const Var normalised = normalise(Tensor::zeros({0}), x);
    for (const double y : normalised.value().data()) EXPECT_EQ(y, 0.0) << v;
  }
}

TEST(Precision, NoRuleMultipliesZeroByInfinity) {
  for (const auto f : {+[](const Var& x) { return gelu(x); }, +[](const Var& x) { return silu(x); },
                       +[](const Var& x) { return erf(x); }, +[](const Var& x) { return tanh(x); },
                       +[](const Var& x) { return sigmoid(x); }, +[](const Var& x) { return softplus(x); }})
    for (const double x : {kInf, -kInf}) {
      const auto first = [f](const Var& v) { return grad(f, v); };
      const auto second = [first](const Var& v) { return grad(first, v); };
      const double slope = grad(f, x);
      EXPECT_TRUE(slope == 0.0 || slope == 1.0) << x << ": " << slope;
      EXPECT_EQ(grad(first, x), 0.0);
      EXPECT_EQ(grad(second, x), 0.0);
    }
  EXPECT_EQ(grad([](const Var& x) { return gelu(x); }, kInf), 1.0);
  EXPECT_EQ(gelu(-kInf).item(), 0.0);
}

// Where log is not defined, its derivative is not either; -0 counts as 0.
TEST(Precision, DerivativesEndWithTheDomain) {
  EXPECT_TRUE(std::isnan(grad([](const Var& x) { return log(x); }, -2.0)));
  EXPECT_TRUE(std::isnan(grad([](const Var& x) { return log1p(x); }, -2.0)));
  EXPECT_EQ(grad([](const Var& x) { return log(x); }, -0.0), kInf);
  EXPECT_EQ(grad([](const Var& x) { return sqrt(x); }, -0.0), kInf);
  EXPECT_TRUE(std::isnan(pow(-kInf, 0.5).item()));
  EXPECT_TRUE(std::isnan(pow(Var(-kInf), Var(-2.5)).item()));
}

}  // namespace
}  // namespace cotangent
