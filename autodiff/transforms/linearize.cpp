// Linearisation: a record of f and of its pullback, of which every call uses only products with J and J^T.
#include "autodiff/linearize.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/linear_map.hpp"
#include "autodiff/transforms/recorded_pullback.hpp"

namespace cotangent {
namespace {

/// J at w0. The tape's scratch memory changes under a pass, its record does not.
class RecordedJacobian final : public detail::LinearMap {
 public:
  RecordedJacobian(VarFunction f, const Tensor& w0)
      : w_(tape_.input(w0)), pullback_("linearize", detail::VarAccess::state(tape_), f(w_), w_) {}

  const Tensor& value() const { return pullback_.y().value(); }
  Tensor times(const Tensor& v) const override { return pullback_.times(v, false).value(); }
  Tensor transposed_times(const Tensor& c) const override { return tape_.vjp(pullback_.y(), c, w_).value(); }
  Shape input() const override { return w_.shape(); }
  Shape output() const override { return pullback_.y().shape(); }

 private:
  mutable Tape tape_;
  Var w_;
  detail::RecordedPullback pullback_;
};

void check_like(const Shape& w, const Shape& w0) {
  if (!(w == w0))
    throw ShapeError(fmt::format("[linearize] w is {}, the point w0 is {}; give w the same shape",
                                 w.to_string(), w0.to_string()));
}

}  // namespace

Linearized linearize(VarFunction f, const Tensor& w0) {
  Linearized result;
  const auto jacobian = std::make_shared<const RecordedJacobian>(f, w0);
  result.value_ = jacobian->value();
  result.point_ = w0;
  result.jacobian_ = jacobian;
  return result;
}
Linearized linearize(VarFunction f, const Params& w0) { return linearize(f, w0.flat()); }

Var Linearized::operator()(const Var& w) const {
  check_like(w.shape(), point_.shape());
  return value_ + times(w - point_);
}

Var Linearized::times(const Var& v) const { return detail::times(jacobian_, v); }

/// The last X holds its numbers, so equal addresses mean equal samples.
struct LinearizedModel::Last {
  Tensor x;
  Linearized linear;
  bool filled = false;
};

LinearizedModel linearize(LinearizedModel::Model f, const Params& w0) {
  LinearizedModel result;
  result.f_ = std::move(f);
  result.point_ = w0.flat();
  result.last_ = std::make_shared<LinearizedModel::Last>();
  return result;
}

Var LinearizedModel::operator()(const Var& w, const Var& x) const {
  check_like(w.shape(), point_.shape());
  if (x.tracked()) {
    const auto [value, tangent] = jvp([&](const Var& at) { return f_(at, x); }, lift(point_, x), w - point_);
    return value + tangent;
  }
  Last& last = *last_;
  const Tensor& now = x.value();
  const bool same = last.filled && last.x.shape() == now.shape() && last.x.data().data() == now.data().data();
  if (!same) {
    last.linear = linearize([&](const Var& at) { return f_(at, x); }, point_);
    last.x = now;
    last.filled = true;
  }
  return last.linear(w);
}

}  // namespace cotangent
