// Measured numbers, each with what may have moved it from the exact one, and the inequalities
// between two of them.
#pragma once
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>

#include "autodiff/params.hpp"

namespace cotangent::theory {

/// (64 + summed) eps sum |terms| + 1e-300: how far rounding may have moved a sum of these terms, each of
/// which was itself made by adding up `summed` numbers whose magnitudes sum to it.
/// Source: optimisation.md, section 0.
double rounding(std::initializer_list<double> terms, Index summed = 0) noexcept;

/// A number that stands for an exact one at most error() away, and where that distance comes from.
///
/// There is no conversion from double: exact(2.0) says that nothing was rounded, rounded(x) that x was
/// computed. Arithmetic carries the errors along and adds its own rounding, bounded term by term; what is
/// exact stays so where the operation loses nothing. A sum of numbers that may cancel is made by inner() or
/// rounded(x, magnitude).
class Measured {
 public:
  /// In rising order: two together are of the later kind. `enclosure` is proven in ball arithmetic; `bound`
  /// is a distance that somebody states, as an eigenvalue solver or an accuracy asked for. The errors of the
  /// last two are estimates, which prove nothing.
  enum class By { exact, enclosure, rounding, bound, integration, sampling };

  /// Nothing was measured: NaN.
  Measured() = default;

  double value() const noexcept { return value_; }
  double error() const noexcept { return error_; }
  By by() const noexcept { return by_; }
  /// Whether error() bounds the distance, instead of estimating it.
  bool certain() const noexcept { return by_ <= By::bound; }

 private:
  Measured(double value, double error, By by) noexcept : value_(value), error_(error), by_(by) {}
  friend Measured make_measured(double value, double error, By by) noexcept;

  double value_ = std::numeric_limits<double>::quiet_NaN();
  double error_ = 0.0;
  By by_ = By::exact;
};
const char* to_string(Measured::By by) noexcept;

/// x itself, as a constant, a setting or a count is.
Measured exact(double x) noexcept;
/// x as computed from terms no larger than itself: off by at most rounding({x}).
Measured rounded(double x) noexcept;
/// x as computed from terms whose magnitudes sum to `magnitude`, after
/// `summed` additions: rounding({magnitude}, summed).
Measured rounded(double x, double magnitude, Index summed = 0) noexcept;
/// x as computed, off by at most `error` as its record says: see rounding_bound. Negative or NaN counts as
/// infinite.
Measured rounded_by(double x, double error) noexcept;
/// x with a bound of its own, as an eigenvalue has. One that is negative or NaN counts as infinite.
Measured within(double x, double error) noexcept;
/// A number known to lie between two bounds, as an Enclosure says. If one of them is not finite, nothing is
/// known but that the number is positive or negative, if both say so: it then counts as that infinity.
Measured enclosed(double lower, double upper) noexcept;
/// A mean of samples, taken for off by at most five of its standard errors.
Measured sampled(double mean, double standard_error) noexcept;
/// x as an integrator gave it, with the tolerance it was asked for.
Measured integrated(double x, double tolerance) noexcept;

Measured operator-(const Measured& a) noexcept;
Measured operator+(const Measured& a, const Measured& b) noexcept;
Measured operator-(const Measured& a, const Measured& b) noexcept;
Measured operator*(const Measured& a, const Measured& b) noexcept;
Measured operator/(const Measured& a, const Measured& b) noexcept;
Measured square(const Measured& a) noexcept;
Measured abs(const Measured& a) noexcept;
Measured sqrt(const Measured& a) noexcept;
Measured exp(const Measured& a) noexcept;
Measured log(const Measured& a) noexcept;
Measured least(const Measured& a, const Measured& b) noexcept;
/// phi(a) for a function that libm computes to a few units in the last place and whose slope is at most
/// `lipschitz` in magnitude near a.
Measured mapped(const Measured& a, double value, double lipschitz) noexcept;

/// sum_i a_i b_i in compensated arithmetic, of numbers that were computed: off by at most
/// rounding({sum |a_i b_i|}, summed).
/// Throws: ShapeError if the lengths differ.
Measured inner(std::span<const double> a, std::span<const double> b, Index summed = 0);
Measured inner(const Params& a, const Params& b, Index summed = 0);
/// |a|^2, and |a - b|^2 with the differences taken without loss. Throws: ShapeError.
Measured squared_norm(const Params& a);
Measured squared_distance(const Params& a, const Params& b);

/// at_most: lhs <= rhs. below: lhs < rhs, and rounding is not forgiven. equal: lhs = rhs, within what may
/// have moved both.
enum class Relation { at_most, below, equal };
const char* to_string(Relation relation) noexcept;

/// One inequality (or identity) between two measured numbers: a <= b, a < b and a == b make one.
struct Inequality {
  Measured lhs = {};
  Relation relation = Relation::at_most;
  Measured rhs = {};
  std::string name = {};
  /// The place looked at, "iterate 17", "sample 3"; may be empty.
  std::string where = {};
  /// rhs - lhs, where it is known better than the two sides: it then decides.
  std::optional<Measured> difference = std::nullopt;

  /// rhs - lhs; of an identity -|rhs - lhs|; NaN between two infinities of one sign, which are no distance
  /// apart.
  double margin() const noexcept;
  /// How far the margin may be off: both sides' errors, or the difference's own.
  double tolerance() const noexcept;
  Measured::By by() const noexcept;
  bool certain() const noexcept {
    return difference ? difference->certain() : lhs.certain() && rhs.certain();
  }
  /// Whether the numbers bear it out, what may have moved them forgiven (unless it is strict). False for NaN
  /// and for a tolerance that is negative or not finite: of such numbers nothing is known.
  bool holds() const noexcept;
  /// Whether it is certainly true, or certainly false, for the exact numbers; neither for NaN, for such a
  /// tolerance, or where an error is an estimate. An infinite side against a finite one is decided.
  bool proved() const noexcept;
  bool disproved() const noexcept;
  /// "1.5 <= 1 at sample 1", with as many digits as it takes to tell the two sides apart.
  std::string to_string() const;
};
Inequality operator<=(const Measured& a, const Measured& b);
Inequality operator<(const Measured& a, const Measured& b);
Inequality operator==(const Measured& a, const Measured& b);

}  // namespace cotangent::theory
