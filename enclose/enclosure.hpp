// Enclosure: for every number of a result a lower and an upper bound that hold for the exact function.
#pragma once
#include <memory>
#include <string>

#include "autodiff/params.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent {

namespace enclosing {
class Replay;
}

struct EncloseOptions {
  /// Of the numbers in the first replay. Twice as many are taken, up to `most_bits`, until every number is
  /// known to `accuracy` and every comparison is decided.
  int bits = 128;
  int most_bits = 4096;
  /// The radius of a number beside its magnitude. Zeros that are none in the record's arithmetic, as
  /// tanh(w) - tanh(w), are never known: their replays end with most_bits.
  double accuracy = 0x1p-50;
};

/// Where a function is asked: all points between two corners. Shapes: lower, upper [s].
struct Box {
  Tensor lower;
  Tensor upper;
};

/// Bounds of a result, rounded outward to doubles; infinite where nothing is known, as where the function is
/// not defined.
class Enclosure {
 public:
  const Tensor& lower() const noexcept { return lower_; }
  const Tensor& upper() const noexcept { return upper_; }
  /// (lower + upper) / 2, rounded.
  Tensor middle() const;
  /// Every bound is finite.
  bool finite() const noexcept;
  /// Whether the numbers, in the result's shape, lie within the bounds. Throws: ShapeError.
  bool contains(const Tensor& numbers) const;

  /// How many bits the last replay had.
  int bits() const noexcept { return bits_; }
  /// Comparisons with a kink or a step, and those of them that these bits do not decide. There the result
  /// holds the hull of both sides, which for a derivative contains Clarke's.
  Index comparisons() const noexcept { return comparisons_; }
  Index undecided() const noexcept { return undecided_; }
  /// Those undecided at which the function may jump, instead of bend, and inexact inputs of a CustomOp
  /// without a pullback: there bounds of its derivative do not bound its change.
  Index jumps() const noexcept { return jumps_; }

  /// Number k of the result in n decimal digits, "[0.1234 +/- 2e-39]".
  std::string digits(Index k, int n = 30) const;
  /// log2 of the radius of number k, which may be far below what doubles hold; -infinity if it is exact.
  double log2_radius(Index k) const;
  std::string to_string() const;

 private:
  friend struct EnclosureAccess;
  Tensor lower_, upper_;
  int bits_ = 0;
  Index comparisons_ = 0, undecided_ = 0, jumps_ = 0;
  std::shared_ptr<const void> balls_;
};

/// Encloses f at w, or at every point of a box. Derivatives are those that f takes:
///
///   enclose([&](const Var& v) { return grad(f, v); }, w)
///
/// encloses the gradient. The data f refers to are exact, and so are w and the corners. A box of more than
/// one point is replayed once, with `bits`; f is recorded at its middle and must not branch on numbers of w.
/// Cost: 100 to 200 times f in doubles at 128 bits. Shapes: as f's result.
/// Throws: DomainError for an operation that has no enclosure (a linear map, a CustomOp that is given none),
/// by its name; for bits outside 2 .. 2^20 or most_bits below bits; for a box whose corners are not finite,
/// or the lower above the upper; ShapeError for corners of two shapes; what f throws.
/// Source: F. Johansson, Arb (2017): midpoint-radius arithmetic.
Enclosure enclose(VarFunction f, const Tensor& w, const EncloseOptions& options = {});
Enclosure enclose(VarFunction f, const Params& w, const EncloseOptions& options = {});
Enclosure enclose(VarFunction f, const Box& box, const EncloseOptions& options = {});

/// f recorded once, at `at`, to be enclosed at many points and boxes: what enclose() does, without its
/// recording each time. Branches of f on numbers of w are taken as they are at `at`.
class EnclosedFunction {
 public:
  /// Throws: DomainError for an operation that has no enclosure, by its name; what f throws.
  EnclosedFunction(VarFunction f, const Tensor& at);

  /// Throws: as enclose(); ShapeError unless the point or the corners are of at's shape.
  Enclosure operator()(const Tensor& w, const EncloseOptions& options = {}) const;
  Enclosure operator()(const Box& box, const EncloseOptions& options = {}) const;

 private:
  void check_shape(const Shape& shape) const;
  std::shared_ptr<const enclosing::Replay> replay_;
};

}  // namespace cotangent
