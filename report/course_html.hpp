// The pages of the course as HTML. For course_page, which reads the folder and writes the files.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/json.hpp"

namespace cotangent::report {

/// A lesson's record, or why there is none, and what stands beside it.
struct LessonFiles {
  std::string stem;
  std::optional<Record> record;
  std::string error;
  std::string output;  // NN_name.txt
  std::string source;  // NN_name.cpp
  /// File names and bytes of the figures that can be shown; others of the record are links.
  std::vector<std::pair<std::string, std::string>> pictures;
  std::string statement;              // HTML
  std::vector<std::string> formulas;  // HTML of each check's formula; empty where it has none
};

/// The file of a lesson's page; never "index.html".
std::string page_file(std::string_view stem);

/// What did not go as expected, a line each; none is as it should be.
std::vector<std::string> problems_of(const LessonFiles& lesson);

/// The overview, and the page of lessons[k] with links to its neighbours.
std::string overview_page(const std::vector<LessonFiles>& lessons);
std::string lesson_page(const std::vector<LessonFiles>& lessons, std::size_t k);

}  // namespace cotangent::report
