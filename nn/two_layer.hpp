// TwoLayer: the lectures' network f(x; W) = sum_j a_j phi(<w_j, x>), whose first layer alone is trained.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "autodiff/rng.hpp"
#include "nn/activations.hpp"
#include "nn/init.hpp"
#include "nn/module.hpp"

namespace cotangent::nn {

struct TwoLayerOptions {
  /// a, [m]. Unless set: +1/sqrt(m) and -1/sqrt(m) in turn, so that |a| = 1.
  Tensor outer = {};
  /// First numbers of W; lecun_normal unless set.
  Init weight_init = {};
};

/// f(x; W) = sum_j a_j phi(<w_j, x>): m hidden units without biases, a fixed.
///
/// Row j of W is neuron j. With phi positively homogeneous (leaky ReLU) so is f in W: <grad f, W> = f.
/// Shapes: "weight" W [m, d], a [m]; x [n, d] -> [n, 1].
/// At 0: as phi.
/// Throws: DomainError for sizes below 1, an a that is not finite, or a phi with parameters of its own;
/// ShapeError unless a is [m] and x is [n, d].
/// Source: proxy (lecture 000), O33; landscape (lecture 002).
class TwoLayer final : public Module {
 public:
  TwoLayer(Index inputs, Index width, std::shared_ptr<const Module> phi, const TwoLayerOptions& options = {});
  template <IsModule M>
  TwoLayer(Index inputs, Index width, M phi, const TwoLayerOptions& options = {})
      : TwoLayer(inputs, width, std::shared_ptr<const Module>(std::make_shared<const M>(std::move(phi))),
                 options) {}

  Var operator()(const Var& w, const Var& x) const override;
  std::string name() const override;

  Index inputs() const noexcept { return inputs_; }
  Index width() const noexcept { return outer_.size(); }
  /// a, [m].
  const Tensor& outer() const noexcept { return outer_; }
  const Module& activation() const noexcept { return *phi_; }
  /// phi's slope below 0 where phi is LeakyReLU, or ReLU, whose slope is 0; nothing for other activations.
  std::optional<double> slope() const;

 private:
  Index inputs_;
  Tensor outer_;
  Tensor outer_row_;  // [1, m]
  std::shared_ptr<const Module> phi_;
  ParamId weight_;
};

/// [m], each +1/sqrt(m) or -1/sqrt(m) with equal chances. Throws: DomainError unless m >= 1.
Tensor random_signs(Index m, Rng& rng);

}  // namespace cotangent::nn
