// Rows of the table of operations: linear maps known by their products.
#include <memory>

#include "autodiff/ops.hpp"
#include "autodiff/ops/linear_map.hpp"
#include "tests/support/op_row.hpp"

namespace cotangent::test {
namespace {

/// x [2, 3] -> A x for the plain matrix A [4, 6] with A_ij = (i + 1) / (j + 2).
class PlainMap final : public detail::LinearMap {
 public:
  static double entry(Index i, Index j) { return static_cast<double>(i + 1) / static_cast<double>(j + 2); }
  Tensor times(const Tensor& x) const override {
    return tensor_of(make(output(), [&](const Position& p) {
      double sum = 0.0;
      for (Index j = 0; j < 6; ++j) sum += entry(p[0], j) * x.data()[static_cast<std::size_t>(j)];
      return sum;
    }));
  }
  Tensor transposed_times(const Tensor& c) const override {
    return tensor_of(make(input(), [&](const Position& p) {
      double sum = 0.0;
      for (Index i = 0; i < 4; ++i) sum += entry(i, 3 * p[0] + p[1]) * c.data()[static_cast<std::size_t>(i)];
      return sum;
    }));
  }
  Shape input() const override { return Shape{2, 3}; }
  Shape output() const override { return Shape{4}; }
};

}  // namespace

std::vector<OpRow> map_rows() {
  const std::shared_ptr<const detail::LinearMap> map = std::make_shared<const PlainMap>();
  return {{.name = "linear_map",
           .inputs = {Shape{2, 3}},
           .function = [map](Vars v) { return detail::times(map, v[0]); },
           .expected =
               [](const Plains& x) {
                 const Tensor y = PlainMap().times(tensor_of(x[0]));
                 return Plain{y.shape(), {y.data().begin(), y.data().end()}};
               }},
          {.name = "linear_map_transposed",
           .inputs = {Shape{4}},
           .function = [map](Vars v) { return detail::transposed_times(map, v[0]); },
           .expected =
               [](const Plains& x) {
                 const Tensor y = PlainMap().transposed_times(tensor_of(x[0]));
                 return Plain{y.shape(), {y.data().begin(), y.data().end()}};
               }}};
}

}  // namespace cotangent::test
