// Tangent kernels from sweeps over samples.
#include "theory/tangent_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/linearize.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/tensor/access.hpp"
#include "theory/kernels/structured_kernel.hpp"

namespace cotangent::theory {

using cotangent::detail::block_of;
using cotangent::detail::BlockReplay;
using cotangent::detail::BlockTrace;
using cotangent::detail::ColumnRange;
using cotangent::detail::mutable_data;
using cotangent::detail::RecordCosts;
using cotangent::detail::SampleForecast;
using cotangent::detail::SampleSource;
using cotangent::detail::SampleSweep;
using cotangent::detail::SampleTrace;
using cotangent::detail::some_samples;
using cotangent::detail::uninitialized;
using kernels::gram;
using kernels::gram_lower;
using kernels::reflect;
using kernels::structured_kernel;
using kernels::structured_kernel_bytes;
using kernels::structured_kernel_flops;

namespace {

struct Task {
  ModelFunction f;
  const Params& w;
  const Tensor& x1;
  const Tensor* x2;  // null: x1 again
  SampleSource one;
  std::optional<SampleSource> two;

  const Tensor& other() const { return x2 ? *x2 : x1; }
};

/// A sweep over each set, of which the second is empty if there is one set alone.
struct Sweeps {
  SampleSweep one;
  SampleSweep two;
  const std::string& slow_reason() const {
    return one.slow_reason.empty() ? two.slow_reason : one.slow_reason;
  }
};

void check_outputs(const Task& task, Index outputs1, Index outputs2) {
  if (task.x2 && outputs1 != outputs2)
    throw ShapeError(fmt::format(
        "[tangent_kernel] f has {} outputs on X1 of shape {}, {} on X2 of shape {}; they must agree",
        outputs1, task.x1.shape().to_string(), outputs2, task.x2->shape().to_string()));
}

Sweeps sweep_both(const Task& task, const SampleSource& one, const std::optional<SampleSource>& two) {
  Sweeps sweeps{sweep_samples(one), {}};
  if (two) sweeps.two = sweep_samples(*two);
  check_outputs(task, sweeps.one.outputs, sweeps.two.outputs);
  return sweeps;
}

TangentKernel by_rows(const Task& task, const KernelOptions& options) {
  const Sweeps sweeps = sweep_both(task, task.one, task.two);
  const auto& [a, b] = sweeps;
  if (options.method != KernelMethod::materialised && sweeps.slow_reason().empty())
    return TangentKernel(structured_kernel(a, task.two ? b : a), a.outputs, KernelMethod::structured);
  if (options.memory && options.method == KernelMethod::structured)
    throw DomainError(fmt::format(
        "[tangent_kernel] f has structure on a few samples but not on all: {}; leave out .memory, or choose "
        ".method",
        sweeps.slow_reason()));
  const Tensor j1 = rows_of(a, task.one);
  if (task.two) return TangentKernel(gram(j1, rows_of(b, *task.two)), a.outputs, KernelMethod::materialised);
  Tensor k = gram_lower(j1);
  reflect(k);
  return TangentKernel(std::move(k), a.outputs, KernelMethod::materialised);
}

/// Column (j, c) is K times the unit vector there: exact for every function that treats samples alike and
/// apart, as sweeps over the first few samples, and the planner's, show it.
TangentKernel by_products(const Task& task, const KernelOptions& options) {
  const auto few = [](const SampleSource& set) { return set.part(0, std::min<Index>(set.samples(), 3)); };
  const Sweeps sweeps =
      sweep_both(task, few(task.one), task.two ? std::optional(few(*task.two)) : std::nullopt);
  const auto& [a, b] = sweeps;
  if (!a.alike || !b.alike)
    throw TapeError(fmt::format("[tangent_kernel] {}: products would mix samples; take another .method",
                                a.alike ? b.slow_reason : a.slow_reason));
  const TangentKernelOperator product(task.f, task.w, task.x1, task.other(), {.params = options.params});
  const Index rows = product.rows(), columns = product.columns();
  Tensor k = uninitialized(Shape{rows, columns});
  for (Index j = 0; j < columns; ++j) {
    Tensor unit = Tensor::zeros(Shape{columns});
    mutable_data(unit)[j] = 1.0;
    const Tensor column = product(unit);
    for (Index i = 0; i < rows; ++i) mutable_data(k)[i * columns + j] = column(i);
  }
  if (!task.two) reflect(k);
  return TangentKernel(std::move(k), a.outputs, KernelMethod::products);
}

Task task_of(ModelFunction f, const Params& w, const Tensor& x1, const Tensor* x2,
             const KernelOptions& options) {
  std::vector<ParamEntry> selected;
  const std::vector<ColumnRange> columns =
      cotangent::detail::select_columns(w.table(), w.size(), options.params, selected);
  Task task{f, w, x1, x2, SampleSource::model(f, w.flat(), x1, columns), std::nullopt};
  if (x2) task.two = SampleSource::model(f, w.flat(), *x2, columns);
  return task;
}

/// The blocks of two records with their products, on two and on three samples
/// of each set, and of one product.
SampleTrace trace_products(const Task& task, const KernelOptions& options) {
  const auto on = [&](Index k) {
    const Tensor x1 = some_samples(task.x1, k), x2 = some_samples(task.other(), k);
    const BlockTrace trace;
    const TangentKernelOperator product(task.f, task.w, x1, x2, {.params = options.params});
    product(Tensor::zeros(Shape{product.columns()}));
    return trace.events();
  };
  return {on(2), on(3)};
}

/// The name of the way that is this method.
const char* way_of(KernelMethod method) {
  return method == KernelMethod::structured     ? "structured"
         : method == KernelMethod::materialised ? "materialised"
                                                : "products";
}

Plan plan_of(const Task& task, const KernelOptions& options) {
  const BlockTrace apart;  // the cache keeps nothing of the plan
  const SampleForecast one = forecast_samples(task.one);
  std::optional<SampleForecast> other;
  if (task.two) other = forecast_samples(*task.two);
  check_outputs(task, one.sweep.outputs, other ? other->sweep.outputs : 0);
  const SampleForecast& two = other ? *other : one;
  const Index n1 = one.samples, n2 = two.samples, outputs = one.sweep.outputs;
  const Index rows1 = n1 * outputs, rows2 = n2 * outputs;
  const Index width = cotangent::detail::count_columns(task.one.columns());
  const double both = task.two ? 1.0 : 0.0;  // the second set's share
  const double kernel = block_of(rows1 * rows2);
  const double numbers = static_cast<double>(rows1) * static_cast<double>(rows2);
  const double sweep_bytes = one.sweep_bytes(n1) + both * two.sweep_bytes(n2);
  const double sweep_flops = one.sweep_flops(n1) + both * two.sweep_flops(n2);
  const double written = static_cast<double>(rows1 + (task.two ? rows2 : 0)) * static_cast<double>(width);

  Way structured{.name = way_of(KernelMethod::structured),
                 .flops = sweep_flops + structured_kernel_flops(one.sweep, n1, n2, !task.two),
                 .bytes = sweep_bytes + structured_kernel_bytes(one.sweep, n1, n2),
                 .refusal = one.structured() ? two.sweep.slow_reason : one.sweep.slow_reason};
  Way materialised{.name = way_of(KernelMethod::materialised),
                   .flops = (task.two ? 2.0 : 1.0) * numbers * static_cast<double>(width) + written,
                   .bytes = sweep_bytes + block_of(rows1 * width) + both * block_of(rows2 * width) + kernel};
  const RecordCosts left = one.at(n1), right = two.at(n2);
  if (structured.refusal.empty()) {
    materialised.flops += sweep_flops;
  } else {
    materialised.flops += one.alone_flops(n1) + both * two.alone_flops(n2);
    materialised.bytes += one.alone_bytes() + both * two.alone_bytes();
  }
  Way products{
      .name = way_of(KernelMethod::products),
      .flops = left.forward_flops + right.forward_flops + left.gradient_flops +
               static_cast<double>(rows2) * (left.gradient_flops + right.gradient_flops),
      .bytes =
          kernel + one.sweep_bytes(std::min<Index>(n1, 3)) + both * two.sweep_bytes(std::min<Index>(n2, 3)) +
          BlockReplay().run(trace_products(task, options), static_cast<double>(std::max(n1, n2))).peak() +
          2.0 * block_of(std::max(rows1, rows2))};
  const auto only = [&](KernelMethod method, const Way& wanted) {
    if (options.method != method) return;
    for (Way* way : {&structured, &materialised, &products})
      if (way != &wanted && way->refusal.empty()) way->refusal = "not the .method asked for";
  };
  only(KernelMethod::materialised, materialised);
  only(KernelMethod::products, products);
  if (structured.refusal.empty()) only(KernelMethod::structured, structured);
  return Plan(fmt::format("tangent kernel [{}, {}] of J [{}, {}]", rows1, rows2, rows1, width),
              {std::move(structured), std::move(materialised), std::move(products)}, options.memory);
}

TangentKernel kernel_between(ModelFunction f, const Params& w, const Tensor& x1, const Tensor* x2,
                             const KernelOptions& options) {
  cotangent::detail::check_memory("tangent_kernel", options.memory);
  const Task task = task_of(f, w, x1, x2, options);
  if (!options.memory)
    return options.method == KernelMethod::products ? by_products(task, options) : by_rows(task, options);
  const Plan plan = plan_of(task, options);
  const std::string way = plan.chosen().name;
  if (way == way_of(KernelMethod::products)) return by_products(task, options);
  return by_rows(task, {.method = way == way_of(KernelMethod::structured) ? KernelMethod::structured
                                                                          : KernelMethod::materialised,
                        .params = options.params,
                        .memory = options.memory});
}

}  // namespace

Plan plan_tangent_kernel(ModelFunction f, const Params& w, const Tensor& x1, const Tensor& x2,
                         const KernelOptions& options) {
  return plan_of(task_of(f, w, x1, &x2, options), options);
}
Plan plan_tangent_kernel(ModelFunction f, const Params& w, const Tensor& x, const KernelOptions& options) {
  return plan_of(task_of(f, w, x, nullptr, options), options);
}

TangentKernel tangent_kernel(ModelFunction f, const Params& w, const Tensor& x1, const Tensor& x2,
                             const KernelOptions& options) {
  return kernel_between(f, w, x1, &x2, options);
}
TangentKernel tangent_kernel(ModelFunction f, const Params& w, const Tensor& x,
                             const KernelOptions& options) {
  return kernel_between(f, w, x, nullptr, options);
}

TangentKernel::TangentKernel(Tensor matrix, Index outputs, KernelMethod method)
    : matrix_(std::move(matrix)), outputs_(outputs), method_(method) {
  if (matrix_.rank() != 2 || outputs < 1 || matrix_.size(0) % outputs || matrix_.size(1) % outputs)
    throw ShapeError(
        fmt::format("[tangent_kernel] a matrix {} cannot hold {} outputs a sample; give [n1*C, n2*C]",
                    matrix_.shape().to_string(), outputs));
}

Tensor TangentKernel::values() const {
  const Index n1 = matrix_.size(0) / outputs_, n2 = matrix_.size(1) / outputs_;
  return transpose(reshape(matrix_, Shape{n1, outputs_, n2, outputs_}), {0, 2, 1, 3}).value();
}

Tensor TangentKernel::scalar() const {
  if (outputs_ != 1)
    throw ShapeError(
        fmt::format("[tangent_kernel] the model has {} outputs; values() gives [n1, n2, C, C]", outputs_));
  return matrix_;
}

std::string TangentKernel::to_string() const {
  return fmt::format("tangent kernel {}, {} output{} ({})\n", matrix_.shape().to_string(), outputs_,
                     outputs_ == 1 ? "" : "s", way_of(method_)) +
         matrix_.to_string();
}

struct TangentKernelOperator::Record {
  Linearized one;   // v -> J1 v
  Vjp<Params> two;  // c -> J2^T c
  std::vector<ColumnRange> columns;
  bool all = true;
};

TangentKernelOperator::TangentKernelOperator(ModelFunction f, const Params& w, const Tensor& x1,
                                             const Tensor& x2, const KernelOptions& options)
    : record_(std::make_shared<Record>()) {
  Record& r = *record_;
  std::vector<ParamEntry> selected;
  r.columns = cotangent::detail::select_columns(w.table(), w.size(), options.params, selected);
  r.all = options.params.empty();
  r.two = vjp([&](const Var& at) { return f(at, Var(x2)); }, w);
  r.one = linearize([&](const Var& at) { return f(at, Var(x1)); }, w.flat());
}

TangentKernelOperator::TangentKernelOperator(ModelFunction f, const Params& w, const Tensor& x,
                                             const KernelOptions& options)
    : TangentKernelOperator(f, w, x, x, options) {}

Index TangentKernelOperator::rows() const noexcept { return record_->one.value().size(); }
Index TangentKernelOperator::columns() const noexcept { return record_->two.value().size(); }

Tensor TangentKernelOperator::operator()(const Tensor& v) const {
  const Record& r = *record_;
  if (v.size() != columns())
    throw ShapeError(fmt::format("[tangent_kernel] the kernel is [{}, {}], v is {}; give it {} numbers",
                                 rows(), columns(), v.shape().to_string(), columns()));
  Tensor direction = r.two(v.reshape(r.two.value().shape())).flat();
  if (!r.all) {
    Tensor chosen = Tensor::zeros(direction.shape());
    for (const ColumnRange& range : r.columns)
      std::copy(direction.data().data() + range.first, direction.data().data() + range.last,
                mutable_data(chosen) + range.first);
    direction = std::move(chosen);
  }
  return r.one.times(direction).value().reshape(Shape{rows()});
}

}  // namespace cotangent::theory
