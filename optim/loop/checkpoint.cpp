// Every tensor of a run is an array of its name; text is text.
#include "optim/loop/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "autodiff/error.hpp"

namespace cotangent::optim {

void SaveState::text(const std::string& name, std::vector<std::string> lines) {
  contents_.labels.emplace_back(name, std::move(lines));
}

void SaveState::visit(const std::string& name, Tensor& tensor, bool) {
  contents_.arrays.emplace_back(name, tensor);
}

LoadState::LoadState(std::string path, const Params& like)
    : State(like), path_(std::move(path)), contents_(load_npz(path_)) {}

const std::vector<std::string>& LoadState::text(const std::string& name) const {
  for (const auto& [label, lines] : contents_.labels)
    if (label == name) return lines;
  throw DomainError(
      fmt::format("[resume] {}: no text \"{}\" in it; give a file that a run saved", path_, name));
}

void LoadState::visit(const std::string& name, Tensor& tensor, bool) {
  for (const auto& [other, why] : contents_.others)
    if (other == name) throw DomainError(why);
  const auto found = std::find_if(contents_.arrays.begin(), contents_.arrays.end(),
                                  [&](const auto& array) { return array.first == name; });
  if (found == contents_.arrays.end())
    throw DomainError(
        fmt::format("[resume] {}: no array \"{}\" in it; resume with the optimizer and the observers "
                    "that it was saved with",
                    path_, name));
  tensor = found->second;
  seen_.push_back(name);
}

void LoadState::finish() const {
  const auto no_place = [this](const std::string& name) {
    throw DomainError(
        fmt::format("[resume] {}: the array \"{}\" has no place in this run; resume with the "
                    "optimizer and the observers that it was saved with",
                    path_, name));
  };
  for (const auto& [name, array] : contents_.arrays)
    if (std::find(seen_.begin(), seen_.end(), name) == seen_.end()) no_place(name);
  for (const auto& [name, why] : contents_.others) no_place(name);
}

std::vector<std::string> table_lines(const Params& w) {
  std::vector<std::string> lines;
  for (const ParamEntry& e : w.table()) lines.push_back(e.name + " " + e.shape.to_string());
  return lines;
}

std::vector<ParamEntry> table_of_lines(const std::string& path, const std::vector<std::string>& lines) {
  constexpr Index kMostNumbers = Index{1} << 48;  // of a shape, too
  std::vector<ParamEntry> table;
  Index offset = 0;
  for (const std::string& line : lines) {
    const std::size_t at = line.rfind(" [");
    std::vector<Index> sizes;
    Shape shape;
    bool good = at != std::string::npos && line.back() == ']';
    for (std::size_t k = good ? at + 2 : 0; good && k + 1 < line.size();) {
      Index size = 0;
      const auto [end, error] = std::from_chars(line.data() + k, line.data() + line.size() - 1, size);
      good = error == std::errc() && size >= 0;
      sizes.push_back(size);
      k = static_cast<std::size_t>(end - line.data());
      if (k + 1 < line.size()) good = good && line.compare(k, 2, ", ") == 0;
      k += 2;
    }
    try {
      shape = Shape(sizes);
    } catch (const ShapeError&) {
      good = false;
    }
    if (!good || shape.size() > kMostNumbers - offset)
      // The line as far as the text of an error goes, which a NUL ends.
      throw DomainError(fmt::format(
          "[resume] {}: \"{}\" is not a name and a shape; give a file that a run saved", path, line.c_str()));
    table.push_back({line.substr(0, at), shape, offset});
    offset += table.back().size();
  }
  return table;
}

Params LoadState::parameters(const std::string& path) {
  LoadState file(path, Params());
  Tensor flat;
  file.visit("start", flat, true);
  try {
    return Params(flat, table_of_lines(path, file.text("parameters")));
  } catch (const ShapeError& error) {
    throw DomainError(
        fmt::format("[resume] {}: its parameters contradict each other: {}", path, error.what()));
  }
}

}  // namespace cotangent::optim
