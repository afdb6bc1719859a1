// The exact tangent kernel of 32-4096-4096-4096-1 on 512 samples, whose Jacobian would fill 138 GB: prints the largest
// resident set, and how far 20 random entries are from the inner products of single-sample gradients.
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "benchmarks/support/paired.hpp"

using namespace cotangent;

int main() {
  const bench::Mlp m({32, 4096, 4096, 4096, 1}, 512);
  const Tensor k = theory::tangent_kernel(m.net, m.w, m.x).scalar();
  rusage used{};
  getrusage(RUSAGE_SELF, &used);

  Rng rng(5);
  double worst = 0.0;
  for (int entry = 0; entry < 20; ++entry) {
    const Index i = rng.below(512), j = rng.below(512);
    const auto gradient = [&](Index s) {
      return grad([&](const Var& w) { return sum(m.net(w, m.x.rows(s, s + 1))); }, m.w);
    };
    const double expected = dot(gradient(i), gradient(j));
    worst = std::max(worst, std::fabs(k(i, j) / expected - 1.0));
  }
  std::printf("{\"max_resident_mb\": %.1f, \"worst_relative_error\": %.3g}\n",
              static_cast<double>(used.ru_maxrss) / 1024.0, worst);
  return worst < 1e-10 ? 0 : 1;
}
