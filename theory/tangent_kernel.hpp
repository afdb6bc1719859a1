// Tangent kernels of a model: K = J J^T over samples and outputs, with or without forming the Jacobian J.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/jacobian.hpp"
#include "autodiff/params.hpp"
#include "autodiff/plan.hpp"
#include "autodiff/tensor.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {

/// How a kernel is computed. `structured` sums (H_u H_v^T) o (Delta_u Delta_v^T) over the places where
/// parameters meet the data and forms neither J nor a weight's cotangent; `materialised` forms J and
/// multiplies; `products` takes K v for every unit vector v, slowly and in little memory; `automatic` takes
/// the structured way where the model allows it, or under .memory the cheapest that fits.
enum class KernelMethod { automatic, structured, materialised, products };

struct KernelOptions {
  KernelMethod method = KernelMethod::automatic;
  /// Only parameters matching these name patterns count; the rest is constant. Empty: all.
  std::vector<std::string> params = {};
  /// Bytes of tensors the work may hold, the kernel among them, by plan_tangent_kernel's forecast; if nothing
  /// fits, a DomainError shows it.
  std::optional<Index> memory = std::nullopt;
};

/// Tangent kernel K[i, j, c, c'] = <df(w, x_i)_c / dw, df(w, x'_j)_c' / dw>.
class TangentKernel {
 public:
  TangentKernel(Tensor matrix, Index outputs, KernelMethod method);

  /// [n1*C, n2*C], rows (sample, output) as the Jacobian's: J1 J2^T.
  const Tensor& matrix() const noexcept { return matrix_; }
  /// [n1, n2, C, C]
  Tensor values() const;
  /// [n1, n2], for models with one output. Throws: ShapeError if C is not 1.
  Tensor scalar() const;
  Index outputs() const noexcept { return outputs_; }
  /// The way it was computed; `materialised` also where a parameter reaches the
  /// data through other operations.
  KernelMethod method() const noexcept { return method_; }
  std::string to_string() const;

 private:
  Tensor matrix_;
  Index outputs_;
  KernelMethod method_;
};

/// The tangent kernel of f at w between two sets of samples, or of one set with
/// itself (then exactly symmetric).
///
/// Shapes: X1 [n1, ...], X2 [n2, ...], f(w, X) [n] or [n, C] -> [n1, n2, C, C].
/// Cost: structured: a forward and C backward passes a set, and two [n1, n2] products for each layer and pair
/// of outputs; materialised: (n1 + n2) C P numbers. A parameter that reaches the data through other
/// operations (normalised, W2 W1) takes the materialised way where the structured one is asked for, as does
/// one read by partly overlapping slices or one whose gradients alone are others than within a batch; all are
/// then exact. So is `products`, which looks at the first three samples only, and refuses the last of these.
/// Throws: as per_sample_jacobian; ShapeError if f's outputs differ between the sets.
/// Source: Jacot, Gabriel, Hongler 2018; Novak, Sohl-Dickstein, Schoenholz 2022 (structured derivatives).
TangentKernel tangent_kernel(ModelFunction f, const Params& w, const Tensor& x1, const Tensor& x2,
                             const KernelOptions& options = {});
TangentKernel tangent_kernel(ModelFunction f, const Params& w, const Tensor& x,
                             const KernelOptions& options = {});

/// The plan tangent_kernel follows under .memory: "structured", "materialised" or "products".
///
/// Cost: records of f and their passes on one, two and three samples of each set; f is never evaluated
/// on all of them.
/// Throws: as tangent_kernel where samples mix.
Plan plan_tangent_kernel(ModelFunction f, const Params& w, const Tensor& x1, const Tensor& x2,
                         const KernelOptions& options = {});
Plan plan_tangent_kernel(ModelFunction f, const Params& w, const Tensor& x,
                         const KernelOptions& options = {});

/// v -> K v without K: one vector-Jacobian and one Jacobian-vector product on two records made once.
///
/// Shapes: v [n2*C] -> [n1*C].
/// Cost: O(forward pass) time and memory a product. Belongs to the thread that made it.
/// Throws: ShapeError; TapeError as per_sample_jacobian does not: f may mix samples.
class TangentKernelOperator {
 public:
  TangentKernelOperator(ModelFunction f, const Params& w, const Tensor& x1, const Tensor& x2,
                        const KernelOptions& options = {});
  TangentKernelOperator(ModelFunction f, const Params& w, const Tensor& x, const KernelOptions& options = {});

  Tensor operator()(const Tensor& v) const;
  Index rows() const noexcept;
  Index columns() const noexcept;

 private:
  struct Record;
  std::shared_ptr<Record> record_;
};

/// What the structured kernel is compared with: J J^T; J J^T with J made sample after sample by jacobian(); K
/// v for every unit vector v, by TangentKernelOperator.
enum class KernelPath { materialised, sample_by_sample, products };

/// sum over layers of (H H^T) o (Delta Delta^T) is J J^T: certified at this w if the structured
/// kernel and the other one differ by at most `accuracy` of the largest entry. Hypothesis: the
/// model has a structured kernel.
///
/// Cost: both kernels.
/// Throws: as tangent_kernel; DomainError unless accuracy is positive.
/// Source: landscape (lecture 002), K19.
Verdict check_kernel_paths(ModelFunction f, const Params& w, const Tensor& x, KernelPath path,
                           double accuracy = 1e-12);

}  // namespace cotangent::theory
