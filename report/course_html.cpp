// The course's pages: one style, an overview, a page a lesson. All text of records is escaped.
#include "report/course_html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/page_head.hpp"
#include "report/progress.hpp"
#include "report/table.hpp"
#include "report/text.hpp"

namespace cotangent::report {
namespace {

// What stays wide, printed output and formulas, scrolls inside its own box. Figures are drawn on white, so
// they stay on white in the dark.
constexpr std::string_view kStyle = R"(
:root { --box: #f4f5f7; --bad: #a8071a; --certified: #17653a; --supported: #1d4f9c; --refuted: #8a4b08; }
@media (prefers-color-scheme: dark) {
  :root { --box: #22252b; --bad: #ff8a80; --certified: #7fd6a4; --supported: #9dc1f7; --refuted: #f0b072; }
}
a { text-decoration-thickness: 1px; text-underline-offset: 0.15em; }
h1 { line-height: 1.25; margin: 1rem 0 0.5rem; }
h2 { margin: 2.5rem 0 0.75rem; padding-bottom: 0.25rem; border-bottom: 1px solid var(--rule); }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; font-size: 0.9rem; }
nav span { color: var(--soft); }
.claim { font-size: 1.1rem; color: var(--soft); margin: 0 0 1.5rem; }
.statement { max-width: 46rem; }
.statement p { overflow-x: auto; overflow-y: hidden; margin: 0.6rem 0; padding: 0.15rem 0; }
math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math;
  font-size: 1.08em; }
math[display="block"] { overflow-x: auto; overflow-y: hidden; max-width: 100%; padding: 0.35rem 0; }
.figures { display: grid; gap: 1.25rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
figure { margin: 0; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; background: #ffffff;
  border-radius: 6px; border: 1px solid var(--rule); }
figcaption { font-size: 0.9rem; margin: 0.5rem auto 0; max-width: 600px; color: var(--soft); }
table { margin: 0.5rem 0; }
th { white-space: nowrap; }
td[style], td.fixed { white-space: nowrap; }
td.words { overflow-wrap: break-word; }
pre { margin: 0.5rem 0; padding: 0.75rem 1rem; background: var(--box); border-radius: 6px; overflow-x: auto;
  font: 0.8rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: normal; }
details { margin: 0.4rem 0; }
summary { cursor: pointer; }
details.check { padding: 0.4rem 0.75rem; background: var(--box); border-radius: 6px; }
details.check h3 { font-size: 0.92rem; margin: 0.75rem 0 0; }
details.check p { margin: 0.4rem 0; }
.verdict { white-space: nowrap; font-weight: 600; color: var(--soft); }
.certified, .agrees { color: var(--certified); } .supported { color: var(--supported); }
.refuted { color: var(--refuted); }
.bad { color: var(--bad); font-weight: bold; white-space: normal; }
.soft { font-size: 0.9rem; }
@media (max-width: 45rem) {
  td[style] { display: inline-block; margin-right: 1.25rem; }
  td:first-child { font-weight: 600; } td:first-child::before { content: ""; }
}
)";

std::string head(std::string_view title) { return page_head(title, kStyle); }

std::string plural(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
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

std::string link(std::string_view file, std::string_view text) {
  return fmt::format("<a href=\"{}\">{}</a>", href(file), html(text));
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::array<unsigned, 3> three{};
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < count; ++k) three[k] = static_cast<unsigned char>(bytes[i + k]);
    const unsigned bits = three[0] << 16 | three[1] << 8 | three[2];
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? kDigits[bits >> (18 - 6 * k) & 63u] : '=';
  }
  return out;
}

std::string seconds_text(double seconds) {
  if (!(seconds >= 0.0)) return "";
  return seconds < 1.0 ? number_text(seconds, seconds < 0.1 ? 1 : 2) + " s" : duration_text(seconds);
}

std::string verdict_text(const Check& check) {
  return check.as_expected() ? check.verdict : check.verdict + ", expected " + check.expected;
}

/// The class is a word of five, so it needs no escape.
std::string verdict_html(const Check& check) {
  return fmt::format("<span class=\"{} verdict\">{}</span>", check.as_expected() ? check.verdict : "bad",
                     html(verdict_text(check)));
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
    text += fmt::format("{}<span class=\"{} verdict\">{} {}</span>", text.empty() ? "" : ", ", verdict, count,
                        verdict);
  return text;
}

std::string overview_row(const LessonFiles& lesson) {
  std::string claim, verdicts = "<span class=\"bad\">no readable record</span>", key, time;
  if (lesson.record) {
    const Record& record = *lesson.record;
    claim = html(record.claim);
    if (record.claim.empty())
      for (const Check& check : record.checks) claim += (claim.empty() ? "" : "; ") + html(check.name);
    verdicts = verdict_counts(record);
    if (!record.as_expected()) verdicts += " <span class=\"bad\">not as expected</span>";
    if (!record.metrics.empty())
      key = html(record.metrics.front().first) + " " + number_text(record.metrics.front().second, 4);
    time = seconds_text(record.seconds);
  }
  return fmt::format(
      "<tr><td data-name=\"Lesson\" class=\"fixed\">{}</td><td data-name=\"Claim\">{}</td>"
      "<td data-name=\"Verdicts\">{}</td><td data-name=\"Key number\" class=\"words\">{}</td>"
      "<td data-name=\"Time\" class=\"fixed\">{}</td></tr>\n",
      link(page_file(lesson.stem), lesson.stem), claim, verdicts, key, time);
}

std::string navigation(const std::vector<LessonFiles>& lessons, std::size_t k) {
  std::string out = "<nav>" + link("index.html", "Overview");
  if (k > 0) out += link(page_file(lessons[k - 1].stem), "Previous: " + lessons[k - 1].stem);
  if (k + 1 < lessons.size()) out += link(page_file(lessons[k + 1].stem), "Next: " + lessons[k + 1].stem);
  return out + "</nav>\n";
}

std::string figures(const LessonFiles& lesson) {
  if (lesson.record->figures.empty()) return {};
  std::string out = "<h2>Figures</h2>\n<div class=\"figures\">\n";
  for (const std::string& file : lesson.record->figures) {
    const std::string_view caption = lesson.record->caption(file);
    const auto picture = std::find_if(lesson.pictures.begin(), lesson.pictures.end(),
                                      [&](const auto& entry) { return entry.first == file; });
    out += "<figure>";
    if (picture != lesson.pictures.end())
      out += fmt::format("<img src=\"data:image/{};base64,{}\" alt=\"{}\">",
                         file.ends_with(".svg") ? "svg+xml" : "png", base64(picture->second),
                         html(caption.empty() ? std::string_view(file) : caption));
    out += fmt::format("<figcaption>{}{}{}</figcaption></figure>\n", html(caption),
                       caption.empty() ? "" : " ", link(file, file));
  }
  return out + "</div>\n";
}

bool has_details(const Check& c) {
  return !(c.scope.empty() && c.note.empty() && c.hypotheses.empty() && c.steps.empty() && c.witness.empty());
}

std::string checks_table(const Record& record) {
  std::string out =
      "<h2>Checks</h2>\n<table>\n<thead><tr><th>Check</th><th>Source</th><th>Claim</th>"
      "<th style=\"text-align:right\">lhs</th><th style=\"text-align:right\">rhs</th>"
      "<th style=\"text-align:right\">Margin</th><th>Verdict</th></tr></thead>\n<tbody>\n";
  for (std::size_t k = 0; k < record.checks.size(); ++k) {
    const Check& c = record.checks[k];
    const std::string name =
        has_details(c) ? fmt::format("<a href=\"#check-{}\">{}</a>", k + 1, html(c.name)) : html(c.name);
    out += fmt::format(
        "<tr><td data-name=\"Check\">{}</td><td data-name=\"Source\">{}</td><td data-name=\"Claim\">{}</td>",
        name, html(c.citation.empty() ? c.source : c.citation), html(c.claim));
    for (const auto& [column, value] : {std::pair("lhs", c.lhs), {"rhs", c.rhs}, {"Margin", c.margin}})
      out += fmt::format("<td data-name=\"{}\" style=\"text-align:right\">{}</td>", column,
                         number_text(value, 6));
    out += fmt::format("<td data-name=\"Verdict\">{}</td></tr>\n", verdict_html(c));
  }
  return out + "</tbody>\n</table>\n";
}

std::string clauses_table(std::string_view heading, std::string_view column,
                          const std::vector<Clause>& clauses) {
  if (clauses.empty()) return {};
  Table table({{std::string(column)}, {"lhs"}, {"rhs"}, {"Margin"}, {"Where"}, {"Holds"}});
  for (const Clause& clause : clauses)
    table.row({clause.name, clause.lhs, clause.rhs, clause.margin, clause.where,
               !clause.holds           ? std::string("no")
               : clause.within.empty() ? std::string("yes")
                                       : "within " + clause.within});
  return fmt::format("<h3>{}</h3>\n{}", heading, table.to_html());
}

/// What a check says beyond its row; open where the verdict is not the one expected.
std::string check_details(const LessonFiles& lesson) {
  const Record& record = *lesson.record;
  std::string out;
  for (std::size_t k = 0; k < record.checks.size(); ++k) {
    const Check& c = record.checks[k];
    if (!has_details(c)) continue;
    out += fmt::format("<details class=\"check\" id=\"check-{}\"{}><summary>{}: {}{}</summary>\n", k + 1,
                       c.as_expected() ? "" : " open", html(c.name), verdict_html(c),
                       c.scope.empty() ? "" : ", " + html(c.scope));
    if (!c.citation.empty()) out += fmt::format("<p>{}:</p>\n", html(c.citation));
    if (!lesson.formulas[k].empty()) out += "<div class=\"statement\">\n" + lesson.formulas[k] + "</div>\n";
    if (!c.note.empty()) out += fmt::format("<p>{}</p>\n", html(c.note));
    out += clauses_table("Hypotheses", "Hypothesis", c.hypotheses) +
           clauses_table("Steps of the proof", "Step", c.steps);
    if (!c.witness.empty()) out += fmt::format("<p>Witness: {}</p>\n", link(c.witness, c.witness));
    out += "</details>\n";
  }
  return out;
}

std::string metrics_table(const Record& record) {
  if (record.metrics.empty()) return {};
  Table metrics({{"Metric"}, {"Value"}});
  for (const auto& [name, value] : record.metrics) metrics.row({name, value});
  return "<h2>Metrics</h2>\n" + metrics.to_html();
}

std::string text_box(std::string_view heading, std::string_view text) {
  return text.empty() ? "" : fmt::format("<h2>{}</h2>\n<pre tabindex=\"0\">{}</pre>\n", heading, html(text));
}

std::string provenance_text(const Record& record) {
  const Provenance& p = record.provenance;
  const std::string time = seconds_text(record.seconds);
  return fmt::format("seed {}; {}{}{}; OpenBLAS core {} on {} ({}); kernels {}; {} {}", record.seed, time,
                     time.empty() ? "" : "; ", p.cpu, p.blas_core,
                     plural(static_cast<std::size_t>(std::max(p.blas_threads, 0)), "thread"), p.blas_config,
                     p.isa, p.compiler, p.build_type);
}

}  // namespace

std::string page_file(std::string_view stem) {
  return stem == "index" ? "index_lesson.html" : std::string(stem) + ".html";
}

std::vector<std::string> problems_of(const LessonFiles& lesson) {
  if (!lesson.record) return {lesson.error};
  std::vector<std::string> problems;
  for (const Check& check : lesson.record->checks)
    if (!check.as_expected())
      problems.push_back(fmt::format("{}: {}: {}", lesson.stem, check.name, verdict_text(check)));
  return problems;
}

std::string overview_page(const std::vector<LessonFiles>& lessons) {
  std::string rows;
  std::size_t checks = 0, problems = 0;
  for (const LessonFiles& lesson : lessons) {
    rows += overview_row(lesson);
    checks += lesson.record ? lesson.record->checks.size() : 0;
    problems += problems_of(lesson).size();
  }
  std::string text = head("Cotangent: the course") + "<h1>Cotangent: the course</h1>\n";
  text +=
      fmt::format("<p>{}, {}: {}</p>\n", plural(lessons.size(), "lesson"), plural(checks, "check"),
                  problems == 0 ? std::string("every verdict is the one expected.")
                                : fmt::format("<span class=\"bad\">{}.</span>", plural(problems, "problem")));
  return text +
         "<table>\n<thead><tr><th>Lesson</th><th>Claim</th><th>Verdicts</th><th>Key number</th><th>Time</th>"
         "</tr></thead>\n<tbody>\n" +
         rows +
         "</tbody>\n</table>\n"
         "<p class=\"soft\"><b>certified</b>: a finite computation implies the claim as it is stated. "
         "<b>supported</b>: it held at every sampled point, which proves nothing beyond them. "
         "<b>refuted</b>: a "
         "counterexample was found; a lesson shows false statements, too, and expects this of them. "
         "<b>agrees</b>: two numbers lie within their errors of each other; no theorem is meant. "
         "<b>inconclusive</b>: what may have moved the numbers leaves the claim or a hypothesis open, or the "
         "proof breaks. <b>not_applicable</b>: a hypothesis certainly fails.</p>\n"
         "</body>\n</html>\n";
}

std::string lesson_page(const std::vector<LessonFiles>& lessons, std::size_t k) {
  const LessonFiles& lesson = lessons[k];
  std::string out = head(html(lesson.stem)) + navigation(lessons, k);
  out += fmt::format("<h1>{}</h1>\n", html(lesson.stem));
  for (const std::string& problem : problems_of(lesson))
    out += fmt::format("<p class=\"bad\">{}</p>\n", html(problem));
  if (lesson.record) {
    const Record& record = *lesson.record;
    if (!record.claim.empty()) out += fmt::format("<p class=\"claim\">{}</p>\n", html(record.claim));
    if (!record.statement.empty()) out += "<div class=\"statement\">\n" + lesson.statement + "</div>\n";
    out += figures(lesson);
    if (!record.checks.empty()) out += checks_table(record) + check_details(lesson);
    out += metrics_table(record);
    out += text_box("Printed output", lesson.output) + text_box("Source", lesson.source);
    out += fmt::format("<h2>Made with</h2>\n<p class=\"soft\">{}</p>\n", html(provenance_text(record)));
  }
  return out + navigation(lessons, k) + "</body>\n</html>\n";
}

}  // namespace cotangent::report
