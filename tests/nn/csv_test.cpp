// CSV files: what RFC 4180 allows, numbers to the last bit, damaged files, and the writer's output read back.
#include "nn/csv.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "report/csv.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::nn {
namespace {

using test::error_of;
using test::TemporaryDirectory;
using test::write_bytes;

constexpr double kInf = std::numeric_limits<double>::infinity();
const std::string kMark = "\xef\xbb\xbf";  // byte order mark

class Csv : public testing::Test {
 protected:
  CsvColumns read(const std::string& bytes, const CsvOptions& options = {}) const {
    write_bytes(path_, bytes);
    return read_csv(path_, options);
  }
  /// The error's text behind "[read_csv] path: ".
  std::string error(const std::string& bytes, const CsvOptions& options = {}) const {
    const std::string text = error_of<DomainError>([&] { read(bytes, options); });
    const std::string front = "[read_csv] " + path_ + ": ";
    return text.starts_with(front) ? text.substr(front.size()) : "not at the front: " + text;
  }
  void expect_numbers(const std::string& bytes, const Tensor& expected,
                      const CsvOptions& options = {}) const {
    const CsvColumns table = read(bytes, options);
    ASSERT_EQ(table.numbers.shape(), expected.shape()) << bytes;
    EXPECT_TRUE(equal(table.numbers, expected)) << bytes << "\n" << table.numbers.to_string();
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_ / "data.csv";
};

using Names = std::vector<std::string>;

TEST_F(Csv, HeaderAndNumbers) {
  const CsvColumns table = read("x,y\n1,2.5\n-3e2,4\n");
  EXPECT_EQ(table.names, (Names{"x", "y"}));
  EXPECT_TRUE(equal(table.numbers, Tensor{{1, 2.5}, {-300, 4}}));
  EXPECT_EQ(table.to_string(), "CsvColumns [2, 2]: x, y\n[[   1.     2.5]\n [-300.     4. ]]");
}

TEST_F(Csv, WhetherThereIsAHeader) {
  const CsvOptions yes{.header = CsvHeader::yes}, no{.header = CsvHeader::no};
  EXPECT_EQ(read("1,2\n3,4\n").names, (Names{"0", "1"}));
  EXPECT_EQ(read("1,2\n3,4\n").numbers.size(0), 2);
  EXPECT_EQ(read("1,2\n3,4\n", yes).names, (Names{"1", "2"}));
  EXPECT_EQ(read("1,b\n3,4\n", yes).names, (Names{"1", "b"}));
  EXPECT_EQ(error("1.O,2\n3,4\n"),
            "line 1 has both \"1.O\" and \"2\"; mend it, or say with .header whether it names the columns");
  EXPECT_EQ(error("\x1b[31m" + std::string(60, 'x') + ",2\n3,4\n"),
            "line 1 has both \"\\x1b[31m" + std::string(35, 'x') +
                "\"... and \"2\"; mend it, or say with .header whether it names the columns");
  EXPECT_EQ(read("nan,inf\n3,4\n").numbers.size(0), 2);
  EXPECT_EQ(read(",a\n0,4\n").names, (Names{"", "a"}));
  EXPECT_EQ(read("a,b\n").numbers.shape(), (Shape{0, 2}));
  EXPECT_EQ(read("a,b", yes).numbers.shape(), (Shape{0, 2}));
  EXPECT_EQ(
      error("a,b\n1,2\n", no),
      "line 1, column 1 holds \"a\", not a number; set .header = nn::CsvHeader::yes if the first line names "
      "the columns");
}

TEST_F(Csv, LineEndsMarksAndBlanks) {
  const Tensor expected{{1, 2}, {3, 4}};
  for (const std::string& text : std::vector<std::string>{
           "1,2\n3,4\n", "1,2\n3,4", "1,2\r\n3,4\r\n", "1,2\r3,4\r", "1,2\n3,4\n\n\r\n\n", kMark + "1,2\n3,4",
           " 1 ,\t2\n3 , 4 ", "\"1\",\"2\"\n \"3\" ,\t\"4\" \r\n", "+1,+2\n3.,4e0", "\" 1 \",2\n3,4"})
    expect_numbers(text, expected);
  expect_numbers("1;2\n3;4", expected, {.delimiter = ';'});
  expect_numbers("1\t2\n 3 \t4", expected, {.delimiter = '\t'});
  expect_numbers("1 2\n3\t 4", expected, {.delimiter = ' '});
  expect_numbers("7", Tensor{7}.reshape({1, 1}));
}

TEST_F(Csv, QuotesInNames) {
  const CsvColumns table = read("\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\"\"\"\"\r\n1,2,3,4\n");
  EXPECT_EQ(table.names, (Names{"a,b", "say \"x\"", "two\nlines", "\""}));
  EXPECT_EQ(table.column("say \"x\"")(0), 2.0);
  // Lines are counted through a quoted one.
  EXPECT_EQ(error("\"two\nlines\"\n1\nx\n"),
            "line 4, column 1 (\"two\\x0alines\") holds \"x\", not a number; write words as numbers, or "
            "leave their "
            "column out");
}

TEST_F(Csv, NumbersOfEveryKind) {
  expect_numbers("1e308,-1E-308,.5,5.,-0.25,5e-324", Tensor{{1e308, -1e-308, 0.5, 5.0, -0.25, 5e-324}});
  expect_numbers("inf,-inf,+inf,Infinity,INF", Tensor{{kInf, -kInf, kInf, kInf, kInf}});
  const CsvColumns missing = read("nan,NaN,-nan\n");
  for (const double v : missing.numbers.data()) EXPECT_TRUE(std::isnan(v));
  EXPECT_TRUE(std::signbit(read("-0,1").numbers(0, 0)));
  for (const std::string text : {"0x10", "1,5", "1.5.2", "--1", "+-1", "1e", "1 2", "1_000", "e5", "+", "-"})
    EXPECT_NE(error("5\n\"" + text + "\"").find("not a number"), std::string::npos) << text;
}

TEST_F(Csv, NumbersTooSmallForADoubleAreRoundedToZero) {
  const Tensor expected{{0.0, -0.0, 0.0, 0.0, 5e-324, 5e-324, -5e-324}};
  const std::string zeros(400, '0');
  const CsvColumns table =
      read("1e-400,-1e-400,2e-324,0." + zeros + "1e50,4e-324,3e-324,-4.9406564584124654e-324\n");
  EXPECT_TRUE(equal(table.numbers, expected));
  EXPECT_TRUE(std::signbit(table.numbers(0, 1)));
  EXPECT_FALSE(std::signbit(table.numbers(0, 0)));
  // Halfway between 0 and the least double, and just beyond.
  expect_numbers("2.4703282292062327e-324,2.4703282292062328e-324,2.2250738585072011e-308",
                 Tensor{{0.0, 5e-324, 2.2250738585072011e-308}});
  expect_numbers("1e-99999999999999999999,0e99999999999999999999,+1E-400,.1e-400,1" + zeros + "e-900," +
                     "0." + zeros + "1e400,1" + zeros + "e-400",
                 Tensor{{0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 1.0}});
}

TEST_F(Csv, EmptyCellsOfTabSeparatedTables) {
  const CsvOptions tab{.delimiter = '\t'};
  const auto empty = [](int line, int column) {
    return "line " + std::to_string(line) + ", column " + std::to_string(column) +
           " is empty; fill it in, or write nan for a missing number";
  };
  EXPECT_EQ(error("1\t\t3\n", tab), empty(1, 2));
  EXPECT_EQ(error("\t2\t3\n", tab), empty(1, 1));
  EXPECT_EQ(error("1\t2\t\n", tab), empty(1, 3));
  EXPECT_EQ(error("1\t2\t", tab), empty(1, 3));
  EXPECT_EQ(error("1\t2\t3\r\n4\t \t6\r\n", tab), empty(2, 2));
  EXPECT_EQ(error("1\t2\t3\n4\t\t\n", tab), empty(2, 2));
  EXPECT_EQ(error("1\t2\t3\n\"4\"\t\"\"\t6\n", tab), empty(2, 2));
  EXPECT_EQ(error("1\t2\t3\n4\t5\n", tab),
            "line 2 has 2 cells, but line 1 has 3; give every line the same number");
  EXPECT_EQ(error("1\t2\t3\n4\t5\t6\t\n", tab),
            "line 2 has 4 cells, but line 1 has 3; give every line the same number");
  // Names may be empty; a quoted cell ends at its tab; blanks around cells are spaces alone.
  EXPECT_EQ(read("\ta\tb\n1\t2\t3\n", tab).names, (Names{"", "a", "b"}));
  expect_numbers(" 1 \t\"2\" \t 3\n", Tensor{{1, 2, 3}}, tab);
  EXPECT_EQ(read("\"a\tb\"\tc\n1\t2\n", tab).names, (Names{"a\tb", "c"}));
  // The same with spaces between the cells, where tabs are the blanks.
  EXPECT_EQ(error("1  3\n", {.delimiter = ' '}), empty(1, 2));
  EXPECT_EQ(error(" 2\n", {.delimiter = ' '}), empty(1, 1));
}

TEST_F(Csv, ErrorsCountLinesHoweverTheyEnd) {
  const std::string there =
      ", column 1 holds \"x\", not a number; write words as numbers, or leave their column out";
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    EXPECT_EQ(error("1" + end + "2" + end + "x" + end), "line 3" + there);
    EXPECT_EQ(error(kMark + "1" + end + "\"2\"" + end + " x"), "line 3" + there);
    // Lines within quotes count; a cell is on the line it begins on.
    EXPECT_EQ(error("\"a" + end + "b" + end + end + "c\"" + end + "1" + end + "x").substr(0, 6), "line 6");
    EXPECT_EQ(error("1,2" + end + "3,\"4" + end + "\"" + end).substr(0, 17), "line 2, column 2 ");
    EXPECT_EQ(error("1" + end + "\"2" + end + "\" 3" + end).substr(0, 49),
              "line 3, column 1 goes on behind its closing quote");
    EXPECT_EQ(error("1" + end + "2" + end + "\"3" + end + end).substr(0, 47),
              "line 3, column 1 begins with a quote that nothi");
    EXPECT_EQ(error("1" + end + "2" + end + "3\"").substr(0, 39), "line 3, column 1 has a quote in the mid");
    EXPECT_EQ(error("\"a" + end + "\"" + end + "1" + end + "2,3" + end),
              "line 4 has 2 cells, but line 1 has 1; give every line the same number");
    EXPECT_EQ(error("\"a" + end + "\",b" + end + "1,2" + end + "3" + end),
              "line 4 has 1 cell, but line 1 has 2; give every line the same number");
    EXPECT_EQ(error("\"b" + end + "\",a,a" + end).substr(0, 35), "line 2, column 3 is a second one ca");
    EXPECT_EQ(error("1" + end + end + "3" + end),
              "line 2, column 1 is empty; fill it in, or write nan for a missing number");
  }
  // CR LF within quotes is one end of a line, LF CR are two.
  EXPECT_EQ(error("\"a\n\rb\"\nx\n", {.header = CsvHeader::yes}).substr(0, 6), "line 4");
}

TEST_F(Csv, NoLocaleMatters) {
  const char* before = std::setlocale(LC_ALL, nullptr);
  const std::string saved = before ? before : "C";
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "C"})
    if (std::setlocale(LC_ALL, name)) expect_numbers("1.5,2", Tensor{{1.5, 2}});
  std::setlocale(LC_ALL, saved.c_str());
}

TEST_F(Csv, ColumnsByName) {
  const CsvColumns table = read("a,b,y\n1,2,-1\n3,4,1\n");
  EXPECT_TRUE(equal(table.column("b"), Tensor{2, 4}));
  EXPECT_TRUE(equal(table.columns({"y"}), Tensor{-1, 1}.reshape({2, 1})));
  EXPECT_TRUE(equal(table.columns({"b", "a"}), Tensor{{2, 1}, {4, 3}}));
  EXPECT_TRUE(equal(table.without("y"), Tensor{{1, 2}, {3, 4}}));
  EXPECT_TRUE(equal(table.without({"a", "y"}), Tensor{2, 4}.reshape({2, 1})));
  EXPECT_EQ(table.without({"a", "b", "y"}).shape(), (Shape{2, 0}));
  EXPECT_TRUE(equal(read("1,2\n3,4").column("1"), Tensor{2, 4}));
  const std::string text = "[CsvColumns] no column is called \"z\"; the names are \"a\", \"b\", \"y\"";
  EXPECT_EQ(error_of<DomainError>([&] { table.column("z"); }), text);
  EXPECT_EQ(error_of<DomainError>([&] { table.columns({"a", "z"}); }), text);
  EXPECT_EQ(error_of<DomainError>([&] { table.without("z"); }), text);
  EXPECT_EQ(error_of<DomainError>([&] { CsvColumns().column("z"); }),
            "[CsvColumns] no column is called \"z\"; the names are none: this table is empty");
}

// ---- errors

TEST_F(Csv, ErrorsNameLineColumnAndContent) {
  EXPECT_EQ(error("x,sex\n1,0\n2,male\n"),
            "line 3, column 2 (\"sex\") holds \"male\", not a number; write words as numbers, or leave their "
            "column "
            "out");
  EXPECT_EQ(error("x,y\n1,2\n3,\n"),
            "line 3, column 2 (\"y\") is empty; fill it in, or write nan for a missing number");
  EXPECT_EQ(error("1,,3\n"), "line 1, column 2 is empty; fill it in, or write nan for a missing number");
  EXPECT_EQ(error("1\n\n3\n"), "line 2, column 1 is empty; fill it in, or write nan for a missing number");
  EXPECT_EQ(error("x,y\n1,2\n3,4,5\n"),
            "line 3 has 3 cells, but line 1 has 2; give every line the same number");
  EXPECT_EQ(error("1,2\n\n3,4\n"), "line 2 has 1 cell, but line 1 has 2; give every line the same number");
  for (const std::string& number : std::vector<std::string>{
           "1e400", "-1e400", "1.8e308", "1e99999999999999999999", "1" + std::string(400, '0'), "0.0001e313",
           "1" + std::string(800, '0') + "e-400"})
    EXPECT_EQ(error("1," + number), "line 1, column 2 holds \"" + number.substr(0, 40) +
                                        (number.size() > 40 ? "\"..." : "\"") +
                                        ", beyond the range of doubles; write inf if that is meant");
  EXPECT_EQ(
      error("a;b\n1;2\n"),
      "line 2, column 1 (\"a;b\") holds \"1;2\", not a number; set .delimiter to the character between the "
      "cells");
  EXPECT_EQ(error("a,b,a\n1,2,3"),
            "line 1, column 3 is a second one called \"a\"; give each column its own name");
  EXPECT_EQ(
      error("1,2\"3\n"),
      "line 1, column 2 has a quote in the middle of \"2\"\"; put the whole cell in quotes and double those "
      "within");
  EXPECT_EQ(
      error("1,\"2\" 3\n"),
      "line 1, column 2 goes on behind its closing quote: \"\"2\" 3\\x0a\"; double a quote that belongs to "
      "the text");
  EXPECT_EQ(
      error("1,2\n3,\"4\n5,6\n"),
      "line 2, column 2 begins with a quote that nothing closes: \"\"4\\x0a5,6\\x0a\"; close it, or double a "
      "quote that belongs to the text");
  EXPECT_EQ(error("0\n\xff\x01" + std::string(60, 'z')),
            "line 2, column 1 holds \"\\xff\\x01" + std::string(38, 'z') +
                "\"..., not a number; write words as numbers, or leave their column out");
}

TEST_F(Csv, ErrorsOfWholeFiles) {
  for (const std::string& text : {std::string(), std::string("\n"), std::string("\r\n\r\n"), kMark})
    EXPECT_EQ(error(text), "holds no line; give a file with at least one");
  EXPECT_EQ(error("\xff\xfe"
                  "1"),
            "is UTF-16, as its first bytes say; save it as UTF-8");
  const std::string missing = directory_ / "missing.csv";
  EXPECT_EQ(error_of<DomainError>([&] { read_csv(missing); }).find("[read_csv] " + missing + ": "), 0u);
  EXPECT_EQ(error_of<DomainError>([&] { read_csv(directory_.path()); }).find("[read_csv] "), 0u);
  for (const char c : std::string("\"\n\r.+-5eN"))
    EXPECT_NE(error_of<DomainError>([&] {
                read("1", {.delimiter = c});
              }).find("which could be part of a cell; give , ; | or a tab"),
              std::string::npos)
        << c;
}

// ---- with the writer

TEST_F(Csv, WhatTheWriterWritesIsReadBackBitForBit) {
  Rng rng(3);
  for (const Index columns : {1, 2, 7}) {
    Names names;
    for (Index k = 0; k < columns; ++k) names.push_back("n \"" + std::to_string(k) + "\",\r\n\xc3\xa9");
    for (const Index rows : {0, 1, 40}) {
      std::vector<double> numbers;
      for (Index k = 0; k < rows * columns; ++k)
        numbers.push_back(std::ldexp(rng.normal(), static_cast<int>(rng.below(2100)) - 1075));
      if (rows > 1) {
        numbers[0] = kInf;
        numbers[1] = -0.0;
        numbers[2] = std::nan("");
        numbers[3] = std::numeric_limits<double>::denorm_min();
      }
      report::save_csv(path_, names, Tensor::from(numbers, Shape{rows, columns}));
      const CsvColumns table = read_csv(path_);
      EXPECT_EQ(table.names, names);
      ASSERT_EQ(table.numbers.shape(), (Shape{rows, columns}));
      for (std::size_t k = 0; k < numbers.size(); ++k) {
        const double back = table.numbers.data()[k];
        EXPECT_TRUE(std::isnan(numbers[k])
                        ? std::isnan(back)
                        : std::bit_cast<std::uint64_t>(back) == std::bit_cast<std::uint64_t>(numbers[k]))
            << numbers[k] << " became " << back;
      }
    }
  }
}

TEST_F(Csv, DamagedFilesAreRefusedOrRead) {
  const std::string whole = "x,\"y \"\"1\"\"\",z\r\n1,2.5,\"-3\"\r\n+4e-2, nan ,inf\n0.1,1e300,\"7\"\n";
  const std::string pieces = ",;\"\"\r\n\t .+-eE019ni\xef\xbb\xbf\xff";
  Rng rng(17);
  int refused = 0, readable = 0;
  for (int k = 0; k < 4000; ++k) {
    std::string text = whole;
    for (Index change = 0, changes = 1 + rng.below(4); change < changes; ++change) {
      const auto at = static_cast<std::size_t>(rng.below(static_cast<Index>(text.size()) + 1));
      const char c = k % 2 ? static_cast<char>(rng.below(256))
                           : pieces[static_cast<std::size_t>(rng.below(static_cast<Index>(pieces.size())))];
      switch (rng.below(4)) {
        case 0:
          text.insert(at, 1, c);
          break;
        case 1:
          if (at < text.size()) text[at] = c;
          break;
        case 2:
          text.erase(at, static_cast<std::size_t>(rng.below(6)));
          break;
        default:
          if (rng.below(8) == 0) text.resize(at);
      }
    }
    try {
      const CsvColumns table = read(text);
      ++readable;
      EXPECT_EQ(table.numbers.size(1), static_cast<Index>(table.names.size()));
    } catch (const DomainError& error) {
      ++refused;
      EXPECT_EQ(std::string(error.what()).find("[read_csv] " + path_ + ": "), 0u) << error.what();
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(readable, 500);
}

}  // namespace
}  // namespace cotangent::nn
