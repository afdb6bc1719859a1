// Divisions of the samples: what is held out, how much of it, and that nothing is lost.
#include "optim/data.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "autodiff/error.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::optim {
namespace {

using test::error_of;

/// Whether the batches are 0 .. n-1 together, each sample once, and each of them ascends.
void expect_division(Index n, const std::vector<Batch>& parts) {
  std::vector<Index> all;
  for (const Batch& part : parts) {
    EXPECT_EQ(part.total(), n);
    const std::vector<Index> samples = part.indices();
    EXPECT_TRUE(std::is_sorted(samples.begin(), samples.end()));
    all.insert(all.end(), samples.begin(), samples.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<Index> expected(static_cast<std::size_t>(n));
  std::iota(expected.begin(), expected.end(), Index{0});
  EXPECT_EQ(all, expected);
}

TEST(Split, DividesAllSamples) {
  struct Case {
    Index n;
    SplitOptions options;
    Index training, validation, test;
  };
  for (const Case& c :
       {Case{100, {}, 80, 20, 0}, Case{100, {.validation = 0.1, .test = 0.25}, 65, 10, 25},
        Case{7, {.validation = 0.2}, 6, 1, 0}, Case{2, {.validation = 0.01}, 1, 1, 0},
        Case{2, {.validation = 0.99}, 1, 1, 0}, Case{3, {.validation = 0.5, .test = 0.49}, 1, 1, 1},
        Case{4, {.validation = 0.1, .test = 0.89}, 1, 1, 2},
        Case{10, {.validation = 0.16, .test = 0.14}, 7, 2, 1}}) {
    Rng rng(3);
    const Split parts = split(c.n, c.options, rng);
    EXPECT_EQ(parts.training.size(), c.training) << c.n;
    EXPECT_EQ(parts.validation.size(), c.validation) << c.n;
    EXPECT_EQ(parts.test.has_value(), c.test > 0);
    std::vector<Batch> all{parts.training, parts.validation};
    if (parts.test) {
      EXPECT_EQ(parts.test->size(), c.test) << c.n;
      all.push_back(*parts.test);
    }
    expect_division(c.n, all);
  }
}

TEST(Split, IsDrawn) {
  Rng rng(3), same(3);
  const std::vector<Index> first = split(50, {}, rng).validation.indices();
  EXPECT_EQ(first, split(50, {}, same).validation.indices());
  EXPECT_NE(first, split(50, {}, rng).validation.indices());
  std::vector<int> times(5);
  for (int k = 0; k < 5000; ++k) ++times[static_cast<std::size_t>(split(5, {}, rng).validation[0])];
  for (const int t : times) EXPECT_NEAR(t, 1000, 5 * 29);  // 5 deviations
}

TEST(Split, Errors) {
  Rng rng(3);
  const std::string fix = "; give a share above 0 and one of 0 or above, that leave samples for training";
  EXPECT_EQ(error_of<DomainError>([&] { split(9, {.validation = 0.0}, rng); }),
            "[split] validation is 0, test is 0" + fix);
  EXPECT_EQ(error_of<DomainError>([&] { split(9, {.validation = 0.5, .test = 0.5}, rng); }),
            "[split] validation is 0.5, test is 0.5" + fix);
  EXPECT_EQ(error_of<DomainError>([&] { split(9, {.validation = 0.5, .test = -0.5}, rng); }),
            "[split] validation is 0.5, test is -0.5" + fix);
  EXPECT_EQ(error_of<DomainError>([&] { split(1, {}, rng); }),
            "[split] 1 samples for 2 parts; give at least 2");
  EXPECT_EQ(error_of<DomainError>([&] { split(2, {.test = 0.1}, rng); }),
            "[split] 2 samples for 3 parts; give at least 3");
}

TEST(Folds, HoldEverySampleOutOnce) {
  for (const Index n : {2, 7, 12, 30})
    for (const Index k : {Index{2}, Index{5}, n}) {
      if (k > n) continue;
      Rng rng(4);
      const std::vector<Fold> list = folds(n, k, rng);
      ASSERT_EQ(static_cast<Index>(list.size()), k);
      std::vector<Batch> held_out;
      for (const Fold& fold : list) {
        expect_division(n, {fold.training, fold.held_out});
        EXPECT_GE(fold.held_out.size(), n / k);
        EXPECT_LE(fold.held_out.size(), (n + k - 1) / k);
        held_out.push_back(fold.held_out);
      }
      expect_division(n, held_out);
    }
}

TEST(Folds, Errors) {
  Rng rng(3);
  EXPECT_EQ(error_of<DomainError>([&] { folds(5, 1, rng); }),
            "[folds] 1 folds of 5 samples; give 2 or more, at most 5");
  EXPECT_EQ(error_of<DomainError>([&] { folds(5, 6, rng); }),
            "[folds] 6 folds of 5 samples; give 2 or more, at most 5");
}

}  // namespace
}  // namespace cotangent::optim
