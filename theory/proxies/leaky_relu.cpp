// The leaky ReLU theorem: its setting, its constants, and its proof evaluated along a run.
#include "theory/leaky_relu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"
#include "autodiff/ops.hpp"
#include "nn/losses.hpp"
#include "theory/margin.hpp"
#include "theory/proxies/leaky_relu_margins.hpp"
#include "theory/surrogate.hpp"

namespace cotangent::theory {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double norm(std::span<const double> v) { return std::sqrt(compensated_dot(v, v).value); }

std::span<const double> row(const Tensor& x, Index i) {
  const auto d = static_cast<std::size_t>(x.size(1));
  return x.data().subspan(static_cast<std::size_t>(i) * d, d);
}

void check_number(const char* operation, const char* name, double value) {
  if (!std::isfinite(value))
    throw DomainError(fmt::format("[{}] {} is {}; give a finite number", operation, name, value));
}

void check_inputs(const nn::TwoLayer& net, const Tensor& x) {
  if (x.rank() != 2 || x.size(1) != net.inputs())
    throw ShapeError(fmt::format("[LeakyReluProblem] X is {}, {} takes {} inputs; give X [n, {}]",
                                 x.shape().to_string(), net.name(), net.inputs(), net.inputs()));
}

/// What the proof of O34 uses, at every iterate and sample.
class ProofObserver final : public optim::Observer {
 public:
  ProofObserver(const LeakyReluProblem& problem, double rho, const Params& reference, Proof& proof)
      : level_(rho * problem.slope() * problem.margin()),
        rho_(rho),
        reference_(reference),
        margins_(problem),
        along_w_(proof.step_at_each("iterate", "|<grad Lhat, W> - mean l'(z) z| <= 0")),
        along_v_(proof.step_at_each("iterate", "|<grad Lhat, V> - mean l'(z) y <grad f, V>| <= 0")),
        alignment_(proof.step_at_each("iterate", "rho alpha gamma <= y <grad f(x), V>")),
        convexity_(proof.step_at_each("iterate", "l(z) - l(rho alpha gamma) <= l'(z) (z - rho alpha gamma)")),
        unit_(proof.step_at_each("iterate", "|grad f(x)| <= 1")),
        by_slopes_(proof.step_at_each("iterate", "|grad Lhat| <= mean -l'(z)")),
        at_most_one_(proof.step_at_each("iterate", "mean -l'(z) <= 1")) {}

  optim::Flow on_step(const optim::View& view) override {
    const Index t = view.iteration;
    margins_.at(view.w);
    const auto n = static_cast<double>(margins_.size());
    double slopes = 0.0, along_w = 0.0, along_v = 0.0, size_w = 0.0, size_v = 0.0;
    const Index summed = margins_.summed();
    for (Index i = 0; i < margins_.size(); ++i) {
      const double z = margins_.margin(i), dl = logistic_slope(z), aligned = rho_ * margins_.alignment(i);
      const double size = rho_ * margins_.alignment_magnitude(i);
      alignment_.observe(t, level_, aligned, rounding({level_}) + rounding({size}, summed));
      const double left = logistic(z) - logistic(level_), right = dl * (z - level_);
      convexity_.observe(t, left, right, rounding({logistic(z), logistic(level_), dl * z, dl * level_}));
      unit_.observe(t, margins_.gradient_norm(i), 1.0, rounding({1.0}, summed));
      slopes -= dl;
      along_w += dl * z;
      along_v += dl * aligned;
      size_w += std::fabs(dl) * margins_.magnitude(i);
      size_v += std::fabs(dl) * size;
    }
    const double w = compensated_dot(view.gradient.flat().data(), view.w.flat().data()).value;
    const double v = compensated_dot(view.gradient.flat().data(), reference_.flat().data()).value;
    along_w_.observe(t, std::fabs(w - along_w / n), 0.0, rounding({size_w / n}, summed));
    along_v_.observe(t, std::fabs(v - along_v / n), 0.0, rounding({size_v / n}, summed));
    by_slopes_.observe(t, view.gradient_norm, slopes / n, rounding({view.gradient_norm, slopes / n}, summed));
    at_most_one_.observe(t, slopes / n, 1.0, rounding({1.0, 1.0}, summed));
    return optim::Flow::go_on;
  }

 private:
  double level_;
  double rho_;
  const Params& reference_;
  LeakyReluMargins margins_;
  Row &along_w_, &along_v_, &alignment_, &convexity_, &unit_, &by_slopes_, &at_most_one_;
};

Index iterations_needed(double exact) {
  constexpr double kMost = 4e18;
  return std::isfinite(exact) ? static_cast<Index>(std::min(std::ceil(exact), kMost))
                              : static_cast<Index>(kMost);
}

}  // namespace

LeakyReluProblem::LeakyReluProblem(const nn::TwoLayer& net, const Tensor& x, const Tensor& y)
    : net_(net), x_(x), slope_(net.slope().value_or(kNaN)) {
  check_inputs(net, x);
  const HardMargin found = hard_margin(x, y);
  y_ = y.reshape(Shape{y.size(), 1});
  direction_ = found.direction;
  margin_ = found.margin;
}

LeakyReluProblem::LeakyReluProblem(const nn::TwoLayer& net, const Tensor& x, const Tensor& y,
                                   const Tensor& direction, std::optional<double> margin)
    : net_(net), x_(x), direction_(direction), slope_(net.slope().value_or(kNaN)) {
  check_inputs(net, x);
  const double exact = margin_of(direction, x, y);
  y_ = y.reshape(Shape{y.size(), 1});
  if (margin) check_number("LeakyReluProblem", "margin", *margin);
  // A claim that only rounding separates from the exact margin is lowered to what is certain.
  const bool rounded = margin && *margin > exact && *margin - exact <= rounding({exact});
  margin_ = margin && !rounded ? *margin : exact;
}

Var LeakyReluProblem::risk(const Var& w) const { return nn::logistic(net_(w, x_), y_); }

Params LeakyReluProblem::reference(double rho) const {
  std::vector<double> v;
  for (const double a : net_.outer().data())
    for (const double c : direction_.data()) v.push_back(rho * a * c);
  return Params(Tensor::from(v, Shape{static_cast<Index>(v.size())}), net_.table());
}

ProxyConvexity LeakyReluProblem::proxy(double rho) const {
  const double h = logistic(rho * slope_ * margin_);
  return {.f = [problem = *this](const Var& w) { return problem.risk(w); },
          .h = [h](const Var&) { return Var(h); },
          .v = reference(rho)};
}

void LeakyReluProblem::hypotheses(Proof& proof) const {
  const Tensor& a = net_.outer();
  const double share = 1.0 / std::sqrt(static_cast<double>(a.size()));
  proof.hypothesis({.name = "phi is a leaky ReLU", .lhs = std::isnan(slope_) ? 1.0 : 0.0, .rhs = 0.0});
  proof.hypothesis({.name = "0 < alpha", .lhs = 0.0, .rhs = slope_, .strict = true});
  proof.hypothesis({.name = "alpha <= 1", .lhs = slope_, .rhs = 1.0});
  Row& outer = proof.hypothesis_at_each("unit", "||a_j| - 1/sqrt(m)| <= 0");
  for (Index j = 0; j < a.size(); ++j)
    outer.observe(j, std::fabs(std::fabs(a(j)) - share), 0.0, rounding({share, share}));
  Row& length = proof.hypothesis_at_each("sample", "|x_i| <= 1");
  for (Index i = 0; i < x_.size(0); ++i) {
    const double x = norm(row(x_, i));
    length.observe(i, x, 1.0, rounding({x, 1.0}));
  }
  proof.hypothesis({.name = "0 < gamma", .lhs = 0.0, .rhs = margin_, .strict = true});
  if (direction_.size() == 0) return;
  const double v = norm(direction_.data());
  proof.hypothesis(
      {.name = "||v*| - 1| <= 0", .lhs = std::fabs(v - 1.0), .rhs = 0.0, .tolerance = rounding({v, 1.0})});
  Row& separated = proof.hypothesis_at_each("sample", "gamma <= y_i <v*, x_i>");
  for (Index i = 0; i < x_.size(0); ++i) {
    const Compensated s = compensated_dot(row(x_, i), direction_.data());
    const double signed_margin = y_(i, 0) * s.value;
    separated.observe(i, margin_, signed_margin, rounding({s.magnitude, margin_}));
  }
}

Verdict check_leaky_relu_proxy(const LeakyReluProblem& problem, double rho, Rng& rng,
                               std::optional<double> claimed, const FalsifyOptions& options) {
  if (!(rho > 0.0 && std::isfinite(rho)))
    throw DomainError(fmt::format("[check_leaky_relu_proxy] rho is {}; give a positive number", rho));
  const Claim claim{.name = "the logistic risk is proxy convex",
                    .source = "proxy O34",
                    .statement =
                        "Lhat(W) + <grad Lhat(W), V - W> <= h for every W, h = l(rho alpha gamma), rows of V "
                        "rho a_j v*"};
  Proof proof(claim);
  problem.hypotheses(proof);
  const double theorem = logistic(rho * problem.slope() * problem.margin());
  const Inequality conclusion{
      .name = "l(rho alpha gamma) <= h", .lhs = theorem, .rhs = claimed.value_or(theorem)};
  if (!proof.applicable() || !claimed || *claimed >= theorem)
    return proof.conclude(Scope::everywhere, conclusion);
  ProxyConvexity triple = problem.proxy(rho);
  triple.h = [h = *claimed](const Var&) { return Var(h); };
  Verdict verdict = check_proxy_convexity(triple, triple.v.zeros_like(), rng, options);
  verdict.claim = claim;
  return verdict;
}

LeakyReluRun check_leaky_relu_theorem(const LeakyReluProblem& problem, const Params& w0,
                                      const LeakyReluOptions& options) {
  constexpr const char* kName = "check_leaky_relu_theorem";
  if (w0.size() != problem.net().num_params())
    throw ShapeError(fmt::format("[{}] w0 has {} parameters, {} has {}; start from net.init(rng)", kName,
                                 w0.size(), problem.net().name(), problem.net().num_params()));
  for (const double v : w0.flat().data()) check_number(kName, "a number of w0", v);
  check_number(kName, "accuracy", options.accuracy);
  if (options.claimed) check_number(kName, "claimed", *options.claimed);
  if (options.step) check_number(kName, "step", *options.step);
  if (options.budget < 1 || options.iterations.value_or(1) < 1)
    throw DomainError(
        fmt::format("[{}] iterations and budget must be at least 1; budget is {}", kName, options.budget));

  const bool sharper = options.form == LeakyReluForm::sharper;
  const double eps = options.accuracy;
  const double longest = sharper ? 1.0 : 2.0 * eps / 3.0;
  LeakyReluRun run;
  run.step = options.step.value_or(longest);
  Proof proof({.name = sharper ? "the leaky ReLU theorem, sharper form" : "the leaky ReLU theorem",
               .source = "proxy O35",
               .statement = fmt::format("min_{{t<T}} Lhat(W_t) <= {}", options.claimed.value_or(eps))});
  problem.hypotheses(proof);
  proof.hypothesis({.name = "0 < eps", .lhs = 0.0, .rhs = eps, .strict = true});
  proof.hypothesis({.name = "eps < 3", .lhs = eps, .rhs = 3.0, .strict = true});
  proof.hypothesis({.name = "0 < step", .lhs = 0.0, .rhs = run.step, .strict = true});
  proof.hypothesis({.name = sharper ? "step <= 1" : "step <= 2 eps / 3",
                    .lhs = run.step,
                    .rhs = longest,
                    .tolerance = rounding({longest})});
  constexpr const char* kConclusion = "min_{t<T} Lhat(W_t) <= claimed";
  if (!proof.applicable()) {
    run.rho = run.h = run.distance = kNaN;
    run.descent.least = kNaN;
    run.verdict = proof.conclude(Scope::trajectory, {.name = kConclusion, .lhs = kNaN, .rhs = kNaN});
    return run;
  }

  run.rho = std::log(3.0 / eps) / (problem.slope() * problem.margin());
  run.h = logistic(run.rho * problem.slope() * problem.margin());
  run.reference = problem.reference(run.rho);
  run.distance = squared_distance(w0.flat().data(), run.reference.flat().data()).value;
  const double needed = (sharper ? 3.0 : 1.5) * run.distance / (run.step * eps);
  if (!std::isfinite(needed))
    throw DomainError(
        fmt::format("[{}] T = {}: |W_0 - V|^2 = {} is beyond the range of numbers; give a smaller start or a "
                    "larger accuracy",
                    kName, needed, run.distance));
  run.iterations = options.iterations.value_or(iterations_needed(needed));
  // The T of the theorem itself is no claim to verify, and may exceed every whole-number type.
  proof.hypothesis(
      {.name = sharper ? "3 |W_0 - V|^2 / (step eps) <= T" : "(3/2) |W_0 - V|^2 / (step eps) <= T",
       .lhs = needed,
       .rhs = options.iterations ? static_cast<double>(run.iterations) : std::max(std::ceil(needed), 1.0),
       .tolerance = rounding({needed})});
  proof.step({.name = "l(rho alpha gamma) <= eps / 3",
              .lhs = run.h,
              .rhs = eps / 3.0,
              .tolerance = rounding({run.h, eps / 3.0})});

  ProxyDescentOptions descent{.step = run.step,
                              .iterations = std::min(run.iterations, options.budget),
                              .bound = sharper ? ProxyBound::self_bounded : ProxyBound::lipschitz,
                              .claimed = options.claimed.value_or(eps),
                              .progress = options.progress};
  if (!options.whole_run) descent.stop_at = std::min(*descent.claimed, eps);
  ProofObserver observer(problem, run.rho, run.reference, proof);
  run.descent = run_proxy_descent(problem.proxy(run.rho), w0, descent, proof, kConclusion, {&observer});
  run.verdict = run.descent.verdict;
  const bool reached = run.descent.least <= *descent.claimed;
  if (!reached && static_cast<Index>(run.descent.g.size()) < run.iterations &&
      run.verdict.outcome == Outcome::refuted) {
    run.verdict.outcome = Outcome::inconclusive;
    run.verdict.reason = fmt::format(
        "broken off after the budget of {} of {} iterations, at min Lhat = {:.6g}; give a "
        "larger .budget or .accuracy",
        run.descent.g.size(), run.iterations, run.descent.least);
  }
  run.descent.verdict = run.verdict;
  return run;
}

}  // namespace cotangent::theory
