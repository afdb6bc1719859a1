// Balls: an array of balls, shared and seen through views as a tensor's numbers are.
#pragma once
#include <memory>

#include "autodiff/tensor.hpp"
#include "enclose/balls/arb.hpp"

namespace cotangent::enclosing {

class Balls {
 public:
  Balls() = default;
  /// Exact zeros.
  explicit Balls(const Shape& shape);
  /// Exact numbers.
  static Balls of(const Tensor& numbers);
  /// [lower_i, upper_i].
  static Balls between(const Tensor& lower, const Tensor& upper);

  /// The numbers from `offset` on in another shape.
  Balls view(Index offset, const Shape& shape) const;
  arb_ptr operator[](Index i) const { return at_ + i; }
  arb_ptr data() const { return at_; }
  const Shape& shape() const { return shape_; }
  Index size() const { return shape_.size(); }
  int rank() const { return shape_.rank(); }

  /// Bounds as doubles, rounded outward; infinite where a ball says nothing.
  Tensor lower() const;
  Tensor upper() const;

 private:
  struct Block;
  std::shared_ptr<const Block> block_;
  arb_ptr at_ = nullptr;
  Shape shape_ = Shape::empty();
};

/// The same of one ball.
double lower_of(arb_srcptr x);
double upper_of(arb_srcptr x);

}  // namespace cotangent::enclosing
