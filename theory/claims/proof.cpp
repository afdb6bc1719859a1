// The one place where numbers become words.
#include "theory/proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"

namespace cotangent::theory {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// How bad an inequality is: first whether it is certainly false, fails, or holds only because what may have
/// moved it is forgiven; then how close it is to being false, forgiven unless it is strict.
std::pair<int, double> badness(const Inequality& q) {
  const double tolerance = q.tolerance();
  const bool forgiven = q.relation != Relation::below && std::isfinite(tolerance);
  const double d = q.margin() + (forgiven ? tolerance : 0.0);
  const int kind = q.disproved() ? 3 : !q.holds() ? 2 : !q.proved() ? 1 : 0;
  return {kind, std::isnan(d) ? kInfinity : -d};
}

/// `"name": 1.5 <= 1 at sample 1`.
std::string quoted(const Inequality& q) { return fmt::format("\"{}\": {}", q.name, q.to_string()); }

const Inequality* first_failure(const std::vector<Inequality>& list) {
  const auto failed = std::find_if(list.begin(), list.end(), [](const Inequality& q) { return !q.holds(); });
  return failed == list.end() ? nullptr : &*failed;
}

/// `the hypothesis "|a| = 1" holds only within its rounding of 3e-14: 1 = 1`; of an estimate, NaN or a strict
/// one, that it is open.
std::string open(const char* what, const Inequality& q) {
  if (q.holds())
    return fmt::format("the {} \"{}\" holds only within its {} of {:.3g}: {}", what, q.name,
                       to_string(q.by()), q.tolerance(), q.to_string());
  return fmt::format("whether the {} \"{}\" holds is open, with a margin of {:.3g} and {} of {:.3g}: {}",
                     what, q.name, q.margin(), to_string(q.by()), q.tolerance(), q.to_string());
}

/// By how many standard errors, of a mean of samples.
std::string in_standard_errors(const Inequality& q) {
  if (q.by() != Measured::By::sampling || !(q.tolerance() > 0.0)) return {};
  return fmt::format(", {:.3g} standard errors", std::fabs(q.margin()) / (q.tolerance() / 5.0));
}

/// The claim of a search in a ball or a proof on a box, which is not made for every w.
Claim inside(Claim claim, const std::string& ball) {
  for (const char* all : {"for all w", "for every w", "for all W", "for every W"})
    if (const auto at = claim.statement.find(all); at != std::string::npos) {
      claim.statement.replace(at, std::char_traits<char>::length(all), "for the w of " + ball);
      return claim;
    }
  (claim.statement.empty() ? claim.name : claim.statement) += " (for the w of " + ball + ")";
  return claim;
}

const Clause* never_evaluated(const std::vector<std::unique_ptr<Clause>>& clauses) {
  for (const auto& clause : clauses)
    if (clause->evaluations() == 0) return clause.get();
  return nullptr;
}

std::string announced(const Clause& clause) {
  return fmt::format("\"{}\" was announced but never evaluated", clause.worst().name);
}

}  // namespace

Clause::Clause(Inequality once)
    : worst_(std::move(once)),
      unproved_(worst_.proved() ? 0 : 1),
      certain_(worst_.certain()),
      evaluations_(1) {}

Clause::Clause(const char* place, std::string name) : worst_{.name = std::move(name)}, place_(place) {}

bool Clause::observe(Index k, const Inequality& q) noexcept {
  const bool first = evaluations_++ == 0;
  if (!first_failure_ && !q.holds()) first_failure_ = k;
  unproved_ += !q.proved();
  certain_ = certain_ && q.certain();
  if (!first && badness(worst_) >= badness(q)) return false;
  worst_.lhs = q.lhs;
  worst_.relation = q.relation;
  worst_.rhs = q.rhs;
  worst_.difference = q.difference;
  at_ = k;
  enclose_ = {};
  return true;
}

void Clause::settle() {
  if (!enclose_ || settled_) return;
  try {
    const Inequality q = enclose_();
    if (!q.difference || !std::isfinite(q.tolerance())) {
      why_ = "nothing is known of a row by its enclosure";
    } else {
      unproved_ += static_cast<Index>(worst_.proved()) - static_cast<Index>(q.proved());
      worst_.difference = q.difference;
      settled_ = true;
    }
  } catch (const DomainError& e) {
    why_ = e.what();
  }
  certain_ = certain_ && settled_;
}

Inequality Clause::worst() const {
  Inequality q = worst_;
  if (place_) q.where = fmt::format("{} {}", place_, at_);
  return q;
}

Proof::Proof(Claim claim) : claim_(std::move(claim)) {}
Proof::Proof(Proof&&) noexcept = default;
Proof::~Proof() = default;

Clause& Proof::add(Clauses& clauses, Clause clause) {
  return *clauses.emplace_back(std::make_unique<Clause>(std::move(clause)));
}

void Proof::hypothesis(std::string name, Inequality q) {
  add(hypotheses_, named(std::move(name), std::move(q)));
}
void Proof::step(std::string name, Inequality q) { add(steps_, named(std::move(name), std::move(q))); }
Clause& Proof::hypothesis_at_each(const char* place, std::string name) {
  return add(hypotheses_, Clause(place, std::move(name)));
}
Clause& Proof::step_at_each(const char* place, std::string name) {
  return add(steps_, Clause(place, std::move(name)));
}
Clause& Proof::conclusion_at_each(const char* place, std::string name) {
  return add(conclusions_, Clause(place, std::move(name)));
}

std::vector<double>& Proof::observed(std::string name) {
  return series(std::move(name), Series::Kind::observed);
}
std::vector<double>& Proof::predicted(std::string name) {
  return series(std::move(name), Series::Kind::predicted);
}
std::vector<double>& Proof::noted(std::string name) { return series(std::move(name), Series::Kind::noted); }
void Proof::number(std::string name, double value) { numbers_.emplace_back(std::move(name), value); }

Clause Proof::named(std::string name, Inequality q) {
  q.name = std::move(name);
  return Clause(std::move(q));
}

std::vector<double>& Proof::series(std::string name, Series::Kind kind) {
  return series_.emplace_back(std::make_unique<Series>(Series{.name = std::move(name), .kind = kind}))
      ->values;
}

void Proof::account(std::vector<std::pair<std::string, Measured>> parts, const Measured& slack) {
  account_ = std::move(parts);
  account_slack_ = slack;
}

void Proof::vacuous_if(const Inequality& trivial, std::string why) {
  vacuities_.emplace_back(trivial, std::move(why));
}

std::string Proof::settle() {
  bool any = false;
  for (Clauses* clauses : {&hypotheses_, &steps_, &conclusions_})
    for (const auto& clause : *clauses) {
      clause->settle();
      if (!clause->why().empty())
        as_computed(fmt::format("where its sides came closest \"{}\" could not be enclosed: {}",
                                clause->worst().name, clause->why()));
      any = any || clause->settled();
    }
  return any && as_computed_.empty()
             ? "; rounding was bounded at each iterate from its record, and enclosed where sides came closest"
             : "";
}

bool Proof::applicable() const {
  return std::all_of(hypotheses_.begin(), hypotheses_.end(), [](const auto& clause) {
    return clause->evaluations() == 0 || clause->worst().holds();
  });
}

Verdict Proof::evidence(const Domain& domain, std::optional<Inequality> conclusion, State& state) const {
  Verdict v{.claim = claim_, .outcome = Outcome::inconclusive, .domain = domain};
  const auto gather = [&v](const Clauses& clauses, std::vector<Inequality>& out) {
    for (const auto& clause : clauses) {
      if (clause->evaluations() == 0) continue;
      out.push_back(clause->worst());
      v.points = std::max(v.points, clause->evaluations());
    }
  };
  gather(hypotheses_, v.hypotheses);
  gather(steps_, v.steps);
  std::vector<Inequality> conclusions;
  gather(conclusions_, conclusions);
  for (const auto& s : series_) v.series.push_back(*s);
  v.numbers = numbers_;
  for (const auto& [part, amount] : account_) v.account.emplace_back(part, amount.value());
  if (conclusion) conclusions.push_back(*conclusion);
  if (!conclusions.empty()) v.conclusion = conclusions.back();

  state = State::decided;
  for (const Inequality& q : v.hypotheses)
    if (q.disproved()) {
      v.outcome = Outcome::not_applicable;
      v.reason = fmt::format("the hypothesis \"{}\" fails: {}", q.name, q.to_string());
      return v;
    }
  for (const Inequality& q : v.hypotheses)
    if (!q.holds() || (domain.beyond_numbers() && q.certain() && !q.proved())) {
      v.reason = open("hypothesis", q);
      return v;
    }
  if (const Clause* missing = never_evaluated(hypotheses_)) {
    state = State::waiting;
    v.reason = announced(*missing);
    return v;
  }
  for (const Inequality& c : conclusions) {
    if (!c.disproved()) continue;
    v.conclusion = c;
    if (!as_computed_.empty()) {
      v.reason = fmt::format("\"{}\" is false as computed, which proves nothing: {}", c.name, as_computed_);
      return v;
    }
    v.outcome = Outcome::refuted;
    v.reason = fmt::format("\"{}\" is false: {}", c.name, c.to_string());
    if (const Inequality* broken = first_failure(v.steps))
      v.reason += fmt::format("; the proof's first false step is {}", quoted(*broken));
    v.reason += forgiven();
    return v;
  }
  for (const Inequality& c : conclusions)
    if (!c.holds()) v.conclusion = c;
  state = State::open;
  return v;
}

std::string Proof::forgiven() const {
  std::string names;
  for (const auto& clause : hypotheses_)
    if (!clause->proved()) names += (names.empty() ? "\"" : ", \"") + clause->worst().name + "\"";
  return names.empty() ? "" : "; hypotheses that hold only within rounding: " + names;
}

std::optional<std::string> Proof::vacuity() const {
  for (const auto& [trivial, why] : vacuities_)
    if (trivial.holds()) return why;
  return std::nullopt;
}

std::string Proof::fault_of_account() const {
  if (account_.empty()) return {};
  double sum = 0.0, largest = 0.0, errors = account_slack_.error();
  for (const auto& [part, amount] : account_) {
    sum += amount.value();
    largest = std::max(largest, std::fabs(amount.value()));
    errors += amount.error();
  }
  const double slack = account_slack_.value();
  if (!std::isfinite(errors)) return "the account is off: a part of it is not known to within any bound";
  if (std::fabs(sum - slack) <= 1e-12 * largest + errors) return {};
  return fmt::format("the account is off: its parts sum to {:.15g}, the theorem's slack is {:.15g}", sum,
                     slack);
}

Verdict Proof::conclude(const Domain& domain, std::string name, Inequality conclusion) const {
  conclusion.name = std::move(name);
  State state = State::open;
  Verdict v = evidence(domain, std::move(conclusion), state);
  if (state != State::open) return v;
  const Inequality& c = v.conclusion;
  if (const Inequality* broken = first_failure(v.steps)) {
    v.reason = fmt::format("the proof breaks at {}; {}", quoted(*broken),
                           c.holds() ? "the claim held here" : "whether the claim held here is open");
    return v;
  }
  for (const Clauses* clauses : {&steps_, &conclusions_})
    if (const Clause* missing = never_evaluated(*clauses)) {
      v.reason = announced(*missing);
      return v;
    }
  if (domain.beyond_numbers())
    for (const Inequality& q : v.steps)
      if (q.certain() && !q.proved()) {
        v.reason = open("step", q);
        return v;
      }
  const auto all = [this](auto property) {
    return std::all_of(hypotheses_.begin(), hypotheses_.end(), property) &&
           std::all_of(steps_.begin(), steps_.end(), property) &&
           std::all_of(conclusions_.begin(), conclusions_.end(), property);
  };
  const bool certain = as_computed_.empty() && all([](const auto& clause) { return clause->certain(); });
  for (const auto& clause : conclusions_)
    if (!clause->proved() && clause->certain()) {
      v.conclusion = clause->worst();
      v.reason = fmt::format(
          "\"{}\" is not certain wherever it was evaluated: somewhere its margin is within what may "
          "have moved it",
          v.conclusion.name);
      return v;
    }
  if (const std::string off = fault_of_account(); !off.empty()) {
    v.reason = off;
    return v;
  }

  const bool same = c.relation == Relation::equal && c.holds() && c.certain() && certain;
  if (same && (domain.kind == Domain::Kind::numbers || !c.proved())) {
    v.outcome = domain.certifiable() ? Outcome::agrees : Outcome::supported;
    v.reason = fmt::format("the two sides of {} are {:.3g} apart, of at most {:.3g}", quoted(c), -c.margin(),
                           c.tolerance());
  } else if (c.proved()) {
    v.outcome = domain.certifiable() && certain ? Outcome::certified : Outcome::supported;
    v.reason = v.hypotheses.empty() && v.steps.empty()
                   ? quoted(c)
                   : fmt::format("every hypothesis{} was evaluated and holds; {}",
                                 v.steps.empty() ? "" : " and every inequality of the proof", quoted(c));
    if (!as_computed_.empty())
      v.reason += "; numbers among them were only computed, which proves nothing: " + as_computed_;
    else if (!certain)
      v.reason += "; an error among them is an estimate, which proves nothing";
    v.reason += forgiven();
  } else if (!std::isnan(c.margin()) && !c.certain()) {
    // An error that is itself an estimate proves nothing, either way.
    v.outcome = c.holds() ? Outcome::supported : Outcome::inconclusive;
    v.reason = fmt::format("{} {} {} of {:.3g}, with a margin of {:.3g}{}; that is an estimate", quoted(c),
                           c.holds() ? "holds within" : "fails beyond", to_string(c.by()), c.tolerance(),
                           c.margin(), in_standard_errors(c));
  } else {
    v.reason = fmt::format("\"{}\" has a margin of {:.3g}, within its {} of {:.3g}: {}", c.name, c.margin(),
                           to_string(c.by()), c.tolerance(), c.to_string());
  }
  if (v.outcome == Outcome::certified || v.outcome == Outcome::supported)
    if (const std::optional<std::string> why = vacuity()) {
      v.vacuous = true;
      v.reason += "; VACUOUS: " + *why;
    }
  return v;
}

Verdict Proof::unfinished(const Domain& domain, std::string reason) const {
  State state = State::open;
  Verdict v = evidence(domain, std::nullopt, state);
  if (state != State::decided) v.reason = std::move(reason);
  return v;
}

Verdict Proof::searched(const Evidence& e) const {
  Domain domain = Domain::points(e.points);
  if (e.search) {
    const std::string ball = fmt::format("|w - centre| <= {}", e.search->domain.value_or(e.search->radius));
    domain.text += e.search->domain ? " of " + ball : " found around " + ball;
  }
  State state = State::open;
  Verdict v = evidence(domain, std::nullopt, state);
  v.conclusion = e.worst;
  if (e.search && e.search->domain) {
    v.claim = inside(claim_, fmt::format("|w - centre| <= {}", *e.search->domain));
    v.conclusion.name = v.claim.statement.empty() ? v.claim.name : v.claim.statement;
  }
  if (v.conclusion.where.empty()) v.conclusion.where = "the worst point found";
  v.points = e.points;
  v.seed = e.seed;
  v.search = e.search;
  v.witness = e.point;
  if (state != State::open) return v;
  for (const Inequality& q : v.hypotheses)
    if (!q.proved()) {
      v.reason = open("hypothesis", q);
      return v;
    }
  const double margin = e.worst.margin(), tolerance = e.worst.tolerance();
  const bool tight = std::fabs(margin) <= tolerance, identity = e.worst.relation == Relation::equal;
  if (!e.counterexample && (e.mostly_no_number || e.not_evaluated > e.points)) {
    v.reason = fmt::format("at {} of {} points a side is not finite; give a smaller radius or another centre",
                           e.not_evaluated, e.points + e.not_evaluated);
  } else if (e.points < 1) {
    v.reason = "no point was looked at";
  } else if (e.counterexample && e.worst.disproved()) {
    v.outcome = Outcome::refuted;
    v.reason = fmt::format("a counterexample: {} is false by {:.6g}, {} {:.2g}", v.conclusion.to_string(),
                           std::fabs(margin), to_string(e.worst.by()), tolerance);
  } else if (!e.worst.holds() && !e.not_enclosed.empty()) {
    v.reason = fmt::format("{} is false by {:.6g} as computed, which proves nothing: {}",
                           v.conclusion.to_string(), -margin, e.not_enclosed);
  } else if (std::isnan(margin) || !std::isfinite(tolerance)) {
    v.reason =
        fmt::format("nothing is known at the worst of {} points: {}", e.points, v.conclusion.to_string());
  } else if (!e.worst.holds() && e.worst.difference) {
    v.reason = fmt::format(
        "at the worst of {} points the enclosure of the difference, {:.3g} +- {:.2g}, leaves it open",
        e.points, margin, tolerance);
  } else if (!e.worst.holds()) {
    v.reason = fmt::format("the largest violation of {} points, {:.3g}, is as computed and was not enclosed",
                           e.points, -margin);
  } else if (identity && tight) {
    v.outcome = Outcome::supported;
    v.reason = fmt::format(
        "at {} points the two sides are at most {:.3g} apart, within {}; this is evidence, not proof",
        e.points, -margin, to_string(e.worst.by()));
  } else if (tight && e.mostly_tight) {
    v.reason = fmt::format("the smallest margin of {} points, {:.3g}, is within its {}, {:.2g}", e.points,
                           margin, to_string(e.worst.by()), tolerance);
  } else if (tight) {
    v.outcome = Outcome::supported;
    v.reason = fmt::format(
        "no counterexample in {} points; the smallest margin, {:.3g}, is within its {}: the claim is tight "
        "there; "
        "this is evidence, not proof",
        e.points, margin, to_string(e.worst.by()));
  } else {
    v.outcome = Outcome::supported;
    v.reason = fmt::format(
        "no counterexample in {} points, the smallest margin is {:.6g}; this is evidence, not proof",
        e.points, margin);
  }
  if (e.denied > 0 && v.outcome != Outcome::refuted)
    v.reason += fmt::format(
        "; at {} points a violation as computed is none by an enclosure{}", e.denied,
        e.left_over > 0
            ? fmt::format(", at {} further ones it is no larger and was not enclosed", e.left_over)
            : "");
  if (e.not_evaluated > 0 && e.not_evaluated <= e.points)
    v.reason += fmt::format("; at {} further points a side was no number", e.not_evaluated);
  return v;
}

Verdict Proof::bisected(const BoxEvidence& e) const {
  const Domain domain = Domain::box(e.record.box);
  State state = State::open;
  Verdict v = evidence(domain, std::nullopt, state);
  v.claim = inside(claim_, domain.text.substr(3));
  v.conclusion = e.worst;
  v.conclusion.name = v.claim.statement.empty() ? v.claim.name : v.claim.statement;
  v.conclusion.where = "the least margin seen";
  v.boxes = e.record;
  v.points = e.record.looked_at;
  if (e.counterexample) v.witness = e.point;
  if (state != State::open) return v;
  for (const Inequality& q : v.hypotheses)
    if (!q.proved()) {
      v.reason = open("hypothesis", q);
      return v;
    }
  const std::size_t left = e.record.undecided.size();
  if (e.counterexample && e.worst.disproved()) {
    v.outcome = Outcome::refuted;
    v.reason = fmt::format("a counterexample: {} is false by {:.6g}, {} {:.2g}", v.conclusion.to_string(),
                           std::fabs(e.worst.margin()), to_string(e.worst.by()), e.worst.tolerance());
  } else if (left > 0) {
    v.reason = fmt::format("{} boxes are left undecided; {} of {} looked at are proved", left,
                           e.record.proved, e.record.looked_at);
  } else if (e.record.proved < 1) {
    v.reason = "no box was looked at";
  } else {
    v.outcome = Outcome::certified;
    v.reason =
        fmt::format("proved on each of {} boxes that make up the whole, by enclosures", e.record.proved);
  }
  return v;
}

Verdict over_points(std::span<const Verdict> verdicts) {
  if (verdicts.empty())
    throw DomainError("[over_points] there is no verdict; give those of at least one point");
  const auto count = static_cast<Index>(verdicts.size());
  const auto held = [](const Verdict& v) {
    return v.outcome == Outcome::certified || v.outcome == Outcome::supported || v.outcome == Outcome::agrees;
  };
  const auto closeness = [](const Verdict& v) { return v.conclusion.margin() + v.conclusion.tolerance(); };
  const Verdict* shown = &verdicts.front();
  for (const Verdict& v : verdicts) {
    if (v.claim.name != shown->claim.name || v.claim.source != shown->claim.source)
      throw DomainError(fmt::format("[over_points] \"{}\" and \"{}\" are two claims; give verdicts on one",
                                    shown->claim.name, v.claim.name));
    if (v.outcome == Outcome::refuted) return v;
    if (held(*shown) && (!held(v) || closeness(v) < closeness(*shown))) shown = &v;
  }
  Verdict all = *shown;
  if (!held(all)) return all;
  all.outcome = Outcome::supported;
  all.domain = Domain::points(count);
  all.points = count;
  all.reason =
      fmt::format("it held at each of {} points, with the smallest margin where {}", count, all.reason);
  return all;
}

}  // namespace cotangent::theory
