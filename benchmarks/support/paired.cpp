// Paired timing, the networks measured, and their bare matrix products through cblas.
#include "benchmarks/support/paired.hpp"

#include <cblas.h>

#include <algorithm>
#include <ctime>
#include <vector>

namespace cotangent::bench {
namespace {

double now(bool processor) {
  timespec t{};
  clock_gettime(processor ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Of one thread the processor's time, which others on the machine do not lengthen; of several the wall's.
double seconds(FunctionRef<void()> f) {
  static const bool one_thread = provenance().blas_threads == 1;
  const double start = now(one_thread);
  f();
  return now(one_thread) - start;
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

int blas_int(Index n) { return static_cast<int>(n); }

nn::Sequential leaky_mlp(const std::vector<Index>& widths) { return nn::mlp(widths, nn::LeakyReLU(0.1)); }

}  // namespace

void paired(benchmark::State& state, FunctionRef<void()> work, FunctionRef<void()> yardstick) {
  work();
  yardstick();
  std::vector<double> ours, theirs;
  for (auto _ : state) {
    theirs.push_back(seconds(yardstick));
    ours.push_back(seconds(work));
    state.SetIterationTime(ours.back());
  }
  state.counters["median_us"] = median(ours) * 1e6;
  state.counters["yardstick_us"] = median(theirs) * 1e6;
  state.counters["ratio"] = median(ours) / median(theirs);
}

int run(int argc, char** argv) {
  const Provenance where = provenance();
  benchmark::AddCustomContext("cpu", where.cpu);
  benchmark::AddCustomContext("blas_core", where.blas_core);
  benchmark::AddCustomContext("blas_config", where.blas_config);
  benchmark::AddCustomContext("blas_threads", std::to_string(where.blas_threads));
  benchmark::AddCustomContext("isa", where.isa);
  benchmark::AddCustomContext("compiler", where.compiler);
  benchmark::AddCustomContext("build_type", where.build_type);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

Mlp::Mlp(std::vector<Index> sizes, Index samples) : widths(std::move(sizes)), net(leaky_mlp(widths)) {
  Rng rng(7);
  w = net.init(rng);
  x = rng.normal(Shape{samples, widths.front()});
  y = rng.normal(Shape{samples, widths.back()});
}

BareProducts::BareProducts(const std::vector<Index>& widths, Index samples)
    : widths_(widths), n_(samples), gram_(static_cast<std::size_t>(samples * samples)) {
  for (std::size_t l = 0; l < widths.size(); ++l) {
    layers_.emplace_back(static_cast<std::size_t>(samples * widths[l]), 0.5);
    if (l) {
      weights_.emplace_back(static_cast<std::size_t>(widths[l] * widths[l - 1]), 0.01);
      gradients_.emplace_back(static_cast<std::size_t>(widths[l] * widths[l - 1]));
    }
  }
}

void BareProducts::forward(std::size_t first_layer) {
  for (std::size_t l = first_layer; l + 1 < widths_.size(); ++l) {
    const int in = blas_int(widths_[l]), out = blas_int(widths_[l + 1]);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, blas_int(n_), out, in, 1.0, layers_[l].data(), in,
                weights_[l].data(), in, 0.0, layers_[l + 1].data(), out);
  }
}

void BareProducts::backward_data() {
  for (std::size_t l = widths_.size() - 1; l-- > 1;) {
    const int in = blas_int(widths_[l]), out = blas_int(widths_[l + 1]);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, blas_int(n_), in, out, 1.0, layers_[l + 1].data(),
                out, weights_[l].data(), in, 0.0, layers_[l].data(), in);
  }
}

void BareProducts::backward_weights(std::size_t first_layer) {
  for (std::size_t l = widths_.size() - 1; l-- > first_layer;) {
    const int in = blas_int(widths_[l]), out = blas_int(widths_[l + 1]);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, blas_int(n_), 1.0, layers_[l + 1].data(),
                out, layers_[l].data(), in, 0.0, gradients_[l].data(), in);
  }
}

void BareProducts::kernel() {
  for (std::size_t l = 0; l + 1 < widths_.size(); ++l)
    for (const std::size_t side : {l, l + 1})
      cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, blas_int(n_), blas_int(widths_[side]), 1.0,
                  layers_[side].data(), blas_int(widths_[side]), 0.0, gram_.data(), blas_int(n_));
}

}  // namespace cotangent::bench
