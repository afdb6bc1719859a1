// CustomOp: an operation of a script's own, with a value and a derivative that the engine does not know.
#pragma once
#include <optional>

#include "autodiff/op.hpp"

namespace cotangent {

/// How an operation treats samples, for per-sample Jacobians and structured tangent kernels.
/// `mixed`: in no way to rely on, such functions are refused. `elementwise`: element by element, scalars go
/// with any shape. `rows`: row i of the result, along axis 0, depends on rows i of the inputs alone.
/// `rows_of_first`: on row i of input 0 and on all of the others, which the samples share: parameters. By
/// those the slow exact way is taken.
enum class OpSamples { mixed, elementwise, rows, rows_of_first };

struct CustomOpSpec {
  /// Distinct from all others; errors and tapes show it.
  const char* name;
  /// Checks shapes, then computes the value.
  Tensor (*forward)(const OpInputs& in, const OpAttributes& attributes) = nullptr;
  /// out.add(j, cotangent of input j) for the cotangent g of the result, made of public operations
  /// on p.in(j), p.out() and g: then derivatives of any order follow. Null: not differentiable,
  /// the derivative is 0.
  void (*pullback)(const OpRecord& p, const Var& g, OpCotangents& out);
  OpSamples samples = OpSamples::mixed;
  /// The derivative taken at a kink, in words, and how far each element is from its kink, below 0 on the side
  /// with another derivative: then check_gradient tells a kink from a mistake, and kink_audit sees it. "none"
  /// and no distance: smooth everywhere. Neither: kink_audit lists the operation as not audited.
  const char* at_kink = nullptr;
  Tensor (*kink_distance)(const OpInputs& in, const OpAttributes& attributes) = nullptr;
  /// Whether it is a sum, or a multiple of its inputs: per-sample gradients then see through it
  /// to the samples' parts.
  OpLinear linear = OpLinear::other;
  /// Floating-point operations of the products inside, for plans: of the value where j is -1, and of the
  /// cotangent of input j; by shapes and numbers alone. Null: only the numbers read and written count.
  double (*flops)(const OpRecord& p, int j) = nullptr;
  /// Bounds of the result in ball arithmetic, for `enclose`: see enclose/formula.hpp. Null: functions that
  /// use the operation have no enclosure. Derivatives need nothing more, they are the recorded pullback's.
  void (*enclose)(OpEnclosure& e) = nullptr;
  /// How many roundings, each by at most 2^-53 of it, stand in a number of the value, for rounding_bound; or,
  /// where they go by other magnitudes than the value's, for each number of the value `out` what 2^-53 is to
  /// be multiplied by. Neither: eight units in the last place are taken.
  std::optional<double> roundings = std::nullopt;
  Tensor (*own_error)(const OpInputs& in, const OpAttributes& attributes, const Tensor& out) = nullptr;
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
/// An elementwise one can have its forward rule and its enclosure from one formula: see `elementwise`.
/// What it recorded stays valid when it goes out of scope: a name stands for one operation until the program
/// ends, and the same once more is that one. Compare it with differences by check_gradient, to second order.
/// Throws: DomainError if another operation has the name (if made before main and the library's: at its first
/// use), without a name or a forward rule, or for a kink half described; what its forward rule throws. From a
/// backward pass: ShapeError for a cotangent of another shape than its input, DomainError for an input there
/// is not. From a diagnosis: ShapeError for distances of another shape than the result or input 0.
class CustomOp {
 public:
  explicit CustomOp(const CustomOpSpec& spec);

  Var operator()(const Var& x, const OpAttributes& attributes = {}) const {
    const Var* in[] = {&x};
    return apply(in, attributes);
  }
  Var operator()(const Var& a, const Var& b, const OpAttributes& attributes = {}) const {
    const Var* in[] = {&a, &b};
    return apply(in, attributes);
  }
  Var operator()(const Var& a, const Var& b, const Var& c, const OpAttributes& attributes = {}) const {
    const Var* in[] = {&a, &b, &c};
    return apply(in, attributes);
  }
  /// Any number of inputs: a std::vector or array of Var.
  Var operator()(std::span<const Var> inputs, const OpAttributes& attributes = {}) const;
  const char* name() const noexcept;

 private:
  struct State;
  static State* state_of(const CustomOpSpec& spec);
  Var apply(std::span<const Var* const> inputs, const OpAttributes& attributes) const;

  State* state_;  // never freed
};

/// f(x_i) for every element. Shapes: [s] -> [s].
Tensor map_elements(const Tensor& x, double (*f)(double));
/// f(a_i, b_i). Shapes: [s], [s] -> [s]; a scalar on either side goes with any shape. Throws: ShapeError.
Tensor map_elements(const Tensor& a, const Tensor& b, double (*f)(double, double));

/// A loop over n elements of one or two inputs, with n numbers in each that has a step, and one without.
struct ElementLoop {
  int inputs;
  void (*run)(const double* const* in, const bool* steps, double* out, Index n,
              const OpAttributes& attributes);
};
/// The same by a loop of one's own, which the compiler can make fast. Shapes: as above.
/// Throws: ShapeError; DomainError for another number of inputs.
Tensor map_elements(const OpInputs& in, const OpAttributes& attributes, const ElementLoop& loop);

}  // namespace cotangent
