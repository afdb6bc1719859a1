// The orders of epochs, and draws.
#include "optim/parts/batches.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace cotangent::optim {

Batches::Batches(Index n, Index size, bool replacement)
    : n_(n),
      size_(replacement ? size : std::min(size, n)),
      replacement_(replacement),
      list_(static_cast<std::size_t>(replacement ? size_
                                     : size_ < n ? n
                                                 : 0)) {}

Index Batches::begin_epoch(Rng& rng) {
  if (!replacement_) {
    // The same order as rng.permutation(n), in the memory of the epoch before.
    std::iota(list_.begin(), list_.end(), Index{0});
    for (std::size_t i = list_.size(); i > 1; --i)
      std::swap(list_[i - 1], list_[static_cast<std::size_t>(rng.below(static_cast<Index>(i)))]);
  }
  return (n_ - 1) / size_ + 1;
}

Batch Batches::at(Index i, Rng& rng) {
  if (replacement_) {
    for (Index& sample : list_) sample = rng.below(n_);
    return Batch::view(n_, list_);
  }
  if (size_ == n_) return Batch::all(n_);
  const Index first = i * size_;
  const std::span<const Index> order(list_);
  return Batch::view(n_, order.subspan(static_cast<std::size_t>(first),
                                       static_cast<std::size_t>(std::min(size_, n_ - first))));
}

}  // namespace cotangent::optim
