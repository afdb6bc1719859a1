// Surrogates of the 0-1 loss (O27, O28): losses of the margin t = y f(x), and what small ones say of the error.
#pragma once
#include <string>

#include "autodiff/tensor.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// l(t) = log(1 + exp(-t)) and its derivative -1 / (1 + exp(t)), without overflow.
double logistic(double t) noexcept;
double logistic_slope(double t) noexcept;

/// A loss of the margin, with its derivative; all of these are convex and nonincreasing.
///   hinge: max(0, 1 - t), at t = 1 derivative -1;   squared_hinge: max(0, 1 - t)^2;   exponential: exp(-t);
///   logistic: log(1 + exp(-t))
enum class MarginLoss { hinge, squared_hinge, exponential, logistic };
const char* to_string(MarginLoss loss) noexcept;
double value(MarginLoss loss, double t) noexcept;
double slope(MarginLoss loss, double t) noexcept;

/// 1{t < 0} <= factor * l(t) for every t (and then 1{t <= 0} too). Since l is nonincreasing, l(0) decides: certified
/// everywhere if factor * l(0) >= 1; else refuted by the t < 0 given as the witness, where factor * l(t) < 1.
///
/// The sharp factor is 1 / l(0): 1 for hinge and exponential, 1 / log 2 for the logistic loss.
/// Throws: DomainError unless factor is positive and finite.
/// Source: proxy (lecture 000), O27.
Verdict check_surrogate(MarginLoss loss, double factor = 1.0);

/// 1{t < 0} <= factor * (-l'(t)) for every t, decided likewise by -l'(0): the sharp factor is 1 / (-l'(0)), 2 for the
/// logistic loss.
/// Source: proxy (lecture 000), O28.
Verdict check_slope_surrogate(MarginLoss loss, double factor = 1.0);

/// The share of margins t_i <= 0, and its bounds on a sample.
struct SurrogateRisks {
  double error = 0.0;       // (1/n) sum 1{t_i <= 0}
  double risk = 0.0;        // (1/n) sum l(t_i)
  double slope_risk = 0.0;  // G = (1/n) sum -l'(t_i)
  double bound = 0.0;       // G / (-l'(0)): at least the error, by Markov's inequality
};

/// Throws: DomainError if there is no margin or one is NaN. Source: proxy (lecture 000), O28.
SurrogateRisks surrogate_risks(const Tensor& margins, MarginLoss loss = MarginLoss::logistic);

}  // namespace cotangent::theory
