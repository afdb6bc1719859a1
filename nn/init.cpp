// The initial distributions.
#include "nn/init.hpp"

#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"

namespace cotangent::nn {
namespace {

void check_matrix(const char* name, const Shape& shape) {
  if (shape.rank() != 2 || shape.size() == 0)
    throw ShapeError(fmt::format(
        "[{}] the parameter is {}, but the deviation comes from the sizes of a weight [out, in]; use "
        "normal(deviation)",
        name, shape.to_string()));
}

}  // namespace

Init zeros() { return constant(0.0); }
Init ones() { return constant(1.0); }

Init constant(double value) {
  if (!std::isfinite(value))
    throw DomainError(fmt::format("[constant] value {}; give a finite number", value));
  return [value](Rng&, const Shape& shape) { return Tensor::full(shape, value); };
}

Init normal(double deviation) {
  if (!std::isfinite(deviation) || deviation < 0.0)
    throw DomainError(fmt::format("[normal] deviation {}; give a finite number, at least 0", deviation));
  return [deviation](Rng& rng, const Shape& shape) { return rng.normal(shape, 0.0, deviation); };
}

Init uniform(double low, double high) {
  if (!(low <= high) || !std::isfinite(high - low))
    throw DomainError(fmt::format("[uniform] from {} to {}; give finite numbers, low <= high", low, high));
  return [low, high](Rng& rng, const Shape& shape) { return rng.uniform(shape, low, high); };
}

Init lecun_normal() {
  return [](Rng& rng, const Shape& shape) {
    check_matrix("lecun_normal", shape);
    return rng.normal(shape, 0.0, 1.0 / std::sqrt(static_cast<double>(shape[1])));
  };
}

Init he_normal(double slope) {
  if (!std::isfinite(slope))
    throw DomainError(fmt::format("[he_normal] slope {}; give a finite number", slope));
  return [slope](Rng& rng, const Shape& shape) {
    check_matrix("he_normal", shape);
    return rng.normal(shape, 0.0, std::sqrt(2.0 / ((1.0 + slope * slope) * static_cast<double>(shape[1]))));
  };
}

Init glorot_normal() {
  return [](Rng& rng, const Shape& shape) {
    check_matrix("glorot_normal", shape);
    return rng.normal(shape, 0.0, std::sqrt(2.0 / static_cast<double>(shape[0] + shape[1])));
  };
}

}  // namespace cotangent::nn
