// The class Jacobian: a matrix with names for its rows and columns; its slices, text and file.
#include "autodiff/jacobian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autodiff/error.hpp"
#include "autodiff/npz.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
Jacobian::Jacobian(Tensor matrix, Index samples, Index outputs, std::vector<ParamEntry> columns)
    : matrix_(std::move(matrix)), samples_(samples), outputs_(outputs), columns_(std::move(columns)) {
  Index width = 0;
  for (const ParamEntry& entry : columns_) width += entry.size();
  if (!(matrix_.shape() == Shape{samples * outputs, width}))
    throw ShapeError(
        fmt::format("[jacobian] the matrix is {}; {} samples, {} outputs and {} named columns make [{}, {}]",
                    matrix_.shape().to_string(), samples, outputs, width, samples * outputs, width));
}

std::string Jacobian::row_name(Index row) const {
  if (row < 0 || row >= matrix_.size(0))
    throw ShapeError(fmt::format("[jacobian] row {} of {}; rows are 0 .. {}", row,
                                 matrix_.shape().to_string(), matrix_.size(0) - 1));
  return fmt::format("sample {}, output {}", row / outputs_, row % outputs_);
}

std::string Jacobian::column_name(Index column) const {
  for (const ParamEntry& entry : columns_)
    if (column >= entry.offset && column < entry.offset + entry.size())
      return entry.name + entry.shape.position(column - entry.offset);
  throw ShapeError(fmt::format("[jacobian] column {} of {}; columns are 0 .. {}", column,
                               matrix_.shape().to_string(), matrix_.size(1) - 1));
}

Jacobian Jacobian::block(std::string_view pattern) const {
  std::vector<ParamEntry> chosen;
  const std::vector<detail::ColumnRange> ranges =
      detail::select_columns(columns_, matrix_.size(1), {std::string(pattern)}, chosen);
  const Index width = detail::count_columns(ranges);
  Tensor part = detail::uninitialized(Shape{matrix_.size(0), width});
  for (Index i = 0; i < matrix_.size(0); ++i)
    for (const detail::ColumnRange& range : ranges)
      std::copy_n(matrix_.data().data() + i * matrix_.size(1) + range.first, range.last - range.first,
                  detail::mutable_data(part) + i * width + range.column);
  return Jacobian(std::move(part), samples_, outputs_, std::move(chosen));
}

Jacobian Jacobian::sample(Index i) const {
  if (i < 0 || i >= samples_)
    throw ShapeError(
        fmt::format("[jacobian] sample {} of {}; samples are 0 .. {}", i, samples_, samples_ - 1));
  return Jacobian(matrix_.rows(i * outputs_, (i + 1) * outputs_), 1, outputs_, columns_);
}

std::vector<Jacobian::Entry> Jacobian::top(Index k) const {
  const std::span<const double> numbers = matrix_.data();
  std::vector<Index> order(numbers.size());
  std::iota(order.begin(), order.end(), Index{0});
  const auto count = std::min(std::max<Index>(k, 0), static_cast<Index>(order.size()));
  const auto magnitude = [&](Index at) { return std::fabs(numbers[static_cast<std::size_t>(at)]); };
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](Index a, Index b) {
    const double s = magnitude(a), t = magnitude(b);
    if (std::isnan(s) != std::isnan(t)) return std::isnan(s);  // it is what one wants to see
    return s > t || (!(s < t) && a < b);
  });
  std::vector<Entry> entries;
  for (Index j = 0; j < count; ++j) {
    const Index at = order[static_cast<std::size_t>(j)];
    entries.push_back({at / matrix_.size(1), at % matrix_.size(1), numbers[static_cast<std::size_t>(at)]});
  }
  return entries;
}

std::string Jacobian::to_string() const {
  std::string text = fmt::format("Jacobian {}: {} samples, {} outputs; columns", matrix_.shape().to_string(),
                                 samples_, outputs_);
  for (const ParamEntry& entry : columns_) text += fmt::format(" {}{}", entry.name, entry.shape.to_string());
  return text + "\n" + matrix_.to_string();
}

void Jacobian::save(const std::string& path) const {
  NpzContents contents;
  contents.arrays.emplace_back("jacobian", matrix_);
  std::vector<std::string> rows, names;
  for (Index i = 0; i < matrix_.size(0); ++i) rows.push_back(row_name(i));
  for (const ParamEntry& entry : columns_)
    for (Index j = 0; j < entry.size(); ++j) names.push_back(entry.name + entry.shape.position(j));
  contents.labels.emplace_back("rows", std::move(rows));
  contents.labels.emplace_back("columns", std::move(names));
  save_npz(path, contents);
}

}  // namespace cotangent
