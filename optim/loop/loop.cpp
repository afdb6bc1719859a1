// The loop: estimates, events, the trace, and when to stop.
#include "optim/loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/tensor/access.hpp"
#include "optim/loop/checkpoint.hpp"
#include "optim/loop/epoch_means.hpp"
#include "optim/loop/interrupt.hpp"
#include "optim/loop/search_line.hpp"
#include "optim/loop/shaping.hpp"
#include "optim/loop/subspace.hpp"
#include "report/progress.hpp"

namespace cotangent::optim {
namespace {

using Clock = std::chrono::steady_clock;

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

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

/// All of one run.
class Loop::Work {
 public:
  Work(const Recipe& recipe, const FiniteSum& f, const Params& w, Rng& rng,
       const std::vector<Observer*>& observers)
      : recipe_(recipe),
        space_(w, recipe.params.list()),
        given_(w),
        f_(space_.restricted(f)),
        observers_(observers),
        start_(Clock::now()),
        progress_(recipe.epochs, {.label = recipe.name, .silent = !recipe.progress}),
        last_{.value = kUnknown, .gradient = {}, .batch = Batch::all(f.size())},
        rng_(rng) {
    run_.w = space_.restricted(w);
    shaping_.emplace(recipe, run_.w);
    const Setting setting{.name = recipe.name,
                          .f = f_,
                          .rng = rng,
                          .start = run_.w,
                          .shaped = !shaping_->keeps_gradients(),
                          .restricted = !space_.whole(),
                          .step = &recipe.step};
    estimator_ = recipe.estimator(setting);
    rule_ = recipe.rule(setting);
    move_ = recipe.move(setting);
    size_ = recipe.step.begin();
    move_->check_start(recipe.name, run_.w);
    check_columns();
    if (size_ && size_->searches() && shaping_->decays())
      throw DomainError(
          fmt::format("[{}] weight decay is not in f, on which the step is searched; add weight / 2 |w|^2 "
                      "to f, or give a step by schedule",
                      recipe.name));
    if (recipe.average.kind == Average::Kind::exponential) run_.average = run_.w;
    run_.trace.rows_.reserve(static_cast<std::size_t>(std::min(recipe.epochs, kReserved)));
  }

  /// One iteration, with the epoch's beginning and end where it is the first or the last.
  bool next() {
    if (ended_) return false;
    if (!started_) {
      started_ = true;
      if (!raise(&Observer::on_start, epoch_)) return end();
    }
    if (!guard_) guard_.emplace();
    if (in_epoch_ == 0) {
      if (epoch_ >= recipe_.epochs) return end();
      means_ = {};
      iterations_ = estimator_->begin_epoch(run_.w);
    }
    if (!iterate()) return end();
    if (++in_epoch_ == iterations_) {
      in_epoch_ = 0;
      partial_ = false;
      add_row(run_.trace);
      ++epoch_;
      progress_.update(epoch_, [this] { return note(); });
      if (!raise(&Observer::on_epoch, epoch_ - 1)) return end();
    }
    for (const Observer* observer : observers_)
      if (const std::optional<std::string> path = observer->saves(run_.iterations)) save(*path);
    if (InterruptGuard::taken()) {
      run_.stop = StopReason::interrupted;
      return end();
    }
    return true;
  }

  void save(const std::string& path) {
    SaveState state(run_.w);
    Tensor start = given_.flat();
    state("start", start);
    state.text("optimizer", {recipe_.name});
    state.text("parameters", table_lines(given_));
    state.text("rng", {rng_.state()});
    visit(state);
    state.in_space_of(given_);
    for (std::size_t k = 0; k < observers_.size(); ++k)
      state.part("observer" + std::to_string(k), *observers_[k]);
    std::vector<std::string> names;
    for (const auto& [name, values] : run_.trace.observed_) names.push_back(name);
    state.text("observed", names);
    state.write(path);
  }

  /// Everything that was saved. Observers are told of the start, and then go on where they were.
  void resume(std::unique_ptr<LoadState> state) {
    const auto differs = [&](const char* what, const std::string& there, const std::string& here) {
      throw DomainError(fmt::format("[resume] {}: {} {} there, {} here", state->path(), what, there, here));
    };
    const std::string name = state->text("optimizer").at(0);
    if (name != recipe_.name) differs("the optimizer is", name, recipe_.name);
    Tensor start;
    (*state)("start", start);
    for (const std::string& column : state->text("observed"))
      run_.trace.observed_.emplace_back(column, std::vector<double>());
    const Index n = f_.size();
    visit(*state);
    if (components_ != n) differs("f has", fmt::format("{} components", components_), std::to_string(n));
    rng_ = Rng::from_state(state->text("rng").at(0));
    // Once to see that they are those that were saved, before a log of theirs begins anew, and once after.
    put_back(*state);
    state->finish();
    started_ = true;
    if (!raise(&Observer::on_start, epoch_)) end();
    put_back(*state);
  }

  Run finish() {
    if (!started_) {
      started_ = true;
      if (!raise(&Observer::on_start, epoch_)) end();
    }
    if (!ended_ && epoch_ < recipe_.epochs) run_.stop = StopReason::stopped;
    if (!finished_) close();
    return done_;
  }

  Index iteration() const noexcept { return run_.iterations; }
  Params restricted(const Params& w) const { return space_.restricted(w); }
  Params w() const { return embedded(run_.w); }
  Params result() const { return embedded(move_->result(run_.w)); }
  double value() const noexcept { return last_.value; }
  double gradient_norm() const noexcept { return norm_; }
  const Trace& trace() const noexcept { return run_.trace; }
  const Counts& spent() const noexcept { return f_.spent(); }
  double seconds() const { return finished_ ? run_.seconds : earlier_ + seconds_since(start_) - watching_; }

  double whole_value() {
    const Clock::time_point before = Clock::now();
    const double value = value_of(move_->result(run_.w));
    watching_ += seconds_since(before);
    return value;
  }

 private:
  using Event = Flow (Observer::*)(const View&);

  bool end() {
    ended_ = true;
    guard_.reset();
    return false;
  }

  /// Throws: DomainError if the columns of a row would not have names of their own.
  void check_columns() const {
    Trace row;
    row.rows_.emplace_back();
    for (const Observer* observer : observers_)
      for (const Column& column : observer->columns()) row.observe(column);
  }

  void put_back(LoadState& state) {
    state.in_space_of(given_);
    for (std::size_t k = 0; k < observers_.size(); ++k)
      state.part("observer" + std::to_string(k), *observers_[k]);
  }

  /// All that a run is made of, but what the recipe says and the observers.
  void visit(State& state) {
    state("w", run_.w);
    state("good", good_);
    state("average", run_.average);
    state("averaged", averaged_);
    state("iterations", run_.iterations);
    state("epoch", epoch_);
    state("in_epoch", in_epoch_);
    state("epoch_iterations", iterations_);
    means_.visit(state);
    state("value", last_.value);
    state("gradient_norm", norm_);
    state("step", step_);
    state("residual", residual_);
    state("components", components_);
    state("partial", partial_);
    double before = seconds();
    state("seconds", before);
    earlier_ += before - seconds();
    f_.visit(state, run_.w);
    state.part("estimator", *estimator_);
    state.part("rule", *rule_);
    state.part("move", *move_);
    if (size_) state.part("size", *size_);
    run_.trace.visit(state);
  }

  bool end(StopReason reason) {
    run_.stop = reason;
    return false;
  }

  /// False if an observer says stop.
  bool raise(Event event, Index epoch) {
    if (observers_.empty()) return true;
    const Clock::time_point before = Clock::now();
    const Params w = embedded(run_.w), gradient = embedded_gradient();
    const View view{.iteration = run_.iterations,
                    .epoch = epoch,
                    .w = w,
                    .gradient = gradient,
                    .value = last_.value,
                    .gradient_norm = norm_,
                    .step = step_,
                    .batch = last_.batch,
                    .trace = run_.trace};
    bool go_on = true;
    for (Observer* observer : observers_) {
      if ((observer->*event)(view) == Flow::stop) go_on = false;
      if (event == &Observer::on_epoch)
        for (const Column& column : observer->columns()) run_.trace.observe(column);
    }
    watching_ += seconds_since(before);
    return go_on || end(StopReason::stopped_by_observer);
  }

  /// False if the run ends before the step.
  bool iterate() {
    last_ = estimator_->at(run_.w, in_epoch_);
    norm_ = norm(last_.gradient);
    known_ = partial_ = true;
    bool stalled = false;
    const double value = last_.value;
    last_.value += move_->penalty(run_.w);
    means_.add(static_cast<double>(last_.batch.size()), last_.value, norm_);
    if (!size_) step_ = recipe_.step(run_.iterations);
    if (!std::isfinite(last_.value) || !std::isfinite(norm_) || last_.value > recipe_.value_limit)
      return end(StopReason::diverged);
    const At at{.iteration = run_.iterations,
                .w = run_.w,
                .value = value,
                .gradient_norm = norm_,
                .batch = last_.batch,
                .exact = last_.exact,
                .f = f_,
                .stalled = stalled};
    if (last_.exact) residual_ = move_->residual(at, last_.gradient, std::isfinite(step_) ? step_ : 1.0);
    const std::optional<StopReason> reason = reason_to_stop(at);
    if (size_ && !reason) return search(at);
    if (!raise(&Observer::on_step, epoch_)) return false;
    if (reason) return end(*reason);
    Params direction = direction_of(at, observers_.empty() ? std::move(last_.gradient) : last_.gradient);
    if (stalled) return end(StopReason::stalled);
    return go(move_->next(at, std::move(direction), step_));
  }

  /// The rest of an iteration whose step is looked for along the direction.
  bool search(const At& at) {
    Params direction = direction_of(at, last_.gradient);
    SearchLine line(at, *move_, last_.gradient, direction);
    step_ = size_->next(at, line);
    if (!(step_ >= 0.0)) {
      good_ = run_.w;
      return end(StopReason::diverged);
    }
    std::optional<Params> tried = line.tried(step_);
    const bool still = tried ? equal(tried->flat(), run_.w.flat()) : step_ == 0.0;
    if (!raise(&Observer::on_step, epoch_)) return false;
    if (at.stalled || (size_->searches() && still)) return end(StopReason::stalled);
    Params next = move_->next(at, std::move(direction), step_);
    // Where it is the point that was tried, what was found there is remembered with it.
    if (tried && equal(next.flat(), tried->flat())) next = *std::move(tried);
    return go(std::move(next));
  }

  /// False if the method itself has ended there.
  bool go(Params next) {
    good_ = std::exchange(run_.w, std::move(next));
    known_ = false;
    ++run_.iterations;
    average();
    return !move_->ended();
  }

  std::optional<StopReason> reason_to_stop(const At& at) {
    const Stop& stop = recipe_.stop;
    const auto reached = [&](double residual, double value) -> std::optional<StopReason> {
      if (stop.residual && residual <= *stop.residual) return StopReason::converged;
      if (stop.value && value <= *stop.value) return StopReason::target;
      return std::nullopt;
    };
    if (last_.exact)
      if (const std::optional<StopReason> reason = reached(residual_, last_.value)) {
        const Params result = move_->result(run_.w);
        if (same(result, run_.w)) return reason;
        // The point to return is another one than that of the estimate: it must hold there.
        const Batch all = Batch::all(f_.size());
        const auto [value, gradient] = f_.value_and_grad(result, all);
        bool ignored = false;
        const At there{.iteration = at.iteration,
                       .w = result,
                       .value = value,
                       .gradient_norm = norm(gradient),
                       .batch = all,
                       .exact = true,
                       .f = f_,
                       .stalled = ignored};
        const double residual = move_->residual(there, gradient, std::isfinite(step_) ? step_ : 1.0);
        if (const auto holds = reached(residual, value + move_->penalty(result))) return holds;
      }
    if (stop.component_gradients && f_.spent().gradients >= *stop.component_gradients)
      return StopReason::budget;
    if (stop.seconds && seconds() >= *stop.seconds) return StopReason::budget;
    return std::nullopt;
  }

  static bool same(const Params& a, const Params& b) {
    return a.flat().data().data() == b.flat().data().data();
  }

  Params direction_of(const At& at, Params gradient) {
    if (shaping_->keeps_all()) return rule_->direction(at, std::move(gradient));
    gradient = shaping_->gradient(std::move(gradient), norm_, run_.w);
    return shaping_->direction(rule_->direction(at, std::move(gradient)), run_.w);
  }

  Params embedded_gradient() const {
    return space_.whole() ? last_.gradient : space_.embedded(last_.gradient, given_.zeros_like());
  }

  Params embedded(const Params& u) const { return space_.embedded(u, given_); }

  void average() {
    const Average& wanted = recipe_.average;
    if (wanted.kind == Average::Kind::none || run_.iterations <= wanted.from) return;
    if (wanted.kind == Average::Kind::uniform) {
      ++averaged_;
      if (averaged_ == 1) {
        run_.average = run_.w;
        return;
      }
    }
    const double share =
        wanted.kind == Average::Kind::uniform ? 1.0 / static_cast<double>(averaged_) : 1.0 - wanted.decay;
    const Params difference = run_.w - run_.average;
    run_.average = axpy(share, difference, std::move(run_.average));
  }

  /// The epoch's row, in place of the one before if that was only the last so far.
  void add_row(Trace& trace) const {
    std::vector<EpochRow>& rows = trace.rows_;
    if (!rows.empty() && (rows.back().epoch + 1) % recipe_.trace_every != 0) {
      for (auto& [name, values] : trace.observed_) values.resize(std::min(values.size(), rows.size() - 1));
      rows.pop_back();
    }
    rows.push_back({.epoch = epoch_,
                    .iterations = run_.iterations,
                    .value = means_.value(),
                    .gradient_norm = means_.gradient_norm(),
                    .step = step_,
                    .component_gradients = f_.spent().gradients,
                    .seconds = seconds(),
                    .component_values = f_.spent().values,
                    .products = f_.spent().products,
                    .residual = residual_,
                    .state_numbers = state_numbers()});
  }

  void close() {
    run_.seconds = seconds();
    finished_ = ended_ = true;
    guard_.reset();
    run_.spent = f_.spent();
    run_.state_numbers = state_numbers();
    // What is returned is apart from what goes on if the run is saved.
    done_ = run_;
    Run& run = done_;
    if (partial_) add_row(run.trace);
    run.w = move_->result(run_.w);
    if (run.stop != StopReason::diverged) {
      run.value = known_ && last_.exact && same(run.w, run_.w) ? last_.value : value_of(run.w);
      // The last step is seen by no estimate, so its point is looked at here.
      if (!std::isfinite(run.value) || run.value > recipe_.value_limit) run.stop = StopReason::diverged;
    }
    const bool diverged = run.stop == StopReason::diverged;
    if (diverged) {
      run.diverged_at = run_.w;
      if (good_.size() > 0) run.w = good_;
      run.value = value_of(run.w);
    }
    run.w = embedded(run.w);
    run.average = embedded(run.average);
    run.diverged_at = embedded(run.diverged_at);
    progress_.finish(
        fmt::format("value {:.6g}, {}{}", run.value, to_string(run.stop),
                    diverged ? "; trace_nonfinite(f, run.diverged_at) names the operation" : ""));
    for (Observer* observer : observers_) observer->on_finish(run);
  }

  double value_of(const Params& w) const { return f_.objective().value(w.flat()) + move_->penalty(w); }

  Index state_numbers() const {
    StateSize size;
    size.part("estimator", *estimator_);
    size.part("rule", *rule_);
    size.part("move", *move_);
    if (size_) size.part("step", *size_);
    return size.numbers();
  }

  std::string note() const {
    return fmt::format("{} of {}, value {:.6g}", epoch_, recipe_.epochs, last_.value);
  }

  const Recipe recipe_;
  const Subspace space_;
  const Params given_;              // the start, of all parameters
  std::optional<Shaping> shaping_;  // known when the start is
  Oracle f_;
  const std::vector<Observer*> observers_;
  Clock::time_point start_;
  double watching_ = 0.0;  // seconds of the observers
  double earlier_ = 0.0;   // seconds before a resumption
  report::Progress progress_;
  std::unique_ptr<Estimator> estimator_;
  std::unique_ptr<Rule> rule_;
  std::unique_ptr<Move> move_;
  std::unique_ptr<StepSize> size_;  // null: the schedule decides
  Run run_, done_;
  Params good_;  // the point before, whose estimate was finite
  Estimate last_;
  bool known_ = false;    // last_ belongs to the present point
  bool partial_ = false;  // the epoch has begun and is not over
  double norm_ = kUnknown, step_ = kUnknown, residual_ = kUnknown;
  Index epoch_ = 0, in_epoch_ = 0, iterations_ = 0;  // in_epoch_ of iterations_ are made
  bool started_ = false, ended_ = false, finished_ = false;
  EpochMeans means_;
  Index averaged_ = 0;
  Index components_ = f_.size();
  Rng& rng_;
  std::optional<InterruptGuard> guard_;
};

Loop::Loop(const Recipe& recipe, const FiniteSum& f, const Params& w, Rng& rng,
           const std::vector<Observer*>& observers) {
  check_start(recipe.name, w, observers);
  work_ = std::make_unique<Work>(recipe, f, w, rng, observers);
}
Loop::Loop(std::unique_ptr<Work> work) : work_(std::move(work)) {}

Loop Loop::resumed(const Recipe& recipe, const std::string& path, const FiniteSum& f, Rng& rng,
                   const std::vector<Observer*>& observers) {
  const Params start = LoadState::parameters(path);
  check_start(recipe.name, start, observers);
  auto work = std::make_unique<Work>(recipe, f, start, rng, observers);
  try {
    work->resume(std::make_unique<LoadState>(path, work->restricted(start)));
  } catch (const ShapeError& e) {
    throw DomainError(fmt::format("[resume] {}: {}; resume with the .params and the data it was saved with",
                                  path, e.what()));
  }
  return Loop(std::move(work));
}

void Loop::save(const std::string& path) { work_->save(path); }

Loop::Loop(Loop&&) noexcept = default;
Loop& Loop::operator=(Loop&&) noexcept = default;
Loop::~Loop() = default;

bool Loop::next() { return work_->next(); }
Run Loop::finish() { return work_->finish(); }
Index Loop::iteration() const noexcept { return work_->iteration(); }
Params Loop::w() const { return work_->w(); }
Params Loop::result() const { return work_->result(); }
double Loop::value() const noexcept { return work_->value(); }
double Loop::gradient_norm() const noexcept { return work_->gradient_norm(); }
const Trace& Loop::trace() const noexcept { return work_->trace(); }
const Counts& Loop::spent() const noexcept { return work_->spent(); }
double Loop::whole_value() { return work_->whole_value(); }
double Loop::seconds() const { return work_->seconds(); }

}  // namespace cotangent::optim
