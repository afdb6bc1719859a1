// Linear, and Sequential, which applies modules one after another.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/ops.hpp"
#include "nn/activations.hpp"
#include "nn/init.hpp"
#include "nn/module.hpp"

namespace cotangent::nn {

/// Where the factors that depend on the width stand: in the initial numbers, or in front of the parameters.
enum class Parametrisation { standard, ntk };

/// Both parametrisations compute the same random function at first when weight_std and bias_std agree; they
/// differ in what a step of training does, and in the tangent kernel.
struct LinearOptions {
  bool bias = true;
  Parametrisation parametrisation = Parametrisation::standard;
  /// Deviation of sqrt(in) times a weight, as the layer uses it; 1 unless set.
  std::optional<double> weight_std = std::nullopt;
  /// Deviation of a bias, as the layer uses it; unless set, 0 (standard) or 1 (ntk).
  std::optional<double> bias_std = std::nullopt;
  /// Initial numbers of another distribution; with standard, in place of weight_std or bias_std.
  Init weight_init = {};
  Init bias_init = {};
};

/// standard: y = x W^T + b, W ~ N(0, weight_std^2 / in), b ~ N(0, bias_std^2): LeCun's weights and no bias
/// unless the options say otherwise. ntk: y = (weight_std / sqrt(in)) x W^T + bias_std b, W and b ~ N(0, 1).
///
/// Row j of W is neuron j.
/// Shapes: "weight" [out, in], "bias" [out]; x [n, in] -> [n, out].
/// Throws: DomainError for sizes below 1, deviations that are negative, not finite or (ntk) 0, or options
/// that contradict one another; ShapeError for other shapes of x.
/// Source: LeCun, Bottou, Orr, Mueller 1998; Jacot, Gabriel, Hongler 2018.
class Linear : public Module {
 public:
  Linear(Index in, Index out, const LinearOptions& options = {});
  Var operator()(const Var& w, const Var& x) const override;
  std::string name() const override;

 private:
  Index in_;
  Index out_;
  Parametrisation parametrisation_;
  LinearScales scales_;
  ParamId weight_;
  std::optional<ParamId> bias_;
};

/// f_k(... f_1(f_0(x))), any number of modules. Parameters are called by the module's position, modules
/// without parameters counted: "0.weight", "0.bias", "2.weight"; inside a nested Sequential "1.0.weight".
///
/// Sequential{net} is a copy of the Sequential net; Sequential().append(net) holds it at position 0.
/// Throws: what the modules throw, with the path in front: "[2 Linear(64 -> 1)] x is [10, 32]; ...".
class Sequential : public Module {
 public:
  Sequential() = default;
  template <IsModule First, IsModule... M>
  explicit Sequential(First first, M... rest) {
    add(std::make_shared<const First>(std::move(first)));
    (add(std::make_shared<const M>(std::move(rest))), ...);
  }
  /// From a list put together at run time. Throws: DomainError for a null pointer.
  static Sequential of(const std::vector<std::shared_ptr<const Module>>& modules);

  /// This one's modules and then another: net = net.append(nn::Linear(8, 8)).
  template <IsModule M>
  Sequential append(M module) const {
    Sequential longer = *this;
    longer.add(std::make_shared<const M>(std::move(module)));
    return longer;
  }

  /// Number of modules.
  Index size() const noexcept { return static_cast<Index>(modules_.size()); }
  Var operator()(const Var& w, const Var& x) const override;

 private:
  void add(std::shared_ptr<const Module> module);
  std::vector<ChildId> modules_;
};

/// Linear layers of widths[0] -> widths[1] -> ... with the activation between them, none behind the last.
///
/// Shapes: x [n, widths.front()] -> [n, widths.back()].
/// Throws: DomainError for fewer than two widths or a null pointer, and as Linear.
Sequential mlp(const std::vector<Index>& widths, const std::shared_ptr<const Module>& activation,
               const LinearOptions& options = {});
template <IsModule M>
Sequential mlp(const std::vector<Index>& widths, M activation, const LinearOptions& options = {}) {
  return mlp(widths, std::shared_ptr<const Module>(std::make_shared<const M>(std::move(activation))),
             options);
}

/// mlp that starts as f(x; w) = 0 for every x: the units of its last hidden layer come in equal pairs, whose
/// weights in the output layer are opposite, and the output's bias is 0. Training drives the pairs apart.
///
/// The value is 0 up to rounding, about 1e-16 of what the terms add up to: products may sum in any
/// order. All deviations are those of mlp, and so is the tangent kernel of one hidden layer, in the
/// limit of many units. With more, layers before the last hidden one have derivative 0 at the start,
/// for there the pairs cancel too.
/// Shapes: as mlp.
/// Throws: DomainError as mlp, without a hidden layer, or if the last hidden width is odd.
/// Source: Chizat, Oyallon, Bach 2019; Zhang, Xu, Luo, Ma 2020.
Sequential symmetric_mlp(const std::vector<Index>& widths, const std::shared_ptr<const Module>& activation,
                         const LinearOptions& options = {});
template <IsModule M>
Sequential symmetric_mlp(const std::vector<Index>& widths, M activation, const LinearOptions& options = {}) {
  return symmetric_mlp(
      widths, std::shared_ptr<const Module>(std::make_shared<const M>(std::move(activation))), options);
}

}  // namespace cotangent::nn
