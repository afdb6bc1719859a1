// The perceptron argument for two-layer leaky ReLU nets (O36).
#include <fmt/format.h>

#include "theory/leaky_relu.hpp"
#include "theory/proxies/leaky_relu_margins.hpp"

namespace cotangent::theory {

Verdict check_perceptron(const LeakyReluProblem& problem, const Params& w0,
                         const PerceptronOptions& options) {
  problem.check_start("check_perceptron", w0);
  Study s(
      Claim(entry("O36"), fmt::format("step = {}, T = {}{}", options.step, options.iterations,
                                      options.claimed ? fmt::format(", claimed {}", *options.claimed) : "")));
  problem.hypotheses(s);
  s.hypothesis("0 < step", exact(0.0) < exact(options.step));
  Clause &progress = s.step_at_each("iterate", "step alpha gamma G <= <W+ - W, V/rho>"),
         &length = s.step_at_each("iterate", "|W+|^2 <= |W|^2 + 2 step c + step^2"),
         &markov = s.step_at_each("iterate", "error <= 2 G"),
         &known = s.step_at_each("iterate", "rounding of y f(x) <= 1"),
         &theorem = s.conclusion_at_each("iterate", "mean of G up to t <= the bound for T = t + 1");
  std::vector<double>&g = s.observed("G"), &errors = s.observed("error"), &bounds = s.predicted("bound");
  if (!s.applicable()) return s.unfinished(Domain::run(), "a hypothesis fails");

  // max_z z / (1 + e^z) = W(1/e), rounded up.
  const Measured c = exact(0.278464542761074), step = exact(options.step), two = exact(2.0);
  const Measured rate = step * exact(problem.slope()) * exact(problem.margin()),
                 growth = two * step * c + step * step;
  const Measured start = sqrt(squared_norm(w0));
  const Params v = problem.reference(1.0);
  LeakyReluMargins z(problem);
  Measured sum = exact(0.0), slack = exact(0.0), mean, bound, end, along;
  return s.descend(
      [&](const Var& w) { return problem.risk(w); }, w0,
      {.step = options.step, .iterations = options.iterations, .progress = options.progress},
      [&](const Iterate& it) {
        z.at(it.w);
        const Measured T = exact(static_cast<double>(it.t + 1)), slopes = z.mean_slope();
        const Measured moved = -step * rounded(inner(it.gradient, v).value(), z.mean_pull(), z.summed());
        progress.observe(it.t, rate * slopes <= moved);
        length.observe(it.t, squared_norm(it.next) <= squared_norm(it.w) + growth);
        const Measured error = z.error();
        known.observe(it.t, exact(z.largest_rounding()) <= exact(1.0));
        markov.observe(it.t, error <= two * slopes);
        sum = sum + slopes;
        slack = slack + (moved - rate * slopes);
        mean = sum / T;
        bound = (two * start + sqrt(T * growth)) / (rate * T);
        theorem.observe(it.t, mean <= bound);
        end = sqrt(squared_norm(it.next));
        along = inner(it.next, v);
        g.push_back(slopes.value());
        errors.push_back(error.value());
        bounds.push_back(bound.value());
      },
      [&] {
        const Measured T = exact(static_cast<double>(g.size())), all = rate * T,
                       root = sqrt(square(start) + T * growth);
        s.account({{"progress along V, beyond step alpha gamma G", slack / all},
                   {"|W_T| instead of <W_T, V/rho>", (end - along) / all},
                   {"|W_0| instead of -<W_0, V/rho>", (start + inner(w0, v)) / all},
                   {"growth of |W|^2, below 2 step c + step^2", (root - end) / all},
                   {"sqrt(a + b) <= sqrt(a) + sqrt(b)", (start + sqrt(T * growth) - root) / all}},
                  bound - mean);
        const Measured claimed = options.claimed ? exact(*options.claimed) : bound;
        s.vacuous_if(exact(1.0) <= claimed,
                     fmt::format("{:.4g} is not below 1, as G always is", claimed.value()));
        return mean <= claimed;
      },
      options.claimed ? "(1/T) sum_{t<T} G_t <= claimed" : "(1/T) sum_{t<T} G_t <= bound");
}

}  // namespace cotangent::theory
