// The system calls of a save, in order, and what becomes of the files where one of them fails. This program
// is alone, because it puts functions in the C library's place.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/npz.hpp"
#include "autodiff/tensor.hpp"
#include "tests/support/files_support.hpp"

namespace {

/// What the test sees of calls, and how it makes them fail.
struct Calls {
  bool watching = false;
  std::vector<std::string> seen;   // "write file", "sync folder"; a repeated write once
  std::string failing;             // the call that fails, as it is seen
  int error = 0;                   // with this number; 0: none fails
  std::size_t at_most = SIZE_MAX;  // bytes that one write takes
  int interrupted = 0;             // writes that are interrupted before they take any
  std::size_t room = SIZE_MAX;     // bytes until the disk is full

  /// Whether a call on this descriptor, which is a file or a folder, is to fail; errno is then set.
  bool fails(const char* call, int descriptor) {
    struct stat status {};
    if (!watching || ::fstat(descriptor, &status) != 0) return false;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return false;
    return fails(std::string(call) + (S_ISREG(status.st_mode) ? " file" : " folder"));
  }
  bool fails(const std::string& call) {
    if (!watching) return false;
    if (seen.empty() || seen.back() != call) seen.push_back(call);
    if (!error || call != failing) return false;
    errno = error;
    return true;
  }
};
Calls calls;

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {
ssize_t write(int descriptor, const void* bytes, std::size_t count) {
  static const auto real = next<ssize_t(int, const void*, std::size_t)>("write");
  if (calls.fails("write", descriptor)) return -1;
  struct stat status {};
  if (!calls.watching || ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return real(descriptor, bytes, count);
  if (calls.interrupted > 0) {
    --calls.interrupted;
    errno = EINTR;
    return -1;
  }
  if (calls.room == 0) {
    errno = ENOSPC;
    return -1;
  }
  count = std::min({count, calls.at_most, calls.room});
  if (calls.room != SIZE_MAX) calls.room -= count;
  return real(descriptor, bytes, count);
}
int fsync(int descriptor) {
  static const auto real = next<int(int)>("fsync");
  return calls.fails("sync", descriptor) ? -1 : real(descriptor);
}
int close(int descriptor) {
  static const auto real = next<int(int)>("close");
  const bool failed = calls.fails("close", descriptor);
  const int error = errno, result = real(descriptor);  // Linux closes what it says it could not
  if (failed) errno = error;
  return failed ? -1 : result;
}
int rename(const char* from, const char* to) noexcept {
  static const auto real = next<int(const char*, const char*)>("rename");
  return calls.fails("rename") ? -1 : real(from, to);
}
}

namespace cotangent {
namespace {

using test::error_of;
using Names = std::vector<std::string>;

class Saving : public testing::Test {
 protected:
  void SetUp() override {
    calls = {};
    save(path_, Tensor{1, 2, 3});
    calls.watching = true;
  }
  void TearDown() override { calls = {}; }

  /// The error's text behind the path, when `call` fails with `error`.
  std::string error(const std::string& call, int error) {
    calls.failing = call;
    calls.error = error;
    return refused();
  }
  std::string refused() {
    const std::string text = error_of<DomainError>([&] { save(path_, Tensor{4, 5, 6, 7}); });
    calls = {};
    const std::string front = "[save] " + path_ + ": ";
    return text.starts_with(front) ? text.substr(front.size()) : text;
  }
  /// The old file is there, whole, and nothing else.
  void expect_untouched() {
    EXPECT_EQ(directory_.names(), Names{"a.npy"});
    EXPECT_TRUE(equal(load(path_), (Tensor{1, 2, 3})));
  }

  test::TemporaryDirectory directory_;
  std::string path_ = directory_ / "a.npy";
};

TEST_F(Saving, IsOnTheDiskBeforeItTakesTheOldFilesPlace) {
  save(path_, Tensor{4, 5});
  calls.watching = false;
  const Names order = {"write file",  "sync file",    "close file", "rename",
                       "sync folder", "close folder", "close file"};  // the last one ends the lock
  EXPECT_EQ(calls.seen, order);
  EXPECT_TRUE(equal(load(path_), (Tensor{4, 5})));
}

TEST_F(Saving, OfAnNpzIsNoDifferent) {
  save_npz(directory_ / "a.npz", {.arrays = {{"x", Tensor{1}}}, .labels = {}});
  calls.watching = false;
  const auto at = [](const char* call) {
    return std::find(calls.seen.begin(), calls.seen.end(), call) - calls.seen.begin();
  };
  EXPECT_LT(at("write file"), at("sync file"));
  EXPECT_LT(at("sync file"), at("rename"));
  EXPECT_LT(at("rename"), at("sync folder"));
  EXPECT_LT(at("sync folder"), static_cast<long>(calls.seen.size()));
}

TEST_F(Saving, GoesOnAfterShortAndInterruptedWrites) {
  calls.at_most = 7;
  calls.interrupted = 3;
  save(path_, Tensor{4, 5, 6});
  calls = {};
  EXPECT_TRUE(equal(load(path_), (Tensor{4, 5, 6})));
}

TEST_F(Saving, LosesNothingOnAFullDisk) {
  const std::string untouched =
      "cannot be written: No space left on device; the old file, if any, is untouched; free some space or "
      "save "
      "elsewhere";
  for (const std::size_t room : {0u, 1u, 127u, 128u, 150u}) {
    calls.watching = true;
    calls.room = room;
    EXPECT_EQ(refused(), untouched) << room;
    expect_untouched();
  }
}

TEST_F(Saving, LosesNothingWhereTheErrorComesLate) {
  const std::string untouched = "; the old file, if any, is untouched; ";
  for (const char* call : {"sync file", "close file"}) {
    calls.watching = true;
    EXPECT_EQ(error(call, ENOSPC),
              "cannot be written: No space left on device" + untouched + "free some space or save elsewhere");
    expect_untouched();
    calls.watching = true;
    EXPECT_EQ(error(call, EIO),
              "cannot be written: Input/output error" + untouched + "check the disk, or save elsewhere");
    expect_untouched();
  }
}

TEST_F(Saving, SaysWhyAFileCannotBeReplaced) {
  struct Case {
    int error;
    const char* text;
  };
  for (const Case& c : {
           Case{EBUSY,
                "Device or resource busy: it is a mount point, and no rename replaces one; save under "
                "another name, or mount the directory instead of the file"},
           Case{EXDEV,
                "Invalid cross-device link: the file is mounted from another one than its directory; "
                "save in another directory"},
           Case{ENOSPC, "No space left on device; free some space or save elsewhere"},
           Case{EDQUOT, "Disk quota exceeded; free some space or save elsewhere"},
           Case{EROFS, "Read-only file system; save elsewhere, or have the file system mounted for writing"},
           Case{EACCES,
                "Permission denied: its directory lets nobody, or only its owner, replace it; check "
                "the permissions of its directory"},
           Case{EPERM,
                "Operation not permitted: its directory lets nobody, or only its owner, replace it; "
                "check the permissions of its directory"},
           Case{EIO, "Input/output error; check the name and the permissions"},
       }) {
    calls.watching = true;
    EXPECT_EQ(error("rename", c.error), std::string("cannot be replaced: ") + c.text);
    expect_untouched();
  }
}

TEST_F(Saving, IsDoneWhereOnlyTheFolderCannotBeSynchronised) {
  EXPECT_EQ(error("sync folder", EIO),
            "is written, but its directory cannot be synchronised: Input/output error; check the disk");
  EXPECT_EQ(load(path_).size(), 4);
  calls.watching = true;
  EXPECT_EQ(error("sync folder", EINVAL), "nothing thrown");  // a file system that has no such thing
}

}  // namespace
}  // namespace cotangent
