// The table of extreme values: every operation that computes, with its exact formula.
#include <cmath>
#include <utility>

#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/transforms.hpp"
#include "nn/losses.hpp"
#include "tests/support/extreme_row.hpp"

namespace cotangent::test {
namespace {

Var part(const Var& x, Index first, Index last) { return slice(x, 0, first, last); }
Var first_half(const Var& x) { return part(x, 0, x.size() / 2); }
Var second_half(const Var& x) { return part(x, x.size() / 2, x.size()); }
Var as_row(const Var& x) { return reshape(x, Shape{1, x.size()}); }
Var as_column(const Var& x) { return reshape(x, Shape{x.size(), 1}); }

const Convention kMasked{"nan", "value", "a mask lets nothing through, also no NaN"};
const Convention kNanChosen{"nan", "first",
                            "the NaN is what is chosen: it has the derivative 1, all others 0"};
const Convention kZeroTimesInfinity{"0 inf", "value", "0 * inf", NAN};
const Convention kTinyProducts{"1e-160*1000", "value", "each product is subnormal and rounded by itself"};
const Convention kSubnormalPivot{"subnormal", "refusal", "OpenBLAS takes subnormal pivots for 0"};
const Convention kInfiniteVariance{"infinite", "value first", "no mean is near an infinite number", NAN};
const Convention kVarianceBends{"infinite", "second", "the Hessian is constant"};
const Convention kInfiniteNorm{"infinite", "first second", "the unit vector of the infinite numbers' signs"};
const Convention kNormAtZero{"zero", "second", "an error: |x| has no second derivative at 0", NAN};
const Convention kInfiniteLogits{"infinite", "value first second", "the largest number is infinite", NAN};
const Convention kNearLogits{"3e-310 -2e-310", "first second",
                             "so near that exp says 1 of both: shares are equal"};

const std::vector<Convention> kOneByOne{
    {"0.1*1000", "value", "numbers that meet at one place are added one after another"},
    {"1e-160*1000", "value", "numbers that meet at one place are added one after another"}};
const Convention kNearMean{"1e+16 1 -1e+16", "first", "relative to the largest: 1e16 - 1 is rounded"};

using Unary = std::function<Var(const Var&)>;
using Binary = std::function<Var(const Var&, const Var&)>;

/// Rows as they are added; what is particular to one is set on what adding returns.
struct Table {
  std::vector<ExtremeRow> rows;

  ExtremeRow& add(std::string name, std::string inputs, std::string formula, std::function<Var(Vars)> f) {
    return rows.emplace_back(ExtremeRow{.name = std::move(name),
                                        .inputs = std::move(inputs),
                                        .formula = std::move(formula),
                                        .function = std::move(f)});
  }
  /// A function of one number, not of each of many.
  ExtremeRow& number(std::string name, std::string formula, Unary f) {
    return add(std::move(name), "numbers", std::move(formula),
               [f = std::move(f)](Vars x) { return f(x[0]); });
  }
  /// A function of each number.
  ExtremeRow& each(std::string name, std::string formula, Unary f) {
    ExtremeRow& row = number(std::move(name), std::move(formula), std::move(f));
    row.each = true;
    return row;
  }
  /// A function of two numbers.
  ExtremeRow& pair(std::string name, std::string formula, Binary f, std::string inputs = "pairs") {
    return add(std::move(name), std::move(inputs), std::move(formula),
               [f = std::move(f)](Vars x) { return f(x[0], x[1]); });
  }
  /// A function of two numbers that chooses by comparison.
  ExtremeRow& choice(std::string name, std::string formula, Binary f) {
    return pair(std::move(name), std::move(formula), std::move(f), "ordered pairs");
  }
  /// A function of a vector.
  ExtremeRow& vector(std::string name, std::string formula, Unary f, std::string inputs = "vectors") {
    return add(std::move(name), std::move(inputs), std::move(formula),
               [f = std::move(f)](Vars x) { return f(x[0]); });
  }
};

void add_functions(Table& table) {
  table.each("negation", "-x", [](const Var& x) { return -x; });
  table.each("constant * x", "mpf(0.1) * x", [](const Var& x) { return 0.1 * x; });
  table.each("x / constant", "x / 3", [](const Var& x) { return x / 3.0; });
  table.each("constant / x", "1.5 / x", [](const Var& x) { return 1.5 / x; });
  table.each("exp", "exp(x)", [](const Var& x) { return exp(x); });
  table.each("log", "log(x)", [](const Var& x) { return log(x); });
  table.each("sqrt", "sqrt(x)", [](const Var& x) { return sqrt(x); }).conventions = {
      {"-0", "value", "IEEE 754: the root of -0 is -0"}};
  table.each("square", "x * x", [](const Var& x) { return square(x); });
  table.each("sin", "sin(x)", [](const Var& x) { return sin(x); });
  table.each("cos", "cos(x)", [](const Var& x) { return cos(x); });
  table.each("tanh", "tanh(x)", [](const Var& x) { return tanh(x); });
  table.each("sigmoid", "sigmoid(x)", [](const Var& x) { return sigmoid(x); });
  table.each("sigmoid_slope", "sigmoid(x) * sigmoid(-x)",
             [](const Var& x) { return grad([](const Var& v) { return sum(sigmoid(v)); }, x); });
  table.each("softplus", "softplus(x)", [](const Var& x) { return softplus(x); });
  table.each("erf", "erf(x)", [](const Var& x) { return erf(x); });
  table.each("erfc", "erfc(x)", [](const Var& x) { return erfc(x); });
  table.each("gelu", "x * erfc(-x / sqrt(2)) / 2", [](const Var& x) { return gelu(x); }).ulps_by_square = 1.0;
  table.each("silu", "x * sigmoid(x)", [](const Var& x) { return silu(x); });
  table.each("expm1", "expm1(x)", [](const Var& x) { return expm1(x); });
  table.each("log1p", "log1p(x)", [](const Var& x) { return log1p(x); }).more = "[[-1 + 2.0**-53]]";
  for (const double p : {0.0, 1.0, 2.0, 3.0, 4.0, -1.0, -2.0, -3.0, 0.5, 1.5, 2.25, -0.5}) {
    std::string exponent = std::to_string(p);
    exponent.resize(exponent.size() - 4);
    table.each("pow " + exponent, "power(x, " + exponent + ")", [p](const Var& x) { return pow(x, p); });
  }
}

void add_kinks(Table& table) {
  table.each("relu", "maximum(x, Jet(0))", [](const Var& x) { return relu(x); }).conventions = {
      {"-0", "value", "-0 >= 0: x itself"}};
  table.each("leaky_relu", "x if x >= 0 else mpf(0.1) * x", [](const Var& x) { return leaky_relu(x, 0.1); });
  table.each("elu", "x if x >= 0 else expm1(x)", [](const Var& x) { return elu(x); });
  table.each("elu 0.3", "x if x >= 0 else mpf(0.3) * expm1(x)", [](const Var& x) { return elu(x, 0.3); });
  table.each("abs", "abs_(x)", [](const Var& x) { return abs(x); });
  table.each("sign", "sign(x)", [](const Var& x) { return sign(x); });
  table.each("clip", "x if x >= -1 and x <= 2 else Jet(-1 if x < -1 else 2)",
             [](const Var& x) { return clip(x, -1.0, 2.0); });
  table.choice("leaky_mask", "a if b >= 0 else mpf(0.1) * a",
               [](const Var& a, const Var& b) { return detail::leaky_mask(a, b, 0.1); });
  table
      .pair("exp_mask", "a if b >= 0 else mpf(0.5) * exp(b) * a",
            [](const Var& a, const Var& b) { return detail::exp_mask(a, b, 0.5, 1.0); })
      .conventions = {{"infinite", "value first second", "0 * inf is NaN; -0 counts as 0"}};
  table
      .choice("band_mask", "a if b >= -1 and b <= 2 else Jet(0)",
              [](const Var& a, const Var& b) { return detail::band_mask(a, b, -1.0, 2.0); })
      .conventions = {kMasked};
  table.choice("maximum", "maximum(a, b)", [](const Var& a, const Var& b) { return maximum(a, b); });
  table.choice("minimum", "minimum(a, b)", [](const Var& a, const Var& b) { return minimum(a, b); });
  table.choice("less", "step(a < b)", [](const Var& a, const Var& b) { return less(a, b); });
  table.choice("less_equal", "step(a <= b)", [](const Var& a, const Var& b) { return less_equal(a, b); });
  table.choice("greater", "step(a > b)", [](const Var& a, const Var& b) { return greater(a, b); });
  table.choice("greater_equal", "step(a >= b)",
               [](const Var& a, const Var& b) { return greater_equal(a, b); });
  table.choice("equal_to", "step(a >= b and a <= b)",
               [](const Var& a, const Var& b) { return equal_to(a, b); });
  table.choice("where", "a if b > 0 else -a",
               [](const Var& a, const Var& b) { return where(greater(b, 0.0), a, -a); });
}

void add_pairs(Table& table) {
  table.pair("add", "a + b", [](const Var& a, const Var& b) { return a + b; });
  table.pair("sub", "a - b", [](const Var& a, const Var& b) { return a - b; });
  table.pair("mul", "a * b", [](const Var& a, const Var& b) { return a * b; });
  table.pair("div", "a / b", [](const Var& a, const Var& b) { return a / b; }).conventions = {
      {"infinite", "first second", "the rule divides inf by inf", NAN},
      {"0 5e-324", "second", "1 / b overflows: 0 * inf", NAN},
      {"-0 5e-324", "second", "1 / b overflows: 0 * inf", NAN}};
  ExtremeRow& power = table.pair(
      "pow", "power2(a, b)", [](const Var& a, const Var& b) { return pow(a, b); }, "powers");
  power.more = "[[2.0, 1024.0], [2.0, -1075.0], [2.0, -1022.5], [0.1, 3.0], [-2.0, 3.0], [1e-300, 1e-300]]";
  power.conventions = {
      {"rounded exponent", "second", "a^(b - 2) has the parity, and the sign, of b - 1 as it is rounded"},
      {"tiny base", "second", "a^(b - 2) overflows, which b, 0 or tiny, does not make good"},
      {"2 -1075", "second", "a^(b - 2) is subnormal"},
      {"infinite", "first second", "the rule multiplies 0 by inf", NAN},
      {"from 0", "second", "by both: infinite for b <= 1, where the engine's numbers say nothing"}};
  table.pair("outer", "a * b", [](const Var& a, const Var& b) { return outer(a, b); }).conventions = {
      {"with 0", "value", "a product added to 0 is +0"}};
  table.pair("mul_rows", "a * b", [](const Var& a, const Var& b) { return mul_rows(as_row(a), b); });
  table.pair("scale_rows", "a * b", [](const Var& a, const Var& b) { return scale_rows(as_row(a), b); });
  table.pair("add_rows", "a + b", [](const Var& a, const Var& b) { return add_rows(as_row(a), b); });
  table
      .pair("assemble", "a + b",
            [](const Var& a, const Var& b) {
              return detail::assemble(std::vector<detail::Piece>{{0, 0, a}, {0, 0, b}}, Shape{1});
            })
      .conventions = {{"with 0", "value", "numbers added to 0 are never -0"}};
}

void add_reductions(Table& table) {
  table.vector("sum", "total(x)", [](const Var& x) { return sum(x); }).unit = Unit::sum;
  table.vector("sum along rows", "total(x)", [](const Var& x) { return sum(as_row(x), 1); }).unit = Unit::sum;
  table.vector("sum down columns", "total(x)", [](const Var& x) { return sum(as_column(x), 0); }).unit =
      Unit::sum;
  table
      .vector("scatter_rows", "total(x)",
              [](const Var& x) { return scatter_rows(x, Tensor::zeros(x.shape()), 1); })
      .unit = Unit::sum;
  table.rows.back().conventions = kOneByOne;
  table
      .vector("put_along_axis", "total(x)",
              [](const Var& x) { return detail::put_along_axis(x, Tensor::zeros(x.shape()), 0, 1); })
      .unit = Unit::sum;
  table.rows.back().conventions = kOneByOne;
  table.vector(
      "sum of 1e7 equal numbers", "10**7 * x",
      [](const Var& x) { return sum(broadcast_to(x, Shape{10'000'000})); }, "few");
  table.vector("mean", "mean(x)", [](const Var& x) { return mean(x); }).unit = Unit::mean;
  table.vector("mean along rows", "mean(x)", [](const Var& x) { return mean(as_row(x), 1); }).unit =
      Unit::mean;
  table.vector("variance", "variance(x)", [](const Var& x) { return variance(x); }).conventions = {
      kInfiniteVariance, kVarianceBends, kNearMean};
  table.vector("variance, ddof 1", "variance(x, 1)", [](const Var& x) { return variance(x, {.ddof = 1}); })
      .conventions = {kInfiniteVariance, kVarianceBends, kNearMean};
  table.vector("norm", "length(x)", [](const Var& x) { return norm(x); }).conventions = {
      kInfiniteNorm, kNormAtZero, {"1.7e+308*2", "second", "divided by |x|, which overflows"}};
  table.vector("norm one", "total(abs_(t) for t in x)",
               [](const Var& x) { return norm(x, {.kind = Norm::one}); });
  table
      .vector(
          "norm infinity", "largest([abs_(t) for t in x])",
          [](const Var& x) { return norm(x, {.kind = Norm::infinity}); }, "ordered vectors")
      .conventions = {kNanChosen};
  table.vector("square of the norm", "dot(x, x)", [](const Var& x) { return square(norm(x)); }).conventions =
      {kInfiniteNorm, kNormAtZero, {"finite", "second", "terms of size 2 cancel, by |x| as it is rounded"}};
  table
      .vector(
          "max", "largest(x)", [](const Var& x) { return max(x); }, "ordered vectors")
      .conventions = {kNanChosen};
  table
      .vector(
          "min", "smallest(x)", [](const Var& x) { return min(x); }, "ordered vectors")
      .conventions = {kNanChosen};
  table.vector("log_sum_exp", "log_sum_exp(x)", [](const Var& x) { return log_sum_exp(x, 0); })
      .conventions = {kInfiniteLogits};
  table.vector("softmax", "softmax(x)", [](const Var& x) { return softmax(x, 0); }).conventions = {
      kInfiniteLogits, kNearLogits};
  table.vector("log_softmax", "log_softmax(x)", [](const Var& x) { return log_softmax(x, 0); })
      .conventions = {kInfiniteLogits};
}

void add_products(Table& table) {
  table
      .vector(
          "dot", "dot(*halves(x))", [](const Var& x) { return dot(first_half(x), second_half(x)); }, "even")
      .conventions = {kZeroTimesInfinity, kTinyProducts};
  table.vector("dot with itself", "dot(x, x)", [](const Var& x) { return dot(x, x); }).conventions = {
      kTinyProducts};
  table
      .vector(
          "matmul", "dot(*halves(x))",
          [](const Var& x) { return matmul(as_row(first_half(x)), as_column(second_half(x))); }, "even")
      .conventions = {kZeroTimesInfinity, kTinyProducts};
  table
      .vector(
          "matmul with a vector", "dot(*halves(x))",
          [](const Var& x) { return matmul(as_row(first_half(x)), second_half(x)); }, "even")
      .conventions = {kZeroTimesInfinity, kTinyProducts};
  table
      .vector(
          "batch_matmul", "dot(*halves(x))",
          [](const Var& x) {
            const Index k = x.size() / 2;
            return batch_matmul(reshape(first_half(x), Shape{1, 1, k}),
                                reshape(second_half(x), Shape{1, k, 1}));
          },
          "even")
      .conventions = {kZeroTimesInfinity, kTinyProducts};
  table
      .vector(
          "linear", "dot(*halves(x))",
          [](const Var& x) { return linear(as_row(first_half(x)), as_row(second_half(x))); }, "even")
      .conventions = {kZeroTimesInfinity, kTinyProducts};
  const auto square_of = [](const Var& x) {
    const auto n = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(x.size()))));
    return reshape(x, Shape{n, n});
  };
  table
      .vector(
          "log_det_spd", "spd(x, lambda det, y: log(det))",
          [=](const Var& x) { return log_det_spd(square_of(x)); }, "matrices")
      .conventions = {kSubnormalPivot, {"1e+300 0*2 1e-300", "value", "logarithms of pivots cancel"}};
  ExtremeRow& solve = table.vector(
      "solve_spd", "spd(x, lambda det, y: y)",
      [=](const Var& x) {
        const Var a = square_of(x);
        return solve_spd(a, Tensor::ones(Shape{a.size(0)}));
      },
      "matrices");
  solve.slope_ulps = 32.0;
  solve.conventions = {kSubnormalPivot,
                       {"1e+300 0*2 1e-300", "second", "a factor within underflows"},
                       {"1e-300 0*2 1e-300", "second", "the square of the inverse overflows", NAN}};
}

/// Losses of one margin, for both labels.
ExtremeRow& add_margin_loss(Table& table, const std::string& name, const std::string& formula,
                            Var (*loss)(const Var&, const Tensor&)) {
  for (const double y : {1.0, -1.0}) {
    table.number(name + (y > 0.0 ? " of +1" : " of -1"),
                 "(lambda t: " + formula + ")(" + (y > 0.0 ? "x" : "-x") + ")",
                 [=](const Var& f) { return loss(f, Tensor{y}); });
  }
  return table.vector(name, "mean([" + formula + " for t in x])",
                      [=](const Var& f) { return loss(f, Tensor::ones(f.shape())); });
}

void add_losses(Table& table) {
  add_margin_loss(table, "logistic", "softplus(-t)", nn::logistic);
  add_margin_loss(table, "hinge", "maximum(1 - t, Jet(0))", nn::hinge);
  add_margin_loss(table, "squared_hinge", "(lambda u: u * u)(maximum(1 - t, Jet(0)))", nn::squared_hinge);
  ExtremeRow& exponential = add_margin_loss(table, "exponential", "exp(-t)", nn::exponential);
  exponential.ulps = 6.0;  // those of exp, the sum's and the quotient's
  exponential.conventions = {
      {"below -700", "second", "0 * inf: another sample's share of an infinite curvature", NAN}};
  table.vector("mse", "mean([(t - 0.5) * (t - 0.5) for t in x])",
               [](const Var& x) { return nn::mse(x, Tensor::full(x.shape(), 0.5)); });
  table.vector("half_mse", "mean([(t - 0.5) * (t - 0.5) / 2 for t in x])",
               [](const Var& x) { return nn::half_mse(x, Tensor::full(x.shape(), 0.5)); });
  table
      .vector(
          "cross_entropy of the first", "-log_softmax_at(x, 0)",
          [](const Var& x) { return nn::cross_entropy(as_row(x), Tensor{0.0}); }, "classes")
      .conventions = {kInfiniteLogits};
  table
      .vector(
          "cross_entropy of the last", "-log_softmax_at(x, -1)",
          [](const Var& x) {
            return nn::cross_entropy(as_row(x), Tensor{static_cast<double>(x.size() - 1)});
          },
          "classes")
      .conventions = {kInfiniteLogits};
  table
      .vector(
          "cross_entropy of two", "-(log_softmax_at(x, 0) + log_softmax_at(x, 1)) / 2",
          [](const Var& x) {
            Tensor p = pad(Tensor{0.5, 0.5}, {.after = x.size() - 2}).value();
            return nn::cross_entropy(as_row(x), p.reshape(Shape{1, x.size()}));
          },
          "classes")
      .conventions = {kInfiniteLogits, kNearLogits};
}

}  // namespace

std::vector<ExtremeRow> extreme_rows() {
  Table table;
  add_functions(table);
  add_kinks(table);
  add_pairs(table);
  add_reductions(table);
  add_products(table);
  add_losses(table);
  return std::move(table.rows);
}

}  // namespace cotangent::test
