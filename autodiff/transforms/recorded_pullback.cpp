// The recorded pullback and what is linear in its cotangent.
#include "autodiff/transforms/recorded_pullback.hpp"

#include "autodiff/tape/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {

RecordedPullback::RecordedPullback(const char* transform, TapeState& tape, const Var& y, const Var& at)
    : transform_(transform),
      tape_(tape),
      y_(y),
      u_(add_leaf(tape, Tensor::zeros(y.shape()))),
      pulled_(pull_back(transform, tape, y_, u_, at, true)) {}

Var RecordedPullback::times(const Var& linear, const Var& v, bool create_graph) const {
  return pull_back(transform_, tape_, linear, v, u_, create_graph);
}

Var RecordedPullback::column(Index k, bool create_graph) const {
  return times(one_hot(pulled_.shape(), k), create_graph);
}

Tensor one_hot(const Shape& shape, Index position) {
  Tensor seed = Tensor::zeros(shape);
  mutable_data(seed)[position] = 1.0;
  return seed;
}

}  // namespace cotangent::detail
