// Optimizers that learn or compute curvature, and accelerated ones, all on the whole sum.
#pragma once
#include "optim/optimizer.hpp"
#include "optim/rules.hpp"
#include "optim/run_options.hpp"

namespace cotangent::optim {

struct LbfgsOptions {
  Step step = strong_wolfe();
  Index iterations = 100;
  Index pairs = 10;
  COTANGENT_RUN_OPTIONS;
};
/// w <- w - step H g, where H is made of the last `pairs` differences of points and gradients, and the step
/// meets the strong Wolfe conditions. Cost: n component gradients a trial, mostly one an iteration. State: (2
/// pairs + 2) P.
/// Source: Nocedal 1980; Liu, Nocedal 1989.
class Lbfgs : public Optimizer {
 public:
  explicit Lbfgs(const LbfgsOptions& options = {});
};

struct NewtonOptions {
  Step step = 1.0;
  Index iterations = 50;
  /// Up to so many parameters the Hessian is formed; above it, conjugate gradients on its products.
  Index dense = 2000;
  double radius = 1e3;
  COTANGENT_RUN_OPTIONS;
};
/// Newton's method within a trust region; where no step within it lowers f, the run ends as stalled. Cost:
/// see the rule `newton`. Source: Nocedal, Wright 2006, chapter 4.
class Newton : public Optimizer {
 public:
  explicit Newton(const NewtonOptions& options = {});
};

struct GaussNewtonOptions {
  Step step = 1.0;
  Index iterations = 50;
  /// 0: Gauss's and Newton's; above it Levenberg's and Marquardt's first lambda.
  double damping = 0.0;
  COTANGENT_RUN_OPTIONS;
};
/// w <- w - (J^T J + lambda I)^-1 J^T r on f = |r|^2 / 2; to be run on least_squares(r) with the same r.
/// Where no lambda gives a step that does not raise f, the run ends as stalled. Cost, Throws: see the rule
/// `gauss_newton`.
/// Source: Levenberg 1944; Marquardt 1963.
class GaussNewton : public Optimizer {
 public:
  explicit GaussNewton(Residuals r, const GaussNewtonOptions& options = {});
};

struct NesterovOptions {
  /// 1 / L of an L-smooth f.
  Step step = 0.1;
  Index iterations = 100;
  /// f's strong convexity; unset: the form for convex f.
  std::optional<double> mu = std::nullopt;
  COTANGENT_RUN_OPTIONS;
};
/// Nesterov's accelerated gradient: x+ = y - step g(y), y+ = x+ + m (x+ - x). With the step 1 / L and f
/// convex, f(x_k) - f* <= 2 L |x_0 - x*|^2 / (k + 1)^2; with mu, (1 - sqrt(mu / L))^k (f(x_0) - f* + mu / 2
/// |x_0 - x*|^2). Its run moves in y; Run::w is x. Source: Nesterov 1983, 2004; optimisation.md A12.
class Nesterov : public Optimizer {
 public:
  explicit Nesterov(const NesterovOptions& options = {});
};

struct HeavyBallOptions {
  double smoothness = 1.0;
  double mu = 1e-2;
  Index iterations = 100;
  COTANGENT_RUN_OPTIONS;
};
/// Heavy-ball descent with the numbers that are best on quadratics with eigenvalues in [mu, L]: the step 4 /
/// (sqrt L + sqrt mu)^2 and the momentum ((sqrt L - sqrt mu) / (sqrt L + sqrt mu))^2; it need not converge on
/// other functions. Throws: DomainError unless 0 < mu <= L. Source: Polyak 1964; optimisation.md A11.
class HeavyBall : public Optimizer {
 public:
  explicit HeavyBall(const HeavyBallOptions& options = {});
};

}  // namespace cotangent::optim
