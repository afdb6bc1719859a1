// The course page: every lesson's record in a folder as one HTML page.
#pragma once
#include <string>
#include <vector>

namespace cotangent::report {

/// What the page shows, for the caller to report: file names, and one line each for what did not go as
/// expected.
struct CoursePage {
  std::string path;
  std::vector<std::string> lessons;
  std::vector<std::string> problems;
};

/// Reads folder/*.json in the order of their names and writes folder/index.html: an overview and a section a
/// lesson with its checks, metrics, the text in NN_name.txt where there is one, and its figures as links.
///
/// The page needs no network and nothing beside it, follows the reader's choice of light or dark, and fits a
/// screen of 400 pixels. A record that cannot be read has a section that says so, and is a problem.
/// Throws: DomainError if the folder cannot be read, holds no record, or the page cannot be written.
CoursePage write_course_page(const std::string& folder);

}  // namespace cotangent::report
