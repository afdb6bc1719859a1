// The frame of a lesson: its options, the claims it checks, the record it writes, its exit code.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "autodiff/function.hpp"
#include "autodiff/tensor.hpp"
#include "report/figure.hpp"
#include "report/json.hpp"
#include "theory/verdict.hpp"

namespace cotangent::examples {

struct LessonInfo {
  /// The source file without ".cpp": "01_gradients".
  std::string name;
  /// One sentence for --help.
  std::string about;
  /// What it shows: one line of plain text for the course's overview.
  std::string claim = {};
  /// The theorem, TeX's mathematics between $...$ and $$...$$; an empty line begins a paragraph.
  std::string statement = {};
  /// Whether it has the option --data.
  bool reads_data = false;
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
  /// Adds a figure to the record if it was drawn; its note follows the caption. Its file is to be one of
  /// path(...). Throws: DomainError if it is not in the directory of --out.
  void figure(const report::Drawn& drawn, std::string caption);
  /// Checks the claim lhs <= rhs and records it. The numbers alone decide: "refuted" if rhs - lhs is below
  /// -rounding, "certified" if it is above rounding, else (and for NaN) "inconclusive". The function's name says
  /// which of these the lesson expects; another one makes its exit code 1.
  ///
  /// `source` is lecture and entry, "ece826 O14"; `rounding` is how far rounding may have moved the two sides.
  void expect_certified(std::string source, std::string name, std::string claim, double lhs, double rhs,
                        double rounding = 0.0) {
    check({std::move(name), std::move(source), std::move(claim)}, lhs, rhs, rounding,
          theory::Scope::everywhere, theory::Outcome::certified);
  }
  void expect_refuted(std::string source, std::string name, std::string claim, double lhs, double rhs,
                      double rounding = 0.0) {
    check({std::move(name), std::move(source), std::move(claim)}, lhs, rhs, rounding,
          theory::Scope::everywhere, theory::Outcome::refuted);
  }
  void expect_inconclusive(std::string source, std::string name, std::string claim, double lhs, double rhs,
                           double rounding = 0.0) {
    check({std::move(name), std::move(source), std::move(claim)}, lhs, rhs, rounding,
          theory::Scope::everywhere, theory::Outcome::inconclusive);
  }
  /// For what was only sampled: the verdict is "supported" where it would be "certified".
  void expect_supported(std::string source, std::string name, std::string claim, double lhs, double rhs,
                        double rounding = 0.0) {
    check({std::move(name), std::move(source), std::move(claim)}, lhs, rhs, rounding, theory::Scope::samples,
          theory::Outcome::supported);
  }
  /// Records a check's verdict, with its hypotheses and steps, beside the outcome this lesson expects; a
  /// counterexample is saved as path("_witness_K.npz"). `name` replaces the claim's: names must differ.
  void expect(theory::Outcome expected, const theory::Verdict& verdict, std::string name = {});

 private:
  friend int run_lesson(const LessonInfo&, int, char**, FunctionRef<void(Lesson&)>);
  Lesson() = default;
  void check(theory::Claim claim, double lhs, double rhs, double rounding, theory::Scope scope,
             theory::Outcome expected);
  void print_tables() const;

  bool smoke_ = false;
  std::uint64_t seed_ = 1;
  std::string out_ = ".";
  std::string data_;
  report::Record record_;
};

/// Reads the options, runs the lesson, prints its metrics and checks, writes DIR/name.json with the time it took.
///
/// Returns the exit code: 0 if every check gave the verdict expected, 1 if one did not, 2 for bad usage or an
/// error, whose text is then on standard error.
int run_lesson(const LessonInfo& info, int argc, char** argv, FunctionRef<void(Lesson&)> lesson);

/// max |got - wanted| / max |wanted|; NaN if there is one in either.
/// Throws: ShapeError if the shapes differ; DomainError if wanted is empty or all zero.
double relative_error(const Tensor& got, const Tensor& wanted);

}  // namespace cotangent::examples
