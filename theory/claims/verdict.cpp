// Verdicts: the one place where numbers become words.
#include "theory/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/table.hpp"

namespace cotangent::theory {
namespace {

/// How close lhs <= rhs is to failing, rounding forgiven; NaN is closest of all, -inf <= -inf is no danger.
double closeness(double lhs, double rhs, double tolerance) {
  const double d = rhs - lhs + (std::isfinite(tolerance) ? tolerance : 0.0);
  if (!std::isnan(d)) return d;
  constexpr double kFar = std::numeric_limits<double>::infinity();
  return lhs <= rhs ? kFar : -kFar;
}

std::string sides(const Inequality& q) {
  return fmt::format("{:.12g} {} {:.12g}{}{}", q.lhs, q.strict ? "<" : "<=", q.rhs,
                     q.where.empty() ? "" : " at ", q.where);
}

const Inequality* first_failure(const std::vector<Inequality>& list) {
  const auto failed = std::find_if(list.begin(), list.end(), [](const Inequality& q) { return !q.holds(); });
  return failed == list.end() ? nullptr : &*failed;
}

std::vector<report::CheckRow> rows(const std::vector<Inequality>& list) {
  std::vector<report::CheckRow> out;
  for (const Inequality& q : list)
    out.push_back({.name = q.name,
                   .lhs = q.lhs,
                   .rhs = q.rhs,
                   .margin = q.margin(),
                   .holds = q.holds(),
                   .where = q.where});
  return out;
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
    case Outcome::inconclusive:
      return "inconclusive";
    case Outcome::not_applicable:
      break;
  }
  return "not_applicable";
}

const char* to_string(Scope scope) noexcept {
  switch (scope) {
    case Scope::everywhere:
      return "everywhere";
    case Scope::trajectory:
      return "on this trajectory";
    case Scope::samples:
      break;
  }
  return "at the points drawn";
}

double rounding(std::initializer_list<double> terms, Index summed) noexcept {
  double sum = 0.0;
  for (const double t : terms) sum += std::fabs(t);
  return (64.0 + static_cast<double>(summed)) * std::numeric_limits<double>::epsilon() * sum + 1e-300;
}

bool Inequality::holds() const noexcept {
  if (strict) return lhs < rhs;
  return lhs <= rhs || (std::isfinite(tolerance) && margin() >= -tolerance);
}

void Row::observe(Index k, double lhs, double rhs, double tolerance) noexcept {
  const bool first = evaluations_++ == 0;
  if (!first && closeness(worst_.lhs, worst_.rhs, worst_.tolerance) <= closeness(lhs, rhs, tolerance)) return;
  worst_.lhs = lhs;
  worst_.rhs = rhs;
  worst_.tolerance = tolerance;
  at_ = k;
}

Inequality Row::worst() const {
  Inequality q = worst_;
  if (place_) q.where = fmt::format("{} {}", place_, at_);
  return q;
}

bool Proof::applicable() const {
  return std::all_of(hypotheses_.begin(), hypotheses_.end(),
                     [](const auto& row) { return row->evaluations() == 0 || row->worst().holds(); });
}

Verdict Proof::evidence(Scope scope, Inequality conclusion) const {
  Verdict v{.claim = claim_, .outcome = Outcome::inconclusive, .scope = scope};
  v.conclusion = std::move(conclusion);
  const auto gather = [&v](const Rows& rows, std::vector<Inequality>& out) {
    for (const auto& row : rows) {
      if (row->evaluations() == 0) continue;
      out.push_back(row->worst());
      v.points = std::max(v.points, row->evaluations());
    }
  };
  gather(hypotheses_, v.hypotheses);
  gather(steps_, v.steps);
  if (const Inequality* failed = first_failure(v.hypotheses)) {
    v.outcome = Outcome::not_applicable;
    v.reason = fmt::format("the hypothesis \"{}\" fails: {}", failed->name, sides(*failed));
  }
  return v;
}

Verdict Proof::conclude(Scope scope, Inequality conclusion) const {
  Verdict v = evidence(scope, std::move(conclusion));
  if (v.outcome == Outcome::not_applicable) return v;
  if (const Inequality* broken = first_failure(v.steps)) {
    v.outcome = Outcome::not_applicable;
    v.reason = fmt::format("the proof breaks at \"{}\": {}", broken->name, sides(*broken));
    return v;
  }
  for (const Rows* rows : {&hypotheses_, &steps_})
    for (const auto& row : *rows)
      if (row->evaluations() == 0) {
        v.reason = fmt::format("\"{}\" was announced but never evaluated", row->worst().name);
        return v;
      }
  const Inequality& c = v.conclusion;
  const double margin = c.lhs == c.rhs ? 0.0 : c.margin();
  if (margin < -c.tolerance || (c.strict && margin < 0.0)) {
    v.outcome = Outcome::refuted;
    v.reason = fmt::format("\"{}\" is false: {}", c.name, sides(c));
  } else if (margin > c.tolerance || (c.tolerance == 0.0 && c.holds())) {
    v.outcome = scope == Scope::samples ? Outcome::supported : Outcome::certified;
    v.reason =
        v.hypotheses.empty() && v.steps.empty()
            ? fmt::format("\"{}\": {}", c.name, sides(c))
            : fmt::format("every hypothesis{} was evaluated and holds; \"{}\": {}",
                          v.steps.empty() ? "" : " and every inequality of the proof", c.name, sides(c));
  } else {
    v.reason = fmt::format("\"{}\" has a margin of {:.3g}, within its rounding of {:.3g}: {}", c.name, margin,
                           c.tolerance, sides(c));
  }
  return v;
}

Verdict Proof::unfinished(Scope scope, Inequality conclusion, std::string reason) const {
  Verdict v = evidence(scope, std::move(conclusion));
  if (v.outcome != Outcome::not_applicable) v.reason = std::move(reason);
  return v;
}

std::string Verdict::to_string() const {
  std::string text = fmt::format("{} ({}): {}", theory::to_string(outcome), theory::to_string(scope),
                                 claim.statement.empty() ? claim.name : claim.statement);
  if (!claim.statement.empty() || !claim.source.empty())
    text += fmt::format("\n  of:     {}{}{}", claim.name, claim.source.empty() ? "" : ", ", claim.source);
  text += "\n  reason: " + reason;
  if (!seed.empty()) text += fmt::format("\n  {} points, drawn from {}", points, seed);
  const auto table = [&text](const char* title, const std::vector<Inequality>& list) {
    if (list.empty()) return;
    report::Table t({{title}, {"lhs"}, {"rhs"}, {"margin"}, {"where"}, {"holds"}});
    for (const Inequality& q : list)
      t.row({q.name, q.lhs, q.rhs, q.margin(), q.where,
             !q.holds()         ? "no"
             : q.margin() < 0.0 ? "within rounding"
                                : "yes"});
    text += "\n" + t.to_text();
  };
  table("hypothesis: lhs <= rhs", hypotheses);
  table("step of the proof: lhs <= rhs", steps);
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
  check.claim = claim.statement;
  // Where the work was not begun, the numbers to show are those of the hypothesis that fails.
  const Inequality* failed = std::isnan(conclusion.margin()) ? first_failure(hypotheses) : nullptr;
  const Inequality& shown = failed ? *failed : conclusion;
  if (failed) check.claim = fmt::format("{} [of: {}]", failed->name, claim.statement);
  check.lhs = shown.lhs;
  check.rhs = shown.rhs;
  check.margin = shown.margin();
  check.verdict = theory::to_string(outcome);
  check.expected = theory::to_string(expected);
  check.scope = theory::to_string(scope);
  check.note = reason;
  if (!seed.empty()) {
    check.scope = fmt::format("{} points", points);
    check.note += fmt::format("; the points were drawn from {}", seed);
  }
  check.hypotheses = rows(hypotheses);
  check.steps = rows(steps);
  return check;
}

}  // namespace cotangent::theory
