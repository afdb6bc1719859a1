// Optimizers side by side.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"
#include "optim/loop/interrupt.hpp"
#include "optim/tuning.hpp"

namespace cotangent::optim {
namespace {

void check(const std::vector<NamedOptimizer>& optimizers, const CompareOptions& o) {
  if (optimizers.empty())
    throw DomainError("[compare] there is no optimizer; give {{\"GD\", Gd({...})}, ...}");
  for (std::size_t k = 0; k < optimizers.size(); ++k) {
    const std::string& name = optimizers[k].name;
    if (name.empty()) throw DomainError(fmt::format("[compare] optimizer {} has no name; give it one", k));
    for (std::size_t before = 0; before < k; ++before)
      if (optimizers[before].name == name)
        throw DomainError(
            fmt::format("[compare] two optimizers are called \"{}\"; give each a name of its own", name));
  }
  if (o.every && *o.every < 1)
    throw DomainError(fmt::format("[compare] every is {}; give 1 or more, or none for n", *o.every));
  if (o.target && std::isnan(*o.target))
    throw DomainError("[compare] target is nan; give the value to reach, or none");
  if (!std::isfinite(o.optimum))
    throw DomainError(fmt::format("[compare] optimum is {}; give a finite number, such as 0", o.optimum));
}

Comparison::Entry entry_of(const NamedOptimizer& named, const FiniteSum& f, const Params& w0,
                           const CompareOptions& options) {
  Rng rng(options.seed);
  Comparison::Entry entry{.name = named.name, .run = {}, .looks = {}};
  Loop loop = named.optimizer.start(f, w0, rng);
  const auto look = [&](Index iterations, const Counts& spent, double seconds, double value) {
    entry.looks.push_back({iterations, spent.gradients, seconds, value});
    if (options.target && value <= *options.target && !entry.to_target) entry.to_target = spent.gradients;
  };
  const auto asked = [&] { return loop.spent().gradients + loop.spent().values + loop.spent().products; };
  const Index every = options.every.value_or(f.size());
  look(0, loop.spent(), loop.seconds(), loop.whole_value());
  Index next = every;
  while (!entry.to_target && loop.next()) {
    if (asked() < next) continue;
    look(loop.iteration(), loop.spent(), loop.seconds(), loop.whole_value());
    next = asked() + every;
  }
  const bool ended_here = entry.to_target.has_value();
  entry.run = loop.finish();
  if (ended_here) {
    entry.run.stop = StopReason::target;
  } else {
    look(entry.run.iterations, entry.run.spent, entry.run.seconds, entry.run.value);
  }
  return entry;
}

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

}  // namespace

const Comparison::Entry& Comparison::operator[](std::string_view name) const {
  std::string names;
  for (const Entry& entry : entries_) {
    if (entry.name == name) return entry;
    names += (names.empty() ? "" : ", ") + entry.name;
  }
  throw DomainError(fmt::format("[Comparison] no optimizer \"{}\"; there are {}", name, names));
}

report::Table Comparison::table() const {
  using report::Align;
  std::vector<report::Column> columns{{"optimizer"},      {"value"},    {"component gradients"},
                                      {"values"},         {"products"}, {.name = "seconds", .digits = 3},
                                      {"bytes of state"}, {"stop"}};
  if (options_.target) columns.push_back({.name = "to target", .align = Align::right});
  report::Table table(std::move(columns));
  for (const Entry& entry : entries_) {
    const Run& run = entry.run;
    std::vector<report::Cell> cells{entry.name,
                                    run.value,
                                    run.spent.gradients,
                                    run.spent.values,
                                    run.spent.products,
                                    run.seconds,
                                    run.state_numbers * static_cast<Index>(sizeof(double)),
                                    optim::to_string(run.stop)};
    if (options_.target)
      cells.push_back(entry.to_target ? report::Cell(*entry.to_target) : report::Cell("not reached"));
    table.row(std::move(cells));
  }
  return table;
}

report::Drawn Comparison::draw(const std::string& path, Axis axis) const {
  const bool seconds = axis == Axis::seconds;
  std::vector<report::Series> curves;
  for (const Entry& entry : entries_) {
    std::vector<double> x, y;
    for (const Look& look : entry.looks) {
      x.push_back(seconds ? look.seconds : static_cast<double>(look.component_gradients));
      y.push_back(look.value - options_.optimum);
    }
    curves.emplace_back(entry.name, x, y);
  }
  report::PlotOptions plot{.title = "Optimizers side by side",
                           .x = seconds ? "seconds" : "component gradients",
                           .y = options_.optimum == 0.0 ? "value" : "value above the optimum",
                           .log_y = true};
  if (options_.target && *options_.target > options_.optimum)
    plot.horizontal.push_back({.at = *options_.target - options_.optimum, .label = "target"});
  return report::plot(path, curves, plot);
}

void Comparison::save_csv(const std::string& path) const {
  std::string text = "optimizer,iterations,component_gradients,seconds,value\n";
  for (const Entry& entry : entries_)
    for (const Look& look : entry.looks)
      text += fmt::format("{},{},{},{},{}\n", quoted(entry.name), look.iterations, look.component_gradients,
                          look.seconds, look.value);
  const std::span<const std::byte> bytes = std::as_bytes(std::span<const char>(text));
  detail::atomic_write("save_csv", path, {&bytes, 1});
}

Comparison compare(const FiniteSum& f, const Params& w0, const std::vector<NamedOptimizer>& optimizers,
                   const CompareOptions& options) {
  check(optimizers, options);
  const InterruptGuard guard;
  std::vector<Comparison::Entry> entries;
  for (const NamedOptimizer& named : optimizers) {
    entries.push_back(entry_of(named, f, w0, options));
    if (InterruptGuard::taken()) break;  // also where the run came to another end meanwhile
  }
  return Comparison(std::move(entries), options);
}

}  // namespace cotangent::optim
