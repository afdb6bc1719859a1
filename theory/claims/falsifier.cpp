// The falsifier: draws points, ascends from the worst, reports the worst of all.
#include "theory/falsifier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "report/progress.hpp"

namespace cotangent::theory {
namespace {

void check(const FalsifyOptions& o, const Params& centre) {
  const auto positive = [](const char* name, double value) {
    if (!(value > 0.0 && std::isfinite(value)))
      throw DomainError(fmt::format("[falsify] {} is {}; give a positive number", name, value));
  };
  positive("radius", o.radius);
  if (o.domain) positive("domain", *o.domain);
  if (o.samples < 1 || o.restarts < 0 || o.ascent_steps < 0)
    throw DomainError(
        fmt::format("[falsify] samples, restarts, ascent_steps are {}, {}, {}; give at least 1, 0 and 0",
                    o.samples, o.restarts, o.ascent_steps));
  if (centre.size() == 0) throw DomainError("[falsify] the centre has no parameters; give a point");
  for (const Params& start : o.starts)
    if (start.size() != centre.size())
      throw ShapeError(
          fmt::format("[falsify] a start has {} parameters, the centre {}; give points of one size",
                      start.size(), centre.size()));
}

/// Failures of an ascent along the gradient itself, before directions around it are tried.
constexpr int kStraight = 4;
/// Points beside a counterexample at which it is evaluated again, and how many of them may show less than
/// half of it.
constexpr int kNeighbours = 64;
constexpr int kLosses = 6;
/// Points that are judged so before the claim is left to the worst of them.
constexpr int kJudged = 60;

struct Candidate {
  Params w;
  double violation;
};

/// How far a claim is violated; of an identity, by how much its sides are further apart than they may be.
double violation_of(const Inequality& q) {
  return q.relation == Relation::equal ? -q.margin() - q.tolerance() : -q.margin();
}

class Search {
 public:
  Search(const PointwiseClaim& claim, const Params& centre, Rng& rng, const FalsifyOptions& options)
      : claim_(claim), centre_(centre), rng_(rng), options_(options) {}

  Evidence run() {
    const std::string seed = "Rng " + rng_.state();
    std::vector<Candidate> candidates;
    const auto consider = [&](const Params& w) {
      ++points_drawn_;
      drawing_ = true;
      if (const double violation = look(w); std::isfinite(violation)) candidates.push_back({w, violation});
      drawing_ = false;
    };
    consider(centre_);
    for (const Params& start : options_.starts) consider(start);
    const auto fixed = static_cast<Index>(candidates.size());
    for (Index k = 0; k < options_.samples; ++k) consider(draw());
    // First from the points given, then from the worst drawn, for the second half from any drawn.
    std::stable_sort(candidates.begin() + fixed, candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.violation > b.violation; });
    const auto count = static_cast<Index>(candidates.size());
    report::Progress progress(options_.restarts, {.label = "falsify", .silent = !options_.progress});
    for (Index k = 0; k < options_.restarts && count > 0 && !refuted(); ++k) {
      const bool listed = k < std::min(count, fixed + options_.restarts / 2);
      ascend(candidates[static_cast<std::size_t>(listed ? k : rng_.below(count))]);
      progress.update(k + 1);
    }
    progress.finish();
    if (!seen_)
      throw DomainError(
          fmt::format("[falsify] \"{}\": the two sides are finite at none of the {} points looked at; give "
                      "another centre "
                      "or a smaller radius",
                      claim_.claim.name, not_evaluated_));
    return {.worst = worst_,
            .point = worst_point_,
            .points = points_,
            .seed = seed,
            .not_evaluated = not_evaluated_,
            .counterexample = refuted_,
            .mostly_tight = 2 * tight_ >= points_drawn_};
  }

 private:
  Params draw() {
    const double limit = options_.domain ? std::min(options_.radius, *options_.domain) : options_.radius;
    const double length = limit * std::pow(1000.0, rng_.uniform() - 1.0);
    return inside(axpy(length, random_direction(), centre_));
  }

  Params inside(Params w) const {
    if (!options_.domain) return w;
    const Params away = w - centre_;
    const double distance = norm(away);
    return distance <= *options_.domain ? w
                                        : axpy(*options_.domain * (1.0 - 1e-15) / distance, away, centre_);
  }

  /// Evaluates the claim at w and remembers the worst.
  double look(const Params& w) {
    const Inequality q = claim_.evaluate(w);
    const double violation = violation_of(q), tolerance = q.relation == Relation::equal ? 0.0 : q.tolerance();
    if (!std::isfinite(violation)) {
      ++not_evaluated_;
      return -std::numeric_limits<double>::infinity();
    }
    ++points_;
    // A violation counts by how far it stands out of what may have moved it.
    const double excess = violation - tolerance;
    if (drawing_) tight_ += std::fabs(violation) <= tolerance;
    if (!seen_ || (!refuted_ && excess > worst_excess_)) {
      seen_ = true;
      worst_excess_ = excess;
      worst_ = q;
      worst_point_ = w;
    }
    if (!refuted_ && q.disproved() && judged_ < kJudged) {
      ++judged_;
      if (survives(w, violation)) {
        refuted_ = true;
        worst_ = q;
        worst_point_ = w;
      }
    }
    return violation;
  }

  bool refuted() const { return refuted_; }

  /// Rounding inside the two sides, which their tolerance cannot know, gives another violation at
  /// neighbouring points, as often smaller as larger; a counterexample keeps half of its own at most of them.
  bool survives(const Params& w, double violation) {
    int lost = 0;
    for (int k = 0; k < kNeighbours && lost <= kLosses; ++k) {
      const double relative = std::ldexp(1.0, k % 2 ? -27 : -45),
                   absolute = k % 2 ? 0.0 : 1e-12 * options_.radius;
      const Var by = rng_.uniform(w.flat().shape(), -1.0, 1.0), at = w.flat();
      const Inequality q =
          claim_.evaluate(inside(w.with((at + by * (relative * at + Var(absolute))).value())));
      lost += !(violation_of(q) >= 0.5 * violation);
    }
    return lost <= kLosses;
  }

  void ascend(Candidate at) {
    double step = 0.1 * std::max(norm(at.w - centre_), 0.01 * options_.radius);
    const double smallest = 1e-13 * std::max(options_.radius, norm(at.w));
    Params gradient;
    int failures = 0;
    for (Index k = 0; k < options_.ascent_steps && step > smallest; ++k) {
      if (gradient.size() == 0) {
        gradient = at.w.with(grad([this](const Var& w) { return claim_.violation(w); }, at.w.flat()));
        const double length = norm(gradient);
        if (!(length > 0.0 && std::isfinite(length))) return;
        gradient = gradient / length;
      }
      // Where the gradient runs into a kink or off a jump, directions around it may still lead up along the
      // edge.
      const Params direction = failures < kStraight ? gradient : gradient + random_direction();
      const Params next = inside(axpy(step / norm(direction), direction, at.w));
      const double violation = look(next);
      if (violation > at.violation) {
        at = {next, violation};
        gradient = {};
        failures = 0;
        step *= 1.5;
      } else {
        ++failures;
        step *= failures < kStraight ? 0.5 : 0.8;
      }
    }
  }

  Params random_direction() {
    const Params d = centre_.with(rng_.normal(centre_.flat().shape()));
    return d / std::max(norm(d), 1e-300);
  }

  const PointwiseClaim& claim_;
  const Params& centre_;
  Rng& rng_;
  const FalsifyOptions& options_;
  Index points_ = 0, not_evaluated_ = 0;
  bool seen_ = false;
  double worst_excess_ = 0.0;
  bool refuted_ = false;  // worst_ is then a counterexample that survives
  int judged_ = 0;
  bool drawing_ = false;
  Index points_drawn_ = 0;
  Index tight_ = 0;  // of these, those whose margin is within rounding
  Inequality worst_;
  Params worst_point_;
};

}  // namespace

Side side(const Var& v) {
  const double x = v.item();
  return {v, rounded(x), std::fabs(x)};
}

Side side(const Measured& constant) { return {Var(constant.value()), constant, std::fabs(constant.value())}; }

Side inner_product(const Var& a, const Var& b) {
  const Compensated dot = compensated_dot(a.value().data(), b.value().data());
  return {cotangent::dot(a, b), rounded(dot.value, dot.magnitude), dot.magnitude};
}

Side inner_product(const Var& a, const Var& b, const Var& c) {
  const Compensated dot = compensated_dot_difference(a.value().data(), b.value().data(), c.value().data());
  return {cotangent::dot(a, b - c), rounded(dot.value, dot.magnitude), dot.magnitude};
}

Side operator+(const Side& a, const Side& b) {
  return {a.var + b.var, a.measured + b.measured, a.magnitude + b.magnitude};
}

Side operator-(const Side& a, const Side& b) {
  return {a.var - b.var, a.measured - b.measured, a.magnitude + b.magnitude};
}

Side operator*(const Measured& factor, const Side& a) {
  return {factor.value() * a.var, factor * a.measured, std::fabs(factor.value()) * a.magnitude};
}

Sides operator<=(const Side& a, const Side& b) { return {a, Relation::at_most, b}; }
Sides equal(const Side& a, const Side& b, double accuracy) { return {a, Relation::equal, b, accuracy}; }

Inequality PointwiseClaim::evaluate(const Params& w) const {
  const Sides s = sides(w.flat());
  Inequality q{s.lhs.measured, s.relation, s.rhs.measured};
  if (s.relation == Relation::equal) {
    // Added to by the accuracy, so that an error that is an estimate stays one.
    q.lhs = q.lhs + within(0.0, s.accuracy * s.lhs.magnitude);
    q.rhs = q.rhs + within(0.0, s.accuracy * s.rhs.magnitude);
  }
  q.name = claim.statement.empty() ? claim.name : claim.statement;
  return q;
}

Var PointwiseClaim::violation(const Var& w) const {
  const Sides s = sides(w);
  const Var difference = s.lhs.var - s.rhs.var;
  return s.relation == Relation::equal ? cotangent::square(difference) : difference;
}

PointwiseClaim pointwise(Claim claim, const Function<Var(const Var& w)>& lhs,
                         const Function<Var(const Var& w)>& rhs) {
  return {.claim = std::move(claim),
          .sides = [lhs, rhs](const Var& w) { return side(lhs(w)) <= side(rhs(w)); }};
}

Evidence search(const PointwiseClaim& claim, const Params& centre, Rng& rng, const FalsifyOptions& options) {
  check(options, centre);
  SearchRecord record{.centre = centre,
                      .radius = options.radius,
                      .domain = options.domain,
                      .samples = options.samples,
                      .restarts = options.restarts,
                      .ascent_steps = options.ascent_steps,
                      .starts = options.starts,
                      .seed = rng.state()};
  Evidence found = Search(claim, centre, rng, options).run();
  found.search = std::move(record);
  return found;
}

Verdict falsify(const PointwiseClaim& claim, const Params& centre, Rng& rng, const FalsifyOptions& options) {
  return Proof(claim.claim).searched(search(claim, centre, rng, options));
}

}  // namespace cotangent::theory
