// Directions: published numbers of Adam and its relatives, L-BFGS, Newton, Gauss-Newton and acceleration.
#include "optim/rules.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/paths.hpp"

namespace cotangent::optim {
namespace {

using test::error_of, test::Path;

/// (x^2 + 10 y^2) / 2.
FiniteSum valley() {
  return objective([](const Var& w) { return 0.5 * dot(Tensor{1.0, 10.0}, square(w)); });
}
const Tensor kFrom{1.0, -2.0};

void expect_points(const Optimizer& optimizer, const std::vector<std::pair<std::size_t, Tensor>>& wanted) {
  Path points;
  Rng rng(1);
  optimizer.minimize(valley(), kFrom, rng, {&points});
  for (const auto& [k, w] : wanted)
    for (Index j = 0; j < 2; ++j) EXPECT_NEAR(points.w.at(k)(j), w(j), 2e-15) << k << " " << j;
}

TEST(Adam, PublishedPoints) {  // additions.md 6.2
  expect_points(Adam({.step = 0.1, .epochs = 11}), {{1, {0.900000001, -1.90000000005}},
                                                    {2, {0.800412229712338, -1.800166485711388}},
                                                    {3, {0.701586274504415, -1.700623391433946}},
                                                    {10, {0.076249160619755, -1.024586835707361}}});
  expect_points(AdamW({.step = 0.1, .epochs = 11}), {{1, {0.899000001, -1.89800000005}},
                                                     {2, {0.798519028188779, -1.796272588240594}},
                                                     {3, {0.698911184715693, -1.694944513772796}},
                                                     {10, {0.071695502074565, -1.009727272752265}}});
}

/// Adam and its relatives by hand, number by number.
TEST(Adaptive, ByHand) {
  const auto by_hand = [](auto step) {
    std::vector<double> w{1.0, -2.0};
    for (int t = 1; t <= 6; ++t)
      for (std::size_t j = 0; j < 2; ++j) w[j] -= 0.05 * step(j, t, (j == 0 ? 1.0 : 10.0) * w[j], w[j]);
    return w;
  };
  const auto run = [](const Optimizer& o) {
    Rng rng(1);
    return o.minimize(valley(), kFrom, rng).w.flat();
  };
  const auto expect = [](const Tensor& got, const std::vector<double>& wanted) {
    for (std::size_t j = 0; j < 2; ++j) EXPECT_NEAR(got(static_cast<Index>(j)), wanted[j], 1e-14);
  };
  {
    double m[2]{}, v[2]{}, top[2]{};
    expect(
        run(Adam({.step = 0.05, .epochs = 6, .beta1 = 0.8, .beta2 = 0.5, .epsilon = 1e-3, .amsgrad = true})),
        by_hand([&](std::size_t j, int t, double g, double) {
          m[j] = 0.8 * m[j] + 0.2 * g;
          v[j] = 0.5 * v[j] + 0.5 * g * g;
          top[j] = std::max(top[j], v[j]);
          return m[j] / (1.0 - std::pow(0.8, t)) / (std::sqrt(top[j] / (1.0 - std::pow(0.5, t))) + 1e-3);
        }));
  }
  {
    double m[2]{}, v[2]{};  // L2 regularisation goes through the moments, decoupled decay does not
    expect(run(Adam({.step = 0.05, .epochs = 6, .weight_decay = 0.3})),
           by_hand([&](std::size_t j, int t, double g, double w) {
             g += 0.3 * w;
             m[j] = 0.9 * m[j] + 0.1 * g;
             v[j] = 0.999 * v[j] + 0.001 * g * g;
             return m[j] / (1.0 - std::pow(0.9, t)) / (std::sqrt(v[j] / (1.0 - std::pow(0.999, t))) + 1e-8);
           }));
  }
  {
    double v[2]{};
    expect(run(RmsProp({.step = 0.05, .epochs = 6, .alpha = 0.7, .epsilon = 1e-4})),
           by_hand([&](std::size_t j, int, double g, double) {
             v[j] = 0.7 * v[j] + 0.3 * g * g;
             return g / (std::sqrt(v[j]) + 1e-4);
           }));
  }
  {
    double v[2]{};
    expect(run(AdaGrad({.step = 0.05, .epochs = 6, .epsilon = 1e-4})),
           by_hand([&](std::size_t j, int, double g, double) {
             v[j] += g * g;
             return g / (std::sqrt(v[j]) + 1e-4);
           }));
  }
}

/// x^2/2 + y^2/8 from (1, 1): the value of the tenth point.
double tenth_value(const Optimizer& optimizer) {
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(Tensor{1.0, 0.25}, square(w)); });
  Rng rng(1);
  return optimizer.minimize(f, Tensor{1.0, 1.0}, rng).value;
}

TEST(Acceleration, PublishedValues) {  // diag(1, 1/4), additions.md 6.2
  EXPECT_NEAR(tenth_value(Gd({.step = 1.0, .iterations = 10})), 3.96401492e-4, 1e-12);
  EXPECT_NEAR(tenth_value(Nesterov({.step = 1.0, .iterations = 10, .mu = 0.25})), 4.29153442382812e-6, 1e-19);
  EXPECT_NEAR(tenth_value(Nesterov({.step = 1.0, .iterations = 10})), 1.08728134956992e-4, 1e-17);
  EXPECT_NEAR(tenth_value(Nesterov({.step = 1.0, .iterations = 1, .mu = 0.25})), 0.0703125, 1e-16);
  EXPECT_NEAR(tenth_value(HeavyBall({.smoothness = 1.0, .mu = 0.25, .iterations = 10})), 3.15676083708749e-8,
              1e-21);
}

TEST(Acceleration, ByHandWithAnyStep) {  // A12: x+ = y - s g(y), y+ = x+ + m (x+ - x)
  for (const bool known : {true, false}) {
    Path points;
    Rng rng(1);
    const std::optional<double> mu = known ? std::optional(0.5) : std::nullopt;
    const auto run =
        Nesterov({.step = 0.05, .iterations = 8, .mu = mu}).minimize(valley(), kFrom, rng, {&points});
    double x[2]{1.0, -2.0}, y[2]{1.0, -2.0}, t = 1.0;
    for (std::size_t k = 0; k < 8; ++k) {
      const double next = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t * t)), q = std::sqrt(0.5 * 0.05);
      const double m = known ? (1.0 - q) / (1.0 + q) : (t - 1.0) / next;
      t = next;
      for (std::size_t j = 0; j < 2; ++j) {
        EXPECT_NEAR(points.w[k](static_cast<Index>(j)), y[j], 1e-13) << k;
        const double here = y[j] - 0.05 * (j == 0 ? 1.0 : 10.0) * y[j];
        y[j] = here + m * (here - x[j]);
        x[j] = here;
      }
    }
    for (std::size_t j = 0; j < 2; ++j) EXPECT_NEAR(run.w.flat()(static_cast<Index>(j)), x[j], 1e-13);
  }
}

TEST(Lbfgs, ForgetsAllWhereItsDirectionDoesNotDescend) {
  // A rule that is handed another function's gradient: the pairs it has are worth nothing there.
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(w, w); });
  Oracle oracle(f);
  Rng rng(1);
  const Params start({{"w", Tensor{1.0, 1.0}}});
  const auto rule = lbfgs(2)({.name = "test", .f = oracle, .rng = rng, .start = start});
  const Batch all = Batch::all(1);
  bool stalled = false;
  const auto direction = [&](const Tensor& w, const Tensor& g) {
    const Params at = start.with(w);
    return rule
        ->direction({.iteration = 0,
                     .w = at,
                     .value = 0.0,
                     .gradient_norm = 1.0,
                     .batch = all,
                     .exact = true,
                     .f = oracle,
                     .stalled = stalled},
                    start.with(g))
        .flat();
  };
  direction(Tensor{1.0, 1.0}, Tensor{1.0, 2.0});
  EXPECT_FALSE(equal(direction(Tensor{0.5, 0.5}, Tensor{0.25, 1.0}), Tensor{0.25, 1.0}));  // one pair
  StateSize size;
  size.part("rule", *rule);
  EXPECT_EQ(size.numbers(), 8);
  // NaN is no descent either.
  EXPECT_TRUE(std::isnan(direction(Tensor{0.25, 0.25}, Tensor{NAN, 1.0})(0)));
  StateSize cleared;
  cleared.part("rule", *rule);
  EXPECT_EQ(cleared.numbers(), 4);
}

TEST(Newton, PublishedGradientsOfLogisticRegression) {  // O25 from 0, additions.md 6.2
  const Tensor x{{1.0, 2.0}, {2.0, -1.0}, {-1.0, 1.0}, {0.5, 0.5}}, y{1.0, -1.0, 1.0, -1.0};
  const FiniteSum f = finite_sum(4, [&](const Var& w, const Batch& b) {
    const Var margin = b.rows(y) * reshape(matmul(b.rows(x), reshape(w, {2, 1})), {b.size()});
    return mean(softplus(-margin)) + 0.05 * dot(w, w);
  });
  Path points;
  Rng rng(1);
  Newton({.iterations = 6}).minimize(f, Tensor{0.0, 0.0}, rng, {&points});
  const std::vector<double> published{5.38e-1, 8.12e-2, 8.61e-3, 1.31e-4, 3.12e-8};
  for (std::size_t k = 0; k < published.size(); ++k)
    EXPECT_NEAR(points.norms[k], published[k], 6e-3 * published[k]) << k;
  EXPECT_LE(points.norms[5], 1e-14);
  Path by_products;
  Newton({.iterations = 10, .dense = 0}).minimize(f, Tensor{0.0, 0.0}, rng, {&by_products});
  EXPECT_LE(by_products.norms[8], 1e-14);
}

FiniteSum rosenbrock_sum() {
  return objective([](const Var& w) {
    const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
    return 0.5 * (sum(square(1.0 - x)) + 100.0 * sum(square(y - square(x))));
  });
}

Var rosenbrock(const Var& w) {
  const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
  return concat({10.0 * (y - square(x)), 1.0 - x}, 0);
}

TEST(GaussNewton, TakesTwoStepsOnRosenbrock) {
  Path points;
  Rng rng(1);
  const auto run = GaussNewton(rosenbrock, {.iterations = 2})
                       .minimize(least_squares(rosenbrock), Tensor{-1.2, 1.0}, rng, {&points});
  EXPECT_NEAR(points.w[1](0), 1.0, 1e-14);
  EXPECT_NEAR(points.w[1](1), -3.84, 1e-13);
  EXPECT_NEAR(run.w.flat()(0), 1.0, 1e-14);
  EXPECT_NEAR(run.w.flat()(1), 1.0, 1e-13);
  EXPECT_EQ(run.spent.products, 4);
}

TEST(LevenbergMarquardt, NeverRaisesTheValue) {
  Path points;
  Rng rng(1);
  const auto run = GaussNewton(rosenbrock, {.iterations = 60, .damping = 1e-2, .stop = {.residual = 1e-10}})
                       .minimize(least_squares(rosenbrock), Tensor{-1.2, 1.0}, rng, {&points});
  EXPECT_EQ(run.stop, StopReason::converged);
  for (std::size_t k = 1; k < points.values.size(); ++k) EXPECT_LE(points.values[k], points.values[k - 1]);
  EXPECT_NEAR(run.w.flat()(1), 1.0, 1e-9);
}

/// Residuals sin(A w) - b, whose steps fail from far away, and the points of Levenberg's and Marquardt's
/// method by the system of all parameters.
struct Sines {
  Tensor a, b, start;
  Sines(Rng& rng, Index n, Index p)
      : a(rng.normal({n, p})), b(rng.normal({n}, 0.0, 0.3)), start(rng.normal({p})) {}
  Var operator()(const Var& w) const {
    return sin(reshape(matmul(a, reshape(w, {w.size(), 1})), {b.size()})) - b;
  }
  std::vector<Tensor> points(double damping, int steps) const {
    const auto value = [&](const Tensor& w) { return 0.5 * dot((*this)(w), (*this)(w)).item(); };
    const Index p = start.size();
    std::vector<Tensor> w{start};
    for (int k = 0; k < steps; ++k) {
      const Tensor j = jacobian(*this, w.back()), r = (*this)(w.back()).value();
      for (;; damping *= 10.0) {
        const Var gram = matmul(j, j, {.transpose_a = true}) + damping * Var(Tensor::eye(p));
        const Var d = solve_spd(gram, matmul(j, r.reshape({r.size(), 1}), {.transpose_a = true}));
        const Tensor next = (w.back() - reshape(d, {p})).value();
        if (value(next) > value(w.back())) continue;
        w.push_back(next);
        damping *= 0.1;
        break;
      }
    }
    return w;
  }
};

TEST(LevenbergMarquardt, StepsAreThoseOfTheWholeSystem) {
  Rng rng(8);
  int failed = 0;
  for (const auto& [n, p] : {std::pair<Index, Index>{7, 3}, {3, 7}, {4, 4}})
    for (int trial = 0; trial < 5; ++trial) {
      const Sines r(rng, n, p);
      const double damping = trial % 2 ? 1e-3 : 0.5;
      const std::vector<Tensor> wanted = r.points(damping, 6);
      Path points;
      const auto run = GaussNewton(r, {.iterations = 6, .damping = damping})
                           .minimize(least_squares(r), r.start, rng, {&points});
      for (std::size_t k = 0; k < 6; ++k)
        for (Index j = 0; j < p; ++j)
          EXPECT_NEAR(points.w[k](j), wanted[k](j), 1e-8) << n << " " << p << " " << k;
      EXPECT_EQ(run.spent.products, 6 * std::min(n, p));
      failed += static_cast<int>(run.spent.values) - 6;
    }
  EXPECT_GT(failed, 0);  // steps that were not taken
}

TEST(GaussNewton, FewResidualsGiveTheShortestStep) {
  // One residual 3 x + 4 y - 25 from 0: the nearest zero is (3, 4).
  const auto r = [](const Var& w) { return reshape(dot(Tensor{3.0, 4.0}, w), {1}) - 25.0; };
  Rng rng(1);
  const auto run = GaussNewton(r, {.iterations = 1}).minimize(least_squares(r), Tensor{0.0, 0.0}, rng);
  EXPECT_NEAR(run.w.flat()(0), 3.0, 1e-14);
  EXPECT_NEAR(run.w.flat()(1), 4.0, 1e-14);
  const auto zero = [](const Var& w) { return 0.0 * w; };
  EXPECT_EQ(error_of<DomainError>([&] {
              GaussNewton(zero).minimize(least_squares(zero), Tensor{1.0, 1.0}, rng);
            }),
            "[gauss_newton] the system of the Jacobian [2, 2] is singular; give a damping above 0");
}

/// The inverse Hessian that the pairs make of gamma I, in full: H <- (I - rho s y') H (I - rho y s') + rho s
/// s'.
Tensor by_pairs(const std::vector<std::pair<Tensor, Tensor>>& pairs) {
  const Index d = pairs.front().first.size();
  const auto column = [&](const Tensor& v) { return Var(v.reshape({d, 1})); };
  const auto outer = [&](const Tensor& a, const Tensor& b) {
    return matmul(column(a), column(b), {.transpose_b = true});
  };
  const auto& [s_last, y_last] = pairs.back();
  Var h = dot(s_last, y_last) / dot(y_last, y_last) * Var(Tensor::eye(d));
  for (const auto& [s, y] : pairs) {
    const Var rho = 1.0 / dot(s, y), left = Tensor::eye(d) - rho * outer(s, y);
    h = matmul(matmul(left, h), transpose(left)) + rho * outer(s, s);
  }
  return h.value();
}

TEST(Lbfgs, DirectionsAreThoseOfTheFullMatrix) {
  const FiniteSum f = objective([](const Var& w) {
    return sum(softplus(Tensor{1.0, -2.0, 0.5, 3.0} * w)) + 0.5 * dot(Tensor{0.1, 1.0, 4.0, 0.3}, square(w));
  });
  Path all;
  Rng rng(1);
  Lbfgs({.step = 0.4, .iterations = 12, .pairs = 3}).minimize(f, Tensor{1.0, -1.0, 2.0, 0.5}, rng, {&all});
  std::vector<std::pair<Tensor, Tensor>> pairs;
  for (std::size_t k = 0; k + 1 < all.w.size(); ++k) {
    if (k > 0)
      pairs.emplace_back((all.w[k] - Var(all.w[k - 1])).value(),
                         (all.gradients[k].flat() - Var(all.gradients[k - 1].flat())).value());
    if (pairs.size() > 3) pairs.erase(pairs.begin());
    const Tensor d =
        pairs.empty() ? all.gradients[k].flat()
                      : matmul(by_pairs(pairs), all.gradients[k].flat().reshape({4, 1})).value().reshape({4});
    for (Index j = 0; j < 4; ++j) EXPECT_NEAR(all.w[k + 1](j), all.w[k](j) - 0.4 * d(j), 1e-11) << k;
  }
}

TEST(Lbfgs, MinimisesRosenbrockInFewCalls) {
  Rng rng(1);
  const auto run = Lbfgs({.stop = {.residual = 1e-8}}).minimize(rosenbrock_sum(), Tensor{-1.2, 1.0}, rng);
  EXPECT_EQ(run.stop, StopReason::converged);
  EXPECT_LE(run.spent.gradients, 60);
  EXPECT_NEAR(run.w.flat()(0), 1.0, 1e-7);
}

TEST(Lbfgs, EndsOnAQuadraticOfFewDimensions) {
  const FiniteSum f = objective([](const Var& w) {
    return 0.5 * dot(Tensor{1.0, 4.0, 9.0, 16.0}, square(w));
  });
  Rng rng(1);
  const auto run = Lbfgs({.stop = {.residual = 1e-12}}).minimize(f, Tensor{1.0, -1.0, 1.0, 2.0}, rng);
  EXPECT_EQ(run.stop, StopReason::converged);
  EXPECT_LE(run.iterations, 25);
}

TEST(Newton, LeavesSaddlesByNegativeCurvature) {
  // x^2/2 + y^4/4 - y^2/2: a saddle at 0 with the curvatures 1 and -1, minima (0, +-1).
  const FiniteSum f = objective([](const Var& w) {
    const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
    return sum(0.5 * square(x) + 0.25 * square(square(y)) - 0.5 * square(y));
  });
  Rng rng(1);
  for (const Index dense : {2000, 0}) {
    const auto run =
        Newton({.dense = dense, .stop = {.residual = 1e-12}}).minimize(f, Tensor{1.0, 1e-3}, rng);
    EXPECT_EQ(run.stop, StopReason::converged) << dense;
    EXPECT_NEAR(std::fabs(run.w.flat()(1)), 1.0, 1e-10) << dense;
    EXPECT_GT(run.spent.products, 0);
  }
  const auto at_the_saddle = Newton({.iterations = 30}).minimize(f, Tensor{1.0, 0.0}, rng);
  EXPECT_NEAR(std::fabs(at_the_saddle.w.flat()(1)), 1.0, 1e-10);
}

TEST(Newton, SmallTrustRegionsReachRosenbrocksMinimum) {
  Rng rng(1);
  for (const Index dense : {2000, 0}) {
    Path points;
    const auto run = Newton({.iterations = 200, .dense = dense, .radius = 0.3, .stop = {.residual = 1e-10}})
                         .minimize(rosenbrock_sum(), Tensor{-1.2, 1.0}, rng, {&points});
    EXPECT_EQ(run.stop, StopReason::converged) << dense;
    for (std::size_t k = 1; k < points.values.size(); ++k) EXPECT_LE(points.values[k], points.values[k - 1]);
    EXPECT_NEAR(run.w.flat()(0), 1.0, 1e-8);
  }
}

TEST(Rules, Errors) {
  EXPECT_EQ(error_of<DomainError>([] { adam({.beta1 = 1.0}); }),
            "[adam] beta1 is 1; give a number in [0, 1)");
  EXPECT_EQ(error_of<DomainError>([] { rmsprop({.epsilon = -1.0}); }),
            "[rmsprop] epsilon is -1; give a finite number, 0 or above");
  EXPECT_EQ(error_of<DomainError>([] { lbfgs(0); }), "[lbfgs] pairs is 0; give 1 or more");
  EXPECT_EQ(error_of<DomainError>([] { momentum(1.0); }), "[momentum] momentum is 1; give 0 <= momentum < 1");
  EXPECT_THROW(newton({.radius = 0.0}), DomainError);
  EXPECT_THROW(gauss_newton(rosenbrock, {.damping = -1.0}), DomainError);
  EXPECT_THROW(gauss_newton({}), DomainError);
  EXPECT_THROW(least_squares({}), DomainError);
  EXPECT_EQ(error_of<DomainError>([] { HeavyBall({.smoothness = 1.0, .mu = 2.0}); }),
            "[HeavyBall] mu is 2, the smoothness 1; give 0 < mu <= smoothness");
  EXPECT_EQ(error_of<DomainError>([] { Nesterov({.step = 0.5, .mu = 4.0}); }),
            "[Nesterov] mu = 4 is above 1 / step = 2, where L should be; no f is both");
  EXPECT_EQ(error_of<DomainError>([] { Adam({.batch = -1}); }),
            "[Adam] batch is -1; give the number of samples an iteration, or 0 for all");
}

// ---- scales of f ------------------------------------------------------------------------------------------

/// Where the run ends from 0, on a quadratic times `scale` whose least point is (1, -2, 0.5, 3).
Run on_scaled_quadratic(const Optimizer& optimizer, double scale, double least = 0.0) {
  const FiniteSum f = objective([=](const Var& w) {
    return scale *
           (0.5 * dot(Tensor{1.0, 10.0, 3.0, 100.0}, square(w - Tensor{1.0, -2.0, 0.5, 3.0})) + least);
  });
  Rng rng(1);
  return optimizer.minimize(f, Tensor{0.0, 0.0, 0.0, 0.0}, rng);
}

TEST(Scales, AreNothingToSearchesAndSecondOrderMethods) {
  const std::vector<std::pair<const char*, Optimizer>> all{
      {"conjugate gradients", Newton({.iterations = 40, .dense = 0})},
      {"Hessian", Newton({.iterations = 40})},
      {"L-BFGS", Lbfgs({.iterations = 40})},
      {"L-BFGS, backtracking", Lbfgs({.step = backtracking(), .iterations = 100})},
      {"Gd, backtracking", Gd({.step = backtracking(), .iterations = 4000})},
      {"Gd, Wolfe", Gd({.step = strong_wolfe(), .iterations = 1500})},
  };
  for (const auto& [name, optimizer] : all)
    for (const double least : {0.0, 7.0}) {
      const auto unscaled = on_scaled_quadratic(optimizer, 1.0, least);
      for (const double scale : {1e-100, 1e-30, 1e30, 1e100}) {
        const auto run = on_scaled_quadratic(optimizer, scale, least);
        EXPECT_NE(run.stop, StopReason::diverged) << name << scale;
        EXPECT_GT(run.iterations, 0) << name << scale;
        EXPECT_LT(norm(run.w - run.w.with(Tensor{1.0, -2.0, 0.5, 3.0})), 1e-5)
            << name << ", scale " << scale << ", least " << least << ", stop " << to_string(run.stop);
        // By the same number of steps and products, where no first step depends on the scale.
        if (std::string(name) == "conjugate gradients") {
          EXPECT_EQ(run.spent, unscaled.spent) << scale;
        }
        if (std::string(name) == "L-BFGS") {
          EXPECT_LE(run.spent.gradients, unscaled.spent.gradients + 3) << scale;
        }
      }
    }
}

TEST(Scales, StopWhereTheyAreToldTo) {
  // |g| is 400 at first, times the scale.
  for (const double scale : {1e-100, 1.0, 1e100})
    for (const auto& optimizer :
         std::vector<Optimizer>{Newton({.iterations = 40, .dense = 0, .stop = {.residual = 1e-6 * scale}}),
                                Lbfgs({.iterations = 40, .stop = {.residual = 1e-6 * scale}})}) {
      const auto run = on_scaled_quadratic(optimizer, scale);
      EXPECT_EQ(run.stop, StopReason::converged) << scale;
      EXPECT_LT(run.value, 1e-10 * scale) << scale;
    }
}

TEST(Scales, DampedLeastSquaresNeedNotBeginNearTheirDamping) {
  for (const double scale : {1e-50, 1e-10, 1e10, 1e50}) {
    const auto r = [=](const Var& w) { return scale * rosenbrock(w); };
    Rng rng(1);
    const auto run = GaussNewton(r, {.iterations = 300, .damping = 1e-3})
                         .minimize(least_squares(r), Tensor{-1.2, 1.0}, rng);
    EXPECT_NEAR(run.w.flat()(0), 1.0, 1e-9) << scale;
    EXPECT_NEAR(run.w.flat()(1), 1.0, 1e-9) << scale;
  }
}

}  // namespace
}  // namespace cotangent::optim
