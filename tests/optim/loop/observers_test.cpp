// Observers of the library: lambdas, monitors, early ends, the best point, logs.
#include "optim/observers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/optimizers.hpp"

namespace cotangent::optim {
namespace {

using test::error_of;
using test::every_optimizer;
using test::five_samples;
using test::TemporaryDirectory;

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::istringstream text(test::read_bytes(path));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(Lambdas, WatchAndStop) {
  std::vector<Index> steps, epochs;
  auto watch = on_step([&](const auto& at) { steps.push_back(at.iteration); });
  auto end = on_epoch([&](const View& at) {
    epochs.push_back(at.epoch);
    return at.epoch == 2 ? Flow::stop : Flow::go_on;
  });
  Rng rng(1);
  const auto run = Sgd({.batch = 3}).minimize(five_samples(), Tensor{7.0}, rng, {&watch, &end});
  EXPECT_EQ(run.stop, StopReason::stopped_by_observer);
  EXPECT_EQ(steps, (std::vector<Index>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(epochs, (std::vector<Index>{0, 1, 2}));
}

TEST(Monitor, IsAColumnOfTheTrace) {
  const TemporaryDirectory folder;
  Index calls = 0;
  Monitor error(
      "test, error",
      [&](const Params& w) {
        ++calls;
        return w.flat()(0);
      },
      3);
  std::vector<double> points;
  auto watch = on_epoch([&](const View& at) { points.push_back(at.w.flat()(0)); });
  const auto run = Gd({.step = 0.1, .iterations = 8}).minimize(five_samples(), Tensor{7.0}, {&error, &watch});
  EXPECT_EQ(calls, 2);
  const std::vector<double> column = run.trace.column("test, error");
  ASSERT_EQ(column.size(), 8u);
  EXPECT_TRUE(std::isnan(column[1]));
  EXPECT_EQ(column[2], points[2]);
  EXPECT_EQ(column[4], points[2]);
  EXPECT_EQ(column[7], points[5]);
  EXPECT_EQ(run.trace.column("value")[0], 13.5);
  EXPECT_EQ(error_of<DomainError>([&] { run.trace.column("risk"); }),
            "[Trace] no column \"risk\"; there are epoch, iterations, value, gradient_norm, step, "
            "component_gradients, seconds, component_values, products, residual, state_numbers, test, error");
  run.trace.save_csv(folder / "t.csv");
  EXPECT_TRUE(lines_of(folder / "t.csv")[0].ends_with(",residual,state_numbers,\"test, error\""));
  EXPECT_THROW(Monitor("", [](const Params&) { return 0.0; }), DomainError);
  EXPECT_THROW(Monitor("x", {}), DomainError);
  EXPECT_THROW(Monitor(
                   "x", [](const Params&) { return 0.0; }, 0),
               DomainError);
}

TEST(Monitor, NamesAreItsOwn) {
  const TemporaryDirectory folder;
  const FiniteSum f = five_samples();
  const auto zero = [](const Params&) { return 0.0; };
  Monitor error("error", zero), same("error", zero), value("value", zero);
  CsvLog log(folder / "run.csv");
  const auto text = [&](const std::vector<Observer*>& observers) {
    return error_of<DomainError>([&] { Gd().minimize(f, Tensor{7.0}, observers); });
  };
  const std::string twice =
      "[Trace] there are two columns \"error\"; give one of the observers' another name";
  EXPECT_EQ(text({&error, &log, &same}), twice);
  EXPECT_EQ(text({&error, &error}), twice);
  EXPECT_EQ(text({&value}), "[Trace] there are two columns \"value\"; give the observer's another name");
  // Before the first step, and before a log replaces its file.
  EXPECT_EQ(f.component_gradients(), 0);
  EXPECT_TRUE(folder.names().empty());
  // Every name of the trace is taken.
  for (const Column& c : Gd({.iterations = 1}).minimize(f, Tensor{7.0}).trace.columns_of(0)) {
    Monitor taken(c.name, zero);
    EXPECT_NE(text({&taken}), "nothing thrown") << c.name;
  }
}

TEST(Observers, ColumnsThatComeLateHaveNamesOfTheirOwn) {
  struct Late : Observer {
    std::string name;
    std::vector<Column> list;
    explicit Late(std::string n) : name(std::move(n)) {}
    Flow on_epoch(const View& view) override {
      if (view.epoch == 2) list = {{name, 1.0}};
      return Flow::go_on;
    }
    std::vector<Column> columns() const override { return list; }
  } one("late"), two("late"), taken("step");
  EXPECT_EQ(Gd({.iterations = 6, .trace_every = 4})
                .minimize(five_samples(), Tensor{7.0}, {&one})
                .trace.column("late")
                .size(),
            2u);
  one.list.clear();
  EXPECT_THROW(Gd().minimize(five_samples(), Tensor{7.0}, {&one, &two}), DomainError);
  EXPECT_THROW(Gd().minimize(five_samples(), Tensor{7.0}, {&taken}), DomainError);
}

TEST(EarlyStop, WaitsForTheMonitorAndBestKeepsThePoint) {
  // From 7 the point falls to 2; the monitor is smallest at 4.
  Monitor monitor("distance", [](const Params& w) { return std::fabs(w.flat()(0) - 4.0); });
  Best best(&monitor), by_value;
  EarlyStop stop({.patience = 3, .monitor = &monitor});
  const auto run = Gd({.step = 0.1, .iterations = 100})
                       .minimize(five_samples(), Tensor{7.0}, {&monitor, &best, &by_value, &stop});
  EXPECT_EQ(run.stop, StopReason::stopped_by_observer);
  const std::vector<double> distances = run.trace.column("distance");
  const auto at = std::min_element(distances.begin(), distances.end()) - distances.begin();
  EXPECT_EQ(best.epoch(), at);
  EXPECT_EQ(best.value(), distances[static_cast<std::size_t>(at)]);
  EXPECT_EQ(run.trace.size(), at + 4);
  EXPECT_NEAR(best.w().flat()(0), 2.0 + 5.0 * std::pow(0.9, static_cast<double>(at) + 1.0), 1e-12);
  EXPECT_EQ(by_value.epoch(), run.trace.back().epoch);
  EXPECT_THROW(EarlyStop({.patience = 0}), DomainError);
  // The same observers serve the next run from the beginning.
  const auto again =
      Gd({.step = 0.1, .iterations = 100}).minimize(five_samples(), Tensor{7.0}, {&monitor, &best, &stop});
  EXPECT_EQ(again.iterations, run.iterations);
}

TEST(Logs, AreTheTraceAsItComes) {
  const TemporaryDirectory folder;
  Monitor monitor("m", [](const Params& w) { return w.flat()(0); });
  CsvLog csv(folder / "run.csv");
  JsonLog json(folder / "run.jsonl");
  std::size_t lines = 0;
  auto watch = on_epoch([&](const View&) { lines = lines_of(folder / "run.csv").size(); });
  const auto run = Gd({.step = 0.1, .iterations = 5})
                       .minimize(five_samples(), Tensor{7.0}, {&monitor, &csv, &json, &watch});
  EXPECT_EQ(lines, 6u);  // on the disk when the next observer is called
  run.trace.save_csv(folder / "whole.csv");
  EXPECT_EQ(lines_of(folder / "run.csv"), lines_of(folder / "whole.csv"));
  const std::vector<std::string> objects = lines_of(folder / "run.jsonl");
  ASSERT_EQ(objects.size(), 5u);
  for (Index row = 0; row < 5; ++row) {
    const auto object = nlohmann::json::parse(objects[static_cast<std::size_t>(row)]);
    for (const Column& c : run.trace.columns_of(row))
      EXPECT_EQ(object.at(c.name).get<double>(), c.value) << c.name;
  }
}

TEST(Logs, BadPathsAreFoundBeforeTheFirstStep) {
  const TemporaryDirectory folder;
  const FiniteSum f = five_samples();
  CsvLog csv(folder / "none/run.csv");
  JsonLog json(folder / "none/run.jsonl");
  for (Observer* log : std::vector<Observer*>{&csv, &json})
    EXPECT_THROW(Gd().minimize(f, Tensor{7.0}, {log}), DomainError);
  EXPECT_EQ(f.component_gradients(), 0);
}

TEST(Logs, AreWholeWhenAnObserverThrows) {
  const TemporaryDirectory folder;
  CsvLog csv(folder / "run.csv");
  auto thrower = on_step([](const View& at) {
    if (at.iteration == 3) throw std::runtime_error("enough");
  });
  EXPECT_THROW(Gd({.iterations = 10}).minimize(five_samples(), Tensor{7.0}, {&csv, &thrower}),
               std::runtime_error);
  EXPECT_EQ(lines_of(folder / "run.csv").size(), 4u);
}

TEST(EveryObserver, WithEveryOptimizer) {
  const TemporaryDirectory folder;
  for (const test::OptimizerCase& c : every_optimizer(5)) {
    Monitor monitor("distance", [](const Params& w) { return std::fabs(w.flat()(0) - 2.0); });
    EarlyStop stop({.patience = 100, .monitor = &monitor});
    Best best(&monitor);
    CsvLog csv(folder / "run.csv");
    JsonLog json(folder / "run.jsonl");
    Checkpoint checkpoint(folder / "run.npz", 2);
    Index steps = 0, epochs = 0;
    auto step = on_step([&](const auto&) { ++steps; });
    auto epoch = on_epoch([&](const auto&) { ++epochs; });
    Rng rng(1), same(1);
    const auto run = c.optimizer->minimize(five_samples(), Tensor{7.0}, rng,
                                           {&monitor, &stop, &best, &csv, &json, &checkpoint, &step, &epoch});
    EXPECT_EQ(run.stop, StopReason::finished) << c.name;
    EXPECT_EQ(steps, 5 * c.steps_an_epoch) << c.name;
    EXPECT_EQ(epochs, 5) << c.name;
    EXPECT_EQ(lines_of(folder / "run.csv").size(), 6u) << c.name;
    EXPECT_EQ(lines_of(folder / "run.jsonl").size(), 5u) << c.name;
    const std::vector<double> distances = run.trace.column("distance");
    EXPECT_EQ(best.value(), *std::min_element(distances.begin(), distances.end())) << c.name;
    // Observers change nothing.
    const auto alone = c.optimizer->minimize(five_samples(), Tensor{7.0}, same);
    EXPECT_TRUE(equal(run.w.flat(), alone.w.flat())) << c.name;
    EXPECT_EQ(run.spent, alone.spent) << c.name;
    EXPECT_EQ(rng, same) << c.name;
  }
}

}  // namespace
}  // namespace cotangent::optim
