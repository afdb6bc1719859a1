// The loop all optimizers share: events, trace, reasons to stop, and what a steady step costs.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/nonfinite.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/print.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/optimizers.hpp"

namespace cotangent::optim {
namespace {

using test::every_optimizer, test::five_samples, test::OptimizerCase;

using test::error_of;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Writes down every event: s(tart), k (step), e(poch), f(inish).
struct Diary : Observer {
  std::string events;
  Flow flow_at_start = Flow::go_on;
  Index stop_at_step = -1, stop_at_epoch = -1;
  Params seen_last;
  Flow on_start(const View& view) override {
    events += 's';
    seen_last = view.w;
    return flow_at_start;
  }
  Flow on_step(const View& view) override {
    events += 'k';
    seen_last = view.w;
    return view.iteration == stop_at_step ? Flow::stop : Flow::go_on;
  }
  Flow on_epoch(const View& view) override {
    events += 'e';
    seen_last = view.w;
    return view.epoch == stop_at_epoch ? Flow::stop : Flow::go_on;
  }
  void on_finish(const Run&) override { events += 'f'; }
};

TEST(Observers, EveryOptimizerRaisesTheSameEvents) {
  for (const OptimizerCase& c : every_optimizer()) {
    Diary diary;
    Rng rng(1);
    const auto run = c.optimizer->minimize(five_samples(), Tensor{7.0}, rng, {&diary});
    const std::string epoch = std::string(static_cast<std::size_t>(c.steps_an_epoch), 'k') + "e";
    EXPECT_EQ(diary.events, "s" + epoch + epoch + epoch + "f") << c.name;
    EXPECT_EQ(run.stop, StopReason::finished) << c.name;
    EXPECT_EQ(run.iterations, 3 * c.steps_an_epoch) << c.name;
    EXPECT_EQ(run.trace.size(), 3) << c.name;
    if (!c.extrapolates) {
      EXPECT_TRUE(equal(run.w.flat(), diary.seen_last.flat())) << c.name;
    }
    EXPECT_EQ(run.value, five_samples().value(run.w)) << c.name;
  }
}

TEST(Observers, CanStopEveryOptimizerAtEveryEvent) {
  for (const OptimizerCase& c : every_optimizer()) {
    const std::string epoch = std::string(static_cast<std::size_t>(c.steps_an_epoch), 'k') + "e";
    const auto run_with = [&](Diary& diary) {
      Rng rng(1);
      auto run = c.optimizer->minimize(five_samples(), Tensor{7.0}, rng, {&diary});
      EXPECT_EQ(run.stop, StopReason::stopped_by_observer) << c.name;
      if (!c.extrapolates) {
        EXPECT_TRUE(equal(run.w.flat(), diary.seen_last.flat())) << c.name;
      }
      EXPECT_EQ(run.value, five_samples().value(run.w)) << c.name;
      return run;
    };
    Diary at_start;
    at_start.flow_at_start = Flow::stop;
    const auto none = run_with(at_start);
    EXPECT_EQ(at_start.events, "sf");
    EXPECT_EQ(none.iterations, 0);
    EXPECT_EQ(none.w["w"](0), 7.0);
    EXPECT_TRUE(none.trace.empty());

    Diary at_step;
    at_step.stop_at_step = c.steps_an_epoch;  // the first of the second epoch
    const auto some = run_with(at_step);
    EXPECT_EQ(at_step.events, "s" + epoch + "kf") << c.name;
    EXPECT_EQ(some.iterations, c.steps_an_epoch);
    EXPECT_EQ(some.trace.size(), 2);  // the epoch that was broken off, too

    Diary at_epoch;
    at_epoch.stop_at_epoch = 1;
    const auto two = run_with(at_epoch);
    EXPECT_EQ(at_epoch.events, "s" + epoch + epoch + "f") << c.name;
    EXPECT_EQ(two.trace.size(), 2);
  }
}

TEST(Observers, AllAreCalledThoughTheFirstStops) {
  Diary first, second;
  first.stop_at_step = 1;
  Gd({.iterations = 5}).minimize(five_samples(), Tensor{7.0}, {&first, &second});
  EXPECT_EQ(first.events, "skekf");
  EXPECT_EQ(second.events, "skekf");
}

/// Recomputes what it is shown, for the decaying step of the test below.
struct Checker : Observer {
  FiniteSum f = five_samples();
  Tensor predicted;
  Index steps = 0, epochs = 0;
  Flow on_start(const View& view) override {
    EXPECT_EQ(view.gradient.size(), 0);
    EXPECT_TRUE(std::isnan(view.value) && std::isnan(view.gradient_norm) && std::isnan(view.step));
    EXPECT_TRUE(view.trace.empty());
    return Flow::go_on;
  }
  Flow on_step(const View& view) override {
    EXPECT_EQ(view.iteration, steps);
    EXPECT_EQ(view.epoch, epochs);
    EXPECT_EQ(view.value, f.value(view.w, view.batch));
    EXPECT_TRUE(equal(view.gradient.flat(), f.grad(view.w, view.batch).flat()));
    EXPECT_EQ(view.gradient_norm, norm(view.gradient));
    EXPECT_EQ(view.step, 0.1 / (1.0 + 0.5 * static_cast<double>(steps)));
    EXPECT_EQ(view.trace.size(), epochs);
    if (steps > 0) {
      EXPECT_TRUE(equal(view.w.flat(), predicted));
    }
    predicted = axpy(-view.step, view.gradient, view.w).flat();
    ++steps;
    return Flow::go_on;
  }
  Flow on_epoch(const View& view) override {
    EXPECT_EQ(view.iteration, steps);
    EXPECT_TRUE(equal(view.w.flat(), predicted));
    EXPECT_EQ(view.epoch, epochs);
    EXPECT_EQ(view.trace.size(), ++epochs);
    EXPECT_EQ(view.trace.back().iterations, steps);
    return Flow::go_on;
  }
  void on_finish(const Run& run) override { EXPECT_TRUE(equal(run.w.flat(), predicted)); }
};

TEST(Observers, SeePointGradientValueAndStepThatBelongTogether) {
  Checker checker;
  Rng rng(2);
  const FiniteSum f = five_samples();
  const auto run =
      Sgd({.step = decaying(0.1, 0.5), .batch = 2, .epochs = 4}).minimize(f, Tensor{7.0}, rng, {&checker});
  EXPECT_EQ(checker.steps, 12);
  EXPECT_EQ(checker.epochs, 4);
  EXPECT_EQ(run.trace.back().component_gradients, 20);
}

TEST(Observers, MayKeepWhatTheySee) {
  struct Keeper : Observer {
    std::vector<Params> points, gradients;
    Flow on_step(const View& view) override {
      points.push_back(view.w);
      gradients.push_back(view.gradient);
      return Flow::go_on;
    }
  } keeper;
  for (const bool nesterov : {false, true}) {
    keeper = {};
    Gd({.iterations = 6, .momentum = 0.9, .nesterov = nesterov})
        .minimize(five_samples(), Tensor{7.0}, {&keeper});
    for (std::size_t k = 0; k < 6; ++k)  // f' = w - 2
      EXPECT_NEAR(keeper.gradients[k]["w"](0), keeper.points[k]["w"](0) - 2.0, 1e-14);
  }
}

TEST(Trace, RowsAreTheEpochsMeans) {
  struct Sums : Observer {
    double weight = 0.0, values = 0.0, squares = 0.0;
    std::vector<std::pair<double, double>> rows;
    Flow on_step(const View& view) override {
      const double size = static_cast<double>(view.batch.size());
      weight += size;
      values += size * view.value;
      squares += size * std::pow(view.gradient["w"](0), 2.0);
      return Flow::go_on;
    }
    Flow on_epoch(const View&) override {
      rows.emplace_back(values / weight, std::sqrt(squares / weight));
      weight = values = squares = 0.0;
      return Flow::go_on;
    }
  } sums;
  Rng rng(4);
  const auto run =
      Sgd({.step = 0.2, .batch = 2, .epochs = 5}).minimize(five_samples(), Tensor{7.0}, rng, {&sums});
  ASSERT_EQ(run.trace.size(), 5);
  for (Index e = 0; e < 5; ++e) {
    const EpochRow& row = run.trace[e];
    EXPECT_EQ(row.epoch, e);
    EXPECT_EQ(row.iterations, 3 * (e + 1));
    EXPECT_NEAR(row.value, sums.rows[static_cast<std::size_t>(e)].first, 1e-14);
    EXPECT_NEAR(row.gradient_norm, sums.rows[static_cast<std::size_t>(e)].second, 1e-14);
    EXPECT_EQ(row.step, 0.2);
    EXPECT_EQ(row.component_gradients, 5 * (e + 1));
    EXPECT_GE(row.seconds, e ? run.trace[e - 1].seconds : 0.0);
  }
}

TEST(Trace, HasTheNumbersOfState) {
  for (const OptimizerCase& c : every_optimizer(4)) {
    Rng rng(1);
    const auto run = c.optimizer->minimize(five_samples(), Tensor{7.0}, rng);
    const std::vector<double> numbers = run.trace.column("state_numbers");
    ASSERT_EQ(numbers.size(), 4u) << c.name;
    EXPECT_EQ(numbers.back(), static_cast<double>(run.state_numbers)) << c.name;
  }
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(Tensor{1.0, 9.0, 4.0}, square(w)); });
  const auto numbers = [&](const Optimizer& o) {
    Rng rng(1);
    return o.minimize(f, Tensor{1.0, 2.0, 3.0}, rng).trace.column("state_numbers");
  };
  using List = std::vector<double>;
  EXPECT_EQ(numbers(Gd({.step = 0.1, .iterations = 2})), (List{0.0, 0.0}));
  EXPECT_EQ(numbers(Gd({.step = 0.1, .iterations = 2, .momentum = 0.5})), (List{3.0, 3.0}));
  EXPECT_EQ(numbers(Adam({.epochs = 2})), (List{6.0, 6.0}));
  // The last point and gradient, and two more for each pair.
  EXPECT_EQ(numbers(Lbfgs({.step = 0.01, .iterations = 5, .pairs = 2})), (List{6.0, 12.0, 18.0, 18.0, 18.0}));
}

TEST(Trace, SavesAsCsv) {
  const test::TemporaryDirectory folder;
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(w, w); });
  const auto run = Gd({.step = 0.5, .iterations = 2}).minimize(f, Tensor{2.0});
  run.trace.save_csv(folder / "t.csv");
  const std::string text = test::read_bytes(folder / "t.csv");
  const std::string head =
      "epoch,iterations,value,gradient_norm,step,component_gradients,seconds,component_values,products,"
      "residual,state_numbers"
      "\n0,1,2,2,0.5,1,";
  EXPECT_EQ(text.substr(0, head.size()), head);
  EXPECT_NE(text.find("\n1,2,0.5,1,0.5,2,"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  Trace().save_csv(folder / "empty.csv");
  EXPECT_EQ(test::read_bytes(folder / "empty.csv"),
            "epoch,iterations,value,gradient_norm,step,component_gradients,seconds,component_values,products,"
            "residual,state_numbers\n");
  EXPECT_EQ(error_of<DomainError>([&] { run.trace.save_csv(folder / "none/t.csv"); }),
            "[save_csv] " + (folder / "none/t.csv") + ": cannot create a file in " + (folder / "none") +
                ": No such file or directory; make the directory or check its permissions");
}

// ---- divergence -------------------------------------------------------------------------------------------

TEST(Divergence, ANonFiniteValueEndsTheRunAtTheLastGoodPoint) {
  // w+ = w - 0.6 / (2 sqrt w): 1, 0.7, 0.341.., then below 0, where sqrt is NaN.
  const FiniteSum f = objective([](const Var& w) { return sum(sqrt(w)); });
  double w = 1.0;
  for (int k = 0; k < 2; ++k) w -= 0.3 / std::sqrt(w);
  for (const Index iterations : {100, 3}) {  // seen by the fourth estimate, and by the value at the end
    const auto run = Gd({.step = 0.6, .iterations = iterations}).minimize(f, Tensor{1.0});
    EXPECT_EQ(run.stop, StopReason::diverged);
    EXPECT_NEAR(run.w["w"](0), w, 1e-15);
    EXPECT_NEAR(run.value, std::sqrt(w), 1e-15);
    EXPECT_EQ(run.iterations, 3);
    EXPECT_EQ(run.trace.size(), iterations == 3 ? 3 : 4);
    EXPECT_EQ(std::isnan(run.trace.back().value), iterations == 100);
  }
}

TEST(Divergence, ThePointItHappenedAtCanBeTraced) {
  const auto root = [](const Var& w) { return sum(sqrt(w)); };
  const FiniteSum f = objective(root);
  for (const Index iterations : {100, 3}) {
    const auto run = Gd({.step = 0.6, .iterations = iterations}).minimize(f, Tensor{1.0});
    ASSERT_EQ(run.diverged_at.size(), 1);
    EXPECT_LT(run.diverged_at["w"](0), 0.0);
    EXPECT_FALSE(trace_nonfinite(root, run.w));
    const auto trace = trace_nonfinite(root, run.diverged_at);
    ASSERT_TRUE(trace.has_value());
    EXPECT_EQ(trace->first.operation, "sqrt");
    EXPECT_EQ(trace->first.parameters, std::vector<std::string>{"w"});
  }
  EXPECT_EQ(Gd({.step = 1e-3, .iterations = 5}).minimize(f, Tensor{1.0}).diverged_at.size(), 0);
}

// The point at hand is finite, so it is the result.
TEST(Divergence, WhereAStepSizeHasNoAnswer) {
  struct Twice final : StepSize {
    double next(const At& at, Line&) override { return at.iteration < 2 ? 0.5 : NAN; }
  };
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(w, w); });
  const auto run = Gd({.step = Step::of(Twice()), .iterations = 100}).minimize(f, Tensor{1.0});
  EXPECT_EQ(run.stop, StopReason::diverged);
  EXPECT_EQ(run.iterations, 2);
  EXPECT_EQ(run.w["w"](0), 0.25);
  EXPECT_EQ(run.value, 0.03125);
}

TEST(Divergence, GrowthEndsBeforeInfinity) {
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(w, w); });
  const auto run = Gd({.step = 3.0, .iterations = 100000}).minimize(f, Tensor{1.0, -1.0});  // w doubles
  EXPECT_EQ(run.stop, StopReason::diverged);
  EXPECT_EQ(std::abs(run.w["w"](0)), std::ldexp(1.0, 511));  // |w|^2 / 2 = 2^1022; the next is 2^1024
  EXPECT_EQ(run.value, std::ldexp(1.0, 1022));
  EXPECT_EQ(run.iterations, 512);
}

TEST(Divergence, ALimitEndsItEarlier) {
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(w, w); });
  const auto run = Gd({.step = 3.0, .iterations = 1000, .value_limit = 100.0}).minimize(f, Tensor{2.0});
  EXPECT_EQ(run.stop, StopReason::diverged);
  EXPECT_EQ(run.value, 32.0);  // 2, 8, 32, then 128
  EXPECT_EQ(run.w["w"](0), -8.0 * -1.0);
  const auto last = Gd({.step = 3.0, .iterations = 3, .value_limit = 100.0}).minimize(f, Tensor{2.0});
  EXPECT_EQ(last.stop, StopReason::diverged);
  EXPECT_EQ(last.value, 32.0);
}

TEST(Divergence, ANonFiniteGradientCounts) {
  // The value at 0 is finite, the derivative of the root is not.
  const FiniteSum f = objective([](const Var& w) { return sum(sqrt(w)); });
  const auto run = Gd({.iterations = 5}).minimize(f, Tensor{0.0});
  EXPECT_EQ(run.stop, StopReason::diverged);
  EXPECT_EQ(run.w["w"](0), 0.0);
  EXPECT_EQ(run.iterations, 0);
  EXPECT_EQ(run.trace.back().gradient_norm, kInf);
}

TEST(Divergence, NanInOneSampleIsFoundByAnyBatchThatHoldsIt) {
  const Tensor y{1.0, 2.0, kNan, 4.0};
  const FiniteSum f = finite_sum(
      4, [y](const Var& w, const Batch& b) { return mean(square(broadcast_to(w, {b.size()}) - b.rows(y))); });
  Diary diary;
  Rng rng(1);
  const auto run = Sgd({.batch = 1, .epochs = 10}).minimize(f, Tensor{0.5}, rng, {&diary});
  EXPECT_EQ(run.stop, StopReason::diverged);
  EXPECT_EQ(diary.events.back(), 'f');
  EXPECT_EQ(std::count(diary.events.begin(), diary.events.end(), 'e'), 0);
  EXPECT_EQ(run.trace.size(), 1);
  EXPECT_TRUE(std::isfinite(run.w["w"](0)));
  EXPECT_TRUE(std::isnan(run.value));  // the objective is NaN everywhere
}

// ---- other ------------------------------------------------------------------------------------------------

TEST(Loop, WithoutEpochsGivesTheStart) {
  Diary diary;
  const auto run = Gd({.iterations = 0}).minimize(five_samples(), Tensor{7.0}, {&diary});
  EXPECT_EQ(diary.events, "sf");
  EXPECT_EQ(run.stop, StopReason::finished);
  EXPECT_EQ(run.w["w"](0), 7.0);
  EXPECT_EQ(run.value, 13.5);  // mean of (7 - i)^2 / 2
}

TEST(Loop, ParamsKeepTheirNames) {
  const Params start({{"a", Tensor{1.0, 2.0}}, {"b", Tensor{{3.0}}}});
  const FiniteSum f = objective([](const Var& w) { return 0.5 * dot(w, w); });
  const auto run = Gd({.step = 0.5, .iterations = 1}).minimize(f, start);
  EXPECT_TRUE(equal(run.w["a"], Tensor{0.5, 1.0}));
  EXPECT_TRUE(equal(run.w["b"], Tensor{{1.5}}));
  EXPECT_TRUE(equal(start["a"], Tensor{1.0, 2.0}));
}

TEST(Loop, StopReasonsHaveNames) {
  EXPECT_STREQ(to_string(StopReason::finished), "finished");
  EXPECT_STREQ(to_string(StopReason::converged), "converged");
  EXPECT_STREQ(to_string(StopReason::diverged), "diverged");
  EXPECT_STREQ(to_string(StopReason::stopped_by_observer), "stopped_by_observer");
  EXPECT_STREQ(to_string(StopReason::target), "target");
  EXPECT_STREQ(to_string(StopReason::budget), "budget");
  EXPECT_STREQ(to_string(StopReason::interrupted), "interrupted");
  EXPECT_STREQ(to_string(StopReason::stalled), "stalled");
  EXPECT_STREQ(to_string(StopReason::stopped), "stopped");
  testing::internal::CaptureStdout();
  print(StopReason::target, std::vector<double>{1.0, 2.0});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "target [1. 2.]\n");
}

TEST(Loop, Errors) {
  const FiniteSum f = five_samples();
  Rng rng(1);
  Diary diary;
  EXPECT_EQ(error_of<DomainError>([&] { Gd().minimize(f, Params()); }),
            "[Gd] the start has no parameters, shape [0]; start from net.init(rng) or from a vector");
  EXPECT_EQ(error_of<ShapeError>([&] { Sgd().minimize(f, Tensor{{1.0}}, rng); }),
            "[Sgd] the start is [1, 1], not a vector; give shape [P], or Params for named blocks");
  const Params bad({{"0.weight", Tensor{{1.0, 2.0}, {3.0, kNan}}}, {"0.bias", Tensor{kInf}}});
  EXPECT_EQ(error_of<DomainError>([&] { Sgd().minimize(f, bad, rng); }),
            "[Sgd] the start has nan at 0.weight[1, 1]; start from finite numbers");
  EXPECT_EQ(error_of<DomainError>([&] {
              Gd().minimize(f, Tensor{1.0}, {&diary, nullptr});
            }),
            "[Gd] observer 1 of 2 is null; pass addresses of observers");
  EXPECT_EQ(diary.events, "");
  EXPECT_EQ(f.component_gradients(), 0);
}

/// What is written to standard error while f runs.
template <class F>
std::string standard_error_of(F f) {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "stderr";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), old = ::dup(2);
  ::dup2(file, 2);
  f();
  ::dup2(old, 2);
  ::close(old);
  ::close(file);
  return test::read_bytes(path);
}

TEST(Loop, ProgressIsPlainTextOutsideATerminalAndOffByDefault) {
  Rng rng(1);
  EXPECT_EQ(standard_error_of([&] { Sgd({.batch = 2}).minimize(five_samples(), Tensor{7.0}, rng); }), "");
  for (const OptimizerCase& c :
       {OptimizerCase{"Gd", std::make_shared<Gd>(GdOptions{.iterations = 2000, .progress = true}), 1},
        OptimizerCase{"Sgd", std::make_shared<Sgd>(SgdOptions{.epochs = 500, .progress = true}), 1}}) {
    const std::string text =
        standard_error_of([&] { c.optimizer->minimize(five_samples(), Tensor{7.0}, rng); });
    EXPECT_TRUE(text.starts_with(std::string(c.name) + "  done in ")) << text;
    EXPECT_TRUE(text.ends_with("  value 1, finished\n")) << text;
    EXPECT_TRUE(std::none_of(text.begin(), text.end(), [](char x) { return x < ' ' && x != '\n'; })) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  }
}

}  // namespace
}  // namespace cotangent::optim
