// Losses of the margin t = y f(x): the formulas, once, for the losses of outputs and labels and for theory
// about them.
#pragma once
#include <array>

#include "autodiff/tape.hpp"

namespace cotangent::nn {

/// All of these are convex and nonincreasing.
enum class MarginLoss { hinge, squared_hinge, exponential, logistic };
inline constexpr std::array kMarginLosses = {MarginLoss::hinge, MarginLoss::squared_hinge,
                                             MarginLoss::exponential, MarginLoss::logistic};

/// What is known of a loss l(t), a row of the table of them. A bound that there is none of is infinite.
struct MarginLossFacts {
  const char* name;     // "squared hinge"
  const char* formula;  // "max(0, 1 - t)^2"
  double (*value)(double t) noexcept;
  double (*slope)(double t) noexcept;  // l'(t); at the hinges' t = 1 the one from the left
  Var (*elementwise)(const Var& t);    // l of every element, made of public operations
  double at_zero, slope_at_zero;       // l(0) and l'(0) as floating-point numbers
  double at_zero_error;                // |at_zero - l(0)|, rounded up: 0 but for log 2
  double steepest;                     // sup |l'|, the Lipschitz constant
  double curvature;                    // sup l'', the smoothness; infinite at a kink
};

/// The row of a loss.
///
///   hinge          max(0, 1 - t)
///   squared_hinge  max(0, 1 - t)^2
///   exponential    exp(-t)
///   logistic       log(1 + exp(-t)), which is log_loss
/// Source: proxy (lecture 000), O27.
const MarginLossFacts& facts(MarginLoss loss) noexcept;
const char* to_string(MarginLoss loss) noexcept;
double value(MarginLoss loss, double t) noexcept;
double slope(MarginLoss loss, double t) noexcept;

/// log(1 + exp(-t)) and its derivative -1 / (1 + exp(t)), without overflow.
double log_loss(double t) noexcept;
double log_loss_slope(double t) noexcept;

}  // namespace cotangent::nn
