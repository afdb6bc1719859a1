// Progress: one line on standard error that says how far long work is and how long it will still take.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "autodiff/function.hpp"
#include "autodiff/shape.hpp"

namespace cotangent::report {

struct ProgressOptions {
  /// Written in front: "sgd".
  std::string label = {};
  /// Nothing is written and no clock is read.
  bool silent = false;
  /// File descriptor to write to; without one, standard error.
  std::optional<int> descriptor = std::nullopt;
  /// Seconds since some fixed moment; without one, the steady clock.
  Function<double()> clock = {};
};

/// Shows `done` of `total` units of work.
///
/// On a terminal the line is rewritten in place, at most ten times a second and never wider than the
/// terminal. Elsewhere it is a plain line without control characters, written when at least a tenth of the
/// work and at least ten seconds have passed since the one before, and once at the end.
/// Cost: a clock reading an update; silent, one comparison.
class Progress {
 public:
  /// Throws: DomainError if total is negative.
  explicit Progress(Index total, ProgressOptions options = {});
  /// Ends the line if the work was left before its end.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `note` is asked for its text only when a line is due.
  void update(Index done) {
    if (!silent_) show(done, nullptr);
  }
  void update(Index done, FunctionRef<std::string()> note) {
    if (!silent_) show(done, &note);
  }
  /// Writes the last line: `note` and the time it took. Later calls of any kind do nothing.
  void finish(std::string_view note = {}) {
    if (!silent_) end(note);
  }

 private:
  void show(Index done, const FunctionRef<std::string()>* note);
  void end(std::string_view note);
  void write_line(std::string line, bool last);
  double now() const;

  bool silent_;
  bool terminal_ = false;
  bool line_open_ = false;
  int descriptor_ = 2;
  Index total_;
  Index shown_ = 0;  // units done when the last line was written
  double start_ = 0.0;
  double last_ = 0.0;
  std::string label_;
  Function<double()> clock_;
};

/// "0.4 s", "12 s", "3 min 20 s", "2 h 05 min".
std::string duration_text(double seconds);

}  // namespace cotangent::report
