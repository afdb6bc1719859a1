// Objectives: f(w) = (1/n) sum_i f_i(w) over a flat parameter vector w, and the batches it is estimated on.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "autodiff/function.hpp"
#include "autodiff/params.hpp"
#include "autodiff/tape.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent::optim {

/// A list of samples out of 0 .. n-1; repeats are allowed. Cheap to copy.
class Batch {
 public:
  /// All n samples in order; samples first <= i < last; the samples listed.
  /// Throws: DomainError if a sample is out of range or there is none.
  static Batch all(Index n) { return range(n, 0, n); }
  static Batch range(Index n, Index first, Index last);
  static Batch of(Index n, std::vector<Index> indices);
  /// Looks at `indices`, which must outlive the batch.
  static Batch view(Index n, std::span<const Index> indices);

  Index size() const noexcept { return size_; }
  /// The n of the objective.
  Index total() const noexcept { return total_; }
  bool is_all() const noexcept { return !list_ && size_ == total_; }
  /// Sample number k of the batch, 0 <= k < size().
  Index operator[](Index k) const noexcept { return list_ ? list_[k] : first_ + k; }
  /// The samples as a list of its own.
  std::vector<Index> indices() const;
  /// Some of these samples, numbered within the batch: sample k of the result is sample positions[k] of this
  /// one. A batch that looks at a list gives batches that may look at it, too.
  /// Throws: DomainError unless positions.total() is size().
  Batch at(const Batch& positions) const;

  /// X[indices]: the rows of a tensor whose axis 0 numbers all samples.
  ///
  /// Shapes: X [n, ...] -> [size(), ...].
  /// Cost: O(1) for consecutive samples (all of them give X itself), else a copy of the rows.
  /// Throws: ShapeError unless X has n rows.
  Tensor rows(const Tensor& x) const;

 private:
  friend class FiniteSum;
  Batch() = default;
  /// The same samples, in a list that lives as long as the batch.
  Batch kept() const;
  std::shared_ptr<const void> owned_;  // what list_ points into, unless it is somebody else's
  const Index* list_ = nullptr;        // null: consecutive samples from first_ on
  Index first_ = 0;
  Index size_ = 0;
  Index total_ = 0;
};

/// Mean over a batch of the components f_i at w, as a scalar.
using BatchFunction = Function<Var(const Var& w, const Batch& batch)>;

/// f(w) = (1/n) sum_i f_i(w). Copies share the function and the count. A FiniteSum is itself a function of w,
/// so every transform takes it: hvp(f, w, v).
class FiniteSum {
 public:
  FiniteSum(Index n, BatchFunction f);

  /// n.
  Index size() const noexcept { return size_; }
  Var operator()(const Var& w) const { return (*this)(w, Batch::all(size_)); }
  /// Throws: ShapeError unless the function returned one element; DomainError if the batch is of another n.
  Var operator()(const Var& w, const Batch& batch) const;

  /// The mean over all samples, or over a batch. Shapes: w [P].
  double value(const Var& w) const { return value(w, Batch::all(size_)); }
  double value(const Var& w, const Batch& batch) const;
  /// Throws: as cotangent::value_and_grad.
  ValueAndGrad<Params> value_and_grad(const Params& w) const { return value_and_grad(w, Batch::all(size_)); }
  ValueAndGrad<Params> value_and_grad(const Params& w, const Batch& batch) const;
  ValueAndGrad<Tensor> value_and_grad(const Tensor& w) const { return value_and_grad(w, Batch::all(size_)); }
  ValueAndGrad<Tensor> value_and_grad(const Tensor& w, const Batch& batch) const;
  Params grad(const Params& w) const { return value_and_grad(w).grad; }
  Params grad(const Params& w, const Batch& batch) const { return value_and_grad(w, batch).grad; }
  Tensor grad(const Tensor& w) const { return value_and_grad(w).grad; }
  Tensor grad(const Tensor& w, const Batch& batch) const { return value_and_grad(w, batch).grad; }

  /// Another function of as many components, whose gradients are counted here too, with the same pieces.
  FiniteSum like(BatchFunction f) const;
  /// f over some of the samples: component k is sample batch[k], and gradients are counted here too.
  ///
  ///   const auto run = optim::Sgd({...}).minimize(f.on(fold.training), w0, rng);
  ///
  /// Throws: DomainError if the batch is of another n.
  FiniteSum on(const Batch& batch) const;
  /// The same f, whose values, gradients and Oracle's products over a batch are sums over pieces of at most
  /// so many samples, one after another: any batch takes the memory of one piece. A batch that is one piece
  /// gives the same bits. As a function of a Var, in transforms, f is whole.
  /// Throws: DomainError unless samples >= 1.
  FiniteSum chunked(Index samples = 256) const;
  /// The most samples of a piece, if f is chunked.
  std::optional<Index> piece() const noexcept { return piece_; }
  /// Calls `take` with the pieces of a batch in order, and with their shares of it, which have the sum 1.
  void in_pieces(const Batch& batch, FunctionRef<void(const Batch& piece, double share)> take) const;
  /// The maximised f: what minimises -f maximises f.
  FiniteSum operator-() const;

  /// Gradients of single components computed so far by value_and_grad and grad: batch.size() a call.
  Index component_gradients() const noexcept { return count_->load(std::memory_order_relaxed); }

 private:
  /// f of n components, with this one's count and pieces.
  FiniteSum of(Index n, BatchFunction f) const;
  void check(const Batch& batch) const;
  void count(const Batch& batch) const { count_->fetch_add(batch.size(), std::memory_order_relaxed); }

  Index size_;
  BatchFunction f_;
  std::shared_ptr<std::atomic<Index>> count_;
  std::optional<Index> piece_;
};

/// The mean of n components from a function of w and a batch of them:
///
///   auto f = optim::finite_sum(n, [&](const Var& w, const Batch& b) {
///     return nn::mse(net(w, b.rows(X)), b.rows(Y)); });
///
/// Throws: DomainError unless n >= 1.
inline FiniteSum finite_sum(Index n, BatchFunction f) { return FiniteSum(n, std::move(f)); }

/// A plain function of w as an objective of one component.
FiniteSum objective(Function<Var(const Var& w)> f);

}  // namespace cotangent::optim

namespace cotangent {
using optim::Batch;
}
