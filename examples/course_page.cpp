// course_page DIR: makes DIR/index.html and a page a lesson of the records the lessons left in DIR.
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "autodiff/print.hpp"
#include "report/course_page.hpp"

namespace {

constexpr const char* kUsage =
    "usage: course_page DIR\n"
    "\n"
    "Reads DIR/*.json, the records the lessons wrote, and writes DIR/index.html and\n"
    "DIR/NN_name.html for each.\n"
    "Exits 0 if every check gave the verdict its lesson expects, 1 if one did not or a record is broken,\n"
    "2 for bad usage.\n";

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (argc == 2 && (first == "--help" || first == "-h")) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (argc != 2 || first.empty() || first.starts_with("-")) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try {
    const cotangent::report::CoursePage page = cotangent::report::write_course_page(std::string(first));
    for (const std::string& note : page.notes) std::fprintf(stderr, "%s\n", note.c_str());
    for (const std::string& problem : page.problems) std::fprintf(stderr, "%s\n", problem.c_str());
    cotangent::print(page.path + ":", page.lessons.size(), "lessons,", page.problems.size(), "problems");
    return page.problems.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
