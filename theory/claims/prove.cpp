// Branch and bound: boxes by enclosures of values, slopes and bends.
#include "theory/prove.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <queue>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "enclose/definiteness.hpp"
#include "report/progress.hpp"
#include "theory/claims/enclosed.hpp"
#include "theory/numerics/interval.hpp"
#include "theory/proof.hpp"

namespace cotangent::theory {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Of numbers so small that their halves are rounded an end of the box.
Tensor middle_of(const Box& b) {
  const Var middle = 0.5 * Var(b.lower) + 0.5 * Var(b.upper);
  return minimum(maximum(middle, Var(b.lower)), Var(b.upper)).value();
}

void check(const PointwiseClaim& claim, const Box& box, const ProveOptions& o) {
  constexpr Index kMost = 3;
  const Index p = box.lower.size();
  if (box.lower.rank() != 1 || p < 1 || p > kMost)
    throw DomainError(fmt::format("[prove] the box's lower corner is {}; give one to three numbers, [P]",
                                  box.lower.shape().to_string()));
  if (!(box.upper.shape() == box.lower.shape()))
    throw ShapeError(fmt::format("[prove] the lower corner is {}, the upper {}; give them one shape",
                                 box.lower.shape().to_string(), box.upper.shape().to_string()));
  constexpr int kLeastBits = 30;
  if (o.bits < kLeastBits)
    throw DomainError(fmt::format("[prove] bits is {}; give at least {}", o.bits, kLeastBits));
  if (o.boxes < 1) throw DomainError(fmt::format("[prove] boxes is {}; give at least 1", o.boxes));
  if (!(o.smallest >= 0.0 && o.smallest < 1.0))
    throw DomainError(fmt::format("[prove] smallest is {}; give a share of the box, below 1", o.smallest));
  for (const Tensor& t : o.touching)
    if (!(t.shape() == box.lower.shape()))
      throw ShapeError(fmt::format("[prove] a touching point is {}, the box's corners are {}; give one shape",
                                   t.shape().to_string(), box.lower.shape().to_string()));
  const Sides sides = claim.sides(middle_of(box));
  if (sides.relation == Relation::equal)
    throw DomainError("[prove] the claim is an identity, which no box decides; give a claim a <= b");
  if (!sides.inequality().certain())
    throw DomainError("[prove] a side's error is an estimate, which proves nothing; give sides without one");
}

Tensor numbers_of(const std::vector<double>& list) {
  return Tensor::from(list, Shape{static_cast<Index>(list.size())});
}

/// Coordinate k of the corners of a box's first two edges, once round.
Tensor outline(const Box& b, Index k) {
  const double low = b.lower(k), high = b.upper(k);
  return k == 0 ? Tensor{low, high, high, low, low} : Tensor{low, low, high, high, low};
}

/// A box and a lower bound of the margin on it; `steepest`: along which edge it changes most.
struct Bounded {
  Box box;
  double lower = -kInfinity;
  Index steepest = 0;
  bool operator<(const Bounded& other) const { return lower > other.lower; }
};

class Prover {
 public:
  Prover(const PointwiseClaim& claim, const Box& box, const ProveOptions& options)
      : claim_(claim),
        whole_(box),
        options_(options),
        strict_(claim.sides(middle_of(box)).relation == Relation::below),
        margin_(value(), middle_of(box)),
        slope_([f = value()](const Var& w) { return grad(f, w); }, middle_of(box)),
        bend_(recorded_bend(middle_of(box))) {}

  BoxEvidence run() {
    report::Progress progress(options_.boxes, {.label = "prove", .silent = !options_.progress});
    found_.record.box = whole_;
    std::priority_queue<Bounded> open;
    look(whole_, open);
    while (!open.empty() && !found_.counterexample && found_.record.looked_at < options_.boxes) {
      const Bounded next = open.top();
      open.pop();
      const auto halves = halved(next);
      if (!halves) {
        undecided(next.box);
        continue;
      }
      look(halves->first, open);
      if (!found_.counterexample) look(halves->second, open);
      progress.update(std::min(found_.record.looked_at, options_.boxes));
    }
    progress.finish();
    for (; !open.empty(); open.pop()) undecided(open.top().box);
    if (!found_.counterexample) found_.worst = enclosed_at(claim_.sides, worst_point_);
    found_.point = Params({{"w", worst_point_}});
    return std::move(found_);
  }

 private:
  /// rhs - lhs, less what errors of constants may take off it.
  Function<Var(const Var& w)> value() const {
    return [sides = claim_.sides](const Var& w) {
      const Var both = margin_on_record(sides(w));
      return sum(both.size() == 1 ? both : slice(both, 0, 0, 1) - slice(both, 0, 1, 2));
    };
  }

  /// Nothing where the margin has no second derivative at the point of the record, as |x| at 0.
  std::optional<EnclosedFunction> recorded_bend(const Tensor& at) const {
    try {
      return EnclosedFunction([f = value()](const Var& w) { return hessian(f, w); }, at);
    } catch (const DomainError&) {
      return std::nullopt;
    }
  }

  bool enough(double lower) const { return strict_ ? lower > 0.0 : lower >= 0.0; }

  void look(const Box& box, std::priority_queue<Bounded>& open) {
    ++found_.record.looked_at;
    Bounded b{.box = box};
    const Enclosure value = margin_(box, bits());
    b.lower = value.lower().item();
    if (!enough(b.lower)) by_slope(b, value);
    if (enough(b.lower)) {
      ++found_.record.proved;
      return;
    }
    const Tensor middle = middle_of(box);
    const double here = margin_(middle, bits()).upper().item();
    if (here < least_) {
      least_ = here;
      worst_point_ = middle;
      if (negative(here)) refute(middle);
    }
    open.push(std::move(b));
  }

  void refute(const Tensor& w) {
    const Inequality q = enclosed_at(claim_.sides, w);
    if (!q.disproved()) return;
    found_.counterexample = true;
    found_.worst = q;
    worst_point_ = w;
  }

  /// The mean value form; about the corner where the margin is least, along edges on which it is monotone.
  void by_slope(Bounded& b, const Enclosure& value) {
    b.steepest = longest(b.box);
    if (!value.finite() || value.jumps() > 0) return;
    const Enclosure slope = slope_(b.box, bits());
    if (!slope.finite()) return;
    const Tensor middle = middle_of(b.box);
    std::vector<double> at;
    double most = -1.0;
    for (Index i = 0; i < middle.size(); ++i) {
      const auto [low, high] = component(slope, i);
      at.push_back(low >= 0.0 ? b.box.lower(i) : high <= 0.0 ? b.box.upper(i) : middle(i));
      const double change = std::max(std::fabs(low), std::fabs(high)) * (b.box.upper(i) - b.box.lower(i));
      if (change > most) most = change, b.steepest = i;
    }
    const Tensor c = Tensor::from(at, middle.shape());
    double lower = margin_(c, bits()).lower().item();
    for (Index i = 0; i < c.size(); ++i)
      lower = sum_below(lower, (component(slope, i) * edge(b.box, c, i)).lower);
    b.lower = std::max(b.lower, lower);
    if (bend_ && !enough(b.lower) && value.undecided() == 0 && slope.undecided() == 0) by_bend(b);
  }

  /// The second-order form about corners, and about points where the sides are said to touch: a convex margin
  /// lies above its tangents.
  void by_bend(Bounded& b) const {
    const Enclosure bend = (*bend_)(b.box, bits());
    if (!bend.finite() || bend.undecided() > 0) return;
    const bool convex = certainly_positive_definite(bend);
    std::vector<Tensor> points = corners(b.box);
    for (const Tensor& t : options_.touching)
      if (inside(b.box, t)) points.push_back(t);
    for (const Tensor& c : points) {
      const Enclosure slope = slope_(c, at_point());
      double lower = margin_(c, at_point()).lower().item();
      for (Index i = 0; i < c.size(); ++i)
        lower = sum_below(lower, (component(slope, i) * edge(b.box, c, i)).lower);
      if (!convex) lower = sum_below(lower, bent(b.box, c, bend));
      b.lower = std::max(b.lower, lower);
      if (enough(b.lower)) return;
    }
  }

  /// A lower bound of (w - c)' H (w - c) / 2 on the box, its terms by themselves.
  static double bent(const Box& box, const Tensor& c, const Enclosure& bend) {
    double lower = 0.0;
    const Index p = c.size();
    for (Index i = 0; i < p; ++i)
      for (Index j = 0; j < p; ++j) {
        Interval square = edge(box, c, i) * edge(box, c, j);
        if (i == j) square.lower = 0.0;
        lower = sum_below(lower, (Interval{0.5, 0.5} * (component(bend, i * p + j) * square)).lower);
      }
    return lower;
  }

  static Interval component(const Enclosure& e, Index k) { return {e.lower().flat(k), e.upper().flat(k)}; }
  /// w_i - c_i on the box.
  static Interval edge(const Box& box, const Tensor& c, Index i) {
    return Interval{box.lower(i), box.upper(i)} - c(i);
  }
  static bool inside(const Box& box, const Tensor& c) {
    for (Index i = 0; i < c.size(); ++i)
      if (!(box.lower(i) <= c(i) && c(i) <= box.upper(i))) return false;
    return true;
  }
  static std::vector<Tensor> corners(const Box& box) {
    std::vector<Tensor> all;
    const Index p = box.lower.size();
    for (Index corner = 0; corner < Index{1} << p; ++corner) {
      std::vector<double> at;
      for (Index i = 0; i < p; ++i) at.push_back(corner >> i & 1 ? box.upper(i) : box.lower(i));
      all.push_back(Tensor::from(at, Shape{p}));
    }
    return all;
  }

  static Index longest(const Box& box) {
    Index at = 0;
    for (Index i = 1; i < box.lower.size(); ++i)
      if (box.upper(i) - box.lower(i) > box.upper(at) - box.lower(at)) at = i;
    return at;
  }

  /// nullopt where the box is too small.
  std::optional<std::pair<Box, Box>> halved(const Bounded& b) const {
    Index i = b.steepest;
    const auto short_edge = [&](Index k) {
      const double m = middle_of(b.box)(k);
      return !(b.box.upper(k) - b.box.lower(k) > options_.smallest * (whole_.upper(k) - whole_.lower(k))) ||
             !(b.box.lower(k) < m && m < b.box.upper(k));
    };
    if (short_edge(i)) i = longest(b.box);
    for (Index k = 0; short_edge(i) && k < b.box.lower.size(); ++k) i = k;
    if (short_edge(i)) return std::nullopt;
    std::vector<double> upper(b.box.upper.data().begin(), b.box.upper.data().end());
    std::vector<double> lower(b.box.lower.data().begin(), b.box.lower.data().end());
    const auto k = static_cast<std::size_t>(i);
    upper[k] = lower[k] = middle_of(b.box)(i);
    return std::pair(Box{b.box.lower, Tensor::from(upper, b.box.upper.shape())},
                     Box{Tensor::from(lower, b.box.lower.shape()), b.box.upper});
  }

  /// Its corners belong to it: of what is false at an end of the given box they are the only ones to show it.
  void undecided(const Box& box) {
    found_.record.undecided.push_back(box);
    for (const Tensor& c : corners(box))
      if (!found_.counterexample && negative(margin_(c, bits()).upper().item())) refute(c);
  }
  bool negative(double upper) const { return upper < 0.0 || (strict_ && upper == 0.0); }
  /// Where the sides meet, their difference is 0 only if nothing of it is rounded.
  EncloseOptions at_point() const {
    constexpr int kBits = 512;
    return {.bits = std::max(options_.bits, kBits), .most_bits = std::max(options_.bits, kBits)};
  }
  EncloseOptions bits() const { return {.bits = options_.bits, .most_bits = options_.bits}; }

  const PointwiseClaim& claim_;
  const Box& whole_;
  const ProveOptions& options_;
  bool strict_;
  EnclosedFunction margin_, slope_;
  std::optional<EnclosedFunction> bend_;
  BoxEvidence found_;
  double least_ = kInfinity;
  Tensor worst_point_ = middle_of(whole_);
};

}  // namespace

Verdict prove(const PointwiseClaim& claim, const Box& box, const ProveOptions& options) {
  check(claim, box, options);
  return Proof(claim.claim).bisected(Prover(claim, box, options).run());
}

report::Drawn plot_margin(const std::string& path, const PointwiseClaim& claim, const Verdict& verdict) {
  if (!verdict.boxes)
    throw DomainError(fmt::format("[plot_margin] the verdict on \"{}\" is not prove's; give one that is",
                                  verdict.claim.name));
  const BoxRecord& record = *verdict.boxes;
  const bool line = record.box.lower.size() == 1;
  std::vector<report::Series> series;
  if (line) {
    constexpr Index kPoints = 500;
    const Tensor at = Tensor::linspace(record.box.lower(0), record.box.upper(0), kPoints);
    std::vector<double> margins;
    for (Index i = 0; i < kPoints; ++i) {
      const Inequality q = claim.sides(Tensor{at(i)}).inequality();
      margins.push_back(q.rhs.value() - q.lhs.value());
    }
    series.emplace_back("rhs - lhs", at, numbers_of(margins));
    series.emplace_back("0", at, Tensor::zeros({kPoints}), report::SeriesOptions{report::Line::reference});
  } else {
    series.emplace_back("the box", outline(record.box, 0), outline(record.box, 1),
                        report::SeriesOptions{report::Line::reference});
  }
  const auto mark = [&](const char* name, const std::vector<Tensor>& points) {
    std::vector<double> x, y;
    for (const Tensor& p : points) {
      x.push_back(p(0));
      const Inequality q = claim.sides(p).inequality();
      y.push_back(line ? q.rhs.value() - q.lhs.value() : p(1));
    }
    if (!points.empty())
      series.emplace_back(name, numbers_of(x), numbers_of(y), report::SeriesOptions{report::Line::points});
  };
  std::vector<Tensor> middles;
  for (const Box& b : record.undecided) middles.push_back(middle_of(b));
  mark("undecided", middles);
  if (verdict.outcome == Outcome::refuted && verdict.witness)
    mark("counterexample", {verdict.witness->flat()});
  return report::plot(path, series,
                      {.title = fmt::format("{}: {}", claim.claim.name, to_string(verdict.outcome)),
                       .x = line ? "w" : "w_0",
                       .y = line ? "rhs - lhs" : "w_1"});
}

}  // namespace cotangent::theory
