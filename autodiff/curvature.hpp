// Curvature without matrices: Gauss-Newton products, and second and third derivatives along a direction.
#pragma once
#include "autodiff/transforms.hpp"

namespace cotangent {

/// Gauss-Newton matrix of loss(model(w)) times a vector: G v = J^T (H (J v)), J = d model / dw at w, H the
/// loss's Hessian at the model's outputs. It is the Hessian without the model's own curvature: equal to it
/// where the loss's gradient is 0 (residuals 0 in least squares) or the model is linear in w, and positive
/// semidefinite for a convex loss.
///
/// Shapes: model: [s] -> [t], loss: [t] -> []; w, v [s] -> [s].
/// At a Var: the product on w's tape, differentiable again in w, v and what model and loss capture.
/// Cost: about three gradients of the model and an hvp of the loss alone.
/// Throws: ShapeError if v is not like w, or the loss does not return one element.
/// Source: Schraudolph 2002, Fast curvature matrix-vector products for second-order gradient descent.
Tensor gauss_newton_product(VarFunction model, VarFunction loss, const Tensor& w, const Tensor& v);
Params gauss_newton_product(VarFunction model, VarFunction loss, const Params& w, const Params& v);
Var gauss_newton_product(VarFunction model, VarFunction loss, const Var& w, const Var& v);

/// The matrix J^T H J itself, exactly symmetric. Shapes: as above; -> [s, s]; Params: [P, P].
/// Cost: a Jacobian, the loss's Hessian and t^2 s + t s^2 multiplications: for small s.
Tensor gauss_newton_matrix(VarFunction model, VarFunction loss, const Tensor& w);
Tensor gauss_newton_matrix(VarFunction model, VarFunction loss, const Params& w);

struct DirectionOptions {
  /// 2 or 3: the highest derivative wanted. Those above it are left empty, [0].
  int order = 3;
};

/// f and its derivatives along a line: d^k/dt^k f(w + t v) at t = 0, k = 0 .. 3.
template <class Value>
struct DirectionalDerivatives {
  Value value;
  Value first;
  Value second;
  Value third;
};

/// Derivatives of f along v up to the third.
///
/// Shapes: f: [s] -> [t]; w, v [s] -> each [t].
/// At a kink: the activations' second and third derivatives are 0 there, as everywhere along a ReLU.
/// Cost: each order records a backward pass over all that was recorded before, so about three times the order
/// below: near 10 forward passes for the second, 30 for the third; with one output a pass fewer.
/// Throws: ShapeError if v is not like w; DomainError if the order is neither 2 nor 3.
DirectionalDerivatives<Tensor> directional_derivatives(VarFunction f, const Tensor& w, const Tensor& v,
                                                       DirectionOptions options = {});
DirectionalDerivatives<Tensor> directional_derivatives(VarFunction f, const Params& w, const Params& v,
                                                       DirectionOptions options = {});
DirectionalDerivatives<Var> directional_derivatives(VarFunction f, const Var& w, const Var& v,
                                                    DirectionOptions options = {});

}  // namespace cotangent
