// Loop: one run of any optimizer, iteration by iteration; what is seen of it, and its result.
#pragma once
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/params.hpp"
#include "autodiff/rng.hpp"
#include "optim/recipe.hpp"

namespace cotangent::optim {

/// finished: all iterations were made, or the method came to its own end; converged: the residual reached the
/// tolerance; diverged: a value, gradient or point stopped being finite, or the value passed the limit;
/// target: the value asked for was reached; budget: the component gradients or seconds allowed are spent.
/// interrupted: Ctrl-C; stalled: a search found no step from a point that is not stationary; stopped: the
/// loop was told to finish before it had come to an end.
enum class StopReason {
  finished,
  converged,
  diverged,
  stopped_by_observer,
  target,
  budget,
  interrupted,
  stalled,
  stopped
};
const char* to_string(StopReason reason) noexcept;

/// What one epoch saw, on the way: its iterations' values and gradients belong to different points.
struct EpochRow {
  Index epoch = 0;                // from 0
  Index iterations = 0;           // steps made since the start of the run
  double value = 0.0;             // mean of the batches' values, weighted by their sizes
  double gradient_norm = 0.0;     // root of the mean of |g|^2, weighted likewise
  double step = 0.0;              // of the last iteration
  Index component_gradients = 0;  // the method's own, since the start of the run
  double seconds = 0.0;           // since the start of the run, without the observers'
  Index component_values = 0;     // asked without a gradient, likewise
  Index products = 0;             // Hessian-vector products of components, likewise
  double residual = std::numeric_limits<double>::quiet_NaN();  // of the last exact estimate
  Index state_numbers = 0;                                     // held by the parts, as Run::state_numbers
};

/// A named number of a row.
struct Column {
  std::string name;
  double value;
};

/// One row an epoch, in order; for full-batch methods an epoch is one iteration, and its value is f(w) before
/// the step. An epoch that was broken off has a row, too, of what it saw.
class Trace {
 public:
  Trace();
  Trace(const Trace& other);
  Trace(Trace&& other) noexcept;
  Trace& operator=(const Trace& other);
  Trace& operator=(Trace&& other) noexcept;
  ~Trace();

  const std::vector<EpochRow>& rows() const noexcept { return rows_; }
  Index size() const noexcept { return static_cast<Index>(rows_.size()); }
  bool empty() const noexcept { return rows_.empty(); }
  const EpochRow& operator[](Index epoch) const { return rows_[static_cast<std::size_t>(epoch)]; }
  const EpochRow& back() const { return rows_.back(); }
  /// All numbers of a row, those of observers such as Monitor last.
  std::vector<Column> columns_of(Index row) const;
  /// Of all rows; NaN where a row has none. Throws: DomainError listing the names there are.
  std::vector<double> column(std::string_view name) const;
  /// Writes all rows with a header. Throws: DomainError naming the file.
  void save_csv(const std::string& path) const;

 private:
  friend class Loop;
  /// Throws: DomainError if the row has a column of that name.
  void observe(const Column& column);
  /// All rows, and the columns of observers whose names are there.
  void visit(State& state);
  std::vector<EpochRow> rows_;
  std::vector<std::pair<std::string, std::vector<double>>> observed_;  // columns of observers, row by row
};

/// The result of minimize.
struct Run {
  Run();
  Run(const Run& other);
  Run(Run&& other) noexcept;
  Run& operator=(const Run& other);
  Run& operator=(Run&& other) noexcept;
  ~Run();

  /// The last point; of a diverged run, the last at which value and gradient
  /// were finite and within the limit.
  Params w;
  /// The objective over all samples at w.
  double value = 0.0;
  StopReason stop = StopReason::finished;
  /// Steps made.
  Index iterations = 0;
  Trace trace;
  /// What the run asked of f, whichever part of it asked.
  Counts spent;
  /// Without the observers'.
  double seconds = 0.0;
  /// Numbers held by the parts at the end, beside the point and its gradient.
  Index state_numbers = 0;
  /// The average of the run's points, if one was asked for.
  Params average = {};
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

  /// Columns for the present row of the trace, asked after on_epoch; and when a run is made, for their names
  /// alone: each is to be another than those of the trace and of the other observers.
  virtual std::vector<Column> columns() const;
  /// A path where the run is to be saved, asked after each step.
  virtual std::optional<std::string> saves(Index iteration) const;
  /// What it keeps from event to event, saved with the run and put back when one is resumed.
  virtual void visit(State&) {}
};

/// One run. Made by Optimizer::start; `minimize` is this to its end:
///
///   optim::Loop loop = optim::Gd({.step = 0.1}).start(f, w0, rng);
///   while (loop.next())
///     if (loop.iteration() % 100 == 0) print(loop.value());
///   const optim::Run run = loop.finish();
///
/// Cost: after the first epoch an iteration itself takes nothing from the heap.
class Loop {
 public:
  /// f, rng and the observers are used until the loop ends; rng and the observers must live so long.
  /// Throws: as Optimizer::minimize.
  Loop(const Recipe& recipe, const FiniteSum& f, const Params& w, Rng& rng,
       const std::vector<Observer*>& observers);
  /// Goes on with a run that was saved, as if it had not been broken off: the same numbers, bit for bit, but
  /// the seconds. `rng` is set to the state it had. Observers with state are put back, in the order given.
  /// Throws: DomainError naming the file if it is not there, truncated, or of another optimizer, n or
  /// observers.
  static Loop resumed(const Recipe& recipe, const std::string& path, const FiniteSum& f, Rng& rng,
                      const std::vector<Observer*>& observers);
  Loop(Loop&&) noexcept;
  Loop& operator=(Loop&&) noexcept;
  ~Loop();

  /// One iteration; false if the run has ended, in it or before.
  bool next();
  /// Makes no further iteration; where some are left and there was no other reason to end, it is `stopped`.
  /// Tells the observers, once; later calls give the same.
  Run finish();

  /// Writes all of the run's state as one .npz, which NumPy reads, and replaces `path` in one step or leaves
  /// what was there. Throws: DomainError naming the file.
  void save(const std::string& path);

  /// Steps made.
  Index iteration() const noexcept;
  /// The present point, and what the run would return for it: the same, but of methods that extrapolate.
  Params w() const;
  Params result() const;
  /// Of the last estimate, penalty included, at the point before its step.
  double value() const noexcept;
  double gradient_norm() const noexcept;
  /// f over all samples at result(), penalty included, asked anew: neither counted nor timed.
  double whole_value();
  const Trace& trace() const noexcept;
  const Counts& spent() const noexcept;
  /// So far, as Run::seconds.
  double seconds() const;

 private:
  class Work;
  explicit Loop(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

}  // namespace cotangent::optim
