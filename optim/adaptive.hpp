// Optimizers with a step size for every number: Adam, AdamW, RMSProp, AdaGrad. They equal PyTorch's.
#pragma once
#include "optim/optimizer.hpp"
#include "optim/run_options.hpp"

namespace cotangent::optim {

struct AdamOptions {
  Step step = 1e-3;
  /// Samples an iteration, without replacement; 0: all of them.
  Index batch = 32;
  Index epochs = 10;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  bool amsgrad = false;
  COTANGENT_RUN_OPTIONS;
};
/// m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2,
/// w <- w - step (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), t = 1, 2, ...
/// .weight_decay is added to g, as L2 regularisation; AdamW decays apart from it.
/// Cost: batch component gradients a step. State: 2 P numbers (3 P with amsgrad).
/// Throws: DomainError on options outside their ranges. Source: Kingma, Ba 2015; Reddi, Kale, Kumar 2018.
class Adam : public Optimizer {
 public:
  explicit Adam(const AdamOptions& options = {});
};

struct AdamWOptions {
  Step step = 1e-3;
  Index batch = 32;
  Index epochs = 10;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  bool amsgrad = false;
  COTANGENT_RUN_OPTIONS_WITH_DECAY(0.01);
};
/// Adam with decoupled weight decay: w <- (1 - step * weight_decay) w, then Adam's step. Source: Loshchilov,
/// Hutter 2019.
class AdamW : public Optimizer {
 public:
  explicit AdamW(const AdamWOptions& options = {});
};

struct RmsPropOptions {
  Step step = 1e-2;
  Index batch = 32;
  Index epochs = 10;
  double alpha = 0.99;
  double epsilon = 1e-8;
  COTANGENT_RUN_OPTIONS;
};
/// v <- alpha v + (1 - alpha) g^2, w <- w - step g / (sqrt(v) + epsilon). State: P numbers. Source: Hinton
/// 2012.
class RmsProp : public Optimizer {
 public:
  explicit RmsProp(const RmsPropOptions& options = {});
};

struct AdaGradOptions {
  Step step = 1e-2;
  Index batch = 32;
  Index epochs = 10;
  double epsilon = 1e-10;
  COTANGENT_RUN_OPTIONS;
};
/// v <- v + g^2, w <- w - step g / (sqrt(v) + epsilon). State: P numbers. Source: Duchi, Hazan, Singer 2011.
class AdaGrad : public Optimizer {
 public:
  explicit AdaGrad(const AdaGradOptions& options = {});
};

}  // namespace cotangent::optim
