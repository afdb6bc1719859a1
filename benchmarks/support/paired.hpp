// Paired timing: the work and its yardstick in turn within one run, so that a drifting machine slows both.
#pragma once
#include <benchmark/benchmark.h>

#include "cotangent.hpp"

namespace cotangent::bench {

/// Times `work` as the benchmark's own time and `yardstick` beside it; counters: median_us, yardstick_us
/// (median), ratio of medians. With one BLAS thread processor time counts, else wall time.
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
  void forward(std::size_t first_layer = 0);
  /// The cotangents of the layers' outputs, without the weights'.
  void backward_data();
  void backward_weights(std::size_t first_layer = 0);
  /// The fewest of a Hessian-vector product by reverse passes: of a layer y = x W^T with direction V and
  /// cotangent d there are x W^T, x V^T, d W, d V, c W^T, d^T c, and g W, g^T x of the second pass; of the
  /// first layer x W^T, x V^T and g^T x.
  void hessian_vector() {
    forward(), forward(), forward(1);
    backward_data(), backward_data(), backward_data();
    backward_weights(), backward_weights(1);
  }
  /// The products of the structured kernel: H H^T and Delta Delta^T of each layer, lower triangles.
  void kernel();

 private:
  std::vector<Index> widths_;
  Index n_;
  std::vector<std::vector<double>> weights_, gradients_, layers_;
  std::vector<double> gram_;
};

}  // namespace cotangent::bench
