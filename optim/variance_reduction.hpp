// Optimizers for finite sums that need fewer component gradients than full descent: SVRG, SAGA, PAGE.
#pragma once
#include "optim/estimators.hpp"
#include "optim/optimizer.hpp"
#include "optim/run_options.hpp"

namespace cotangent::optim {

struct SvrgOptions {
  Step step = 0.1;
  Index epochs = 10;
  /// Steps between two snapshots; 0 stands for 2 n / batch.
  Index inner = 0;
  Index batch = 1;
  COTANGENT_RUN_OPTIONS;
};
/// w <- w - step (grad f_B(w) - grad f_B(s) + grad f(s)), with a new snapshot s <- w every epoch.
/// In practice the step 1 / (4 Lmax) and 2 n inner steps; svrg_theory gives those of the theorem.
/// Cost: n + 2 batch inner component gradients an epoch. State: 2 P numbers.
/// Throws: DomainError on options outside their ranges; when a run begins if f has one component.
/// Source: Johnson, Zhang 2013; Reddi et al. 2016; optimisation.md A6.
class Svrg : public Optimizer {
 public:
  explicit Svrg(const SvrgOptions& options = {});
};

struct SagaOptions {
  Step step = 0.1;
  Index epochs = 10;
  bool two_draws = false;
  std::optional<Index> memory = std::nullopt;
  COTANGENT_RUN_OPTIONS;
};
/// w <- w - step (grad f_i(w) - a_i + mean a), a_i <- grad f_i(w). In practice the step 1 / (3 Lmax);
/// saga_theory gives that of the theorem, which is about two draws.
/// Cost: n component gradients, then n an epoch (2 n with two draws). State: (n + 1) P numbers.
/// Throws: as Svrg; also if the table would be above .memory. Source: Defazio, Bach, Lacoste-Julien 2014; A7.
class Saga : public Optimizer {
 public:
  explicit Saga(const SagaOptions& options = {});
};

struct PageOptions {
  Step step = 0.1;
  Index epochs = 10;
  /// b'; 0 stands for floor(sqrt(n)).
  Index batch = 0;
  /// p; unset: b' / (n + b').
  std::optional<double> restart = std::nullopt;
  /// b; unset: n.
  std::optional<Index> large_batch = std::nullopt;
  COTANGENT_RUN_OPTIONS;
};
/// w <- w - step g, g <- grad f_b(w) with chance p, else g + grad f_B(w) - grad f_B(w-). In practice the step
/// 1 / (2 L); page_theory gives those of the theorems. An epoch is ceil(1 / p) iterations.
/// Cost: b component gradients with chance p, else 2 b'. State: 2 P numbers.
/// Throws: as Svrg; also unless b' <= n, 1 <= b <= n, p in (0, 1]. Source: Li et al. 2021; A8.
class Page : public Optimizer {
 public:
  explicit Page(const PageOptions& options = {});
};

struct ZerothOrderOptions {
  Step step = 0.1;
  Index iterations = 100;
  /// h, the distance of the two points from w.
  double distance = 1e-4;
  /// Directions an iteration.
  Index directions = 1;
  COTANGENT_RUN_OPTIONS;
};
/// w <- w - step (P / 2h) (f(w + h u) - f(w - h u)) u with u uniform on the unit sphere. On a PL function the
/// step 1 / (P L) contracts by 1 - mu / (P L). Cost: 2 n component values a direction. Source: Nesterov,
/// Spokoiny 2017.
class ZerothOrder : public Optimizer {
 public:
  explicit ZerothOrder(const ZerothOrderOptions& options = {});
};

}  // namespace cotangent::optim
