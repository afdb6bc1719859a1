// Progress: when a line is due, and how it is written to a terminal or to a file.
#include "report/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "autodiff/error.hpp"
#include "report/text.hpp"

namespace cotangent::report {
namespace {

constexpr double kTerminalSeconds = 0.1;
constexpr double kPlainSeconds = 10.0;
constexpr double kPlainFraction = 0.1;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool is_terminal(int descriptor) {
  const char* kind = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && kind && std::string_view(kind) != "dumb";
}

std::size_t terminal_width(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

/// Progress is never worth failing for: what cannot be written is dropped.
void write_quietly(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string duration_text(double seconds) {
  if (!(seconds >= 0.0)) seconds = 0.0;
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  if (seconds > 1e9) return "over 30 years";
  const long long whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(Index total, ProgressOptions options)
    : silent_(options.silent),
      total_(total),
      label_(std::move(options.label)),
      clock_(std::move(options.clock)) {
  if (total < 0)
    throw DomainError(
        fmt::format("[Progress] a total of {} units; give the number of units, 0 or more", total));
  if (silent_) return;
  descriptor_ = options.descriptor.value_or(STDERR_FILENO);
  terminal_ = is_terminal(descriptor_);
  start_ = now();
  // The first line on a terminal is due at the first update.
  last_ = terminal_ ? start_ - 2.0 * kTerminalSeconds : start_;
}

Progress::~Progress() {
  if (line_open_) write_quietly(descriptor_, "\n");
}

double Progress::now() const { return clock_ ? clock_() : steady_seconds(); }

void Progress::show(Index done, const FunctionRef<std::string()>* note) {
  const double time = now();
  if (time - last_ < (terminal_ ? kTerminalSeconds : kPlainSeconds)) return;
  const double total = static_cast<double>(total_);
  if (!terminal_ && static_cast<double>(done - shown_) < kPlainFraction * total) return;

  const double count = std::clamp(static_cast<double>(done), 0.0, total);
  std::string line = fmt::format("{:3.0f} %", total > 0.0 ? std::floor(100.0 * count / total) : 0.0);
  if (note) line += "  " + (*note)();
  if (count > 0.0) line += fmt::format("  {} left", duration_text((time - start_) * (total - count) / count));
  write_line(std::move(line), false);
  shown_ = done;
  last_ = time;
}

void Progress::end(std::string_view note) {
  silent_ = true;
  std::string line = "done in " + duration_text(now() - start_);
  if (!note.empty()) line.append("  ").append(note);
  write_line(std::move(line), true);
}

void Progress::write_line(std::string line, bool last) {
  if (!label_.empty()) line = label_ + "  " + line;
  line = one_line(line);
  if (!terminal_) return write_quietly(descriptor_, line + "\n");
  // One column less than there are: a full line would make some terminals wrap.
  line = cut(line, terminal_width(descriptor_) - 1);
  write_quietly(descriptor_, "\r" + line + "\x1b[K" + (last ? "\n" : ""));
  line_open_ = !last;
}

}  // namespace cotangent::report
