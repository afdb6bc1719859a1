// Activations: values, kinks, derivatives to second order, rows of samples, names.
#include "nn/activations.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::expect_close;

struct Case {
  std::shared_ptr<const nn::Module> module;
  std::string name;
  std::function<double(double)> value;
};

template <class M>
Case row(M module, std::string name, std::function<double(double)> value) {
  return {std::make_shared<const M>(std::move(module)), std::move(name), std::move(value)};
}

std::vector<Case> cases() {
  return {
      row(nn::LeakyReLU(0.3), "LeakyReLU(0.3)", [](double x) { return x >= 0.0 ? x : 0.3 * x; }),
      row(nn::ReLU(), "ReLU", [](double x) { return x >= 0.0 ? x : 0.0; }),
      row(nn::ELU(), "ELU(1)", [](double x) { return x >= 0.0 ? x : std::expm1(x); }),
      row(nn::ELU(0.5), "ELU(0.5)", [](double x) { return x >= 0.0 ? x : 0.5 * std::expm1(x); }),
      row(nn::GELU(), "GELU", [](double x) { return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0))); }),
      row(nn::SiLU(), "SiLU", [](double x) { return x / (1.0 + std::exp(-x)); }),
      row(nn::Tanh(), "Tanh", [](double x) { return std::tanh(x); }),
      row(nn::Sigmoid(), "Sigmoid", [](double x) { return 1.0 / (1.0 + std::exp(-x)); }),
      row(nn::Softplus(), "Softplus", [](double x) { return std::log1p(std::exp(x)); }),
      row(nn::Erf(), "Erf", [](double x) { return std::erf(x); }),
      row(nn::Sin(), "Sin", [](double x) { return std::sin(x); }),
      row(nn::Square(), "Square", [](double x) { return x * x; }),
      row(nn::Identity(), "Identity", [](double x) { return x; }),
  };
}

/// Away from 0, where the finite differences of a kinked function would mean nothing.
Tensor points() {
  Rng rng(5);
  const Tensor x = rng.uniform({4, 6}, -2.0, 2.0);
  return test::tensor_by(x.shape(), [&](Index k) {
    const double v = x.data()[static_cast<std::size_t>(k)];
    return v >= 0.0 ? v + 0.1 : v - 0.1;
  });
}

TEST(Activations, ValuesAndNames) {
  const Tensor x = points();
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(c.module->name(), c.name);
    const auto* activation = dynamic_cast<const nn::Activation*>(c.module.get());
    ASSERT_NE(activation, nullptr);
    EXPECT_EQ(c.name.substr(0, c.name.find('(')), activation->facts().name);
    EXPECT_EQ(c.name.ends_with(')'), activation->facts().number != nullptr);
    EXPECT_EQ(c.module->num_params(), 0);
    const Tensor y = (*c.module)(Tensor(), x).value();
    expect_close(
        y,
        test::tensor_by(x.shape(), [&](Index k) { return c.value(x.data()[static_cast<std::size_t>(k)]); }),
        1e-14);
  }
}

TEST(Activations, DerivativesAgreeWithDifferences) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const auto check = check_gradient(
        [&](const Var& x) {
          const Var y = (*c.module)(Tensor(), x);
          return square(y) + 0.5 * y;
        },
        points());
    EXPECT_TRUE(check.passed) << check.to_string();
  }
}

TEST(Activations, SamplesDoNotMix) {
  Rng rng(6);
  const Tensor X = rng.normal({5, 3});
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const nn::Sequential net = nn::mlp({3, 4, 2}, c.module);
    const Params w = net.init(rng);
    const Tensor J = per_sample_jacobian(net, w, X).matrix();  // [5*2, P]
    const Tensor joint = jacobian([&](const Var& v) { return net(v, X); }, w.flat());
    expect_close(J, joint.reshape(J.shape()), 1e-13);
  }
}

TEST(Activations, AtTheKinkTheDerivativeIsOne) {
  const Tensor zero{0.0, -0.0}, one{1.0, 1.0};
  EXPECT_TRUE(equal(grad([](const Var& x) { return sum(nn::ELU(0.5)(Tensor(), x)); }, zero), one));
  EXPECT_TRUE(equal(grad([](const Var& x) { return sum(nn::ELU()(Tensor(), x)); }, zero), one));
}

TEST(Activations, TellTheirNumbers) {
  EXPECT_EQ(nn::LeakyReLU(-0.25).slope(), -0.25);
  EXPECT_EQ(nn::LeakyReLU().slope(), 0.01);
  EXPECT_EQ(nn::ELU(2.0).alpha(), 2.0);
  EXPECT_EQ(nn::ELU().alpha(), 1.0);
}

TEST(Activations, IdentityLeavesALinearNetwork) {
  Rng rng(8);
  const nn::Sequential net = nn::mlp({3, 4, 2}, nn::Identity(), {.bias = false});
  const Params w = net.init(rng);
  const Tensor X = rng.normal({5, 3});
  const Var product = matmul(w["2.weight"], w["0.weight"]);  // [2, 3]
  expect_close(net(w, X).value(), matmul(X, product, {.transpose_b = true}).value(), 1e-14);
}

}  // namespace
}  // namespace cotangent
