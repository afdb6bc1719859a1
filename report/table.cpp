// Table: the three writers.
#include "report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autodiff/error.hpp"
#include "report/text.hpp"

namespace cotangent::report {
namespace {

std::string padded(const std::string& text, std::size_t wanted, bool right) {
  const std::string space(wanted - width(text), ' ');
  return right ? space + text : text + space;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string Cell::text(int digits) const { return kind_ == kNumber ? number_text(value_, digits) : text_; }

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  if (columns_.empty()) throw DomainError("[Table] no columns; give at least one");
  for (const Column& column : columns_)
    if (column.digits < 1 || column.digits > 17)
      throw DomainError(fmt::format("[Table] column \"{}\" asks for {} significant digits; ask for 1 to 17",
                                    column.name, column.digits));
}

Table& Table::row(std::vector<Cell> cells) {
  if (cells.size() != columns_.size()) {
    std::string names;
    for (const Column& column : columns_) names += (names.empty() ? "" : ", ") + column.name;
    throw ShapeError(fmt::format("[Table::row] {} cells for {} columns ({}); give one cell a column",
                                 cells.size(), columns_.size(), names));
  }
  rows_.push_back(std::move(cells));
  return *this;
}

bool Table::right(std::size_t column) const {
  if (columns_[column].align != Align::automatic) return columns_[column].align == Align::right;
  return !rows_.empty() && std::all_of(rows_.begin(), rows_.end(), [column](const std::vector<Cell>& cells) {
    return cells[column].is_number();
  });
}

std::string Table::text(std::size_t row, std::size_t column) const {
  return rows_[row][column].text(columns_[column].digits);
}

std::string Table::to_text() const {
  std::vector<std::string> lines(rows_.size() + 2);
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    std::vector<std::string> cells{one_line(columns_[j].name)};
    for (std::size_t i = 0; i < rows_.size(); ++i) cells.push_back(one_line(text(i, j)));
    std::size_t widest = 0;
    for (const std::string& cell : cells) widest = std::max(widest, width(cell));
    const std::string gap = j ? "  " : "";
    lines[0] += gap + padded(cells[0], widest, right(j));
    lines[1] += gap + std::string(widest, '-');
    for (std::size_t i = 0; i < rows_.size(); ++i)
      lines[i + 2] += gap + padded(cells[i + 1], widest, right(j));
  }
  std::string out;
  for (std::string& line : lines) out += (out.empty() ? "" : "\n") + trimmed(std::move(line));
  return out;
}

std::string Table::to_markdown() const {
  std::string out = "|", rule = "|";
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    out += " " + markdown(columns_[j].name) + " |";
    rule += right(j) ? " ---: |" : " --- |";
  }
  out += "\n" + rule + "\n";
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    out += "|";
    for (std::size_t j = 0; j < columns_.size(); ++j) out += " " + markdown(text(i, j)) + " |";
    out += "\n";
  }
  return out;
}

std::string Table::to_html() const {
  const auto style = [this](std::size_t j) { return right(j) ? " style=\"text-align:right\"" : ""; };
  std::string out = "<table>\n<thead><tr>";
  for (std::size_t j = 0; j < columns_.size(); ++j)
    out += fmt::format("<th{}>{}</th>", style(j), html(columns_[j].name));
  out += "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    out += "<tr>";
    for (std::size_t j = 0; j < columns_.size(); ++j)
      out +=
          fmt::format("<td data-name=\"{}\"{}>{}</td>", html(columns_[j].name), style(j), html(text(i, j)));
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n";
}

}  // namespace cotangent::report
