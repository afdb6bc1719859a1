// A user's source that looks at a tensor through xtensor.
#include <xtensor/xmath.hpp>

#include "autodiff/xtensor.hpp"

using namespace cotangent;

int main() {
  const Tensor t = Rng(1).normal({3, 4});
  const double total = xt::sum(view(t))();
  double expected = 0.0;
  for (double x : t.data()) expected += x;
  return total - expected < 1e-12 && expected - total < 1e-12 ? 0 : 1;
}
