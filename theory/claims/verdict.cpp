// Verdicts: their words, and what is made of them: text, records, figures, files.
#include "theory/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "report/csv.hpp"
#include "report/table.hpp"

namespace cotangent::theory {
namespace {

const Inequality* first_failure(const std::vector<Inequality>& list) {
  const auto failed = std::find_if(list.begin(), list.end(), [](const Inequality& q) { return !q.holds(); });
  return failed == list.end() ? nullptr : &*failed;
}

std::vector<report::Clause> clauses(const std::vector<Inequality>& list) {
  std::vector<report::Clause> out;
  for (const Inequality& q : list)
    out.push_back({.name = q.name,
                   .lhs = q.lhs.value(),
                   .rhs = q.rhs.value(),
                   .margin = q.margin(),
                   .holds = q.holds(),
                   .where = q.where,
                   .within = q.holds() && q.margin() < 0.0 ? theory::to_string(q.by()) : ""});
  return out;
}

/// The two sides to show: of an identity, how far its sides are apart and how far they may be.
std::pair<double, double> sides(const Inequality& q) {
  if (q.relation == Relation::equal) return {-q.margin(), q.tolerance()};
  return {q.lhs.value(), q.rhs.value()};
}

template <class T>
std::string names_of(const std::vector<T>& list, std::string T::*name) {
  std::string names;
  for (const T& item : list) names += (names.empty() ? "\"" : ", \"") + item.*name + "\"";
  return names.empty() ? "none" : names;
}

void check_series(const char* operation, const Verdict& verdict) {
  if (verdict.series.empty())
    throw DomainError(
        fmt::format("[{}] the verdict on \"{}\" carries no series; give one of a run that was made",
                    operation, verdict.claim.name));
}

}  // namespace

const char* to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::certified:
      return "certified";
    case Outcome::supported:
      return "supported";
    case Outcome::refuted:
      return "refuted";
    case Outcome::agrees:
      return "agrees";
    case Outcome::inconclusive:
      return "inconclusive";
    case Outcome::not_applicable:
      break;
  }
  return "not_applicable";
}

Domain Domain::everywhere() { return {Kind::everywhere, "everywhere"}; }
Domain Domain::here(const std::string& point) { return {Kind::here, "at this " + point}; }
Domain Domain::ball(const std::string& centre, double radius) {
  return {Kind::ball, fmt::format("on |w - {}| <= {:g}", centre, radius)};
}
Domain Domain::box(const Box& box) {
  std::string text = "on ";
  for (Index i = 0; i < box.lower.size(); ++i)
    text += fmt::format("{}[{}, {}]", i ? " x " : "", box.lower(i), box.upper(i));
  return {Kind::box, text};
}
Domain Domain::run() { return {Kind::run, "on this trajectory"}; }
Domain Domain::points(Index count) { return {Kind::points, fmt::format("at {} points", count)}; }
Domain Domain::expectation() { return {Kind::expectation, "in exact expectation"}; }
Domain Domain::standard_errors() { return {Kind::standard_errors, "within 5 standard errors"}; }
Domain Domain::probability(double delta) {
  return {Kind::probability, fmt::format("with probability {:g}", 1.0 - delta)};
}
Domain Domain::integration(double tolerance) {
  return {Kind::integration, fmt::format("to the integrator's tolerance of {:g}", tolerance)};
}
Domain Domain::numbers() { return {}; }

bool Domain::certifiable() const noexcept {
  return kind != Kind::points && kind != Kind::standard_errors && kind != Kind::integration;
}

bool Domain::beyond_numbers() const noexcept {
  return kind == Kind::everywhere || kind == Kind::ball || kind == Kind::box || kind == Kind::expectation ||
         kind == Kind::probability;
}

Claim::Claim(std::string own_name, std::string own_statement)
    : name(std::move(own_name)), statement(std::move(own_statement)) {}

Claim::Claim(const Entry& e, const std::string& instance, const std::string& variant)
    : name(e.title), statement(e.statement), source(e.source()), citation(e.citation()), tex(e.tex) {
  if (!variant.empty()) name += ", " + variant;
  if (!instance.empty()) statement += " (" + instance + ")";
}

const std::vector<double>& Verdict::curve(std::string_view name) const {
  for (const Series& s : series)
    if (s.name == name) return s.values;
  throw DomainError(fmt::format("[Verdict] there is no series \"{}\"; there are: {}", name,
                                names_of(series, &Series::name)));
}

double Verdict::number(std::string_view name) const {
  std::string names;
  for (const auto& [key, value] : numbers) {
    if (key == name) return value;
    names += (names.empty() ? "\"" : ", \"") + key + "\"";
  }
  throw DomainError(fmt::format("[Verdict] there is no number \"{}\"; there are: {}", name,
                                names.empty() ? "none" : names));
}

std::string Verdict::to_string() const {
  std::string text = fmt::format("{}{} ({}): {}", theory::to_string(outcome), vacuous ? ", VACUOUS" : "",
                                 domain.text, claim.statement.empty() ? claim.name : claim.statement);
  if (!claim.citation.empty())
    text += "\n  of:     " + claim.citation;
  else if (!claim.statement.empty())
    text += "\n  of:     " + claim.name;
  text += "\n  reason: " + reason;
  if (search) {
    const SearchRecord& s = *search;
    text += fmt::format("\n  search: {} points", s.points);
    if (s.not_evaluated > 0) text += fmt::format(" and {} at which a side was no number", s.not_evaluated);
    text += fmt::format(
        "; radius {} around the centre, |centre| = {:g}{}, the farthest at {:g}; {} evaluations", s.radius,
        norm(s.centre), s.domain ? fmt::format(", within {}", *s.domain) : "", s.farthest, s.evaluations);
    if (!s.starts.empty()) text += fmt::format("; {} points given", s.starts.size());
  }
  if (boxes) {
    text += fmt::format("\n  boxes:  {} looked at, {} proved, {} undecided", boxes->looked_at, boxes->proved,
                        boxes->undecided.size());
    if (!boxes->undecided.empty()) text += ", the first " + Domain::box(boxes->undecided.front()).text;
  }
  if (!seed.empty()) text += fmt::format("\n  {} points, drawn from {}", points, seed);
  for (const auto& [name, value] : numbers) text += fmt::format("\n  {} = {}", name, value);
  const auto table = [&text](const char* title, const std::vector<Inequality>& list) {
    if (list.empty()) return;
    report::Table t({{title}, {"lhs"}, {"rhs"}, {"margin"}, {"where"}, {"holds"}});
    for (const Inequality& q : list)
      t.row({q.name, q.lhs.value(), q.rhs.value(), q.margin(), q.where,
             !q.holds()          ? std::string("no")
             : q.margin() >= 0.0 ? std::string("yes")
                                 : fmt::format("within {}", theory::to_string(q.by()))});
    text += "\n" + t.to_text();
  };
  table("hypothesis", hypotheses);
  table("step of the proof", steps);
  if (!account.empty()) {
    report::Table t({{"what the margin is made of"}, {"slack", report::Align::right, 10}});
    for (const auto& [name, value] : account) t.row({name, value});
    text += "\n" + t.to_text();
  }
  return text;
}

report::Check Verdict::record(Outcome expected) const {
  report::Check check;
  check.name = claim.name;
  check.source = claim.source;
  check.citation = claim.citation;
  check.formula = claim.tex;
  check.claim = claim.statement.empty() ? conclusion.name : claim.statement;
  // Where the work was not begun, the numbers to show are those of the hypothesis that fails.
  const Inequality* failed = std::isnan(conclusion.margin()) ? first_failure(hypotheses) : nullptr;
  if (failed) check.claim = fmt::format("{} [of: {}]", failed->name, check.claim);
  const auto [lhs, rhs] = sides(failed ? *failed : conclusion);
  check.lhs = lhs;
  check.rhs = rhs;
  check.margin = rhs - lhs;
  check.verdict = theory::to_string(outcome);
  check.expected = theory::to_string(expected);
  check.scope = domain.text;
  check.note = reason;
  if (!seed.empty()) check.note += fmt::format("; the points were drawn from {}", seed);
  check.hypotheses = clauses(hypotheses);
  check.steps = clauses(steps);
  return check;
}

report::Drawn plot(const std::string& path, const Verdict& verdict, report::PlotOptions options) {
  check_series("plot", verdict);
  std::vector<report::Series> curves;
  for (const Series& s : verdict.series) {
    if (s.kind == Series::Kind::noted) continue;
    const auto n = static_cast<Index>(s.values.size());
    curves.emplace_back(s.name, Tensor::linspace(1.0, static_cast<double>(n), n), Tensor::from(s.values, {n}),
                        report::SeriesOptions{s.kind == Series::Kind::predicted ? report::Line::predicted
                                                                                : report::Line::observed});
  }
  if (options.title.empty()) options.title = verdict.claim.name;
  if (options.x.empty()) options.x = "T";
  return report::plot(path, curves, options);
}

report::Drawn plot_account(const std::string& path, const Verdict& verdict) {
  if (verdict.account.empty())
    throw DomainError(
        fmt::format("[plot_account] the verdict on \"{}\" carries no account; give a theorem's that has one",
                    verdict.claim.name));
  std::vector<report::Part> parts;
  for (const auto& [name, amount] : verdict.account) parts.push_back({name, amount});
  return report::waterfall(path, parts,
                           {.title = "What the margin is made of", .total = "bound less the quantity"});
}

void save_csv(const std::string& path, const Verdict& verdict) {
  check_series("save_csv", verdict);
  std::vector<std::string> names{"T"};
  std::size_t longest = 0;
  for (const Series& s : verdict.series) {
    names.push_back(s.name);
    longest = std::max(longest, s.values.size());
  }
  std::vector<double> cells;
  for (std::size_t k = 0; k < longest; ++k) {
    cells.push_back(static_cast<double>(k + 1));
    for (const Series& s : verdict.series)
      cells.push_back(k < s.values.size() ? s.values[k] : std::numeric_limits<double>::quiet_NaN());
  }
  const Shape shape{static_cast<Index>(longest), static_cast<Index>(names.size())};
  report::save_csv(path, names, Tensor::from(cells, shape));
}

}  // namespace cotangent::theory
