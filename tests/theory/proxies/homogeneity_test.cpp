// Euler's identity: the degrees of networks, wrong degrees refuted, the lecture's slip.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using theory::check_homogeneity;
using theory::Outcome;

const nn::LinearOptions kNoBias{.bias = false};

TEST(Homogeneity, ATwoLayerLeakyReluNetHasDegreeOneInItsFirstLayer) {
  Rng rng(1);
  const nn::TwoLayer net(4, 6, nn::LeakyReLU(0.3));
  const Tensor x = rng.normal({1, 4});
  const auto f = [&](const Var& w) { return sum(net(w, x)); };
  const Params w = net.init(rng);
  EXPECT_EQ(check_homogeneity(f, 1.0, w, rng).outcome, Outcome::supported);
  const theory::Verdict wrong = check_homogeneity(f, 2.0, w, rng);
  EXPECT_EQ(wrong.outcome, Outcome::refuted);
  ASSERT_TRUE(wrong.witness);
  EXPECT_NEAR(dot(grad(f, *wrong.witness), *wrong.witness), net(*wrong.witness, x).item(), 1e-10);
}

TEST(Homogeneity, LayersCount) {
  Rng rng(2);
  const nn::Sequential net{nn::Linear(3, 5, kNoBias), nn::LeakyReLU(0.2), nn::Linear(5, 4, kNoBias),
                           nn::LeakyReLU(0.2), nn::Linear(4, 1, kNoBias)};
  const Tensor x = rng.normal({1, 3});
  const auto f = [&](const Var& w) { return sum(net(w, x)); };
  const Params w = net.init(rng);
  EXPECT_EQ(check_homogeneity(f, 3.0, w, rng).outcome, Outcome::supported);
  EXPECT_EQ(check_homogeneity(f, 2.0, w, rng).outcome, Outcome::refuted);
  // f(c w) = c^3 f(w), and not 3 c f(w) as printed.
  const double at_w = f(w).item(), at_2w = f(2.0 * w).item();
  EXPECT_NEAR(at_2w, 8.0 * at_w, 1e-12);
  EXPECT_GT(std::fabs(at_2w - 6.0 * at_w), 1e-3 * std::fabs(at_w));
}

TEST(Homogeneity, BiasesAndSmoothActivationsHaveNone) {
  Rng rng(3);
  const Tensor x = rng.normal({1, 3});
  const nn::Sequential biased = nn::mlp({3, 4, 1}, nn::LeakyReLU(0.2)),
                       smooth = nn::mlp({3, 4, 1}, nn::Tanh(), kNoBias);
  for (const nn::Sequential& net : {biased, smooth})
    EXPECT_EQ(
        check_homogeneity([&](const Var& w) { return sum(net(w, x)); }, 2.0, net.init(rng), rng).outcome,
        Outcome::refuted);
}

TEST(Homogeneity, TheDegreeMustBeANumber) {
  Rng rng(4);
  EXPECT_THROW(check_homogeneity([](const Var& w) { return sum(w); }, NAN, Params({{"w", Tensor{1}}}), rng),
               DomainError);
}

}  // namespace
}  // namespace cotangent
