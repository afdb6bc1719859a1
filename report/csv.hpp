// CSV: tables of numbers for other programs.
#pragma once
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cotangent::report {

/// Writes `columns` as the header and a line for each row of `rows`; replaces an existing file in one step.
///
/// Numbers are the shortest that read back the same, "nan", "inf" or "-inf"; names are quoted as RFC 4180
/// says, lines end with "\n".
/// Shapes: rows [n, k], k names.
/// Throws: ShapeError if the names do not number the columns; DomainError naming
/// the file that cannot be written.
void save_csv(const std::string& path, const std::vector<std::string>& columns, const Tensor& rows);

}  // namespace cotangent::report
