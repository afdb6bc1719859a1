// Observers: watching a run by lambdas, monitors and logs; ending it early; keeping its best point and its
// state.
#pragma once
#include <iosfwd>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "optim/loop.hpp"

namespace cotangent::optim {

namespace detail {
/// A lambda that returns nothing goes on.
template <class F>
Flow flow_of(F& f, const View& view) {
  if constexpr (std::is_void_v<std::invoke_result_t<F&, const View&>>) {
    f(view);
    return Flow::go_on;
  } else {
    return f(view);
  }
}

template <class F, Flow (Observer::*)(const View&)>
class Lambda;
template <class F>
class Lambda<F, &Observer::on_step> final : public Observer {
 public:
  explicit Lambda(F f) : f_(std::move(f)) {}
  Flow on_step(const View& view) override { return flow_of(f_, view); }

 private:
  F f_;
};
template <class F>
class Lambda<F, &Observer::on_epoch> final : public Observer {
 public:
  explicit Lambda(F f) : f_(std::move(f)) {}
  Flow on_epoch(const View& view) override { return flow_of(f_, view); }

 private:
  F f_;
};
}  // namespace detail

/// An observer of a callable of a View, which returns a Flow or nothing:
///
///   auto watch = optim::on_step([](const auto& at) { print(at.iteration, at.value); });
///   gd.minimize(f, w0, {&watch});
template <class F>
auto on_step(F f) {
  return detail::Lambda<F, &Observer::on_step>(std::move(f));
}
/// The same after each epoch.
template <class F>
auto on_epoch(F f) {
  return detail::Lambda<F, &Observer::on_epoch>(std::move(f));
}

/// A number of the present point, as a named column of the trace. Where it was not asked for a row, the row
/// has the last one.
class Monitor final : public Observer {
 public:
  /// Asked every so many epochs. Throws: DomainError on an empty name or function, or every < 1; and when a
  /// run is made, if the trace or another observer has a column of that name.
  Monitor(std::string name, Function<double(const Params& w)> f, Index every = 1);

  const std::string& name() const noexcept { return name_; }
  /// The last one; NaN before the first.
  double value() const noexcept { return value_; }
  /// Whether it was asked in that epoch.
  bool asked(Index epoch) const noexcept { return (epoch + 1) % every_ == 0; }

  Flow on_start(const View&) override;
  Flow on_epoch(const View& view) override;
  std::vector<Column> columns() const override;
  void visit(State& state) override { state("value", value_); }

 private:
  std::string name_;
  Function<double(const Params& w)> f_;
  Index every_;
  double value_ = std::numeric_limits<double>::quiet_NaN();
};

struct EarlyStopOptions {
  /// Epochs without improvement after which the run ends; of a monitor, those in which it was asked.
  Index patience = 10;
  /// An improvement is a fall by more than this.
  double least_improvement = 0.0;
  /// What is to fall, listed before this observer; null: the epoch's value.
  const Monitor* monitor = nullptr;
};
/// Ends a run when its value, or a monitor, has not improved for some epochs.
class EarlyStop final : public Observer {
 public:
  /// Throws: DomainError unless patience >= 1 and the improvement is 0 or more.
  explicit EarlyStop(const EarlyStopOptions& options = {});
  Flow on_start(const View&) override;
  Flow on_epoch(const View& view) override;
  void visit(State& state) override;

 private:
  EarlyStopOptions options_;
  double best_ = std::numeric_limits<double>::infinity();
  Index waited_ = 0;
};

/// Keeps the point at which the epoch's value, or a monitor listed before it, was smallest.
class Best final : public Observer {
 public:
  explicit Best(const Monitor* monitor = nullptr) : monitor_(monitor) {}
  /// Empty before the first epoch.
  const Params& w() const noexcept { return w_; }
  double value() const noexcept { return value_; }
  Index epoch() const noexcept { return epoch_; }

  Flow on_start(const View&) override;
  Flow on_epoch(const View& view) override;
  void visit(State& state) override;

 private:
  const Monitor* monitor_;
  Params w_;
  double value_ = std::numeric_limits<double>::infinity();
  Index epoch_ = -1;
};

/// A line of CSV for each row of the trace as it comes, under a header; flushed, so that it can be read
/// during the run. An existing file is replaced when the run starts; a resumed run begins a new one.
/// Throws: DomainError when the run starts if the file cannot be written.
class CsvLog : public Observer {
 public:
  explicit CsvLog(std::string path);
  ~CsvLog() override;
  Flow on_start(const View& view) override;
  Flow on_epoch(const View& view) override;

 private:
  std::string path_;
  std::unique_ptr<std::ofstream> file_;  // null before the first run
  std::size_t width_ = 0;
};

/// The same as a JSON object a line. Numbers that JSON does not know are null.
class JsonLog : public Observer {
 public:
  explicit JsonLog(std::string path);
  ~JsonLog() override;
  Flow on_start(const View& view) override;
  Flow on_epoch(const View& view) override;

 private:
  std::string path_;
  std::unique_ptr<std::ofstream> file_;  // null before the first run
};

/// Saves the run every so many iterations, to be resumed by Optimizer::resume.
/// Throws: DomainError unless every >= 1; when the run starts if the file cannot be written.
class Checkpoint final : public Observer {
 public:
  explicit Checkpoint(std::string path, Index every = 1000);
  std::optional<std::string> saves(Index iteration) const override;
  Flow on_start(const View& view) override;

 private:
  std::string path_;
  Index every_;
};

}  // namespace cotangent::optim
