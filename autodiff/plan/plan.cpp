// The choice among ways and its text.
#include "autodiff/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "autodiff/error.hpp"
#include "autodiff/plan/planner.hpp"

namespace cotangent {
namespace {

/// Three digits and a prefix: "13.6 MB".
std::string amount(double value, const char* unit) {
  constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T", "P"};
  std::size_t k = 0;
  for (; value >= 999.5 && k + 1 < std::size(kPrefixes); ++k) value /= 1e3;
  const int decimals = k == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}{}", value, decimals, kPrefixes[k], unit);
}

std::string label(const Way& way) {
  return way.chunk ? fmt::format("{} of {} {}", way.name, *way.chunk, way.unit) : way.name;
}

}  // namespace

Plan::Plan(std::string task, std::vector<Way> ways, std::optional<Index> memory)
    : task_(std::move(task)), ways_(std::move(ways)), memory_(memory) {
  detail::check_memory("plan", memory);
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
        fmt::format("[plan] no way fits; raise .memory, or ask for less at a time: fewer samples, .params, "
                    "jacobian_blocks\n{}",
                    to_string()));
  return ways_[*chosen_];
}

std::string Plan::to_string() const {
  std::string text = task_ + ": ";
  for (const Way& way : ways_) text += fmt::format("{} needs {}; ", label(way), amount(way.bytes, "B"));
  const auto allowed = static_cast<double>(memory_.value_or(0));
  text += memory_ ? fmt::format("{} allowed; ", amount(allowed, "B")) : "";
  text += chosen_ ? fmt::format("using {}", label(ways_[*chosen_])) : "none can be used";
  std::size_t width = 3;
  for (const Way& way : ways_) width = std::max(width, label(way).size());
  text += fmt::format("\n  {:<{}}  {:>12}  {:>12}", "way", width, "operations", "memory");
  for (std::size_t k = 0; k < ways_.size(); ++k) {
    const Way& way = ways_[k];
    std::string note;
    if (chosen_ == k)
      note = "  chosen";
    else if (!way.refusal.empty())
      note = "  " + way.refusal;
    else if (memory_ && way.bytes > allowed)
      note = fmt::format("  {} over the memory", amount(way.bytes - allowed, "B"));
    text += fmt::format("\n  {:<{}}  {:>12}  {:>12}{}", label(way), width, amount(way.flops, "flop"),
                        amount(way.bytes, "B"), note);
  }
  return text;
}

}  // namespace cotangent
