// Plans: what each way to a result is forecast to take in operations and memory, and the one chosen.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/jacobian.hpp"
#include "autodiff/per_sample_gradients.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent {

/// One way to a result. Operations are floating-point ones of products, two for each multiplication with its addition;
/// every call of an operation adds 400, and 2 for each number it reads or writes, for the time they take. Bytes are
/// those of all blocks of tensors held at once, in use or waiting to be used again, the result's among them; w and X
/// are not, nor what was cached before.
struct Way {
  std::string name;
  double flops = 0.0;
  double bytes = 0.0;
  /// Why it cannot be taken, for it could be wrong; empty: it can.
  std::string refusal = {};
  /// Samples, or what `unit` says, taken at a time, where that is not all of them.
  std::optional<Index> chunk = std::nullopt;
  const char* unit = "samples";
};

/// The ways, and the choice among those that can be taken and fit the memory: the one with fewest operations,
/// the first of equals.
class Plan {
 public:
  /// Throws: DomainError for a memory below 0.
  Plan(std::string task, std::vector<Way> ways, std::optional<Index> memory = std::nullopt);

  const std::vector<Way>& ways() const& noexcept { return ways_; }
  std::vector<Way> ways() && noexcept { return std::move(ways_); }
  /// Throws: DomainError unless there is a way of this name.
  Way way(std::string_view name) const;
  bool fits() const noexcept { return chosen_.has_value(); }
  /// Throws: DomainError with the forecast if no way fits.
  Way chosen() const;

  /// "J needs ...; using ..." and a table of the ways.
  std::string to_string() const;

 private:
  std::string task_;
  std::vector<Way> ways_;
  std::optional<Index> memory_;
  std::optional<std::size_t> chosen_;
};

/// The plan per_sample_jacobian follows under .memory: "structured" (all samples at once), "chunks" (as many
/// samples at a time as fit) or "single" (one record a sample, for models without structure).
///
/// Cost: records of f and their passes on one, two and three samples, from which n are forecast block by block: sizes
/// are affine in n. f is never evaluated on all of X.
/// Throws: as per_sample_jacobian where samples mix.
Plan plan_per_sample_jacobian(ModelFunction f, const Params& w, const Tensor& x,
                              const JacobianOptions& options = {});

/// The plan of per_sample_gradients under .memory, with the same ways.
Plan plan_per_sample_gradients(SampleLoss loss, const Params& w, const Tensor& x, const Tensor& targets,
                               const SampleGradientOptions& options = {});

/// The plan of jacobian(f, x, options): "reverse" or "forward", of which a pass is counted as two of the other's
/// (it measures 1.1 to 1.9). The memory of forward is an upper bound from that of a backward pass.
/// Cost: one record of f and one backward pass.
Plan plan_jacobian(VarFunction f, const Tensor& x, const FullJacobianOptions& options = {});
Plan plan_jacobian(VarFunction f, const Params& w, const FullJacobianOptions& options = {});
/// The plan of jacobian_blocks, which says how many rows a block has.
Plan plan_jacobian_blocks(VarFunction f, const Tensor& x, const FullJacobianOptions& options = {});
Plan plan_jacobian_blocks(VarFunction f, const Params& w, const FullJacobianOptions& options = {});

}  // namespace cotangent
