// Mathematics on pages: which formulas are found, and that what comes of them is MathML.
#include "report/mathml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "report/child_process.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Math : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!run_child("test", {"blahtexml", "--help"}, {})) GTEST_SKIP() << "there is no blahtexml";
  }
};

/// Without lengths of spaces, which are a matter of taste.
std::string math(std::string_view text) {
  const MathHtml made = math_html(text);
  EXPECT_THAT(made.problems, IsEmpty());
  std::string out = made.html;
  for (std::size_t at = out.find("space=\""); at != std::string::npos; at = out.find("space=\"")) {
    const std::size_t start = out.rfind(' ', at);
    out.erase(start, out.find('"', at + 7) + 1 - start);
  }
  return out;
}

TEST_F(Math, InTheLineAndOnALineOfItsOwn) {
  EXPECT_EQ(math("If $a<b$ then $$x_1$$ holds."),
            "<p>If <math><mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow></math> then <math "
            "display=\"block\"><mstyle "
            "displaystyle=\"true\"><msub><mi>x</mi><mn>1</mn></msub></mstyle></math> holds.</p>\n");
}

TEST_F(Math, AlphabetsAreCharacters) {
  EXPECT_EQ(math("$\\mathbb{R}$"), "<p><math><mi>ℝ</mi></math></p>\n");
  EXPECT_EQ(math("$\\mathbb{E}$"), "<p><math><mi>𝔼</mi></math></p>\n");
  EXPECT_EQ(math("$\\mathcal{L}$"), "<p><math><mi>ℒ</mi></math></p>\n");
  EXPECT_EQ(math("$\\mathcal{D}$"), "<p><math><mi>𝒟</mi></math></p>\n");
  EXPECT_EQ(math("$\\mathbf{w}$"), "<p><math><mi>𝐰</mi></math></p>\n");
  EXPECT_EQ(math("$\\mathbf{1}$"), "<p><math><mn>𝟏</mn></math></p>\n");
  EXPECT_EQ(math("$\\mathfrak{g}$"), "<p><math><mi>𝔤</mi></math></p>\n");
  EXPECT_THAT(math("$\\hat w$"), HasSubstr("<mo accent=\"true\">ˆ</mo>"));
}

TEST_F(Math, TheCoursesFormulas) {
  for (const char* tex :
       {"\\lambda_{\\min}(K(w)) \\ge \\alpha^2 \\|v\\|^2 \\lambda_{\\min}(X X^\\top)",
        "K = J J^\\top = (X X^\\top) \\circ \\sum_j v_j^2 d_j d_j^\\top",
        "\\frac{1}{2}\\|\\nabla f(w)\\|^2 \\ge \\mu (f(w) - f^*)",
        "\\varphi'(t) = \\begin{cases} 1 & t \\ge 0 \\\\ \\alpha & t < 0 \\end{cases}",
        "\\operatorname{rank} J = v \\otimes X", "\\mathbb{E}\\left[\\sup_{h \\in H} \\sqrt{n}\\right]"}) {
    const MathHtml made = math_html("$$" + std::string(tex) + "$$");
    EXPECT_THAT(made.problems, IsEmpty()) << tex;
    EXPECT_THAT(made.html, HasSubstr("<math display=\"block\">")) << tex;
    EXPECT_THAT(made.html, Not(HasSubstr("mathvariant=\"d"))) << tex;
  }
}

TEST_F(Math, WhatCannotBeConvertedIsShown) {
  const MathHtml made = math_html("$\\nonsense{<b>}$ and $x$");
  EXPECT_THAT(made.html, HasSubstr("<p><code>\\nonsense{&lt;b&gt;}</code> and <math>"));
  EXPECT_THAT(
      made.problems,
      ElementsAre("the formula \\nonsense{<b>} cannot be converted: Unrecognised command \"\\nonsense\""));
  for (const char* hostile :
       {"$\\text{</math><script>alert(1)</script>}$", "$\\text{\" onclick=x}$", "$\xff$"})
    EXPECT_THAT(math_html(hostile).html, Not(HasSubstr("<script"))) << hostile;
}

TEST_F(Math, TextBetweenIsText) {
  EXPECT_EQ(math("a < b & \"c\"\n\nIt costs \\$5 or 3$"),
            "<p>a &lt; b &amp; &quot;c&quot;</p>\n<p>It costs $5 or 3$</p>\n");
  EXPECT_EQ(math(""), "<p></p>\n");
}

TEST(MathWithoutBlahtexml, ShowsTeX) {
  const test::TemporaryDirectory folder;
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", folder.path().c_str(), 1);
  const MathHtml made = math_html("$a<b$ and $$c$$");
  ::setenv("PATH", before.c_str(), 1);
  EXPECT_EQ(made.html, "<p><code>a&lt;b</code> and <code>c</code></p>\n");
  EXPECT_THAT(
      made.problems,
      ElementsAre("formulas are shown as TeX: there is no blahtexml on PATH; install the Debian package "
                  "blahtexml"));
}

}  // namespace
}  // namespace cotangent::report
