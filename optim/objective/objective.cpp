// Objectives: batches, gathering of rows, and the checks around a user's function.
#include "optim/objective.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::optim {
namespace {

Params add(Params sum, double share, const Params& more) { return axpy(share, more, std::move(sum)); }
Tensor add(const Tensor& sum, double share, const Tensor& more) { return (Var(sum) + share * more).value(); }
Params scaled(double share, const Params& g) { return share * g; }
Tensor scaled(double share, const Tensor& g) { return (share * Var(g)).value(); }

/// A piece's record is gone before the next is made.
template <class Point>
ValueAndGrad<Point> sum_of_pieces(const FiniteSum& f, const Point& w, const Batch& batch) {
  ValueAndGrad<Point> sum{0.0, Point()};
  bool first = true;
  f.in_pieces(batch, [&](const Batch& piece, double share) {
    auto [value, gradient] = cotangent::value_and_grad([&](const Var& v) { return f(v, piece); }, w);
    sum.value = first ? share * value : sum.value + share * value;
    if (!first) {
      sum.grad = add(std::move(sum.grad), share, gradient);
    } else {
      sum.grad = share == 1.0 ? std::move(gradient) : scaled(share, gradient);
    }
    first = false;
  });
  return sum;
}

}  // namespace

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

Batch Batch::at(const Batch& positions) const {
  if (positions.total_ != size_)
    throw DomainError(fmt::format("[Batch::at] positions out of {} for a batch of {}; make them with n = {}",
                                  positions.total_, size_, size_));
  if (positions.is_all()) return *this;
  if (!positions.list_) {
    const Index first = positions.first_;
    if (!list_) return range(total_, first_ + first, first_ + first + positions.size_);
    Batch part = view(total_, {list_ + first, static_cast<std::size_t>(positions.size_)});
    if (part.list_) part.owned_ = owned_;
    return part;
  }
  using List = detail::RecycledVector<Index>;  // steps of a run take nothing from the heap
  const detail::Recycled<Index> recycled;
  auto list = std::allocate_shared<List>(recycled, static_cast<std::size_t>(positions.size_), recycled);
  for (Index k = 0; k < positions.size_; ++k) (*list)[static_cast<std::size_t>(k)] = (*this)[positions[k]];
  Batch some = view(total_, *list);
  if (some.list_) some.owned_ = std::move(list);
  return some;
}

Batch Batch::kept() const { return list_ && !owned_ ? of(total_, indices()) : *this; }

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
  for (Index k = 0; k < size_; ++k) detail::copy_run(to + k * row, from + list_[k] * row, row);
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

FiniteSum FiniteSum::like(BatchFunction f) const { return of(size_, std::move(f)); }

FiniteSum FiniteSum::of(Index n, BatchFunction f) const {
  FiniteSum sum(n, std::move(f));
  sum.count_ = count_;
  sum.piece_ = piece_;
  return sum;
}

FiniteSum FiniteSum::on(const Batch& batch) const {
  check(batch);
  return of(batch.size(), [f = f_, samples = batch.kept()](const Var& w, const Batch& positions) {
    return f(w, samples.at(positions));
  });
}

FiniteSum FiniteSum::chunked(Index samples) const {
  if (samples < 1)
    throw DomainError(
        fmt::format("[chunked] pieces of {} samples; give the most to take at once, 1 or more", samples));
  FiniteSum sum = *this;
  sum.piece_ = samples;
  return sum;
}

FiniteSum FiniteSum::operator-() const {
  return like([f = f_](const Var& w, const Batch& batch) { return -f(w, batch); });
}

void FiniteSum::check(const Batch& batch) const {
  if (batch.total() != size_)
    throw DomainError(
        fmt::format("[finite_sum] a batch out of {} samples for an objective of {}; make it with n = {}",
                    batch.total(), size_, size_));
}

Var FiniteSum::operator()(const Var& w, const Batch& batch) const {
  check(batch);
  Var result = f_(w, batch);
  if (result.size() != 1)
    throw ShapeError(fmt::format(
        "[finite_sum] the function returned {} for a batch of {} and w {}; return one number, the "
        "mean over the batch",
        result.shape().to_string(), batch.size(), w.shape().to_string()));
  return result;
}

void FiniteSum::in_pieces(const Batch& batch,
                          FunctionRef<void(const Batch& piece, double share)> take) const {
  check(batch);
  const Index most = piece_.value_or(batch.size());
  if (batch.size() <= most) return take(batch, 1.0);
  for (Index first = 0; first < batch.size(); first += most) {
    const Index last = std::min(batch.size(), first + most);
    take(batch.at(Batch::range(batch.size(), first, last)),
         static_cast<double>(last - first) / static_cast<double>(batch.size()));
  }
}

double FiniteSum::value(const Var& w, const Batch& batch) const {
  const Var at = piece_ ? Var(w.value()) : w;  // pieces are not recorded
  double sum = 0.0;
  in_pieces(batch, [&](const Batch& piece, double share) { sum += share * (*this)(at, piece).item(); });
  return sum;
}

ValueAndGrad<Params> FiniteSum::value_and_grad(const Params& w, const Batch& batch) const {
  auto result = sum_of_pieces<Params>(*this, w, batch);
  count(batch);
  return result;
}

ValueAndGrad<Tensor> FiniteSum::value_and_grad(const Tensor& w, const Batch& batch) const {
  auto result = sum_of_pieces<Tensor>(*this, w, batch);
  count(batch);
  return result;
}

FiniteSum objective(Function<Var(const Var& w)> f) {
  if (!f) throw DomainError("[objective] the function is empty; give a callable of (const Var&)");
  return FiniteSum(1, [f = std::move(f)](const Var& w, const Batch&) { return f(w); });
}

}  // namespace cotangent::optim
