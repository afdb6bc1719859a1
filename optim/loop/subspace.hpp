// The parameters a run moves, among those of its model.
#pragma once
#include <string>
#include <vector>

#include "autodiff/samples/sweep.hpp"
#include "optim/recipe.hpp"

namespace cotangent::optim {

/// The space of the parameters whose names match, inside the space of all.
class Subspace {
 public:
  /// No pattern: all parameters, and nothing here costs anything.
  /// Throws: DomainError for a pattern that nothing matches, or if what they match has no numbers.
  Subspace(const Params& start, const std::vector<std::string>& patterns);

  bool whole() const noexcept { return ranges_.empty(); }
  /// The chosen numbers of a point of the large space.
  Params restricted(const Params& w) const;
  /// The point with these numbers, and the others of `others`.
  Params embedded(const Params& u, const Params& others) const;
  /// f by the chosen parameters, the others being those of the start.
  FiniteSum restricted(const FiniteSum& f) const;

 private:
  Params start_;
  std::vector<detail::ColumnRange> ranges_;  // none: the whole space
  std::vector<ParamEntry> names_;
};

}  // namespace cotangent::optim
