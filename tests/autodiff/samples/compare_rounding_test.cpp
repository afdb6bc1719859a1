// Values of a sample alone differ from those within the batch by rounding, which is no reason to refuse a
// function; by anything more they are.
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/rng.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using testing::HasSubstr;

const auto kMixes = HasSubstr("mixes samples where the record cannot show it");

// Its outputs are 0 but for rounding, which the shapes of a product decide.
TEST(ComparedAlone, ValuesThatAreAllRoundingAreNotRefused) {
  for (const std::vector<Index>& widths :
       {std::vector<Index>{3, 8, 2}, {3, 64, 2}, {3, 64, 1}, {5, 40, 130, 3}, {20, 256, 2}})
    for (const Index n : {2, 7, 50}) {
      SCOPED_TRACE(widths[1]);
      Rng rng(21);
      const nn::Sequential net = nn::symmetric_mlp(widths, nn::Tanh());
      const Params w = net.init(rng);
      const Tensor x = rng.normal({n, widths.front()});
      const Jacobian rows = per_sample_jacobian(net, w, x);
      EXPECT_EQ(rows.matrix().size(0), n * widths.back());
      EXPECT_NO_THROW(per_sample_jacobian(net, w, x, {.wrt = Wrt::inputs}));
    }
}

TEST(ComparedAlone, SmallMixturesAreRefusedAllTheSame) {
  Rng rng(22);
  const nn::Sequential net = nn::symmetric_mlp({3, 64, 2}, nn::Tanh());
  const Params w = net.init(rng);
  const Tensor x = rng.normal({9, 3});
  for (const double size : {1.0, 1e-6, 1e-11}) {
    SCOPED_TRACE(size);
    const auto f = [&](const Var& v, const Var& xs) { return net(v, xs) + size * mean(xs).item(); };
    EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(f, w, x); }), kMixes);
    const auto counts = [&](const Var& v, const Var& xs) {
      return net(v, xs) * (xs.size(0) == 1 ? 1.0 : 2.0) + size * static_cast<double>(xs.size(0));
    };
    EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(counts, w, x); }), kMixes);
  }
}

// The constants decide how much rounding there is: 1e-8 is none beside 1, and nothing else beside 1e8.
TEST(ComparedAlone, WhatIsLostBesideLargeConstantsIsRounding) {
  Rng rng(23);
  const nn::Sequential net{nn::Linear(3, 16), nn::Tanh(), nn::Linear(16, 2)};
  const Params w = net.init(rng);
  const Tensor x = rng.normal({9, 3});
  const auto shifted = [&](double c) {
    return [&net, c](const Var& v, const Var& xs) {
      const Var y = net(v, xs);
      // The same number, up to rounding, by other operations for one sample.
      return xs.size(0) == 1 ? ((y + c) - c) * 1e-6 : y * 1e-6;
    };
  };
  EXPECT_NO_THROW(per_sample_jacobian(shifted(1e8), w, x));
  const auto moved = [&](const Var& v, const Var& xs) {
    return net(v, xs) * 1e-6 + (xs.size(0) == 1 ? 1e-14 : 0.0);
  };
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(moved, w, x); }), kMixes);
}

}  // namespace
}  // namespace cotangent
