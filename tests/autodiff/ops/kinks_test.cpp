// The kink table: at 0 every operation with a kink takes the derivative it documents.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kinks.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tape/state.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/kink_table.hpp"

namespace cotangent {
namespace {

using test::curved_table;
using test::CurvedRow;
using test::expect_close;
using test::kink_table;
using test::KinkRow;
using test::step_table;
using test::StepRow;

constexpr double kTiny = std::numeric_limits<double>::denorm_min();
const std::vector<double> kPoints{0.0, -0.0, kTiny, -kTiny, 1e-300, -1e-300,
                                  0.5, -0.5, 3.0,   -3.0,   1e100,  -1e100};

TEST(Kinks, ValuesGoBySign) {
  for (const KinkRow& row : kink_table())
    for (const double x : kPoints)
      EXPECT_EQ(row.function(x).item(), x >= 0.0 ? row.right * x : row.left * x) << row.name << " at " << x;
}

TEST(Kinks, FirstDerivativeAtZeroIsOne) {
  for (const KinkRow& row : kink_table())
    for (const double x : kPoints)
      EXPECT_EQ(grad(row.function, x), x >= 0.0 ? row.right : row.left) << row.name << " at " << x;
}

TEST(Kinks, InArraysAsForSingleNumbers) {
  const Tensor x = Tensor::from(kPoints, Shape{static_cast<Index>(kPoints.size())});
  for (const KinkRow& row : kink_table()) {
    const Tensor g = grad([&](const Var& v) { return sum(row.function(v)); }, x);
    for (std::size_t i = 0; i < kPoints.size(); ++i)
      EXPECT_EQ(g.data()[i], kPoints[i] >= 0.0 ? row.right : row.left) << row.name << " at " << kPoints[i];
  }
}

TEST(Kinks, SecondDerivativeIsZeroEverywhere) {
  for (const KinkRow& row : kink_table())
    for (const double x : kPoints) EXPECT_EQ(hessian(row.function, x), 0.0) << row.name << " at " << x;
}

// (f^2)'' = 2 f'^2 + 2 f f'' = 2 f'(0)^2 at the kink: both factors take the documented derivative.
TEST(Kinks, SecondDerivativeOfTheSquareTakesTheSameSide) {
  for (const KinkRow& row : kink_table()) {
    if (std::fabs(row.left) > 1e100) continue;
    for (const double x : {0.0, -0.0, -kTiny, -1.0, 1.0}) {
      const double slope = x >= 0.0 ? row.right : row.left;
      EXPECT_EQ(hessian([&](const Var& v) { return square(row.function(v)); }, x), 2.0 * slope * slope)
          << row.name << " at " << x;
    }
  }
}

TEST(Kinks, StepsHaveDerivativeZeroEverywhere) {
  for (const StepRow& row : step_table()) {
    for (const double x : kPoints) {
      EXPECT_EQ(row.function(x).item(), x == 0.0  ? row.at
                                        : x < 0.0 ? row.left
                                                  : row.right)
          << row.name << " at " << x;
      EXPECT_EQ(grad(row.function, x), 0.0) << row.name << " at " << x;
      EXPECT_EQ(hessian(row.function, x), 0.0) << row.name << " at " << x;
      // x times the step has the step as its derivative: the step itself lets nothing through.
      EXPECT_EQ(grad([&](const Var& v) { return v * row.function(v); }, x), row.function(x).item())
          << row.name;
    }
    EXPECT_TRUE(std::isnan(row.function(NAN).item())) << row.name;
  }
  // By a parameter that cannot influence the result there is an error that names it.
  EXPECT_THROW(grad([](const Var& w) { return sum(sign(w)); }, Params({{"a", Tensor{1.0, 2.0}}})), TapeError);
}

// At a tie the first operand has all of the derivative, the second none; both orders of the operands say so.
TEST(Kinks, TiesOfTwo) {
  const auto both = [](Var (*f)(const Var&, const Var&), const Tensor& at) {
    return grad([&](const Var& v) { return f(view(v, 0, Shape{}), view(v, 1, Shape{})); }, at);
  };
  for (const double t : {0.0, -0.0, 3.0, -HUGE_VAL}) {
    EXPECT_TRUE(equal(both(maximum, Tensor{t, t}), Tensor{1.0, 0.0})) << t;
    EXPECT_TRUE(equal(both(minimum, Tensor{t, t}), Tensor{1.0, 0.0})) << t;
  }
  EXPECT_TRUE(equal(both(maximum, Tensor{1.0, 2.0}), Tensor{0.0, 1.0}));
  EXPECT_TRUE(equal(both(minimum, Tensor{1.0, 2.0}), Tensor{1.0, 0.0}));
  EXPECT_EQ(grad([](const Var& x) { return clip(x, -1.0, 2.0); }, -1.0), 1.0);
  EXPECT_EQ(grad([](const Var& x) { return clip(x, -1.0, 2.0); }, 2.0), 1.0);
  EXPECT_EQ(grad([](const Var& x) { return clip(x, -1.0, 2.0); }, std::nextafter(2.0, 3.0)), 0.0);
}

TEST(Kinks, TiesAlongAxesGoToTheFirst) {
  const Tensor x{{1.0, 5.0, 5.0}, {5.0, -2.0, -2.0}};
  const auto largest = [](const ReduceOptions& o) { return [o](const Var& v) { return sum(max(v, o)); }; };
  const auto smallest = [](const ReduceOptions& o) { return [o](const Var& v) { return sum(min(v, o)); }; };
  EXPECT_TRUE(equal(grad(largest({}), x), Tensor{{0, 1, 0}, {0, 0, 0}}));
  EXPECT_TRUE(equal(grad(largest({.axes = {1}}), x), Tensor{{0, 1, 0}, {1, 0, 0}}));
  EXPECT_TRUE(equal(grad(largest({.axes = {0}}), x), Tensor{{0, 1, 1}, {1, 0, 0}}));
  EXPECT_TRUE(equal(grad(smallest({}), x), Tensor{{0, 0, 0}, {0, 1, 0}}));
  // By axes apart from each other, row-major order still says which is the first.
  const Tensor cube{{{0, 7}, {7, 0}}, {{7, 7}, {7, 7}}};
  EXPECT_TRUE(equal(grad(largest({.axes = {0, 2}}), cube), Tensor{{{0, 1}, {1, 0}}, {{0, 0}, {0, 0}}}));
  EXPECT_TRUE(equal(grad([](const Var& v) { return norm(v, {.kind = Norm::infinity}); }, Tensor{-2.0, 2.0}),
                    Tensor{-1.0, 0.0}));
}

TEST(Kinks, TheNormAtZeroHasDerivativeZeroAndNoSecondOne) {
  const auto length = [](const Var& v) { return norm(v); };
  EXPECT_TRUE(equal(grad(length, Tensor{0.0, -0.0, 0.0}), Tensor{0.0, 0.0, 0.0}));
  // Neither has its square by the chain rule, which would be 0 times infinity.
  const auto squared = [&](const Var& v) { return square(norm(v)); };
  try {
    hessian(length, Tensor{0.0, 0.0});
    ADD_FAILURE() << "no error";
  } catch (const DomainError& e) {
    EXPECT_STREQ(
        e.what(),
        "[norm] a vector of x, which is [2], is 0 along axis 0: |x| has no second derivative there; for "
        "that of |x|^2 take sum(square(x)), or begin away from 0");
  }
  EXPECT_THROW(hessian(squared, Tensor{0.0, 0.0}), DomainError);
  EXPECT_THROW(
      hessian([&](const Var& v) { return sum(norm(v, {.axes = {1}})); }, Tensor{{1.0, 2.0}, {0.0, -0.0}}),
      DomainError);
  EXPECT_TRUE(equal(grad(length, Tensor{3.0, -4.0}), Tensor{3.0 / 5.0, -4.0 / 5.0}));
  for (const double t : {kTiny, 1e-300, 1e-160, 1e160, 1e300}) {
    EXPECT_EQ(norm(Tensor{t, 0.0}).item(), t);
    EXPECT_EQ(grad(length, Tensor{-t, 0.0})(0), -1.0) << t;
  }
  EXPECT_NEAR(norm(Tensor{3e200, 4e200}).item() / 5e200, 1.0, 1e-15);
  EXPECT_EQ(norm(Tensor{1.0, -INFINITY}).item(), INFINITY);
  EXPECT_TRUE(std::isnan(norm(Tensor{NAN, 1e-200}).item()));
  EXPECT_TRUE(std::isnan(norm(Tensor{NAN, INFINITY}).item()));
  EXPECT_TRUE(std::isnan(norm(Tensor{1e-200, NAN, 1e-200}).item()));
  EXPECT_TRUE(std::isnan(norm(Tensor{{NAN, 1.0}, {1.0, 1.0}}, {.axes = {0}}).value()(0)));
}

TEST(Kinks, PowersAtZero) {
  const auto by_order = [](double p) {
    const auto f = [p](const Var& x) { return pow(x, p); };
    const auto first = [f](const Var& x) { return grad(f, x); };
    const auto second = [first](const Var& x) { return grad(first, x); };
    return Tensor{f(0.0).item(), grad(f, 0.0), grad(first, 0.0), grad(second, 0.0)};
  };
  EXPECT_TRUE(equal(by_order(0.0), Tensor{1.0, 0.0, 0.0, 0.0}));
  EXPECT_TRUE(equal(by_order(1.0), Tensor{0.0, 1.0, 0.0, 0.0}));
  EXPECT_TRUE(equal(by_order(2.0), Tensor{0.0, 0.0, 2.0, 0.0}));
  EXPECT_TRUE(equal(by_order(3.0), Tensor{0.0, 0.0, 0.0, 6.0}));
  EXPECT_TRUE(equal(by_order(5.0), Tensor{0.0, 0.0, 0.0, 0.0}));
  EXPECT_EQ(by_order(1.5)(1), 0.0);
  EXPECT_EQ(by_order(1.5)(2), INFINITY);
  EXPECT_EQ(by_order(0.5)(1), INFINITY);
  EXPECT_TRUE(std::isnan(pow(-1.0, 0.5).item()));
  EXPECT_EQ(pow(-2.0, 3.0).item(), -8.0);
  EXPECT_TRUE(std::isnan(pow(Var(NAN), 0.0).item()));
  EXPECT_TRUE(std::isnan(pow(Var(1.0), Var(NAN)).item()));
  const auto by_exponent = [](double a) { return [a](const Var& b) { return pow(Var(a), b); }; };
  EXPECT_EQ(grad(by_exponent(0.0), 2.0), 0.0);
  EXPECT_EQ(hessian(by_exponent(0.0), 2.0), 0.0);
  EXPECT_EQ(grad(by_exponent(0.0), 0.0), 0.0);
  EXPECT_TRUE(std::isnan(grad(by_exponent(-1.0), 2.0)));
  EXPECT_DOUBLE_EQ(grad(by_exponent(3.0), 2.0), 9.0 * std::log(3.0));
}

/// f and its derivatives up to order 4 at x.
std::array<double, 5> by_order(const std::function<Var(const Var&)>& f, double x) {
  std::array<double, 5> result{};
  std::function<Var(const Var&)> derivative = f;
  for (double& number : result) {
    number = derivative(x).item();
    derivative = [before = derivative](const Var& v) { return grad(before, v); };
  }
  return result;
}

TEST(Kinks, PowersWithAVariableExponentAreThoseWithAConstant) {
  for (const double p : {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1.5, 0.5, -1.0, -0.5})
    for (const double x : {0.0, -0.0, 0.75, 2.0}) {
      const auto constant = by_order([p](const Var& v) { return pow(v, p); }, x);
      const auto variable = by_order([p](const Var& v) { return pow(v, Var(p)); }, x);
      const auto along = by_order([p](const Var& v) { return pow(v, p + 0.0 * v); }, x);
      const auto array = by_order(
          [p](const Var& v) {
            return sum(pow(stack({v, v + 1.0}), Tensor{p, 2.0}) -
                       Tensor{0.0, 1.0} * square(stack({v, v + 1.0})));
          },
          x);
      for (std::size_t k = 0; k < 5; ++k) {
        if (x == 0.0 && !std::isfinite(constant[k])) break;
        const double slack = 1e-13 * (1.0 + std::fabs(constant[k]));
        EXPECT_NEAR(variable[k], constant[k], slack) << x << "^" << p << ", order " << k;
        EXPECT_NEAR(array[k], constant[k], 10 * slack) << x << "^" << p << ", order " << k;
        if (x != 0.0 || k < 2) {
          EXPECT_NEAR(along[k], constant[k], 10 * slack) << x << "^" << p << ", order " << k;
        }
      }
    }
}

TEST(Kinks, PowersByBaseAndExponentWhereTheExponentIsZero) {
  const auto f = [](const Var& v) { return pow(view(v, 0, Shape{}), view(v, 1, Shape{})); };
  const double log2 = std::log(2.0);
  expect_close(hessian(f, Tensor{2.0, 0.0}), Tensor{{0.0, 0.5}, {0.5, log2 * log2}}, 1e-15);
  expect_close(grad(f, Tensor{0.0, 0.0}), Tensor{0.0, 0.0}, 0.0);
}

// d/dx sqrt(relu(x)) below 0: the infinite derivative of the root does not come through a slope of 0.
TEST(Kinks, NoInfinityComesThroughADeadSide) {
  for (const auto f :
       {+[](const Var& x) { return relu(x); }, +[](const Var& x) { return leaky_relu(x, 0.0); },
        +[](const Var& x) { return clip(x, 0.0, INFINITY); }, +[](const Var& x) { return maximum(x, 0.0); },
        +[](const Var& x) { return elu(x, 0.0); }}) {
    const Tensor g = grad([&](const Var& x) { return sum(sqrt(f(x))); }, Tensor{-1.0, 4.0, -INFINITY});
    EXPECT_TRUE(equal(g, Tensor{0.0, 0.25, 0.0}));
    EXPECT_EQ(hessian([&](const Var& x) { return sqrt(f(x)); }, -1.0), 0.0);
    EXPECT_TRUE(std::isnan(grad([&](const Var& x) { return sqrt(f(x)); }, NAN)));
  }
  EXPECT_EQ(grad([](const Var& x) { return sqrt(x); }, 0.0), INFINITY);
  EXPECT_TRUE(std::isnan(detail::leaky_mask(INFINITY, NAN, 0.0).item()));
  EXPECT_EQ(detail::exp_mask(INFINITY, 1.0, 1.0, 0.0).item(), 0.0);
}

// A NaN is the result, so the derivative is its own: the first one's, whichever way the axis lies in memory.
TEST(Kinks, TheDerivativeOfAnExtremeIsThatOfTheFirstNaN) {
  for (const auto extreme :
       {+[](const Var& x) { return sum(max(x, 0)); }, +[](const Var& x) { return sum(min(x, 0)); }}) {
    EXPECT_TRUE(equal(grad(extreme, Tensor{1.0, NAN, 2.0, NAN}), Tensor{0.0, 1.0, 0.0, 0.0}));
    EXPECT_TRUE(equal(grad(extreme, Tensor{{1.0, NAN}, {NAN, 2.0}, {NAN, NAN}}),
                      Tensor{{0.0, 1.0}, {1.0, 0.0}, {0.0, 0.0}}));
  }
}

// The side not taken has no say, whatever it is: neither its value nor its derivative.
TEST(Kinks, WhereKeepsTheOtherSideOut) {
  const auto guarded = [](const Var& x) { return where(greater(x, 0.0), log(maximum(x, 1e-300)), 0.0); };
  EXPECT_EQ(guarded(-1.0).item(), 0.0);
  EXPECT_EQ(grad(guarded, -1.0), 0.0);
  EXPECT_EQ(where(0.0, NAN, 2.0).item(), 2.0);
  EXPECT_EQ(where(7.0, 2.0, INFINITY).item(), 2.0);
  EXPECT_TRUE(std::isnan(where(NAN, 1.0, 2.0).item()));
  EXPECT_EQ(grad([](const Var& x) { return where(x, 3.0, 4.0); }, 1.0), 0.0);
  // The form its documentation warns of, and the safe one.
  const auto warned = [](const Var& x) { return where(greater(x, 0.0), log(x), 0.0); };
  const auto safe = [](const Var& x) {
    const Var m = greater(x, 0.0);
    return where(m, log(where(m, x, 1.0)), 0.0);
  };
  EXPECT_TRUE(std::isnan(grad(warned, 0.0)));
  EXPECT_EQ(grad(safe, 0.0), 0.0);
  EXPECT_EQ(hessian(safe, 0.0), 0.0);
  EXPECT_EQ(grad(safe, 4.0), 0.25);
}

// The mask is linear in its first argument; by its second the derivative is 0, at the jump too.
TEST(Kinks, MaskByItsSecondArgument) {
  for (const double x : kPoints) {
    const auto by_x = [](const Var& v) { return detail::leaky_mask(3.0, v, 0.25); };
    EXPECT_EQ(by_x(x).item(), x >= 0.0 ? 3.0 : 0.75);
    EXPECT_EQ(grad(by_x, x), 0.0);
  }
}

TEST(Kinks, NaNStaysNaN) {
  for (const KinkRow& row : kink_table()) {
    EXPECT_TRUE(std::isnan(row.function(NAN).item())) << row.name;
    EXPECT_TRUE(std::isnan(row.function(-NAN).item())) << row.name;
  }
  for (Var (*f)(const Var&, const Var&) : {maximum, minimum}) {
    EXPECT_TRUE(std::isnan(f(NAN, 1.0).item()) && std::isnan(f(1.0, NAN).item()));
    EXPECT_TRUE(std::isnan(f(Tensor{NAN, 1.0}, 0.0).value()(0)));
  }
  EXPECT_TRUE(std::isnan(clip(NAN, 0.0, 1.0).item()));
  EXPECT_TRUE(std::isnan(expm1(NAN).item()) && std::isnan(log1p(NAN).item()));
  for (Index at = 0; at < 19; ++at) {
    const Tensor x = (Tensor::ones(Shape{19}) *
                      where(equal_to(Tensor::linspace(0, 18, 19), static_cast<double>(at)), NAN, 1.0))
                         .value();
    EXPECT_TRUE(std::isnan(max(x).item()) && std::isnan(min(x).item())) << at;
    EXPECT_TRUE(std::isnan(max(reshape(x, Shape{19, 1}), 0).value()(0))) << at;
    EXPECT_TRUE(std::isnan(grad([](const Var& v) { return max(square(v)); }, x)(at))) << at;
  }
  const Tensor y = relu(Tensor{1.0, NAN, -1.0, 2.0, -2.0, 3.0, NAN, 4.0, 5.0}).value();
  EXPECT_TRUE(std::isnan(y(1)) && std::isnan(y(6)));
  EXPECT_EQ(y(2), 0.0);
  EXPECT_EQ(y(8), 5.0);
}

TEST(Kinks, Infinities) {
  EXPECT_EQ(relu(-INFINITY).item(), 0.0);
  EXPECT_EQ(relu(INFINITY).item(), INFINITY);
  EXPECT_EQ(leaky_relu(-INFINITY, 0.1).item(), -INFINITY);
  EXPECT_EQ(leaky_relu(-INFINITY, -1.0).item(), INFINITY);
}

TEST(Kinks, CurvedFunctionsToThirdOrder) {
  for (const CurvedRow& row : curved_table())
    for (const double x : kPoints) {
      const auto first = [&](const Var& v) { return grad(row.function, v); };
      const auto second = [&](const Var& v) { return grad(first, v); };
      EXPECT_DOUBLE_EQ(row.function(x).item(), row.exact[0](x)) << row.name << " at " << x;
      EXPECT_DOUBLE_EQ(grad(row.function, x), row.exact[1](x)) << row.name << " at " << x;
      EXPECT_DOUBLE_EQ(grad(first, x), row.exact[2](x)) << row.name << " at " << x;
      EXPECT_DOUBLE_EQ(grad(second, x), row.exact[3](x)) << row.name << " at " << x;
    }
  // In an array, where exp(x) of the other side overflows in the same register.
  const Tensor x{0.0, -1.0, 1e300, 800.0, -800.0, INFINITY, -INFINITY, 2.0, -0.0};
  const Tensor y = elu(x, 2.0).value(), g = grad([](const Var&v) { return sum(elu(v, 2.0)); }, x);
  for (Index i = 0; i < x.size(); ++i) {
    EXPECT_DOUBLE_EQ(y(i), x(i) >= 0.0 ? x(i) : 2.0 * std::expm1(x(i)));
    EXPECT_DOUBLE_EQ(g(i), x(i) >= 0.0 ? 1.0 : 2.0 * std::exp(x(i)));
  }
  for (const CurvedRow& row : curved_table()) EXPECT_TRUE(std::isnan(row.function(NAN).item())) << row.name;
  EXPECT_TRUE(std::isnan(grad([](const Var& v) { return elu(v); }, NAN)));
}

// max(x, slope x) would be another function for slopes above 1: it takes the upper branch on the wrong side.
TEST(Kinks, SlopesAboveOneAreNotAMaximum) {
  EXPECT_EQ(leaky_relu(2.0, 2.5).item(), 2.0);
  EXPECT_EQ(leaky_relu(-2.0, 2.5).item(), -5.0);
}

/// A function with one kink, or a step, and where it is.
struct PlacedKink {
  std::string name;
  std::function<Var(const Var&)> function;
  double at = 0.0;
};

std::vector<PlacedKink> placed_kinks() {
  std::vector<PlacedKink> rows{
      {"norm", [](const Var& x) { return norm(x); }},
      {"clip from 1.5", [](const Var& x) { return clip(x, 1.5, INFINITY); }, 1.5},
      {"clip to -2", [](const Var& x) { return clip(x, -INFINITY, -2.0); }, -2.0},
      {"band_mask from 1.5", [](const Var& x) { return detail::band_mask(1.0, x, 1.5, INFINITY); }, 1.5},
      {"band_mask to -2", [](const Var& x) { return detail::band_mask(1.0, x, -INFINITY, -2.0); }, -2.0},
      {"leaky_mask", [](const Var& x) { return detail::leaky_mask(Tensor::ones(x.shape()), x, 0.1); }},
      {"exp_mask", [](const Var& x) { return detail::exp_mask(Tensor::ones(x.shape()), x, 2.0, 1.0); }},
      {"maximum with 3", [](const Var& x) { return maximum(x, 3.0); }, 3.0},
      {"minimum with 3", [](const Var& x) { return minimum(3.0, x); }, 3.0},
      {"less than 1", [](const Var& x) { return less(x, 1.0); }, 1.0},
      {"max of x and 2",
       [](const Var& x) {
         return max(stack({x, Tensor::full(x.shape(), 2.0)}), 0);
       },
       2.0},
      {"min of x and 2",
       [](const Var& x) {
         return min(stack({x, Tensor::full(x.shape(), 2.0)}), 0);
       },
       2.0}};
  for (const KinkRow& row : kink_table())
    if (row.left != row.right) rows.push_back({row.name, row.function});
  for (const CurvedRow& row : curved_table()) rows.push_back({row.name, row.function});
  for (const StepRow& row : step_table()) rows.push_back({row.name, row.function});
  return rows;
}

TEST(Kinks, EveryOperationSaysHowFarItsKinkIs) {
  std::set<std::string> seen;
  for (const PlacedKink& row : placed_kinks())
    for (const double beside : {0.0, 0.5, -2.0}) {
      SCOPED_TRACE(row.name + ", " + std::to_string(beside) + " beside its kink");
      const KinkAudit audit = kink_audit([&](const Var& v) { return sum(row.function(v)); },
                                         Tensor{row.at + beside}, {.closest = 0});
      EXPECT_TRUE(audit.unknown.empty());
      ASSERT_EQ(audit.operations.size(), 1u) << audit.to_string();
      EXPECT_EQ(audit.operations[0].closest, std::fabs(beside)) << audit.to_string();
      EXPECT_EQ(audit.at_kink > 0, beside == 0.0);
      seen.insert(audit.operations[0].operation);
    }
  for (const Op* op = Op::first(); op; op = op->next()) {
    if (!op->spec().at_kink) continue;
    EXPECT_TRUE(seen.count(op->name())) << "[" << op->name() << "] has a kink, but where is not tested";
  }
}

// The place is that of the kink: there, and not beside it, the derivative or the value jumps.
TEST(Kinks, TheKinkIsWhereTheDistanceVanishes) {
  const auto jumps = [](const std::function<Var(const Var&)>& f, double x) {
    const double low = x - 1e-7, high = x + 1e-7;
    return std::fabs(grad(f, low) - grad(f, high)) > 1e-3 || std::fabs(f(low).item() - f(high).item()) > 1e-3;
  };
  for (const PlacedKink& row : placed_kinks()) {
    if (row.name.find("slope 1000") != std::string::npos) continue;  // too steep to see
    // elu with alpha 1 is smooth; equal_to has a point, not a jump.
    const bool smooth = row.name.find("alpha 1.0") != std::string::npos || row.name == "equal_to";
    EXPECT_EQ(jumps(row.function, row.at), !smooth) << row.name;
    for (const double beside : {0.5, -0.5, 2.0, -2.0})
      EXPECT_FALSE(jumps(row.function, row.at + beside)) << row.name << ", " << beside << " beside";
  }
}

TEST(Kinks, DistancesHaveTheSignOfTheSide) {
  const auto distance = [](const std::function<Var(const Var&)>& f, const Tensor& x) {
    return kink_audit([&](const Var& v) { return sum(f(v)); }, x, {.closest = 1}).closest[0].distance;
  };
  const auto clipped = [](const Var& x) { return clip(x, -1.0, 2.0); };
  EXPECT_EQ(distance(clipped, Tensor{1.5}), 0.5);
  EXPECT_EQ(distance(clipped, Tensor{-1.25}), -0.25);
  EXPECT_EQ(distance([](const Var& x) { return max(x); }, Tensor{1.0, 4.0, 3.0}), 1.0);
  EXPECT_EQ(distance([](const Var& x) { return min(x, 0); }, Tensor{1.0, 4.0, 1.0}), 0.0);
  EXPECT_EQ(distance([](const Var& x) { return minimum(x, 2.0); }, Tensor{5.0}), -3.0);
  EXPECT_EQ(distance([](const Var& x) { return equal_to(x, 2.0) * x; }, Tensor{5.0}), -3.0);
  // Of each number among which max chooses; another choice flips two of them.
  const auto largest = [](const Var& x) { return max(x, 0); };
  const KinkAudit audit = kink_audit(largest, Tensor{1.0, 4.0, 3.0});
  EXPECT_EQ(audit.operations[0].shape, (Shape{3}));
  EXPECT_EQ(audit.operations[0].below, 2);
  EXPECT_EQ(mask_flips(largest, Tensor{1.0, 4.0, 3.0}, Tensor{1.0, 2.0, 3.0}).flipped, 2);
  EXPECT_EQ(mask_flips(largest, Tensor{1.0, 4.0, 3.0}, Tensor{3.5, 4.0, 3.0}).flipped, 0);
  EXPECT_EQ(mask_flips([](const Var& x) { return min(x, 0); }, Tensor{1.0, 4.0}, Tensor{5.0, 4.0}).flipped,
            2);
}

TEST(Kinks, DocumentedValueIsTheOneTaken) {
  std::set<const Op*> recorded;
  std::vector<std::pair<std::string, std::function<Var(const Var&)>>> rows;
  for (const KinkRow& row : kink_table()) rows.emplace_back(row.name, row.function);
  for (const CurvedRow& row : curved_table()) rows.emplace_back(row.name, row.function);
  for (const StepRow& row : step_table()) rows.emplace_back(row.name, row.function);
  rows.emplace_back("norm of one number", [](const Var& x) { return norm(x); });
  for (const auto& [name, function] : rows) {
    Tape tape;
    const Var x = tape.input(Tensor::scalar(0.0));
    const Var y = function(x);
    const double taken = tape.grad(y, x).item();
    for (const detail::Node& node : detail::VarAccess::state(tape).nodes) {
      if (!node.op) continue;
      recorded.insert(node.op);
      if (const char* documented = node.op->spec().at_kink) {
        EXPECT_EQ(std::stod(documented), taken) << name;
      }
    }
  }
  int count = 0;
  for (const Op* op = Op::first(); op; op = op->next()) {
    if (!op->spec().at_kink) continue;
    ++count;
    EXPECT_TRUE(recorded.count(op)) << "[" << op->name() << "] has a kink but no row in the kink table";
  }
  EXPECT_GE(count, 17);
}

}  // namespace
}  // namespace cotangent
