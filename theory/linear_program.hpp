// Linear programs, solved by Clp; whatever the solver says comes with the residuals that bear it out.
#pragma once
#include <optional>
#include <string>

#include "autodiff/tensor.hpp"

namespace cotangent::theory {

/// min <c, x> over the x of R^n with A x <= b, A_eq x = b_eq and lower <= x <= upper, of which any may be
/// left out; a bound may be infinite, and without bounds x is free.
struct LinearProgram {
  Tensor c;                                                          // [n]
  std::optional<Tensor> a = std::nullopt, b = std::nullopt;          // [m, n], [m]
  std::optional<Tensor> a_eq = std::nullopt, b_eq = std::nullopt;    // [k, n], [k]
  std::optional<Tensor> lower = std::nullopt, upper = std::nullopt;  // [n]
};

enum class LinearStatus { optimal, infeasible, unbounded };
const char* to_string(LinearStatus status) noexcept;

/// What became of a linear program. The last four numbers are recomputed by compensated arithmetic.
struct LinearSolution {
  LinearStatus status = LinearStatus::optimal;
  /// [n]. optimal: the minimiser. unbounded: a direction along which <c, x> falls for ever, of largest entry
  /// 1 in magnitude. infeasible: empty.
  Tensor x;
  /// Multipliers lambda >= 0 of A x <= b, [m], and nu of A_eq x = b_eq, [k]. optimal: the duals. infeasible:
  /// Farkas's certificate, sum lambda + sum |nu| = 1. unbounded: empty.
  Tensor multipliers, multipliers_eq;

  /// <c, x>; NaN if infeasible.
  double value = 0.0;
  /// The most by which x breaks a constraint; of a direction, a constraint with b, b_eq and finite bounds 0.
  double violation = 0.0;
  /// inf over lower <= x <= upper of <g, x> - <lambda, b> - <nu, b_eq>, g = c + A^T lambda + A_eq^T nu: by
  /// duality at most the minimum. infeasible: the same with c = 0, where a positive number shows that no x
  /// is feasible. -inf if unbounded.
  double bound = 0.0;
  /// The largest |g_j| that `bound` passes over because x_j has no bound on that side: 0 makes it a
  /// theorem, but for its own rounding.
  double residual = 0.0;

  std::string to_string() const;
};

/// Solves a linear program by Clp's simplex methods. An answer is returned only if it holds up to
/// 1e-7 of the numbers it is made of: x keeps the constraints, the multipliers are dual to them, and
/// value and bound agree.
///
/// Cost: a simplex method's, mostly a small multiple of m + k pivots.
/// Throws: ShapeError for shapes that do not fit, or A without b; DomainError for numbers that are not finite
/// (bounds may be infinite) or beyond 1e20, lower above upper, or a program to which no answer holds.
/// Source: Forrest, Lougee-Heimer 2005 (Clp); Farkas 1902.
LinearSolution linear_program(const LinearProgram& program);

}  // namespace cotangent::theory
