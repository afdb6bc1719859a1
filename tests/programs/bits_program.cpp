// Prints the bits of random draws, initial weights, data and batches; built by both compilers, Debug and
// Release, the outputs must be equal.
#include <bit>
#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include "autodiff/rng.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tests/support/optimizers.hpp"

namespace {

using cotangent::Index;
using cotangent::Rng;
using cotangent::Shape;
using cotangent::Tensor;

/// FNV-1a over the bits of many numbers, so that all of them count without being printed.
std::uint64_t digest(const Tensor& t) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const double x : t.data()) {
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
    for (int shift = 0; shift < 64; shift += 8) h = (h ^ ((bits >> shift) & 0xffu)) * 0x100000001b3u;
  }
  return h;
}

void print_bits(const char* name, double x) {
  std::printf("%s %016" PRIx64 "\n", name, std::bit_cast<std::uint64_t>(x));
}

/// Prints each batch and stops before anything the compilers' math could differ in is computed from it.
class PrintBatches : public cotangent::optim::Observer {
 public:
  cotangent::optim::Flow on_step(const cotangent::optim::View& view) override {
    std::printf("batch");
    for (const Index i : view.batch.indices()) std::printf(" %" PRId64, i);
    std::printf("\n");
    return cotangent::optim::Flow::go_on;
  }
};

void print_initial_weights(Rng& rng) {
  using namespace cotangent::nn;
  const LinearOptions he{.weight_init = he_normal(), .bias_init = uniform(-0.5, 0.5)};
  const LinearOptions ntk{.parametrisation = Parametrisation::ntk};
  const LinearOptions orthonormal{.weight_init = orthogonal(1.5), .bias_init = paired_rows(normal(0.1))};
  const LinearOptions opposed{.weight_init = opposed_columns(glorot_uniform())};
  const Sequential net{Linear(20, 64),        LeakyReLU(0.1), Linear(64, 64, he),          ReLU(),
                       Linear(64, 40, ntk),   ELU(),          Linear(40, 60, orthonormal), GELU(),
                       Linear(60, 3, opposed)};
  const cotangent::Params w = net.init(rng);
  for (const cotangent::ParamEntry& entry : w.table())
    std::printf("weights %s %016" PRIx64 "\n", entry.name.c_str(), digest(w[entry.name]));
}

/// Those that need no math library.
void print_data(Rng& rng) {
  using namespace cotangent::nn;
  const auto print_set = [](const char* name, const Tensor& x, const Tensor& y) {
    std::printf("data %s %016" PRIx64 " %016" PRIx64 "\n", name, digest(x), digest(y));
  };
  for (const double margin : {0.02, 0.5}) {
    const Separable set = separable(rng, {.n = 200, .d = 30, .margin = margin});
    print_set("separable", set.x, set.y);
  }
  const Labelled moons = two_moons(rng, {.n = 100, .noise = 0.1}),
                 rings = circles(rng, {.n = 100, .noise = 0.1});
  print_set("two_moons", moons.x, moons.y);
  print_set("circles", rings.x, rings.y);
  const Tensor points = sphere(rng, 100, 17);
  print_set("sphere", points, points);
}

void print_batches(Rng& rng) {
  using namespace cotangent;
  const auto f = optim::finite_sum(37, [](const Var& w, const Batch&) { return sum(square(w)); });
  PrintBatches observer;
  optim::Sgd({.step = 0.01, .batch = 8, .epochs = 2}).minimize(f, Tensor{1, 2}, rng, {&observer});
  optim::Sgd({.step = 0.01, .batch = 8, .epochs = 1, .replacement = true})
      .minimize(f, Tensor{1, 2}, rng, {&observer});
}

/// Where every optimizer ends on a sum that needs no math library, and what it asked.
void print_runs() {
  using namespace cotangent;
  for (const test::OptimizerCase& c : test::every_optimizer(40)) {
    Rng rng(3);
    const optim::Run run = c.optimizer->minimize(test::five_samples(), Tensor{7.0}, rng);
    std::printf("run %s: %016" PRIx64 " %" PRId64 " %" PRId64 "\n", c.name.c_str(), digest(run.w.flat()),
                run.iterations, run.spent.gradients);
  }
}

}  // namespace

int main() {
  Rng rng(7);
  for (int i = 0; i < 16; ++i) print_bits("uniform", rng.uniform());
  for (int i = 0; i < 64; ++i) print_bits("normal", rng.normal());
  for (const Index n : {Index{1}, Index{2}, Index{10}, Index{60000}, (Index{1} << 62) + 1})
    std::printf("below %" PRId64 " %" PRId64 "\n", n, rng.below(n));
  std::printf("permutation");
  for (const Index i : rng.permutation(50)) std::printf(" %" PRId64, i);
  Rng init = rng.split("init");
  std::printf("\nuniforms %016" PRIx64 "\n", digest(init.uniform(Shape{100, 1000}, -0.3, 0.7)));
  std::printf("normals %016" PRIx64 "\n", digest(init.normal(Shape{300, 1000}, 1.5, 0.125)));
  print_initial_weights(rng);
  print_data(rng);
  print_batches(rng);
  print_runs();
  std::printf("state %s\n", init.state().c_str());
}
