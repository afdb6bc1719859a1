// Kernels in balls, and what they say of the smallest eigenvalue.
#include "theory/enclosed_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/transforms.hpp"
#include "enclose/definiteness.hpp"
#include "theory/numerics/arguments.hpp"
#include "theory/proof.hpp"
#include "theory/spectrum.hpp"

namespace cotangent::theory {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using cotangent::detail::ColumnRange;

/// Row after row of J(w), only these columns of each.
Var jacobian_rows(ModelFunction f, const Var& w, const Tensor& x, const std::vector<ColumnRange>& columns) {
  std::vector<Var> rows;
  for (Index i = 0; i < x.size(0); ++i) {
    const Tensor sample = slice(x, 0, i, i + 1).value();
    const auto outputs = [&](const Var& v) { return f(v, sample); };
    const Shape shape = outputs(detach(w)).value().shape();
    if (shape.rank() < 1 || shape.rank() > 2 || shape[0] != 1)
      throw ShapeError(fmt::format("[enclose_tangent_kernel] f of one sample is {}; it must be [1] or [1, C]",
                                   shape.to_string()));
    for (Index c = 0; c < shape.size(); ++c) {
      const Var row = grad([&](const Var& v) { return sum(view(flatten(outputs(v)), c, Shape{1})); }, w);
      std::vector<Var> parts;
      for (const ColumnRange& range : columns) parts.push_back(slice(row, 0, range.first, range.last));
      rows.push_back(parts.size() == 1 ? parts[0] : concat(parts, 0));
    }
  }
  return stack(rows, 0);  // [n C, P]
}

/// The largest of some numbers below `upper` that lambda_min certainly exceeds; none if that is not shown of
/// any.
std::optional<double> lower_bound(const Enclosure& k, double upper) {
  double norm = 0.0;  // of K, at most
  for (Index i = 0; i < k.lower().size(); ++i)
    norm += std::max(std::fabs(k.lower().flat(i)), std::fabs(k.upper().flat(i)));
  if (!std::isfinite(norm) || !std::isfinite(upper)) return std::nullopt;
  constexpr double kLeast = std::numeric_limits<double>::min();
  double gap = std::max(0x1p-50 * std::fabs(upper), kLeast);
  for (; std::isfinite(gap); gap *= 64.0) {
    const double mu = upper - gap;
    if (std::isfinite(mu) && certainly_positive_definite(k, mu)) return mu;
    if (gap > 2.0 * norm) break;
  }
  return std::nullopt;
}

}  // namespace

Enclosure enclose_tangent_kernel(ModelFunction f, const Box& box, const Params& table, const Tensor& x,
                                 const EncloseKernelOptions& options) {
  if (x.rank() == 0 || x.size(0) == 0)
    throw ShapeError(fmt::format("[enclose_tangent_kernel] X is {}; give samples along its first axis",
                                 x.shape().to_string()));
  std::vector<ParamEntry> selected;
  const auto columns =
      cotangent::detail::select_columns(table.table(), table.size(), options.params, selected);
  return enclose(
      [&](const Var& v) {
        const Var j = jacobian_rows(f, v, x, columns);
        return matmul(j, j, {.transpose_b = true});
      },
      box, options.enclose);
}

Enclosure enclose_tangent_kernel(ModelFunction f, const Params& w, const Tensor& x,
                                 const EncloseKernelOptions& options) {
  return enclose_tangent_kernel(f, Box{w.flat(), w.flat()}, w, x, options);
}

Verdict certify_positive_definite(const Enclosure& k, double mu) {
  check_finite("certify_positive_definite", "mu", mu);
  Proof proof(
      Claim("lambda_min(K) > mu", fmt::format("mu = {}, for every symmetric K within its bounds", mu)));
  std::optional<double> lower;
  double upper = kInfinity;
  Tensor v;
  if (certainly_positive_definite(k, mu)) lower = mu;  // looks at shapes and symmetry first
  if (k.finite()) {
    const Var middle = k.middle();
    const Tensor symmetric = (0.5 * middle + 0.5 * transpose(middle)).value();
    v = slice(spectrum(symmetric).vectors, 1, 0, 1).value().reshape({symmetric.size(0)});
    upper = rayleigh_quotient(k, v).upper().item();
    const std::optional<double> near = lower_bound(k, upper);
    if (near && (!lower || *near > *lower)) lower = near;
  }
  const double above = std::nextafter(mu, kInfinity);
  if (lower && *lower == mu && certainly_positive_definite(k, above)) lower = above;
  proof.number("lower", lower.value_or(-kInfinity));
  proof.number("upper", upper);
  proof.number("bits", k.bits());
  const bool proved = lower && *lower > mu, disproved = upper <= mu;
  const double low = lower.value_or(-kInfinity);
  const Measured smallest = proved      ? exact(low)
                            : disproved ? exact(upper)
                                        : within(std::isfinite(upper) ? upper : mu,
                                                 lower && std::isfinite(upper) ? upper - low : kInfinity);
  Verdict verdict = proof.conclude(Domain::here("K"), "mu < lambda_min(K)", exact(mu) < smallest);
  if (verdict.outcome == Outcome::refuted) verdict.witness = Params({{"v", v}});
  return verdict;
}

}  // namespace cotangent::theory
