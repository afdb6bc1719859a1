// Record: what a lesson found, as the JSON file its programs and the course page share.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/provenance.hpp"

namespace cotangent::report {

/// A hypothesis or a step of a proof, at the place where its two sides came closest.
struct Clause {
  std::string name;
  double lhs = 0.0;
  double rhs = 0.0;
  double margin = 0.0;
  bool holds = false;
  std::string where = {};   // "iterate 17"; may be empty
  std::string within = {};  // "rounding", what was forgiven where it holds with a margin below 0; else empty
};

/// One checked claim. The numbers are the two sides of its inequality and the distance between them.
struct Check {
  std::string name;
  std::string source;  // lecture and entry: "proxy O35"; empty where two numbers are compared
  std::string claim;
  double lhs = 0.0;
  double rhs = 0.0;
  double margin = 0.0;
  /// certified, supported, refuted, agrees, inconclusive or not_applicable; `expected` is what the lesson is
  /// to show.
  std::string verdict;
  std::string expected;

  std::string scope = {};     // "everywhere", "on this trajectory", "200 points, seed 7"; may be empty
  std::string note = {};      // one sentence: why this verdict
  std::string citation = {};  // the source in words: "lecture 000, leaky ReLU theorem (O35)"
  std::string formula = {};   // the claim as text with TeX's mathematics between $...$
  std::vector<Clause> hypotheses = {};
  std::vector<Clause> steps = {};
  std::string witness = {};  // a file name beside the record; may be empty

  bool as_expected() const { return verdict == expected; }
};

/// A lesson's record. The first metric is the one an overview shows.
struct Record {
  std::string lesson;  // "02_train_a_classifier"
  std::uint64_t seed = 0;
  Provenance provenance;
  std::vector<std::pair<std::string, double>> metrics;
  std::vector<Check> checks;
  std::vector<std::string> figures;                           // file names beside the record
  std::vector<std::pair<std::string, std::string>> captions;  // of a figure by its file name; may be fewer
  std::string claim;                                          // one line of plain text
  std::string statement;  // text, with TeX's mathematics between $...$ and $$...$$
  double seconds = std::numeric_limits<double>::quiet_NaN();  // what the lesson took; NaN where unknown

  /// A record of this process. Throws: DomainError as save, on a bad lesson name.
  static Record of(std::string lesson, std::uint64_t seed);
  void metric(std::string name, double value) { metrics.emplace_back(std::move(name), value); }
  void check(Check check) { checks.push_back(std::move(check)); }
  /// Without a caption, none is recorded.
  void figure(std::string file, std::string caption = {});
  /// Empty where there is none.
  std::string_view caption(std::string_view file) const noexcept;
  /// Every check gave the verdict it was expected to give: the lesson's exit code is then 0, else 1.
  bool as_expected() const;
};

/// Writes the record as {"lesson", "seed", "provenance", "metrics": {name: number}, "checks": [{"name",
/// "source", "claim", "lhs", "rhs", "margin", "verdict", "expected"}], "figures": [files]}; replaces an
/// existing file in one step. Numbers that are not finite are null.
///
/// Further keys are written only where they say something. The record: "captions": {file: text}, "claim",
/// "statement", "seconds". A check: "scope", "note", "citation", "formula", "hypotheses" and "steps", lists
/// of {"name", "lhs", "rhs", "margin", "holds", "where", "within"}, and "witness"; a clause's "where" and
/// "within" may be absent.
///
/// Throws: DomainError, before anything is written, on an empty or repeated name or a verdict that is none of
/// the six words; naming the file if it cannot be written.
void save(const std::string& path, const Record& record);

/// Reads one back; null is NaN, keys that are not named above are passed over. A text
/// that is nested more than 32 deep, or has an object of more than 14000 names, is refused.
/// Throws: DomainError naming the file and what is wrong with it.
Record load_record(const std::string& path);

}  // namespace cotangent::report
