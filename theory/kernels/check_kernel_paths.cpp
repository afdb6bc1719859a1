// The structured kernel against other ways to the same matrix (K19).
#include <fmt/format.h>

#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "theory/proof.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent::theory {
namespace {

Tensor sample_by_sample(ModelFunction f, const Params& w, const Tensor& x) {
  std::vector<Var> blocks;
  for (Index i = 0; i < x.size(0); ++i) {
    const auto one = [&](const Var& u) {
      const Var y = f(u, x.rows(i, i + 1));
      return reshape(y, {y.size()});
    };
    blocks.push_back(jacobian(one, w));  // [C, P]
  }
  const Var j = concat(blocks, 0);  // [n C, P]
  return matmul(j, j, {.transpose_b = true}).value();
}

}  // namespace

Verdict check_kernel_paths(ModelFunction f, const Params& w, const Tensor& x, KernelPath path,
                           double accuracy) {
  if (!(accuracy > 0.0 && std::isfinite(accuracy)))
    throw DomainError(fmt::format("[check_kernel_paths] accuracy is {}; give a positive number", accuracy));
  const char* names[] = {"J J^T", "J J^T sample by sample", "K v for every unit vector v"};
  const TangentKernel structured = tangent_kernel(f, w, x, {.method = KernelMethod::structured});
  Proof proof(Claim(entry("K19"), fmt::format("against {}, to {}", names[static_cast<int>(path)], accuracy)));
  proof.hypothesis("the model has a structured kernel",
                   exact(structured.method() == KernelMethod::structured ? 1.0 : 0.0) == exact(1.0));
  proof.vacuous_if(exact(1.0) <= exact(accuracy), "zeros are as near");
  if (!proof.applicable()) return proof.unfinished(Domain::here("w"), "a hypothesis fails");
  const Tensor other =
      path == KernelPath::sample_by_sample
          ? sample_by_sample(f, w, x)
          : tangent_kernel(f, w, x,
                           {.method = path == KernelPath::products ? KernelMethod::products
                                                                   : KernelMethod::materialised})
                .matrix();
  return proof.conclude(Domain::here("w"), "error <= accuracy",
                        rounded(relative_error(structured.matrix(), other)) <= exact(accuracy));
}

}  // namespace cotangent::theory
