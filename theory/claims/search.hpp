// The search behind falsify(): what looks at points and remembers, and the ways to find points worth a look.
#pragma once
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"
#include "theory/falsifier.hpp"

namespace cotangent::theory {

/// A claim about `points` points of one size, which lie one after the other in w.
struct SearchedClaim {
  Claim claim;
  Function<Sides(const Var& w)> sides;
  Params centre;
  Index points = 1;
};

/// What an ascent climbs.
///   ratio:      log lhs - log rhs, of sides of either sign: (lhs - rhs)/(|lhs| + |rhs|) rises with it
///   quotient:   -rhs / lhs where lhs > 0, which rises with it: less curved where lhs is far below rhs
///   difference: lhs - rhs
///   bend:       (lhs - rhs)/|x - y|^2, of a pair
///   low_lhs, low_rhs: -lhs, -rhs: descent on what the sides are made of
enum class Climb { ratio, quotient, difference, bend, low_lhs, low_rhs };

/// The coordinates u of an ascent: start + scale u; of two points close to each other, their middle by the
/// scale, and their difference by how far they are apart.
struct Frame {
  Var start;
  double scale = 1.0;
  double apart = 0.0;  // 0: the points move by themselves

  Var at(const Var& u) const;
};

/// A point, and how far it is from the claim's being false there.
struct Seen {
  Tensor w;
  double violation = 0.0;  // lhs - rhs less what may have moved it
  double ratio = 0.0;      // the same over |lhs| + |rhs|
};

/// An ascent: where it ended, where on its way the ratio was best, and whether it could have gone on.
struct Climbed {
  Seen end;
  Seen best;
  bool unfinished = false;
};

/// Looks at points: evaluates, counts, remembers the worst, and tells a counterexample from rounding by
/// enclosing it.
class Trials {
 public:
  Trials(const SearchedClaim& claim, Rng& rng, const FalsifyOptions& options);

  const SearchedClaim& claim() const { return claim_; }
  Rng& rng() { return rng_; }
  double radius() const { return options_.radius; }
  const Tensor& centre() const { return claim_.centre.flat(); }
  /// No further point is wanted: a counterexample is found, or the evaluations are spent.
  bool done() const { return counterexample_ || spent_ >= options_.evaluations; }
  Index left() const { return options_.evaluations - spent_; }
  Index spent() const { return spent_; }

  /// nullopt where a side is no number, or throws.
  std::optional<Seen> look(const Tensor& w);
  /// What is to be climbed, at frame.at(u); every point it is asked for is looked at as well. `unit` is the
  /// size of it that counts as one.
  Var climbed(Climb what, const Frame& frame, double unit, const Var& u);
  /// The point of the best ratio looked at since the last call.
  std::optional<Seen> best_since() { return std::exchange(best_since_, std::nullopt); }
  /// The violation on a tape, for derivatives. Throws what the sides throw.
  Var violation(const Var& w);
  /// w, each of its points moved into the domain.
  Var inside(const Var& w) const;
  /// Work that is no evaluation of the sides alone: a product with a Hessian counts as four.
  void charge(Index evaluations) { spent_ += evaluations; }
  /// From here on the margins of points drawn are no longer counted as tight or not.
  void end_of_draws() { drawing_ = false; }

  Evidence evidence();

 private:
  void no_number() { ++no_number_, drawn_in_vain_ += drawing_; }
  std::optional<Seen> record(const Tensor& w, const Sides& s);
  std::optional<Sides> sides_at(const Var& w);
  void check_signs(const Sides& s, const Inequality& q) const;
  bool certainly_inside(const Tensor& w) const;
  double distance_of(const Tensor& w) const;
  void keep_worst(const Tensor& w, const Inequality& q);
  std::optional<Inequality> enclosure_at(const Tensor& w);
  void refuted_by(const Tensor& w, const Inequality& q);
  void keep_computed(const Tensor& w, const Inequality& q);
  void judge(const Tensor& w, const Inequality& computed);
  void postpone(const Tensor& w, double violation);
  /// Encloses what was left over, and the worst point.
  void settle();

  const SearchedClaim& claim_;
  Rng& rng_;
  const FalsifyOptions& options_;
  std::string seed_;
  Index spent_ = 0, points_ = 0, no_number_ = 0, threw_ = 0, drawn_ = 0, drawn_in_vain_ = 0, tight_ = 0,
        enclosed_ = 0, denied_ = 0, left_over_ = 0;
  double farthest_ = 0.0;
  double rejected_ = 0.0;  // the largest violation that an enclosure denied
  bool drawing_ = true, seen_ = false, counterexample_ = false;
  double worst_excess_ = 0.0;
  Inequality worst_;
  Tensor worst_point_;
  std::vector<std::pair<double, Tensor>> postponed_;   // violations, the largest first
  std::string not_enclosed_;                           // why nothing can be enclosed, if so
  std::optional<Inequality> computed_ = std::nullopt;  // then the worst violation as computed
  double computed_excess_ = 0.0;
  Tensor computed_point_;
  std::optional<Seen> best_since_;
  std::exception_ptr first_error_;
};

// ---- ways to points worth a look (search_draws.cpp, search_ascents.cpp, search_bends.cpp)

Tensor random_direction(Rng& rng, const Shape& shape);

/// A point at a distance from `centre` that is uniform in the logarithm, of every third only few coordinates
/// moved; of a pair independent points, two on a ray, or two close together. `k` counts.
Tensor draw(Trials& trials, const Tensor& centre, Index k);
/// A pair that is one point twice.
Tensor draw_on_diagonal(Trials& trials);
/// Points where units of a net die: all elements of operations with a kink, or a random half of their
/// columns, are below their kinks there.
std::vector<Tensor> points_where_units_die(Trials& trials);

/// Climbs by L-BFGS from a point.
Climbed climb(Trials& trials, Climb what, const Seen& start, Index iterations);
/// Climbs in steps that take kinks and jumps as they come: along the shortest mean of the gradients here and
/// at points tried in vain, which on a ridge leads along it, and by turns along directions around it.
void walk(Trials& trials, Seen at, Index steps);

/// Looks along both directions of the violation's Hessian's top eigenvectors at w, found by Lanczos, over
/// many lengths; the best point met, if any is a number.
std::optional<Seen> look_along_bends(Trials& trials, const Tensor& w);

}  // namespace cotangent::theory
