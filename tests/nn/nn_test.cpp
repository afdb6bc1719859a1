// Modules and layers: names, shapes, values against loops, initial numbers, own layers, derivatives.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/own_modules.hpp"

namespace cotangent {
namespace {

using test::expect_close;
using test::Residual;
using test::Scale;

std::vector<std::string> names_of(const nn::Module& module) {
  std::vector<std::string> names;
  for (const ParamEntry& entry : module.table()) names.push_back(entry.name + " " + entry.shape.to_string());
  return names;
}

// ---- the contract

TEST(Network, TheContractScript) {
  Rng rng(7);
  nn::Sequential net{nn::Linear(2, 64), nn::LeakyReLU(0.1), nn::Linear(64, 1)};
  const Params w = net.init(rng);
  EXPECT_EQ(names_of(net),
            (std::vector<std::string>{"0.weight [64, 2]", "0.bias [64]", "2.weight [1, 64]", "2.bias [1]"}));
  EXPECT_EQ(net.num_params(), 257);
  EXPECT_EQ(w.size(), 257);
  EXPECT_EQ(w["2.weight"].shape(), (Shape{1, 64}));

  const Tensor X = rng.normal({10, 2});
  const Var y = net(w, X);
  EXPECT_EQ(y.shape(), (Shape{10, 1}));
  EXPECT_FALSE(y.tracked());
  EXPECT_TRUE(equal(y.value(), net(w.flat(), X).value()));
  Tape tape;
  const Var tracked = net(tape.input(w.flat()), X);
  EXPECT_TRUE(tracked.tracked());
  EXPECT_TRUE(equal(y.value(), tracked.value()));
  EXPECT_EQ(net(w, Tensor::zeros({0, 2})).shape(), (Shape{0, 1}));  // a batch may be empty, a loss of it not
}

TEST(Network, EqualsLoops) {
  Rng rng(3);
  const nn::Sequential net{nn::Linear(3, 5), nn::LeakyReLU(-0.3), nn::Linear(5, 2)};
  Params w = net.init(rng);
  w = w.with(rng.normal(w.flat().shape()));  // biases too
  const Tensor X = rng.normal({7, 3});
  const Tensor W0 = w["0.weight"], b0 = w["0.bias"], W2 = w["2.weight"], b2 = w["2.bias"];
  const Tensor y = net(w, X).value();
  for (Index i = 0; i < 7; ++i) {
    for (Index c = 0; c < 2; ++c) {
      double expected = b2(c);
      for (Index j = 0; j < 5; ++j) {
        double h = b0(j);
        for (Index k = 0; k < 3; ++k) h += W0(j, k) * X(i, k);
        expected += W2(c, j) * (h >= 0.0 ? h : -0.3 * h);
      }
      EXPECT_NEAR(y(i, c), expected, 1e-13);
    }
  }
}

TEST(Network, GradientHasTheNamesAndTheClosedForm) {
  Rng rng(11);
  const nn::Sequential net{nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2)};
  const Params w = net.init(rng);
  const Tensor X = rng.normal({6, 3}), T = rng.normal({6, 2});
  const auto [value, g] = value_and_grad([&](const Var& v) { return nn::half_mse(net(v, X), T); }, w);

  // Residual r and hidden layer h by hand: dW2 = r^T h / N, db2 = column sums of r / N.
  const nn::Linear first(3, 4);
  const Tensor h = tanh(first(w.flat().rows(0, 16), X)).value();
  const Tensor y = net(w, X).value();
  double expected_value = 0.0;
  for (Index i = 0; i < 6; ++i)
    for (Index c = 0; c < 2; ++c) expected_value += std::pow(y(i, c) - T(i, c), 2) / 24.0;
  EXPECT_NEAR(value, expected_value, 1e-15);
  for (Index c = 0; c < 2; ++c) {
    double bias = 0.0;
    for (Index i = 0; i < 6; ++i) bias += (y(i, c) - T(i, c)) / 12.0;
    EXPECT_NEAR(g["2.bias"](c), bias, 1e-15);
    for (Index j = 0; j < 4; ++j) {
      double weight = 0.0;
      for (Index i = 0; i < 6; ++i) weight += (y(i, c) - T(i, c)) * h(i, j) / 12.0;
      EXPECT_NEAR(g["2.weight"](c, j), weight, 1e-15);
    }
  }
}

TEST(Network, LearnsExclusiveOr) {
  Rng rng(1);
  const nn::Sequential net = nn::mlp({2, 8, 1}, nn::Tanh());
  Params w = net.init(rng);
  const Tensor X{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y = Tensor{-1, 1, 1, -1}.reshape({4, 1});
  const auto risk = [&](const Var& v) { return nn::logistic(net(v, X), y); };
  for (int k = 0; k < 1000; ++k) w = axpy(-1.0, grad(risk, w), w);
  EXPECT_LT(risk(w).item(), 1e-2);
  EXPECT_EQ(nn::zero_one(net(w, X), y), 0.0);
}

TEST(Network, BatchEqualsStackOfSingles) {
  Rng rng(5);
  const nn::Sequential net{nn::Linear(6, 9),
                           nn::LeakyReLU(0.2),
                           nn::Linear(9, 8, {.bias = false}),
                           nn::Tanh(),
                           nn::Linear(8, 7),
                           nn::Softplus(),
                           nn::Linear(7, 5, {.parametrisation = nn::Parametrisation::ntk}),
                           nn::Sigmoid(),
                           nn::Linear(5, 4),
                           nn::ReLU(),
                           nn::Linear(4, 3)};
  const Params w = net.init(rng);
  const Tensor X = rng.normal({33, 6});
  const Tensor batch = net(w, X).value();
  for (Index i = 0; i < 33; ++i) expect_close(batch.rows(i, i + 1), net(w, X.rows(i, i + 1)).value(), 1e-14);
}

// ---- names, tables, ways to put networks together

TEST(Sequential, NestedNamesCountEveryPosition) {
  const nn::Sequential inner{nn::Linear(4, 4), nn::ReLU(), nn::Linear(4, 3, {.bias = false})};
  const nn::Sequential net{nn::Linear(2, 4), inner, nn::Tanh(), nn::Linear(3, 1)};
  EXPECT_EQ(names_of(net),
            (std::vector<std::string>{"0.weight [4, 2]", "0.bias [4]", "1.0.weight [4, 4]", "1.0.bias [4]",
                                      "1.2.weight [3, 4]", "3.weight [1, 3]", "3.bias [1]"}));
  EXPECT_EQ(net.size(), 4);
  Index end = 0;
  for (const ParamEntry& entry : net.table()) {
    EXPECT_EQ(entry.offset, end);
    end += entry.size();
  }
  EXPECT_EQ(end, net.num_params());

  // The nested network computes what its parts compute, one after another.
  Rng rng(2);
  const Params w = net.init(rng);
  const Tensor X = rng.normal({5, 2});
  Var y = nn::Linear(2, 4)(w.flat().rows(0, 12), X);
  y = inner(w.flat().rows(12, 44), y);
  y = nn::Linear(3, 1)(w.flat().rows(44, 48), tanh(y));
  EXPECT_TRUE(equal(y.value(), net(w, X).value()));
}

TEST(Sequential, TableOfLayers) {
  const nn::Sequential inner{nn::Linear(64, 8, {.bias = false}), nn::Tanh()};
  const nn::Sequential net{nn::Linear(2, 64), nn::LeakyReLU(0.1), inner,
                           nn::Linear(8, 1, {.parametrisation = nn::Parametrisation::ntk})};
  EXPECT_EQ(net.to_string(),
            "Sequential, 713 parameters\n"
            "0    Linear(2 -> 64)           weight [64, 2], bias [64]  192\n"
            "1    LeakyReLU(0.1)                                         0\n"
            "2    Sequential\n"
            "2.0  Linear(64 -> 8, no bias)  weight [8, 64]             512\n"
            "2.1  Tanh                                                   0\n"
            "3    Linear(8 -> 1, ntk)       weight [1, 8], bias [1]      9");
  EXPECT_EQ(nn::Linear(3, 1).to_string(), "Linear(3 -> 1), 4 parameters\nweight [1, 3], bias [1]");
  EXPECT_EQ(nn::Sigmoid().to_string(), "Sigmoid, 0 parameters");
}

TEST(Sequential, BuiltInLoops) {
  nn::Sequential appended;
  std::vector<std::shared_ptr<const nn::Module>> list;
  const std::vector<Index> widths{3, 16, 16, 2};
  for (std::size_t k = 0; k + 1 < widths.size(); ++k) {
    if (k > 0) appended = appended.append(nn::LeakyReLU(0.1));
    if (k > 0) list.push_back(std::make_shared<const nn::LeakyReLU>(0.1));
    appended = appended.append(nn::Linear(widths[k], widths[k + 1]));
    list.push_back(std::make_shared<const nn::Linear>(widths[k], widths[k + 1]));
  }
  const nn::Sequential written{nn::Linear(3, 16), nn::LeakyReLU(0.1), nn::Linear(16, 16), nn::LeakyReLU(0.1),
                               nn::Linear(16, 2)};
  for (const nn::Sequential& net :
       {appended, nn::Sequential::of(list), nn::mlp(widths, nn::LeakyReLU(0.1))}) {
    EXPECT_EQ(net.to_string(), written.to_string());
    Rng a(9), b(9);
    EXPECT_TRUE(equal(net.init(a).flat(), written.init(b).flat()));
  }
  EXPECT_EQ(nn::mlp({4, 1}, nn::ReLU(), {.bias = false}).to_string(),
            "Sequential, 4 parameters\n0  Linear(4 -> 1, no bias)  weight [1, 4]  4");
  // Held, not copied: one level deeper.
  EXPECT_EQ(names_of(nn::Sequential().append(nn::mlp({1, 1}, nn::ReLU()))).front(), "0.0.weight [1, 1]");
  EXPECT_EQ(names_of(nn::Sequential{nn::mlp({1, 1}, nn::ReLU())}).front(), "0.weight [1, 1]");
}

TEST(Sequential, EmptyIsTheIdentity) {
  Rng rng(1);
  const nn::Sequential net;
  const Params w = net.init(rng);
  EXPECT_EQ(w.size(), 0);
  const Tensor X{{1, 2}};
  EXPECT_TRUE(equal(net(w, X).value(), X));
}

// ---- the NTK parametrisation

TEST(Linear, NtkScalesByTheFormula) {
  Rng rng(31);
  const nn::Linear layer(5, 4,
                         {.parametrisation = nn::Parametrisation::ntk, .weight_std = 1.5, .bias_std = 0.3});
  const Params w = layer.init(rng);
  const Tensor X = rng.normal({6, 5}), W = w["weight"], b = w["bias"];
  const Tensor y = layer(w, X).value();
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < 4; ++j) {
      double product = 0.0;
      for (Index k = 0; k < 5; ++k) product += X(i, k) * W(j, k);
      EXPECT_NEAR(y(i, j), 1.5 / std::sqrt(5.0) * product + 0.3 * b(j), 1e-14);
    }

  // The standard layer at the numbers ntk puts its factors in front of is the same function.
  const nn::Linear standard(5, 4);
  const Params scaled =
      w.with("weight", ((1.5 / std::sqrt(5.0)) * Var(W)).value()).with("bias", (0.3 * Var(b)).value());
  expect_close(y, standard(scaled, X).value(), 1e-14);
  // Factors of 1 unless set.
  const nn::Linear plain(5, 4, {.parametrisation = nn::Parametrisation::ntk});
  const Params unit = w.with("weight", (Var(W) / std::sqrt(5.0)).value());
  expect_close(plain(w, X).value(), standard(unit, X).value(), 1e-14);
}

TEST(Linear, WithoutBias) {
  Rng rng(33);
  const nn::Linear standard(3, 2, {.bias = false});
  const nn::Linear ntk(3, 2, {.bias = false, .parametrisation = nn::Parametrisation::ntk, .weight_std = 1.5});
  EXPECT_EQ(names_of(ntk), (std::vector<std::string>{"weight [2, 3]"}));
  const Params w = ntk.init(rng);
  const Tensor X = rng.normal({4, 3});
  const Tensor product = matmul(X, w["weight"], {.transpose_b = true}).value();
  expect_close(standard(w, X).value(), product, 1e-14);
  expect_close(ntk(w, X).value(), (1.5 / std::sqrt(3.0) * Var(product)).value(), 1e-14);
}

TEST(Linear, PerSampleStructureStaysVisible) {
  Rng rng(37);
  const nn::Linear layer(3, 2,
                         {.parametrisation = nn::Parametrisation::ntk, .weight_std = 1.5, .bias_std = 0.3});
  const Params w = layer.init(rng);
  const Tensor X = rng.normal({4, 3});
  const Tensor J = per_sample_jacobian(layer, w, X).matrix();  // [4*2, 8]
  ASSERT_EQ(J.shape(), (Shape{8, 8}));
  for (Index i = 0; i < 4; ++i)
    for (Index c = 0; c < 2; ++c)
      for (Index p = 0; p < 8; ++p) {
        const double expected =
            p < 6 ? (p / 3 == c ? 1.5 / std::sqrt(3.0) * X(i, p % 3) : 0.0) : (p - 6 == c ? 0.3 : 0.0);
        EXPECT_NEAR(J(2 * i + c, p), expected, 1e-15);
      }
}

TEST(Network, PerSampleJacobianEqualsGradientsOfSingles) {
  Rng rng(41);
  const nn::Sequential net{nn::Linear(3, 5), nn::Softplus(), nn::Sequential{nn::Linear(5, 4), nn::Tanh()},
                           nn::Linear(4, 2, {.parametrisation = nn::Parametrisation::ntk})};
  const Params w = net.init(rng);
  const Tensor X = rng.normal({4, 3});
  const Jacobian J = per_sample_jacobian(net, w, X);
  for (Index i = 0; i < 4; ++i)
    for (Index c = 0; c < 2; ++c) {
      const Params g =
          grad([&](const Var& v) { return sum(slice(net(v, X.rows(i, i + 1)), 1, c, c + 1)); }, w);
      const Tensor row = J.matrix().rows(2 * i + c, 2 * i + c + 1).reshape({w.size()});
      expect_close(row, g.flat(), 1e-14);
    }
  EXPECT_EQ(J.column_name(0), "0.weight[0, 0]");
  EXPECT_EQ(J.column_name(20), "2.0.weight[0, 0]");
}

// ---- derivatives

TEST(Layers, CheckGradient) {
  Rng rng(43);
  const nn::Sequential smooth{
      nn::Linear(3, 4),
      nn::Tanh(),
      nn::Linear(4, 4, {.bias = false}),
      nn::Sigmoid(),
      nn::Linear(4, 3, {.parametrisation = nn::Parametrisation::ntk, .bias_std = 0.5}),
      nn::Softplus()};
  const Params w = smooth.init(rng);
  const Tensor X = rng.normal({5, 3});
  const GradientCheck by_params = check_gradient([&](const Var& v) { return smooth(v, X); }, w);
  EXPECT_TRUE(by_params.passed) << by_params.to_string();
  const GradientCheck by_inputs = check_gradient([&](const Var& x) { return smooth(w, x); }, X);
  EXPECT_TRUE(by_inputs.passed) << by_inputs.to_string();

  // Away from the kink, where units keep their sign under the checker's steps.
  Tensor Z = rng.uniform({4, 3}, 0.5, 1.5);
  Z = (Var(Z) * Var(Tensor{{1, -1, 1}, {-1, -1, 1}, {1, 1, -1}, {-1, 1, -1}})).value();
  const std::vector<std::shared_ptr<const nn::Module>> kinked{std::make_shared<const nn::ReLU>(),
                                                              std::make_shared<const nn::LeakyReLU>(0.1),
                                                              std::make_shared<const nn::LeakyReLU>(-2.0)};
  for (const auto& layer : kinked) {
    const GradientCheck check =
        check_gradient([&](const Var& z) { return (*layer)(Tensor(), z) * square(z); }, Z);
    EXPECT_TRUE(check.passed) << layer->name() << "\n" << check.to_string();
  }
}

TEST(Layers, DerivativeAtTheKinkIsOne) {
  const Tensor zero{0.0, -0.0};
  const Tensor one{1.0, 1.0};
  EXPECT_TRUE(equal(grad([](const Var& x) { return sum(nn::ReLU()(Tensor(), x)); }, zero), one));
  EXPECT_TRUE(equal(grad([](const Var& x) { return sum(nn::LeakyReLU(0.1)(Tensor(), x)); }, zero), one));
  EXPECT_TRUE(equal(grad([](const Var& x) { return sum(nn::LeakyReLU()(Tensor(), x)); }, Tensor{-1.0}),
                    Tensor{0.01}));
}

TEST(Network, GradientPenaltyThroughLift) {
  // |df/dx|^2 of a network as part of its loss: an inner gradient by the inputs, differentiated by w.
  Rng rng(47);
  const nn::Sequential net{nn::Linear(2, 6), nn::Tanh(), nn::Linear(6, 1)};
  const Params w = net.init(rng);
  const Tensor X = rng.normal({5, 2});
  const GradientCheck check = check_gradient(
      [&](const Var& v) {
        const Var g = grad([&](const Var& x) { return sum(net(v, x)); }, lift(X, v));
        return sum(square(g));
      },
      w, {.order = 1});
  EXPECT_TRUE(check.passed) << check.to_string();
}

// ---- a script's own layers

TEST(OwnLayer, InTenLines) {
  Rng rng(53);
  const nn::Sequential net{nn::Linear(2, 3), Scale(3), nn::Tanh(), nn::Linear(3, 1)};
  EXPECT_EQ(names_of(net)[2], "1.factor [3]");
  Params w = net.init(rng);
  EXPECT_TRUE(equal(w["1.factor"], Tensor::ones({3})));
  EXPECT_NE(net.to_string().find("1  Scale"), std::string::npos) << net.to_string();

  const Tensor X = rng.normal({4, 2});
  w = w.with("1.factor", Tensor{2.0, -1.0, 0.5});
  const Tensor W = w["0.weight"], a = w["3.weight"];
  for (Index i = 0; i < 4; ++i) {
    double expected = 0.0;
    const double factor[] = {2.0, -1.0, 0.5};
    for (Index j = 0; j < 3; ++j)
      expected += a(0, j) * std::tanh(factor[j] * (W(j, 0) * X(i, 0) + W(j, 1) * X(i, 1)));
    EXPECT_NEAR(net(w, X).value()(i, 0), expected, 1e-14);
  }
  const GradientCheck check = check_gradient([&](const Var& v) { return net(v, X); }, w);
  EXPECT_TRUE(check.passed) << check.to_string();
  EXPECT_EQ(per_sample_jacobian(net, w, X).matrix().shape(), (Shape{4, 16}));
}

TEST(OwnLayer, HoldsOtherModules) {
  Rng rng(59);
  const Residual block(nn::Sequential{nn::Linear(3, 5), nn::Tanh(), nn::Linear(5, 3)});
  const nn::Sequential net{block, block, nn::Linear(3, 1)};
  EXPECT_EQ(names_of(net)[0], "0.body.0.weight [5, 3]");
  EXPECT_EQ(names_of(net)[6], "1.body.2.weight [3, 5]");
  EXPECT_EQ(net.to_string(),
            "Sequential, 80 parameters\n"
            "0         Residual\n"
            "0.body    Sequential\n"
            "0.body.0  Linear(3 -> 5)  weight [5, 3], bias [5]  20\n"
            "0.body.1  Tanh                                      0\n"
            "0.body.2  Linear(5 -> 3)  weight [3, 5], bias [3]  18\n"
            "1         Residual\n"
            "1.body    Sequential\n"
            "1.body.0  Linear(3 -> 5)  weight [5, 3], bias [5]  20\n"
            "1.body.1  Tanh                                      0\n"
            "1.body.2  Linear(5 -> 3)  weight [3, 5], bias [3]  18\n"
            "2         Linear(3 -> 1)  weight [1, 3], bias [1]   4");
  const Params w = net.init(rng);
  EXPECT_FALSE(equal(w["0.body.0.weight"], w["1.body.0.weight"]));

  const Tensor X = rng.normal({4, 3});
  const nn::Sequential body{nn::Linear(3, 5), nn::Tanh(), nn::Linear(5, 3)};
  Var y = X;
  for (Index k = 0; k < 2; ++k) y = y + body(w.flat().rows(38 * k, 38 * k + 38), y);
  y = nn::Linear(3, 1)(w.flat().rows(76, 80), y);
  EXPECT_TRUE(equal(y.value(), net(w, X).value()));
  const GradientCheck check = check_gradient([&](const Var& v) { return net(v, X); }, w);
  EXPECT_TRUE(check.passed) << check.to_string();
}

/// One matrix as encoder and decoder: x V^T V.
struct Tied : nn::Module {
  Tied() : v(declare("v", {2, 3}, nn::normal(1.0))) {}
  Var operator()(const Var& w, const Var& x) const override {
    return matmul(linear(x, param(w, v)), param(w, v));
  }
  nn::ParamId v;
};

TEST(OwnLayer, UsesOneParameterTwice) {
  Rng rng(61);
  const Tied layer;
  const Params w = layer.init(rng);
  const Tensor X = rng.normal({4, 3});
  const GradientCheck check = check_gradient([&](const Var& v) { return layer(v, X); }, w);
  EXPECT_TRUE(check.passed) << check.to_string();
}

}  // namespace
}  // namespace cotangent
