// The structured kernel against every other way to it (K19).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cotangent.hpp"

namespace cotangent {
namespace {

using theory::check_kernel_paths, theory::KernelPath, theory::Outcome;
constexpr KernelPath kPaths[] = {KernelPath::materialised, KernelPath::sample_by_sample,
                                 KernelPath::products};

TEST(KernelPaths, AgreeForSeveralActivationsWithBiasesAndThreeOutputs) {
  Rng rng(1);
  for (const nn::Sequential& net : {nn::mlp({3, 8, 8, 3}, nn::ReLU()), nn::mlp({3, 8, 8, 3}, nn::GELU()),
                                    nn::mlp({3, 8, 8, 3}, nn::Tanh())})
    for (const KernelPath path : kPaths) {
      const theory::Verdict v = check_kernel_paths(net, net.init(rng), rng.normal({5, 3}), path);
      EXPECT_EQ(v.outcome, Outcome::certified) << v.to_string();
    }
}

TEST(KernelPaths, AnAccuracyBeyondRoundingIsRefutedAndAModelWithoutStructureIsNamed) {
  Rng rng(2);
  const nn::Sequential net = nn::mlp({3, 16, 2}, nn::Tanh());
  EXPECT_EQ(
      check_kernel_paths(net, net.init(rng), rng.normal({9, 3}), KernelPath::sample_by_sample, 1e-18).outcome,
      Outcome::refuted);
  // A weight that reaches the data through another operation.
  const auto squared = [](const Var& w, const Var& x) { return linear(x, reshape(square(w), {2, 3})); };
  const theory::Verdict v = check_kernel_paths(squared, Params({{"w", rng.normal({6})}}), rng.normal({4, 3}),
                                               KernelPath::materialised);
  EXPECT_EQ(v.outcome, Outcome::not_applicable);
  EXPECT_THAT(v.reason, testing::HasSubstr("structured kernel"));
  EXPECT_THROW(check_kernel_paths(net, net.init(rng), rng.normal({4, 3}), KernelPath::products, 0.0),
               DomainError);
}

}  // namespace
}  // namespace cotangent
