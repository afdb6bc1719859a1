// Every optimizer of the library, for what must hold of each.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "optim/optim.hpp"

namespace cotangent::test {

struct OptimizerCase {
  std::string name;
  std::shared_ptr<optim::Optimizer> optimizer;
  Index steps_an_epoch;       // on five_samples
  bool extrapolates = false;  // the run moves in points beside those that it returns
};

/// `epochs` of each, or so many iterations.
std::vector<OptimizerCase> every_optimizer(Index epochs = 3);

/// (1/5) sum_i (w - i)^2 / 2.
optim::FiniteSum five_samples();

}  // namespace cotangent::test
