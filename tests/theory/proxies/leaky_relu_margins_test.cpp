// The 0-1 error of the two-layer leaky ReLU net where rounding hides on which side a margin or a unit is.
#include "theory/proxies/leaky_relu_margins.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"

namespace cotangent::theory {
namespace {

// A sample whose margin is within its rounding may be right or wrong, whichever sign was computed.
TEST(LeakyReluMargins, AMarginWithinItsRoundingCountsAsEither) {
  const nn::TwoLayer net(2, 2, nn::LeakyReLU(0.5), {.outer = {0.5, -0.5}});
  const LeakyReluProblem problem(net, {{1.0, 0.0}, {0.0, 1.0}}, {1.0, 1.0}, {1.0, 1.0});
  LeakyReluMargins margins(problem);
  const auto error_with = [&](double by) {  // z = (by / 2, 1 / 2)
    margins.at(Params({{"weight", {{1.0 + by, 2.0}, {1.0, 1.0}}}}));
    EXPECT_EQ(margins.margin(0), 0.5 * (1.0 + by) - 0.5);
    EXPECT_EQ(margins.margin(1), 0.5);
    return margins.error();
  };
  for (const double by : {0x1p-50, 0x1p-52, 0.0, -0x1p-52, -0x1p-50}) {
    const Measured error = error_with(by);
    EXPECT_EQ(error.value(), 0.25) << by;
    EXPECT_GE(error.error(), 0.25) << by;
    EXPECT_LT(error.error(), 0.2501) << by;
  }
  EXPECT_EQ(error_with(0x1p-40).value(), 0.0);
  EXPECT_EQ(error_with(-0x1p-40).value(), 0.5);
  for (const double by : {0x1p-40, -0x1p-40}) EXPECT_LT(error_with(by).error(), 1e-15) << by;
}

// Rounding may take a unit to the other side of its kink, where phi is steeper: far more, with a small slope,
// than rounding of what the unit then adds.
TEST(LeakyReluMargins, AUnitWithinItsRoundingMayBeBeyondItsKink) {
  const nn::TwoLayer net(8, 2, nn::LeakyReLU(1e-5), {.outer = {0.5, -0.5}});
  const Tensor x = Tensor::full({1, 8}, 0.25);
  const LeakyReluProblem problem(net, x, {1.0}, {1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0});
  LeakyReluMargins margins(problem);
  Rng rng(1);
  int mistaken = 0;
  for (int round = 0; round < 1000; ++round) {
    std::vector<double> w(16, 0.0);
    Index rest = 0;  // of the sum of w_1's entries, in units of 2^-52
    for (std::size_t k = 0; k < 7; ++k) {
      const Index number = (Index{1} << 52) + rng.below(Index{1} << 52);
      w[k] = 0x1p-52 * static_cast<double>(number);
      rest += number;
    }
    const auto rounded = static_cast<double>(rest);
    w[7] = -0x1p-52 * rounded;
    rest -= static_cast<Index>(rounded);
    w[8] = 0x1p-53 * static_cast<double>(rest);  // <w_2, x> = <w_1, x> / 2: f(x) has the sign of rest
    const Tensor weight = Tensor::from(w, {2, 8});
    margins.at(Params({{"weight", weight}}));
    const Measured error = margins.error();
    EXPECT_LE(std::fabs(error.value() - (rest > 0 ? 0.0 : 1.0)), error.error()) << rest;
    mistaken += rest > 0 && linear(x, weight).value()(0, 0) < 0.0;
  }
  EXPECT_GT(mistaken, 0);
}

}  // namespace
}  // namespace cotangent::theory
