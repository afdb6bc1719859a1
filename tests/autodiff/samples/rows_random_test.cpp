// Random models: per-sample Jacobians, tangent kernels, gradients and lengths are refused with an operation's
// name or equal to a loop over single samples; without an instruction that mixes samples they are not
// refused.
#include <set>

#include "autodiff/error.hpp"
#include "autodiff/per_sample_gradients.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/tape/op_spec.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/random_model.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent {
namespace {

using test::RandomModel;
using theory::KernelMethod;
using theory::tangent_kernel;

/// Relative to the largest number: random models have large and small outputs.
void expect_same(const Tensor& value, const Tensor& expected, const char* what) {
  ASSERT_EQ(value.shape().to_string(), expected.shape().to_string()) << what;
  double scale = 1.0, difference = 0.0;
  for (std::size_t k = 0; k < expected.data().size(); ++k) {
    ASSERT_TRUE(std::isfinite(expected.data()[k])) << what;
    scale = std::max(scale, std::fabs(expected.data()[k]));
    difference = std::max(difference, std::fabs(value.data()[k] - expected.data()[k]));
  }
  EXPECT_LE(difference, 1e-12 * scale) << what;
}

/// The definition: a record a sample, a pass an output.
Tensor by_single_samples(const RandomModel& f, const Tensor& w, const Tensor& x) {
  std::vector<double> numbers;
  Index rows = 0;
  for (Index i = 0; i < x.size(0); ++i) {
    const Tensor j = jacobian([&](const Var& at) { return f(at, Var(x.rows(i, i + 1))); }, w);
    rows += j.size() / w.size();
    numbers.insert(numbers.end(), j.data().begin(), j.data().end());
  }
  return Tensor::from(numbers, Shape{rows, w.size()});
}

/// The operation in front of a refusal, if it is one there is (reshape and slice are views).
std::string refusing_operation(const std::string& message) {
  static const std::set<std::string> kNames = [] {
    std::set<std::string> names{"reshape", "slice", "per_sample_jacobian"};
    for (const Op* op = Op::first(); op; op = op->next()) names.insert(op->name());
    return names;
  }();
  const std::string name = message.substr(1, message.find(']') - 1);
  return message[0] == '[' && kNames.count(name) ? name : "";
}

struct Counts {
  int structured = 0, slow = 0, refused = 0;
  std::set<std::string> refusals;
};

void check(const RandomModel& f, const Params& w, const Tensor& x, Counts& counts) {
  Tensor j;
  try {
    j = per_sample_jacobian(f, w, x).matrix();
  } catch (const TapeError& e) {
    ++counts.refused;
    EXPECT_TRUE(f.mixes()) << "refused without reason: " << e.what();
    EXPECT_NE(refusing_operation(e.what()), "") << e.what();
    counts.refusals.insert(refusing_operation(e.what()));
    EXPECT_THROW(tangent_kernel(f, w, x), TapeError);
    return;
  }
  const Tensor expected = by_single_samples(f, w.flat(), x);
  expect_same(j, expected, "per_sample_jacobian");
  try {
    expect_same(per_sample_jacobian(f, w, x, {.memory = 1 << 24}).matrix(), expected, "planned");
  } catch (const TapeError& e) {  // plans look at two and at three samples, which may mix where these did not
    EXPECT_TRUE(f.mixes()) << e.what();
  }
  const Tensor kernel = matmul(expected, expected, {.transpose_b = true}).value();
  const auto structured = tangent_kernel(f, w, x, {.method = KernelMethod::structured});
  expect_same(structured.matrix(), kernel, "structured kernel");
  expect_same(tangent_kernel(f, w, x, x.rows(0, 1), {.method = KernelMethod::structured}).matrix(),
              slice(kernel, 1, 0, kernel.size(1) / x.size(0)).value(), "structured kernel of two sets");
  expect_same(tangent_kernel(f, w, x, {.method = KernelMethod::products}).matrix(), kernel,
              "kernel by products");
  structured.method() == KernelMethod::structured ? ++counts.structured : ++counts.slow;

  // Of the loss mean(y^2): every row of the sample weighed by its outputs.
  const auto loss = [&](const Var& at, const Var& samples, const Tensor&) {
    return mean(square(f(at, samples)));
  };
  std::vector<double> gradients;
  for (Index i = 0; i < x.size(0); ++i) {
    const Tensor g = grad([&](const Var& at) { return loss(at, Var(x.rows(i, i + 1)), Tensor()); }, w.flat());
    gradients.insert(gradients.end(), g.data().begin(), g.data().end());
  }
  const Tensor g = Tensor::from(gradients, Shape{x.size(0), w.size()});
  expect_same(per_sample_gradients(loss, w, x, x).matrix(), g, "per_sample_gradients");
  expect_same(per_sample_square_norms(loss, w, x, x), sum(square(g), 1).value(), "per_sample_square_norms");
}

Counts run(std::uint64_t seed, int models, bool may_mix) {
  Counts counts;
  const Rng rng(seed);
  for (int k = 0; k < models; ++k) {
    Rng own = rng.split("model " + std::to_string(k));
    const Index n = 1 + k % 5;
    const int length = 1 + k % 12;
    const RandomModel f(own.split("instructions"), length, may_mix);
    const Params w({{"w", own.normal(Shape{RandomModel::kParams}, 0.0, 0.8)}});
    const Tensor x = own.normal(Shape{n, RandomModel::kInputs});
    SCOPED_TRACE("model " + std::to_string(k) + ", n = " + std::to_string(n) + ": " + f.text());
    try {
      check(f, w, x, counts);
    } catch (const std::exception& e) {
      ADD_FAILURE() << e.what();
    }
    if (testing::Test::HasFailure()) break;
  }
  return counts;
}

TEST(RandomModels, WithoutMixingAllAreAcceptedAndEqualTheLoop) {
  const Counts counts = run(1, 600, false);
  EXPECT_EQ(counts.refused, 0);
  EXPECT_GE(counts.structured, 300);
  EXPECT_GE(counts.slow, 100);
}

TEST(RandomModels, WithMixingTheyAreRefusedByNameOrEqualTheLoop) {
  const Counts counts = run(2, 600, true);
  EXPECT_GE(counts.refused, 100);
  EXPECT_GE(counts.structured + counts.slow, 310);
  EXPECT_GE(counts.refusals.size(), 3u);
}

TEST(SlowRandomModels, ManyMore) {
  for (std::uint64_t seed = 10; seed < 20; ++seed) {
    run(seed, 1500, seed % 2 == 0);
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace cotangent
