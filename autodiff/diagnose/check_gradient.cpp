// check_gradient: comparisons and their table.
//
// How a row is judged. A row has a number-valued function phi and a direction v: at order 1 phi(z) = <f(z),
// c>, at order 2 its derivative <grad <f, c>(z), u>. It compares the engine's a = <grad phi(x), v> with the
// central difference d = (phi(x + h v) - phi(x - h v)) / 2h. Their error is relative to the largest of |a|,
// |d| and |phi(x)| / 1000. Up to the tolerance the row has passed. Otherwise it is asked whether anything but
// a wrong rule explains the error, and first whether an element of an operation with a kink is on another
// side at x - h v or x + h v than at x (a flip).
//
// 1. No flips: between these points phi is smooth as far as the record knows. The row still passes
//    a) if the step was too long: a step of h / 10, h / 100, ... agrees, while its rounding is below the
//       tolerance; or
//    b) if x is a flat point: phi(x) and a are exactly 0, and d falls at least 50-fold with each such step,
//       as h^2 would.
//    Otherwise it has failed.
// 2. Flips: a kink is near, or x lies on one. There d mixes two pieces of phi, and a is the derivative that a
//    rule's convention chooses. Each side of x is then measured by itself, on a stretch along v on which
//    nothing flips. If a short enough stretch begins at x itself, the side is matched. If none does, x lies
//    on the kink: the stretch from t / 2 to t is a piece behind it, whose continuation to x may have another
//    value than phi (a jump). At order 2 only a matched side says anything about x, since a derivative does
//    jump at a kink.
//    a) If no side says anything, the rules must at least be right in the middle of both pieces.
//    b) Otherwise a must lie between the one-sided derivatives, up to the tolerance and their rounding.
//    c) At several kinks at once each element takes its own side, and a need not lie between them; at order 1
//       it is then enough that the rules are right in the middle of both pieces.
//    If so the row has met a kink, which is no fault. Otherwise, or if a is not finite, it has failed.
#include "autodiff/check_gradient.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "autodiff/diagnose/kink_record.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace cotangent {
namespace {

constexpr double kRounding = 32.0 * std::numeric_limits<double>::epsilon();

double largest(const Tensor& x) {
  double top = 0.0;
  for (const double v : x.data()) top = std::max(top, std::fabs(v));
  return top;
}

/// One side of x along v, in units of a step h.
struct Side {
  bool matched = false;     // just beside x all elements are on the sides they are on at x
  double derivative = 0.0;  // of phi along v, from this side
  double rounding = 0.0;    // of that number
  double middle = 0.0;      // 3 t / 4, in the middle of the stretch from t / 2 to t of its piece
  double slope = 0.0;       // of phi along v there, by a difference
  bool jump = false;        // the piece, continued to x, has another value there than phi
};

/// phi around x along v, with the kinks it meets.
class Line {
 public:
  Line(VarFunction phi, const Tensor& x, const Tensor& v) : phi_(phi), x_(x), v_(v), here_(at(0.0)) {}

  Index flips(double t) const { return detail::count_flips(here_, at(t)); }

  /// Whether x is exactly at several kinks: each element takes a side of its own there, and their sum need
  /// not be that of any side.
  bool at_several_kinks() const {
    Index count = 0;
    for (const detail::KinkedNode& node : here_.nodes)
      for (const double d : node.each.data()) count += d == 0.0;
    return count > 1;
  }
  /// Whether the rules are right beside x, on the piece of that side.
  bool right_beside(const Side& s, double slack) const {
    const Tensor g = grad(phi_, detail::moved_along(x_, s.middle, v_));
    return std::fabs(dot(g, v_).item() - s.slope) <= slack;
  }

  /// The side that the sign of h points to. The derivative is taken on a piece on which no side changes: from
  /// x on, or, if x lies at the kink, on the piece behind it, which need not have the value of phi at x: then
  /// phi jumps, and the derivative is that of the piece.
  Side side(double h) const {
    constexpr int kSteps = 10;
    Side s;
    double t = h;
    for (int k = 0; k < kSteps && !s.matched; ++k, t *= 0.25) s.matched = flips(t) == 0;
    t = s.matched ? 4.0 * t : h;
    if (!s.matched)
      for (int k = 0; k < kSteps && detail::count_flips(at(t), at(0.5 * t)) != 0; ++k) t *= 0.25;
    const double f0 = value(0.0), half = value(0.5 * t), full = value(t);
    s.derivative = (4.0 * half - full - 3.0 * f0) / t;
    s.middle = 0.75 * t;
    s.slope = 2.0 * (full - half) / t;
    const double size = std::max({std::fabs(f0), std::fabs(half), std::fabs(full)});
    s.rounding = kRounding * size / std::fabs(t);
    if (s.matched) return s;
    // A parabola through three points of the piece.
    const double between = value(s.middle);
    const double gap = std::fabs(6.0 * half - 8.0 * between + 3.0 * full - f0);
    s.jump = gap > std::max(1e-12 * size, 1e-6 * std::fabs(full - half));
    if (s.jump) s.derivative = (24.0 * between - 14.0 * half - 10.0 * full) / t;
    return s;
  }

 private:
  detail::KinkRecord at(double t) const { return detail::record_kinks(phi_, detail::moved_along(x_, t, v_)); }
  double value(double t) const { return phi_(Var(detail::moved_along(x_, t, v_))).item(); }

  VarFunction phi_;
  const Tensor& x_;
  const Tensor& v_;
  detail::KinkRecord here_;
};

/// What an error of derivatives is relative to, where phi has this value.
double scale_of(std::initializer_list<double> derivatives, double value) {
  constexpr double kNoDigits = 1e-290;  // there differences have none
  double scale = std::fmax(1e-3 * std::fabs(value), kNoDigits);
  for (const double d : derivatives) scale = std::fmax(scale, std::fabs(d));
  return scale;
}

/// A row's numbers where the difference takes the step h.
struct Difference {
  double numeric, error, rounding;
};
Difference difference(VarFunction phi, const Tensor& x, const Tensor& v, double h, double value,
                      double analytic) {
  const double plus = phi(Var(detail::moved_along(x, h, v))).item();
  const double minus = phi(Var(detail::moved_along(x, -h, v))).item();
  const double numeric = (plus - minus) / (2.0 * h);
  const double scale = scale_of({analytic, numeric}, value);
  const double error = std::fabs(analytic - numeric) / scale;
  return {numeric, error <= 1e300 ? error : HUGE_VAL,  // NaN and inf must not pass a comparison
          kRounding * std::max(std::fabs(plus), std::fabs(minus)) / (h * scale) +
              4.0 * std::numeric_limits<double>::epsilon() * largest(x) / h};
}

constexpr int kShorterSteps = 8;

/// Near a point where phi is not smooth, like 0 of a norm, a step is too long long before it reaches that
/// point: then shorter ones agree, for as long as they keep the digits that are compared.
bool agrees_with_shorter_steps(GradientCheckRow& row, VarFunction phi, const Tensor& x, const Tensor& v,
                               double h, double value, double tolerance) {
  for (int k = 0; k < kShorterSteps; ++k) {
    h *= 0.1;
    const Difference shorter = difference(phi, x, v, h, value, row.analytic);
    if (!(shorter.rounding <= tolerance)) return false;
    if (shorter.error > tolerance) continue;
    row.numeric = shorter.numeric;
    row.error = shorter.error;
    return true;
  }
  return false;
}

/// Where value and derivative are both 0, as of x^3 at 0, an error is relative to nothing: there the
/// differences must fall with every shorter step as those of a flat point do, by h^2 or faster.
bool is_flat(const GradientCheckRow& row, VarFunction phi, const Tensor& x, const Tensor& v, double h,
             double value) {
  if (value != 0.0 || row.analytic != 0.0) return false;
  double before = row.numeric;
  for (int k = 0; k < kShorterSteps; ++k) {
    h *= 0.1;
    const double numeric = difference(phi, x, v, h, value, row.analytic).numeric;
    if (!(std::fabs(numeric) <= std::fabs(before) / 50.0)) return false;
    before = numeric;
  }
  return true;
}

/// Whether a kink, or a step that is too long, explains that a row's two numbers differ.
void judge(GradientCheckRow& row, VarFunction phi, const Tensor& x, const Tensor& v, double h, double value,
           double tolerance) {
  row.outcome = GradientOutcome::failed;
  const Line line(phi, x, v);
  const Index before = line.flips(-h), after = line.flips(h);
  row.flips = before < 0 || after < 0 ? -1 : before + after;
  if (row.flips == 0) {
    const bool flat = is_flat(row, phi, x, v, h, value);
    if (flat) row.error = 0.0;
    if (flat || agrees_with_shorter_steps(row, phi, x, v, h, value, tolerance))
      row.outcome = GradientOutcome::passed;
    return;
  }
  const Side left = line.side(-h), right = line.side(h);
  row.jump = left.jump || right.jump;
  // At order 2 phi is a derivative, which jumps at a kink: beyond one it says nothing of this side.
  const bool use_left = row.order == 1 || left.matched, use_right = row.order == 1 || right.matched;
  row.left = use_left ? left.derivative : std::nan("");
  row.right = use_right ? right.derivative : std::nan("");
  if (!std::isfinite(row.analytic)) return;
  if (!use_left && !use_right) {
    // Nothing to compare with at x; the rules must at least be right on both sides of it.
    const auto right_on = [&](const Side& s) {
      return line.right_beside(s, tolerance * scale_of({s.slope}, value) + s.rounding);
    };
    if (right_on(left) && right_on(right)) row.outcome = GradientOutcome::kink;
    return;
  }
  const double low = std::fmin(row.left, row.right), high = std::fmax(row.left, row.right);
  const double scale = scale_of({row.analytic, low, high}, value);
  const double slack = tolerance * scale + std::max(left.rounding, right.rounding);
  if (row.analytic >= low - slack && row.analytic <= high + slack) row.outcome = GradientOutcome::kink;
  if (row.order == 1 && line.at_several_kinks() && line.right_beside(left, slack) &&
      line.right_beside(right, slack))
    row.outcome = GradientOutcome::kink;
}

/// Compares <grad phi(x), v> with the central difference of phi along v.
GradientCheckRow compare(VarFunction phi, const Tensor& x, const Tensor& v, int order, Index direction,
                         const GradientCheckOptions& options) {
  const double h = options.step * std::max(1.0, largest(x));
  const auto [value, g] = value_and_grad(phi, x);
  const double analytic = dot(g, v).item();
  const Difference d = difference(phi, x, v, h, value, analytic);
  GradientCheckRow row{order, direction, analytic, d.numeric, d.error};
  if (!(d.error <= options.tolerance)) judge(row, phi, x, v, h, value, options.tolerance);
  return row;
}

}  // namespace

const char* to_string(GradientOutcome outcome) noexcept {
  return outcome == GradientOutcome::passed ? "passed" : outcome == GradientOutcome::kink ? "kink" : "FAILED";
}

GradientCheck check_gradient(VarFunction f, const Tensor& x, const GradientCheckOptions& options) {
  if (options.order < 1 || options.order > 2)
    throw DomainError(fmt::format("[check_gradient] order {}; ask for 1 or 2", options.order));
  if (options.directions < 1 || !(options.step > 0.0) || !(options.tolerance > 0.0))
    throw DomainError("[check_gradient] directions, step and tolerance must be positive");
  Rng rng(options.seed);
  GradientCheck check;
  const Shape out = f(Var(x)).shape();
  for (int order = 1; order <= options.order; ++order) {
    for (Index k = 0; k < options.directions; ++k) {
      const Tensor c = rng.normal(out);
      const Tensor u = rng.normal(x.shape());
      const Tensor v = rng.normal(x.shape());
      const auto phi = [&](const Var& z) { return dot(f(z), c); };
      const auto directional = [&](const Var& z) { return dot(grad(phi, z), u); };
      check.rows.push_back(order == 1 ? compare(phi, x, v, order, k, options)
                                      : compare(directional, x, v, order, k, options));
      const GradientCheckRow& row = check.rows.back();
      check.worst_error = std::max(check.worst_error, row.error);
      check.passed = check.passed && row.outcome == GradientOutcome::passed;
      check.outcome = std::max(check.outcome, row.outcome);
    }
  }
  return check;
}

GradientCheck check_gradient(VarFunction f, const Params& w, const GradientCheckOptions& options) {
  return check_gradient(f, w.flat(), options);
}

std::string GradientCheck::to_string() const {
  std::string text = fmt::format(
      "gradient check {}: worst relative error {:.3g}\n",
      outcome == GradientOutcome::kink ? "met a kink" : cotangent::to_string(outcome), worst_error);
  for (const GradientCheckRow& row : rows) {
    text += fmt::format("  order {} direction {}: engine {:.12g}, differences {:.12g}, relative error {:.3g}",
                        row.order, row.direction, row.analytic, row.numeric, row.error);
    if (row.flips != 0)
      text += fmt::format(", {}: {}, from the left {:.12g}, from the right {:.12g}",
                          cotangent::to_string(row.outcome),
                          row.flips < 0 ? std::string("other operations recorded")
                                        : fmt::format("kinks crossed: {}", row.flips),
                          row.left, row.right);
    if (row.jump) text += ", a jump";
    text += row.error == worst_error ? "  <- worst\n" : "\n";
  }
  return text;
}

}  // namespace cotangent
