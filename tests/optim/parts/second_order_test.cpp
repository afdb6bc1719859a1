// Second-order rules, trial by trial: what becomes of the radius, of the damping and of the pairs.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/parts.hpp"

namespace cotangent::optim {
namespace {

using test::Bench, test::held;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// |w|^2 / 2.
FiniteSum bowl() {
  return objective([](const Var& w) { return 0.5 * dot(w, w); });
}

/// A rule by itself, with values and gradients made up.
struct Alone {
  Alone(const Choice<Rule>& choice, const FiniteSum& f, const Tensor& start)
      : bench(f, start), rule(choice(bench.setting())) {}

  Tensor direction(const Tensor& w, double value, const Tensor& gradient) {
    const Params g = bench.params(gradient);
    return rule->direction(bench.at(w, value, norm(g)), g).flat();
  }
  double number(const char* name) { return held(*rule, name, bench.start); }
  Index values() const { return bench.f.spent().values; }
  Index products() const { return bench.f.spent().products; }

  Bench bench;
  std::unique_ptr<Rule> rule;
};

// ---- Newton's trust region --------------------------------------------------------------------------------

/// The radius after a step for which f has fallen by `share` of what the model of x^2 / 2 promises.
struct Outcome {
  double radius, step;
  Index trials;
};

/// At x = 100 with the radius 10: the step ends at the boundary, the model promises 950, f there is 4050.
Outcome at_boundary(double share, double largest = 1e9) {
  Alone newton_alone(newton({.dense = 0, .radius = 10.0, .largest_radius = largest}), bowl(), Tensor{100.0});
  const double step = newton_alone.direction(Tensor{100.0}, 4050.0 + share * 950.0, Tensor{100.0})(0);
  return {newton_alone.number("radius"), step, newton_alone.values()};
}

/// At x = 8 with the radius 10: the step 8 ends at the minimum, the model promises 32.
Outcome inside(double share) {
  Alone newton_alone(newton({.dense = 0, .radius = 10.0}), bowl(), Tensor{8.0});
  const double step = newton_alone.direction(Tensor{8.0}, share * 32.0, Tensor{8.0})(0);
  return {newton_alone.number("radius"), step, newton_alone.values()};
}

TEST(TrustRegion, GrowsAndShrinksByTheShareOfThePromise) {
  const auto expect = [](const Outcome& o, double radius, double step, Index trials) {
    EXPECT_NEAR(o.radius, radius, 1e-14);
    EXPECT_NEAR(o.step, step, 1e-14);
    EXPECT_EQ(o.trials, trials);
  };
  // Above 3/4 it doubles, if the step ended at its boundary.
  expect(at_boundary(1.0), 20.0, 10.0, 1);
  expect(at_boundary(0.76), 20.0, 10.0, 1);
  expect(at_boundary(0.75), 10.0, 10.0, 1);
  expect(at_boundary(0.5), 10.0, 10.0, 1);
  expect(at_boundary(1.0, 15.0), 15.0, 10.0, 1);
  expect(inside(1.0), 10.0, 8.0, 1);
  // Below 1/4 it is a quarter of the step.
  expect(inside(0.25), 10.0, 8.0, 1);
  expect(inside(0.24), 2.0, 8.0, 1);
  expect(at_boundary(0.24), 2.5, 10.0, 1);
  // Below a tenth the step is not taken, but a shorter one is tried.
  EXPECT_EQ((4050.0 + 0.1 * 950.0 - 4050.0) / 950.0, 0.1);
  expect(at_boundary(0.1), 2.5, 10.0, 1);
  EXPECT_GT(at_boundary(0.09).trials, 1);
  EXPECT_LT(at_boundary(0.09).step, 2.5);
}

TEST(TrustRegion, IsGivenUpAfterSixtyTrials) {
  // A line that rises where it is said to fall: every trial fails, and the radius is a quarter each time.
  for (const Index dense : {Index{0}, Index{1}}) {
    Alone alone(newton({.dense = dense, .radius = 1.0}), objective([](const Var& w) { return sum(w); }),
                Tensor{0.0});
    EXPECT_EQ(alone.direction(Tensor{0.0}, 0.0, Tensor{-1.0})(0), 0.0);
    EXPECT_TRUE(alone.bench.stalled);
    EXPECT_EQ(alone.values(), 60);
    EXPECT_NEAR(alone.number("radius") / std::ldexp(1.0, -120), 1.0, 1e-12);
  }
}

TEST(TrustRegion, TrustsTheModelBelowTheRounding) {
  // At value 1 the rounding is 8 epsilon = 2^-49. The model of x^2 / 2 promises x^2 / 2.
  const auto values = [](double x) {
    Alone alone(newton(), bowl(), Tensor{x});
    EXPECT_EQ(alone.direction(Tensor{x}, 1.0, Tensor{x})(0), x);
    EXPECT_FALSE(alone.bench.stalled);
    return alone.values();
  };
  EXPECT_EQ(8.0 * kEpsilon, std::ldexp(1.0, -49));
  EXPECT_EQ(values(std::ldexp(1.0, -24)), 0);
  EXPECT_EQ(values(1.25 * std::ldexp(1.0, -24)), 1);
}

TEST(NewtonRule, FormsTheHessianUpToDense) {
  // Of x^2 / 2 + y^2 / 2 one product tells all, and the Hessian takes two.
  for (const auto& [dense, products] : {std::pair<Index, Index>{2, 2}, {1, 1}}) {
    Alone alone(newton({.dense = dense}), bowl(), Tensor{0.6, 0.8});
    const Tensor step = alone.direction(Tensor{0.6, 0.8}, 0.5, Tensor{0.6, 0.8});
    EXPECT_NEAR(step(0), 0.6, 1e-15);
    EXPECT_NEAR(step(1), 0.8, 1e-15);
    EXPECT_EQ(alone.products(), products);
  }
}

TEST(NewtonRule, ConjugateGradientsEndAtHalfTheGradient) {
  // On diag(1, L) from a gradient along (1, 1) one product leaves (L - 1) / (L + 1) of it.
  for (const auto& [curvature, products] : {std::pair<double, Index>{2.0, 1}, {2.9, 1}, {3.2, 2}, {4.0, 2}}) {
    const double c = curvature;
    const FiniteSum f = objective([c](const Var& w) { return 0.5 * dot(Tensor{1.0, c}, square(w)); });
    const Tensor w{1.0, 1.0 / c}, gradient{1.0, 1.0};
    Alone alone(newton({.dense = 0}), f, w);
    const Tensor step = alone.direction(w, 0.5 + 0.5 / c, gradient);
    EXPECT_EQ(alone.products(), products) << c;
    for (Index j = 0; j < 2; ++j) EXPECT_NEAR(step(j), products == 2 ? w(j) : 2.0 / (1.0 + c), 1e-14) << c;
  }
}

TEST(NewtonRule, AtARestingPointNeedsTheHessian) {
  // x^2 / 2 - y^2 / 2 + y^4 / 4: at the saddle the gradient says nothing, and the Hessian where to go.
  const FiniteSum f = objective([](const Var& w) {
    const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
    return sum(0.5 * square(x) - 0.5 * square(y) + 0.25 * square(square(y)));
  });
  const Tensor zero{0.0, 0.0};
  Alone by_products(newton({.dense = 1}), f, zero), by_hessian(newton({.dense = 2}), f, zero);
  EXPECT_TRUE(equal(by_products.direction(zero, 0.0, zero), zero));
  EXPECT_EQ(by_products.products(), 0);
  EXPECT_GT(std::fabs(by_hessian.direction(zero, 0.0, zero)(1)), 0.1);
}

// ---- Levenberg's and Marquardt's damping ------------------------------------------------------------------

TEST(Damping, FallsByTenWhereTheStepDoesNotRaiseF) {
  // r(w) = w at 1 with the damping 1/2: the step is 2/3, and f there 1/18.
  const auto r = [](const Var& w) { return 1.0 * w; };
  const double there = 0.5 * (1.0 - 1.0 / 1.5) * (1.0 - 1.0 / 1.5);
  Alone taken(gauss_newton(r, {.damping = 0.5}), least_squares(r), Tensor{1.0});
  EXPECT_NEAR(taken.direction(Tensor{1.0}, 0.5, Tensor{1.0})(0), 1.0 / 1.5, 1e-15);
  EXPECT_NEAR(taken.number("damping"), 0.05, 1e-16);
  EXPECT_EQ(taken.values(), 2);  // the residuals, and f at the trial
  EXPECT_EQ(taken.products(), 1);
  // At a value just below that the step raises f: the next one, with damping 5, is not good enough either.
  Alone refused(gauss_newton(r, {.damping = 0.5}), least_squares(r), Tensor{1.0});
  EXPECT_EQ(refused.direction(Tensor{1.0}, 0.99 * there, Tensor{1.0})(0), 0.0);
  EXPECT_TRUE(refused.bench.stalled);
  EXPECT_EQ(refused.values(), 1 + 60);
  EXPECT_NEAR(refused.number("damping") / 5e59, 1.0, 1e-13);
}

TEST(Damping, IsNeverLessThanRoundingBesideTheJacobian) {
  const auto r = [](const Var& w) { return 3.0 * w; };
  Alone alone(gauss_newton(r, {.damping = 1e-14}), least_squares(r), Tensor{1.0});
  alone.direction(Tensor{1.0}, 4.5, Tensor{9.0});
  EXPECT_DOUBLE_EQ(alone.number("damping"), 9e-15);
}

TEST(GaussNewtonRule, IsChargedForItsResidualsAndJacobian) {
  const auto r = [](const Var& w) { return 2.0 * w; };
  Alone alone(gauss_newton(r), least_squares(r), Tensor{1.0, 2.0});
  EXPECT_TRUE(equal(alone.direction(Tensor{1.0, 2.0}, 10.0, Tensor{4.0, 8.0}), Tensor{1.0, 2.0}));
  EXPECT_EQ(alone.bench.f.spent(), (Counts{.gradients = 0, .values = 1, .products = 2}));
}

TEST(GaussNewtonRule, RefinesAlmostDependentResiduals) {
  // Two residuals in space that differ by 1e-5: the shortest step is in the plane of a and u, where their
  // gradients are. The condition number of J J^T is 1e11.
  const double small = 1e-5;
  const Tensor a{3.0, 1.0, 2.0}, u{1.0, 1.0, -2.0};  // <a, u> = 0
  const auto r = [&](const Var& w) {
    const Var along = dot(a, w);
    return concat({reshape(along - 14.0, {1}), reshape(along - 14.0 + small * (dot(u, w) - 6.0), {1})}, 0);
  };
  const Tensor zero{0.0, 0.0, 0.0};
  Alone alone(gauss_newton(r), least_squares(r), zero);
  const Tensor step = alone.direction(zero, 196.0, Tensor{-84.0, -28.0, -56.0});
  const Tensor wanted{-4.0, -2.0, 0.0};
  for (Index j = 0; j < 3; ++j) EXPECT_NEAR(step(j), wanted(j), 1e-8);
}

// ---- the pairs of L-BFGS ----------------------------------------------------------------------------------

/// Pairs kept of the one s, y: the numbers held are two of P for each, and the last point and gradient.
Index pairs_of(const Tensor& s, const Tensor& y) {
  const Tensor zero = Tensor::zeros({2});
  Alone alone(lbfgs(3), bowl(), zero);
  alone.direction(zero, 0.0, zero);
  alone.direction(s, 0.0, y);
  StateSize size;
  size.part("rule", *alone.rule);
  return (size.numbers() - 4) / 4;
}

TEST(LbfgsPairs, AreKeptWhereTheyCurveUp) {
  EXPECT_EQ(pairs_of({1.0, 0.0}, {0.5, 2.0}), 1);
  EXPECT_EQ(pairs_of({1.0, 0.0}, {-0.5, 2.0}), 0);
  EXPECT_EQ(pairs_of({1.0, 0.0}, {0.0, 0.0}), 0);
  // By more than 1e-10 |s| |y|.
  EXPECT_EQ(pairs_of({1.0, 0.0}, {5e-10, 1.0}), 1);
  EXPECT_EQ(pairs_of({1.0, 0.0}, {1e-10, 1.0}), 0);
  EXPECT_EQ(pairs_of({1e-4, 0.0}, {5e-10, 1.0}), 1);
  EXPECT_EQ(pairs_of({1e4, 0.0}, {5e-11, 1.0}), 0);
}

TEST(LbfgsPairs, OnTheLineMakeSecants) {
  // Through (0, 0) and (1, 2), whatever the scale: |y|^2 may be more or less than a double holds.
  for (const double scale : {1.0, 1e-200, 1e200}) {
    Alone alone(lbfgs(3), bowl(), Tensor{0.0});
    alone.direction(Tensor{0.0}, 0.0, Tensor{0.0});
    EXPECT_NEAR(alone.direction(Tensor{1.0}, 0.0, Tensor{2.0 * scale})(0), 1.0, 1e-15) << scale;
    EXPECT_NEAR(alone.direction(Tensor{3.0}, 0.0, Tensor{6.0 * scale})(0), 3.0, 1e-15) << scale;
  }
}

TEST(LbfgsPairs, AreForgottenTogether) {
  Alone used(lbfgs(2), bowl(), Tensor{0.0, 0.0}), fresh(lbfgs(2), bowl(), Tensor{0.0, 0.0});
  used.direction(Tensor{5.0, 1.0}, 0.0, Tensor{3.0, 3.0});
  used.direction(Tensor{4.0, 2.0}, 0.0, Tensor{1.0, 3.5});
  StateSize one;
  one.part("rule", *used.rule);
  EXPECT_EQ(one.numbers(), 8);
  // The direction at a resting point is 0, which is no descent.
  EXPECT_TRUE(equal(used.direction(Tensor{0.0, 0.0}, 0.0, Tensor{0.0, 0.0}), Tensor{0.0, 0.0}));
  StateSize none;
  none.part("rule", *used.rule);
  EXPECT_EQ(none.numbers(), 4);
  fresh.direction(Tensor{0.0, 0.0}, 0.0, Tensor{0.0, 0.0});
  const std::vector<std::pair<Tensor, Tensor>> later{
      {{1.0, 0.0}, {2.0, 0.5}}, {{0.5, 1.0}, {0.75, 3.0}}, {{-1.0, 2.0}, {-2.0, 5.0}}};
  for (const auto& [w, g] : later) EXPECT_TRUE(equal(used.direction(w, 0.0, g), fresh.direction(w, 0.0, g)));
}

}  // namespace
}  // namespace cotangent::optim
