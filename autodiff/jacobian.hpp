// Per-sample Jacobians: one row for each sample and output, columns the parameters in the order of Params.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/params.hpp"
#include "autodiff/plan.hpp"
#include "autodiff/sample_functions.hpp"

namespace cotangent {

struct JacobianOptions {
  /// Name patterns ("0.weight", "*.bias"); only matching parameters become columns, the rest
  /// is constant. Empty: all.
  std::vector<std::string> params = {};
  Wrt wrt = Wrt::params;
  /// Bytes of tensors the work may hold, the result's among them: samples are then taken in chunks that fit,
  /// by plan_per_sample_jacobian's forecast; if nothing fits, a DomainError shows it. What was cached before
  /// is not counted, nor are the copies of a sample whose gradient rounding has carried over a kink.
  std::optional<Index> memory = std::nullopt;
};

/// A matrix [n*C, P] that knows its names: row (i, c) is output c of sample i, columns
/// are named parameter positions.
class Jacobian {
 public:
  Jacobian(Tensor matrix, Index samples, Index outputs, std::vector<ParamEntry> columns);

  /// [n*C, P]
  const Tensor& matrix() const noexcept { return matrix_; }
  Index samples() const noexcept { return samples_; }
  Index outputs() const noexcept { return outputs_; }
  /// Names, shapes and offsets of the blocks of columns.
  const std::vector<ParamEntry>& columns() const noexcept { return columns_; }
  std::string row_name(Index row) const;        // "sample 3, output 0"
  std::string column_name(Index column) const;  // "0.weight[3, 1]"

  /// Only the columns of parameters matching a pattern; only the rows of one sample.
  /// Throws: DomainError, ShapeError.
  Jacobian block(std::string_view pattern) const;
  Jacobian sample(Index i) const;

  struct Entry {
    Index row;
    Index column;
    double value;
  };
  /// The k entries of largest magnitude, largest first; NaN counts as larger than infinity, and of equal
  /// magnitudes the first in the matrix comes first.
  std::vector<Entry> top(Index k) const;

  std::string to_string() const;
  /// Writes `jacobian`, `rows` and `columns` (names) as .npz. Throws: DomainError.
  void save(const std::string& path) const;

 private:
  Tensor matrix_;
  Index samples_;
  Index outputs_;
  std::vector<ParamEntry> columns_;
};

/// Jacobian of the samples' outputs: row (i, c) is the gradient of f(w, X[i:i+1])[c].
///
/// Shapes: X [n, ...], f(w, X) [n] or [n, C] -> [n*C, P] (or [n*C, d] by the inputs). A function that mixes
/// samples is refused with the operation's name; `jacobian` gives its joint derivative. So is one that merges
/// the axis of the samples with another by reshape, although it may keep them apart, and one that hides in a
/// `checkpoint`. Of n = 1 nothing is refused. NaN in w or X is passed on to the rows it reaches.
/// Assumes of f what the record cannot show: C++ that looks at values or at X's size (a branch, value(),
/// detach, a CustomOp's .samples) must do to a sample within the batch what it does to it alone. That is
/// looked for: f is evaluated alone on every sample if n <= 8; else on the first, the middle, the last and
/// two more at random by a fixed seed, one more for each fourfold n. Another value is an error. With other
/// gradients alone, as rounding makes them at a kink, all rows are taken one by one. What differs only for
/// samples not looked at is not found.
/// Cost: one forward pass and one backward pass an output, and those of the samples looked at; a parameter
/// that reaches the data through other operations (tied by arithmetic, normalised, W2 W1), or by partly
/// overlapping slices, costs n * C passes instead.
/// Throws: ShapeError if f does not return [n, ...]; TapeError if samples mix; DomainError for
/// a pattern nothing matches.
Jacobian per_sample_jacobian(ModelFunction f, const Params& w, const Tensor& x,
                             const JacobianOptions& options = {});
Jacobian per_sample_jacobian(ModelFunction f, const Tensor& w, const Tensor& x,
                             const JacobianOptions& options = {});

/// The plan per_sample_jacobian follows under .memory: "structured" (all samples at once), "chunks" (as many
/// samples at a time as fit) or "single" (one record a sample, for models without structure).
///
/// Cost: records of f and their passes on one, two and three samples, from which n are forecast block by
/// block: sizes are affine in n. f is never evaluated on all of X.
/// Throws: as per_sample_jacobian where samples mix.
Plan plan_per_sample_jacobian(ModelFunction f, const Params& w, const Tensor& x,
                              const JacobianOptions& options = {});

/// Whether `name` matches `pattern`, in which * stands for any text and ? for one character.
bool matches(std::string_view pattern, std::string_view name) noexcept;

}  // namespace cotangent
