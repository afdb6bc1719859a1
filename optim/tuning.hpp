// Tuning: the largest stable step, SGD's quick start, and optimizers side by side.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "optim/optimizer.hpp"
#include "report/figure.hpp"
#include "report/table.hpp"

namespace cotangent::optim {

struct StableStepOptions {
  /// The first step tried; each that diverges is followed by a tenth of it, down to `least`.
  double from = 1e3;
  double least = 1e-12;
  /// K, of each trial.
  Index steps = 100;
  /// Samples a step, without replacement; none: all of them.
  std::optional<Index> batch = std::nullopt;
  double momentum = 0.0;
};

/// What largest_stable_step found.
struct StableStep {
  double step;
  /// The K steps with it, from w0.
  Run run;
  /// What all trials asked of f.
  Counts spent;
  /// A row a trial: step, steps made, value, verdict.
  report::Table tried;
};

/// The first s of from, from / 10, ... with which K steps of gradient descent, or of its stochastic form,
/// from w0 do not diverge: they are finite and f stays at or below 10 f(w0), more exactly f(w0) + 9 |f(w0)|;
/// over all samples after every step, or after the last one where a step takes a batch. All trials see the
/// same batches.
///
/// So s <= s_max <= 10 s where the steps that are stable are those up to s_max, unless K is too few to show
/// it. Of gradient descent on a quadratic s_max is 2 / L; of batches it is that of what was drawn, which may
/// be larger than what is stable in mean square.
///
/// Ctrl-C ends the trial under way, of which the step and the run then are, the run as interrupted.
///
/// Cost: K batch component gradients a trial; a diverging one ends early.
/// Throws: DomainError on options outside their ranges, if f(w0) is not finite, or if even steps of `least`
/// diverge. Source: ece826; optimisation.md A14.3.
StableStep largest_stable_step(const FiniteSum& f, const Params& w0, Rng& rng,
                               const StableStepOptions& options = {});

struct QuickStartOptions {
  /// Bytes that the gradient of a batch may take.
  Index memory = Index{1} << 30;
  /// None: 0 or 0.9, whichever has the lower value after K steps of its own largest stable step.
  std::optional<double> momentum = std::nullopt;
  /// K, the steps of a trial and of a window.
  Index window = 100;
  /// A window whose mean is not below this part of the one before is on a plateau.
  double plateau = 0.99;
  /// Ends when a stage lowers f by less than this part of it.
  double improvement = 1e-3;
  /// Ends below this part of the first step.
  double least_step = 1e-4;
  /// Ends after so many steps, the trials' apart.
  Index steps = 100000;
};

/// What quick_start reached, and how.
struct QuickStart {
  Params w;
  double value;  // over all samples
  Index batch;
  double momentum;
  double step;  // of the first stage
  Index iterations;
  /// finished: by rule 6; budget: by .steps; interrupted.
  StopReason stop;
  /// Trials included.
  Counts spent;
  /// A row a decision: rule, decision, reason.
  report::Table decisions;
};

/// SGD with momentum that chooses all by itself:
///
///   1  the largest batch whose gradient fits in the memory
///   2  momentum 0 or 0.9
///   3  the largest stable step s
///   4  runs until a plateau: the mean risk of a window of K steps is not below 0.99 of the one before
///   5  s <- s / 10
///   6  4 and 5 again, until s is too small or a stage has not improved f enough
///
/// Each stage begins with no velocity; one that diverges or ends with a higher f is undone. Ctrl-C ends it
/// with the lowest point so far, of a stage or of the trials, and the step 0 if no stage had begun.
/// Throws: DomainError on options outside their ranges, and as largest_batch and largest_stable_step.
/// Source: ece826; optimisation.md A14.
QuickStart quick_start(const FiniteSum& f, const Params& w0, Rng& rng, const QuickStartOptions& options = {});

struct NamedOptimizer {
  std::string name;
  Optimizer optimizer;
};

struct CompareOptions {
  /// A run ends when f, penalty included, is at most this.
  std::optional<double> target = std::nullopt;
  /// Every optimizer has an Rng of this seed of its own.
  std::uint64_t seed = 0;
  /// Components asked for, with gradient or without or for products, between two looks at f over all
  /// samples, which are not counted; none: n.
  std::optional<Index> every = std::nullopt;
  /// f*: figures show the value above it.
  double optimum = 0.0;
};

/// Runs of several optimizers from one point, on one axis. print(comparison) writes its table.
class Comparison {
 public:
  /// f over all samples on the way.
  struct Look {
    Index iterations;
    Index component_gradients;
    double seconds;
    double value;
  };
  struct Entry {
    std::string name;
    Run run;
    /// From the start to the end of the run.
    std::vector<Look> looks;
    /// Component gradients spent when a look first saw f at the target, if one did.
    std::optional<Index> to_target = std::nullopt;
  };
  enum class Axis { component_gradients, seconds };

  explicit Comparison(std::vector<Entry> entries, const CompareOptions& options)
      : entries_(std::move(entries)), options_(options) {}

  /// In the order given; after an interrupted run there is none.
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// Throws: DomainError listing the names there are.
  const Entry& operator[](std::string_view name) const;

  /// A row an optimizer: name, value, component gradients, values, products, seconds, bytes of state, why it
  /// ended and, where there is a target, component gradients until it was reached.
  report::Table table() const;
  std::string to_string() const { return table().to_text(); }
  /// f - optimum, logarithmic, against what was spent. Throws: as report::plot.
  report::Drawn draw(const std::string& path, Axis axis = Axis::component_gradients) const;
  /// A line a look: optimizer, iterations, component_gradients, seconds, value. Throws: DomainError naming
  /// the file.
  void save_csv(const std::string& path) const;

 private:
  std::vector<Entry> entries_;
  CompareOptions options_;
};

/// Runs each optimizer from w0 until it ends or reaches the target:
///
///   const auto seen = optim::compare(f, w0, {{"GD", optim::Gd({.step = 1.0})},
///                                            {"SAGA", optim::Saga({.step = 0.01})}}, {.target = 1e-3});
///   print(seen);
///   seen.draw("compared.svg");
///
/// Ctrl-C ends the run under way as interrupted, which is then the last entry.
/// Throws: DomainError if there is no optimizer, a name is empty or used twice, .every < 1, or .target or
/// .optimum is NaN; and as Optimizer::minimize.
Comparison compare(const FiniteSum& f, const Params& w0, const std::vector<NamedOptimizer>& optimizers,
                   const CompareOptions& options = {});

}  // namespace cotangent::optim
