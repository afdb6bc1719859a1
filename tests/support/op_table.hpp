// The table of operations: every operation and every composition of them in ops.hpp, with its values by plain
// loops that know nothing of the library. A new operation gets its row in one of the files included here.
#pragma once
#include <cmath>
#include <vector>

#include "autodiff/checkpoint.hpp"
#include "autodiff/ops.hpp"
#include "tests/support/op_row.hpp"
#include "tests/support/op_rows_axes.hpp"
#include "tests/support/op_rows_compare.hpp"
#include "tests/support/op_rows_elementwise.hpp"
#include "tests/support/op_rows_linalg.hpp"
#include "tests/support/op_rows_maps.hpp"
#include "tests/support/op_rows_products.hpp"
#include "tests/support/op_rows_shape.hpp"

namespace cotangent::test {

/// checkpoint is an operation as well: of two inputs, and of one inside another.
inline std::vector<OpRow> checkpoint_rows() {
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

inline std::vector<OpRow> op_table() {
  std::vector<OpRow> table;
  for (const auto& rows : {elementwise_rows(), product_rows(), reduction_rows(), shape_rows(), compare_rows(),
                           axes_rows(), linalg_rows(), map_rows(), checkpoint_rows()})
    table.insert(table.end(), rows.begin(), rows.end());
  return table;
}

}  // namespace cotangent::test
