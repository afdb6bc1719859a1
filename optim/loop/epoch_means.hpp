// What an epoch's row says of its iterations: the mean value, and the root mean square of the gradient's
// norm.
#pragma once
#include <cmath>

#include "optim/state.hpp"

namespace cotangent::optim {

/// Means weighted by the batches' sizes.
class EpochMeans {
 public:
  void add(double weight, double value, double norm) {
    weight_ += weight;
    values_ += weight * value;
    // Squares are those of norm / unit: 1, unless norms are so far from it that squares would leave the
    // range of doubles.
    if (std::isfinite(norm) &&
        (norm > 1e100 * unit_ || (squares_ == 0.0 && norm > 0.0 && norm < 1e-100 * unit_))) {
      const double shrunk = unit_ / norm;
      squares_ *= shrunk * shrunk;
      unit_ = norm;
    }
    const double scaled = norm / unit_;
    squares_ += weight * scaled * scaled;
  }
  double value() const { return values_ / weight_; }
  double gradient_norm() const { return unit_ * std::sqrt(squares_ / weight_); }
  void visit(State& state) {
    state("weight", weight_);
    state("values", values_);
    state("squares", squares_);
    state("unit", unit_);
  }

 private:
  double weight_ = 0.0, values_ = 0.0, squares_ = 0.0, unit_ = 1.0;
};

}  // namespace cotangent::optim
