// Positive definiteness of enclosed symmetric matrices, and bounds of their smallest eigenvalue.
#pragma once
#include "enclose/enclosure.hpp"

namespace cotangent {

/// Numbers as they are, as an enclosure of radius 0.
Enclosure enclosure_of(const Tensor& exact);

/// lambda_min(K) > mu, proved for every symmetric K within its bounds: K - mu I has a Cholesky factor in
/// balls. False says nothing of lambda_min; it is false for a K that is not finite. Of k(i, j) and k(j, i)
/// the mean stands in both places.
///
/// Shapes: k [n, n]. Cost: O(n^3 / 3) products of balls; of 64 bits, twice as many up to k's own, and to
/// 4096 where it is exact, until it is proved.
/// Throws: ShapeError unless k is square and not empty; DomainError if k(i, j) and k(j, i) cannot be one
/// number, or for mu that is not finite.
/// Source: S. M. Rump 2006, verification of positive definiteness; Arb's arb_mat_cho.
bool certainly_positive_definite(const Enclosure& k, double mu = 0.0);

/// v^T K v / v^T v, an upper bound of lambda_min(K) whatever v is.
///
/// Shapes: k [n, n], v [n]. Throws: as above; DomainError for v = 0 or numbers that are not finite.
Enclosure rayleigh_quotient(const Enclosure& k, const Tensor& v);

}  // namespace cotangent
