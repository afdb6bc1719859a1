// The loop: estimates, events, the trace, and when to stop.
#include "optim/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "report/csv.hpp"
#include "report/progress.hpp"

namespace cotangent::optim {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
/// Rows of the trace reserved at the start; longer runs let it grow.
constexpr Index kReserved = 1 << 16;

void check_start(const char* name, const Params& w, const std::vector<Observer*>& observers) {
  if (w.size() == 0)
    throw DomainError(
        fmt::format("[{}] the start has no parameters, shape {}; start from net.init(rng) or from a vector",
                    name, w.flat().shape().to_string()));
  const std::span<const double> numbers = w.flat().data();
  const auto bad = std::find_if(numbers.begin(), numbers.end(), [](double x) { return !std::isfinite(x); });
  if (bad != numbers.end())
    throw DomainError(fmt::format("[{}] the start has {} at {}; start from finite numbers", name, *bad,
                                  w.position_name(bad - numbers.begin())));
  for (std::size_t k = 0; k < observers.size(); ++k)
    if (!observers[k])
      throw DomainError(fmt::format("[{}] observer {} of {} is null; pass addresses of observers", name, k,
                                    observers.size()));
}

}  // namespace

const char* to_string(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::finished:
      return "finished";
    case StopReason::converged:
      return "converged";
    case StopReason::diverged:
      return "diverged";
    case StopReason::stopped_by_observer:
      break;
  }
  return "stopped_by_observer";
}

void Trace::save_csv(const std::string& path) const {
  std::vector<double> numbers;
  for (const EpochRow& r : rows_)
    numbers.insert(numbers.end(),
                   {static_cast<double>(r.epoch), static_cast<double>(r.iterations), r.value, r.gradient_norm,
                    r.step, static_cast<double>(r.component_gradients), r.seconds});
  report::save_csv(
      path, {"epoch", "iterations", "value", "gradient_norm", "step", "component_gradients", "seconds"},
      Tensor::from(numbers, Shape{size(), 7}));
}

void check_loop(const LoopOptions& o, const char* epochs_name) {
  if (o.epochs < 0)
    throw DomainError(fmt::format("[{}] {} is {}; give 0 or more", o.name, epochs_name, o.epochs));
  if (o.gradient_tolerance && !(*o.gradient_tolerance >= 0.0 && std::isfinite(*o.gradient_tolerance)))
    throw DomainError(fmt::format("[{}] gradient_tolerance is {}; give a finite number, 0 or above, or none",
                                  o.name, *o.gradient_tolerance));
  if (std::isnan(o.value_limit))
    throw DomainError(
        fmt::format("[{}] value_limit is nan; give a number above every value to allow", o.name));
}

/// One run. A class only so that its parts need not be handed around.
class Loop {
 public:
  Loop(const LoopOptions& options, const FiniteSum& f, const Params& w, Method& method,
       const std::vector<Observer*>& observers)
      : options_(options),
        f_(f),
        method_(method),
        observers_(observers),
        start_(std::chrono::steady_clock::now()),
        progress_(options.epochs, {.label = options.name, .silent = !options.progress}),
        last_{.value = kUnknown, .gradient = {}, .batch = Batch::all(f.size())} {
    run_.w = w;
    run_.trace.rows_.reserve(static_cast<std::size_t>(std::min(options.epochs, kReserved)));
  }

  Run go() {
    if (raise(&Observer::on_start))
      while (epoch_ < options_.epochs && run_epoch()) {
        ++epoch_;
        progress_.update(epoch_, [this] { return note(); });
      }
    finish();
    return std::move(run_);
  }

 private:
  using Event = Flow (Observer::*)(const View&);

  /// False if an observer says stop.
  bool raise(Event event) {
    const View view{.iteration = run_.iterations,
                    .epoch = epoch_,
                    .w = run_.w,
                    .gradient = last_.gradient,
                    .value = last_.value,
                    .gradient_norm = norm_,
                    .step = step_,
                    .batch = last_.batch,
                    .trace = run_.trace};
    bool go_on = true;
    for (Observer* observer : observers_)
      if ((observer->*event)(view) == Flow::stop) go_on = false;
    if (!go_on) run_.stop = StopReason::stopped_by_observer;
    return go_on;
  }

  /// Counts what the method computes, but not what observers do with the same objective.
  template <class Work>
  auto charged(Work work) {
    const Index before = f_.component_gradients();
    auto result = work();
    spent_ += f_.component_gradients() - before;
    return result;
  }

  /// One epoch; false if the run ends in it.
  bool run_epoch() {
    weight_ = values_ = squares_ = 0.0;
    const Index iterations = charged([&] { return method_.begin_epoch(); });
    for (Index i = 0; i < iterations; ++i)
      if (!run_iteration(i)) {
        add_row();
        return false;
      }
    add_row();
    return raise(&Observer::on_epoch);
  }

  bool run_iteration(Index i) {
    step_ = options_.step(run_.iterations);
    last_ = charged([&] { return method_.estimate(run_.w, i); });
    norm_ = norm(last_.gradient);
    known_ = true;
    const double weight = static_cast<double>(last_.batch.size());
    weight_ += weight;
    values_ += weight * last_.value;
    squares_ += weight * norm_ * norm_;
    if (!std::isfinite(last_.value) || !std::isfinite(norm_) || last_.value > options_.value_limit) {
      run_.stop = StopReason::diverged;
      return false;
    }
    good_ = run_.w;
    if (!raise(&Observer::on_step)) return false;
    if (options_.gradient_tolerance && norm_ <= *options_.gradient_tolerance) {
      run_.stop = StopReason::converged;
      return false;
    }
    run_.w = method_.next(run_.w, observers_.empty() ? std::move(last_.gradient) : last_.gradient, step_);
    known_ = false;
    ++run_.iterations;
    return true;
  }

  void add_row() {
    run_.trace.rows_.push_back({.epoch = epoch_,
                                .iterations = run_.iterations,
                                .value = values_ / weight_,
                                .gradient_norm = std::sqrt(squares_ / weight_),
                                .step = step_,
                                .component_gradients = spent_,
                                .seconds = seconds()});
  }

  void finish() {
    if (run_.stop != StopReason::diverged) {
      run_.value = known_ && last_.batch.is_all() ? last_.value : f_.value(run_.w);
      // The last step is seen by no estimate, so its point is looked at here.
      if (!std::isfinite(run_.value) || run_.value > options_.value_limit) run_.stop = StopReason::diverged;
    }
    const bool diverged = run_.stop == StopReason::diverged;
    if (diverged) {
      run_.diverged_at = run_.w;
      if (good_.size() > 0) run_.w = good_;
      run_.value = f_.value(run_.w);
    }
    progress_.finish(
        fmt::format("value {:.6g}, {}{}", run_.value, to_string(run_.stop),
                    diverged ? "; trace_nonfinite(f, run.diverged_at) names the operation" : ""));
    for (Observer* observer : observers_) observer->on_finish(run_);
  }

  std::string note() const {
    return fmt::format("{} of {}, value {:.6g}", epoch_, options_.epochs, run_.trace.back().value);
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  const LoopOptions& options_;
  const FiniteSum& f_;
  Method& method_;
  const std::vector<Observer*>& observers_;
  std::chrono::steady_clock::time_point start_;
  report::Progress progress_;
  Run run_;
  Params good_;  // the last point with a finite estimate
  Estimate last_;
  bool known_ = false;  // last_ belongs to the present point
  double norm_ = kUnknown;
  double step_ = kUnknown;
  Index epoch_ = 0;
  Index spent_ = 0;
  double weight_ = 0.0, values_ = 0.0, squares_ = 0.0;  // of this epoch
};

Run Optimizer::minimize(const FiniteSum& f, const Params& w, Rng& rng,
                        const std::vector<Observer*>& observers) const {
  const LoopOptions options = loop();
  check_start(options.name, w, observers);
  const std::unique_ptr<Method> working = method(f, rng);
  return Loop(options, f, w, *working, observers).go();
}

Run Optimizer::minimize(const FiniteSum& f, const Tensor& w, Rng& rng,
                        const std::vector<Observer*>& observers) const {
  if (w.rank() != 1)
    throw ShapeError(
        fmt::format("[{}] the start is {}, not a vector; give shape [P], or Params for named blocks",
                    loop().name, w.shape().to_string()));
  return minimize(f, Params({{"w", w}}), rng, observers);
}

}  // namespace cotangent::optim
