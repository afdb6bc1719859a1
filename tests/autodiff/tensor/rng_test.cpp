// Rng: published known answers, golden quantiles and logarithms, distributions, independence of streams,
// state.
#include "autodiff/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/tensor/inverse_normal.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

using test::error_of;

using Block = std::array<std::uint32_t, 4>;

TEST(Philox, KnownAnswersOfRandom123) {
  EXPECT_EQ(Rng::philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(Rng::philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Rng::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, SeedIsTheKeyAndWordsComeInOrder) {
  Rng rng(0);  // counter and key 0: the first known answer, low word first
  EXPECT_EQ(rng.bits(), 0xe169c58d6627e8d5u);
  EXPECT_EQ(rng.bits(), 0x9b00dbd8bc57ac4cu);
  const Block next = Rng::philox({1, 0, 0, 0}, {0, 0});
  EXPECT_EQ(rng.bits(), next[0] | std::uint64_t{next[1]} << 32);

  Rng other(0x299f31d0a4093822u);
  const Block first = Rng::philox({0, 0, 0, 0}, {0xa4093822, 0x299f31d0});
  EXPECT_EQ(other.bits(), first[0] | std::uint64_t{first[1]} << 32);
}

TEST(Rng, UniformIsTheUpper53Bits) {
  Rng a(3), b(3);
  for (int i = 0; i < 1000; ++i) {
    const double u = a.uniform();
    EXPECT_EQ(u * 0x1p53, static_cast<double>(b.bits() >> 11));
    EXPECT_GE(u, 0.0);
    EXPECT_LT(u, 1.0);
  }
}

struct Quantile {
  double p, statistics, exact;
};

// Made by Python 3.11: for each p the second number is statistics.NormalDist().inv_cdf(p), the third the root
// of Phi(z) = p by Newton's method on the series Phi(z) = 1/2 + phi(z) (z + z^3/3 + z^5/15 + ...) in decimal
// with 80 digits.
constexpr Quantile kQuantiles[] = {
    {0x1.0000000000000p-53, -8.209536151601386, -8.209536151601387},
    {0x1.0000000000000p-52, -8.125890664701906, -8.125890664701906},
    {0x1.203af9ee75616p-50, -7.941345326170995, -7.941345326170997},
    {0x1.c25c268497682p-44, -7.3487961028006765, -7.348796102800677},
    {0x1.19799812dea11p-40, -7.034483825301132, -7.034483825301132},
    {0x1.ec94ca210599ep-37, -6.656723091518184, -6.656723091518184},
    {0x1.b7cdfd9d7bdbbp-34, -6.361340902404056, -6.361340902404057},
    {0x1.5798ee2308c3ap-27, -5.61200124417479, -5.612001244174789},
    {0x1.0c6f7a0b5ed8dp-20, -4.753424308822899, -4.753424308822899},
    {0x1.a36e2eb1c432dp-14, -3.71901648545568, -3.7190164854556804},
    {0x1.0624dd2f1a9fcp-10, -3.090232306167813, -3.0902323061678136},
    {0x1.47ae147ae147bp-7, -2.3263478740408408, -2.326347874040841},
    {0x1.999999999999ap-6, -1.9599639845400538, -1.9599639845400543},
    {0x1.999999999999ap-5, -1.6448536269514726, -1.6448536269514726},
    {0x1.32ca57a786c22p-4, -1.4402382675279632, -1.4402382675279637},
    {0x1.3333333333333p-4, -1.4395314709384557, -1.439531470938456},
    {0x1.339c0ebedfa44p-4, -1.4388253927525398, -1.43882539275254},
    {0x1.999999999999ap-4, -1.2815515655446008, -1.2815515655446004},
    {0x1.999999999999ap-3, -0.8416212335729142, -0.8416212335729142},
    {0x1.3333333333333p-2, -0.5244005127080407, -0.5244005127080408},
    {0x1.999999999999ap-2, -0.2533471031357998, -0.2533471031357997},
    {0x1.f5c28f5c28f5cp-2, -0.025068908258711057, -0.025068908258711057},
    {0x1.fef9db22d0e56p-2, -0.0025066308995717666, -0.002506630899571766},
    {0x1.fffff94a03595p-2, -2.506628274703107e-07, -2.5066282747031063e-07},
    {0x1.0000218def417p-1, 2.5066282747057056e-06, 2.5066282747057052e-06},
    {0x1.051eb851eb852p-1, 0.025068908258711057, 0.025068908258711057},
    {0x1.3333333333333p-1, 0.2533471031357998, 0.2533471031357997},
    {0x1.8000000000000p-1, 0.6744897501960817, 0.6744897501960817},
    {0x1.ccccccccccccdp-1, 1.2815515655446008, 1.2815515655446006},
    {0x1.d99999999999ap-1, 1.439531470938456, 1.4395314709384561},
    {0x1.da1cac083126fp-1, 1.4466320671589785, 1.4466320671589787},
    {0x1.e666666666666p-1, 1.6448536269514715, 1.6448536269514722},
    {0x1.f333333333333p-1, 1.9599639845400536, 1.9599639845400538},
    {0x1.fae147ae147aep-1, 2.3263478740408408, 2.3263478740408408},
    {0x1.ff7ced916872bp-1, 3.090232306167813, 3.090232306167813},
    {0x1.fff2e48e8a71ep-1, 3.7190164854557084, 3.7190164854557084},
    {0x1.ffffde7210be9p-1, 4.753424308817089, 4.753424308817087},
    {0x1.fffffff768fa1p-1, 5.997807019601638, 5.9978070196016375},
    {0x1.fffffffffdcd1p-1, 7.0344869100478356, 7.0344869100478356},
    {0x1.fffffffffffffp-1, 8.209536151601386, 8.209536151601387},
};

TEST(InverseNormal, AgreesWithGoldenNumbers) {
  for (const Quantile& q : kQuantiles) {
    const double z = detail::inverse_normal(q.p);
    EXPECT_NEAR(z / q.statistics, 1.0, 2e-15) << q.p;
    EXPECT_NEAR(z / q.exact, 1.0, 2e-15) << q.p;
  }
  EXPECT_EQ(detail::inverse_normal(0.5), 0.0);
}

TEST(InverseNormal, InvertsTheDistributionFunctionBetweenTheGoldenNumbers) {
  Rng rng(11);
  for (int i = 0; i < 20000; ++i) {
    const double p = std::exp(-36.0 * rng.uniform()) * 0.5;
    const double z = detail::inverse_normal(p);
    // d log Phi(z) = (about |z|) dz in the tail, so z to 1e-15 relative leaves Phi(z) within z^2 1e-15, up to
    // 7e-14.
    EXPECT_NEAR(0.5 * std::erfc(-z * std::sqrt(0.5)) / p, 1.0, 2e-13) << p;
    EXPECT_EQ(detail::inverse_normal(1.0 - p), -detail::inverse_normal(1.0 - (1.0 - p))) << p;
  }
}

struct Log {
  double x, value;
};

// Made by Python 3.11: float(Decimal(x).ln()) with 80 digits.
constexpr Log kLogs[] = {
    {0x1.0000000000000p-1022, -708.3964185322641},
    {0x1.56e1fc2f8f359p-997, -690.7755278982137},
    {0x1.0000000000000p-53, -36.7368005696771},
    {0x1.b7cdfd9d7bdbbp-34, -23.025850929940457},
    {0x1.3333333333333p-4, -2.5902671654458267},
    {0x1.0000000000000p-2, -1.3862943611198906},
    {0x1.0000000000000p-1, -0.6931471805599453},
    {0x1.6a09e667f3bccp-1, -0.34657359027997275},
    {0x1.6a09e667f3bcdp-1, -0.3465735902799726},
    {0x1.ccccccccccccdp-1, -0.10536051565782628},
    {0x1.ffffde7210be9p-1, -1.000000500029089e-06},
    {0x1.fffffffffffffp-1, -1.1102230246251565e-16},
    {0x1.0000000000000p+0, 0.0},
    {0x1.0000000000001p+0, 2.2204460492503128e-16},
    {0x1.004189374bc6ap+0, 0.0009995003330834232},
    {0x1.199999999999ap+0, 0.09531017980432493},
    {0x1.6a09e667f3bccp+0, 0.3465735902799726},
    {0x1.6a09e667f3bcdp+0, 0.3465735902799727},
    {0x1.8000000000000p+0, 0.4054651081081644},
    {0x1.0000000000000p+1, 0.6931471805599453},
    {0x1.8000000000000p+1, 1.0986122886681098},
    {0x1.4000000000000p+3, 2.302585092994046},
    {0x1.2a05f20000000p+33, 23.025850929940457},
    {0x1.fffffffffffffp+1023, 709.782712893384},
};

double ulps_between(double a, double b) {
  const double spacing = std::nextafter(std::abs(b), std::numeric_limits<double>::infinity()) - std::abs(b);
  return std::abs(a - b) / spacing;
}

TEST(PortableLog, AgreesWithGoldenNumbers) {
  for (const Log& l : kLogs) {
    const double value = detail::portable_log(l.x);
    if (l.value == 0.0)
      EXPECT_EQ(value, 0.0);
    else
      EXPECT_LE(ulps_between(value, l.value), 1.0) << l.x;
  }
}

TEST(PortableLog, IsWithinOneUlpOfLongDoubleLog) {
  Rng rng(5);
  double worst = 0.0;
  for (int i = 0; i < 200000; ++i) {
    const double x = i % 2 ? 1.0 - 0.5 * rng.uniform()
                           : std::ldexp(1.0 + rng.uniform(), static_cast<int>(rng.below(120)) - 60);
    const long double exact = std::log(static_cast<long double>(x));
    if (exact == 0.0L) continue;
    const double rounded = static_cast<double>(exact);
    const double spacing =
        std::nextafter(std::abs(rounded), std::numeric_limits<double>::infinity()) - std::abs(rounded);
    const long double error = static_cast<long double>(detail::portable_log(x)) - exact;
    worst = std::max(worst, std::abs(static_cast<double>(error)) / spacing);
  }
  EXPECT_LE(worst, 1.0);
}

/// sup |F_n(x) - F(x)| sqrt(n), where `sorted` has been mapped through F; below 1.95 with probability 0.999.
double kolmogorov_smirnov(std::vector<double> mapped) {
  std::sort(mapped.begin(), mapped.end());
  const double n = static_cast<double>(mapped.size());
  double distance = 0.0;
  for (std::size_t i = 0; i < mapped.size(); ++i) {
    const double k = static_cast<double>(i);
    distance = std::max({distance, mapped[i] - k / n, (k + 1.0) / n - mapped[i]});
  }
  return distance * std::sqrt(n);
}

TEST(Rng, UniformAndNormalPassKolmogorovSmirnov) {
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
    Rng rng(seed);
    std::vector<double> uniforms(100000), normals(100000);
    for (double& u : uniforms) u = rng.uniform();
    for (double& z : normals) z = 0.5 * std::erfc(-rng.normal() * std::sqrt(0.5));
    EXPECT_LT(kolmogorov_smirnov(uniforms), 1.95) << seed;
    EXPECT_LT(kolmogorov_smirnov(normals), 1.95) << seed;
  }
}

TEST(Rng, NormalHasItsMoments) {
  const Index n = 1000000;
  Rng rng(17);
  const Tensor z = rng.normal(Shape{n});
  double m1 = 0.0, m2 = 0.0, m3 = 0.0, m4 = 0.0;
  for (const double x : z.data()) {
    m1 += x;
    m2 += x * x;
    m3 += x * x * x;
    m4 += x * x * x * x;
  }
  // Variances of x, x^2, x^3, x^4: 1, 2, 15, 96; four standard deviations each.
  const double unit = 4.0 / std::sqrt(static_cast<double>(n));
  const double count = static_cast<double>(n);
  EXPECT_NEAR(m1 / count, 0.0, unit);
  EXPECT_NEAR(m2 / count, 1.0, unit * std::sqrt(2.0));
  EXPECT_NEAR(m3 / count, 0.0, unit * std::sqrt(15.0));
  EXPECT_NEAR(m4 / count, 3.0, unit * std::sqrt(96.0));
}

TEST(Rng, TensorsAreTheSingleDrawsInOrder) {
  Rng a(9), b(9);
  const Tensor z = a.normal(Shape{3, 5}, 2.0, 0.5);
  const Tensor u = a.uniform(Shape{4}, -1.0, 3.0);
  for (const double x : z.data()) EXPECT_EQ(x, 2.0 + 0.5 * b.normal());
  for (const double x : u.data()) EXPECT_EQ(x, -1.0 + 4.0 * b.uniform());
  EXPECT_EQ(z.shape(), (Shape{3, 5}));
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.uniform(Shape{0, 3}).size(), 0);
}

TEST(Rng, UniformNeverReachesItsUpperEnd) {
  // 1 + 2^-53 k rounds to 2^-52 steps, so between 1 and the next double half of the raw sums would round up.
  const double next = std::nextafter(1.0, 2.0);
  Rng rng(21);
  const Tensor low = rng.uniform(Shape{1000}, 1.0, next), point = rng.uniform(Shape{10}, 2.0, 2.0);
  for (const double x : low.data()) ASSERT_EQ(x, 1.0);
  for (const double x : point.data()) ASSERT_EQ(x, 2.0);
}

TEST(Rng, SplitDependsOnSeedAndNameOnly) {
  Rng used(42);
  for (int i = 0; i < 1001; ++i) used.bits();
  EXPECT_EQ(used.split("init"), Rng(42).split("init"));
  EXPECT_NE(Rng(42).split("init"), Rng(43).split("init"));
  EXPECT_NE(Rng(42).split("init"), Rng(42).split("batches"));
  EXPECT_NE(Rng(42).split(""), Rng(42));
  EXPECT_NE(Rng(42).split("ab"), Rng(42).split("a").split("b"));
  EXPECT_NE(Rng(42).split("a").split("b"), Rng(42).split("b").split("a"));
}

TEST(Rng, SplitStreamsAreUncorrelated) {
  const Rng root(1);
  constexpr int kStreams = 40, kDraws = 2000;
  std::vector<std::vector<double>> draws;
  for (int s = 0; s < kStreams; ++s) {
    // Names that differ in one character, where a weak hash would give neighbouring streams.
    Rng stream = s == 0 ? root : root.split("layer" + std::to_string(s));
    std::vector<double>& row = draws.emplace_back();
    for (int i = 0; i < kDraws; ++i) row.push_back(stream.uniform() - 0.5);
  }
  double sum_of_squares = 0.0;
  int pairs = 0;
  for (int s = 0; s < kStreams; ++s) {
    for (int t = 0; t < s; ++t, ++pairs) {
      const double product = std::inner_product(draws[static_cast<std::size_t>(s)].begin(),
                                                draws[static_cast<std::size_t>(s)].end(),
                                                draws[static_cast<std::size_t>(t)].begin(), 0.0);
      const double z = product * 12.0 / std::sqrt(kDraws);  // standard normal if independent
      EXPECT_LT(std::abs(z), 5.0) << s << " " << t;
      sum_of_squares += z * z;
    }
  }
  // Chi-squared with about 780 degrees of freedom.
  EXPECT_NEAR(sum_of_squares / pairs, 1.0, 4.0 * std::sqrt(2.0 / pairs));
}

TEST(Rng, SplitFlipsHalfOfTheStreamsBits) {
  int flipped = 0;
  for (int i = 0; i < 256; ++i) {
    const std::string a = Rng(0).split("x" + std::to_string(i)).state();
    const std::string b = Rng(0).split("x" + std::to_string(i + 1)).state();
    const auto stream = [](const std::string& text) {
      return std::strtoull(text.substr(31, 16).c_str(), nullptr, 16);
    };
    flipped += std::popcount(stream(a) ^ stream(b));
  }
  EXPECT_NEAR(flipped / 256.0, 32.0, 1.0);  // one standard deviation is 4 / 16
}

TEST(Rng, BelowIsUniform) {
  Rng rng(8);
  for (const Index n : {2, 6, 7, 100}) {
    const int draws = 100000;
    std::vector<double> counts(static_cast<std::size_t>(n));
    for (int i = 0; i < draws; ++i) {
      const Index x = rng.below(n);
      ASSERT_GE(x, 0);
      ASSERT_LT(x, n);
      counts[static_cast<std::size_t>(x)] += 1.0;
    }
    const double expected = static_cast<double>(draws) / static_cast<double>(n);
    double chi_squared = 0.0;
    for (const double c : counts) chi_squared += (c - expected) * (c - expected) / expected;
    const double freedom = static_cast<double>(n - 1);
    EXPECT_LT(chi_squared, freedom + 4.0 * std::sqrt(2.0 * freedom) + 6.0) << n;
  }
  EXPECT_EQ(rng.below(1), 0);
}

TEST(Rng, BelowHasNoModuloBias) {
  // n = 3 2^61 and 2^64 = 2 n + 2^62: plain remainders would fall below 2^62 with probability 3/4 instead of
  // 2/3.
  Rng rng(8);
  const Index n = Index{3} << 61;
  int low = 0;
  for (int i = 0; i < 30000; ++i) low += rng.below(n) < Index{1} << 62 ? 1 : 0;
  EXPECT_NEAR(low / 30000.0, 2.0 / 3.0, 0.011);
}

TEST(Rng, PermutationIsUniformOverAllOrders) {
  Rng rng(31);
  std::vector<double> counts(120);
  const int draws = 60000;
  for (int i = 0; i < draws; ++i) {
    const std::vector<Index> p = rng.permutation(5);
    std::size_t rank = 0;  // position among the 120 orders
    for (std::size_t a = 0; a < 5; ++a) {
      std::size_t smaller = 0;
      for (std::size_t b = a + 1; b < 5; ++b) smaller += p[b] < p[a] ? 1u : 0u;
      rank = rank * (5 - a) + smaller;
    }
    counts[rank] += 1.0;
  }
  const double expected = draws / 120.0;
  double chi_squared = 0.0;
  for (const double c : counts) chi_squared += (c - expected) * (c - expected) / expected;
  EXPECT_NEAR(chi_squared, 119.0, 4.0 * std::sqrt(2.0 * 119.0));

  std::vector<Index> p = rng.permutation(1000);
  std::sort(p.begin(), p.end());
  for (Index i = 0; i < 1000; ++i) EXPECT_EQ(p[static_cast<std::size_t>(i)], i);
  EXPECT_TRUE(rng.permutation(0).empty());
}

TEST(Rng, StateRoundTripsAtEveryPosition) {
  Rng rng = Rng(0xfedcba9876543210u).split("batches");
  for (int i = 0; i < 5; ++i) {
    Rng copy = Rng::from_state(rng.state());
    EXPECT_EQ(copy, rng);
    EXPECT_EQ(copy.split("x"), rng.split("x"));
    for (int k = 0; k < 7; ++k) EXPECT_EQ(Rng(rng).bits(), Rng(copy).bits());
    rng.bits();
  }
  EXPECT_EQ(Rng(7).state(), "philox4x32-10 0000000000000007 0000000000000000 0000000000000000 4");
}

TEST(Rng, FromStateRefusesAnythingElse) {
  const std::string good = Rng(7).split("a").state();
  const std::string empty_stream = "philox4x32-10 0000000000000007 0000000000000000 0000000000000000 ";
  for (const std::string& bad : std::vector<std::string>{
           std::string(), std::string("philox4x32-10"), good + " ", good + "0", good.substr(1),
           good.substr(0, good.size() - 1), "x" + good, empty_stream + "2", empty_stream + "3",
           "philox4x32-10 000000000000000G 0000000000000000 0000000000000000 4",
           "philox4x32-10 000000000000000A 0000000000000000 0000000000000000 4",
           "philox4x32-10 0000000000000007-0000000000000000 0000000000000000 4"}) {
    EXPECT_EQ(error_of<DomainError>([&] { Rng::from_state(bad); }),
              "[Rng::from_state] \"" + bad + "\" is not a state; give a text that Rng::state() returned");
  }
  EXPECT_EQ(error_of<DomainError>([] { Rng::from_state(std::string(1000, 'x')); }),
            "[Rng::from_state] \"" + std::string(80, 'x') +
                "\" is not a state; give a text that Rng::state() returned");
}

TEST(Rng, ErrorsNameTheNumbersAndTheFix) {
  Rng rng(1);
  const Rng before = rng;
  EXPECT_EQ(error_of<DomainError>([&] { rng.below(0); }),
            "[Rng::below] n is 0; ask for a number below n >= 1");
  EXPECT_EQ(error_of<DomainError>([&] { rng.below(-3); }),
            "[Rng::below] n is -3; ask for a number below n >= 1");
  EXPECT_EQ(error_of<DomainError>([&] { rng.permutation(-1); }),
            "[Rng::permutation] n is -1; give the number of items, n >= 0");
  EXPECT_EQ(error_of<DomainError>([&] {
              rng.uniform(Shape{2, 3}, 1.0, 0.5);
            }),
            "[Rng::uniform] low is 1 and high is 0.5 for shape [2, 3]; give finite numbers, low <= high");
  EXPECT_EQ(
      error_of<DomainError>([&] { rng.uniform(Shape{2}, -1e308, 1e308); }),
      "[Rng::uniform] low is -1e+308 and high is 1e+308 for shape [2]; give finite numbers, low <= high");
  EXPECT_EQ(error_of<DomainError>([&] { rng.normal(Shape{4}, 0.0, -1.0); }),
            "[Rng::normal] mean is 0 and deviation is -1 for shape [4]; give finite numbers, deviation >= 0");
  EXPECT_EQ(
      error_of<DomainError>([&] { rng.normal(Shape{4}, std::nan(""), 1.0); }),
      "[Rng::normal] mean is nan and deviation is 1 for shape [4]; give finite numbers, deviation >= 0");
  EXPECT_EQ(rng, before);
}

}  // namespace
}  // namespace cotangent
