// The six rules of a quick start.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "autodiff/error.hpp"
#include "optim/data.hpp"
#include "optim/first_order.hpp"
#include "optim/loop/interrupt.hpp"
#include "optim/tuning.hpp"

namespace cotangent::optim {
namespace {

void check(const QuickStartOptions& o) {
  const auto part = [](const char* name, double value) {
    if (!(value > 0.0 && value < 1.0))
      throw DomainError(fmt::format("[quick_start] {} is {}; give a number inside (0, 1)", name, value));
  };
  if (o.momentum && !(*o.momentum >= 0.0 && *o.momentum < 1.0))
    throw DomainError(fmt::format("[quick_start] momentum is {}; give 0 <= momentum < 1", *o.momentum));
  if (o.window < 1 || o.steps < 1)
    throw DomainError(fmt::format("[quick_start] windows of {} steps, {} in all; give 1 or more of both",
                                  o.window, o.steps));
  part("plateau", o.plateau);
  part("improvement", o.improvement);
  part("least_step", o.least_step);
}

/// Whether `now` has not come below a part of `before`, which may be negative.
bool no_lower(double now, double before, double part) {
  return !(now < before - (1.0 - part) * std::abs(before));
}

void add(Counts& sum, const Counts& more) {
  sum.gradients += more.gradients;
  sum.values += more.values;
  sum.products += more.products;
}

/// All of one quick start.
class Start {
 public:
  Start(const FiniteSum& f, const Params& w0, Rng& rng, const QuickStartOptions& options)
      : f_(f),
        rng_(rng),
        options_(options),
        result_{.w = w0,
                .value = f.value(w0.flat()),
                .batch = 0,
                .momentum = 0.0,
                .step = 0.0,
                .iterations = 0,
                .stop = StopReason::finished,
                .spent = {},
                .decisions = report::Table({{"rule"}, {"decision"}, {"reason"}})} {}

  QuickStart run() {
    choose_batch();
    if (choose_momentum_and_step()) go_down();
    return std::move(result_);
  }

 private:
  void decide(const char* rule, std::string decision, std::string reason) {
    result_.decisions.row({rule, std::move(decision), std::move(reason)});
  }

  void choose_batch() {
    const Index n = f_.size();
    result_.batch = largest_batch(f_, result_.w, options_.memory);
    decide("1 batch", fmt::format("{} of {} samples", result_.batch, n),
           result_.batch == n ? fmt::format("all fit in {} bytes", options_.memory)
                              : fmt::format("no more fit in {} bytes", options_.memory));
  }

  StableStep stable(double momentum) {
    StableStep found = largest_stable_step(
        f_, result_.w, rng_, {.steps = options_.window, .batch = result_.batch, .momentum = momentum});
    add(result_.spent, found.spent);
    return found;
  }

  /// False if the user interrupted the trials.
  bool choose_momentum_and_step() {
    constexpr double kHeavy = 0.9;
    result_.momentum = options_.momentum.value_or(0.0);
    StableStep found = stable(result_.momentum);
    std::string reason = "as asked for";
    if (!options_.momentum && !InterruptGuard::taken()) {
      StableStep other = stable(kHeavy);
      if (InterruptGuard::taken()) return broken_off(found.run);
      const double plain = found.run.value, heavy = other.run.value;
      reason = fmt::format("after {} stable steps f is {:.6g} with 0, {:.6g} with {}", options_.window, plain,
                           heavy, kHeavy);
      if (heavy < plain) {
        result_.momentum = kHeavy;
        found = std::move(other);
      }
    }
    if (InterruptGuard::taken()) return broken_off(found.run);
    result_.step = found.step;
    decide("2 momentum", fmt::format("{}", result_.momentum), std::move(reason));
    const Index failures = found.tried.num_rows() - 1;
    decide("3 step", fmt::format("{}", found.step),
           fmt::format("the largest stable one, {} larger ones diverge", failures));
    return true;
  }

  /// Keeps what the trials have found.
  bool broken_off(const Run& trial) {
    keep_if_lower(trial);
    result_.stop = StopReason::interrupted;
    decide("6 end", fmt::format("f = {:.6g}", result_.value), "interrupted while steps were tried");
    return false;
  }

  bool keep_if_lower(const Run& run) {
    if (run.stop == StopReason::diverged || !(run.value < result_.value)) return false;
    result_.w = run.w;
    result_.value = run.value;
    return true;
  }

  void go_down() {
    for (double divisor = 1.0;; divisor *= 10.0) {
      const double step = result_.step / divisor;
      if (divisor > 1.0) {
        const bool small = divisor * options_.least_step > 1.0 + 1e-9;
        decide("5 step", fmt::format("{}", step), small ? "a tenth: too small" : "a tenth");
        if (small)
          return decide("6 end", fmt::format("f = {:.6g}", result_.value),
                        fmt::format("the step is below {} of the first", options_.least_step));
      }
      const double before = result_.value;
      const bool diverged = stage(step);
      if (result_.stop == StopReason::interrupted)
        return decide("6 end", fmt::format("f = {:.6g}", result_.value), "interrupted");
      if (result_.iterations >= options_.steps) {
        result_.stop = StopReason::budget;
        return decide("6 end", fmt::format("f = {:.6g}", result_.value),
                      fmt::format("all {} steps are made", options_.steps));
      }
      if (!diverged && no_lower(result_.value, before, 1.0 - options_.improvement))
        return decide("6 end", fmt::format("f = {:.6g}", result_.value),
                      fmt::format("the stage lowered f by less than {} of it", options_.improvement));
    }
  }

  /// Runs until a plateau; whether it diverged.
  bool stage(double step) {
    const Sgd sgd({.step = step,
                   .batch = result_.batch,
                   .epochs = options_.steps - result_.iterations,
                   .momentum = result_.momentum});
    Loop loop = sgd.start(f_, result_.w, rng_);
    const auto left = [&] { return loop.iteration() < options_.steps - result_.iterations; };
    double last = std::numeric_limits<double>::infinity(), mean = 0.0;
    std::string reason = "the steps are made";
    bool goes_on = true;
    while (goes_on && left()) {
      double sum = 0.0;
      Index made = 0;
      while (made < options_.window && left() && (goes_on = loop.next())) {
        sum += loop.value();
        ++made;
      }
      if (made < options_.window) break;
      mean = sum / static_cast<double>(made);
      if (std::isfinite(last) && no_lower(mean, last, options_.plateau)) {
        reason = fmt::format("plateau: a window's mean is {:.6g} after {:.6g}", mean, last);
        break;
      }
      last = mean;
    }
    const Run run = loop.finish();
    add(result_.spent, run.spent);
    result_.iterations += run.iterations;
    const bool diverged = run.stop == StopReason::diverged, lower = keep_if_lower(run);
    if (InterruptGuard::taken()) result_.stop = StopReason::interrupted;
    if (diverged) reason = "diverges: undone";
    if (!diverged && !lower) reason += "; no lower: undone";
    decide("4 run", fmt::format("{} steps to f = {:.6g}", run.iterations, run.value), std::move(reason));
    return diverged;
  }

  const FiniteSum& f_;
  Rng& rng_;
  const QuickStartOptions& options_;
  QuickStart result_;
};

}  // namespace

QuickStart quick_start(const FiniteSum& f, const Params& w0, Rng& rng, const QuickStartOptions& options) {
  check(options);
  const InterruptGuard guard;
  return Start(f, w0, rng, options).run();
}

}  // namespace cotangent::optim
