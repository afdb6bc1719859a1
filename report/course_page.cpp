// The course: reads a folder of records and what stands beside them, writes the pages.
#include "report/course_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"
#include "report/course_html.hpp"
#include "report/mathml.hpp"

namespace cotangent::report {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> record_files(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  // increment() and not ++: reading on may fail, too.
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".json") files.push_back(at->path());
  if (error)
    throw DomainError(
        fmt::format("[course_page] {}: cannot be read: {}; give the folder the lessons wrote to", folder,
                    error.message()));
  if (files.empty())
    throw DomainError(fmt::format("[course_page] {}: no *.json in it; run the lessons with --out {} first",
                                  folder, folder));
  std::sort(files.begin(), files.end());
  return files;
}

/// Empty if there is no such file. Throws: DomainError if there is one that cannot be read.
std::string read_if_there(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  const detail::FileBytes bytes = detail::read_file("course_page", path.string());
  return {reinterpret_cast<const char*>(bytes.span().data()), bytes.span().size()};
}

/// A picture the page can hold: a file of this folder, by a plain name.
bool is_picture(std::string_view file) {
  return (file.ends_with(".svg") || file.ends_with(".png")) && file.find('/') == std::string_view::npos;
}

LessonFiles read_lesson(const fs::path& file, std::vector<std::string>& notes) {
  LessonFiles lesson;
  lesson.stem = file.stem().string();
  try {
    lesson.record = load_record(file.string());
    lesson.output = read_if_there(fs::path(file).replace_extension(".txt"));
    lesson.source = read_if_there(fs::path(file).replace_extension(".cpp"));
    for (const std::string& figure : lesson.record->figures)
      if (std::string bytes;
          is_picture(figure) && !(bytes = read_if_there(file.parent_path() / figure)).empty())
        lesson.pictures.emplace_back(figure, std::move(bytes));
  } catch (const DomainError& error) {
    lesson.record.reset();
    lesson.error = error.what();
  }
  const auto formulas_of = [&](const std::string& text) {
    if (text.empty()) return std::string();
    MathHtml made = math_html(text);
    for (const std::string& problem : made.problems) notes.push_back(lesson.stem + ": " + problem);
    return std::move(made.html);
  };
  if (lesson.record) {
    lesson.statement = formulas_of(lesson.record->statement);
    for (const Check& check : lesson.record->checks) lesson.formulas.push_back(formulas_of(check.formula));
  }
  return lesson;
}

void write_page(const std::string& path, std::string_view text) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span<const char>(text));
  detail::atomic_write("course_page", path, {&bytes, 1});
}

}  // namespace

CoursePage write_course_page(const std::string& folder) {
  CoursePage page{
      .path = (fs::path(folder) / "index.html").string(), .lessons = {}, .problems = {}, .notes = {}};
  std::vector<LessonFiles> lessons;
  for (const fs::path& file : record_files(folder)) {
    lessons.push_back(read_lesson(file, page.notes));
    page.lessons.push_back(lessons.back().stem);
    for (std::string& problem : problems_of(lessons.back())) page.problems.push_back(std::move(problem));
  }
  for (std::size_t k = 0; k < lessons.size(); ++k)
    write_page((fs::path(folder) / page_file(lessons[k].stem)).string(), lesson_page(lessons, k));
  write_page(page.path, overview_page(lessons));
  return page;
}

}  // namespace cotangent::report
