// Kinks: how far a point is from those of a function, which of them lie between two points, and what the
// function does on either side.
#pragma once
#include <string>
#include <vector>

#include "autodiff/transforms.hpp"

namespace cotangent {

/// One element of one recorded operation with a kink, and how far its argument is from it: for relu the
/// pre-activation itself, for max and min each number they choose from. Below 0 lies the side whose
/// derivative is not the one taken at the kink.
struct KinkPoint {
  Index node = 0;  // in the record: see Tape::to_string
  std::string operation;
  std::string element;  // "[3, 1]"
  double distance = 0.0;
};

/// One recorded operation with a kink.
struct KinkOperation {
  Index node = 0;
  std::string operation;
  Shape shape;
  Index below = 0;       // elements with a distance < 0
  Index at_kink = 0;     // elements exactly at the kink
  double closest = 0.0;  // least |distance|
};

struct KinkAudit {
  std::vector<KinkOperation> operations;  // in order of the record
  std::vector<KinkPoint> closest;         // nearest first
  Index elements = 0;
  Index at_kink = 0;
  /// Operations, most of them a script's own, that do not say where they have kinks: they are not audited.
  std::vector<std::string> unknown;
  std::string to_string() const;
};

struct KinkAuditOptions {
  /// How many of the nearest elements are named.
  Index closest = 10;
};

/// The distance to its kink of every element of every operation with one that f records at w.
///
/// Only what depends on w is recorded. Distances are those of the operations' arguments, not of w.
/// Cost: a forward pass and as many numbers as there are elements.
/// Throws: DomainError if options.closest is negative; what f throws.
KinkAudit kink_audit(VarFunction f, const Params& w, const KinkAuditOptions& options = {});
KinkAudit kink_audit(VarFunction f, const Tensor& x, const KinkAuditOptions& options = {});

/// A function's value, and how far every element of every operation with a kink is from it.
struct KinkDistances {
  struct Operation {
    Index node = 0;
    std::string operation;
    Tensor distance;  // of the operation's shape, from the nearest kink where there are several
  };
  Tensor value;
  std::vector<Operation> operations;  // in order of the record
};

/// The distances behind kink_audit, as numbers: below 0 on the side whose derivative is not the one
/// taken at the kink.
/// Cost: a forward pass and as many numbers as there are elements.
KinkDistances kink_distances(VarFunction f, const Tensor& x);

/// Elements whose side differs between two points.
struct MaskFlips {
  struct Row {
    Index node = 0;
    std::string operation;
    Shape shape;
    Index flipped = 0;
  };
  std::vector<Row> operations;
  Index elements = 0;
  Index flipped = 0;
  std::string to_string() const;
};

/// The elements of operations with a kink that are on one side of it at a and on the other at b; a distance
/// of 0 counts as above.
///
/// Throws: DomainError if f records other operations or shapes at b; ShapeError unless a and b are alike.
MaskFlips mask_flips(VarFunction f, const Params& a, const Params& b);
MaskFlips mask_flips(VarFunction f, const Tensor& a, const Tensor& b);

/// Derivatives along one direction from both sides: lim (f(w + t v) - f(w)) / t for t up to and down to 0.
struct OneSided {
  double left = 0.0;
  double right = 0.0;
  Index flips = 0;  // elements whose side differs just before and just after w
  std::string to_string() const;
};

/// Both one-sided derivatives of a scalar function along v: the engine's own at w + t v for three t between w
/// and the next kink, at most 1e-5 max(1, |w_i|) / |v_i|, extrapolated to t = 0 by a parabola. They are equal
/// where f is differentiable. A kink nearer than 1e-12 max(1, |w_i|) / |v_i| counts as at w, and so does one
/// that only numbers could leave which so short a step does not change.
///
/// Shapes: f: [s] -> []; x, v [s].
/// At a kink: exact up to rounding for piecewise cubic functions, else off by t^3 fourth derivatives; where
/// the shortest step meets several pieces, off by t second derivatives.
/// Cost: at most six gradients and 60 forward passes.
/// Throws: ShapeError unless f is scalar and v like x; DomainError unless both are finite.
OneSided one_sided_derivatives(VarFunction f, const Tensor& x, const Tensor& v);
OneSided one_sided_derivatives(VarFunction f, const Params& w, const Params& v);

}  // namespace cotangent
