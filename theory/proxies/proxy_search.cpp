// The best proxy of a run, by its dual: max over the simplex of <c, lambda> - (step T / 2) |sum_t lambda_t
// grad_t|^2.
#include "theory/proxies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent::theory {
namespace {

/// What is left of a run: row t of `gradients` is grad f(w_t), offsets are g(w_t) + <grad f(w_t), w_0 - w_t>.
struct Trajectory {
  Tensor gradients;  // [T, P]
  std::vector<double> offsets;
  double least = 0.0;
  double mean_square = 0.0;
};

Trajectory record(const Function<Var(const Var&)>& f, const Function<Var(const Var&)>& g, const Params& w0,
                  const ProxySearchOptions& o) {
  Trajectory run;
  std::vector<double> rows;
  Params w = w0;
  for (Index t = 0; t < o.iterations; ++t) {
    const auto [value, gradient] = value_and_grad(f, w.flat());
    const double proxy = g ? g(w.flat()).item() : value;
    const double square = compensated_dot(gradient.data(), gradient.data()).value;
    if (!std::isfinite(proxy) || !std::isfinite(square))
      throw DomainError(
          fmt::format("[search_proxy] the run is no longer finite after {} of {} steps of {}; give a "
                      "shorter step",
                      t, o.iterations, o.step));
    rows.insert(rows.end(), gradient.data().begin(), gradient.data().end());
    run.offsets.push_back(
        proxy + compensated_dot_difference(gradient.data(), w0.flat().data(), w.flat().data()).value);
    run.least = t == 0 ? proxy : std::min(run.least, proxy);
    run.mean_square += square / static_cast<double>(o.iterations);
    w = axpy(-o.step, w.with(gradient), w);
  }
  run.gradients = Tensor::from(rows, Shape{o.iterations, w0.size()});
  return run;
}

/// max over the simplex of <c, lambda> - (scale / 2) lambda' Q lambda.
class SimplexProgram {
 public:
  SimplexProgram(const Tensor& gram, std::vector<double> offsets, double scale)
      : q_(gram), c_(std::move(offsets)), scale_(scale), lambda_(c_.size()), slope_(c_) {
    const auto best = static_cast<std::size_t>(std::max_element(c_.begin(), c_.end()) - c_.begin());
    lambda_[best] = 1.0;
    for (std::size_t t = 0; t < c_.size(); ++t) slope_[t] -= scale_ * q(t, best);
  }

  /// Moves weight from the worst iterate in use to the best; false once the gap is closed.
  bool exchange(double gap) {
    std::size_t to = 0, from = c_.size();
    double mean = 0.0;
    for (std::size_t t = 0; t < c_.size(); ++t) {
      mean += lambda_[t] * slope_[t];
      if (slope_[t] > slope_[to]) to = t;
      if (lambda_[t] > 0.0 && (from == c_.size() || slope_[t] < slope_[from])) from = t;
    }
    if (slope_[to] - mean <= gap || from == to) return false;
    const double curvature = scale_ * (q(to, to) - 2.0 * q(to, from) + q(from, from));
    const double gain = slope_[to] - slope_[from];
    const double best = curvature > 0.0 ? gain / curvature : lambda_[from];
    const double moved = std::min(best, lambda_[from]);
    if (!(moved > 0.0)) return false;
    lambda_[to] += moved;
    lambda_[from] = moved == lambda_[from] ? 0.0 : lambda_[from] - moved;
    for (std::size_t t = 0; t < c_.size(); ++t) slope_[t] -= scale_ * moved * (q(t, to) - q(t, from));
    return true;
  }

  const std::vector<double>& weights() const { return lambda_; }

 private:
  double q(std::size_t s, std::size_t t) const { return q_.data()[s * c_.size() + t]; }

  Tensor q_;
  std::vector<double> c_;
  double scale_;
  std::vector<double> lambda_;
  std::vector<double> slope_;  // c - scale Q lambda
};

}  // namespace

ProxySearch search_proxy(const Function<Var(const Var& w)>& f, const Params& w0,
                         const ProxySearchOptions& options, const Function<Var(const Var& w)>& g) {
  if (!(options.step > 0.0 && std::isfinite(options.step)) || options.iterations < 1 || !(options.gap > 0.0))
    throw DomainError(
        fmt::format("[search_proxy] step, iterations and gap are {}, {}, {}; give positive numbers",
                    options.step, options.iterations, options.gap));
  const Trajectory run = record(f, g, w0, options);
  const double reach = options.step * static_cast<double>(options.iterations);
  SimplexProgram program(matmul(run.gradients, run.gradients, {.transpose_b = true}).value(), run.offsets,
                         reach);
  for (Index k = 0; k < options.exchanges && program.exchange(options.gap); ++k) {
  }

  ProxySearch found;
  found.weights = program.weights();
  const Tensor lambda = Tensor::from(found.weights, Shape{1, options.iterations});
  const Tensor mean =
      matmul(lambda, run.gradients).value().reshape(Shape{w0.size()});  // sum_t lambda_t grad_t
  found.v = axpy(-reach, w0.with(mean), w0);
  const double square = compensated_dot(mean.data(), mean.data()).value;
  // h(v) and the distance from v itself; the dual value from the weights.
  const Tensor moves = matmul(run.gradients, reshape(mean, Shape{w0.size(), 1})).value();  // [T, 1]
  double offset = 0.0;
  for (std::size_t t = 0; t < found.weights.size(); ++t) {
    const double at_v = run.offsets[t] - reach * moves.data()[t];
    found.h = t == 0 ? at_v : std::max(found.h, at_v);
    offset += found.weights[t] * run.offsets[t];
  }
  found.value = found.h + 0.5 * reach * square;
  found.lower = offset - 0.5 * reach * square;
  found.bound = found.value + 0.5 * options.step * run.mean_square;
  found.least = run.least;
  return found;
}

}  // namespace cotangent::theory
