// Temporary files under locks: no process removes what another one is writing.
#include "autodiff/files/temporary.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace cotangent::detail {
namespace {

/// So many names are looked at for what others have left, however early a free one is found.
constexpr int kLookedAt = 8;

/// FNV-1a: names of temporaries must be short, whatever the target's name is, and the same in every process.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return value;
}

/// Removes a file that nobody has locked.
void remove_if_left(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;
  // Under its lock nobody else removes a file: if the path is still this one's, it stays so until unlink.
  struct stat locked {
  }, named{};
  if (::fstat(file.get(), &locked) == 0 && ::lstat(path.c_str(), &named) == 0 &&
      locked.st_dev == named.st_dev && locked.st_ino == named.st_ino)
    ::unlink(path.c_str());
}

/// A new file under a lock of its own, or -1 and errno, which is EEXIST where another name is to be tried.
int create_locked(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) return -1;
  struct stat status {};
  // Between the two calls another save may have taken it for left behind, and be removing it.
  if ((::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
      ::fstat(file.get(), &status) != 0 || status.st_nlink == 0) {
    errno = EEXIST;
    return -1;
  }
  return file.release();
}

}  // namespace

int Descriptor::close() {
  const int number = release();
  return number < 0 || ::close(number) == 0 ? 0 : errno;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Temporary::Temporary(const std::string& target) : target_(target) {
  const std::uint64_t name = hash(std::string_view(target).substr(target.rfind('/') + 1));
  for (int k = 0; k < kLookedAt || path_.empty(); ++k) {
    const std::string path = fmt::format("{}/.cotangent-{:016x}-{}.tmp", directory_of(target), name, k);
    remove_if_left(path);
    if (!path_.empty()) continue;
    const int number = create_locked(path);
    if (number < 0 && errno == EEXIST) continue;
    if (number < 0) {
      error_ = errno;
      return;
    }
    path_ = path;
    file_.reset(number);
    lock_.reset(::fcntl(number, F_DUPFD_CLOEXEC, 0));
  }
}

Temporary::~Temporary() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

int Temporary::rename_to_target() {
  if (::rename(path_.c_str(), target_.c_str()) != 0) return errno;
  path_.clear();
  return 0;
}

}  // namespace cotangent::detail
