// Residual, Scale and Normalise, made of public operations.
#include "nn/normalise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/custom_op.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/loss_node.hpp"

namespace cotangent::nn {
namespace {

constexpr double kLarge = 0x1p500, kSmall = 0x1p-450;

/// One number a row, repeated along the row. Shapes: s [n] -> [n, k].
Var along_rows(const Var& s, const Shape& shape) {
  return broadcast_to(reshape(s, Shape{shape[0], 1}), shape);
}

/// A power of two near each row's largest number. Shapes: [n, k] -> [n].
Tensor magnitudes(const Tensor& x) {
  return map_elements(norm(x, {.kind = Norm::infinity, .axes = {1}}).value(), [](double top) {
    return top > 0.0 && std::isfinite(top) ? std::ldexp(1.0, std::ilogb(top)) : 1.0;
  });
}

}  // namespace

Residual::Residual(std::shared_ptr<const Module> inner) {
  if (!inner) throw DomainError("[Residual] the inner module is a null pointer; give a module");
  inner_name_ = inner->name();
  inner_ = declare("inner", std::move(inner));
}

std::string Residual::name() const { return fmt::format("Residual({})", inner_name_); }

Var Residual::operator()(const Var& w, const Var& x) const {
  const Var y = call(inner_, w, x);
  if (!(y.shape() == x.shape()))
    throw ShapeError(fmt::format("[{}] x is {}, but the module inside returns {}; it must keep the shape",
                                 name(), x.shape().to_string(), y.shape().to_string()));
  return x + y;
}

Scale::Scale(const ScaleOptions& options) : features_(options.features) {
  if (features_ && *features_ < 1)
    throw DomainError(fmt::format(
        "[Scale] {} features; give at least one, or leave it out for one factor in all", *features_));
  factor_ = declare("factor", features_ ? Shape{*features_} : Shape{}, options.init ? options.init : ones());
}

std::string Scale::name() const { return features_ ? fmt::format("Scale({})", *features_) : "Scale"; }

Var Scale::operator()(const Var& w, const Var& x) const {
  check(w);
  if (!features_) return param(w, factor_) * x;
  if (x.rank() != 2 || x.size(1) != *features_)
    throw ShapeError(fmt::format("[{}] x is {}; it must be [n, {}], one row for each sample", name(),
                                 x.shape().to_string(), *features_));
  return mul_rows(x, param(w, factor_));
}

Normalise::Normalise(const NormaliseOptions& options) : options_(options) {
  if (!std::isfinite(options.epsilon) || options.epsilon < 0.0)
    throw DomainError(
        fmt::format("[Normalise] epsilon is {}; give a finite number, at least 0", options.epsilon));
}

std::string Normalise::name() const {
  return options_.to == NormaliseTo::unit_length ? "Normalise(length 1)" : "Normalise(variance 1)";
}

Var Normalise::operator()(const Var& w, const Var& x) const {
  check(w);
  if (x.rank() != 2 || x.size(1) == 0)
    throw ShapeError(
        fmt::format("[{}] x is {}; it must be [n, k], one row of at least one feature for each sample",
                    name(), x.shape().to_string()));
  if (options_.to == NormaliseTo::unit_length) {
    // The direction does not depend on the magnitude, which may be taken out: 1 / |x| or |x| could overflow.
    const Var y = x / along_rows(magnitudes(x.value()), x.shape());
    // A row of zeros stays, and has derivative 0: its length, which has no second derivative, is that of
    // ones.
    const Tensor zero = equal_to(norm(y.value(), {.axes = {1}}), 0.0).value();  // [n]
    const Var length = norm(where(along_rows(zero, x.shape()), 1.0, y), {.axes = {1}});
    return scale_rows(y, where(zero, 0.0, 1.0 / length));
  }
  // Numbers whose squares overflow, or are lost where epsilon is 0, are divided first, by a constant, and
  // epsilon by its square.
  const bool exact = options_.epsilon == 0.0;
  const Tensor sizes = exact || norm(x.value()).item() > kLarge ? magnitudes(x.value()) : Tensor();
  const auto far = [exact](double m) { return m > kLarge || (exact && m > 0.0 && m < kSmall); };
  const bool scaled = std::any_of(sizes.data().begin(), sizes.data().end(), far);
  std::vector<double> divisors;
  if (scaled)
    for (const double m : sizes.data()) divisors.push_back(far(m) ? m : 1.0);
  const Tensor by = Tensor::from(divisors, Shape{static_cast<Index>(divisors.size())});
  const Var y = scaled ? x / along_rows(by, x.shape()) : x;
  Var epsilon = scaled && !exact ? options_.epsilon / square(by) : Var(options_.epsilon);
  if (scaled && !exact) epsilon = maximum(epsilon, std::numeric_limits<double>::min());
  const Var centred = detail::centred(y, 1);
  const Var variance = mean(square(centred), 1);  // [n]
  return scale_rows(centred, 1.0 / sqrt(variance + epsilon));
}

}  // namespace cotangent::nn
