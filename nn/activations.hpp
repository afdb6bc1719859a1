// Activations: modules without parameters that apply a function to every element. Shapes: [s] -> [s].
#pragma once
#include <string>

#include "nn/module.hpp"

namespace cotangent::nn {

/// x where x >= 0, else slope * x.
/// At 0: derivative 1. Throws: DomainError unless the slope is finite. Source: proxy (lecture 000).
class LeakyReLU : public Module {
 public:
  explicit LeakyReLU(double slope = 0.01);
  Var operator()(const Var& w, const Var& x) const override;
  std::string name() const override;
  double slope() const noexcept { return slope_; }

 private:
  double slope_;
};

/// x where x >= 0, else 0. At 0: derivative 1.
class ReLU : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

/// x where x >= 0, else alpha (exp(x) - 1). At 0: derivative 1.
/// Throws: DomainError unless alpha is finite. Source: Clevert, Unterthiner, Hochreiter 2016.
class ELU : public Module {
 public:
  explicit ELU(double alpha = 1.0);
  Var operator()(const Var& w, const Var& x) const override;
  std::string name() const override;
  double alpha() const noexcept { return alpha_; }

 private:
  double alpha_;
};

/// x Phi(x), with the normal distribution function itself, not the tanh that approximates it; see gelu.
class GELU : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

/// x / (1 + exp(-x)).
class SiLU : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

/// Hyperbolic tangent.
class Tanh : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

/// 1 / (1 + exp(-x)).
class Sigmoid : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

/// log(1 + exp(x)).
class Softplus : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

/// Error function, whose tangent kernels have closed forms.
class Erf : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

/// Sine of radians.
class Sin : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

/// x^2.
class Square : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

/// x itself, where a place for an activation must be filled: mlp(widths, Identity()) is a linear network.
class Identity : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
};

}  // namespace cotangent::nn
