// The record of a computation as HTML. Names of parameters are escaped; all else is numbers and own words.
#include "report/tape_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <string_view>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"
#include "report/page_head.hpp"
#include "report/text.hpp"

namespace cotangent::report {
namespace {

constexpr std::string_view kStyle = R"(
:root { --bar: #b9cdf0; --here: #fff3c4; }
@media (prefers-color-scheme: dark) { :root { --bar: #2f4a78; --here: #4a4220; } }
table { width: 100%; }
th { position: sticky; top: 0; background: var(--back); }
.n { text-align: right; white-space: nowrap; }
tr:target { background: var(--here); }
.bar { display: block; height: 0.3rem; background: var(--bar); margin-left: auto; }
@media (max-width: 45rem) { .bar { margin: 0 0 0.25rem; } }
)";

std::string time_text(double seconds) {
  return seconds < 1e-3  ? number_text(1e6 * seconds, 3) + " µs"
         : seconds < 1.0 ? number_text(1e3 * seconds, 3) + " ms"
                         : number_text(seconds, 3) + " s";
}

std::string bytes_text(Index bytes) {
  const double b = static_cast<double>(bytes);
  return bytes < 1024      ? fmt::format("{} B", bytes)
         : bytes < 1 << 20 ? number_text(b / 1024.0, 3) + " KiB"
                           : number_text(b / 1048576.0, 4) + " MiB";
}

std::string cell(std::string_view name, std::string_view content) {
  return fmt::format("<td data-name=\"{}\">{}</td>", name, content);
}

/// A number with a bar as long as its share.
std::string share_cell(std::string_view name, std::string_view content, double share) {
  const std::string bar =
      share >= 0.005 ? fmt::format("<span class=\"bar\" style=\"width:{:.0f}%\"></span>", 100.0 * share) : "";
  return fmt::format("<td data-name=\"{}\" class=\"n\">{}{}</td>", name, content, bar);
}

struct Sums {
  Index count = 0;
  Index bytes = 0;
  double forward = 0.0;
  double backward = 0.0;
  double seconds() const { return forward + backward; }
};

std::string table(const std::vector<std::string_view>& text_columns,
                  const std::vector<std::string_view>& columns, const std::string& rows) {
  std::string head;
  for (const std::string_view name : text_columns) head += fmt::format("<th>{}</th>", name);
  for (const std::string_view name : columns) head += fmt::format("<th class=\"n\">{}</th>", name);
  return fmt::format("<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n", head, rows);
}

std::string by_operation(const TapeReport& report) {
  std::map<std::string, Sums> sums;
  double total = 0.0;
  for (const TapeRow& row : report.rows) {
    Sums& s = sums[row.operation];
    ++s.count;
    s.bytes += row.bytes;
    s.forward += row.forward_seconds;
    s.backward += row.backward_seconds.value_or(0.0);
    total += row.forward_seconds + row.backward_seconds.value_or(0.0);
  }
  std::vector<std::pair<std::string, Sums>> order(sums.begin(), sums.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second.seconds() > b.second.seconds(); });
  std::string rows;
  for (const auto& [name, s] : order)
    rows += fmt::format(
        "<tr>{}{}{}{}{}{}</tr>\n", cell("Operation", html(name)),
        share_cell("Nodes", std::to_string(s.count), 0.0), share_cell("Bytes kept", bytes_text(s.bytes), 0.0),
        share_cell("Forward", time_text(s.forward), 0.0), share_cell("Backward", time_text(s.backward), 0.0),
        share_cell("Share of time", number_text(100.0 * s.seconds() / (total > 0.0 ? total : 1.0), 3) + " %",
                   total > 0.0 ? s.seconds() / total : 0.0));
  return table({"Operation"}, {"Nodes", "Bytes kept", "Forward", "Backward", "Share of time"}, rows);
}

std::string node_rows(const std::vector<TapeRow>& shown) {
  double most = 0.0;
  std::vector<Index> linked;
  for (const TapeRow& row : shown) {
    most = std::max({most, row.forward_seconds, row.backward_seconds.value_or(0.0)});
    linked.push_back(row.node);
  }
  const auto share = [most](double seconds) { return most > 0.0 ? seconds / most : 0.0; };
  std::string rows;
  for (const TapeRow& row : shown) {
    std::string inputs;
    for (const Index input : row.inputs) {
      if (!inputs.empty()) inputs += ", ";
      const bool there = std::binary_search(linked.begin(), linked.end(), input);
      inputs += input < 0 ? std::string("constant")
                : there   ? fmt::format("<a href=\"#n{0}\">{0}</a>", input)
                          : std::to_string(input);
    }
    const std::string name = row.parameter.empty()
                                 ? html(row.operation)
                                 : fmt::format("{} <b>{}</b>", html(row.operation), html(row.parameter));
    rows += fmt::format(
        "<tr id=\"n{}\">{}{}{}{}{}{}{}{}</tr>\n", row.node, cell("Node", std::to_string(row.node)),
        cell("Operation", name), cell("Shape", row.shape.to_string()), cell("Inputs", inputs),
        share_cell("Bytes kept", row.bytes > 0 ? bytes_text(row.bytes) : "", 0.0),
        share_cell("Forward", row.operation == "input" ? "" : time_text(row.forward_seconds),
                   share(row.forward_seconds)),
        share_cell("Backward", row.backward_seconds ? time_text(*row.backward_seconds) : "",
                   share(row.backward_seconds.value_or(0.0))),
        share_cell("|gradient|", row.gradient_norm ? number_text(*row.gradient_norm, 4) : "", 0.0));
  }
  return rows;
}

}  // namespace

void save_tape_page(const std::string& path, const TapeReport& report, const TapePageOptions& options) {
  if (options.most < 1)
    throw DomainError(fmt::format("[save_tape_page] most is {}; give 1 or more", options.most));
  const std::vector<TapeRow> shown = costliest(report, options.most);
  const std::string title = html(options.title);
  std::string page = page_head(title, kStyle) + fmt::format("<h1>{}</h1>\n", title);
  page += fmt::format(
      "<p>{} nodes hold {} of numbers and {} of record. Forward {}, backward {}: the least of {} runs that "
      "nobody "
      "watched. Times of single operations include a reading of the clock.</p>\n<h2>By operation</h2>\n{}",
      report.rows.size(), bytes_text(report.value_bytes), bytes_text(report.record_bytes),
      time_text(report.forward_seconds), time_text(report.backward_seconds), report.runs,
      by_operation(report));
  page += "<h2>By node</h2>\n";
  if (shown.size() < report.rows.size())
    page += fmt::format("<p class=\"soft\">The {} nodes that take the most time, of {}.</p>\n", shown.size(),
                        report.rows.size());
  page += table({"Node", "Operation", "Shape", "Inputs"}, {"Bytes kept", "Forward", "Backward", "|gradient|"},
                node_rows(shown));
  page += "</body>\n</html>\n";
  const std::span<const std::byte> bytes = std::as_bytes(std::span<const char>(page));
  detail::atomic_write("save_tape_page", path, {&bytes, 1});
}

}  // namespace cotangent::report
