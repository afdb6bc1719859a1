// Params: all parameters of a model as one flat tensor with a table of names.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cotangent {

/// One named block of the flat vector.
struct ParamEntry {
  std::string name;
  Shape shape;
  Index offset = 0;
  Index size() const noexcept { return shape.size(); }
};

/// A value: a flat vector w of P numbers and the table {name, shape, offset} of its blocks, in order, without
/// gaps. Gradients, tangents and directions at w are Params with the same table.
class Params {
 public:
  Params() = default;
  /// Blocks in the order given. Throws: DomainError on an empty or repeated name.
  explicit Params(const std::vector<std::pair<std::string, Tensor>>& blocks);
  /// A flat vector with a table. Throws: ShapeError if the table does not cover it in order.
  Params(Tensor flat, std::vector<ParamEntry> table);

  /// The flat vector, [P].
  const Tensor& flat() const noexcept { return flat_; }
  Index size() const noexcept { return flat_.size(); }
  const std::vector<ParamEntry>& table() const noexcept;

  bool contains(std::string_view name) const noexcept;
  /// The block called `name`, sharing the numbers. Throws: DomainError listing the names there are.
  Tensor operator[](std::string_view name) const;
  const ParamEntry& entry(std::string_view name) const;
  /// "0.weight[3, 1]" for position j of the flat vector. Throws: ShapeError if out of range.
  std::string position_name(Index j) const;

  /// The same table over other numbers, [P], or over one block. Throws: ShapeError if sizes differ.
  Params with(Tensor flat) const;
  Params with(std::string_view name, const Tensor& block) const;
  Params zeros_like() const;

  /// Every block's name, shape and numbers; of more than 100 numbers the ends.
  std::string to_string() const;

 private:
  friend Params axpy(double factor, const Params& v, Params w);
  friend Params axpy(double factor, Params&& v, const Params& w);
  Tensor flat_;
  std::shared_ptr<const std::vector<ParamEntry>> table_;
};

/// Arithmetic on the flat vectors; the tables must agree. Throws: ShapeError.
Params operator+(const Params& a, const Params& b);
Params operator-(const Params& a, const Params& b);
Params operator*(double factor, const Params& a);
Params operator*(const Params& a, double factor);
Params operator/(const Params& a, double divisor);
Params operator-(const Params& a);
/// w + factor * v, written over w, or over a v given away, where nobody else shares its numbers.
Params axpy(double factor, const Params& v, Params w);
Params axpy(double factor, Params&& v, const Params& w);
double dot(const Params& a, const Params& b);
/// Euclidean norm.
double norm(const Params& a);

/// Writes or reads all blocks by name as NumPy's `.npz`; atomic like save(Tensor). Throws: DomainError.
void save(const std::string& path, const Params& params);
Params load_params(const std::string& path);

}  // namespace cotangent
