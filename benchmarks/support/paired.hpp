// Paired timing: the work and its yardstick in turn within one run, so that a drifting machine slows both.
#pragma once
#include <benchmark/benchmark.h>

#include "cotangent.hpp"

namespace cotangent::bench {

/// Times `work` as the benchmark's own time and `yardstick` beside it; counters: median_us, yardstick_us (median), ratio
/// of medians. With one BLAS thread processor time counts, else wall time.
void paired(benchmark::State& state, FunctionRef<void()> work, FunctionRef<void()> yardstick);

/// The program's main: writes where it was measured into the context, then runs what the options choose.
int run(int argc, char** argv);

/// A multilayer perceptron by its widths, the first being the inputs: parameters, leaky-ReLU model and data.
struct Mlp {
  std::vector<Index> widths;
  nn::Sequential net;
  Params w;
  Tensor x;
  Tensor y;
  Mlp(std::vector<Index> widths, Index samples);
};

/// The matrix products of one gradient of the net, and nothing else: L forward, 2 L - 1 backward.
class BareProducts {
 public:
  BareProducts(const std::vector<Index>& widths, Index samples);
  void forward();
  /// The cotangents of the layers' outputs, without the weights'.
  void backward_data();
  void backward_weights();
  /// The products of the structured kernel: H H^T and Delta Delta^T of each layer, lower triangles.
  void kernel();

 private:
  std::vector<Index> widths_;
  Index n_;
  std::vector<std::vector<double>> weights_, gradients_, layers_;
  std::vector<double> gram_;
};

}  // namespace cotangent::bench
