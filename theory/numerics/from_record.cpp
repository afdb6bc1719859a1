// Values and their first-order bounds, as measured numbers.
#include "theory/numerics/from_record.hpp"

#include "autodiff/ops.hpp"
#include "autodiff/rounding.hpp"

namespace cotangent::theory {

std::vector<Measured> from_record(VarFunction f, const Params& w) {
  const RoundedValue r = rounding_bound(f, w);
  std::vector<Measured> numbers;
  for (Index k = 0; k < r.value.size(); ++k)
    numbers.push_back(rounded_by(r.value.flat(k), r.rounding.flat(k)));
  return numbers;
}

Var in_a_row(std::initializer_list<Var> scalars) {
  std::vector<Var> parts;
  for (const Var& s : scalars) parts.push_back(reshape(s, Shape{1}));
  return concat(parts, 0);
}

}  // namespace cotangent::theory
