// The activations: each a public operation.
#include "nn/activations.hpp"

#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace cotangent::nn {

LeakyReLU::LeakyReLU(double slope) : slope_(slope) {
  if (!std::isfinite(slope))
    throw DomainError(fmt::format("[LeakyReLU] slope is {}; give a finite number", slope));
}
std::string LeakyReLU::name() const { return fmt::format("LeakyReLU({})", slope_); }
Var LeakyReLU::operator()(const Var& w, const Var& x) const {
  check(w);
  return leaky_relu(x, slope_);
}

ELU::ELU(double alpha) : alpha_(alpha) {
  if (!std::isfinite(alpha)) throw DomainError(fmt::format("[ELU] alpha is {}; give a finite number", alpha));
}
std::string ELU::name() const { return fmt::format("ELU({})", alpha_); }
Var ELU::operator()(const Var& w, const Var& x) const {
  check(w);
  return elu(x, alpha_);
}

Var ReLU::operator()(const Var& w, const Var& x) const {
  check(w);
  return relu(x);
}
Var GELU::operator()(const Var& w, const Var& x) const {
  check(w);
  return gelu(x);
}
Var SiLU::operator()(const Var& w, const Var& x) const {
  check(w);
  return silu(x);
}
Var Tanh::operator()(const Var& w, const Var& x) const {
  check(w);
  return tanh(x);
}
Var Sigmoid::operator()(const Var& w, const Var& x) const {
  check(w);
  return sigmoid(x);
}
Var Softplus::operator()(const Var& w, const Var& x) const {
  check(w);
  return softplus(x);
}
Var Erf::operator()(const Var& w, const Var& x) const {
  check(w);
  return erf(x);
}
Var Sin::operator()(const Var& w, const Var& x) const {
  check(w);
  return sin(x);
}
Var Square::operator()(const Var& w, const Var& x) const {
  check(w);
  return square(x);
}
Var Identity::operator()(const Var& w, const Var& x) const {
  check(w);
  return x;
}

}  // namespace cotangent::nn
