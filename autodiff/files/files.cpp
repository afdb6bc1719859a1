// Reading and atomically replacing whole files, by POSIX calls.
#include "autodiff/files/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <system_error>
#include <utility>

#include "autodiff/error.hpp"

namespace cotangent::detail {
namespace {

[[noreturn]] void fail(const char* operation, const std::string& path, const std::string& what,
                       const char* fix) {
  throw DomainError(fmt::format("[{}] {}: {}; {}", operation, path, what, fix));
}

std::string reason(int error) { return std::generic_category().message(error); }

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

/// While it lives, a write beyond the process's size limit fails with EFBIG instead of killing the process:
/// the signal stays blocked in this thread only and is taken back before it is let through again.
class SizeLimitAsError {
 public:
  SizeLimitAsError() {
    ::sigemptyset(&signal_);
    ::sigaddset(&signal_, SIGXFSZ);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGXFSZ) == 1;
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  SizeLimitAsError(const SizeLimitAsError&) = delete;
  SizeLimitAsError& operator=(const SizeLimitAsError&) = delete;
  ~SizeLimitAsError() {
    const timespec now{};
    if (!was_pending_)
      while (::sigtimedwait(&signal_, nullptr, &now) < 0 && errno == EINTR) continue;
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t signal_{}, before_{};
  bool was_pending_ = false;
};

/// Unlinks a file unless `keep` was called.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Where `path` leads if it is an existing link, so that the link itself is not replaced.
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

/// 0 or the error number.
int write_all(int file, std::span<const std::byte> bytes) {
  constexpr std::size_t kMost = std::size_t{1} << 30;  // Linux writes at most 2 GiB a call
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), std::min(bytes.size(), kMost));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

FileBytes read_file(const char* operation, const std::string& path) {
  // O_NONBLOCK: a named pipe without a writer must be refused below, not waited for.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0)
    fail(operation, path, "cannot be opened: " + reason(errno), "check the name and the permissions");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(operation, path, reason(errno), "check the file system");
  if (!S_ISREG(status.st_mode)) fail(operation, path, "is not a regular file", "give the name of a file");
  const std::size_t size = static_cast<std::size_t>(status.st_size);
  std::unique_ptr<std::byte[]> bytes;
  try {
    bytes = std::make_unique_for_overwrite<std::byte[]>(size);
  } catch (const std::bad_alloc&) {
    fail(operation, path, fmt::format("its {} bytes do not fit into memory", size), "use a smaller file");
  }
  for (std::size_t got = 0; got < size;) {
    const ssize_t n = ::read(file.get(), bytes.get() + got, size - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(operation, path, "cannot be read: " + reason(errno), "check the disk");
    if (n == 0) fail(operation, path, "became shorter while it was read", "load it when nobody writes to it");
    got += static_cast<std::size_t>(n);
  }
  return FileBytes(std::move(bytes), size);
}

void atomic_write(const char* operation, const std::string& path,
                  std::span<const std::span<const std::byte>> pieces) {
  const std::string target = resolved(path);
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode))
    fail(operation, path, "is not a regular file", "give the name of a file");

  const std::string directory = directory_of(target);
  std::string name;
  int number = -1;
  for (int attempt = 0; number < 0; ++attempt) {
    name = fmt::format("{}/.cotangent-{}-{}.tmp", directory, ::getpid(), attempt);
    number = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (number < 0 && errno != EEXIST)
      fail(operation, path, fmt::format("cannot create a file in {}: {}", directory, reason(errno)),
           "make the directory or check its permissions");
  }
  Temporary temporary(name);
  Descriptor file(number);
  if (exists) ::fchmod(file.get(), old.st_mode & 0777);

  int error = 0;
  {
    const SizeLimitAsError guard;
    for (std::size_t k = 0; k < pieces.size() && !error; ++k) error = write_all(file.get(), pieces[k]);
  }
  if (!error && ::fsync(file.get()) != 0) error = errno;
  if (!file.close() && !error) error = errno;
  if (error)
    fail(operation, path,
         fmt::format("cannot be written: {}; the old file, if any, is untouched", reason(error)),
         "free some space or save elsewhere");
  if (::rename(temporary.path().c_str(), target.c_str()) != 0)
    fail(operation, path, fmt::format("cannot be replaced: {}", reason(errno)),
         "check the name and the permissions");
  temporary.keep();

  // Makes the rename itself durable; some file systems cannot synchronise a directory and say EINVAL.
  const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0 && ::fsync(folder.get()) != 0 && errno != EINVAL)
    fail(operation, path,
         fmt::format("is written, but its directory cannot be synchronised: {}", reason(errno)),
         "check the disk");
}

}  // namespace cotangent::detail
