// The difference of two sides, enclosed.
#include "theory/claims/enclosed.hpp"

#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "theory/numerics/interval.hpp"

namespace cotangent::theory {
Var margin_on_record(const Sides& sides) {
  const Shape one{1};
  const Side apart = sides.rhs - sides.lhs;
  const Var margin = reshape(apart.var, one);
  return apart.slack ? concat({margin, reshape(*apart.slack, one)}, 0) : margin;
}

Inequality enclosed_at(FunctionRef<Sides(const Var& w)> sides, const Tensor& w) {
  const Sides computed = sides(w);
  Inequality q = computed.inequality();
  if (!q.certain()) return q;  // an estimate stays one, however well the rest is known
  const Enclosure e = enclose([&](const Var& at) { return margin_on_record(sides(at)); }, w, kOfADifference);
  double lower = e.lower()(0), upper = e.upper()(0);
  if (e.lower().size() > 1) {
    lower = below(lower - e.upper()(1));
    upper = above(upper + e.upper()(1));
  }
  if (q.relation == Relation::equal) {
    // An identity is claimed up to an accuracy.
    const double allowed = computed.accuracy * (computed.lhs.magnitude + computed.rhs.magnitude);
    lower = below(lower - allowed);
    upper = above(upper + allowed);
  }
  q.difference = enclosed(lower, upper);
  return q;
}

Inequality enclosed_at(FunctionRef<Sides(const Var& v, const Var& w)> sides, const Params& v,
                       const Params& w) {
  const Index n = v.size();
  return enclosed_at(
      [&](const Var& both) {
        return sides(view(both, 0, v.flat().shape()), view(both, n, w.flat().shape()));
      },
      concat({v.flat(), w.flat()}, 0).value());
}

Inequality enclosed_or(Inequality computed, FunctionRef<Inequality()> enclose) {
  try {
    const Inequality q = enclose();
    if (std::isfinite(q.tolerance())) computed.difference = q.difference;
  } catch (const DomainError&) {
    // An operation has no enclosure: the number stays as computed.
  }
  return computed;
}

}  // namespace cotangent::theory
