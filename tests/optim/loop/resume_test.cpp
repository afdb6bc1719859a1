// Runs that are saved and go on: bit for bit what an undisturbed run is.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/npz.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/optimizers.hpp"

namespace cotangent::optim {
namespace {

using test::error_of;
using test::every_optimizer;
using test::TemporaryDirectory;

/// A sum in three dimensions, two blocks, whose minimisers are not those of its parts.
struct Sum {
  Rng rng{9};
  Tensor x = rng.normal({5, 3}), y = rng.normal({5});
  FiniteSum f = finite_sum(5, [this](const Var& w, const Batch& b) {
    return mean(softplus(reshape(matmul(b.rows(x), reshape(w, {3, 1})), {b.size()}) - b.rows(y))) +
           0.1 * dot(w, w);
  });
  Params start{{{"a", Tensor{0.5}}, {"b", Tensor{{-0.25, 0.75}}}}};
};

void expect_same_numbers(double a, double b) {
  EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << a << " " << b;
}

void expect_same(const Run& a, const Run& b, const std::string& name) {
  EXPECT_TRUE(equal(a.w.flat(), b.w.flat())) << name;
  EXPECT_EQ(a.value, b.value) << name;
  EXPECT_EQ(a.stop, b.stop) << name;
  EXPECT_EQ(a.iterations, b.iterations) << name;
  EXPECT_EQ(a.spent, b.spent) << name;
  EXPECT_EQ(a.state_numbers, b.state_numbers) << name;
  EXPECT_TRUE(equal(a.average.flat(), b.average.flat())) << name;
  ASSERT_EQ(a.trace.size(), b.trace.size()) << name;
  for (Index row = 0; row < a.trace.size(); ++row) {
    const std::vector<Column> here = a.trace.columns_of(row), there = b.trace.columns_of(row);
    ASSERT_EQ(here.size(), there.size()) << name;
    for (std::size_t k = 0; k < here.size(); ++k) {
      EXPECT_EQ(here[k].name, there[k].name);
      if (here[k].name != "seconds") expect_same_numbers(here[k].value, there[k].value);
    }
  }
}

/// Every optimizer, and what the options add.
std::vector<test::OptimizerCase> cases() {
  std::vector<test::OptimizerCase> all = every_optimizer(6);
  all.push_back({"adam, averaged and grouped",
                 std::make_shared<Adam>(AdamOptions{.batch = 2,
                                                    .epochs = 6,
                                                    .params = {"b"},
                                                    .groups = {{"b", 0.5, 0.1}},
                                                    .average = Average::exponential(0.9),
                                                    .trace_every = 4}),
                 3});
  all.push_back(
      {"gd, averaged", std::make_shared<Gd>(GdOptions{.iterations = 9, .average = Average::uniform()}), 1});
  all.push_back({"sgd, averaged from iteration 5 on",
                 std::make_shared<Sgd>(SgdOptions{.batch = 2, .epochs = 6, .average = Average::tail(5)}), 3});
  all.push_back({"lbfgs, wolfe", std::make_shared<Lbfgs>(LbfgsOptions{.iterations = 6}), 1});
  all.push_back({"plateau",
                 std::make_shared<Sgd>(
                     SgdOptions{.step = warmup(3, plateau({.patience = 2})), .batch = 2, .epochs = 6}),
                 3});
  all.push_back({"svrg, momentum, proximal",
                 std::make_shared<Descent>(Recipe{.estimator = noisy(svrg({.inner = 4}), 0.01),
                                                  .rule = momentum(0.5, true),
                                                  .move = proximal(l1(0.1), {.accelerated = true}),
                                                  .epochs = 6}),
                 4});
  return all;
}

TEST(Resume, IsBitForBitTheUndisturbedRun) {
  const Sum sum;
  const TemporaryDirectory folder;
  for (const test::OptimizerCase& c : cases()) {
    Rng rng(3);
    const auto whole = c.optimizer->minimize(sum.f, sum.start, rng);
    for (Index broken = 0; broken < whole.iterations; broken += 1 + whole.iterations / 7) {
      Rng first(3), other(99);
      {
        Loop loop = c.optimizer->start(sum.f, sum.start, first);
        for (Index k = 0; k < broken; ++k) loop.next();
        loop.save(folder / "run.npz");
      }
      Loop loop = c.optimizer->resume(folder / "run.npz", sum.f, other);
      EXPECT_EQ(loop.iteration(), broken) << c.name;
      while (loop.next()) {
      }
      expect_same(loop.finish(), whole, c.name + ", broken off after " + std::to_string(broken));
      EXPECT_EQ(other, rng) << c.name;
    }
  }
}

TEST(Resume, ObserversGoOnWhereTheyWere) {
  const Sum sum;
  const TemporaryDirectory folder;
  const auto watched = [&](Index broken) {
    Monitor monitor(
        "error", [&](const Params& w) { return dot(w, w); }, 2);
    Best best(&monitor);
    EarlyStop stop({.patience = 4, .monitor = &monitor});
    const std::vector<Observer*> observers{&monitor, &best, &stop};
    const Sgd sgd({.step = 0.5, .batch = 2, .epochs = 40});
    Rng rng(4);
    Loop loop = sgd.start(sum.f, sum.start, rng, observers);
    for (Index k = 0; k < broken; ++k) loop.next();
    if (broken > 0) {
      loop.save(folder / "run.npz");
      Monitor again(
          "error", [&](const Params& w) { return dot(w, w); }, 2);
      Best best_again(&again);
      EarlyStop stop_again({.patience = 4, .monitor = &again});
      Rng other(1);
      Loop resumed = sgd.resume(folder / "run.npz", sum.f, other, {&again, &best_again, &stop_again});
      while (resumed.next()) {
      }
      return std::pair(resumed.finish(), best_again.w());
    }
    while (loop.next()) {
    }
    return std::pair(loop.finish(), best.w());
  };
  const auto [run, best] = watched(0);
  EXPECT_EQ(run.stop, StopReason::stopped_by_observer);
  for (const Index broken : {1, 4, 7, 11}) {
    const auto [other, other_best] = watched(broken);
    expect_same(other, run, "broken off after " + std::to_string(broken));
    EXPECT_TRUE(equal(best.flat(), other_best.flat()));
  }
}

TEST(Resume, TheFileIsOneThatNumPyReads) {
  const Sum sum;
  const TemporaryDirectory folder;
  Rng rng(1);
  Loop loop = Gd({.iterations = 5, .momentum = 0.5}).start(sum.f, sum.start, rng);
  loop.next();
  loop.save(folder / "run.npz");
  const test::Finished python = test::run_python(R"py(
import sys, numpy
run = numpy.load(sys.argv[1])
print(run['w'].shape, run['rule.velocity'].shape, int(run['iterations']), run['optimizer'][0],
      list(run['parameters']))
)py",
                                                 {folder / "run.npz"});
  EXPECT_EQ(python.output, "(3,) (3,) 1 Gd ['a [1]', 'b [1, 2]']\n");
}

TEST(Resume, Errors) {
  const Sum sum;
  const TemporaryDirectory folder;
  const std::string path = folder / "run.npz";
  Rng rng(1);
  {
    Loop loop = Gd({.iterations = 5}).start(sum.f, sum.start, rng);
    loop.next();
    loop.save(path);
  }
  const auto text = [&](const Optimizer& o, const FiniteSum& f, std::vector<Observer*> observers = {}) {
    return error_of<DomainError>([&] {
      Loop loop = o.resume(path, f, rng, observers);
      loop.next();
    });
  };
  EXPECT_EQ(text(Sgd(), sum.f), "[resume] " + path + ": the optimizer is Gd there, Sgd here");
  EXPECT_EQ(
      text(Gd({.momentum = 0.5}), sum.f),
      "[resume] " + path +
          ": no array \"rule.velocity\" in it; resume with the optimizer and the observers that it was saved "
          "with");
  EXPECT_EQ(text(Gd(), test::five_samples().size() == 5 ? objective([](const Var& w) { return dot(w, w); })
                                                        : sum.f),
            "[resume] " + path + ": f has 5 components there, 1 here");
  EarlyStop stop;
  EXPECT_NE(text(Gd(), sum.f, {&stop}).find("no array \"observer0.best\""), std::string::npos);
  NpzContents contents = load_npz(path);
  for (auto& [name, array] : contents.arrays)
    if (name == "trace") array = Tensor::zeros({1, 10});
  save_npz(path, contents);
  EXPECT_EQ(text(Gd(), sum.f),
            "[resume] the trace has 10 columns there, 11 here; the file is of another version, so run anew");
  save_npz(path, {{{"w", Tensor{1.0}}}, {}});
  EXPECT_NE(text(Gd(), sum.f).find("no array \"start\""), std::string::npos);
  // Tables that no run writes.
  const auto of_table = [&](const std::string& line) {
    save_npz(path,
             {.arrays = {{"start", Tensor{1.0}}}, .labels = {{"parameters", {line, "v [281474976710656]"}}}});
    return text(Gd(), sum.f);
  };
  for (const std::string line :
       {"w", "w [1", "w [-1]", "w [1,2]", "w [99999999999999999999]", "w [4294967296]",
        "w [4294967295, 4294967295]", "w [1, 1, 1, 1, 1, 1, 1, 1, 1]"})
    EXPECT_EQ(of_table(line), "[resume] " + path + ": \"" + line +
                                  "\" is not a name and a shape; give a file that a run saved");
  EXPECT_EQ(of_table("w [1]"),
            "[resume] " + path +
                ": \"v [281474976710656]\" is not a name and a shape; give a file that a run saved");
  save_npz(path, {.arrays = {{"start", Tensor{1.0}}}, .labels = {{"parameters", {"w [2]"}}}});
  EXPECT_EQ(text(Gd(), sum.f).find("[resume] " + path + ": its parameters contradict each other: [Params] "),
            0u);
  test::write_bytes(path, "not an npz");
  EXPECT_THROW(Gd().resume(path, sum.f, rng), DomainError);
  EXPECT_THROW(Gd().resume(folder / "none.npz", sum.f, rng), DomainError);
}

TEST(Checkpoint, SavesEveryFewIterationsAndFindsBadPathsAtOnce) {
  const Sum sum;
  const TemporaryDirectory folder;
  Rng rng(2), other(7);
  Checkpoint checkpoint(folder / "run.npz", 4);
  const Sgd sgd({.batch = 2, .epochs = 4});
  const auto whole = sgd.minimize(sum.f, sum.start, rng, {&checkpoint});
  Loop loop = sgd.resume(folder / "run.npz", sum.f, other, {&checkpoint});
  EXPECT_EQ(loop.iteration(), 12);
  while (loop.next()) {
  }
  expect_same(loop.finish(), whole, "sgd");
  Checkpoint nowhere(folder / "none/run.npz");
  const Index before = sum.f.component_gradients();
  EXPECT_EQ(error_of<DomainError>([&] { sgd.minimize(sum.f, sum.start, rng, {&nowhere}); }),
            "[Checkpoint] " + (folder / "none/run.npz") + ": there is no directory " + (folder / "none") +
                "; make it first");
  EXPECT_EQ(sum.f.component_gradients(), before);
  EXPECT_THROW(Checkpoint("x.npz", 0), DomainError);
}

/// In a child process in which files may have so many bytes; the signal for more keeps its default action,
/// which would end it.
template <class F>
int with_small_disk(rlim_t bytes, F f) {
  return test::in_child([&] {
    ::signal(SIGXFSZ, SIG_DFL);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 100;
    const auto more = [&] {
      limit.rlim_cur = limit.rlim_max;
      ::setrlimit(RLIMIT_FSIZE, &limit);
    };
    return f(more);
  });
}

TEST(FullDisk, LeavesTheRunThatWasSavedAndTheLoopGoesOn) {
  const Sum sum;
  const TemporaryDirectory folder;
  const std::string path = folder / "run.npz";
  Rng rng(3), first(3), other(99);
  const Sgd sgd({.step = 0.05, .batch = 2, .epochs = 4, .momentum = 0.5});
  const auto whole = sgd.minimize(sum.f, sum.start, rng);
  Loop loop = sgd.start(sum.f, sum.start, first);
  for (int k = 0; k < 4; ++k) loop.next();
  loop.save(path);
  const std::string saved = test::read_bytes(path);
  const std::string expected =
      "[save_npz] " + path +
      ": cannot be written: File too large; the old file, if any, is untouched; free "
      "some space or save elsewhere";
  loop.next();
  EXPECT_EQ(with_small_disk(1000,
                            [&](auto more) {
                              if (error_of<DomainError>([&] { loop.save(path); }) != expected) return 1;
                              if (test::read_bytes(path) != saved) return 2;
                              if (folder.names().size() != 1) return 3;
                              while (loop.next()) {
                              }
                              if (!equal(loop.finish().w.flat(), whole.w.flat())) return 4;
                              more();
                              loop.save(path);
                              return test::read_bytes(path) != saved ? 0 : 5;
                            }),
            0);
  test::write_bytes(path, saved);

  // A checkpoint that finds the disk full ends `minimize`, and leaves the one before.
  EXPECT_EQ(with_small_disk(static_cast<rlim_t>(saved.size()) + 200,
                            [&](auto) {
                              Checkpoint checkpoint(path, 1);
                              Index steps = 0;
                              auto count = on_step([&](const auto&) { ++steps; });
                              const std::vector<Observer*> both{&checkpoint, &count};
                              // Rows of the trace make the file longer with every epoch.
                              const std::string text = error_of<DomainError>([&] {
                                Rng again(3);
                                Sgd({.step = 0.05, .batch = 2, .epochs = 400, .momentum = 0.5})
                                    .minimize(sum.f, sum.start, again, both);
                              });
                              if (text != expected) return 1;
                              if (steps < 4 || steps > 1000) return 2;
                              return folder.names().size() == 1 ? 0 : 3;
                            }),
            0);
  Loop resumed = sgd.resume(path, sum.f, other, {});
  EXPECT_GT(resumed.iteration(), 3);
  while (resumed.next()) {
  }
  expect_same(resumed.finish(), whole, "after a full disk");
}

TEST(FullDisk, EndsARunWithALog) {
  const Sum sum;
  Rng rng(1);
  CsvLog csv("/dev/full");
  JsonLog json("/dev/full");
  const auto text = [&](Observer& log) {
    return error_of<DomainError>([&] { Sgd().minimize(sum.f, sum.start, rng, {&log}); });
  };
  EXPECT_EQ(text(csv), "[CsvLog] /dev/full: cannot be written any more; is the disk full?");
  EXPECT_EQ(text(json), "[JsonLog] /dev/full: cannot be written any more; is the disk full?");
}

}  // namespace
}  // namespace cotangent::optim
