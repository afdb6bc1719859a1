// Curvature by pulling back and pushing forward on one record: a pullback is linear in its cotangent u, so
// what is linear in u is differentiated by u.
#include "autodiff/curvature.hpp"

#include <fmt/format.h>

#include <optional>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tape/sweep.hpp"
#include "autodiff/tensor/access.hpp"
#include "autodiff/transforms/passes.hpp"
#include "autodiff/transforms/recorded_pullback.hpp"

namespace cotangent {

using detail::alias;
using detail::live_tape;
using detail::pull_back;
using detail::RecordedPullback;
using detail::TapeState;
using detail::VarAccess;

namespace {

void check_direction(const char* operation, const Shape& v, const Shape& w) {
  if (!(v == w))
    throw ShapeError(fmt::format("[{}] the direction is {}, w is {}; give it w's shape", operation,
                                 v.to_string(), w.to_string()));
}

Var gauss_newton_on(TapeState& tape, VarFunction model, VarFunction loss, const Var& at, const Var& v,
                    bool create_graph) {
  const char* name = "gauss_newton_product";
  const RecordedPullback pullback(name, tape, model(at), at);
  const Var& y = pullback.y();
  const Var tangent = pullback.times(v, create_graph);
  const Var curved = create_graph ? hvp(loss, y, tangent) : Var(hvp(loss, y.value(), tangent.value()));
  return pull_back(name, tape, y, curved, at, create_graph);
}

}  // namespace

Tensor gauss_newton_product(VarFunction model, VarFunction loss, const Tensor& w, const Tensor& v) {
  check_direction("gauss_newton_product", v.shape(), w.shape());
  Tape tape;
  return gauss_newton_on(VarAccess::state(tape), model, loss, tape.input(w), v, false).value();
}
Params gauss_newton_product(VarFunction model, VarFunction loss, const Params& w, const Params& v) {
  return w.with(gauss_newton_product(model, loss, w.flat(), v.flat()));
}
Var gauss_newton_product(VarFunction model, VarFunction loss, const Var& w, const Var& v) {
  check_direction("gauss_newton_product", v.shape(), w.shape());
  if (w.tracked())
    return gauss_newton_on(live_tape("gauss_newton_product", w), model, loss, alias(w), v, true);
  if (v.tracked())
    return gauss_newton_on(live_tape("gauss_newton_product", v), model, loss, lift(w.value(), v), v, true);
  return gauss_newton_product(model, loss, w.value(), v.value());
}

Tensor gauss_newton_matrix(VarFunction model, VarFunction loss, const Tensor& w) {
  const Shape shape = detail::derivative_shape("gauss_newton_matrix", w.shape(), w.shape());
  const Tensor y = model(Var(w)).value();
  const Index t = y.size(), s = w.size();
  const Tensor j = jacobian(model, w).reshape(Shape{t, s});
  const Tensor h = hessian(loss, y).reshape(Shape{t, t});
  Tensor g = matmul(j, matmul(h, j), {.transpose_a = true}).value();
  double* to = detail::mutable_data(g);
  for (Index i = 0; i < s; ++i)
    for (Index k = 0; k < i; ++k) to[i * s + k] = to[k * s + i] = 0.5 * (to[i * s + k] + to[k * s + i]);
  return g.reshape(shape);
}
Tensor gauss_newton_matrix(VarFunction model, VarFunction loss, const Params& w) {
  return gauss_newton_matrix(model, loss, w.flat());
}

namespace {

/// With g(w) = J^T u: Jv = d<g, v>/du, H_u v = d<g, v>/dw and so on. For one output u is 1 and <g, v> the
/// first derivative itself, which spares the pullback's recorded cotangent and the passes by it.
DirectionalDerivatives<Var> along(TapeState& tape, VarFunction f, const Var& at, const Var& v, int order,
                                  bool create_graph) {
  const char* name = "directional_derivatives";
  DirectionalDerivatives<Var> result;
  const Var y = f(at);
  const bool scalar = y.size() == 1;
  std::optional<RecordedPullback> pullback;
  if (!scalar) pullback.emplace(name, tape, y, at);
  const auto along_v = [&](const Var& linear) {
    if (!scalar) return pullback->times(linear, v, create_graph);
    const Var product = create_graph ? dot(linear, v) : dot(detach(linear), detach(v));
    return reshape(product, y.shape());
  };
  result.value = y;
  const Var g = scalar ? pull_back(name, tape, y, Tensor::ones(y.shape()), at, true) : pullback->pulled();
  result.first = along_v(g);
  const bool last = order == 2 && scalar && !create_graph;
  const Var h = pull_back(name, tape, g, v, at, !last);  // d<g, v>/dw
  result.second = along_v(h);
  if (order == 3) result.third = along_v(pull_back(name, tape, h, v, at, create_graph || !scalar));
  return result;
}

void check_order(int order) {
  if (order != 2 && order != 3)
    throw DomainError(
        fmt::format("[directional_derivatives] .order is {}; give 2 or 3, or use jvp for the first", order));
}

}  // namespace

DirectionalDerivatives<Tensor> directional_derivatives(VarFunction f, const Tensor& w, const Tensor& v,
                                                       DirectionOptions options) {
  check_order(options.order);
  check_direction("directional_derivatives", v.shape(), w.shape());
  Tape tape;
  const DirectionalDerivatives<Var> d =
      along(VarAccess::state(tape), f, tape.input(w), v, options.order, false);
  return {d.value.value(), d.first.value(), d.second.value(), d.third.value()};
}
DirectionalDerivatives<Tensor> directional_derivatives(VarFunction f, const Params& w, const Params& v,
                                                       DirectionOptions options) {
  return directional_derivatives(f, w.flat(), v.flat(), options);
}
DirectionalDerivatives<Var> directional_derivatives(VarFunction f, const Var& w, const Var& v,
                                                    DirectionOptions options) {
  check_order(options.order);
  check_direction("directional_derivatives", v.shape(), w.shape());
  if (w.tracked()) return along(live_tape("directional_derivatives", w), f, alias(w), v, options.order, true);
  if (v.tracked())
    return along(live_tape("directional_derivatives", v), f, lift(w.value(), v), v, options.order, true);
  DirectionalDerivatives<Tensor> d = directional_derivatives(f, w.value(), v.value(), options);
  return {Var(d.value), Var(d.first), Var(d.second), Var(d.third)};
}

}  // namespace cotangent
