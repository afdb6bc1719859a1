// Joint Jacobians row by row, column by column and in blocks of rows, and the plan that chooses.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/plan/planner.hpp"
#include "autodiff/tape/sweep.hpp"
#include "autodiff/tensor/access.hpp"
#include "autodiff/transforms.hpp"
#include "autodiff/transforms/passes.hpp"
#include "autodiff/transforms/recorded_pullback.hpp"

namespace cotangent {
namespace detail {
namespace {

/// Rows first .. last of the Jacobian, written from `to` on.
void fill_rows(const char* transform, TapeState& tape, const Var& y, const Var& at, Index first, Index last,
               double* to) {
  for (Index t = first; t < last; ++t, to += at.size()) {
    const Var row = pull_back(transform, tape, y, one_hot(y.shape(), t), at, false);
    std::copy(row.value().data().begin(), row.value().data().end(), to);
  }
}

/// The same rows, one pass for each column.
void fill_columns(const RecordedPullback& pullback, Index first, Index last, double* to) {
  const Index s = pullback.pulled().size();
  for (Index k = 0; k < s; ++k) {
    const Var column = pullback.column(k, false);
    for (Index i = first; i < last; ++i) to[(i - first) * s + k] = column.value().flat(i);
  }
}

}  // namespace

Shape derivative_shape(const char* transform, const Shape& outputs, const Shape& inputs) {
  if (outputs.rank() + inputs.rank() > kMaxRank)
    throw ShapeError(fmt::format(
        "[{}] derivatives of {} by {} would have {} axes, at most {} are supported; flatten the result or "
        "the "
        "point first",
        transform, outputs.to_string(), inputs.to_string(), outputs.rank() + inputs.rank(), kMaxRank));
  Shape shape = outputs;
  for (int k = 0; k < inputs.rank(); ++k) shape = shape.with_inserted(shape.rank(), inputs[k]);
  return shape;
}

Tensor rows_of(const char* transform, TapeState& tape, const Var& y, const Var& at) {
  Tensor result = uninitialized(derivative_shape(transform, y.shape(), at.shape()));
  fill_rows(transform, tape, y, at, 0, y.size(), mutable_data(result));
  return result;
}

Var tracked_rows_of(const char* transform, TapeState& tape, const Var& y, const Var& at) {
  const Shape shape = derivative_shape(transform, y.shape(), at.shape());
  std::vector<Var> rows;
  for (Index t = 0; t < y.size(); ++t)
    rows.push_back(
        reshape(pull_back(transform, tape, y, one_hot(y.shape(), t), at, true), Shape{1, at.size()}));
  return rows.empty() ? Var(Tensor::zeros(shape)) : reshape(concat(rows, 0), shape);
}

namespace {

Var tracked_columns_of(TapeState& tape, const Var& y, const Var& at) {
  const RecordedPullback pullback("jacobian", tape, y, at);
  std::vector<Var> columns;
  for (Index k = 0; k < at.size(); ++k)
    columns.push_back(reshape(pullback.column(k, true), Shape{1, y.size()}));
  const Shape shape = derivative_shape("jacobian", y.shape(), at.shape());
  return columns.empty() ? Var(Tensor::zeros(shape)) : reshape(transpose(concat(columns, 0)), shape);
}

/// f's record and, while a memory is to be kept to, the blocks it takes.
class Record {
 public:
  Record(TapeState& tape, VarFunction f, const Var& at, bool traced) : tape_(tape), at_(at) {
    if (!traced) {
      y_ = f(at);
      return;
    }
    BlockTrace trace;
    y_ = f(at);
    record_ = trace.events();
    if (y_.size() == 0) return;
    const Var row = pull_back("jacobian", tape, y_, one_hot(y_.shape(), 0), at, false);
    all_ = trace.events();
    pass_.assign(all_.begin() + static_cast<std::ptrdiff_t>(record_.size()), all_.end());
  }
  const Var& y() const { return y_; }

  // In passes a plain backward pass costs one; one through the recorded pullback is counted as two.
  double reverse_passes() const { return static_cast<double>(y_.size()); }
  double forward_passes() const { return 2.0 * static_cast<double>(at_.size()) + 2.0; }

  /// Bytes besides the result. A recorded pass keeps what a plain one takes, and sums it would add up in
  /// place.
  double reverse_bytes() const { return BlockReplay().run(all_).peak(); }
  double forward_bytes() const {
    return BlockReplay().run(record_).peak() + 2.0 * bytes_taken(pass_) + 3.0 * pass_bytes() +
           3.0 * block_of(y_.size());
  }
  /// The same at a Var, whose tape keeps every pass.
  double tracked_reverse_bytes() const {
    return reverse_bytes() + reverse_passes() * (2.0 * bytes_taken(pass_) + block_of(y_.size()));
  }
  double tracked_forward_bytes() const {
    return forward_bytes() +
           static_cast<double>(at_.size()) * (4.0 * bytes_taken(pass_) + block_of(at_.size()));
  }

  double flops(double passes) const {
    if (!y_.tracked()) return kCallFlops * passes;
    const std::uint32_t from = VarAccess::node(at_), to = VarAccess::node(y_);
    if (to < from) return kCallFlops * passes;
    const RecordCosts costs = record_costs(tape_, to, {}, from);
    return costs.forward_flops + passes * std::max(costs.gradient_flops, kCallFlops);
  }

 private:
  double pass_bytes() const {
    const auto first = static_cast<std::uint32_t>(
        std::count_if(record_.begin(), record_.end(), [](const BlockEvent& e) { return e.taken; }));
    std::vector<BlockEvent> own = pass_;
    std::erase_if(own, [&](const BlockEvent& e) { return e.block < first; });
    return BlockReplay().run(own).peak();
  }

  TapeState& tape_;
  const Var& at_;
  Var y_;
  std::vector<BlockEvent> record_, pass_, all_;
};

/// The names of both plans' ways.
constexpr const char* kReverseWay = "reverse";
constexpr const char* kForwardWay = "forward";

void refuse_other_mode(const FullJacobianOptions& options, Way& reverse, Way& forward) {
  if (options.mode == DerivativeMode::forward) reverse.refusal = "not the .mode asked for";
  if (options.mode == DerivativeMode::reverse) forward.refusal = "not the .mode asked for";
}

std::string task_of(const Record& record, const Var& at) {
  return fmt::format("Jacobian [{}, {}]", record.y().size(), at.size());
}

Plan plan_whole(const Record& record, const Var& at, const FullJacobianOptions& options, bool tracked) {
  const double result = block_of(record.y().size() * at.size());
  Way reverse{
      .name = kReverseWay,
      .flops = record.flops(record.reverse_passes()),
      .bytes = tracked ? 2.0 * result + record.tracked_reverse_bytes() : result + record.reverse_bytes()};
  Way forward{
      .name = kForwardWay,
      .flops = record.flops(record.forward_passes()),
      .bytes = tracked ? 3.0 * result + record.tracked_forward_bytes() : result + record.forward_bytes()};
  refuse_other_mode(options, reverse, forward);
  return Plan(task_of(record, at), {reverse, forward}, options.memory);
}

/// The way the plan would take; without a memory there is no need of its forecast, for both ways repeat one
/// pass.
bool by_columns(const Record& record, const Var& at, const FullJacobianOptions& options, bool tracked) {
  if (options.memory) return plan_whole(record, at, options, tracked).chosen().name == kForwardWay;
  if (options.mode == DerivativeMode::automatic) return record.forward_passes() < record.reverse_passes();
  return options.mode == DerivativeMode::forward;
}

/// Rows at a time beside `working` bytes, at least 1.
Index rows_that_fit(double working, Index outputs, Index inputs, const std::optional<Index>& memory) {
  return largest_that_fits(std::max<Index>(outputs, 1), [&](Index k) {
    return memory && working + block_of(k * inputs) > static_cast<double>(*memory);
  });
}

Plan plan_blocks(const Record& record, const Var& at, const FullJacobianOptions& options) {
  const Index t = record.y().size(), s = at.size();
  const auto blocks = [&](const char* name, double working, auto passes) {
    const Index k = rows_that_fit(working, t, s, options.memory);
    const Index count = (t + k - 1) / k;
    return Way{.name = name,
               .flops = record.flops(passes(static_cast<double>(count))),
               .bytes = working + block_of(k * s),
               .chunk = k,
               .unit = "rows"};
  };
  Way reverse = blocks(kReverseWay, record.reverse_bytes(), [&](double) { return record.reverse_passes(); });
  Way forward = blocks(kForwardWay, record.forward_bytes(),
                       [&](double times) { return 2.0 + (record.forward_passes() - 2.0) * times; });
  refuse_other_mode(options, reverse, forward);
  return Plan(task_of(record, at) + " in blocks of rows", {reverse, forward}, options.memory);
}

/// f recorded on a tape of its own, by x.
struct Recording {
  Tape tape;
  TapeState& state = VarAccess::state(tape);
  Var at;
  Record record;
  Recording(VarFunction f, const Tensor& x, bool planned)
      : at(tape.input(x)), record(state, f, at, planned) {}
};

}  // namespace
}  // namespace detail

using detail::Recording;

Tensor jacobian(VarFunction f, const Tensor& x, const FullJacobianOptions& options) {
  detail::check_memory("jacobian", options.memory);
  const Recording r(f, x, options.memory.has_value());
  const Var& y = r.record.y();
  const Shape shape = detail::derivative_shape("jacobian", y.shape(), x.shape());
  if (!detail::by_columns(r.record, r.at, options, false))
    return detail::rows_of("jacobian", r.state, y, r.at);
  Tensor result = detail::uninitialized(shape);
  detail::fill_columns(detail::RecordedPullback("jacobian", r.state, y, r.at), 0, y.size(),
                       detail::mutable_data(result));
  return result;
}

Tensor jacobian(VarFunction f, const Params& w, const FullJacobianOptions& options) {
  return jacobian(f, w.flat(), options);
}

Var jacobian(VarFunction f, const Var& x, const FullJacobianOptions& options) {
  if (!x.tracked()) return jacobian(f, x.value(), options);
  detail::check_memory("jacobian", options.memory);
  detail::TapeState& tape = detail::live_tape("jacobian", x);
  const Var at = detail::alias(x);
  const detail::Record record(tape, f, at, options.memory.has_value());
  detail::derivative_shape("jacobian", record.y().shape(), at.shape());
  return detail::by_columns(record, at, options, true)
             ? detail::tracked_columns_of(tape, record.y(), at)
             : detail::tracked_rows_of("jacobian", tape, record.y(), at);
}

void jacobian_blocks(VarFunction f, const Tensor& x, const FullJacobianOptions& options, RowBlock block) {
  const char* name = "jacobian_blocks";
  detail::check_memory(name, options.memory);
  const Recording r(f, x, options.memory.has_value());
  const Var& y = r.record.y();
  const Way way = detail::plan_blocks(r.record, r.at, options).chosen();
  std::optional<detail::RecordedPullback> pullback;
  if (way.name == detail::kForwardWay) pullback.emplace(name, r.state, y, r.at);
  for (Index first = 0; first < y.size(); first += *way.chunk) {
    const Index last = std::min(first + *way.chunk, y.size());
    Tensor rows = detail::uninitialized(Shape{*way.chunk, x.size()});
    double* numbers = detail::mutable_data(rows);
    if (pullback)
      detail::fill_columns(*pullback, first, last, numbers);
    else
      detail::fill_rows(name, r.state, y, r.at, first, last, numbers);
    block(first, last - first == *way.chunk ? rows : rows.rows(0, last - first));
  }
}

void jacobian_blocks(VarFunction f, const Params& w, const FullJacobianOptions& options, RowBlock block) {
  jacobian_blocks(f, w.flat(), options, block);
}

Plan plan_jacobian(VarFunction f, const Tensor& x, const FullJacobianOptions& options) {
  const Recording r(f, x, true);
  return detail::plan_whole(r.record, r.at, options, false);
}
Plan plan_jacobian(VarFunction f, const Params& w, const FullJacobianOptions& options) {
  return plan_jacobian(f, w.flat(), options);
}

Plan plan_jacobian_blocks(VarFunction f, const Tensor& x, const FullJacobianOptions& options) {
  const Recording r(f, x, true);
  return detail::plan_blocks(r.record, r.at, options);
}
Plan plan_jacobian_blocks(VarFunction f, const Params& w, const FullJacobianOptions& options) {
  return plan_jacobian_blocks(f, w.flat(), options);
}

}  // namespace cotangent
