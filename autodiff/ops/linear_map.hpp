// A linear map that is given by its product and its transpose's product, as one operation.
#pragma once
#include <memory>

#include "autodiff/var.hpp"

namespace cotangent::detail {

class LinearMap {
 public:
  virtual ~LinearMap() = default;
  /// A x and A^T c. Shapes: x as input(), c as output().
  virtual Tensor times(const Tensor& x) const = 0;
  virtual Tensor transposed_times(const Tensor& c) const = 0;
  virtual Shape input() const = 0;
  virtual Shape output() const = 0;
};

/// A x and A^T c, each the other's pullback, so derivatives of any order cost one product each. A tape that
/// recorded one keeps the map alive. Throws: ShapeError.
Var times(const std::shared_ptr<const LinearMap>& map, const Var& x);
Var transposed_times(const std::shared_ptr<const LinearMap>& map, const Var& c);

}  // namespace cotangent::detail
