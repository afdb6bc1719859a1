// PL* at a point (O15): closed forms, constants below, at and above lambda_min(K(w)), the witness
// of a false one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cotangent.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

using theory::check_pl_star, theory::Outcome, theory::Verdict;

/// F(x, y) = x y, one sample: K = x^2 + y^2.
Var product(const Var& w, const Var&) { return reshape(slice(w, 0, 0, 1) * slice(w, 0, 1, 2), {1, 1}); }
const Params kW({{"w", {1.5, -0.5}}});
const Tensor kOneSample{{1.0}};

TEST(PlStar, OfAProductIsKnown) {
  EXPECT_EQ(check_pl_star(product, kW, kOneSample, 2.49).outcome, Outcome::certified);
  EXPECT_EQ(check_pl_star(product, kW, kOneSample, 2.5).outcome, Outcome::inconclusive) << "equality";
  const Verdict wrong = check_pl_star(product, kW, kOneSample, 2.51);
  EXPECT_EQ(wrong.outcome, Outcome::refuted) << wrong.to_string();
  EXPECT_NEAR(wrong.number("lambda_min"), 2.5, 1e-14);
  EXPECT_EQ(wrong.domain.text, "at this w");
  const Tensor y{{1.0}};
  EXPECT_EQ(check_pl_star(product, kW, kOneSample, y, 2.49).outcome, Outcome::certified);
  EXPECT_EQ(check_pl_star(product, kW, kOneSample, y, 2.51).outcome, Outcome::refuted);
}

TEST(PlStar, OfANetAndItsWitness) {
  Rng rng(1);
  const nn::Sequential net = nn::mlp({4, 32, 2}, nn::LeakyReLU(0.1));
  const Params w = net.init(rng);
  const Tensor x = rng.normal({6, 4}), y = rng.normal({6, 2});
  const double mu = theory::spectrum(theory::tangent_kernel(net, w, x).matrix()).smallest();
  EXPECT_EQ(check_pl_star(net, w, x, 0.999 * mu).outcome, Outcome::certified);
  // Below and above by a unit in the last place or so of the eigenvalue, which its enclosure tells apart.
  const Verdict near = check_pl_star(net, w, x, mu);
  EXPECT_LT(near.number("error"), 1e-13 * mu);
  EXPECT_EQ(check_pl_star(net, w, x, mu * (1.0 - 1e-12)).outcome, Outcome::certified);
  EXPECT_EQ(check_pl_star(net, w, x, mu * (1.0 + 1e-12)).outcome, Outcome::refuted);
  const Verdict wrong = check_pl_star(net, w, x, 1.001 * mu);
  ASSERT_EQ(wrong.outcome, Outcome::refuted) << wrong.to_string();
  // The witness reloads, and the inequality is false for its targets.
  const test::TemporaryDirectory folder;
  save(folder / "w.npz", *wrong.witness);
  const Params witness = load_params(folder / "w.npz");
  const auto [loss, g] = value_and_grad(
      [&](const Var& u) { return 0.5 * sum(square(net(u, witness["X"]) - witness["targets"])); },
      w.with(witness["w"]));
  EXPECT_GT(2.0 * 1.001 * mu * loss, dot(g, g));
  const Verdict mine = check_pl_star(net, w, x, y, mu);
  EXPECT_EQ(mine.outcome, Outcome::certified) << mine.to_string();
  ASSERT_EQ(mine.steps.size(), 2u);
  EXPECT_TRUE(mine.steps[0].holds() && mine.steps[1].holds());
  EXPECT_EQ(check_pl_star(net, w, x, y, 1e6).outcome, Outcome::refuted);
  EXPECT_THROW(check_pl_star(net, w, x, Tensor::zeros({6, 3}), mu), ShapeError);
  EXPECT_THROW(check_pl_star(net, w, x, NAN), DomainError);
}

// Kernels of rank 1, and of numbers as small as 1e-180: an eigenvalue that may be 0 gives no constant.
TEST(PlStar, ADegenerateOrTinyKernelGivesNoCertificate) {
  for (const double scale : {1.0, 1e-90, 1e90}) {
    const auto f = [scale](const Var& w, const Var& x) { return matmul(x, scale * reshape(w, {2, 1})); };
    const Params w({{"w", Tensor{0.3, -0.7}}});
    const Tensor rank_one{{0.1, 0.3}, {0.2, 0.6}, {0.7, 2.1}};
    for (const double mu : {1e-300, 1e-17 * scale * scale, 1e-15 * scale * scale}) {
      const Verdict v = theory::check_pl_star(f, w, rank_one, mu);
      EXPECT_TRUE(v.outcome == Outcome::inconclusive || v.outcome == Outcome::refuted) << v.to_string();
    }
    EXPECT_NE(theory::check_jacobian_rank(f, w, rank_one, 2).outcome, Outcome::certified);
    EXPECT_EQ(theory::check_jacobian_rank(f, w, rank_one, 1).outcome, Outcome::certified);
    EXPECT_EQ(theory::check_pl_star(f, w, rank_one, 10.0 * scale * scale).outcome, Outcome::refuted);
    const Tensor full{{1.0, 0.0}, {0.0, 2.0}};
    EXPECT_EQ(theory::check_pl_star(f, w, full, 0.99 * scale * scale).outcome, Outcome::certified);
    EXPECT_EQ(theory::check_pl_star(f, w, full, 1.01 * scale * scale).outcome, Outcome::refuted);
  }
}

TEST(PlStar, AKernelThatIsGivenMustBeItsOwn) {
  const Enclosure own = theory::enclose_tangent_kernel(product, kW, kOneSample),
                  other = theory::enclose_tangent_kernel(product, 2.0 * kW, kOneSample);
  EXPECT_EQ(check_pl_star(product, kW, kOneSample, 2.49, {.kernel = own}).outcome, Outcome::certified);
  EXPECT_THROW(check_pl_star(product, kW, kOneSample, 2.6, {.kernel = other}), DomainError);
  EXPECT_THROW(
      check_pl_star(product, kW, kOneSample, 2.4, {.kernel = enclosure_of({{2.5, 0.0}, {0.0, 2.5}})}),
      ShapeError);
}

// Of an operation without enclosure the kernel is only computed: nothing is certified or refuted.
TEST(PlStar, OfAComputedKernelNothingIsProved) {
  static const CustomOp own(
      {.name = "exp_without_enclosure",
       .forward =
           [](const OpInputs& x, const OpAttributes&) {
             return map_elements(x[0], [](double t) { return std::exp(t); });
           },
       .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, g * p.out()); },
       .samples = OpSamples::elementwise,
       .at_kink = "none"});
  const auto f = [](const Var& w, const Var& x) { return own(matmul(x, reshape(w, {2, 1}))); };
  const Params w({{"w", Tensor{0.0, 0.0}}});
  const Tensor x{{3.0, 0.0}, {0.0, 3.0}};  // K = 9 I
  const Verdict right = check_pl_star(f, w, x, 8.9), wrong = check_pl_star(f, w, x, 9.1);
  EXPECT_EQ(right.outcome, Outcome::supported) << right.to_string();
  EXPECT_EQ(wrong.outcome, Outcome::inconclusive) << wrong.to_string();
  for (const Verdict& v : {right, wrong})
    EXPECT_THAT(v.reason, testing::HasSubstr("[enclose] [exp_without_enclosure]"));
  EXPECT_EQ(theory::check_jacobian_rank(f, w, x, 2).outcome, Outcome::supported);
}

// Targets that differ from the outputs in the last digits only, which the enclosure of their residual has.
TEST(PlStar, AResidualOfTheLastDigitsIsEnclosed) {
  const auto f = [](const Var& w, const Var& x) { return matmul(x, reshape(w, {2, 1})); };
  const Params w({{"w", Tensor{0.3, -0.7}}});
  const Tensor x{{1.0, 0.1}, {0.1, 2.0}};
  Tensor y = f(w.flat(), x).value();
  y = (y + Var(Tensor{{1e-16}, {-3e-16}})).value();
  for (const double mu : {0.5, 2.0, 3.9, 5.0}) {
    const Verdict v = theory::check_pl_star(f, w, x, y, mu);
    EXPECT_EQ(v.outcome, mu < 3.0 ? Outcome::certified : Outcome::refuted) << v.to_string();
    EXPECT_LT(v.conclusion.rhs.value(), 1e-30);
  }
}

TEST(PlStar, AConstantThatIsNotPositiveIsVacuous) {
  const auto f = [](const Var& w, const Var& x) { return matmul(x, reshape(w, {2, 1})); };
  const Params w({{"w", Tensor{0.3, -0.7}}});
  const Tensor x{{1.0, 0.1}, {0.1, 2.0}}, y{{5.0}, {7.0}};
  EXPECT_TRUE(theory::check_pl_star(f, w, x, -1.0).vacuous);
  EXPECT_TRUE(theory::check_pl_star(f, w, x, y, 0.0).vacuous);
  EXPECT_FALSE(theory::check_pl_star(f, w, x, 0.5).vacuous);
  EXPECT_TRUE(theory::check_jacobian_rank(f, w, x, 0).vacuous);
  EXPECT_FALSE(theory::check_jacobian_rank(f, w, x, 2).vacuous);
}

// A derivative whose terms cancel is computed as 0 and is none: the rank is 1, as enclosures know. What is 0
// exactly is 0.
TEST(JacobianRank, AZeroThatWasComputedIsNone) {
  const auto f = [](const Var& w, const Var& x) {
    const Var y = matmul(x, reshape(w, {1, 1}));
    return 1e20 * y + y - 1e20 * y;
  };
  const Params w({{"w", Tensor{1.0}}});
  EXPECT_EQ(per_sample_jacobian(f, w, Tensor{{2.0}}).matrix().item(), 0.0);
  EXPECT_EQ(theory::check_jacobian_rank(f, w, {{2.0}}, 1).outcome, Outcome::certified);
  EXPECT_EQ(theory::check_jacobian_rank(f, w, {{2.0}}, 2).outcome, Outcome::refuted) << "one row only";
  EXPECT_EQ(theory::check_jacobian_rank(f, w, {{0.0}}, 1).outcome, Outcome::refuted);
}

}  // namespace
}  // namespace cotangent
