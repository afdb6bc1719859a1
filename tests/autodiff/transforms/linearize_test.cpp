// Linearised functions and networks: values, derivatives, training against the linear model's closed form.
#include "autodiff/linearize.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/rng.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tests/support/expect.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::AllOf;
using testing::HasSubstr;

struct Problem {
  nn::Sequential net{nn::Linear(3, 8), nn::Tanh(), nn::Linear(8, 2)};
  Params w;
  Tensor x, y;
  Problem() {
    Rng rng(2);
    w = net.init(rng);
    x = rng.normal(Shape{6, 3});
    y = rng.normal(Shape{6, 2});
  }
};

TEST(Linearize, IsTheTaylorModel) {
  const Problem p;
  const auto f = [&](const Var& at) { return p.net(at, p.x); };
  const Linearized linear_f = linearize(f, p.w);
  const LinearizedModel linear_net = linearize(p.net, p.w);
  const Tensor w = Rng(5).normal(Shape{p.w.size()});
  const Tensor j = jacobian(f, p.w).reshape(Shape{12, p.w.size()});
  const Tensor step = (Var(w) - p.w).value();
  const Tensor expected =
      (f(Var(p.w)) + reshape(matmul(j, step.reshape(Shape{step.size(), 1})), Shape{6, 2})).value();
  expect_close(linear_f(Var(w)).value(), expected, 1e-12);
  expect_close(linear_net(Var(w), Var(p.x)).value(), expected, 1e-12);
  expect_close(linear_f(Var(p.w)).value(), f(Var(p.w)).value(), 0.0);
  expect_close(linear_f.value(), f(Var(p.w)).value(), 0.0);
  expect_close(linear_f.times(step).value(), jvp(f, p.w, p.w.with(step)).tangent, 1e-12);
  // Moving away by h leaves a gap of second order.
  const auto gap = [&](double h) {
    const Params at = axpy(h, p.w.with(w), p.w);
    return norm(Params({{"gap", (f(Var(at)) - linear_f(Var(at))).value()}}));
  };
  EXPECT_NEAR(gap(2e-3) / gap(1e-3), 4.0, 0.05);
}

TEST(Linearize, DerivativesOfEveryOrder) {
  const Problem p;
  const LinearizedModel net = linearize(p.net, p.w);
  const auto f = [&](const Var& at) { return net(at, p.x); };
  const auto risk = [&](const Var& at) { return nn::cross_entropy(f(at), Tensor{0, 1, 1, 0, 1, 0}); };
  const Tensor w = Rng(5).normal(Shape{p.w.size()}), v = Rng(6).normal(Shape{p.w.size()});
  expect_close(jacobian(f, w), jacobian([&](const Var& at) { return p.net(at, p.x); }, p.w.flat()), 1e-12);
  expect_close(jacobian(f, w, {.mode = DerivativeMode::forward}), jacobian(f, w), 1e-12);
  const auto gradient = [&](const Tensor& at) { return grad(risk, at); };
  expect_close(
      grad(risk, w),
      test::differences([&](const Tensor& at) { return risk(Var(at)).value(); }, w).reshape(w.shape()), 1e-9);
  expect_close(hessian(risk, w), test::differences(gradient, w), 1e-8);
  expect_close(hvp(risk, w, v),
               matmul(hessian(risk, w), v.reshape(Shape{v.size(), 1})).value().reshape(v.shape()), 1e-12);
}

TEST(Linearize, IsDifferentiableInTheSamples) {
  const Problem p;
  const LinearizedModel net = linearize(p.net, p.w);
  const Tensor w = Rng(5).normal(Shape{p.w.size()});
  const auto risk = [&](const Var& x) { return nn::mse(net(Var(w), x), p.y); };
  expect_close(
      grad(risk, p.x),
      test::differences([&](const Tensor& x) { return risk(Var(x)).value(); }, p.x).reshape(p.x.shape()),
      1e-9);
}

// Each X its own record: the last one must not answer for another.
TEST(Linearize, EveryBatchHasItsOwnJacobian) {
  const Problem p;
  const LinearizedModel net = linearize(p.net, p.w);
  const Tensor w = Rng(5).normal(Shape{p.w.size()});
  const Tensor whole = net(Var(w), Var(p.x)).value();
  for (const Index first : {Index{0}, Index{2}, Index{4}, Index{0}}) {
    const Tensor part = net(Var(w), Var(p.x.rows(first, first + 2))).value();
    expect_close(part, whole.rows(first, first + 2), 1e-13);
  }
  for (int k = 0; k < 3; ++k) {  // a block given back and taken again at the same address
    const Tensor fresh = Rng(static_cast<std::uint64_t>(k)).normal(Shape{6, 3});
    const Tensor expected = linearize([&](const Var& at) { return p.net(at, fresh); }, p.w)(Var(w)).value();
    expect_close(net(Var(w), Var(fresh)).value(), expected, 1e-13);
  }
}

TEST(Linearize, GradientDescentIsTheClosedFormOfTheLinearModel) {
  const Problem p;
  const LinearizedModel net = linearize(p.net, p.w);
  const Index steps = 40;
  const double step = 0.3;
  const auto f = optim::objective([&](const Var& w) { return nn::half_mse(net(w, p.x), p.y); });
  const auto run = optim::Gd({.step = step, .iterations = steps}).minimize(f, p.w);
  // Residuals of (1/2N) |f - y|^2 under gradient descent: r <- (I - step/N K) r, K the tangent kernel at w0.
  const Tensor k = theory::tangent_kernel(p.net, p.w, p.x).matrix();
  Var r = reshape(p.net(p.w, p.x) - p.y, Shape{12, 1});
  for (Index i = 0; i < steps; ++i) r = r - (step / 12.0) * matmul(k, r);
  const Tensor trained = reshape(net(run.w, p.x) - p.y, Shape{12, 1}).value();
  expect_close(trained, r.value(), 1e-12);
  // The network itself does something else.
  const auto own = optim::objective([&](const Var& w) { return nn::half_mse(p.net(w, p.x), p.y); });
  const auto other = optim::Gd({.step = step, .iterations = steps}).minimize(own, p.w);
  EXPECT_GT(std::fabs(other.value - run.value), 1e-4);
}

TEST(Linearize, TrainsInMinibatchesToTheLeastSquaresSolution) {
  const Problem p;
  const LinearizedModel net = linearize(p.net, p.w);
  const auto f = optim::finite_sum(
      6, [&](const Var& w, const Batch& b) { return nn::mse(net(w, b.rows(p.x)), b.rows(p.y)); });
  Rng rng(4);
  // More parameters than outputs: the linear model fits exactly, and its noise vanishes there.
  const auto run = optim::Sgd({.step = 0.1, .batch = 2, .epochs = 4000}).minimize(f, p.w, rng);
  EXPECT_LT(run.value, 1e-8);
}

TEST(Linearize, TheTangentKernelStaysThatOfTheStart) {
  const Problem p;
  const Params w = p.w.with(Rng(5).normal(Shape{p.w.size()}));
  const Tensor at_start = theory::tangent_kernel(p.net, p.w, p.x).matrix();
  expect_close(theory::tangent_kernel(linearize(p.net, p.w), w, p.x).matrix(), at_start, 1e-12);
  EXPECT_GT(std::fabs(theory::tangent_kernel(p.net, w, p.x).matrix()(0, 0) - at_start(0, 0)), 0.1);
}

TEST(Linearize, ProductsWithTheJacobianAreDifferentiable) {
  const Problem p;
  const auto f = [&](const Var& at) { return p.net(at, p.x); };
  const Linearized linear_f = linearize(f, p.w);
  const Tensor v = Rng(6).normal(Shape{p.w.size()});
  const Tensor g = grad([&](const Var& at) { return sum(square(linear_f.times(at))); }, v);
  expect_close(g, vjp(f, p.w)((2.0 * linear_f.times(v)).value()).flat(), 1e-12);
  EXPECT_THAT(error_of<ShapeError>([&] {
                linear_f.times(Tensor{1, 2});
              }),
              HasSubstr("[linear_map] x is [2]"));
}

TEST(Linearize, Refusals) {
  const Problem p;
  const Linearized f = linearize([&](const Var& at) { return p.net(at, p.x); }, p.w);
  EXPECT_THAT(error_of<ShapeError>([&] {
                f(Tensor{1, 2});
              }),
              AllOf(HasSubstr("[linearize] w is [2]"), HasSubstr("[50]")));
  const LinearizedModel net = linearize(p.net, p.w);
  EXPECT_THAT(error_of<ShapeError>([&] { net(Tensor{1, 2}, p.x); }), HasSubstr("[linearize]"));
}

}  // namespace
}  // namespace cotangent
