// Well-formed UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF.
#include "autodiff/files/utf8.hpp"

namespace cotangent::detail {

Utf8Character first_character(std::string_view text) noexcept {
  constexpr std::uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};  // for 0 to 3 bytes after the first
  if (text.empty()) return {};
  const std::uint32_t first = static_cast<unsigned char>(text[0]);
  const std::size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
  if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 || text.size() <= more) return {};
  std::uint32_t point = more == 0 ? first : first & (0x3fu >> more);
  for (std::size_t k = 1; k <= more; ++k) {
    const std::uint32_t next = static_cast<unsigned char>(text[k]);
    if ((next & 0xc0) != 0x80) return {};
    point = point << 6 | (next & 0x3f);
  }
  if (point < kSmallest[more] || !is_scalar_value(point)) return {};
  return {.length = more + 1, .point = point};
}

void append_utf8(std::string& text, std::uint32_t point) {
  const auto put = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
  const auto put_tail = [&put, point](int shift) { put(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | (point >> 6));
    put_tail(0);
  } else if (point < 0x10000) {
    put(0xe0 | (point >> 12));
    put_tail(6);
    put_tail(0);
  } else {
    put(0xf0 | (point >> 18));
    put_tail(12);
    put_tail(6);
    put_tail(0);
  }
}

}  // namespace cotangent::detail
