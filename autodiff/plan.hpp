// Plans: what each way to a result is forecast to take in operations and memory, and the one chosen. Each
// plan_x is declared beside x.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/shape.hpp"

namespace cotangent {

/// One way to a result. Operations are floating-point ones of products, two for each multiplication with its
/// addition; every call of an operation adds 400, and 2 for each number it reads or writes, for the time they
/// take. Bytes are those of all blocks of tensors held at once, in use or waiting to be used again, the
/// result's among them; w and X are not, nor what was cached before.
struct Way {
  std::string name;
  double flops = 0.0;
  double bytes = 0.0;
  /// Why it cannot be taken, for it could be wrong; empty: it can.
  std::string refusal = {};
  /// Samples, or what `unit` says, taken at a time, where that is not all of them.
  std::optional<Index> chunk = std::nullopt;
  const char* unit = "samples";
};

/// The ways, and the choice among those that can be taken and fit the memory: the one with fewest operations,
/// the first of equals.
class Plan {
 public:
  /// Throws: DomainError for a memory below 0.
  Plan(std::string task, std::vector<Way> ways, std::optional<Index> memory = std::nullopt);

  const std::vector<Way>& ways() const& noexcept { return ways_; }
  std::vector<Way> ways() && noexcept { return std::move(ways_); }
  /// Throws: DomainError unless there is a way of this name.
  Way way(std::string_view name) const;
  bool fits() const noexcept { return chosen_.has_value(); }
  /// Throws: DomainError with the forecast if no way fits.
  Way chosen() const;

  /// "J needs ...; using ..." and a table of the ways.
  std::string to_string() const;

 private:
  std::string task_;
  std::vector<Way> ways_;
  std::optional<Index> memory_;
  std::optional<std::size_t> chosen_;
};

}  // namespace cotangent
