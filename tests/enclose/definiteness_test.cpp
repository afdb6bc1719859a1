// Positive definiteness of enclosed matrices.
#include "enclose/definiteness.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;

TEST(Definiteness, IsProvedToTheLastDigit) {
  const Enclosure k = enclosure_of(Tensor{{2.0, 1.0}, {1.0, 2.0}});
  EXPECT_TRUE(certainly_positive_definite(k));
  EXPECT_TRUE(certainly_positive_definite(k, std::nextafter(1.0, 0.0)));
  EXPECT_FALSE(certainly_positive_definite(k, 1.0));
  EXPECT_FALSE(certainly_positive_definite(k, std::nextafter(1.0, 2.0)));
  EXPECT_FALSE(certainly_positive_definite(enclosure_of(Tensor{{0.0}})));
  EXPECT_TRUE(certainly_positive_definite(enclosure_of(Tensor{{5e-324}})));
  EXPECT_TRUE(certainly_positive_definite(enclosure_of(Tensor{{-1.0}}), -1.5));
  // What takes more bits than a double has: 1 - 2^-60 as the pivot of a matrix that doubles see as singular.
  const double near = 1.0 + 0x1p-30;
  EXPECT_TRUE(certainly_positive_definite(enclosure_of(Tensor{{1.0, near}, {near, near * near + 0x1p-51}})));
  EXPECT_FALSE(certainly_positive_definite(enclosure_of(Tensor{{1.0, near}, {near, 1.0 + 0x1p-29}})));
  // And up to some hundred: entries of 1e300 beside one of 1e-300.
  EXPECT_TRUE(certainly_positive_definite(
      enclosure_of(Tensor{{1e300, 1e-10, 0.0}, {1e-10, 1e-300, 0.0}, {0.0, 0.0, 1.0}})));
}

/// Binomial coefficients (i + j over i), of determinant 1: the smallest eigenvalue is 1 / the largest.
Tensor pascal(Index n) {
  std::vector<double> entries(static_cast<std::size_t>(n * n), 1.0);
  for (Index i = 1; i < n; ++i)
    for (Index j = 1; j < n; ++j)
      entries[static_cast<std::size_t>(i * n + j)] =
          entries[static_cast<std::size_t>(i * n + j - 1)] + entries[static_cast<std::size_t>(i * n - n + j)];
  return Tensor::from(entries, {n, n});
}

// Of a condition beyond doubles, 2^50 and 2^112: with as many bits as it takes and the entries have.
TEST(Definiteness, TakesAsManyBitsAsItNeeds) {
  for (const Index n : {13, 28}) {
    const Tensor k = pascal(n);
    const double below = 0.5 / trace(k).item();
    EXPECT_TRUE(certainly_positive_definite(enclosure_of(k), below)) << n;
    EXPECT_FALSE(certainly_positive_definite(enclosure_of(k), 4.0 * below)) << n;
    const auto third = [&](const Var& w) { return w / 3.0 * Var(k); };
    for (const int bits : {64, 128, 256})
      EXPECT_EQ(certainly_positive_definite(
                    enclose(third, Tensor::scalar(3.3), {.bits = bits, .most_bits = bits}), below),
                bits >= (n == 13 ? 128 : 256))
          << n << " with " << bits;
  }
}

TEST(Definiteness, SingularMatricesGetNoProofAtAnyScale) {
  Rng rng(5);
  for (const double scale : {1.0, 0x1p-600, 0x1p500}) {
    const Tensor j = rng.normal({6});
    std::vector<double> entries;
    // Short numbers, so that their products are exact.
    for (Index a = 0; a < 6; ++a)
      for (Index b = 0; b < 6; ++b)
        entries.push_back(std::round(64.0 * j(a)) * std::round(64.0 * j(b)) * scale);
    const Enclosure k = enclosure_of(Tensor::from(entries, {6, 6}));
    EXPECT_FALSE(certainly_positive_definite(k)) << scale;
    EXPECT_TRUE(certainly_positive_definite(k, -0x1p-40 * scale)) << scale;
  }
}

TEST(Definiteness, OfBallsHoldsForEveryMatrixInThem) {
  const auto f = [](const Var& w) { return diag(w) + 0.25; };
  const Enclosure wide = enclose(f, Box{Tensor{1.0, 0.5, 2.0}, Tensor{1.5, 0.75, 3.0}});
  EXPECT_TRUE(certainly_positive_definite(wide));
  EXPECT_TRUE(certainly_positive_definite(wide, 0.499));
  EXPECT_FALSE(certainly_positive_definite(wide, 0.75));  // true of some of them
  const Enclosure indefinite = enclose(f, Box{Tensor{1.0, -0.5, 2.0}, Tensor{1.5, 0.5, 3.0}});
  EXPECT_FALSE(certainly_positive_definite(indefinite));
  const Enclosure unknown =
      enclose([](const Var& w) { return diag(log(w)); }, Box{Tensor{-1.0}, Tensor{1.0}});
  EXPECT_FALSE(certainly_positive_definite(unknown));
  // Entries off the diagonal that are known less well than they are equal: the mean of both.
  const Enclosure off = enclose(
      [](const Var& w) {
        return reshape(gather_rows(w, Tensor{0, 1, 2, 0}), {2, 2});
      },
      Box{Tensor{3.0, 0.9, 1.0}, Tensor{3.0, 1.1, 1.2}});
  EXPECT_TRUE(certainly_positive_definite(off, 1.8));
}

TEST(Definiteness, RayleighQuotientsBoundTheSmallestEigenvalueFromAbove) {
  const Enclosure k = enclosure_of(Tensor{{2.0, 1.0}, {1.0, 2.0}});
  const Enclosure q = rayleigh_quotient(k, Tensor{1.0, -1.0});
  EXPECT_EQ(q.lower().item(), 1.0);
  EXPECT_EQ(q.upper().item(), 1.0);
  EXPECT_EQ(rayleigh_quotient(k, Tensor{1.0, 1.0}).lower().item(), 3.0);
  const Enclosure third =
      rayleigh_quotient(enclosure_of(Tensor{{1.0, 0.0}, {0.0, 0.0}}), Tensor{1.0, M_SQRT2});
  EXPECT_LT(third.lower().item(), third.upper().item());
  EXPECT_NEAR(third.lower().item(), 1.0 / 3.0, 1e-15);
  // Numbers so far apart that their squares' sum is rounded.
  EXPECT_NEAR(rayleigh_quotient(k, Tensor{1.0, 1e-60}).upper().item(), 2.0, 1e-15);
}

TEST(Definiteness, Errors) {
  const auto positive = [](const Tensor& k, double mu = 0.0) {
    certainly_positive_definite(enclosure_of(k), mu);
  };
  EXPECT_EQ(error_of<ShapeError>([&] {
              positive(Tensor{{1.0, 2.0}});
            }),
            "[certainly_positive_definite] the matrix is [1, 2]; it must be square and not empty");
  EXPECT_THROW(positive(Tensor{1.0}), ShapeError);
  EXPECT_THROW(positive(Tensor::zeros({0, 0})), ShapeError);
  EXPECT_EQ(error_of<DomainError>([&] {
              positive(Tensor{{1.0, 0.0, 0.0}, {0.0, 1.0, 0.5}, {0.0, 0.25, 1.0}});
            }),
            "[certainly_positive_definite] the matrix is not symmetric: 0.25000000000000000 at [2, 1], "
            "0.50000000000000000 at [1, 2]");
  EXPECT_EQ(error_of<DomainError>([&] { positive(Tensor{{1.0}}, NAN); }),
            "[certainly_positive_definite] mu is nan; give a finite number");
  EXPECT_THROW(positive(Tensor{{1.0}}, INFINITY), DomainError);
  const Enclosure k = enclosure_of(Tensor{{1.0, 0.5}, {0.5, 1.0}});
  EXPECT_EQ(error_of<ShapeError>([&] { rayleigh_quotient(k, Tensor{1.0}); }),
            "[rayleigh_quotient] v is [1], the matrix [2, 2]; give a number for each row");
  EXPECT_EQ(error_of<DomainError>([&] {
              rayleigh_quotient(k, Tensor{0.0, 0.0});
            }),
            "[rayleigh_quotient] v must be finite and not 0");
  EXPECT_THROW(rayleigh_quotient(k, Tensor{1.0, NAN}), DomainError);
}

}  // namespace
}  // namespace cotangent
