// Closed forms of the two-layer leaky ReLU net.
#include "theory/leaky_relu_margins.hpp"

#include <cmath>

#include "autodiff/ops.hpp"
#include "theory/compensated.hpp"

namespace cotangent::theory {

LeakyReluMargins::LeakyReluMargins(const LeakyReluProblem& problem) : problem_(problem) {
  const Tensor& x = problem.x();
  const auto n = static_cast<std::size_t>(x.size(0)), d = static_cast<std::size_t>(x.size(1));
  for (std::size_t i = 0; i < n; ++i) {
    const std::span<const double> row = x.data().subspan(i * d, d);
    separations_.push_back(problem.y().data()[i] * compensated_dot(row, problem.direction().data()).value);
    lengths_.push_back(std::sqrt(compensated_dot(row, row).value));
  }
  z_.resize(n);
  magnitudes_.resize(n);
  alignments_.resize(n);
  norms_.resize(n);
}

void LeakyReluMargins::at(const Params& w) {
  const std::span<const double> a = problem_.net().outer().data();
  const std::size_t m = a.size();
  const double slope = problem_.slope();
  const Tensor hidden = linear(problem_.x(), w["weight"]).value();  // [n, m]
  for (std::size_t i = 0; i < z_.size(); ++i) {
    const double* u = hidden.data().data() + i * m;
    double f = 0.0, magnitude = 0.0, weight = 0.0, square = 0.0;
    for (std::size_t j = 0; j < m; ++j) {
      const double derivative = u[j] >= 0.0 ? 1.0 : slope, term = a[j] * derivative * u[j];
      f += term;
      magnitude += std::fabs(term);
      weight += a[j] * a[j] * derivative;
      square += a[j] * a[j] * derivative * derivative;
    }
    z_[i] = problem_.y().data()[i] * f;
    magnitudes_[i] = magnitude;
    alignments_[i] = weight * separations_[i];
    norms_[i] = std::sqrt(square) * lengths_[i];
  }
}

}  // namespace cotangent::theory
