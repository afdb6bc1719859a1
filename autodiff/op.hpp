// What the rules of an operation are given: its inputs, its numbers, its record, and a place for cotangents.
// Scripts meet these in operations of their own: see autodiff/custom_op.hpp.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "autodiff/matmul_options.hpp"
#include "autodiff/var.hpp"

namespace cotangent {

/// What an operation's enclosure is given; of the room `enclose`: see enclose/formula.hpp.
class OpEnclosure;

namespace detail {
struct RecordAccess;
class Sweep;
}  // namespace detail

/// How the result depends on the inputs: as a multiple of the first or of each of them, where the
/// others are constant numbers, or as the sum of all numbers of the only input. `other`: in a way
/// that nothing relies on.
enum class OpLinear { other, in_first, in_each, sum };

/// What an operation carries besides its inputs: two reals, two whole numbers, or a shared payload for more.
struct OpAttributes {
  std::array<double, 2> real{};
  std::array<Index, 2> whole{};
  std::shared_ptr<const void> payload = nullptr;
};

/// The inputs' values, for a forward rule, and the shape asked for where the caller chooses it.
struct OpInputs {
  std::span<const Var* const> vars;
  const Shape* target = nullptr;
  const Tensor& operator[](int j) const { return vars[static_cast<std::size_t>(j)]->value(); }
  const Shape& shape(int j) const { return (*this)[j].shape(); }
  int count() const { return static_cast<int>(vars.size()); }
};

/// A recorded operation as its rules see it. The inputs are detached at first order, and tracked when
/// a graph is created.
class OpRecord {
 public:
  /// Input j, if the operation keeps it.
  const Var& in(int j) const { return inputs_[j]; }
  const Shape& shape(int j) const { return inputs_[j].shape(); }
  int count() const { return count_; }
  /// The output, if the operation keeps it.
  const Var& out() const { return *output_; }
  const Shape& out_shape() const { return output_->shape(); }
  const OpAttributes& attributes() const { return *attributes_; }
  double real(int k = 0) const { return attributes_->real[static_cast<std::size_t>(k)]; }
  Index whole(int k) const { return attributes_->whole[static_cast<std::size_t>(k)]; }

 private:
  friend struct detail::RecordAccess;
  OpRecord(const Var* inputs, int count, const Var* output, const OpAttributes* attributes)
      : inputs_(inputs), output_(output), attributes_(attributes), count_(count) {}

  const Var* inputs_;
  const Var* output_;
  const OpAttributes* attributes_;
  int count_;
};

/// Where a pullback leaves the cotangents of its inputs; several contributions to one input add up.
class OpCotangents {
 public:
  /// Whether anybody wants the cotangent of input j; work for others can be left out. Throws, as the others:
  /// DomainError if there is no input j.
  bool needs(int j) const;
  /// Whether inputs i and j are one and the same variable, so that one contribution can serve for both.
  bool same(int i, int j) const;
  void add(int j, const Var& contribution) { add(j, Var(contribution)); }
  void add(int j, Var&& contribution);
  /// add(j, matmul(a, b, options)), written straight into its place in the gradient where there is one.
  void add_matmul(int j, const Var& a, const Var& b, MatmulOptions options = {});

 private:
  friend class detail::Sweep;
  OpCotangents(detail::Sweep& sweep, std::uint32_t node) : sweep_(sweep), node_(node) {}
  detail::Sweep& sweep_;
  std::uint32_t node_;
};

}  // namespace cotangent
