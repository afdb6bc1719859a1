// A look into networks: what each module gives, and on which side of their kinks the units are.
#pragma once
#include <string>
#include <vector>

#include "autodiff/params.hpp"
#include "nn/layers.hpp"

namespace cotangent::nn {

/// One module of a Sequential at work.
struct LayerOutput {
  std::string path;    // "1"
  std::string module;  // "LeakyReLU(0.1)"
  Tensor value;        // [n, ...]
};

/// What every module of the network gives, in order; the last is the network's own output.
///
/// Shapes: w [P], x [n, ...].
/// Throws: as the network, without the path in front.
std::vector<LayerOutput> layer_outputs(const Sequential& net, const Params& w, const Tensor& x);

/// The units of one operation with a kink, on a set of samples.
struct ActivationPattern {
  std::string path;     // of the module of the Sequential it is in: "1"
  std::string module;   // "LeakyReLU(0.1)"
  Tensor distance;      // [n, m]: of each argument from the kink; for relu the pre-activation
  Tensor active;        // [n, m]: 1 where distance >= 0, else 0
  Tensor active_share;  // [m]: mean over the samples
  Index dead = 0;       // units active on no sample
  Index linear = 0;     // units active on every sample
  /// Mean of active over samples and units.
  double share() const;
};

/// Which units of operations with a kink (relu, leaky_relu, elu, …) are active on which samples,
/// in the network's order; none for a smooth one. A unit of a ReLU that is active on no sample
/// is dead: it passes nothing on.
///
/// Shapes: w [P], x [n, ...]; a module that gives [n, a, b] has m = a b units.
/// At a kink: active, as the derivative taken there is that side's.
/// Throws: as the network, without the path in front; DomainError if x has no samples.
std::vector<ActivationPattern> activation_patterns(const Sequential& net, const Params& w, const Tensor& x);

/// The parameters of `net` in an .npz file that this library, NumPy or PyTorch wrote, in any order and any
/// type load takes. PyTorch's names are ours, so for a torch.nn.Sequential
///   np.savez(path, **{k: v.numpy() for k, v in net.state_dict().items()})
/// writes such a file.
///
/// Throws: DomainError naming every parameter that is missing or unknown, with all names expected; ShapeError
/// naming those of another shape; DomainError for one that is not finite, or a file that cannot be read.
Params read_params(const Module& net, const std::string& path);

}  // namespace cotangent::nn
