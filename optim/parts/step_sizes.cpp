// Step sizes that look at the run: Polyak's, line searches, and one that waits for a plateau.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "optim/schedule.hpp"

namespace cotangent::optim {
namespace {

class Polyak final : public StepSize {
 public:
  explicit Polyak(double optimum) : optimum_(optimum) {}
  double next(const At& at, Line&) override {
    // Not by the square of the norm, which may leave the range of doubles.
    const double gap = at.value - optimum_, step = gap / at.gradient_norm / at.gradient_norm;
    if (gap > 0.0 && std::isfinite(step)) last_ = step;
    return last_;
  }
  void visit(State& state) override { state("polyak", last_); }

 private:
  double optimum_, last_ = 1.0;
};

class Backtracking final : public StepSize {
 public:
  explicit Backtracking(const BacktrackingOptions& options) : o_(options) {}

  double next(const At& at, Line& line) override {
    constexpr double kLongest = 1e12;
    // The step of length `first`, for f may be of any scale.
    const double unit = at.gradient_norm > 0.0 ? o_.first / at.gradient_norm : o_.first;
    const double after = std::min(last_ * o_.growth, kLongest * std::max(o_.first, unit));
    double step = 0.0;
    bool promising = false;  // f can tell the step from none
    for (const double begin : {after, o_.first}) {
      if (step > 0.0 || begin == 0.0 || !(line.promised(begin) > rounding(at))) continue;
      promising = true;
      step = shortened(at, line, begin);
    }
    if (step == 0.0) step = shortened(at, line, last_ > 0.0 && !promising ? after : unit);
    if (step > 0.0) last_ = step;
    return step;
  }
  bool searches() const override { return true; }
  void visit(State& state) override { state("backtracking", last_); }

 private:
  /// The first of step, step * factor, ... that lowers f enough; 0 where none of them does.
  double shortened(const At& at, Line& line, double step) const {
    constexpr int kMost = 60;
    for (int k = 0; k < kMost; ++k, step *= o_.factor)
      // Where f cannot tell the two points apart, rounding must not shorten the step for ever.
      if (line.value(step) <= line.value() - o_.decrease * line.promised(step) + rounding(at)) return step;
    return 0.0;
  }

  static double rounding(const At& at) {
    return 4.0 * std::numeric_limits<double>::epsilon() * std::fabs(at.value);
  }
  BacktrackingOptions o_;
  double last_ = 0.0;
};

/// Nocedal's and Wright's search: a bracket, then the cubic through its ends.
class Wolfe final : public StepSize {
 public:
  explicit Wolfe(const WolfeOptions& options) : o_(options) {}

  double next(const At& at, Line& line) override {
    if (!line.straight())
      throw DomainError(
          "[strong_wolfe] this move does not go along a line, so that f has no derivative by the step; "
          "take backtracking()");
    const double start = line.value(), slope = line.slope();
    if (!(slope < 0.0)) return 0.0;
    const double noise = 4.0 * std::numeric_limits<double>::epsilon() * std::fabs(start);
    // The first direction has no scale of its own: begin with a step of length at most `first`.
    const double unit = o_.first / at.gradient_norm;
    double first = at.iteration == 0 ? std::min(o_.first, unit) : o_.first;
    // Where f could not tell such a step from none, it is as long as `first`, or as the one before.
    if (-first * slope <= noise) first = last_ > 0.0 ? std::max(first, last_) : unit;
    const auto too_high = [&](double step, double value) {
      return !(value <= start + o_.decrease * step * slope + noise);
    };
    // Nothing is too far until a trial shows it.
    End low{0.0, start, slope}, high{std::numeric_limits<double>::infinity(), start, slope}, best = low;
    double step = first;
    for (Index k = 0; k < o_.trials; ++k) {
      const Line::Found found = line.look(step);
      const End here{step, found.value, found.slope};
      if (found.value < best.value) best = here;
      if (too_high(step, found.value) || (low.step > 0.0 && found.value >= low.value + noise)) {
        high = here;
      } else {
        if (std::fabs(found.slope) <= -o_.curvature * slope) return last_ = step;
        if (found.slope * (high.step - low.step) > 0.0) high = low;
        low = here;
      }
      step = std::isfinite(high.step) ? between(low, high) : 2.0 * step;
    }
    if (best.step == 0.0) return 0.0;
    line.look(best.step);
    return last_ = best.step;
  }
  bool searches() const override { return true; }
  void visit(State& state) override { state("wolfe", last_); }

 private:
  struct End {
    double step, value, slope;
  };

  /// The minimiser of the cubic through both ends, or the middle where it is none or too near to an end.
  /// Where no step has been short enough yet, it may be very near to the start.
  static double between(const End& a, const End& b) {
    const double middle = 0.5 * (a.step + b.step), width = b.step - a.step;
    if (std::isnan(b.value)) return middle;
    const double d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step);
    // In units of the largest, whose square may be more than a double holds.
    const double unit = std::max({std::fabs(d1), std::fabs(a.slope), std::fabs(b.slope)}), d = d1 / unit;
    const double root = std::copysign(unit * std::sqrt(d * d - (a.slope / unit) * (b.slope / unit)), width);
    const double t = b.step - width * (b.slope + root - d1) / (b.slope - a.slope + 2.0 * root);
    const double share = (t - a.step) / width;
    if (a.step == 0.0 && share < 0.1) return std::max(share, 1e-12) * width;
    return share >= 0.1 && share <= 0.9 ? t : middle;
  }

  WolfeOptions o_;
  double last_ = 0.0;
};

class Plateau final : public StepSize {
 public:
  explicit Plateau(const PlateauOptions& options) : o_(options), step_(options.step) {}

  double next(const At&, Line& line) override {
    if (line.value() < best_ - o_.improvement * std::fabs(best_) || !std::isfinite(best_)) {
      best_ = line.value();
      waited_ = 0;
    } else if (++waited_ >= o_.patience) {
      step_ = std::max(step_ * o_.factor, o_.least);
      waited_ = 0;
    }
    return step_;
  }
  void visit(State& state) override {
    state("step", step_);
    state("best", best_);
    state("waited", waited_);
  }

 private:
  PlateauOptions o_;
  double step_, best_ = std::numeric_limits<double>::infinity();
  Index waited_ = 0;
};

void check(const char* operation, const char* name, double value, double low, double high) {
  if (!(value > low && value < high))
    throw DomainError(
        fmt::format("[{}] {} is {}; give a number between {} and {}", operation, name, value, low, high));
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

Step polyak(double optimum) {
  if (!std::isfinite(optimum))
    throw DomainError(
        fmt::format("[polyak] the optimum is {}; give f's least value or a bound below it", optimum));
  return Step::of(Polyak(optimum));
}

Step backtracking(const BacktrackingOptions& o) {
  check("backtracking", "first", o.first, 0.0, kInfinity);
  check("backtracking", "factor", o.factor, 0.0, 1.0);
  check("backtracking", "decrease", o.decrease, 0.0, 1.0);
  if (!(o.growth >= 1.0 && std::isfinite(o.growth)))
    throw DomainError(fmt::format("[backtracking] growth is {}; give a finite number, 1 or above", o.growth));
  return Step::of(Backtracking(o));
}

Step strong_wolfe(const WolfeOptions& o) {
  check("strong_wolfe", "first", o.first, 0.0, kInfinity);
  check("strong_wolfe", "decrease", o.decrease, 0.0, 1.0);
  check("strong_wolfe", "curvature", o.curvature, o.decrease, 1.0);
  if (o.trials < 1) throw DomainError(fmt::format("[strong_wolfe] trials is {}; give 1 or more", o.trials));
  return Step::of(Wolfe(o));
}

Step plateau(const PlateauOptions& o) {
  check("plateau", "step", o.step, 0.0, kInfinity);
  check("plateau", "factor", o.factor, 0.0, 1.0);
  check("plateau", "least", o.least, 0.0, kInfinity);
  if (o.least > o.step)
    throw DomainError(
        fmt::format("[plateau] least is {}, above the step {}; give a smaller one", o.least, o.step));
  if (o.patience < 1 || !(o.improvement >= 0.0 && std::isfinite(o.improvement)))
    throw DomainError(fmt::format("[plateau] patience is {}, improvement {}; give 1 or more, 0 or more",
                                  o.patience, o.improvement));
  return Step::of(Plateau(o));
}

}  // namespace cotangent::optim
