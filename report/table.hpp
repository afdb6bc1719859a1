// Table: rows of text and numbers, as aligned text, Markdown or HTML.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "autodiff/shape.hpp"

namespace cotangent::report {

/// automatic: to the right if every cell of the column is a number, else to the left.
enum class Align { automatic, left, right };

struct Column {
  std::string name;
  Align align = Align::automatic;
  /// Significant digits of numbers that are not whole-number types, 1 to 17.
  int digits = 6;
};

/// A piece of text, a whole number or a number; a bool reads "yes" or "no".
class Cell {
 public:
  Cell(std::string text) : text_(std::move(text)) {}     // NOLINT(google-explicit-constructor)
  Cell(std::string_view text) : text_(text) {}           // NOLINT(google-explicit-constructor)
  Cell(const char* text) : text_(text) {}                // NOLINT(google-explicit-constructor)
  Cell(double value) : value_(value), kind_(kNumber) {}  // NOLINT(google-explicit-constructor)
  template <class T>
  requires std::is_integral_v<T> Cell(T value)  // NOLINT(google-explicit-constructor)
      : text_(std::is_same_v<T, bool> ? (value ? "yes" : "no") : std::to_string(value)),
        kind_(std::is_same_v<T, bool> ? kText : kWhole) {}

  bool is_number() const noexcept { return kind_ != kText; }
  std::string text(int digits) const;

 private:
  enum Kind { kText, kWhole, kNumber };
  std::string text_;
  double value_ = 0.0;
  Kind kind_ = kText;
};

/// print(table) writes its text.
class Table {
 public:
  /// Throws: DomainError if there is no column, or if one asks for fewer than 1 or more than 17 digits.
  explicit Table(std::vector<Column> columns);

  /// Adds a row. Throws: ShapeError unless there is one cell a column.
  Table& row(std::vector<Cell> cells);
  Index num_rows() const noexcept { return static_cast<Index>(rows_.size()); }
  Index num_columns() const noexcept { return static_cast<Index>(columns_.size()); }

  /// Columns side by side under a ruled heading, for terminals; ends without a line end.
  std::string to_text() const;
  std::string to_string() const { return to_text(); }
  /// A table of GitHub's dialect; text is escaped.
  std::string to_markdown() const;
  /// A <table>; text is escaped, and every cell carries its column's name as data-name for narrow layouts.
  std::string to_html() const;

 private:
  bool right(std::size_t column) const;
  std::string text(std::size_t row, std::size_t column) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace cotangent::report
