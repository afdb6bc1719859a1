// Batches of one run: an epoch's order walked through, or draws with replacement, in memory that is kept.
#pragma once
#include <vector>

#include "autodiff/rng.hpp"
#include "optim/objective.hpp"
#include "optim/state.hpp"

namespace cotangent::optim {

class Batches {
 public:
  /// Batches of `size` samples out of n; without replacement at most n.
  Batches(Index n, Index size, bool replacement);

  Index size() const noexcept { return size_; }
  /// Iterations of an epoch.
  Index begin_epoch(Rng& rng);
  /// The batch of iteration i of the epoch; valid until the next.
  Batch at(Index i, Rng& rng);
  void visit(State& state) {
    state.same("batch", size_);
    state.same("replacement", replacement_ ? 1 : 0);
    state("order", list_);
  }

 private:
  Index n_, size_;
  bool replacement_;
  std::vector<Index> list_;  // the epoch's order, or the batch drawn last
};

}  // namespace cotangent::optim
