// CustomOp: an operation of a script's own, with a value and a derivative that the engine does not know.
#pragma once

#include "autodiff/op.hpp"

namespace cotangent {

/// What the rules of an operation are given: the inputs' values; its numbers; the recorded operation; where
/// to leave the cotangents of its inputs.
using OpInputs = detail::Inputs;
using OpAttributes = detail::Attributes;
using OpRecord = detail::Pullback;
using OpCotangents = detail::Cotangents;

/// How an operation treats samples, for per-sample Jacobians and structured tangent kernels.
/// `mixed`: in no way to rely on, such functions are refused. `elementwise`: element by element, scalars go
/// with any shape. `rows`: row i of the result, along axis 0, depends on rows i of the inputs alone.
enum class OpSamples { mixed, elementwise, rows };

struct CustomOpSpec {
  /// Distinct from all others; errors and tapes show it.
  const char* name;
  /// Checks shapes, then computes the value.
  Tensor (*forward)(const OpInputs& in, const OpAttributes& attributes);
  /// out.add(j, cotangent of input j) for the cotangent g of the result, made of public operations on
  /// p.in(j), p.out() and g: then derivatives of any order follow. Null: not differentiable, the derivative
  /// is 0.
  void (*pullback)(const OpRecord& p, const Var& g, OpCotangents& out);
  OpSamples samples = OpSamples::mixed;
};

/// An operation from a forward rule and a pullback:
///
///   const CustomOp kSoftsign({.name = "softsign",
///                             .forward = [](const OpInputs& x, const OpAttributes&) {
///                               return map_elements(x[0], [](double t) { return t / (1 + std::fabs(t)); });
///                             },
///                             .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) {
///                               out.add(0, g / square(1.0 + abs(p.in(0))));
///                             },
///                             .samples = OpSamples::elementwise});
///   Var softsign(const Var& x) { return kSoftsign(x); }
///
/// Must be a constant at namespace scope: it stays in the list of operations for ever. Compare it with
/// differences by check_gradient, to second order. Throws: what its forward rule throws; ShapeError from a
/// backward pass whose cotangent has another shape than its input.
class CustomOp {
 public:
  explicit CustomOp(const CustomOpSpec& spec);

  Var operator()(const Var& x, const OpAttributes& attributes = {}) const {
    return detail::apply(op_, x, attributes);
  }
  Var operator()(const Var& a, const Var& b, const OpAttributes& attributes = {}) const {
    return detail::apply(op_, a, b, attributes);
  }
  Var operator()(const Var& a, const Var& b, const Var& c, const OpAttributes& attributes = {}) const {
    return detail::apply(op_, a, b, c, attributes);
  }
  const char* name() const noexcept { return op_.name(); }

 private:
  Op op_;
};

/// f(x_i) for every element. Shapes: [s] -> [s].
Tensor map_elements(const Tensor& x, double (*f)(double));
/// f(a_i, b_i). Shapes: [s], [s] -> [s]; a scalar on either side goes with any shape. Throws: ShapeError.
Tensor map_elements(const Tensor& a, const Tensor& b, double (*f)(double, double));

}  // namespace cotangent
