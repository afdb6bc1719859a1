// Measured numbers: the error carried along bounds the distance from the exact result, and what
// is exact stays so.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "cotangent.hpp"

namespace cotangent {
namespace {

using theory::exact, theory::Inequality, theory::Measured, theory::rounded, theory::within;
using Wide = __float128;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

static_assert(!std::is_convertible_v<double, Measured>, "exactness is written out");
static_assert(!std::is_convertible_v<Inequality, bool>, "an inequality is no answer yet");

TEST(Measured, ExactStaysExactWhereNothingIsLost) {
  EXPECT_EQ((exact(0.1) + exact(0.1)).by(), Measured::By::exact);
  EXPECT_EQ((exact(3.0) * exact(0.25)).error(), 0.0);
  EXPECT_EQ((exact(1.0) / exact(4.0)).error(), 0.0);
  EXPECT_EQ(sqrt(exact(16.0)).error(), 0.0);
  EXPECT_EQ(log(exact(1.0)).error(), 0.0);
  for (const Measured& m :
       {exact(0.1) + exact(0.2), exact(0.1) * exact(0.1), exact(1.0) / exact(3.0), sqrt(exact(2.0)),
        exp(exact(1.0)), log(exact(2.0)), exact(1e-200) * exact(1e-200)}) {
    EXPECT_EQ(m.by(), Measured::By::rounding) << m.value();
    EXPECT_GT(m.error(), 0.0) << m.value();
  }
}

/// A random number x, known to be off by at most e, and the exact one within it.
struct Known {
  Measured measured;
  Wide truth;
  explicit Known(Rng& rng) {
    const double x = std::exp(4.0 * rng.normal()) * (rng.uniform() < 0.5 ? -1.0 : 1.0);
    const double e = std::fabs(x) * std::pow(10.0, -2.0 - 14.0 * rng.uniform());
    measured = within(x, e);
    truth = static_cast<Wide>(x) + static_cast<Wide>(e) * static_cast<Wide>(2.0 * rng.uniform() - 1.0);
  }
};

TEST(Measured, TheErrorBoundsTheDistance) {
  Rng rng(1);
  const auto expect = [](const Measured& m, Wide truth, const char* operation) {
    const Wide distance = static_cast<Wide>(m.value()) - truth;
    EXPECT_LE(distance < 0 ? -distance : distance, static_cast<Wide>(m.error()))
        << operation << " " << m.value();
  };
  for (int k = 0; k < 5000; ++k) {
    const Known a(rng), b(rng);
    expect(a.measured + b.measured, a.truth + b.truth, "+");
    expect(a.measured - b.measured, a.truth - b.truth, "-");
    expect(a.measured * b.measured, a.truth * b.truth, "*");
    expect(a.measured / b.measured, a.truth / b.truth, "/");
    expect(square(a.measured), a.truth * a.truth, "square");
    const Measured root = sqrt(abs(a.measured));
    // sqrt by its own square: |root^2 - |a|| <= 2 root e + e^2.
    const Wide size = a.truth < 0 ? -a.truth : a.truth, r = static_cast<Wide>(root.value()),
               e = static_cast<Wide>(root.error());
    EXPECT_TRUE((r - e) * (r - e) <= size || r < e) << root.value();
    EXPECT_TRUE((r + e) * (r + e) >= size) << root.value();
  }
}

// Where errors overlap, either number may be the least.
TEST(Measured, TheLeastOfTwoIsThatOfTheExactNumbers) {
  Rng rng(3);
  const auto drawn = [&rng](double e) {
    const double x = rng.normal();
    return std::pair(within(x, e), static_cast<Wide>(x) +
                                       static_cast<Wide>(e) * static_cast<Wide>(2.0 * rng.uniform() - 1.0));
  };
  int crossed = 0;
  for (int k = 0; k < 5000; ++k) {
    const auto [a, x] = drawn(std::pow(10.0, 1.0 - 3.0 * rng.uniform()));
    const auto [b, y] = drawn(k % 4 == 0 ? 0.0 : std::pow(10.0, 1.0 - 3.0 * rng.uniform()));
    crossed += (a.value() < b.value()) != (x < y);
    const Wide truth = x < y ? x : y;
    for (const Measured& m : {least(a, b), least(b, a)}) {
      const Wide distance = static_cast<Wide>(m.value()) - truth;
      EXPECT_LE(distance < 0 ? -distance : distance, static_cast<Wide>(m.error()))
          << a.value() << " +- " << a.error() << " and " << b.value() << " +- " << b.error();
    }
  }
  EXPECT_GT(crossed, 500);
  for (const Measured& m : {least(exact(1.0), within(1.5, 2.0)), least(within(1.5, 2.0), exact(1.0))}) {
    EXPECT_EQ(m.value(), 1.0);
    EXPECT_EQ(m.error(), 2.0) << "the exact least may be -0.5";
    EXPECT_EQ(m.by(), within(1.5, 2.0).by());
  }
  EXPECT_EQ(least(exact(1.0), exact(1.5)).by(), Measured::By::exact);
}

TEST(Measured, FunctionsOfOneVariable) {
  Rng rng(2);
  for (int k = 0; k < 2000; ++k) {
    const double x = 3.0 * rng.normal(), e = 1e-3 * rng.uniform(), y = x + e * (2.0 * rng.uniform() - 1.0);
    EXPECT_LE(std::fabs(exp(within(x, e)).value() - std::exp(y)), exp(within(x, e)).error() * (1.0 + 1e-12));
    const double p = std::fabs(x) + 0.01, q = std::fabs(y) + 0.01;
    EXPECT_LE(std::fabs(log(within(p, e)).value() - std::log(q)), log(within(p, e)).error() * (1.0 + 1e-12));
  }
  EXPECT_EQ(log(within(1e-5, 1e-3)).error(), kInf) << "the exact number may be 0";
  EXPECT_EQ((exact(1.0) / within(1e-5, 1e-3)).error(), kInf);
  EXPECT_EQ(rounded(1.0, -3.0).error(), theory::rounding({3.0}));
  EXPECT_DOUBLE_EQ(theory::rounding({1.0, -3.0}), 256.0 * std::numeric_limits<double>::epsilon() + 1e-300);
}

TEST(Measured, BoundsHoldAtTheEndsOfTheRange) {
  EXPECT_GE(exp(within(-800.0, 700.0)).error(), std::exp(-100.0) * (1.0 - 1e-12))
      << "the exact number may be e^-100";
  EXPECT_EQ(within(0.5, -1.0).error(), kInf);
  EXPECT_EQ(within(0.5, kNaN).error(), kInf);
  EXPECT_EQ(theory::sampled(0.5, -1.0).error(), kInf);
  EXPECT_GT((exact(0x1p-600) * within(0x1p300, 0x1p-600)).error(), 0.0)
      << "an error that underflows is still one";
  const Measured root = sqrt(within(-1e-20, 1e-18));
  EXPECT_EQ(root.value(), 0.0);
  EXPECT_GE(root.error(), 9.9e-10);
  EXPECT_TRUE(std::isnan(sqrt(within(-1.0, 0.5)).value()));
}

TEST(Measured, TheLaterKindOfErrorCounts) {
  const Measured mean = theory::sampled(1.0, 0.1);
  EXPECT_DOUBLE_EQ(mean.error(), 0.5);
  EXPECT_EQ((exact(2.0) * mean).by(), Measured::By::sampling);
  EXPECT_EQ((rounded(2.0) + theory::integrated(1.0, 1e-6)).by(), Measured::By::integration);
  EXPECT_FALSE(mean.certain());
  EXPECT_TRUE(std::isnan(Measured().value()));
}

TEST(Inequality, IsDecidedByItsErrors) {
  EXPECT_TRUE((exact(1.0) <= exact(1.0)).proved());
  EXPECT_TRUE((exact(1.0) < exact(1.0)).disproved());
  EXPECT_FALSE((rounded(1.0) <= exact(1.0)).proved());
  EXPECT_TRUE((rounded(1.0) <= exact(1.0)).holds());
  EXPECT_TRUE((within(1.0 + 1e-16, 1e-15) <= exact(1.0)).holds());
  EXPECT_FALSE((within(1.1, 1e-15) <= exact(1.0)).holds());
  EXPECT_TRUE((within(1.1, 1e-15) <= exact(1.0)).disproved());
  EXPECT_FALSE((within(0.0, 1.0) < exact(0.0)).holds()) << "rounding is not forgiven where it is strict";
  EXPECT_FALSE((within(kInf, kInf) <= exact(1.0)).holds()) << "an infinite tolerance forgives nothing";
  EXPECT_FALSE((within(2.0, kNaN) <= exact(1.0)).holds());
  for (const Inequality& q :
       {exact(kNaN) <= exact(1.0), exact(1.0) == exact(kNaN), Measured() < exact(0.0)}) {
    EXPECT_FALSE(q.holds() || q.proved() || q.disproved());
  }
  EXPECT_TRUE((exact(1.0) <= exact(kInf)).proved());
  EXPECT_FALSE((within(0.0, 1.0) < exact(1.0)).proved()) << "the exact number may be 1";
  EXPECT_FALSE((within(0.0, 1.0) < exact(1.0)).disproved());
  EXPECT_TRUE((exact(kInf) <= exact(1.0)).disproved()) << "an infinite side against a finite one";
  EXPECT_TRUE((exact(1.0) == exact(kInf)).disproved());
  // Nothing is known of two infinities, nor of a number with an infinite or a negative error.
  for (const Inequality& q :
       {exact(kInf) <= exact(kInf), exact(-kInf) == exact(-kInf), exact(kInf) < exact(kInf),
        within(0.5, kInf) <= exact(1.0), within(0.5, -0.1) <= exact(1.0), within(2.0, -0.1) <= exact(1.0),
        within(0.5, -kInf) < exact(1.0), rounded(kInf) <= exact(1.0)})
    EXPECT_FALSE(q.holds() || q.proved() || q.disproved()) << q.to_string();
  EXPECT_TRUE((within(1.0, 0.1) == within(1.15, 0.1)).holds());
  EXPECT_TRUE((within(1.0, 0.1) == exact(1.15)).disproved());
  EXPECT_FALSE((within(1.0, 0.1) == exact(1.0)).proved()) << "no identity is proved by rounded numbers";
  EXPECT_FALSE((theory::sampled(0.0, 1e-9) <= exact(1.0)).proved());
  EXPECT_FALSE((theory::sampled(2.0, 1e-9) <= exact(1.0)).disproved());
}

TEST(Inequality, PrintsDigitsUntilItsSidesCanBeToldApart) {
  EXPECT_EQ((exact(1.5) <= exact(1.0)).to_string(), "1.5 <= 1");
  EXPECT_EQ((exact(1.0 + 0x1p-52) <= exact(1.0)).to_string(), "1.0000000000000002 <= 1");
  EXPECT_EQ((exact(1.0) <= exact(1.0)).to_string(), "1 <= 1");
}

TEST(Measured, BetweenTwoBounds) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  const Measured one = theory::enclosed(2.0, 2.0), wide = theory::enclosed(1.0, 4.0);
  EXPECT_EQ(one.value(), 2.0);
  EXPECT_EQ(one.error(), 0.0);
  EXPECT_TRUE(one.certain());
  EXPECT_EQ(wide.value(), 2.5);
  EXPECT_GE(wide.error(), 1.5);
  EXPECT_LT(wide.error(), 1.5 + 1e-15);
  EXPECT_STREQ(to_string(wide.by()), "enclosure");
  for (const auto& [lower, upper] : {std::pair{-kInfinite, 1.0},
                                     {-1.0, kInfinite},
                                     {0.0, kInfinite},
                                     {-kInfinite, 0.0},
                                     {2.0, 1.0},
                                     {-kInfinite, kInfinite},
                                     {std::nan(""), 1.0},
                                     {1.0, std::nan("")}}) {
    const Measured unknown = theory::enclosed(lower, upper);
    EXPECT_TRUE(std::isnan(unknown.value()) && std::isinf(unknown.error())) << lower << " " << upper;
  }
}

TEST(Measured, BeyondTheRangeOfDoublesTheSignIsKept) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ(theory::enclosed(1e308, kInfinite).value(), kInfinite);
  EXPECT_EQ(theory::enclosed(-kInfinite, -1e308).value(), -kInfinite);
  EXPECT_EQ(theory::enclosed(1e-300, kInfinite).value(), kInfinite);
  EXPECT_EQ(theory::enclosed(kInfinite, kInfinite).error(), 0.0);
  EXPECT_EQ(theory::enclosed(-kInfinite, -1e-300).error(), 0.0);
}

// A difference that is known better than the two sides decides.
TEST(Inequality, ItsDifferenceDecides) {
  theory::Inequality q = theory::rounded(1.0) <= theory::rounded(1.0);
  EXPECT_FALSE(q.proved() || q.disproved());
  q.difference = theory::enclosed(1e-30, 1e-30);
  EXPECT_TRUE(q.proved());
  EXPECT_EQ(q.margin(), 1e-30);
  EXPECT_EQ(q.tolerance(), 0.0);
  EXPECT_EQ(q.by(), Measured::By::enclosure);
  q.difference = theory::enclosed(-1e-30, -1e-30);
  EXPECT_TRUE(q.disproved());
  q.difference = theory::within(1.0, std::numeric_limits<double>::infinity());
  EXPECT_FALSE(q.holds() || q.proved() || q.disproved());
  q.difference = theory::sampled(1.0, 0.0);
  EXPECT_FALSE(q.certain());
}

}  // namespace
}  // namespace cotangent
