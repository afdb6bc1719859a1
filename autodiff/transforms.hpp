// Transforms: derivatives of callables Var -> Var. The type of the point decides what comes back: Tensor ->
// Tensor, Params -> Params, Var -> Var on the same tape, differentiable again.
//
// Inside a traced function an inner transform of a function that uses the traced w must start on w's tape: at
// lift(X, w) rather than at the plain tensor X.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/plan.hpp"
#include "autodiff/tape.hpp"

namespace cotangent {

/// A function of one variable, named by the caller only while the transform runs.
using VarFunction = FunctionRef<Var(const Var&)>;

template <class Gradient>
struct ValueAndGrad {
  double value;
  Gradient grad;
};

/// Gradient of a scalar function.
/// Shapes: f: [s] -> [], x [s] -> [s].
///
/// Throws: ShapeError unless f(x) has one element; TapeError naming a parameter that cannot
/// influence f (Params only).
double grad(VarFunction f, double x);
Tensor grad(VarFunction f, const Tensor& x);
Params grad(VarFunction f, const Params& w);
Var grad(VarFunction f, const Var& x);

/// The value and the gradient from one forward and one backward pass.
ValueAndGrad<Tensor> value_and_grad(VarFunction f, const Tensor& x);
ValueAndGrad<Params> value_and_grad(VarFunction f, const Params& w);
/// At a Var the value stays a Var too.
struct VarValueAndGrad {
  Var value;
  Var grad;
};
VarValueAndGrad value_and_grad(VarFunction f, const Var& x);

/// Value of f at a point and its pullback c -> c^T df/dx, which may be called any number of times.
///
/// Shapes: f: [s] -> [t]; value [t]; pullback: c [t] -> [s].
/// Throws: ShapeError if c is not [t].
template <class Point>
class Vjp {
 public:
  const Tensor& value() const noexcept { return value_; }
  Point operator()(const Tensor& cotangent) const;

 private:
  friend Vjp<Tensor> vjp(VarFunction, const Tensor&);
  friend Vjp<Params> vjp(VarFunction, const Params&);
  struct Record;
  std::shared_ptr<Record> record_;
  Tensor value_;
  Point point_;
};
Vjp<Tensor> vjp(VarFunction f, const Tensor& x);
Vjp<Params> vjp(VarFunction f, const Params& w);
/// At a Var: value and cotangent of x for one c, both differentiable again.
struct VarVjp {
  Var value;
  Var cotangent;
};
VarVjp vjp(VarFunction f, const Var& x, const Var& cotangent);

/// Directional derivative df/dx v, with the value. Shapes: f: [s] -> [t]; x, v [s] -> [t].
/// Cost: a forward pass and two backward passes. Throws: ShapeError if v is not like x.
struct Jvp {
  Tensor value;
  Tensor tangent;
};
struct VarJvp {
  Var value;
  Var tangent;
};
Jvp jvp(VarFunction f, const Tensor& x, const Tensor& v);
Jvp jvp(VarFunction f, const Params& w, const Params& v);
VarJvp jvp(VarFunction f, const Var& x, const Var& v);

/// Which way a Jacobian is filled: row by row by pulling back the outputs, or column by column by pushing the
/// inputs forward. `automatic` takes the columns where there are clearly fewer of them.
enum class DerivativeMode { automatic, forward, reverse };

struct FullJacobianOptions {
  DerivativeMode mode = DerivativeMode::automatic;
  /// Bytes of tensors the work may hold, the result's and at a Var every recorded pass's among them, by
  /// plan_jacobian's forecast; beyond them a DomainError that shows it.
  std::optional<Index> memory = std::nullopt;
};

/// All derivatives df_t / dx_s. Shapes: f: [s] -> [t]; -> [t, s]; Params: s = P.
///
/// Cost: reverse: one backward pass for each of the t outputs. Forward, the derivative of the pullback by
/// its cotangent: one recorded backward pass, then one pass for each of the s inputs, which costs one to
/// two backward passes, and three times the record. `automatic` is forward if 2 s + 2 < t. Passes run one
/// after another on one record, so beyond the result the memory is that of one pass; of f with samples
/// along axis 0, per_sample_jacobian makes all samples' rows in one pass. Under .memory one more backward
/// pass, to measure it.
/// Throws: DomainError if .memory is too little, then after f and one pass; ShapeError if [t] and [s] have
/// more axes together than a tensor may have.
Tensor jacobian(VarFunction f, const Tensor& x, const FullJacobianOptions& options = {});
Tensor jacobian(VarFunction f, const Params& w, const FullJacobianOptions& options = {});
Var jacobian(VarFunction f, const Var& x, const FullJacobianOptions& options = {});

/// Consecutive rows of a Jacobian, [k, s], from row `first` on; outputs and inputs are counted flat.
using RowBlock = FunctionRef<void(Index first, const Tensor& rows)>;

/// The rows of jacobian(f, x) in order, block by block, so that it need never be held whole: to write it to a
/// file, or to add up J^T J. The memory is for the work and one block; without it there is one block.
///
///   jacobian_blocks(f, w, {.memory = 100 << 20}, [&](Index first, const Tensor& rows) { ... });
///
/// Shapes: f: [s] -> [t]; rows [k, s], the last ones fewer.
/// Cost: as jacobian; forward repeats its s passes for each block, and is chosen where those are fewer.
/// Throws: DomainError if not even one row fits.
void jacobian_blocks(VarFunction f, const Tensor& x, const FullJacobianOptions& options, RowBlock block);
void jacobian_blocks(VarFunction f, const Params& w, const FullJacobianOptions& options, RowBlock block);

/// The plan of jacobian(f, x, options): "reverse" or "forward", of which a pass is counted as two of the
/// other's (it measures 1.1 to 1.9). The memory of forward is an upper bound from that of a backward pass.
/// Cost: one record of f and one backward pass.
Plan plan_jacobian(VarFunction f, const Tensor& x, const FullJacobianOptions& options = {});
Plan plan_jacobian(VarFunction f, const Params& w, const FullJacobianOptions& options = {});
/// The plan of jacobian_blocks, which says how many rows a block has.
Plan plan_jacobian_blocks(VarFunction f, const Tensor& x, const FullJacobianOptions& options = {});
Plan plan_jacobian_blocks(VarFunction f, const Params& w, const FullJacobianOptions& options = {});

/// Hessian times a vector, of a scalar function. Shapes: f: [s] -> []; x, v [s] -> [s].
/// Cost: about three gradients. Throws: ShapeError as grad, and if v is not like x.
Tensor hvp(VarFunction f, const Tensor& x, const Tensor& v);
Params hvp(VarFunction f, const Params& w, const Params& v);
Var hvp(VarFunction f, const Var& x, const Var& v);

/// All second derivatives of a scalar function. Shapes: f: [s] -> []; -> [s, s]; Params: [P, P].
/// Under a memory, or in blocks of rows: the jacobian, or jacobian_blocks, of grad(f, .) at a Var.
double hessian(VarFunction f, double x);
Tensor hessian(VarFunction f, const Tensor& x);
Tensor hessian(VarFunction f, const Params& w);
Var hessian(VarFunction f, const Var& x);

}  // namespace cotangent
