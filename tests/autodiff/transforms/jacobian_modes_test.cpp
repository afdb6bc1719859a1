// Jacobians row by row and column by column, at every kind of point, against single products; what is chosen,
// and the memory asked for.
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/plan.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::AllOf;
using testing::HasSubstr;

constexpr FullJacobianOptions kForward{.mode = DerivativeMode::forward};
constexpr FullJacobianOptions kReverse{.mode = DerivativeMode::reverse};

Tensor data(const Shape& shape, const char* name) { return Rng(4).split(name).normal(shape, 0.0, 0.8); }

/// [12] -> [n, 2] for n samples of 3 numbers.
Var network(const Var& w, const Tensor& x) {
  const Var h = tanh(linear(x, view(w, 0, Shape{2, 3})));
  return linear(h, view(w, 6, Shape{2, 2}), view(w, 10, Shape{2}));
}

/// Column by column by jvp and row by row by vjp, one product at a time.
void expect_single_products(VarFunction f, const Tensor& x, const Tensor& j) {
  const Vjp<Tensor> pull = vjp(f, x);
  const Index t = pull.value().size(), s = x.size();
  const Tensor flat = j.reshape(Shape{t, s});
  const auto unit = [](const Shape& shape, Index k) {
    return test::tensor_by(shape, [k](Index i) { return i == k ? 1.0 : 0.0; });
  };
  for (Index k = 0; k < s; ++k) {
    const Tensor column = jvp(f, x, unit(x.shape(), k)).tangent;
    for (Index i = 0; i < t; ++i) EXPECT_NEAR(flat(i, k), column.data()[static_cast<std::size_t>(i)], 1e-12);
  }
  for (Index i = 0; i < t; ++i) {
    const Tensor row = pull(unit(pull.value().shape(), i));
    for (Index k = 0; k < s; ++k) EXPECT_NEAR(flat(i, k), row.data()[static_cast<std::size_t>(k)], 1e-12);
  }
}

TEST(JacobianModes, AgreeWithEachOtherAndWithSingleProducts) {
  const Tensor w = data(Shape{12}, "w");
  for (const Index n : {Index{1}, Index{5}, Index{40}}) {
    SCOPED_TRACE(n);
    const Tensor x = data(Shape{n, 3}, "x");
    const auto f = [&](const Var& at) { return network(at, x); };
    const Tensor forward = jacobian(f, w, kForward), reverse = jacobian(f, w, kReverse);
    EXPECT_EQ(forward.shape(), (Shape{n, 2, 12}));
    expect_close(forward, reverse, 1e-12);
    expect_close(jacobian(f, w), reverse, 1e-12);
    expect_single_products(f, w, forward);
    const Params p(w, {{"a", Shape{6}, 0}, {"b", Shape{6}, 6}});
    expect_close(jacobian(f, p, kForward), reverse, 1e-12);
  }
}

TEST(JacobianModes, OfEveryShape) {
  const Tensor x = data(Shape{2, 2}, "square");
  const auto check = [&](const char* what, auto f) {
    SCOPED_TRACE(what);
    const Tensor forward = jacobian(f, x, kForward);
    expect_close(forward, jacobian(f, x, kReverse), 1e-13);
    expect_close(forward.reshape(Shape{forward.size() / 4, 4}),
                 test::differences([&](const Tensor& at) { return f(Var(at)).value(); }, x), 1e-8);
  };
  check("to a number", [](const Var& v) { return sum(exp(v) * sin(v)); });
  check("to more axes", [](const Var& v) { return broadcast_to(square(v), Shape{3, 2, 2}); });
  check("independent of x", [](const Var&) { return Var(Tensor{1, 2, 3}); });
  check("partly independent", [](const Var& v) { return concat({v, Var(Tensor{{1, 2}})}, 0); });
  check("itself", [](const Var& v) { return v; });
  check("to nothing", [](const Var& v) { return slice(v, 0, 0, 0); });
}

TEST(JacobianModes, AVarsJacobianIsDifferentiableAgainInBothModes) {
  const Tensor w = data(Shape{12}, "w"), x = data(Shape{3, 3}, "x"), m = data(Shape{3, 2, 12}, "m");
  const auto f = [&](const Var& at) { return network(at, x); };
  const auto weighed = [&](const FullJacobianOptions& options) {
    return [&, options](const Var& at) { return dot(jacobian(f, at, options), m); };
  };
  const Tensor forward = grad(weighed(kForward), w), reverse = grad(weighed(kReverse), w);
  expect_close(forward, reverse, 1e-12);
  const Tensor numbers = test::differences(
      [&](const Tensor& at) { return Tensor::scalar(dot(jacobian(f, at, kReverse), m).item()); }, w);
  expect_close(forward, numbers.reshape(Shape{12}), 1e-8);
  Tape tape;
  EXPECT_TRUE(jacobian(f, tape.input(w), kForward).tracked());
  EXPECT_FALSE(jacobian(f, Var(w), kForward).tracked());
}

/// Nodes recorded on the tape by a Jacobian at a Var tell which way it went: one pass an output or an input.
TEST(JacobianModes, TheFewerPassesAreChosen) {
  const auto nodes = [](Index inputs, Index outputs, const FullJacobianOptions& options) {
    const Tensor a = data(Shape{outputs, inputs}, "a");
    Tape tape;
    const Var x = tape.input(data(Shape{1, inputs}, "x"));
    jacobian([&](const Var& at) { return sin(tanh(linear(at, a))); }, x, options);
    return tape.num_nodes();
  };
  for (const auto& [inputs, outputs, forward] : {std::tuple<Index, Index, bool>{2, 30, true},
                                                 {30, 2, false},
                                                 {4, 4, false},
                                                 {10, 22, false},
                                                 {10, 23, true}}) {
    SCOPED_TRACE(testing::Message() << inputs << " -> " << outputs);
    EXPECT_NE(nodes(inputs, outputs, kForward), nodes(inputs, outputs, kReverse));
    EXPECT_EQ(nodes(inputs, outputs, {}), nodes(inputs, outputs, forward ? kForward : kReverse));
  }
}

TEST(JacobianModes, MoreThanTheMemoryIsRefusedWithTheNumbers) {
  const Tensor a = data(Shape{30, 20}, "a"), x = data(Shape{1, 20}, "x");
  const auto f = [&](const Var& at) { return tanh(linear(at, a)); };
  const Plan plan = plan_jacobian(f, x);
  EXPECT_EQ(plan.chosen().name, "reverse");
  // The result is 30 * 20 * 8 = 4800 bytes; A is not the work's.
  EXPECT_GE(plan.way("reverse").bytes, 4800 + 2 * 240);
  EXPECT_LE(plan.way("reverse").bytes, 2 * (4800 + 2 * 240));
  EXPECT_EQ(plan.way("reverse").flops, 31 * (2.0 * 30 * 20 + 2 * (600 + 20 + 30) + 4 * 30 + 2 * 400));
  const auto enough = static_cast<Index>(plan.way("reverse").bytes);
  EXPECT_NO_THROW(jacobian(f, x, {.memory = enough}));
  EXPECT_THAT(error_of<DomainError>([&] { jacobian(f, x, {.memory = enough - 1}); }),
              AllOf(HasSubstr("no way fits; raise .memory"), HasSubstr("Jacobian [30, 20]: reverse needs"),
                    HasSubstr("none can be used"), HasSubstr("over the memory")));
  EXPECT_THAT(
      error_of<DomainError>([&] { jacobian(f, x, {.mode = DerivativeMode::forward, .memory = enough}); }),
      HasSubstr("not the .mode asked for"));
}

}  // namespace
}  // namespace cotangent
