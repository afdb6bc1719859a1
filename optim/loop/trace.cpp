// What is left of a run: its trace and its result.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>
#include <vector>

#include "autodiff/error.hpp"
#include "optim/loop.hpp"
#include "report/csv.hpp"

namespace cotangent::optim {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// The trace's own columns.
constexpr std::string_view kNames[] = {
    "epoch",   "iterations",       "value",    "gradient_norm", "step",         "component_gradients",
    "seconds", "component_values", "products", "residual",      "state_numbers"};

}  // namespace

const char* to_string(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::finished:
      return "finished";
    case StopReason::converged:
      return "converged";
    case StopReason::diverged:
      return "diverged";
    case StopReason::target:
      return "target";
    case StopReason::budget:
      return "budget";
    case StopReason::interrupted:
      return "interrupted";
    case StopReason::stalled:
      return "stalled";
    case StopReason::stopped:
      return "stopped";
    case StopReason::stopped_by_observer:
      break;
  }
  return "stopped_by_observer";
}

std::vector<Column> Observer::columns() const { return {}; }
std::optional<std::string> Observer::saves(Index) const { return std::nullopt; }

Run::Run() = default;
Run::Run(const Run& other) = default;
Run::Run(Run&& other) noexcept = default;
Run& Run::operator=(const Run& other) = default;
Run& Run::operator=(Run&& other) noexcept = default;
Run::~Run() = default;

Trace::Trace() = default;
Trace::Trace(const Trace& other) = default;
Trace::Trace(Trace&& other) noexcept = default;
Trace& Trace::operator=(const Trace& other) = default;
Trace& Trace::operator=(Trace&& other) noexcept = default;
Trace::~Trace() = default;

std::vector<Column> Trace::columns_of(Index row) const {
  const auto at = static_cast<std::size_t>(row);
  const EpochRow& r = rows_[at];
  const double numbers[] = {static_cast<double>(r.epoch),
                            static_cast<double>(r.iterations),
                            r.value,
                            r.gradient_norm,
                            r.step,
                            static_cast<double>(r.component_gradients),
                            r.seconds,
                            static_cast<double>(r.component_values),
                            static_cast<double>(r.products),
                            r.residual,
                            static_cast<double>(r.state_numbers)};
  static_assert(std::size(numbers) == std::size(kNames));
  std::vector<Column> columns;
  for (std::size_t k = 0; k < std::size(kNames); ++k) columns.push_back({std::string(kNames[k]), numbers[k]});
  for (const auto& [name, values] : observed_)
    columns.push_back({name, at < values.size() ? values[at] : kUnknown});
  return columns;
}

void Trace::observe(const Column& column) {
  if (rows_.empty()) return;
  auto at =
      std::find_if(observed_.begin(), observed_.end(), [&](const auto& c) { return c.first == column.name; });
  const bool built_in = std::find(std::begin(kNames), std::end(kNames), column.name) != std::end(kNames);
  if (built_in || (at != observed_.end() && at->second.size() == rows_.size()))
    throw DomainError(fmt::format("[Trace] there are two columns \"{}\"; give {} another name", column.name,
                                  built_in ? "the observer's" : "one of the observers'"));
  if (at == observed_.end()) at = observed_.insert(at, {column.name, {}});
  at->second.resize(rows_.size(), kUnknown);
  at->second.back() = column.value;
}

std::vector<double> Trace::column(std::string_view name) const {
  std::vector<double> values;
  std::string names;
  for (Index row = 0; row < size(); ++row)
    for (const Column& c : columns_of(row)) {
      if (c.name == name) values.push_back(c.value);
      if (row == 0) names += (names.empty() ? "" : ", ") + c.name;
    }
  if (values.empty() && !empty())
    throw DomainError(fmt::format("[Trace] no column \"{}\"; there are {}", name, names));
  return values;
}

void Trace::save_csv(const std::string& path) const {
  Trace one;  // for the names, also where there is no row
  one.rows_.emplace_back();
  for (const auto& [name, values] : observed_) one.observed_.emplace_back(name, std::vector<double>());
  std::vector<std::string> names;
  for (const Column& c : one.columns_of(0)) names.push_back(c.name);
  std::vector<double> numbers;
  for (Index row = 0; row < size(); ++row)
    for (const Column& c : columns_of(row)) numbers.push_back(c.value);
  report::save_csv(path, names, Tensor::from(numbers, Shape{size(), static_cast<Index>(names.size())}));
}

void Trace::visit(State& state) {
  constexpr Index kWidth = std::size(kNames);
  std::vector<double> numbers;
  for (Index row = 0; row < size(); ++row) {
    const std::vector<Column> columns = columns_of(row);
    for (std::size_t k = 0; k < std::size(kNames); ++k) numbers.push_back(columns[k].value);
  }
  Tensor saved = Tensor::from(numbers, {size(), kWidth});
  state("trace", saved);
  if (saved.size(1) != kWidth)
    throw DomainError(fmt::format(
        "[resume] the trace has {} columns there, {} here; the file is of another version, so run anew",
        saved.size(1), kWidth));
  rows_.clear();
  for (Index row = 0; row < saved.size(0); ++row) {
    const auto whole = [&](Index k) { return static_cast<Index>(saved(row, k)); };
    rows_.push_back({.epoch = whole(0),
                     .iterations = whole(1),
                     .value = saved(row, 2),
                     .gradient_norm = saved(row, 3),
                     .step = saved(row, 4),
                     .component_gradients = whole(5),
                     .seconds = saved(row, 6),
                     .component_values = whole(7),
                     .products = whole(8),
                     .residual = saved(row, 9),
                     .state_numbers = whole(10)});
  }
  for (auto& [name, values] : observed_) state("observed." + name, values);
}

}  // namespace cotangent::optim
