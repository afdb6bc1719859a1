// Gradients of a loss for each sample by itself, and their lengths.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "autodiff/jacobian.hpp"

namespace cotangent {

struct SampleGradientOptions {
  /// Name patterns; only matching parameters become columns, the rest is constant. Empty: all.
  std::vector<std::string> params = {};
  /// Bytes of tensors the work may hold, the result's among them: samples are then taken in chunks that fit,
  /// by plan_per_sample_gradients' forecast; if nothing fits, a DomainError shows it.
  std::optional<Index> memory = std::nullopt;
};

/// Row i is the gradient of loss(w, X[i:i+1], targets[i:i+1]).
///
/// Shapes: X [n, ...], targets [n, ...] -> [n, P], with one output a sample. A loss that is one number is a
/// factor times the sum of its samples' parts, and sample i's gradient is that of its part times the factor
/// it has alone. For mean and sum that is known; any other factor, as the weights' sum in a weighted mean, is
/// taken from a forward pass of each sample. Assumes of the loss what per_sample_jacobian does of f, and
/// looks for it on as many samples; where one has another value or gradient alone, or the loss is no such sum
/// (one with a penalty on w), all rows are taken one by one, which is their definition.
/// Cost: two forward passes and one backward pass for all samples, and those of the samples looked at; with
/// another factor n forward passes of single samples besides; rows taken one by one, as where a parameter
/// reaches the data through other operations, n single forward and backward passes instead.
/// Throws: as per_sample_jacobian where an operation mixes samples; ShapeError if the loss is of another
/// shape, or X and the targets differ in n.
Jacobian per_sample_gradients(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                              const SampleGradientOptions& options = {});
Jacobian per_sample_gradients(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
                              const SampleGradientOptions& options = {});

/// The plan of per_sample_gradients under .memory, with the ways of plan_per_sample_jacobian.
Plan plan_per_sample_gradients(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options = {});

/// |g_i|^2 for these gradients. Where a parameter meets the data in one product g_i is the outer product of
/// two vectors, whose norms are multiplied: no g_i is formed.
///
/// Shapes: X [n, ...], targets [n, ...] -> [n].
/// Cost: as per_sample_gradients, without its n P numbers; a table [r, ..] in gather_rows takes n r numbers.
/// Throws: the same.
/// Source: Goodfellow 2015, Efficient per-example gradient computations.
Tensor per_sample_square_norms(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options = {});
Tensor per_sample_square_norms(SampleLoss loss, const Tensor& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options = {});

}  // namespace cotangent
