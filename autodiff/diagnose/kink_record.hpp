// The kinks that one evaluation of a function met.
#pragma once
#include <string>
#include <vector>

#include "autodiff/tape/op_spec.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent::detail {

/// An operation with a kink: how far its elements are from theirs, and from all that they have.
struct KinkedNode {
  std::uint32_t node;
  const Op* op;
  Tensor distance;  // [s], from the nearest kink
  Tensor each;      // the same numbers, or [kinks, n]: see OpSpec::kink_distance
};

struct KinkRecord {
  Var value;  // f(x), its tape gone
  std::vector<KinkedNode> nodes;
  std::vector<std::string> unknown;  // operations that do not say where their kinks are
};

/// The kinks of f(x), recorded with x as the only input.
KinkRecord record_kinks(VarFunction f, const Tensor& x);

/// How many elements are on different sides in a and in b, or -1 if these are of
/// different operations or shapes.
Index count_flips(const KinkRecord& a, const KinkRecord& b);

/// x + t v as plain numbers.
Tensor moved_along(const Tensor& x, double t, const Tensor& v);

}  // namespace cotangent::detail
