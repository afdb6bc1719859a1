// Saving in one step: the old file survives a killed process, a size limit, a full disk and every other
// failure.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/npz.hpp"
#include "autodiff/params.hpp"
#include "autodiff/tensor.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::in_child;
using test::read_bytes;
using test::TemporaryDirectory;
using test::write_bytes;

constexpr char kUntouched[] = "; the old file, if any, is untouched; free some space or save elsewhere";

/// Without reaping it, so that its id stays its own.
bool has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid == child;
}

TEST(AtomicSave, KilledWhileSavingLeavesTheOldFile) {
  const TemporaryDirectory directory;
  const std::string path = directory / "weights.npy";
  save(path, Tensor{1, 2, 3});
  const Tensor large = Tensor::ones(Shape{1 << 23});  // 64 MiB: long enough to be caught in the middle
  int caught = 0;
  for (int attempt = 0; attempt < 40 && caught < 3; ++attempt) {
    const pid_t child = ::fork();
    if (child == 0) {
      save(path, large);
      ::_exit(0);
    }
    std::string temporary;
    while (temporary.empty() && !has_ended(child))
      for (const std::string& name : directory.names()) {
        std::error_code gone;
        const auto size = std::filesystem::file_size(directory / name, gone);
        if (name != "weights.npy" && !gone && size > 0) temporary = directory / name;
      }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!temporary.empty() && std::filesystem::exists(temporary)) {
      // Killed before the rename.
      EXPECT_TRUE(WIFSIGNALED(status));
      EXPECT_TRUE(equal(load(path), (Tensor{1, 2, 3})));
      save(path, Tensor{1, 2, 3});
      EXPECT_EQ(directory.names(), std::vector<std::string>{"weights.npy"});  // the next save cleans up
      ++caught;
    } else {
      EXPECT_EQ(load(path).size(), large.size());  // finished: then it is all there
      save(path, Tensor{1, 2, 3});
    }
  }
  EXPECT_EQ(caught, 3);
}

TEST(AtomicSave, KilledAtAnyTimeLeavesOneOfTheTwoFiles) {
  const TemporaryDirectory directory;
  const std::string path = directory / "weights.npz";
  const Params before({{"w", Tensor::full(Shape{300000}, 1.0)}});
  const Params after({{"w", Tensor::full(Shape{400000}, 2.0)}});
  save(path, before);
  for (int trial = 0; trial < 20; ++trial) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) {
        save(path, after);
        save(path, before);
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(700 * trial));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const Params found = load_params(path);
    const Params& expected = found.size() == before.size() ? before : after;
    EXPECT_TRUE(equal(found["w"], expected["w"])) << trial;
  }
}

/// Tries to save more than a limit of 64 KiB a file allows; the size limit's signal keeps its default action,
/// which would end the process.
template <class Save>
int save_beyond_limit(const TemporaryDirectory& directory, const std::string& expected, Save save_large) {
  return in_child([&] {
    ::signal(SIGXFSZ, SIG_DFL);
    const rlimit limit{65536, 65536};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    if (error_of<DomainError>(save_large) != expected) return 3;
    if (directory.names().size() != 1) return 4;
    sigset_t blocked, pending;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    ::sigpending(&pending);
    return ::sigismember(&blocked, SIGXFSZ) || ::sigismember(&pending, SIGXFSZ) ? 5 : 0;
  });
}

TEST(AtomicSave, SizeLimitIsAnErrorAndLeavesTheOldFile) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npy";
  save(path, Tensor{1, 2, 3});
  const std::string old = read_bytes(path);
  EXPECT_EQ(
      save_beyond_limit(directory, "[save] " + path + ": cannot be written: File too large" + kUntouched,
                        [&] { save(path, Tensor::zeros(Shape{100000})); }),
      0);
  EXPECT_EQ(read_bytes(path), old);
}

TEST(AtomicSave, SizeLimitHoldsForNpzToo) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npz";
  save_npz(path, {.arrays = {{"x", Tensor{1, 2, 3}}}, .labels = {}});
  const std::string old = read_bytes(path);
  const Tensor large = Tensor::zeros(Shape{100000});
  EXPECT_EQ(
      save_beyond_limit(directory, "[save_npz] " + path + ": cannot be written: File too large" + kUntouched,
                        [&] {
                          save_npz(path, {.arrays = {{"x", large}}, .labels = {}});
                        }),
      0);
  EXPECT_EQ(
      save_beyond_limit(directory, "[save] " + path + ": cannot be written: File too large" + kUntouched,
                        [&] {
                          save(path, Params({{"x", large}}));
                        }),
      0);
  EXPECT_EQ(read_bytes(path), old);
}

TEST(AtomicSave, PendingSizeLimitSignalIsNotSwallowed) {
  const TemporaryDirectory directory;
  EXPECT_EQ(in_child([&] {
              sigset_t set, pending;
              ::sigemptyset(&set);
              ::sigaddset(&set, SIGXFSZ);
              ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
              ::raise(SIGXFSZ);
              save(directory / "a.npy", Tensor{1});
              ::sigpending(&pending);
              return ::sigismember(&pending, SIGXFSZ) ? 0 : 1;
            }),
            0);
}

TEST(AtomicSave, FullDiskIsAnErrorAndLeavesTheOldFile) {
  const TemporaryDirectory directory;
  constexpr int kCannotMount = 9;
  const int result = in_child([&] {
    // A mount of its own, which disappears with the child.
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=256k") != 0)
      return kCannotMount;
    const std::string path = directory / "a.npy";
    save(path, Tensor{1, 2, 3});
    const std::string expected =
        "[save] " + path + ": cannot be written: No space left on device" + kUntouched;
    if (error_of<DomainError>([&] { save(path, Tensor::zeros(Shape{100000})); }) != expected) return 1;
    if (directory.names() != std::vector<std::string>{"a.npy"}) return 2;
    if (!equal(load(path), Tensor{1, 2, 3})) return 3;
    save(path, Tensor::ones(Shape{20000}));  // 160 of 256 KiB: the failed attempt left no space taken
    return equal(load(path), Tensor::ones(Shape{20000})) ? 0 : 4;
  });
  if (result == kCannotMount) GTEST_SKIP() << "no tmpfs can be mounted here (it takes root)";
  EXPECT_EQ(result, 0);
}

TEST(AtomicSave, RefusesWhereNoFileCanBe) {
  const TemporaryDirectory directory;
  const auto text = [&](const std::string& path) {
    return error_of<DomainError>([&] { save(path, Tensor{1}); });
  };
  const std::string missing = directory / "none/a.npy";
  EXPECT_EQ(text(missing), "[save] " + missing + ": cannot create a file in " + (directory / "none") +
                               ": No such file or directory; make the directory or check its permissions");
  EXPECT_EQ(text(directory.path()),
            "[save] " + directory.path() + ": is not a regular file; give the name of a file");
  EXPECT_EQ(text("/dev/null"), "[save] /dev/null: is not a regular file; give the name of a file");
  const std::string lengthy = directory / std::string(300, 'x');
  EXPECT_EQ(text(lengthy),
            "[save] " + lengthy + ": cannot be replaced: File name too long; shorten the name");
  EXPECT_TRUE(directory.names().empty());
}

TEST(AtomicSave, KeepsLinksAndPermissions) {
  const TemporaryDirectory directory;
  save(directory / "run1.npy", Tensor{1});
  ASSERT_EQ(::chmod((directory / "run1.npy").c_str(), 0640), 0);
  ASSERT_EQ(::symlink("run1.npy", (directory / "latest.npy").c_str()), 0);
  save(directory / "latest.npy", Tensor{2});
  EXPECT_TRUE(std::filesystem::is_symlink(directory / "latest.npy"));
  EXPECT_EQ(load(directory / "run1.npy").item(), 2.0);
  struct stat status {};
  ASSERT_EQ(::stat((directory / "run1.npy").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0640u);
}

/// The name of a temporary that was seen in a child which saved to directory/a.npy and was then killed.
std::string left_behind(const TemporaryDirectory& directory) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Tensor large = Tensor::ones(Shape{1 << 24});
    for (;;) save(directory / "a.npy", large);
  }
  std::string temporary;
  while (temporary.empty())
    for (const std::string& name : directory.names())
      if (name.starts_with(".cotangent-")) temporary = name;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return temporary;
}

TEST(AtomicSave, TheNextSaveToAPathRemovesWhatKilledOnesLeft) {
  const TemporaryDirectory directory;
  std::string temporary;
  while (temporary.empty() || !std::filesystem::exists(directory / temporary))  // killed before the rename
    temporary = left_behind(directory);
  // Whatever their number, up to eight; and a name that another target has is left alone.
  const std::string front = temporary.substr(0, temporary.rfind('-') + 1);
  for (const char* number : {"1", "3", "7"})
    write_bytes(directory / (front + number + ".tmp"), "left behind");
  save(directory / "b.npy", Tensor{1});
  EXPECT_TRUE(std::filesystem::exists(directory / temporary));
  save(directory / "a.npy", Tensor{1, 2});
  EXPECT_TRUE(equal(load(directory / "a.npy"), (Tensor{1, 2})));
  EXPECT_EQ(directory.names().size(), 2u);
}

TEST(AtomicSave, ALiveSavesTemporaryIsNotRemoved) {
  const TemporaryDirectory directory;
  save(directory / "a.npy", Tensor{1});
  // What a live save holds is known by its lock, whoever it is.
  std::string temporary;
  while (temporary.empty() || !std::filesystem::exists(directory / temporary))
    temporary = left_behind(directory);
  const int live = ::open((directory / temporary).c_str(), O_WRONLY);
  ASSERT_EQ(::flock(live, LOCK_EX | LOCK_NB), 0);
  save(directory / "a.npy", Tensor{2});
  EXPECT_TRUE(std::filesystem::exists(directory / temporary));
  EXPECT_EQ(load(directory / "a.npy").item(), 2.0);
  ::close(live);
  save(directory / "a.npy", Tensor{3});
  EXPECT_EQ(directory.names(), std::vector<std::string>{"a.npy"});
}

TEST(AtomicSave, ManyAtOnceToOnePathAllSucceed) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npy";
  constexpr int kProcesses = 4, kThreads = 3, kSaves = 60;
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    std::vector<std::thread> threads;
    std::atomic<int> errors = 0;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        for (int k = 0; k < kSaves; ++k) try {
            save(path, Tensor::full(Shape{100 + t}, t));
          } catch (const std::exception&) {
            ++errors;
          }
      });
    for (std::thread& thread : threads) thread.join();
    ::_exit(errors == 0 ? 0 : 1);
  }
  // Others are killed meanwhile, so that there is something to remove.
  for (int k = 0; k < 20; ++k) {
    const pid_t child = ::fork();
    if (child == 0)
      for (;;) save(path, Tensor::full(Shape{100}, 0.0));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  const Tensor last = load(path);
  EXPECT_EQ(last.size(), 100 + static_cast<Index>(last(0)));
  save(path, Tensor{1});
  EXPECT_EQ(directory.names(), std::vector<std::string>{"a.npy"});
}

TEST(AtomicSave, ADanglingLinkStaysAndItsTargetIsMade) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(std::filesystem::create_directory(directory / "runs"));
  ASSERT_EQ(::symlink("runs/1.npy", (directory / "latest.npy").c_str()), 0);
  ASSERT_EQ(::symlink((directory / "latest.npy").c_str(), (directory / "again.npy").c_str()), 0);
  save(directory / "again.npy", Tensor{2});
  EXPECT_TRUE(std::filesystem::is_symlink(directory / "again.npy"));
  EXPECT_TRUE(std::filesystem::is_symlink(directory / "latest.npy"));
  EXPECT_FALSE(std::filesystem::is_symlink(directory / "runs/1.npy"));
  EXPECT_EQ(load(directory / "runs/1.npy").item(), 2.0);

  const auto text = [&](const std::string& path) {
    return error_of<DomainError>([&] { save(path, Tensor{1}); });
  };
  ASSERT_EQ(::symlink("none/1.npy", (directory / "lost.npy").c_str()), 0);
  EXPECT_EQ(text(directory / "lost.npy"),
            "[save] " + (directory / "lost.npy") + ": cannot create a file in " + (directory / "none") +
                ": No such file or directory; make the directory or check its permissions");
  ASSERT_EQ(::symlink("round.npy", (directory / "round.npy").c_str()), 0);
  EXPECT_EQ(text(directory / "round.npy"),
            "[save] " + (directory / "round.npy") +
                ": leads through more than 40 symbolic links; remove the links that form a circle");
}

TEST(AtomicSave, AReadOnlyFileStays) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npy";
  save(path, Tensor{1});
  ASSERT_EQ(::symlink("a.npy", (directory / "link.npy").c_str()), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  for (const std::string& name : {path, directory / "link.npy"})
    EXPECT_EQ(error_of<DomainError>([&] { save(name, Tensor{2}); }),
              "[save] " + name + ": is read-only; allow writing (chmod u+w), or save under another name");
  EXPECT_EQ(load(path).item(), 1.0);
  EXPECT_EQ(directory.names().size(), 2u);
  ASSERT_EQ(::chmod(path.c_str(), 0200), 0);
  save(path, Tensor{2});
}

TEST(AtomicSave, SomebodyElsesFileIsReadOnly) {
  if (::getuid() != 0) GTEST_SKIP() << "only the superuser becomes somebody else";
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npy";
  save(path, Tensor{1});
  ASSERT_EQ(::chmod(directory.path().c_str(), 0777), 0);
  EXPECT_EQ(in_child([&] {
              if (::setuid(65534) != 0) return 2;
              const std::string text = error_of<DomainError>([&] { save(path, Tensor{2}); });
              return text.find(": is read-only; ") != std::string::npos ? 0 : 1;
            }),
            0);
  EXPECT_EQ(load(path).item(), 1.0);
}

TEST(AtomicSave, AMountPointCannotBeReplaced) {
  const TemporaryDirectory directory;
  constexpr int kCannotMount = 9;
  const int result = in_child([&] {
    const std::string path = directory / "a.npy";
    save(path, Tensor{1});
    save(directory / "b.npy", Tensor{2});
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount((directory / "b.npy").c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0)
      return kCannotMount;
    const std::string expected = "[save] " + path +
                                 ": cannot be replaced: Device or resource busy: it is a mount point, and no "
                                 "rename replaces one; save under another name, or mount the directory "
                                 "instead of the file";
    if (error_of<DomainError>([&] { save(path, Tensor{3}); }) != expected) return 1;
    return load(path).item() == 2.0 && directory.names().size() == 2 ? 0 : 2;
  });
  if (result == kCannotMount) GTEST_SKIP() << "nothing can be mounted here (it takes root)";
  EXPECT_EQ(result, 0);
}

TEST(AtomicSave, WorksForPathsWithoutADirectory) {
  const TemporaryDirectory directory;
  EXPECT_EQ(in_child([&] {
              if (::chdir(directory.path().c_str()) != 0) return 1;
              save("a.npy", Tensor{1, 2});
              return equal(load("a.npy"), (Tensor{1, 2})) ? 0 : 2;
            }),
            0);
  EXPECT_EQ(directory.names(), std::vector<std::string>{"a.npy"});
}

}  // namespace
}  // namespace cotangent
