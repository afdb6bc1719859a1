// CSV writer.
#include "report/csv.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"

namespace cotangent::report {
namespace {

std::string quoted(const std::string& name) {
  if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
  std::string out = "\"";
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

void append(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "nan";
    return;
  }
  std::array<char, 32> text{};
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

}  // namespace

void save_csv(const std::string& path, const std::vector<std::string>& columns, const Tensor& rows) {
  const Index width = static_cast<Index>(columns.size());
  if (rows.rank() != 2 || rows.size(1) != width)
    throw ShapeError(fmt::format("[save_csv] {} column names for rows {}; give rows of shape [n, {}]",
                                 columns.size(), rows.shape().to_string(), width));
  std::string text;
  for (const std::string& name : columns) text.append(quoted(name)).append(1, ',');
  if (!text.empty()) text.back() = '\n';
  Index j = 0;
  for (const double value : rows.data()) {
    append(text, value);
    text += ++j % width ? ',' : '\n';
  }
  const std::span<const std::byte> bytes = std::as_bytes(std::span<const char>(text));
  detail::atomic_write("save_csv", path, {&bytes, 1});
}

}  // namespace cotangent::report
