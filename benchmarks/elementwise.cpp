// Elementwise operations and reductions, beside the bare loop that does the same to plain arrays.
#include <cmath>
#include <numeric>
#include <xsimd/xsimd.hpp>

#include "benchmarks/support/paired.hpp"

namespace {

using namespace cotangent;
using bench::paired;

constexpr Index kNumbers = 1 << 14;  // 128 kB in, 128 kB out: the second-level cache

template <class F>
void bare_loop(std::vector<double>& y, const std::vector<double>& x, F f) {
  using Batch = xsimd::batch<double>;
  for (std::size_t i = 0; i < x.size(); i += Batch::size)
    f(Batch::load_unaligned(x.data() + i)).store_unaligned(y.data() + i);
  benchmark::DoNotOptimize(y.data());
}

template <class F>
void function(benchmark::State& state, Var (*operation)(const Var&), F f) {
  Rng rng(1);
  const Tensor x = rng.uniform({kNumbers}, -3.0, 3.0);
  const std::vector<double> from(x.data().begin(), x.data().end());
  std::vector<double> to(from.size());
  paired(
      state, [&] { benchmark::DoNotOptimize(operation(x).value().data().data()); },
      [&] { bare_loop(to, from, f); });
}

void tanh_of(benchmark::State& state) {
  function(state, tanh, [](const auto& b) { return xsimd::tanh(b); });
}
void exp_of(benchmark::State& state) {
  function(state, exp, [](const auto& b) { return xsimd::exp(b); });
}
void softplus_of(benchmark::State& state) {
  function(state, softplus, [](const auto& b) {
    return xsimd::max(b, decltype(b + b)(0.0)) + xsimd::log1p(xsimd::exp(-xsimd::abs(b)));
  });
}
BENCHMARK(tanh_of)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(exp_of)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(softplus_of)->UseManualTime()->Unit(benchmark::kMicrosecond);

/// Reading [rows, columns] once, with as many sums side by side as keep the memory busy.
void reduction(benchmark::State& state, Index rows, Index columns, int axis) {
  Rng rng(1);
  const Tensor x = rng.uniform({rows, columns});
  paired(
      state, [&] { benchmark::DoNotOptimize((axis < 0 ? sum(x) : sum(x, axis)).value().data().data()); },
      [&] {
        double s[32] = {};
        const double* p = x.data().data();
        for (Index i = 0; i < x.size(); i += 32)
          for (Index k = 0; k < 32; ++k) s[k] += p[i + k];
        benchmark::DoNotOptimize(s);
      });
}
// 64 MB: memory, not a cache.
BENCHMARK_CAPTURE(reduction, all, 4096, 2048, -1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(reduction, axis_0, 4096, 2048, 0)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(reduction, axis_1, 4096, 2048, 1)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
