// Transforms inside transforms: high orders, variables of outer functions captured by inner ones, tapes
// mixed.
#include <cmath>

#include "autodiff/check_gradient.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using test::tensor_by;
using testing::AllOf;
using testing::HasSubstr;

Var sine(const Var& x) { return sin(x); }

TEST(Nesting, ThreeGradientsOfSine) {
  const auto first = [](const Var& x) { return grad(sine, x); };
  const auto second = [&](const Var& x) { return grad(first, x); };
  for (const double x : {-2.0, 0.0, 0.7, 3.1}) {
    EXPECT_NEAR(grad(sine, x), std::cos(x), 1e-12);
    EXPECT_NEAR(grad(first, x), -std::sin(x), 1e-12);
    EXPECT_NEAR(grad(second, x), -std::cos(x), 1e-12);
  }
}

TEST(Nesting, SixthOrder) {
  const auto f = [](const Var& x) { return exp(2.0 * x) / (1.0 + square(x)); };
  const auto d2 = [&](const Var& x) { return hessian(f, x); };
  const auto d4 = [&](const Var& x) { return hessian(d2, x); };
  const double x = 0.3;
  // By Leibniz: the derivatives of 1 / (1 + x^2) are the imaginary parts of -(-1)^k k! / (x + i)^(k+1).
  const auto rational = [&](int k) {
    const double radius = std::pow(1.0 + x * x, -0.5 * (k + 1)), angle = -(k + 1) * std::atan2(1.0, x);
    return -(k % 2 ? -1.0 : 1.0) * std::tgamma(k + 1.0) * radius * std::sin(angle);
  };
  double expected = 0.0;
  const double binomial[] = {1, 6, 15, 20, 15, 6, 1};
  for (int k = 0; k <= 6; ++k)
    expected += binomial[k] * std::exp(2.0 * x) * std::pow(2.0, 6 - k) * rational(k);
  EXPECT_NEAR(hessian(d4, x), expected, 1e-10 * std::fabs(expected));
}

TEST(Nesting, ForwardModeThreeTimes) {
  const Var one(1.0);
  const auto d1 = [&](const Var& x) { return jvp(sine, x, one).tangent; };
  const auto d2 = [&](const Var& x) { return jvp(d1, x, one).tangent; };
  const auto [value, third] = jvp(d2, Tensor::scalar(0.7), Tensor::scalar(1.0));
  EXPECT_NEAR(value.item(), -std::sin(0.7), 1e-12);
  EXPECT_NEAR(third.item(), -std::cos(0.7), 1e-12);
}

TEST(Nesting, EveryPairOfTransforms) {
  const double x = 0.6, d3 = -std::cos(x);
  const Var one(1.0);
  const auto by_hvp = [&](const Var& v) { return hvp(sine, v, one); };
  const auto by_vjp = [&](const Var& v) { return vjp(sine, v, one).cotangent; };
  const auto by_jacobian = [&](const Var& v) { return jacobian(sine, v); };
  const auto by_jvp = [&](const Var& v) { return jvp(sine, v, one).tangent; };
  EXPECT_NEAR(grad(by_hvp, x), d3, 1e-13);
  EXPECT_NEAR(hessian(by_vjp, x), d3, 1e-13);
  EXPECT_NEAR(hessian(by_jacobian, x), d3, 1e-13);
  EXPECT_NEAR(hessian(by_jvp, x), d3, 1e-13);
  const Tensor at = Tensor::scalar(x), unit = Tensor::scalar(1.0);
  EXPECT_NEAR(jvp(by_hvp, at, unit).tangent.item(), d3, 1e-13);
  EXPECT_NEAR(hvp(by_vjp, at, unit).item(), d3, 1e-13);
  EXPECT_NEAR(jacobian(by_hvp, at).item(), d3, 1e-13);
  EXPECT_NEAR(vjp(by_hvp, at)(unit).item(), d3, 1e-13);
}

// Each case: d/dx at x = 1.3 of a function whose inner derivative must not see the outer x as its own.
TEST(PerturbationConfusion, InnerDerivativesSeeOnlyTheirOwnVariable) {
  const double x = 1.3;
  // x * d(x + y)/dy = x
  EXPECT_EQ(grad(
                [](const Var& v) {
                  return v * grad([&](const Var& y) { return v + y; }, lift(Tensor::scalar(1.0), v));
                },
                x),
            1.0);
  // d(x y)/dy at y = x is x
  EXPECT_EQ(grad([](const Var& v) { return grad([&](const Var& y) { return v * y; }, v); }, x), 1.0);
  // x * d(x y)/dy at y = x is x^2
  EXPECT_DOUBLE_EQ(grad([](const Var& v) { return v * grad([&](const Var& y) { return v * y; }, v); }, x),
                   2.0 * x);
  // x * d(x y^2)/dy at y = x is 2 x^3
  EXPECT_DOUBLE_EQ(
      grad([](const Var& v) { return v * grad([&](const Var& y) { return v * square(y); }, v); }, x),
      6.0 * x * x);
  // The same with the second derivative by y: d2(x y^3)/dy2 at y = x is 6 x^2
  EXPECT_DOUBLE_EQ(
      grad([](const Var& v) { return hessian([&](const Var& y) { return v * y * y * y; }, v); }, x),
      12.0 * x);
  // A value made from x before the inner function is a constant inside: d(x^2 y)/dy = x^2
  EXPECT_DOUBLE_EQ(grad(
                       [](const Var& v) {
                         const Var s = square(v);
                         return grad([&](const Var& y) { return s * y; }, v);
                       },
                       x),
                   2.0 * x);
  // Forward mode: x * d(x + y)/dy along 1
  EXPECT_EQ(
      grad([](const Var& v) { return v * jvp([&](const Var& y) { return v + y; }, v, Var(1.0)).tangent; }, x),
      1.0);
  EXPECT_EQ(
      jvp([](const Var& v) { return v * jvp([&](const Var& y) { return v + y; }, v, Var(1.0)).tangent; },
          Tensor::scalar(x), Tensor::scalar(1.0))
          .tangent.item(),
      1.0);
  // Only the captured x is used, not y at all.
  EXPECT_EQ(grad([](const Var& v) { return v + grad([&](const Var&) { return square(v); }, v); }, x), 1.0);
  EXPECT_EQ(
      hessian([](const Var& v) { return square(v) + jacobian([&](const Var&) { return square(v); }, v); }, x),
      2.0);
}

TEST(PerturbationConfusion, ThreeLevels) {
  // d/dx d/dy d/dz (x y^2 z^3) at z = y = x: inner 3 x y^2 z^2, at z = y 3 x y^4, by y 12 x y^3, at y = x 12
  // x^4.
  const auto outer = [](const Var& x) {
    return grad(
        [&](const Var& y) { return grad([&](const Var& z) { return x * square(y) * z * z * z; }, y); }, x);
  };
  EXPECT_NEAR(grad(outer, 0.8), 48.0 * std::pow(0.8, 3), 1e-13);
}

const Tensor kX{{0.5, -1.0, 2.0}, {1.5, 0.25, -0.75}};  // two samples
const Tensor kW{0.7, -0.3, 1.1};

// f_w(x) = sum_j w_j (x_j^2 / 2 + x_j), so df/dx_j = w_j (x_j + 1).
TEST(GradientPenalty, ClosedForm) {
  const auto model = [](const Var& w, const Var& x) {
    return sum(matmul(0.5 * square(x) + x, reshape(w, Shape{3, 1})));
  };
  const auto penalty = [&](const Var& w) {
    return sum(square(grad([&](const Var& x) { return model(w, x); }, lift(kX, w))));
  };
  const Tensor expected = tensor_by(Shape{3}, [](Index j) {
    double s = 0.0;
    for (Index i = 0; i < 2; ++i) s += 2.0 * kW(j) * (kX(i, j) + 1.0) * (kX(i, j) + 1.0);
    return s;
  });
  expect_close(grad(penalty, kW), expected, 1e-14);
  // It is quadratic in w: a diagonal Hessian.
  const Tensor h = hessian(penalty, kW);
  for (Index j = 0; j < 3; ++j)
    for (Index k = 0; k < 3; ++k) EXPECT_NEAR(h(j, k), j == k ? expected(j) / kW(j) : 0.0, 1e-13);
}

TEST(GradientPenalty, OfANetworkAgainstDifferences) {
  Rng rng(4);
  const Params w(
      {{"w1", rng.normal(Shape{5, 3})}, {"b1", rng.normal(Shape{5})}, {"w2", rng.normal(Shape{1, 5})}});
  const auto net = [](const Var& p, const Var& x) {
    const Var hidden = softplus(linear(x, view(p, 0, Shape{5, 3}), view(p, 15, Shape{5})));
    return sum(linear(hidden, view(p, 20, Shape{1, 5})));
  };
  const auto penalty = [&](const Var& p) {
    const Var g = grad([&](const Var& x) { return net(p, x); }, lift(kX, p));
    return sum(square(sqrt(sum(square(g), 1)) - 1.0)) + net(p, kX);
  };
  const GradientCheck check = check_gradient(penalty, w);
  EXPECT_TRUE(check.passed) << check.to_string();
}

// One gradient step w - s A w inside the objective |A^(1/2) .|^2 / 2: (I - s A) A (I - s A) w.
TEST(Nesting, ThroughAGradientStep) {
  const Tensor a{{2.0, 0.5, 0.0}, {0.5, 1.0, -0.3}, {0.0, -0.3, 3.0}};
  const double s = 0.2;
  const auto loss = [&](const Var& w) {
    return 0.5 * dot(w, reshape(matmul(a, reshape(w, Shape{3, 1})), Shape{3}));
  };
  const Tensor g = grad([&](const Var& w) { return loss(w - s * grad(loss, w)); }, kW);
  const auto times_a = [&](const Tensor& v) {
    return tensor_by(Shape{3}, [&](Index i) { return a(i, 0) * v(0) + a(i, 1) * v(1) + a(i, 2) * v(2); });
  };
  const auto step = [&](const Tensor& v) {
    const Tensor av = times_a(v);
    return tensor_by(Shape{3}, [&](Index i) { return v(i) - s * av(i); });
  };
  expect_close(g, step(times_a(step(kW))), 1e-14);
}

// f = sum_i x_i^3 x_(i+1), indices modulo 3.
Var cyclic(const Var& x) {
  const Var next = concat({slice(x, 0, 1, 3), slice(x, 0, 0, 1)}, 0);
  return sum(square(x) * x * next);
}
Tensor cyclic_hessian(const Tensor& x) {
  return tensor_by(Shape{3, 3}, [&](Index k) {
    const Index i = k / 3, j = k % 3;
    if (i == j) return 6.0 * x(i) * x((i + 1) % 3);
    return j == (i + 1) % 3 ? 3.0 * x(i) * x(i) : 3.0 * x(j) * x(j);
  });
}

TEST(Nesting, JacobianOfTheGradientIsTheHessian) {
  const auto gradient = [](const Var& x) { return grad(cyclic, x); };
  expect_close(jacobian(gradient, kW), cyclic_hessian(kW), 1e-14);
  expect_close(hessian(cyclic, kW), cyclic_hessian(kW), 1e-14);
  expect_close(jacobian([&](const Var& x) { return jacobian(cyclic, x); }, kW), cyclic_hessian(kW), 1e-14);
}

TEST(Nesting, GradientWithinAJacobianOfAnotherFunction) {
  // F(w) = tanh(grad of cyclic at w * w), J = diag(1 - tanh^2) H(w^2) diag(2 w)
  const Tensor j = jacobian([](const Var& w) { return tanh(grad(cyclic, square(w))); }, kW);
  const Tensor w2 = tensor_by(Shape{3}, [](Index i) { return kW(i) * kW(i); });
  const Tensor h = cyclic_hessian(w2);
  const Tensor expected = tensor_by(Shape{3, 3}, [&](Index k) {
    const Index i = k / 3;
    const double g = 3.0 * w2(i) * w2(i) * w2((i + 1) % 3) + std::pow(w2((i + 2) % 3), 3);
    return (1.0 - std::tanh(g) * std::tanh(g)) * h(i, k % 3) * 2.0 * kW(k % 3);
  });
  expect_close(j, expected, 1e-13);
}

TEST(Nesting, HessianVectorProductOfAGradientNorm) {
  // phi(x) = |grad cyclic|^2 / 2 has gradient H g: check its Hessian-vector product against differences.
  const auto norm = [](const Var& x) { return 0.5 * sum(square(grad(cyclic, x))); };
  const Tensor v{0.3, -1.2, 0.4};
  const Tensor product = hvp(norm, kW, v);
  const Tensor numeric = test::differences(
      [](const Tensor& x) {
        const Tensor h = cyclic_hessian(x);
        const Tensor g = tensor_by(Shape{3}, [&](Index i) {
          return 3.0 * x(i) * x(i) * x((i + 1) % 3) + std::pow(x((i + 2) % 3), 3);
        });
        return tensor_by(Shape{3}, [&](Index i) { return h(i, 0) * g(0) + h(i, 1) * g(1) + h(i, 2) * g(2); });
      },
      kW);
  for (Index i = 0; i < 3; ++i)
    EXPECT_NEAR(product(i), numeric(i, 0) * v(0) + numeric(i, 1) * v(1) + numeric(i, 2) * v(2), 1e-8);
}

TEST(CapturedVariables, OfAnOuterTapeThroughLift) {
  Tape tape;
  const Var w = tape.input(kW);
  // g(w) = gradient by x of <w, x^2> at kW' = 2 w x; s = sum w g = sum 2 x w^2.
  const Tensor x{1.0, -2.0, 0.5};
  const Var g = grad([&](const Var& v) { return dot(w, square(v)); }, lift(x, w));
  expect_close(g.value(), Tensor{2.0 * kW(0), -4.0 * kW(1), kW(2)}, 1e-15);
  expect_close(tape.grad(dot(w, g), w).value(), Tensor{4.0 * kW(0), -8.0 * kW(1), 2.0 * kW(2)}, 1e-15);
}

TEST(CapturedVariables, WithoutLiftTheErrorNamesIt) {
  Tape tape;
  const Var w = tape.input(kW);
  const auto f = [&](const Var& v) { return dot(w, square(v)); };
  const Tensor x{1.0, -2.0, 0.5};
  EXPECT_THAT(error_of<TapeError>([&] { grad(f, x); }),
              AllOf(HasSubstr("[dot]"), HasSubstr("two different tapes"), HasSubstr("lift(X, w)")));
  EXPECT_THAT(error_of<TapeError>([&] { grad(f, Var(x)); }), HasSubstr("lift(X, w)"));
  EXPECT_THAT(error_of<TapeError>([&] { hvp(f, x, x); }), HasSubstr("lift(X, w)"));
  EXPECT_THAT(error_of<TapeError>([&] { jacobian(f, x); }), HasSubstr("lift(X, w)"));
  EXPECT_THAT(error_of<TapeError>([&] { jvp(f, x, x); }), HasSubstr("lift(X, w)"));
  EXPECT_THAT(error_of<TapeError>([&] { vjp(f, x); }), HasSubstr("lift(X, w)"));
  EXPECT_THAT(error_of<TapeError>([&] { hessian(f, x); }), HasSubstr("lift(X, w)"));
  // Returning the outer variable untouched mixes tapes as well.
  EXPECT_THAT(error_of<TapeError>([&] { grad([&](const Var&) { return sum(w); }, x); }),
              HasSubstr("lift(X, w)"));
}

TEST(CapturedVariables, LiftOfAnUntrackedVariableIsAConstant) {
  const Var x = lift(kW, Var(2.0));
  EXPECT_FALSE(x.tracked());
  expect_close(x.value(), kW, 0.0);
}

TEST(CapturedVariables, DetachedOnesAreConstants) {
  EXPECT_EQ(grad([](const Var& x) { return x * detach(x); }, 3.0), 3.0);
  EXPECT_EQ(grad([](const Var& x) { return x * grad(sine, detach(x)); }, 0.0), 1.0);
  Tape tape;
  const Var w = tape.input(kW);
  expect_close(grad([&](const Var& v) { return dot(detach(w), v); }, kW), kW, 0.0);
}

TEST(CapturedVariables, AnInnerTransformThatUsesNothingOfTheOuterIsPlain) {
  // The inner derivative is a constant 2 x of a plain tensor.
  const double g =
      grad([](const Var& w) { return w * grad([](const Var& x) { return square(x); }, Var(1.5)); }, 2.0);
  EXPECT_EQ(g, 3.0);
}

TEST(TwoTapes, EveryMixtureIsRefused) {
  Tape one, two;
  const Var a = one.input(kW), b = two.input(kW), extra = two.input(kW);
  EXPECT_THAT(error_of<TapeError>([&] { a + b; }),
              AllOf(HasSubstr("[add]"), HasSubstr("two different tapes"), HasSubstr("1 and 2 operations"),
                    HasSubstr("lift"), HasSubstr("detach")));
  EXPECT_THAT(error_of<TapeError>([&] { concat({a, b}, 0); }), HasSubstr("[concat]"));
  EXPECT_THAT(error_of<TapeError>([&] { one.grad(sum(b), a); }),
              AllOf(HasSubstr("[grad]"), HasSubstr("another tape")));
  EXPECT_THAT(error_of<TapeError>([&] { one.grad(sum(a), b); }),
              AllOf(HasSubstr("[grad]"), HasSubstr("another tape")));
  EXPECT_THAT(error_of<TapeError>([&] { hvp([](const Var& x) { return sum(square(x)); }, a, b); }),
              AllOf(HasSubstr("[hvp]"), HasSubstr("another tape"), HasSubstr("detach")));
  EXPECT_THAT(error_of<TapeError>([&] { one.grad(sum(a), Var(kW)); }),
              AllOf(HasSubstr("[grad]"), HasSubstr("constant"), HasSubstr("Tape::input or lift")));
  // After the errors both tapes still work.
  expect_close(one.grad(sum(square(a)), a).value(), (2.0 * Var(kW)).value(), 0.0);
  expect_close(two.grad(dot(b, extra), b).value(), kW, 0.0);
}

TEST(Constants, EveryTransformOfAConstantIsZero) {
  const auto scalar = [](const Var&) { return Var(2.0); };
  const auto vector = [](const Var&) { return Var(Tensor{1.0, 2.0}); };
  const Tensor zero = Tensor::zeros(Shape{3});
  expect_close(grad(scalar, kW), zero, 0.0);
  expect_close(hvp(scalar, kW, kW), zero, 0.0);
  expect_close(hessian(scalar, kW), Tensor::zeros(Shape{3, 3}), 0.0);
  expect_close(jacobian(vector, kW), Tensor::zeros(Shape{2, 3}), 0.0);
  expect_close(vjp(vector, kW)(Tensor{1.0, 1.0}), zero, 0.0);
  expect_close(jvp(vector, kW, kW).tangent, Tensor::zeros(Shape{2}), 0.0);
  Tape tape;
  const Var x = tape.input(kW);
  expect_close(grad(scalar, x).value(), zero, 0.0);
  expect_close(hvp(scalar, x, x).value(), zero, 0.0);
  expect_close(hessian(scalar, x).value(), Tensor::zeros(Shape{3, 3}), 0.0);
  expect_close(jacobian(vector, x).value(), Tensor::zeros(Shape{2, 3}), 0.0);
  expect_close(vjp(vector, x, Tensor{1.0, 1.0}).cotangent.value(), zero, 0.0);
  expect_close(jvp(vector, x, x).tangent.value(), Tensor::zeros(Shape{2}), 0.0);
}

// The result lies before the point on the tape, or is a view of something that does.
TEST(Constants, ResultsRecordedBeforeThePoint) {
  Tape tape;
  const Var w = tape.input(kW);
  const Var s = sum(w), part = slice(w, 0, 0, 1);
  const Tensor zero = Tensor::zeros(Shape{2});
  const Var x = tape.input(Tensor{1.0, 2.0});
  const auto expect_zero = [&](VarFunction f) {
    expect_close(grad(f, x).value(), zero, 0.0);
    expect_close(jacobian(f, x).value().reshape(Shape{2}), zero, 0.0);
    expect_close(hvp(f, x, zero).value(), zero, 0.0);
    expect_close(tape.grad(f(x), x).value(), zero, 0.0);
  };
  expect_zero([&](const Var&) { return s; });
  expect_zero([&](const Var&) { return part; });
  expect_zero([&](const Var&) { return sum(w); });
  expect_zero([&](const Var&) { return slice(w, 0, 1, 2); });
  expect_zero([&](const Var&) { return reshape(view(w, 2, Shape{1}), Shape{}); });
  expect_zero([&](const Var&) { return reshape(s, Shape{1}); });
}

TEST(Identity, AndViewsOfThePoint) {
  const auto identity = [](const Var& x) { return x; };
  EXPECT_EQ(grad(identity, 2.0), 1.0);
  expect_close(jacobian(identity, kW), Tensor::eye(3), 0.0);
  expect_close(jvp(identity, kW, kX.rows(0, 1).reshape(Shape{3})).tangent, kX.rows(0, 1).reshape(Shape{3}),
               0.0);
  expect_close(vjp(identity, kW)(kW), kW, 0.0);
  expect_close(hessian(identity, Tensor{5.0}), Tensor::zeros(Shape{1, 1}), 0.0);
  const auto middle = [](const Var& x) { return slice(x, 0, 1, 2); };
  expect_close(grad(middle, kW), Tensor{0.0, 1.0, 0.0}, 0.0);
  expect_close(hessian(middle, kW), Tensor::zeros(Shape{3, 3}), 0.0);
  expect_close(jacobian(
                   [](const Var& x) {
                     return reshape(x, Shape{3, 1});
                   },
                   kW),
               Tensor::eye(3).reshape(Shape{3, 1, 3}), 0.0);
  Tape tape;
  const Var x = tape.input(kW);
  expect_close(grad(middle, x).value(), Tensor{0.0, 1.0, 0.0}, 0.0);
  expect_close(jvp(identity, x, x).tangent.value(), kW, 0.0);
  expect_close(jacobian(identity, x).value(), Tensor::eye(3), 0.0);
  expect_close(tape.grad(slice(x, 0, 2, 3), x).value(), Tensor{0.0, 0.0, 1.0}, 0.0);
}

}  // namespace
}  // namespace cotangent
