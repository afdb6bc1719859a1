// Generated data: margins without rounding, points on their curves, moments, the same bits again, errors.
#include "nn/generators.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using Real = long double;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

/// sum_k a_k b_k: products of two doubles are rounded to 64 bits, so sums of d of them err by about d 2^-64.
Real inner(std::span<const double> a, std::span<const double> b) {
  Real sum = 0.0L;
  for (std::size_t k = 0; k < a.size(); ++k) sum += static_cast<Real>(a[k]) * static_cast<Real>(b[k]);
  return sum;
}
double length(const Tensor& x) { return static_cast<double>(std::sqrt(inner(x.data(), x.data()))); }
Tensor row(const Tensor& x, Index i) { return x.rows(i, i + 1).reshape({x.size(1)}); }

// ---- separable

TEST(Separable, MarginHoldsForTheNumbersAsStored) {
  std::uint64_t seed = 1;
  for (const Index d : {1, 2, 3, 10, 50, 700})
    for (const double margin : {1e-300, 1e-6, 0.01, 0.1, 0.3, 0.7, 0.999, 1.0 - 1e-15, 1.0}) {
      SCOPED_TRACE("d = " + std::to_string(d) + ", margin = " + to_string(margin));
      Rng rng(seed++);
      const auto [x, y, v] = nn::separable(rng, {.n = 40, .d = d, .margin = margin});
      ASSERT_EQ(x.shape(), (Shape{40, d}));
      ASSERT_EQ(y.shape(), (Shape{40, 1}));
      ASSERT_EQ(v.shape(), (Shape{d}));
      EXPECT_NEAR(length(v), 1.0, 1e-15);
      Real least = 2.0L;
      int positive = 0;
      for (Index i = 0; i < 40; ++i) {
        EXPECT_TRUE(y(i, 0) == 1.0 || y(i, 0) == -1.0);
        positive += y(i, 0) > 0.0;
        EXPECT_LE(length(row(x, i)), 1.0 + 1e-15);
        least = std::min(least, static_cast<Real>(y(i, 0)) * inner(v.data(), row(x, i).data()));
      }
      EXPECT_TRUE(positive > 0 && positive < 40);
      // The slack is the test's own rounding; the numbers themselves have none.
      EXPECT_GE(least, static_cast<Real>(margin) - 2e-18L);
      EXPECT_LE(least, static_cast<Real>(margin) + 1e-15L);
    }
}

TEST(Separable, FillsTheBallBeyondTheMargin) {
  // Both ways of drawing heights: margin^2 (d + 2) below and above 1. Uniform in the part of the unit ball
  // with <v, x> >= margin, t has the density (1 - t^2)^{(d-1)/2}; its mean and variance by the midpoint rule.
  struct Case {
    Index d;
    double margin;
  };
  const Index n = 20000;
  for (const auto& [d, margin] :
       {Case{1, 0.2}, {1, 0.8}, {2, 0.1}, {2, 0.6}, {3, 0.4}, {3, 0.5}, {50, 0.02}, {50, 0.5}}) {
    SCOPED_TRACE("d = " + std::to_string(d) + ", margin = " + to_string(margin));
    Rng rng(static_cast<std::uint64_t>(100 * d) + static_cast<std::uint64_t>(10.0 * margin));
    const auto [x, y, v] = nn::separable(rng, {.n = n, .d = d, .margin = margin});
    double weight = 0.0, mean = 0.0, square = 0.0;
    for (int k = 0; k < 100000; ++k) {
      const double t = margin + (1.0 - margin) * (k + 0.5) / 100000;
      const double p = std::pow(1.0 - t * t, 0.5 * static_cast<double>(d - 1));
      weight += p;
      mean += p * t;
      square += p * t * t;
    }
    mean /= weight;
    square /= weight;
    double drawn = 0.0, sideways = 0.0, labels = 0.0;
    for (Index i = 0; i < n; ++i) {
      const double t = y(i, 0) * static_cast<double>(inner(v.data(), row(x, i).data()));
      drawn += t / static_cast<double>(n);
      labels += y(i, 0) / static_cast<double>(n);
      // |x - t v|^2 / (1 - t^2) is the squared length of a uniform point of the ball of R^{d-1}.
      if (d > 1)
        sideways += (std::pow(length(row(x, i)), 2) - t * t) / (1.0 - t * t) / static_cast<double>(n);
    }
    const auto root = std::sqrt(static_cast<double>(n)), k = static_cast<double>(d - 1);
    EXPECT_NEAR(drawn, mean, 5.0 * std::sqrt(square - mean * mean) / root + 1.0 / n);
    EXPECT_NEAR(labels, 0.0, 5.0 / root);
    const double variance = k / (k + 4.0) - std::pow(k / (k + 2.0), 2);
    if (d > 1) {
      EXPECT_NEAR(sideways, k / (k + 2.0), 5.0 * std::sqrt(variance) / root + 1e-12);
    }
  }
}

TEST(Separable, OnePointAndTwo) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    const auto one = nn::separable(rng, {.n = 1, .d = 3, .margin = 0.25});
    EXPECT_NEAR(one.y(0, 0) * dot(row(one.x, 0), one.direction).item(), 0.25, 1e-15);
    const auto two = nn::separable(rng, {.n = 2, .d = 3, .margin = 0.25});
    EXPECT_EQ(two.y(0, 0) + two.y(1, 0), 0.0);
  }
}

TEST(Separable, IsLearntByALinearModel) {
  Rng rng(5);
  const auto data = nn::separable(rng, {.n = 60, .d = 4, .margin = 0.2});
  const nn::Linear net(4, 1, {.bias = false});
  Params w = net.init(rng);
  const auto risk = [&](const Var& v) { return nn::logistic(net(v, data.x), data.y); };
  for (int k = 0; k < 500; ++k) w = axpy(-4.0, grad(risk, w), w);
  EXPECT_EQ(nn::zero_one(net(w, data.x), data.y), 0.0);
}

// ---- the sphere

TEST(Sphere, LengthsAreOne) {
  Rng rng(3);
  for (const Index d : {1, 2, 17, 2000}) {
    const Tensor x = nn::sphere(rng, 50, d);
    for (Index i = 0; i < 50; ++i) EXPECT_NEAR(length(row(x, i)), 1.0, 4e-16) << d;
  }
}

TEST(Sphere, IsUniform) {
  const Index n = 40000, d = 4;
  Rng rng(11);
  const Tensor x = nn::sphere(rng, n, d);
  const double size = 4.0, root = std::sqrt(static_cast<double>(n));
  for (Index a = 0; a < d; ++a) {
    double mean = 0.0;
    for (Index i = 0; i < n; ++i) mean += x(i, a) / static_cast<double>(n);
    EXPECT_NEAR(mean, 0.0, 5.0 / std::sqrt(size) / root);
    for (Index b = 0; b <= a; ++b) {
      double second = 0.0;
      for (Index i = 0; i < n; ++i) second += x(i, a) * x(i, b) / static_cast<double>(n);
      // E x_a^2 = 1/d, E x_a^4 = 3 / (d (d + 2)), E x_a^2 x_b^2 = 1 / (d (d + 2)).
      const double fourth = (a == b ? 3.0 : 1.0) / (size * (size + 2.0)),
                   expected = a == b ? 1.0 / size : 0.0;
      EXPECT_NEAR(second, expected, 5.0 * std::sqrt(fourth - expected * expected) / root) << a << " " << b;
    }
  }
}

// ---- curves of the plane

TEST(TwoMoons, LieOnTheirHalfCircles) {
  Rng rng(7);
  const auto [x, y] = nn::two_moons(rng, {.n = 501});
  ASSERT_EQ(x.shape(), (Shape{501, 2}));
  ASSERT_EQ(y.shape(), (Shape{501, 1}));
  double mean[2] = {};
  for (Index i = 0; i < 501; ++i) {
    EXPECT_EQ(y(i, 0), i % 2 ? 1.0 : -1.0);
    const double c = i % 2 ? 1.0 - x(i, 0) : x(i, 0), s = i % 2 ? 0.5 - x(i, 1) : x(i, 1);
    EXPECT_NEAR(std::hypot(c, s), 1.0, 1e-15);
    EXPECT_GE(s, 0.0);
    mean[0] += c / 501;
    mean[1] += s / 501;
  }
  // Of a uniform angle in (0, pi): means 0 and 2 / pi, variances 1/2 and 1/2 - 4 / pi^2.
  EXPECT_NEAR(mean[0], 0.0, 5.0 * std::sqrt(0.5 / 501));
  EXPECT_NEAR(mean[1], 2.0 / std::numbers::pi, 5.0 * std::sqrt((0.5 - 0.4052847) / 501));
}

TEST(Circles, LieOnTwoRadii) {
  Rng rng(8);
  const auto [x, y] = nn::circles(rng, {.n = 400, .inner = 0.3});
  ASSERT_EQ(y.shape(), (Shape{400, 1}));
  for (Index i = 0; i < 400; ++i) EXPECT_NEAR(length(row(x, i)), y(i, 0) > 0.0 ? 0.3 : 1.0, 5e-16);
  EXPECT_EQ(sum(y).item(), 0.0);
}

TEST(Spirals, LieOnTheirArms) {
  Rng rng(9);
  const auto [x, y] = nn::spirals(rng, {.n = 300, .arms = 3, .turns = 1.5});
  ASSERT_EQ(x.shape(), (Shape{300, 2}));
  ASSERT_EQ(y.shape(), (Shape{300}));
  double mean = 0.0;
  for (Index i = 0; i < 300; ++i) {
    EXPECT_EQ(y(i), static_cast<double>(i % 3));
    const double r = length(row(x, i)), angle = 2.0 * std::numbers::pi * (1.5 * r + y(i) / 3.0);
    EXPECT_NEAR(x(i, 0), r * std::cos(angle), 1e-14);
    EXPECT_NEAR(x(i, 1), r * std::sin(angle), 1e-14);
    mean += r / 300;
  }
  EXPECT_NEAR(mean, 0.5, 5.0 / std::sqrt(12.0 * 300));
}

/// The differences between the points with noise and those without.
void expect_noise(const Tensor& noisy, const Tensor& exact, double deviation) {
  ASSERT_EQ(noisy.shape(), exact.shape());
  double mean = 0.0, square = 0.0;
  const auto n = static_cast<double>(noisy.size());
  for (std::size_t k = 0; k < noisy.data().size(); ++k) {
    const double e = noisy.data()[k] - exact.data()[k];
    mean += e / n;
    square += e * e / n;
  }
  EXPECT_NEAR(mean, 0.0, 5.0 * deviation / std::sqrt(n));
  EXPECT_NEAR(square, deviation * deviation, 5.0 * deviation * deviation * std::sqrt(2.0 / n));
}

TEST(Generators, NoiseIsNormalAndAddedToTheSamePoints) {
  const auto rng = [] { return Rng(13); };
  Rng a = rng(), b = rng(), c = rng(), d = rng(), e = rng(), f = rng();
  expect_noise(nn::two_moons(a, {.n = 2000, .noise = 0.1}).x, nn::two_moons(b, {.n = 2000}).x, 0.1);
  expect_noise(nn::circles(c, {.n = 2000, .noise = 0.05}).x, nn::circles(d, {.n = 2000}).x, 0.05);
  expect_noise(nn::spirals(e, {.n = 2000, .noise = 0.02}).x, nn::spirals(f, {.n = 2000}).x, 0.02);
  // A second set from the same Rng is another one, its noise too.
  EXPECT_FALSE(equal(nn::two_moons(a, {.n = 5}).x, nn::two_moons(a, {.n = 5}).x));
  const auto noise_of = [&](Rng& with, Rng& without) {
    return (Var(nn::circles(with, {.n = 5, .noise = 1.0}).x) - nn::circles(without, {.n = 5}).x).value();
  };
  Rng with(17), without(17);
  const Tensor first = noise_of(with, without), second = noise_of(with, without);
  for (std::size_t k = 0; k < first.data().size(); ++k)
    EXPECT_GT(std::fabs(first.data()[k] - second.data()[k]), 1e-9);
}

TEST(Generators, TheSameBitsAgain) {
  const auto same = [](auto generate) {
    Rng a(21), b(21);
    const auto first = generate(a), second = generate(b);
    EXPECT_TRUE(equal(first.x, second.x));
    EXPECT_TRUE(equal(first.y, second.y));
    EXPECT_EQ(a, b);
    EXPECT_FALSE(equal(first.x, generate(a).x));
  };
  same([](Rng& r) { return nn::separable(r, {.n = 9, .d = 3, .margin = 0.2}); });
  same([](Rng& r) { return nn::two_moons(r, {.noise = 0.1}); });
  same([](Rng& r) { return nn::circles(r, {.noise = 0.1}); });
  same([](Rng& r) { return nn::spirals(r, {.noise = 0.1}); });
}

// ---- teacher and student

TEST(TeacherStudent, AnswersAreTheTeachersPlusNoise) {
  Rng rng(23);
  const nn::Sequential teacher{nn::Linear(3, 4), nn::ReLU(), nn::Linear(4, 2)};
  const Params w = teacher.init(rng);
  for (const auto inputs : {nn::InputDistribution::normal, nn::InputDistribution::sphere}) {
    Rng a(29), b(29);
    const auto exact = nn::teacher_student(a, teacher, w, {.n = 3000, .d = 3, .inputs = inputs});
    EXPECT_TRUE(equal(exact.y, teacher(w, exact.x).value()));
    EXPECT_EQ(exact.y.shape(), (Shape{3000, 2}));
    const auto noisy =
        nn::teacher_student(b, teacher, w, {.n = 3000, .d = 3, .inputs = inputs, .noise = 0.25});
    EXPECT_TRUE(equal(noisy.x, exact.x));
    expect_noise(noisy.y, exact.y, 0.25);
    double squares = 0.0;
    for (const double v : exact.x.data()) squares += v * v / 9000.0;
    const bool on_sphere = inputs == nn::InputDistribution::sphere;
    EXPECT_NEAR(squares, on_sphere ? 1.0 / 3.0 : 1.0, on_sphere ? 1e-14 : 5.0 * std::sqrt(2.0 / 9000));
  }
}

// ---- labels

TEST(Labels, SignsAndClasses) {
  const Tensor signs = Tensor{1, -1, -1, 1}.reshape({4, 1}), classes{1, 0, 0, 1};
  EXPECT_TRUE(equal(nn::to_classes(signs), classes));
  EXPECT_TRUE(equal(nn::to_signs(classes), signs));
}

TEST(ErrorText, Generators) {
  Rng rng(1);
  const std::string count = "; give a whole number from 1 on";
  EXPECT_EQ(error_of<DomainError>([&] { nn::sphere(rng, 0, 2); }), "[sphere] n is 0" + count);
  EXPECT_EQ(error_of<DomainError>([&] { nn::sphere(rng, 2, -1); }), "[sphere] d is -1" + count);
  EXPECT_EQ(error_of<DomainError>([&] { nn::separable(rng, {.n = 0}); }), "[separable] n is 0" + count);
  EXPECT_EQ(error_of<DomainError>([&] { nn::separable(rng, {.d = 0}); }), "[separable] d is 0" + count);
  for (const double margin : {0.0, -0.5, 1.0 + 1e-15, kNan, kInf})
    EXPECT_EQ(error_of<DomainError>([&] { nn::separable(rng, {.margin = margin}); }),
              "[separable] margin is " + to_string(margin) +
                  "; points of the unit ball have margins above 0, up to 1");
  const std::string noise = "; give a finite number, at least 0";
  EXPECT_EQ(error_of<DomainError>([&] { nn::two_moons(rng, {.n = 0}); }), "[two_moons] n is 0" + count);
  EXPECT_EQ(error_of<DomainError>([&] { nn::two_moons(rng, {.noise = -1.0}); }),
            "[two_moons] noise is -1" + noise);
  EXPECT_EQ(error_of<DomainError>([&] { nn::circles(rng, {.n = 0}); }), "[circles] n is 0" + count);
  EXPECT_EQ(error_of<DomainError>([&] { nn::circles(rng, {.noise = kInf}); }),
            "[circles] noise is inf" + noise);
  EXPECT_EQ(error_of<DomainError>([&] { nn::circles(rng, {.inner = 1.0}); }),
            "[circles] inner is 1; give the inner radius, between 0 and the outer 1");
  EXPECT_EQ(error_of<DomainError>([&] { nn::spirals(rng, {.n = 0}); }), "[spirals] n is 0" + count);
  EXPECT_EQ(error_of<DomainError>([&] { nn::spirals(rng, {.arms = 0}); }), "[spirals] arms is 0" + count);
  EXPECT_EQ(error_of<DomainError>([&] { nn::spirals(rng, {.turns = kInf}); }),
            "[spirals] turns is inf; give a finite number");
  EXPECT_EQ(error_of<DomainError>([&] { nn::spirals(rng, {.noise = kNan}); }),
            "[spirals] noise is nan" + noise);
  const nn::Linear teacher(2, 1);
  const Params w = teacher.init(rng);
  EXPECT_EQ(error_of<DomainError>([&] { nn::teacher_student(rng, teacher, w, {.n = 0}); }),
            "[teacher_student] n is 0" + count);
  EXPECT_EQ(error_of<DomainError>([&] { nn::teacher_student(rng, teacher, w, {.noise = -2.0}); }),
            "[teacher_student] noise is -2" + noise);
  EXPECT_EQ(error_of<ShapeError>([&] { nn::teacher_student(rng, teacher, w, {.n = 5, .d = 3}); }),
            "[Linear(2 -> 1)] x is [5, 3]; it must be [n, 2], one row for each sample: check the size of the "
            "layer or the data before it");
  EXPECT_EQ(error_of<ShapeError>([] {
              nn::to_classes(Tensor{1, -1});
            }),
            "[to_classes] signs are [2]; give labels -1 and +1 of shape [n, 1]");
  EXPECT_EQ(error_of<DomainError>([] {
              nn::to_classes(Tensor{1, 0}.reshape({2, 1}));
            }),
            "[to_classes] a label is 0, labels are [2, 1]; give -1 and +1 only");
  EXPECT_EQ(error_of<ShapeError>([] {
              nn::to_signs(Tensor::zeros({2, 1}));
            }),
            "[to_signs] classes are [2, 1]; give labels 0 and 1 of shape [n]");
  EXPECT_EQ(error_of<DomainError>([] {
              nn::to_signs({0, 2});
            }),
            "[to_signs] a label is 2, labels are [2]; give 0 and 1 only");
}

}  // namespace
}  // namespace cotangent
