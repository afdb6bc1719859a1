// The room report: tables, texts, CSV, provenance, and what they refuse. Records are in record_test.
#include "report/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/provenance.hpp"
#include "report/text.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

using test::error_of;
using test::read_bytes;
using test::TemporaryDirectory;
using test::write_bytes;

// ---- tables -----------------------------------------------------------------------------------------------

Table sample_table() {
  Table table({{"lesson"}, {"steps"}, {"value", Align::right, 3}, {"ok", Align::left}});
  table.row({"gd", 10, 0.123456, true});
  table.row({std::string("größe"), 123456789, kNan, false});
  return table;
}

TEST(Table, TextIsAlignedByCharacters) {
  EXPECT_EQ(sample_table().to_text(),
            "lesson      steps  value  ok\n"
            "------  ---------  -----  ---\n"
            "gd             10  0.123  yes\n"
            "größe   123456789    nan  no");
  EXPECT_EQ(sample_table().to_string(), sample_table().to_text());
}

TEST(Table, NumbersHaveTheDigitsAsked) {
  Table table({{"a", Align::left, 1}, {"b", Align::left, 17}, {"c"}});
  table.row({1234.5, 0.1, 2.0 / 3.0}).row({1e-300, -kInf, 1e10}).row({-0.0, 1.0, 123456.7});
  EXPECT_EQ(table.to_text(),
            "a       b                           c\n"
            "------  -------------------  --------\n"
            "1e+03   0.10000000000000001  0.666667\n"
            "1e-300  -inf                    1e+10\n"
            "-0      1                      123457");
}

TEST(Table, WholeNumbersArePrintedInFull) {
  Table table({{"a"}});
  table.row({std::numeric_limits<std::int64_t>::min()}).row({std::numeric_limits<std::uint64_t>::max()});
  EXPECT_EQ(table.to_text(),
            "                   a\n"
            "--------------------\n"
            "-9223372036854775808\n"
            "18446744073709551615");
}

TEST(Table, ControlCharactersDoNotBreakTheLines) {
  Table table({{"a\tb"}, {"c"}});
  table.row({"x\ny", "\x1b[31mz"});
  EXPECT_EQ(table.to_text(), "a b  c\n---  ------\nx y   [31mz");
}

TEST(Table, MarkdownIsEscaped) {
  Table table({{"a|b"}, {"n"}});
  table.row({"x_y *z* `c` <i> & \\ [l](u)\nnext", 0.5});
  EXPECT_EQ(table.to_markdown(),
            "| a\\|b | n |\n"
            "| --- | ---: |\n"
            "| x\\_y \\*z\\* \\`c\\` &lt;i> &amp; \\\\ \\[l\\](u) next | 0.5 |\n");
}

TEST(Table, HtmlIsEscaped) {
  Table table({{"a<b"}, {"n"}});
  table.row({"<script>alert(\"1\" & '2')</script>", 0.5});
  EXPECT_EQ(
      table.to_html(),
      "<table>\n<thead><tr><th>a&lt;b</th><th style=\"text-align:right\">n</th></tr></thead>\n<tbody>\n"
      "<tr><td data-name=\"a&lt;b\">&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;</td>"
      "<td data-name=\"n\" style=\"text-align:right\">0.5</td></tr>\n</tbody>\n</table>\n");
}

TEST(Table, WithoutRowsIsItsHeading) {
  const Table table({{"a"}, {"b"}});
  EXPECT_EQ(table.to_text(), "a  b\n-  -");
  EXPECT_EQ(table.num_rows(), 0);
  EXPECT_EQ(table.num_columns(), 2);
}

TEST(Table, Errors) {
  EXPECT_EQ(error_of<DomainError>([] { Table({}); }), "[Table] no columns; give at least one");
  EXPECT_EQ(error_of<DomainError>([] {
              Table({{"a", Align::left, 0}});
            }),
            "[Table] column \"a\" asks for 0 significant digits; ask for 1 to 17");
  EXPECT_EQ(error_of<DomainError>([] {
              Table({{"a", Align::left, 18}});
            }),
            "[Table] column \"a\" asks for 18 significant digits; ask for 1 to 17");
  EXPECT_EQ(error_of<ShapeError>([] {
              Table({{"a"}, {"b"}}).row({1.0});
            }),
            "[Table::row] 1 cells for 2 columns (a, b); give one cell a column");
}

TEST(Text, CleanKeepsOnlyValidCharacters) {
  EXPECT_EQ(clean("a\x1b[1;31mb\x1b[0mc\r\n\td\x07\x7f"), "abc\n\td");
  EXPECT_EQ(clean("\x1b[unended"), "nended");  // "u" ends the sequence
  EXPECT_EQ(clean("grüße ∑ 😀"), "grüße ∑ 😀");
  const std::string replaced = "\xef\xbf\xbd";
  EXPECT_EQ(clean("a\xff"
                  "b"),
            "a" + replaced + "b");
  EXPECT_EQ(clean("\xc3"), replaced);                                               // cut off
  EXPECT_EQ(clean("\xc0\xaf"), replaced + replaced);                                // overlong "/"
  EXPECT_EQ(clean("\xed\xa0\x80"), replaced + replaced + replaced);                 // a surrogate
  EXPECT_EQ(clean("\xf4\x90\x80\x80"), replaced + replaced + replaced + replaced);  // beyond U+10FFFF
}

TEST(Text, CutCountsCharacters) {
  EXPECT_EQ(cut("größe", 3), "grö");
  EXPECT_EQ(cut("größe", 4), "größ");
  EXPECT_EQ(cut("ab", 9), "ab");
  EXPECT_EQ(cut("ab", 0), "");
}

// ---- CSV --------------------------------------------------------------------------------------------------

TEST(Csv, NumbersReadBackAndNamesAreQuoted) {
  const TemporaryDirectory folder;
  const std::string path = folder / "a.csv";
  const Tensor rows{{0.1, -1e-300, 3.0}, {kNan, kInf, -kInf}};
  save_csv(path, {"plain", "with, comma", "with \"quotes\"\nand a line"}, rows);
  EXPECT_EQ(read_bytes(path),
            "plain,\"with, comma\",\"with \"\"quotes\"\"\nand a line\"\n0.1,-1e-300,3\nnan,inf,-inf\n");
  save_csv(path, {"x"}, Tensor::zeros(Shape{0, 1}));
  EXPECT_EQ(read_bytes(path), "x\n");
}

TEST(Csv, Errors) {
  const TemporaryDirectory folder;
  const std::string path = folder / "a.csv";
  write_bytes(path, "old");
  EXPECT_EQ(error_of<ShapeError>([&] {
              save_csv(path, {"a", "b"}, Tensor::ones(Shape{4, 3}));
            }),
            "[save_csv] 2 column names for rows [4, 3]; give rows of shape [n, 2]");
  EXPECT_EQ(error_of<ShapeError>([&] { save_csv(path, {"a"}, Tensor{1.0}); }),
            "[save_csv] 1 column names for rows [1]; give rows of shape [n, 1]");
  EXPECT_EQ(read_bytes(path), "old");
  const std::string nowhere = folder / "none/a.csv";
  EXPECT_EQ(error_of<DomainError>([&] { save_csv(nowhere, {"a"}, Tensor{{1.0}}); }),
            "[save_csv] " + nowhere + ": cannot create a file in " + (folder / "none") +
                ": No such file or directory; make the directory or check its permissions");
}

// ---- provenance -------------------------------------------------------------------------------------------

TEST(Provenance, NamesTheMachineAndTheBuild) {
  const Provenance p = provenance();
  std::ifstream file("/proc/cpuinfo");
  std::ostringstream cpuinfo;
  cpuinfo << file.rdbuf();
  EXPECT_TRUE(p.cpu == "unknown" || cpuinfo.str().find(": " + p.cpu + "\n") != std::string::npos) << p.cpu;
  EXPECT_FALSE(p.blas_core.empty());
  EXPECT_TRUE(p.blas_config.starts_with("OpenBLAS ")) << p.blas_config;
  EXPECT_GE(p.blas_threads, 1);
  EXPECT_TRUE(p.isa == "v1" || p.isa == "v3" || p.isa == "v4") << p.isa;
#ifdef __clang__
  EXPECT_EQ(p.compiler, "clang++ " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) +
                            "." + std::to_string(__clang_patchlevel__));
#else
  EXPECT_EQ(p.compiler, "g++ " + std::string(__VERSION__).substr(0, std::string(__VERSION__).find(' ')));
#endif
  EXPECT_TRUE(p.build_type.starts_with("Release") || p.build_type.starts_with("Debug")) << p.build_type;
  EXPECT_EQ(Record::of("x", 3).provenance, p);
}

}  // namespace
}  // namespace cotangent::report
