// Residual, Scale and Normalise: values by plain loops, gradients, per-sample Jacobians, structured tangent
// kernels.
#include "nn/normalise.hpp"

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "autodiff/samples/sweep.hpp"
#include "nn/layers.hpp"
#include "tests/support/expect.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using nn::Normalise;
using nn::NormaliseTo;
using nn::Residual;
using nn::Scale;
using test::error_of;
using test::expect_close;
using testing::HasSubstr;
using theory::KernelMethod;

constexpr Index kFeatures = 4;

Tensor samples(Index n) { return Rng(3).split("x").normal(Shape{n, kFeatures}); }

/// Every module in a place where parameters stand before and behind it.
std::vector<std::pair<std::string, nn::Sequential>> networks() {
  const nn::Linear in(kFeatures, kFeatures), out(kFeatures, 2);
  std::vector<std::pair<std::string, nn::Sequential>> nets;
  nets.emplace_back("Residual",
                    nn::Sequential{in, Residual(nn::Linear(kFeatures, kFeatures)), nn::Tanh(), out});
  nets.emplace_back("Residual of a Sequential",
                    nn::Sequential{in,
                                   Residual(nn::Sequential{nn::Linear(kFeatures, 7), nn::LeakyReLU(0.1),
                                                           nn::Linear(7, kFeatures)}),
                                   out});
  nets.emplace_back("Scale by one number", nn::Sequential{in, Scale(), nn::Tanh(), out});
  nets.emplace_back("Scale by feature", nn::Sequential{in, Scale({.features = kFeatures}), nn::Tanh(), out});
  nets.emplace_back("Normalise to variance 1",
                    nn::Sequential{in, Normalise(), Scale({.features = kFeatures}), out});
  nets.emplace_back("Normalise to length 1",
                    nn::Sequential{in, Normalise({.to = NormaliseTo::unit_length}), nn::Tanh(), out});
  nets.emplace_back("all of them",
                    nn::Sequential{in, Residual(nn::Sequential{Normalise(), nn::Linear(4, 4), nn::Sin()}),
                                   Scale(), Normalise({.to = NormaliseTo::unit_length}), out, Scale()});
  return nets;
}

TEST(Normalise, GivesEverySampleMeanZeroAndVarianceOne) {
  const Tensor x = samples(5), none;
  const Tensor y = Normalise({.epsilon = 0.0})(Tensor::zeros(Shape{0}), x).value();
  const Tensor z = Normalise({.epsilon = 0.5})(Tensor::zeros(Shape{0}), x).value();
  const Tensor u = Normalise({.to = NormaliseTo::unit_length})(Tensor::zeros(Shape{0}), x).value();
  for (Index i = 0; i < 5; ++i) {
    double mean = 0.0, squares = 0.0, length = 0.0, variance = 0.0, m = 0.0, shrunk = 0.0;
    for (Index k = 0; k < kFeatures; ++k) {
      mean += y(i, k) / kFeatures;
      squares += y(i, k) * y(i, k) / kFeatures;
      shrunk += z(i, k) * z(i, k) / kFeatures;
      length += u(i, k) * u(i, k);
      m += x(i, k) / kFeatures;
    }
    for (Index k = 0; k < kFeatures; ++k) variance += (x(i, k) - m) * (x(i, k) - m) / kFeatures;
    EXPECT_NEAR(mean, 0.0, 1e-15);
    EXPECT_NEAR(squares, 1.0, 1e-14);
    EXPECT_NEAR(shrunk, variance / (variance + 0.5), 1e-14);
    EXPECT_NEAR(length, 1.0, 1e-14);
    EXPECT_GT(u(i, 0) * x(i, 0), 0.0);
  }
}

TEST(Normalise, ASampleOfZeroStaysZero) {
  const Normalise unit({.to = NormaliseTo::unit_length});
  const Tensor w = Tensor::zeros(Shape{0}), x{{0.0, 0.0}, {3.0, -4.0}};
  const auto f = [&](const Var& v) { return sum(unit(w, v) * Tensor{{1.0, 2.0}, {1.0, 2.0}}); };
  EXPECT_TRUE(equal(unit(w, x).value().rows(0, 1), Tensor{{0.0, 0.0}}));
  const Tensor g = grad(f, x), h = hessian(f, x).reshape(Shape{4, 4});
  EXPECT_EQ(g(0, 0), 0.0);
  EXPECT_EQ(g(0, 1), 0.0);
  EXPECT_EQ(h(0, 0), 0.0);
  // d/dx of <c, x> / |x| is (c - <c, x> x / |x|^2) / |x|, with <c, x> = -5 and |x| = 5.
  EXPECT_NEAR(g(1, 0), (1.0 + 5.0 * 3.0 / 25.0) / 5.0, 1e-15);
  // Features that are all alike: epsilon keeps the derivative finite.
  const Tensor flat = grad([&](const Var& v) { return sum(Normalise()(w, v)); }, Tensor{{2.0, 2.0, 2.0}});
  for (const double v : flat.data()) EXPECT_NEAR(v, 0.0, 1e-12);
}

// Neither 1 / |x| nor |x| itself need be a number.
TEST(Normalise, LengthOneAtAnyMagnitude) {
  const Normalise unit({.to = NormaliseTo::unit_length});
  const Tensor w = Tensor::zeros(Shape{0});
  const auto f = [&](const Var& v) { return sum(unit(w, v) * Tensor{{1.0, 2.0}}); };
  for (const double size : {0x1p-1070, 0x1p-1030, 1e-300, 1.0, 1e300, 0x1p1021}) {
    const Tensor x{{3.0 * size, -4.0 * size}}, y = unit(w, x).value();
    EXPECT_NEAR(y(0, 0), 0.6, 1e-15) << size;
    EXPECT_NEAR(y(0, 1), -0.8, 1e-15) << size;
    if (size >= 1e-300) {  // else the derivative overflows
      EXPECT_NEAR(size * grad(f, x)(0, 0), (1.0 + 5.0 * 3.0 / 25.0) / 5.0, 1e-15) << size;
    }
  }
}

// The squares of large numbers overflow, the result does not.
TEST(Normalise, VarianceOneAtAnyMagnitude) {
  const Normalise unit({.epsilon = 0.25});
  const Tensor w = Tensor::zeros(Shape{0});
  for (const double size : {1.0, 1e100, 0x1p499, 0x1p501, 1e154, 1e300, 0x1p1021}) {
    const Tensor x{{3.0 * size, -3.0 * size, 0.0}, {1.0, 2.0, 4.0}}, y = unit(w, x).value();
    const double spread = size == 1.0 ? std::sqrt(6.25) : std::sqrt(6.0);
    EXPECT_NEAR(y(0, 0), 3.0 / spread, 1e-15) << size;
    EXPECT_NEAR(y(0, 1), -3.0 / spread, 1e-15) << size;
    EXPECT_NEAR(y(1, 2), (5.0 / 3.0) / std::sqrt(14.0 / 9.0 + 0.25), 1e-15) << size;
    // d y_2 / d x_2 = (1 - 1/3) / spread where y_2 = 0.
    const Tensor g = grad([&](const Var& v) { return sum(unit(w, v) * Tensor{{0, 0, 1}, {0, 0, 0}}); }, x);
    EXPECT_NEAR(size * g(0, 2), 2.0 / 3.0 / spread, 1e-15) << size;
  }
}

// Nor are the squares of small numbers lost, where epsilon does not hide them.
TEST(Normalise, VarianceOneOfSmallNumbers) {
  const Normalise unit({.epsilon = 0.0});
  const Tensor w = Tensor::zeros(Shape{0});
  for (const double size : {1.0, 1e-100, 0x1p-449, 0x1p-451, 1e-160, 1e-200, 1e-300}) {
    const Tensor x{{size, 2.0 * size, 3.0 * size}, {1.0, 2.0, 4.0}}, y = unit(w, x).value();
    EXPECT_NEAR(y(0, 0), -std::sqrt(1.5), 1e-14) << size;
    EXPECT_NEAR(y(0, 1), 0.0, 1e-14) << size;
    EXPECT_NEAR(y(0, 2), std::sqrt(1.5), 1e-14) << size;
    EXPECT_NEAR(y(1, 2), (5.0 / 3.0) / std::sqrt(14.0 / 9.0), 1e-14) << size;
  }
}

// One large sample changes nothing of the others, nor the structure of their rows.
TEST(Normalise, PerSampleRowsBesideALargeSample) {
  const nn::Sequential net{nn::Linear(3, 4), Normalise(), nn::Linear(4, 2)};
  Rng rng(3);
  const Params w = net.init(rng);
  const Tensor x{{1.0, -2.0, 0.5}, {1e160, 2e160, -1e160}, {0.25, 0.5, 3.0}};
  const Tensor rows = per_sample_jacobian(net, w, x).matrix();
  for (Index i = 0; i < 3; ++i) {
    const Tensor alone = jacobian([&](const Var& v) { return net(v, x.rows(i, i + 1)); }, w);
    for (Index c = 0; c < 2; ++c)
      for (Index k = 0; k < w.size(); ++k)
        EXPECT_NEAR(rows(2 * i + c, k), alone(0, c, k), 1e-13) << i << ", " << c << ", " << k;
  }
}

TEST(Normalise, ResidualAndScaleByHand) {
  Rng rng(1);
  const Residual residual(nn::Linear(kFeatures, kFeatures));
  const Params w = residual.init(rng);
  EXPECT_EQ(w.table()[0].name, "inner.weight");
  EXPECT_EQ(w.table()[1].name, "inner.bias");
  const Tensor x = samples(3);
  EXPECT_TRUE(
      equal(residual(w, x).value(), (Var(x) + nn::Linear(kFeatures, kFeatures)(w.flat(), x)).value()));
  const Scale one, each({.features = 2, .init = nn::zeros()});
  EXPECT_EQ(one.init(rng)["factor"].shape(), Shape{});
  EXPECT_TRUE(equal(one(Tensor{-3.0}, x).value(), (-3.0 * Var(x)).value()));
  EXPECT_TRUE(equal(each.init(rng)["factor"], Tensor{0.0, 0.0}));
  EXPECT_TRUE(
      equal(each(Tensor{2.0, -1.0}, Tensor{{1.0, 1.0}, {3.0, 4.0}}).value(), Tensor{{2, -1}, {6, -4}}));
  // One number for all shapes, not for matrices alone.
  EXPECT_EQ(one(Tensor{2.0}, Tensor::ones(Shape{2, 3, 4})).shape(), (Shape{2, 3, 4}));
}

TEST(Normalise, GradientsAgreeWithDifferences) {
  Rng rng(5);
  for (const auto& [name, net] : networks()) {
    const Params w = net.init(rng);
    const Tensor x = samples(3);
    const auto by_w =
        check_gradient([&, &f = net](const Var& v) { return square(f(v, x)); }, w, {.directions = 2});
    EXPECT_TRUE(by_w.passed) << name << "\n" << by_w.to_string();
    const auto by_x =
        check_gradient([&, &f = net](const Var& v) { return square(f(w, v)); }, x, {.directions = 2});
    EXPECT_TRUE(by_x.passed) << name << "\n" << by_x.to_string();
  }
}

TEST(Normalise, PerSampleJacobiansAreStructuredAndThoseOfSingleSamples) {
  Rng rng(6);
  for (const auto& [name, net] : networks()) {
    const Params w = net.init(rng);
    for (const Index n : {Index{1}, Index{2}, kFeatures, Index{7}}) {
      SCOPED_TRACE(name + ", n = " + std::to_string(n));
      const Tensor x = samples(n);
      const Tensor j = per_sample_jacobian(net, w, x).matrix();
      for (Index i = 0; i < n; ++i) {
        const Tensor own = jacobian([&, &f = net](const Var& v) { return f(v, x.rows(i, i + 1)); }, w);
        expect_close(j.rows(2 * i, 2 * i + 2), own.reshape(Shape{2, w.size()}), 1e-12);
      }
      const auto sweep =
          detail::sweep_samples(detail::SampleSource::model(net, w.flat(), x, {{0, w.size(), 0}}));
      EXPECT_EQ(sweep.slow_reason, "");
    }
  }
}

TEST(Normalise, StructuredKernelsEqualTheMaterialised) {
  Rng rng(7);
  for (const auto& [name, net] : networks()) {
    const Params w = net.init(rng);
    const Tensor x1 = samples(6), x2 = samples(4);
    const auto structured = theory::tangent_kernel(net, w, x1, x2, {.method = KernelMethod::structured});
    const auto whole = theory::tangent_kernel(net, w, x1, x2, {.method = KernelMethod::materialised});
    EXPECT_EQ(structured.method(), KernelMethod::structured) << name;
    const Tensor a = structured.matrix(), b = whole.matrix();
    double scale = 0.0;
    for (const double v : b.data()) scale = std::max(scale, std::fabs(v));
    for (std::size_t k = 0; k < b.data().size(); ++k)
      EXPECT_NEAR(a.data()[k], b.data()[k], 1e-12 * scale) << name << ", element " << k;
  }
}

TEST(Normalise, Errors) {
  const Tensor none = Tensor::zeros(Shape{0});
  EXPECT_THAT(error_of<ShapeError>([&] {
                Normalise()(none, Tensor{1.0, 2.0});
              }),
              AllOf(HasSubstr("[Normalise(variance 1)]"), HasSubstr("x is [2]"), HasSubstr("[n, k]")));
  EXPECT_THAT(error_of<DomainError>([] { Normalise n({.epsilon = -1.0}); }),
              HasSubstr("[Normalise] epsilon is -1"));
  EXPECT_THAT(error_of<DomainError>([] { Normalise n({.epsilon = NAN}); }), HasSubstr("epsilon is nan"));
  EXPECT_THAT(error_of<ShapeError>([&] {
                Scale({.features = 3})(Tensor{1, 1, 1}, samples(2));
              }),
              AllOf(HasSubstr("[Scale(3)]"), HasSubstr("x is [2, 4]"), HasSubstr("[n, 3]")));
  EXPECT_THAT(error_of<DomainError>([] { Scale s({.features = 0}); }), HasSubstr("[Scale] 0 features"));
  EXPECT_THAT(error_of<DomainError>([] { Residual r(std::shared_ptr<const nn::Module>{}); }),
              HasSubstr("[Residual] the inner module is a null pointer"));
  const Residual widens(nn::Linear(kFeatures, 3));
  EXPECT_THAT(
      error_of<ShapeError>([&] { widens(Tensor::zeros(Shape{15}), samples(2)); }),
      AllOf(HasSubstr("[Residual(Linear(4 -> 3))]"), HasSubstr("x is [2, 4]"), HasSubstr("returns [2, 3]")));
  const nn::Sequential net{nn::Linear(2, 4), Residual(nn::Linear(3, 3))};
  EXPECT_THAT(error_of<ShapeError>([&] {
                net(Tensor::zeros(Shape{24}), Tensor::ones(Shape{5, 2}));
              }),
              AllOf(HasSubstr("[1.inner Linear(3 -> 3)]"), HasSubstr("x is [5, 4]")));
}

}  // namespace
}  // namespace cotangent
