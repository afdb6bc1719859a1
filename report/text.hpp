// Text for people: widths, escapes and number formats shared by the room's writers.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace cotangent::report {

/// Characters (UTF-8 code points) of a text, and its first `count` of them.
std::size_t width(std::string_view text) noexcept;
std::string cut(std::string_view text, std::size_t count);

/// Control characters, line ends and tabs as spaces.
std::string one_line(std::string_view text);
/// Valid UTF-8 without terminal escape sequences and control characters but line ends and tabs; what is not
/// valid becomes U+FFFD.
std::string clean(std::string_view text);

/// Safe as HTML text and inside quoted attributes: & < > " ' are escaped, the rest goes through clean().
std::string html(std::string_view text);
/// Safe inside a cell of a Markdown table.
std::string markdown(std::string_view text);

/// A number with at most `digits` significant digits: "0.1235", "1.2e-09", "nan".
std::string number_text(double value, int digits);

}  // namespace cotangent::report
