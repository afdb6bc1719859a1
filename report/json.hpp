// Record: what a lesson found, as the JSON file its programs and the course page share.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/provenance.hpp"

namespace cotangent::report {

/// One checked claim. The numbers are the two sides of its inequality and the distance between them.
struct Check {
  std::string name;
  std::string source;  // lecture and entry: "proxy O35"
  std::string claim;
  double lhs = 0.0;
  double rhs = 0.0;
  double margin = 0.0;
  /// certified, supported, refuted, inconclusive or not_applicable; `expected` is what the lesson is to show.
  std::string verdict;
  std::string expected;

  bool as_expected() const { return verdict == expected; }
};

/// A lesson's record. The first metric is the one an overview shows.
struct Record {
  std::string lesson;  // "02_train_a_classifier"
  std::uint64_t seed = 0;
  Provenance provenance;
  std::vector<std::pair<std::string, double>> metrics;
  std::vector<Check> checks;
  std::vector<std::string> figures;  // file names beside the record

  /// A record of this process. Throws: DomainError as save, on a bad lesson name.
  static Record of(std::string lesson, std::uint64_t seed);
  void metric(std::string name, double value) { metrics.emplace_back(std::move(name), value); }
  void check(Check check) { checks.push_back(std::move(check)); }
  void figure(std::string file) { figures.push_back(std::move(file)); }
  /// Every check gave the verdict it was expected to give: the lesson's exit code is then 0, else 1.
  bool as_expected() const;
};

/// Writes the record as {"lesson", "seed", "provenance", "metrics": {name: number}, "checks": [{"name",
/// "source", "claim", "lhs", "rhs", "margin", "verdict", "expected"}], "figures": [files]}; replaces an
/// existing file in one step. Numbers that are not finite are null.
///
/// Throws: DomainError, before anything is written, on an empty or repeated name or a verdict that is none of
/// the five words; naming the file if it cannot be written.
void save(const std::string& path, const Record& record);

/// Reads one back; null is NaN. Throws: DomainError naming the file and what is wrong with it.
Record load_record(const std::string& path);

}  // namespace cotangent::report
