// PL* at a point: the tangent kernel's smallest eigenvalue, and the Jacobian's rank.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "enclose/enclosure.hpp"
#include "theory/claims/enclosed.hpp"
#include "theory/conditions.hpp"
#include "theory/conditions/kernel_spectrum.hpp"
#include "theory/numerics/arguments.hpp"
#include "theory/proof.hpp"

namespace cotangent::theory {
namespace {

/// L = |f(w, X) - y|^2 / 2 and its gradient at w, with r = f(w, X) - y, [n C, 1], and r^T K r.
struct Loss {
  Tensor r;
  Measured value, square_gradient, rkr;

  /// A residual is off by the rounding of the output it is taken from, which is made of numbers of the size
  /// of |J_i| |w|; where it is as small as that, nothing is known of the loss, nor of the direction of its
  /// gradient.
  Loss(ModelFunction f, const Params& w, const Tensor& x, const Tensor& outputs, const Tensor& y,
       const Tensor& k) {
    const Index rows = outputs.size();
    r = (outputs - Var(y)).value().reshape({rows, 1});
    const Tensor kr = matmul(k, r).value();
    const auto [loss, gradient] =
        value_and_grad([&](const Var& u) { return 0.5 * sum(cotangent::square(f(u, x) - y)); }, w);
    const double length = norm(w);
    double magnitude = 0.0, trace = 0.0, of_value = 0.0, of_gradient = 0.0, square = 0.0;
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < rows; ++j) magnitude += std::fabs(r(i, 0) * k(i, j) * r(j, 0));
      const auto at = static_cast<std::size_t>(i);
      const double off = rounding({outputs.data()[at], y.data()[at], std::sqrt(k(i, i)) * length});
      of_value += std::fabs(r(i, 0)) * off + 0.5 * off * off;
      of_gradient += 2.0 * std::fabs(kr(i, 0)) * off;
      square += off * off;
      trace += k(i, i);
    }
    of_gradient += trace * square;
    const double of_sums = rounding({magnitude}, rows);
    value = within(loss, rounding({loss}, rows) + of_value);
    square_gradient = within(squared_norm(gradient).value(), of_sums + of_gradient);
    rkr = within(inner(r.data(), kr.data()).value(), of_sums + of_gradient);
  }
};

/// Rows and columns of J(w) that are not certainly 0, the fewer of both. A number that was computed as 0 may
/// have come from a larger one, as 1e20 + 1 - 1e20 does: only an enclosure knows.
Index largest_rank(ModelFunction f, const Params& w, const Tensor& x, Index rows) {
  std::vector<bool> row(static_cast<std::size_t>(rows)), column(static_cast<std::size_t>(w.size()));
  try {
    for (Index i = 0; i < rows; ++i) {
      const auto output = [&](const Var& u) { return sum(slice(reshape(f(u, x), {rows}), 0, i, i + 1)); };
      const Enclosure gradient = enclose([&](const Var& u) { return grad(output, u); }, w.flat());
      const auto at = static_cast<std::size_t>(i);
      for (std::size_t k = 0; k < column.size(); ++k)
        if (gradient.lower().data()[k] != 0.0 || gradient.upper().data()[k] != 0.0)
          row[at] = column[k] = true;
    }
  } catch (const DomainError&) {  // an operation without an enclosure: nothing is known to be 0
    return std::min(rows, w.size());
  }
  return std::min<Index>(std::count(row.begin(), row.end(), true),
                         std::count(column.begin(), column.end(), true));
}

constexpr const char* kPlStar = "2 mu L(w) <= |grad L(w)|^2";

}  // namespace

Verdict check_pl_star(ModelFunction f, const Params& w, const Tensor& x, double mu,
                      const PlStarOptions& options) {
  check_finite("check_pl_star", "mu", mu);
  Proof proof(Claim(entry("O15"), fmt::format("mu = {}, for all targets", mu)));
  const KernelSpectrum k = options.kernel ? KernelSpectrum(*options.kernel) : KernelSpectrum::of(f, w, x);
  if (options.kernel) k.check_is_of(f, w, x);
  k.tell(proof);
  const Measured smallest = k.sharp_smallest();
  proof.number("lambda_min", smallest.value());
  proof.number("error", smallest.error());
  proof.vacuous_if(exact(mu) <= exact(0.0), "the right-hand side is at least 0 anyway");
  Verdict v = proof.conclude(Domain::here("w"), "mu <= lambda_min(K(w))", exact(mu) <= smallest);
  if (v.outcome != Outcome::refuted) return v;
  const Tensor outputs = f(w.flat(), x).value();
  const Tensor worst = slice(k.eigen().vectors, 1, 0, 1).value().reshape(outputs.shape());
  v.witness = Params({{"w", w.flat()}, {"X", x}, {"targets", (outputs - Var(worst)).value()}});
  return v;
}

Verdict check_pl_star(ModelFunction f, const Params& w, const Tensor& x, const Tensor& y, double mu) {
  check_finite("check_pl_star", "mu", mu);
  Proof proof(Claim(entry("O15"), fmt::format("mu = {}, for these targets", mu)));
  const Tensor outputs = f(w.flat(), x).value();
  if (outputs.shape() != y.shape())
    throw ShapeError(fmt::format("[check_pl_star] f(w, X) is {}, y is {}; give a target for every output",
                                 outputs.shape().to_string(), y.shape().to_string()));
  // The conclusion is enclosed by itself; the steps show how it comes about, with K as computed.
  const KernelSpectrum k = KernelSpectrum::computed(f, w, x);
  const Loss loss(f, w, x, outputs, y, k.matrix());
  proof.number("lambda_min", k.eigen().smallest());
  proof.number("error", k.error());
  proof.step("|grad L(w)|^2 = r^T K r", loss.square_gradient == loss.rkr);
  proof.step("lambda_min |r|^2 <= r^T K r", k.smallest() * exact(2.0) * loss.value <= loss.rkr);
  proof.vacuous_if(exact(mu) <= exact(0.0), "the right-hand side is at least 0 anyway");
  const auto sides = [&](const Var& u) {
    const VarValueAndGrad at =
        value_and_grad([&](const Var& v) { return 0.5 * sum(cotangent::square(f(v, x) - y)); }, u);
    return exact(2.0 * mu) * side(at.value) <= inner_product(at.grad, at.grad);
  };
  Inequality conclusion = exact(2.0 * mu) * loss.value <= loss.square_gradient;
  try {
    conclusion = enclosed_at(sides, w.flat());
  } catch (const DomainError& e) {
    proof.as_computed(e.what());
  }
  Verdict v = proof.conclude(Domain::here("w"), kPlStar, conclusion);
  if (v.outcome == Outcome::refuted) v.witness = Params({{"w", w.flat()}, {"X", x}, {"targets", y}});
  return v;
}

Verdict check_jacobian_rank(ModelFunction f, const Params& w, const Tensor& x, Index claimed) {
  if (claimed < 0)
    throw DomainError(fmt::format("[check_jacobian_rank] claimed is {}; give a rank", claimed));
  Proof proof(Claim("rank of the Jacobian", fmt::format("{} <= rank J(w)", claimed)));
  const KernelSpectrum kernel = KernelSpectrum::of(f, w, x);
  kernel.tell(proof);
  const std::span<const double> values = kernel.eigen().values.data();
  const auto least =
      std::count_if(values.begin(), values.end(), [&](double lambda) { return lambda > kernel.error(); });
  const Index most = claimed > least ? largest_rank(f, w, x, kernel.matrix().size(0)) : least;
  const double low = static_cast<double>(least), high = static_cast<double>(std::max(least, most)),
               claim = static_cast<double>(claimed);
  const Measured rank = claim <= low   ? exact(low)
                        : claim > high ? exact(high)
                                       : within(0.5 * (low + high), 0.5 * (high - low));
  proof.vacuous_if(exact(claim) <= exact(0.0), "every rank is at least 0");
  Verdict v = proof.conclude(Domain::here("w"), "claimed <= rank J(w)", exact(claim) <= rank);
  if (v.outcome == Outcome::refuted) v.witness = Params({{"w", w.flat()}, {"X", x}});
  return v;
}

}  // namespace cotangent::theory
