// Euler's identity (O32): the degrees of networks, and wrong ones refuted.
#include <gtest/gtest.h>

#include <cmath>

#include "cotangent.hpp"

namespace cotangent {
namespace {

using theory::check_homogeneity, theory::Outcome;

TEST(Homogeneity, LayersWithoutBiasesCount) {
  Rng rng(1);
  const nn::LinearOptions bare{.bias = false};
  const Tensor x = rng.normal({1, 3});
  const auto outcome = [&](const nn::Module& net, double degree) {
    return check_homogeneity([&](const Var& w) { return sum(net(w, x)); }, degree, net.init(rng), rng)
        .outcome;
  };
  const nn::TwoLayer two(3, 6, nn::LeakyReLU(0.3));
  const nn::Sequential three = nn::mlp({3, 5, 4, 1}, nn::LeakyReLU(0.2), bare);
  EXPECT_EQ(outcome(two, 1.0), Outcome::supported);
  EXPECT_EQ(outcome(two, 2.0), Outcome::refuted);
  EXPECT_EQ(outcome(three, 3.0), Outcome::supported);
  EXPECT_EQ(outcome(three, 2.0), Outcome::refuted);
  EXPECT_EQ(outcome(nn::mlp({3, 4, 1}, nn::LeakyReLU(0.2)), 2.0), Outcome::refuted);  // biases
  EXPECT_EQ(outcome(nn::mlp({3, 4, 1}, nn::Tanh(), bare), 2.0), Outcome::refuted);
  EXPECT_THROW(outcome(two, NAN), DomainError);
}

}  // namespace
}  // namespace cotangent
