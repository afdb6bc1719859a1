// CSV reader: one pass over the bytes; a cell is looked at where it stands unless doubled quotes are in it.
#include "nn/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <system_error>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::nn {
namespace {

constexpr std::size_t kShownCell = 40;

/// The beginning of a cell in quotes, with everything that is not printable ASCII written as \xNN.
std::string shown(std::string_view cell) {
  std::string text = "\"";
  for (const char c : cell.substr(0, kShownCell)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e)
      text += fmt::format("\\x{:02x}", byte);
    else
      text += c;
  }
  return text + (cell.size() > kShownCell ? "\"..." : "\"");
}

bool one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

struct Cell {
  std::string_view text;
  std::size_t line;
};

/// Cells of a text, record by record.
class Reader {
 public:
  Reader(const std::string& path, std::string_view text, char delimiter)
      : path_(path), text_(text), delimiter_(delimiter) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
    if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff"))
      fail("is UTF-16, as its first bytes say", "save it as UTF-8");
  }

  [[noreturn]] void fail(const std::string& what, const std::string& fix) const {
    throw DomainError(fmt::format("[read_csv] {}: {}; {}", path_, what, fix));
  }
  [[noreturn]] void fail_at(std::size_t line, std::size_t column, const std::string& what,
                            const std::string& fix) const {
    fail(fmt::format("line {}, column {} {}", line, column + 1, what), fix);
  }

  /// The next record's cells, valid until the next call; false at the end, where empty lines do not count.
  bool next(std::vector<Cell>& cells) {
    cells.clear();
    unescaped_.clear();
    if (at_ >= text_.size()) return false;
    if (const std::size_t rest = text_.find_first_not_of("\r\n", at_); rest == std::string_view::npos)
      return false;
    do cells.push_back(read_cell(cells.size()));
    while (take(delimiter_));
    end_line();
    return true;
  }

  /// Without spaces and tabs around.
  std::string_view trimmed(std::string_view text) const {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
  }

 private:
  bool is_blank(char c) const { return (c == ' ' || c == '\t') && c != delimiter_; }
  bool done() const { return at_ == text_.size(); }
  bool take(char c) {
    if (done() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void end_line() {
    if (done()) return;
    if (take('\r'))
      take('\n');
    else
      ++at_;
    ++line_;
  }

  Cell read_cell(std::size_t column) {
    while (!done() && is_blank(text_[at_])) ++at_;
    const std::size_t begin = at_, line = line_;
    if (take('"')) return {read_quoted(column), line};
    const char stops[] = {delimiter_, '\r', '\n', '"'};
    at_ = std::min(text_.find_first_of(std::string_view(stops, sizeof stops), begin), text_.size());
    if (!done() && text_[at_] == '"')
      fail_at(line_, column, "has a quote in the middle of " + shown(text_.substr(begin, at_ - begin + 1)),
              "put the whole cell in quotes and double those within");
    return {trimmed(text_.substr(begin, at_ - begin)), line};
  }

  std::string_view read_quoted(std::size_t column) {
    const std::size_t begin = at_, line = line_;
    std::string joined;  // pieces between doubled quotes
    bool doubled = false;
    std::size_t piece = begin;
    for (;; ++at_) {
      if (done())
        fail_at(line, column, "begins with a quote that nothing closes: " + shown(text_.substr(begin - 1)),
                "close it, or double a quote that belongs to the text");
      const char c = text_[at_];
      if (c == '\n' || (c == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] != '\n'))) ++line_;
      if (c != '"') continue;
      if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') break;
      ++at_;
      joined += text_.substr(piece, at_ - piece);
      piece = at_ + 1;
      doubled = true;
    }
    std::string_view text = text_.substr(piece, at_ - piece);
    ++at_;
    if (doubled) {
      joined += text;
      unescaped_.push_back(std::make_unique<const std::string>(std::move(joined)));
      text = *unescaped_.back();
    }
    while (!done() && is_blank(text_[at_])) ++at_;
    if (!done() && text_[at_] != delimiter_ && !one_of(text_[at_], "\r\n"))
      fail_at(line_, column, "goes on behind its closing quote: " + shown(text_.substr(begin - 1)),
              "double a quote that belongs to the text");
    return text;
  }

  const std::string& path_;
  std::string_view text_;
  char delimiter_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::vector<std::unique_ptr<const std::string>> unescaped_;
};

enum class Parsed { number, text, too_large };

/// Whether a decimal number is less than 1; no number within the range of doubles is asked about.
bool below_one(std::string_view number) {
  if (number.starts_with('-')) number.remove_prefix(1);
  const std::size_t mark = std::min(number.find_first_of("eE"), number.size());
  const std::string_view digits = number.substr(0, mark);
  const auto point = static_cast<Index>(std::min(digits.find('.'), digits.size()));
  const auto first = static_cast<Index>(digits.find_first_of("123456789"));
  Index exponent = 0;
  if (mark < number.size()) {
    std::string_view power = number.substr(mark + 1);
    const bool negative = power.starts_with('-');
    if (power.starts_with('+') || negative) power.remove_prefix(1);
    if (std::from_chars(power.data(), power.data() + power.size(), exponent).ec != std::errc())
      return negative;  // more than any file has digits
    exponent = std::min(exponent, Index{1} << 60) * (negative ? -1 : 1);
  }
  return point - first + exponent <= 0;
}

Parsed parse(std::string_view cell, double& value) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  const std::from_chars_result end = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end.ptr != cell.data() + cell.size() || end.ec == std::errc::invalid_argument) return Parsed::text;
  if (end.ec == std::errc()) return Parsed::number;
  if (!below_one(cell)) return Parsed::too_large;
  value = cell.starts_with('-') ? -0.0 : 0.0;
  return Parsed::number;
}

/// Names, all of them, or numbers, all of them: a line of both is as likely a number misspelt.
bool names_columns(const Reader& reader, const std::vector<Cell>& cells) {
  std::string_view name, number;
  for (const Cell& cell : cells) {
    const std::string_view text = reader.trimmed(cell.text);
    double ignored = 0.0;
    if (text.empty()) continue;
    (parse(text, ignored) == Parsed::text ? name : number) = text;
  }
  if (!name.empty() && !number.empty())
    reader.fail(fmt::format("line {} has both {} and {}", cells[0].line, shown(name), shown(number)),
                "mend it, or say with .header whether it names the columns");
  return !name.empty();
}

/// The number in a cell, or an error that says what is there instead.
double number_in(const Reader& reader, const Cell& cell, std::size_t column, const CsvColumns& table,
                 bool first) {
  const std::string_view text = reader.trimmed(cell.text);
  double value = 0.0;
  const Parsed parsed = parse(text, value);
  if (parsed == Parsed::number) return value;
  const std::string name =
      table.names[column] == std::to_string(column) ? "" : fmt::format("({}) ", shown(table.names[column]));
  if (text.empty())
    reader.fail_at(cell.line, column, name + "is empty", "fill it in, or write nan for a missing number");
  if (parsed == Parsed::too_large)
    reader.fail_at(cell.line, column,
                   fmt::format("{}holds {}, beyond the range of doubles", name, shown(text)),
                   "write inf if that is meant");
  const bool other_delimiter =
      std::any_of(text.begin(), text.end(), [](char c) { return one_of(c, ";\t|"); });
  reader.fail_at(cell.line, column, fmt::format("{}holds {}, not a number", name, shown(text)),
                 other_delimiter ? "set .delimiter to the character between the cells"
                 : first         ? "set .header = nn::CsvHeader::yes if the first line names the columns"
                                 : "write words as numbers, or leave their column out");
}

void take_names(const Reader& reader, const std::vector<Cell>& cells, CsvColumns& table) {
  std::set<std::string_view> seen;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    if (!seen.insert(cells[k].text).second)
      reader.fail_at(cells[k].line, k, "is a second one called " + shown(cells[k].text),
                     "give each column its own name");
    table.names.emplace_back(cells[k].text);
  }
}

void check_delimiter(char c) {
  const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (alphanumeric || c == '\0' || one_of(c, "\"\r\n.+-"))
    throw DomainError(
        fmt::format("[read_csv] the delimiter is {}, which could be part of a cell; give , ; | or a tab",
                    shown(std::string_view(&c, 1))));
}

std::size_t position(const CsvColumns& table, std::string_view name) {
  const auto found = std::find(table.names.begin(), table.names.end(), name);
  if (found != table.names.end()) return static_cast<std::size_t>(found - table.names.begin());
  std::string names;
  for (const std::string& known : table.names) names += (names.empty() ? "\"" : ", \"") + known + "\"";
  throw DomainError(fmt::format("[CsvColumns] no column is called \"{}\"; the names are {}", name,
                                names.empty() ? "none: this table is empty" : names));
}

Tensor pick(const CsvColumns& table, const std::vector<std::size_t>& columns) {
  const Index rows = table.numbers.size(0), width = table.numbers.size(1);
  Tensor picked = detail::uninitialized(Shape{rows, static_cast<Index>(columns.size())});
  double* out = detail::mutable_data(picked);
  const double* row = table.numbers.data().data();
  for (Index i = 0; i < rows; ++i, row += width)
    for (const std::size_t k : columns) *out++ = row[k];
  return picked;
}

}  // namespace

Tensor CsvColumns::column(std::string_view name) const {
  return pick(*this, {position(*this, name)}).reshape(Shape{numbers.size(0)});
}

Tensor CsvColumns::columns(std::initializer_list<std::string_view> wanted) const {
  std::vector<std::size_t> list;
  for (const std::string_view name : wanted) list.push_back(position(*this, name));
  return pick(*this, list);
}

Tensor CsvColumns::without(std::initializer_list<std::string_view> dropped) const {
  std::vector<bool> keep(names.size(), true);
  for (const std::string_view name : dropped) keep[position(*this, name)] = false;
  std::vector<std::size_t> list;
  for (std::size_t k = 0; k < names.size(); ++k)
    if (keep[k]) list.push_back(k);
  return pick(*this, list);
}

std::string CsvColumns::to_string() const {
  std::string text = fmt::format("CsvColumns {}", numbers.shape().to_string());
  for (std::size_t k = 0; k < names.size(); ++k) text += (k ? ", " : ": ") + names[k];
  return text + "\n" + numbers.to_string();
}

CsvColumns read_csv(const std::string& path, const CsvOptions& options) {
  check_delimiter(options.delimiter);
  const detail::FileBytes file = detail::read_file("read_csv", path);
  const std::span<const std::byte> bytes = file.span();
  Reader reader(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, options.delimiter);

  CsvColumns table;
  std::vector<double> numbers;
  std::vector<Cell> cells;
  if (!reader.next(cells)) reader.fail("holds no line", "give a file with at least one");
  const std::size_t width = cells.size(), first_line = cells[0].line;
  const bool header = options.header == CsvHeader::yes ||
                      (options.header == CsvHeader::automatic && names_columns(reader, cells));
  if (header)
    take_names(reader, cells, table);
  else
    for (std::size_t k = 0; k < width; ++k) table.names.push_back(std::to_string(k));

  Index rows = 0;
  for (bool more = header ? reader.next(cells) : true; more; more = reader.next(cells), ++rows) {
    if (cells.size() != width)
      reader.fail(fmt::format("line {} has {} cell{}, but line {} has {}", cells[0].line, cells.size(),
                              cells.size() == 1 ? "" : "s", first_line, width),
                  "give every line the same number");
    for (std::size_t k = 0; k < width; ++k)
      numbers.push_back(number_in(reader, cells[k], k, table, !header && rows == 0));
  }
  table.numbers = Tensor::from(numbers, Shape{rows, static_cast<Index>(width)});
  return table;
}

}  // namespace cotangent::nn
