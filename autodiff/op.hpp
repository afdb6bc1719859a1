// Op: everything the engine knows of an operation, in one place; and what its rules are given.
// Scripts include this only to define an operation of their own.
#pragma once
#include <array>
#include <memory>
#include <span>

#include "autodiff/tape.hpp"

namespace cotangent {

/// Transposition of the factors of a matrix product, and a constant in front of it.
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
  double scale = 1.0;
};

/// How the result depends on the inputs: as a multiple of the first or of each of them, where the others are
/// constant numbers, or as the sum of all numbers of the only input. `other`: in a way that nothing relies on.
enum class OpLinear { other, in_first, in_each, sum };

namespace detail {

/// What an operation carries besides its inputs: two reals, two whole numbers, or a shared payload for more.
struct Attributes {
  std::array<double, 2> real{};
  std::array<Index, 2> whole{};
  std::shared_ptr<const void> payload = nullptr;
};

/// The inputs' values, for a forward rule, and the shape asked for where the caller chooses it.
struct Inputs {
  std::span<const Var* const> vars;
  const Shape* target = nullptr;
  const Tensor& operator[](int j) const { return vars[static_cast<std::size_t>(j)]->value(); }
  const Shape& shape(int j) const { return (*this)[j].shape(); }
  int count() const { return static_cast<int>(vars.size()); }
};

class TapeState;

/// A recorded operation as its rules see it. Inputs are detached at first order, tracked when a graph is
/// created.
class Pullback {
 public:
  /// Input j, if the operation keeps it.
  const Var& in(int j) const { return inputs_[j]; }
  const Shape& shape(int j) const { return inputs_[j].shape(); }
  int count() const { return count_; }
  /// The output, if the operation keeps it.
  const Var& out() const { return *output_; }
  const Shape& out_shape() const { return output_->shape(); }
  const Attributes& attributes() const { return *attributes_; }
  double real(int k = 0) const { return attributes_->real[static_cast<std::size_t>(k)]; }
  Index whole(int k) const { return attributes_->whole[static_cast<std::size_t>(k)]; }

 private:
  friend class Sweep;
  friend Pullback recorded(const TapeState& tape, std::uint32_t node);
  const Var* inputs_ = nullptr;
  const Var* output_ = nullptr;
  const Attributes* attributes_ = nullptr;
  int count_ = 0;
};

class Sweep;

/// Where a pullback leaves the cotangents of its inputs; several contributions to one input add up.
class Cotangents {
 public:
  /// Whether anybody wants the cotangent of input j; work for others can be left out. Throws, as the others:
  /// DomainError if there is no input j.
  bool needs(int j) const;
  void add(int j, const Var& contribution) { add(j, Var(contribution)); }
  void add(int j, Var&& contribution);
  /// add(j, matmul(a, b, options)), written straight into its place in the gradient where there is one.
  void add_matmul(int j, const Var& a, const Var& b, MatmulOptions options = {});

 private:
  friend class Sweep;
  Cotangents(Sweep& sweep, std::uint32_t node) : sweep_(sweep), node_(node) {}
  Sweep& sweep_;
  std::uint32_t node_;
};

/// Answers of a row rule besides an axis: the input is shared by all samples (`kFactor`), or samples mix
/// (`kBlocked`).
inline constexpr int kFactor = -1;
inline constexpr int kBlocked = -2;

/// Instead of an input's number: the value.
inline constexpr int kValue = -1;

/// Shapes and attributes of a recorded operation, for its row rule.
struct NodeView {
  const Pullback& node;
  const Shape& in(int j) const { return node.shape(j); }
  const Shape& out() const { return node.out_shape(); }
  Index whole(int k) const { return node.whole(k); }
};

/// Per-sample gradients by a shared input, without forming them: sample i's is the outer product delta_i (x)
/// data_i, or data_i (x) delta_i if data_first, or delta_i alone if data is empty; row-major, it fills the
/// input's numbers.
/// Shapes: delta [n, p], data [n, q].
struct RowFactor {
  Tensor delta;
  Tensor data = {};
  bool data_first = false;
};

/// Which values a pullback reads; the tape keeps only those.
enum class Keep : unsigned { kNothing = 0, kInputs = 1, kOutput = 2, kInputsAndOutput = 3 };

struct OpSpec {
  const char* name;
  /// Checks shapes, then computes the value.
  Tensor (*forward)(const Inputs& in, const Attributes& attributes);
  /// Cotangents of the inputs from that of the output, made of public operations; null: not differentiable.
  void (*pullback)(const Pullback& p, const Var& g, Cotangents& out);
  Keep keep = Keep::kNothing;
  /// Derivative taken at a kink, for the documentation and the kink table; null where there is none.
  const char* at_kink = nullptr;
  /// Sample axis of input j when the output's is `axis`, or kFactor, or kBlocked; null: blocked.
  int (*row_rule)(const NodeView& node, int axis, int j) = nullptr;
  /// Per-sample gradient by a kFactor input j from the output's cotangent rows; null: only the slow path is
  /// exact.
  RowFactor (*row_factor)(const Pullback& p, int axis, int j, const Tensor& g) = nullptr;
  /// How far each element is from its kink, below 0 on the side that at_kink does not speak of; null: the only
  /// input itself, whose kink is at 0.
  Tensor (*kink_distance)(const Inputs& in, const Attributes& attributes) = nullptr;
  /// Kinks of one element; if there are several, kink_distance is [kinks, n] for a result of n elements.
  Index kinks = 1;
  /// Losses that are made of sums and multiples of them are taken apart by this.
  OpLinear linear = OpLinear::other;
  /// Floating-point operations of the products that make the value (j = kValue) or the cotangent of input j,
  /// for plans; each number read or written counts besides. Null: no products. Only shapes and attributes may
  /// be read.
  double (*flops)(const Pullback& p, int j) = nullptr;
  /// A script's operation that does not say whether it has kinks.
  bool silent_on_kinks = false;
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

namespace detail {

/// Computes an operation and, if an input is tracked, records it. Throws: TapeError on operands of different
/// tapes or of a tape that has ended; what the forward rule throws.
Var apply(const Op& op, std::span<const Var* const> inputs, const Attributes& attributes = {},
          const Shape* target = nullptr);
/// What apply does where no input is tracked: most of what a pullback at first order asks for.
Var compute(const Op& op, std::span<const Var* const> inputs, const Attributes& attributes = {},
            const Shape* target = nullptr);
inline Var apply(const Op& op, const Var& a, const Attributes& attributes = {}) {
  const Var* in[] = {&a};
  return a.tracked() ? apply(op, in, attributes) : compute(op, in, attributes);
}
inline Var apply(const Op& op, const Var& a, const Var& b, const Attributes& attributes = {}) {
  const Var* in[] = {&a, &b};
  return a.tracked() || b.tracked() ? apply(op, in, attributes) : compute(op, in, attributes);
}
inline Var apply(const Op& op, const Var& a, const Var& b, const Var& c, const Attributes& attributes = {}) {
  const Var* in[] = {&a, &b, &c};
  return apply(op, in, attributes);
}

}  // namespace detail
}  // namespace cotangent
