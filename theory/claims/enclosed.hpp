// What enclosures say of a claim at a point.
#pragma once
#include "autodiff/function.hpp"
#include "enclose/enclosure.hpp"
#include "theory/falsifier.hpp"

namespace cotangent::theory {

/// Bits are doubled until the sign of a difference and six digits of it are known, or to this many, which
/// tell e^-700 beside 1.
inline constexpr EncloseOptions kOfADifference{.bits = 128, .most_bits = 2048, .accuracy = 1e-6};

/// rhs - lhs on the record, and what constants with errors may move it by, where there are any: [1] or [2].
Var margin_on_record(const Sides& sides);

/// The two sides as computed, their difference as enclosed at w: the exact functions' at these doubles.
/// Throws: DomainError for an operation that has no enclosure, by its name; what the sides throw.
Inequality enclosed_at(FunctionRef<Sides(const Var& w)> sides, const Tensor& w);
/// Of two points at once, as of a run's start and one of its iterates.
Inequality enclosed_at(FunctionRef<Sides(const Var& v, const Var& w)> sides, const Params& v,
                       const Params& w);

/// What `enclose` says, or `computed` where it cannot.
Inequality enclosed_or(Inequality computed, FunctionRef<Inequality()> enclose);

}  // namespace cotangent::theory
