// Tight points: where the violation and its gradient are 0, its Hessian says where to go.
#include <algorithm>
#include <cmath>
#include <vector>

#include "autodiff/kernels/lapack.hpp"
#include "autodiff/linearize.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"
#include "theory/claims/search.hpp"

namespace cotangent::theory {
namespace {

struct Bend {
  double value;
  Tensor direction;
};

/// The largest eigenvalues that Lanczos finds, the largest first; every vector is made orthogonal to all
/// before it, twice.
std::vector<Bend> top_bends(Trials& trials, const Tensor& w, Index steps, std::size_t wanted) {
  trials.charge(4);
  const Linearized gradient =
      linearize([&](const Var& v) { return grad([&](const Var& u) { return trials.violation(u); }, v); }, w);
  std::vector<Tensor> basis{random_direction(trials.rng(), w.shape())};
  std::vector<double> diagonal, beside;
  while (!trials.done()) {
    trials.charge(2);
    Var next = gradient.times(basis.back());
    diagonal.push_back(dot(next, basis.back()).item());
    if (!std::isfinite(diagonal.back())) return {};
    for (int twice = 0; twice < 2; ++twice)
      for (const Tensor& q : basis) next = next - dot(next, q).item() * Var(q);
    const double length = norm(next).item();
    const bool last = static_cast<Index>(diagonal.size()) == steps;
    if (last || !(length > 1e-14 * std::fabs(diagonal.front()))) break;
    beside.push_back(length);
    basis.push_back((next / length).value());
  }
  const std::size_t n = diagonal.size();
  if (n == 0) return {};
  std::vector<double> matrix(n * n), values(n), vectors(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    matrix[i * n + i] = diagonal[i];
    if (i + 1 < n) matrix[i * n + i + 1] = matrix[(i + 1) * n + i] = beside[i];
  }
  kernel::symmetric_eigen("falsify", matrix.data(), static_cast<std::int64_t>(n), values.data(),
                          vectors.data());
  std::vector<Bend> bends;
  for (std::size_t k = n; k-- > 0 && bends.size() < wanted;) {
    Var direction = Tensor::zeros(w.shape());
    for (std::size_t i = 0; i < n; ++i) direction = direction + vectors[k * n + i] * Var(basis[i]);
    bends.push_back({values[k], direction.value()});
  }
  return bends;
}

}  // namespace

std::optional<Seen> look_along_bends(Trials& trials, const Tensor& w) {
  // As many vectors are kept.
  constexpr Index kSteps = 300, kNumbers = 30'000'000;
  constexpr std::size_t kWanted = 2;
  std::vector<Bend> bends;
  try {
    bends =
        top_bends(trials, w, std::min({w.size(), kSteps, std::max<Index>(kNumbers / w.size(), 2)}), kWanted);
  } catch (const std::exception&) {
    return std::nullopt;  // the sides have no second derivatives here
  }
  const double away = norm(Var(w) - Var(trials.centre())).item();
  const double scale = std::max(away, 1e-3 * trials.radius());
  std::optional<Seen> best;
  for (const Bend& bend : bends)
    for (int decade = -6; decade <= 4; ++decade)
      for (const double sign : {1.0, -1.0}) {
        if (trials.done()) return best;
        const double t = sign * scale * std::pow(10.0, decade);
        const auto seen = trials.look(trials.inside(Var(w) + t * Var(bend.direction)).value());
        if (seen && (!best || seen->ratio > best->ratio)) best = seen;
      }
  return best;
}

}  // namespace cotangent::theory
