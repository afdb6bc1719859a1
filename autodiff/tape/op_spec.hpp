// Op: everything the engine knows of an operation, in one place.
#pragma once
#include "autodiff/op.hpp"

namespace cotangent {

namespace detail {

/// Answers of a row rule besides an axis: the input is shared by all samples (`kFactor`),
/// or samples mix (`kBlocked`).
inline constexpr int kFactor = -1;
inline constexpr int kBlocked = -2;

/// Instead of an input's number: the value.
inline constexpr int kValue = -1;

/// Shapes and attributes of a recorded operation, for its row rule.
struct NodeView {
  const OpRecord& node;
  const Shape& in(int j) const { return node.shape(j); }
  const Shape& out() const { return node.out_shape(); }
  Index whole(int k) const { return node.whole(k); }
};

/// Per-sample gradients by a shared input, without forming them: sample i's is the outer product delta_i
/// (x) data_i, or data_i (x) delta_i if data_first, or delta_i alone if data is empty; row-major, it
/// fills the input's numbers.
/// Shapes: delta [n, p], data [n, q].
struct RowFactor {
  Tensor delta;
  Tensor data = {};
  bool data_first = false;
};

/// Of an operation that does not say how it rounds; then kRoundingsAssumed are taken, eight units in the last
/// place.
inline constexpr double kRoundingsNotStated = -1.0;
inline constexpr double kRoundingsAssumed = 16.0;

/// Which values a pullback reads; the tape keeps only those.
enum class Keep : unsigned { kNothing = 0, kInputs = 1, kOutput = 2, kInputsAndOutput = 3 };

struct OpSpec {
  const char* name;
  /// Checks shapes, then computes the value.
  Tensor (*forward)(const OpInputs& in, const OpAttributes& attributes);
  /// How many roundings, each by at most u = 2^-53 of it, stand in a number of the value; 0 where numbers
  /// move or are chosen; see autodiff/rounding.hpp.
  double roundings = kRoundingsNotStated;
  /// Where rounding goes by other magnitudes than the value's, as those of what is summed: for each number of
  /// the value `out` what u is to be multiplied by. Empty if nothing is rounded.
  Tensor (*own_error)(const OpInputs& in, const OpAttributes& attributes, const Tensor& out) = nullptr;
  /// Cotangents of the inputs from that of the output, made of public operations; null: not differentiable.
  void (*pullback)(const OpRecord& p, const Var& g, OpCotangents& out);
  Keep keep = Keep::kNothing;
  /// The derivative taken at a kink, for the documentation and the kink table; null where there is none.
  const char* at_kink = nullptr;
  /// The sample axis of input j when the output's is `axis`, or kFactor, or kBlocked; null: blocked.
  int (*row_rule)(const NodeView& node, int axis, int j) = nullptr;
  /// The per-sample gradient by a kFactor input j from the output's cotangent rows; null: only the
  /// slow path is exact.
  RowFactor (*row_factor)(const OpRecord& p, int axis, int j, const Tensor& g) = nullptr;
  /// How far each element is from its kink, below 0 on the side that at_kink does not speak of; null: the
  /// only input itself, whose kink is at 0.
  Tensor (*kink_distance)(const OpInputs& in, const OpAttributes& attributes) = nullptr;
  /// Kinks of one element; if there are several, kink_distance is [kinks, n] for a result of n elements.
  Index kinks = 1;
  /// Losses that are made of sums and multiples of them are taken apart by this.
  OpLinear linear = OpLinear::other;
  /// Floating-point operations of the products that make the value (j = kValue) or the cotangent of input
  /// j, for plans; each number read or written counts besides. Null: no products. Only shapes and
  /// attributes may be read.
  double (*flops)(const OpRecord& p, int j) = nullptr;
  /// Set for a script's operation that does not say whether it has kinks.
  bool silent_on_kinks = false;
  /// The enclosure of a script's operation; the library's own have rules in the room `enclose`.
  void (*enclose)(OpEnclosure& e) = nullptr;
};

}  // namespace detail

class CustomOp;

/// An operation. Every Op object of the library lists itself; the list is complete before main.
class Op {
 public:
  explicit Op(const detail::OpSpec& spec);
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  const char* name() const noexcept { return spec_.name; }
  const detail::OpSpec& spec() const noexcept { return spec_; }
  /// All operations linked into the program: first() and then next() until null.
  static const Op* first() noexcept;
  const Op* next() const noexcept { return next_; }

 private:
  friend class CustomOp;
  struct Unlisted {};
  Op(const detail::OpSpec& spec, Unlisted) : spec_(spec), next_(nullptr) {}

  detail::OpSpec spec_;
  const Op* next_;
};

}  // namespace cotangent
