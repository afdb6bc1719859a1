// The project's measures: training steps, the per-sample Jacobian, its tangent kernel,
// Hessian-vector products, each beside its yardstick in the same run.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "benchmarks/support/paired.hpp"

namespace {

using namespace cotangent;
using bench::BareProducts;
using bench::Mlp;
using bench::paired;

void gd_step(benchmark::State& state, const std::vector<Index>& widths, Index samples) {
  Mlp m(widths, samples);
  BareProducts bare(widths, samples);
  const auto risk = [&](const Var& w) { return nn::mse(m.net(w, m.x), m.y); };
  const auto step = [&] {
    const auto [value, g] = value_and_grad(risk, m.w);
    benchmark::DoNotOptimize(value);
    m.w = axpy(-1e-6, g, std::move(m.w));
  };
  paired(state, step, [&] { bare.forward(), bare.backward_data(), bare.backward_weights(); });
}
BENCHMARK_CAPTURE(gd_step, 10_64_1, {10, 64, 1}, 64)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(gd_step, 32_256_256_1, {32, 256, 256, 1}, 256)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(gd_step, 784_1024_1024_10, {784, 1024, 1024, 10}, 1024)
    ->UseManualTime()
    ->MinTime(3.0)
    ->Unit(benchmark::kMicrosecond);

void recycled_jacobian_beside_memset(benchmark::State& state, int byte) {
  const Mlp m({32, 256, 256, 1}, 256);
  std::vector<double> target(static_cast<std::size_t>(256 * m.w.size()), 1.0);
  paired(
      state, [&] { benchmark::DoNotOptimize(per_sample_jacobian(m.net, m.w, m.x).matrix().data().data()); },
      [&] {
        std::memset(target.data(), byte, target.size() * sizeof(double));
        benchmark::DoNotOptimize(target.data());
      });
}
void recycled_jacobian(benchmark::State& state) { recycled_jacobian_beside_memset(state, 0); }
BENCHMARK(recycled_jacobian)->UseManualTime()->Unit(benchmark::kMicrosecond);
// Some processors write zeros faster than anything else.
void recycled_jacobian_beside_sevens(benchmark::State& state) { recycled_jacobian_beside_memset(state, 7); }
BENCHMARK(recycled_jacobian_beside_sevens)->UseManualTime()->Unit(benchmark::kMicrosecond);

// In a thread of its own, whose cache of buffers is empty: the numbers go to pages never touched before.
void first_jacobian(benchmark::State& state) {
  const Mlp m({32, 256, 256, 1}, 256);
  const std::size_t bytes = static_cast<std::size_t>(256 * m.w.size()) * sizeof(double);
  paired(
      state,
      [&] {
        std::thread([&] {
          benchmark::DoNotOptimize(per_sample_jacobian(m.net, m.w, m.x).matrix().data().data());
        }).join();
      },
      [&] {
        std::thread([&] {
          void* pages = std::malloc(bytes);
          std::memset(pages, 1, bytes);
          benchmark::DoNotOptimize(pages);
          benchmark::ClobberMemory();  // else the compiler leaves the writing out
          std::free(pages);
        }).join();
      });
}
BENCHMARK(first_jacobian)->UseManualTime()->Unit(benchmark::kMicrosecond);

void tangent_kernel(benchmark::State& state, const std::vector<Index>& widths, Index samples) {
  const Mlp m(widths, samples);
  BareProducts bare(widths, samples);
  paired(
      state,
      [&] { benchmark::DoNotOptimize(theory::tangent_kernel(m.net, m.w, m.x).matrix().data().data()); },
      [&] { bare.forward(), bare.backward_data(), bare.kernel(); });
}
BENCHMARK_CAPTURE(tangent_kernel, 32_256_256_1, {32, 256, 256, 1}, 256)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(tangent_kernel, 32_4096_4096_4096_1, {32, 4096, 4096, 4096, 1}, 512)
    ->Iterations(3)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

const auto kRisk = [](const Mlp& m) { return [&m](const Var& w) { return nn::mse(m.net(w, m.x), m.y); }; };

void hessian_vector_product(benchmark::State& state) {
  const Mlp m({32, 256, 256, 1}, 256);
  Rng rng(3);
  const Params v = m.w.with(rng.normal(m.w.flat().shape()));
  paired(
      state, [&] { benchmark::DoNotOptimize(hvp(kRisk(m), m.w, v).flat().data().data()); },
      [&] { benchmark::DoNotOptimize(grad(kRisk(m), m.w).flat().data().data()); });
}
BENCHMARK(hessian_vector_product)->UseManualTime()->Unit(benchmark::kMicrosecond);

void hvp_beside_products(benchmark::State& state) {
  const Mlp m({32, 256, 256, 1}, 256);
  BareProducts bare({32, 256, 256, 1}, 256);
  Rng rng(3);
  const Params v = m.w.with(rng.normal(m.w.flat().shape()));
  paired(
      state, [&] { benchmark::DoNotOptimize(hvp(kRisk(m), m.w, v).flat().data().data()); },
      [&] { bare.hessian_vector(); });
}
BENCHMARK(hvp_beside_products)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
