// The exact tangent kernel of 32-4096-4096-4096-1 on 512 samples, whose Jacobian would fill 138 GB. Alone, it
// makes the kernel, prints the largest resident set and exits 1 above 600 MB. With --check FILE it makes
// nothing but 20 random entries, as inner products of single-sample gradients, and compares them with the
// kernel that --save FILE wrote.
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "benchmarks/support/paired.hpp"

using namespace cotangent;

int main(int argc, char** argv) {
  const std::string option = argc == 3 ? argv[1] : "";
  if (argc != 1 && option != "--save" && option != "--check") {
    std::fprintf(stderr, "usage: large_kernel [--save FILE | --check FILE]\n");
    return 2;
  }
  const bench::Mlp m({32, 4096, 4096, 4096, 1}, 512);
  if (option != "--check") {
    const Tensor k = theory::tangent_kernel(m.net, m.w, m.x).scalar();
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const double megabytes = static_cast<double>(used.ru_maxrss) / 1024.0;
    std::printf("{\"max_resident_mb\": %.1f}\n", megabytes);
    if (option == "--save") save(argv[2], k);
    return megabytes <= 600.0 ? 0 : 1;
  }
  const Tensor k = load(argv[2]);
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
  std::printf("{\"worst_relative_error\": %.3g}\n", worst);
  return worst < 1e-10 ? 0 : 1;
}
