// Whole files, which are read at once and replaced at once, as every reader and writer of the library does.
// Other rooms include this header too.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace cotangent::detail {

/// The bytes of a file, which are not zeroed before they are read.
class FileBytes {
 public:
  FileBytes(std::unique_ptr<std::byte[]> bytes, std::size_t size) : bytes_(std::move(bytes)), size_(size) {}
  std::span<const std::byte> span() const noexcept { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
};

/// All of a regular file, or its first `most` bytes; a named pipe or a device is refused, never waited for.
/// Throws: DomainError "[operation] path: what; fix".
FileBytes read_file(const char* operation, const std::string& path, std::size_t most = SIZE_MAX);

/// Replaces `path` by `pieces`, one after the other, in one step, or leaves what was there: they go to a
/// temporary file in the same directory, which is synchronised with the disk and then renamed. A symbolic
/// link stays and its target is replaced, or made if it is missing; permissions are kept, and a file that is
/// read-only stays. A size limit of the process (RLIMIT_FSIZE) is an error like a full disk, not a signal.
/// What a killed save to the same path has left behind is removed.
///
/// Throws: DomainError "[operation] path: what; fix"; the temporary file is then gone.
void atomic_write(const char* operation, const std::string& path,
                  std::span<const std::span<const std::byte>> pieces);

/// The number stored at an address that need not be aligned.
template <class T>
T number_at(const std::byte* address, bool big_endian) {
  std::array<std::byte, sizeof(T)> bytes;
  std::memcpy(bytes.data(), address, sizeof(T));
  if (big_endian != (std::endian::native == std::endian::big)) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

}  // namespace cotangent::detail
