// The opt-in bridge to xtensor. Under GCC compile with -fno-new-ttp-matching
// (target cotangent::xtensor carries it).
#pragma once
#include <memory>
#include <vector>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>

#include "autodiff/tensor.hpp"

// GCC defines this macro where it matches template template parameters in the new way, with which immediate
// reducers of xtensor 0.24 compile but give wrong shapes and crash.
#if defined(__GNUC__) && !defined(__clang__) && defined(__cpp_template_template_args)
#error "autodiff/xtensor.hpp needs -fno-new-ttp-matching: link the target cotangent::xtensor, or add the flag"
#endif

namespace cotangent {

/// The tensor's numbers as a constant xtensor array. Copies nothing; the view keeps the numbers alive, those
/// of a temporary too. Shapes: [s] -> [s]. Cost: O(1).
inline auto view(const Tensor& tensor) {
  auto keeper = std::make_shared<const Tensor>(tensor);
  std::vector<std::size_t> shape;
  for (int k = 0; k < tensor.rank(); ++k) shape.push_back(static_cast<std::size_t>(tensor.size(k)));
  const double* numbers = keeper->data().data();
  return xt::adapt_smart_ptr(numbers, shape, std::move(keeper));
}

/// A tensor with the values of an xtensor array or expression, evaluated once and copied. Shapes: [s] -> [s].
/// Throws: ShapeError for more than eight axes.
template <class E>
Tensor from_xtensor(const xt::xexpression<E>& expression) {
  // An expression is evaluated; only an array is copied.
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
  const xt::xarray<double, xt::layout_type::row_major> values = expression.derived_cast();
  std::vector<Index> sizes(values.shape().begin(), values.shape().end());
  return Tensor::from(std::span<const double>(values.data(), values.size()), Shape(sizes));
}

}  // namespace cotangent
