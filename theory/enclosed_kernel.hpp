// Tangent kernels and smallest eigenvalues as ball arithmetic proves them, rounding and all.
#pragma once
#include <string>
#include <vector>

#include "enclose/enclosure.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent::theory {

struct EncloseKernelOptions {
  /// As in KernelOptions.
  std::vector<std::string> params = {};
  EncloseOptions enclose = {};
};

/// The tangent kernel K = J J^T of f at w, every entry between bounds that hold for the exact function: rows
/// of J are recorded gradients of each sample's outputs, as per_sample_jacobian has them, and their products
/// are taken in balls. In a box of weights: bounds for every w in it.
///
/// Shapes: X [n, ...], f(w, X) [n] or [n, C] -> [n C, n C]; the box's corners [P].
/// Cost: n C gradients and their products in balls, 100 to 200 times those of doubles; all of them stand on
/// one record.
/// Throws: as enclose; ShapeError if f(w, X[i:i+1]) is not [1] or [1, C]; DomainError for a pattern that
/// nothing matches.
/// Source: Jacot, Gabriel, Hongler 2018.
Enclosure enclose_tangent_kernel(ModelFunction f, const Params& w, const Tensor& x,
                                 const EncloseKernelOptions& options = {});
/// `table` names the numbers of the box for .params.
Enclosure enclose_tangent_kernel(ModelFunction f, const Box& box, const Params& table, const Tensor& x,
                                 const EncloseKernelOptions& options = {});

/// lambda_min(K) > mu for every symmetric K within its bounds: certified where K - mu I has a Cholesky factor
/// in balls; refuted where a vector v, the witness, has v^T K v <= mu v^T v for each such K; else
/// inconclusive. enclosure_of(K) makes an enclosure of exact numbers.
///
/// Numbers: "lower" and "upper", bounds of lambda_min; "bits" of K.
/// Shapes: K [n, n].
/// Cost: some ten to thirty Cholesky factors in balls and the eigenvectors of K in doubles.
/// Throws: ShapeError unless K is square and not empty; DomainError if K(i, j) and K(j, i) cannot be one
/// number, or for mu that is not finite.
/// Source: S. M. Rump 2006, verification of positive definiteness.
Verdict certify_positive_definite(const Enclosure& k, double mu = 0.0);

}  // namespace cotangent::theory
