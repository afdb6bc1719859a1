// Positive homogeneity and Euler's identity (O32).
#pragma once
#include "theory/falsifier.hpp"

namespace cotangent::theory {

/// <grad f(w), w> = L f(w), as for every L-positively homogeneous f, f(c w) = c^L f(w) for c > 0: looked for a
/// counterexample to, within a relative 1e-10, around `w`.
///
/// A two-layer leaky ReLU net is 1-homogeneous in W; a network of L layers without biases is L-homogeneous in all
/// weights. At a kink any subgradient the engine takes will do, if it is the one the value is made of.
/// Shapes: f: [P] -> [].
/// Cost: as falsify.
/// Throws: as falsify; DomainError if the degree is not finite.
/// Source: proxy (lecture 000), O32; the lecture's g(c w) = c L g(w) has lost the power.
Verdict check_homogeneity(const Function<Var(const Var& w)>& f, double degree, const Params& w, Rng& rng,
                          const FalsifyOptions& options = {});

}  // namespace cotangent::theory
