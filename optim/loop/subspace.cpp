// Restriction and embedding by ranges of the flat vector.
#include "optim/loop/subspace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::optim {
namespace {

/// What a list holds; none of it where it was left out.
template <class Item>
const std::vector<Item>& items(const std::shared_ptr<const std::vector<Item>>& list) {
  static const std::vector<Item> none;
  return list ? *list : none;
}

}  // namespace

Names::Names() = default;
Names::Names(const Names& other) = default;
Names::Names(Names&& other) noexcept = default;
Names& Names::operator=(const Names& other) = default;
Names& Names::operator=(Names&& other) noexcept = default;
Names::~Names() = default;
Names::Names(std::initializer_list<std::string_view> names)
    : list_(std::make_shared<const std::vector<std::string>>(names.begin(), names.end())) {}
Names::Names(const std::vector<std::string>& names)
    : list_(std::make_shared<const std::vector<std::string>>(names)) {}
const std::vector<std::string>& Names::list() const { return items(list_); }

Groups::Groups() = default;
Groups::Groups(const Groups& other) = default;
Groups::Groups(Groups&& other) noexcept = default;
Groups& Groups::operator=(const Groups& other) = default;
Groups& Groups::operator=(Groups&& other) noexcept = default;
Groups::~Groups() = default;
Groups::Groups(std::initializer_list<Group> groups)
    : list_(std::make_shared<const std::vector<Group>>(groups)) {}
Groups::Groups(const std::vector<Group>& groups)
    : list_(std::make_shared<const std::vector<Group>>(groups)) {}
const std::vector<Group>& Groups::list() const { return items(list_); }

Subspace::Subspace(const Params& start, const std::vector<std::string>& patterns) : start_(start) {
  if (patterns.empty()) return;
  ranges_ = detail::select_columns(start.table(), start.size(), patterns, names_);
  if (detail::count_columns(ranges_) == 0)
    throw DomainError(fmt::format(
        "[params] the patterns match parameters without numbers alone, such as \"{}\" {}; name one to move",
        names_.front().name, names_.front().shape.to_string()));
}

Params Subspace::restricted(const Params& w) const {
  if (whole()) return w;
  Tensor u = detail::uninitialized({detail::count_columns(ranges_)});
  for (const detail::ColumnRange& r : ranges_)
    std::copy_n(w.flat().data().data() + r.first, r.last - r.first, detail::mutable_data(u) + r.column);
  return Params(std::move(u), names_);
}

Params Subspace::embedded(const Params& u, const Params& others) const {
  if (whole() || u.size() == 0) return u;
  Tensor w = detail::uninitialized(others.flat().shape());
  std::copy_n(others.flat().data().data(), others.size(), detail::mutable_data(w));
  for (const detail::ColumnRange& r : ranges_)
    std::copy_n(u.flat().data().data() + r.column, r.last - r.first, detail::mutable_data(w) + r.first);
  return others.with(std::move(w));
}

FiniteSum Subspace::restricted(const FiniteSum& f) const {
  if (whole()) return f;
  return f.like([f, ranges = ranges_, rest = start_.flat()](const Var& u, const Batch& batch) {
    std::vector<Var> parts;
    Index done = 0;
    for (const detail::ColumnRange& r : ranges) {
      if (r.first > done) parts.push_back(slice(rest, 0, done, r.first));
      parts.push_back(slice(u, 0, r.column, r.column + r.last - r.first));
      done = r.last;
    }
    if (done < rest.size()) parts.push_back(slice(rest, 0, done, rest.size()));
    return f(concat(parts, 0), batch);
  });
}

}  // namespace cotangent::optim
