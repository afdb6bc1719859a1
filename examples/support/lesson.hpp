// The frame of a lesson: its options, the claims it checks, the record it writes, its exit code.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "autodiff/function.hpp"
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
  /// Records a check's verdict, with its hypotheses and steps, beside the outcome this lesson expects; a
  /// counterexample is saved as path("_witness_K.npz"). `name` replaces the claim's: names must differ.
  void expect(theory::Outcome expected, const theory::Verdict& verdict, std::string name = {});

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

/// Reads the options, runs the lesson, prints its metrics and checks, writes DIR/name.json with the time it
/// took.
///
/// Returns the exit code: 0 if every check gave the verdict expected, 1 if one did not, 2 for bad usage or an
/// error, whose text is then on standard error.
int run_lesson(const LessonInfo& info, int argc, char** argv, FunctionRef<void(Lesson&)> lesson);

}  // namespace cotangent::examples
