// Tangent kernels in balls, and what is proved of their smallest eigenvalue.
#include "theory/enclosed_kernel.hpp"

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "enclose/definiteness.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"
#include "theory/spectrum.hpp"

namespace cotangent {
namespace {

using test::error_of;
using testing::HasSubstr;
using theory::certify_positive_definite;
using theory::enclose_tangent_kernel;
using theory::Outcome;
using theory::tangent_kernel;

// Every entry lies within its bounds, which are as narrow as bits allow.
TEST(EnclosedKernel, HoldsTheKernelThatTheOtherWaysCompute) {
  Rng rng(1);
  const nn::Sequential net{nn::Linear(3, 5), nn::Tanh(), nn::Linear(5, 2)};
  const Params w = net.init(rng);
  const Tensor x = rng.normal({4, 3});
  for (const std::vector<std::string>& params :
       {std::vector<std::string>{}, {"0.weight"}, {"2.bias", "0.weight"}}) {
    const Enclosure k = enclose_tangent_kernel(net, w, x, {.params = params});
    const Tensor computed = tangent_kernel(net, w, x, {.params = params}).matrix();
    ASSERT_EQ(k.lower().shape().to_string(), "[8, 8]");
    test::expect_close(k.lower(), computed, 1e-13);
    test::expect_close(k.upper(), computed, 1e-13);
    EXPECT_EQ(k.bits(), 128);
    for (Index i = 0; i < k.lower().size(); ++i) {
      EXPECT_LE(k.upper().flat(i), std::nextafter(k.lower().flat(i), INFINITY));
      EXPECT_LT(k.log2_radius(i), -100.0);
    }
  }
  // A box of weights: the kernel at each of them.
  const Tensor low = (w.flat() - Var(0.01)).value(), high = (w.flat() + Var(0.01)).value();
  const Enclosure box = enclose_tangent_kernel(net, Box{low, high}, w, x);
  for (int t = 0; t < 5; ++t) {
    const Tensor at = (Var(low) + rng.uniform({w.size()}, 0.0, 1.0) * (Var(high) - low)).value();
    EXPECT_TRUE(box.contains(tangent_kernel(net, Params(at, w.table()), x).matrix()));
  }
}

// The tangent kernel of a network that doubles' own rounding makes look much better than it is.
TEST(EnclosedKernel, OfATanhNetIsProvedPositiveDefinite) {
  Rng rng(7);
  const nn::Sequential net{nn::Linear(2, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh(), nn::Linear(64, 1)};
  const Params w = net.init(rng);
  const Tensor x = rng.normal({20, 2});
  const Enclosure k = enclose_tangent_kernel(net, w, x);
  const theory::Verdict positive = certify_positive_definite(k);
  EXPECT_EQ(positive.outcome, Outcome::certified);
  const double lower = positive.number("lower"), upper = positive.number("upper");
  EXPECT_GT(lower, 0.0);
  EXPECT_LE(upper - lower, 1e-12 * lower);
  const theory::Spectrum s = theory::spectrum(tangent_kernel(net, w, x).matrix());
  EXPECT_NEAR(s.smallest(), lower, 1e-8 * lower + 4.0 * s.bound);
  EXPECT_EQ(certify_positive_definite(k, 0.999 * lower).outcome, Outcome::certified);
  const theory::Verdict wrong = certify_positive_definite(k, 1.001 * upper);
  EXPECT_EQ(wrong.outcome, Outcome::refuted);
  EXPECT_LE(rayleigh_quotient(k, (*wrong.witness)["v"]).upper().item(), 1.001 * upper);
  // The same at the 53 bits of doubles.
  const Enclosure few = enclose_tangent_kernel(net, w, x, {.enclose = {.bits = 53, .most_bits = 53}});
  EXPECT_EQ(certify_positive_definite(few).outcome, Outcome::certified);
}

// Two samples that are one have a kernel without full rank, whatever its computed entries say, and so has
// any at which squares of a Jacobian leave the doubles.
TEST(EnclosedKernel, OfSamplesThatAreOneIsNeverProved) {
  for (const double scale : {1.0, 1e-180, 1e150}) {
    const auto f = [scale](const Var& w, const Var& x) { return scale * sum(mul_rows(x, w), 1); };
    const Params w({{"w", Tensor{0.3, 0.7, -0.2}}});
    const Tensor x{{0.1, 0.2, 0.3}, {0.1, 0.2, 0.3}}, apart{{0.1, 0.2, 0.3}, {0.3, 0.1, 0.2}};
    const Enclosure rank_one = enclose_tangent_kernel(f, w, x, {.enclose = {.most_bits = 512}});
    EXPECT_NE(certify_positive_definite(rank_one).outcome, Outcome::certified) << scale;
    // Of rank 2, which doubles do not see at 1e-180: there the kernel is 1e-361.
    const Enclosure rank_two = enclose_tangent_kernel(f, w, apart);
    EXPECT_TRUE(certainly_positive_definite(rank_two)) << scale;
  }
  const Tensor ones = Tensor::full({3, 3}, 1e-180);
  EXPECT_NE(certify_positive_definite(enclosure_of(ones)).outcome, Outcome::certified);
  EXPECT_NE(certify_positive_definite(enclosure_of(Tensor{{0.0}})).outcome, Outcome::certified);
}

TEST(PositiveDefiniteVerdict, DecidesExactMatricesToTheLastDigit) {
  const Enclosure k = enclosure_of(Tensor{{2.0, 1.0}, {1.0, 2.0}});
  for (const double mu : {-1e300, -1.0, 0.0, 0.5, 1.0 - 1e-14})
    EXPECT_EQ(certify_positive_definite(k, mu).outcome, Outcome::certified) << mu;
  for (const double mu : {1.0 + 1e-14, 2.0, 1e300})
    EXPECT_EQ(certify_positive_definite(k, mu).outcome, Outcome::refuted) << mu;
  // Below the last digit before 1 by another digit: proved by its own factor.
  EXPECT_EQ(certify_positive_definite(k, std::nextafter(std::nextafter(1.0, 0.0), 0.0)).outcome,
            Outcome::certified);
  EXPECT_NE(certify_positive_definite(k, 1.0).outcome, Outcome::certified);
  const theory::Verdict negative = certify_positive_definite(enclosure_of(Tensor{{1.0, 2.0}, {2.0, 1.0}}));
  EXPECT_EQ(negative.outcome, Outcome::refuted);
  EXPECT_NEAR(negative.number("upper"), -1.0, 1e-15);
  EXPECT_THAT(negative.claim.statement, HasSubstr("mu = 0, for every symmetric K within its bounds"));
}

TEST(PositiveDefiniteVerdict, SaysNothingWhereBoundsHoldBoth) {
  const auto f = [](const Var& w) { return diag(w); };
  const Enclosure both = enclose(f, Box{Tensor{1.0, -0.5}, Tensor{1.5, 0.5}});
  const theory::Verdict open = certify_positive_definite(both);
  EXPECT_EQ(open.outcome, Outcome::inconclusive);
  EXPECT_FALSE(open.witness);
  EXPECT_EQ(certify_positive_definite(both, -0.75).outcome, Outcome::certified);
  EXPECT_EQ(certify_positive_definite(both, 0.75).outcome, Outcome::refuted);
  const Enclosure unknown =
      enclose([](const Var& w) { return diag(log(w)); }, Box{Tensor{-1.0, 1.0}, Tensor{1.0, 2.0}});
  EXPECT_EQ(certify_positive_definite(unknown).outcome, Outcome::inconclusive);
  EXPECT_EQ(certify_positive_definite(unknown, 1e300).outcome, Outcome::inconclusive);
}

TEST(PositiveDefiniteVerdict, Errors) {
  EXPECT_THROW(certify_positive_definite(enclosure_of(Tensor{{1.0, 2.0}})), ShapeError);
  EXPECT_THROW(certify_positive_definite(enclosure_of(Tensor{{1.0, 2.0}, {0.0, 1.0}})), DomainError);
  EXPECT_THAT(error_of<DomainError>([] { certify_positive_definite(enclosure_of(Tensor{{1.0}}), NAN); }),
              HasSubstr("[certify_positive_definite] mu is nan; give a finite"));
  Rng rng(1);
  const nn::Sequential net{nn::Linear(3, 2)};
  const Params w = net.init(rng);
  EXPECT_THAT(error_of<ShapeError>([&] { enclose_tangent_kernel(net, w, Tensor::scalar(1.0)); }),
              HasSubstr("[enclose_tangent_kernel] X is []; give samples along its first axis"));
  EXPECT_THAT(
      error_of<ShapeError>([&] {
        enclose_tangent_kernel([](const Var& v, const Var&) { return sum(v); }, w, Tensor::ones({2, 3}));
      }),
      HasSubstr("[enclose_tangent_kernel] f of one sample is []; it must be [1] or [1, C]"));
  EXPECT_THROW(enclose_tangent_kernel(net, w, Tensor::ones({2, 3}), {.params = {"7.weight"}}), DomainError);
}

}  // namespace
}  // namespace cotangent
