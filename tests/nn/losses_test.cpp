// Losses and measures: closed forms, extreme values, derivatives, error texts.
#include "nn/losses.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// ---- squared errors

TEST(Mse, ClosedForm) {
  const Tensor p{{1.0, 2.0}, {-0.5, 4.0}, {0.0, 0.25}}, t{{0.5, 2.0}, {0.5, 1.0}, {-2.0, 0.0}};
  // Squares 0.25, 0, 1, 9, 4, 0.0625.
  EXPECT_DOUBLE_EQ(nn::mse(p, t).item(), 14.3125 / 6);
  EXPECT_DOUBLE_EQ(nn::half_mse(p, t).item(), 14.3125 / 12);
  EXPECT_EQ(nn::mse(p, t).rank(), 0);
  expect_close(grad([&](const Var& v) { return nn::mse(v, t); }, p),
               (Var(Tensor{{0.5, 0.0}, {-1.0, 3.0}, {2.0, 0.25}}) * (2.0 / 6)).value(), 1e-15);
  expect_close(grad([&](const Var& v) { return nn::half_mse(v, t); }, p),
               (Var(Tensor{{0.5, 0.0}, {-1.0, 3.0}, {2.0, 0.25}}) * (1.0 / 6)).value(), 1e-15);
  // The Hessian of MEAN is the identity over N.
  expect_close(hessian(
                   [](const Var& v) {
                     return nn::half_mse(v, {1, 2, 3, 4});
                   },
                   Tensor{0, 1, 0, 2}),
               (0.25 * Var(Tensor::eye(4))).value(), 1e-15);
  EXPECT_EQ(nn::mse(Tensor::scalar(3.0), Tensor::scalar(1.0)).item(), 4.0);
}

TEST(Mse, ReferenceValue) {
  // Mean of (sin k - cos k)^2, k = 0 .. 11, to 30 digits.
  const Tensor k = Tensor::linspace(0, 11, 12).reshape({4, 3});
  EXPECT_NEAR(nn::mse(sin(k), cos(k).value()).item(), 0.94686213460435356235, 1e-15);
}

// ---- one node in place of several

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::equal(a.data().begin(), a.data().end(), b.data().begin(), [](double s, double t) {
           return std::bit_cast<std::uint64_t>(s) == std::bit_cast<std::uint64_t>(t) ||
                  (std::isnan(s) && std::isnan(t));
         });
}

// grad records a loss as one node, a tape of one's own its operations: the same bits, at sizes on either side
// of a vector's and at numbers where something overflows, ends or has a kink.
TEST(Losses, OfOneNodeHaveTheBitsOfTheirOperations) {
  const std::vector<double> hostile{0.0,   -0.0,   1.0,    -1.0, 745.0, -745.0,
                                    1e300, -1e300, 1e-320, kInf, -kInf, kNan};
  using Loss = Var (*)(const Var&, const Tensor&);
  Rng rng(5);
  for (const Index n : {1, 2, 3, 7, 8, 9, 40})
    for (const Loss loss :
         {nn::mse, nn::half_mse, nn::logistic, nn::hinge, nn::squared_hinge, nn::exponential})
      for (std::size_t round = 0; round <= hostile.size(); ++round) {
        std::vector<double> numbers, signs;
        for (Index i = 0; i < n; ++i) {
          numbers.push_back(2.0 * rng.normal());
          signs.push_back(rng.uniform() < 0.5 ? -1.0 : 1.0);
        }
        if (round < hostile.size()) numbers[round % numbers.size()] = hostile[round];
        const Tensor x = Tensor::from(numbers, {n}), y = Tensor::from(signs, {n});
        const auto [value, g] = value_and_grad([&](const Var& v) { return 0.3 * loss(v, y); }, x);
        Tape tape;
        const Var at = tape.input(x), l = 0.3 * loss(at, y);
        EXPECT_TRUE(same_bits(Tensor::scalar(value), l.value()));
        EXPECT_TRUE(same_bits(g, tape.grad(l, at).value()))
            << x.to_string() << y.to_string() << g.to_string() << tape.grad(l, at).value().to_string();
      }
  for (const Index n : {1, 3, 17}) {
    const Tensor z = rng.normal({n, 5}, 0.0, 3.0);
    const Tensor p = softmax(rng.normal({n, 5}), 1).value();
    const auto [value, g] = value_and_grad([&](const Var& v) { return nn::cross_entropy(v, p); }, z);
    Tape tape;
    const Var at = tape.input(z), l = nn::cross_entropy(at, p);
    EXPECT_TRUE(same_bits(Tensor::scalar(value), l.value()));
    EXPECT_TRUE(same_bits(g, tape.grad(l, at).value()));
  }
}

// A derivative inside of a function whose derivative is taken meets the one node at higher orders.
TEST(Losses, OfOneNodeHaveDerivativesOfEveryOrder) {
  const Tensor x{0.3, -1.2, 2.5, -0.75, 0.9}, y{1, -1, -1, 1, 1};
  using Loss = Var (*)(const Var&, const Tensor&);
  for (const Loss loss :
       {nn::mse, nn::half_mse, nn::logistic, nn::hinge, nn::squared_hinge, nn::exponential}) {
    const auto l = [&](const Var& v) { return loss(sin(v), y); };
    const auto slope = [&](const Var& v) { return sum(square(grad(l, v))); };
    expect_close(grad(slope, x), hvp(l, x, (2.0 * Var(grad(l, x))).value()), 1e-14);
    expect_close(grad([&](const Var& v) { return sum(sin(grad(slope, v))); }, x),
                 hvp(slope, x, cos(Var(grad(slope, x))).value()), 1e-14);
  }
  const Tensor z{{0.3, -1.2, 2.5}, {-0.75, 0.9, 0.1}};
  const auto l = [&](const Var& v) { return nn::cross_entropy(sin(v), {2.0, 0.0}); };
  const auto slope = [&](const Var& v) { return sum(square(grad(l, v))); };
  expect_close(grad(slope, z), hvp(l, z, (2.0 * Var(grad(l, z))).value()), 1e-14);
}

// ---- logistic

TEST(Logistic, ClosedForm) {
  // 40-digit reference for f = (0.3, -1.2, 2.5, -0.75), y = (1, -1, -1, 1).
  const Tensor f{0.3, -1.2, 2.5, -0.75}, y{1, -1, -1, 1};
  EXPECT_NEAR(nn::logistic(f, y).item(), 1.13334961305350197, 1e-15);
  const Tensor g = grad([&](const Var& v) { return nn::logistic(v, y); }, f);
  for (Index i = 0; i < 4; ++i) EXPECT_NEAR(g(i), -y(i) / (4.0 * (1.0 + std::exp(y(i) * f(i)))), 1e-15);
  const Tensor H = hessian([&](const Var& v) { return nn::logistic(v, y); }, f);
  for (Index i = 0; i < 4; ++i) {
    const double s = 1.0 / (1.0 + std::exp(-f(i)));
    for (Index j = 0; j < 4; ++j) EXPECT_NEAR(H(i, j), i == j ? s * (1 - s) / 4 : 0.0, 1e-15);
  }
}

TEST(Logistic, RegressionOfTheTheorySheet) {
  // O25: lambda = 0.1, its minimiser, value and the gradient at 0.
  const Tensor X{{1, 2}, {2, -1}, {-1, 1}, {0.5, 0.5}}, y = Tensor{1, -1, 1, -1}.reshape({4, 1});
  const auto risk = [&](const Var& w) {
    return nn::logistic(matmul(X, reshape(w, {2, 1})), y) + 0.05 * dot(w, w);
  };
  const Tensor origin{0.0, 0.0}, w{-0.792529343087, 1.00753515539};
  EXPECT_NEAR(risk(origin).item(), std::numbers::ln2, 1e-15);
  expect_close(grad(risk, origin), Tensor{0.3125, -0.4375}, 1e-15);
  EXPECT_NEAR(risk(w).item(), 0.390056323327862, 1e-14);
  expect_close(grad(risk, w), origin, 1e-11);
  // The Hessian's trace and determinant from its eigenvalues there.
  const Tensor H = hessian(risk, w);
  constexpr double a = 0.238167681758, b = 0.354489314467;
  EXPECT_NEAR(H(0, 0) + H(1, 1), a + b, 1e-11);
  EXPECT_NEAR(H(0, 0) * H(1, 1) - H(0, 1) * H(1, 0), a * b, 1e-11);
}

TEST(Logistic, NoOverflow) {
  const Tensor f{1e3, -1e3, 1e3, -1e3}, y{-1, 1, 1, -1};
  EXPECT_EQ(nn::logistic(f, y).item(), 500.0);
  expect_close(grad([&](const Var& v) { return nn::logistic(v, y); }, f), Tensor{0.25, -0.25, 0.0, 0.0}, 0.0);
  // Small losses keep their digits: log(1 + exp(-50)) to 40 digits.
  EXPECT_NEAR(nn::logistic(Tensor{50.0}, {1.0}).item() / 1.928749847963917780e-22, 1.0, 1e-14);
  EXPECT_EQ(nn::logistic(Tensor{-1e308}, {1.0}).item(), 1e308);
}

// ---- hinge and exponential

TEST(Hinge, ClosedForm) {
  // Margins 0.3, 1.2, 1, -0.75: losses 0.7, 0, 0, 1.75.
  const Tensor f{0.3, -1.2, 1.0, 0.75}, y{1, -1, 1, -1};
  EXPECT_DOUBLE_EQ(nn::hinge(f, y).item(), 2.45 / 4);
  EXPECT_EQ(nn::hinge(f, y).rank(), 0);
  // The third margin is exactly 1: the derivative is taken from inside.
  expect_close(grad([&](const Var& v) { return nn::hinge(v, y); }, f), Tensor{-0.25, 0.0, -0.25, 0.25}, 0.0);
  expect_close(hessian([&](const Var& v) { return nn::hinge(v, y); }, f), Tensor::zeros({4, 4}), 0.0);
  EXPECT_EQ(nn::hinge(f.reshape({4, 1}), y.reshape({4, 1})).item(), nn::hinge(f, y).item());
}

TEST(Hinge, AtTheKinkTheDerivativeIsThatOfTheInside) {
  const double below = std::nextafter(1.0, 0.0), above = std::nextafter(1.0, 2.0);
  for (const double sign : {1.0, -1.0}) {
    const auto slope = [sign](double margin) {
      return grad([&](const Var& v) { return nn::hinge(v, Tensor{sign}); }, Tensor{sign * margin}).item();
    };
    EXPECT_EQ(slope(1.0), -sign);
    EXPECT_EQ(slope(below), -sign);
    EXPECT_EQ(slope(above), 0.0);
  }
}

TEST(Hinge, SubgradientInequality) {
  // loss(u) >= loss(f) + <g, u - f>, kinks among the points f: g is a subgradient there too.
  Rng rng(19);
  const Tensor y{1, -1, 1, -1, 1};
  for (int k = 0; k < 200; ++k) {
    const Tensor f = k % 2 ? rng.normal({5}) : y, u = rng.normal({5}, 0.0, 2.0);
    const Tensor g = grad([&](const Var& v) { return nn::hinge(v, y); }, f);
    EXPECT_GE(nn::hinge(u, y).item(), nn::hinge(f, y).item() + dot(g, Var(u) - f).item() - 1e-15);
  }
}

TEST(Exponential, ClosedForm) {
  const Tensor f{0.3, -1.2, 2.5, -0.75}, y{1, -1, -1, 1};
  double expected = 0.0;
  for (Index i = 0; i < 4; ++i) expected += std::exp(-y(i) * f(i)) / 4.0;
  EXPECT_NEAR(nn::exponential(f, y).item(), expected, 1e-14);
  const Tensor g = grad([&](const Var& v) { return nn::exponential(v, y); }, f);
  const Tensor H = hessian([&](const Var& v) { return nn::exponential(v, y); }, f);
  for (Index i = 0; i < 4; ++i) {
    EXPECT_NEAR(g(i), -y(i) * std::exp(-y(i) * f(i)) / 4.0, 1e-14);
    for (Index j = 0; j < 4; ++j) EXPECT_NEAR(H(i, j), i == j ? std::exp(-y(i) * f(i)) / 4.0 : 0.0, 1e-14);
  }
  // The theory sheet's margins -1, 0.5, 2, -0.2 (O28).
  EXPECT_NEAR(nn::exponential(Tensor{1.0, 0.5, 2.0, 0.2}, {-1, 1, 1, -1}).item(), 1.170387632392, 1e-12);
  EXPECT_EQ(nn::exponential(Tensor{800.0}, {-1.0}).item(), kInf);
  EXPECT_EQ(nn::exponential(Tensor{800.0}, {1.0}).item(), 0.0);
}

TEST(Surrogates, AreAboveTheErrorAndBelowEachOther) {
  // 1{t < 0} <= hinge(t) <= exp(-t): t >= 1 - exp(-t) for every t.
  Rng rng(29);
  for (int k = 0; k < 200; ++k) {
    const Tensor f = rng.normal({5}, 0.0, 2.0), y{1, -1, 1, 1, -1};
    const double hinge = nn::hinge(f, y).item();
    EXPECT_LE(nn::zero_one(f, y), hinge + 1e-15);
    EXPECT_LE(hinge, nn::exponential(f, y).item() + 1e-15);
  }
}

// ---- cross entropy

const Tensor kLogits{{0.3, -1.2, 2.5, 0.0}, {1.5, 1.25, -0.75, 3.0}, {-2.0, 0.5, 0.5, -4.25}};

Tensor softmax(const Tensor& z) {
  std::vector<double> p;
  for (Index i = 0; i < z.size(0); ++i) {
    double sum = 0.0;
    for (Index c = 0; c < z.size(1); ++c) sum += std::exp(z(i, c));
    for (Index c = 0; c < z.size(1); ++c) p.push_back(std::exp(z(i, c)) / sum);
  }
  return Tensor::from(p, z.shape());
}

TEST(CrossEntropy, ClosedForm) {
  // 40-digit references.
  const Tensor labels{2, 0, 1};
  const Tensor hard{{0, 0, 1, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}};
  const Tensor soft{{0.1, 0.2, 0.3, 0.4}, {0.25, 0.25, 0.25, 0.25}, {0, 0.5, 0.5, 0}};
  EXPECT_NEAR(nn::cross_entropy(kLogits, labels).item(), 0.928453899029303316, 1e-15);
  EXPECT_NEAR(nn::cross_entropy(kLogits, soft).item(), 1.66512056569596999, 1e-15);
  EXPECT_EQ(nn::cross_entropy(kLogits, labels).item(), nn::cross_entropy(kLogits, hard).item());
  EXPECT_EQ(nn::cross_entropy(kLogits, labels).rank(), 0);
  // d/dz = (softmax(z) - p) / n.
  const Tensor q = softmax(kLogits);
  expect_close(grad([&](const Var& z) { return nn::cross_entropy(z, labels); }, kLogits),
               ((Var(q) - hard) / 3.0).value(), 1e-15);
  expect_close(grad([&](const Var& z) { return nn::cross_entropy(z, soft); }, kLogits),
               ((Var(q) - soft) / 3.0).value(), 1e-15);
}

TEST(CrossEntropy, Hessian) {
  // diag(q) - q q^T for each sample, over n; nothing between samples.
  const Tensor labels{2, 0, 1}, q = softmax(kLogits);
  const Tensor H =
      hessian([&](const Var& z) { return nn::cross_entropy(z, labels); }, kLogits).reshape({12, 12});
  for (Index i = 0; i < 12; ++i)
    for (Index j = 0; j < 12; ++j) {
      const double qi = q(i / 4, i % 4), qj = q(j / 4, j % 4);
      EXPECT_NEAR(H(i, j), i / 4 != j / 4 ? 0.0 : ((i == j ? qi : 0.0) - qi * qj) / 3, 1e-15);
    }
}

TEST(CrossEntropy, Identities) {
  EXPECT_NEAR(nn::cross_entropy(Tensor::full({5, 10}, 3.5), {0, 9, 4, 4, 1}).item(), std::log(10.0), 1e-15);
  // Two classes: the logistic loss of the difference.
  const Tensor f{0.3, -1.2, 2.5, -0.75};
  const Tensor two{{0, 0.3}, {0, -1.2}, {0, 2.5}, {0, -0.75}};
  EXPECT_NEAR(nn::cross_entropy(two, {1, 0, 0, 1}).item(), nn::logistic(f, {1, -1, -1, 1}).item(), 1e-15);
  // At its minimum, logits log p, it is the entropy of p and its gradient vanishes.
  const Tensor p{{0.1, 0.2, 0.3, 0.4}};
  double entropy = 0.0;
  for (const double v : p.data()) entropy -= v * std::log(v);
  EXPECT_NEAR(nn::cross_entropy(log(p), p).item(), entropy, 1e-15);
  expect_close(grad([&](const Var& z) { return nn::cross_entropy(z, p); }, log(p).value()),
               Tensor::zeros({1, 4}), 1e-15);
}

TEST(CrossEntropy, NoOverflow) {
  const Tensor z{{1e3, 0, -1e3}, {1e3, 0, -1e3}, {1e3, 0, -1e3}};
  EXPECT_EQ(nn::cross_entropy(z, {0, 0, 0}).item(), 0.0);
  EXPECT_EQ(nn::cross_entropy(z, {1, 1, 1}).item(), 1e3);
  EXPECT_EQ(nn::cross_entropy(z, {2, 2, 2}).item(), 2e3);
  EXPECT_NEAR(nn::cross_entropy(z, {0, 1, 2}).item(), 1e3, 1e-12);
  expect_close(grad(
                   [](const Var& v) {
                     return nn::cross_entropy(v, {0, 1, 2});
                   },
                   z),
               (Var(Tensor{{0, 0, 0}, {1, -1, 0}, {1, 0, -1}}) / 3.0).value(), 1e-15);
  // Large equal logits: shifting all by 1e3 changes nothing but rounding.
  EXPECT_NEAR(nn::cross_entropy((Var(kLogits) + 1e3).value(), {2, 0, 1}).item(), 0.928453899029303316, 1e-12);
}

TEST(Losses, CheckGradient) {
  const Tensor v{0.3, -1.2, 2.5, -0.75}, t{1.0, 0.5, -0.25, 0.0}, y{1, -1, -1, 1};
  const Tensor soft{{0.1, 0.2, 0.3, 0.4}, {0.25, 0.25, 0.25, 0.25}, {0, 0.5, 0.5, 0}};
  for (const GradientCheck& check :
       {check_gradient([&](const Var& p) { return nn::mse(p, t); }, v),
        check_gradient([&](const Var& p) { return nn::half_mse(p, t); }, v),
        check_gradient([&](const Var& p) { return nn::logistic(p, y); }, v),
        check_gradient([&](const Var& p) { return nn::hinge(p, y); }, v),
        check_gradient([&](const Var& p) { return square(nn::hinge(p, y)); }, v),
        check_gradient([&](const Var& p) { return nn::squared_hinge(p, y); }, v),
        check_gradient([&](const Var& p) { return nn::exponential(p, y); }, v),
        check_gradient(
            [&](const Var& z) {
              return nn::cross_entropy(z, {2, 0, 1});
            },
            kLogits),
        check_gradient([&](const Var& z) { return nn::cross_entropy(z, soft); }, kLogits)})
    EXPECT_TRUE(check.passed) << check.to_string();
}

// ---- measures

TEST(Accuracy, Counts) {
  EXPECT_DOUBLE_EQ(nn::accuracy(kLogits, {2, 3, 1}), 1.0);
  EXPECT_DOUBLE_EQ(nn::accuracy(kLogits, {2, 0, 1}), 2.0 / 3);
  EXPECT_DOUBLE_EQ(nn::accuracy(kLogits, {0, 0, 2}), 0.0);  // of equals the first one counts
  EXPECT_EQ(nn::accuracy(Tensor::zeros({4, 2}), {0, 1, 1, 1}), 0.25);
  EXPECT_EQ(nn::accuracy(Tensor{{kNan, 1.0}, {kNan, 1.0}, {kNan, kNan}, {-kInf, kInf}}, {0, 1, 0, 1}), 0.25);
}

TEST(ZeroOne, Counts) {
  EXPECT_EQ(nn::zero_one(Tensor{1.5, -0.1, 2.0, -3.0}, {1, -1, -1, 1}), 0.5);
  EXPECT_EQ(nn::zero_one(Tensor{1.5, 0.0, -0.0, kNan}.reshape({4, 1}), Tensor{1, -1, 1, 1}.reshape({4, 1})),
            0.25);
  EXPECT_EQ(nn::zero_one(kLogits, {2, 0, 1}), 1.0 / 3);
  EXPECT_EQ(nn::zero_one(kLogits, {2, 3, 1}), 0.0);
}

TEST(ZeroOne, IsBelowTheLogisticSurrogate) {
  // O27: 1{t < 0} <= log(1 + exp(-t)) / log 2, and without the factor it is not.
  Rng rng(3);
  bool without_factor = true;
  for (int k = 0; k < 200; ++k) {
    const Tensor f = rng.normal({5}, -0.1, 0.2), y{1, 1, 1, 1, 1};
    const double error = nn::zero_one(f, y), loss = nn::logistic(f, y).item();
    EXPECT_LE(error, loss / std::numbers::ln2 + 1e-15);
    without_factor = without_factor && error <= loss;
  }
  EXPECT_FALSE(without_factor);
}

TEST(Losses, AreMeansWhereTheirSumIsBeyondTheRangeOfNumbers) {
  const double far = 1.5e308, root = 1e154;
  const Tensor y{1, 1, 1};
  EXPECT_NEAR(nn::mse(Tensor{root, root, root}, {0, 0, 0}).item() / 1e308, 1.0, 1e-15);
  EXPECT_NEAR(nn::half_mse(Tensor{root, root, -root}, {0, 0, 0}).item() / 5e307, 1.0, 1e-15);
  const double further = 1.5e154;  // its square is no number, half of it is
  EXPECT_NEAR(nn::half_mse(Tensor{further, 0.0}, {0, -further}).item() / 1.125e308, 1.0, 1e-15);
  EXPECT_NEAR(nn::hinge(Tensor{-far, -far, -far}, y).item() / far, 1.0, 1e-15);
  EXPECT_NEAR(nn::logistic(Tensor{-far, -far, -far}, y).item() / far, 1.0, 1e-15);
  EXPECT_NEAR(nn::squared_hinge(Tensor{-root, -root, -root}, y).item() / 1e308, 1.0, 1e-15);
  EXPECT_NEAR(nn::exponential(Tensor{-709.5, -709.5, -709.5}, y).item() / std::exp(709.5), 1.0, 1e-13);
  // By public operations too, as a record that is looked into has them.
  Tape tape;
  const Var f = tape.input(Tensor{-far, -far, -far});
  EXPECT_NEAR(nn::hinge(f, y).item() / far, 1.0, 1e-15);
  EXPECT_EQ(grad([&](const Var& v) { return nn::hinge(v, y); }, f.value())(1), -1.0 / 3.0);
}

// ---- errors

TEST(ErrorText, LossesOfUnequalShapes) {
  const Tensor column = Tensor::zeros({32, 1}), vector = Tensor::zeros({32});
  EXPECT_EQ(error_of<ShapeError>([&] { nn::mse(column, vector); }),
            "[mse] pred is [32, 1], target is [32]; they hold the same number of elements: reshape target to "
            "[32, 1]");
  EXPECT_EQ(
      error_of<ShapeError>([&] {
        nn::half_mse(column, Tensor::zeros({32, 2}));
      }),
      "[half_mse] pred is [32, 1], target is [32, 2]; give one target for each prediction, in equal shapes");
  EXPECT_EQ(
      error_of<ShapeError>([&] { nn::logistic(column, vector); }),
      "[logistic] f is [32, 1], y is [32]; they hold the same number of elements: reshape y to [32, 1]");
  EXPECT_EQ(error_of<ShapeError>([&] { nn::hinge(column, vector); }),
            "[hinge] f is [32, 1], y is [32]; they hold the same number of elements: reshape y to [32, 1]");
  EXPECT_EQ(
      error_of<ShapeError>([&] { nn::exponential(vector, column); }),
      "[exponential] f is [32], y is [32, 1]; they hold the same number of elements: reshape y to [32]");
  EXPECT_EQ(error_of<ShapeError>([&] { nn::mse(column, Tensor::scalar(0.0)); }),
            "[mse] pred is [32, 1], target is []; give one target for each prediction, in equal shapes");
  EXPECT_EQ(
      error_of<ShapeError>([&] { nn::zero_one(column, vector); }),
      "[zero_one] pred is [32, 1], labels is [32]; they hold the same number of elements: reshape labels to "
      "[32, 1]");
}

TEST(ErrorText, EmptyBatches) {
  const Tensor none = Tensor::zeros({0, 1}), logits = Tensor::zeros({0, 3});
  EXPECT_EQ(error_of<DomainError>([&] { nn::mse(none, none); }),
            "[mse] pred and target are [0, 1], without elements; give at least one sample");
  EXPECT_EQ(error_of<DomainError>([&] { nn::half_mse(none, none); }),
            "[half_mse] pred and target are [0, 1], without elements; give at least one sample");
  EXPECT_EQ(error_of<DomainError>([&] { nn::logistic(none, none); }),
            "[logistic] f and y are [0, 1], without elements; give at least one sample");
  EXPECT_EQ(error_of<DomainError>([&] { nn::hinge(none, none); }),
            "[hinge] f and y are [0, 1], without elements; give at least one sample");
  EXPECT_EQ(error_of<DomainError>([&] { nn::squared_hinge(none, none); }),
            "[squared_hinge] f and y are [0, 1], without elements; give at least one sample");
  EXPECT_EQ(error_of<DomainError>([&] { nn::exponential(none, none); }),
            "[exponential] f and y are [0, 1], without elements; give at least one sample");
  EXPECT_EQ(error_of<DomainError>([&] { nn::cross_entropy(logits, Tensor()); }),
            "[cross_entropy] logits are [0, 3], without samples; give at least one");
  EXPECT_EQ(error_of<DomainError>([&] { nn::accuracy(logits, Tensor()); }),
            "[accuracy] logits are [0, 3], without samples; give at least one");
  EXPECT_EQ(error_of<DomainError>([&] { nn::zero_one(logits, Tensor()); }),
            "[zero_one] logits are [0, 3], without samples; give at least one");
  EXPECT_EQ(error_of<DomainError>([&] { nn::zero_one(none, none); }),
            "[zero_one] pred and labels are [0, 1], without elements; give at least one sample");
}

TEST(ErrorText, TargetsThatAreNotFinite) {
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::mse(Tensor::zeros({2, 2}), {{0, 1}, {kNan, 0}});
            }),
            "[mse] target[1, 0] is nan, target is [2, 2]; targets must be finite, so mend or leave out such "
            "samples");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::half_mse(Tensor{1, 2}, {-kInf, 0});
            }),
            "[half_mse] target[0] is -inf, target is [2]; targets must be finite, so mend or leave out such "
            "samples");
  EXPECT_EQ(error_of<DomainError>([&] { nn::mse(1.0, Tensor::scalar(kNan)); }),
            "[mse] target is nan, target is []; targets must be finite, so mend or leave out such samples");
}

TEST(ErrorText, LabelsThatAreNotSigns) {
  const Tensor f = Tensor::zeros({3});
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::logistic(f, {1, 0, 1});
            }),
            "[logistic] y[1] is 0, y is [3]; labels must be exactly -1 or +1: these are 0 and 1, so pass 2 * "
            "labels "
            "- 1");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::logistic(f, {1, -1, kNan});
            }),
            "[logistic] y[2] is nan, y is [3]; labels must be exactly -1 or +1");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::logistic(Tensor::zeros({2, 1}), Tensor{1, -1.5}.reshape({2, 1}));
            }),
            "[logistic] y[1, 0] is -1.5, y is [2, 1]; labels must be exactly -1 or +1");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::hinge(f, {1, 0, 1});
            }),
            "[hinge] y[1] is 0, y is [3]; labels must be exactly -1 or +1: these are 0 and 1, so pass 2 * "
            "labels - 1");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::exponential(f, {1, -1, kInf});
            }),
            "[exponential] y[2] is inf, y is [3]; labels must be exactly -1 or +1");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::zero_one(f, {1, -1, 2});
            }),
            "[zero_one] labels[2] is 2, labels is [3]; labels must be exactly -1 or +1");
}

TEST(ErrorText, LabelsThatAreNotClasses) {
  const Tensor z = Tensor::zeros({3, 4});
  const auto text = [&](const Tensor& labels) {
    return error_of<DomainError>([&] { nn::cross_entropy(z, labels); });
  };
  EXPECT_EQ(text({0, 1, 7}),
            "[cross_entropy] labels[2] is 7, with 4 classes; labels must be whole numbers 0 .. 3");
  EXPECT_EQ(text({1, 4, 2}),
            "[cross_entropy] labels[1] is 4, with 4 classes; labels must be whole numbers 0 .. 3: if yours "
            "begin at "
            "1, pass labels - 1");
  EXPECT_EQ(text({-1, 0, 0}),
            "[cross_entropy] labels[0] is -1, with 4 classes; labels must be whole numbers 0 .. 3");
  EXPECT_EQ(text({0, 0.5, 0}),
            "[cross_entropy] labels[1] is 0.5, with 4 classes; labels must be whole numbers 0 .. 3");
  EXPECT_EQ(text({0, 0, kNan}),
            "[cross_entropy] labels[2] is nan, with 4 classes; labels must be whole numbers 0 .. 3");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::accuracy(z, {0, 1, 7});
            }),
            "[accuracy] labels[2] is 7, with 4 classes; labels must be whole numbers 0 .. 3");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::zero_one(z, {0, 1, kInf});
            }),
            "[zero_one] labels[2] is inf, with 4 classes; labels must be whole numbers 0 .. 3");
}

TEST(ErrorText, LogitsAndLabelsThatDoNotFit) {
  const Tensor z = Tensor::zeros({3, 4});
  EXPECT_EQ(error_of<ShapeError>([&] {
              nn::cross_entropy(z, Tensor{0, 1, 2}.reshape({3, 1}));
            }),
            "[cross_entropy] logits are [3, 4], labels are [3, 1]; reshape labels to [3]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              nn::cross_entropy(z, {0, 1});
            }),
            "[cross_entropy] logits are [3, 4], labels are [2]; logits must be [n, C], labels [n] (or "
            "probabilities "
            "[n, C])");
  EXPECT_EQ(
      error_of<ShapeError>([&] {
        nn::cross_entropy(Tensor{1, 2}, {0, 1});
      }),
      "[cross_entropy] logits are [2], labels are [2]; logits must be [n, C], labels [n] (or probabilities "
      "[n, C])");
  EXPECT_EQ(error_of<ShapeError>([&] { nn::accuracy(z, z); }),
            "[accuracy] logits are [3, 4], labels are [3, 4]; logits must be [n, C], labels [n]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              nn::zero_one(z, {0, 1});
            }),
            "[zero_one] logits are [3, 4], labels are [2]; logits must be [n, C], labels [n]");
  EXPECT_EQ(
      error_of<DomainError>([&] {
        nn::cross_entropy(Tensor::zeros({2, 1}), {0, 0});
      }),
      "[cross_entropy] logits are [2, 1]: with fewer than two classes there is nothing to learn; give two "
      "outputs, or use logistic with one");
}

TEST(ErrorText, ProbabilitiesThatAreNone) {
  const Tensor z = Tensor::zeros({2, 2});
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::cross_entropy(z, {{0.5, 0.5}, {1.5, -0.5}});
            }),
            "[cross_entropy] labels[1, 1] is -0.5, labels are [2, 2]; probabilities must be at least 0");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::cross_entropy(z, {{0.5, 0.5}, {kNan, 0.5}});
            }),
            "[cross_entropy] labels[1, 0] is nan, labels are [2, 2]; probabilities must be at least 0");
  EXPECT_EQ(
      error_of<DomainError>([&] {
        nn::cross_entropy(z, {{0.5, 0.5}, {0.25, 0.5}});
      }),
      "[cross_entropy] row 1 of labels sums to 0.75, labels are [2, 2]; probabilities must sum to 1: divide "
      "each row by its sum");
  EXPECT_EQ(error_of<DomainError>([&] {
              nn::cross_entropy(z, {{0.5, 0.5}, {0.5, 0.5 + 2e-9}});
            }).substr(0, 39),
            "[cross_entropy] row 1 of labels sums to");
  EXPECT_NO_THROW(nn::cross_entropy(z, {{0.5, 0.5}, {0.5, 0.5 + 5e-10}}));
}

TEST(ErrorText, MeasuresOfTrackedPredictions) {
  Tape tape;
  const Var f = tape.input(Tensor{1, -1}), z = tape.input(Tensor{{1, 2}});
  EXPECT_EQ(error_of<TapeError>([&] {
              nn::zero_one(f, {1, 1});
            }),
            "[zero_one] the predictions [2] are tracked, but this measure has no derivative; pass .value(), "
            "or train "
            "on a loss");
  EXPECT_EQ(
      error_of<TapeError>([&] { nn::accuracy(z, {1}); }),
      "[accuracy] the predictions [1, 2] are tracked, but this measure has no derivative; pass .value(), or "
      "train on a loss");
  EXPECT_EQ(nn::zero_one(f.value(), {1, 1}), 0.5);
}

}  // namespace
}  // namespace cotangent
