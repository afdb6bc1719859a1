// Every transform at every type of point, against closed forms derived by hand and against differences of
// plain functions: never against another transform.
#include "autodiff/transforms.hpp"

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::differences;
using test::error_of;
using test::expect_close;
using test::tensor_by;
using testing::AllOf;
using testing::HasSubstr;

const Tensor kX{0.3, -0.7, 1.1, 0.45};
const Tensor kV{1.5, -0.25, 0.6, -1.0};
const Tensor kU{-0.4, 0.9, 2.0, 0.3};
const Tensor kC{0.8, -1.3, 0.55};

double at(const Tensor& t, Index i) { return t.data()[static_cast<std::size_t>(i)]; }

// f(x) = sum_i e^(x_i / 2) sin x_i + (sum_i x_i)^2
Var f(const Var& x) { return dot(exp(0.5 * x), sin(x)) + square(sum(x)); }
Tensor f_plain(const Tensor& x) {
  double waves = 0.0, total = 0.0;
  for (const double t : x.data()) {
    waves += std::exp(0.5 * t) * std::sin(t);
    total += t;
  }
  return Tensor{waves + total * total};
}
Tensor f_gradient(const Tensor& x) {
  double total = 0.0;
  for (const double t : x.data()) total += t;
  return tensor_by(x.shape(), [&](Index i) {
    return std::exp(0.5 * at(x, i)) * (std::cos(at(x, i)) + 0.5 * std::sin(at(x, i))) + 2.0 * total;
  });
}
double f_second(double t) { return std::exp(0.5 * t) * (std::cos(t) - 0.75 * std::sin(t)); }
double f_third(double t) { return -std::exp(0.5 * t) * (0.25 * std::cos(t) + 1.375 * std::sin(t)); }
// H = diag(f_second(x_i)) + 2 1 1^T
Tensor f_hessian(const Tensor& x) {
  const Index n = x.size();
  return tensor_by(Shape{n, n},
                   [&](Index k) { return 2.0 + (k / n == k % n ? f_second(at(x, k / n)) : 0.0); });
}
Tensor f_hessian_times(const Tensor& x, const Tensor& v) {
  double total = 0.0;
  for (const double t : v.data()) total += t;
  return tensor_by(x.shape(), [&](Index i) { return f_second(at(x, i)) * at(v, i) + 2.0 * total; });
}

// F(x) = A tanh(x) + |x|^2 b
const Tensor kA{{0.5, -1.0, 0.25, 2.0}, {1.5, 0.75, -0.5, 0.1}, {-0.3, 0.4, 1.2, -0.9}};
const Tensor kB{0.7, -0.2, 1.1};
Var big_f(const Var& x) {
  return reshape(matmul(kA, reshape(tanh(x), Shape{4, 1})), Shape{3}) + dot(x, x) * Var(kB);
}
Tensor big_f_plain(const Tensor& x) {
  double squares = 0.0;
  for (const double t : x.data()) squares += t * t;
  return tensor_by(Shape{3}, [&](Index k) {
    double sum = squares * at(kB, k);
    for (Index i = 0; i < 4; ++i) sum += kA(k, i) * std::tanh(at(x, i));
    return sum;
  });
}
double tanh_first(double t) { return 1.0 / (std::cosh(t) * std::cosh(t)); }
double tanh_second(double t) { return -2.0 * std::tanh(t) * tanh_first(t); }
Tensor big_f_jacobian(const Tensor& x) {
  return tensor_by(Shape{3, 4}, [&](Index k) {
    return kA(k / 4, k % 4) * tanh_first(at(x, k % 4)) + 2.0 * at(kB, k / 4) * at(x, k % 4);
  });
}
Tensor big_f_jvp(const Tensor& x, const Tensor& v) {
  const Tensor j = big_f_jacobian(x);
  return tensor_by(Shape{3}, [&](Index k) {
    double sum = 0.0;
    for (Index i = 0; i < 4; ++i) sum += j(k, i) * at(v, i);
    return sum;
  });
}
Tensor big_f_vjp(const Tensor& x, const Tensor& c) {
  const Tensor j = big_f_jacobian(x);
  return tensor_by(Shape{4}, [&](Index i) {
    double sum = 0.0;
    for (Index k = 0; k < 3; ++k) sum += j(k, i) * at(c, k);
    return sum;
  });
}
// Gradient of <c, J v> by x: ((A^T c)_i tanh''(x_i) + 2 <b, c>) v_i
Tensor big_f_second(const Tensor& x, const Tensor& c, const Tensor& v) {
  return tensor_by(Shape{4}, [&](Index i) {
    double sum = 0.0;
    for (Index k = 0; k < 3; ++k) sum += at(c, k) * (kA(k, i) * tanh_second(at(x, i)) + 2.0 * at(kB, k));
    return sum * at(v, i);
  });
}

Params as_params(const Tensor& x) {
  return Params({{"first", x.rows(0, 1)}, {"rest", x.rows(1, 4).reshape(Shape{3, 1})}});
}

TEST(ClosedForms, AgreeWithDifferencesOfPlainFunctions) {
  expect_close(f_gradient(kX).reshape(Shape{1, 4}), differences(f_plain, kX), 1e-10);
  expect_close(f_hessian(kX), differences(f_gradient, kX), 1e-10);
  expect_close(big_f_jacobian(kX), differences(big_f_plain, kX), 1e-10);
  expect_close(tensor_by(Shape{1, 4}, [](Index i) { return at(big_f_second(kX, kC, kV), i); }),
               differences(
                   [](const Tensor& x) {
                     const Tensor tangent = big_f_jvp(x, kV);
                     double sum = 0.0;
                     for (Index k = 0; k < 3; ++k) sum += at(tangent, k) * at(kC, k);
                     return Tensor{sum};
                   },
                   kX),
               1e-10);
  EXPECT_NEAR(f_third(0.4), (f_second(0.4 + 1e-5) - f_second(0.4 - 1e-5)) / 2e-5, 1e-9);
}

TEST(Grad, AtATensor) {
  expect_close(grad(f, kX), f_gradient(kX), 1e-14);
  expect_close(grad(f, kX).reshape(Shape{1, 4}), differences(f_plain, kX), 1e-9);
}

TEST(Grad, AtParams) {
  const Params w = as_params(kX);
  const Params g = grad(f, w);
  expect_close(g.flat(), f_gradient(kX), 1e-14);
  expect_close(g["rest"], f_gradient(kX).rows(1, 4).reshape(Shape{3, 1}), 1e-14);
  EXPECT_EQ(&g.table(), &w.table());
}

TEST(Grad, AtADouble) {
  EXPECT_NEAR(grad([](const Var& x) { return sin(x) * exp(2.0 * x); }, 0.3),
              std::exp(0.6) * (std::cos(0.3) + 2.0 * std::sin(0.3)), 1e-14);
}

TEST(Grad, AtAVarIsDifferentiableAgain) {
  Tape tape;
  const Var x = tape.input(kX);
  const Var g = grad(f, x);
  EXPECT_TRUE(g.tracked());
  expect_close(g.value(), f_gradient(kX), 1e-14);
  expect_close(tape.grad(dot(g, kV), x).value(), f_hessian_times(kX, kV), 1e-14);
  const Var plain = grad(f, Var(kX));
  EXPECT_FALSE(plain.tracked());
  expect_close(plain.value(), f_gradient(kX), 1e-14);
}

TEST(ValueAndGrad, AtEveryTypeOfPoint) {
  const double value = f_plain(kX).item();
  const auto [v1, g1] = value_and_grad(f, kX);
  EXPECT_NEAR(v1, value, 1e-14);
  expect_close(g1, f_gradient(kX), 1e-14);
  const auto [v2, g2] = value_and_grad(f, as_params(kX));
  EXPECT_NEAR(v2, value, 1e-14);
  expect_close(g2["first"], f_gradient(kX).rows(0, 1), 1e-14);
  Tape tape;
  const Var x = tape.input(kX);
  const auto [v3, g3] = value_and_grad(f, x);
  EXPECT_NEAR(v3.item(), value, 1e-14);
  // Both parts are still functions of x.
  expect_close(tape.grad(v3, x).value(), f_gradient(kX), 1e-14);
  expect_close(tape.grad(dot(g3, kV), x).value(), f_hessian_times(kX, kV), 1e-14);
  const auto [v4, g4] = value_and_grad(f, Var(kX));
  EXPECT_FALSE(v4.tracked() || g4.tracked());
  EXPECT_NEAR(v4.item(), value, 1e-14);
  expect_close(g4.value(), f_gradient(kX), 1e-14);
}

TEST(VectorJacobian, IsCalledManyTimes) {
  const Vjp<Tensor> pullback = vjp(big_f, kX);
  expect_close(pullback.value(), big_f_plain(kX), 1e-14);
  for (const Tensor& c : {kC, kB, kC}) expect_close(pullback(c), big_f_vjp(kX, c), 1e-14);
  const Vjp<Tensor> copy = pullback;
  expect_close(copy(kC), big_f_vjp(kX, kC), 1e-14);
  expect_close(pullback(Tensor{1.0, 0.0, 0.0}).reshape(Shape{1, 4}),
               differences([](const Tensor& x) { return big_f_plain(x).rows(0, 1); }, kX), 1e-9);
}

TEST(VectorJacobian, AtParams) {
  const Vjp<Params> pullback = vjp(big_f, as_params(kX));
  expect_close(pullback.value(), big_f_plain(kX), 1e-14);
  const Params g = pullback(kC);
  expect_close(g["rest"], big_f_vjp(kX, kC).rows(1, 4).reshape(Shape{3, 1}), 1e-14);
}

TEST(VectorJacobian, AtAVarIsDifferentiableByPointAndCotangent) {
  Tape tape;
  const Var x = tape.input(kX), c = tape.input(kC);
  const auto [value, cotangent] = vjp(big_f, x, c);
  expect_close(value.value(), big_f_plain(kX), 1e-14);
  expect_close(cotangent.value(), big_f_vjp(kX, kC), 1e-14);
  const Var s = dot(cotangent, kU);
  expect_close(tape.grad(s, x).value(), big_f_second(kX, kC, kU), 1e-13);
  expect_close(tape.grad(s, c).value(), big_f_jvp(kX, kU), 1e-13);
}

TEST(VectorJacobian, WithOnlyOneOfPointAndCotangentTracked) {
  Tape tape;
  const Var x = tape.input(kX), c = tape.input(kC);
  expect_close(tape.grad(dot(vjp(big_f, x, kC).cotangent, kU), x).value(), big_f_second(kX, kC, kU), 1e-13);
  expect_close(tape.grad(dot(vjp(big_f, Var(kX), c).cotangent, kU), c).value(), big_f_jvp(kX, kU), 1e-13);
  const VarVjp plain = vjp(big_f, Var(kX), Var(kC));
  EXPECT_FALSE(plain.value.tracked() || plain.cotangent.tracked());
  expect_close(plain.cotangent.value(), big_f_vjp(kX, kC), 1e-14);
}

TEST(JacobianVector, AtTensorAndParams) {
  const auto [value, tangent] = jvp(big_f, kX, kV);
  expect_close(value, big_f_plain(kX), 1e-14);
  expect_close(tangent, big_f_jvp(kX, kV), 1e-14);
  // Differences along the line x + t v.
  const auto line = [](const Tensor& t) {
    return big_f_plain(tensor_by(Shape{4}, [&](Index i) { return at(kX, i) + t.item() * at(kV, i); }));
  };
  expect_close(tangent.reshape(Shape{3, 1}), differences(line, Tensor{0.0}), 1e-9);
  const auto [value2, tangent2] = jvp(big_f, as_params(kX), as_params(kV));
  expect_close(value2, big_f_plain(kX), 1e-14);
  expect_close(tangent2, big_f_jvp(kX, kV), 1e-14);
}

TEST(JacobianVector, AtAVarIsDifferentiableByPointAndTangent) {
  Tape tape;
  const Var x = tape.input(kX), v = tape.input(kV);
  const auto [value, tangent] = jvp(big_f, x, v);
  expect_close(tangent.value(), big_f_jvp(kX, kV), 1e-14);
  expect_close(tape.grad(dot(value, kC), x).value(), big_f_vjp(kX, kC), 1e-13);
  expect_close(tape.grad(dot(tangent, kC), x).value(), big_f_second(kX, kC, kV), 1e-13);
  expect_close(tape.grad(dot(tangent, kC), v).value(), big_f_vjp(kX, kC), 1e-13);
  expect_close(tape.grad(dot(jvp(big_f, x, kV).tangent, kC), x).value(), big_f_second(kX, kC, kV), 1e-13);
  expect_close(tape.grad(dot(jvp(big_f, Var(kX), v).tangent, kC), v).value(), big_f_vjp(kX, kC), 1e-13);
  const VarJvp plain = jvp(big_f, Var(kX), Var(kV));
  EXPECT_FALSE(plain.value.tracked() || plain.tangent.tracked());
  expect_close(plain.tangent.value(), big_f_jvp(kX, kV), 1e-14);
}

TEST(Jacobian, AtTensorAndParams) {
  expect_close(jacobian(big_f, kX), big_f_jacobian(kX), 1e-14);
  expect_close(jacobian(big_f, kX), differences(big_f_plain, kX), 1e-9);
  expect_close(jacobian(big_f, as_params(kX)), big_f_jacobian(kX), 1e-14);
}

TEST(Jacobian, AtAVarIsDifferentiableAgain) {
  Tape tape;
  const Var x = tape.input(kX);
  const Var j = jacobian(big_f, x);
  expect_close(j.value(), big_f_jacobian(kX), 1e-14);
  const Tensor m = tensor_by(Shape{3, 4}, [](Index k) { return std::sin(1.0 + static_cast<double>(k)); });
  const Tensor expected = tensor_by(Shape{4}, [&](Index i) {
    double sum = 0.0;
    for (Index k = 0; k < 3; ++k) sum += m(k, i) * (kA(k, i) * tanh_second(at(kX, i)) + 2.0 * at(kB, k));
    return sum;
  });
  expect_close(tape.grad(dot(j, m), x).value(), expected, 1e-13);
  const Var plain = jacobian(big_f, Var(kX));
  EXPECT_FALSE(plain.tracked());
  expect_close(plain.value(), big_f_jacobian(kX), 1e-14);
}

TEST(Jacobian, JoinsTheShapesOfResultAndPoint) {
  const Tensor a{{1.0, 2.0}, {-1.0, 0.5}, {3.0, 4.0}};
  const auto product = [&](const Var& x) { return matmul(a, x); };  // [2, 4] -> [3, 4]
  const Tensor j = jacobian(product, Tensor::zeros(Shape{2, 4}));
  EXPECT_EQ(j.shape(), (Shape{3, 4, 2, 4}));
  for (Index i = 0; i < 3; ++i)
    for (Index k = 0; k < 4; ++k)
      for (Index r = 0; r < 2; ++r)
        for (Index c = 0; c < 4; ++c) EXPECT_EQ(j(i, k, r, c), k == c ? a(i, r) : 0.0);
  EXPECT_EQ(jacobian([](const Var& x) { return sum(x); }, kX).shape(), (Shape{4}));
  EXPECT_EQ(jacobian([](const Var& x) { return x * Var(kX); }, Tensor::scalar(1.0)).shape(), (Shape{4}));
}

TEST(HessianVector, AtEveryTypeOfPoint) {
  expect_close(hvp(f, kX, kV), f_hessian_times(kX, kV), 1e-14);
  const Tensor numeric = differences(f_gradient, kX);
  for (Index i = 0; i < 4; ++i) {
    double sum = 0.0;
    for (Index j = 0; j < 4; ++j) sum += numeric(i, j) * at(kV, j);
    EXPECT_NEAR(hvp(f, kX, kV)(i), sum, 1e-9);
  }
  const Params hv = hvp(f, as_params(kX), as_params(kV));
  expect_close(hv["rest"], f_hessian_times(kX, kV).rows(1, 4).reshape(Shape{3, 1}), 1e-14);

  Tape tape;
  const Var x = tape.input(kX), v = tape.input(kV);
  const Tensor third =
      tensor_by(Shape{4}, [](Index i) { return f_third(at(kX, i)) * at(kU, i) * at(kV, i); });
  const Var s = dot(hvp(f, x, v), kU);
  expect_close(tape.grad(s, x).value(), third, 1e-13);
  expect_close(tape.grad(s, v).value(), f_hessian_times(kX, kU), 1e-13);
  expect_close(tape.grad(dot(hvp(f, Var(kX), v), kU), v).value(), f_hessian_times(kX, kU), 1e-13);
  EXPECT_FALSE(hvp(f, Var(kX), Var(kV)).tracked());
  expect_close(hvp(f, Var(kX), Var(kV)).value(), f_hessian_times(kX, kV), 1e-14);
}

TEST(Hessian, AtEveryTypeOfPoint) {
  expect_close(hessian(f, kX), f_hessian(kX), 1e-14);
  expect_close(hessian(f, kX), differences(f_gradient, kX), 1e-9);
  expect_close(hessian(f, as_params(kX)), f_hessian(kX), 1e-14);
  EXPECT_NEAR(hessian([](const Var& x) { return exp(0.5 * x) * sin(x); }, 0.7), f_second(0.7), 1e-14);

  Tape tape;
  const Var x = tape.input(kX);
  const Tensor m = tensor_by(Shape{4, 4}, [](Index k) { return std::cos(2.0 + static_cast<double>(k)); });
  const Var h = hessian(f, x);
  expect_close(h.value(), f_hessian(kX), 1e-14);
  expect_close(tape.grad(dot(h, m), x).value(),
               tensor_by(Shape{4}, [&](Index i) { return m(i, i) * f_third(at(kX, i)); }), 1e-13);
  EXPECT_FALSE(hessian(f, Var(kX)).tracked());
  expect_close(hessian(f, Var(kX)).value(), f_hessian(kX), 1e-14);
  EXPECT_EQ(hessian([](const Var& w) { return sum(square(w)); }, Tensor::ones(Shape{2, 3})).shape(),
            (Shape{2, 3, 2, 3}));
}

TEST(Transforms, TakeFunctionObjectsAndFunctions) {
  struct Model {
    double scale;
    Var operator()(const Var& x) const { return scale * f(x); }
  };
  const Model model{3.0};
  const Tensor g = grad(model, kX);
  for (Index i = 0; i < 4; ++i) EXPECT_NEAR(g(i), 3.0 * at(f_gradient(kX), i), 1e-13);
  expect_close(grad(&f, kX), f_gradient(kX), 1e-14);
}

TEST(Transforms, OneElementOfAnyRankIsAScalar) {
  const auto g = [](const Var& x) { return reshape(f(x), Shape{1, 1}); };
  expect_close(grad(g, kX), f_gradient(kX), 1e-14);
  expect_close(hessian(g, kX), f_hessian(kX), 1e-14);
  expect_close(hvp(g, kX, kV), f_hessian_times(kX, kV), 1e-14);
}

TEST(Transforms, ErrorsNameTheTransformAndTheShapes) {
  Tape tape;
  const Var x = tape.input(kX);
  EXPECT_THAT(error_of<ShapeError>([] { grad(big_f, kX); }),
              AllOf(HasSubstr("[grad]"), HasSubstr("[3]"), HasSubstr("sum or mean"), HasSubstr("jacobian")));
  EXPECT_THAT(error_of<ShapeError>([] { value_and_grad(big_f, as_params(kX)); }),
              AllOf(HasSubstr("[value_and_grad]"), HasSubstr("[3]")));
  EXPECT_THAT(error_of<ShapeError>([&] { grad(big_f, x); }), AllOf(HasSubstr("[grad]"), HasSubstr("[3]")));
  EXPECT_THAT(error_of<ShapeError>([&] { tape.grad(big_f(x), x); }),
              AllOf(HasSubstr("[grad]"), HasSubstr("[3]"), HasSubstr("jacobian")));
  EXPECT_THAT(error_of<ShapeError>([] { hessian(big_f, kX); }),
              AllOf(HasSubstr("[hessian]"), HasSubstr("[3]")));
  EXPECT_THAT(error_of<ShapeError>([&] { hessian(big_f, x); }),
              AllOf(HasSubstr("[hessian]"), HasSubstr("[3]")));
  EXPECT_THAT(error_of<ShapeError>([] { hvp(big_f, kX, kV); }), AllOf(HasSubstr("[hvp]"), HasSubstr("[3]")));
  EXPECT_THAT(error_of<ShapeError>([] { hvp(f, kX, kC); }),
              AllOf(HasSubstr("[hvp]"), HasSubstr("[3]"), HasSubstr("[4]")));
  EXPECT_THAT(error_of<ShapeError>([&] { hvp(f, x, kC); }),
              AllOf(HasSubstr("[hvp]"), HasSubstr("[3]"), HasSubstr("[4]")));
  EXPECT_THAT(error_of<ShapeError>([] { jvp(big_f, kX, kC); }),
              AllOf(HasSubstr("[jvp]"), HasSubstr("tangent"), HasSubstr("[3]"), HasSubstr("[4]")));
  EXPECT_THAT(error_of<ShapeError>([] { vjp(big_f, kX)(kV); }),
              AllOf(HasSubstr("[vjp]"), HasSubstr("[4]"), HasSubstr("[3]"), HasSubstr("shape")));
  EXPECT_THAT(error_of<ShapeError>([&] { vjp(big_f, x, kV); }),
              AllOf(HasSubstr("[vjp]"), HasSubstr("[4]"), HasSubstr("[3]")));
  EXPECT_THAT(error_of<ShapeError>([&] { tape.vjp(big_f(x), kV, x); }),
              AllOf(HasSubstr("[vjp]"), HasSubstr("[4]"), HasSubstr("[3]")));
}

}  // namespace
}  // namespace cotangent
