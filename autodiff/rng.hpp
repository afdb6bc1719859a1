// Rng: a counter-based random stream with the same bits under every compiler and build type.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cotangent {

/// Philox4x32-10 stream. Uniforms take 53 bits; normals are Wichura's inverse (AS 241) of one uniform with a
/// logarithm of its own, so no number depends on a math library.
///
/// Source: Salmon, Moraes, Dror, Shaw 2011; Wichura 1988.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) noexcept;

  /// An independent stream that depends on this one's seed and on `name`, not on how much has been drawn.
  ///
  /// The seed is Philox's key. The lower half of the counter numbers the blocks drawn, the upper half is
  /// the stream: 0 for a new Rng, else the 64-bit FNV-1a hash of the parent's stream and `name`,
  /// finished as in SplitMix64.
  Rng split(std::string_view name) const noexcept;

  std::uint64_t bits() noexcept;
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() noexcept;
  /// Standard normal.
  double normal() noexcept;
  /// Whole number, uniform in 0 .. n-1. Throws: DomainError unless n >= 1.
  Index below(Index n);

  /// Uniform in [low, high). Throws: DomainError unless low <= high, both finite.
  Tensor uniform(const Shape& shape, double low = 0.0, double high = 1.0);
  /// Throws: DomainError unless deviation >= 0, both finite.
  Tensor normal(const Shape& shape, double mean = 0.0, double deviation = 1.0);
  /// 0 .. n-1 in random order (Fisher-Yates). Throws: DomainError if n < 0.
  std::vector<Index> permutation(Index n);

  /// The whole state as text, and back; part of a checkpoint. Throws: DomainError on text that
  /// is not a state.
  std::string state() const;
  static Rng from_state(std::string_view text);

  /// The generator itself: 128 random bits for a counter and a key (published known answers test it).
  static std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                             std::array<std::uint32_t, 2> key) noexcept;

  friend bool operator==(const Rng&, const Rng&) = default;

 private:
  std::array<std::uint32_t, 2> key_{};
  std::uint64_t stream_ = 0;  // upper half of the counter, chosen by split
  std::uint64_t block_ = 0;   // lower half: how many blocks have been drawn
  std::array<std::uint32_t, 4> words_{};
  std::uint32_t used_ = 4;  // words of the present block already given out
};

}  // namespace cotangent
