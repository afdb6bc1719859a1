// Harnesses: errors are DomainErrors in the house's form, and what two readers both read is the same.
#include "tests/fuzz/harnesses.hpp"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/files/utf8.hpp"
#include "autodiff/npz.hpp"
#include "autodiff/params.hpp"
#include "nn/csv.hpp"
#include "nn/idx.hpp"
#include "nn/introspect.hpp"
#include "nn/nn.hpp"
#include "optim/loop/checkpoint.hpp"
#include "report/json.hpp"

namespace cotangent::fuzz {
namespace {

void require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << std::endl;
  std::abort();
}

/// Bytes as a regular file without a place on a disk.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : number_(::memfd_create("bytes", MFD_CLOEXEC)) {
    require(number_ >= 0, "a file can be made in memory");
    while (!bytes.empty()) {
      const ssize_t written = ::write(number_, bytes.data(), bytes.size());
      require(written > 0, "there is memory for a file");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(number_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(number_); }

 private:
  int number_;
};

/// What f gives, or nothing where it throws a DomainError, which must be in the house's form.
template <class F>
auto unless_refused(F f) -> std::optional<decltype(f())> {
  try {
    return f();
  } catch (const DomainError& error) {
    const std::string text = error.what();
    require(text.starts_with("[") && text.find("] ") != std::string::npos,
            "an error begins with [operation]");
    require(text.find("; ") != std::string::npos, "an error ends with a fix");
    return std::nullopt;
  }
}

/// read(path) of a file with these bytes.
template <class Read>
auto read_as_file(std::string_view bytes, Read read) {
  const MemoryFile file(bytes);
  return unless_refused([&] { return read(file.path()); });
}

/// Of the same shape and the same numbers; NaN is one.
bool same(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return false;
  for (std::size_t i = 0; i < a.data().size(); ++i)
    if (!(a.data()[i] == b.data()[i] || (std::isnan(a.data()[i]) && std::isnan(b.data()[i])))) return false;
  return true;
}

std::string gzip(std::string_view bytes) {
  z_stream z{};
  require(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib has memory");
  std::string in(bytes), out(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  require(deflate(&z, Z_FINISH) == Z_STREAM_END, "zlib packs");
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

void npy(std::string_view bytes) {
  const auto tensor = read_as_file(bytes, [](const std::string& path) { return load(path); });
  require(!tensor || static_cast<std::size_t>(tensor->size()) <= bytes.size(),
          "a number takes a byte at least");
}

void npz(std::string_view bytes) {
  const auto contents = read_as_file(bytes, load_npz);
  if (!contents) return;
  if (!contents->arrays.empty()) {
    const auto& [name, tensor] = contents->arrays.back();
    require(same(contents->array(name), tensor), "an array has its name");
  }
  if (!contents->others.empty())
    require(!unless_refused([&] { return contents->array(contents->others.back().first); }),
            "what is not read is refused");
}

void params(std::string_view bytes) { read_as_file(bytes, load_params); }

void weights(std::string_view bytes) {
  const nn::Sequential net = nn::mlp({1, 2, 1}, nn::Tanh());
  try {
    const auto w = read_as_file(bytes, [&](const std::string& path) { return nn::read_params(net, path); });
    require(!w || w->size() == 7, "the network has 7 parameters");
  } catch (const ShapeError&) {  // promised for blocks of another shape
  }
}

void idx(std::string_view bytes) { read_as_file(bytes, nn::read_idx); }

/// The first byte says in how many members the others are packed, and how many zeros follow.
void idx_packed(std::string_view bytes) {
  if (bytes.empty()) return;
  const unsigned how = static_cast<unsigned char>(bytes[0]);
  bytes.remove_prefix(1);
  if (bytes.starts_with("\x1f\x8b")) return;  // packed already
  const std::size_t members = 1 + how % 4, zeros = how / 4 % 8;
  std::string packed;
  for (std::size_t k = 0; k < members; ++k) {
    const std::size_t begin = bytes.size() * k / members, end = bytes.size() * (k + 1) / members;
    packed += gzip(bytes.substr(begin, end - begin)) + std::string(zeros, '\0');
  }
  const auto plain = read_as_file(bytes, nn::read_idx), unpacked = read_as_file(packed, nn::read_idx);
  require(plain.has_value() == unpacked.has_value(), "packing changes nothing");
  require(!plain || same(*plain, *unpacked), "packing changes no number");
}

/// The first byte chooses the options.
void csv(std::string_view bytes) {
  if (bytes.empty()) return;
  const unsigned how = static_cast<unsigned char>(bytes[0]);
  constexpr nn::CsvHeader kHeaders[] = {nn::CsvHeader::automatic, nn::CsvHeader::yes, nn::CsvHeader::no};
  const nn::CsvOptions options{.header = kHeaders[how % 3], .delimiter = ",;\t |"[how / 3 % 5]};
  const auto table =
      read_as_file(bytes.substr(1), [&](const std::string& path) { return nn::read_csv(path, options); });
  require(!table || table->numbers.size(1) == static_cast<Index>(table->names.size()),
          "each column has a name");
}

void record(std::string_view bytes) { read_as_file(bytes, report::load_record); }

/// Lines of a table of parameters, as a run saves them.
void table(std::string_view bytes) {
  std::vector<std::string> lines(1);
  for (const char c : bytes) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  const auto entries = unless_refused([&] { return optim::table_of_lines("run.npz", lines); });
  Index end = 0;
  for (std::size_t k = 0; entries && k < entries->size(); ++k) {
    require((*entries)[k].offset == end, "blocks follow one another");
    end += (*entries)[k].size();
  }
}

/// A name and a text, separated by a new line: saved and read back they are the same, or saving refuses them.
void names(std::string_view bytes) {
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::string name(bytes.substr(0, end)), text(bytes.substr(std::min(end + 1, bytes.size())));
  std::string pattern =
      (std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/fuzz-XXXXXX");
  require(::mkdtemp(pattern.data()) != nullptr, "a folder can be made");
  const std::string path = pattern + "/a.npz";
  const NpzContents contents{.arrays = {{name, Tensor{1, 2}}}, .labels = {{name + "'", {text, "x"}}}};
  const auto back = unless_refused([&] {
    save_npz(path, contents);
    return load_npz(path);
  });
  std::filesystem::remove_all(pattern);
  if (!back) return;
  require(back->others.empty() && back->labels == contents.labels, "texts come back");
  require(back->arrays.size() == 1 && back->arrays[0].first == name, "names come back");
}

/// Characters that are read are written back as they were.
void utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const detail::Utf8Character character = detail::first_character(bytes);
    std::string again;
    if (character.length > 0) {
      require(character.length <= bytes.size() && detail::is_scalar_value(character.point),
              "it is a character");
      detail::append_utf8(again, character.point);
      require(again == bytes.substr(0, character.length), "a character has one form");
    }
    bytes.remove_prefix(std::max<std::size_t>(character.length, 1));
  }
}

constexpr Harness kHarnesses[] = {
    {"npy", npy},     {"npz", npz},   {"params", params},        {"weights", weights},
    {"idx", idx},     {"csv", csv},   {"record", record},        {"table", table},
    {"names", names}, {"utf8", utf8}, {"idx_packed", idx_packed}};

}  // namespace

std::span<const Harness> harnesses() { return kHarnesses; }

}  // namespace cotangent::fuzz
