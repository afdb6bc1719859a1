// Optimizers with a penalty or in a set, on the sphere, and among saddles.
#pragma once
#include "optim/moves.hpp"
#include "optim/optimizer.hpp"
#include "optim/run_options.hpp"

namespace cotangent::optim {

struct ProximalGdOptions {
  Step step = 0.1;
  Index iterations = 100;
  /// FISTA.
  bool accelerated = false;
  /// With it, f's strong convexity, if known.
  std::optional<double> mu = std::nullopt;
  COTANGENT_RUN_OPTIONS;
};
/// w <- prox_{step h}(w - step g): minimises f + h. The residual is the gradient mapping's norm.
/// Any other method on the same h: Descent({.estimator = svrg(), .move = proximal(h)}).
/// Source: Beck, Teboulle 2009; additions.md 2.6.
class ProximalGd : public Optimizer {
 public:
  explicit ProximalGd(Regulariser h, const ProximalGdOptions& options = {});
};

struct FrankWolfeOptions {
  /// At most 1 at the start, and taken as 1 where it is above later; 2 / (k + 2) is the theory's.
  Step step = frank_wolfe_step();
  Index iterations = 100;
  COTANGENT_RUN_OPTIONS;
};
/// w <- w + step (s - w), s = argmin over the set of <g, s>: needs no projection. For convex L-smooth f,
/// f(w_k) - f* <= 2 L diameter^2 / (k + 2), and the residual, the gap <g, w - s>, is at least f(w) - f*.
/// Source: Frank, Wolfe 1956; Jaggi 2013; optimisation.md A13.
class FrankWolfe : public Optimizer {
 public:
  explicit FrankWolfe(LinearMinimiser set, const FrankWolfeOptions& options = {});
};

struct RiemannianGdOptions {
  Step step = 0.1;
  Index iterations = 100;
  COTANGENT_RUN_OPTIONS;
};
/// Gradient descent on the unit sphere along geodesics. Source: additions.md 2.5.
class RiemannianGd : public Optimizer {
 public:
  explicit RiemannianGd(const RiemannianGdOptions& options = {});
};

struct PerturbedGdOptions {
  Index iterations = 100000;
  COTANGENT_RUN_OPTIONS;
};
/// Gradient descent that leaves strict saddles, with the numbers of perturbation_theory or others. It ends
/// itself, StopReason::finished, with the point before the last perturbation. Source: Jin et al. 2017;
/// optimisation.md A9.
class PerturbedGd : public Optimizer {
 public:
  explicit PerturbedGd(const Perturbation& numbers, const PerturbedGdOptions& options = {});
};

}  // namespace cotangent::optim
