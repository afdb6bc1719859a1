// Gradients of a loss for each sample by itself, and their lengths.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "autodiff/jacobian.hpp"

namespace cotangent {

/// A loss of samples against their targets: [n] numbers, one a sample, or [] or [1], their mean or sum, as the
/// losses of nn are. Its value for one sample alone is what is differentiated.
using SampleLoss = FunctionRef<Var(const Var& w, const Var& x, const Tensor& targets)>;

struct SampleGradientOptions {
  /// Name patterns; only matching parameters become columns, the rest is constant. Empty: all.
  std::vector<std::string> params = {};
  /// Bytes of tensors the work may hold, the result's among them: samples are then taken in chunks that fit, by
  /// plan_per_sample_gradients' forecast; if nothing fits, a DomainError shows it.
  std::optional<Index> memory = std::nullopt;
};

/// Row i is the gradient of loss(w, X[i:i+1], targets[i:i+1]).
///
/// Shapes: X [n, ...], targets [n, ...] -> [n, P], with one output a sample.
/// Cost: two forward passes and one backward pass for all samples, and four of single samples; a loss that is
/// not a multiple of the sum of its samples' parts (one with a penalty on w) and a parameter that reaches the
/// data through other operations cost n single passes instead.
/// Throws: as per_sample_jacobian; ShapeError if the loss is of another shape, or X and the targets differ in n.
Jacobian per_sample_gradients(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                              const SampleGradientOptions& options = {});
Jacobian per_sample_gradients(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
                              const SampleGradientOptions& options = {});

/// |g_i|^2 for these gradients. Where a parameter meets the data in one product g_i is the outer product of two
/// vectors, whose norms are multiplied: no g_i is formed.
///
/// Shapes: X [n, ...], targets [n, ...] -> [n].
/// Cost: as per_sample_gradients, without its n P numbers. Throws: the same.
/// Source: Goodfellow 2015, Efficient per-example gradient computations.
Tensor per_sample_square_norms(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options = {});
Tensor per_sample_square_norms(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options = {});

}  // namespace cotangent
