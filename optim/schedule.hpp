// Step: the step size as a function of the iteration.
#pragma once
#include "autodiff/function.hpp"
#include "autodiff/shape.hpp"

namespace cotangent::optim {

/// The step size of iteration k, where k counts the iterations of a run from 0 across epochs. A plain number
/// is a constant step.
///
/// Throws: DomainError for steps that are not positive and finite.
class Step {
 public:
  Step(double constant);  // NOLINT(google-explicit-constructor)
  /// Any rule. Throws: DomainError when it gives a step that is not positive and finite, at that iteration.
  static Step rule(Function<double(Index k)> rule);

  double operator()(Index k) const;

 private:
  friend Step decaying(double step, double rate);
  friend Step inverse_sqrt(double step);
  enum class Kind { constant, decaying, inverse_sqrt, rule };
  Step(Kind kind, double step, double rate, const char* operation);

  Kind kind_ = Kind::constant;
  double step_;
  double rate_ = 0.0;
  Function<double(Index)> rule_;
};

/// step / (1 + rate * k), k = 0, 1, ... Throws: DomainError unless step > 0 and rate >= 0, both finite.
Step decaying(double step, double rate);
/// step / sqrt(k + 1), k = 0, 1, ... Throws: DomainError unless step > 0 and finite.
Step inverse_sqrt(double step);

}  // namespace cotangent::optim
