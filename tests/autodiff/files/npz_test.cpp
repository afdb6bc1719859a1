// .npz files: round trips, NumPy as the judge in both directions, and archives that lie.
#include "autodiff/npz.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::read_bytes;
using test::run_python;
using test::TemporaryDirectory;
using test::write_bytes;

const std::string kAgain = "; save it again with numpy.savez or cotangent::save";
const std::string kCopy = "; the file is truncated or damaged, copy it again";

NpzContents example() {
  Rng rng(5);
  return {
      .arrays = {{"outputs", rng.normal(Shape{4, 3})},
                 {"0.weight", rng.normal(Shape{2, 3, 4})},
                 {"scalar", Tensor::scalar(0.1)},
                 {"empty", Tensor::zeros(Shape{0, 7})},
                 {"größe/λ", Tensor{1, 2}}},
      .labels = {{"columns", {"0.weight[0, 1]", "", "β∂/∂w", "😀", "a"}}, {"none", {}}, {"blank", {"", ""}}}};
}

void expect_equal(const NpzContents& a, const NpzContents& b) {
  ASSERT_EQ(a.arrays.size(), b.arrays.size());
  for (std::size_t k = 0; k < a.arrays.size(); ++k) {
    EXPECT_EQ(a.arrays[k].first, b.arrays[k].first);
    EXPECT_TRUE(equal(a.arrays[k].second, b.arrays[k].second)) << a.arrays[k].first;
  }
  EXPECT_EQ(a.labels, b.labels);
}

TEST(Npz, RoundTripsInOrder) {
  const TemporaryDirectory directory;
  save_npz(directory / "a.npz", example());
  expect_equal(load_npz(directory / "a.npz"), example());
  save_npz(directory / "a.npz", {});
  expect_equal(load_npz(directory / "a.npz"), {});
  EXPECT_EQ(directory.names(), std::vector<std::string>{"a.npz"});
}

TEST(Npz, SameContentsGiveTheSameBytes) {
  const TemporaryDirectory directory;
  save_npz(directory / "a.npz", example());
  save_npz(directory / "b.npz", example());
  EXPECT_EQ(read_bytes(directory / "a.npz"), read_bytes(directory / "b.npz"));
}

TEST(Npz, NumPyReadsOursAndWeReadWhatItSavesOfIt) {
  COTANGENT_NEEDS_NUMPY();
  const TemporaryDirectory directory;
  save_npz(directory / "a.npz", example());
  save_npz(directory / "none.npz", {});
  const auto numpy = run_python(R"(
import sys, zipfile, numpy as np
folder = sys.argv[1]
a = np.load(folder + '/a.npz')
assert a.files == ['outputs', '0.weight', 'scalar', 'empty', 'größe/λ', 'columns', 'none', 'blank'], a.files
assert a['outputs'].dtype == np.float64 and a['outputs'].shape == (4, 3)
assert a['0.weight'].shape == (2, 3, 4) and a['scalar'].shape == () and a['scalar'] == 0.1
assert a['empty'].shape == (0, 7)
assert a['columns'].dtype.kind == 'U'
assert list(a['columns']) == ['0.weight[0, 1]', '', 'β∂/∂w', '😀', 'a']
assert a['none'].shape == (0,) and list(a['blank']) == ['', '']
assert np.load(folder + '/none.npz').files == []
assert zipfile.ZipFile(folder + '/a.npz').testzip() is None
arrays = {name: a[name] for name in a.files}
np.savez(folder + '/stored.npz', **arrays)
np.savez_compressed(folder + '/deflated.npz', **arrays)
swapped = {name: np.asarray(x, x.dtype.newbyteorder('>'), order='F') for name, x in arrays.items()}
np.savez_compressed(folder + '/swapped.npz', **swapped)
np.savez(folder + '/kinds.npz', x=np.arange(6, dtype='>i2').reshape(2, 3), y=np.array([True, False]))
np.savez_compressed(folder + '/zeros.npz', z=np.zeros(10**7))
np.savez(folder + '/none2.npz')
)",
                                {directory.path()});
  ASSERT_EQ(numpy.status, 0) << numpy.output;
  for (const char* name : {"stored.npz", "deflated.npz", "swapped.npz"})
    expect_equal(load_npz(directory / name), example());
  EXPECT_TRUE(equal(load_npz(directory / "kinds.npz").arrays.at(0).second, (Tensor{{0, 1, 2}, {3, 4, 5}})));
  EXPECT_TRUE(equal(load_npz(directory / "kinds.npz").arrays.at(1).second, (Tensor{1, 0})));
  // Packed by a factor near the most that deflate can do.
  EXPECT_LT(read_bytes(directory / "zeros.npz").size(), 90000u);
  EXPECT_TRUE(equal(load_npz(directory / "zeros.npz").arrays.at(0).second, Tensor::zeros(Shape{10000000})));
  EXPECT_TRUE(load_npz(directory / "none2.npz").arrays.empty());
}

TEST(Npz, ParamsRoundTripAndAreReadByNumPy) {
  const TemporaryDirectory directory;
  Rng rng(2);
  const Params w({{"0.weight", rng.normal(Shape{4, 2})},
                  {"0.bias", rng.normal(Shape{4})},
                  {"scale", Tensor::scalar(3)}});
  save(directory / "w.npz", w);
  const Params found = load_params(directory / "w.npz");
  EXPECT_TRUE(equal(found.flat(), w.flat()));
  ASSERT_EQ(found.table().size(), 3u);
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(found.table()[k].name, w.table()[k].name);
    EXPECT_EQ(found.table()[k].shape, w.table()[k].shape);
    EXPECT_EQ(found.table()[k].offset, w.table()[k].offset);
  }
  save(directory / "none.npz", Params{});
  EXPECT_TRUE(load_params(directory / "none.npz").table().empty());

  COTANGENT_NEEDS_NUMPY();
  const auto numpy = run_python(
      "import sys, numpy as np\n"
      "w = np.load(sys.argv[1])\n"
      "assert w.files == ['0.weight', '0.bias', 'scale'] and w['0.weight'].shape == (4, 2) and "
      "w['scale'].shape == ()\n"
      "print(repr(float(w['0.weight'][3, 1])))",
      {directory / "w.npz"});
  ASSERT_EQ(numpy.status, 0) << numpy.output;
  EXPECT_EQ(std::stod(numpy.output), w["0.weight"](3, 1));
}

/// Little-endian number of n bytes.
std::string little(std::uint64_t value, std::size_t n) {
  std::string text(n, '\0');
  for (std::size_t k = 0; k < n; ++k, value >>= 8) text[k] = static_cast<char>(value & 0xff);
  return text;
}

std::uint32_t crc32(const std::string& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int k = 0; k < 8; ++k) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  return ~crc;
}

/// A member of a hand-made archive: what its headers claim and what is there.
struct Member {
  std::string name;
  std::string bytes;
  std::uint32_t size = static_cast<std::uint32_t>(bytes.size());
  std::uint32_t packed_size = static_cast<std::uint32_t>(bytes.size());
  std::uint32_t crc = crc32(bytes);
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
};

std::string archive(const std::vector<Member>& members) {
  std::string body, directory;
  for (const Member& m : members) {
    const std::string common = little(m.flags, 2) + little(m.method, 2) + little(0, 2) + little(33, 2) +
                               little(m.crc, 4) + little(m.packed_size, 4) + little(m.size, 4) +
                               little(m.name.size(), 2) + little(0, 2);
    directory += "PK\x01\x02" + little(20, 2) + little(20, 2) + common + little(0, 10) +
                 little(body.size(), 4) + m.name;
    body += "PK\x03\x04" + little(20, 2) + common + m.name + m.bytes;
  }
  return body + directory + "PK\x05\x06" + little(0, 4) + little(members.size(), 2) +
         little(members.size(), 2) + little(directory.size(), 4) + little(body.size(), 4) + little(0, 2);
}

/// The bytes of an .npy: header text as given, then data.
std::string npy(const std::string& header, const std::string& data) {
  return "\x93NUMPY" + std::string("\x01\0", 2) + little(header.size(), 2) + header + data;
}
std::string npy(const std::string& descr, const std::string& shape, const std::string& data) {
  return npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + "}", data);
}

// So that equal contents give equal bytes on other days too: all headers name the first day zip knows.
TEST(Npz, NoMemberHasATimeOfDay) {
  const TemporaryDirectory directory;
  save_npz(directory / "a.npz", example());
  const std::string bytes = read_bytes(directory / "a.npz");
  const std::size_t members = example().arrays.size() + example().labels.size();
  const std::string midnight = little(0, 2) + little(1 << 5 | 1, 2);  // of 1 January 1980
  const auto expect_midnight = [&](const std::string& signature, std::size_t place) {
    std::size_t headers = 0;
    for (std::size_t at = bytes.find(signature); at != std::string::npos;
         at = bytes.find(signature, at + 1)) {
      EXPECT_EQ(bytes.substr(at + place, 4), midnight) << at;
      ++headers;
    }
    EXPECT_EQ(headers, members);
  };
  expect_midnight("PK\x03\x04", 10);
  expect_midnight("PK\x01\x02", 12);
}

TEST(Npz, ReadsHandMadeArchives) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npz";
  write_bytes(path,
              archive({{"x.npy", npy("|u1", "(3,)", "\x01\x02\x03")},
                       {"t.npy", npy(">U2", "(2,)", std::string("\0\0\0a\0\0\0b\0\1\xf6\0\0\0\0\0", 16))}}));
  const NpzContents found = load_npz(path);
  EXPECT_TRUE(equal(found.arrays.at(0).second, (Tensor{1, 2, 3})));
  EXPECT_EQ(found.labels.at(0).second, (std::vector<std::string>{"ab", "😀"}));
}

TEST(Npz, RefusesArchivesThatLieOrHoldSomethingElse) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npz";
  const std::string good = npy("|u1", "(3,)", "\x01\x02\x03");
  const std::string size = std::to_string(good.size());
  const std::string x = ": array \"x\": ";
  struct Case {
    std::string bytes, what;
  };
  Member longer{"x.npy", good};
  longer.size += 1;
  Member far_longer{"x.npy", good};
  far_longer.size = far_longer.packed_size = 0x7fffffff;
  Member bomb{"x.npy", good};
  bomb.method = 8;
  bomb.size = 0x7fffffff;
  Member damaged{"x.npy", good};
  damaged.crc ^= 1;
  Member garbage{"x.npy", "\x07 no such block type"};
  garbage.method = 8;
  // An empty stored block and an empty last block: nothing, where three bytes are announced.
  Member shorter{"x.npy", std::string("\x00\x00\x00\xff\xff\x03\x00", 7)};
  shorter.method = 8;
  shorter.size = 3;
  shorter.crc = 0;
  const std::string twice = archive({{"x.npy", good}, {"x.npy", good}});
  const std::vector<Case> cases = {
      {"", ": is not a readable .npz file: it is too short" + kAgain},
      {std::string(1000, 'x'), ": is not a readable .npz file: Not a zip archive" + kAgain},
      {twice, ": has two members \"x.npy\"" + kAgain},
      {archive({longer}), x + "claims " + std::to_string(good.size() + 1) + " bytes packed into " + size +
                              " of a file of " + std::to_string(archive({longer}).size()) + kCopy},
      {archive({bomb}), x + "claims 2147483647 bytes packed into " + size + " of a file of " +
                            std::to_string(archive({bomb}).size()) + kCopy},
      {archive({far_longer}), x + "claims 2147483647 bytes packed into 2147483647 of a file of " +
                                  std::to_string(archive({far_longer}).size()) + kCopy},
      {archive({damaged}), x + "cannot be unpacked: CRC error" + kCopy},
      {archive({shorter}), x + "does not have the 3 bytes its directory claims" + kCopy},
      {archive({garbage}), x + "cannot be unpacked: Zlib error: data error" + kCopy},
      {archive({{"x.npy", ""}}), x + "is not an .npy file; save it again with numpy.save or cotangent::save"},
      {archive({{"x.npy", good.substr(0, good.size() - 1)}}),
       x + "its header says shape [3] of '|u1', 3 bytes, but 2 follow" + kCopy},
      {archive({{"x.npy", npy("<f8", "(4294967295, 65535)", "")}}),
       x + "its header says shape [4294967295, 65535] of '<f8', 2251765453422600 bytes, but 0 follow" +
           kCopy},
      {archive({{"x.npy", npy("<U0", "(4000000000,)", "")}}),
       x + "holds text of no width; save it again with numpy.savez"},
      {archive({{"x.npy", npy("<U1", "(1,)", little(0xd800, 4))}}),
       x + "text 0 holds 0xd800, which is no character" + kCopy},
      {archive({{"x.npy", npy("<U1", "(1,)", little(0x110000, 4))}}),
       x + "text 0 holds 0x110000, which is no character" + kCopy},
  };
  for (const Case& c : cases) {
    write_bytes(path, c.bytes);
    EXPECT_EQ(error_of<DomainError>([&] { load_npz(path); }), "[load_npz] " + path + c.what);
  }
  write_bytes(path, archive({{"x.npy", npy("<U1", "(1,)", little('a', 4))}}));
  EXPECT_EQ(error_of<DomainError>([&] { load_params(path); }),
            "[load_params] " + path +
                ": array \"x\": holds text, not numbers; read text members of an .npz by load_npz");
  EXPECT_EQ(error_of<DomainError>([&] { load_npz(directory / "none"); }),
            "[load_npz] " + (directory / "none") +
                ": cannot be opened: No such file or directory; check the name and the permissions");
}

TEST(Npz, WhatIsNeitherNumbersNorTextStandsInNobodysWay) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npz";
  const std::string good = npy("|u1", "(3,)", "\x01\x02\x03");
  const std::string y = ": array \"y\": ";
  const std::string convert = "; convert the array with .astype('float64') before saving it";
  Member bzip2{"y.npy", good};
  bzip2.method = 12;
  Member secret{"y.npy", good};
  secret.flags = 1;
  struct Case {
    Member member;
    std::string name, what;
  };
  const std::vector<Case> cases = {
      {{"y.npy", npy("|O", "(1,)", "12345678")}, "y", y + "holds Python objects (dtype '|O')" + convert},
      {{"y.npy", npy("<c8", "(1,)", "12345678")},
       "y",
       y + "holds dtype '<c8', which is none of f4, f8, i1 to i8, u1 to u8, b1 and U; save its .real and its "
           ".imag as two arrays"},
      {{"y.npy", npy("<i8", "()", std::string(8, '\x11'))},
       "y",
       y + "holds 1229782938247303441, which no double equals; split it into two arrays, or round it with "
           ".astype('float64'), before saving it"},
      {{"y.npy", npy("|u1", "(1, 1, 1, 1, 1, 1, 1, 1, 1)", "a")},
       "y",
       y + "has more than 8 axes; reshape the array to at most 8 axes"},
      {secret, "y", y + "is encrypted; save it without a password"},
      {bzip2, "y", y + "is packed by method 12, neither stored nor deflated" + kAgain},
      {{"y.txt", good}, "y.txt", ": its member \"y.txt\" is not an array" + kAgain},
      {{"y/", ""}, "y/", ": its member \"y/\" is not an array" + kAgain},
      {{".npy", good}, ".npy", ": its member \".npy\" is not an array" + kAgain},
  };
  for (const Case& c : cases) {
    write_bytes(path, archive({{"x.npy", good}, c.member, {"z.npy", good}}));
    const NpzContents found = load_npz(path);
    const std::string text = "[load_npz] " + path + c.what;
    EXPECT_EQ(found.arrays.size(), 2u);
    EXPECT_TRUE(equal(found.array("x"), (Tensor{1, 2, 3})));
    EXPECT_TRUE(equal(found.array("z"), (Tensor{1, 2, 3})));
    EXPECT_EQ(found.others, (std::vector<std::pair<std::string, std::string>>{{c.name, text}}));
    EXPECT_EQ(error_of<DomainError>([&] { found.array(c.name); }), text);
    // Parameters are all that is in a file.
    EXPECT_EQ(error_of<DomainError>([&] { load_params(path); }), "[load_params] " + path + c.what);
    EXPECT_EQ(
        error_of<DomainError>([&] { save_npz(path, found); }),
        "[save_npz] " + path + ": \"" + c.name + "\" was not read and cannot be written; clear .others");
  }
  write_bytes(path, archive({{"y.npy", npy("<U1", "(1, 1)", little('a', 4))}}));
  EXPECT_EQ(error_of<DomainError>([&] { load_npz(path).array("y"); }),
            "[load_npz] " + path + y +
                "holds text of shape [1, 1], not one-dimensional; flatten it with .ravel() before saving it");
  write_bytes(path, archive({{"x.npy", good}, {"z.npy", good}}));
  EXPECT_EQ(error_of<DomainError>([&] { load_npz(path).array("w"); }),
            "[NpzContents] no array is called \"w\"; the names are \"x\", \"z\"");
  EXPECT_EQ(error_of<DomainError>([&] { NpzContents().array("w"); }),
            "[NpzContents] no array is called \"w\"; the names are none: there are no arrays of numbers");
}

TEST(Npz, NumPysObjectsStandInNobodysWay) {
  COTANGENT_NEEDS_NUMPY();
  const TemporaryDirectory directory;
  const auto numpy = run_python(R"(
import sys, numpy as np
np.savez(sys.argv[1], x=np.arange(3.0), o=np.array([{'a': 1}, None], dtype=object), c=np.array([1j]),
         r=np.array([(1, 2.0)], dtype=[('a', 'i4'), ('b', 'f8')]), s=np.array([b'bytes']),
         t=np.array(['2020-01-01'], dtype='M8[D]'), g=np.array([1.0], dtype='g'))
)",
                                {directory / "a.npz"});
  ASSERT_EQ(numpy.status, 0) << numpy.output;
  const NpzContents found = load_npz(directory / "a.npz");
  EXPECT_TRUE(equal(found.array("x"), (Tensor{0, 1, 2})));
  EXPECT_EQ(found.others.size(), 6u);
}

TEST(Npz, WideTextThatIsNotThereTakesNoMemory) {
  const TemporaryDirectory directory;
  write_bytes(directory / "a.npz", archive({{"x.npy", npy("<U999999999", "(0,)", "")}}));
  EXPECT_LT(test::peak_mebibytes([&] { load_npz(directory / "a.npz"); }), 100);
  EXPECT_EQ(load_npz(directory / "a.npz").labels.at(0).second, std::vector<std::string>{});
}

TEST(Npz, TextKeepsWhatIsBetweenItsCharacters) {
  const TemporaryDirectory directory;
  write_bytes(directory / "a.npz",
              archive({{"x.npy", npy("<U4", "(2,)",
                                     little('a', 4) + little(0, 8) + little('b', 4) + little(0, 4) +
                                         little('c', 4) + little(0, 8))}}));
  EXPECT_EQ(load_npz(directory / "a.npz").labels.at(0).second,
            (std::vector<std::string>{std::string("a\0\0b", 4), std::string("\0c", 2)}));
}

std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;)
    if (std::uint64_t kibibytes = 0; word == "MemAvailable:" && file >> kibibytes) return kibibytes << 10;
  return 0;
}

TEST(SlowNpz, PackedMembersBeyondWhatZlibCountsAreRead) {
  if (available_memory() < std::uint64_t{12} << 30) GTEST_SKIP() << "it takes 12 GB of memory";
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npz";
  // 2^29 + 2^20 doubles, which are 4 GiB and 8 MiB: zeros, but for the first and the last.
  const auto python = run_python(R"(
import struct, sys, zipfile
count = 2**29 + 2**20
text = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }\n" % count
zeros = bytes(2**20)
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
    with archive.open('x.npy', 'w', force_zip64=True) as member:
        member.write(b'\x93NUMPY\x01\x00' + struct.pack('<H', len(text)) + text.encode())
        member.write(struct.pack('<d', 1.5) + bytes(2**20 - 8))
        for _ in range(8 * count // 2**20 - 2):
            member.write(zeros)
        member.write(bytes(2**20 - 8) + struct.pack('<d', 2.5))
)",
                                 {path});
  ASSERT_EQ(python.status, 0) << python.output;
  EXPECT_LT(std::filesystem::file_size(path), std::uint64_t{64} << 20);
  const NpzContents contents = load_npz(path);
  const std::span<const double> numbers = contents.array("x").data();
  ASSERT_EQ(numbers.size(), (std::size_t{1} << 29) + (std::size_t{1} << 20));
  EXPECT_EQ(numbers.front(), 1.5);
  EXPECT_EQ(numbers.back(), 2.5);
  EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0.0), 4.0);
}

TEST(Npz, OverlappingMembersAreRefused) {
  // Many directory entries that point at one member would unpack to far more than the file holds.
  const TemporaryDirectory directory;
  const Member m{"0.npy", npy("|u1", "(2000,)", std::string(2000, '\1'))};
  const std::string one = archive({m});
  const std::size_t entry_begin = one.find("PK\x01\x02"), entry_end = one.find("PK\x05\x06");
  std::string entries;
  for (char name = '0'; name <= '9'; ++name) {
    std::string entry = one.substr(entry_begin, entry_end - entry_begin);
    entry[46] = name;
    entries += entry;
  }
  write_bytes(directory / "a.npz", one.substr(0, entry_begin) + entries + "PK\x05\x06" + little(0, 4) +
                                       little(10, 2) + little(10, 2) + little(entries.size(), 4) +
                                       little(entry_begin, 4) + little(0, 2));
  const std::string text = error_of<DomainError>([&] { load_npz(directory / "a.npz"); });
  EXPECT_NE(text.find("array \"1\": claims "), std::string::npos) << text;
}

TEST(Npz, DamagedArchivesGiveAnErrorOrContents) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npz";
  Rng rng(6);
  const NpzContents contents{.arrays = {{"x", rng.normal(Shape{2, 2})}}, .labels = {{"names", {"a", "bc"}}}};
  save_npz(path, contents);
  std::vector<std::string> originals = {read_bytes(path)};
  if (test::has_numpy()) {
    run_python("import sys, numpy as np\nnp.savez_compressed(sys.argv[1], **np.load(sys.argv[1]))", {path});
    originals.push_back(read_bytes(path));
  }
  for (const std::string& whole : originals) {
    for (std::size_t n = 0; n < whole.size(); ++n) {
      write_bytes(path, whole.substr(0, n));
      EXPECT_NE(error_of<DomainError>([&] { load_npz(path); }), "nothing thrown") << n;
    }
    int refused = 0;
    for (int trial = 0; trial < 1500; ++trial) {
      std::string bytes = whole;
      for (Index flips = 1 + rng.below(3); flips > 0; --flips)
        bytes[static_cast<std::size_t>(rng.below(static_cast<Index>(bytes.size())))] =
            static_cast<char>(rng.below(256));
      write_bytes(path, bytes);
      try {
        load_npz(path);
      } catch (const DomainError& e) {
        EXPECT_TRUE(std::string(e.what()).starts_with("[load_npz] " + path + ": ")) << e.what();
        ++refused;
      }
    }
    EXPECT_GT(refused, 500);
  }
}

TEST(Npz, SaveRefusesBadNamesAndLabels) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npz";
  write_bytes(path, "old");
  const auto text = [&](NpzContents contents) {
    return error_of<DomainError>([&] { save_npz(path, contents); });
  };
  const std::string begin = "[save_npz] " + path + ": ";
  const std::string bad_name =
      " has no name, or one that is not UTF-8 text without NUL characters; rename it";
  EXPECT_EQ(text({.arrays = {{"a", {}}, {"", {}}}, .labels = {}}), begin + "array 1" + bad_name);
  EXPECT_EQ(text({.arrays = {{"\xff", {}}}, .labels = {}}), begin + "array 0" + bad_name);
  EXPECT_EQ(text({.arrays = {{std::string("a\0b", 3), {}}}, .labels = {}}), begin + "array 0" + bad_name);
  EXPECT_EQ(text({.arrays = {}, .labels = {{std::string("a\0b", 3), {"\xff"}}}}),
            begin + "array 0" + bad_name);
  EXPECT_EQ(text({.arrays = {{"a", {}}}, .labels = {{"a", {}}}}),
            begin + "two arrays are called \"a\"; rename one of them");
  EXPECT_EQ(text({.arrays = {{std::string(70000, 'a'), {}}}, .labels = {}}),
            begin + "the name of array 0 has 70000 bytes; shorten it");
  const std::string bad_label = " is not UTF-8 text without NUL characters; rename it";
  // Lone tail, missing tail, overlong, surrogate, beyond the last, NUL.
  for (const std::string& label :
       {std::string("\x80"), std::string("\xc3"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80"),
        std::string("\xf4\x90\x80\x80"), std::string("a\0", 2)})
    EXPECT_EQ(text({.arrays = {}, .labels = {{"names", {"good", label}}}}),
              begin + "array \"names\": label 1" + bad_label);
  EXPECT_EQ(read_bytes(path), "old");
}

}  // namespace
}  // namespace cotangent
