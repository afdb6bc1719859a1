// The same work as ../measures.cpp, written for libtorch as its users would: same shapes, doubles, threads as
// asked.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace {

torch::nn::Sequential leaky_mlp(const std::vector<int64_t>& widths) {
  torch::nn::Sequential net;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    net->push_back(torch::nn::Linear(widths[l], widths[l + 1]));
    if (l + 2 < widths.size())
      net->push_back(torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.1)));
  }
  return net;
}

void scalar_node(benchmark::State& state) {
  const auto x = torch::randn({1}, torch::requires_grad());
  for (auto _ : state) {
    auto y = x;
    for (int64_t i = 0; i < state.range(0); ++i) y = torch::sin(y);
    benchmark::DoNotOptimize(torch::autograd::grad({y}, {x})[0].data_ptr());
  }
}
BENCHMARK(scalar_node)->Arg(1000)->Unit(benchmark::kMicrosecond);

void gd_step(benchmark::State& state, const std::vector<int64_t>& widths, int64_t samples) {
  auto net = leaky_mlp(widths);
  const auto x = torch::randn({samples, widths.front()}), y = torch::randn({samples, widths.back()});
  torch::optim::SGD descent(net->parameters(), torch::optim::SGDOptions(1e-6));
  for (auto _ : state) {
    descent.zero_grad();
    torch::mse_loss(net->forward(x), y).backward();
    descent.step();
  }
}
BENCHMARK_CAPTURE(gd_step, 10_64_1, {10, 64, 1}, 64)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(gd_step, 32_256_256_1, {32, 256, 256, 1}, 256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(gd_step, 784_1024_1024_10, {784, 1024, 1024, 10}, 1024)->Unit(benchmark::kMicrosecond);

/// One backward pass a sample through the graph of the whole batch; C++ has no vmap.
torch::Tensor jacobian(torch::nn::Sequential& net, const torch::Tensor& x, int64_t size) {
  const auto parameters = net->parameters();
  const auto out = net->forward(x);
  auto rows = torch::empty({x.size(0), size});
  for (int64_t i = 0; i < x.size(0); ++i) {
    int64_t column = 0;
    for (const auto& g : torch::autograd::grad({out[i][0]}, parameters, {}, true)) {
      rows[i].slice(0, column, column + g.numel()).copy_(g.reshape(-1));
      column += g.numel();
    }
  }
  return rows;
}

int64_t count(const torch::nn::Sequential& net) {
  int64_t size = 0;
  for (const auto& p : net->parameters()) size += p.numel();
  return size;
}

void recycled_jacobian(benchmark::State& state) {
  auto net = leaky_mlp({32, 256, 256, 1});
  const auto x = torch::randn({256, 32});
  const int64_t size = count(net);
  for (auto _ : state) benchmark::DoNotOptimize(jacobian(net, x, size).data_ptr());
}
BENCHMARK(recycled_jacobian)->Unit(benchmark::kMicrosecond);

void tangent_kernel(benchmark::State& state) {
  auto net = leaky_mlp({32, 256, 256, 1});
  const auto x = torch::randn({256, 32});
  const int64_t size = count(net);
  for (auto _ : state) {
    const auto j = jacobian(net, x, size);
    benchmark::DoNotOptimize(torch::matmul(j, j.t()).data_ptr());
  }
}
BENCHMARK(tangent_kernel)->Name("tangent_kernel/32_256_256_1")->Unit(benchmark::kMicrosecond);

void gradient(benchmark::State& state) {
  auto net = leaky_mlp({32, 256, 256, 1});
  const auto x = torch::randn({256, 32}), y = torch::randn({256, 1});
  for (auto _ : state) {
    const auto g = torch::autograd::grad({torch::mse_loss(net->forward(x), y)}, net->parameters());
    benchmark::DoNotOptimize(g[0].data_ptr());
  }
}
BENCHMARK(gradient)->Unit(benchmark::kMicrosecond);

void hessian_vector_product(benchmark::State& state) {
  auto net = leaky_mlp({32, 256, 256, 1});
  const auto x = torch::randn({256, 32}), y = torch::randn({256, 1});
  const auto parameters = net->parameters();
  std::vector<torch::Tensor> v;
  for (const auto& p : parameters) v.push_back(torch::randn_like(p));
  for (auto _ : state) {
    const auto g = torch::autograd::grad({torch::mse_loss(net->forward(x), y)}, parameters, {}, true, true);
    auto s = torch::zeros({});
    for (std::size_t k = 0; k < g.size(); ++k) s = s + (g[k] * v[k]).sum();
    // The last bias has no second derivative.
    const auto h = torch::autograd::grad({s}, parameters, {}, false, false, true);
    benchmark::DoNotOptimize(h[0].data_ptr());
  }
}
BENCHMARK(hessian_vector_product)->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) {
  const char* threads = std::getenv("OPENBLAS_NUM_THREADS");
  const int count = threads ? std::atoi(threads) : 1;
  if (count < 1) {
    std::fprintf(stderr, "OPENBLAS_NUM_THREADS is '%s'; give a number from 1 on\n", threads);
    return 2;
  }
  torch::set_num_threads(count);
  at::set_num_interop_threads(1);
  torch::set_default_dtype(caffe2::TypeMeta::Make<double>());
  torch::manual_seed(0);
  benchmark::AddCustomContext("libtorch", TORCH_VERSION);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
