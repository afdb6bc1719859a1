// Progress: what reaches a pipe, what reaches a terminal, how often, and what silence costs.
#include "report/progress.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::report {
namespace {

using test::error_of;

/// A clock the test turns.
struct Clock {
  std::shared_ptr<double> seconds = std::make_shared<double>(100.0);
  std::shared_ptr<int> readings = std::make_shared<int>(0);
  Function<double()> function() const {
    return [s = seconds, r = readings] {
      ++*r;
      return *s;
    };
  }
};

/// Both ends of a pipe, or of a terminal of a given width.
class Channel {
 public:
  static Channel pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    return Channel(ends[1], ends[0]);
  }
  static Channel terminal(unsigned short columns) {
    winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    int master = -1, slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0) std::abort();
    return Channel(slave, master);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() {
    ::close(write_);
    ::close(read_);
  }
  int write_end() const { return write_; }
  /// What has been written since the last call.
  std::string take() const {
    std::string text;
    std::array<char, 4096> chunk{};
    for (;;) {
      pollfd waiting{.fd = read_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 0) != 1) return text;
      const ssize_t n = ::read(read_, chunk.data(), chunk.size());
      if (n <= 0) return text;
      text.append(chunk.data(), static_cast<std::size_t>(n));
    }
  }

 private:
  Channel(int write_end, int read_end) : write_(write_end), read_(read_end) {}
  int write_, read_;
};

/// TERM for the length of a test.
class Term {
 public:
  explicit Term(const char* kind) : old_(std::getenv("TERM") ? std::getenv("TERM") : "") {
    ::setenv("TERM", kind, 1);
  }
  Term(const Term&) = delete;
  Term& operator=(const Term&) = delete;
  ~Term() { ::setenv("TERM", old_.c_str(), 1); }

 private:
  std::string old_;
};

bool has_control_characters(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f; });
}

TEST(ProgressInAPipe, LinesAreTenPercentAndTenSecondsApart) {
  const Channel pipe = Channel::pipe();
  const Clock clock;
  Progress progress(1000, {.label = "sgd", .descriptor = pipe.write_end(), .clock = clock.function()});
  // A tenth of the work takes 6.25 s, so the 10 s decide: a line every 160 units.
  for (Index k = 1; k <= 1000; ++k) {
    *clock.seconds += 0.0625;
    progress.update(k, [k] { return "unit " + std::to_string(k); });
  }
  progress.finish("value 0.5");
  EXPECT_EQ(pipe.take(),
            "sgd   16 %  unit 160  53 s left\n"
            "sgd   32 %  unit 320  43 s left\n"
            "sgd   48 %  unit 480  33 s left\n"
            "sgd   64 %  unit 640  23 s left\n"
            "sgd   80 %  unit 800  13 s left\n"
            "sgd   96 %  unit 960  2.5 s left\n"
            "sgd  done in 1 min 03 s  value 0.5\n");
}

TEST(ProgressInAPipe, LongWorkHasALineATenth) {
  const Channel pipe = Channel::pipe();
  const Clock clock;
  Progress progress(100, {.descriptor = pipe.write_end(), .clock = clock.function()});
  for (Index k = 1; k <= 35; ++k) {
    *clock.seconds += 60.0;
    progress.update(k);
  }
  EXPECT_EQ(pipe.take(), " 10 %  1 h 30 min left\n 20 %  1 h 20 min left\n 30 %  1 h 10 min left\n");
}

TEST(ProgressInAPipe, ShortWorkHasOneLineAndNotesStayOnIt) {
  const Channel pipe = Channel::pipe();
  const Clock clock;
  {
    Progress progress(10, {.label = "a\tb", .descriptor = pipe.write_end(), .clock = clock.function()});
    for (Index k = 1; k <= 10; ++k) progress.update(k);
    *clock.seconds += 3.25;
    progress.finish("two\nlines \x1b[31mred");
    progress.finish("again");
    progress.update(10);
  }
  const std::string text = pipe.take();
  EXPECT_EQ(text, "a b  done in 3.2 s  two lines  [31mred\n");
  EXPECT_FALSE(has_control_characters(text));
}

TEST(ProgressInAPipe, WorkThatIsLeftSaysNothing) {
  const Channel pipe = Channel::pipe();
  const Clock clock;
  { Progress progress(10, {.descriptor = pipe.write_end(), .clock = clock.function()}); }
  EXPECT_EQ(pipe.take(), "");
}

// A bare chroot has no pseudo-terminals to test with.
class ProgressOnATerminal : public testing::Test {
 protected:
  void SetUp() override {
    int master = -1, slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, nullptr) != 0)
      GTEST_SKIP() << "this system has no pseudo-terminal";
    ::close(master);
    ::close(slave);
  }
};

TEST_F(ProgressOnATerminal, IsRewrittenAtMostTenTimesASecond) {
  const Term term("xterm");
  const Channel terminal = Channel::terminal(80);
  const Clock clock;
  int notes = 0;
  Progress progress(1000, {.label = "gd", .descriptor = terminal.write_end(), .clock = clock.function()});
  for (Index k = 1; k <= 1000; ++k) {
    *clock.seconds += 0.002;
    progress.update(k, [&] {
      ++notes;
      return std::string("note");
    });
  }
  EXPECT_GE(notes, 18);
  EXPECT_LE(notes, 21);
  const std::string text = terminal.take();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), notes);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 0);
  EXPECT_TRUE(text.starts_with("\rgd    0 %  note  2.0 s left\x1b[K\r")) << text;
  progress.finish("ok");
  EXPECT_EQ(terminal.take(), "\rgd  done in 2.0 s  ok\x1b[K\r\n");  // the terminal itself adds the last \r
}

TEST_F(ProgressOnATerminal, FitsItsWidth) {
  const Term term("xterm");
  const Channel terminal = Channel::terminal(20);
  const Clock clock;
  Progress progress(10, {.descriptor = terminal.write_end(), .clock = clock.function()});
  *clock.seconds += 1.0;
  progress.update(5, [] { return std::string("größe größe größe größe"); });
  EXPECT_EQ(terminal.take(), "\r 50 %  größe größe \x1b[K");
}

TEST_F(ProgressOnATerminal, AnOpenLineIsEnded) {
  const Term term("xterm");
  const Channel terminal = Channel::terminal(80);
  const Clock clock;
  {
    Progress progress(10, {.descriptor = terminal.write_end(), .clock = clock.function()});
    progress.update(1);
    terminal.take();
  }
  EXPECT_EQ(terminal.take(), "\r\n");
}

TEST_F(ProgressOnATerminal, ADumbOneIsTreatedAsAFile) {
  const Term term("dumb");
  const Channel terminal = Channel::terminal(80);
  const Clock clock;
  Progress progress(10, {.descriptor = terminal.write_end(), .clock = clock.function()});
  progress.update(5);
  EXPECT_EQ(terminal.take(), "");
  *clock.seconds += 11.0;
  progress.update(6);
  EXPECT_EQ(terminal.take(), " 60 %  7.3 s left\r\n");
}

TEST(Progress, SilentReadsNoClockAndWritesNothing) {
  const Channel pipe = Channel::pipe();
  const Clock clock;
  int notes = 0;
  {
    Progress progress(10, {.silent = true, .descriptor = pipe.write_end(), .clock = clock.function()});
    for (Index k = 1; k <= 10; ++k) {
      *clock.seconds += 100.0;
      progress.update(k);
      progress.update(k, [&] {
        ++notes;
        return std::string();
      });
    }
    progress.finish();
  }
  EXPECT_EQ(*clock.readings, 0);
  EXPECT_EQ(notes, 0);
  EXPECT_EQ(pipe.take(), "");
}

TEST(Progress, WithoutWorkOnlyEnds) {
  const Channel pipe = Channel::pipe();
  const Clock clock;
  Progress progress(0, {.descriptor = pipe.write_end(), .clock = clock.function()});
  *clock.seconds += 20.0;
  progress.update(0);
  progress.finish();
  EXPECT_EQ(pipe.take(), "  0 %\ndone in 20 s\n");
}

TEST(Progress, Durations) {
  const std::vector<std::pair<double, std::string>> table = {
      {0.0, "0.0 s"},       {9.94, "9.9 s"},           {9.96, "10 s"},         {59.4, "59 s"},
      {59.6, "1 min 00 s"}, {200.0, "3 min 20 s"},     {3599.7, "1 h 00 min"}, {7500.0, "2 h 05 min"},
      {-1.0, "0.0 s"},      {360000.0, "100 h 00 min"}};
  for (const auto& [seconds, text] : table) EXPECT_EQ(duration_text(seconds), text) << seconds;
}

TEST(Progress, Errors) {
  EXPECT_EQ(error_of<DomainError>([] { Progress(-1); }),
            "[Progress] a total of -1 units; give the number of units, 0 or more");
}

}  // namespace
}  // namespace cotangent::report
