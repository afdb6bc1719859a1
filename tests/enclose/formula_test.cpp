// Operations of scripts: one formula gives the forward rule and the enclosure; bounds of their own making.
#include "enclose/formula.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "enclose/enclosure.hpp"
#include "enclose/replay/replay.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using enclosing::Account;
using enclosing::Balls;
using test::error_of;
using Function = std::function<Var(const Var&)>;

constexpr double kInf = std::numeric_limits<double>::infinity();

/// A formula as an operation whose pullback is that of the same formula on Var.
template <class Formula>
CustomOp op_of(const char* name, Formula formula) {
  return CustomOp(
      elementwise(formula, {.name = name, .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) {
                              const auto one = [](const Var& x) { return Var(Formula{}(x)); };
                              out.add(0, g * grad([&](const Var& x) { return sum(one(x)); }, p.in(0)));
                            }}));
}

struct Row {
  std::string name;
  Function own, composed;
};
template <class Formula>
Row row(const char* name, Formula formula) {
  const CustomOp op = op_of(name, formula);
  return {name, [op](const Var& x) { return op(x); }, [](const Var& x) { return Var(Formula{}(x)); }};
}

std::vector<Row> rows() {
  return {
      row("formula: softsign", [](auto x) { return x / (1.0 + abs(x)); }),
      row("formula: exp and log", [](auto x) { return log(1.0 + exp(-x)) - 0.1 * x; }),
      row("formula: sqrt and square", [](auto x) { return sqrt(square(x) + 0.1) / 3.0; }),
      row("formula: circle", [](auto x) { return sin(x) * cos(2.0 * x); }),
      row("formula: tanh and sigmoid", [](auto x) { return tanh(x) - sigmoid(x); }),
      row("formula: softplus", [](auto x) { return softplus(x); }),
      row("formula: expm1 and log1p", [](auto x) { return expm1(x) + log1p(square(x)); }),
      row("formula: erf and erfc", [](auto x) { return erf(x) - 0.3 * erfc(x); }),
      row("formula: pow", [](auto x) { return pow(1.0 + square(x), 0.1) + pow(x, 3.0); }),
      row("formula: sign", [](auto x) { return sign(x) * x * x; }),
      row("formula: relu", [](auto x) { return relu(x) - leaky_relu(x, 0.1); }),
      row("formula: extremes", [](auto x) { return maximum(x, 0.1) * minimum(0.7 * x, x); }),
      row("formula: where",
          [](auto x) { return where(greater_equal(x, 0.0), x * x, 0.1 * x) + where(less(x, 1.0), 0.0, x); }),
      row("formula: comparisons",
          [](auto x) { return (greater(x, 0.3) - 3.0 * less_equal(x, 0.3)) * x - 1.0 / (3.0 + x * x); }),
  };
}

Function derivative(const Function& f, int order) {
  if (order == 0) return f;
  const Function inner = derivative(f, order - 1);
  return [inner](const Var& x) { return grad([&](const Var& v) { return sum(inner(v)); }, x); };
}

TEST(Formula, GivesTheValuesAndBoundsOfTheSameFormulaOfOperations) {
  Rng rng(4);
  const Tensor x = rng.normal({40});
  for (const Row& r : rows()) {
    SCOPED_TRACE(r.name);
    test::expect_close(r.own(x).value(), r.composed(x).value(), 1e-14);
    for (int order = 0; order <= 2; ++order) {
      SCOPED_TRACE("order " + std::to_string(order));
      const auto own = enclosing::program_of(derivative(r.own, order), x),
                 composed = enclosing::program_of(derivative(r.composed, order), x);
      Account few{.bits = 64}, many{.bits = 400};
      const Balls a = enclosing::Replay(own)(Balls::of(x), few),
                  b = enclosing::Replay(own)(Balls::of(x), many),
                  c = enclosing::Replay(composed)(Balls::of(x), many);
      EXPECT_EQ(few.undecided, 0);
      for (Index i = 0; i < x.size(); ++i) {
        EXPECT_TRUE(arb_contains(a[i], b[i])) << i;
        EXPECT_TRUE(arb_overlaps(b[i], c[i])) << i;
        EXPECT_GT(arb_rel_accuracy_bits(b[i]), order < 2 ? 300 : -ARF_PREC_EXACT) << i;
      }
    }
  }
}

TEST(Formula, BoundsOfABoxHoldAtItsPoints) {
  for (const Row& r : rows()) {
    SCOPED_TRACE(r.name);
    for (int order = 0; order <= 2; ++order)
      for (const double radius : {0.01, 0.4}) {
        const Function f = derivative(r.own, order);
        const Tensor middle{-1.1, -0.2, 0.0, 0.3, 0.9, 1.2}, low = (middle - Var(radius)).value(),
                                                             high = (middle + Var(radius)).value();
        const Enclosure box = enclose(f, Box{low, high});
        for (int k = 0; k <= 20; ++k) {
          const Tensor at = (low + (k / 20.0) * (Var(high) - low)).value();
          const Enclosure point = enclose(f, at, {.most_bits = 128});
          for (Index i = 0; i < at.size(); ++i) {
            EXPECT_LE(box.lower()(i), point.upper()(i)) << at(i);
            EXPECT_GE(box.upper()(i), point.lower()(i)) << at(i);
          }
        }
      }
  }
}

TEST(Formula, KinksAreDecidedOrCounted) {
  const auto at = [](const Row& r, double x) { return enclose(r.own, Tensor{x}); };
  for (const Row& r : rows()) {
    SCOPED_TRACE(r.name);
    const Enclosure zero = at(r, 0.0);
    EXPECT_EQ(zero.undecided(), 0);
    EXPECT_TRUE(enclose(r.composed, Tensor{0.0}).upper()(0) >= zero.lower()(0));
    EXPECT_TRUE(enclose(r.composed, Tensor{0.0}).lower()(0) <= zero.upper()(0));
  }
  const auto of_box = [](const Function& f) { return enclose(f, Box{Tensor{-1.0}, Tensor{2.0}}); };
  const auto expect_hull = [&](const char* name, auto formula, double low, double high, Index undecided,
                               Index jumps) {
    SCOPED_TRACE(name);
    const Row r = row(name, formula);
    const Enclosure box = of_box(r.own);
    EXPECT_EQ(box.undecided(), undecided);
    EXPECT_EQ(box.jumps(), jumps);
    // Radii have 30 bits.
    EXPECT_LE(box.lower()(0), low);
    EXPECT_GE(box.upper()(0), high);
    EXPECT_NEAR(box.lower()(0), low, 1e-7);
    EXPECT_NEAR(box.upper()(0), high, 1e-7);
  };
  expect_hull(
      "hull: sign", [](auto x) { return sign(x); }, -1.0, 1.0, 1, 1);
  expect_hull(
      "hull: abs", [](auto x) { return abs(x); }, 0.0, 2.0, 1, 0);
  expect_hull(
      "hull: less", [](auto x) { return less(x, 0.0); }, 0.0, 1.0, 1, 1);
  expect_hull(
      "hull: less, decided", [](auto x) { return less(x, 3.0); }, 1.0, 1.0, 0, 0);
  expect_hull(
      "hull: less, decided otherwise", [](auto x) { return less(x, -1.5); }, 0.0, 0.0, 0, 0);
  expect_hull(
      "hull: less_equal", [](auto x) { return less_equal(x, 2.5); }, 1.0, 1.0, 0, 0);
  expect_hull(
      "hull: greater", [](auto x) { return greater(x, 2.5); }, 0.0, 0.0, 0, 0);
  expect_hull(
      "hull: greater_equal", [](auto x) { return greater_equal(x, -1.5); }, 1.0, 1.0, 0, 0);
  expect_hull(
      "hull: where", [](auto x) { return where(greater(x, 0.0), 3.0, 5.0); }, 3.0, 5.0, 2, 2);
  expect_hull(
      "hull: maximum", [](auto x) { return maximum(x, 0.5); }, 0.5, 2.0, 0, 0);
  expect_hull(
      "hull: minimum", [](auto x) { return minimum(0.5, x); }, -1.0, 0.5, 0, 0);
  // -x on the left and x on the right of 0, each on all of the interval: [-1, 2] and [-2, 1].
  expect_hull(
      "hull: leaky_relu", [](auto x) { return leaky_relu(x, -1.0); }, -2.0, 2.0, 1, 0);
}

TEST(Formula, NumbersOfDoublesAreExactAndLiftKeepsThemOnTheRecord) {
  const Row of_double = row("lift: a double", [](auto x) { return log(x) - std::log(2.0); }),
            lifted = row("lift: kept", [](auto x) { return log(x) - log(lift(2.0, x)); });
  EXPECT_FALSE(enclose(of_double.own, Tensor{2.0}).contains(Tensor{0.0}));
  const Enclosure zero = enclose(lifted.own, Tensor{2.0});
  EXPECT_TRUE(zero.contains(Tensor{0.0}) && zero.finite());
  const Row constant = row("lift: not", [](auto x) { return x + log(decltype(x)(2.0)); });
  EXPECT_EQ(error_of<DomainError>([&] { enclose(constant.own, Tensor{2.0}); }),
            "[RealBall] log of constants alone, which have no bits; give them x's by lift(2.0, x)");
  // Where a formula is not defined, nothing is said of it.
  const Row root = row("lift: root", [](auto x) { return sqrt(x); });
  EXPECT_FALSE(enclose(root.own, Tensor{-1.0}, {.most_bits = 128}).finite());
}

TEST(Formula, OfTwoInputsAndOfAttributes) {
  const auto formula = [](auto a, auto b) { return a / (2.0 + b * b); };
  const CustomOp op(elementwise(
      formula, {.name = "formula: two", .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) {
                  const Var below = 2.0 + square(p.in(1));
                  const Var da = g / below, db = g * p.in(0) * (-2.0 * p.in(1)) / square(below);
                  out.add(0, p.shape(0).rank() ? da : sum(da));
                  out.add(1, p.shape(1).rank() ? db : sum(db));
                }}));
  const Tensor x{0.3, -1.0, 2.0};
  const Var s = 0.7;
  for (const Function& f : std::vector<Function>{
           [&](const Var& v) { return op(v, v); }, [&](const Var& v) { return op(v, s); },
           [&](const Var& v) { return op(s, v); }, [&](const Var& v) { return op(sum(v), s); }}) {
    const Tensor y = f(x).value();
    const Enclosure e = enclose(f, x);
    test::expect_close(e.lower(), y, 1e-15);
    EXPECT_TRUE(check_gradient(f, x, {.order = 1}).worst_error < 1e-6);
    EXPECT_TRUE(enclose(derivative(f, 1), x).finite());
  }
  EXPECT_EQ(op(0.7, 0.3).item(), 0.7 / (2.0 + 0.3 * 0.3));
  const CustomOp scaled(elementwise([](auto v, const OpAttributes&a) { return v / (a.real[0] + abs(v)); },
                                    {.name = "formula: attribute", .pullback = nullptr})),
      both(elementwise([](auto v, auto u, const OpAttributes&a) { return v * u + a.real[1]; },
                       {.name = "formula: attributes of two", .pullback = nullptr}));
  const OpAttributes attributes{.real = {0.5, 0.25}};
  test::expect_close(scaled(x, attributes).value(), {0.3 / 0.8, -1.0 / 1.5, 2.0 / 2.5}, 1e-15);
  EXPECT_NEAR(enclose([&](const Var& v) { return scaled(v, attributes); }, x).upper()(0), 0.375, 1e-15);
  EXPECT_EQ(enclose([&](const Var& v) { return both(v, v, attributes); }, Tensor{3.0}).lower()(0), 9.25);
  EXPECT_EQ(error_of<DomainError>([&] { op(x); }),
            "[map_elements] the loop is over 2 inputs, and 1 is given");
  EXPECT_EQ(error_of<DomainError>([&] { scaled(x, x); }),
            "[map_elements] the loop is over 1 input, and 2 are given");
  EXPECT_THROW(op(x, Tensor{1.0, 2.0}), ShapeError);
}

TEST(Formula, ADoubleKeepsTheOperationsConventions) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  using N = RealNumber;
  EXPECT_EQ(sign(N(0.0)).value(), 1.0);
  EXPECT_EQ(sign(N(-0.0)).value(), 1.0);
  for (const N y :
       {sign(N(nan)), relu(N(nan)), leaky_relu(N(nan), 0.1), maximum(N(nan), 1.0), maximum(N(1.0), nan),
        minimum(N(nan), 1.0), minimum(N(1.0), nan), softplus(N(nan)), abs(N(nan))})
    EXPECT_TRUE(std::isnan(y.value()));
  EXPECT_EQ(relu(N(-kInf)).value(), 0.0);
  EXPECT_EQ(softplus(N(800.0)).value(), 800.0);
  EXPECT_EQ(sigmoid(N(-800.0)).value(), 0.0);
  EXPECT_EQ(where(equal(Tensor{1.0}, Tensor{1.0}) ? N(1.0) : N(0.0), 2.0, 3.0).value(), 2.0);
}

// The total of all numbers up to each, with bounds of its own making.
const CustomOp kTotals({.name = "test totals",
                        .forward =
                            [](const OpInputs& in, const OpAttributes&) {
                              std::vector<double> y;
                              double total = 0.0;
                              for (const double v : in[0].data()) y.push_back(total += v);
                              return Tensor::from(y, in.shape(0));
                            },
                        .pullback =
                            [](const OpRecord& p, const Var& g, OpCotangents& out) {
                              const Var ones = upper_triangle(Tensor::ones({g.size(), g.size()}));
                              (void)p;
                              out.add(0, matmul(ones, g));
                            },
                        .enclose =
                            [](OpEnclosure& e) {
                              RealBall total = e.in(0, 0);
                              e.out(0, total);
                              for (Index i = 1; i < e.shape(0).size(); ++i)
                                e.out(i, total = total + e.in(0, i));
                            }});

TEST(Formula, AnOperationMayMakeBoundsOfItsOwn) {
  const auto f = [](const Var& x) { return kTotals(x); };
  const Enclosure e = enclose(f, Tensor{1e16, 1.0, -1e16, 0.25});
  EXPECT_TRUE(e.contains(Tensor{1e16, 1e16, 1.0, 1.25}) || e.upper()(1) > 1e16);
  EXPECT_EQ(e.lower()(3), 1.25);
  EXPECT_EQ(e.upper()(3), 1.25);
  EXPECT_EQ(f(Tensor{1e16, 1.0, -1e16, 0.25}).value()(3), 0.25);
  const Enclosure slope = enclose(
      [&](const Var& x) { return grad([&](const Var& v) { return sum(f(v)); }, x); }, Tensor{0.1, 0.2, 0.3});
  EXPECT_TRUE(slope.contains(Tensor{3.0, 2.0, 1.0}));
}

TEST(Formula, WhatAnEnclosureDoesNotSetIsNotKnownAndWhatIsNotThereIsRefused) {
  const auto op = [](const char* name, void (*enclosure)(OpEnclosure&)) {
    return CustomOp({.name = name,
                     .forward = [](const OpInputs& in, const OpAttributes&) { return in[0]; },
                     .pullback = nullptr,
                     .enclose = enclosure});
  };
  const CustomOp first = op("test first only", [](OpEnclosure& e) { e.out(0, e.in(0, 0)); });
  const Enclosure e = enclose([&](const Var& x) { return first(x); }, Tensor{0.5, 0.25}, {.most_bits = 128});
  EXPECT_EQ(e.lower()(0), 0.5);
  EXPECT_EQ(e.upper()(0), 0.5);
  EXPECT_EQ(e.lower()(1), -kInf);
  EXPECT_EQ(e.upper()(1), kInf);
  const CustomOp second = op("test second only", [](OpEnclosure& c) { c.out(1, c.in(0, 1)); });
  const Enclosure other =
      enclose([&](const Var& x) { return second(x); }, Tensor{0.5, 0.25}, {.most_bits = 128});
  EXPECT_EQ(other.lower()(0), -kInf);
  EXPECT_EQ(other.lower()(1), 0.25);
  const auto refused = [&](const CustomOp& own) {
    return error_of<DomainError>([&] { enclose([&](const Var& x) { return own(x); }, Tensor{0.5, 0.25}); });
  };
  EXPECT_EQ(refused(op("test input 1", [](OpEnclosure& c) { c.out(0, c.in(1, 0)); })),
            "[test input 1] its enclosure asks for input 1 of 1");
  EXPECT_EQ(refused(op("test number 2", [](OpEnclosure& c) { c.out(0, c.in(0, 2)); })),
            "[test number 2] its enclosure asks for number 2 of 2");
  EXPECT_EQ(refused(op("test number -1", [](OpEnclosure& c) { c.out(-1, c.in(0, 0)); })),
            "[test number -1] its enclosure asks for number -1 of 2");
  EXPECT_EQ(
      refused(op("test count", [](OpEnclosure& c) { c.out(c.out_shape().size(), c.in(0, c.count())); })),
      "[test count] its enclosure asks for number 2 of 2");
  EXPECT_EQ(
      refused(op("test none", nullptr)),
      "[enclose] [test none] has no enclosure; give its CustomOp one by elementwise or .enclose, or write f "
      "of operations that have one");
}

TEST(Formula, AnOperationWithoutAPullbackMayJump) {
  const CustomOp op(
      elementwise([](auto x) { return x * x; }, {.name = "test no pullback", .pullback = nullptr}));
  const auto f = [&](const Var& x) { return op(x); };
  EXPECT_EQ(enclose(f, Tensor{1.0, 2.0}).jumps(), 0);
  EXPECT_EQ(enclose(f, Box{Tensor{1.0, 2.0}, Tensor{1.5, 2.0}}).jumps(), 1);
  const Row smooth = row("test a pullback", [](auto x) { return x * x; });
  EXPECT_EQ(enclose(smooth.own, Box{Tensor{1.0, 2.0}, Tensor{1.5, 2.0}}).jumps(), 0);
}

TEST(Formula, ABallKnowsItsBounds) {
  static double low = 0.0, high = 0.0;
  const CustomOp op({.name = "test bounds of a ball",
                     .forward = [](const OpInputs& in, const OpAttributes&) { return in[0]; },
                     .pullback = nullptr,
                     .enclose =
                         [](OpEnclosure& e) {
                           RealBall x = e.in(0, 0), y = 7.0;
                           y = x;
                           y = static_cast<const RealBall&>(y);
                           x = y / 3.0;
                           const RealBall z(x);
                           low = z.lower();
                           high = z.upper();
                           e.out(0, z);
                         }});
  enclose([&](const Var& x) { return op(x); }, Tensor{1.0});
  EXPECT_EQ(std::nextafter(low, 1.0), high);
  EXPECT_LT(low, high);
  EXPECT_NEAR(low, 1.0 / 3.0, 1e-15);
}

}  // namespace
}  // namespace cotangent
