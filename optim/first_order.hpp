// Gradient descent, full and stochastic, with momentum.
#pragma once
#include <optional>
#include <vector>

#include "optim/optimizer.hpp"
#include "optim/run_options.hpp"

namespace cotangent::optim {

struct GdOptions {
  Step step = 0.1;
  Index iterations = 100;
  /// 0 <= momentum < 1; the update rules are with Gd.
  double momentum = 0.0;
  bool nesterov = false;
  /// Stops when |g(w)| is at most this, before the step; the same as .stop.residual.
  std::optional<double> gradient_tolerance = std::nullopt;
  COTANGENT_RUN_OPTIONS;
};

/// Gradient descent on the whole sum. With g the gradient at w, k the iteration
/// from 0, and v = 0 at the start:
///
///   plain:       w <- w - step(k) * g
///   heavy ball:  v <- momentum * v + g;   w <- w - step(k) * v
///   Nesterov:    v <- momentum * v + g;   w <- w - step(k) * (g + momentum * v)     (the new v)
///
/// With a constant step heavy ball is Polyak's w+ = w - step * g + momentum * (w - w-), and the third form is
/// Nesterov's method in the points y where its gradients are taken: x+ = y - step * g(y), y+ = x+ + momentum
/// * (x+ - x). The trace has a row an iteration.
/// Throws: DomainError on options outside their ranges.
/// Source: proxy, ece826; optimisation.md A1, A11, A12; Polyak 1964; Nesterov 1983.
class Gd : public Optimizer {
 public:
  explicit Gd(const GdOptions& options = {});
  const GdOptions& options() const noexcept { return *static_cast<const GdOptions*>(made_of()); }

  using Optimizer::minimize;
  /// Nothing is random here, so no rng is needed.
  Run minimize(const FiniteSum& f, const Params& w, const std::vector<Observer*>& observers = {}) const;
  Run minimize(const FiniteSum& f, const Tensor& w, const std::vector<Observer*>& observers = {}) const;
};

struct SgdOptions {
  Step step = 0.1;
  /// Samples an iteration.
  Index batch = 32;
  Index epochs = 10;
  double momentum = 0.0;
  bool nesterov = false;
  /// false: each epoch walks through a fresh permutation; true: every sample is drawn from all n anew.
  bool replacement = false;
  COTANGENT_RUN_OPTIONS;
};

/// Stochastic gradient descent: g is the gradient of the mean over a batch, the step as in Gd; k counts the
/// iterations across epochs.
///
/// Without replacement an epoch has ceil(n / batch) iterations and visits each sample once; its last
/// batch is what remains, and its mean is over its own size. A batch of n or more is the whole sum
/// in order, and nothing is drawn. With replacement an epoch has ceil(n / batch) iterations of
/// exactly `batch` independent draws.
/// Throws: DomainError on options outside their ranges.
class Sgd : public Optimizer {
 public:
  explicit Sgd(const SgdOptions& options = {});
  const SgdOptions& options() const noexcept { return *static_cast<const SgdOptions*>(made_of()); }
};

}  // namespace cotangent::optim
