// CSV files of numbers.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cotangent::nn {

/// Whether a file's first line names the columns; automatic: if its cells are text that is no
/// number. Throws: DomainError where some are and some are not.
enum class CsvHeader { automatic, yes, no };

struct CsvOptions {
  CsvHeader header = CsvHeader::automatic;
  char delimiter = ',';
};

/// Columns of numbers by their names: data.without("label") and data.column("label").
struct CsvColumns {
  /// "0", "1", ... where the file has none.
  std::vector<std::string> names;
  /// [rows, columns].
  Tensor numbers;

  /// Shapes: -> [rows]. Throws: DomainError listing the names there are.
  Tensor column(std::string_view name) const;
  /// Several, in the order asked for; columns({"y"}) is the labels [rows, 1] of logistic.
  /// Shapes: k names -> [rows, k]. Throws: as column.
  Tensor columns(std::initializer_list<std::string_view> wanted) const;
  /// All others, in the file's order.
  /// Shapes: k names -> [rows, columns - k]. Throws: as column.
  Tensor without(std::initializer_list<std::string_view> dropped) const;
  Tensor without(std::string_view dropped) const { return without({dropped}); }

  /// The shape, the names and the numbers, long tables shortened.
  std::string to_string() const;
};

/// The table in a file: RFC 4180, with lines that end in LF, CR LF or CR.
///
/// Cells may stand in quotes, with spaces and tabs around; a byte order mark of UTF-8 and empty
/// lines at the end are passed over. Numbers are decimal, with an optional sign, or inf and nan
/// in any case; no locale matters. The nearest double is taken, so 1e-400 is 0.
/// Throws: DomainError "[read_csv] path: line, column, what was there; fix" for a file that cannot be read or
/// holds no line; lines of unequal length; text, empty cells and numbers beyond the range of doubles; quotes
/// that do not fit; repeated names; a delimiter that could be part of a number.
CsvColumns read_csv(const std::string& path, const CsvOptions& options = {});

}  // namespace cotangent::nn
