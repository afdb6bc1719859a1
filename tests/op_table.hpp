// The table of operations: every operation and every composition of them in ops.hpp, with its values by plain
// loops that know nothing of the library. A new operation gets its row in one of the files included here.
#pragma once
#include <vector>

#include "op_row.hpp"
#include "op_rows_elementwise.hpp"
#include "op_rows_maps.hpp"
#include "op_rows_products.hpp"
#include "op_rows_shape.hpp"

namespace cotangent::test {

inline std::vector<OpRow> op_table() {
  std::vector<OpRow> table;
  for (const auto& rows : {elementwise_rows(), product_rows(), reduction_rows(), shape_rows(), map_rows()})
    table.insert(table.end(), rows.begin(), rows.end());
  return table;
}

}  // namespace cotangent::test
