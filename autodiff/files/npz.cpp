// The .npz container: .npy members in a zip archive, by libzip, from memory and into memory.
#include "autodiff/npz.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <memory>
#include <new>
#include <unordered_set>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"
#include "autodiff/files/npy_format.hpp"
#include "autodiff/params.hpp"

namespace cotangent {
namespace {

constexpr char kSaveAgain[] = "save it again with numpy.savez or cotangent::save";
constexpr char kCopyAgain[] = "the file is truncated or damaged, copy it again";
constexpr std::string_view kSuffix = ".npy";
// Deflate shortens nothing by more than a factor of 1032, so a larger claim is a lie.
constexpr std::uint64_t kLargestRatio = 1032;
// zlib, within libzip, counts bytes by 32 bits.
constexpr zip_uint64_t kMostAtOnce = zip_uint64_t{1} << 30;

struct ZipError {
  zip_error_t value;
  ZipError() { zip_error_init(&value); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  ~ZipError() { zip_error_fini(&value); }
  std::string text() { return zip_error_strerror(&value); }
};

using Archive = std::unique_ptr<zip_t, void (*)(zip_t*)>;
using Member = std::unique_ptr<zip_file_t, int (*)(zip_file_t*)>;

/// Bytes to be read as one zip archive; they must outlive it. The archive owns its source.
Archive open_archive(const detail::NpySource& source) {
  // libzip takes no bytes for an archive without members; the smallest archive has an end record of 22 bytes.
  if (source.bytes.size() < 22) source.fail("is not a readable .npz file: it is too short", kSaveAgain);
  ZipError error;
  zip_source_t* buffer = zip_source_buffer_create(source.bytes.data(), source.bytes.size(), 0, &error.value);
  zip_t* archive = buffer ? zip_open_from_source(buffer, ZIP_RDONLY, &error.value) : nullptr;
  if (!archive) {
    if (buffer) zip_source_free(buffer);
    source.fail("is not a readable .npz file: " + error.text(), kSaveAgain);
  }
  return Archive(archive, zip_discard);
}

/// All bytes of a member whose sizes have been checked; reading to the end also checks the CRC.
std::unique_ptr<std::byte[]> read_member(const detail::NpySource& source, zip_t* archive,
                                         const zip_stat_t& status) {
  const Member member(zip_fopen_index(archive, status.index, 0), zip_fclose);
  if (!member) source.fail(std::string("cannot be read: ") + zip_strerror(archive), kCopyAgain);
  std::unique_ptr<std::byte[]> bytes;
  try {
    bytes = std::make_unique_for_overwrite<std::byte[]>(status.size);
  } catch (const std::bad_alloc&) {
    source.fail(fmt::format("its {} bytes do not fit into memory", status.size), "save a smaller part");
  }
  for (std::uint64_t got = 0;;) {
    std::byte beyond;
    const bool full = got == status.size;
    const zip_int64_t n = zip_fread(member.get(), full ? &beyond : bytes.get() + got,
                                    full ? 1 : std::min(status.size - got, kMostAtOnce));
    if (n < 0 || (n == 0 && !full) || (n > 0 && full))
      source.fail(n < 0 ? "cannot be unpacked: " + std::string(zip_file_strerror(member.get()))
                        : fmt::format("does not have the {} bytes its directory claims", status.size),
                  kCopyAgain);
    if (n == 0) return bytes;
    got += static_cast<std::uint64_t>(n);
  }
}

/// A member's name without .npy, or all of it if it is no array's.
std::string array_name(const std::string& name) {
  const bool array = name.ends_with(kSuffix) && name.size() > kSuffix.size();
  return array ? name.substr(0, name.size() - kSuffix.size()) : name;
}

/// Throws unless a member can be unpacked and its sizes fit a file of which others take `taken` bytes.
void check_packing(const detail::NpySource& source, const zip_stat_t& status, std::uint64_t file_size,
                   std::uint64_t taken) {
  if (status.encryption_method != ZIP_EM_NONE) source.refuse("is encrypted", "save it without a password");
  if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE)
    source.refuse(fmt::format("is packed by method {}, neither stored nor deflated", status.comp_method),
                  kSaveAgain);
  // Members that together claim more than the file holds overlap or lie.
  if (status.comp_size > file_size - taken || status.size / kLargestRatio > status.comp_size ||
      (status.comp_method == ZIP_CM_STORE && status.size != status.comp_size))
    source.fail(fmt::format("claims {} bytes packed into {} of a file of {}", status.size, status.comp_size,
                            file_size),
                kCopyAgain);
}

/// Calls add(name, source, header) for every member in order, and not_read(name, error) within the handler of
/// the NotReadable that a member leads to.
template <class Add, class NotRead>
void read_archive(const char* operation, const std::string& path, Add add, NotRead not_read) {
  const detail::FileBytes file = detail::read_file(operation, path);
  const detail::NpySource whole{operation, path, file.span()};
  const Archive archive = open_archive(whole);
  const zip_int64_t members = zip_get_num_entries(archive.get(), 0);
  std::unordered_set<std::string> seen;
  std::uint64_t compressed = 0;
  for (zip_int64_t k = 0; k < members; ++k) {
    zip_stat_t status;
    zip_stat_init(&status);
    constexpr zip_uint64_t kAll = ZIP_STAT_NAME | ZIP_STAT_INDEX | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                  ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(archive.get(), static_cast<zip_uint64_t>(k), ZIP_FL_ENC_GUESS, &status) != 0 ||
        (status.valid & kAll) != kAll)
      whole.fail(fmt::format("member {} of the archive cannot be read", k), kCopyAgain);
    const std::string name = status.name;
    if (!seen.insert(name).second) whole.fail(fmt::format("has two members \"{}\"", name), kSaveAgain);
    const std::string array = array_name(name);
    try {
      detail::NpySource source{operation, fmt::format("{}: array \"{}\"", path, array), {}};
      if (array == name) whole.refuse(fmt::format("its member \"{}\" is not an array", name), kSaveAgain);
      check_packing(source, status, whole.bytes.size(), compressed);
      compressed += status.comp_size;
      const std::unique_ptr<std::byte[]> bytes = read_member(source, archive.get(), status);
      source.bytes = {bytes.get(), static_cast<std::size_t>(status.size)};
      add(array, source, detail::parse_npy_header(source));
    } catch (const detail::NotReadable& error) {
      not_read(array, error);
    }
  }
}

/// A member to write: both pieces must outlive the archive.
struct NewMember {
  std::string name;
  std::string text;
  std::span<const std::byte> data;
};

void check_names(const detail::NpySource& target, const std::vector<std::string_view>& names) {
  std::unordered_set<std::string_view> seen;
  for (const std::string_view name : names) {
    if (name.empty() || name.find('\0') != std::string_view::npos || !detail::decode_utf8(name))
      target.fail(fmt::format("array {} has no name, or one that is not UTF-8 text without NUL characters",
                              seen.size()),
                  "rename it");
    if (name.size() + kSuffix.size() > 0xffff)
      target.fail(fmt::format("the name of array {} has {} bytes", seen.size(), name.size()), "shorten it");
    if (!seen.insert(name).second)
      target.fail(fmt::format("two arrays are called \"{}\"", name), "rename one of them");
  }
}

/// The archive's bytes, members stored as they are. Equal members give equal bytes: there are
/// no times of day.
detail::FileBytes build_archive(const detail::NpySource& target, const std::vector<NewMember>& members) {
  ZipError error;
  zip_source_t* result = zip_source_buffer_create(nullptr, 0, 0, &error.value);
  zip_t* opened = result ? zip_open_from_source(result, ZIP_TRUNCATE, &error.value) : nullptr;
  if (!opened) {
    if (result) zip_source_free(result);
    target.fail("cannot be packed: " + error.text(), "free some memory");
  }
  Archive archive(opened, zip_discard);
  zip_source_keep(result);  // the archive frees it once
  const std::unique_ptr<zip_source_t, void (*)(zip_source_t*)> keeper(result, zip_source_free);
  const auto fail = [&] {
    target.fail(std::string("cannot be packed: ") + zip_strerror(archive.get()), "free some memory");
  };

  for (const NewMember& m : members) {
    // libzip's fragments are not const, but with freep = 0 they are only read.
    const zip_buffer_fragment_t fragments[] = {
        {reinterpret_cast<zip_uint8_t*>(const_cast<char*>(m.text.data())), m.text.size()},
        {reinterpret_cast<zip_uint8_t*>(const_cast<std::byte*>(m.data.data())), m.data.size()}};
    zip_source_t* source = zip_source_buffer_fragment(archive.get(), fragments, m.data.empty() ? 1 : 2, 0);
    if (!source) fail();
    const zip_int64_t index =
        zip_file_add(archive.get(), (m.name + std::string(kSuffix)).c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      fail();
    }
    constexpr zip_uint16_t kFirstOfJanuary1980 = 1 << 5 | 1;
    const zip_uint64_t k = static_cast<zip_uint64_t>(index);
    if (zip_set_file_compression(archive.get(), k, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive.get(), k, 0, kFirstOfJanuary1980, 0) != 0)
      fail();
  }
  if (zip_close(archive.get()) != 0) fail();
  static_cast<void>(archive.release());  // zip_close has freed it

  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_source_stat(result, &status) != 0 || zip_source_open(result) != 0)
    target.fail(std::string("cannot be packed: ") + zip_error_strerror(zip_source_error(result)),
                "free some memory");
  auto bytes = std::make_unique_for_overwrite<std::byte[]>(status.size);
  std::uint64_t got = 0;
  while (got < status.size) {
    const zip_int64_t n =
        zip_source_read(result, bytes.get() + got, std::min(status.size - got, kMostAtOnce));
    if (n <= 0) break;
    got += static_cast<std::uint64_t>(n);
  }
  zip_source_close(result);
  if (got != status.size) target.fail("cannot be packed: its bytes are incomplete", "free some memory");
  return detail::FileBytes(std::move(bytes), static_cast<std::size_t>(status.size));
}

void write_archive(const char* operation, const std::string& path, const std::vector<NewMember>& members) {
  const detail::NpySource target{operation, path, {}};
  if (members.empty()) {
    // libzip writes no archive without members; this is one: the end record of an empty directory.
    constexpr char kEmpty[22] = {'P', 'K', 5, 6};
    const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(kEmpty))};
    return detail::atomic_write(operation, path, pieces);
  }
  const detail::FileBytes bytes = build_archive(target, members);
  const std::span<const std::byte> pieces[] = {bytes.span()};
  detail::atomic_write(operation, path, pieces);
}

/// The numbers themselves belong to whoever holds them beyond this call.
NewMember number_member(const std::string& name, const Tensor& tensor) {
  return {name, detail::npy_header_text("f8", tensor.shape()), std::as_bytes(tensor.data())};
}

}  // namespace

const Tensor& NpzContents::array(std::string_view name) const {
  for (const auto& [known, tensor] : arrays)
    if (known == name) return tensor;
  for (const auto& [known, why] : others)
    if (known == name) throw DomainError(why);
  std::string names;
  for (const auto& [known, tensor] : arrays) names += (names.empty() ? "\"" : ", \"") + known + "\"";
  throw DomainError(fmt::format("[NpzContents] no array is called \"{}\"; the names are {}", name,
                                names.empty() ? "none: there are no arrays of numbers" : names));
}

void save_npz(const std::string& path, const NpzContents& contents) {
  if (!contents.others.empty())
    throw DomainError(fmt::format("[save_npz] {}: \"{}\" was not read and cannot be written; clear .others",
                                  path, contents.others[0].first));
  // Before any text is made, whose errors name it.
  std::vector<std::string_view> names;
  for (const auto& [name, tensor] : contents.arrays) names.emplace_back(name);
  for (const auto& [name, labels] : contents.labels) names.emplace_back(name);
  check_names({"save_npz", path, {}}, names);
  std::vector<NewMember> members;
  for (const auto& [name, tensor] : contents.arrays) members.push_back(number_member(name, tensor));
  for (const auto& [name, labels] : contents.labels)
    members.push_back(
        {name, detail::npy_labels_text("save_npz", fmt::format("{}: array \"{}\"", path, name), labels), {}});
  write_archive("save_npz", path, members);
}

NpzContents load_npz(const std::string& path) {
  NpzContents contents;
  read_archive(
      "load_npz", path,
      [&](const std::string& name, const detail::NpySource& source, const detail::NpyHeader& header) {
        if (header.kind == detail::NpyKind::kText)
          contents.labels.emplace_back(name, detail::npy_labels(source, header));
        else
          contents.arrays.emplace_back(name, detail::npy_numbers(source, header));
      },
      [&](const std::string& name, const detail::NotReadable& error) {
        contents.others.emplace_back(name, error.what());
      });
  return contents;
}

void save(const std::string& path, const Params& params) {
  std::vector<std::string_view> names;
  for (const ParamEntry& e : params.table()) names.emplace_back(e.name);
  check_names({"save", path, {}}, names);
  std::vector<NewMember> members;
  for (const ParamEntry& e : params.table()) members.push_back(number_member(e.name, params[e.name]));
  write_archive("save", path, members);
}

Params load_params(const std::string& path) {
  std::vector<std::pair<std::string, Tensor>> blocks;
  read_archive(
      "load_params", path,
      [&](const std::string& name, const detail::NpySource& source, const detail::NpyHeader& header) {
        blocks.emplace_back(name, detail::npy_numbers(source, header));
      },
      [](const std::string&, const detail::NotReadable&) { throw; });
  return Params(blocks);
}

}  // namespace cotangent
