// Objectives, steps, and the trajectories of gradient descent against closed forms and published numbers.
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

namespace cotangent::optim {
namespace {

using test::error_of;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

/// Keeps every point, value and step the loop shows.
struct Recorder : Observer {
  std::vector<Tensor> points;
  std::vector<double> values, steps;
  Flow on_step(const View& view) override {
    points.push_back(view.w.flat());
    values.push_back(view.value);
    steps.push_back(view.step);
    return Flow::go_on;
  }
};

/// 1/2 sum_i lambda_i w_i^2.
FiniteSum quadratic(const Tensor& lambda) {
  return objective([lambda](const Var& w) { return 0.5 * dot(lambda, square(w)); });
}

// ---- batches ----------------------------------------------------------------------------------------------

TEST(Batch, AllGivesTheTensorItself) {
  const Tensor x = Tensor::linspace(0.0, 11.0, 12).reshape(Shape{4, 3});
  const Batch all = Batch::all(4);
  EXPECT_TRUE(all.is_all());
  EXPECT_EQ(all.rows(x).data().data(), x.data().data());
  EXPECT_EQ(all.rows(x).shape(), x.shape());
  EXPECT_EQ(all.indices(), (std::vector<Index>{0, 1, 2, 3}));
}

TEST(Batch, ConsecutiveSamplesShareTheNumbers) {
  const Tensor x = Tensor::linspace(0.0, 11.0, 12).reshape(Shape{4, 3});
  for (const Batch& batch : {Batch::range(4, 1, 3), Batch::of(4, {1, 2})}) {
    EXPECT_FALSE(batch.is_all());
    EXPECT_EQ(batch.size(), 2);
    EXPECT_EQ(batch.total(), 4);
    EXPECT_EQ(batch.indices(), (std::vector<Index>{1, 2}));
    EXPECT_EQ(batch.rows(x).data().data(), x.data().data() + 3);
    EXPECT_EQ(batch.rows(x).shape(), (Shape{2, 3}));
  }
  EXPECT_TRUE(Batch::of(3, {0, 1, 2}).is_all());
}

TEST(Batch, ListsAreGathered) {
  const Tensor x = Tensor::linspace(0.0, 11.0, 12).reshape(Shape{4, 3});
  const Tensor labels{10.0, 11.0, 12.0, 13.0};
  const Batch batch = Batch::of(4, {3, 0, 3});
  EXPECT_TRUE(equal(batch.rows(x), Tensor{{9.0, 10.0, 11.0}, {0.0, 1.0, 2.0}, {9.0, 10.0, 11.0}}));
  EXPECT_TRUE(equal(batch.rows(labels), Tensor{13.0, 10.0, 13.0}));
  EXPECT_EQ(batch[0], 3);
  EXPECT_EQ(batch[1], 0);
  const Tensor images = Tensor::linspace(0.0, 23.0, 24).reshape(Shape{4, 2, 3});
  EXPECT_EQ(batch.rows(images).shape(), (Shape{3, 2, 3}));
  EXPECT_EQ(batch.rows(images)(1, 1, 2), 5.0);
  EXPECT_EQ(Batch::of(4, {2, 1}).rows(Tensor::zeros(Shape{4, 0})).shape(), (Shape{2, 0}));
  EXPECT_FALSE(Batch::of(2, {1, 0}).is_all());
}

TEST(Batch, Errors) {
  EXPECT_EQ(error_of<DomainError>([] {
              Batch::of(4, {0, 4});
            }),
            "[Batch] sample 4 at position 1 of 4 samples; samples are numbered 0 .. 3");
  EXPECT_EQ(error_of<DomainError>([] { Batch::of(4, {-1}); }),
            "[Batch] sample -1 at position 0 of 4 samples; samples are numbered 0 .. 3");
  EXPECT_EQ(error_of<DomainError>([] { Batch::of(4, {}); }),
            "[Batch] no samples of 4; the mean over none is undefined, give at least one");
  const std::string fix = " (the last excluded) of 4; give a range with at least one sample inside 0 .. 4";
  EXPECT_EQ(error_of<DomainError>([] { Batch::range(4, 2, 2); }), "[Batch] samples 2 .. 2" + fix);
  EXPECT_EQ(error_of<DomainError>([] { Batch::range(4, 0, 5); }), "[Batch] samples 0 .. 5" + fix);
  EXPECT_EQ(error_of<DomainError>([] { Batch::range(4, -1, 2); }), "[Batch] samples -1 .. 2" + fix);
  EXPECT_EQ(
      error_of<ShapeError>([] {
        Batch::of(4, {1}).rows(Tensor::ones(Shape{3, 2}));
      }),
      "[Batch::rows] the tensor is [3, 2], the objective has 4 samples; give one whose axis 0 numbers all "
      "samples, [4, ...]");
  EXPECT_EQ(error_of<ShapeError>([] { Batch::all(1).rows(Tensor::scalar(2.0)); }),
            "[Batch::rows] the tensor is [], the objective has 1 samples; give one whose axis 0 numbers all "
            "samples, [1, ...]");
}

// ---- objectives -------------------------------------------------------------------------------------------

/// Least squares 1/(2n) |X w - y|^2 as a finite sum.
struct LeastSquares {
  Tensor x{{1.0, 2.0}, {2.0, -1.0}, {-1.0, 1.0}, {0.5, 0.5}, {3.0, 1.0}};
  Tensor y{1.0, 2.0, -1.0, 0.5, 0.0};
  FiniteSum f = finite_sum(5, [X = x, Y = y](const Var& w, const Batch& b) {
    const Var residual = reshape(matmul(b.rows(X), reshape(w, {2, 1})), {b.size()}) - b.rows(Y);
    return 0.5 * mean(square(residual));
  });
  /// Value and gradient of one component, by hand.
  double component(Index i, double w0, double w1, std::array<double, 2>& g) const {
    const double r = x(i, 0) * w0 + x(i, 1) * w1 - y(i);
    g = {r * x(i, 0), r * x(i, 1)};
    return 0.5 * r * r;
  }
};

TEST(FiniteSum, IsTheMeanOfItsComponents) {
  const LeastSquares ls;
  const Params w({{"w", Tensor{0.3, -0.7}}});
  for (const std::vector<Index>& list :
       {std::vector<Index>{0, 1, 2, 3, 4}, std::vector<Index>{4, 1}, std::vector<Index>{2, 2, 0}}) {
    double value = 0.0, g0 = 0.0, g1 = 0.0;
    for (const Index i : list) {
      std::array<double, 2> g{};
      value += ls.component(i, 0.3, -0.7, g) / static_cast<double>(list.size());
      g0 += g[0] / static_cast<double>(list.size());
      g1 += g[1] / static_cast<double>(list.size());
    }
    const Batch batch = Batch::of(5, list);
    const auto [v, g] = ls.f.value_and_grad(w, batch);
    EXPECT_NEAR(v, value, 1e-15);
    EXPECT_NEAR(g["w"](0), g0, 1e-15);
    EXPECT_NEAR(g["w"](1), g1, 1e-15);
    EXPECT_EQ(ls.f.value(w, batch), v);
    EXPECT_TRUE(equal(ls.f.grad(w, batch).flat(), g.flat()));
    EXPECT_TRUE(equal(ls.f.grad(w.flat(), batch), g.flat()));
  }
  EXPECT_EQ(ls.f.value(w), ls.f.value(w, Batch::all(5)));
  EXPECT_EQ(ls.f.value(w.flat()), ls.f.value(w));
  EXPECT_TRUE(equal(ls.f.grad(w).flat(), ls.f.grad(w.flat())));
  EXPECT_EQ(ls.f.size(), 5);
}

TEST(FiniteSum, CountsComponentGradients) {
  const LeastSquares ls;
  const Tensor w{0.0, 0.0};
  EXPECT_EQ(ls.f.component_gradients(), 0);
  ls.f.value(w);
  EXPECT_EQ(ls.f.component_gradients(), 0);
  ls.f.grad(w);
  EXPECT_EQ(ls.f.component_gradients(), 5);
  ls.f.value_and_grad(w, Batch::of(5, {3, 3, 0}));
  EXPECT_EQ(ls.f.component_gradients(), 8);
  const FiniteSum copy = ls.f;
  copy.grad(Params({{"w", w}}), Batch::range(5, 0, 1));
  EXPECT_EQ(ls.f.component_gradients(), 9);
}

TEST(FiniteSum, EveryTransformTakesIt) {
  const LeastSquares ls;
  const Tensor hessian_by_hand = matmul(ls.x, ls.x, {.transpose_a = true}).value();  // n * Hessian
  const Tensor h = hessian(ls.f, Tensor{0.1, 0.2});
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 2; ++j) EXPECT_NEAR(h(i, j), hessian_by_hand(i, j) / 5.0, 1e-14);
  const Tensor hv = hvp(ls.f, Tensor{0.1, 0.2}, Tensor{1.0, -1.0});
  EXPECT_NEAR(hv(0), h(0, 0) - h(0, 1), 1e-14);
}

TEST(FiniteSum, Errors) {
  const auto zero = [](const Var& w, const Batch&) { return sum(w); };
  EXPECT_EQ(error_of<DomainError>([&] { finite_sum(0, zero); }),
            "[finite_sum] n is 0; an objective needs at least one component, n >= 1");
  EXPECT_EQ(error_of<DomainError>([&] { finite_sum(-2, zero); }),
            "[finite_sum] n is -2; an objective needs at least one component, n >= 1");
  EXPECT_EQ(error_of<DomainError>([] { finite_sum(2, BatchFunction()); }),
            "[finite_sum] the function is empty; give a callable of (const Var&, const Batch&)");
  EXPECT_EQ(error_of<DomainError>([] { objective(Function<Var(const Var&)>()); }),
            "[objective] the function is empty; give a callable of (const Var&)");
  const FiniteSum f = finite_sum(4, [](const Var& w, const Batch&) { return 2.0 * w; });
  const std::string text =
      "[finite_sum] the function returned [3] for a batch of 2 and w [3]; return one number, the mean over "
      "the "
      "batch";
  EXPECT_EQ(error_of<ShapeError>([&] { f.value(Tensor::ones({3}), Batch::range(4, 0, 2)); }), text);
  EXPECT_EQ(error_of<ShapeError>([&] { f.grad(Tensor::ones({3}), Batch::range(4, 0, 2)); }), text);
  EXPECT_EQ(error_of<DomainError>([&] { f.value(Tensor::ones({3}), Batch::all(5)); }),
            "[finite_sum] a batch out of 5 samples for an objective of 4; make it with n = 4");
}

// ---- steps ------------------------------------------------------------------------------------------------

TEST(Step, CountsIterationsFromZero) {
  const Step constant = 0.25, hyperbolic = decaying(0.5, 0.1), root = inverse_sqrt(2.0);
  const Step squares = Step::rule([](Index k) { return 1.0 / static_cast<double>((k + 1) * (k + 1)); });
  for (const Index k : {0, 1, 2, 10, 1000000}) {
    const double x = static_cast<double>(k);
    EXPECT_EQ(constant(k), 0.25);
    EXPECT_EQ(hyperbolic(k), 0.5 / (1.0 + 0.1 * x));
    EXPECT_EQ(root(k), 2.0 / std::sqrt(x + 1.0));
    EXPECT_EQ(squares(k), 1.0 / ((x + 1.0) * (x + 1.0)));
  }
  EXPECT_EQ(decaying(0.5, 0.0)(7), 0.5);
}

TEST(Step, Errors) {
  EXPECT_EQ(error_of<DomainError>([] { Step(0.0); }), "[Step] a step of 0; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { Step(-0.1); }), "[Step] a step of -0.1; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { (void)Step(kNan); }),
            "[Step] a step of nan; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { inverse_sqrt(kInf); }),
            "[inverse_sqrt] a step of inf; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { decaying(-1.0, 0.5); }),
            "[decaying] a step of -1; give a finite number above 0");
  EXPECT_EQ(error_of<DomainError>([] { decaying(0.1, -0.5); }),
            "[decaying] a rate of -0.5 for the step 0.1; give a finite number, 0 or above");
  EXPECT_EQ(error_of<DomainError>([] { Step::rule({}); }),
            "[Step::rule] the rule is empty; give a callable of the iteration");
  const Step falling = Step::rule([](Index k) { return 2.0 - static_cast<double>(k); });
  EXPECT_EQ(falling(1), 1.0);
  EXPECT_EQ(error_of<DomainError>([&] { falling(2); }),
            "[Step::rule] the rule gave the step 0 at iteration 2; give finite numbers above 0");
}

// ---- gradient descent -------------------------------------------------------------------------------------

TEST(Gd, ContractsEveryEigenvectorByItsFactor) {
  const Tensor lambda{1.0, 0.25, 1.5, 3.9}, start{1.0, -2.0, 0.5, 1e-3};
  const double step = 0.5;
  Recorder seen;
  const auto run = Gd({.step = step, .iterations = 30}).minimize(quadratic(lambda), start, {&seen});
  ASSERT_EQ(seen.points.size(), 30u);
  EXPECT_EQ(run.stop, StopReason::finished);
  EXPECT_EQ(run.iterations, 30);
  for (int k = 0; k <= 30; ++k) {
    const Tensor& w = k < 30 ? seen.points[static_cast<std::size_t>(k)] : run.w.flat();
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
  Recorder seen;
  const auto run =
      Gd({.step = 1.0, .iterations = 10}).minimize(quadratic(Tensor{1.0, 0.25}), Tensor{1.0, 1.0}, {&seen});
  EXPECT_EQ(seen.values[1], 0.0703125);
  EXPECT_EQ(seen.values[2], 0.03955078125);
  EXPECT_NEAR(run.value, 0.000396401492, 5e-13);
}

TEST(Gd, PublishedValuesOnANonconvexFunction) {  // O7: x^2 + 3 sin^2 x
  const FiniteSum f = objective([](const Var& w) { return sum(square(w) + 3.0 * square(sin(w))); });
  Recorder seen;
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
  Recorder seen;
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
    Recorder seen;
    const auto run =
        Gd({.step = step, .iterations = 25}).minimize(quadratic(Tensor{lambda}), Tensor{2.0}, {&seen});
    double w = 2.0;
    for (Index k = 0; k < 25; ++k) {
      EXPECT_EQ(seen.steps[static_cast<std::size_t>(k)], step(k));
      EXPECT_NEAR(seen.points[static_cast<std::size_t>(k)](0), w, 1e-14 * std::abs(w));
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
  Recorder seen;
  const auto run = Gd({.step = step, .iterations = 40, .momentum = momentum})
                       .minimize(quadratic(Tensor{lambda}), Tensor{1.0}, {&seen});
  double before = 1.0, w = 1.0;  // x+ = x - s g + m (x - x-)
  for (std::size_t k = 0; k < 40; ++k) {
    EXPECT_NEAR(seen.points[k](0), w, 1e-14);
    const double next = w - step * lambda * w + momentum * (w - before);
    before = w;
    w = next;
  }
  EXPECT_NEAR(run.w["w"](0), w, 1e-14);
}

TEST(Momentum, NesterovIsItsTwoSequenceForm) {
  const double lambda = 1.3, step = 0.4, momentum = 0.7;
  Recorder seen;
  const auto run = Gd({.step = step, .iterations = 40, .momentum = momentum, .nesterov = true})
                       .minimize(quadratic(Tensor{lambda}), Tensor{1.0}, {&seen});
  double x = 1.0, y = 1.0;  // x+ = y - s g(y), y+ = x+ + m (x+ - x)
  for (std::size_t k = 0; k < 40; ++k) {
    EXPECT_NEAR(seen.points[k](0), y, 1e-14);
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
  Recorder seen;
  Gd({.step = 1.0 / 9.0, .iterations = 603, .momentum = 4.0 / 9.0}).minimize(f, Tensor{3.3}, {&seen});
  std::vector<double> last;
  for (std::size_t k = 600; k < 603; ++k) last.push_back(seen.points[k](0));
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
