// For tests of the engine: comparison of tensors, and derivatives by central differences of plain functions.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "autodiff/tensor.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::test {

/// Equal shapes, and every element within `tolerance` of max(1, its magnitude).
inline void expect_close(const Tensor& value, const Tensor& expected, double tolerance) {
  ASSERT_EQ(value.shape().to_string(), expected.shape().to_string());
  for (std::size_t i = 0; i < value.data().size(); ++i) {
    const double a = value.data()[i], b = expected.data()[i];
    EXPECT_LE(std::fabs(a - b), tolerance * std::max(1.0, std::fabs(b)))
        << "element " << i << ": " << a << ", should be " << b;
  }
}

/// The tensor of a shape whose element k is f(k), k counting in row-major order.
template <class F>
Tensor tensor_by(const Shape& shape, F f) {
  std::vector<double> numbers;
  for (Index k = 0; k < shape.size(); ++k) numbers.push_back(f(k));
  return Tensor::from(numbers, shape);
}

/// x with h added at position k.
inline Tensor moved(const Tensor& x, Index k, double h) {
  std::vector<double> numbers(x.data().begin(), x.data().end());
  numbers[static_cast<std::size_t>(k)] += h;
  return Tensor::from(numbers, x.shape());
}

/// [t, s] for a plain function [s] -> [t]: central differences of fourth order, errors near 1e-10.
inline Tensor differences(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, double h = 1e-3) {
  const Index rows = f(x).size(), columns = x.size();
  std::vector<double> numbers(static_cast<std::size_t>(rows * columns));
  for (Index s = 0; s < columns; ++s) {
    const Tensor near_plus = f(moved(x, s, h)), near_minus = f(moved(x, s, -h));
    const Tensor far_plus = f(moved(x, s, 2.0 * h)), far_minus = f(moved(x, s, -2.0 * h));
    for (Index t = 0; t < rows; ++t) {
      const auto k = static_cast<std::size_t>(t);
      numbers[static_cast<std::size_t>(t * columns + s)] =
          (8.0 * (near_plus.data()[k] - near_minus.data()[k]) - (far_plus.data()[k] - far_minus.data()[k])) /
          (12.0 * h);
    }
  }
  return Tensor::from(numbers, Shape{rows, columns});
}

}  // namespace cotangent::test
