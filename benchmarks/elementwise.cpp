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

/// Reading 64 MB once, with as many sums side by side as keep the memory busy: beyond every cache.
void reduction(benchmark::State& state, Var (*operation)(const Var&)) {
  Rng rng(1);
  const Tensor x = rng.uniform({4096, 2048});
  paired(
      state, [&] { benchmark::DoNotOptimize(operation(x).value().data().data()); },
      [&] {
        double s[32] = {};
        const double* p = x.data().data();
        for (Index i = 0; i < x.size(); i += 32)
          for (Index k = 0; k < 32; ++k) s[k] += p[i + k];
        benchmark::DoNotOptimize(s);
      });
}
#define COTANGENT_REDUCTION(name, expression)                                 \
  BENCHMARK_CAPTURE(reduction, name, [](const Var& x) { return expression; }) \
      ->UseManualTime()                                                       \
      ->Unit(benchmark::kMicrosecond)
COTANGENT_REDUCTION(sum, sum(x));
COTANGENT_REDUCTION(sum_axis_0, sum(x, 0));
COTANGENT_REDUCTION(sum_axis_1, sum(x, 1));
COTANGENT_REDUCTION(max, max(x));
COTANGENT_REDUCTION(max_axis_0, max(x, 0));
COTANGENT_REDUCTION(max_axis_1, max(x, 1));
COTANGENT_REDUCTION(norm, norm(x));
COTANGENT_REDUCTION(norm_axis_0, norm(x, {.axes = {0}}));
COTANGENT_REDUCTION(norm_axis_1, norm(x, {.axes = {1}}));
COTANGENT_REDUCTION(variance, variance(x));
COTANGENT_REDUCTION(variance_axis_0, variance(x, {.axes = {0}}));
COTANGENT_REDUCTION(variance_axis_1, variance(x, {.axes = {1}}));
#undef COTANGENT_REDUCTION

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
