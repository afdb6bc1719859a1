// The hard margin of linearly separable data without a bias, by a small exact solver.
#pragma once
#include <vector>

#include "autodiff/tensor.hpp"

namespace cotangent::theory {

/// max over |v| = 1 of min_i y_i <v, x_i>, bracketed.
struct HardMargin {
  Tensor direction;  // [d], |v| = 1 to rounding; empty if the data are not separable
  /// min_i y_i <v, x_i> / |v| for this v, rounded down: certainly at most the exact margin.
  double margin = 0.0;
  /// |sum_i lambda_i y_i x_i| for weights lambda >= 0 of sum 1: no direction has a larger margin. Rounded up.
  double upper = 0.0;
  Tensor weights;  // [n], lambda: positive at the support vectors
  /// Whether the data certainly are separable, and whether they certainly are not. Where margin <= 0 < upper
  /// neither is known: the numbers leave it open.
  bool separable() const noexcept { return margin > 0.0; }
  bool inseparable() const noexcept { return !(upper > 0.0); }
};

/// y_i <v, x_i> / |v| for every sample, bracketed: certainly at least `lower` and at most `upper`.
struct DirectionMargins {
  std::vector<double> lower, upper;
};

/// The point of smallest norm in the convex hull of y_i x_i, whose direction has the largest margin and whose
/// norm is that margin. Where the hull holds 0 nothing separates the data; upper is then 0 if that is proved:
/// by weights whose combination is 0 exactly, or by d + 1 samples around 0 of which none can be moved away by
/// what the combination is off. Margins below about 1e-8 of the longest x_i drown in the rounding of inner
/// products: `upper` then stays above `margin`, and a direction of one's own may do better (margin_of).
///
/// Shapes: X [n, d]; y [n] or [n, 1] of -1 and +1.
/// Cost: O(n d) and a Cholesky factorisation of the support's Gram matrix a step; steps are
/// about as many as support vectors.
/// Throws: ShapeError; DomainError for labels that are not -1 or +1, numbers that are not finite, no sample.
/// Source: Wolfe 1976 (the nearest point in a polytope).
HardMargin hard_margin(const Tensor& x, const Tensor& y);

/// The margins of a direction of one's own. Shapes: v [d]. Throws: as margin_of.
DirectionMargins margins_of(const Tensor& direction, const Tensor& x, const Tensor& y);

/// min_i y_i <v, x_i> / |v|, rounded down, for a direction of one's own. Shapes: v [d]. Throws: as
/// hard_margin, and DomainError if v is zero.
double margin_of(const Tensor& direction, const Tensor& x, const Tensor& y);

}  // namespace cotangent::theory
