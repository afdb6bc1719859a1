// The two-layer network with a fixed outer layer.
#include "nn/two_layer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"

namespace cotangent::nn {
namespace {

Tensor alternating_signs(Index m) {
  std::vector<double> a;
  for (Index j = 0; j < m; ++j) a.push_back((j % 2 == 0 ? 1.0 : -1.0) / std::sqrt(static_cast<double>(m)));
  return Tensor::from(a, Shape{m});
}

}  // namespace

TwoLayer::TwoLayer(Index inputs, Index width, std::shared_ptr<const Module> phi,
                   const TwoLayerOptions& options)
    : inputs_(inputs), phi_(std::move(phi)) {
  if (inputs < 1 || width < 1)
    throw DomainError(fmt::format(
        "[TwoLayer] the sizes are {} and {}; give at least one input and one hidden unit", inputs, width));
  if (!phi_) throw DomainError("[TwoLayer] phi is null; give an activation, nn::LeakyReLU(0.1) say");
  if (phi_->num_params() != 0)
    throw DomainError(fmt::format("[TwoLayer] phi is {}, with {} parameters; only W may be trained",
                                  phi_->name(), phi_->num_params()));
  outer_ = options.outer.size() == 0 ? alternating_signs(width) : options.outer;
  if (outer_.rank() != 1 || outer_.size() != width)
    throw ShapeError(
        fmt::format("[TwoLayer] outer is {}, the width is {}; give a number for each hidden unit, [{}]",
                    outer_.shape().to_string(), width, width));
  for (const double a : outer_.data())
    if (!std::isfinite(a))
      throw DomainError(fmt::format("[TwoLayer] outer holds {}; give finite numbers", a));
  outer_row_ = outer_.reshape(Shape{1, width});
  weight_ =
      declare("weight", Shape{width, inputs}, options.weight_init ? options.weight_init : lecun_normal());
}

std::string TwoLayer::name() const {
  return fmt::format("TwoLayer({} -> {} -> 1, {}, outer fixed)", inputs_, width(), phi_->name());
}

Var TwoLayer::operator()(const Var& w, const Var& x) const {
  check(w);
  if (x.rank() != 2 || x.size(1) != inputs_)
    throw ShapeError(fmt::format("[{}] x is {}; it must be [n, {}], one row for each sample", name(),
                                 x.shape().to_string(), inputs_));
  const Var hidden = linear(x, param(w, weight_));            // [n, m]
  return linear((*phi_)(Tensor(), hidden), Var(outer_row_));  // [n, 1]
}

std::optional<double> TwoLayer::slope() const {
  if (const auto* leaky = dynamic_cast<const LeakyReLU*>(phi_.get())) return leaky->slope();
  if (dynamic_cast<const ReLU*>(phi_.get())) return 0.0;
  return std::nullopt;
}

Tensor random_signs(Index m, Rng& rng) {
  if (m < 1) throw DomainError(fmt::format("[random_signs] m is {}; give at least 1", m));
  std::vector<double> a;
  for (Index j = 0; j < m; ++j)
    a.push_back((rng.below(2) == 0 ? 1.0 : -1.0) / std::sqrt(static_cast<double>(m)));
  return Tensor::from(a, Shape{m});
}

}  // namespace cotangent::nn
