// IDX files: made here byte by byte, plain and packed, damaged in every way; and MNIST itself where it is
// present.
#include "nn/idx.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/rng.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::nn {
namespace {

using test::error_of;
using test::TemporaryDirectory;
using test::write_bytes;

const std::string kCopy = "; the file is truncated or damaged, copy it again";

std::string big(std::uint64_t value, std::size_t n) {
  std::string text(n, '\0');
  for (std::size_t k = 0; k < n; ++k, value >>= 8) text[n - 1 - k] = static_cast<char>(value & 0xff);
  return text;
}

std::string idx(std::uint8_t type, const std::vector<std::uint32_t>& sizes, const std::string& data) {
  std::string text = big(type, 3) + big(sizes.size(), 1);
  for (const std::uint32_t size : sizes) text += big(size, 4);
  return text + data;
}

std::string gzip(const std::string& bytes) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, bytes.size()), '\0');
  std::string in = bytes;
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

TEST(Idx, ReadsEveryType) {
  const TemporaryDirectory directory;
  struct Case {
    std::uint8_t type;
    std::string data;
    Tensor expected;
  };
  const auto f4 = [](float x) { return big(std::bit_cast<std::uint32_t>(x), 4); };
  const auto f8 = [](double x) { return big(std::bit_cast<std::uint64_t>(x), 8); };
  const std::vector<Case> cases = {
      {0x08, std::string("\x00\x7f\xff", 3), Tensor{0, 127, 255}},
      {0x09, std::string("\x00\x7f\xff", 3), Tensor{0, 127, -1}},
      {0x0b, std::string("\x01\x02\x7f\xff\x80\x00", 6), Tensor{258, 32767, -32768}},
      {0x0c, std::string("\x00\x01\x00\x00\xff\xff\xff\xfe\x80\x00\x00\x00", 12),
       Tensor{65536, -2, -2147483648.0}},
      {0x0d, f4(0.5f) + f4(-3.25f) + f4(1e30f), Tensor{0.5, -3.25, static_cast<double>(1e30f)}},
      {0x0e, f8(0.1) + f8(-5e-324) + f8(1e300), Tensor{0.1, -5e-324, 1e300}}};
  for (const Case& c : cases) {
    const std::string bytes = idx(c.type, {3}, c.data);
    write_bytes(directory / "plain", bytes);
    write_bytes(directory / "packed", gzip(bytes));  // recognised by its first bytes, not by its name
    EXPECT_TRUE(equal(read_idx(directory / "plain"), c.expected)) << int{c.type};
    EXPECT_TRUE(equal(read_idx(directory / "packed"), c.expected)) << int{c.type};
  }
}

TEST(Idx, ReadsEveryRankInRowMajorOrder) {
  const TemporaryDirectory directory;
  write_bytes(directory / "a", idx(8, {2, 3}, "\1\2\3\4\5\6"));
  EXPECT_TRUE(equal(read_idx(directory / "a"), (Tensor{{1, 2, 3}, {4, 5, 6}})));
  write_bytes(directory / "a", idx(8, {1, 2, 1, 1, 1, 1, 1, 2}, "\1\2\3\4"));
  EXPECT_TRUE(equal(read_idx(directory / "a"), (Tensor{1, 2, 3, 4}.reshape(Shape{1, 2, 1, 1, 1, 1, 1, 2}))));
  write_bytes(directory / "a", idx(8, {0, 28, 28}, ""));
  EXPECT_EQ(read_idx(directory / "a").shape(), (Shape{0, 28, 28}));
}

TEST(Idx, LargePackedFilesUnpackWhole) {
  const TemporaryDirectory directory;
  Rng rng(1);
  std::string data(3000000, '\0');
  for (std::size_t i = 0; i < 1000000; ++i) data[i] = static_cast<char>(rng.below(256));
  write_bytes(directory / "a.gz", gzip(idx(8, {3, 1000000}, data)));
  const Tensor t = read_idx(directory / "a.gz");
  ASSERT_EQ(t.shape(), (Shape{3, 1000000}));
  for (std::size_t i = 0; i < data.size(); ++i) ASSERT_EQ(t.data()[i], static_cast<unsigned char>(data[i]));
}

TEST(Idx, PackedInMembersAndPaddedAsGzipTakesIt) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.gz";
  const std::string bytes = idx(8, {2, 3}, "\1\2\3\4\5\6");
  const Tensor expected{{1, 2, 3}, {4, 5, 6}};
  const std::string zeros(1000, '\0'), none = gzip("");
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const std::string first = gzip(bytes.substr(0, cut)), second = gzip(bytes.substr(cut));
    for (const std::string& packed : {first + second, first + second + zeros, first + zeros + second,
                                      none + first + none + second + none + std::string(1, '\0')}) {
      write_bytes(path, packed);
      EXPECT_TRUE(equal(read_idx(path), expected)) << cut;
    }
  }
  // Many members of a byte each, and no more than there are.
  std::string many;
  for (const char c : bytes) many += gzip(std::string(1, c));
  write_bytes(path, many);
  EXPECT_TRUE(equal(read_idx(path), expected));
  const auto error = [&](const std::string& packed) {
    write_bytes(path, packed);
    return error_of<DomainError>([&] { read_idx(path); });
  };
  const std::string begin = "[read_idx] " + path + ": ";
  EXPECT_EQ(error(many + gzip("e")),
            begin +
                "has bytes after the ones its header announces; use a file that holds one array and nothing "
                "else");
  EXPECT_EQ(error(many + zeros + "e"),
            begin +
                "has bytes after the ones its header announces; use a file that holds one array and nothing "
                "else");
  EXPECT_EQ(error(many + "\x1f"), begin + "its gzip data end too early" + kCopy);
  EXPECT_EQ(error(many + "\x1f\x8b\x07 and so on"),
            begin + "its gzip data are damaged (unknown compression method)" + kCopy);
  std::string wrong = gzip(bytes.substr(0, 5));
  wrong[wrong.size() - 8] = static_cast<char>(wrong[wrong.size() - 8] ^ 1);
  EXPECT_EQ(error(wrong + gzip(bytes.substr(5))),
            begin + "its gzip data are damaged (incorrect data check)" + kCopy);
}

TEST(Idx, ABombTakesNoMoreThanItsHeaderSays) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.gz";
  // 8 numbers, and 256 MiB that are never unpacked.
  const std::string block = gzip(std::string(1 << 24, '\0'));
  std::string bomb = gzip(idx(8, {8}, "12345678"));
  for (int k = 0; k < 16; ++k) bomb += block;
  write_bytes(path, bomb);
  EXPECT_LT(test::peak_mebibytes([&] { error_of<DomainError>([&] { read_idx(path); }); }), 100);
  // A header that says more than follows takes what follows.
  write_bytes(path, gzip(idx(8, {1 << 28}, "")) + std::string(1 << 20, '\0'));
  EXPECT_LT(test::peak_mebibytes([&] { error_of<DomainError>([&] { read_idx(path); }); }), 100);
}

TEST(Idx, RefusesWhatDoesNotFitItsHeader) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a";
  const std::string format = "; give a file in MNIST's format, as it is or packed by gzip";
  const std::string trailing =
      "has bytes after the ones its header announces; use a file that holds one array and nothing else";
  const std::string good = idx(8, {2, 2}, "abcd");
  const std::string packed = gzip(good);
  std::string wrong_crc = packed;
  wrong_crc[packed.size() - 8] = static_cast<char>(wrong_crc[packed.size() - 8] ^ 1);
  struct Case {
    std::string bytes, what;
  };
  const std::vector<Case> cases = {
      {"", "ends within its header" + kCopy},
      {good.substr(0, 3), "ends within its header" + kCopy},
      {good.substr(0, 11), "ends within its header" + kCopy},
      {good.substr(0, 14), "its header says shape [2, 2] of u8, 4 bytes, but at most 2 follow" + kCopy},
      {good + "e", trailing},
      {"\x89PNG and more", "is not an IDX file: its first bytes are 89 50 4e 47" + format},
      {idx(0x0a, {1}, "a"), "is not an IDX file: its first bytes are 00 00 0a 01" + format},
      {std::string("\0\0\x08\0", 4), "is not an IDX file: its first bytes are 00 00 08 00" + format},
      {std::string("\0\1\x08\1\0\0\0\1a", 9), "is not an IDX file: its first bytes are 00 01 08 01" + format},
      {idx(8, {1, 1, 1, 1, 1, 1, 1, 1, 1}, "a"), "has 9 axes; at most 8 are supported"},
      {idx(8, {0xffffffff, 0xffffffff}, "a"), "the sizes in its header multiply to more than 2^48" + kCopy},
      {idx(0x0e, {0xffffffff}, "a"),
       "its header says shape [4294967295] of f8, 34359738360 bytes, but at most 1 follow" + kCopy},
      {gzip(good.substr(0, 14)), "its header says shape [2, 2] of u8, 4 bytes, but at most 2 follow" + kCopy},
      {gzip(good + "e"), trailing},
      {packed + "e", trailing},
      {packed.substr(0, packed.size() - 1), "its gzip data end too early" + kCopy},
      {packed.substr(0, packed.size() - 9), "its gzip data end too early" + kCopy},
      {packed.substr(0, 2), "its gzip data end too early" + kCopy},
      {packed.substr(0, 12), "its gzip data end too early" + kCopy},
      {wrong_crc, "its gzip data are damaged (incorrect data check)" + kCopy},
      {"\x1f\x8b\x07garbage of more than ten bytes",
       "its gzip data are damaged (unknown compression method)" + kCopy},
  };
  for (const Case& c : cases) {
    write_bytes(path, c.bytes);
    EXPECT_EQ(error_of<DomainError>([&] { read_idx(path); }), "[read_idx] " + path + ": " + c.what);
  }
  // A small file cannot announce more than deflate could have packed into it.
  write_bytes(path, gzip(idx(0x0e, {0x7fffffff}, "a")));
  const std::string text = error_of<DomainError>([&] { read_idx(path); });
  EXPECT_TRUE(text.starts_with("[read_idx] " + path +
                               ": its header says shape [2147483647] of f8, 17179869176 bytes, but at most "))
      << text;
  EXPECT_EQ(error_of<DomainError>([&] { read_idx(directory / "none"); }),
            "[read_idx] " + (directory / "none") +
                ": cannot be opened: No such file or directory; check the name and the permissions");
  EXPECT_EQ(error_of<DomainError>([&] { read_idx(directory.path()); }),
            "[read_idx] " + directory.path() + ": is not a regular file; give the name of a file");
}

TEST(Idx, DamagedFilesGiveAnErrorOrNumbers) {
  const TemporaryDirectory directory;
  Rng rng(3);
  const std::string plain = idx(0x0d, {2, 3}, std::string(24, '\x41'));
  for (const std::string& whole : {plain, gzip(plain)}) {
    for (std::size_t n = 0; n < whole.size(); ++n) {
      write_bytes(directory / "a", whole.substr(0, n));
      EXPECT_NE(error_of<DomainError>([&] { read_idx(directory / "a"); }), "nothing thrown") << n;
    }
    for (int trial = 0; trial < 2000; ++trial) {
      std::string bytes = whole;
      for (Index flips = 1 + rng.below(3); flips > 0; --flips)
        bytes[static_cast<std::size_t>(rng.below(static_cast<Index>(bytes.size())))] =
            static_cast<char>(rng.below(256));
      write_bytes(directory / "a", bytes);
      try {
        EXPECT_LE(read_idx(directory / "a").size(), 24);
      } catch (const DomainError& e) {
        EXPECT_TRUE(std::string(e.what()).starts_with("[read_idx] " + (directory / "a") + ": ")) << e.what();
      }
    }
  }
}

class MnistFiles : public testing::Test {
 protected:
  /// Image i has value (i + position) mod 256, label i mod 10.
  static std::string images(std::uint32_t n, std::uint32_t height = 28, std::uint32_t width = 28) {
    std::string data;
    for (std::uint32_t i = 0; i < n; ++i)
      for (std::uint32_t p = 0; p < height * width; ++p) data += static_cast<char>((i + p) % 256);
    return idx(8, {n, height, width}, data);
  }
  static std::string labels(std::uint32_t n) {
    std::string data;
    for (std::uint32_t i = 0; i < n; ++i) data += static_cast<char>(i % 10);
    return idx(8, {n}, data);
  }
  void SetUp() override {
    write_bytes(directory_ / "train-images-idx3-ubyte", images(12));
    write_bytes(directory_ / "train-labels-idx1-ubyte.gz", gzip(labels(12)));
    write_bytes(directory_ / "t10k-images-idx3-ubyte.gz", gzip(images(3)));
    write_bytes(directory_ / "t10k-labels-idx1-ubyte", labels(3));
  }
  std::string error() const {
    return error_of<DomainError>([&] { read_mnist(directory_.path()); });
  }
  std::string at(const std::string& name) const { return "[read_mnist] " + (directory_ / name) + ": "; }

  TemporaryDirectory directory_;
};

TEST_F(MnistFiles, AreReadAndScaled) {
  const Mnist mnist = read_mnist(directory_.path());
  ASSERT_EQ(mnist.train.images.shape(), (Shape{12, 784}));
  ASSERT_EQ(mnist.train.labels.shape(), (Shape{12}));
  ASSERT_EQ(mnist.test.images.shape(), (Shape{3, 784}));
  for (Index i = 0; i < 12; ++i) {
    EXPECT_EQ(mnist.train.labels(i), static_cast<double>(i % 10));
    for (Index p = 0; p < 784; ++p)
      ASSERT_EQ(mnist.train.images(i, p), static_cast<double>((i + p) % 256) / 255.0);
  }
  EXPECT_EQ(mnist.test.images(2, 253), 1.0);
  EXPECT_TRUE(equal(mnist.test.labels, (Tensor{0, 1, 2})));
}

TEST_F(MnistFiles, PlainFilesComeBeforePackedOnes) {
  write_bytes(directory_ / "train-images-idx3-ubyte.gz", "not looked at");
  EXPECT_EQ(read_mnist(directory_.path()).train.images.size(0), 12);
}

TEST_F(MnistFiles, ErrorsNameTheFileAndTheFix) {
  const std::string names = "; give MNIST's four files their standard names";
  write_bytes(directory_ / "t10k-labels-idx1-ubyte", labels(4));
  EXPECT_EQ(error(), at("t10k-images-idx3-ubyte.gz") + "holds 3 images, but " +
                         (directory_ / "t10k-labels-idx1-ubyte") +
                         " holds 4 labels; take both files from one data set");
  write_bytes(directory_ / "t10k-labels-idx1-ubyte", idx(8, {3}, "\x09\x0a\x0b"));
  EXPECT_EQ(error(), at("t10k-labels-idx1-ubyte") + "label 1 is 10, not a digit 0 to 9" + kCopy);
  write_bytes(directory_ / "t10k-labels-idx1-ubyte", images(1));
  EXPECT_EQ(error(), at("t10k-labels-idx1-ubyte") +
                         "holds [1, 28, 28] of u8, not labels [n] of u8 with n >= 1" + names);
  write_bytes(directory_ / "t10k-labels-idx1-ubyte", idx(8, {0}, ""));
  EXPECT_EQ(error(),
            at("t10k-labels-idx1-ubyte") + "holds [0] of u8, not labels [n] of u8 with n >= 1" + names);
  write_bytes(directory_ / "t10k-labels-idx1-ubyte", idx(9, {3}, "\1\2\3"));
  EXPECT_EQ(error(),
            at("t10k-labels-idx1-ubyte") + "holds [3] of i8, not labels [n] of u8 with n >= 1" + names);
  write_bytes(directory_ / "t10k-labels-idx1-ubyte", labels(3).substr(0, 10));
  EXPECT_EQ(error(), at("t10k-labels-idx1-ubyte") +
                         "its header says shape [3] of u8, 3 bytes, but at most 2 follow" + kCopy);

  write_bytes(directory_ / "train-images-idx3-ubyte", images(12, 28, 27));
  EXPECT_EQ(error(),
            at("train-images-idx3-ubyte") + "holds [12, 28, 27] of u8, not images [n, 28, 28] of u8" + names);
  write_bytes(directory_ / "train-images-idx3-ubyte", labels(12));
  EXPECT_EQ(error(),
            at("train-images-idx3-ubyte") + "holds [12] of u8, not images [n, 28, 28] of u8" + names);
  std::filesystem::remove(directory_ / "train-images-idx3-ubyte");
  EXPECT_EQ(error(), at("train-images-idx3-ubyte") +
                         "does not exist, nor does it with .gz; put MNIST's four files there");
}

TEST(Mnist, RealFilesHoldTenKindsOfDigits) {
  const char* directory = std::getenv("COTANGENT_DATA");
  if (!directory) GTEST_SKIP() << "COTANGENT_DATA names no directory with MNIST's files";
  const Mnist mnist = read_mnist(directory);
  for (const Digits* digits : {&mnist.train, &mnist.test}) {
    const Index n = digits->labels.size();
    ASSERT_EQ(digits->images.shape(), (Shape{n, 784}));
    std::vector<Index> counts(10);
    for (const double label : digits->labels.data()) ++counts[static_cast<std::size_t>(label)];
    for (const Index count : counts)
      EXPECT_NEAR(static_cast<double>(count) / static_cast<double>(n), 0.1, 0.04);
    double sum = 0.0, largest = 0.0;
    for (const double x : digits->images.data()) {
      sum += x;
      largest = std::max(largest, x);
    }
    EXPECT_EQ(largest, 1.0);
    // The published mean brightness of MNIST is 0.1307; small parts of it differ.
    EXPECT_NEAR(sum / static_cast<double>(digits->images.size()), 0.1307, 0.02);
    // Ink lies in the middle: the corners stay blank.
    for (Index i = 0; i < n; ++i) ASSERT_EQ(digits->images(i, 0) + digits->images(i, 783), 0.0);
  }
}

}  // namespace
}  // namespace cotangent::nn
