// Every operation at extreme numbers: values, first and second derivatives against the recorded exact ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>

#include "autodiff/ops.hpp"
#include "autodiff/tape/state.hpp"
#include "autodiff/tensor/access.hpp"
#include "autodiff/transforms.hpp"
#include "nn/activations.hpp"
#include "tests/support/extremes.hpp"
#include "tests/support/op_table.hpp"

namespace cotangent {
namespace {

using namespace test;

std::set<const Op*> recorded_ops(const std::function<Var(Vars)>& f, const std::vector<Tensor>& operands) {
  Tape tape;
  detail::VarAccess::state(tape).brief = true;  // a loss is one node
  std::vector<Var> vars;
  for (const Tensor& x : operands) vars.push_back(tape.input(x));
  f(vars);
  std::set<const Op*> ops;
  for (const detail::Node& node : detail::VarAccess::state(tape).nodes)
    if (node.op) ops.insert(node.op);
  return ops;
}

/// The sum of all derivatives of sum f.
std::function<Var(Vars)> slope_of(const std::function<Var(Vars)>& f) {
  return [f](Vars operands) {
    Var total = 0.0;
    for (std::size_t k = 0; k < operands.size(); ++k)
      total = total + sum(grad(
                          [&](const Var& x) {
                            std::vector<Var> vars(operands.begin(), operands.end());
                            vars[k] = x;
                            return sum(f(vars));
                          },
                          operands[k]));
    return total;
  };
}

/// Numbers go elsewhere or are left out, and nothing else is done to them.
bool only_moves(const Op& op) {
  return op.spec().roundings == 0.0 && !op.spec().own_error && !op.spec().at_kink && op.spec().pullback;
}

/// Rows of the table of operations that only move numbers; one that adds them up where they meet is none.
std::vector<OpRow> moving_rows() {
  std::vector<OpRow> rows;
  for (const OpRow& row : op_table()) {
    std::vector<Tensor> operands;
    for (const Plain& input : random_inputs(row)) operands.push_back(tensor_of(input));
    const std::set<const Op*> ops = recorded_ops(row.function, operands);
    if (!ops.empty() && std::all_of(ops.begin(), ops.end(), [](const Op* op) { return only_moves(*op); }))
      rows.push_back(row);
  }
  return rows;
}

void expect_agreement(const ExtremeRow& row, const ExtremeRecord& record) {
  std::set<const Convention*> needed;
  for (const ExtremeCase& c : compared(row, record)) {
    if (c.refuses == c.refusal.empty()) needed.insert(c.convention);
    EXPECT_TRUE(c.refuses != c.refusal.empty() || c.convention) << "at " << c.input << ": " << c.refusal;
    for (const Compared& n : c.numbers) {
      if (!n.agrees) needed.insert(n.convention);
      EXPECT_TRUE(n.agrees || n.convention) << "at " << c.input << ": " << n.what << " is " << n.got
                                            << ", should be " << n.right << "; " << n.ulps << " units off";
    }
  }
  for (const Convention& convention : row.conventions)
    EXPECT_TRUE(needed.count(&convention)) << "no number needs the convention \"" << convention.why << "\"";
}

TEST(Extremes, NumbersAgreeWithTheRecordOrSayWhyNot) {
  for (const ExtremeRow& row : extreme_rows()) {
    SCOPED_TRACE(row.name);
    const ExtremeRecord* record = extreme_record(row.name);
    const bool current = record && record->formula == row.formula;
    EXPECT_TRUE(current) << row.formula << " is not recorded; run scripts/extremes --record";
    if (current) expect_agreement(row, *record);
  }
}

TEST(Extremes, EveryOperationHasARow) {
  std::set<const Op*> seen;
  for (const ExtremeRow& row : extreme_rows()) {
    const Index n =
        row.inputs.ends_with("vectors") || row.inputs == "even" || row.inputs == "classes" ? 2 : 1;
    std::vector<Tensor> operands{Tensor::full(Shape{n}, 0.5)};
    if (row.inputs.ends_with("pairs") || row.inputs == "powers") operands = {Tensor{0.5}, Tensor{0.25}};
    // The row asks for derivatives of two orders, and so for what only they record.
    seen.merge(recorded_ops(row.function, operands));
    seen.merge(recorded_ops(slope_of(row.function), operands));
    seen.merge(recorded_ops(slope_of(slope_of(row.function)), operands));
  }
  for (const OpRow& row : moving_rows()) {
    std::vector<Tensor> operands;
    for (const Plain& input : random_inputs(row)) operands.push_back(tensor_of(input));
    seen.merge(recorded_ops(row.function, operands));
  }
  // What a caller's own function computes is the caller's.
  const std::set<std::string> callers = {"checkpoint", "linear_map", "linear_map_transposed"};
  for (const Op* op = Op::first(); op; op = op->next())
    EXPECT_TRUE(seen.count(op) || callers.count(op->name()))
        << "[" << op->name() << "] has no row in the table of extreme values, tests/support/extreme_rows.cpp";
}

TEST(Extremes, WhatMovesNumbersKeepsTheirBits) {
  constexpr double kInf = std::numeric_limits<double>::infinity(), kMost = std::numeric_limits<double>::max();
  const std::vector<double> numbers{0.0, -0.0, 5e-324, -1e-300, 1e300, -kMost, kInf, -kInf, NAN, 1.0};
  const std::vector<OpRow> rows = moving_rows();
  EXPECT_GE(rows.size(), 30u);
  for (const OpRow& row : rows) {
    SCOPED_TRACE(row.name);
    std::size_t at = 0;
    Plains inputs;
    for (const Shape& shape : row.inputs)
      inputs.push_back(make(shape, [&](const Position&) { return numbers[at++ % numbers.size()]; }));
    std::vector<Var> vars;
    for (const Plain& input : inputs) vars.emplace_back(tensor_of(input));
    const Tensor value = row.function(vars).value();
    const Plain expected = row.expected(inputs);
    ASSERT_EQ(value.shape().to_string(), expected.shape.to_string());
    for (std::size_t i = 0; i < expected.numbers.size(); ++i)
      EXPECT_EQ(std::bit_cast<std::uint64_t>(value.data()[i]),
                std::bit_cast<std::uint64_t>(expected.numbers[i]))
          << value.data()[i] << ", should be " << expected.numbers[i];
  }
}

TEST(Extremes, ActivationsAreTheOperations) {
  struct Row {
    std::shared_ptr<const nn::Activation> module;
    Var (*operation)(const Var& x);
  };
  const std::vector<Row> rows = {
      {std::make_shared<nn::LeakyReLU>(0.1), [](const Var& x) { return leaky_relu(x, 0.1); }},
      {std::make_shared<nn::ReLU>(), relu},
      {std::make_shared<nn::ELU>(0.3), [](const Var& x) { return elu(x, 0.3); }},
      {std::make_shared<nn::GELU>(), gelu},
      {std::make_shared<nn::SiLU>(), silu},
      {std::make_shared<nn::Tanh>(), tanh},
      {std::make_shared<nn::Sigmoid>(), sigmoid},
      {std::make_shared<nn::Softplus>(), softplus},
      {std::make_shared<nn::Erf>(), erf},
      {std::make_shared<nn::Sin>(), sin},
      {std::make_shared<nn::Square>(), square},
      {std::make_shared<nn::Identity>(), [](const Var& x) { return x; }}};
  std::vector<double> numbers;
  for (const ExtremeRecord::At& at : extreme_record("exp")->cases) numbers.push_back(at.x.front());
  const Tensor x = Tensor::from(numbers, Shape{static_cast<Index>(numbers.size())});
  const auto expect_same = [](const Tensor& a, const Tensor& b) {
    for (Index i = 0; i < a.size(); ++i)
      EXPECT_TRUE(a(i) == b(i) || (std::isnan(a(i)) && std::isnan(b(i)))) << i;
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.module->name());
    const auto phi = [&](const Var& v) { return (*row.module)(Tensor::zeros({0}), v); };
    expect_same(phi(x).value(), row.operation(x).value());
    expect_same(grad([&](const Var& v) { return sum(phi(v)); }, x),
                grad([&](const Var& v) { return sum(row.operation(v)); }, x));
  }
}

TEST(Extremes, AWrongNumberIsNoticed) {
  const auto wrong_of = [](const char* name, std::function<Var(Vars)> f) {
    ExtremeRow row;
    for (const ExtremeRow& known : extreme_rows())
      if (known.name == name) row = known;
    row.function = std::move(f);
    row.conventions.clear();
    std::set<int> orders;
    for (const ExtremeCase& c : compared(row, *extreme_record(name)))
      for (const Compared& n : c.numbers)
        if (!n.agrees) orders.insert(n.order);
    return orders;
  };
  using Orders = std::set<int>;
  EXPECT_EQ(wrong_of("square", [](Vars x) { return square(x[0]); }), Orders{});
  EXPECT_EQ(wrong_of("square", [](Vars x) { return square(x[0]) * (1.0 + 0x1p-48); }), (Orders{0, 1, 2}));
  EXPECT_EQ(wrong_of("square", [](Vars x) { return square(detach(x[0])) + 0.0 * x[0]; }), (Orders{0, 1, 2}));
  EXPECT_EQ(wrong_of("square", [](Vars x) { return x[0] * detach(x[0]); }), (Orders{1, 2}));
  EXPECT_EQ(wrong_of("mul", [](Vars x) { return x[0] * x[1]; }), Orders{});
  EXPECT_EQ(wrong_of("mul", [](Vars x) { return x[0] * (x[1] + 1e-300); }), (Orders{0, 1}));
}

}  // namespace
}  // namespace cotangent
