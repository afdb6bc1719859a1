// Twenty steps of each optimizer against PyTorch's, recorded in golden/optimizers.npz by
// golden/make_optimizers.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/npz.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"

namespace cotangent::optim {
namespace {

constexpr Index kSteps = 20;

std::map<std::string, Tensor> recorded() {
  const char* root = std::getenv("COTANGENT_SOURCE_DIR");
  const std::filesystem::path folder = root ? std::filesystem::path(root) / "tests/optim"
                                            : std::filesystem::path(__FILE__).parent_path().parent_path();
  std::map<std::string, Tensor> arrays;
  for (auto& [name, array] : load_npz((folder / "golden/optimizers.npz").string()).arrays)
    arrays.emplace(name, array);
  return arrays;
}

std::vector<std::pair<std::string, Optimizer>> optimizers() {
  constexpr Index n = kSteps;
  return {
      {"sgd", Gd({.step = 0.1, .iterations = n})},
      {"sgd_momentum", Gd({.step = 0.05, .iterations = n, .momentum = 0.9})},
      {"sgd_nesterov", Gd({.step = 0.05, .iterations = n, .momentum = 0.9, .nesterov = true})},
      {"sgd_decay", Gd({.step = 0.1, .iterations = n, .momentum = 0.5, .weight_decay = 0.1})},
      {"adam", Adam({.step = 0.02, .batch = 0, .epochs = n})},
      {"adam_numbers",
       Adam({.step = 0.02, .batch = 0, .epochs = n, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3})},
      {"adam_amsgrad", Adam({.step = 0.05, .batch = 0, .epochs = n, .beta2 = 0.5, .amsgrad = true})},
      {"adam_decay", Adam({.step = 0.02, .batch = 0, .epochs = n, .weight_decay = 0.1})},
      {"adamw", AdamW({.step = 0.02, .batch = 0, .epochs = n, .weight_decay = 0.1})},
      {"adamw_amsgrad",
       AdamW({.step = 0.05, .batch = 0, .epochs = n, .beta2 = 0.5, .amsgrad = true, .weight_decay = 0.05})},
      {"rmsprop", RmsProp({.step = 0.01, .batch = 0, .epochs = n})},
      {"rmsprop_numbers", RmsProp({.step = 0.01, .batch = 0, .epochs = n, .alpha = 0.7, .epsilon = 1e-4})},
      {"adagrad", AdaGrad({.step = 0.1, .batch = 0, .epochs = n})},
  };
}

TEST(Torch, TwentyStepsOfEachAreItsOwn) {
  const std::map<std::string, Tensor> record = recorded();
  const nn::Sequential net{nn::Linear(3, 7), nn::Tanh(), nn::Linear(7, 2)};
  const Tensor &x = record.at("problem.x"), &y = record.at("problem.y");
  const FiniteSum f =
      finite_sum(6, [&](const Var& w, const Batch& b) { return nn::mse(net(w, b.rows(x)), b.rows(y)); });
  const Params start(record.at("problem.params"), net.table());
  std::size_t compared = 0;
  for (const auto& [name, optimizer] : optimizers()) {
    const Tensor &points = record.at(name + ".points"), &values = record.at(name + ".values");
    Rng rng(1);
    Loop loop = optimizer.start(f, start, rng);
    for (Index k = 0; k < kSteps; ++k) {
      ASSERT_EQ(loop.next(), true) << name;
      EXPECT_NEAR(loop.value(), values(k), 1e-12) << name << ", step " << k;
      for (Index j = 0; j < start.size(); ++j)
        ASSERT_NEAR(loop.w().flat()(j), points(k, j), 1e-12) << name << ", step " << k;
    }
    EXPECT_FALSE(loop.next());
    compared += 2;
  }
  EXPECT_EQ(compared + 3, record.size());  // nothing recorded is left out
}

}  // namespace
}  // namespace cotangent::optim
