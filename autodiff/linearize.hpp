// The first-order model of a function around a point, as a function that trains like any other.
#pragma once
#include <memory>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent {

namespace detail {
class LinearMap;
}

/// w -> f(w0) + J (w - w0), J = df/dw at w0.
///
/// Shapes: w as w0 -> as f(w0). Linear in w: its gradient is J^T c, its second derivatives are 0.
/// Cost: f is recorded once, when this is made, with its pullback (about three forward passes and twice the
/// memory of a gradient's record, kept as long as a copy or a tape that used it lives); a call then costs one
/// pass of two products a layer, and so does its gradient.
/// Throws: ShapeError if w is not like w0. Belongs to the thread that made it.
class Linearized {
 public:
  Var operator()(const Var& w) const;
  /// J v, by one such pass. Shapes: v as w0 -> as f(w0). Throws: ShapeError if v is not like w0.
  Var times(const Var& v) const;
  /// f(w0) and w0.
  const Tensor& value() const noexcept { return value_; }
  const Tensor& point() const noexcept { return point_; }

 private:
  friend Linearized linearize(VarFunction, const Tensor&);
  std::shared_ptr<const detail::LinearMap> jacobian_;
  Tensor value_;
  Tensor point_;
};
Linearized linearize(VarFunction f, const Tensor& w0);
Linearized linearize(VarFunction f, const Params& w0);

/// (w, X) -> f(w0, X) + J(X) (w - w0): the linearised network, a model like the one it was made of.
///
/// Shapes: as f's. For a tracked X it is differentiable in X too, by f's own operations.
/// Cost: as Linearized, which it makes anew for every X but the last one seen: calls on the same X (full
/// batches) record once, minibatches record each time. A tracked X costs a jvp recorded on its tape a call.
/// It owns a copy of f. Per-sample derivatives take the slow exact way, for w - w0 is an operation on w; they
/// are f's own at w0, whatever w. Belongs to the thread that made it.
/// Throws: ShapeError if w is not like w0.
class LinearizedModel {
 public:
  using Model = Function<Var(const Var& w, const Var& x)>;
  Var operator()(const Var& w, const Var& x) const;

 private:
  friend LinearizedModel linearize(Model, const Params&);
  struct Last;
  Model f_;
  Tensor point_;
  std::shared_ptr<Last> last_;
};
LinearizedModel linearize(LinearizedModel::Model f, const Params& w0);

}  // namespace cotangent
