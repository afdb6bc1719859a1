// Closed forms of the two-layer leaky ReLU net at one W (O33), next to the engine's: for the checks' own use.
#pragma once
#include <vector>

#include "theory/leaky_relu_problem.hpp"

namespace cotangent::theory {

/// z_i = y_i f(x_i; W) and what the proofs need of grad f(x_i; W) = D a x_i^T, D = diag(phi'(<w_j, x_i>)).
class LeakyReluMargins {
 public:
  explicit LeakyReluMargins(const LeakyReluProblem& problem);

  /// Moves to W. Cost: one product X W^T, and O(n m).
  void at(const Params& w);

  Index size() const noexcept { return static_cast<Index>(z_.size()); }
  /// z_i.
  double margin(Index i) const { return z_[static_cast<std::size_t>(i)]; }
  /// l(z_i) and l'(z_i), l the logistic loss.
  double loss(Index i) const { return nn::log_loss(margin(i)); }
  double slope(Index i) const { return nn::log_loss_slope(margin(i)); }
  /// sum_j |a_j| phi'_ij |w_j| |x_i|, at least the sum of the magnitudes z_i is made of, from which its
  /// rounding follows; phi' is the greater slope where rounding may have hidden the sign of <w_j, x_i>.
  double magnitude(Index i) const { return magnitudes_[static_cast<std::size_t>(i)]; }
  /// How far rounding may have moved z_i, at most and on the average.
  double largest_rounding() const;
  double mean_rounding() const;
  /// y_i <grad f(x_i; W), V> for V of rows a_j v*: y_i <v*, x_i> sum_j a_j^2 phi'_ij.
  double alignment(Index i) const { return alignments_[static_cast<std::size_t>(i)]; }
  /// The same with |v*_k x_ik| in place of v*_k x_ik: what alignment(i) is made of.
  double alignment_magnitude(Index i) const { return alignment_magnitudes_[static_cast<std::size_t>(i)]; }
  /// mean -l'(z_i); the mean of -l'(z_i) alignment_magnitude(i); the share of z_i <= 0, all with what the
  /// rounding of z_i does to them.
  Measured mean_slope() const;
  double mean_pull() const;
  Measured error() const;
  /// How many numbers are added up on the way to a sum over samples, units and inputs: n + m + d.
  Index summed() const noexcept { return summed_; }
  /// |grad f(x_i; W)|_F = |D a| |x_i|.
  double gradient_norm(Index i) const { return norms_[static_cast<std::size_t>(i)]; }

 private:
  const LeakyReluProblem& problem_;
  std::vector<double> separations_;  // y_i <v*, x_i>
  std::vector<double> separation_magnitudes_;
  std::vector<double> lengths_;  // |x_i|
  std::vector<double> z_, magnitudes_, alignments_, alignment_magnitudes_, norms_;
  Index summed_;
};

}  // namespace cotangent::theory
