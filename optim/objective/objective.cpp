// Objectives: batches, gathering of rows, and the checks around a user's function.
#include "optim/objective.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::optim {

Batch Batch::range(Index n, Index first, Index last) {
  if (first < 0 || first >= last || last > n)
    throw DomainError(fmt::format(
        "[Batch] samples {} .. {} (the last excluded) of {}; give a range with at least one sample "
        "inside 0 .. {}",
        first, last, n, n));
  Batch batch;
  batch.first_ = first;
  batch.size_ = last - first;
  batch.total_ = n;
  return batch;
}

Batch Batch::view(Index n, std::span<const Index> indices) {
  if (indices.empty())
    throw DomainError(
        fmt::format("[Batch] no samples of {}; the mean over none is undefined, give at least one", n));
  bool consecutive = true;
  for (std::size_t k = 0; k < indices.size(); ++k) {
    if (indices[k] < 0 || indices[k] >= n)
      throw DomainError(
          fmt::format("[Batch] sample {} at position {} of {} samples; samples are numbered 0 .. {}",
                      indices[k], k, n, n - 1));
    consecutive = consecutive && indices[k] == indices[0] + static_cast<Index>(k);
  }
  Batch batch;
  batch.list_ = consecutive ? nullptr : indices.data();
  batch.first_ = indices[0];
  batch.size_ = static_cast<Index>(indices.size());
  batch.total_ = n;
  return batch;
}

Batch Batch::of(Index n, std::vector<Index> indices) {
  auto owned = std::make_shared<const std::vector<Index>>(std::move(indices));
  Batch batch = view(n, *owned);
  if (batch.list_) batch.owned_ = std::move(owned);
  return batch;
}

std::vector<Index> Batch::indices() const {
  std::vector<Index> list(static_cast<std::size_t>(size_));
  for (Index k = 0; k < size_; ++k) list[static_cast<std::size_t>(k)] = (*this)[k];
  return list;
}

Tensor Batch::rows(const Tensor& x) const {
  if (x.rank() == 0 || x.size(0) != total_)
    throw ShapeError(fmt::format(
        "[Batch::rows] the tensor is {}, the objective has {} samples; give one whose axis 0 numbers "
        "all samples, [{}, ...]",
        x.shape().to_string(), total_, total_));
  if (is_all()) return x;
  if (!list_) return x.rows(first_, first_ + size_);
  Tensor result = detail::uninitialized(x.shape().with(0, size_));
  const Index row = x.size() / total_;
  const double* from = x.data().data();
  double* to = detail::mutable_data(result);
  for (Index k = 0; k < size_; ++k) std::copy_n(from + list_[k] * row, row, to + k * row);
  return result;
}

FiniteSum::FiniteSum(Index n, BatchFunction f)
    : size_(n), f_(std::move(f)), count_(std::make_shared<std::atomic<Index>>(0)) {
  if (n < 1)
    throw DomainError(
        fmt::format("[finite_sum] n is {}; an objective needs at least one component, n >= 1", n));
  if (!f_)
    throw DomainError("[finite_sum] the function is empty; give a callable of (const Var&, const Batch&)");
}

FiniteSum FiniteSum::like(BatchFunction f) const {
  FiniteSum sum(size_, std::move(f));
  sum.count_ = count_;
  return sum;
}

Var FiniteSum::operator()(const Var& w, const Batch& batch) const {
  if (batch.total() != size_)
    throw DomainError(
        fmt::format("[finite_sum] a batch out of {} samples for an objective of {}; make it with n = {}",
                    batch.total(), size_, size_));
  Var result = f_(w, batch);
  if (result.size() != 1)
    throw ShapeError(fmt::format(
        "[finite_sum] the function returned {} for a batch of {} and w {}; return one number, the "
        "mean over the batch",
        result.shape().to_string(), batch.size(), w.shape().to_string()));
  return result;
}

ValueAndGrad<Params> FiniteSum::value_and_grad(const Params& w, const Batch& batch) const {
  auto result = cotangent::value_and_grad([&](const Var& v) { return (*this)(v, batch); }, w);
  count(batch);
  return result;
}

ValueAndGrad<Tensor> FiniteSum::value_and_grad(const Tensor& w, const Batch& batch) const {
  auto result = cotangent::value_and_grad([&](const Var& v) { return (*this)(v, batch); }, w);
  count(batch);
  return result;
}

FiniteSum objective(Function<Var(const Var& w)> f) {
  if (!f) throw DomainError("[objective] the function is empty; give a callable of (const Var&)");
  return FiniteSum(1, [f = std::move(f)](const Var& w, const Batch&) { return f(w); });
}

}  // namespace cotangent::optim
