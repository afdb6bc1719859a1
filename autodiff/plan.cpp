// The choice among ways, its text, and the plans of autodiff's own Jacobians.
#include "autodiff/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/record_costs.hpp"
#include "autodiff/row_forecast.hpp"
#include "autodiff/tensor_access.hpp"

namespace cotangent {
namespace {

/// "1 147 MB", three digits a group; small amounts in kB.
std::string amount(double bytes) {
  const bool small = bytes < 1e6;
  const double value = std::ceil(bytes / (small ? 1e3 : 1e6));
  std::string digits = fmt::format("{:.0f}", value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, " ");
  return digits + (small ? " kB" : " MB");
}

std::string label(const Way& way) {
  return way.chunk ? fmt::format("{} of {} samples", way.name, *way.chunk) : way.name;
}

}  // namespace

Plan::Plan(std::string task, std::vector<Way> ways, std::optional<Index> memory)
    : task_(std::move(task)), ways_(std::move(ways)), memory_(memory) {
  for (std::size_t k = 0; k < ways_.size(); ++k) {
    const bool possible =
        ways_[k].refusal.empty() && (!memory_ || ways_[k].bytes <= static_cast<double>(*memory_));
    if (possible && (!chosen_ || ways_[k].flops < ways_[*chosen_].flops)) chosen_ = k;
  }
}

Way Plan::way(std::string_view name) const {
  const auto found = std::find_if(ways_.begin(), ways_.end(), [&](const Way& w) { return w.name == name; });
  if (found == ways_.end()) throw DomainError(fmt::format("[plan] no way \"{}\" in\n{}", name, to_string()));
  return *found;
}

Way Plan::chosen() const {
  if (!chosen_)
    throw DomainError(
        fmt::format("[plan] no way fits; raise .memory, choose .params, or take fewer samples at "
                    "a time\n{}",
                    to_string()));
  return ways_[*chosen_];
}

std::string Plan::to_string() const {
  std::string text = task_ + ": ";
  for (const Way& way : ways_) text += fmt::format("{} needs {}; ", label(way), amount(way.bytes));
  text += memory_ ? fmt::format("{} allowed; ", amount(static_cast<double>(*memory_))) : "";
  text += chosen_ ? fmt::format("using {}", label(ways_[*chosen_])) : "none can be used";
  std::size_t width = 3;
  for (const Way& way : ways_) width = std::max(width, label(way).size());
  text += fmt::format("\n  {:<{}}  {:>12}  {:>12}", "way", width, "Mflop", "memory");
  for (std::size_t k = 0; k < ways_.size(); ++k) {
    const Way& way = ways_[k];
    const bool over = memory_ && way.bytes > static_cast<double>(*memory_);
    const std::string note = chosen_ == k           ? "chosen"
                             : !way.refusal.empty() ? way.refusal
                             : over                 ? "over the memory"
                                                    : "";
    text += fmt::format("\n  {:<{}}  {:>12.3f}  {:>12}{}", label(way), width, way.flops / 1e6,
                        amount(way.bytes), note.empty() ? "" : "  " + note);
  }
  return text;
}

namespace detail {
namespace {

/// The first k samples, beginning again where there are fewer.
Tensor some_samples(const Tensor& x, Index k) {
  const Index n = x.size(0), d = x.size() / n;
  if (k <= n) return x.rows(0, k);
  Tensor some = uninitialized(x.shape().with(0, k));
  for (Index i = 0; i < k; ++i) std::copy_n(x.data().data() + (i % n) * d, d, mutable_data(some) + i * d);
  return some;
}

}  // namespace

RowCosts RowForecast::at(Index samples) const {
  RowCosts costs;
  const auto more = static_cast<double>(samples - 2);
  const auto extend = [&](double RowCosts::*field) {
    costs.*field = std::max(0.0, two.*field + more * (three.*field - two.*field));
  };
  for (const auto field :
       {&RowCosts::forward_flops, &RowCosts::rows_flops, &RowCosts::gradient_flops, &RowCosts::record_bytes,
        &RowCosts::transient_bytes, &RowCosts::delta_bytes, &RowCosts::data_bytes})
    extend(field);
  return costs;
}

double RowForecast::sweep_bytes(Index samples) const {
  const RowCosts costs = at(samples);
  return costs.record_bytes + costs.transient_bytes + costs.delta_bytes;
}

double RowForecast::sweep_flops(Index samples) const {
  const RowCosts costs = at(samples);
  return costs.forward_flops + static_cast<double>(sweep.outputs) * costs.rows_flops;
}

double RowForecast::single_flops(Index samples) const {
  const RowCosts costs = at(1);
  return static_cast<double>(samples) *
         (costs.forward_flops + static_cast<double>(sweep.outputs) * costs.gradient_flops);
}

RowForecast forecast_rows(ModelFunction f, const Tensor& w, const Tensor& x,
                          const std::vector<ColumnRange>& columns) {
  if (x.rank() == 0 || x.size(0) == 0)
    throw ShapeError(
        fmt::format("[plan] X is {}; give it at least one sample along axis 0", x.shape().to_string()));
  RowForecast forecast;
  forecast.sweep = sweep_rows_once(f, w, some_samples(x, 2), columns, forecast.two);
  sweep_rows_once(f, w, some_samples(x, 3), columns, forecast.three);
  return forecast;
}

Plan plan_rows(const RowForecast& forecast, const Tensor& w, const Tensor& x, Index width,
               std::optional<Index> memory) {
  const Index n = x.size(0), outputs = forecast.sweep.outputs;
  const double numbers = static_cast<double>(n * outputs) * static_cast<double>(width);
  const double result = 8.0 * numbers;
  Way structured{.name = "structured",
                 .flops = forecast.sweep_flops(n) + numbers,
                 .bytes = result + forecast.sweep_bytes(n),
                 .refusal = forecast.sweep.slow_reason};
  Way chunks = structured;
  chunks.name = "chunks";
  const auto over = [&](Index k) {
    return memory && result + forecast.sweep_bytes(k) > static_cast<double>(*memory);
  };
  Index k = n;
  if (over(n)) {  // the largest number of samples that fits, or 1
    k = 1;
    for (Index too_many = n; too_many - k > 1;) {
      const Index middle = k + (too_many - k) / 2;
      over(middle) ? too_many = middle : k = middle;
    }
  }
  chunks.chunk = k;
  chunks.bytes = result + forecast.sweep_bytes(k);
  const RowCosts one = forecast.at(1);
  const Way single{
      .name = "single",
      .flops = forecast.single_flops(n),
      .bytes = result + one.record_bytes + one.transient_bytes + 16.0 * static_cast<double>(w.size())};
  return Plan(fmt::format("per-sample Jacobian [{}, {}]", n * outputs, width),
              {std::move(structured), std::move(chunks), single}, memory);
}

}  // namespace detail

Plan plan_per_sample_jacobian(ModelFunction f, const Params& w, const Tensor& x,
                              const JacobianOptions& options) {
  if (options.wrt == Wrt::inputs)
    throw DomainError("[plan] derivatives by the inputs have one way only; leave out .wrt = Wrt::inputs");
  std::vector<ParamEntry> selected;
  const std::vector<detail::ColumnRange> columns =
      detail::select_columns(w.table(), w.size(), options.params, selected);
  return detail::plan_rows(detail::forecast_rows(f, w.flat(), x, columns), w.flat(), x,
                           detail::count_columns(columns), options.memory);
}

namespace detail {

Plan plan_passes(const TapeState& tape, const Var& y, const Tensor& x, const FullJacobianOptions& options) {
  const auto s = static_cast<double>(x.size()), t = static_cast<double>(y.size());
  const std::vector<unsigned char> no_rows(tape.nodes.size(), 0);
  const RowCosts costs =
      y.tracked() ? record_costs(tape, VarAccess::node(y), no_rows, x, Tensor()) : RowCosts();
  const double passing = costs.transient_bytes + 16.0 * s;  // cotangents on their way, and a row
  Way reverse{.name = "reverse",
              .flops = costs.forward_flops + t * costs.gradient_flops,
              .bytes = 8.0 * s * t + costs.record_bytes + passing};
  Way forward{.name = "forward",
              .flops = costs.forward_flops + (2.0 * s + 2.0) * costs.gradient_flops,
              .bytes = 8.0 * s * t + 3.0 * costs.record_bytes + passing + 8.0 * s};
  if (options.mode == DerivativeMode::forward) reverse.refusal = "not the .mode asked for";
  if (options.mode == DerivativeMode::reverse) forward.refusal = "not the .mode asked for";
  return Plan(fmt::format("Jacobian [{}, {}]", y.size(), x.size()), {reverse, forward}, options.memory);
}

}  // namespace detail

Plan plan_jacobian(VarFunction f, const Tensor& x, const FullJacobianOptions& options) {
  Tape tape;
  const Var at = tape.input(x);
  const Var y = f(at);
  return detail::plan_passes(detail::VarAccess::state(tape), y, x, options);
}
Plan plan_jacobian(VarFunction f, const Params& w, const FullJacobianOptions& options) {
  return plan_jacobian(f, w.flat(), options);
}

}  // namespace cotangent
