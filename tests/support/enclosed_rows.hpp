// The table of operations as functions to enclose: of all inputs and of each alone, with their derivatives.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "enclose/replay/replay.hpp"
#include "tests/support/op_table.hpp"

namespace cotangent::test {

using Function = std::function<Var(const Var&)>;

/// Numbers of any shape that no symmetry makes vanish.
inline Tensor weights(const Shape& shape) {
  std::vector<double> numbers;
  for (Index i = 0; i < shape.size(); ++i)
    numbers.push_back(0.7 + std::fmod(0.37 * static_cast<double>(i * i + 1), 1.0));
  return Tensor::from(numbers, shape);
}

/// <weights, f>, and so on: the derivative of order k as a function of x.
inline Function derivative(const Function& f, int order) {
  if (order == 0) return f;
  const Function inner = derivative(f, order - 1);
  return [inner](const Var& x) {
    const auto along = [&](const Var& v) {
      const Var y = inner(v);
      return sum(y * weights(y.shape()));
    };
    return grad(along, x);
  };
}

/// Operations that have no rule.
inline bool refused(const enclosing::Program& program) {
  for (const enclosing::Step& step : program.steps)
    if (step.op && !enclosing::rule_of(*step.op)) return true;
  return false;
}

/// The row's operation of input k alone; the others are constants.
inline Function of_one(const OpRow& row, std::size_t k) {
  return [row, k](const Var& x) {
    std::vector<Var> vars;
    for (const Plain& input : random_inputs(row)) vars.emplace_back(tensor_of(input));
    vars[k] = x;
    return row.function(vars);
  };
}

/// Every row, of all inputs and of each alone.
inline void visit_rows(const std::function<void(const Function&, const Tensor&)>& visit) {
  for (const OpRow& row : op_table()) {
    SCOPED_TRACE(row.name);
    visit([&](const Var& flat) { return of_flat(row, flat); }, flat_inputs(row));
    for (std::size_t k = 0; row.inputs.size() > 1 && k < row.inputs.size(); ++k) {
      SCOPED_TRACE("input " + std::to_string(k) + " alone");
      visit(of_one(row, k), tensor_of(random_inputs(row)[k]));
    }
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace cotangent::test
