// Step: the step size, as a function of the iteration or of what the run sees.
#pragma once
#include <memory>
#include <type_traits>
#include <utility>

#include "autodiff/function.hpp"
#include "autodiff/shape.hpp"
#include "optim/contract.hpp"

namespace cotangent::optim {

/// The step size of iteration k, where k counts the iterations of a run from 0 across epochs. A plain number
/// is a constant step. A step of 0, where a schedule has come to its end, leaves the point where it is.
///
/// Throws: DomainError for constant steps that are not positive and finite.
class Step {
 public:
  Step(double constant);  // NOLINT(google-explicit-constructor)
  Step(const Step& other);
  Step(Step&& other) noexcept;
  Step& operator=(const Step& other);
  Step& operator=(Step&& other) noexcept;
  ~Step();
  /// Any rule. Throws: DomainError when it gives a step that is not positive and finite, at that iteration.
  static Step rule(Function<double(Index k)> rule);
  /// Any step size that looks at the run or keeps a state; each run begins with a copy of `fresh`.
  template <class Size>
  static Step of(Size fresh) {
    static_assert(std::is_base_of_v<StepSize, Size>);
    return Step(
        [fresh = std::move(fresh)]() -> std::unique_ptr<StepSize> { return std::make_unique<Size>(fresh); });
  }

  /// Whether k alone decides.
  bool scheduled() const noexcept { return !make_; }
  /// Throws: DomainError if k alone does not decide.
  double operator()(Index k) const;
  /// For one run; null if k alone decides.
  std::unique_ptr<StepSize> begin() const { return make_ ? make_() : nullptr; }

 private:
  friend Step decaying(double step, double rate);
  friend Step inverse_sqrt(double step);
  friend Step linear(double from, double to, Index iterations);
  friend Step cosine(double from, double to, Index iterations);
  friend Step step_decay(double step, double factor, Index every);
  friend Step warmup(Index k, Step then);
  enum class Kind { constant, decaying, inverse_sqrt, schedule, rule };
  /// A rule of the library's own, which may come to 0.
  static Step schedule(Function<double(Index k)> rule);
  Step(Kind kind, double step, double rate, const char* operation);
  explicit Step(Function<std::unique_ptr<StepSize>()> make) : step_(1.0), make_(std::move(make)) {}

  Kind kind_ = Kind::constant;
  double step_;
  double rate_ = 0.0;
  Function<double(Index)> rule_;
  Function<std::unique_ptr<StepSize>()> make_;
};

/// step / (1 + rate * k), k = 0, 1, ... Throws: DomainError unless step > 0 and rate >= 0, both finite.
Step decaying(double step, double rate);
/// step / sqrt(k + 1), k = 0, 1, ... Throws: DomainError unless step > 0 and finite.
Step inverse_sqrt(double step);

/// 2 / (k + 2), Frank's and Wolfe's.
Step frank_wolfe_step();

/// From `from` in a straight line to `to` at iteration `iterations` - 1, and `to` from there on.
/// `to` may be 0. Throws: DomainError unless both are finite, from > 0, to >= 0 and iterations >= 1.
Step linear(double from, double to, Index iterations);
/// From `from` along half a cosine to `to` at iteration `iterations`, and `to` from there on:
/// to + (from - to) (1 + cos(pi k / iterations)) / 2. `to` may be 0. Throws: as linear.
Step cosine(double from, double to, Index iterations);
/// step * factor^floor(k / every), which in the end is too small for a double and 0.
/// Throws: DomainError unless step is positive and finite, 0 < factor <= 1 and every >= 1.
Step step_decay(double step, double factor, Index every);
/// The first k iterations grow in a straight line: iteration i < k takes (i + 1) / k times then(0). Later
/// ones take then(i - k): the clock of `then` begins where the warm-up ends, so that N iterations are
/// warmup(k, cosine(s, 0, N - k)). A `then` that looks at the run has no clock: it is asked in every
/// iteration, and what it gives in the first k is multiplied by (i + 1) / k.
/// Throws: DomainError unless k >= 1.
Step warmup(Index k, Step then);

/// s_k = (2 k + 1) / (2 mu (k + 1)^2), under which SGD converges like 1/k where f is PL with 2 mu (f - f*) <=
/// |grad f|^2. Source: ece826; optimisation.md O20, A4.
Step diminishing(double mu);
/// s*(B) = mu B / (L (Lt + mu (B - 1))), the best constant step of SGD with B samples drawn with replacement
/// where all components vanish at one point; L is f's smoothness, Lt the largest of a component.
/// Source: Bassily, Belkin, Ma 2018; optimisation.md O23.
double interpolation_step(double mu, double smoothness, double component_smoothness, Index batch);

/// (f(w) - optimum) / |g|^2, Polyak's step, from what the iteration has estimated; where f(w) <= optimum or g
/// = 0 the step before (at first 1). Source: Polyak 1969.
Step polyak(double optimum);

struct BacktrackingOptions {
  /// The first step tried at iteration 0; later ones begin at `growth` times the last taken, at most at
  /// 1e12 times the first. Where f cannot tell such a step from none, or it does not lead down however it is
  /// shortened, it is the length of the step: f may be of any scale.
  double first = 1.0;
  double growth = 2.0;
  double factor = 0.5;     // each failure's
  double decrease = 1e-4;  // Armijo's: f(w+) <= f(w) + decrease * step * slope, the slope being negative
};
/// Armijo's backtracking on the iteration's own samples, up to their rounding. Where the move does not go
/// along a line, proximal, projected or on the sphere, the decrease is measured by |w+ - w|^2 / step. A step
/// that leads to a value that is not finite is shortened; where 60 shortenings do not help, of any step to
/// begin with, the run ends as stalled.
/// Throws: DomainError on options outside their ranges; when a run begins that decays weights.
Step backtracking(const BacktrackingOptions& options = {});

struct WolfeOptions {
  /// The first step tried in each iteration; the first of a run is at most this long. Where f cannot tell it
  /// from none, it is as long in the first iteration, and later begins at the last one taken.
  double first = 1.0;
  double decrease = 1e-4;
  double curvature = 0.9;
  Index trials = 25;
};
/// The strong Wolfe conditions, f(w+) <= f(w) + decrease * step * slope and |slope+| <= curvature * |slope|,
/// by bracketing and cubic interpolation. Where `trials` are not enough the best point of them is taken;
/// where none is better than w, the run ends as stalled.
/// Throws: DomainError on options outside their ranges; when a run begins that decays weights; at the first
/// step of a move that does not go along a line.
/// Source: Nocedal, Wright 2006, algorithms 3.5 and 3.6.
Step strong_wolfe(const WolfeOptions& options = {});

struct PlateauOptions {
  double step = 0.1;
  double factor = 0.5;
  Index patience = 10;
  double least = 1e-12;       // the smallest step
  double improvement = 1e-4;  // relative; less of it does not count
};
/// Multiplies the step by `factor` when the value has not improved for `patience` iterations.
Step plateau(const PlateauOptions& options = {});

}  // namespace cotangent::optim
