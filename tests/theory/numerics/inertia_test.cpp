// Proofs that a matrix is positive definite: against eigenvalues known exactly, and never
// of a false statement.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "theory/spectrum.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::certify_positive_definite;

/// 2 on the diagonal and -1 beside it: lambda_min = 2 - 2 cos(pi / (n + 1)).
Tensor second_difference(Index n) {
  std::vector<double> a(static_cast<std::size_t>(n * n));
  for (Index i = 0; i < n; ++i) {
    a[static_cast<std::size_t>(i * (n + 1))] = 2.0;
    if (i > 0)
      a[static_cast<std::size_t>(i * n + i - 1)] = a[static_cast<std::size_t>((i - 1) * n + i)] = -1.0;
  }
  return Tensor::from(a, Shape{n, n});
}

TEST(PositiveDefinite, TheSmallestEigenvalueOfTheSecondDifference) {
  for (const Index n : {1, 2, 7, 60, 200}) {
    const double s = std::sin(0.5 * std::numbers::pi / static_cast<double>(n + 1));
    const double least = 4.0 * s * s;
    const Tensor k = second_difference(n);
    const theory::PositiveDefinite below = certify_positive_definite(k, least - 1e-9);
    EXPECT_TRUE(below) << n;
    EXPECT_GT(below.margin, 0.0);
    EXPECT_LT(below.margin, 1e-15 * static_cast<double>(n * n + 10));
    EXPECT_TRUE(certify_positive_definite(k, least - 3.0 * below.margin)) << n;
    EXPECT_FALSE(certify_positive_definite(k, least * (1.0 + 1e-15))) << n;
    EXPECT_FALSE(certify_positive_definite(k, least + 1e-9)) << n;
    EXPECT_TRUE(certify_positive_definite(k)) << n;
  }
}

TEST(PositiveDefinite, NoSingularMatrixIsEverCalledDefinite) {
  Rng rng(3);
  for (int trial = 0; trial < 300; ++trial) {
    const Index n = 2 + rng.below(30), rank = 1 + rng.below(n - 1);
    std::vector<double> whole(static_cast<std::size_t>(n * rank));
    for (double& v : whole) v = static_cast<double>(rng.below(2001) - 1000);
    const Tensor b = Tensor::from(whole, Shape{n, rank});
    const Tensor k = matmul(b, b, {.transpose_b = true}).value();  // of whole numbers, so exactly singular
    EXPECT_FALSE(certify_positive_definite(k));
    const theory::PositiveDefinite shifted = certify_positive_definite(k, -1e-5);
    EXPECT_TRUE(shifted) << n << " of rank " << rank << ", margin " << shifted.margin;
  }
}

TEST(PositiveDefinite, TwoByTwoAgainstExactDeterminants) {
  Rng rng(4);
  int definite = 0, proved = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    // a c - b^2 of whole numbers below 2^52, decided in 128 bits, around 0.
    const Index x = 1 + rng.below(1 << 26), y = 1 + rng.below(1 << 26);
    const auto a = static_cast<__int128>(x) * x, b = static_cast<__int128>(x) * y;
    const auto c = static_cast<__int128>(y) * y + rng.below(33) - 16;
    const bool truth = a * c > b * b && c > 0;
    const auto number = [](__int128 v) { return static_cast<double>(v); };
    const Tensor k{{number(a), number(b)}, {number(b), number(c)}};
    definite += truth;
    const bool claim = certify_positive_definite(k).proved;
    proved += claim;
    EXPECT_TRUE(truth || !claim) << number(a) << ' ' << number(b) << ' ' << number(c);
  }
  EXPECT_GT(definite, 5000);
  EXPECT_GT(proved, 1000) << "a checker that proves nothing is of no use";
}

TEST(PositiveDefinite, AnAsymmetryOfRoundingIsAveraged) {
  Tensor k{{2.0, 1.0 + 0x1p-50}, {1.0, 2.0}};
  EXPECT_TRUE(certify_positive_definite(k, 1.0 - 1e-14));
  EXPECT_FALSE(certify_positive_definite(k, 1.0));
  EXPECT_GT(certify_positive_definite(k).margin,
            certify_positive_definite(Tensor{{2.0, 1.0}, {1.0, 2.0}}).margin);
}

TEST(PositiveDefinite, NumbersOfExtremeSizeProveNothingFalse) {
  const double huge = 1e308, tiny = std::numeric_limits<double>::denorm_min();
  EXPECT_FALSE(certify_positive_definite(Tensor{{huge, huge}, {huge, huge}}));
  EXPECT_FALSE(certify_positive_definite(Tensor{{tiny, 0.0}, {0.0, 1.0}}));
  // 1e308 / sqrt(1e-12) overflows, and inf * 0 is NaN.
  EXPECT_FALSE(
      certify_positive_definite(Tensor{{1e300, 0.0, huge}, {0.0, 1e300, huge}, {huge, huge, 1e300}}));
  const double wide = 1e-200;
  EXPECT_FALSE(
      certify_positive_definite(Tensor{{wide, 0.0, huge}, {0.0, wide, 0.0}, {huge, 0.0, huge}}, -1e-250));
  EXPECT_FALSE(certify_positive_definite(Tensor{{-1.0}}));
  EXPECT_FALSE(certify_positive_definite(Tensor{{0.0}}));
  EXPECT_TRUE(certify_positive_definite(Tensor{{1e-300}}));
  EXPECT_TRUE(certify_positive_definite(Tensor{{1e200, 1.0}, {1.0, 1e200}}, 9e199));
}

TEST(PositiveDefinite, BadInputIsRefused) {
  const auto message = [](const Tensor& k, double mu) -> std::string {
    try {
      certify_positive_definite(k, mu);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_THAT(message(Tensor{{1.0, 2.0, 3.0}}, 0.0),
              HasSubstr("[certify_positive_definite] the matrix is [1, 3]; it must be square"));
  EXPECT_THAT(message(Tensor{{1.0, NAN}, {NAN, 1.0}}, 0.0), HasSubstr("eigenvalues need finite numbers"));
  EXPECT_THAT(message(Tensor{{1.0, 2.0}, {1.0, 1.0}}, 0.0), HasSubstr("not symmetric"));
  EXPECT_THAT(message(Tensor{{1.0}}, NAN), HasSubstr("[certify_positive_definite] mu is nan; give a finite"));
}

}  // namespace
}  // namespace cotangent
