// Problems: objectives of which much is known, to try optimizers and theorems on.
#pragma once
#include <optional>
#include <string>

#include "autodiff/rng.hpp"
#include "optim/objective.hpp"

namespace cotangent::optim {

/// A number that belongs to a problem: itself, or a bound on it.
struct Known {
  double value;
  bool exact = true;
};

/// An objective with what is known of it; what is not known is left out.
struct Problem {
  std::string name;
  FiniteSum f;
  Params start;
  std::optional<Known> optimum = std::nullopt;               // f*; a bound lies below it
  std::optional<Known> smoothness = std::nullopt;            // L of f; bounds lie above
  std::optional<Known> component_smoothness = std::nullopt;  // Lmax: the largest L of a component
  /// The least L with mean_i |grad f_i(u) - grad f_i(v)|^2 <= L^2 |u - v|^2: PAGE's.
  std::optional<Known> mean_smoothness = std::nullopt;
  std::optional<Known> mu = std::nullopt;  // PL: 2 mu (f - f*) <= |grad f|^2; bounds lie below
  /// The minimiser that is nearest to a point.
  Function<Params(const Params& w)> nearest = {};
};

struct LeastSquaresOptions {
  Index samples = 2000;
  Index dimension = 50;
  /// Eigenvalues of the Hessian: 1 / condition^(j / (d - 1)), j = 0 .. d - 1.
  double condition = 100.0;
  /// Deviation of e in y = X w + e; 0: the system is consistent, and f* = 0.
  double noise = 1.0;
};
/// f(w) = (1/2n) |X w - y|^2 with X = sqrt(n) U diag(h)^(1/2) V^T, U [n, d] and V [d, d] orthonormal from
/// normal matrices, y = X w + e with w normal; from 0. Exact: L = 1, mu = 1 / condition, f*, the components'
/// smoothnesses |x_i|^2. Throws: DomainError unless n >= d >= 2, condition >= 1 and noise >= 0.
/// Source: additions.md 6.3.
Problem least_squares_problem(Rng& rng, const LeastSquaresOptions& options = {});

/// 1/2 sum_j lambda_j w_j^2 from `start`. Throws: DomainError unless every lambda is positive, ShapeError
/// unless the two have one shape [d].
Problem diagonal_quadratic(const Tensor& lambda, const Tensor& start);

/// (1 - x)^2 / 2 + 50 (y - x^2)^2 from (-1.2, 1): half the sum of two squares; f* = 0 at (1, 1).
/// Source: Rosenbrock 1960.
Problem rosenbrock_problem();

/// (1/n) sum_i a_i / 2 (w - b_i)^2 on the line. Throws: ShapeError unless a and b are [n]; DomainError unless
/// a > 0.
Problem parabolas(const Tensor& a, const Tensor& b, double start);

/// Mean logistic loss of <w, x_i> with labels y_i in {-1, 1}, plus weight / 2 |w|^2; from 0. The smoothness
/// lambda_max(X^T X) / 4n + weight is exact; mu >= weight. Source: ece826; optimisation.md O25.
/// Throws: ShapeError unless X is [n, d], y [n]; DomainError on other labels or a weight that is not
/// positive.
Problem logistic_problem(const Tensor& x, const Tensor& y, double weight);

}  // namespace cotangent::optim
