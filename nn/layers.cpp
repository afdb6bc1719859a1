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

namespace {

/// Linear layers with the activation between them; layer(k, in, out) makes number k.
template <class Layer>
Sequential stack(const char* name, const std::vector<Index>& widths, std::size_t fewest,
                 const std::shared_ptr<const Module>& activation, Layer layer) {
  if (widths.size() < fewest)
    throw DomainError(fmt::format("[{}] {} widths; give the sizes of inputs{} and outputs, at least {}", name,
                                  widths.size(), fewest == 3 ? ", a hidden layer" : "",
                                  fewest == 3 ? "three" : "two"));
  if (!activation)
    throw DomainError(fmt::format("[{}] the activation is a null pointer; give a module", name));
  std::vector<std::shared_ptr<const Module>> modules;
  for (std::size_t k = 0; k + 1 < widths.size(); ++k) {
    if (k > 0) modules.push_back(activation);
    modules.push_back(layer(k, widths[k], widths[k + 1]));
  }
  return Sequential::of(modules);
}

/// The options with Inits in the place of deviations, which a plain Linear has checked.
LinearOptions with_inits(LinearOptions options, Index in) {
  const bool ntk = options.parametrisation == Parametrisation::ntk;
  if (!options.weight_init)
    options.weight_init =
        normal(ntk ? 1.0 : options.weight_std.value_or(1.0) / std::sqrt(static_cast<double>(in)));
  if (options.bias && !options.bias_init)
    options.bias_init = normal(ntk ? 1.0 : options.bias_std.value_or(0.0));
  if (!ntk) options.weight_std = options.bias_std = std::nullopt;
  return options;
}

}  // namespace

Sequential mlp(const std::vector<Index>& widths, const std::shared_ptr<const Module>& activation,
               const LinearOptions& options) {
  return stack("mlp", widths, 2, activation, [&](std::size_t, Index in, Index out) {
    return std::make_shared<const Linear>(in, out, options);
  });
}

Sequential symmetric_mlp(const std::vector<Index>& widths, const std::shared_ptr<const Module>& activation,
                         const LinearOptions& options) {
  const std::size_t layers = widths.empty() ? 0 : widths.size() - 1;
  return stack("symmetric_mlp", widths, 3, activation, [&](std::size_t k, Index in, Index out) {
    auto plain = std::make_shared<const Linear>(in, out, options);
    if (k + 2 < layers) return plain;
    LinearOptions own = with_inits(options, in);
    if (k + 2 == layers) {
      if (out % 2 != 0)
        throw DomainError(fmt::format(
            "[symmetric_mlp] the last hidden width is {}; give an even number, for its units come in pairs",
            out));
      own.weight_init = paired_rows(own.weight_init);
      if (own.bias) own.bias_init = paired_rows(own.bias_init);
    } else {
      own.weight_init = opposed_columns(own.weight_init);
      if (own.bias) own.bias_init = zeros();
    }
    return std::make_shared<const Linear>(in, out, own);
  });
}

}  // namespace cotangent::nn
