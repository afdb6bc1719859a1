// The pullback of a function on the record. Behind jvp and all that multiplies a Jacobian from the right.
#pragma once
#include "autodiff/tape/state.hpp"

namespace cotangent::detail {

/// f's value y at `at`, and its pullback J^T u by a cotangent u, which are all on the record. The pullback is
/// linear in u, so its derivative by u along v is J v, whatever u is; here u is 0.
/// Shapes: at [s], y and u [t], pulled [s].
class RecordedPullback {
 public:
  /// Errors begin with `transform`. The tape must outlive this.
  RecordedPullback(const char* transform, TapeState& tape, const Var& y, const Var& at);

  const Var& y() const { return y_; }
  const Var& pulled() const { return pulled_; }
  /// J v; with create_graph it is on the record itself.
  Var times(const Var& v, bool create_graph) const { return times(pulled_, v, create_graph); }
  /// The same for anything else that is linear in u: `linear`, of v's shape, instead of J^T u.
  Var times(const Var& linear, const Var& v, bool create_graph) const;
  /// Column k of J, of y's shape.
  Var column(Index k, bool create_graph) const;

 private:
  const char* transform_;
  TapeState& tape_;
  Var y_;
  Var u_;
  Var pulled_;
};

/// Zeros of this shape but for a 1 at one flat position.
Tensor one_hot(const Shape& shape, Index position);

}  // namespace cotangent::detail
