// Closed forms of the two-layer leaky ReLU net.
#include "theory/proxies/leaky_relu_margins.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/kernels/compensated.hpp"
#include "autodiff/kernels/length.hpp"
#include "autodiff/ops.hpp"

namespace cotangent::theory {

LeakyReluMargins::LeakyReluMargins(const LeakyReluProblem& problem)
    : problem_(problem), summed_(problem.x().size(0) + problem.x().size(1) + problem.net().width()) {
  const Tensor& x = problem.x();
  const auto n = static_cast<std::size_t>(x.size(0)), d = static_cast<std::size_t>(x.size(1));
  for (std::size_t i = 0; i < n; ++i) {
    const std::span<const double> row = x.data().subspan(i * d, d);
    const Compensated separation = compensated_dot(row, problem.direction().data());
    separations_.push_back(problem.y().data()[i] * separation.value);
    separation_magnitudes_.push_back(separation.magnitude);
    lengths_.push_back(std::sqrt(compensated_dot(row, row).value));
  }
  z_.resize(n);
  magnitudes_.resize(n);
  alignments_.resize(n);
  alignment_magnitudes_.resize(n);
  norms_.resize(n);
}

void LeakyReluMargins::at(const Params& w) {
  const std::span<const double> a = problem_.net().outer().data();
  const std::size_t m = a.size();
  const double slope = problem_.slope(), steepest = std::max(1.0, slope);
  const double unit = rounding({1.0}, problem_.x().size(1));
  const Tensor weight = w["weight"], hidden = linear(problem_.x(), weight).value();  // [m, d], [n, m]
  std::vector<double> lengths;                                                       // |w_j|
  for (std::size_t j = 0, d = weight.data().size() / m; j < m; ++j) {
    const std::span<const double> row = weight.data().subspan(j * d, d);
    lengths.push_back(kernel::length(row.data(), static_cast<Index>(d)));
  }
  for (std::size_t i = 0; i < z_.size(); ++i) {
    const double* u = hidden.data().data() + i * m;
    double f = 0.0, magnitude = 0.0, share = 0.0, square = 0.0;
    for (std::size_t j = 0; j < m; ++j) {
      const double derivative = u[j] >= 0.0 ? 1.0 : slope, term = a[j] * derivative * u[j];
      f += term;
      const bool known = std::fabs(u[j]) > unit * lengths[j] * lengths_[i];  // on which side of the kink
      magnitude += std::fabs(a[j]) * (known ? derivative : steepest) * lengths[j];
      share += a[j] * a[j] * derivative;
      square += a[j] * a[j] * derivative * derivative;
    }
    z_[i] = problem_.y().data()[i] * f;
    magnitudes_[i] = magnitude * lengths_[i];
    alignments_[i] = share * separations_[i];
    alignment_magnitudes_[i] = share * separation_magnitudes_[i];
    norms_[i] = std::sqrt(square) * lengths_[i];
  }
}

double LeakyReluMargins::largest_rounding() const {
  return rounded(0.0, *std::max_element(magnitudes_.begin(), magnitudes_.end()), summed_).error();
}

double LeakyReluMargins::mean_rounding() const {
  double sum = 0.0;
  for (const double m : magnitudes_) sum += rounded(0.0, m, summed_).error();
  return sum / static_cast<double>(size());
}

Measured LeakyReluMargins::mean_slope() const {
  double sum = 0.0;
  for (Index i = 0; i < size(); ++i) sum -= slope(i);
  const Measured mean = rounded(sum / static_cast<double>(size()));
  return within(mean.value(), mean.error() + 0.25 * mean_rounding());  // |l''| <= 1/4
}

double LeakyReluMargins::mean_pull() const {
  double sum = 0.0;
  for (Index i = 0; i < size(); ++i) sum -= slope(i) * alignment_magnitude(i);
  return sum / static_cast<double>(size());
}

Measured LeakyReluMargins::error() const {
  Index fewest = 0, most = 0;
  for (std::size_t i = 0; i < z_.size(); ++i) {
    const double error = rounded(z_[i], magnitudes_[i], summed_).error();
    fewest += z_[i] <= -error;
    most += !(z_[i] > error);
  }
  const Measured n = exact(static_cast<double>(size()));
  if (fewest == most) return exact(static_cast<double>(most)) / n;
  const double sum = static_cast<double>(fewest + most), range = static_cast<double>(most - fewest);
  return within(0.5 * sum, 0.5 * range) / n;
}

}  // namespace cotangent::theory
