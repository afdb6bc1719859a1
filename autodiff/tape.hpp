// Var and Tape: values that know where they were recorded, and the record itself.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>

#include "autodiff/tensor.hpp"

namespace cotangent {

class Params;
class Tape;

namespace detail {
class TapeState;
/// Outlives its tape; a handle whose epoch differs from the cell's belongs to a tape that has ended or was
/// reset. Only the tape's thread writes, but stale handles may be anywhere.
struct EpochCell {
  std::atomic<std::uint64_t> epoch = 1;
  std::uint64_t now() const noexcept { return epoch.load(std::memory_order_relaxed); }
  void advance() noexcept { epoch.store(now() + 1, std::memory_order_relaxed); }
  TapeState* tape = nullptr;
  EpochCell* next_free = nullptr;
};
struct VarAccess;
struct RecordedValue;
struct Inputs;
struct Attributes;
}  // namespace detail

/// A tensor and, where tracked, its place on one Tape. Cheap to copy. The value can always be read; recording
/// with or differentiating a Var whose tape has ended or was reset throws TapeError naming both epochs.
class Var {
 public:
  Var() = default;
  Var(Tensor value) noexcept : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Var(double value) : value_(Tensor::scalar(value)) {}      // NOLINT(google-explicit-constructor)
  Var(const Params& params);                                // NOLINT(google-explicit-constructor)
  explicit Var(const detail::RecordedValue& what) noexcept;

  const Tensor& value() const noexcept { return value_; }
  const Shape& shape() const noexcept { return value_.shape(); }
  int rank() const noexcept { return value_.rank(); }
  Index size() const noexcept { return value_.size(); }
  Index size(int axis) const { return value_.size(axis); }
  /// The only element. Throws: ShapeError unless size() is 1.
  double item() const { return value_.item(); }
  /// Recorded on a tape, so that derivatives flow through it.
  bool tracked() const noexcept { return cell_ != nullptr; }
  std::string to_string() const;

 private:
  friend struct detail::VarAccess;
  friend class Tape;
  template <class Forward>  // the value is computed where it stays, and not moved there
  Var(Forward forward, const detail::Inputs& in, const detail::Attributes& attributes)
      : value_(forward(in, attributes)) {}

  Tensor value_;
  detail::EpochCell* cell_ = nullptr;
  std::uint64_t epoch_ = 0;
  std::uint32_t node_ = 0xffffffffu;
};

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

/// The same value, cut off from its tape: derivatives treat it as a constant.
Var detach(const Var& x);

}  // namespace cotangent
