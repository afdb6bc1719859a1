// Reading and atomically replacing whole files, by POSIX calls.
#include "autodiff/files/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <ctime>
#include <new>
#include <string_view>
#include <system_error>

#include "autodiff/error.hpp"
#include "autodiff/files/temporary.hpp"

namespace cotangent::detail {
namespace {

[[noreturn]] void fail(const char* operation, const std::string& path, const std::string& what,
                       const char* fix) {
  throw DomainError(fmt::format("[{}] {}: {}; {}", operation, path, what, fix));
}

std::string reason(int error) { return std::generic_category().message(error); }

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

/// Where `path` leads, so that a link itself is not replaced; the file there need not exist.
std::string followed(const char* operation, const std::string& path) {
  constexpr int kMostLinks = 40;  // as many as the kernel follows
  std::string target = path;
  for (int k = 0; k < kMostLinks; ++k) {
    std::array<char, PATH_MAX> text;
    const ssize_t length = ::readlink(target.c_str(), text.data(), text.size());
    if (length < 0) return target;  // no link
    const std::string_view next(text.data(), static_cast<std::size_t>(length));
    target = next.starts_with('/') ? std::string(next) : fmt::format("{}/{}", directory_of(target), next);
  }
  fail(operation, path, "leads through more than 40 symbolic links", "remove the links that form a circle");
}

/// What to do where a save meets an error for which it does not matter in which of its steps.
const char* fix_for(int error, const char* otherwise) {
  switch (error) {
    case EBUSY:
      return "save under another name, or mount the directory instead of the file";
    case EXDEV:
      return "save in another directory";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space or save elsewhere";
    case EROFS:
      return "save elsewhere, or have the file system mounted for writing";
    case ENAMETOOLONG:
      return "shorten the name";
    case EACCES:
    case EPERM:
      return "check the permissions of its directory";
    default:
      return otherwise;
  }
}

/// Why a rename fails, in words where the system's own do not say it.
std::string why_not_replaced(int error) {
  switch (error) {
    case EBUSY:
      return reason(error) + ": it is a mount point, and no rename replaces one";
    case EXDEV:
      return reason(error) + ": the file is mounted from another one than its directory";
    case EACCES:
    case EPERM:
      return reason(error) + ": its directory lets nobody, or only its owner, replace it";
    default:
      return reason(error);
  }
}

/// 0, or why an existing file may not be written: a rename would not ask for that. That none may write it
/// counts for the superuser, too.
int write_error(const std::string& target, const struct stat& status) {
  if ((status.st_mode & 0222) == 0) return EACCES;
  return ::faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) == 0 ? 0 : errno;
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

FileBytes read_file(const char* operation, const std::string& path, std::size_t most) {
  // O_NONBLOCK: a named pipe without a writer must be refused below, not waited for.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0)
    fail(operation, path, "cannot be opened: " + reason(errno), "check the name and the permissions");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(operation, path, reason(errno), "check the file system");
  if (!S_ISREG(status.st_mode)) fail(operation, path, "is not a regular file", "give the name of a file");
  const std::size_t size = std::min(static_cast<std::size_t>(status.st_size), most);
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
  const std::string target = followed(operation, path);
  const std::string directory = directory_of(target);
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode))
    fail(operation, path, "is not a regular file", "give the name of a file");
  if (const int error = exists ? write_error(target, old) : 0; error == EACCES || error == EPERM)
    fail(operation, path, "is read-only", "allow writing (chmod u+w), or save under another name");
  else if (error)
    fail(operation, path, "cannot be written: " + reason(error), fix_for(error, "check the name"));

  Temporary temporary(target);
  if (const int error = temporary.error())
    fail(operation, path, fmt::format("cannot create a file in {}: {}", directory, reason(error)),
         fix_for(error, "make the directory or check its permissions"));
  Descriptor& file = temporary.file();
  if (exists) ::fchmod(file.get(), old.st_mode & 0777);

  int error = 0;
  {
    const SizeLimitAsError guard;
    for (std::size_t k = 0; k < pieces.size() && !error; ++k) error = write_all(file.get(), pieces[k]);
  }
  if (!error && ::fsync(file.get()) != 0) error = errno;
  if (const int closing = file.close(); !error) error = closing;
  if (error)
    fail(operation, path,
         fmt::format("cannot be written: {}; the old file, if any, is untouched", reason(error)),
         fix_for(error, "check the disk, or save elsewhere"));
  if (const int renaming = temporary.rename_to_target())
    fail(operation, path, "cannot be replaced: " + why_not_replaced(renaming),
         fix_for(renaming, "check the name and the permissions"));

  // Makes the rename itself durable; some file systems cannot synchronise a directory and say EINVAL.
  const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0 && ::fsync(folder.get()) != 0 && errno != EINVAL)
    fail(operation, path,
         fmt::format("is written, but its directory cannot be synchronised: {}", reason(errno)),
         "check the disk");
}

}  // namespace cotangent::detail
