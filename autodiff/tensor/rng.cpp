// Rng: Philox4x32-10 and what is drawn from it. Whole numbers and IEEE + - * / sqrt only.
#include "autodiff/rng.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/tensor/access.hpp"
#include "autodiff/tensor/inverse_normal.hpp"

namespace cotangent {
namespace {

constexpr std::uint32_t low_word(std::uint64_t x) { return static_cast<std::uint32_t>(x & 0xffffffffu); }
constexpr std::uint32_t high_word(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

std::array<std::uint32_t, 4> block_at(std::uint64_t stream, std::uint64_t block,
                                      const std::array<std::uint32_t, 2>& key) {
  return Rng::philox({low_word(block), high_word(block), low_word(stream), high_word(stream)}, key);
}

/// FNV-1a over the eight bytes of `parent`, low byte first, and those of `name`; then SplitMix64's finaliser,
/// so that streams split from each other differ in about half of their bits.
std::uint64_t child_stream(std::uint64_t parent, std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325u;
  const auto absorb = [&h](std::uint64_t byte) { h = (h ^ (byte & 0xffu)) * 0x100000001b3u; };
  for (int shift = 0; shift < 64; shift += 8) absorb(parent >> shift);
  for (const char c : name) absorb(static_cast<unsigned char>(c));
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
  return h ^ (h >> 31);
}

constexpr std::string_view kStateName = "philox4x32-10";

}  // namespace

std::array<std::uint32_t, 4> Rng::philox(std::array<std::uint32_t, 4> counter,
                                         std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xd2511f53u} * counter[0];
    const std::uint64_t b = std::uint64_t{0xcd9e8d57u} * counter[2];
    counter = {high_word(b) ^ counter[1] ^ key[0], low_word(b), high_word(a) ^ counter[3] ^ key[1],
               low_word(a)};
    key[0] += 0x9e3779b9u;
    key[1] += 0xbb67ae85u;
  }
  return counter;
}

Rng::Rng(std::uint64_t seed) noexcept : key_{low_word(seed), high_word(seed)} {}

Rng Rng::split(std::string_view name) const noexcept {
  Rng child(0);
  child.key_ = key_;
  child.stream_ = child_stream(stream_, name);
  return child;
}

std::uint64_t Rng::bits() noexcept {
  if (used_ == 4) {
    words_ = block_at(stream_, block_++, key_);
    used_ = 0;
  }
  const std::uint64_t low = words_[used_];
  const std::uint64_t high = words_[used_ + 1];
  used_ += 2;
  return low | high << 32;
}

double Rng::uniform() noexcept { return static_cast<double>(bits() >> 11) * 0x1p-53; }

double Rng::normal() noexcept {
  // The centre of one of 2^52 equal cells: exact, symmetric about 1/2, never 0 or 1.
  return detail::inverse_normal(static_cast<double>(2 * (bits() >> 12) + 1) * 0x1p-53);
}

Index Rng::below(Index n) {
  if (n < 1) throw DomainError(fmt::format("[Rng::below] n is {}; ask for a number below n >= 1", n));
  const std::uint64_t range = static_cast<std::uint64_t>(n);
  for (;;) {
    const std::uint64_t x = bits();
    const std::uint64_t remainder = x % range;
    // The last, incomplete run of `range` numbers below 2^64 would favour small remainders.
    if (x - remainder <= std::numeric_limits<std::uint64_t>::max() - (range - 1))
      return static_cast<Index>(remainder);
  }
}

Tensor Rng::uniform(const Shape& shape, double low, double high) {
  const double width = high - low;
  if (!(low <= high) || !std::isfinite(width))
    throw DomainError(
        fmt::format("[Rng::uniform] low is {} and high is {} for shape {}; give finite numbers, low <= high",
                    low, high, shape.to_string()));
  Tensor result = detail::uninitialized(shape);
  double* out = detail::mutable_data(result);
  for (Index i = 0; i < shape.size(); ++i) {
    double x = low + width * uniform();
    while (x >= high && low < high) x = low + width * uniform();  // the sum may round up to `high`
    out[i] = x;
  }
  return result;
}

Tensor Rng::normal(const Shape& shape, double mean, double deviation) {
  if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation < 0.0)
    throw DomainError(fmt::format(
        "[Rng::normal] mean is {} and deviation is {} for shape {}; give finite numbers, deviation >= 0",
        mean, deviation, shape.to_string()));
  Tensor result = detail::uninitialized(shape);
  double* out = detail::mutable_data(result);
  for (Index i = 0; i < shape.size(); ++i) out[i] = mean + deviation * normal();
  return result;
}

std::vector<Index> Rng::permutation(Index n) {
  if (n < 0)
    throw DomainError(fmt::format("[Rng::permutation] n is {}; give the number of items, n >= 0", n));
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[static_cast<std::size_t>(below(static_cast<Index>(i)))]);
  return order;
}

std::string Rng::state() const {
  return fmt::format("{} {:08x}{:08x} {:016x} {:016x} {}", kStateName, key_[1], key_[0], stream_, block_,
                     used_);
}

Rng Rng::from_state(std::string_view text) {
  const std::string_view whole = text;
  const auto refuse = [whole]() {
    // Only the beginning: a wrong file given as a state may be long.
    return DomainError(
        fmt::format("[Rng::from_state] \"{}\" is not a state; give a text that Rng::state() returned",
                    whole.substr(0, 80)));
  };
  const auto hexadecimal = [&]() {
    if (text.size() < 17 || text[0] != ' ') throw refuse();
    std::uint64_t value = 0;
    for (const char c : text.substr(1, 16)) {
      const bool digit = c >= '0' && c <= '9';
      if (!digit && !(c >= 'a' && c <= 'f')) throw refuse();
      value = value << 4 | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
    }
    text.remove_prefix(17);
    return value;
  };
  if (!text.starts_with(kStateName)) throw refuse();
  text.remove_prefix(kStateName.size());
  Rng rng(hexadecimal());
  rng.stream_ = hexadecimal();
  rng.block_ = hexadecimal();
  if (text != " 2" && text != " 4") throw refuse();
  rng.used_ = text == " 2" ? 2 : 4;
  if (rng.block_ > 0)
    rng.words_ = block_at(rng.stream_, rng.block_ - 1, rng.key_);
  else if (rng.used_ != 4)
    throw refuse();
  return rng;
}

}  // namespace cotangent
