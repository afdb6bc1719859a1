// Loops over elements that the elementwise operations share.
#pragma once
#include <cmath>
#include <string>

#include "autodiff/kernels/elements.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {

/// Throws: ShapeError that says which operation brings the two shapes together.
[[noreturn]] void throw_unequal(const char* name, const Shape& a, const Shape& b);

/// Room for one number of each pair; a scalar on either side goes with any shape. Throws: ShapeError for
/// other shapes.
inline Tensor room_for_pairs(const char* name, const Tensor& a, const Tensor& b) {
  if (a.shape() == b.shape()) return uninitialized(a.shape());
  if (a.rank() != 0 && b.rank() != 0) throw_unequal(name, a.shape(), b.shape());
  return uninitialized(a.rank() ? a.shape() : b.shape());
}

/// f(a_i, b_i), as room_for_pairs says.
inline Tensor zip(const char* name, const OpInputs& in, kernel::Elements::Binary f) {
  Tensor out = room_for_pairs(name, in[0], in[1]);
  const auto operand = [&](const Tensor& t) {
    return kernel::Operand{t.data().data(), t.rank() == 0 && out.rank() != 0};
  };
  f(mutable_data(out), operand(in[0]), operand(in[1]), out.size());
  return out;
}
template <class F>
Tensor zip(const char* name, const OpInputs& in, F f) {
  Tensor out = room_for_pairs(name, in[0], in[1]);
  double* __restrict y = mutable_data(out);
  const double* pa = in[0].data().data();
  const double* pb = in[1].data().data();
  const Index n = out.size();
  if (in.shape(0) == in.shape(1)) {
    for (Index i = 0; i < n; ++i) y[i] = f(pa[i], pb[i]);
  } else if (in[0].rank() == 0) {
    const double s = *pa;
    for (Index i = 0; i < n; ++i) y[i] = f(s, pb[i]);
  } else {
    const double s = *pb;
    for (Index i = 0; i < n; ++i) y[i] = f(pa[i], s);
  }
  return out;
}

/// f(x_i).
template <class F>
Tensor map(const Tensor& x, F f) {
  Tensor out = uninitialized(x.shape());
  double* __restrict y = mutable_data(out);
  const double* px = x.data().data();
  for (Index i = 0, n = x.size(); i < n; ++i) y[i] = f(px[i]);
  return out;
}
inline Tensor map(const Tensor& x, void (*f)(double*, const double*, std::int64_t)) {
  Tensor out = uninitialized(x.shape());
  f(mutable_data(out), x.data().data(), x.size());
  return out;
}

/// A scalar operand's cotangent is the sum over what it was spread to.
inline Var like(const Var& g, const Shape& shape) { return shape.rank() == 0 && g.rank() != 0 ? sum(g) : g; }

/// Per-sample gradients by a scalar operand from what each element of the result contributes: its sum over
/// the sample's elements. Shapes: each [.., n, ..] with n at `axis` -> [n, 1].
RowFactor summed_by_sample(const Tensor& each, int axis);

}  // namespace cotangent::detail
