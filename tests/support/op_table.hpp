// The table of operations: every operation and every composition of them in ops.hpp, with its values by plain
// loops that know nothing of the library. A new operation gets its row in one of op_rows_*.cpp.
#pragma once
#include <vector>

#include "tests/support/op_row.hpp"

namespace cotangent::test {

std::vector<OpRow> op_table();

}  // namespace cotangent::test
