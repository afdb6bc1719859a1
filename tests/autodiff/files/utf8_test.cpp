// UTF-8: every code point there and back, and what is not well formed.
#include "autodiff/files/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cotangent::detail {
namespace {

/// By the table of RFC 3629, whether or not the code point is one of text's.
std::string encoded(std::uint32_t point) {
  const auto byte = [](std::uint32_t v) { return std::string(1, static_cast<char>(v)); };
  const auto tail = [&](int shift) { return byte(0x80 + (point >> shift) % 64); };
  if (point < 0x80) return byte(point);
  if (point < 0x800) return byte(0xc0 + (point >> 6)) + tail(0);
  if (point < 0x10000) return byte(0xe0 + (point >> 12)) + tail(6) + tail(0);
  return byte(0xf0 + (point >> 18)) + tail(12) + tail(6) + tail(0);
}

TEST(Utf8, EveryCodePointButSurrogates) {
  for (std::uint32_t point = 0; point < 0x200000; ++point) {
    const std::string text = encoded(point) + "tail";
    const Utf8Character first = first_character(text);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      ASSERT_EQ(first.length, 0u) << std::hex << point;
      ASSERT_FALSE(is_scalar_value(point));
    } else {
      ASSERT_EQ(first.length, text.size() - 4) << std::hex << point;
      ASSERT_EQ(first.point, point);
    }
  }
}

TEST(Utf8, WhatIsNotWellFormed) {
  for (const char* text : {"", "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
                           "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xc3",
                           "\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xe2\x82(", "\xe2(\xac"})
    EXPECT_EQ(first_character(text).length, 0u) << text;
  EXPECT_EQ(first_character({"\0", 1}).length, 1u);
}

}  // namespace
}  // namespace cotangent::detail
