// The table of activations, each a public operation, and the modules made of its rows.
#include "nn/activations.hpp"

#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace cotangent::nn {
namespace {

constexpr ActivationFacts kLeakyReLU{.name = "LeakyReLU",
                                     .phi = [](const Var& x, double slope) { return leaky_relu(x, slope); },
                                     .number = "slope"};
constexpr ActivationFacts kReLU{.name = "ReLU", .phi = [](const Var& x, double) { return relu(x); }};
constexpr ActivationFacts kELU{
    .name = "ELU", .phi = [](const Var& x, double alpha) { return elu(x, alpha); }, .number = "alpha"};
constexpr ActivationFacts kGELU{.name = "GELU", .phi = [](const Var& x, double) { return gelu(x); }};
constexpr ActivationFacts kSiLU{.name = "SiLU", .phi = [](const Var& x, double) { return silu(x); }};
constexpr ActivationFacts kTanh{.name = "Tanh", .phi = [](const Var& x, double) { return tanh(x); }};
constexpr ActivationFacts kSigmoid{.name = "Sigmoid", .phi = [](const Var& x, double) { return sigmoid(x); }};
constexpr ActivationFacts kSoftplus{.name = "Softplus",
                                    .phi = [](const Var& x, double) { return softplus(x); }};
constexpr ActivationFacts kErf{.name = "Erf", .phi = [](const Var& x, double) { return erf(x); }};
constexpr ActivationFacts kSin{.name = "Sin", .phi = [](const Var& x, double) { return sin(x); }};
constexpr ActivationFacts kSquare{.name = "Square", .phi = [](const Var& x, double) { return square(x); }};
constexpr ActivationFacts kIdentity{.name = "Identity", .phi = [](const Var& x, double) { return x; }};

}  // namespace

LeakyReLU::LeakyReLU(double slope) : Activation(kLeakyReLU, slope) {}
ReLU::ReLU() : Activation(kReLU) {}
ELU::ELU(double alpha) : Activation(kELU, alpha) {}
GELU::GELU() : Activation(kGELU) {}
SiLU::SiLU() : Activation(kSiLU) {}
Tanh::Tanh() : Activation(kTanh) {}
Sigmoid::Sigmoid() : Activation(kSigmoid) {}
Softplus::Softplus() : Activation(kSoftplus) {}
Erf::Erf() : Activation(kErf) {}
Sin::Sin() : Activation(kSin) {}
Square::Square() : Activation(kSquare) {}
Identity::Identity() : Activation(kIdentity) {}

Activation::Activation(const ActivationFacts& facts, double number) : facts_(&facts), number_(number) {
  if (!std::isfinite(number))
    throw DomainError(fmt::format("[{}] {} is {}; give a finite number", facts.name, facts.number, number));
}

std::string Activation::name() const {
  return facts_->number ? fmt::format("{}({})", facts_->name, number_) : facts_->name;
}

Var Activation::operator()(const Var& w, const Var& x) const {
  check(w);
  return facts_->phi(x, number_);
}

}  // namespace cotangent::nn
