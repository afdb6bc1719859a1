// The operations of a linear map and of its transpose.
#include "autodiff/ops/linear_map.hpp"

#include <fmt/format.h>

#include "autodiff/error.hpp"
#include "autodiff/tape/record.hpp"

namespace cotangent::detail {
namespace {

std::shared_ptr<const LinearMap> map_of(const OpAttributes& a) {
  return std::static_pointer_cast<const LinearMap>(a.payload);
}

void check(const char* what, const Shape& given, const Shape& wanted) {
  if (!(given == wanted))
    throw ShapeError(fmt::format("[linear_map] {} is {}, the map's is {}; give it that shape", what,
                                 given.to_string(), wanted.to_string()));
}

const Op kLinearMap({
    .name = "linear_map",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          check("x", in.shape(0), map_of(a)->input());
          return map_of(a)->times(in[0]);
        },
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, transposed_times(map_of(p.attributes()), g)); },
});

const Op kLinearMapTransposed({
    .name = "linear_map_transposed",
    .forward =
        [](const OpInputs& in, const OpAttributes& a) {
          check("the cotangent", in.shape(0), map_of(a)->output());
          return map_of(a)->transposed_times(in[0]);
        },
    .pullback = [](const OpRecord& p, const Var& g,
                   OpCotangents& out) { out.add(0, times(map_of(p.attributes()), g)); },
});

}  // namespace

Var times(const std::shared_ptr<const LinearMap>& map, const Var& x) {
  return apply(kLinearMap, x, {.payload = map});
}
Var transposed_times(const std::shared_ptr<const LinearMap>& map, const Var& c) {
  return apply(kLinearMapTransposed, c, {.payload = map});
}

}  // namespace cotangent::detail
