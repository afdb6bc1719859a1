// A user's source that looks at tensors through xtensor, with the flags that make its reducers right.
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>

#include "autodiff/xtensor.hpp"

using namespace cotangent;

int main() {
  const auto a = view(Tensor{{1, 2, 3}, {4, 5, 6}});
  const xt::xtensor<double, 1> rows = xt::sum(a, {1}, xt::evaluation_strategy::immediate);
  return rows.size() == 2 && rows(0) == 6.0 && rows(1) == 15.0 && from_xtensor(2.0 * a)(1, 2) == 12.0 ? 0 : 1;
}
