// Text for people: widths, escapes and number formats shared by the room's writers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cotangent::report {

/// Columns of a terminal that a code point takes: 2 if it is wide, as Chinese, Japanese and Korean characters
/// and most pictures are, 0 if it is drawn onto the one before it, else 1. The same in every locale.
/// Source: Unicode Standard Annex 11, East Asian Width.
std::size_t character_width(std::uint32_t point) noexcept;
/// Columns that a text takes, and as much of its beginning as fits into `columns` of them. Pictures that are
/// joined into one are two columns wide together.
std::size_t width(std::string_view text) noexcept;
std::string cut(std::string_view text, std::size_t columns);

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
