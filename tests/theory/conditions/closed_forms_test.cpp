// Closed forms of two-layer nets (O13, O14): the sheet's numbers, random nets, rank,
// bounds, wrong claims refuted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cotangent.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::check_jacobian_rank, theory::check_leaky_relu_jacobian, theory::check_linear_jacobian,
    theory::check_two_layer_bound, theory::Outcome, theory::Verdict;

// The sheet's X is ours transposed: two samples of three inputs.
const Tensor kX{{1, 0, 1}, {0, 1, 1}}, kV{1, -2};
const Params kW({{"weight", {{1, -1, 0.5}, {-1, 0.5, 0.25}}}});

nn::TwoLayer network(double slope) { return {3, 2, nn::LeakyReLU(slope), {.outer = kV}}; }

TEST(ClosedForms, OfTheLinearNet) {
  EXPECT_EQ(check_linear_jacobian(network(1.0), kW, kX).outcome, Outcome::certified);
  EXPECT_EQ(check_linear_jacobian(network(1.0), kW, kX).domain.text, "at this W");
  const Verdict leaky = check_linear_jacobian(network(0.1), kW, kX);
  EXPECT_EQ(leaky.outcome, Outcome::not_applicable);
  EXPECT_THAT(leaky.reason, HasSubstr("phi'(<w_j, x_i>) = 1"));
  EXPECT_EQ(check_linear_jacobian({3, 2, nn::Identity(), {.outer = kV}}, kW, kX).outcome, Outcome::certified);
  EXPECT_THROW(check_linear_jacobian(network(1.0), kW, kX, 0.0), DomainError);
}

TEST(ClosedForms, OfAnyActivationAtRandomPoints) {
  Rng rng(1);
  std::vector<Verdict> verdicts;
  for (int k = 0; k < 50; ++k) {
    const nn::TwoLayer leaky(4, 3, nn::LeakyReLU(rng.uniform()), {.outer = rng.normal({3})}),
        smooth(4, 3, nn::Tanh(), {.outer = rng.normal({3})});
    const Params w({{"weight", rng.normal({3, 4})}});
    verdicts.push_back(check_leaky_relu_jacobian(leaky, w, rng.normal({5, 4})));
    verdicts.push_back(check_leaky_relu_jacobian(smooth, w, rng.normal({5, 4})));
  }
  const Verdict all = theory::over_points(verdicts);
  EXPECT_EQ(all.outcome, Outcome::supported) << all.to_string();
  // An accuracy that rounding does not reach is refuted: the claimed constant is a parameter.
  const Params w({{"weight", rng.normal({30, 40})}});
  EXPECT_EQ(check_leaky_relu_jacobian({40, 30, nn::Tanh()}, w, rng.normal({5, 40}), 1e-18).outcome,
            Outcome::refuted);
}

TEST(ClosedForms, RankIsBracketed) {
  EXPECT_EQ(check_jacobian_rank(network(1.0), kW, kX, 2).outcome, Outcome::certified);
  EXPECT_EQ(check_jacobian_rank(network(1.0), kW, kX, 3).outcome, Outcome::refuted) << "there are two rows";
  // No neuron is active at sample 1: "one active neuron somewhere" is not enough.
  const Params dead({{"weight", {{1, -1, 0}, {1, -1, -0.5}}}});
  const Verdict v = check_jacobian_rank(network(0.0), dead, kX, 2);
  EXPECT_EQ(v.outcome, Outcome::refuted);
  EXPECT_EQ(v.conclusion.rhs.value(), 1.0);
  ASSERT_TRUE(v.witness);
  EXPECT_EQ(check_jacobian_rank(network(0.0), dead, kX, 1).outcome, Outcome::certified);
  // Two equal samples: no row is 0 and no eigenvalue certainly is, so rank 2 is left open.
  const Tensor twice{{1, 0, 1}, {1, 0, 1}};
  EXPECT_EQ(check_jacobian_rank(network(1.0), kW, twice, 2).outcome, Outcome::inconclusive);
  EXPECT_EQ(check_jacobian_rank(network(1.0), kW, twice, 1).outcome, Outcome::certified);
  EXPECT_THROW(check_jacobian_rank(network(1.0), kW, kX, -1), DomainError);
}

TEST(ClosedForms, BoundsOnTheSmallestEigenvalue) {
  const Verdict here = check_two_layer_bound(network(0.1), kW, kX);
  EXPECT_EQ(here.outcome, Outcome::certified) << here.to_string();
  EXPECT_NEAR(here.number("bound"), 1.04, 1e-12);
  EXPECT_NEAR(here.number("lambda_min"), 2.038206514384, 5e-13);
  const Verdict everywhere = check_two_layer_bound(network(0.1), kW, kX, {.slope = 0.1});
  EXPECT_EQ(everywhere.outcome, Outcome::certified);
  EXPECT_NEAR(everywhere.number("bound"), 0.05, 1e-13);
  EXPECT_EQ(check_two_layer_bound(network(0.1), kW, kX, {.claimed = 2.04}).outcome, Outcome::refuted);
  EXPECT_EQ(check_two_layer_bound(network(0.1), kW, kX, {.slope = -5.0}).outcome, Outcome::not_applicable);
  const Verdict steep = check_two_layer_bound(network(0.1), kW, kX, {.slope = 0.2});
  EXPECT_EQ(steep.outcome, Outcome::not_applicable) << "phi' is 0.1 at some pre-activation";
  EXPECT_THAT(steep.reason, HasSubstr("slope <= |phi'"));
}

// tanh' of 1e-9 is computed as 1 and is none: the verdict says that rounding forgives the hypothesis.
TEST(ClosedForms, ADerivativeThatWasComputedIsNotExactly1) {
  Rng rng(2);
  const Tensor x = rng.normal({3, 4});
  const Params w({{"weight", (1e-9 * Var(rng.normal({2, 4}))).value()}});
  const theory::Verdict v = theory::check_linear_jacobian(nn::TwoLayer(4, 2, nn::Tanh()), w, x);
  EXPECT_THAT(v.reason, testing::HasSubstr("hold only within rounding: \"phi'(<w_j, x_i>) = 1\""));
  const theory::Verdict straight =
      theory::check_linear_jacobian(nn::TwoLayer(4, 2, nn::LeakyReLU(1.0)), w, x);
  EXPECT_EQ(straight.outcome, theory::Outcome::certified);
  EXPECT_THAT(straight.reason, testing::Not(testing::HasSubstr("within rounding")));
}

}  // namespace
}  // namespace cotangent
