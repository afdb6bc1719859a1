// Gauss-Newton products and directional derivatives: closed forms, the Hessian where they agree with it and
// where they must not, differences.
#include "autodiff/curvature.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/rng.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"
#include "theory/spectrum.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::AllOf;
using testing::HasSubstr;

struct Problem {
  nn::Sequential net{nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2)};
  Params w;
  Tensor x, y;
  Problem() {
    Rng rng(2);
    w = net.init(rng);
    x = rng.normal(Shape{5, 3});
    y = rng.normal(Shape{5, 2});
  }
  Var model(const Var& at) const { return net(at, x); }
  auto outputs() const {
    return [this](const Var& at) { return model(at); };
  }
};

Tensor matrix_times(const Tensor& m, const Tensor& v) {
  return matmul(m, v.reshape(Shape{v.size(), 1})).value().reshape(Shape{v.size()});
}

Tensor direction(const Params& w, const char* name) { return Rng(9).split(name).normal(Shape{w.size()}); }

TEST(GaussNewton, ProductsAreThoseOfTheMatrixAndOfJandH) {
  const Problem p;
  const auto check = [&](const char* what, VarFunction loss) {
    SCOPED_TRACE(what);
    const Tensor g = gauss_newton_matrix(p.outputs(), loss, p.w);
    const Tensor y = p.model(p.w).value();
    const Tensor j = jacobian(p.outputs(), p.w).reshape(Shape{10, p.w.size()});
    const Tensor h = hessian(loss, y).reshape(Shape{10, 10});
    expect_close(g, matmul(transpose(j), matmul(h, j)).value(), 1e-12);
    EXPECT_TRUE(equal(g, transpose(g).value()));
    const Tensor v = direction(p.w, "v");
    const Tensor expected = matrix_times(g, v);
    expect_close(gauss_newton_product(p.outputs(), loss, p.w.flat(), v), expected, 1e-12);
    expect_close(gauss_newton_product(p.outputs(), loss, p.w, p.w.with(v)).flat(), expected, 1e-12);
    expect_close(gauss_newton_product(p.outputs(), loss, Var(p.w.flat()), Var(v)).value(), expected, 1e-12);
    Tape tape;
    expect_close(gauss_newton_product(p.outputs(), loss, tape.input(p.w.flat()), Var(v)).value(), expected,
                 1e-12);
    expect_close(gauss_newton_product(p.outputs(), loss, Var(p.w.flat()), tape.input(v)).value(), expected,
                 1e-12);
  };
  check("least squares", [&](const Var& f) { return nn::half_mse(f, p.y); });
  check("cross entropy", [&](const Var& f) { return nn::cross_entropy(f, Tensor{0, 1, 1, 0, 1}); });
  check("not convex", [&](const Var& f) { return sum(sin(f)); });
  check("flat", [](const Var& f) { return 3.0 * sum(f); });
}

TEST(GaussNewton, IsTheHessianWhereResidualsAreZero) {
  const Problem p;
  const Tensor fitted = p.model(p.w).value();
  const auto risk = [&](const Tensor& y) {
    return [&p, y](const Var& at) { return nn::half_mse(p.model(at), y); };
  };
  const auto loss = [&](const Tensor& y) { return [y](const Var& f) { return nn::half_mse(f, y); }; };
  expect_close(gauss_newton_matrix(p.outputs(), loss(fitted), p.w), hessian(risk(fitted), p.w), 1e-13);
  // ... and is not where they are not: it lacks the model's own curvature.
  const Tensor difference =
      (Var(gauss_newton_matrix(p.outputs(), loss(p.y), p.w)) - hessian(risk(p.y), p.w)).value();
  EXPECT_GT(norm(Params({{"d", difference}})), 0.1);
}

TEST(GaussNewton, IsTheHessianOfModelsLinearInW) {
  const Problem p;
  const auto model = [&](const Var& w) { return linear(p.x, view(w, 0, Shape{2, 3}), view(w, 6, Shape{2})); };
  const auto loss = [](const Var& f) { return nn::cross_entropy(f, Tensor{0, 1, 1, 0, 1}); };
  const auto risk = [&](const Var& w) { return loss(model(w)); };
  const Tensor w = Rng(3).normal(Shape{8}), v = Rng(4).normal(Shape{8});
  expect_close(gauss_newton_matrix(model, loss, w), hessian(risk, w), 1e-13);
  expect_close(gauss_newton_product(model, loss, w, v), hvp(risk, w, v), 1e-13);
}

TEST(GaussNewton, IsPositiveSemidefiniteForConvexLossesOnly) {
  const Problem p;
  const auto smallest = [&](VarFunction loss) {
    const theory::Spectrum s = theory::spectrum(gauss_newton_matrix(p.outputs(), loss, p.w));
    return s.smallest() / s.largest();
  };
  EXPECT_GT(smallest([&](const Var& f) { return nn::cross_entropy(f, Tensor{0, 1, 1, 0, 1}); }), -1e-13);
  EXPECT_GT(smallest([&](const Var& f) { return nn::half_mse(f, p.y); }), -1e-13);
  EXPECT_LT(smallest([&](const Var& f) { return sum(sin(3.0 * f)); }), -1e-3);
  // The Hessian of the same convex loss is indefinite: the difference is what the product is for.
  const theory::Spectrum h =
      theory::spectrum(hessian([&](const Var& at) { return nn::half_mse(p.model(at), p.y); }, p.w));
  EXPECT_LT(h.smallest() / h.largest(), -1e-4);
}

TEST(GaussNewton, AVarsProductIsDifferentiableAgain) {
  const Problem p;
  const Tensor v = direction(p.w, "v"), c = direction(p.w, "c");
  const auto loss = [&](const Var& f) { return nn::cross_entropy(f, Tensor{0, 1, 1, 0, 1}); };
  const auto value = [&](const Var& at) { return dot(gauss_newton_product(p.outputs(), loss, at, v), c); };
  expect_close(
      grad(value, p.w.flat()),
      test::differences([&](const Tensor& at) { return Tensor::scalar(value(Var(at)).item()); }, p.w.flat())
          .reshape(Shape{p.w.size()}),
      1e-8);
  // G is symmetric, so the gradient by v of <G v, c> is G c.
  expect_close(grad(
                   [&](const Var& d) {
                     return dot(gauss_newton_product(p.outputs(), loss, lift(p.w.flat(), d), d), c);
                   },
                   v),
               gauss_newton_product(p.outputs(), loss, p.w.flat(), c), 1e-12);
}

TEST(GaussNewton, Refusals) {
  const Problem p;
  EXPECT_THAT(error_of<ShapeError>([&] {
                gauss_newton_product(
                    p.outputs(), [](const Var& f) { return sum(f); }, p.w.flat(), Tensor{1, 2});
              }),
              AllOf(HasSubstr("[gauss_newton_product]"), HasSubstr("[2]"), HasSubstr("[26]")));
  EXPECT_THAT(error_of<ShapeError>([&] {
                gauss_newton_product(
                    p.outputs(), [](const Var& f) { return f; }, p.w, p.w);
              }),
              AllOf(HasSubstr("[hvp]"), HasSubstr("[5, 2]")));
}

TEST(DirectionalDerivatives, ClosedForms) {
  // f_i(w) = sin(<a_i, w>): the k-th derivative along v is <a_i, v>^k times that of sin.
  const Tensor a{{1.0, -0.5, 2.0}, {0.3, 0.7, -1.1}}, w{0.4, -0.2, 0.9}, v{1.5, 0.5, -0.25};
  const auto f = [&](const Var& at) { return reshape(sin(linear(reshape(at, Shape{1, 3}), a)), Shape{2}); };
  const auto d = directional_derivatives(f, w, v);
  for (Index i = 0; i < 2; ++i) {
    double s = 0.0, t = 0.0;
    for (Index k = 0; k < 3; ++k) s += a(i, k) * w(k), t += a(i, k) * v(k);
    EXPECT_NEAR(d.value(i), std::sin(s), 1e-14);
    EXPECT_NEAR(d.first(i), t * std::cos(s), 1e-14);
    EXPECT_NEAR(d.second(i), -t * t * std::sin(s), 1e-14);
    EXPECT_NEAR(d.third(i), -t * t * t * std::cos(s), 1e-13);
  }
  const auto cubic = [](const Var& at) { return sum(at * square(at)); };  // sum (w + t v)^3
  const auto c = directional_derivatives(cubic, w, v);
  double third = 0.0, second = 0.0;
  for (Index k = 0; k < 3; ++k) third += 6.0 * v(k) * v(k) * v(k), second += 6.0 * w(k) * v(k) * v(k);
  EXPECT_NEAR(c.second.item(), second, 1e-13);
  EXPECT_NEAR(c.third.item(), third, 1e-13);
  const auto linear_f = directional_derivatives([&](const Var& at) { return dot(at, v); }, w, v);
  EXPECT_EQ(linear_f.second.item(), 0.0);
  EXPECT_EQ(linear_f.third.item(), 0.0);
}

TEST(DirectionalDerivatives, AgreeWithDifferencesAndOtherTransforms) {
  const Problem p;
  const Tensor w = p.w.flat(), v = direction(p.w, "v");
  const auto line = [&](VarFunction f, double t) { return f(Var(axpy(t, p.w.with(v), p.w).flat())).value(); };
  const auto check = [&](const char* what, VarFunction f) {
    SCOPED_TRACE(what);
    const auto d = directional_derivatives(f, w, v);
    expect_close(d.value, line(f, 0.0), 1e-15);
    expect_close(d.first, jvp(f, w, v).tangent, 1e-12);
    const double h = 0.01;
    const Tensor f0 = line(f, 0), p1 = line(f, h), m1 = line(f, -h), p2 = line(f, 2 * h),
                 m2 = line(f, -2 * h), p3 = line(f, 3 * h), m3 = line(f, -3 * h);
    for (std::size_t i = 0; i < d.second.data().size(); ++i) {
      const auto at = [i](const Tensor& t) { return t.data()[i]; };
      const double second = (-at(p2) + 16 * at(p1) - 30 * at(f0) + 16 * at(m1) - at(m2)) / (12 * h * h);
      const double third =
          (-at(p3) + 8 * at(p2) - 13 * at(p1) + 13 * at(m1) - 8 * at(m2) + at(m3)) / (8 * h * h * h);
      EXPECT_NEAR(at(d.second), second, 1e-4 * std::max(1.0, std::fabs(second)));
      EXPECT_NEAR(at(d.third), third, 1e-3 * std::max(1.0, std::fabs(third)));
    }
    const auto lower = directional_derivatives(f, p.w, p.w.with(v), {.order = 2});
    expect_close(lower.second, d.second, 1e-13);
    EXPECT_EQ(lower.third.size(), 0);
  };
  check("outputs", p.outputs());
  const auto risk = [&](const Var& at) { return nn::mse(p.model(at), p.y); };
  check("a risk", risk);
  EXPECT_NEAR(directional_derivatives(risk, w, v).second.item(), dot(hvp(risk, w, v), Var(v)).item(), 1e-12);
}

TEST(DirectionalDerivatives, AVarsAreDifferentiableAgain) {
  const Tensor w{0.4, -0.2, 0.9}, v{1.5, 0.5, -0.25};
  const auto scalar = [](const Var& at) { return sum(exp(at) * sin(at)); };
  const auto vector = [](const Var& at) { return exp(at) * sin(at); };
  const auto check = [&](VarFunction f) {
    for (const bool by_w : {true, false}) {
      const auto value = [&](const Var& at) {
        const auto d =
            by_w ? directional_derivatives(f, at, Var(v)) : directional_derivatives(f, lift(w, at), at);
        return sum(d.value) + 2.0 * sum(d.first) + 3.0 * sum(d.second) + 5.0 * sum(d.third);
      };
      const Tensor at = by_w ? w : v;
      expect_close(
          grad(value, at),
          test::differences([&](const Tensor& t) { return Tensor::scalar(value(Var(t)).item()); }, at)
              .reshape(Shape{3}),
          1e-8);
    }
  };
  check(scalar);
  check(vector);
}

TEST(DirectionalDerivatives, Refusals) {
  const auto f = [](const Var& at) { return sum(at); };
  EXPECT_THAT(error_of<DomainError>([&] { directional_derivatives(f, Tensor{1}, Tensor{1}, {.order = 4}); }),
              AllOf(HasSubstr(".order is 4"), HasSubstr("2 or 3")));
  EXPECT_THAT(error_of<ShapeError>([&] {
                directional_derivatives(f, Tensor{1}, Tensor{1, 2});
              }),
              AllOf(HasSubstr("the direction is [2], w is [1]")));
}

}  // namespace
}  // namespace cotangent
