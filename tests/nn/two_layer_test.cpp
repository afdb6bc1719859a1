// TwoLayer: its values, derivatives and homogeneity in closed form (O33), its options and errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;

TEST(TwoLayer, TheSheetsOutputs) {
  const Tensor x{{0.6, 0.8}, {0.6, -0.8}, {-0.6, 0.8}, {-0.6, -0.8}};
  const nn::TwoLayer net(2, 4, nn::LeakyReLU(0.5), {.outer = {0.5, 0.5, -0.5, -0.5}});
  const Params w({{"weight", {{0.1, 0.2}, {-0.3, 0.1}, {0.2, -0.1}, {0.0, 0.3}}}});
  test::expect_close(net(w, x).value(), Tensor{{-0.055}, {-0.13}, {0.11}, {0.065}}, 1e-15);
}

// grad_W f(x; W) has rows a_j phi'(<w_j, x>) x^T, and <grad f, W> = f.
TEST(TwoLayer, TheGradientIsDAxT) {
  Rng rng(3);
  for (int k = 0; k < 30; ++k) {
    const Index d = 1 + rng.below(5), m = 1 + rng.below(7);
    const double slope = rng.uniform();
    const nn::TwoLayer net(d, m, nn::LeakyReLU(slope), {.outer = nn::random_signs(m, rng)});
    const Params w = net.init(rng);
    const Tensor x = rng.normal({1, d});
    const Tensor g = grad([&](const Var& u) { return sum(net(u, x)); }, w)["weight"];
    double euler = 0.0;
    for (Index j = 0; j < m; ++j) {
      double z = 0.0;
      for (Index c = 0; c < d; ++c) z += w["weight"](j, c) * x(0, c);
      for (Index c = 0; c < d; ++c) {
        EXPECT_NEAR(g(j, c), net.outer()(j) * (z >= 0.0 ? 1.0 : slope) * x(0, c), 1e-15);
        euler += g(j, c) * w["weight"](j, c);
      }
    }
    EXPECT_NEAR(euler, net(w, x).item(), 1e-14);
  }
}

TEST(TwoLayer, KnowsItsParts) {
  const nn::TwoLayer net(3, 5, nn::LeakyReLU(0.2));
  EXPECT_EQ(net.inputs(), 3);
  EXPECT_EQ(net.width(), 5);
  EXPECT_EQ(net.num_params(), 15);
  EXPECT_EQ(net.name(), "TwoLayer(3 -> 5 -> 1, LeakyReLU(0.2), outer fixed)");
  EXPECT_EQ(net.slope(), 0.2);
  EXPECT_EQ(nn::TwoLayer(3, 5, nn::ReLU()).slope(), 0.0);
  EXPECT_FALSE(nn::TwoLayer(3, 5, nn::Tanh()).slope());
  double square = 0.0, sum = 0.0;
  const nn::TwoLayer even(3, 6, nn::ReLU());
  for (const double a : even.outer().data()) square += a * a, sum += a;
  EXPECT_NEAR(square, 1.0, 1e-15);
  EXPECT_NEAR(sum, 0.0, 1e-15);
}

TEST(TwoLayer, GoesWhereEveryModuleGoes) {
  Rng rng(4);
  const nn::TwoLayer net(3, 8, nn::Tanh());
  const Params w = net.init(rng);
  const Tensor x = rng.normal({5, 3});
  EXPECT_EQ(per_sample_jacobian(net, w, x).matrix().shape(), (Shape{5, 24}));
  const nn::Sequential chain{nn::Linear(3, 3), net};
  EXPECT_EQ(chain(chain.init(rng), x).shape(), (Shape{5, 1}));
}

TEST(TwoLayer, RandomSignsAreFairAndExact) {
  Rng rng(1);
  const Tensor a = nn::random_signs(10000, rng);
  double sum = 0.0;
  for (const double v : a.data()) {
    EXPECT_DOUBLE_EQ(std::fabs(v), 0.01);
    sum += v * 100.0;
  }
  EXPECT_LT(std::fabs(sum), 5.0 * 100.0);  // five deviations of 10000 fair coins
  EXPECT_GT(std::fabs(sum), 0.0);
}

TEST(TwoLayer, BadInputIsNamed) {
  const auto message = [](auto f) -> std::string {
    try {
      f();
    } catch (const std::exception& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  Rng rng(1);
  EXPECT_THAT(message([] { nn::TwoLayer(0, 4, nn::ReLU()); }), HasSubstr("[TwoLayer] the sizes are 0 and 4"));
  EXPECT_THAT(message([] {
                nn::TwoLayer(2, 4, nn::ReLU(), {.outer = {1, 2, 3}});
              }),
              HasSubstr("outer is [3]"));
  EXPECT_THAT(message([] {
                nn::TwoLayer(2, 2, nn::ReLU(), {.outer = {1, NAN}});
              }),
              HasSubstr("outer holds nan"));
  EXPECT_THAT(message([] { nn::TwoLayer(2, 4, nn::Linear(4, 4)); }), HasSubstr("only W may be trained"));
  EXPECT_THAT(message([] { nn::TwoLayer(2, 4, std::shared_ptr<const nn::Module>()); }),
              HasSubstr("phi is null"));
  EXPECT_THAT(message([&] {
                const nn::TwoLayer net(2, 4, nn::ReLU());
                net(net.init(rng), Tensor::zeros({3, 5}));
              }),
              HasSubstr("x is [3, 5]; it must be [n, 2]"));
  EXPECT_THAT(message([&] { nn::random_signs(0, rng); }), HasSubstr("m is 0"));
}

}  // namespace
}  // namespace cotangent
