// Methods on functions so steep or so flat that squares of their gradients are beyond the range of doubles.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/ops.hpp"
#include "optim/optim.hpp"

namespace cotangent::optim {
namespace {

/// scale (w_0^2 + 2 w_1^2) / 2.
FiniteSum bowl(double scale) {
  return objective([scale](const Var& w) { return scale * (0.5 * sum(Var(Tensor{1.0, 2.0}) * w * w)); });
}
const Tensor kStart{3.0, 4.0};

TEST(Scales, NewtonKeepsToItsRadius) {
  for (const double scale : {1.0, 1e200, 1e-200}) {
    const FiniteSum f = bowl(scale);
    const Params start({{"w", kStart}});
    Rng rng(1);
    const auto after = [&](Index iterations) {
      return Newton({.iterations = iterations, .radius = 1.0}).minimize(f, start, rng).w;
    };
    EXPECT_NEAR(norm(after(1) - start), 1.0, 1e-12) << scale;
    EXPECT_LE(norm(after(12)), 1e-9) << scale;
  }
}

TEST(Scales, BacktrackingGoesDown) {
  for (const double scale : {1.0, 1e200, 1e-200}) {
    const auto run = Gd({.step = backtracking(), .iterations = 60}).minimize(bowl(scale), kStart);
    EXPECT_LE(run.value, 1e-6 * scale) << scale;
    EXPECT_GE(run.value, 0.0);
  }
}

TEST(Scales, GaussNewtonSolvesWhereSquaresOfTheJacobianAreNoNumbers) {
  Rng rng(2);
  for (const double damping : {0.0, 1e-3}) {
    const auto flat = [](const Var& w) { return 1e-170 * w - 1.0; };  // at 1e170
    const auto steep = [](const Var& w) { return 1e155 * (w - Tensor{1.0, 2.0}); };
    const auto solved = [&](const Residuals& r, const Tensor& start) {
      return GaussNewton(r, {.iterations = 5, .damping = damping})
          .minimize(least_squares(r), start, rng)
          .w.flat();
    };
    if (damping == 0.0) {  // a damping is a great deal beside such a Jacobian
      EXPECT_NEAR(solved(flat, Tensor{0.0})(0) / 1e170, 1.0, 1e-15);
    }
    EXPECT_NEAR(solved(steep, Tensor{1.0 + 1e-10, 2.0})(0), 1.0, 1e-15) << damping;
  }
}

}  // namespace
}  // namespace cotangent::optim
