// Activations: modules without parameters that apply a function to every element. Shapes: [s] -> [s].
#pragma once
#include <string>

#include "nn/module.hpp"

namespace cotangent::nn {

/// What is known of an activation phi: a row of the table in activations.cpp.
struct ActivationFacts {
  const char* name;  // "LeakyReLU"
  Var (*phi)(const Var& x, double number);
  const char* number = nullptr;  // what its number is called, "slope"; null where it has none
};

/// A row of the table as a module: what all activations have in common.
class Activation : public Module {
 public:
  Var operator()(const Var& w, const Var& x) const override;
  /// "LeakyReLU(0.1)".
  std::string name() const override;
  const ActivationFacts& facts() const noexcept { return *facts_; }

 protected:
  /// Throws: DomainError unless the number is finite.
  explicit Activation(const ActivationFacts& facts, double number = 0.0);
  double number() const noexcept { return number_; }

 private:
  const ActivationFacts* facts_;
  double number_;
};

/// x where x >= 0, else slope * x.
/// At 0: derivative 1. Throws: DomainError unless the slope is finite. Source: proxy (lecture 000).
struct LeakyReLU final : Activation {
  explicit LeakyReLU(double slope = 0.01);
  double slope() const noexcept { return number(); }
};

/// x where x >= 0, else 0. At 0: derivative 1.
struct ReLU final : Activation {
  ReLU();
};

/// x where x >= 0, else alpha (exp(x) - 1). At 0: derivative 1.
/// Throws: DomainError unless alpha is finite. Source: Clevert, Unterthiner, Hochreiter 2016.
struct ELU : Activation {
  explicit ELU(double alpha = 1.0);
  double alpha() const noexcept { return number(); }
};

/// x Phi(x), with the normal distribution function itself, not the tanh that approximates it; see gelu.
struct GELU : Activation {
  GELU();
};

/// x / (1 + exp(-x)).
struct SiLU : Activation {
  SiLU();
};

/// Hyperbolic tangent.
struct Tanh : Activation {
  Tanh();
};

/// 1 / (1 + exp(-x)).
struct Sigmoid : Activation {
  Sigmoid();
};

/// log(1 + exp(x)).
struct Softplus : Activation {
  Softplus();
};

/// Error function, whose tangent kernels have closed forms.
struct Erf : Activation {
  Erf();
};

/// Sine of radians.
struct Sin : Activation {
  Sin();
};

/// x^2.
struct Square : Activation {
  Square();
};

/// x itself, where a place for an activation must be filled: mlp(widths, Identity()) is a linear network.
struct Identity : Activation {
  Identity();
};

}  // namespace cotangent::nn
