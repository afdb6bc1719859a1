// Enclosures of a network's value and gradient at 128 bits, beside the same in doubles.
#include "benchmarks/support/paired.hpp"

namespace {

using namespace cotangent;
using bench::paired;

void enclosure(benchmark::State& state, const nn::Sequential& net) {
  Rng rng(1);
  const Params w = net.init(rng);
  const Tensor x = rng.normal({100, 784}), y = rng.normal({100, 1});
  const auto risk = [&](const Var& v) { return nn::half_mse(net(v, x), y); };
  const auto both = [&](const Var& v) {
    const auto [value, g] = value_and_grad(risk, v);
    return concat({reshape(value, {1}), g}, 0);
  };
  paired(
      state, [&] { benchmark::DoNotOptimize(enclose(both, w, {.most_bits = 128}).lower().data().data()); },
      [&] { benchmark::DoNotOptimize(grad(risk, w).flat().data().data()); });
}
BENCHMARK_CAPTURE(enclosure, leaky_relu,
                  nn::Sequential{nn::Linear(784, 256), nn::LeakyReLU(0.1), nn::Linear(256, 256),
                                 nn::LeakyReLU(0.1), nn::Linear(256, 1)})
    ->Iterations(3)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(enclosure, tanh,
                  nn::Sequential{nn::Linear(784, 256), nn::Tanh(), nn::Linear(256, 256), nn::Tanh(),
                                 nn::Linear(256, 1)})
    ->Iterations(3)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

// Gradients of each sample, recorded and replayed, and their products: the kernel that is proved positive.
void enclosed_kernel(benchmark::State& state) {
  Rng rng(7);
  const nn::Sequential net{nn::Linear(2, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh(), nn::Linear(64, 1)};
  const Params w = net.init(rng);
  const Tensor x = rng.normal({20, 2});
  paired(
      state,
      [&] { benchmark::DoNotOptimize(theory::enclose_tangent_kernel(net, w, x).lower().data().data()); },
      [&] {
        benchmark::DoNotOptimize(
            theory::tangent_kernel(net, w, x, {.method = theory::KernelMethod::materialised})
                .matrix()
                .data()
                .data());
      });
}
BENCHMARK(enclosed_kernel)->Iterations(3)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
