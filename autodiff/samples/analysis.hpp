// The walk back from a function's result along the axes that hold its samples: it proves that samples stay
// apart, and lists the places where parameters meet the data.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/samples/sweep.hpp"
#include "autodiff/tape/state.hpp"

namespace cotangent::detail {

/// The first two nodes of a model's record.
inline constexpr std::uint32_t kW = 0;
inline constexpr std::uint32_t kX = 1;

/// A place where a parameter meets the data: input `input` of a node is the slice [offset, offset + size) of
/// w, and all samples share it.
struct SharedInput {
  std::uint32_t node;
  int input;
  Index offset;
  Index size;
};

/// What the record of f(w, X) says about its samples. Throws: TapeError, beginning with the operation that
/// mixes them, or with `operation` where the result holds them along another axis than 0.
class SampleAnalysis {
 public:
  SampleAnalysis(const char* operation, const TapeState& tape, std::uint32_t output,
                 const std::vector<ColumnRange>& columns);

  /// Where the wanted parameters meet the data; complete if there is no slow_reason, which says why the
  /// structure cannot be used although the samples stay apart.
  const std::vector<SharedInput>& uses() const { return uses_; }
  const std::string& slow_reason() const { return slow_reason_; }
  /// Along which axis a node holds the samples.
  int axis(std::uint32_t node) const { return axis_[node]; }
  /// Marks, one byte a node, of those that carry the samples' cotangents on the way to the wanted parameters,
  /// or to the inputs.
  std::vector<unsigned char> active_on_w() const { return active(on_w_); }
  std::vector<unsigned char> active_on_x() const { return active(on_x_); }

 private:
  std::vector<unsigned char> active(const std::vector<unsigned char>& depends) const;
  std::optional<std::pair<Index, Index>> slice_of_w(std::uint32_t node) const;
  bool wanted(Index first, Index last) const;
  void find_dependencies();
  void walk_back();
  /// Node i's input j, made by the node `source`, is shared by all samples, or holds them along `axis`.
  void share(std::uint32_t i, int j, std::uint32_t source);
  void share_with_one(std::uint32_t i, int j, std::uint32_t source);
  void follow(std::uint32_t i, int j, std::uint32_t source, int axis);
  void check_overlaps();
  [[noreturn]] void refuse(std::uint32_t found) const;

  const char* operation_;
  const TapeState& tape_;
  std::uint32_t output_;
  const std::vector<ColumnRange>& columns_;
  std::vector<unsigned char> on_w_;   // depends on a wanted parameter
  std::vector<unsigned char> any_w_;  // depends on any parameter
  std::vector<unsigned char> on_x_;   // depends on the samples
  std::vector<signed char> axis_;     // of the samples, or kFactor, or unseen
  std::vector<SharedInput> uses_;
  std::string slow_reason_;
};

/// "[op] mixes samples: ..." for the first operation between X and the output that does; empty if none does.
std::string mixing_on_the_way(const TapeState& tape, std::uint32_t output);

}  // namespace cotangent::detail
