// prove: a claim about every point of a box in one to three dimensions becomes a theorem, or is refuted.
#pragma once
#include <string>
#include <vector>

#include "enclose/enclosure.hpp"
#include "report/figure.hpp"
#include "theory/falsifier.hpp"

namespace cotangent::theory {

struct ProveOptions {
  /// Boxes looked at, at most.
  Index boxes = 100'000;
  /// A box is left undecided once no edge is longer than this share of the given box's.
  double smallest = 1e-9;
  /// Points where both sides meet, [P] each: there the claim is proved by second derivatives. Corners of
  /// boxes are tried without being named.
  std::vector<Tensor> touching = {};
  int bits = 64;
  bool progress = false;
};

/// certified: rhs - lhs >= 0 (of a strict claim > 0) on the whole box, so that the claim is a theorem there;
/// refuted: a point at which the enclosure of rhs - lhs lies below 0; inconclusive: boxes are left of which
/// neither is known, because the numbers of boxes are spent or the sides touch. `verdict.boxes` has them, and
/// plot_margin draws them.
///
///   prove(pointwise("log cosh w <= w^2/2", …), {Tensor{0.01}, Tensor{20.0}})
///
/// A box is decided by the enclosure d of rhs - lhs on it; by the mean value form d(c) + d'(box) (w - c),
/// which kinks do not invalidate, but jumps do; by d(c) + d'(c) (w - c) + (w - c)' d''(box) (w - c) / 2 at
/// corners and where the sides touch, whose last term a convex d may do without; else it is halved where d
/// changes most. The boxes of the least bounds come first. What leaves the record counts as exact data (see
/// enclose.hpp), and branches of the sides on numbers of w are taken as they are at the middle of the given
/// box.
/// Cost: some 20 us a box and one-line claim; in P dimensions 2^(2P) times as many boxes for a margin half as
/// large.
/// Throws: DomainError for an identity, a box that is not of one to three dimensions, options outside their
/// ranges, an operation without enclosure, a side whose error is an estimate; as enclose for the box.
/// Source: R. Moore, R. Kearfott, M. Cloud, Introduction to Interval Analysis (2009), ch. 6; G. Lebourg
/// (1975) for the mean value theorem of functions with kinks.
Verdict prove(const PointwiseClaim& claim, const Box& box, const ProveOptions& options = {});

/// In one dimension rhs - lhs over the box, as computed at 500 points, in two and three its undecided boxes
/// in the plane of the first two coordinates; undecided boxes and the counterexample are marked.
/// Throws: DomainError unless the verdict is prove's; as report::plot.
report::Drawn plot_margin(const std::string& path, const PointwiseClaim& claim, const Verdict& verdict);

}  // namespace cotangent::theory
