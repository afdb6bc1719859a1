// The course page: reads records, writes one page of HTML.
#include "report/course_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/files.hpp"
#include "report/json.hpp"
#include "report/table.hpp"
#include "report/text.hpp"

namespace cotangent::report {
namespace {

namespace fs = std::filesystem;

// On narrow screens each row of a table becomes a block of "name: value" lines, so nothing is wider than the
// page; printed output scrolls inside its own box.
constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Cotangent: the course</title>
<style>
:root { color-scheme: light dark; --text: #1c1e21; --back: #ffffff; --rule: #d0d4da; --box: #f3f4f6;
  --link: #0b57d0; --bad: #a8071a; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e6ea; --back: #16181c; --rule: #3c4148; --box: #22252b; --link: #8ab4f8; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; color: var(--text); background: var(--back);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.2rem; margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin-bottom: 0.3rem; }
table { border-collapse: collapse; margin: 0.5rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.75rem 0.25rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--rule); }
pre { padding: 0.75rem; background: var(--box); overflow-x: auto; font-size: 0.85rem; overflow-wrap: normal; }
details { font-size: 0.9rem; }
.bad { color: var(--bad); font-weight: bold; }
@media (max-width: 45rem) {
  table, tbody, tr, td { display: block; }
  thead { display: none; }
  tr { padding: 0.4rem 0; border-bottom: 1px solid var(--rule); }
  td { border: 0; padding: 0; text-align: left !important; }
  td::before { content: attr(data-name) ": "; opacity: 0.75; }
}
</style>
</head>
<body>
<h1>Cotangent: the course</h1>
)";

/// One file of the folder: a record, or why there is none.
struct Lesson {
  std::string stem;
  std::optional<Record> record;
  std::string error;
  std::string output;
};

std::string plural(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string verdict_text(const Check& check) {
  return check.as_expected() ? check.verdict : check.verdict + ", expected " + check.expected;
}

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

Lesson read_lesson(const fs::path& file) {
  Lesson lesson;
  lesson.stem = file.stem().string();
  try {
    lesson.record = load_record(file.string());
    const fs::path output = fs::path(file).replace_extension(".txt");
    if (fs::exists(output)) {
      const detail::FileBytes bytes = detail::read_file("course_page", output.string());
      lesson.output.assign(reinterpret_cast<const char*>(bytes.span().data()), bytes.span().size());
    }
  } catch (const DomainError& error) {
    lesson.record.reset();
    lesson.error = error.what();
  }
  return lesson;
}

/// Relative in every case: whatever a record calls a file, the link stays beside the page.
std::string href(std::string_view file) {
  std::string out = "./";
  for (const char c : file) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

/// "2 certified, 1 refuted", in the order of first appearance.
std::string verdict_counts(const Record& record) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const Check& check : record.checks) {
    const auto known = std::find_if(counts.begin(), counts.end(),
                                    [&](const auto& entry) { return entry.first == check.verdict; });
    if (known == counts.end())
      counts.emplace_back(check.verdict, 1);
    else
      ++known->second;
  }
  std::string text;
  for (const auto& [verdict, count] : counts)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, verdict);
  return text;
}

std::vector<std::string> problems_of(const Lesson& lesson) {
  if (!lesson.record) return {lesson.error};
  std::vector<std::string> problems;
  for (const Check& check : lesson.record->checks)
    if (!check.as_expected())
      problems.push_back(fmt::format("{}: {}: {}", lesson.stem, check.name, verdict_text(check)));
  return problems;
}

std::string overview_row(const Lesson& lesson) {
  const std::string name = html(lesson.stem);
  std::string claims, verdicts = "<span class=\"bad\">no readable record</span>", key;
  if (lesson.record) {
    for (const Check& check : lesson.record->checks)
      claims += (claims.empty() ? "" : "; ") + html(check.name);
    verdicts = html(verdict_counts(*lesson.record));
    if (!lesson.record->as_expected()) verdicts += " <span class=\"bad\">not as expected</span>";
    if (!lesson.record->metrics.empty()) {
      const auto& [metric, value] = lesson.record->metrics.front();
      key = html(metric) + " " + number_text(value, 6);
    }
  }
  return fmt::format(
      "<tr><td data-name=\"Lesson\"><a href=\"#{}\">{}</a></td><td data-name=\"Claims\">{}</td>"
      "<td data-name=\"Verdicts\">{}</td><td data-name=\"Key number\">{}</td></tr>\n",
      href(lesson.stem).substr(2), name, claims, verdicts, key);
}

std::string checks_table(const Record& record) {
  Table table({{"Check"}, {"Source"}, {"Claim"}, {"lhs"}, {"rhs"}, {"Margin"}, {"Verdict"}});
  for (const Check& c : record.checks)
    table.row({c.name, c.source, c.claim, c.lhs, c.rhs, c.margin, verdict_text(c)});
  return table.to_html();
}

std::string provenance_text(const Record& record) {
  const Provenance& p = record.provenance;
  return fmt::format("seed {}; {}; OpenBLAS core {} on {} ({}); kernels {}; {} {}", record.seed, p.cpu,
                     p.blas_core, plural(static_cast<std::size_t>(p.blas_threads), "thread"), p.blas_config,
                     p.isa, p.compiler, p.build_type);
}

std::string section(const Lesson& lesson) {
  std::string out = fmt::format("<h2 id=\"{}\">{}</h2>\n", href(lesson.stem).substr(2), html(lesson.stem));
  for (const std::string& problem : problems_of(lesson))
    out += fmt::format("<p class=\"bad\">{}</p>\n", html(problem));
  if (!lesson.record) return out;
  const Record& record = *lesson.record;
  if (!record.checks.empty()) out += "<h3>Checks</h3>\n" + checks_table(record);
  if (!record.metrics.empty()) {
    Table metrics({{"Metric"}, {"Value"}});
    for (const auto& [name, value] : record.metrics) metrics.row({name, value});
    out += "<h3>Metrics</h3>\n" + metrics.to_html();
  }
  if (!record.figures.empty()) out += "<h3>Figures</h3>\n<ul>\n";
  for (const std::string& file : record.figures)
    out += fmt::format("<li><a href=\"{}\">{}</a></li>\n", href(file), html(file));
  if (!record.figures.empty()) out += "</ul>\n";
  if (!lesson.output.empty())
    out += "<h3>Printed output</h3>\n<pre tabindex=\"0\">" + html(lesson.output) + "</pre>\n";
  return out +
         fmt::format("<details><summary>Made with</summary>{}</details>\n", html(provenance_text(record)));
}

}  // namespace

CoursePage write_course_page(const std::string& folder) {
  CoursePage page{.path = (fs::path(folder) / "index.html").string(), .lessons = {}, .problems = {}};
  std::string rows, sections;
  std::size_t checks = 0;
  for (const fs::path& file : record_files(folder)) {
    const Lesson lesson = read_lesson(file);
    page.lessons.push_back(lesson.stem);
    for (std::string& problem : problems_of(lesson)) page.problems.push_back(std::move(problem));
    if (lesson.record) checks += lesson.record->checks.size();
    rows += overview_row(lesson);
    sections += section(lesson);
  }
  std::string text(kHead);
  text += fmt::format("<p>{}, {}: {}</p>\n", plural(page.lessons.size(), "lesson"), plural(checks, "check"),
                      page.problems.empty() ? std::string("every verdict is the one expected.")
                                            : fmt::format("<span class=\"bad\">{}.</span>",
                                                          plural(page.problems.size(), "problem")));
  text +=
      "<table>\n<thead><tr><th>Lesson</th><th>Claims</th><th>Verdicts</th><th>Key number</th></tr></thead>\n";
  text += "<tbody>\n" + rows + "</tbody>\n</table>\n" + sections + "</body>\n</html>\n";
  const std::span<const std::byte> bytes = std::as_bytes(std::span<const char>(text));
  detail::atomic_write("course_page", page.path, {&bytes, 1});
  return page;
}

}  // namespace cotangent::report
