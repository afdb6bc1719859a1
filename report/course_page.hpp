// The course: every lesson's record in a folder as pages of HTML.
#pragma once
#include <string>
#include <vector>

namespace cotangent::report {

/// What was written, for the caller to report.
struct CoursePage {
  std::string path;                   // of the overview
  std::vector<std::string> lessons;   // names of the records
  std::vector<std::string> problems;  // a line each for what did not go as expected
  std::vector<std::string> notes;     // a line each for what the pages show in a lesser form, and why
};

/// Reads folder/*.json in the order of their names and writes folder/index.html, the overview, and
/// folder/NN_name.html for each: claim, statement, figures, checks with their hypotheses and steps, metrics,
/// the texts in NN_name.txt (what it printed) and NN_name.cpp (its source) where there are such files.
///
/// The statement's TeX becomes MathML if blahtexml is installed, and figures are part of the page, so a page
/// needs no network, no script and nothing beside it; it follows the reader's choice of light or dark and
/// fits a screen of 400 pixels. A record that cannot be read has a page that says so, and is a problem.
/// Throws: DomainError if the folder cannot be read, holds no record, or a page cannot be written.
CoursePage write_course_page(const std::string& folder);

}  // namespace cotangent::report
