// The choice of columns: parameters whose names match a pattern.
#include <fmt/format.h>

#include <algorithm>

#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/samples/sweep.hpp"

namespace cotangent {

bool matches(std::string_view pattern, std::string_view name) noexcept {
  // Greedy with one point to return to: the last star and how much of the name it has swallowed.
  std::size_t p = 0, n = 0, star = std::string_view::npos, swallowed = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p, ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      swallowed = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++swallowed;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

namespace detail {

std::vector<ColumnRange> select_columns(const std::vector<ParamEntry>& table, Index size,
                                        const std::vector<std::string>& patterns,
                                        std::vector<ParamEntry>& selected) {
  selected.clear();
  if (patterns.empty()) {
    selected = table;
    return {{0, size, 0}};
  }
  for (const std::string& pattern : patterns)
    if (std::none_of(table.begin(), table.end(),
                     [&](const ParamEntry& e) { return matches(pattern, e.name); })) {
      std::string names;
      for (const ParamEntry& entry : table) names += (names.empty() ? "\"" : ", \"") + entry.name + "\"";
      throw DomainError(fmt::format("[params] no parameter matches \"{}\"; there are {}", pattern, names));
    }
  std::vector<ColumnRange> columns;
  Index column = 0;
  for (const ParamEntry& entry : table) {
    if (std::none_of(patterns.begin(), patterns.end(),
                     [&](const std::string& p) { return matches(p, entry.name); }))
      continue;
    columns.push_back({entry.offset, entry.offset + entry.size(), column});
    selected.push_back({entry.name, entry.shape, column});
    column += entry.size();
  }
  return columns;
}

Index count_columns(const std::vector<ColumnRange>& columns) {
  return columns.empty() ? 0 : columns.back().column + columns.back().last - columns.back().first;
}

}  // namespace detail
}  // namespace cotangent
