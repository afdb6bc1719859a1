// Var: a tensor that knows where it was recorded, what every operation takes and gives.
#pragma once
#include <cstdint>
#include <string>

#include "autodiff/tensor.hpp"

namespace cotangent {

class Params;
struct OpInputs;
struct OpAttributes;

namespace detail {
struct EpochCell;
struct RecordedValue;
struct VarAccess;
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
  template <class Forward>  // the value is computed where it stays, and not moved there
  Var(Forward forward, const OpInputs& in, const OpAttributes& attributes)
      : value_(forward(in, attributes)) {}

  Tensor value_;
  detail::EpochCell* cell_ = nullptr;
  std::uint64_t epoch_ = 0;
  std::uint32_t node_ = 0xffffffffu;
};

/// The same value, cut off from its tape: derivatives treat it as a constant.
Var detach(const Var& x);

}  // namespace cotangent
