// The project's measures: one node, training steps, the per-sample Jacobian, its tangent kernel,
// Hessian-vector products, each beside its yardstick in the same run.
#include <cmath>
#include <cstring>

#include "benchmarks/support/paired.hpp"

namespace {

using namespace cotangent;
using bench::BareProducts;
using bench::Mlp;
using bench::paired;

void scalar_node(benchmark::State& state) {
  const Index length = state.range(0);
  const auto chain = [length] {
    Tape tape;
    const Var x = tape.input(Tensor::scalar(0.5));
    Var y = x;
    for (Index i = 0; i < length; ++i) y = sin(y);
    benchmark::DoNotOptimize(tape.grad(y, x).item());
  };
  const auto plain = [length] {  // the same numbers without a tape: value and derivative of the chain
    double y = 0.5, d = 1.0;
    for (Index i = 0; i < length; ++i) {
      d *= std::cos(y);
      y = std::sin(y);
    }
    benchmark::DoNotOptimize(d);
  };
  paired(state, chain, plain);
  state.counters["ns_per_node"] = state.counters["median_us"] * 1e3 / static_cast<double>(length);
}
BENCHMARK(scalar_node)->Arg(1000)->Arg(1000000)->UseManualTime();

Mlp mlp_of(const benchmark::State& state) {
  switch (state.range(0)) {
    case 0:
      return Mlp({10, 64, 1}, 64);
    case 1:
      return Mlp({32, 256, 256, 1}, 256);
    case 2:
      return Mlp({784, 1024, 1024, 10}, 1024);
    default:
      return Mlp({32, 4096, 4096, 4096, 1}, 512);
  }
}

void gd_step(benchmark::State& state) {
  Mlp m = mlp_of(state);
  BareProducts bare(m.widths, m.x.size(0));
  const auto risk = [&](const Var& w) { return nn::mse(m.net(w, m.x), m.y); };
  const auto step = [&] {
    const auto [value, g] = value_and_grad(risk, m.w);
    benchmark::DoNotOptimize(value);
    m.w = axpy(-1e-6, g, std::move(m.w));
  };
  paired(state, step, [&] { bare.forward(), bare.backward_data(), bare.backward_weights(); });
}
BENCHMARK(gd_step)->Arg(0)->Arg(1)->Arg(2)->UseManualTime()->Unit(benchmark::kMicrosecond);

void per_sample_jacobian_256(benchmark::State& state) {
  const Mlp m({32, 256, 256, 1}, 256);
  std::vector<double> target(static_cast<std::size_t>(256 * m.w.size()), 1.0);
  paired(
      state, [&] { benchmark::DoNotOptimize(per_sample_jacobian(m.net, m.w, m.x).matrix().data().data()); },
      [&] {
        std::memset(target.data(), 0, target.size() * sizeof(double));
        benchmark::DoNotOptimize(target.data());
      });
}
BENCHMARK(per_sample_jacobian_256)->UseManualTime()->Unit(benchmark::kMillisecond);

void tangent_kernel(benchmark::State& state) {
  const Mlp m = mlp_of(state);
  BareProducts bare(m.widths, m.x.size(0));
  paired(
      state,
      [&] { benchmark::DoNotOptimize(theory::tangent_kernel(m.net, m.w, m.x).matrix().data().data()); },
      [&] { bare.forward(), bare.backward_data(), bare.kernel(); });
}
BENCHMARK(tangent_kernel)->Arg(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(tangent_kernel)->Arg(3)->Iterations(3)->UseManualTime()->Unit(benchmark::kMillisecond);

void hessian_vector_product(benchmark::State& state) {
  const Mlp m({32, 256, 256, 1}, 256);
  Rng rng(3);
  const Params v = m.w.with(rng.normal(m.w.flat().shape()));
  const auto risk = [&](const Var& w) { return nn::mse(m.net(w, m.x), m.y); };
  paired(
      state, [&] { benchmark::DoNotOptimize(hvp(risk, m.w, v).flat().data().data()); },
      [&] { benchmark::DoNotOptimize(grad(risk, m.w).flat().data().data()); });
}
BENCHMARK(hessian_vector_product)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) {
  const Provenance where = provenance();
  benchmark::AddCustomContext("cpu", where.cpu);
  benchmark::AddCustomContext("blas_core", where.blas_core);
  benchmark::AddCustomContext("blas_threads", std::to_string(where.blas_threads));
  benchmark::AddCustomContext("isa", where.isa);
  benchmark::AddCustomContext("compiler", where.compiler);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
