// Systems with symmetric positive definite matrices against closed forms, and which leading minor an error
// names.
#include <cmath>

#include "autodiff/autodiff.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::HasSubstr;

Tensor definite(Index n) {
  const Tensor m = Rng(8).normal(Shape{n, n + 2});
  const Tensor a = (matmul(m, m, {.transpose_b = true}) + 0.5 * Var(Tensor::eye(n))).value();
  return (0.5 * (a + transpose(a))).value();
}

TEST(SpdSystems, SolutionAndDeterminant) {
  for (const Index n : {1, 2, 5, 60}) {
    const Tensor a = definite(n), x = Rng(9).normal(Shape{n, 3});
    expect_close(solve_spd(a, matmul(a, x)).value(), x, 1e-9);
    // log det of a = L L^T with a diagonal L known.
    const Tensor l = Rng(10).uniform(Shape{n}, 0.5, 2.0);
    EXPECT_NEAR(log_det_spd(diag(square(l))).item(), 2.0 * sum(log(l)).item(),
                1e-12 * static_cast<double>(n));
  }
  EXPECT_EQ(solve_spd(Tensor::zeros(Shape{0, 0}), Tensor::zeros(Shape{0})).shape(), Shape{0});
  EXPECT_EQ(log_det_spd(Tensor::zeros(Shape{0, 0})).item(), 0.0);
  // Rounding may leave a Gram matrix not quite symmetric.
  EXPECT_NEAR(solve_spd(Tensor{{4.0, 1.0 + 1e-15}, {1.0, 3.0}}, Tensor{5.0, 4.0}).value()(0), 1.0, 1e-14);
}

// d log det a / d a = a^-1, d^2 log det a [h, h] = -tr(a^-1 h a^-1 h); in one dimension to third order.
TEST(SpdSystems, DerivativesInClosedForm) {
  const Tensor a = definite(4), h = definite(4), inverse = solve_spd(a, Tensor::eye(4)).value();
  const auto f = [](const Var& m) { return log_det_spd(m); };
  expect_close(grad(f, a), inverse, 1e-12);
  const Var ih = matmul(inverse, h);
  EXPECT_NEAR(dot(hvp(f, a, h), h).item(), -trace(matmul(ih, ih)).item(), 1e-10);
  // b^T a^-1 b has the gradient -x x^T, x = a^-1 b, and 2 x by b.
  const Tensor b{1.0, -2.0, 0.5, 3.0};
  const Tensor x = solve_spd(a, b).value();
  const Tensor by_a = grad([&](const Var& m) { return dot(b, solve_spd(m, b)); }, a);
  expect_close(by_a, (-1.0 * outer(x, x)).value(), 1e-12);
  expect_close(grad([&](const Var& v) { return dot(v, solve_spd(a, v)); }, b), (2.0 * Var(x)).value(), 1e-12);
  // The derivative by a matrix that enters through both triangles is symmetric.
  const Tensor c = Rng(4).normal(Shape{4, 2});
  const Tensor g = grad([&](const Var& m) { return sum(sin(solve_spd(m, c))); }, a);
  EXPECT_TRUE(equal(g, transpose(g).value()));

  const auto one = [](const Var& t) {
    return sum(solve_spd(reshape(t, Shape{1, 1}), Tensor{1.0}));
  };  // 1 / t
  const auto first = [&](const Var& t) { return grad(one, t); };
  const auto second = [&](const Var& t) { return grad(first, t); };
  EXPECT_NEAR(grad(one, 2.0), -1.0 / 4.0, 1e-15);
  EXPECT_NEAR(grad(first, 2.0), 2.0 / 8.0, 1e-15);
  EXPECT_NEAR(grad(second, 2.0), -6.0 / 16.0, 1e-14);
}

TEST(SpdSystems, TheErrorNamesTheFirstLeadingMinorThatIsNotPositive) {
  for (Index bad = 0; bad < 5; ++bad) {
    std::vector<double> d(5, 2.0);
    d[static_cast<std::size_t>(bad)] = bad % 2 ? 0.0 : -1.0;
    const Tensor a = diag(Tensor::from(d, Shape{5})).value();
    const std::string order = "leading minor of order " + std::to_string(bad + 1) + " is not positive";
    EXPECT_THAT(error_of<DomainError>([&] { log_det_spd(a); }), HasSubstr(order));
    EXPECT_THAT(error_of<DomainError>([&] { solve_spd(a, Tensor::ones(Shape{5})); }), HasSubstr(order));
  }
}

// A Gaussian log-likelihood, as it is used: gradient and curvature by the kernel's width.
TEST(SpdSystems, LikelihoodOfAGaussianProcess) {
  const Tensor x = Rng(12).uniform(Shape{8}, 0.0, 3.0), y = Rng(13).normal(Shape{8});
  std::vector<double> squares;
  for (Index i = 0; i < 8; ++i)
    for (Index j = 0; j < 8; ++j) squares.push_back((x(i) - x(j)) * (x(i) - x(j)));
  const Tensor distances = Tensor::from(squares, Shape{8, 8});
  const auto f = [&](const Var& t) {
    const Var k = exp(-t * Var(distances)) + 0.1 * Var(Tensor::eye(8));
    return 0.5 * (dot(y, solve_spd(k, y)) + log_det_spd(k));
  };
  const auto check = check_gradient(f, Tensor::scalar(0.7));
  EXPECT_TRUE(check.passed) << check.to_string();
}

}  // namespace
}  // namespace cotangent
