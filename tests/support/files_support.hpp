// For tests of readers and writers: temporary directories, whole files, and Python with NumPy as an
// independent judge.
#pragma once
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace cotangent::test {

/// The text of the Error that f throws.
template <class Error, class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing thrown";
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cotangent-test-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory can be made");
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// Names of the files within.
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      list.push_back(entry.path().filename().string());
    return list;
  }

 private:
  std::string path_;
};

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) ADD_FAILURE() << path << " cannot be read";
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, std::string_view bytes) {
  std::filesystem::remove(path);  // ext4 waits for the disk when a file is cut to nothing and written again
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) ADD_FAILURE() << path << " cannot be written";
}

/// Runs f in a child process that exits with its result, and returns that, or -1 if a signal ended the child.
template <class F>
int in_child(F f) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(f());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// How many MiB of memory f takes at its peak, in a child process; 250 stands for more, -1 for a child that
/// something ended.
template <class F>
int peak_mebibytes(F f) {
  return in_child([&] {
    const auto peak = [] {
      rusage usage{};
      ::getrusage(RUSAGE_SELF, &usage);
      return usage.ru_maxrss / 1024;
    };
    const long before = peak();
    f();
    return static_cast<int>(std::min(250L, peak() - before));
  });
}

struct Finished {
  int status;          // exit status, or -1 for a signal
  std::string output;  // standard output and standard error
};

/// Runs /usr/bin/python3 -c code arguments..., without a shell.
Finished run_python(const std::string& code, const std::vector<std::string>& arguments = {});

bool has_numpy();

/// In a test: leaves it, saying why, where NumPy is not installed.
#define COTANGENT_NEEDS_NUMPY() \
  if (!::cotangent::test::has_numpy()) GTEST_SKIP() << "/usr/bin/python3 with numpy is not installed"

}  // namespace cotangent::test
