// The perceptron argument for two-layer leaky ReLU nets (O36).
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"
#include "optim/first_order.hpp"
#include "theory/leaky_relu.hpp"
#include "theory/proxies/leaky_relu_margins.hpp"
#include "theory/surrogate.hpp"

namespace cotangent::theory {
namespace {

/// max_z z / (1 + e^z) = W(1/e), rounded up.
constexpr double kLargest = 0.278464542761074;

class PerceptronObserver final : public optim::Observer {
 public:
  PerceptronObserver(const LeakyReluProblem& problem, const Params& w0, const PerceptronOptions& options,
                     Proof& proof, PerceptronRun& seen)
      : problem_(problem),
        options_(options),
        seen_(seen),
        reference_(problem.reference(1.0)),
        margins_(problem),
        start_(std::sqrt(compensated_dot(w0.flat().data(), w0.flat().data()).value)),
        growth_(2.0 * options.step * kLargest + options.step * options.step),
        progress_(proof.step_at_each("iterate", "step alpha gamma G <= <W+ - W, V/rho>")),
        length_(proof.step_at_each("iterate", "|W+|^2 <= |W|^2 + 2 step c + step^2")),
        markov_(proof.step_at_each("iterate", "error <= 2 G")),
        theorem_(proof.step_at_each("iterate", "mean of G up to t <= the bound for T = t + 1")) {}

  double bound(double iterations) const {
    return (2.0 * start_ + std::sqrt(iterations * growth_)) /
           (problem_.slope() * problem_.margin() * options_.step * iterations);
  }
  double mean() const { return sum_ / static_cast<double>(seen_.g.size()); }

  optim::Flow on_step(const optim::View& view) override {
    const Index t = view.iteration;
    margins_.at(view.w);
    double g = 0.0, size = 0.0;
    Index wrong = 0;
    for (Index i = 0; i < margins_.size(); ++i) {
      const double slope = -logistic_slope(margins_.margin(i));
      g += slope;
      size += slope * margins_.alignment_magnitude(i);
      wrong += margins_.margin(i) <= 0.0;
    }
    const auto n = static_cast<double>(margins_.size());
    g /= n;
    const double error = static_cast<double>(wrong) / n;
    const std::span<const double> w = view.w.flat().data(), gradient = view.gradient.flat().data();
    const double moved = compensated_dot(gradient, reference_.flat().data()).value;
    const double needed = options_.step * problem_.slope() * problem_.margin() * g;
    progress_.observe(t, needed, -options_.step * moved,
                      rounding({needed}) + rounding({options_.step * size / n}, margins_.summed()));
    const Params next = axpy(-options_.step, view.gradient, view.w);
    const double before = compensated_dot(w, w).value;
    const double after = compensated_dot(next.flat().data(), next.flat().data()).value;
    length_.observe(t, after, before + growth_, rounding({after, before, growth_}));
    markov_.observe(t, error, 2.0 * g, rounding({error, g}));
    sum_ += g;
    seen_.g.push_back(g);
    seen_.errors.push_back(error);
    const double limit = bound(static_cast<double>(t + 1));
    seen_.bounds.push_back(limit);
    theorem_.observe(t, mean(), limit, rounding({mean(), limit}));
    return t + 1 == options_.iterations ? optim::Flow::stop : optim::Flow::go_on;
  }

 private:
  const LeakyReluProblem& problem_;
  const PerceptronOptions& options_;
  PerceptronRun& seen_;
  Params reference_;
  LeakyReluMargins margins_;
  double start_;
  double growth_;
  Row &progress_, &length_, &markov_, &theorem_;
  double sum_ = 0.0;
};

}  // namespace

PerceptronRun check_perceptron(const LeakyReluProblem& problem, const Params& w0,
                               const PerceptronOptions& options) {
  if (w0.size() != problem.net().num_params())
    throw ShapeError(
        fmt::format("[check_perceptron] w0 has {} parameters, {} has {}; start from net.init(rng)", w0.size(),
                    problem.net().name(), problem.net().num_params()));
  if (!std::isfinite(options.step) || options.iterations < 1)
    throw DomainError(
        fmt::format("[check_perceptron] step is {}, iterations is {}; give a finite number and T >= 1",
                    options.step, options.iterations));
  Proof proof(
      {.name = "the perceptron argument",
       .source = "proxy O36",
       .statement = "(1/T) sum_{t<T} G_t <= (2 |W_0| + sqrt(T (2 step c + step^2))) / (alpha gamma step T)"});
  problem.hypotheses(proof);
  proof.hypothesis({.name = "0 < step", .lhs = 0.0, .rhs = options.step, .strict = true});
  Inequality conclusion{.name = "(1/T) sum_{t<T} G_t <= bound",
                        .lhs = std::numeric_limits<double>::quiet_NaN(),
                        .rhs = std::numeric_limits<double>::quiet_NaN()};
  PerceptronRun run;
  if (!proof.applicable()) {
    run.verdict = proof.conclude(Scope::trajectory, conclusion);
    return run;
  }
  PerceptronObserver observer(problem, w0, options, proof, run);
  const optim::Gd descent(
      {.step = options.step, .iterations = options.iterations, .progress = options.progress});
  run.run =
      descent.minimize(optim::objective([&](const Var& w) { return problem.risk(w); }), w0, {&observer});
  if (!run.g.empty()) {
    conclusion.lhs = observer.mean();
    conclusion.rhs = options.claimed.value_or(run.bounds.back());
    conclusion.tolerance = rounding({conclusion.lhs, conclusion.rhs});
  }
  run.verdict =
      static_cast<Index>(run.g.size()) == options.iterations
          ? proof.conclude(Scope::trajectory, conclusion)
          : proof.unfinished(Scope::trajectory, conclusion,
                             fmt::format("the run ended after {} of {} iterations: {}", run.g.size(),
                                         options.iterations, optim::to_string(run.run.stop)));
  return run;
}

}  // namespace cotangent::theory
