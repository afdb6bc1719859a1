// The initial distributions.
#include "nn/init.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::nn {
namespace {

void check_matrix(const char* name, const Shape& shape) {
  if (shape.rank() != 2 || shape.size() == 0)
    throw ShapeError(fmt::format(
        "[{}] the parameter is {}, but the deviation comes from the sizes of a weight [out, in]; use "
        "normal(deviation)",
        name, shape.to_string()));
}

/// Uniform numbers of mean 0 and a given variance.
Tensor uniform_of_variance(Rng& rng, const Shape& shape, double variance) {
  const double bound = std::sqrt(3.0 * variance);
  return rng.uniform(shape, -bound, bound);
}

/// The inputs or outputs of a weight, as a number to divide by.
double fan(const Shape& shape, int axis) { return static_cast<double>(shape[axis]); }

void check_slope(const char* name, double slope) {
  if (!std::isfinite(slope))
    throw DomainError(fmt::format("[{}] slope {}; give a finite number", name, slope));
}

void check_given(const char* name, const Init& init) {
  if (!init)
    throw DomainError(fmt::format("[{}] the Init is empty; give one, for example nn::lecun_normal()", name));
}

/// What `init` draws of a shape. Throws unless it has this shape.
Tensor draw(const char* name, const Init& init, Rng& rng, const Shape& shape) {
  Tensor drawn = init(rng, shape);
  if (drawn.shape() != shape)
    throw ShapeError(fmt::format("[{}] the Init gave {} for a parameter {}; return the shape it is asked for",
                                 name, drawn.shape().to_string(), shape.to_string()));
  return drawn;
}

/// Orthonormal vectors in R^length, one after the other.
std::vector<double> draw_orthonormal(Rng& rng, Index count, Index length) {
  std::vector<double> vectors(static_cast<std::size_t>(count * length));
  for (Index i = 0; i < count; ++i) {
    double* v = vectors.data() + i * length;
    double size = 0.0;
    while (size < 1e-10) {  // what is left of a vector almost in the span of the others would be rounding
      for (Index k = 0; k < length; ++k) v[k] = rng.normal();
      for (int pass = 0; pass < 2; ++pass)
        for (const double* q = vectors.data(); q != v; q += length)
          kernel::loops().add_scaled_to(v, -kernel::loops().dot(v, q, length), q, length);
      size = std::sqrt(kernel::loops().dot(v, v, length));
    }
    for (Index k = 0; k < length; ++k) v[k] /= size;
  }
  return vectors;
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
    return rng.normal(shape, 0.0, 1.0 / std::sqrt(fan(shape, 1)));
  };
}

Init he_normal(double slope) {
  check_slope("he_normal", slope);
  return [slope](Rng& rng, const Shape& shape) {
    check_matrix("he_normal", shape);
    return rng.normal(shape, 0.0, std::sqrt(2.0 / ((1.0 + slope * slope) * fan(shape, 1))));
  };
}

Init glorot_normal() {
  return [](Rng& rng, const Shape& shape) {
    check_matrix("glorot_normal", shape);
    return rng.normal(shape, 0.0, std::sqrt(2.0 / (fan(shape, 0) + fan(shape, 1))));
  };
}

Init lecun_uniform() {
  return [](Rng& rng, const Shape& shape) {
    check_matrix("lecun_uniform", shape);
    return uniform_of_variance(rng, shape, 1.0 / fan(shape, 1));
  };
}

Init he_uniform(double slope) {
  check_slope("he_uniform", slope);
  return [slope](Rng& rng, const Shape& shape) {
    check_matrix("he_uniform", shape);
    return uniform_of_variance(rng, shape, 2.0 / ((1.0 + slope * slope) * fan(shape, 1)));
  };
}

Init glorot_uniform() {
  return [](Rng& rng, const Shape& shape) {
    check_matrix("glorot_uniform", shape);
    return uniform_of_variance(rng, shape, 2.0 / (fan(shape, 0) + fan(shape, 1)));
  };
}

Init ntk_normal() { return normal(1.0); }

Init orthogonal(double gain) {
  if (!std::isfinite(gain))
    throw DomainError(fmt::format("[orthogonal] gain {}; give a finite number", gain));
  return [gain](Rng& rng, const Shape& shape) {
    if (shape.rank() != 2 || shape.size() == 0)
      throw ShapeError(
          fmt::format("[orthogonal] the parameter is {}; it must be a weight [out, in]", shape.to_string()));
    const Index out = shape[0], in = shape[1], length = std::max(out, in);
    const std::vector<double> vectors = draw_orthonormal(rng, std::min(out, in), length);
    Tensor weight = detail::uninitialized(shape);
    double* w = detail::mutable_data(weight);
    for (Index i = 0; i < out; ++i)
      for (Index j = 0; j < in; ++j)
        *w++ = gain * vectors[static_cast<std::size_t>(out <= in ? i * length + j : j * length + i)];
    return weight;
  };
}

Init paired_rows(Init init) {
  check_given("paired_rows", init);
  return [init = std::move(init)](Rng& rng, const Shape& shape) {
    if (shape.rank() == 0 || shape[0] % 2 != 0)
      throw ShapeError(fmt::format("[paired_rows] the parameter is {}; it must have an even number of rows",
                                   shape.to_string()));
    const Tensor drawn = draw("paired_rows", init, rng, shape);
    Tensor paired = Tensor::from(drawn.data(), shape);
    double* row = detail::mutable_data(paired);
    const Index pairs = shape[0] / 2, width = pairs == 0 ? 0 : shape.size() / shape[0];
    for (Index j = 0; j < pairs; ++j, row += 2 * width) std::copy(row, row + width, row + width);
    return paired;
  };
}

Init opposed_columns(Init init) {
  check_given("opposed_columns", init);
  return [init = std::move(init)](Rng& rng, const Shape& shape) {
    if (shape.rank() != 2 || shape[1] % 2 != 0)
      throw ShapeError(
          fmt::format("[opposed_columns] the parameter is {}; it must be [out, in] with an even number of "
                      "columns",
                      shape.to_string()));
    const Tensor drawn = draw("opposed_columns", init, rng, shape);
    Tensor opposed = Tensor::from(drawn.data(), shape);
    double* a = detail::mutable_data(opposed);
    for (Index k = 0; k < shape.size(); k += 2) a[k + 1] = -a[k];
    return opposed;
  };
}

}  // namespace cotangent::nn
