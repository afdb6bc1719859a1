// Data: dividing samples into training, validation and test, or into folds; how many fit in memory.
#pragma once
#include <optional>
#include <vector>

#include "autodiff/rng.hpp"
#include "optim/objective.hpp"

namespace cotangent::optim {

struct SplitOptions {
  /// Shares of all samples; the rest is for training.
  double validation = 0.2;
  double test = 0.0;
};

/// Disjoint batches that are all samples together, each in ascending order.
struct Split {
  Batch training;
  Batch validation;
  std::optional<Batch> test = std::nullopt;  // none if its share is 0
};

/// Divides n samples at random: round(share * n) of them for each share above 0, but at least one, and at
/// least one for training.
///
///   const optim::Split parts = optim::split(n, {.validation = 0.2}, rng);
///   const auto run = optim::Adam({...}).minimize(f.on(parts.training), w0, rng);
///   print(f.value(run.w, parts.validation));
///
/// Cost: n draws. Throws: DomainError unless 0 < validation, 0 <= test and the two are below 1 together; if n
/// is below the number of parts.
Split split(Index n, const SplitOptions& options, Rng& rng);

/// One way to hold some samples out; the two batches are all samples together, each in ascending order.
struct Fold {
  Batch training;
  Batch held_out;
};

/// Divides n samples at random into k folds, whose sizes differ by at most one: every sample is held out in
/// exactly one of them. With k = n each sample is held out alone.
///
/// Cost: n draws, k n numbers. Throws: DomainError unless 2 <= k <= n.
std::vector<Fold> folds(Index n, Index k, Rng& rng);

/// The most samples whose gradient at w fits in so many bytes of tensors' blocks, n at most: measured on
/// batches of 1, 2 and 3 samples, as each block grows linearly with the batch. The batch's rows and the
/// gradient are among them; w and all data are not. Of a chunked f, n if one piece fits.
///
/// Cost: 6 component gradients, which are not counted. Throws: DomainError, with what is needed, if one
/// sample is too much.
Index largest_batch(const FiniteSum& f, const Params& w, Index bytes);

}  // namespace cotangent::optim
