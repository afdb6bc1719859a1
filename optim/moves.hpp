// Moves: how a direction leads to the next point, where the problem has a penalty, a set or a curved space.
#pragma once
#include <optional>

#include "optim/contract.hpp"

namespace cotangent::optim {

/// w - step * direction.
Choice<Move> plain_move();

/// A convex h with its proximal operator, argmin_u h(u) + |u - x|^2 / (2 step): a penalty, or a set, whose
/// operator is the projection and which adds nothing to values.
struct Regulariser {
  const char* name;
  /// h(w); of a set 0.
  Function<double(const Tensor& w)> value;
  /// The proximal operator at x.
  Function<Tensor(const Tensor& x, double step)> prox;
  /// A set's distance from w, |w - projection|; null: a penalty, at which every point is allowed.
  Function<double(const Tensor& w)> distance = {};
};
/// weight * |w|_1: soft thresholding. Throws, as the others: DomainError unless their numbers are finite and
/// positive (a weight may be 0).
Regulariser l1(double weight);
/// weight / 2 * |w|_2^2.
Regulariser squared_l2(double weight);
/// l1 * |w|_1 + squared / 2 * |w|_2^2.
Regulariser elastic_net(double l1, double squared);
/// low <= w_j <= high.
Regulariser box(double low, double high);
/// w_j >= 0.
Regulariser nonnegative();
/// w_j >= 0, sum_j w_j = total. Cost of its projection: O(P log P). Source: Held, Wolfe, Crowder 1974.
Regulariser simplex(double total = 1.0);
/// |w|_1 <= radius. Source: Duchi et al. 2008.
Regulariser l1_ball(double radius);
/// |w|_2 <= radius.
Regulariser l2_ball(double radius);

struct ProximalOptions {
  /// Nesterov's momentum between proximal steps (FISTA): gradients are taken at extrapolated points.
  bool accelerated = false;
  /// With it, (1 - q) / (1 + q) with q = sqrt(mu * step) in place of the growing (t - 1) / t+: for f with
  /// this strong convexity. 0 is as if it were unset.
  std::optional<double> mu = std::nullopt;
};
/// w+ = prox(w - step * direction). Values are those of f + h; the residual is the gradient mapping's norm,
/// |w - prox(w - step g)| / step. The result is a point that prox gave. Throws: DomainError if the run starts
/// outside the set, with its distance.
///
/// It minimises f + h with the gradient itself for a direction. A rule that scales it, momentum or adam, ends
/// where the scaled gradient and h are in balance, which in general is another point.
/// Source: Beck, Teboulle 2009; Nesterov 2013.
Choice<Move> proximal(Regulariser h, const ProximalOptions& options = {});
/// Nesterov's accelerated gradient without a penalty: x+ = y - step * g(y), y+ = x+ + m (x+ - x), with m = (t
/// - 1) / t+, t+ = (1 + sqrt(1 + 4 t^2)) / 2, or the constant one where mu is known. The run moves in y, its
/// result is x.
/// Source: Nesterov 1983, 2004; optimisation.md A12.
Choice<Move> accelerated(std::optional<double> mu = std::nullopt);

/// A compact convex set by its linear minimiser, argmin_s <g, s>.
struct LinearMinimiser {
  const char* name;
  Function<Tensor(const Tensor& g)> minimise;
  Function<double(const Tensor& w)> distance;
};
LinearMinimiser over_box(double low, double high);
LinearMinimiser over_simplex(double total = 1.0);
LinearMinimiser over_l1_ball(double radius);
LinearMinimiser over_l2_ball(double radius);

/// Frank and Wolfe's: w+ = w + step (s - w) with s = argmin over the set of <direction, s>. A step above 1
/// would lead out of the set: where a search or a schedule comes to one, it is taken as 1. The residual is
/// the gap <grad f, w - s>, which for convex f is at least f(w) - min f: a certificate.
/// Throws: DomainError when a run begins if the step is above 1 from the start.
/// Source: Frank, Wolfe 1956; Jaggi 2013; optimisation.md A13.
Choice<Move> frank_wolfe(LinearMinimiser set);

/// On the unit sphere: the direction's part along w is taken away, and the exponential map followed, w+ =
/// cos(step |d|) w - sin(step |d|) d / |d|. The residual is |d| of the gradient. Throws: DomainError unless
/// the start has length 1 to 1e-8, with its distance.
/// Source: Absil, Mahony, Sepulchre 2008; additions.md 2.5.
Choice<Move> on_unit_sphere();

/// The numbers of perturbed gradient descent.
struct Perturbation {
  double step;      // eta
  double radius;    // r: of the ball that perturbations are drawn from
  double gradient;  // g_th: |g| at most this asks for one
  double decrease;  // f_th: less of it within `pause` steps ends the run
  Index pause;      // t_th, whole: steps between two perturbations
};
struct PerturbationProblem {
  double smoothness = 0.0;         // l
  double hessian_lipschitz = 0.0;  // rho
  double accuracy = 0.0;           // eps, at most l^2 / rho
  double gap = 0.0;                // f(w_0) - f*, at least
  Index dimension = 0;             // P
  double confidence = 0.1;         // delta, in (0, 1)
  double constant = 1.0;           // c, in (0, 1]
};
/// chi = 3 max(log(P l gap / (c eps^2 delta)), 4), eta = c / l, r = sqrt(c) eps / (chi^2 l), g_th = sqrt(c)
/// eps / chi^2, f_th = c / chi^3 sqrt(eps^3 / rho), t_th = ceil(chi l / (c^2 sqrt(rho eps))).
/// Throws: DomainError that names the number which is not positive and finite or out of its range, or the
/// result that no double or count holds. Source: Jin et al. 2017; optimisation.md A9.
Perturbation perturbation_theory(const PerturbationProblem& problem);
/// Gradient descent that leaves strict saddles: where |g| <= g_th, and more than t_th steps after the last
/// time, w <- w + xi with xi uniform in the ball; where t_th steps later f has not fallen by f_th, the run
/// ends with the point from before. A perturbation is an iteration of its own, without a step.
/// Throws: DomainError that names the number which is not positive and finite.
/// Source: Jin et al. 2017; optimisation.md A9.
Choice<Move> perturbed(const Perturbation& numbers);

}  // namespace cotangent::optim
