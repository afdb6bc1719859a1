// Initial numbers: moments, streams, orthogonality, pairs that cancel, error texts.
#include "nn/init.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;

struct Moments {
  double mean, variance;
};
Moments moments(const Tensor& t) {
  double mean = 0.0, variance = 0.0;
  for (const double x : t.data()) mean += x / static_cast<double>(t.size());
  for (const double x : t.data()) variance += (x - mean) * (x - mean) / static_cast<double>(t.size());
  return {mean, variance};
}
/// Five standard errors around N(0, variance)'s mean and variance.
void expect_normal(const Tensor& t, double variance) {
  const auto n = static_cast<double>(t.size());
  const Moments m = moments(t);
  EXPECT_NEAR(m.mean, 0.0, 5.0 * std::sqrt(variance / n));
  EXPECT_NEAR(m.variance, variance, 5.0 * variance * std::sqrt(2.0 / n));
  // A normal's share within one deviation.
  double within = 0.0;
  for (const double x : t.data()) within += x * x <= variance ? 1.0 / n : 0.0;
  EXPECT_NEAR(within, std::erf(std::numbers::sqrt2 / 2.0), 5.0 * std::sqrt(0.22 / n));
}

/// Mean, variance and bounds of uniform numbers of mean 0, within five standard errors.
void expect_uniform(const nn::Init& init, double variance) {
  Rng rng(41);
  const Tensor t = init(rng, {300, 200});
  const auto n = static_cast<double>(t.size());
  const double bound = std::sqrt(3.0 * variance);
  double mean = 0.0, square = 0.0, largest = 0.0;
  for (const double x : t.data()) {
    mean += x / n;
    square += x * x / n;
    EXPECT_TRUE(x >= -bound && x < bound);
    largest = std::max(largest, std::fabs(x));
  }
  EXPECT_NEAR(mean, 0.0, 5.0 * std::sqrt(variance / n));
  // E x^4 = b^4 / 5, so x^2 / v has the variance 9/5 - 1.
  EXPECT_NEAR(square, variance, 5.0 * variance * std::sqrt(0.8 / n));
  EXPECT_GT(largest, 0.999 * bound);
}

TEST(Init, Moments) {
  Rng rng(17);
  const Shape shape{300, 200};
  expect_normal(nn::normal(0.3)(rng, shape), 0.09);
  expect_normal(nn::lecun_normal()(rng, shape), 1.0 / 200);
  expect_normal(nn::he_normal()(rng, shape), 2.0 / 200);
  expect_normal(nn::he_normal(0.5)(rng, shape), 2.0 / (1.25 * 200));
  expect_normal(nn::glorot_normal()(rng, shape), 2.0 / 500);

  const Tensor u = nn::uniform(-1.0, 3.0)(rng, shape);
  const Moments m = moments(u);
  EXPECT_NEAR(m.mean, 1.0, 5.0 * std::sqrt(16.0 / 12 / 60000));
  EXPECT_NEAR(m.variance, 16.0 / 12, 0.03);
  for (const double x : u.data()) EXPECT_TRUE(x >= -1.0 && x < 3.0);

  EXPECT_TRUE(equal(nn::zeros()(rng, {2, 3}), Tensor::zeros({2, 3})));
  EXPECT_TRUE(equal(nn::ones()(rng, {4}), Tensor::ones({4})));
  EXPECT_TRUE(equal(nn::constant(-2.5)(rng, {2}), Tensor{-2.5, -2.5}));
}

TEST(Init, OfLinear) {
  Rng rng(23);
  const Params standard = nn::Linear(250, 300).init(rng);
  expect_normal(standard["weight"], 1.0 / 250);
  EXPECT_TRUE(equal(standard["bias"], Tensor::zeros({300})));

  const Params ntk =
      nn::Linear(250, 300, {.parametrisation = nn::Parametrisation::ntk, .weight_std = 7.0}).init(rng);
  expect_normal(ntk["weight"], 1.0);
  expect_normal(ntk["bias"], 1.0);

  const Params wide = nn::Linear(250, 300, {.weight_std = 2.0, .bias_std = 0.5}).init(rng);
  expect_normal(wide["weight"], 4.0 / 250);
  expect_normal(wide["bias"], 0.25);

  const Params chosen =
      nn::Linear(250, 300, {.weight_init = nn::he_normal(0.1), .bias_init = nn::constant(0.01)}).init(rng);
  expect_normal(chosen["weight"], 2.0 / (1.01 * 250));
  EXPECT_TRUE(equal(chosen["bias"], Tensor::full({300}, 0.01)));
}

TEST(Init, StreamsGoByName) {
  const nn::Sequential net{nn::Linear(2, 64), nn::LeakyReLU(0.1), nn::Linear(64, 1)};
  Rng rng(7), same(7);
  const Params w = net.init(rng), again = net.init(rng);
  EXPECT_TRUE(equal(w.flat(), net.init(same).flat()));
  EXPECT_FALSE(equal(w["0.weight"], again["0.weight"]));

  // One draw is the seed of a stream that is split by the full name.
  Rng by_hand(7);
  const Rng stream(by_hand.bits());
  EXPECT_TRUE(equal(w["2.weight"], stream.split("2.weight").normal({1, 64}, 0.0, 0.125)));
  Rng after(7);
  net.init(after);
  EXPECT_EQ(after, by_hand);

  // Adding a layer, or taking a bias away, changes no other parameter.
  Rng other(7), third(7);
  const Params longer = net.append(nn::Tanh()).append(nn::Linear(1, 9)).init(other);
  for (const ParamEntry& entry : net.table()) EXPECT_TRUE(equal(longer[entry.name], w[entry.name]));
  const Params less =
      nn::Sequential{nn::Linear(2, 64, {.bias = false}), nn::ReLU(), nn::Linear(64, 1)}.init(third);
  EXPECT_TRUE(equal(less["2.weight"], w["2.weight"]));
}

TEST(Init, UniformVariants) {
  expect_uniform(nn::lecun_uniform(), 1.0 / 200);
  expect_uniform(nn::he_uniform(), 2.0 / 200);
  expect_uniform(nn::he_uniform(-0.5), 2.0 / (1.25 * 200));
  expect_uniform(nn::glorot_uniform(), 2.0 / 500);
}

TEST(Init, NtkNormalIsStandardNormal) {
  Rng a(3), b(3);
  EXPECT_TRUE(equal(nn::ntk_normal()(a, {4, 5}), b.normal({4, 5})));
}

// ---- orthogonal

TEST(Orthogonal, RowsOrColumnsAreOrthonormal) {
  Rng rng(5);
  for (const Shape& shape : {Shape{1, 1}, {1, 7}, {7, 1}, {20, 20}, {60, 100}, {100, 60}, {150, 150}}) {
    SCOPED_TRACE(shape.to_string());
    const Var w = nn::orthogonal(1.5)(rng, shape);
    const bool wide = shape[0] <= shape[1];
    const Index k = std::min(shape[0], shape[1]);
    const Tensor gram =
        (wide ? matmul(w, w, {.transpose_b = true}) : matmul(w, w, {.transpose_a = true})).value();
    expect_close(gram, (2.25 * Var(Tensor::eye(k))).value(), 1e-14);
  }
}

TEST(Orthogonal, IsUniform) {
  // Under the uniform law on O(3): E q_ij = 0, E q_ij^2 = 1/3, E q_11^4 = 1/5, E q_11^2 q_22^2 = 2/15 (for
  // Haar matrices (n + 1) / ((n - 1) n (n + 2))), E det = 0; with a fixed sign of det or of a diagonal some
  // would fail.
  Rng rng(7);
  const int n = 20000;
  double mean = 0.0, diagonal = 0.0, square = 0.0, fourth = 0.0, mixed = 0.0, determinant = 0.0;
  for (int k = 0; k < n; ++k) {
    const Tensor q = nn::orthogonal()(rng, {3, 3});
    const double a = q(0, 0), b = q(1, 1);
    mean += q(0, 2) / n;
    diagonal += (a + b + q(2, 2)) / n;
    square += a * a / n;
    fourth += a * a * a * a / n;
    mixed += a * a * b * b / n;
    determinant +=
        (a * (b * q(2, 2) - q(1, 2) * q(2, 1)) - q(0, 1) * (q(1, 0) * q(2, 2) - q(1, 2) * q(2, 0)) +
         q(0, 2) * (q(1, 0) * q(2, 1) - b * q(2, 0))) /
        n;
  }
  const double error = 5.0 / std::sqrt(static_cast<double>(n));
  EXPECT_NEAR(mean, 0.0, error * std::sqrt(1.0 / 3.0));
  EXPECT_NEAR(diagonal, 0.0, error);  // the trace of a Haar matrix has variance 1
  EXPECT_NEAR(square, 1.0 / 3.0, error * std::sqrt(1.0 / 5.0 - 1.0 / 9.0));
  EXPECT_NEAR(fourth, 1.0 / 5.0, error * std::sqrt(1.0 / 9.0 - 1.0 / 25.0));
  EXPECT_NEAR(mixed, 2.0 / 15.0, error * 0.2);
  EXPECT_NEAR(determinant, 0.0, error);
}

TEST(Orthogonal, AsTheWeightOfALayerKeepsLengths) {
  Rng rng(9);
  const nn::Linear layer(30, 50, {.bias = false, .weight_init = nn::orthogonal()});
  const Tensor X = rng.normal({4, 30});
  expect_close(sum(square(layer(layer.init(rng), X)), 1).value(), sum(square(Var(X)), 1).value(), 1e-13);
}

// ---- pairs

TEST(Pairs, RowsRepeatAndColumnsOppose) {
  Rng a(11), b(11), c(11), d(11);
  const Tensor drawn = nn::glorot_normal()(a, {6, 4});
  const Tensor paired = nn::paired_rows(nn::glorot_normal())(b, {6, 4});
  const Tensor opposed = nn::opposed_columns(nn::glorot_normal())(c, {6, 4});
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < 4; ++j) {
      EXPECT_EQ(paired(i, j), drawn(i - i % 2, j));
      EXPECT_EQ(opposed(i, j), j % 2 ? -drawn(i, j - 1) : drawn(i, j));
    }
  const Tensor bias = nn::paired_rows(nn::normal(2.0))(d, {4});
  EXPECT_EQ(bias(0), bias(1));
  EXPECT_EQ(bias(2), bias(3));
  EXPECT_NE(bias(0), bias(2));
  EXPECT_EQ(nn::paired_rows(nn::zeros())(d, {0, 3}).shape(), (Shape{0, 3}));
}

TEST(SymmetricMlp, StartsAtZeroAndLearns) {
  for (const auto parametrisation : {nn::Parametrisation::standard, nn::Parametrisation::ntk})
    for (const std::vector<Index>& widths :
         {std::vector<Index>{3, 64, 1}, {3, 10, 1}, {3, 5, 7, 128, 4}, {1, 2, 1}}) {
      Rng rng(13);
      const nn::LinearOptions options{.parametrisation = parametrisation, .weight_std = 1.5, .bias_std = 0.5};
      const nn::Sequential net = nn::symmetric_mlp(widths, nn::GELU(), options);
      const nn::Sequential plain = nn::mlp(widths, nn::GELU(), options);
      EXPECT_EQ(net.to_string(), plain.to_string());
      Params w = net.init(rng);
      const Tensor X = rng.normal({50, widths.front()});
      const Var f = net(w, X);
      // Two ulps of the terms' absolute sum, itself of order 1 to 10 here.
      for (const double v : f.value().data()) EXPECT_LE(std::fabs(v), 4e-15);
      EXPECT_GT(norm(w), 0.5);
      const Tensor usual = plain(plain.init(rng), X).value();
      for (const double v : usual.data()) EXPECT_GT(std::fabs(v), 1e-9);

      const Tensor y = rng.normal(f.shape());
      const auto risk = [&](const Var& v) { return nn::half_mse(net(v, X), y); };
      const double before = risk(w).item();
      EXPECT_NEAR(before, nn::half_mse(Tensor::zeros(y.shape()), y).item(), 1e-14);
      for (int k = 0; k < 20; ++k) w = axpy(-0.001, grad(risk, w), w);
      EXPECT_LT(risk(w).item(), before);
    }
}

TEST(SymmetricMlp, KernelAtTheStart) {
  // One hidden layer: the kernel of mlp with the same numbers, for the signs of the output weights do not
  // enter.
  // Two: layers before the last hidden one have derivative 0 at first, since the pairs' contributions cancel.
  Rng rng(15);
  const Tensor X = rng.normal({6, 3});
  const nn::Sequential shallow = nn::symmetric_mlp({3, 8, 1}, nn::Tanh());
  const Params w = shallow.init(rng);
  const Tensor a = w["2.weight"];
  const Params same_signs =
      w.with("2.weight", test::tensor_by(a.shape(), [&](Index k) { return std::fabs(a(0, k)); }));
  expect_close(theory::tangent_kernel(shallow, w, X).matrix(),
               theory::tangent_kernel(shallow, same_signs, X).matrix(), 1e-14);
  const nn::Sequential deep = nn::symmetric_mlp({3, 6, 8, 1}, nn::Tanh());
  const Jacobian J = per_sample_jacobian(deep, deep.init(rng), X);
  double first = 0.0, last = 0.0;
  for (Index i = 0; i < 6; ++i)
    for (Index p = 0; p < J.matrix().size(1); ++p)
      (p < 24 ? first : last) = std::max(p < 24 ? first : last, std::fabs(J.matrix()(i, p)));
  EXPECT_LT(first, 1e-15);
  EXPECT_GT(last, 0.1);
}

TEST(SymmetricMlp, KeepsTheDeviations) {
  Rng rng(17);
  const nn::Sequential net =
      nn::symmetric_mlp({50, 400, 300}, nn::Tanh(), {.weight_std = 2.0, .bias_std = 0.5});
  const Params w = net.init(rng);
  const auto expect_variance = [&](const std::string& name, double variance) {
    double square = 0.0;
    for (const double v : w[name].data()) square += v * v / static_cast<double>(w[name].size());
    // Half of the numbers are drawn.
    EXPECT_NEAR(square, variance, 5.0 * variance * std::sqrt(4.0 / static_cast<double>(w[name].size())));
  };
  expect_variance("0.weight", 4.0 / 50);
  expect_variance("0.bias", 0.25);
  expect_variance("2.weight", 4.0 / 400);
  EXPECT_TRUE(equal(w["2.bias"], Tensor::zeros({300})));
  // An Init of one's own is paired too.
  const nn::Sequential own = nn::symmetric_mlp({4, 6, 1}, nn::ReLU(), {.weight_init = nn::orthogonal()});
  const Params v = own.init(rng);
  EXPECT_TRUE(equal(v["0.weight"].rows(0, 1), v["0.weight"].rows(1, 2)));
  EXPECT_EQ(v["2.weight"](0, 0), -v["2.weight"](0, 1));
}

TEST(ErrorText, InitsOfPairs) {
  Rng rng(1);
  const std::string rest =
      " the parameter is [3], but the deviation comes from the sizes of a weight [out, in]; use "
      "normal(deviation)";
  EXPECT_EQ(error_of<ShapeError>([&] { nn::lecun_uniform()(rng, {3}); }), "[lecun_uniform]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::he_uniform()(rng, {3}); }), "[he_uniform]" + rest);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::glorot_uniform()(rng, {3}); }), "[glorot_uniform]" + rest);
  EXPECT_EQ(error_of<DomainError>([] { nn::he_uniform(std::numeric_limits<double>::infinity()); }),
            "[he_uniform] slope inf; give a finite number");
  EXPECT_EQ(error_of<DomainError>([] { nn::orthogonal(std::nan("")); }),
            "[orthogonal] gain nan; give a finite number");
  EXPECT_EQ(error_of<ShapeError>([&] {
              nn::orthogonal()(rng, {2, 3, 4});
            }),
            "[orthogonal] the parameter is [2, 3, 4]; it must be a weight [out, in]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              nn::paired_rows(nn::ones())(rng, {3, 2});
            }),
            "[paired_rows] the parameter is [3, 2]; it must have an even number of rows");
  EXPECT_EQ(error_of<ShapeError>([&] {
              nn::opposed_columns(nn::ones())(rng, {2, 3});
            }),
            "[opposed_columns] the parameter is [2, 3]; it must be [out, in] with an even number of columns");
  EXPECT_EQ(error_of<DomainError>([] { nn::paired_rows({}); }),
            "[paired_rows] the Init is empty; give one, for example nn::lecun_normal()");
  EXPECT_EQ(error_of<DomainError>([] { nn::opposed_columns({}); }),
            "[opposed_columns] the Init is empty; give one, for example nn::lecun_normal()");
  const nn::Init wrong = [](Rng&, const Shape&) { return Tensor{1.0}; };
  EXPECT_EQ(error_of<ShapeError>([&] {
              nn::paired_rows(wrong)(rng, {2, 2});
            }),
            "[paired_rows] the Init gave [1] for a parameter [2, 2]; return the shape it is asked for");
  EXPECT_EQ(error_of<ShapeError>([&] {
              nn::opposed_columns(wrong)(rng, {2, 2});
            }),
            "[opposed_columns] the Init gave [1] for a parameter [2, 2]; return the shape it is asked for");
}

TEST(ErrorText, SymmetricNetworks) {
  EXPECT_EQ(error_of<DomainError>([] {
              nn::symmetric_mlp({2, 8, 5, 1}, nn::Tanh());
            }),
            "[symmetric_mlp] the last hidden width is 5; give an even number, for its units come in pairs");
  EXPECT_EQ(error_of<DomainError>([] {
              nn::symmetric_mlp({2, 1}, nn::Tanh());
            }),
            "[symmetric_mlp] 2 widths; give the sizes of inputs, a hidden layer and outputs, at least three");
  EXPECT_EQ(error_of<DomainError>([] {
              nn::symmetric_mlp({2, 4, 1}, nullptr);
            }),
            "[symmetric_mlp] the activation is a null pointer; give a module");
  EXPECT_EQ(error_of<DomainError>([] {
              nn::symmetric_mlp({2, 4, 1}, nn::Tanh(), {.weight_std = -1.0});
            }),
            "[Linear(2 -> 4)] weight_std is -1; give a finite number, at least 0");
  EXPECT_EQ(error_of<DomainError>([] {
              nn::symmetric_mlp({2, 4, 1}, nn::Tanh(), {.bias = false, .bias_std = 1.0});
            }),
            "[Linear(2 -> 4, no bias)] options for a bias that is switched off; leave them out or set .bias "
            "= true");
}

}  // namespace
}  // namespace cotangent
