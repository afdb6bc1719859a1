// Named arrays in NumPy's .npz container, for more than one tensor or for text labels.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cotangent {

/// What an .npz file holds: arrays of numbers and one-dimensional arrays of text, by name, in order.
struct NpzContents {
  std::vector<std::pair<std::string, Tensor>> arrays;
  std::vector<std::pair<std::string, std::vector<std::string>>> labels;  // dtype <U
  /// Sound members of other kinds, as Python objects, complex numbers or records, and why they are not read.
  std::vector<std::pair<std::string, std::string>> others = {};

  /// Throws: DomainError for a name that is not among the arrays, saying why if it is among the others.
  const Tensor& array(std::string_view name) const;
};

/// Replaces `path` in one step or leaves what was there. Throws: DomainError naming the file and the reason,
/// which may be that `others` is not empty.
void save_npz(const std::string& path, const NpzContents& contents);
/// Reads every member of numbers and of one-dimensional text, and names the others.
/// Throws: DomainError as load(path) does, if anything in the file is damaged.
NpzContents load_npz(const std::string& path);

}  // namespace cotangent
