// Normal numbers, scaled.
#include "optim/parts/directions.hpp"

#include <cmath>
#include <utility>

#include "autodiff/tensor/access.hpp"

namespace cotangent::optim {

Params on_sphere(const Params& like, double radius, Rng& rng) {
  for (;;) {
    Tensor u = detail::uninitialized(like.flat().shape());
    double* numbers = detail::mutable_data(u);
    double square = 0.0;
    for (Index j = 0; j < like.size(); ++j) {
      numbers[j] = rng.normal();
      square += numbers[j] * numbers[j];
    }
    if (square > 0.0) return (radius / std::sqrt(square)) * like.with(std::move(u));
  }
}

Params in_ball(const Params& like, double radius, Rng& rng) {
  const double share = std::pow(rng.uniform(), 1.0 / static_cast<double>(like.size()));
  return on_sphere(like, radius * share, rng);
}

}  // namespace cotangent::optim
