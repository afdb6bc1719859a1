// Eigenvalues of symmetric matrices with error bounds.
#pragma once
#include <limits>
#include <string>

#include "autodiff/tensor.hpp"

namespace cotangent::theory {

/// All eigenvalues of a symmetric matrix, smallest first, with what their computation may have missed.
struct Spectrum {
  Tensor values;     // [n], ascending
  Tensor vectors;    // [n, n], column k belongs to values(k)
  Tensor residuals;  // [n], |K v_k - lambda_k v_k|_2 recomputed in the working precision
  /// Every exact eigenvalue lies within this of the computed one of the same rank: |K V - V Lambda|_F /
  /// sigma_min(V), with the rounding of the residual itself added. Computed for K divided by a power of two,
  /// so that no square leaves the range of numbers, whatever K's scale.
  double bound = 0.0;

  double smallest() const { return values(0); }
  double largest() const { return values(values.size() - 1); }
  /// largest / smallest; infinite where the smallest may be 0 or less: within the bound of it.
  double condition() const {
    return smallest() > bound ? largest() / smallest() : std::numeric_limits<double>::infinity();
  }
  std::string to_string() const;
};

/// Eigenvalues and vectors by LAPACK's dsyevr.
///
/// Shapes: K [n, n].
/// Cost: O(n^3).
/// Throws: ShapeError unless K is square and not empty; DomainError if it is not finite or
/// not symmetric to rounding.
/// Source: the bound is Kahan's, with the constant of Cao, Xie, Li 1996.
Spectrum spectrum(const Tensor& matrix);

/// What a Cholesky factorisation says of the smallest eigenvalue of a symmetric matrix.
struct PositiveDefinite {
  /// lambda_min(K) > mu is a theorem. False says nothing of lambda_min where it lies within 2 margin of mu.
  bool proved = false;
  /// The shift that outweighs whatever rounding may have done; about (n + 2) 2^-52 trace(K - mu I).
  double margin = 0.0;
  explicit operator bool() const noexcept { return proved; }
};

/// Proves lambda_min(K) > mu, if K - (mu + margin) I has a Cholesky factor in floating-point arithmetic,
/// whose rounding perturbs that matrix by less than the margin. An asymmetry within rounding is averaged and
/// enters the margin.
///
/// Shapes: K [n, n].
/// Cost: O(n^3 / 3), a fraction of spectrum's.
/// Throws: as spectrum; DomainError if mu is not finite.
/// Source: Rump 2006, Verification of positive definiteness; Higham 2002, theorem 10.3.
PositiveDefinite certify_positive_definite(const Tensor& matrix, double mu = 0.0);

}  // namespace cotangent::theory
