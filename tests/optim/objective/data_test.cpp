// Divisions of the samples: what is held out, how much of it, and that nothing is lost.
#include "optim/data.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/plan/block_trace.hpp"
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

/// A net on n samples of 10 numbers.
struct Net {
  Tensor x, y;
  Params w;
  FiniteSum f;
  explicit Net(Index n, Rng rng = Rng(1))
      : x(rng.normal({n, 10})),
        y(rng.normal({n, 1})),
        w({{"0.weight", rng.normal({64, 10}, 0.0, 0.3)}, {"2.weight", rng.normal({1, 64}, 0.0, 0.1)}}),
        f(finite_sum(n, [x = x, y = y](const Var& v, const Batch& b) {
          const Var h = leaky_relu(matmul(b.rows(x), view(v, 0, {64, 10}), {.transpose_b = true}), 0.1);
          return mean(square(matmul(h, view(v, 640, {1, 64}), {.transpose_b = true}) - b.rows(y)));
        })) {}
};

/// The most bytes of blocks that the gradient over a drawn batch holds at once.
double bytes_held(const Net& net, Index samples) {
  const Batch batch = Batch::of(net.f.size(), std::vector<Index>(static_cast<std::size_t>(samples)));
  const detail::BlockTrace trace;
  net.f.value_and_grad(net.w, batch);
  return detail::BlockReplay().run(trace.events()).peak();
}

TEST(LargestBatch, FitsAndOneMoreDoesNot) {
  const Net net(4000);
  for (const Index bytes : {40000, 300000, 1000000, 3000000}) {
    const Index batch = largest_batch(net.f, net.w, bytes);
    ASSERT_LT(batch, 4000) << bytes;
    EXPECT_LE(bytes_held(net, batch), static_cast<double>(bytes));
    EXPECT_GT(bytes_held(net, batch + 1), static_cast<double>(bytes));
  }
  EXPECT_EQ(largest_batch(net.f, net.w, Index{1} << 30), 4000);
}

TEST(LargestBatch, OfPiecesIsAllIfOneFits) {
  const Net net(4000);
  const Index fits = largest_batch(net.f, net.w, 300000);
  EXPECT_EQ(largest_batch(net.f.chunked(fits), net.w, 300000), 4000);
  EXPECT_EQ(largest_batch(net.f.chunked(fits + 1), net.w, 300000), fits);
  EXPECT_EQ(net.f.component_gradients(), 0);
}

TEST(LargestBatch, Errors) {
  const Net net(1);
  const auto needed = static_cast<Index>(bytes_held(net, 1));
  EXPECT_EQ(largest_batch(net.f, net.w, needed + 1000), 1);
  EXPECT_EQ(error_of<DomainError>([&] { largest_batch(net.f, net.w, needed - 1); }),
            "[largest_batch] the gradient of one sample needs " + std::to_string(needed) +
                " bytes, there are " + std::to_string(needed - 1) + "; give as many, or a smaller model");
}

}  // namespace
}  // namespace cotangent::optim
