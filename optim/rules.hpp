// Rules: which direction to take, the gradient being known.
#pragma once
#include <span>

#include "optim/contract.hpp"

namespace cotangent::optim {

/// The gradient itself.
Choice<Rule> plain();

/// v <- momentum * v + g, v = 0 at the start: v itself (heavy ball), or g + momentum * v (Nesterov's form).
/// Throws: DomainError unless 0 <= momentum < 1.
/// State: P numbers. Source: Polyak 1964; Nesterov 1983; optimisation.md A11, A12.
Choice<Rule> momentum(double momentum, bool nesterov = false);

struct AdamNumbers {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  /// Divides by the largest second moment so far.
  bool amsgrad = false;
};
/// m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2; the direction is
/// (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), t = 1, 2, ..., as in PyTorch.
/// State: m and v, 2 P numbers (AMSGrad 3 P). Throws: DomainError on numbers outside their ranges.
/// Source: Kingma, Ba 2015; Reddi, Kale, Kumar 2018; Loshchilov, Hutter 2019.
Choice<Rule> adam(const AdamNumbers& numbers = {});

struct RmsPropNumbers {
  double alpha = 0.99;
  double epsilon = 1e-8;
};
/// v <- alpha v + (1 - alpha) g^2; the direction is g / (sqrt(v) + epsilon). State: P numbers. Source: Hinton
/// 2012.
Choice<Rule> rmsprop(const RmsPropNumbers& numbers = {});

/// v <- v + g^2; the direction is g / (sqrt(v) + epsilon). State: P numbers. Source: Duchi, Hazan, Singer
/// 2011.
Choice<Rule> adagrad(double epsilon = 1e-10);

/// The limited-memory BFGS direction of the last `pairs` differences s of points and y of gradients; a pair
/// is kept if <s, y> > 1e-10 |s| |y| > 0; the matrix it starts from is <s, y> / <y, y> of the last. With no
/// pair, or where the direction does not descend, it is the gradient, and the memory is cleared.
/// State: (2 pairs + 2) P numbers. Throws: DomainError unless pairs >= 1.
/// Source: Nocedal 1980; Nocedal, Wright 2006, algorithm 7.4.
Choice<Rule> lbfgs(Index pairs = 10);

struct NewtonNumbers {
  /// Up to so many parameters the Hessian is formed and factorised; above it, conjugate gradients.
  Index dense = 2000;
  /// The trust region's first radius, and its largest.
  double radius = 1e3;
  double largest_radius = 1e9;
  /// Of conjugate gradients: |residual| <= min(0.5, sqrt(|g| / |g_0|)) |g|, where g_0 is the first gradient
  /// of the run, in at most so many products.
  Index products = 250;
};
/// The step of Newton's method within a trust region: it minimises the quadratic model of f on |d| <= radius;
/// trials that do not lower f by a tenth of what the model promises shrink the radius and are not taken. Use
/// it with the step 1. At a saddle the region's negative curvature is followed.
///
/// Cost: P Hessian products and P^3/3 flops an iteration where the Hessian is formed; else a product for each
/// iteration of conjugate gradients (Steihaug's); a value for each trial.
/// Throws: DomainError when a run begins with weight decay or clipping.
/// Source: Nocedal, Wright 2006, algorithms 4.1 and 7.2; Moré, Sorensen 1983.
Choice<Rule> newton(const NewtonNumbers& numbers = {});

/// The residuals r(w) of a nonlinear least-squares problem, f = |r|^2 / 2. Shapes: w [P] -> [n].
using Residuals = Function<Var(const Var& w)>;

struct GaussNewtonNumbers {
  /// lambda of (J^T J + lambda I) d = J^T r at the start. 0 is Gauss's and Newton's own step, taken whatever
  /// it does; above 0 it is Levenberg's and Marquardt's, which take no step that raises f.
  double damping = 0.0;
};
/// The step d = (J^T J + lambda I)^-1 J^T r; where n < P it is J^T (J J^T + lambda I)^-1 r, by the smaller
/// system, which for lambda = 0 is the shortest of all solutions. lambda falls by 10 when a step lowers f,
/// down to what is rounding beside J^T J, and grows by 10 until one does. Use it with the step 1 on
/// `least_squares(r)`.
/// Cost: r once, charged as a value, a Jacobian, charged as min(n, P) products, and n P min(n, P) flops; with
/// lambda > 0 a value for each trial.
/// Throws: DomainError at a singular system with lambda = 0; when a run begins with weight decay, clipping or
/// .params.
/// Source: Levenberg 1944; Marquardt 1963; Nocedal, Wright 2006, chapter 10.
Choice<Rule> gauss_newton(Residuals r, const GaussNewtonNumbers& numbers = {});

/// |r(w)|^2 / 2 as an objective of one component, and with it the residuals that `gauss_newton` wants.
FiniteSum least_squares(Residuals r);

}  // namespace cotangent::optim
