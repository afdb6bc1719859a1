// Samples and the function they are given to.
#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/samples/sweep_once.hpp"
#include "autodiff/tape/record.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::detail {
namespace {

void check_tape(const char* operation, Tape& tape, const Var& y) {
  if (y.tracked() && &live_tape(operation, y) != &VarAccess::state(tape))
    throw TapeError(fmt::format(
        "[{}] f returned a variable of another tape; let it use the w and X it is given", operation));
}

}  // namespace

SampleSource::SampleSource(AnyFunction f, Wrt wrt, const Tensor& w, const Tensor& x, const Tensor& targets,
                           std::vector<ColumnRange> columns)
    : f_(f), wrt_(wrt), w_(w), x_(x), targets_(targets), columns_(std::move(columns)) {
  if (x.rank() == 0 || x.size(0) == 0)
    throw ShapeError(fmt::format("[{}] X is {}; give it at least one sample along axis 0", operation(),
                                 x.shape().to_string()));
  if (of_loss() && (targets.rank() == 0 || targets.size(0) != x.size(0)))
    throw ShapeError(fmt::format("[{}] X is {}, the targets are {}; give one target a sample", operation(),
                                 x.shape().to_string(), targets.shape().to_string()));
  if (wrt == Wrt::inputs) columns_ = {{0, x.size() / x.size(0), 0}};
}

SampleSource SampleSource::model(ModelFunction f, const Tensor& w, const Tensor& x,
                                 std::vector<ColumnRange> columns) {
  return SampleSource(f, Wrt::params, w, x, Tensor(), std::move(columns));
}
SampleSource SampleSource::inputs(ModelFunction f, const Tensor& w, const Tensor& x) {
  return SampleSource(f, Wrt::inputs, w, x, Tensor(), {});
}
SampleSource SampleSource::losses(SampleLoss f, const Tensor& w, const Tensor& x, const Tensor& targets,
                                  std::vector<ColumnRange> columns) {
  return SampleSource(f, Wrt::params, w, x, targets, std::move(columns));
}

SampleSource SampleSource::part(Index first, Index last) const {
  SampleSource few = *this;
  few.x_ = x_.rows(first, last);
  if (of_loss()) few.targets_ = targets_.rows(first, last);
  return few;
}

SampleSource SampleSource::some(Index k) const {
  SampleSource few = *this;
  few.x_ = some_samples(x_, k);
  if (of_loss()) few.targets_ = some_samples(targets_, k);
  return few;
}

Var SampleSource::value(const Var& w, const Var& x, Index first, Index last) const {
  if (const SampleLoss* loss = std::get_if<SampleLoss>(&f_)) return (*loss)(w, x, targets_.rows(first, last));
  return std::get<ModelFunction>(f_)(w, x);
}

Var SampleSource::record(Tape& tape, Index first, Index last) const {
  const Var w = tape.input(w_);
  const Var x = tape.input(x_.rows(first, last));
  Var y = value(w, x, first, last);
  check_tape(operation(), tape, y);
  return y;
}

Var SampleSource::record_alone(Tape& tape, Index i, Var& leaf) const {
  const Tensor own = x_.rows(i, i + 1);
  leaf = tape.input(wrt_ == Wrt::inputs ? own : w_);
  Var y = wrt_ == Wrt::inputs ? value(Var(w_), leaf, i, i + 1) : value(leaf, Var(own), i, i + 1);
  check_tape(operation(), tape, y);
  return y;
}

Tensor some_samples(const Tensor& x, Index k) {
  const Index n = x.size(0), d = x.size() / n;
  if (k <= n) return x.rows(0, k);
  Tensor some = uninitialized(x.shape().with(0, k));
  for (Index i = 0; i < k; ++i) copy_run(mutable_data(some) + i * d, x.data().data() + (i % n) * d, d);
  return some;
}

}  // namespace cotangent::detail
