// The plain loops: right, and of the same bits at every processor level.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/kernels/levels.hpp"
#include "autodiff/rng.hpp"

namespace cotangent {
namespace {

using kernel::Loops;
using Numbers = std::vector<double>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Numbers draw(Rng& rng, std::int64_t n) {
  Numbers x(static_cast<std::size_t>(n));
  for (double& v : x) v = rng.normal();
  return x;
}

void expect_same_bits(const Numbers& a, const Numbers& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(a[i]), std::bit_cast<std::uint64_t>(b[i]))
        << what << ", number " << i;
  }
}

struct Sizes {
  std::int64_t outer, middle, inner;
};
// Fewer columns than a block of sums and more; rows no multiple of four or eight; one of anything; none.
const std::vector<Sizes> kSizes{
    {1, 1, 1},  {1, 7, 1},   {1, 100, 1}, {3, 33, 1},   {1, 64, 2}, {2, 71, 3},  {1, 200, 15}, {2, 9, 15},
    {1, 5, 16}, {1, 64, 16}, {2, 13, 17}, {1, 130, 40}, {3, 6, 33}, {1, 3, 100}, {2, 0, 5},    {0, 4, 4}};
// Too many for the caches, in narrow and in wide rows.
const std::vector<Sizes> kLargeSizes{{1, 13500, 10}, {1, 1301, 101}, {1, 27, 5003}};
using Middle = void (*Loops::*)(double*, const double*, std::int64_t, std::int64_t, std::int64_t);

Numbers along(const Loops& loops, Middle which, const Numbers& x, const Sizes& s) {
  Numbers y(static_cast<std::size_t>(s.outer * s.inner), 99.0);
  (loops.*which)(y.data(), x.data(), s.outer, s.middle, s.inner);
  return y;
}

// One after another, in extended precision.
Numbers plainly(Middle which, const Numbers& x, const Sizes& s) {
  Numbers y;
  for (std::int64_t o = 0; o < s.outer; ++o)
    for (std::int64_t k = 0; k < s.inner; ++k) {
      long double total = which == &Loops::max_middle ? -kInf : which == &Loops::min_middle ? kInf : 0.0L;
      for (std::int64_t m = 0; m < s.middle; ++m) {
        const long double v = x[static_cast<std::size_t>((o * s.middle + m) * s.inner + k)];
        if (which == &Loops::sum_middle) total += v;
        if (which == &Loops::sum_squares_middle) total += v * v;
        if (which == &Loops::max_middle) total = std::max(total, v);
        if (which == &Loops::min_middle) total = std::min(total, v);
      }
      y.push_back(static_cast<double>(total));
    }
  return y;
}

TEST(Loops, ReductionsAlongAnyAxis) {
  Rng rng(1);
  const std::vector<std::pair<std::string, Middle>> reductions{{"sum", &Loops::sum_middle},
                                                               {"squares", &Loops::sum_squares_middle},
                                                               {"max", &Loops::max_middle},
                                                               {"min", &Loops::min_middle}};
  std::vector<Sizes> sizes = kSizes;
  sizes.insert(sizes.end(), kLargeSizes.begin(), kLargeSizes.end());
  for (const Sizes& s : sizes) {
    const Numbers x = draw(rng, s.outer * s.middle * s.inner);
    for (const auto& [name, which] : reductions) {
      const std::string what = name + " of [" + std::to_string(s.outer) + ", " + std::to_string(s.middle) +
                               ", " + std::to_string(s.inner) + "]";
      if (s.middle == 0 && (name == "max" || name == "min")) continue;  // not asked for
      const Numbers first = along(*kernel::levels().front().loops, which, x, s), exact = plainly(which, x, s);
      for (std::size_t i = 0; i < exact.size(); ++i)
        EXPECT_NEAR(first[i], exact[i],
                    1e-15 * static_cast<double>(s.middle + 1) * (1.0 + std::fabs(exact[i])))
            << what << ", number " << i;
      for (const kernel::Level& level : kernel::levels())
        expect_same_bits(along(*level.loops, which, x, s), first, what + " at " + level.name);
    }
  }
}

// Where zero is must not matter, nor may an outlier that comes first, or many numbers after few.
TEST(Loops, SquaredDeviationsFromTheMean) {
  Rng rng(5);
  std::vector<Sizes> sizes = kSizes;
  sizes.insert(sizes.end(), kLargeSizes.begin(), kLargeSizes.end());
  for (const Sizes& more : {Sizes{1, 1031, 1}, Sizes{2, 5003, 1}, Sizes{1, 515, 3}, Sizes{1, 71, 130}})
    sizes.push_back(more);
  for (const Sizes& s : sizes)
    for (const auto& [centre, first] : {std::pair{0.0, 0.0}, {1e9, 0.0}, {-3.0, 1e3}}) {
      if (s.middle == 0) continue;
      Numbers x = draw(rng, s.outer * s.middle * s.inner);
      for (double& v : x) v += centre;
      for (std::int64_t o = 0; o < s.outer; ++o)
        for (std::int64_t k = 0; k < s.inner; ++k)
          x[static_cast<std::size_t>(o * s.middle * s.inner + k)] += first;
      const auto of = [&](const Loops& loops) {
        Numbers y(static_cast<std::size_t>(s.outer * s.inner), 99.0);
        Numbers room(static_cast<std::size_t>(5 * s.inner));
        loops.deviations_middle(y.data(), room.data(), x.data(), s.outer, s.middle, s.inner);
        return y;
      };
      const std::string what = "deviations of [" + std::to_string(s.outer) + ", " + std::to_string(s.middle) +
                               ", " + std::to_string(s.inner) + "] around " + std::to_string(centre);
      const Numbers found = of(*kernel::levels().front().loops);
      for (std::int64_t i = 0; i < s.outer * s.inner; ++i) {
        const std::int64_t at = i / s.inner * s.middle * s.inner + i % s.inner;
        long double mean = 0.0L, squares = 0.0L;
        for (std::int64_t m = 0; m < s.middle; ++m) mean += x[static_cast<std::size_t>(at + m * s.inner)];
        for (std::int64_t m = 0; m < s.middle; ++m) {
          const long double v =
              x[static_cast<std::size_t>(at + m * s.inner)] - mean / static_cast<long double>(s.middle);
          squares += v * v;
        }
        EXPECT_NEAR(found[static_cast<std::size_t>(i)], static_cast<double>(squares),
                    (1.6e-14 + 1e-17 * static_cast<double>(s.middle)) * (1.0 + static_cast<double>(squares)))
            << what << ", number " << i;
      }
      for (const kernel::Level& level : kernel::levels())
        expect_same_bits(of(*level.loops), found, what + " at " + level.name);
    }
}

TEST(Loops, ExtremesKeepANanWhereverItStands) {
  Rng rng(2);
  for (const Sizes& s : kSizes) {
    if (s.outer == 0 || s.middle == 0) continue;
    for (std::int64_t at = 0; at < s.middle; ++at) {
      Numbers x = draw(rng, s.outer * s.middle * s.inner);
      x[static_cast<std::size_t>(at * s.inner)] = kNan;
      if (s.middle > 1) x[static_cast<std::size_t>((at ? at - 1 : 1) * s.inner)] = kInf;
      for (const kernel::Level& level : kernel::levels())
        for (const Middle which : {&Loops::max_middle, &Loops::min_middle}) {
          const Numbers y = along(*level.loops, which, x, s);
          EXPECT_TRUE(std::isnan(y[0])) << level.name << ", NaN at " << at << " of " << s.middle;
          for (std::size_t i = 1; i < y.size(); ++i) EXPECT_FALSE(std::isnan(y[i]));
        }
    }
  }
}

TEST(Loops, ExtremesOfRowsOfEveryLength) {
  Rng rng(4);
  for (std::int64_t n = 1; n <= 100; ++n) {
    const Sizes s{3, n, 1};
    const Numbers plain = draw(rng, 3 * n);
    for (const double special : {kNan, kInf, -kInf, 0.0})
      for (std::int64_t at = 0; at < n; ++at) {
        Numbers x = plain;
        x[static_cast<std::size_t>(n + at)] = special;
        const auto first = x.begin() + n, last = first + n;
        const bool none = std::isnan(special);
        for (const kernel::Level& level : kernel::levels()) {
          const Numbers top = along(*level.loops, &Loops::max_middle, x, s);
          const Numbers least = along(*level.loops, &Loops::min_middle, x, s);
          ASSERT_EQ(std::isnan(top[1]), none) << level.name << ", " << n << " numbers, at " << at;
          ASSERT_EQ(std::isnan(least[1]), none);
          if (none) continue;
          ASSERT_EQ(top[1], *std::max_element(first, last))
              << level.name << ", " << n << " numbers, at " << at;
          ASSERT_EQ(least[1], *std::min_element(first, last));
          ASSERT_EQ(top[2], *std::max_element(last, x.end()));
        }
      }
  }
}

TEST(Loops, SumsAndElementwiseOnesHaveTheSameBits) {
  Rng rng(3);
  for (const std::int64_t n : {0, 1, 7, 8, 9, 31, 64, 1001}) {
    Numbers x = draw(rng, n), g = draw(rng, n);
    if (n > 6) x[1] = 0.0, x[2] = -0.0, x[3] = kNan, x[4] = kInf, x[5] = -kInf;
    const auto all = [&](const Loops& loops) {
      Numbers made, y(static_cast<std::size_t>(n));
      const auto keep = [&] { made.insert(made.end(), y.begin(), y.end()); };
      loops.leaky_relu(y.data(), x.data(), 0.1, n), keep();
      loops.leaky_mask(y.data(), g.data(), x.data(), 0.1, n), keep();
      loops.add(y.data(), g.data(), x.data(), n), keep();
      y = g, loops.add_to(y.data(), g.data(), n), keep();
      y = g, loops.add_scaled_to(y.data(), 0.3, x.data(), n), keep();
      y = g, loops.add_multiple(y.data(), x.data(), 0.3, y.data(), n), keep();
      loops.add_multiple(y.data(), x.data(), 0.3, g.data(), n), keep();
      made.push_back(loops.sum(g.data(), n));
      made.push_back(loops.dot(g.data(), g.data(), n));
      return made;
    };
    const Numbers first = all(*kernel::levels().front().loops);
    for (const kernel::Level& level : kernel::levels())
      expect_same_bits(all(*level.loops), first, level.name);
  }
}

// y may be x, z or both.
TEST(Loops, AddMultipleOntoItsOperands) {
  Rng rng(7);
  for (const std::int64_t n : {1, 7, 8, 9, 999, 1000, 1001, 4096}) {
    const Numbers a = draw(rng, n), b = draw(rng, n);
    const auto expected = [&](const Numbers& x, const Numbers& z) {
      Numbers y;
      for (std::size_t i = 0; i < x.size(); ++i) y.push_back(x[i] + 0.3 * z[i]);
      return y;
    };
    for (const kernel::Level& level : kernel::levels()) {
      const std::string what = std::string(level.name) + ", of " + std::to_string(n);
      Numbers y = b;
      level.loops->add_multiple(y.data(), a.data(), 0.3, y.data(), n);
      expect_same_bits(y, expected(a, b), what + ", y is z");
      y = a;
      level.loops->add_multiple(y.data(), y.data(), 0.3, b.data(), n);
      expect_same_bits(y, expected(a, b), what + ", y is x");
      y = a;
      level.loops->add_multiple(y.data(), y.data(), 0.3, y.data(), n);
      expect_same_bits(y, expected(a, a), what + ", y is both");
      y = Numbers(a.size() + 1, 99.0);
      level.loops->add_multiple(y.data(), a.data(), 0.3, b.data(), n);
      EXPECT_EQ(y.back(), 99.0);
      // What is added onto another array, to its last number and no further.
      for (const bool scaled : {false, true}) {
        y = a;
        y.push_back(99.0);
        scaled ? level.loops->add_scaled_to(y.data(), 0.3, b.data(), n)
               : level.loops->add_to(y.data(), b.data(), n);
        Numbers sum;
        for (std::size_t i = 0; i < a.size(); ++i) sum.push_back(a[i] + (scaled ? 0.3 * b[i] : b[i]));
        sum.push_back(99.0);
        expect_same_bits(y, sum, what + (scaled ? ", scaled" : ", added"));
      }
    }
  }
}

TEST(Loops, OuterProducts) {
  Rng rng(4);
  for (const auto& [p, q] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 1}, {3, 5}, {1, 511}, {70, 31}, {600, 1}, {0, 3}, {3, 0}}) {
    const Numbers left = draw(rng, p), right = draw(rng, q);
    Numbers expected, twice;
    for (const double a : left)
      for (const double b : right) expected.push_back(a * b), twice.push_back(a * b + a * b);
    for (const kernel::Level& level : kernel::levels()) {
      const std::string what =
          std::string(level.name) + ", [" + std::to_string(p) + ", " + std::to_string(q) + "]";
      Numbers y(expected.size(), 99.0);
      level.loops->outer(y.data(), left.data(), p, right.data(), q);
      expect_same_bits(y, expected, what);
      level.loops->outer_add(y.data(), left.data(), p, right.data(), q);
      expect_same_bits(y, twice, what);
    }
  }
}

TEST(Loops, LeakyReluAndItsMaskGoBySign) {
  const Numbers x{2.0, 0.0, -0.0, -2.0, kNan, kInf, -kInf};
  for (const kernel::Level& level : kernel::levels()) {
    Numbers y(x.size());
    level.loops->leaky_relu(y.data(), x.data(), 3.0, 7);
    expect_same_bits(y, {2.0, 0.0, -0.0, -6.0, kNan, kInf, -kInf}, level.name);
    const Numbers ones(7, 1.0);
    level.loops->leaky_mask(y.data(), ones.data(), x.data(), 3.0, 7);
    expect_same_bits(y, {1.0, 1.0, 1.0, 3.0, kNan, 1.0, 3.0}, level.name);
  }
}

TEST(Loops, FindsTheFirstNumberThatEqualsAnother) {
  for (const kernel::Level& level : kernel::levels())
    for (std::int64_t n = 0; n <= 100; ++n)
      for (std::int64_t at = 0; at <= n; ++at) {
        Numbers x(static_cast<std::size_t>(n), 0.5);
        if (n > 0) x[static_cast<std::size_t>(n / 2)] = kNan;
        for (std::int64_t i = at; i < n; i += 5) x[static_cast<std::size_t>(i)] = 1.0;
        EXPECT_EQ(level.loops->find(x.data(), 1.0, n), at) << level.name << ", " << n << " numbers";
      }
}

TEST(Loops, FindsANumberThatIsNearest) {
  Rng rng(12);
  for (std::int64_t n = 1; n <= 70; ++n) {
    Numbers x = draw(rng, n);
    if (n > 3) x[static_cast<std::size_t>(n / 3)] = kNan;
    for (const double centre : {-3.0, 0.0, 0.7, x[static_cast<std::size_t>(n - 1)]}) {
      double least = kInf;
      for (const double v : x) least = std::fmin(least, std::fabs(v - centre));
      const Numbers first{kernel::levels()[0].loops->nearest(x.data(), centre, n)};
      EXPECT_EQ(std::fabs(first[0] - centre), least) << n << " numbers";
      for (const kernel::Level& level : kernel::levels())
        expect_same_bits({level.loops->nearest(x.data(), centre, n)}, first, level.name);
    }
    EXPECT_EQ(std::bit_cast<std::uint64_t>(kernel::loops().nearest(x.data(), kNan, n)),
              std::bit_cast<std::uint64_t>(x[0]));
  }
}

}  // namespace
}  // namespace cotangent
