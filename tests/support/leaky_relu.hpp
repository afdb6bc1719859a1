// The setting of the leaky ReLU theorem's tests: the sheet's problem, and random separable ones.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "nn/nn.hpp"
#include "theory/theory.hpp"

namespace cotangent::test {

inline const Tensor kSheetX{{0.6, 0.8}, {0.6, -0.8}, {-0.6, 0.8}, {-0.6, -0.8}};
inline const Tensor kSheetY{1, 1, -1, -1};

inline nn::TwoLayer sheet_net(double slope = 0.5) {
  return {2, 4, nn::LeakyReLU(slope), {.outer = {0.5, 0.5, -0.5, -0.5}}};
}
inline Params sheet_start() {
  return Params({{"weight", {{0.1, 0.2}, {-0.3, 0.1}, {0.2, -0.1}, {0.0, 0.3}}}});
}

/// n points in d dimensions of a random margin, m units of a random slope and random signs.
struct SeparableProblem {
  nn::Separable data;
  nn::TwoLayer net;
  theory::LeakyReluProblem problem;
  Params w0;

  SeparableProblem(Rng& rng, Index n, Index d, Index m)
      : data(nn::separable(rng, {.n = n, .d = d, .margin = 0.01 + 0.2 * rng.uniform()})),
        net(d, m, nn::LeakyReLU(0.05 + 0.95 * rng.uniform()), {.outer = nn::random_signs(m, rng)}),
        problem(net, data.x, data.y),
        w0(net.init(rng)) {}
};

/// The sum of an account's parts.
inline double total(const std::vector<std::pair<std::string, double>>& account) {
  double sum = 0.0;
  for (const auto& [name, part] : account) sum += part;
  return sum;
}

}  // namespace cotangent::test
