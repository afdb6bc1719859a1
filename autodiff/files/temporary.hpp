// What a save writes before it takes another file's place, and what killed saves have left of theirs.
#pragma once
#include <string>
#include <utility>

namespace cotangent::detail {

/// A file descriptor, which is closed at the end; negative where there is none.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  void reset(int number) {
    close();
    number_ = number;
  }
  /// 0 or the error number.
  int close();

 private:
  int number_;
};

/// The part of a path before its last slash.
std::string directory_of(const std::string& path);

/// A new file beside `target`, to be written and renamed to it; else it is unlinked at the end.
///
/// Whoever writes one holds a lock on it, which the kernel ends with the process, however that ends: one that
/// can be locked is nobody's, and the next save to the same target removes it. Where the file system has no
/// locks, nothing is removed.
class Temporary {
 public:
  explicit Temporary(const std::string& target);
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary();

  /// Why it could not be made; 0 if it was.
  int error() const { return error_; }
  Descriptor& file() { return file_; }
  /// 0 or the error number.
  int rename_to_target();

 private:
  std::string target_;
  std::string path_;  // empty where nothing is to be unlinked
  int error_ = 0;
  Descriptor lock_{-1};  // keeps the lock beyond the closing of file_
  Descriptor file_{-1};
};

}  // namespace cotangent::detail
