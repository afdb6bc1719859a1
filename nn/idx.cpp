// IDX readers: headers are checked against the bytes that follow before anything large is allocated.
#include "nn/idx.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::nn {
namespace {

constexpr char kCopyAgain[] = "the file is truncated or damaged, copy it again";

/// What errors call the file.
struct Place {
  const char* operation;
  const std::string& path;
  [[noreturn]] void fail(const std::string& what, const std::string& fix) const {
    throw DomainError(fmt::format("[{}] {}: {}; {}", operation, path, what, fix));
  }
};

/// The bytes of a file in order, unpacked on the way if they are gzipped.
class Stream {
 public:
  Stream(const Place& place, std::span<const std::byte> bytes) : place_(place), rest_(bytes) {
    gzipped_ = bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
    if (gzipped_ && inflateInit2(&zlib_, 16 + MAX_WBITS) != Z_OK)
      place.fail("cannot be unpacked", "free some memory");
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (gzipped_) inflateEnd(&zlib_);
  }

  /// An upper bound on what read can still give; deflate shortens nothing by more than a factor of 1032.
  std::uint64_t at_most() const {
    return gzipped_ ? 1032 * (static_cast<std::uint64_t>(rest_.size()) + zlib_.avail_in + 1) : rest_.size();
  }

  /// Fills `out` as far as the bytes reach and returns how far.
  std::size_t read(std::span<std::byte> out) { return gzipped_ ? unpack(out) : copy(out); }

  /// Throws unless everything has been read, gzip's checksum included.
  void expect_end() {
    std::byte beyond;
    if (read({&beyond, 1}) != 0 || !rest_.empty() || zlib_.avail_in != 0)
      place_.fail("has bytes after the ones its header announces",
                  "use a file that holds one array and nothing else");
  }

 private:
  std::size_t copy(std::span<std::byte> out) {
    const std::size_t n = std::min(out.size(), rest_.size());
    std::copy_n(rest_.begin(), n, out.begin());
    rest_ = rest_.subspan(n);
    return n;
  }

  void refill() {
    if (zlib_.avail_in != 0) return;
    const std::size_t n = std::min(rest_.size(), kMost);
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest_.data()));  // zlib only reads it
    zlib_.avail_in = static_cast<uInt>(n);
    rest_ = rest_.subspan(n);
  }

  /// Behind a member of gzip another may follow, or zeros that pad the file; anything else stays where it is.
  void end_member() {
    do {
      refill();
      while (zlib_.avail_in != 0 && *zlib_.next_in == 0) {
        ++zlib_.next_in;
        --zlib_.avail_in;
      }
    } while (zlib_.avail_in == 0 && !rest_.empty());
    ended_ = zlib_.avail_in == 0 || *zlib_.next_in != 0x1f;
    if (!ended_) inflateReset(&zlib_);
  }

  std::size_t unpack(std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size() && !ended_) {
      refill();
      const std::size_t wanted = std::min(out.size() - done, kMost);
      zlib_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
      zlib_.avail_out = static_cast<uInt>(wanted);
      const int result = inflate(&zlib_, Z_NO_FLUSH);
      done += wanted - zlib_.avail_out;
      if (result == Z_BUF_ERROR ||
          (result == Z_OK && zlib_.avail_in == 0 && rest_.empty() && zlib_.avail_out != 0))
        place_.fail("its gzip data end too early", kCopyAgain);
      if (result != Z_OK && result != Z_STREAM_END)
        place_.fail(fmt::format("its gzip data are damaged ({})", zlib_.msg ? zlib_.msg : "unknown"),
                    kCopyAgain);
      if (result == Z_STREAM_END) end_member();
    }
    return done;
  }

  static constexpr std::size_t kMost = std::numeric_limits<uInt>::max();

  const Place& place_;
  std::span<const std::byte> rest_;
  bool gzipped_ = false;
  bool ended_ = false;
  z_stream zlib_{};
};

template <class T>
void decode(std::span<const std::byte> in, double* out) {
  for (std::size_t i = 0; i < in.size(); i += sizeof(T))
    *out++ = static_cast<double>(detail::number_at<T>(in.data() + i, true));
}

struct Type {
  unsigned code;
  const char* name;
  std::size_t bytes;
  void (*decode)(std::span<const std::byte>, double*);
};
constexpr Type kTypes[] = {{0x08, "u8", 1, decode<std::uint8_t>},  {0x09, "i8", 1, decode<std::int8_t>},
                           {0x0b, "i16", 2, decode<std::int16_t>}, {0x0c, "i32", 4, decode<std::int32_t>},
                           {0x0d, "f4", 4, decode<float>},         {0x0e, "f8", 8, decode<double>}};

struct Array {
  Tensor numbers;
  const Type* type;
};

Array read_array(const Place& place) {
  const detail::FileBytes file = detail::read_file(place.operation, place.path);
  Stream stream(place, file.span());

  std::byte magic[4] = {};
  if (stream.read(magic) < 4) place.fail("ends within its header", kCopyAgain);
  const auto byte = [&magic](std::size_t k) { return std::to_integer<unsigned>(magic[k]); };
  const Type* type =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& t) { return t.code == byte(2); });
  if (byte(0) != 0 || byte(1) != 0 || type == std::end(kTypes) || byte(3) == 0)
    place.fail(fmt::format("is not an IDX file: its first bytes are {:02x} {:02x} {:02x} {:02x}", byte(0),
                           byte(1), byte(2), byte(3)),
               "give a file in MNIST's format, as it is or packed by gzip");
  const std::size_t rank = byte(3);
  if (rank > kMaxRank) place.fail(fmt::format("has {} axes", rank), "at most 8 are supported");

  std::byte words[4 * kMaxRank];
  const std::span<std::byte> used(words, 4 * rank);
  if (stream.read(used) < used.size()) place.fail("ends within its header", kCopyAgain);
  Index sizes[kMaxRank];
  for (std::size_t k = 0; k < rank; ++k)
    sizes[k] = Index{detail::number_at<std::uint32_t>(words + 4 * k, true)};
  Shape shape;
  try {
    shape = Shape(std::span<const Index>(sizes, rank));
  } catch (const ShapeError&) {
    place.fail("the sizes in its header multiply to more than 2^48", kCopyAgain);
  }

  const std::uint64_t needed = static_cast<std::uint64_t>(shape.size()) * type->bytes;
  const auto too_short = [&](std::uint64_t present) {
    place.fail(fmt::format("its header says shape {} of {}, {} bytes, but at most {} follow",
                           shape.to_string(), type->name, needed, present),
               kCopyAgain);
  };
  if (needed > stream.at_most()) too_short(stream.at_most());
  try {
    const auto bytes = std::make_unique_for_overwrite<std::byte[]>(needed);
    const std::size_t got = stream.read({bytes.get(), needed});
    if (got < needed) too_short(got);
    stream.expect_end();
    Tensor numbers = detail::uninitialized(shape);
    type->decode({bytes.get(), needed}, detail::mutable_data(numbers));
    return {std::move(numbers), type};
  } catch (const std::bad_alloc&) {
    place.fail(fmt::format("its numbers, shape {}, do not fit into memory", shape.to_string()),
               "use a smaller file");
  }
}

constexpr char kReadMnist[] = "read_mnist";
constexpr char kStandardNames[] = "give MNIST's four files their standard names";

/// The plain file if it is there, else the packed one.
std::string find_file(const std::string& directory, const std::string& name) {
  for (const char* suffix : {"", ".gz"}) {
    std::string path = directory + "/" + name + suffix;
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return path;
  }
  const std::string path = directory + "/" + name;
  Place{kReadMnist, path}.fail("does not exist, nor does it with .gz", "put MNIST's four files there");
}

Digits read_digits(const std::string& directory, const std::string& prefix) {
  const std::string image_path = find_file(directory, prefix + "-images-idx3-ubyte");
  const std::string label_path = find_file(directory, prefix + "-labels-idx1-ubyte");
  const Place images_at{kReadMnist, image_path}, labels_at{kReadMnist, label_path};
  Array labels = read_array(labels_at);
  const Index n = labels.numbers.size();
  if (labels.numbers.rank() != 1 || labels.type->code != 0x08 || n == 0)
    labels_at.fail(fmt::format("holds {} of {}, not labels [n] of u8 with n >= 1",
                               labels.numbers.shape().to_string(), labels.type->name),
                   kStandardNames);
  const std::span<const double> values = labels.numbers.data();
  const auto wrong = std::find_if(values.begin(), values.end(), [](double v) { return v > 9.0; });
  if (wrong != values.end())
    labels_at.fail(fmt::format("label {} is {}, not a digit 0 to 9", wrong - values.begin(), *wrong),
                   kCopyAgain);

  Array images = read_array(images_at);
  const Shape& shape = images.numbers.shape();
  if (shape.rank() != 3 || shape[1] != 28 || shape[2] != 28 || images.type->code != 0x08)
    images_at.fail(
        fmt::format("holds {} of {}, not images [n, 28, 28] of u8", shape.to_string(), images.type->name),
        kStandardNames);
  if (shape[0] != n)
    images_at.fail(fmt::format("holds {} images, but {} holds {} labels", shape[0], label_path, n),
                   "take both files from one data set");
  double* pixel = detail::mutable_data(images.numbers);
  for (Index i = 0; i < images.numbers.size(); ++i) pixel[i] /= 255.0;
  return {images.numbers.reshape(Shape{n, 784}), std::move(labels.numbers)};
}

}  // namespace

Tensor read_idx(const std::string& path) { return read_array({"read_idx", path}).numbers; }

Mnist read_mnist(const std::string& directory) {
  return {.train = read_digits(directory, "train"), .test = read_digits(directory, "t10k")};
}

}  // namespace cotangent::nn
