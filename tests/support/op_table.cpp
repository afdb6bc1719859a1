// The parts of the table of operations, and those rows that are in none of them.
#include "tests/support/op_table.hpp"

#include <cmath>

#include "autodiff/checkpoint.hpp"
#include "autodiff/ops.hpp"

namespace cotangent::test {

Var of_flat(const OpRow& row, const Var& flat) {
  std::vector<Var> vars;
  Index offset = 0;
  for (const Shape& shape : row.inputs) {
    vars.push_back(view(flat, offset, shape));
    offset += shape.size();
  }
  return row.function(vars);
}

Tensor flat_inputs(const OpRow& row) {
  std::vector<double> numbers;
  for (const Plain& input : random_inputs(row))
    numbers.insert(numbers.end(), input.numbers.begin(), input.numbers.end());
  const auto size = static_cast<Index>(numbers.size());
  return Tensor::from(numbers, Shape{size});
}

namespace {

/// checkpoint is an operation as well: of two inputs, and of one inside another.
std::vector<OpRow> checkpoint_rows() {
  const auto wave = [](double a, double b) { return std::sin(a * b) + a; };
  const auto f = [](const Var& a, const Var& b) { return sin(a * b) + a; };
  return {{.name = "checkpoint",
           .inputs = {Shape{2, 3}, Shape{2, 3}},
           .function = [f](Vars v) { return checkpoint(f, v[0], v[1]); },
           .expected =
               [wave](const Plains& x) {
                 return make(x[0].shape, [&](const Position& p) { return wave(x[0].at(p), x[1].at(p)); });
               }},
          {.name = "checkpoint in a checkpoint",
           .inputs = {Shape{2, 3}, Shape{2, 3}},
           .function =
               [f](Vars v) {
                 return checkpoint([f](const Var& a, const Var& b) { return f(checkpoint(f, a, b), b); },
                                   v[0], v[1]);
               },
           .expected =
               [wave](const Plains& x) {
                 return make(x[0].shape, [&](const Position& p) {
                   return wave(wave(x[0].at(p), x[1].at(p)), x[1].at(p));
                 });
               }}};
}

}  // namespace

std::vector<OpRow> op_table() {
  std::vector<OpRow> table;
  for (const auto& rows : {elementwise_rows(), product_rows(), reduction_rows(), shape_rows(), compare_rows(),
                           axes_rows(), linalg_rows(), map_rows(), slope_rows(), checkpoint_rows()})
    table.insert(table.end(), rows.begin(), rows.end());
  return table;
}

}  // namespace cotangent::test
