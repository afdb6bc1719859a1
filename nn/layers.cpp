// Linear and Sequential.
#include "nn/layers.hpp"

#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"

namespace cotangent::nn {
namespace {

double checked_deviation(const std::string& name, const char* what, double deviation, bool ntk) {
  if (!std::isfinite(deviation) || deviation < 0.0)
    throw DomainError(fmt::format("[{}] {} is {}; give a finite number, at least 0", name, what, deviation));
  if (ntk && deviation == 0.0)
    throw DomainError(fmt::format(
        "[{}] {} is 0, so these parameters would never have an effect; give a positive number, or no bias",
        name, what));
  return deviation;
}

}  // namespace

Linear::Linear(Index in, Index out, const LinearOptions& options)
    : in_(in), out_(out), parametrisation_(options.parametrisation) {
  if (options.bias) bias_.emplace();  // so that name() can say it; declared below
  if (in < 1 || out < 1)
    throw DomainError(
        fmt::format("[{}] the sizes are {} and {}; give at least one input and one output", name(), in, out));
  const bool ntk = parametrisation_ == Parametrisation::ntk;
  if (!ntk && options.weight_init && options.weight_std)
    throw DomainError(
        fmt::format("[{}] both weight_init and weight_std are set; give the deviation to the Init", name()));
  if (!ntk && options.bias_init && options.bias_std)
    throw DomainError(
        fmt::format("[{}] both bias_init and bias_std are set; give the deviation to the Init", name()));
  if (!options.bias && (options.bias_init || options.bias_std))
    throw DomainError(fmt::format(
        "[{}] options for a bias that is switched off; leave them out or set .bias = true", name()));

  const double weight_std = checked_deviation(name(), "weight_std", options.weight_std.value_or(1.0), ntk) /
                            std::sqrt(static_cast<double>(in));
  const double bias_std =
      checked_deviation(name(), "bias_std", options.bias_std.value_or(ntk ? 1.0 : 0.0), ntk && options.bias);
  if (ntk) scales_ = {.weight = weight_std, .bias = bias_std};
  weight_ = declare("weight", Shape{out, in},
                    options.weight_init ? options.weight_init : normal(ntk ? 1.0 : weight_std));
  if (options.bias)
    bias_ = declare("bias", Shape{out}, options.bias_init ? options.bias_init : normal(ntk ? 1.0 : bias_std));
}

std::string Linear::name() const {
  return fmt::format("Linear({} -> {}{}{})", in_, out_, bias_ ? "" : ", no bias",
                     parametrisation_ == Parametrisation::ntk ? ", ntk" : "");
}

Var Linear::operator()(const Var& w, const Var& x) const {
  check(w);
  if (x.rank() != 2 || x.size(1) != in_) {
    const bool one_sample = x.rank() == 1 && x.size() == in_;
    throw ShapeError(fmt::format(
        "[{}] x is {}; it must be [n, {}]{}", name(), x.shape().to_string(), in_,
        one_sample
            ? fmt::format(": reshape a single sample to [1, {}]", in_)
            : std::string(", one row for each sample: check the size of the layer or the data before it")));
  }
  return bias_ ? linear(x, param(w, weight_), param(w, *bias_), scales_)
               : linear(x, param(w, weight_), scales_);
}

Sequential Sequential::of(const std::vector<std::shared_ptr<const Module>>& modules) {
  Sequential net;
  for (const std::shared_ptr<const Module>& module : modules) net.add(module);
  return net;
}

void Sequential::add(std::shared_ptr<const Module> module) {
  modules_.push_back(declare(std::to_string(modules_.size()), std::move(module)));
}

Var Sequential::operator()(const Var& w, const Var& x) const {
  check(w);
  Var y = x;
  for (const ChildId module : modules_) y = call(module, w, y);
  return y;
}

Sequential mlp(const std::vector<Index>& widths, const std::shared_ptr<const Module>& activation,
               const LinearOptions& options) {
  if (widths.size() < 2)
    throw DomainError(
        fmt::format("[mlp] {} widths; give the sizes of inputs and outputs, at least two", widths.size()));
  if (!activation) throw DomainError("[mlp] the activation is a null pointer; give a module");
  std::vector<std::shared_ptr<const Module>> modules;
  for (std::size_t k = 0; k + 1 < widths.size(); ++k) {
    if (k > 0) modules.push_back(activation);
    modules.push_back(std::make_shared<const Linear>(widths[k], widths[k + 1], options));
  }
  return Sequential::of(modules);
}

}  // namespace cotangent::nn
