// Looking at points: counting, remembering the worst, and telling a counterexample from rounding.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "theory/claims/search.hpp"

namespace cotangent::theory {
namespace {

/// Points beside a counterexample at which it is evaluated again, and how many of them may show less than
/// half of it.
constexpr int kNeighbours = 64;
constexpr int kLosses = 6;
/// Points that are judged so; later ones only if they violate by twice as much as any that was rejected.
constexpr Index kJudged = 60;

/// Of an identity, by how much its sides are further apart than they may be.
double violation_of(const Inequality& q) {
  return q.relation == Relation::equal ? -q.margin() - q.tolerance() : -q.margin();
}

double excess_of(const Inequality& q) {
  return q.relation == Relation::equal ? violation_of(q) : violation_of(q) - q.tolerance();
}

double size_of(const Inequality& q) { return std::fabs(q.lhs.value()) + std::fabs(q.rhs.value()); }

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

std::optional<Seen> Trials::record(const Tensor& w, const Sides& s) {
  const Inequality q = s.inequality();
  const double violation = violation_of(q), excess = excess_of(q);
  if (!std::isfinite(excess)) {
    no_number();
    return std::nullopt;
  }
  check_signs(s, q);
  ++points_;
  if (drawing_) tight_ += std::fabs(violation) <= (q.relation == Relation::equal ? 0.0 : q.tolerance());
  if (!seen_ || (!counterexample_ && excess > worst_excess_)) {
    seen_ = true;
    worst_excess_ = excess;
    worst_ = q;
    worst_point_ = w;
  }
  if (!counterexample_ && q.disproved() && (judged_ < kJudged || violation > 2.0 * rejected_)) {
    ++judged_;
    counterexample_ = survives(w, violation);
    if (counterexample_) {
      worst_ = q;
      worst_point_ = w;
    } else {
      rejected_ = std::max(rejected_, violation);
    }
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
      return lhs.item() > 0.0 && s->relation == Relation::at_most ? none(0.0) - rhs / (unit * lhs)
                                                                  : none(nan);
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
  const Index each = w.size() / claim_.points;
  std::vector<Var> parts;
  for (Index k = 0; k < claim_.points; ++k) {
    const Var c = view(Var(centre()), k * each, Shape{each}), away = view(w, k * each, Shape{each}) - c;
    const double distance = std::sqrt(dot(away, away).item());
    parts.push_back(distance <= *options_.domain
                        ? c + away
                        : c + away * (*options_.domain * (1.0 - 1e-15) / sqrt(dot(away, away))));
  }
  return parts.size() == 1 ? parts.front() : concat(parts, 0);
}

/// Rounding inside the two sides, which their errors cannot know, gives another violation at neighbouring
/// points, as often smaller as larger; a counterexample keeps half of its own at most of them. They may be
/// too far for that. Nearer ones will do, if what was lost a little further away is what the gradients say:
/// rounding is lost without one.
bool Trials::survives(const Tensor& w, double violation) {
  constexpr int kNearer = 24;
  constexpr std::size_t kAsked = 8;
  std::vector<Tensor> further;
  double factor = 1.0;
  for (int nearer = 0; nearer < kNearer; ++nearer, factor *= 0.5) {
    std::vector<Tensor> lost;
    for (int k = 0; k < kNeighbours && (lost.size() < kAsked || static_cast<int>(lost.size()) <= kLosses);
         ++k)
      if (Tensor beside = neighbour(w, factor, k); !(violation_at(beside) >= 0.5 * violation))
        lost.push_back(std::move(beside));
    if (static_cast<int>(lost.size()) <= kLosses)
      return std::count_if(further.begin(), further.end(), [&](const Tensor& beside) {
               return !explained_by_gradients(w, beside, violation);
             }) <= 1;
    further = std::move(lost);
  }
  return false;
}

/// Whether the violation changes from w to another point by the integral of its gradient, to 30 %.
bool Trials::explained_by_gradients(const Tensor& w, const Tensor& to, double violation) {
  constexpr int kParts = 8;
  const double change = violation_at(to) - violation;
  const Var by = Var(to) - Var(w);
  double expected = 0.0;
  try {
    for (int part = 0; part < kParts; ++part) {
      const Tensor at = (Var(w) + (part + 0.5) / kParts * by).value();
      expected += dot(grad([this](const Var& v) { return this->violation(v); }, at), by).item() / kParts;
    }
  } catch (const std::exception&) {
    return false;  // a side cannot be computed on the way
  }
  return std::fabs(change - expected) <= 0.3 * std::fabs(change);
}

Tensor Trials::neighbour(const Tensor& w, double factor, int k) {
  // Nearer than some units in the last place there is nothing.
  constexpr std::array<double, 4> kRelative{0x1p-45, 0x1p-27, 0x1p-45, 0x1p-8};
  const double relative = std::max(factor * kRelative[static_cast<std::size_t>(k % 4)], 0x1p-49),
               absolute = k % 2 ? 0.0 : 1e-12 * factor * options_.radius;
  const Var by = rng_.uniform(w.shape(), -1.0, 1.0), at = w;
  return inside(at + by * (relative * abs(at) + absolute)).value();
}

double Trials::violation_at(const Tensor& w) const {
  try {
    return violation_of(claim_.sides(w).inequality());
  } catch (const std::exception&) {
    return std::numeric_limits<double>::quiet_NaN();
  }
}

Evidence Trials::evidence() const {
  Inequality worst = worst_;
  worst.name = claim_.claim.statement.empty() ? claim_.claim.name : claim_.claim.statement;
  if (!seen_) {
    if (first_error_ && threw_ == no_number_) std::rethrow_exception(first_error_);
    throw DomainError(
        fmt::format("[falsify] \"{}\": the two sides are finite at none of the {} points looked at; give "
                    "another centre or a smaller radius",
                    claim_.claim.name, no_number_));
  }
  return {.worst = worst,
          .point = claim_.centre.with(worst_point_),
          .points = points_,
          .seed = "Rng " + seed_,
          .search = SearchRecord{.centre = claim_.centre,
                                 .radius = options_.radius,
                                 .domain = options_.domain,
                                 .evaluations = options_.evaluations,
                                 .starts = options_.starts,
                                 .seed = seed_,
                                 .points = points_,
                                 .not_evaluated = no_number_},
          .not_evaluated = no_number_,
          .counterexample = counterexample_,
          .mostly_tight = 2 * tight_ >= drawn_,
          .mostly_no_number = 2 * drawn_in_vain_ > drawn_};
}

}  // namespace cotangent::theory
