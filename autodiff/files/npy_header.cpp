// The header of an .npy file: a strict parser of the few Python literals NumPy writes there, and the writer.
#include <fmt/format.h>

#include <bit>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/files/npy_format.hpp"

namespace cotangent::detail {
namespace {

constexpr char kSaveAgain[] = "save it again with numpy.save or cotangent::save";
constexpr char kCopyAgain[] = "the file is truncated or damaged, copy it again";
constexpr std::string_view kMagic = "\x93NUMPY";

/// {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } with the keys in any order, each exactly once.
class HeaderParser {
 public:
  HeaderParser(const NpySource& source, std::string_view text) : source_(source), text_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    bool has_descr = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !has_descr) {
        has_descr = true;
        if (peek() == '[')
          source_.refuse("holds records (a structured dtype)", "save one plain array a field");
        header.descr = string();
      } else if (key == "fortran_order" && !has_order) {
        has_order = true;
        header.fortran_order = boolean();
      } else if (key == "shape" && !has_shape) {
        has_shape = true;
        header.shape = shape();
      } else {
        malformed(fmt::format("the key '{}' is unknown or repeated", key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) malformed("something follows the closing brace");
    if (!has_descr || !has_order || !has_shape) malformed("one of descr, fortran_order and shape is missing");
    return header;
  }

 private:
  [[noreturn]] void malformed(const std::string& what) const {
    source_.fail(fmt::format("its header is malformed near character {}: {}", position_, what), kSaveAgain);
  }
  void skip_space() {
    while (position_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos)
      ++position_;
  }
  char peek() {
    skip_space();
    return position_ < text_.size() ? text_[position_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c || position_ == text_.size()) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) malformed(fmt::format("'{}' is missing", c));
  }
  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') malformed("a quoted text is missing");
    const std::size_t first = ++position_;
    for (; position_ < text_.size() && text_[position_] != quote; ++position_)
      if (text_[position_] < ' ' || text_[position_] > '~' || text_[position_] == '\\')
        malformed("an unusual character within quotes");
    if (position_ == text_.size()) malformed("a quote is not closed");
    return std::string(text_.substr(first, position_++ - first));
  }
  bool boolean() {
    skip_space();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!text_.substr(position_).starts_with(word)) continue;
      position_ += word.size();
      return value;
    }
    malformed("True or False is missing");
  }
  Shape shape() {
    Index sizes[kMaxRank];
    std::size_t rank = 0;
    bool comma = false;
    expect('(');
    while (!accept(')')) {
      if (rank > 0 && !comma) malformed("',' is missing");
      if (rank == kMaxRank) source_.refuse("has more than 8 axes", "reshape the array to at most 8 axes");
      sizes[rank++] = number();
      comma = accept(',');
    }
    if (rank == 1 && !comma) malformed("a shape of one axis needs a comma, as in (3,)");
    try {
      return Shape(std::span<const Index>(sizes, rank));
    } catch (const ShapeError&) {
      source_.fail("the sizes in its header multiply to more than 2^48", kCopyAgain);
    }
  }
  Index number() {
    skip_space();
    const std::size_t first = position_;
    Index value = 0;
    for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9'; ++position_) {
      value = 10 * value + (text_[position_] - '0');
      if (value > std::numeric_limits<std::uint32_t>::max())
        source_.fail("an axis in its header is longer than 2^32 - 1", kCopyAgain);
    }
    if (position_ == first) malformed("a size is missing");
    if (position_ < text_.size() && text_[position_] == 'L') ++position_;  // as Python 2 wrote long ones
    return value;
  }

  const NpySource& source_;
  std::string_view text_;
  std::size_t position_ = 0;
};

/// What to do with an array of a type that is not read, without losing what is in it.
const char* way_out(const std::string& descr) {
  switch (descr.size() > 1 ? descr[1] : '\0') {
    case 'c':
      return "save its .real and its .imag as two arrays";
    case 'S':
      return "save text with .astype('U'), one-dimensional, in an .npz";
    case 'M':
    case 'm':
      return "save the time since a first one, (t - t[0]) / numpy.timedelta64(1, 's')";
    default:
      return "convert the array with .astype('float64') before saving it";
  }
}

/// Reads descr: byte order, kind, size in bytes (in characters for text).
void interpret_type(const NpySource& source, NpyHeader& header) {
  const std::string& descr = header.descr;
  const auto refuse = [&]() {
    if (descr.find('O') != std::string::npos)
      source.refuse(fmt::format("holds Python objects (dtype '{}')", descr), way_out(descr));
    source.refuse(
        fmt::format("holds dtype '{}', which is none of f4, f8, i1 to i8, u1 to u8, b1 and U", descr),
        way_out(descr));
  };
  if (descr.size() < 3 || descr.size() > 11) refuse();
  std::uint64_t size = 0;
  for (const char c : descr.substr(2)) {
    if (c < '0' || c > '9') refuse();
    size = 10 * size + static_cast<std::uint64_t>(c - '0');
  }
  const char order = descr[0], kind = descr[1];
  const bool power = size == 1 || size == 2 || size == 4 || size == 8;
  if (kind == 'f' && (size == 4 || size == 8))
    header.kind = NpyKind::kFloat;
  else if (kind == 'i' && power)
    header.kind = NpyKind::kSigned;
  else if (kind == 'u' && power)
    header.kind = NpyKind::kUnsigned;
  else if (kind == 'b' && size == 1)
    header.kind = NpyKind::kBool;
  else if (kind == 'U')
    header.kind = NpyKind::kText;
  else
    refuse();
  header.item_bytes = kind == 'U' ? 4 * size : size;
  // Only single bytes have no order.
  if (order != '<' && order != '>' && !(order == '|' && header.item_bytes == 1)) refuse();
  header.big_endian = order == '>';
}

}  // namespace

void NpySource::fail(const std::string& what, const std::string& fix) const {
  throw DomainError(fmt::format("[{}] {}: {}; {}", operation, where, what, fix));
}

void NpySource::refuse(const std::string& what, const std::string& fix) const {
  throw NotReadable(fmt::format("[{}] {}: {}; {}", operation, where, what, fix));
}

NpyHeader parse_npy_header(const NpySource& source) {
  const std::string_view text(reinterpret_cast<const char*>(source.bytes.data()), source.bytes.size());
  if (!text.starts_with(kMagic) || text.size() < kMagic.size() + 2)
    source.fail("is not an .npy file", kSaveAgain);
  const auto byte = [text](std::size_t k) {
    return static_cast<std::size_t>(static_cast<unsigned char>(text[k]));
  };
  const std::size_t major = byte(6), minor = byte(7);
  if (major < 1 || major > 3 || minor != 0)
    source.fail(fmt::format("has format version {}.{}, not 1.0, 2.0 or 3.0", major, minor), kSaveAgain);
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t begin = 8 + length_bytes;
  if (text.size() < begin) source.fail("ends within its header", kCopyAgain);
  std::size_t length = 0;
  for (std::size_t k = 0; k < length_bytes; ++k) length |= byte(8 + k) << (8 * k);
  if (length > text.size() - begin)
    source.fail(
        fmt::format("its header should be {} bytes long, but only {} follow", length, text.size() - begin),
        kCopyAgain);

  NpyHeader header = HeaderParser(source, text.substr(begin, length)).parse();
  interpret_type(source, header);
  header.data_offset = begin + length;
  const std::uint64_t present = text.size() - header.data_offset;
  std::uint64_t needed = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(header.shape.size()), header.item_bytes, &needed) ||
      needed != present)
    source.fail(fmt::format("its header says shape {} of '{}', {} bytes, but {} follow",
                            header.shape.to_string(), header.descr, needed, present),
                kCopyAgain);
  return header;
}

std::string npy_header_text(std::string_view type, const Shape& shape) {
  std::string sizes;
  for (int axis = 0; axis < shape.rank(); ++axis)
    sizes += (axis ? ", " : "") + std::to_string(shape[axis]) + (shape.rank() == 1 ? "," : "");
  std::string dictionary = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                       std::endian::native == std::endian::little ? '<' : '>', type, sizes);
  // NumPy aligns the data to 64 bytes; the header ends with a new line.
  const std::size_t begin = 10;
  dictionary.append(63 - (begin + dictionary.size()) % 64, ' ');
  dictionary += '\n';
  std::string text(kMagic);
  text += {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xff),
           static_cast<char>(dictionary.size() >> 8)};
  return text + dictionary;
}

}  // namespace cotangent::detail
