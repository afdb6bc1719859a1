// Ascents: by L-BFGS, and by steps along gradients that take kinks and jumps as they come.
#include <algorithm>
#include <cmath>

#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "optim/second_order.hpp"
#include "theory/claims/search.hpp"

namespace cotangent::theory {
namespace {

/// Of so many failures of a walk the last is tried in a direction around the one that gradients say.
constexpr int kStraight = 4;
/// Gradients that a walk remembers.
constexpr std::size_t kGradients = 24;

double length_of(const Var& w) { return norm(w).item(); }

/// How far a first step from w may go.
double scale_at(const Trials& trials, const Tensor& w) {
  const double away = length_of(Var(w) - Var(trials.centre()));
  return 0.1 * (away > 0.0 ? away : 0.01 * trials.radius());
}

/// The shortest vector among the means of these with any weights, by pairwise Frank-Wolfe steps: on either
/// side of a kink the gradients lead across it, and this one along it.
Var nearest_to_zero(const std::vector<Tensor>& vectors) {
  constexpr int kExchanges = 200;
  const std::size_t n = vectors.size();
  if (n == 1) return vectors.front();
  std::vector<double> gram(n * n), weights(n), slopes(n);  // slopes: Gram times weights
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j)
      gram[i * n + j] = gram[j * n + i] = dot(Var(vectors[i]), Var(vectors[j])).item();
  weights[0] = 1.0;
  for (std::size_t i = 0; i < n; ++i) slopes[i] = gram[i * n];
  for (int k = 0; k < kExchanges; ++k) {
    std::size_t to = 0, from = n;
    for (std::size_t i = 0; i < n; ++i) {
      if (slopes[i] < slopes[to]) to = i;
      if (weights[i] > 0.0 && (from == n || slopes[i] > slopes[from])) from = i;
    }
    const double gain = slopes[from] - slopes[to],
                 bend = gram[to * n + to] - 2.0 * gram[to * n + from] + gram[from * n + from];
    if (!(gain > 1e-12 * gram[0] && bend > 0.0)) break;
    const double moved = std::min(gain / bend, weights[from]);
    weights[to] += moved;
    weights[from] -= moved;
    for (std::size_t i = 0; i < n; ++i) slopes[i] += moved * (gram[i * n + to] - gram[i * n + from]);
  }
  Var sum = weights[0] * Var(vectors[0]);
  for (std::size_t i = 1; i < n; ++i)
    if (weights[i] > 0.0) sum = sum + weights[i] * Var(vectors[i]);
  return sum;
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
  const auto uphill = [&](const Tensor& w) -> std::optional<Tensor> {
    trials.charge(2);
    try {
      Tensor g = grad([&](const Var& v) { return trials.violation(v); }, w);
      if (const double length = length_of(g); length > 0.0 && std::isfinite(length)) return g;
    } catch (const std::exception&) {
      // The sides have no derivatives here.
    }
    return std::nullopt;
  };
  double step = 0.1 * std::max(length_of(Var(at.w) - Var(trials.centre())), 0.01 * trials.radius());
  const double smallest = 1e-13 * std::max(trials.radius(), length_of(at.w));
  std::vector<Tensor> gradients;  // here, and at points beside that were no better
  int failures = 0;
  for (Index k = 0; k < steps && step > smallest && !trials.done(); ++k) {
    if (gradients.empty()) {
      if (const auto g = uphill(at.w)) gradients.push_back(*g);
      if (gradients.empty()) return;
    }
    Var direction = nearest_to_zero(gradients);
    const double length = length_of(direction);
    // Where no direction is uphill for all of them, or none was found so, others around it may be.
    const bool astray =
        !(length > 1e-9 * length_of(gradients.front())) || failures % kStraight == kStraight - 1;
    direction = length > 0.0 ? direction / length : direction;
    if (astray) direction = direction + Var(random_direction(trials.rng(), at.w.shape()));
    const Tensor next = trials.inside(Var(at.w) + step / length_of(direction) * direction).value();
    const std::optional<Seen> seen = trials.look(next);
    if (seen && seen->violation > at.violation) {
      at = *seen;
      gradients.clear();
      failures = 0;
      step *= 1.5;
      continue;
    }
    ++failures;
    step *= 0.7;
    if (const auto g = astray ? std::nullopt : uphill(next)) gradients.push_back(*g);
    if (gradients.size() > kGradients) gradients.erase(gradients.begin() + 1);
  }
}

}  // namespace cotangent::theory
