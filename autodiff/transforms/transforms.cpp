// Transforms, all from one reverse sweep: forward mode is the derivative of the pullback by its cotangent.
#include "autodiff/transforms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

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
using detail::TapeState;
using detail::VarAccess;

namespace {

void check_scalar(const char* transform, const Var& y) {
  if (y.size() != 1)
    throw ShapeError(fmt::format(
        "[{}] the function returned {}, not one element; reduce it with sum or mean, or use jacobian",
        transform, y.shape().to_string()));
}

void check_like(const char* transform, const char* what, const Shape& given, const Shape& wanted) {
  if (!(given == wanted))
    throw ShapeError(
        fmt::format("[{}] {} is {}, it must be {}", transform, what, given.to_string(), wanted.to_string()));
}

Var ones_like(const Var& y) { return Tensor::ones(y.shape()); }

ValueAndGrad<Tensor> first_order(const char* transform, VarFunction f, const Tensor& x,
                                 std::vector<detail::Stretch>* gaps) {
  Tape tape;
  VarAccess::state(tape).brief = true;
  const Var at = tape.input(x);
  const Var y = f(at);
  check_scalar(transform, y);
  return {y.item(), pull_back(transform, VarAccess::state(tape), y, ones_like(y), at, false, gaps).value()};
}

[[noreturn]] void throw_unused(const char* transform, const Params& w,
                               const std::vector<detail::Stretch>& gaps) {
  std::string names;
  for (const ParamEntry& entry : w.table())
    for (const detail::Stretch& gap : gaps)
      if (gap.first <= entry.offset && entry.offset + entry.size() <= gap.last) {
        names += (names.empty() ? "\"" : ", \"") + entry.name + "\"";
        break;
      }
  throw TapeError(fmt::format(
      "[{}] the result cannot depend on {}; use it in the function, or leave it out of the parameters",
      transform, names));
}

ValueAndGrad<Params> first_order(const char* transform, VarFunction f, const Params& w) {
  std::vector<detail::Stretch> gaps;
  auto [value, g] = first_order(transform, f, w.flat(), &gaps);
  const auto inside = [&](const ParamEntry& entry) {
    return std::any_of(gaps.begin(), gaps.end(), [&](const detail::Stretch& gap) {
      return gap.first <= entry.offset && entry.offset + entry.size() <= gap.last;
    });
  };
  if (!gaps.empty() && std::any_of(w.table().begin(), w.table().end(), inside))
    throw_unused(transform, w, gaps);
  return {value, w.with(std::move(g))};
}

}  // namespace

double grad(VarFunction f, double x) { return grad(f, Tensor::scalar(x)).item(); }
Tensor grad(VarFunction f, const Tensor& x) { return first_order("grad", f, x, nullptr).grad; }
Params grad(VarFunction f, const Params& w) { return first_order("grad", f, w).grad; }
Var grad(VarFunction f, const Var& x) { return value_and_grad(f, x).grad; }

ValueAndGrad<Tensor> value_and_grad(VarFunction f, const Tensor& x) {
  return first_order("value_and_grad", f, x, nullptr);
}
ValueAndGrad<Params> value_and_grad(VarFunction f, const Params& w) {
  return first_order("value_and_grad", f, w);
}

VarValueAndGrad value_and_grad(VarFunction f, const Var& x) {
  if (!x.tracked()) {
    auto [value, g] = value_and_grad(f, x.value());
    return {Var(value), Var(std::move(g))};
  }
  TapeState& tape = live_tape("grad", x);
  const Var at = alias(x);  // a fresh node: captured values made from x before do not count as its uses
  const Var y = f(at);
  check_scalar("grad", y);
  return {y, pull_back("grad", tape, y, ones_like(y), at, true)};
}

template <class Point>
struct Vjp<Point>::Record {
  Tape tape;
  Var x;
  Var y;
};

namespace {
Tensor cotangent_of(Tape& tape, const Var& y, const Tensor& c, const Var& x) {
  return pull_back("vjp", VarAccess::state(tape), y, c, x, false).value();
}
}  // namespace

template <>
Tensor Vjp<Tensor>::operator()(const Tensor& c) const {
  return cotangent_of(record_->tape, record_->y, c, record_->x);
}
template <>
Params Vjp<Params>::operator()(const Tensor& c) const {
  return point_.with(cotangent_of(record_->tape, record_->y, c, record_->x));
}

Vjp<Tensor> vjp(VarFunction f, const Tensor& x) {
  Vjp<Tensor> result;
  result.record_ = std::make_shared<Vjp<Tensor>::Record>();
  result.record_->x = result.record_->tape.input(x);
  result.record_->y = f(result.record_->x);
  result.value_ = result.record_->y.value();
  return result;
}

Vjp<Params> vjp(VarFunction f, const Params& w) {
  Vjp<Params> result;
  result.record_ = std::make_shared<Vjp<Params>::Record>();
  result.record_->x = result.record_->tape.input(w.flat());
  result.record_->y = f(result.record_->x);
  result.value_ = result.record_->y.value();
  result.point_ = w;
  return result;
}

VarVjp vjp(VarFunction f, const Var& x, const Var& cotangent) {
  if (!x.tracked()) {
    if (!cotangent.tracked()) {
      const Vjp<Tensor> plain = vjp(f, x.value());
      return {plain.value(), plain(cotangent.value())};
    }
    return vjp(f, lift(x.value(), cotangent), cotangent);
  }
  TapeState& tape = live_tape("vjp", x);
  const Var at = alias(x);
  const Var y = f(at);
  return {y, pull_back("vjp", tape, y, cotangent, at, true)};
}

namespace {

VarJvp forward_mode(TapeState& tape, VarFunction f, const Var& at, const Var& v, bool create_graph) {
  check_like("jvp", "the tangent", v.shape(), at.shape());
  const detail::RecordedPullback pullback("jvp", tape, f(at), at);
  return {pullback.y(), pullback.times(v, create_graph)};
}

}  // namespace

Jvp jvp(VarFunction f, const Tensor& x, const Tensor& v) {
  Tape tape;
  const VarJvp result = forward_mode(VarAccess::state(tape), f, tape.input(x), v, false);
  return {result.value.value(), result.tangent.value()};
}
Jvp jvp(VarFunction f, const Params& w, const Params& v) { return jvp(f, w.flat(), v.flat()); }
VarJvp jvp(VarFunction f, const Var& x, const Var& v) {
  if (x.tracked()) {
    TapeState& tape = live_tape("jvp", x);
    return forward_mode(tape, f, alias(x), v, true);
  }
  if (v.tracked()) return forward_mode(live_tape("jvp", v), f, lift(x.value(), v), v, true);
  auto [value, tangent] = jvp(f, x.value(), v.value());
  return {Var(std::move(value)), Var(std::move(tangent))};
}

Tensor hvp(VarFunction f, const Tensor& x, const Tensor& v) {
  check_like("hvp", "the direction", v.shape(), x.shape());
  Tape tape;
  const Var at = tape.input(x);
  const Var y = f(at);
  check_scalar("hvp", y);
  TapeState& state = VarAccess::state(tape);
  const Var along = pull_back_along("hvp", state, y, ones_like(y), at, v);
  return pull_back("hvp", state, along, 1.0, at, false).value();
}
Params hvp(VarFunction f, const Params& w, const Params& v) { return w.with(hvp(f, w.flat(), v.flat())); }
Var hvp(VarFunction f, const Var& x, const Var& v) {
  check_like("hvp", "the direction", v.shape(), x.shape());
  if (!x.tracked()) {
    if (!v.tracked()) return hvp(f, x.value(), v.value());
    return hvp(f, lift(x.value(), v), v);
  }
  TapeState& tape = live_tape("hvp", x);
  const Var at = alias(x);
  const Var y = f(at);
  check_scalar("hvp", y);
  return pull_back("hvp", tape, pull_back_along("hvp", tape, y, ones_like(y), at, v), 1.0, at, true);
}

double hessian(VarFunction f, double x) { return hessian(f, Tensor::scalar(x)).item(); }
Tensor hessian(VarFunction f, const Tensor& x) {
  Tape tape;
  const Var at = tape.input(x);
  const Var y = f(at);
  check_scalar("hessian", y);
  return detail::rows_of("hessian", VarAccess::state(tape), tape.grad(y, at, {.create_graph = true}), at);
}
Tensor hessian(VarFunction f, const Params& w) { return hessian(f, w.flat()); }
Var hessian(VarFunction f, const Var& x) {
  if (!x.tracked()) return hessian(f, x.value());
  TapeState& tape = live_tape("hessian", x);
  const Var at = alias(x);
  const Var y = f(at);
  check_scalar("hessian", y);
  return detail::tracked_rows_of("hessian", tape, pull_back("hessian", tape, y, ones_like(y), at, true), at);
}

}  // namespace cotangent
