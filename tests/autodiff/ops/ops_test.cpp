// Every operation: values against plain loops, derivatives of first and second order against differences.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "autodiff/check_gradient.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape/state.hpp"
#include "autodiff/tensor/access.hpp"
#include "tests/support/op_table.hpp"

namespace cotangent {
namespace {

using test::flat_inputs, test::of_flat, test::OpRow;
using test::Plain;
using test::Plains;

std::vector<Var> as_constants(const Plains& inputs) {
  std::vector<Var> vars;
  for (const Plain& input : inputs) vars.emplace_back(test::tensor_of(input));
  return vars;
}

void expect_values(const Tensor& value, const Plain& expected) {
  ASSERT_EQ(value.shape().to_string(), expected.shape.to_string());
  // Absolute slack for sums that cancel; inputs are of order 1.
  for (std::size_t i = 0; i < expected.numbers.size(); ++i)
    EXPECT_NEAR(value.data()[i], expected.numbers[i], 4e-15 * (1.0 + std::fabs(expected.numbers[i])))
        << "element " << i;
}

TEST(Operations, ValuesAreThoseOfPlainLoops) {
  for (const OpRow& row : test::op_table()) {
    SCOPED_TRACE(row.name);
    const Plains inputs = test::random_inputs(row);
    const Var y = row.function(as_constants(inputs));
    EXPECT_FALSE(y.tracked());
    expect_values(y.value(), row.expected(inputs));
  }
}

TEST(Operations, RecordingDoesNotChangeAValue) {
  for (const OpRow& row : test::op_table()) {
    SCOPED_TRACE(row.name);
    const Plains inputs = test::random_inputs(row);
    Tape tape;
    std::vector<Var> vars;
    for (const Plain& input : inputs) vars.push_back(tape.input(test::tensor_of(input)));
    const Var y = row.function(vars);
    EXPECT_TRUE(y.tracked());
    EXPECT_TRUE(equal(y.value(), row.function(as_constants(inputs)).value()));
  }
}

TEST(Operations, DerivativesOfOrderOneAndTwoAgreeWithDifferences) {
  for (const OpRow& row : test::op_table()) {
    SCOPED_TRACE(row.name);
    const auto check = check_gradient([&](const Var& flat) { return of_flat(row, flat); }, flat_inputs(row));
    EXPECT_TRUE(check.passed) << check.to_string();
    EXPECT_EQ(check.rows.size(), 8u);
  }
}

// A quadratic form of the result makes every operation, linear ones too, curved: the second derivative is
// then never trivially zero, and both ways through the rule (by its inputs and by its cotangent) are
// exercised.
TEST(Operations, DerivativesOfAFunctionOfTheResultAgreeWithDifferences) {
  for (const OpRow& row : test::op_table()) {
    SCOPED_TRACE(row.name);
    const auto check = check_gradient(
        [&](const Var& flat) {
          const Var y = of_flat(row, flat);
          return square(y) + 0.5 * y;
        },
        flat_inputs(row), {.directions = 2});
    EXPECT_TRUE(check.passed) << check.to_string();
  }
}

// With only some inputs tracked, rules must not touch the cotangents of the others.
TEST(Operations, DerivativeByOneInputAloneIsThatBlockOfTheWhole) {
  for (const OpRow& row : test::op_table()) {
    SCOPED_TRACE(row.name);
    const Tensor flat = flat_inputs(row);
    const auto phi = [&](const Var& y) { return sum(square(y)); };
    const Tensor whole = grad([&](const Var& z) { return phi(of_flat(row, z)); }, flat);
    const std::vector<Var> inputs = as_constants(test::random_inputs(row));
    Index offset = 0;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      std::vector<Var> vars = inputs;
      const Tensor part = grad(
          [&](const Var& x) {
            vars[k] = x;
            return phi(row.function(vars));
          },
          inputs[k].value());
      ASSERT_EQ(part.shape().to_string(), row.inputs[k].to_string());
      for (Index i = 0; i < part.size(); ++i)
        EXPECT_NEAR(part.data()[static_cast<std::size_t>(i)], whole(offset + i),
                    1e-13 * (1.0 + std::fabs(whole(offset + i))))
            << "input " << k << ", element " << i;
      offset += part.size();
    }
  }
}

TEST(Operations, EveryOneHasARow) {
  std::set<const Op*> recorded;
  for (const OpRow& row : test::op_table()) {
    Tape tape;
    std::vector<Var> vars;
    for (const Plain& input : test::random_inputs(row)) vars.push_back(tape.input(test::tensor_of(input)));
    row.function(vars);
    for (const detail::Node& node : detail::VarAccess::state(tape).nodes) recorded.insert(node.op);
  }
  int count = 0;
  for (const Op* op = Op::first(); op; op = op->next(), ++count)
    EXPECT_TRUE(recorded.count(op)) << "[" << op->name() << "] has no row in the table of operations";
  EXPECT_GE(count, 38);
}

TEST(Operations, NamesAreDistinct) {
  std::set<std::string> names;
  for (const Op* op = Op::first(); op; op = op->next())
    EXPECT_TRUE(names.insert(op->name()).second) << op->name();
}

TEST(Operations, LogSumExpNeitherOverflowsNorLosesItsSpecialValues) {
  constexpr double kInf = INFINITY;
  const Tensor x{{1000.0, 1000.0, -kInf, -kInf, kInf, NAN}, {1000.0, -1000.0, -kInf, 3.0, 1.0, 0.0}};
  const Tensor y = log_sum_exp(x, 0).value();
  EXPECT_DOUBLE_EQ(y(0), 1000.0 + std::log(2.0));
  EXPECT_EQ(y(1), 1000.0);
  EXPECT_EQ(y(2), -INFINITY);
  EXPECT_EQ(y(3), 3.0);
  EXPECT_EQ(y(4), INFINITY);
  EXPECT_TRUE(std::isnan(y(5)));
  EXPECT_TRUE(std::isnan(log_sum_exp(Tensor{NAN, INFINITY}, 0).item()));
  EXPECT_TRUE(std::isnan(log_sum_exp(Tensor{INFINITY, NAN}, 0).item()));
}

// The gradient is the softmax, whose digits do not depend on a number added to all x; the result itself has
// lost those of log 2 from 1e16 on.
TEST(Operations, DerivativesOfLogSumExpKeepTheirDigits) {
  const auto f = [](const Var& v) { return log_sum_exp(v, 0); };
  const auto first = [](const Var& v) { return slice(log_softmax(v, 0), 0, 0, 1); };
  const double third = std::exp(-1.0) / (2.0 + std::exp(-1.0)), half = 0.5 * (1.0 - third);
  for (const double b : {0.0, 800.0, -800.0, 1e6, 0x1p40, -0x1p50}) {
    const Tensor x{b, b, b - 1.0}, g = grad(f, x), h = hessian(f, x);
    EXPECT_NEAR(g(0), half, 1e-15) << b;
    EXPECT_NEAR(g(2), third, 1e-15) << b;
    EXPECT_NEAR(h(0, 0), half * (1.0 - half), 1e-15) << b;
    EXPECT_NEAR(h(0, 2), -half * third, 1e-15) << b;
    const Tensor by_log = grad([&](const Var& v) { return sum(first(v)); }, x);
    EXPECT_NEAR(by_log(0), 1.0 - half, 1e-15) << b;
    EXPECT_NEAR(by_log(2), -third, 1e-15) << b;
  }
  for (const double b : {1e12, 1e15, 1e16, -1e16, 1e300}) {
    EXPECT_TRUE(equal(grad(f, Tensor{b, b}), Tensor{0.5, 0.5})) << b;
    EXPECT_TRUE(equal(hessian(f, Tensor{b, b}), Tensor{{0.25, -0.25}, {-0.25, 0.25}})) << b;
  }
  // Where the largest number is infinite there is no softmax.
  for (const double v : {-INFINITY, INFINITY}) EXPECT_TRUE(std::isnan(grad(f, Tensor{v, v})(0)));
}

TEST(Operations, VarianceKeepsItsDigitsAndItsSpecialValues) {
  Rng rng(9);
  // Numbers a / 64 around 1e9 are exact, and so are their differences.
  Tensor small = Tensor::zeros({3, 2000});
  for (Index i = 0; i < small.size(); ++i)
    detail::mutable_data(small)[i] = static_cast<double>(rng.below(1000));
  const Tensor far = (Var(small) / 64.0 + 1e9).value();
  for (const int axis : {0, 1}) {
    const Tensor a = variance(far, {.axes = {axis}}).value();
    const Tensor b = (variance(small, {.axes = {axis}}) / 4096.0).value();
    for (Index i = 0; i < a.size(); ++i) EXPECT_NEAR(a(i), b(i), 1e-13 * b(i));
  }
  for (const Shape& shape : {Shape{1000}, Shape{200, 3}, Shape{20, 40}})
    EXPECT_EQ(sum(variance(Tensor::full(shape, 0.1), {.axes = {0}})).item(), 0.0) << shape.to_string();
  // The square of a difference overflows, the difference does not.
  EXPECT_EQ(variance(Tensor{1e200, 0.0, 0.0}).item(), INFINITY);
  EXPECT_EQ(variance(Tensor{{1.0, 1e200}, {2.0, -1e200}}, {.axes = {0}}).value()(0), 0.25);
  // The sum of squares around the first number overflows, that around the mean does not.
  for (const Index n : {3, 16, 100}) {
    const double m = static_cast<double>(n);
    const double first = 1.2 * std::sqrt(std::numeric_limits<double>::max() / (m - 1.0));
    const double exact = first / m * first / m * (m - 1.0);
    Tensor x = Tensor::zeros({n, 2});
    detail::mutable_data(x)[0] = detail::mutable_data(x)[1] = first;
    const Tensor v = variance(x, {.axes = {0}}).value();
    EXPECT_NEAR(v(0) / exact, 1.0, 3e-14) << n;
    EXPECT_NEAR(v(1) / exact, 1.0, 3e-14) << n;
    EXPECT_NEAR(variance(slice(x, 1, 0, 1)).item() / exact, 1.0, 3e-14) << n;
  }
  EXPECT_EQ(variance(Tensor{{1.0, 1e200}, {2.0, -1e200}}, {.axes = {0}}).value()(1), INFINITY);
  EXPECT_TRUE(std::isnan(variance(Tensor{1.0, NAN}).item()));
  EXPECT_TRUE(std::isnan(variance(Tensor{INFINITY, 1.0}).item()));
}

TEST(Operations, TrianglesAtAnyOffset) {
  constexpr Index kMost = std::numeric_limits<Index>::max(), kLeast = std::numeric_limits<Index>::min();
  const Tensor x{{1, 2, 3}, {4, 5, 6}}, none = Tensor::zeros(Shape{2, 3});
  EXPECT_TRUE(equal(lower_triangle(x, kMost).value(), x) && equal(upper_triangle(x, kLeast).value(), x));
  EXPECT_TRUE(equal(lower_triangle(x, kLeast).value(), none) &&
              equal(upper_triangle(x, kMost).value(), none));
  EXPECT_TRUE(equal(lower_triangle(x, 2).value(), x) && equal(upper_triangle(x, -1).value(), x));
  EXPECT_TRUE(equal(lower_triangle(x, -1).value(), Tensor{{0, 0, 0}, {4, 0, 0}}));
  EXPECT_TRUE(equal(upper_triangle(x, 2).value(), Tensor{{0, 0, 3}, {0, 0, 0}}));
}

TEST(Operations, GeluAndSiluKeepTheirTails) {
  // x Phi(x) in extended precision; 1 + erf(x / sqrt(2)) in double is 0 from -8.3 on.
  for (double x = -37.5; x <= 40.0; x += 0.5) {
    const long double z = x, gelu_exact = z * std::erfc(-z / std::sqrt(2.0L)) / 2.0L;
    EXPECT_LE(std::fabs(gelu(x).item() - static_cast<double>(gelu_exact)),
              4.0 * (1.0 + x * x) * 0x1p-53 * std::fabs(static_cast<double>(gelu_exact)))
        << x;
    const long double density = std::exp(-z * z / 2.0L) / std::sqrt(2.0L * std::acos(-1.0L));
    const auto slope = static_cast<double>(std::erfc(-z / std::sqrt(2.0L)) / 2.0L + z * density);
    const auto size = static_cast<double>(std::erfc(-z / std::sqrt(2.0L)) / 2.0L + std::fabs(z) * density);
    EXPECT_LE(std::fabs(grad([](const Var& v) { return gelu(v); }, x) - slope),
              4.0 * (1.0 + x * x) * 0x1p-53 * size)
        << x;
  }
  for (double x = -700.0; x <= 50.0; x += 12.5) {
    const long double z = x, exact = z / (1.0L + std::exp(-z));
    EXPECT_NEAR(silu(x).item() / static_cast<double>(exact + (x == 0.0)), x == 0.0 ? 0.0 : 1.0, 1e-15) << x;
  }
  EXPECT_EQ(gelu(INFINITY).item(), INFINITY);
  EXPECT_EQ(silu(INFINITY).item(), INFINITY);
  for (const auto f : {gelu, silu}) {
    EXPECT_EQ(f(-INFINITY).item(), 0.0);
    EXPECT_EQ(grad(f, INFINITY), 1.0);
    EXPECT_EQ(grad(f, -INFINITY), 0.0);
    EXPECT_EQ(hessian(f, INFINITY), 0.0);
    EXPECT_EQ(hessian(f, -INFINITY), 0.0);
  }
}

TEST(Operations, ErfAndItsComplement) {
  for (double x = -6.0; x <= 6.0; x += 0.37) {
    EXPECT_DOUBLE_EQ(erf(x).item() + erfc(x).item(), 1.0);
    const double slope = 2.0 / std::sqrt(std::acos(-1.0)) * std::exp(-x * x);
    EXPECT_NEAR(grad([](const Var& v) { return erf(v); }, x) / slope, 1.0, 1e-14);
    EXPECT_NEAR(grad([](const Var& v) { return erfc(v); }, x) / slope, -1.0, 1e-14);
    EXPECT_NEAR(hessian([](const Var& v) { return erf(v); }, x), -2.0 * x * slope, 1e-14);
  }
  // 30-digit references, the last one where 1 - erf(x) would be 0.
  EXPECT_DOUBLE_EQ(erf(0.5).item(), 0.520499877813046537682746653892);
  EXPECT_NEAR(erfc(10.0).item() / 2.08848758376254448e-45, 1.0, 1e-14);
  EXPECT_EQ(erf(INFINITY).item(), 1.0);
  EXPECT_EQ(erfc(-INFINITY).item(), 2.0);
  EXPECT_TRUE(std::isnan(erf(NAN).item()));
}

TEST(Operations, ALargeSumIsNearlyExact) {
  // 0.1 a million times: naive summation is off by 1e-6, eight partial sums by far less.
  EXPECT_NEAR(sum(Tensor::full(Shape{1000000}, 0.1)).item(), 100000.0, 5e-7);
  EXPECT_EQ(mean(Tensor::full(Shape{4096}, 0.25)).item(), 0.25);
}

TEST(Operations, ArraysWithoutElements) {
  const Tensor none = Tensor::zeros(Shape{0, 3});
  EXPECT_EQ((Var(none) + Var(none)).shape(), (Shape{0, 3}));
  EXPECT_EQ(exp(none).shape(), (Shape{0, 3}));
  EXPECT_EQ(sum(none).item(), 0.0);
  EXPECT_TRUE(equal(sum(none, 0).value(), Tensor{0.0, 0.0, 0.0}));
  EXPECT_EQ(sum(none, 1).shape(), (Shape{0}));
  EXPECT_EQ(linear(none, Tensor::ones(Shape{4, 3}), Tensor::ones(Shape{4})).shape(), (Shape{0, 4}));
  EXPECT_TRUE(equal(matmul(Tensor::zeros(Shape{2, 0}), Tensor::zeros(Shape{0, 2})).value(),
                    Tensor::zeros(Shape{2, 2})));
  EXPECT_EQ(transpose(none).shape(), (Shape{3, 0}));
  EXPECT_EQ(concat({none, Tensor::ones(Shape{2, 3})}, 0).shape(), (Shape{2, 3}));
  EXPECT_EQ(slice(Tensor::ones(Shape{2, 3}), 1, 2, 2).shape(), (Shape{2, 0}));
  EXPECT_EQ(broadcast_to(Tensor::ones(Shape{1, 3}), Shape{0, 3}).shape(), (Shape{0, 3}));
  EXPECT_EQ(log_sum_exp(none, 1).shape(), (Shape{0}));
  EXPECT_TRUE(equal(grad(
                        [](const Var& x) {
                          return sum(broadcast_to(x, Shape{0, 3}));
                        },
                        Tensor{{1, 2, 3}}),
                    Tensor::zeros(Shape{1, 3})));
  const Tensor g =
      grad([](const Var& x) { return sum(square(x)) + sum(matmul(x, x, {.transpose_a = true})); }, none);
  EXPECT_EQ(g.shape(), (Shape{0, 3}));
}

}  // namespace
}  // namespace cotangent
