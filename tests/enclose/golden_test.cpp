// Enclosures against 50 digits from another library, recorded in golden/enclosures.json by
// golden/make_enclosures.py: the ball at 256 bits contains them, and says no less.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "autodiff/autodiff.hpp"
#include "enclose/replay/replay.hpp"
#include "nn/nn.hpp"

namespace cotangent {
namespace {

using enclosing::Account;
using enclosing::Ball;
using enclosing::Balls;
using Function = std::function<Var(const Var&)>;

std::map<std::string, std::string> golden() {
  const char* root = std::getenv("COTANGENT_SOURCE_DIR");
  const std::filesystem::path folder =
      root ? std::filesystem::path(root) / "tests/enclose" : std::filesystem::path(__FILE__).parent_path();
  std::ifstream file(folder / "golden/enclosures.json");
  return nlohmann::json::parse(file).get<std::map<std::string, std::string>>();
}

Function derivative(const Function& f, int order) {
  if (order == 0) return f;
  return [inner = derivative(f, order - 1)](const Var& x) { return grad(inner, x); };
}

struct Case {
  Tensor at;
  Function f;
};

std::map<std::string, Case> cases() {
  const Tensor x = Tensor::scalar(0.7), numbers{0.1, 0.2, 0.4};
  const auto of_x = [&](const Function& f, int order) { return Case{x, derivative(f, order)}; };
  std::vector<double> weights;
  for (int k = 0; k < 13; ++k) weights.push_back(0.1 * (k + 1) * (k % 2 == 0 ? 1.0 : -1.0));
  const Params w(Tensor::from(weights, {13}),
                 nn::mlp({2, 3, 1}, nn::Tanh()).init(*std::make_unique<Rng>(1)).table());
  const Tensor samples{{0.1, -0.7}, {1.3, 0.2}, {-0.4, 0.9}}, targets = Tensor{{0.3}, {-0.6}, {0.8}};
  const Function risk = [samples, targets](const Var& v) {
    return nn::half_mse(nn::mlp({2, 3, 1}, nn::Tanh())(v, samples), targets);
  };
  const auto slope = [&](Index j) {
    return Case{w.flat(), [risk, j](const Var& v) { return sum(view(grad(risk, v), j, Shape{1})); }};
  };
  return {
      {"gelu", of_x([](const Var& v) { return gelu(v); }, 0)},
      {"gelu'", of_x([](const Var& v) { return gelu(v); }, 1)},
      {"erf''", of_x([](const Var& v) { return erf(v); }, 2)},
      {"erfc'", of_x([](const Var& v) { return erfc(v); }, 1)},
      {"sigmoid''", of_x([](const Var& v) { return sigmoid(v); }, 2)},
      {"softplus'''", of_x([](const Var& v) { return softplus(v); }, 3)},
      {"pow'''", of_x([](const Var& v) { return pow(v, 0.1); }, 3)},
      {"0.1 (0.3 tanh)'",
       of_x([](const Var& v) { return Var(Tensor::scalar(0.1)) * (Var(0.3) * tanh(v)); }, 1)},
      {"0.1^x'", of_x([](const Var& v) { return pow(Var(Tensor::scalar(0.1)), v); }, 1)},
      {"x^0.1''", of_x([](const Var& v) { return pow(v, Var(Tensor::scalar(0.1))); }, 2)},
      {"mean", {numbers, [](const Var& v) { return mean(v); }}},
      {"variance", {numbers, [](const Var& v) { return variance(v, {.ddof = 1}); }}},
      {"sin(w - 1e9)", of_x([](const Var& v) { return sin(v - 1e9); }, 0)},
      {"risk", {w.flat(), risk}},
      {"risk' 0", slope(0)},
      {"risk' 8", slope(8)},
      {"risk' 12", slope(12)},
  };
}

TEST(EnclosureGolden, BallsContainTheDigitsOfAnotherLibrary) {
  const std::map<std::string, std::string> digits = golden();
  const std::map<std::string, Case> all = cases();
  ASSERT_EQ(digits.size(), all.size());
  for (const auto& [name, c] : all) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(digits.contains(name));
    Account account{.bits = 256};
    const Balls y = enclosing::Replay(enclosing::program_of(c.f, c.at))(Balls::of(c.at), account);
    ASSERT_EQ(y.size(), 1);
    Ball expected;
    // 50 digits are off by one unit in the last of them at most.
    ASSERT_EQ(arb_set_str(expected, (digits.at(name) + " +/- 2e-50").c_str(), 512), 0);
    EXPECT_TRUE(arb_overlaps(expected, y[0])) << arb_get_str(y[0], 50, 0) << " beside " << digits.at(name);
    EXPECT_GT(arb_rel_accuracy_bits(y[0]), 190);
  }
}

}  // namespace
}  // namespace cotangent
