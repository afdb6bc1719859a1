// A user's source that hands a tensor's numbers to xtensor, with the flags that make its reducers right.
#include <vector>
#include <xtensor/xadapt.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>

#include "autodiff/autodiff.hpp"

using namespace cotangent;

int main() {
  const Tensor t{{1, 2, 3}, {4, 5, 6}};
  const auto a =
      xt::adapt(t.data().data(), t.data().size(), xt::no_ownership(), std::vector<std::size_t>{2, 3});
  const xt::xtensor<double, 1> rows = xt::sum(a, {1}, xt::evaluation_strategy::immediate);
  return rows.size() == 2 && rows(0) == 6.0 && rows(1) == 15.0 ? 0 : 1;
}
