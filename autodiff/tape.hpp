// Tape: the record of operations, and derivatives by what was recorded.
#pragma once
#include <string>

#include "autodiff/var.hpp"

namespace cotangent {

namespace detail {
class TapeState;
struct VarAccess;
}  // namespace detail

/// Whether the derivative is itself recorded, so that it can be differentiated again.
struct GradOptions {
  bool create_graph = false;
};

/// Owns every operation recorded on it, in order of creation, until it ends. Local: there is no active tape;
/// operations find theirs through their operands. Belongs to one thread.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// A value to differentiate by.
  Var input(Tensor value);

  /// d y / d x for a scalar y. Shapes: y [], x [s] -> [s]. Zero where x cannot influence y.
  /// Throws: ShapeError unless y has one element; TapeError for handles of another tape or epoch.
  Var grad(const Var& y, const Var& x, GradOptions options = {});
  /// Cotangent of x for a cotangent of y: c^T dy/dx. Shapes: y, c [t], x [s] -> [s].
  Var vjp(const Var& y, const Var& cotangent, const Var& x, GradOptions options = {});

  /// Forgets all operations; handles made before this throw from now on.
  void reset();

  Index num_nodes() const noexcept;
  /// One line a node: position, operation, shape, inputs.
  std::string to_string() const;

 private:
  friend struct detail::VarAccess;
  detail::TapeState* state_;
};

/// X as a variable on w's tape, so that a transform inside a traced function can start from it and stay
/// differentiable in w. Without a tape behind w, X itself.
Var lift(const Tensor& x, const Var& w);
/// A number likewise: log(lift(2.0, w)) is on the record, std::log(2.0) a double.
Var lift(double x, const Var& w);

}  // namespace cotangent
