// Widths, escapes and number formats.
#include "report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/files/utf8.hpp"

namespace cotangent::report {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20u || c == 0x7f; }

/// Bytes of the escape sequence (ESC [ ... letter) `text` begins with, 0 if it begins with none.
std::size_t escape_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  for (std::size_t k = 2; k < text.size(); ++k)
    if (text[k] >= 0x40 && text[k] <= 0x7e) return k + 1;
  return text.size();
}

}  // namespace

std::size_t width(std::string_view text) noexcept {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

std::string cut(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  while (end < text.size() && (count > 0 || is_continuation(text[end])))
    if (!is_continuation(text[end++])) --count;
  return std::string(text.substr(0, end));
}

std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(line.begin(), line.end(), is_control, ' ');
  return line;
}

std::string clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const std::size_t length = escape_length(text)) {
      text.remove_prefix(length);
      continue;
    }
    const std::size_t length = detail::first_character(text).length;
    if (length == 0)
      out += "\xef\xbf\xbd";
    else if (length > 1 || !is_control(text[0]) || text[0] == '\n' || text[0] == '\t')
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string html(std::string_view text) {
  std::string out;
  for (const char c : clean(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string markdown(std::string_view text) {
  std::string out;
  for (const char c : one_line(clean(text))) {
    if (std::string_view("\\`*_|[]~").find(c) != std::string_view::npos) out += '\\';
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

std::string number_text(double value, int digits) {
  if (std::isnan(value)) return "nan";
  return fmt::format("{:.{}g}", value, digits);
}

}  // namespace cotangent::report
