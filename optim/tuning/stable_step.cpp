// Trials of steps from large to small.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "optim/first_order.hpp"
#include "optim/loop/interrupt.hpp"
#include "optim/tuning.hpp"

namespace cotangent::optim {
namespace {

void check(const StableStepOptions& o) {
  if (!(o.least > 0.0 && o.least <= o.from && std::isfinite(o.from)))
    throw DomainError(fmt::format(
        "[largest_stable_step] steps from {} down to {}; give a finite number and one above 0 that "
        "is no larger",
        o.from, o.least));
  if (o.steps < 1)
    throw DomainError(
        fmt::format("[largest_stable_step] trials of {} steps; give 1 or more, such as 100", o.steps));
  if (o.batch && *o.batch < 1)
    throw DomainError(fmt::format(
        "[largest_stable_step] batch is {}; give the number of samples a step, 1 or more, or none "
        "for all",
        *o.batch));
  if (!(o.momentum >= 0.0 && o.momentum < 1.0))
    throw DomainError(
        fmt::format("[largest_stable_step] momentum is {}; give 0 <= momentum < 1", o.momentum));
}

}  // namespace

StableStep largest_stable_step(const FiniteSum& f, const Params& w0, Rng& rng,
                               const StableStepOptions& options) {
  check(options);
  const InterruptGuard guard;
  const double first = f.value(w0.flat()), limit = first + 9.0 * std::abs(first);
  if (!std::isfinite(first))
    throw DomainError(fmt::format("[largest_stable_step] f(w0) is {}; start where f is finite", first));
  const Index batch = std::min(options.batch.value_or(f.size()), f.size());
  const bool whole = batch == f.size();
  const Rng draws(rng.bits());
  StableStep result{.step = 0.0,
                    .run = {},
                    .spent = {},
                    .tried = report::Table({{"step"}, {"steps made"}, {"value"}, {"verdict"}})};
  for (double divisor = 1.0;; divisor *= 10.0) {
    const double step = options.from / divisor;
    if (step < options.least)
      throw DomainError(
          fmt::format("[largest_stable_step] all steps from {} down to {} diverge within {} steps; is f "
                      "smooth at w0? else give a smaller .least\n{}",
                      options.from, options.least, options.steps, result.tried.to_text()));
    const Sgd sgd({.step = step,
                   .batch = batch,
                   .epochs = options.steps,
                   .momentum = options.momentum,
                   .value_limit = whole ? limit : std::numeric_limits<double>::infinity()});
    Rng same = draws;
    Loop loop = sgd.start(f, w0, same);
    while (loop.iteration() < options.steps && loop.next()) {
    }
    Run run = loop.finish();
    if (run.stop == StopReason::stopped) run.stop = StopReason::finished;  // these steps are all there are
    const bool diverged = run.stop == StopReason::diverged || run.value > limit;
    result.spent.gradients += run.spent.gradients;
    result.tried.row({step, run.iterations, run.stop == StopReason::diverged ? std::nan("") : run.value,
                      diverged                              ? "diverges"
                      : run.stop == StopReason::interrupted ? "interrupted"
                                                            : "stable"});
    if (diverged && !InterruptGuard::taken()) continue;
    if (diverged) run.stop = StopReason::interrupted;
    result.step = step;
    result.run = std::move(run);
    return result;
  }
}

}  // namespace cotangent::optim
