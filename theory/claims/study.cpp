// The frame of a theorem about a run: what is checked before it, watched on it, and said when it ends.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/error.hpp"
#include "optim/first_order.hpp"
#include "theory/numerics/arguments.hpp"
#include "theory/proof.hpp"

namespace cotangent::theory {
namespace {

void check(const Params& w0, const DescentOptions& o) {
  check_finite("Study", "step", o.step);
  if (o.iterations < 1 || o.budget < 1)
    throw DomainError(
        fmt::format("[Study] iterations and budget are {} and {}; give at least 1", o.iterations, o.budget));
  for (const double v : w0.flat().data()) check_finite("Study", "a number of w0", v);
}

class Watcher final : public optim::Observer {
 public:
  Watcher(FunctionRef<void(const Iterate&)> at_each, double step, Index last, const bool& enough,
          Clause& descent)
      : at_each_(at_each), step_(step), last_(last), enough_(enough), descent_(descent) {}

  optim::Flow on_step(const optim::View& view) override {
    const Params next = axpy(-step_, view.gradient, view.w);
    // A product and a sum a number; without a gradient nothing moves.
    const double length = std::fabs(step_) * view.gradient_norm;
    longest_ = std::max(longest_, length);
    const double moved = length == 0.0 ? 0.0 : std::numeric_limits<double>::epsilon() * (norm(next) + length);
    const Inequality lossless = exact(moved) <= exact(1e-3 * longest_);
    descent_.observe(view.iteration, lossless);
    if (!lossless.holds()) return optim::Flow::stop;
    at_each_({.t = view.iteration,
              .w = view.w,
              .value = view.value,
              .gradient = view.gradient,
              .gradient_norm = rounded(view.gradient_norm),
              .next = next});
    ++seen_;
    return enough_ || seen_ == last_ ? optim::Flow::stop : optim::Flow::go_on;
  }
  Index seen() const noexcept { return seen_; }

 private:
  FunctionRef<void(const Iterate&)> at_each_;
  double step_;
  Index last_;
  const bool& enough_;
  Clause& descent_;
  double longest_ = 0.0;
  Index seen_ = 0;
};

}  // namespace

Study::Study(Claim claim) : Proof(std::move(claim)) {}

Verdict Study::descend(const Function<Var(const Var& w)>& f, const Params& w0, const DescentOptions& options,
                       FunctionRef<void(const Iterate&)> at_each, FunctionRef<Inequality()> conclusion,
                       const std::string& name) {
  check(w0, options);
  if (!applicable()) return conclude(Domain::run(), name, Measured() <= Measured());
  const Index last = std::min(options.iterations, options.budget);
  Watcher watcher(at_each, options.step, last, enough_,
                  hypothesis_at_each("iterate", "rounding of w+ <= longest step / 1000"));
  const optim::Gd descent({.step = options.step, .iterations = last, .progress = options.progress});
  const optim::Run run = descent.minimize(optim::objective(f), w0, {&watcher});

  const std::string enclosed = settle();
  Verdict v;
  if (run.stop != optim::StopReason::diverged && (enough_ || watcher.seen() == options.iterations)) {
    v = conclude(Domain::run(), name, conclusion());
  } else if (run.stop != optim::StopReason::diverged && watcher.seen() == options.budget) {
    v = unfinished(Domain::run(),
                   fmt::format("broken off after the budget of {} of {} iterations; give a larger "
                               ".budget or ask for less",
                               options.budget, options.iterations));
  } else {
    v = unfinished(Domain::run(), fmt::format("the run ended after {} of {} iterations: {}", watcher.seen(),
                                              options.iterations, optim::to_string(run.stop)));
  }
  if (v.outcome != Outcome::not_applicable) v.reason += enclosed;
  v.last = run.w;
  if (v.outcome == Outcome::refuted) v.witness = w0;
  return v;
}

}  // namespace cotangent::theory
