// .npy files: round trips, NumPy as the judge in both directions, and every way a file can lie.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/tensor.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::read_bytes;
using test::run_python;
using test::TemporaryDirectory;
using test::write_bytes;

/// Same shape and same bits, so that NaN and -0 count too.
void expect_same_bits(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  for (std::size_t i = 0; i < a.data().size(); ++i)
    ASSERT_EQ(std::bit_cast<std::uint64_t>(a.data()[i]), std::bit_cast<std::uint64_t>(b.data()[i])) << i;
}

const double kInf = std::numeric_limits<double>::infinity();

std::vector<Tensor> examples() {
  Rng rng(3);
  return {Tensor::scalar(-0.0),
          Tensor{},
          Tensor{1, 2, 3},
          Tensor{{1.5, -kInf, kInf}, {std::nan("1"), 5e-324, 1.7976931348623157e308}},
          rng.normal(Shape{2, 3, 4}),
          rng.normal(Shape{1, 2, 1, 2, 3, 1, 2, 2}),
          Tensor::zeros(Shape{0, 3}),
          Tensor::zeros(Shape{5, 0, 7}),
          rng.normal(Shape{1000, 77}),
          rng.normal(Shape{50, 4}).rows(13, 37)};
}

TEST(Npy, RoundTripsBitForBit) {
  const TemporaryDirectory directory;
  for (const Tensor& t : examples()) {
    save(directory / "a.npy", t);
    expect_same_bits(load(directory / "a.npy"), t);
  }
  // A shape of no numbers that NumPy itself refuses to make.
  save(directory / "a.npy", Tensor::zeros(Shape{4294967295, 0, 4294967295}));
  EXPECT_EQ(load(directory / "a.npy").shape(), (Shape{4294967295, 0, 4294967295}));
  EXPECT_EQ(directory.names(), std::vector<std::string>{"a.npy"});
}

TEST(Npy, WritesTheBytesNumPyWrites) {
  COTANGENT_NEEDS_NUMPY();
  const TemporaryDirectory directory;
  const std::vector<Tensor> tensors = examples();
  std::string shapes;
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    save(directory / ("ours" + std::to_string(k)), tensors[k]);
    shapes += tensors[k].shape().to_string() + "\n";
  }
  const auto numpy = run_python(
      "import sys, numpy as np\n"
      "for k in range(int(sys.argv[2])):\n"
      "    a = np.load(f'{sys.argv[1]}/ours{k}')\n"
      "    assert a.dtype == np.float64 and a.flags.c_contiguous\n"
      "    with open(f'{sys.argv[1]}/theirs{k}', 'wb') as file: np.save(file, a)\n"
      "    print(list(a.shape))",
      {directory.path(), std::to_string(tensors.size())});
  ASSERT_EQ(numpy.status, 0) << numpy.output;
  EXPECT_EQ(numpy.output, shapes);
  for (std::size_t k = 0; k < tensors.size(); ++k)
    EXPECT_EQ(read_bytes(directory / ("ours" + std::to_string(k))),
              read_bytes(directory / ("theirs" + std::to_string(k))));
}

TEST(Npy, ReadsWhatNumPyWrites) {
  COTANGENT_NEEDS_NUMPY();
  const TemporaryDirectory directory;
  // Each array is also written as raw doubles in row-major order, the independent reading.
  const auto numpy = run_python(R"(
import sys, warnings, numpy as np
from numpy.lib import format as npy
warnings.simplefilter('ignore')
rng = np.random.default_rng(1)
k = 0
for kind in ['f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', '?']:
    for order in '<>':
        for shape in [(), (7,), (3, 4), (2, 3, 4, 5), (0, 2)]:
            for layout in 'CF':
                dtype = np.dtype(kind).newbyteorder(order)
                if dtype.kind == 'f':
                    a = rng.normal(size=shape)
                elif dtype.kind == 'b':
                    a = rng.integers(0, 2, size=shape)
                else:
                    info = np.iinfo(dtype)
                    bound = min(int(info.max), 2**53)
                    a = rng.integers(max(int(info.min), -2**53), bound, size=shape, endpoint=True)
                a = np.array(a).astype(dtype, order=layout)
                with open(f'{sys.argv[1]}/{k}.npy', 'wb') as file:
                    npy.write_array(file, a, version=[(1, 0), (2, 0), (3, 0)][k % 3])
                a.astype('<f8').tofile(f'{sys.argv[1]}/{k}.raw')
                with open(f'{sys.argv[1]}/{k}.txt', 'w') as file:
                    file.write(str(list(a.shape)))
                k += 1
print(k)
)",
                                {directory.path()});
  ASSERT_EQ(numpy.status, 0) << numpy.output;
  const int count = std::stoi(numpy.output);
  ASSERT_EQ(count, 11 * 2 * 5 * 2);
  for (int k = 0; k < count; ++k) {
    const std::string name = directory / std::to_string(k);
    const Tensor t = load(name + ".npy");
    const std::string raw = read_bytes(name + ".raw");
    EXPECT_EQ(t.shape().to_string(), read_bytes(name + ".txt")) << k;
    ASSERT_EQ(raw.size(), t.data().size() * 8) << k;
    EXPECT_TRUE(raw.empty() || std::memcmp(raw.data(), t.data().data(), raw.size()) == 0) << k;
  }
}

/// A file with this header text, padded as NumPy does.
std::string npy(std::string header, std::string_view data, char version = 1) {
  header += '\n';
  std::string text = "\x93NUMPY";
  text += {version, '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) text += std::string(2, '\0');
  return text + header + std::string(data);
}

std::string zeros(std::size_t n) { return std::string(n, '\0'); }

TEST(Npy, ReadsHeadersInAnyKeyOrderAndSpacing) {
  const TemporaryDirectory directory;
  const std::string data = std::string("\x01\x02\x03\x04\x05\x06", 6);
  for (const std::string header : {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }",
                                   "{'shape':(2,3),'fortran_order':False,'descr':'|u1'}",
                                   "{'shape': (2L, 3L), 'fortran_order': False, 'descr': '|u1'}",  // Python 2
                                   "{ \"descr\" : \"<u1\" ,\t'shape' : ( 2 , 3 , ) ,\n"
                                   "'fortran_order' : False , } \n "}) {
    write_bytes(directory / "a.npy", npy(header, data, header[2] == 's' ? 2 : 1));
    EXPECT_TRUE(equal(load(directory / "a.npy"), (Tensor{{1, 2, 3}, {4, 5, 6}}))) << header;
  }
  write_bytes(directory / "a.npy",
              npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", data, 3));
  EXPECT_TRUE(equal(load(directory / "a.npy"), (Tensor{{1, 3, 5}, {2, 4, 6}})));
}

TEST(Npy, WholeNumbersMustFitIntoDoubles) {
  const TemporaryDirectory directory;
  const auto attempt = [&](const char* type, std::uint64_t bits) {
    std::string data(8, '\0');
    for (std::size_t k = 0; k < 8; ++k) data[k] = static_cast<char>(bits >> (8 * k) & 0xff);
    write_bytes(directory / "a.npy",
                npy(std::string("{'descr': '<") + type + "', 'fortran_order': False, 'shape': ()}", data));
    return load(directory / "a.npy").item();
  };
  const std::uint64_t limit = std::uint64_t{1} << 53;
  EXPECT_EQ(attempt("i8", limit), 0x1p53);
  EXPECT_EQ(attempt("i8", limit - 1), 0x1p53 - 1.0);
  EXPECT_EQ(attempt("i8", limit + 2), 0x1p53 + 2.0);
  EXPECT_EQ(attempt("i8", ~limit + 1), -0x1p53);
  EXPECT_EQ(attempt("i8", std::uint64_t{1} << 63), -0x1p63);
  EXPECT_EQ(attempt("u8", std::uint64_t{1} << 63), 0x1p63);
  EXPECT_EQ(attempt("u8", ~std::uint64_t{0} << 11), 0x1p64 - 2048.0);
  EXPECT_EQ(attempt("i8", 0), 0.0);
  const std::string fix =
      ", which no double equals; split it into two arrays, or round it with .astype('float64'), before "
      "saving "
      "it";
  const std::string begin = "[load] " + (directory / "a.npy") + ": holds ";
  EXPECT_EQ(error_of<DomainError>([&] { attempt("i8", limit + 1); }), begin + "9007199254740993" + fix);
  EXPECT_EQ(error_of<DomainError>([&] { attempt("i8", ~limit); }), begin + "-9007199254740993" + fix);
  EXPECT_EQ(error_of<DomainError>([&] { attempt("i8", ~std::uint64_t{0} >> 1); }),
            begin + "9223372036854775807" + fix);
  EXPECT_EQ(error_of<DomainError>([&] { attempt("u8", ~std::uint64_t{0}); }),
            begin + "18446744073709551615" + fix);
}

TEST(Npy, RefusesWhatIsNotAnArrayOfNumbers) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npy";
  const std::string again = "; save it again with numpy.save or cotangent::save";
  const std::string copy = "; the file is truncated or damaged, copy it again";
  const std::string convert = "; convert the array with .astype('float64') before saving it";
  const auto header = [](const std::string& descr, const std::string& shape) {
    return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  };
  const std::string good = header("<f8", "(2,)");
  struct Case {
    std::string bytes, what;
  };
  std::string huge = npy(good, zeros(16), 2);
  huge.replace(8, 4, "\xff\xff\xff\xff");
  std::string future = npy(good, zeros(16));
  future[6] = 4;
  std::string minor = npy(good, zeros(16));
  minor[7] = 1;
  const std::string malformed = "its header is malformed near character ";
  const std::string none = "holds dtype , which is none of f4, f8, i1 to i8, u1 to u8, b1 and U; ";
  const std::vector<Case> cases = {
      {"", "is not an .npy file" + again},
      {"PK\x03\x04 and so on", "is not an .npy file" + again},
      {"\x93NUMPY\x01", "is not an .npy file" + again},
      {std::string("\x93NUMPY\x01\0\x10", 9), "ends within its header" + copy},
      {future, "has format version 4.0, not 1.0, 2.0 or 3.0" + again},
      {minor, "has format version 1.1, not 1.0, 2.0 or 3.0" + again},
      {huge, "its header should be 4294967295 bytes long, but only " + std::to_string(huge.size() - 12) +
                 " follow" + copy},
      {npy(good, zeros(15)), "its header says shape [2] of '<f8', 16 bytes, but 15 follow" + copy},
      {npy(good, zeros(17)), "its header says shape [2] of '<f8', 16 bytes, but 17 follow" + copy},
      {npy(header("<f8", "(4294967295, 65536)"), zeros(8)),
       "its header says shape [4294967295, 65536] of '<f8', 2251799813160960 bytes, but 8 follow" + copy},
      {npy(header("<f8", "(4294967295, 4294967295)"), zeros(8)),
       "the sizes in its header multiply to more than 2^48" + copy},
      {npy(header("<f8", "(4294967295, 4294967295, 0)"), ""),
       "the sizes in its header multiply to more than 2^48" + copy},
      {npy(header("<f8", "(4294967296,)"), zeros(8)), "an axis in its header is longer than 2^32 - 1" + copy},
      {npy(header("<f8", "(99999999999999999999999999,)"), ""),
       "an axis in its header is longer than 2^32 - 1" + copy},
      {npy(header("<f8", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), zeros(8)),
       "has more than 8 axes; reshape the array to at most 8 axes"},
      {npy(header("|O", "(2,)"), zeros(16)), "holds Python objects (dtype '|O')" + convert},
      {npy(header("<c16", "(1,)"), zeros(16)),
       none.substr(0, 12) + "'<c16'" + none.substr(12) + "save its .real and its .imag as two arrays"},
      {npy(header("|S3", "(1,)"), zeros(3)), none.substr(0, 12) + "'|S3'" + none.substr(12) +
                                                 "save text with .astype('U'), one-dimensional, in an .npz"},
      {npy(header("<f2", "(1,)"), zeros(2)),
       "holds dtype '<f2', which is none of f4, f8, i1 to i8, u1 to u8, b1 and U" + convert},
      {npy(header("<M8[ns]", "(1,)"), zeros(8)),
       none.substr(0, 12) + "'<M8[ns]'" + none.substr(12) +
           "save the time since a first one, (t - t[0]) / numpy.timedelta64(1, 's')"},
      {npy(header("|f8", "(1,)"), zeros(8)),
       "holds dtype '|f8', which is none of f4, f8, i1 to i8, u1 to u8, b1 and U" + convert},
      {npy(header("f8", "(1,)"), zeros(8)),
       "holds dtype 'f8', which is none of f4, f8, i1 to i8, u1 to u8, b1 and U" + convert},
      {npy(header("<i3", "(1,)"), zeros(3)),
       "holds dtype '<i3', which is none of f4, f8, i1 to i8, u1 to u8, b1 and U" + convert},
      {npy(header("<U99999999999999999999", "(1,)"), ""),
       "holds dtype '<U99999999999999999999', which is none of f4, f8, i1 to i8, u1 to u8, b1 and U" +
           convert},
      {npy("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,), }", zeros(8)),
       "holds records (a structured dtype); save one plain array a field"},
      {npy(header("<U2", "(1,)"), zeros(8)),
       "holds text, not numbers; read text members of an .npz by load_npz"},
      {npy(header("|b1", "(2,)"), std::string("\x01\x02")), "holds the byte 2 as a truth value" + copy},
      {npy("", zeros(8)), malformed + "1: '{' is missing" + again},
      {npy("{", zeros(8)), malformed + "2: a quoted text is missing" + again},
      {npy("{}", zeros(8)), malformed + "3: one of descr, fortran_order and shape is missing" + again},
      {npy("{'descr': '<f8', 'shape': (1,)}", zeros(8)),
       malformed + "32: one of descr, fortran_order and shape is missing" + again},
      {npy("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", zeros(8)),
       malformed + "25: the key 'descr' is unknown or repeated" + again},
      {npy("{'extra': '<f8'}", zeros(8)), malformed + "9: the key 'extra' is unknown or repeated" + again},
      {npy("{'descr' '<f8'}", zeros(8)), malformed + "9: ':' is missing" + again},
      {npy("{'descr': '<f8", zeros(8)), malformed + "14: an unusual character within quotes" + again},
      {npy("{'descr': '<\\x66", zeros(8)), malformed + "12: an unusual character within quotes" + again},
      {npy("{'descr': 3}", zeros(8)), malformed + "10: a quoted text is missing" + again},
      {npy("{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}", zeros(8)),
       malformed + "34: True or False is missing" + again},
      {npy(header("<f8", "1"), zeros(8)), malformed + "50: '(' is missing" + again},
      {npy(header("<f8", "(1)"), zeros(8)),
       malformed + "53: a shape of one axis needs a comma, as in (3,)" + again},
      {npy(header("<f8", "(,)"), zeros(8)), malformed + "51: a size is missing" + again},
      {npy(header("<f8", "(-1,)"), zeros(8)), malformed + "51: a size is missing" + again},
      {npy(header("<f8", "(1 1)"), zeros(8)), malformed + "53: ',' is missing" + again},
      {npy(header("<f8", "(1,"), zeros(8)), malformed + "53: a size is missing" + again},
      {npy(good + " + 1", zeros(16)), malformed + "58: something follows the closing brace" + again},
      {npy("{'descr': '<f8' 'fortran_order': False, 'shape': (1,)}", zeros(8)),
       malformed + "16: '}' is missing" + again},
      {npy(header("<f8", "(L,)"), zeros(8)), malformed + "51: a size is missing" + again},
      {npy(header("<f8", "(1LL,)"), zeros(8)), malformed + "53: ',' is missing" + again},
  };
  for (const Case& c : cases) {
    write_bytes(path, c.bytes);
    EXPECT_EQ(error_of<DomainError>([&] { load(path); }), "[load] " + path + ": " + c.what);
  }
}

TEST(Npy, EveryTruncationIsAnError) {
  const TemporaryDirectory directory;
  save(directory / "whole.npy", Tensor{{1, 2}, {3, 4}});
  const std::string whole = read_bytes(directory / "whole.npy");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    write_bytes(directory / "part.npy", whole.substr(0, n));
    EXPECT_NE(error_of<DomainError>([&] { load(directory / "part.npy"); }), "nothing thrown") << n;
  }
}

TEST(Npy, DamagedFilesGiveAnErrorOrNumbers) {
  const TemporaryDirectory directory;
  Rng rng(77);
  const std::string path = directory / "a.npy";
  save(path, rng.normal(Shape{3, 2}));
  const std::string whole = read_bytes(path);
  int refused = 0, read = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    std::string bytes = whole;
    for (Index flips = 1 + rng.below(3); flips > 0; --flips)
      bytes[static_cast<std::size_t>(rng.below(80))] = static_cast<char>(rng.below(256));
    write_bytes(path, bytes);
    try {
      EXPECT_LE(load(path).size(), 48);
      ++read;
    } catch (const DomainError& e) {
      EXPECT_TRUE(std::string(e.what()).starts_with("[load] " + path + ": ")) << e.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 3000);
  EXPECT_GT(read, 0);
}

TEST(Npy, LoadRefusesWhatIsNotAFile) {
  const TemporaryDirectory directory;
  const auto text = [&](const std::string& path) { return error_of<DomainError>([&] { load(path); }); };
  EXPECT_EQ(text(directory / "none.npy"),
            "[load] " + (directory / "none.npy") +
                ": cannot be opened: No such file or directory; check the name and the "
                "permissions");
  const std::string not_regular = ": is not a regular file; give the name of a file";
  EXPECT_EQ(text(directory.path()), "[load] " + directory.path() + not_regular);
  EXPECT_EQ(text("/dev/zero"), "[load] /dev/zero" + not_regular);
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(text(directory / "pipe"), "[load] " + (directory / "pipe") + not_regular);
}

}  // namespace
}  // namespace cotangent
