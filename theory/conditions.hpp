// Conditions on a function or a net at one point, each with the claimed constant as a parameter: Jacobians in
// closed form (O13, O14), their rank, bounds on the tangent kernel's smallest eigenvalue, and PL* (O15).
#pragma once
#include <optional>

#include "autodiff/jacobian.hpp"
#include "autodiff/params.hpp"
#include "enclose/enclosure.hpp"
#include "nn/two_layer.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// J(W) = v (x) X: of f(x; W) = sum_j v_j <w_j, x>, columns j d to (j + 1) d of J are v_j X, and K = J J^T =
/// |v|^2 X X^T.
///
/// Compares the engine's J and tangent kernel with the closed form: certified at this W if they differ by at
/// most `accuracy` of the largest entry. Hypothesis: phi is the identity (a leaky ReLU of slope 1).
/// Shapes: w [m d], X [n, d].
/// Throws: as per_sample_jacobian; DomainError unless accuracy is positive.
/// Source: ece826 (lecture 003), O13; the lecture's J is ours transposed.
Verdict check_linear_jacobian(const nn::TwoLayer& net, const Params& w, const Tensor& x,
                              double accuracy = 1e-12);

/// J(W) = [v_j phi'(<w_j, x_i>) x_i] and K(W) = (X X^T) o B, B = D D^T, d_ij = v_j phi'(<w_j, x_i>): the same
/// for any activation, phi' being the engine's derivative of it.
///
/// Throws: as check_linear_jacobian.
/// Source: ece826 (lecture 003), O14.
Verdict check_leaky_relu_jacobian(const nn::TwoLayer& net, const Params& w, const Tensor& x,
                                  double accuracy = 1e-12);

/// claimed <= rank J(w). Eigenvalues of J J^T, enclosed, that certainly are not 0 are counted from below,
/// rows and columns of J whose enclosure is not 0 from above; between the two it is inconclusive.
///
/// Shapes: f(w, X) [n] or [n, C].
/// Throws: as per_sample_jacobian; DomainError if claimed is negative.
/// Source: ece826 (lecture 003), O13, O14.
Verdict check_jacobian_rank(ModelFunction f, const Params& w, const Tensor& x, Index claimed);

struct KernelBoundOptions {
  /// Below phi' everywhere, so that the bound is slope^2 |v|^2 lambda_min(X X^T), the same for every W; its
  /// being so at this W is then a hypothesis. Unless set, the bound is lambda_min(X X^T) min_i B_ii.
  std::optional<double> slope = std::nullopt;
  /// The lower bound that is claimed; unless set, the theorem's.
  std::optional<double> claimed = std::nullopt;
};

/// claimed <= lambda_min(K(W)) for the tangent kernel of a two-layer net: with it, half the sum of squares
/// satisfies PL* at W.
///
/// Series, numbers: "bound", the theorem's; "lambda_min".
/// Throws: as per_sample_jacobian.
/// Source: ece826 (lecture 003), O14.
Verdict check_two_layer_bound(const nn::TwoLayer& net, const Params& w, const Tensor& x,
                              const KernelBoundOptions& options = {});

struct PlStarOptions {
  /// enclose_tangent_kernel(f, w, X), where it was made already: most of the cost.
  std::optional<Enclosure> kernel = std::nullopt;
};

/// PL* at w for all targets: 2 mu L(w) <= |grad L(w)|^2 for L = |f(w, X) - y|^2 / 2, whatever y is; that is,
/// mu <= lambda_min(K(w)), K = J J^T, whose entries are enclosed. Refuted with the targets that leave the
/// eigenvector of lambda_min as the residual ("w", "X", "targets").
///
/// Numbers: "lambda_min", and "error" of it, by Cholesky factors in balls.
/// Cost: enclose_tangent_kernel, and factors and eigenvalues of K, O((n C)^3). Where f has an operation
/// without enclosure K is only computed: then nothing is certified or refuted.
/// Throws: as tangent_kernel; DomainError if mu is not finite, or for a .kernel that is not f's at w.
/// Source: ece8101 (lecture 004), O15.
Verdict check_pl_star(ModelFunction f, const Params& w, const Tensor& x, double mu,
                      const PlStarOptions& options = {});

/// The same for targets of one's own; the two sides are enclosed. Steps: |grad L|^2 = r^T K r with r = f(w,
/// X) - y, and lambda_min |r|^2 <= r^T K r.
///
/// Shapes: y as f(w, X).
/// Throws: as above; ShapeError.
Verdict check_pl_star(ModelFunction f, const Params& w, const Tensor& x, const Tensor& y, double mu);

}  // namespace cotangent::theory
