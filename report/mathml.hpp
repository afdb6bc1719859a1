// Mathematics on pages: the program blahtexml turns TeX into MathML, which browsers draw without any script.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace cotangent::report {

struct MathHtml {
  std::string html;
  /// A line for each formula that could not be converted, and one if there is no blahtexml.
  std::vector<std::string> problems;
};

/// Text with TeX's mathematics in it, as paragraphs of HTML: $...$ becomes a formula in the line, $$...$$ one
/// on a line of its own, \$ a dollar sign, an empty line a new paragraph. The text between is escaped.
///
/// A formula that cannot be converted is shown as its TeX, as are all where there is no blahtexml; a dollar
/// sign without a partner stays one.
/// Cost: a run of blahtexml a formula, some milliseconds.
MathHtml math_html(std::string_view text);

}  // namespace cotangent::report
