// Params: the table of names over one flat vector, and arithmetic on such vectors.
#include "autodiff/params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "autodiff/error.hpp"
#include "autodiff/kernels/length.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/print.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent {
namespace {

void check_names(const std::vector<ParamEntry>& table) {
  std::unordered_set<std::string_view> seen;
  for (const ParamEntry& e : table) {
    if (e.name.empty())
      throw DomainError(fmt::format("[Params] the block of shape {} at {} has no name; give every block one",
                                    e.shape.to_string(), e.offset));
    if (!seen.insert(e.name).second)
      throw DomainError(
          fmt::format("[Params] two blocks are called \"{}\", the second of shape {}; give every block "
                      "its own name",
                      e.name, e.shape.to_string()));
  }
}

bool same(const ParamEntry& a, const ParamEntry& b) {
  return a.offset == b.offset && a.shape == b.shape && a.name == b.name;
}

std::string describe(const std::vector<ParamEntry>& table, std::size_t k) {
  return k < table.size() ? fmt::format("\"{}\" {}", table[k].name, table[k].shape.to_string()) : "missing";
}

[[gnu::noinline]] void compare_tables(const char* operation, const std::vector<ParamEntry>& left,
                                      const std::vector<ParamEntry>& right) {
  const std::size_t blocks = std::max(left.size(), right.size());
  for (std::size_t k = 0; k < blocks; ++k)
    if (k >= left.size() || k >= right.size() || !same(left[k], right[k]))
      throw ShapeError(
          fmt::format("[{}] the tables differ at block {}: {} on the left, {} on the right; combine Params "
                      "of one model",
                      operation, k, describe(left, k), describe(right, k)));
}

/// Same table object in the usual case, so that nothing is compared by name in a training loop.
void check_tables(const char* operation, const Params& a, const Params& b) {
  if (&a.table() != &b.table()) compare_tables(operation, a.table(), b.table());
}

/// out_i = f(a_i), out_i = f(a_i, b_i).
template <class F>
Params map(const Params& a, F f) {
  Tensor result = detail::uninitialized(a.flat().shape());
  double* out = detail::mutable_data(result);
  const double* x = a.flat().data().data();
  const Index n = a.size();
  for (Index i = 0; i < n; ++i) out[i] = f(x[i]);
  return a.with(std::move(result));
}
template <class F>
Params combine(const char* operation, const Params& a, const Params& b, F f) {
  check_tables(operation, a, b);
  Tensor result = detail::uninitialized(a.flat().shape());
  double* out = detail::mutable_data(result);
  const double* x = a.flat().data().data();
  const double* y = b.flat().data().data();
  const Index n = a.size();
  for (Index i = 0; i < n; ++i) out[i] = f(x[i], y[i]);
  return a.with(std::move(result));
}

}  // namespace

Params::Params(const std::vector<std::pair<std::string, Tensor>>& blocks) {
  std::vector<ParamEntry> table;
  Index offset = 0;
  for (const auto& [name, block] : blocks) {
    table.push_back({.name = name, .shape = block.shape(), .offset = offset});
    offset += block.size();
  }
  check_names(table);
  flat_ = detail::uninitialized(Shape{offset});
  double* out = detail::mutable_data(flat_);
  for (const auto& [name, block] : blocks) out = std::copy(block.data().begin(), block.data().end(), out);
  table_ = std::make_shared<const std::vector<ParamEntry>>(std::move(table));
}

Params::Params(Tensor flat, std::vector<ParamEntry> table) {
  Index end = 0;
  for (const ParamEntry& e : table) {
    if (e.offset != end)
      throw ShapeError(
          fmt::format("[Params] \"{}\" of shape {} begins at {}, but the blocks before it end at {}; list "
                      "the blocks in order, without gaps",
                      e.name, e.shape.to_string(), e.offset, end));
    end += e.size();
  }
  if (flat.shape() != Shape{end})
    throw ShapeError(
        fmt::format("[Params] the flat vector is {}, but the table covers [{}]; give a vector of that size",
                    flat.shape().to_string(), end));
  check_names(table);
  flat_ = std::move(flat);
  table_ = std::make_shared<const std::vector<ParamEntry>>(std::move(table));
}

const std::vector<ParamEntry>& Params::table() const noexcept {
  static const std::vector<ParamEntry> none;
  return table_ ? *table_ : none;
}

bool Params::contains(std::string_view name) const noexcept {
  return std::any_of(table().begin(), table().end(), [name](const ParamEntry& e) { return e.name == name; });
}

const ParamEntry& Params::entry(std::string_view name) const {
  for (const ParamEntry& e : table())
    if (e.name == name) return e;
  std::string names;
  for (const ParamEntry& e : table()) names += (names.empty() ? "\"" : ", \"") + e.name + "\"";
  throw DomainError(fmt::format("[Params] no block is called \"{}\"; the names are {}", name,
                                names.empty() ? "none: these Params are empty" : names));
}

Tensor Params::operator[](std::string_view name) const {
  const ParamEntry& e = entry(name);
  return detail::TensorAccess::view(flat_, e.offset, e.shape);
}

std::string Params::position_name(Index j) const {
  if (j < 0 || j >= size())
    throw ShapeError(fmt::format("[Params] position {} of a flat vector {}; it must lie in 0 .. {}", j,
                                 flat_.shape().to_string(), size() - 1));
  const auto after = std::upper_bound(table().begin(), table().end(), j,
                                      [](Index p, const ParamEntry& e) { return p < e.offset; });
  const ParamEntry& e = *std::prev(after);
  return e.name + e.shape.position(j - e.offset);
}

Params Params::with(Tensor flat) const {
  if (flat.shape() != flat_.shape())
    throw ShapeError(
        fmt::format("[Params::with] the vector is {}, the table covers {}; give a vector of that size",
                    flat.shape().to_string(), flat_.shape().to_string()));
  Params result;
  result.flat_ = std::move(flat);
  result.table_ = table_;
  return result;
}

Params Params::with(std::string_view name, const Tensor& block) const {
  const ParamEntry& e = entry(name);
  if (block.shape() != e.shape)
    throw ShapeError(
        fmt::format("[Params::with] \"{}\" is {}, the new block is {}; give a block of the same shape", name,
                    e.shape.to_string(), block.shape().to_string()));
  Tensor flat = detail::uninitialized(flat_.shape());
  double* out = detail::mutable_data(flat);
  std::copy(flat_.data().begin(), flat_.data().end(), out);
  std::copy(block.data().begin(), block.data().end(), out + e.offset);
  return with(std::move(flat));
}

Params Params::zeros_like() const { return with(Tensor::zeros(flat_.shape())); }

std::string Params::to_string() const {
  constexpr Index kShortenAbove = 100;  // a network has many blocks
  std::string text = fmt::format("Params {} in {} block{}", flat_.shape().to_string(), table().size(),
                                 table().size() == 1 ? "" : "s");
  for (const ParamEntry& e : table())
    text += fmt::format("\n{} {}\n{}", e.name, e.shape.to_string(),
                        cotangent::to_string((*this)[e.name], kShortenAbove));
  return text;
}

Params operator+(const Params& a, const Params& b) {
  return combine("Params +", a, b, [](double x, double y) { return x + y; });
}
Params operator-(const Params& a, const Params& b) {
  return combine("Params -", a, b, [](double x, double y) { return x - y; });
}
Params operator*(double factor, const Params& a) {
  return map(a, [factor](double x) { return factor * x; });
}
Params operator*(const Params& a, double factor) { return factor * a; }
Params operator/(const Params& a, double divisor) {
  return map(a, [divisor](double x) { return x / divisor; });
}
Params operator-(const Params& a) {
  return map(a, [](double x) { return -x; });
}

Params axpy(double factor, const Params& v, Params w) {
  check_tables("axpy", v, w);
  if (!detail::TensorAccess::unique(w.flat_)) {
    Tensor sum = detail::uninitialized(w.flat_.shape());
    kernel::loops().add_multiple(detail::mutable_data(sum), w.flat_.data().data(), factor,
                                 v.flat_.data().data(), w.size());
    w.flat_ = std::move(sum);
    return w;
  }
  kernel::loops().add_scaled_to(detail::mutable_data(w.flat_), factor, v.flat_.data().data(), w.size());
  return w;
}

Params axpy(double factor, Params&& v, const Params& w) {
  check_tables("axpy", v, w);
  if (!detail::TensorAccess::unique(v.flat_)) return axpy(factor, v, w);
  double* y = detail::mutable_data(v.flat_);
  kernel::loops().add_multiple(y, w.flat_.data().data(), factor, y, w.size());
  return std::move(v);
}

double dot(const Params& a, const Params& b) {
  check_tables("dot", a, b);
  return kernel::loops().dot(a.flat().data().data(), b.flat().data().data(), a.size());
}

double norm(const Params& a) { return kernel::length(a.flat().data().data(), a.size()); }

}  // namespace cotangent
