// Rows of the table of operations: functions of each element, of one and of two operands.
#include <cmath>

#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "tests/support/op_row.hpp"

namespace cotangent::test {

void add_binary(std::vector<OpRow>& rows, const std::string& name,
                const std::function<Var(const Var&, const Var&)>& op, double (*f)(double, double),
                double away) {
  const Shape matrix{2, 3};
  for (const auto& [a, b] :
       {std::pair{matrix, matrix}, {Shape{}, matrix}, {matrix, Shape{}}, {Shape{}, Shape{}}}) {
    rows.push_back({.name = name + " " + a.to_string() + " " + b.to_string(),
                    .inputs = {a, b},
                    .function = [op](Vars v) { return op(v[0], v[1]); },
                    .expected =
                        [f](const Plains& x) {
                          return make(x[0].shape.rank() ? x[0].shape : x[1].shape,
                                      [&](const Position& p) { return f(x[0].at(p), x[1].at(p)); });
                        },
                    .away = away});
  }
}

void add_unary(std::vector<OpRow>& rows, const std::string& name, const std::function<Var(const Var&)>& op,
               const std::function<double(double)>& f, double low, double high, double away) {
  for (const Shape& shape : {Shape{}, Shape{3, 7}})
    rows.push_back({.name = name + " " + shape.to_string(),
                    .inputs = {shape},
                    .function = [op](Vars v) { return op(v[0]); },
                    .expected =
                        [f](const Plains& x) {
                          return make(x[0].shape, [&](const Position& p) { return f(x[0].at(p)); });
                        },
                    .low = low,
                    .high = high,
                    .away = away});
}

std::vector<OpRow> elementwise_rows() {
  std::vector<OpRow> rows;
  add_binary(
      rows, "add", [](const Var& a, const Var& b) { return a + b; },
      [](double a, double b) { return a + b; });
  add_binary(
      rows, "sub", [](const Var& a, const Var& b) { return a - b; },
      [](double a, double b) { return a - b; });
  add_binary(
      rows, "mul", [](const Var& a, const Var& b) { return a * b; },
      [](double a, double b) { return a * b; });
  add_binary(
      rows, "div", [](const Var& a, const Var& b) { return a / b; }, [](double a, double b) { return a / b; },
      0.5);
  rows.push_back({.name = "leaky_mask",
                  .inputs = {Shape{2, 3}, Shape{2, 3}},
                  .function = [](Vars v) { return detail::leaky_mask(v[0], v[1], 0.3); },
                  .expected =
                      [](const Plains& x) {
                        return make(x[0].shape, [&](const Position& p) {
                          return x[1].at(p) > 0.0 ? x[0].at(p) : 0.3 * x[0].at(p);
                        });
                      },
                  .away = 0.1});
  rows.push_back({.name = "one operand twice",
                  .inputs = {Shape{5}},
                  .function = [](Vars v) { return v[0] * v[0] / (v[0] + v[0] - v[0]) - v[0] * 3.0; },
                  .expected =
                      [](const Plains& x) {
                        return make(x[0].shape, [&](const Position& p) { return -2.0 * x[0].at(p); });
                      },
                  .away = 0.5});

  add_unary(
      rows, "negation", [](const Var& x) { return -x; }, [](double x) { return -x; });
  add_unary(
      rows, "constant times x", [](const Var& x) { return -1.75 * x; }, [](double x) { return -1.75 * x; });
  add_unary(
      rows, "x times constant", [](const Var& x) { return x * 0.25; }, [](double x) { return x * 0.25; });
  add_unary(
      rows, "x / constant", [](const Var& x) { return x / 3.0; }, [](double x) { return x / 3.0; });
  add_unary(
      rows, "constant + x", [](const Var& x) { return 1.5 + x; }, [](double x) { return 1.5 + x; });
  add_unary(
      rows, "constant - x", [](const Var& x) { return 1.5 - x; }, [](double x) { return 1.5 - x; });
  add_unary(
      rows, "constant / x", [](const Var& x) { return 1.5 / x; }, [](double x) { return 1.5 / x; }, -2.0, 2.0,
      0.5);

  add_unary(
      rows, "exp", [](const Var& x) { return exp(x); }, [](double x) { return std::exp(x); });
  add_unary(
      rows, "log", [](const Var& x) { return log(x); }, [](double x) { return std::log(x); }, 0.2, 3.0);
  add_unary(
      rows, "sqrt", [](const Var& x) { return sqrt(x); }, [](double x) { return std::sqrt(x); }, 0.2, 3.0);
  add_unary(
      rows, "square", [](const Var& x) { return square(x); }, [](double x) { return x * x; });
  add_unary(
      rows, "sin", [](const Var& x) { return sin(x); }, [](double x) { return std::sin(x); });
  add_unary(
      rows, "cos", [](const Var& x) { return cos(x); }, [](double x) { return std::cos(x); });
  add_unary(
      rows, "tanh", [](const Var& x) { return tanh(x); }, [](double x) { return std::tanh(x); });
  add_unary(
      rows, "sigmoid", [](const Var& x) { return sigmoid(x); },
      [](double x) { return 0.5 + 0.5 * std::tanh(0.5 * x); });
  add_unary(
      rows, "softplus", [](const Var& x) { return softplus(x); },
      [](double x) { return std::log1p(std::exp(x)); });
  add_unary(
      rows, "erf", [](const Var& x) { return erf(x); }, [](double x) { return std::erf(x); });
  add_unary(
      rows, "erfc", [](const Var& x) { return erfc(x); }, [](double x) { return 1.0 - std::erf(x); });
  add_unary(
      rows, "gelu", [](const Var& x) { return gelu(x); },
      [](double x) { return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0))); });
  add_unary(
      rows, "silu", [](const Var& x) { return silu(x); }, [](double x) { return x / (1.0 + std::exp(-x)); });
  add_unary(
      rows, "elu", [](const Var& x) { return elu(x); },
      [](double x) { return x > 0.0 ? x : std::exp(x) - 1.0; }, -2.0, 2.0, 0.1);
  for (const double alpha : {0.3, 1.7, -0.5, 0.0})
    add_unary(
        rows, "elu " + std::to_string(alpha), [alpha](const Var& x) { return elu(x, alpha); },
        [alpha](double x) { return x > 0.0 ? x : alpha * (std::exp(x) - 1.0); }, -2.0, 2.0, 0.1);
  for (const double right : {0.0, 1.0, 2.5})
    rows.push_back({.name = "exp_mask " + std::to_string(right),
                    .inputs = {Shape{2, 5}, Shape{2, 5}},
                    .function = [right](Vars v) { return detail::exp_mask(v[0], v[1], 0.6, right); },
                    .expected =
                        [right](const Plains& x) {
                          return make(x[0].shape, [&](const Position& p) {
                            return x[0].at(p) * (x[1].at(p) > 0.0 ? right : 0.6 * std::exp(x[1].at(p)));
                          });
                        },
                    .away = 0.1});
  add_unary(
      rows, "relu", [](const Var& x) { return relu(x); }, [](double x) { return x > 0.0 ? x : 0.0; }, -2.0,
      2.0, 0.1);
  for (const double slope : {0.01, 0.1, 2.5, -1.0, 0.0})
    add_unary(
        rows, "leaky_relu " + std::to_string(slope), [slope](const Var& x) { return leaky_relu(x, slope); },
        [slope](double x) { return x > 0.0 ? x : slope * x; }, -2.0, 2.0, 0.1);
  add_unary(
      rows, "leaky_relu", [](const Var& x) { return leaky_relu(x); },
      [](double x) { return x > 0.0 ? x : 0.01 * x; }, -2.0, 2.0, 0.1);
  add_unary(
      rows, "alias", [](const Var& x) { return detail::alias(x); }, [](double x) { return x; });
  return rows;
}

}  // namespace cotangent::test
