// NumPy's .npy format, in which arrays stand in files of their own or as members of an .npz.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/shape.hpp"
#include "autodiff/tensor.hpp"

namespace cotangent::detail {

/// A sound array of what this library has no type for; others in the same file can still be read.
class NotReadable : public DomainError {
 public:
  using DomainError::DomainError;
};

/// The bytes of one .npy, and what errors call it.
struct NpySource {
  const char* operation;
  std::string where;  // the path, and the member where there is one
  std::span<const std::byte> bytes;

  /// Throws: DomainError "[operation] where: what; fix".
  [[noreturn]] void fail(const std::string& what, const std::string& fix) const;
  /// Throws: NotReadable, in the same words.
  [[noreturn]] void refuse(const std::string& what, const std::string& fix) const;
};

enum class NpyKind { kFloat, kSigned, kUnsigned, kBool, kText };

/// What a header says, checked against the number of bytes that follow it.
struct NpyHeader {
  NpyKind kind = NpyKind::kFloat;
  std::uint64_t item_bytes = 0;
  bool big_endian = false;
  bool fortran_order = false;
  Shape shape;
  std::string descr;
  std::size_t data_offset = 0;
};

/// Throws: DomainError for anything but an .npy whose header fits its bytes exactly; NotReadable for one that
/// holds neither numbers nor text.
NpyHeader parse_npy_header(const NpySource& source);

/// The numbers as doubles in row-major order. Throws: NotReadable for whole numbers that no double equals.
Tensor npy_numbers(const NpySource& source, const NpyHeader& header);
/// The strings of a one-dimensional array of text, in UTF-8. Throws: NotReadable if it has more axes.
std::vector<std::string> npy_labels(const NpySource& source, const NpyHeader& header);

/// The beginning of a version 1.0 file whose data follow in row-major order and this machine's byte order;
/// `type` is "f8", "U5".
std::string npy_header_text(std::string_view type, const Shape& shape);
/// A whole file of text. Throws: DomainError for labels that are not UTF-8 or hold a NUL.
std::string npy_labels_text(const char* operation, const std::string& where,
                            std::span<const std::string> labels);

/// Whether `text` is well-formed UTF-8; if so, appends its code points where `points` is given.
bool decode_utf8(std::string_view text, std::vector<std::uint32_t>* points = nullptr);

}  // namespace cotangent::detail
