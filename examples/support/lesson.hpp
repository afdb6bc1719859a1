// The frame of a lesson: its options, the claims it checks, the record it writes, its exit code.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autodiff/function.hpp"
#include "autodiff/tensor.hpp"
#include "report/json.hpp"

namespace cotangent::examples {

struct LessonInfo {
  /// The source file without ".cpp": "01_gradients".
  std::string name;
  /// One sentence for --help.
  std::string about;
  /// Whether it has the option --data.
  bool reads_data = false;
};

/// The statement lhs <= rhs. Its verdict follows from the numbers: "refuted" if rhs - lhs is below -rounding,
/// `shows` if it is above rounding, else (and for NaN) "inconclusive".
struct Claim {
  std::string name;
  std::string source;  // lecture and entry: "ece826 O14"
  std::string claim;
  double lhs;
  double rhs;
  /// How far rounding may have moved the two sides.
  double rounding = 0.0;
  /// "certified" where everything the claim speaks of was computed, "supported" where it was only sampled.
  std::string shows = "certified";
  /// The verdict the lesson is about; without one, `shows`.
  std::optional<std::string> expected = std::nullopt;
};

/// What a lesson is given: its options, and where its findings go.
class Lesson {
 public:
  /// --smoke: as small as still shows every step; seconds.
  bool smoke() const noexcept { return smoke_; }
  std::uint64_t seed() const noexcept { return seed_; }
  /// The directory of --data; empty without the option.
  const std::string& data() const noexcept { return data_; }
  /// A file of this lesson's in the directory of --out: path(".npz") is "DIR/01_gradients.npz".
  std::string path(std::string_view suffix) const;

  /// The first metric is the one an overview shows.
  void metric(std::string name, double value) { record_.metric(std::move(name), value); }
  /// Decides the claim and records it with its verdict.
  void check(const Claim& claim);

 private:
  friend int run_lesson(const LessonInfo&, int, char**, FunctionRef<void(Lesson&)>);
  Lesson() = default;
  void print_tables() const;

  bool smoke_ = false;
  std::uint64_t seed_ = 1;
  std::string out_ = ".";
  std::string data_;
  report::Record record_;
};

/// Reads the options, runs the lesson, prints its metrics and checks, writes DIR/name.json.
///
/// Returns the exit code: 0 if every check gave the verdict expected, 1 if one did not, 2 for bad usage or an
/// error, whose text is then on standard error.
int run_lesson(const LessonInfo& info, int argc, char** argv, FunctionRef<void(Lesson&)> lesson);

/// max |got - wanted| / max |wanted|; NaN if there is one in either.
/// Throws: ShapeError if the shapes differ; DomainError if wanted is empty or all zero.
double relative_error(const Tensor& got, const Tensor& wanted);

}  // namespace cotangent::examples
