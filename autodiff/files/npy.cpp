// Tensors from the bytes of .npy files, and save and load of one.
#include <fmt/format.h>

#include <bit>
#include <new>
#include <type_traits>

#include "autodiff/files/files.hpp"
#include "autodiff/files/npy_format.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace detail {
namespace {

/// Whether a whole number has at most 53 significant bits.
template <class T>
bool fits(T value) {
  if constexpr (std::is_floating_point_v<T> || sizeof(T) < 8) {
    return true;
  } else {
    const std::uint64_t bits = static_cast<std::uint64_t>(value);
    const std::uint64_t size = value < 0 ? 0 - bits : bits;
    return size == 0 || (size >> std::countr_zero(size)) < std::uint64_t{1} << 53;
  }
}

/// Positions in Fortran order of the elements visited in row-major order.
class FortranOrder {
 public:
  explicit FortranOrder(const Shape& shape) : shape_(shape) {
    Index stride = 1;
    for (int axis = 0; axis < shape.rank(); stride *= shape[axis++]) strides_[axis] = stride;
  }
  Index position() const { return position_; }
  void advance() {
    for (int axis = shape_.rank() - 1; axis >= 0; --axis) {
      position_ += strides_[axis];
      if (++index_[axis] < shape_[axis]) return;
      position_ -= index_[axis] * strides_[axis];
      index_[axis] = 0;
    }
  }

 private:
  Shape shape_;
  Index strides_[kMaxRank] = {}, index_[kMaxRank] = {};
  Index position_ = 0;
};

template <class T>
void decode(const NpySource& source, const NpyHeader& header, double* out) {
  const std::byte* in = source.bytes.data() + header.data_offset;
  FortranOrder order(header.shape);
  for (Index i = 0; i < header.shape.size(); ++i) {
    const Index position = header.fortran_order ? order.position() : i;
    const T value = number_at<T>(in + position * static_cast<Index>(sizeof(T)), header.big_endian);
    if (!fits(value))
      source.refuse(fmt::format("holds {}, which no double equals", value),
                    "split it into two arrays, or round it with .astype('float64'), before saving it");
    out[i] = static_cast<double>(value);
    if (header.fortran_order) order.advance();
  }
}

void decode_bool(const NpySource& source, const NpyHeader& header, double* out) {
  decode<std::uint8_t>(source, header, out);
  for (Index i = 0; i < header.shape.size(); ++i)
    if (out[i] > 1.0)
      source.fail(fmt::format("holds the byte {} as a truth value", out[i]),
                  "the file is truncated or damaged, copy it again");
}

using Decoder = void (*)(const NpySource&, const NpyHeader&, double*);

Decoder decoder(const NpyHeader& header) {
  const std::uint64_t size = header.item_bytes;
  switch (header.kind) {
    case NpyKind::kFloat:
      return size == 4 ? decode<float> : decode<double>;
    case NpyKind::kSigned:
      return size == 1   ? decode<std::int8_t>
             : size == 2 ? decode<std::int16_t>
             : size == 4 ? decode<std::int32_t>
                         : decode<std::int64_t>;
    case NpyKind::kUnsigned:
      return size == 1   ? decode<std::uint8_t>
             : size == 2 ? decode<std::uint16_t>
             : size == 4 ? decode<std::uint32_t>
                         : decode<std::uint64_t>;
    case NpyKind::kBool:
      return decode_bool;
    case NpyKind::kText:
      break;
  }
  return nullptr;
}

}  // namespace

Tensor npy_numbers(const NpySource& source, const NpyHeader& header) {
  const Decoder decode_all = decoder(header);
  if (!decode_all) source.refuse("holds text, not numbers", "read text members of an .npz by load_npz");
  Tensor result;
  try {
    result = uninitialized(header.shape);
  } catch (const std::bad_alloc&) {
    source.fail(fmt::format("its numbers, shape {}, do not fit into memory", header.shape.to_string()),
                "save a smaller part");
  }
  decode_all(source, header, mutable_data(result));
  return result;
}

}  // namespace detail

void save(const std::string& path, const Tensor& tensor) {
  const std::string header = detail::npy_header_text("f8", tensor.shape());
  const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(header)),
                                               std::as_bytes(tensor.data())};
  detail::atomic_write("save", path, pieces);
}

Tensor load(const std::string& path) {
  const detail::FileBytes file = detail::read_file("load", path);
  const detail::NpySource source{"load", path, file.span()};
  return detail::npy_numbers(source, detail::parse_npy_header(source));
}

}  // namespace cotangent
