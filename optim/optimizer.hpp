// Optimizer: the one loop all optimizers share, with its observers, its trace and its reasons to stop.
#pragma once
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"
#include "optim/objective.hpp"
#include "optim/schedule.hpp"

namespace cotangent::optim {

/// finished: all iterations were made; converged: the gradient's norm reached the tolerance; diverged: a
/// value, gradient or point stopped being finite, or the value passed the limit.
enum class StopReason { finished, converged, diverged, stopped_by_observer };
const char* to_string(StopReason reason) noexcept;

/// What one epoch saw, on the way: its iterations' values and gradients belong to different points.
struct EpochRow {
  Index epoch = 0;                // from 0
  Index iterations = 0;           // steps made since the start of the run
  double value = 0.0;             // mean of the batches' values, weighted by their sizes
  double gradient_norm = 0.0;     // root of the mean of |g|^2, weighted likewise
  double step = 0.0;              // of the last iteration
  Index component_gradients = 0;  // the method's own, since the start of the run
  double seconds = 0.0;           // since the start of the run
};

/// One row an epoch, in order; for full-batch methods an epoch is one iteration, and its value is f(w) before
/// the step. An epoch that was broken off has a row, too, of what it saw.
class Trace {
 public:
  const std::vector<EpochRow>& rows() const noexcept { return rows_; }
  Index size() const noexcept { return static_cast<Index>(rows_.size()); }
  bool empty() const noexcept { return rows_.empty(); }
  const EpochRow& operator[](Index epoch) const { return rows_[static_cast<std::size_t>(epoch)]; }
  const EpochRow& back() const { return rows_.back(); }
  /// Writes all rows with a header. Throws: DomainError naming the file.
  void save_csv(const std::string& path) const;

 private:
  friend class Loop;
  std::vector<EpochRow> rows_;
};

/// The result of minimize.
struct Run {
  /// The last point; of a diverged run, the last at which value and gradient
  /// were finite and within the limit.
  Params w;
  /// The objective over all samples at w.
  double value = 0.0;
  StopReason stop = StopReason::finished;
  /// Steps made.
  Index iterations = 0;
  Trace trace;
  /// Of a diverged run, the point whose value or gradient was not finite or beyond the limit, else empty:
  /// trace_nonfinite(f, diverged_at) names the operation that made it so.
  Params diverged_at = {};
};

/// What an observer sees; valid during the call, but w and gradient may be copied at no cost.
struct View {
  Index iteration;         // steps made so far
  Index epoch;             // from 0
  const Params& w;         // the present point
  const Params& gradient;  // the estimate at w, before momentum; empty before the first
  double value;            // of the estimate's batch at w; NaN before the first
  double gradient_norm;
  double step;         // of this iteration; NaN before the first
  const Batch& batch;  // the estimate's samples
  const Trace& trace;  // the epochs so far
};

enum class Flow { go_on, stop };

/// Watches a run. Every optimizer raises the same events:
///
///   on_start   once, before anything is computed;
///   on_step    each iteration, when value and gradient at w are known and before the step is made;
///   on_epoch   after the last step of each full epoch: w is the new point, value and gradient are those of
///              the last iteration, and the epoch's row is trace.back();
///   on_finish  once, whatever the reason, with the result.
///
/// After Flow::stop no step is made: the run's w is the w that was seen. All observers of an event are
/// called, in the order given.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual Flow on_start(const View&) { return Flow::go_on; }
  virtual Flow on_step(const View&) { return Flow::go_on; }
  virtual Flow on_epoch(const View&) { return Flow::go_on; }
  virtual void on_finish(const Run&) {}
};

/// A value and a gradient estimated at one point.
struct Estimate {
  double value;
  Params gradient;
  Batch batch;
};

/// What the loop needs to know of every optimizer's options.
struct LoopOptions {
  const char* name;
  Step step;
  Index epochs;
  std::optional<double> gradient_tolerance;
  /// A value above it ends the run as diverged.
  double value_limit = std::numeric_limits<double>::infinity();
  bool progress = false;
};

/// The changing part of one run, made anew for each.
class Method {
 public:
  virtual ~Method() = default;
  /// Prepares the next epoch and says how many iterations it has.
  virtual Index begin_epoch() = 0;
  /// The estimate at w for iteration i of the epoch.
  virtual Estimate estimate(const Params& w, Index i) = 0;
  /// The next point.
  virtual Params next(const Params& w, Params gradient, double step) = 0;
};

/// Base of all optimizers: options that no run changes, and the loop
///
///   for each epoch, for each iteration: estimate at w; stop if it is not finite; on_step; stop if converged;
///   w <- next(w, gradient, step(k)).
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Minimises f from w on. Random choices come from rng, so the same state of it gives the same run.
  ///
  /// Cost: the epochs' gradients and one value over all samples; after the first epoch the loop itself takes
  /// nothing from the heap.
  /// Throws: DomainError if w is empty or not finite, naming the position, or if an observer is null.
  Run minimize(const FiniteSum& f, const Params& w, Rng& rng,
               const std::vector<Observer*>& observers = {}) const;
  /// The same for a plain vector, as Params of one block called "w". Throws: also ShapeError unless w is [P].
  Run minimize(const FiniteSum& f, const Tensor& w, Rng& rng,
               const std::vector<Observer*>& observers = {}) const;

 protected:
  Optimizer() = default;
  Optimizer(const Optimizer&) = default;
  Optimizer& operator=(const Optimizer&) = default;

  virtual LoopOptions loop() const = 0;
  /// f and rng outlive the method.
  virtual std::unique_ptr<Method> method(const FiniteSum& f, Rng& rng) const = 0;
};

/// Checks that options share. Throws: DomainError "[name] ...".
void check_loop(const LoopOptions& options, const char* epochs_name);

}  // namespace cotangent::optim
