// The trajectories of gradient descent against closed forms and published numbers.
#include "optim/optim.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/paths.hpp"

namespace cotangent::optim {
namespace {

using test::error_of, test::Path;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// 1/2 sum_i lambda_i w_i^2.
FiniteSum quadratic(const Tensor& lambda) {
  return objective([lambda](const Var& w) { return 0.5 * dot(lambda, square(w)); });
}

// ---- gradient descent -------------------------------------------------------------------------------------

TEST(Gd, ContractsEveryEigenvectorByItsFactor) {
  const Tensor lambda{1.0, 0.25, 1.5, 3.9}, start{1.0, -2.0, 0.5, 1e-3};
  const double step = 0.5;
  Path seen;
  const auto run = Gd({.step = step, .iterations = 30}).minimize(quadratic(lambda), start, {&seen});
  ASSERT_EQ(seen.w.size(), 30u);
  EXPECT_EQ(run.stop, StopReason::finished);
  EXPECT_EQ(run.iterations, 30);
  for (int k = 0; k <= 30; ++k) {
    const Tensor& w = k < 30 ? seen.w[static_cast<std::size_t>(k)] : run.w.flat();
    double value = 0.0;
    for (Index i = 0; i < 4; ++i) {
      const double exact = std::pow(1.0 - step * lambda(i), k) * start(i);
      EXPECT_NEAR(w(i), exact, 1e-14 * std::abs(exact) + 1e-300) << k << " " << i;
      value += 0.5 * lambda(i) * exact * exact;
    }
    EXPECT_NEAR(k < 30 ? seen.values[static_cast<std::size_t>(k)] : run.value, value, 1e-14 * value) << k;
  }
}

TEST(Gd, PublishedValuesOnAQuadratic) {  // O7
  Path seen;
  const auto run =
      Gd({.step = 1.0, .iterations = 10}).minimize(quadratic(Tensor{1.0, 0.25}), Tensor{1.0, 1.0}, {&seen});
  EXPECT_EQ(seen.values[1], 0.0703125);
  EXPECT_EQ(seen.values[2], 0.03955078125);
  EXPECT_NEAR(run.value, 0.000396401492, 5e-13);
}

TEST(Gd, PublishedValuesOnANonconvexFunction) {  // O7: x^2 + 3 sin^2 x
  const FiniteSum f = objective([](const Var& w) { return sum(square(w) + 3.0 * square(sin(w))); });
  Path seen;
  const auto run = Gd({.step = 0.125, .iterations = 5}).minimize(f, Tensor{3.0}, {&seen});
  EXPECT_NEAR(seen.values[0], 9.059744570024, 1e-12);
  EXPECT_NEAR(seen.values[1], 7.049233701190, 1e-12);
  EXPECT_NEAR(seen.values[2], 6.709848349949, 1e-12);
  EXPECT_NEAR(run.value, 4.852212419157, 1e-12);
}

TEST(Gd, PublishedValuesOnLogisticRegression) {  // O25
  const Tensor x{{1.0, 2.0}, {2.0, -1.0}, {-1.0, 1.0}, {0.5, 0.5}}, y{1.0, -1.0, 1.0, -1.0};
  const FiniteSum f = finite_sum(4, [&](const Var& w, const Batch& b) {
    const Var margin = b.rows(y) * reshape(matmul(b.rows(x), reshape(w, {2, 1})), {b.size()});
    return mean(softplus(-margin)) + 0.05 * dot(w, w);
  });
  Path seen;
  const auto run = Gd({.step = 1.0 / 0.88125, .iterations = 100}).minimize(f, Tensor{0.0, 0.0}, {&seen});
  EXPECT_NEAR(seen.values[0], 0.693147180559945, 1e-15);
  EXPECT_NEAR(seen.values[1], 0.461320711098, 1e-12);
  EXPECT_NEAR(seen.values[10], 0.390126969796, 1e-12);
  EXPECT_NEAR(run.value, 0.390056323328, 1e-12);
  EXPECT_NEAR(run.w["w"](0), -0.792529343087, 1e-7);
  EXPECT_NEAR(run.w["w"](1), 1.00753515539, 1e-7);
  EXPECT_EQ(run.trace.back().component_gradients, 400);
}

TEST(Gd, DecayingStepsMultiplyUp) {
  const double lambda = 0.8;
  const std::array<Step, 3> steps = {decaying(0.9, 0.3), inverse_sqrt(0.9),
                                     Step::rule([](Index k) { return k % 2 ? 0.5 : 1.5; })};
  for (const Step& step : steps) {
    Path seen;
    const auto run =
        Gd({.step = step, .iterations = 25}).minimize(quadratic(Tensor{lambda}), Tensor{2.0}, {&seen});
    double w = 2.0;
    for (Index k = 0; k < 25; ++k) {
      EXPECT_EQ(seen.steps[static_cast<std::size_t>(k)], step(k));
      EXPECT_NEAR(seen.w[static_cast<std::size_t>(k)](0), w, 1e-14 * std::abs(w));
      w *= 1.0 - step(k) * lambda;
    }
    EXPECT_NEAR(run.w["w"](0), w, 1e-14 * std::abs(w));
  }
}

TEST(Gd, StopsAtTheGradientToleranceBeforeTheStep) {
  // |g_k| = 2^-k: 2^-10 is the first at most 1e-3.
  const auto run = Gd({.step = 0.5, .iterations = 100, .gradient_tolerance = 1e-3})
                       .minimize(quadratic(Tensor{1.0}), Tensor{1.0});
  EXPECT_EQ(run.stop, StopReason::converged);
  EXPECT_EQ(run.iterations, 10);
  EXPECT_EQ(run.w["w"](0), std::ldexp(1.0, -10));
  EXPECT_EQ(run.value, std::ldexp(1.0, -21));
  ASSERT_EQ(run.trace.size(), 11);
  EXPECT_EQ(run.trace.back().gradient_norm, std::ldexp(1.0, -10));
  EXPECT_EQ(run.trace.back().iterations, 10);
}

TEST(Gd, MinimisesRosenbrock) {
  const FiniteSum f = objective([](const Var& w) {
    const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
    return sum(square(1.0 - x) + 100.0 * square(y - square(x)));
  });
  const auto run = Gd({.step = 1e-3, .iterations = 200000, .momentum = 0.9, .gradient_tolerance = 1e-10})
                       .minimize(f, Tensor{-1.2, 1.0});
  EXPECT_EQ(run.stop, StopReason::converged);
  EXPECT_NEAR(run.w["w"](0), 1.0, 1e-8);
  EXPECT_NEAR(run.w["w"](1), 1.0, 1e-8);
}

// ---- momentum ---------------------------------------------------------------------------------------------

TEST(Momentum, HeavyBallIsPolyaksRecursion) {
  const double lambda = 1.3, step = 0.4, momentum = 0.7;
  Path seen;
  const auto run = Gd({.step = step, .iterations = 40, .momentum = momentum})
                       .minimize(quadratic(Tensor{lambda}), Tensor{1.0}, {&seen});
  double before = 1.0, w = 1.0;  // x+ = x - s g + m (x - x-)
  for (std::size_t k = 0; k < 40; ++k) {
    EXPECT_NEAR(seen.w[k](0), w, 1e-14);
    const double next = w - step * lambda * w + momentum * (w - before);
    before = w;
    w = next;
  }
  EXPECT_NEAR(run.w["w"](0), w, 1e-14);
}

TEST(Momentum, NesterovIsItsTwoSequenceForm) {
  const double lambda = 1.3, step = 0.4, momentum = 0.7;
  Path seen;
  const auto run = Gd({.step = step, .iterations = 40, .momentum = momentum, .nesterov = true})
                       .minimize(quadratic(Tensor{lambda}), Tensor{1.0}, {&seen});
  double x = 1.0, y = 1.0;  // x+ = y - s g(y), y+ = x+ + m (x+ - x)
  for (std::size_t k = 0; k < 40; ++k) {
    EXPECT_NEAR(seen.w[k](0), y, 1e-14);
    const double next = y - step * lambda * y;
    y = next + momentum * (next - x);
    x = next;
  }
  EXPECT_NEAR(run.w["w"](0), y, 1e-14);
}

TEST(Momentum, HandIterationWithChangingSteps) {
  for (const bool nesterov : {false, true}) {
    const Step step = decaying(0.3, 0.2);
    const auto run = Gd({.step = step, .iterations = 20, .momentum = 0.6, .nesterov = nesterov})
                         .minimize(quadratic(Tensor{2.0, 0.5}), Tensor{1.0, -1.0});
    std::array<double, 2> w = {1.0, -1.0}, v = {0.0, 0.0};
    const std::array<double, 2> lambda = {2.0, 0.5};
    for (Index k = 0; k < 20; ++k)
      for (std::size_t i = 0; i < 2; ++i) {
        const double g = lambda[i] * w[i];
        v[i] = 0.6 * v[i] + g;
        w[i] -= step(k) * (nesterov ? g + 0.6 * v[i] : v[i]);
      }
    EXPECT_NEAR(run.w["w"](0), w[0], 1e-15);
    EXPECT_NEAR(run.w["w"](1), w[1], 1e-15);
  }
}

TEST(Momentum, HeavyBallHasItsPublishedRateAndThreeCycle) {  // A11
  const double q = 9.0 / 11.0;                               // (sqrt(100) - 1) / (sqrt(100) + 1)
  const Tensor ends{100.0, 1.0}, start{1.0, 1.0};
  const auto norm_after = [&](Index iterations) {
    const auto run = Gd({.step = 4.0 / 121.0, .iterations = iterations, .momentum = q * q})
                         .minimize(quadratic(ends), start);
    return norm(run.w);
  };
  // A double root: the error is (a + b k) q^k.
  EXPECT_NEAR(std::pow(norm_after(1000) / norm_after(500) * (501.0 / 1001.0), 1.0 / 500.0), q, 1e-5);

  // f' = 25 x, x + 24, 25 x - 24 on x < 1, [1, 2), >= 2.
  const FiniteSum f = objective([](const Var& w) {
    return sum(12.5 * square(w) - 12.0 * square(relu(w - 1.0)) + 12.0 * square(relu(w - 2.0)));
  });
  Path seen;
  Gd({.step = 1.0 / 9.0, .iterations = 603, .momentum = 4.0 / 9.0}).minimize(f, Tensor{3.3}, {&seen});
  std::vector<double> last;
  for (std::size_t k = 600; k < 603; ++k) last.push_back(seen.w[k](0));
  std::sort(last.begin(), last.end());
  EXPECT_NEAR(last[0], -2208.0 / 1225.0, 1e-12);
  EXPECT_NEAR(last[1], 792.0 / 1225.0, 1e-12);
  EXPECT_NEAR(last[2], 2592.0 / 1225.0, 1e-12);
}

TEST(Momentum, ZeroIsPlainDescentInBothForms) {
  for (const bool nesterov : {false, true}) {
    const auto run = Gd({.step = 0.3, .iterations = 9, .momentum = 0.0, .nesterov = nesterov})
                         .minimize(quadratic(Tensor{1.0}), Tensor{1.0});
    const auto plain = Gd({.step = 0.3, .iterations = 9}).minimize(quadratic(Tensor{1.0}), Tensor{1.0});
    EXPECT_EQ(run.w["w"](0), plain.w["w"](0));
  }
}

TEST(FirstOrder, OptionErrors) {
  EXPECT_EQ(error_of<DomainError>([] { Gd({.iterations = -1}); }), "[Gd] iterations is -1; give 0 or more");
  EXPECT_EQ(error_of<DomainError>([] { Gd({.gradient_tolerance = -1e-3}); }),
            "[Gd] gradient_tolerance is -0.001; give a finite number, 0 or above, or none");
  EXPECT_EQ(error_of<DomainError>([] { Gd({.gradient_tolerance = kNan}); }),
            "[Gd] gradient_tolerance is nan; give a finite number, 0 or above, or none");
  EXPECT_EQ(error_of<DomainError>([] { Gd({.momentum = 1.0}); }),
            "[Gd] momentum is 1; give 0 <= momentum < 1");
  EXPECT_EQ(error_of<DomainError>([] { Gd({.value_limit = kNan}); }),
            "[Gd] value_limit is nan; give a number above every value to allow");
  EXPECT_EQ(error_of<DomainError>([] { Sgd({.epochs = -2}); }), "[Sgd] epochs is -2; give 0 or more");
  EXPECT_EQ(error_of<DomainError>([] { Sgd({.batch = 0}); }),
            "[Sgd] batch is 0; give the number of samples an iteration, 1 or more");
  EXPECT_EQ(error_of<DomainError>([] { Sgd({.momentum = -0.5}); }),
            "[Sgd] momentum is -0.5; give 0 <= momentum < 1");
  EXPECT_EQ(error_of<DomainError>([] { Sgd({.momentum = kNan}); }),
            "[Sgd] momentum is nan; give 0 <= momentum < 1");
}

}  // namespace
}  // namespace cotangent::optim
