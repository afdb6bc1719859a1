// The kink table: functions with a kink at 0, what they are beside it and there.
#pragma once
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"

namespace cotangent::test {

/// A piecewise linear function with its kink at 0, and its derivatives on both sides.
struct KinkRow {
  std::string name;
  std::function<Var(const Var&)> function;
  double left;
  double right;
};

inline std::vector<KinkRow> kink_table() {
  std::vector<KinkRow> table{{"relu", [](const Var& x) { return relu(x); }, 0.0, 1.0},
                             {"leaky_relu", [](const Var& x) { return leaky_relu(x); }, 0.01, 1.0}};
  const auto pair = [](const Var& x) { return stack({x, Tensor::zeros(x.shape())}, 0); };
  table.push_back({"abs", [](const Var& x) { return abs(x); }, -1.0, 1.0});
  table.push_back({"maximum with 0", [](const Var& x) { return maximum(x, 0.0); }, 0.0, 1.0});
  table.push_back({"clip from 0", [](const Var& x) { return clip(x, 0.0, INFINITY); }, 0.0, 1.0});
  table.push_back({"max of x and 0", [pair](const Var& x) { return max(pair(x), 0); }, 0.0, 1.0});
  // Seen in a mirror, where the kink is on the other side.
  table.push_back({"minimum of -x and 0, negated", [](const Var& x) { return -minimum(-x, 0.0); }, 0.0, 1.0});
  table.push_back(
      {"clip of -x to 0, negated", [](const Var& x) { return -clip(-x, -INFINITY, 0.0); }, 0.0, 1.0});
  table.push_back({"min of -x and 0, negated", [pair](const Var& x) { return -min(pair(-x), 0); }, 0.0, 1.0});
  table.push_back({"band_mask of x and x",
                   [](const Var& x) { return detail::band_mask(x, detach(x), 0.0, INFINITY); }, 0.0, 1.0});
  for (const double slope : {0.1, 2.5, -1.0, 0.0, 1.0, 1e300}) {
    table.push_back({"leaky_relu with slope " + std::to_string(slope),
                     [slope](const Var& x) { return leaky_relu(x, slope); }, slope, 1.0});
    // Times x itself: leaky_mask alone is a step, whose derivative is 0 wherever it exists.
    table.push_back({"leaky_mask of x and x with slope " + std::to_string(slope),
                     [slope](const Var& x) { return detail::leaky_mask(x, detach(x), slope); }, slope, 1.0});
  }
  return table;
}

/// A function that is curved on one side of 0, with its derivatives of order 0, 1, 2 and 3.
struct CurvedRow {
  std::string name;
  std::function<Var(const Var&)> function;
  std::array<std::function<double(double)>, 4> exact;
};

inline std::vector<CurvedRow> curved_table() {
  std::vector<CurvedRow> table;
  for (const double alpha : {1.0, 0.25, 3.0, -1.5, 0.0}) {
    const auto derivative = [alpha](double right) {
      return [alpha, right](double x) { return x >= 0.0 ? right : alpha * std::exp(x); };
    };
    table.push_back({"elu with alpha " + std::to_string(alpha),
                     [alpha](const Var& x) { return elu(x, alpha); },
                     {[alpha](double x) { return x >= 0.0 ? x : alpha * std::expm1(x); }, derivative(1.0),
                      derivative(0.0), derivative(0.0)}});
    // Times x itself, as above: x by the mask of a constant.
    table.push_back({"exp_mask of x and x with alpha " + std::to_string(alpha),
                     [alpha](const Var& x) { return detail::exp_mask(x, detach(x), alpha, 1.0); },
                     {[alpha](double x) { return x * (x >= 0.0 ? 1.0 : alpha * std::exp(x)); },
                      derivative(1.0), [](double) { return 0.0; }, [](double) { return 0.0; }}});
  }
  return table;
}

/// A step at 0, with its values on both sides and there; its derivative is 0 everywhere.
struct StepRow {
  std::string name;
  std::function<Var(const Var&)> function;
  double left;
  double at;
  double right;
};

inline std::vector<StepRow> step_table() {
  return {{"sign", [](const Var& x) { return sign(x); }, -1.0, 1.0, 1.0},
          {"less", [](const Var& x) { return less(x, 0.0); }, 1.0, 0.0, 0.0},
          {"less_equal", [](const Var& x) { return less_equal(x, 0.0); }, 1.0, 1.0, 0.0},
          {"greater", [](const Var& x) { return greater(x, 0.0); }, 0.0, 0.0, 1.0},
          {"greater_equal", [](const Var& x) { return greater_equal(x, 0.0); }, 0.0, 1.0, 1.0},
          {"equal_to", [](const Var& x) { return equal_to(x, 0.0); }, 0.0, 1.0, 0.0}};
}

}  // namespace cotangent::test
