// Moves: proximal operators against their definition, published runs of proximal, Frank-Wolfe and Riemannian
// descent.
#include "optim/moves.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/parts.hpp"
#include "tests/support/paths.hpp"

namespace cotangent::optim {
namespace {

using test::Bench, test::error_of, test::Path;

/// |w|^2 / 2.
FiniteSum bowl() {
  return objective([](const Var& w) { return 0.5 * dot(w, w); });
}

double squared_distance(const Tensor& a, const Tensor& b) {
  double square = 0.0;
  for (Index j = 0; j < a.size(); ++j) square += (a(j) - b(j)) * (a(j) - b(j));
  return square;
}

TEST(Regularisers, ProximalPointsAreMinimisers) {
  // No point nearby has a smaller h(u) + |u - x|^2 / (2 step), of those in the set.
  Rng rng(4);
  const std::vector<Regulariser> all{l1(0.7),        squared_l2(1.5), elastic_net(0.3, 0.8),
                                     box(-0.5, 0.4), nonnegative(),   simplex(),
                                     simplex(2.5),   l1_ball(0.9),    l2_ball(0.8)};
  for (const Regulariser& h : all)
    for (int trial = 0; trial < 20; ++trial) {
      const Tensor x = rng.normal({5}, 0.0, 1.5);
      const double step = rng.uniform() + 0.1;
      const Tensor u = h.prox(x, step);
      const auto objective = [&](const Tensor& v) {
        return h.value(v) + squared_distance(v, x) / (2.0 * step);
      };
      if (h.distance) {
        EXPECT_LE(h.distance(u), 1e-12) << h.name;
      }
      for (int other = 0; other < 200; ++other) {
        Tensor v = (Var(u) + rng.normal({5}, 0.0, std::pow(10.0, -static_cast<double>(other % 4)))).value();
        if (h.distance) v = h.prox(v, 1.0);
        EXPECT_GE(objective(v), objective(u) - 1e-12) << h.name;
      }
    }
}

TEST(Regularisers, SetsKnowTheirDistance) {
  EXPECT_NEAR(box(0.0, 1.0).distance(Tensor{4.0, -4.0, 0.5}), 5.0, 1e-14);
  EXPECT_NEAR(l2_ball(1.0).distance(Tensor{3.0, 4.0}), 4.0, 1e-14);
  EXPECT_NEAR(simplex().distance(Tensor{1.0, 1.0}), std::sqrt(0.5), 1e-14);
  EXPECT_EQ(l1_ball(2.0).distance(Tensor{1.0, -1.0}), 0.0);
  EXPECT_FALSE(l1(1.0).distance);
}

TEST(LinearMinimisers, AreCornersBelowEveryPoint) {
  Rng rng(6);
  const std::vector<std::pair<LinearMinimiser, Regulariser>> all{{over_box(-1.0, 2.0), box(-1.0, 2.0)},
                                                                 {over_simplex(1.5), simplex(1.5)},
                                                                 {over_l1_ball(0.7), l1_ball(0.7)},
                                                                 {over_l2_ball(0.7), l2_ball(0.7)}};
  const auto inner = [](const Tensor& a, const Tensor& b) { return dot(a, b).item(); };
  for (const auto& [set, projection] : all)
    for (int trial = 0; trial < 50; ++trial) {
      const Tensor g = rng.normal({4}), s = set.minimise(g);
      EXPECT_LE(set.distance(s), 1e-12) << set.name;
      for (int other = 0; other < 50; ++other)
        EXPECT_LE(inner(g, s), inner(g, projection.prox(rng.normal({4}, 0.0, 3.0), 1.0)) + 1e-12) << set.name;
    }
}

/// |A w - b|^2 / 2 of additions.md 2.6; its smoothness is the largest eigenvalue of A^T A.
struct Lasso {
  Tensor a{{1.0, 0.0, 1.0}, {0.0, 2.0, 1.0}}, b{1.0, -1.0};
  double smoothness = 5.302775637732;
  Tensor start{2.0, 2.0, 2.0};
  FiniteSum f = objective([this](const Var& w) {
    return 0.5 * sum(square(reshape(matmul(a, reshape(w, {3, 1})), {2}) - b));
  });
};

TEST(Proximal, PublishedLasso) {
  const Lasso lasso;
  Path points;
  Rng rng(1);
  const ProximalGd method(l1(0.5),
                          {.step = 1.0 / lasso.smoothness, .iterations = 3000, .stop = {.residual = 1e-12}});
  const auto run = method.minimize(lasso.f, lasso.start, rng, {&points});
  EXPECT_NEAR(points.values[1], 1.02018457954468, 1e-12);
  EXPECT_NEAR(points.values[2], 0.828361402699968, 1e-12);
  EXPECT_NEAR(points.values[3], 0.745290402879466, 1e-12);
  EXPECT_EQ(run.stop, StopReason::converged);
  EXPECT_NEAR(run.value, 0.59375, 1e-13);
  const std::array<double, 3> best{0.5, -0.375, 0.0};
  for (Index j = 0; j < 3; ++j) EXPECT_NEAR(run.w.flat()(j), best[static_cast<std::size_t>(j)], 1e-11);
  const ProximalGd fista(l1(0.5), {.step = 1.0 / lasso.smoothness, .iterations = 3000, .accelerated = true});
  EXPECT_NEAR(fista.minimize(lasso.f, lasso.start, rng).value, 0.59375, 1e-13);
  const ProximalGd searched(l1(0.5), {.step = backtracking({.first = 10.0}), .iterations = 500});
  EXPECT_NEAR(searched.minimize(lasso.f, lasso.start, rng).value, 0.59375, 1e-11);
}

TEST(Proximal, AnyEstimatorWithAnyPenalty) {  // prox-SVRG
  const Lasso lasso;
  const FiniteSum rows = finite_sum(2, [&](const Var& w, const Batch& batch) {
    const Var r =
        reshape(matmul(batch.rows(lasso.a), reshape(w, {3, 1})), {batch.size()}) - batch.rows(lasso.b);
    return mean(square(r));
  });
  Rng rng(3);
  const auto run =
      Descent({.estimator = svrg({.inner = 4}), .move = proximal(l1(0.5)), .step = 0.05, .epochs = 2000})
          .minimize(rows, lasso.start, rng);
  EXPECT_NEAR(run.value, 0.59375, 1e-10);
}

TEST(FrankWolfe, PublishedPointsAndGaps) {  // |x - c|^2 / 2 on the simplex
  const Tensor c{0.6, 0.5, -0.1};
  const FiniteSum f = objective([&](const Var& w) { return 0.5 * sum(square(w - c)); });
  const std::array<double, 6> values{0.91, 0.21, 0.0544444444444, 0.0211111111111, 0.03, 0.01};
  const std::array<double, 6> gaps{1.7, 0.9, 0.288888888889, 0.155555555556, 0.18, 0.06};
  Path points;
  Rng rng(1);
  const auto run =
      FrankWolfe(over_simplex(), {.iterations = 6}).minimize(f, Tensor{0.0, 0.0, 1.0}, rng, {&points});
  for (std::size_t k = 0; k < 6; ++k) {
    EXPECT_NEAR(points.values[k], values[k], 1e-12) << k;
    EXPECT_NEAR(run.trace[static_cast<Index>(k)].residual, gaps[k], 1e-12) << k;
    EXPECT_GE(run.trace[static_cast<Index>(k)].residual,
              points.values[k] - 0.0075);  // f* = .0075: a certificate
  }
  const auto stopped = FrankWolfe(over_simplex(), {.iterations = 100000, .stop = {.residual = 1e-3}})
                           .minimize(f, Tensor{0.0, 0.0, 1.0}, rng);
  EXPECT_EQ(stopped.stop, StopReason::converged);
  EXPECT_LE(stopped.value - 0.0075, 1e-3);
}

TEST(FrankWolfe, NeverLeavesTheSet) {
  const FiniteSum f = objective([](const Var& w) { return dot(Tensor{1.0, -2.0, 0.5}, w); });
  Rng rng(1);
  const auto run = FrankWolfe(over_simplex(), {.step = linear(0.5, 3.0, 2), .iterations = 2})
                       .minimize(f, Tensor{0.2, 0.3, 0.5}, rng);
  for (Index j = 0; j < 3; ++j) EXPECT_NEAR(run.w.flat()(j), j == 1 ? 1.0 : 0.0, 1e-15);
}

TEST(Sphere, AtARestingPointStays) {
  const FiniteSum f = objective([](const Var& w) { return dot(Tensor{0.0, 1.0}, square(w)); });
  Rng rng(1);
  const auto run = RiemannianGd({.iterations = 3}).minimize(f, Tensor{1.0, 0.0}, rng);
  EXPECT_EQ(run.stop, StopReason::finished);
  EXPECT_TRUE(equal(run.w.flat(), Tensor{1.0, 0.0}));
}

TEST(Sphere, PublishedValues) {  // (3 - x' diag(3, 2, 1, 0) x) / 2, additions.md 6.2
  const FiniteSum f = objective([](const Var& w) {
    return 1.5 - 0.5 * dot(Tensor{3.0, 2.0, 1.0, 0.0}, square(w));
  });
  Path points;
  Rng rng(1);
  const auto run = RiemannianGd({.step = 1.0 / 3.0, .iterations = 11})
                       .minimize(f, Tensor{0.5, 0.5, 0.5, 0.5}, rng, {&points});
  EXPECT_NEAR(points.values[0], 0.75, 1e-15);
  EXPECT_NEAR(points.values[1], 0.370855973468286, 1e-14);
  EXPECT_NEAR(points.values[2], 0.160834413411188, 1e-14);
  EXPECT_NEAR(points.values[3], 0.0732692956431429, 1e-14);
  EXPECT_NEAR(points.values[10], 2.80487538e-4, 1e-12);
  for (const Tensor& w : points.w) EXPECT_NEAR(dot(w, w).item(), 1.0, 1e-15);
  EXPECT_LT(run.trace.back().residual, 0.05);
}

TEST(FrankWolfe, StepsEndAtTheCorner) {
  const FiniteSum f = objective([](const Var& w) { return 0.5 * sum(square(w - Tensor{3.0, 0.0})); });
  const Tensor start{0.5, 0.5};
  Rng rng(1);
  const auto text = [&](const Optimizer& o) {
    return error_of<DomainError>([&] { o.minimize(f, start, rng); });
  };
  const std::string rest = ", which leads out of the set; give one of at most 1, such as frank_wolfe_step()";
  EXPECT_EQ(text(FrankWolfe(over_simplex(), {.step = 1.5})), "[FrankWolfe] the step is 1.5" + rest);
  EXPECT_EQ(text(FrankWolfe(over_simplex(), {.step = linear(2.0, 0.1, 9)})),
            "[FrankWolfe] the step is 2" + rest);
  EXPECT_EQ(text(Descent({.move = frank_wolfe(over_simplex()), .step = 2.0})),
            "[Descent] the step is 2" + rest);
  EXPECT_EQ(f.component_gradients(), 0);
  // 1 leads to the corner itself; so does more, of a schedule that grows or of a search.
  for (const Step& step :
       {Step(1.0), Step::rule([](Index k) { return 1.0 + 9.0 * static_cast<double>(k); }), polyak(-100.0)}) {
    const auto run = FrankWolfe(over_simplex(), {.step = step, .iterations = 3}).minimize(f, start, rng);
    EXPECT_TRUE(equal(run.w.flat(), Tensor{1.0, 0.0}));
  }
}

TEST(FrankWolfe, GoesAlongItsLine) {
  // To the corner (0, 1) of the simplex, by a quarter and by the whole of the way.
  Bench bench(bowl(), Tensor{0.25, 0.75});
  const auto move = frank_wolfe(over_simplex())(bench.setting());
  const Params w = bench.start, down = bench.params(Tensor{1.0, -1.0});
  EXPECT_TRUE(equal(move->line(w, down).flat(), Tensor{-0.25, 0.25}));
  EXPECT_TRUE(equal(move->point(w, down, 0.25).flat(), Tensor{0.1875, 0.8125}));
  EXPECT_TRUE(equal(move->point(w, down, 1.0).flat(), Tensor{0.0, 1.0}));
}

TEST(Sphere, FollowsTheExponentialMap) {
  Bench bench(bowl(), Tensor{1.0, 0.0});
  const auto move = on_unit_sphere()(bench.setting());
  const auto expect = [&](const Tensor& w, const Tensor& direction, double step, const Tensor& wanted) {
    const Tensor there = move->point(bench.params(w), bench.params(direction), step).flat();
    for (Index j = 0; j < 2; ++j) EXPECT_NEAR(there(j), wanted(j), 1e-15);
  };
  const double quarter = std::acos(0.0), third = 2.0 / 3.0 * quarter;
  expect({1.0, 0.0}, {0.0, 1.0}, quarter, {0.0, -1.0});
  expect({1.0, 0.0}, {7.0, 1.0}, quarter, {0.0, -1.0});  // what is along w is taken away
  expect({1.0, 0.0}, {0.0, -2.0}, 0.5 * third, {0.5, std::sqrt(0.75)});
  expect({0.0, 1.0}, {0.5, 0.0}, 2.0 * third, {-std::sqrt(0.75), 0.5});
  expect({1.0, 0.0}, {3.0, 0.0}, 1.0, {1.0, 0.0});
  // Away from the sphere as well, to which it leads back.
  expect({2.0, 0.0}, {3.0, 1.0}, quarter, {0.0, -1.0});
}

TEST(Proximal, ResidualIsTheGradientMapping) {
  // |w| / 2 from w = 1 with the gradient 1: the proximal point is 1 - 1.5 step up to 2/3, then 0, and from 2
  // on 1 - step / 2.
  Bench bench(bowl(), Tensor{1.0});
  const auto move = proximal(l1(0.5))(bench.setting());
  const auto residual = [&](double step) {
    return move->residual(bench.at(Tensor{1.0}, 0.0, 1.0), bench.params(Tensor{1.0}), step);
  };
  EXPECT_EQ(residual(0.5), 1.5);
  EXPECT_EQ(residual(1.0), 1.0);
  EXPECT_EQ(residual(2.0), 0.5);
  EXPECT_EQ(residual(4.0), 0.5);
  EXPECT_EQ(residual(0.0), 1.0);  // of the step 1
}

TEST(Accelerated, OnTheLine) {
  // x^2 / 2 from 1 with the step 1/2: x halves y.
  const double t1 = 0.5 * (1.0 + std::sqrt(5.0)), t2 = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t1 * t1)),
               t3 = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t2 * t2));
  const double x2 = 0.25, y2 = x2 + (t1 - 1.0) / t2 * (x2 - 0.5), x3 = 0.5 * y2,
               y3 = x3 + (t2 - 1.0) / t3 * (x3 - x2);
  Path points;
  Rng rng(1);
  const auto run = Descent({.move = accelerated(), .step = 0.5, .epochs = 4})
                       .minimize(bowl(), Tensor{1.0}, rng, {&points});
  EXPECT_EQ(points.x[1], 0.5);
  EXPECT_NEAR(points.x[2], y2, 1e-16);
  EXPECT_NEAR(points.x[3], y3, 1e-16);
  EXPECT_NEAR(run.w.flat()(0), 0.5 * y3, 1e-16);
}

TEST(Accelerated, KnowsNoConvexityAboveTheSmoothness) {
  Rng rng(1);
  // mu * step = 1 leaves no momentum: w halves with step and gradient.
  const auto run =
      Descent({.move = accelerated(2.0), .step = 0.5, .epochs = 3}).minimize(bowl(), Tensor{1.0}, rng);
  EXPECT_EQ(run.w.flat()(0), 0.125);
  EXPECT_EQ(error_of<DomainError>(
                [&] { Descent({.move = accelerated(4.0), .step = 1.0}).minimize(bowl(), Tensor{1.0}, rng); }),
            "[proximal] mu * step is 4, which is above 1; the step is to be 1 / L, and no f has mu > L");
}

TEST(Moves, Errors) {
  const FiniteSum f = objective([](const Var& w) { return dot(w, w); });
  Rng rng(1);
  EXPECT_EQ(error_of<DomainError>([&] {
              ProximalGd(box(0.0, 1.0)).minimize(f, Tensor{4.0, 5.0}, rng);
            }),
            "[ProximalGd] the start is 5 away from box; start inside, for example at its projection");
  EXPECT_EQ(error_of<DomainError>([&] {
              FrankWolfe(over_l2_ball(1.0)).minimize(f, Tensor{3.0, 4.0}, rng);
            }),
            "[FrankWolfe] the start is 4 away from the set of over_l2_ball; start inside");
  EXPECT_EQ(error_of<DomainError>([&] {
              RiemannianGd().minimize(f, Tensor{3.0, 4.0}, rng);
            }),
            "[RiemannianGd] the start is 4 away from the unit sphere; divide it by its norm");
  EXPECT_EQ(error_of<DomainError>([] { l1(-1.0); }),
            "[l1] the weight is -1; give a finite number, 0 or above");
  EXPECT_THROW(elastic_net(1.0, -1.0), DomainError);
  EXPECT_THROW(box(1.0, 0.0), DomainError);
  EXPECT_THROW(simplex(0.0), DomainError);
  EXPECT_THROW(over_l1_ball(-1.0), DomainError);
  EXPECT_THROW(proximal({}), DomainError);
  EXPECT_THROW(frank_wolfe({}), DomainError);
}

}  // namespace
}  // namespace cotangent::optim
