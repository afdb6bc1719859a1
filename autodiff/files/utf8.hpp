// UTF-8, character by character. Other rooms include this header too.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cotangent::detail {

/// A character at the beginning of a text. Its length is 0 if the text is empty or begins with what
/// is not well formed.
struct Utf8Character {
  std::size_t length = 0;
  std::uint32_t point = 0;
};

/// Whether text may hold this code point: neither a surrogate nor beyond U+10FFFF.
constexpr bool is_scalar_value(std::uint32_t point) {
  return point < 0xd800 || (point > 0xdfff && point <= 0x10ffff);
}

Utf8Character first_character(std::string_view text) noexcept;
/// Puts a code point at the end of a text.
void append_utf8(std::string& text, std::uint32_t point);

}  // namespace cotangent::detail
