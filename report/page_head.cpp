// The head of a page: nothing is loaded from anywhere, and nothing runs.
#include "report/page_head.hpp"

#include <fmt/format.h>

namespace cotangent::report {
namespace {

// On narrow screens each row of a table becomes a block of "name: value" lines.
constexpr std::string_view kShared = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta
  http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --text: #1c1e21; --soft: #5a606a; --back: #ffffff; --rule: #d9dde3;
  --link: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e6ea; --soft: #a3a9b3; --back: #16181c; --rule: #3c4148; --link: #8ab4f8; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem 1.25rem 4rem; color: var(--text);
  background: var(--back); font: 1rem/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; }
a { color: var(--link); }
h1 { font-size: 1.55rem; }
h2 { font-size: 1.15rem; margin-top: 2rem; }
.soft { color: var(--soft); }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.9rem 0.3rem 0; text-align: left; border-bottom: 1px solid var(--rule);
  vertical-align: top; }
th { color: var(--soft); font-weight: 600; }
@media (max-width: 45rem) {
  table, tbody, tr, td { display: block; }
  thead { display: none; }
  tr { padding: 0.5rem 0; border-bottom: 1px solid var(--rule); }
  td { border: 0; padding: 0; text-align: left !important; white-space: normal !important; }
  td::before { content: attr(data-name) ": "; color: var(--soft); }
  td:empty { display: none; }
}
)";

}  // namespace

std::string page_head(std::string_view title, std::string_view style) {
  return fmt::format("{}{}</style>\n<title>{}</title>\n</head>\n<body>\n", kShared, style, title);
}

}  // namespace cotangent::report
