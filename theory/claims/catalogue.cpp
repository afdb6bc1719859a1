// The rows in their order, the lookup, and the texts made of a row.
#include "theory/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"

namespace cotangent::theory {
namespace {

// The files in the order of the sheets.
// clang-format off
constexpr Entry kRows[] = {
#include "theory/claims/catalogue_optimisation.inc"
#include "theory/claims/catalogue_algorithms.inc"
#include "theory/claims/catalogue_kernels.inc"
#include "theory/claims/catalogue_landscape.inc"
#include "theory/claims/catalogue_approximation.inc"
#include "theory/claims/catalogue_generalisation.inc"
#include "theory/claims/catalogue_additions.inc"
};
// clang-format on

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Letters to insert, drop or exchange to make a into b, whatever their case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (upper(a[i]) == upper(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

/// The digits of an id as a number, its first six.
int number(std::string_view id) {
  int value = 0, digits = 0;
  for (const char c : id)
    if (is_digit(c) && digits++ < 6) value = 10 * value + (c - '0');
  return value;
}

/// Three ids that may have been meant: by their letters, then by their number.
std::string nearest(std::string_view id) {
  std::vector<std::tuple<std::size_t, int, std::string_view>> ranked;
  for (const Entry& row : kRows)
    ranked.emplace_back(distance(id, row.id), std::abs(number(id) - number(row.id)), row.id);
  std::partial_sort(ranked.begin(), ranked.begin() + 3, ranked.end());
  return fmt::format("{}, {}, {}", std::get<2>(ranked[0]), std::get<2>(ranked[1]), std::get<2>(ranked[2]));
}

/// "lecture 000"; "additions" for none.
std::string_view number_of(std::string_view lecture) {
  constexpr std::pair<std::string_view, std::string_view> kLectures[] = {{"proxy", "lecture 000"},
                                                                         {"cpsc532s", "lecture 001"},
                                                                         {"landscape", "lecture 002"},
                                                                         {"ece826", "lecture 003"},
                                                                         {"ece8101", "lecture 004"}};
  for (const auto& [name, text] : kLectures)
    if (name == lecture) return text;
  return "additions";
}

}  // namespace

const char* to_string(State state) noexcept {
  constexpr const char* kTexts[] = {"here", "planned", "quoted", "open"};
  return kTexts[static_cast<int>(state)];
}

std::string Entry::source() const {
  return fmt::format("{} {}", lecture.empty() ? "additions" : lecture, id);
}

std::string Entry::citation() const { return fmt::format("{}, {} ({})", number_of(lecture), title, id); }

std::span<const Entry> catalogue() noexcept { return kRows; }

const Entry& entry(std::string_view id) {
  const auto* const found = std::ranges::find(kRows, id, &Entry::id);
  if (found != std::end(kRows)) return *found;
  throw DomainError(
      fmt::format("[entry] the catalogue has no \"{}\"; the nearest ids are {}", id, nearest(id)));
}

}  // namespace cotangent::theory
