// The search: points given, points drawn, then ascents of every kind by turns.
#include "theory/claims/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
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
  if (o.evaluations < 1)
    throw DomainError(fmt::format("[falsify] evaluations is {}; give at least 1", o.evaluations));
  if (centre.size() == 0) throw DomainError("[falsify] the centre has no parameters; give a point");
  for (const Params& start : o.starts)
    if (start.size() != centre.size())
      throw ShapeError(
          fmt::format("[falsify] a start has {} parameters, the centre {}; give points of one size",
                      start.size(), centre.size()));
}

/// Two points as one: blocks "x.<name>", "y.<name>".
Params paired(const Params& x, const Params& y) {
  std::vector<ParamEntry> table;
  for (const char* name : {"x.", "y."})
    for (ParamEntry entry : x.table()) {
      entry.name = name + entry.name;
      if (*name == 'y') entry.offset += x.size();
      table.push_back(std::move(entry));
    }
  return {concat({x.flat(), y.flat()}, 0).value(), std::move(table)};
}

SearchedClaim joined(const PairClaim& claim, const Params& centre) {
  return {.claim = claim.claim,
          .sides =
              [sides = claim.sides](const Var& w) {
                const Shape half{w.size() / 2};
                return sides(view(w, 0, half), view(w, half.size(), half));
              },
          .centre = paired(centre, centre),
          .points = 2};
}

/// Points drawn: a tenth of the evaluations, at most so many.
constexpr Index kDraws = 2000;
/// Of these, how many of the worst are kept to ascend from, and of the others; of long vectors fewer, that
/// these lists hold no more numbers than this each.
constexpr Index kKept = 30, kNumbers = 3'000'000;
/// Of each decade of distances.
constexpr Index kOfDecade = 3;
constexpr Index kDecades = 9;
constexpr Index kIterations = 100;
constexpr Index kSteps = 100;

class Search {
 public:
  Search(const SearchedClaim& claim, Rng& rng, const FalsifyOptions& options)
      : options_(options),
        trials_(claim, rng, options),
        pair_(claim.points == 2),
        kept_(std::clamp<Index>(kNumbers / claim.centre.size(), 3, kKept)) {}

  Evidence run() {
    report::Progress progress(options_.evaluations, {.label = "falsify", .silent = !options_.progress});
    consider(trials_.look(trials_.centre()), given_);
    for (const Params& start : options_.starts)
      consider(trials_.look(trials_.inside(start.flat()).value()), given_);
    draw_points();
    trials_.end_of_draws();
    if (!trials_.done())
      for (const Tensor& w : points_where_units_die(trials_)) consider(trials_.look(w), given_);
    for (Index round = 0; !trials_.done(); ++round) {
      const Index before = trials_.spent();
      turn(round);
      if (trials_.spent() == before) trials_.charge(1);  // a turn without work must not last for ever
      progress.update(std::min(trials_.spent(), options_.evaluations));
    }
    progress.finish();
    return trials_.evidence();
  }

 private:
  static void consider(const std::optional<Seen>& seen, std::vector<Seen>& list) {
    if (seen) list.push_back(*seen);
  }

  void draw_points() {
    const Index draws = std::clamp<Index>(options_.evaluations / 10, 1, kDraws);
    for (Index k = 0; k < draws && !trials_.done(); ++k) {
      const std::optional<Seen> seen = trials_.look(draw(trials_, trials_.centre(), k));
      if (!seen) continue;
      keep(by_violation_, *seen, &Seen::violation);
      keep(by_ratio_, *seen, &Seen::ratio);
      keep(by_decade_[decade_of(seen->w)], *seen, &Seen::ratio, kOfDecade);
      // Of those drawn, any is kept with the same chance.
      ++numbers_;
      if (static_cast<Index>(any_.size()) < kept_)
        any_.push_back(*seen);
      else if (const Index place = trials_.rng().below(numbers_); place < kept_)
        any_[static_cast<std::size_t>(place)] = *seen;
    }
  }

  /// Which decade of distances from the centre, from radius / 1e5 on.
  std::size_t decade_of(const Tensor& w) const {
    const double away = norm(Var(w) - Var(trials_.centre())).item() / trials_.radius();
    return static_cast<std::size_t>(std::clamp(std::log10(away) + 5.0, 0.0, kDecades - 1.0));
  }

  /// Of one decade after the other; near the centre and far from it sides are of different sizes.
  std::optional<Seen> of_decade(Index n) const {
    return at(by_decade_[static_cast<std::size_t>(n) % kDecades], n / kDecades);
  }

  void keep(std::vector<Seen>& best, const Seen& seen, double Seen::*key, Index most = kKept) const {
    const auto place =
        std::find_if(best.begin(), best.end(), [&](const Seen& s) { return seen.*key > s.*key; });
    best.insert(place, seen);
    if (static_cast<Index>(best.size()) > std::min(most, kept_)) best.pop_back();
  }

  /// Entry `turn` of a list, round and round; nullopt if it is empty.
  static std::optional<Seen> at(const std::vector<Seen>& list, Index turn) {
    if (list.empty()) return std::nullopt;
    return list[static_cast<std::size_t>(turn) % list.size()];
  }

  void turn(Index round) {
    constexpr Index kWays = 9;
    const Index n = round / kWays;
    switch (round % kWays) {
      case 0:
        return pair_ ? from_diagonal()
                     : down(Climb::low_lhs, n % 2 ? of_decade(5 * (n / 2) + 6) : first(n / 2));
      case 1:
        return up(n % 2 ? Climb::ratio : Climb::quotient, at(by_ratio_, n));
      case 2:
        return up(Climb::difference, first(n));
      case 3:
        return pair_ ? up(Climb::bend, at(by_ratio_, 2 * n)) : down(Climb::low_rhs, at(any_, 2 * n));
      case 4:
        return up(n % 2 ? Climb::quotient : Climb::ratio, n % 4 < 2 ? of_decade(5 * n) : first(n / 4));
      case 5:
        return stroll(first(n));
      case 6:
        return pair_        ? from_diagonal()
               : n % 2 == 0 ? down(Climb::low_lhs, of_decade(2 * n + 7))
                            : up(Climb::difference, at(any_, n));
      case 7:
        return go_on(n);
      default:
        return stroll(n % 2 ? at(any_, n + 1) : at(highest_, n / 2));
    }
  }

  /// The points given first, then those that violate most.
  std::optional<Seen> first(Index n) const {
    const auto given = static_cast<Index>(given_.size());
    return n < given ? given_[static_cast<std::size_t>(n)] : at(by_violation_, n - given);
  }

  void up(Climb what, const std::optional<Seen>& start, Index iterations = kIterations) {
    if (!start || trials_.done()) return;
    const Climbed climbed = climb(trials_, what, *start, iterations);
    if (climbed.unfinished) keep(unfinished_, climbed.best, &Seen::ratio);
    if (what == Climb::difference) keep(highest_, climbed.end, &Seen::violation);
  }

  /// From the best points of ascents that were broken off, for longer: there may be a valley to follow.
  void go_on(Index n) {
    if (unfinished_.empty()) return;
    const Seen start = unfinished_.front();
    unfinished_.erase(unfinished_.begin());
    up(n % 2 ? Climb::ratio : Climb::quotient, start, 3 * kIterations);
  }

  void stroll(const std::optional<Seen>& start) {
    if (start) walk(trials_, *start, kSteps);
  }

  /// Descent on a side, whose way may lead along a valley, and ends where the side is stationary: there the
  /// claim may be tight, and false in a few directions only.
  void down(Climb side, const std::optional<Seen>& start) {
    constexpr Index kAround = 30;
    if (!start) return;
    const Climbed run = climb(trials_, side, *start, kIterations);
    up(Climb::quotient, run.best);
    if (trials_.done() || known(run.end.w)) return;
    ends_.push_back(run.end.w);
    up(Climb::ratio, look_along_bends(trials_, run.end.w));
    trials_.best_since();
    for (Index k = 0; k < kAround && !trials_.done(); ++k) trials_.look(draw(trials_, run.end.w, k));
    up(Climb::ratio, trials_.best_since());
  }

  /// Whether a descent has ended there before.
  bool known(const Tensor& w) const {
    const double near = 1e-6 * std::max(trials_.radius(), norm(Var(w)).item());
    return std::any_of(ends_.begin(), ends_.end(),
                       [&](const Tensor& end) { return norm(Var(end) - Var(w)).item() <= near; });
  }

  /// On the diagonal of pairs many claims are tight.
  void from_diagonal() {
    constexpr int kPoints = 4;
    std::optional<Seen> best;
    for (int k = 0; k < kPoints && !trials_.done(); ++k) {
      const auto bent = look_along_bends(trials_, draw_on_diagonal(trials_));
      if (bent && (!best || bent->ratio > best->ratio)) best = bent;
    }
    if (!best || trials_.done()) return;
    const Climbed run = climb(trials_, Climb::bend, *best, kIterations);
    up(Climb::ratio, run.end);
  }

  const FalsifyOptions& options_;
  Trials trials_;
  bool pair_;
  Index kept_;
  std::vector<Seen> given_, by_violation_, by_ratio_, any_, unfinished_, highest_;
  std::vector<Tensor> ends_;  // of descents
  std::array<std::vector<Seen>, kDecades> by_decade_;
  Index numbers_ = 0;
};

}  // namespace

Evidence search(const PointwiseClaim& claim, const Params& centre, Rng& rng, const FalsifyOptions& options) {
  check(options, centre);
  const SearchedClaim searched{.claim = claim.claim, .sides = claim.sides, .centre = centre};
  return Search(searched, rng, options).run();
}

Evidence search(const PairClaim& claim, const Params& centre, Rng& rng, const FalsifyOptions& options) {
  check(options, centre);
  FalsifyOptions pairs = options;
  pairs.starts.clear();
  for (const Params& start : options.starts) {
    pairs.starts.push_back(paired(start, centre));
    pairs.starts.push_back(paired(centre, start));
  }
  const SearchedClaim searched = joined(claim, centre);
  Evidence found = Search(searched, rng, pairs).run();
  found.search->centre = centre;
  found.search->starts = options.starts;
  return found;
}

Verdict falsify(const PointwiseClaim& claim, const Params& centre, Rng& rng, const FalsifyOptions& options) {
  return Proof(claim.claim).searched(search(claim, centre, rng, options));
}

Verdict falsify(const PairClaim& claim, const Params& centre, Rng& rng, const FalsifyOptions& options) {
  return Proof(claim.claim).searched(search(claim, centre, rng, options));
}

}  // namespace cotangent::theory
