// Looking at points: counting, remembering the worst, and telling a counterexample from rounding.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "theory/claims/enclosed.hpp"
#include "theory/claims/search.hpp"

namespace cotangent::theory {
namespace {

/// Computed violations that are enclosed, at most; later ones only if they violate by twice as much as any
/// that was none. The best of those left over are enclosed at the end.
constexpr Index kEnclosed = 60;
constexpr std::size_t kPostponed = 20;
/// What enclosing a point costs, in evaluations.
constexpr Index kPrice = 100;

/// Of an identity, by how much its sides are further apart than they may be.
double violation_of(const Inequality& q) {
  return q.relation == Relation::equal ? -q.margin() - q.tolerance() : -q.margin();
}

double excess_of(const Inequality& q) {
  return q.relation == Relation::equal ? violation_of(q) : violation_of(q) - q.tolerance();
}

double size_of(const Inequality& q) { return std::fabs(q.lhs.value()) + std::fabs(q.rhs.value()); }

double largest(const Tensor& x) {
  double most = 0.0;
  for (const double v : x.data()) {
    if (std::isnan(v)) return v;
    most = std::max(most, std::fabs(v));
  }
  return most;
}
bool all_finite(const Tensor& x) {
  return std::all_of(x.data().begin(), x.data().end(), [](double v) { return std::isfinite(v); });
}

/// sign(x) log((|x| + sqrt(x^2 + unit^2)) / unit): linear near 0, the logarithm far from it.
Var stretched(const Var& x, double unit) {
  const double value = x.item();
  const Var size = value < 0.0 ? -x : x;
  const Var scaled = std::fabs(value) > 1e8 * unit ? log(size) - std::log(0.5 * unit)
                                                   : log(size / unit + sqrt(square(size / unit) + 1.0));
  return value < 0.0 ? -scaled : scaled;
}

}  // namespace

Trials::Trials(const SearchedClaim& claim, Rng& rng, const FalsifyOptions& options)
    : claim_(claim), rng_(rng), options_(options), seed_(rng.state()) {}

std::optional<Seen> Trials::look(const Tensor& w) {
  if (!all_finite(w)) return std::nullopt;  // no point of the claim
  const std::optional<Sides> s = sides_at(w);
  return s ? record(w, *s) : std::nullopt;
}

std::optional<Sides> Trials::sides_at(const Var& w) {
  ++spent_;
  drawn_ += drawing_;
  try {
    return claim_.sides(w);
  } catch (const std::exception&) {
    // A side that cannot be computed costs its point; one that never can is an error of the claim.
    no_number();
    ++threw_;
    if (!first_error_) first_error_ = std::current_exception();
    return std::nullopt;
  }
}

void Trials::keep_worst(const Tensor& w, const Inequality& q) {
  const double excess = excess_of(q);
  if (counterexample_ || (seen_ && !(excess > worst_excess_))) return;
  seen_ = true;
  worst_excess_ = excess;
  worst_ = q;
  worst_point_ = w;
}

std::optional<Inequality> Trials::enclosure_at(const Tensor& w) {
  ++enclosed_;
  spent_ += kPrice;
  try {
    return enclosed_at(claim_.sides, w);
  } catch (const DomainError& e) {
    not_enclosed_ = e.what();
    return std::nullopt;
  }
}

/// A violation as computed: the enclosure of the difference decides.
void Trials::judge(const Tensor& w, const Inequality& computed) {
  const std::optional<Inequality> q = enclosure_at(w);
  if (!q) return keep_computed(w, computed);
  if (q->disproved() && certainly_inside(w)) return refuted_by(w, *q);
  ++denied_;
  if (std::isfinite(violation_of(computed))) rejected_ = std::max(rejected_, violation_of(computed));
  if (q->disproved()) return;
  if (std::isfinite(excess_of(*q))) keep_worst(w, *q);
}

void Trials::refuted_by(const Tensor& w, const Inequality& q) {
  seen_ = counterexample_ = true;
  worst_ = q;
  worst_point_ = w;
}

/// Nothing can be proved: the worst as computed is looked for.
void Trials::keep_computed(const Tensor& w, const Inequality& q) {
  const double excess = excess_of(q);
  if (computed_ && !(excess > computed_excess_)) return;
  computed_ = q;
  computed_excess_ = excess;
  computed_point_ = w;
}

void Trials::postpone(const Tensor& w, double violation) {
  const auto place = std::find_if(postponed_.begin(), postponed_.end(),
                                  [&](const auto& other) { return violation > other.first; });
  postponed_.emplace(place, violation, w);
  if (postponed_.size() <= kPostponed) return;
  postponed_.pop_back();
  ++left_over_;
}

/// What was postponed, and the worst point, whose margin is then known as well as it can be.
void Trials::settle() {
  for (const auto& [violation, w] : std::exchange(postponed_, {})) {
    if (counterexample_) return;
    if (const std::optional<Sides> s = sides_at(w)) judge(w, s->inequality());
  }
  if (counterexample_ || !seen_ || worst_.difference || !not_enclosed_.empty()) return;
  const std::optional<Inequality> q = enclosure_at(worst_point_);
  if (!q || !std::isfinite(excess_of(*q))) return;
  if (q->disproved() && certainly_inside(worst_point_)) return refuted_by(worst_point_, *q);
  if (q->disproved()) return;
  worst_ = *q;
  worst_excess_ = excess_of(*q);
}

std::optional<Seen> Trials::record(const Tensor& w, const Sides& s) {
  const Inequality q = s.inequality();
  const double violation = violation_of(q), excess = excess_of(q);
  if (!std::isfinite(excess)) {
    // An infinite side against a finite one is a violation, if the exact sides are so.
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (violation == kInfinity && enclosed_ < kEnclosed && not_enclosed_.empty()) judge(w, q);
    if (counterexample_)
      ++points_;
    else
      no_number();
    return std::nullopt;
  }
  farthest_ = std::max(farthest_, distance_of(w));
  check_signs(s, q);
  ++points_;
  if (drawing_) tight_ += std::fabs(violation) <= (q.relation == Relation::equal ? 0.0 : q.tolerance());
  if (q.disproved() && !not_enclosed_.empty()) {
    keep_computed(w, q);
  } else if (!q.disproved()) {
    keep_worst(w, q);
  } else if (enclosed_ < kEnclosed || violation > 2.0 * rejected_) {
    judge(w, q);
  } else {
    postpone(w, violation);
  }
  const double size = size_of(q) + q.tolerance();
  const Seen seen{w, excess, size > 0.0 ? excess / size : 0.0};
  if (!best_since_ || seen.ratio > best_since_->ratio) best_since_ = seen;
  return seen;
}

void Trials::check_signs(const Sides& s, const Inequality& q) const {
  const double shown = s.lhs.var.item() - s.rhs.var.item(), counted = q.lhs.value() - q.rhs.value(),
               size = size_of(q) + s.lhs.magnitude + s.rhs.magnitude;
  if (shown * counted < 0.0 && std::fabs(counted) > q.tolerance() &&
      std::min(std::fabs(shown), std::fabs(counted)) > 1e-6 * size)
    throw DomainError(fmt::format(
        "[falsify] \"{}\": lhs - rhs is {:.6g} as a Var, which is ascended, and {:.6g} as measured, which "
        "decides; make both from the same sides",
        claim_.claim.name, shown, counted));
}

Var Frame::at(const Var& u) const {
  if (apart == 0.0) return start + scale * u;
  const Shape half{u.size() / 2};
  const Var middle = scale * view(u, 0, half), difference = apart * view(u, half.size(), half);
  return start + concat({middle + difference, middle - difference}, 0);
}

Var Trials::climbed(Climb what, const Frame& frame, double unit, const Var& u) {
  // It depends on u even where a side does not.
  const auto none = [&u](double value) { return value * (1.0 + sum(u) * 0.0); };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (done()) return none(nan);
  ++spent_;  // for the gradient
  const Var w = inside(frame.at(u));
  if (!all_finite(w.value())) return none(nan);
  const std::optional<Sides> s = sides_at(w);
  if (!s || !record(w.value(), *s)) return none(nan);
  const Var &lhs = s->lhs.var, &rhs = s->rhs.var;
  switch (what) {
    case Climb::low_lhs:
      return none(0.0) - lhs / unit;
    case Climb::low_rhs:
      return none(0.0) - rhs / unit;
    case Climb::difference:
      return none(0.0) + s->violation() / unit;
    case Climb::bend: {
      const Index half = w.size() / 2;
      const Var apart = view(w, 0, Shape{half}) - view(w, half, Shape{half});
      return none(0.0) + s->violation() / (unit * dot(apart, apart));
    }
    case Climb::quotient:
      return lhs.item() > 0.0 && s->relation != Relation::equal ? none(0.0) - rhs / (unit * lhs) : none(nan);
    case Climb::ratio:
      break;
  }
  if (s->relation == Relation::equal) {
    const Var size = square(lhs) + square(rhs) + unit * unit;
    return none(0.0) + log((square(lhs - rhs) + 1e-30 * size) / size);
  }
  // What may have moved the sides counts against the violation, or every place where both are rounding
  // alone would be climbed.
  const double error = s->lhs.measured.error() + s->rhs.measured.error();
  return none(0.0) + stretched(lhs, unit) - stretched(rhs + error, unit);
}

Var Trials::violation(const Var& w) { return claim_.sides(w).violation(); }

Var Trials::inside(const Var& w) const {
  if (!options_.domain) return w;
  // Inside by more than what rounding does to the point.
  const double limit = *options_.domain * (1.0 - 1e-14);
  const Index each = w.size() / claim_.points;
  std::vector<Var> parts;
  for (Index k = 0; k < claim_.points; ++k) {
    const Var c = view(Var(centre()), k * each, Shape{each}), away = view(w, k * each, Shape{each}) - c;
    const double size = largest(away.value());
    if (!(size > 0.0 && std::isfinite(size))) {
      parts.push_back(c + away);
      continue;
    }
    const Var direction = away * (1.0 / size);
    const Var length = sqrt(dot(direction, direction));
    parts.push_back(size * length.item() <= limit ? c + away : c + direction * (limit / length));
  }
  return parts.size() == 1 ? parts.front() : concat(parts, 0);
}

/// |w - centre| <= domain, of a pair for both points, by an enclosure.
bool Trials::certainly_inside(const Tensor& w) const {
  if (!options_.domain) return true;
  const Index each = w.size() / claim_.points;
  for (Index k = 0; k < claim_.points; ++k) {
    const Tensor c = view(Var(centre()), k * each, Shape{each}).value();
    const Enclosure slack = enclose(
        [&](const Var& at) {
          const Var away = view(at, k * each, Shape{each}) - c;
          return square(lift(*options_.domain, at)) - dot(away, away);
        },
        w, kOfADifference);
    if (!(slack.lower().item() >= 0.0)) return false;
  }
  return true;
}

/// |w - centre|, of a pair the larger one.
double Trials::distance_of(const Tensor& w) const {
  const Index each = w.size() / claim_.points;
  double most = 0.0;
  for (Index k = 0; k < claim_.points; ++k)
    most = std::max(most, norm(view(Var(w) - Var(centre()), k * each, Shape{each})).item());
  return most;
}

Evidence Trials::evidence() {
  settle();
  const bool unproved = computed_ && (!seen_ || computed_excess_ > worst_excess_);
  Inequality worst = unproved ? *computed_ : worst_;
  worst.name = claim_.claim.statement.empty() ? claim_.claim.name : claim_.claim.statement;
  if (!seen_ && !unproved) {
    if (first_error_ && threw_ == no_number_) std::rethrow_exception(first_error_);
    throw DomainError(
        fmt::format("[falsify] \"{}\": the two sides are finite at none of the {} points looked at; give "
                    "another centre or a smaller radius",
                    claim_.claim.name, no_number_));
  }
  return {.worst = worst,
          .point = claim_.centre.with(unproved ? computed_point_ : worst_point_),
          .points = points_,
          .seed = "Rng " + seed_,
          .search = SearchRecord{.centre = claim_.centre,
                                 .radius = options_.radius,
                                 .domain = options_.domain,
                                 .evaluations = options_.evaluations,
                                 .starts = options_.starts,
                                 .seed = seed_,
                                 .points = points_,
                                 .not_evaluated = no_number_,
                                 .farthest = farthest_},
          .not_evaluated = no_number_,
          .counterexample = counterexample_,
          .denied = denied_,
          .left_over = left_over_,
          .not_enclosed = not_enclosed_,
          .mostly_tight = 2 * tight_ >= drawn_,
          .mostly_no_number = 2 * drawn_in_vain_ > drawn_};
}

}  // namespace cotangent::theory
