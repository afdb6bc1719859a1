// Children: what goes in, what comes out, and that nothing is left behind.
#include "report/child_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::report {
namespace {

using test::error_of;

ChildResult run(const std::vector<std::string>& command, std::string_view input = {},
                ChildOptions options = {}) {
  std::optional<ChildResult> result = run_child("test", command, input, options);
  if (!result) ADD_FAILURE() << command[0] << " is not there";
  return result.value_or(ChildResult{});
}

ChildResult python(const std::string& code, std::string_view input = {}, ChildOptions options = {}) {
  return run({"python3", "-B", "-c", code}, input, options);
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST(Child, GetsItsInputAndGivesBothOutputsAndItsCode) {
  const ChildResult result = python(
      "import sys\n"
      "text = sys.stdin.read()\n"
      "sys.stdout.write(text.upper()); sys.stderr.write('lines: %d' % text.count('\\n')); sys.exit(7)",
      "one\ntwo\n");
  EXPECT_EQ(result.output, "ONE\nTWO\n");
  EXPECT_EQ(result.errors, "lines: 2");
  EXPECT_EQ(result.exit_code, 7);
}

TEST(Child, WordsAreNotReadByAShell) {
  const std::string hostile = "$(touch x); `id` > y * ' \"";
  EXPECT_EQ(run({"python3", "-c", "import sys; sys.stdout.write(sys.argv[1])", hostile}).output, hostile);
}

TEST(Child, MegabytesInBothDirectionsDoNotBlock) {
  std::string big(8 << 20, 'x');
  for (std::size_t i = 0; i < big.size(); i += 77) big[i] = '\0';
  const ChildResult result = run({"cat"}, big);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.output == big);
}

TEST(Child, MayLeaveItsInputUnread) {
  const std::string big(8 << 20, 'x');
  const ChildResult result = python("import os; os.close(0); print('done')", big);
  EXPECT_EQ(result.output, "done\n");
  EXPECT_EQ(result.exit_code, 0);
}

TEST(Child, ASignalIsItsNumberAnd128) {
  EXPECT_EQ(python("import os; os.kill(os.getpid(), 9)").exit_code, 137);
}

TEST(Child, HasTheThreeStandardDescriptorsOnly) {
  const int kept = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, on purpose
  ASSERT_GE(kept, 3);
  const ChildResult result = python(
      "import os\nfor fd in range(256):\n"
      "  try: os.fstat(fd); print(fd)\n  except OSError: pass");
  ::close(kept);
  EXPECT_EQ(result.output, "0\n1\n2\n");
}

TEST(Child, NothingIsLeftBehind) {
  run({"cat"}, "warm up");
  const std::size_t before = open_descriptors();
  for (int k = 0; k < 20; ++k) {
    run({"cat"}, "text");
    EXPECT_FALSE(run_child("test", {"no-program-of-this-name"}, "text").has_value());
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Child, WorksWhereTheStandardStreamsAreClosed) {
  const int saved = ::fcntl(0, F_DUPFD_CLOEXEC, 10);
  ::close(0);
  const std::optional<ChildResult> result = run_child("test", {"cat"}, "text");
  if (saved >= 0) {
    ::dup2(saved, 0);
    ::close(saved);
  }
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->output, "text");
}

TEST(Child, IsKilledWhenItsTimeIsUp) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(error_of<DomainError>([] {
              run({"sleep", "60"}, {}, {.seconds = 0.2});
            }),
            "[test] sleep did not end within 0.2 s and was killed; give it less to do");
  // One that closes its outputs and lives on.
  EXPECT_EQ(error_of<DomainError>([] {
              python("import os, time\nos.close(1); os.close(2); time.sleep(60)", {}, {.seconds = 1.0});
            }),
            "[test] python3 did not end within 1 s and was killed; give it less to do");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Child, IsKilledWhenItWritesWithoutEnd) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(
      error_of<DomainError>([] {
        run({"yes", "on and on"}, {}, {.most_output = 5 << 20});
      }),
      "[test] yes wrote more than 5242880 bytes and was killed; give it less to do; they begin: " + []() {
        std::string text;
        while (text.size() < 200) text += "on and on ";
        return text;
      }());
  // To standard error, and both together.
  for (const std::string code :
       {"import sys\nwhile True: sys.stderr.write('x' * 4096)",
        "import sys\nfor k in range(1000): sys.stderr.write('x' * 900); print('y' * 899)"})
    EXPECT_EQ(error_of<DomainError>([&] { python(code, {}, {.most_output = 1000000}); }).substr(0, 60),
              "[test] python3 wrote more than 1000000 bytes and was killed;");
  EXPECT_EQ(python("print('x' * 999999)", {}, {.most_output = 1000000}).output.size(), 1000000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Child, NeedsAName) {
  EXPECT_EQ(error_of<DomainError>([] { run_child("test", {}, {}); }),
            "[test] the command has no words; name a program");
}

}  // namespace
}  // namespace cotangent::report
