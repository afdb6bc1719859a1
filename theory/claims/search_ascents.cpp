// Ascents: by L-BFGS, and by steps along gradients that take kinks and jumps as they come.
#include <algorithm>
#include <cmath>

#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "optim/second_order.hpp"
#include "theory/claims/search.hpp"

namespace cotangent::theory {
namespace {

/// Failures of a walk along the gradient itself, before directions around it are tried.
constexpr int kStraight = 4;

double length_of(const Var& w) { return norm(w).item(); }

/// How far a first step from w may go.
double scale_at(const Trials& trials, const Tensor& w) {
  const double away = length_of(Var(w) - Var(trials.centre()));
  return 0.1 * (away > 0.0 ? away : 0.01 * trials.radius());
}

double distance_of_pair(const Tensor& w) {
  const Shape half{w.size() / 2};
  return length_of(view(w, 0, half) - view(w, half.size(), half));
}

/// The size of what is climbed that counts as one, by its sides at the start.
double unit_at(const Sides& s, Climb what, double apart) {
  const double lhs = std::fabs(s.lhs.var.item()), rhs = std::fabs(s.rhs.var.item());
  const bool alike = s.lhs.var.item() * s.rhs.var.item() > 0.0;
  switch (what) {
    case Climb::ratio:
      return alike ? 1e-9 * std::min(lhs, rhs) : 1e-3 * (lhs + rhs);
    case Climb::quotient:
      return rhs / lhs;
    case Climb::difference:
      break;
    case Climb::bend:
      return std::fabs(s.lhs.var.item() - s.rhs.var.item()) / (apart * apart);
    case Climb::low_lhs:
      return lhs;
    case Climb::low_rhs:
      return rhs;
  }
  return lhs + rhs;
}

}  // namespace

Climbed climb(Trials& trials, Climb what, const Seen& start, Index iterations) {
  const bool pair = trials.claim().points == 2;
  const double apart = pair ? distance_of_pair(start.w) : 0.0;
  if (what == Climb::bend && !(apart > 0.0)) return {start, start};
  double unit = 1.0;
  try {
    unit = unit_at(trials.claim().sides(start.w), what, apart);
  } catch (const std::exception&) {
    return {start, start};
  }
  if (!(unit > 1e-290 && std::isfinite(unit))) unit = 1.0;
  const Frame frame{.start = start.w, .scale = scale_at(trials, start.w), .apart = 0.5 * apart};
  const auto objective =
      optim::objective([&](const Var& u) { return -trials.climbed(what, frame, unit, u); });
  trials.best_since();
  const optim::Run run = optim::Lbfgs({.iterations = iterations})
                             .minimize(objective, Tensor::zeros(start.w.shape()), trials.rng());
  const Seen best = trials.best_since().value_or(start);
  if (trials.done()) return {best, best};
  const auto end = trials.look(trials.inside(frame.at(run.w.flat())).value());
  return {end.value_or(start), best, run.stop == optim::StopReason::finished};
}

void walk(Trials& trials, Seen at, Index steps) {
  const auto uphill = [&](const Tensor& w) {
    trials.charge(2);
    return grad([&](const Var& v) { return trials.violation(v); }, w);
  };
  double step = 0.1 * std::max(length_of(Var(at.w) - Var(trials.centre())), 0.01 * trials.radius());
  const double smallest = 1e-13 * std::max(trials.radius(), length_of(at.w));
  std::optional<Tensor> gradient;
  int failures = 0;
  for (Index k = 0; k < steps && step > smallest && !trials.done(); ++k) {
    if (!gradient) {
      try {
        gradient = uphill(at.w);
      } catch (const std::exception&) {
        return;  // the sides have values here, but no derivatives
      }
      const double length = length_of(*gradient);
      if (!(length > 0.0 && std::isfinite(length))) return;
      gradient = (Var(*gradient) / length).value();
    }
    // Where the gradient runs into a kink or off a jump, directions around it may still lead up along the
    // edge.
    Var direction = *gradient;
    if (failures >= kStraight) direction = direction + Var(random_direction(trials.rng(), at.w.shape()));
    const Tensor next = trials.inside(Var(at.w) + step / length_of(direction) * direction).value();
    const std::optional<Seen> seen = trials.look(next);
    if (seen && seen->violation > at.violation) {
      at = *seen;
      gradient.reset();
      failures = 0;
      step *= 1.5;
    } else {
      ++failures;
      step *= failures < kStraight ? 0.5 : 0.8;
    }
  }
}

}  // namespace cotangent::theory
