// The setting of the leaky ReLU theorem: a two-layer net, samples, and a direction that separates them (O33).
#pragma once
#include <optional>

#include "autodiff/params.hpp"
#include "autodiff/tape.hpp"
#include "nn/two_layer.hpp"
#include "theory/margin.hpp"
#include "theory/proof.hpp"
#include "theory/proxies.hpp"

namespace cotangent::theory {

/// A net f(x; W) = sum_j a_j phi(<w_j, x>), samples, and a direction v* that separates them: y_i
/// <v*, x_i> >= gamma.
///
/// Shapes: X [n, d], y [n] or [n, 1] of -1 and +1, v* [d].
/// Throws: ShapeError; DomainError for other labels, numbers that are not finite, no sample.
class LeakyReluProblem {
 public:
  /// With v* and gamma of the hard margin, gamma rounded down.
  LeakyReluProblem(const nn::TwoLayer& net, const Tensor& x, const Tensor& y);
  /// With a v* of one's own, and its gamma (rounded down) or a claimed one, which is then
  /// a hypothesis to verify.
  LeakyReluProblem(const nn::TwoLayer& net, const Tensor& x, const Tensor& y, const Tensor& direction,
                   std::optional<double> margin = std::nullopt);

  const nn::TwoLayer& net() const noexcept { return net_; }
  const Tensor& x() const noexcept { return x_; }  // [n, d]
  const Tensor& y() const noexcept { return y_; }  // [n, 1]
  /// v*, [d]; empty if there is none.
  const Tensor& direction() const noexcept { return direction_; }
  /// gamma, and alpha, phi's slope below 0 (NaN for another activation).
  double margin() const noexcept { return margin_; }
  double slope() const noexcept { return slope_; }

  /// Lhat(W) = (1/n) sum_i log(1 + exp(-y_i f(x_i; W))). Shapes: w [m d] -> [].
  Var risk(const Var& w) const;
  /// V: row j is rho a_j v*, so that |V|_F = rho.
  Params reference(double rho) const;
  /// (Lhat, l(rho alpha gamma), V): what O34 says Lhat is proxy convex with.
  ProxyConvexity proxy(double rho) const;
  /// Adds what the theorem presupposes of the net and the data: phi is a leaky ReLU, 0 < alpha <= 1, |a_j| =
  /// 1/sqrt(m), |x_i| <= 1, gamma > 0, |v*| = 1, y_i <v*, x_i / |v*|> >= gamma. Lengths are asked for to 8
  /// units in the last place, since numbers like 1/sqrt(m) are no doubles; each hypothesis is then certain.
  /// Where the numbers leave open whether the data are separable, so is gamma > 0.
  void hypotheses(Proof& proof) const;
  /// A number certainly at most y_i <grad f(x_i; W), V> for every i and W, rho alpha gamma but for what the
  /// lengths of a and v* are off, and rounding.
  Measured level(double rho) const;
  /// Throws: ShapeError, naming the operation, unless w0 is a start for this net; DomainError if
  /// it is not finite.
  void check_start(const char* operation, const Params& w0) const;

 private:
  nn::TwoLayer net_;
  Tensor x_, y_, direction_;
  double margin_;
  Measured separation_;       // gamma, or where it lies
  DirectionMargins margins_;  // of the direction
  double slope_;
};

}  // namespace cotangent::theory
