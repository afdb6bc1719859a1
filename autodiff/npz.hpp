// Named arrays in NumPy's .npz container, for more than one tensor or for text labels.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cotangent {

/// What an .npz file holds: arrays of numbers and one-dimensional arrays of text, by name, in order.
struct NpzContents {
  std::vector<std::pair<std::string, Tensor>> arrays;
  std::vector<std::pair<std::string, std::vector<std::string>>> labels;  // dtype <U
};

/// Replaces `path` in one step or leaves what was there. Throws: DomainError naming the file and the reason.
void save_npz(const std::string& path, const NpzContents& contents);
/// Reads every member; text members must be one-dimensional. Throws: DomainError as load(path) does.
NpzContents load_npz(const std::string& path);

}  // namespace cotangent
