// Widths, escapes and number formats.
#include "report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/files/utf8.hpp"

namespace cotangent::report {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20u || c == 0x7f; }

/// Bytes of the escape sequence (ESC [ ... letter) `text` begins with, 0 if it begins with none.
std::size_t escape_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  for (std::size_t k = 2; k < text.size(); ++k)
    if (text[k] >= 0x40 && text[k] <= 0x7e) return k + 1;
  return text.size();
}

/// What a terminal shows in one place: a character with all that is drawn onto it.
struct Shown {
  std::size_t bytes, columns;
};

/// The first one of a text that is not empty. What is not valid is shown byte by byte.
Shown first_shown(std::string_view text) noexcept {
  constexpr std::uint32_t kJoiner = 0x200d, kAsPicture = 0xfe0f, kFirstTone = 0x1f3fb, kLastTone = 0x1f3ff;
  const detail::Utf8Character first = detail::first_character(text);
  if (first.length == 0) return {1, 1};
  Shown shown{first.length, character_width(first.point)};
  bool joined = false;
  for (;;) {
    const detail::Utf8Character next = detail::first_character(text.substr(shown.bytes));
    if (next.length == 0) return shown;
    const bool tone = next.point >= kFirstTone && next.point <= kLastTone;
    // Pictures that are joined, and a skin's tone, go into the place of the first.
    const bool within = shown.columns == 2 && (joined || tone);
    if (!within && character_width(next.point) > 0) return shown;
    if (next.point == kAsPicture && shown.columns == 1) shown.columns = 2;
    joined = next.point == kJoiner;
    shown.bytes += next.length;
  }
}

}  // namespace

std::size_t width(std::string_view text) noexcept {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Shown shown = first_shown(text);
    columns += shown.columns;
    text.remove_prefix(shown.bytes);
  }
  return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  while (end < text.size()) {
    const Shown shown = first_shown(text.substr(end));
    if (shown.columns > columns) break;
    columns -= shown.columns;
    end += shown.bytes;
  }
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
