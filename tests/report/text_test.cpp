// Columns of a terminal that texts take, and what aligns by them.
#include "report/text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "report/table.hpp"

namespace cotangent::report {
namespace {

TEST(Width, OfCharacters) {
  const std::vector<std::pair<std::uint32_t, std::size_t>> cases{
      {'a', 1},     {0xad, 1},    {0xe9, 1},    {0x3b1, 1},   {0x2014, 1},   {0x2211, 1},  {0xfffd, 1},
      {0x300, 0},   {0x301, 0},   {0x36f, 0},   {0x370, 1},   {0x200b, 0},   {0x200d, 0},  {0xfe0f, 0},
      {0xfeff, 0},  {0x1160, 0},  {0x11ff, 0},  {0x10ff, 1},  {0x1100, 2},   {0x115f, 2},  {0x2329, 2},
      {0x2e80, 2},  {0x3042, 2},  {0x303f, 1},  {0x4e2d, 2},  {0xac00, 2},   {0xd7a3, 2},  {0xff01, 2},
      {0xff60, 2},  {0xff61, 1},  {0xffe6, 2},  {0x1f600, 2}, {0x1f3fb, 2},  {0x1f1e9, 1}, {0x20000, 2},
      {0x2fffd, 2}, {0x2fffe, 1}, {0x3fffd, 2}, {0xe0100, 0}, {0x10ffff, 1}, {0, 0},       {0x5d0, 1},
      {0x5b0, 0},   {0x93c, 0},   {0x93e, 1},   {0xe31, 0},   {0x231a, 2},   {0x2764, 1}};
  for (const auto& [point, columns] : cases) EXPECT_EQ(character_width(point), columns) << std::hex << point;
}

TEST(Width, OfTexts) {
  const std::vector<std::pair<std::string, std::size_t>> cases{
      {"", 0},
      {"plain", 5},
      {"größe ∑", 7},
      {"e\u0301te\u0301", 3},             // combining accents
      {"\u4e2d\u6587", 4},                // Chinese
      {"\ud55c\uae00 a", 6},              // Korean
      {"\u1112\u1161\u11ab", 2},          // the same first syllable in its parts
      {"\uff21\uff11", 4},                // full width
      {"\uff71", 1},                      // half width
      {"\U0001f600!", 3},                 // a picture
      {"\u2764", 1},                      // a heart as text
      {"\u2764\ufe0f", 2},                // and as a picture
      {"1\ufe0f\u20e3", 2},               // a key
      {"\U0001f1e9\U0001f1ea", 2},        // a flag of two letters
      {"\U0001f44d\U0001f3fd", 2},        // a skin's tone
      {"\U0001f469\u200d\U0001f52c", 2},  // a woman and a microscope
      {"\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 2},  // a family of four
      {"\u2764\ufe0f\u200d\U0001f525 x", 4},                              // a heart on fire
      {"\u0915\u094d\u200d\u0937", 2},                                    // joined letters are not pictures
      {"\u0301", 0},
      {"\xff\xfe"
       "a",
       3},  // what is not valid, byte by byte
      {"\xe4\xb8", 2}};
  for (const auto& [text, columns] : cases) EXPECT_EQ(width(text), columns) << text;
}

TEST(Width, WhatIsCutFitsAndKeepsItsMarks) {
  EXPECT_EQ(cut("plain", 3), "pla");
  EXPECT_EQ(cut("plain", 9), "plain");
  EXPECT_EQ(cut("plain", 0), "");
  EXPECT_EQ(cut("e\u0301te\u0301", 1), "e\u0301");
  EXPECT_EQ(cut("\u4e2d\u6587", 3), "\u4e2d");
  EXPECT_EQ(cut("\u4e2d\u6587", 1), "");
  EXPECT_EQ(cut("a\U0001f469\u200d\U0001f52c"
                "b",
                3),
            "a\U0001f469\u200d\U0001f52c");
  EXPECT_EQ(cut("a\U0001f469\u200d\U0001f52c"
                "b",
                2),
            "a");
  const std::string mixed = "x\u4e2de\u0301\U0001f44d\U0001f3fd\xffz";
  for (std::size_t columns = 0; columns < 12; ++columns) {
    EXPECT_LE(width(cut(mixed, columns)), columns);
    EXPECT_TRUE(mixed.starts_with(cut(mixed, columns)));
    EXPECT_GE(width(cut(mixed, columns)) + 1, std::min(columns, width(mixed)))
        << "at most half a wide one is left";
  }
}

TEST(Width, ColumnsOfATableAlign) {
  Table table({{"\u540d\u524d"}, {"n"}, {"accent"}});
  table.row({"\u4e2d\u6587", 1, "e\u0301"})
      .row({"abc", 22, "\U0001f44d\U0001f3fd"})
      .row({"\u2764\ufe0f", 333, "x"});
  EXPECT_EQ(table.to_text(),
            "\u540d\u524d    n  accent\n"
            "----  ---  ------\n"
            "\u4e2d\u6587    1  e\u0301\n"
            "abc    22  \U0001f44d\U0001f3fd\n"
            "\u2764\ufe0f    333  x");
}

}  // namespace
}  // namespace cotangent::report
