// The structured tangent kernel from two sweeps over samples, and what it would cost. Behind
// tangent_kernel.hpp.
#pragma once
#include "autodiff/samples/sweep.hpp"

namespace cotangent::theory::kernels {

/// a b^T for a [n1, k], b [n2, k].
Tensor gram(const Tensor& a, const Tensor& b);
/// a a^T for a [n, k]; only the lower triangle is set.
Tensor gram_lower(const Tensor& a);
/// The upper triangle from the lower one.
void reflect(Tensor& square);

/// [n1*C, n2*C]; a sweep with itself (the same object twice) gives an exactly symmetric matrix.
Tensor structured_kernel(const cotangent::detail::SampleSweep& a, const cotangent::detail::SampleSweep& b);

/// Operations of that kernel's matrix products, and of adding them up, for n1 and n2 samples of the model
/// that `sweep` was made of.
double structured_kernel_flops(const cotangent::detail::SampleSweep& sweep, Index n1, Index n2,
                               bool symmetric);

/// Bytes of that kernel and of the products it is added up from, the sweeps' apart.
double structured_kernel_bytes(const cotangent::detail::SampleSweep& sweep, Index n1, Index n2);

}  // namespace cotangent::theory::kernels
