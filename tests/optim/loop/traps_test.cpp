// Where runs went wrong once: each of these gave a wrong answer without a word.
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::optim {
namespace {

using test::error_of;
using test::TemporaryDirectory;

FiniteSum bowl() {
  return objective([](const Var& w) { return 0.5 * dot(w, w); });
}

/// (1/10) sum_i (<x_i, w> - y_i)^2 / 2.
struct Rows {
  Rng rng{4};
  Tensor x = rng.normal({10, 2}), y = rng.normal({10});
  FiniteSum f = finite_sum(10, [this](const Var& w, const Batch& b) {
    return 0.5 * mean(square(reshape(matmul(b.rows(x), reshape(w, {2, 1})), {b.size()}) - b.rows(y)));
  });
  Params start{{{"w", Tensor{2.0, -1.0}}}};
};

TEST(NewtonTraps, StaysAtAMinimumWithASingularHessian) {
  Rng rng(1);
  const FiniteSum valley = objective([](const Var& w) {
    const Var a = slice(w, 0, 0, 1), b = slice(w, 0, 1, 2);
    return 0.5 * sum(square(a * b - 1.0));
  });
  const auto there = Newton({.iterations = 3}).minimize(valley, Tensor{1.0, 1.0}, rng);
  EXPECT_NEAR(there.w.flat()(0), 1.0, 1e-12);
  EXPECT_NEAR(there.value, 0.0, 1e-20);
  const FiniteSum quartic = objective([](const Var& w) {
    return 0.5 * sum(square(slice(w, 0, 0, 1))) + sum(square(square(slice(w, 0, 1, 2))));
  });
  const auto flat = Newton({.iterations = 3}).minimize(quartic, Tensor{0.0, 0.0}, rng);
  EXPECT_TRUE(equal(flat.w.flat(), Tensor{0.0, 0.0}));
  // More unknowns than equations: solved in one step, by the shortest one.
  const Tensor a = rng.normal({3, 5}), b = rng.normal({3});
  const FiniteSum system = objective([&](const Var& w) {
    return 0.5 * sum(square(reshape(matmul(a, reshape(w, {5, 1})), {3}) - b));
  });
  const auto solved = Newton({.iterations = 1}).minimize(system, Tensor::zeros({5}), rng);
  EXPECT_NEAR(solved.value, 0.0, 1e-20);
  EXPECT_LT(norm(solved.w), 10.0);
}

TEST(StopTraps, HoldAtThePointThatIsReturned) {
  Rng rng(1);
  // Over the box the least value is 2.33; outside it, where accelerated points may lie, there are smaller
  // ones.
  const FiniteSum f = objective([](const Var& w) {
    return 0.5 * sum(square(w - Tensor{3.0, 0.4})) + 0.3 * dot(w, w);
  });
  const auto boxed =
      ProximalGd(box(0.0, 1.0),
                 {.step = 0.2, .iterations = 200, .accelerated = true, .stop = {.value = 2.33 - 1e-9}})
          .minimize(f, Tensor{0.0, 1.0}, rng);
  EXPECT_EQ(boxed.stop, StopReason::finished);
  EXPECT_NEAR(boxed.value, f.value(boxed.w), 1e-15);
  const FiniteSum steep = objective([](const Var& w) { return 0.5 * dot(Tensor{1.0, 100.0}, square(w)); });
  const auto run = Nesterov({.step = 0.01, .iterations = 5000, .stop = {.residual = 1e-3}})
                       .minimize(steep, Tensor{1.0, 1.0}, rng);
  EXPECT_EQ(run.stop, StopReason::converged);
  EXPECT_LE(norm(steep.grad(run.w)), 1e-3);
  EXPECT_EQ(run.value, steep.value(run.w));
}

TEST(SearchTraps, AcceleratedMovesStayAccelerated) {
  Rng rng(1);
  const FiniteSum steep = objective([](const Var& w) { return 0.5 * dot(Tensor{1.0, 100.0}, square(w)); });
  const auto value = [&](const Step& step) {
    return Nesterov({.step = step, .iterations = 100, .mu = 1.0})
        .minimize(steep, Tensor{1.0, 1.0}, rng)
        .value;
  };
  EXPECT_NEAR(value(backtracking({.first = 0.01, .growth = 1.0})), value(0.01), 1e-12);
}

TEST(SearchTraps, ASolvedRunEndsAsStalled) {
  Rng rng(1);
  const auto gd = Gd({.step = backtracking(), .iterations = 5000}).minimize(bowl(), Tensor{1.0, 1.0});
  EXPECT_EQ(gd.stop, StopReason::stalled);
  EXPECT_EQ(gd.value, 0.0);
  const FiniteSum waves = objective([](const Var& w) { return sum(cos(w)); });
  const auto lbfgs = Lbfgs({.iterations = 1000}).minimize(waves, Tensor{1.0, 2.0}, rng);
  EXPECT_EQ(lbfgs.stop, StopReason::stalled);
  EXPECT_LT(lbfgs.spent.gradients, 100);
  EXPECT_NEAR(lbfgs.value, -2.0, 1e-14);
}

TEST(SearchTraps, FrankWolfeSearchesAlongItsLine) {
  Rng rng(1);
  const FiniteSum f = objective([](const Var& w) { return 0.5 * sum(square(w - Tensor{0.01, 0.02, 0.3})); });
  const auto run =
      FrankWolfe(over_box(-100.0, 100.0),
                 {.step = backtracking({.factor = 0.7}), .iterations = 4000, .stop = {.residual = 0.5}})
          .minimize(f, Tensor{0.0, 0.0, 100.0}, rng);
  EXPECT_EQ(run.stop, StopReason::converged);
}

TEST(SearchTraps, WhatTheSearchCannotSeeIsRefused) {
  Rng rng(1);
  const auto text = [&](const Optimizer& o) {
    return error_of<DomainError>([&] { o.minimize(bowl(), Tensor{1.0, 1.0}, rng); });
  };
  EXPECT_EQ(text(Lbfgs({.weight_decay = 0.5})),
            "[Lbfgs] weight decay is not in f, on which the step is searched; add weight / 2 |w|^2 to f, or "
            "give a step "
            "by schedule");
  EXPECT_EQ(text(Newton({.weight_decay = 0.5})),
            "[Newton] weight decay or clipping is not in f, of which the model is made; add the decay to f, "
            "or leave it "
            "out");
  const auto r = [](const Var& w) { return w - 1.0; };
  EXPECT_EQ(text(GaussNewton(r, {.clip_norm = 1.0})),
            "[GaussNewton] weight decay, clipping or .params would not reach the residuals, of which the "
            "step is made; "
            "build them into r");
  EXPECT_NE(text(ProximalGd(l1(0.1), {.step = strong_wolfe()})).find("does not go along a line"),
            std::string::npos);
}

TEST(ProjectionTraps, SimplexAndBallAtAnyScale) {
  EXPECT_TRUE(equal(simplex().prox(Tensor{1e17, 0.0}, 1.0), Tensor{1.0, 0.0}));
  EXPECT_TRUE(equal(simplex().prox(Tensor{1e16, 1e16}, 1.0), Tensor{0.5, 0.5}));
  EXPECT_TRUE(equal(simplex().prox(Tensor{-1e17, -1e17 + 64.0}, 1.0), Tensor{0.0, 1.0}));
  EXPECT_TRUE(equal(l1_ball(1.0).prox(Tensor{1e17, 0.0}, 1.0), Tensor{1.0, 0.0}));
  EXPECT_TRUE(equal(l1_ball(2.0).prox(Tensor{1.0, -0.5}, 1.0), Tensor{1.0, -0.5}));
  EXPECT_TRUE(equal(l2_ball(2.0).prox(Tensor{1.0, -0.5}, 1.0), Tensor{1.0, -0.5}));
}

TEST(ObserverTraps, MonitorsThatAreNotAskedEveryEpoch) {
  Index epoch = 0;
  auto count = on_epoch([&](const View& at) { epoch = at.epoch + 1; });
  Monitor monitor(
      "m", [](const Params& w) { return std::fabs(w.flat()(0)); }, 3);
  Best best(&monitor);
  EarlyStop stop({.patience = 2, .monitor = &monitor});
  const auto run =
      Gd({.step = 0.5, .iterations = 30}).minimize(bowl(), Tensor{1.0}, {&count, &monitor, &best, &stop});
  EXPECT_EQ(run.stop, StopReason::finished);
  EXPECT_EQ(best.epoch(), 29);
  EXPECT_EQ(best.value(), std::ldexp(1.0, -30));
}

TEST(ObserverTraps, ALogBeforeAMonitorSaysSo) {
  const TemporaryDirectory folder;
  CsvLog log(folder / "run.csv");
  Monitor monitor("m", [](const Params&) { return 0.0; });
  EXPECT_NE(error_of<DomainError>([&] {
              Gd({.iterations = 3}).minimize(bowl(), Tensor{1.0}, {&log, &monitor});
            }).find("list monitors before the log"),
            std::string::npos);
}

TEST(AccelerationTraps, NoCurvatureIsAsIfUnset) {
  Rng rng(1);
  const FiniteSum steep = objective([](const Var& w) { return 0.5 * dot(Tensor{1.0, 100.0}, square(w)); });
  const auto value = [&](std::optional<double> mu) {
    return Nesterov({.step = 0.01, .iterations = 50, .mu = mu}).minimize(steep, Tensor{1.0, 1.0}, rng).value;
  };
  EXPECT_EQ(value(0.0), value(std::nullopt));
  EXPECT_NE(error_of<DomainError>([&] {
              ProximalGd(l1(1.0), {.step = 1.0, .accelerated = true, .mu = 2.0})
                  .minimize(steep, Tensor{1.0, 1.0}, rng);
            }).find("mu * step is 2"),
            std::string::npos);
}

TEST(ResumeTraps, OtherSamplingIsRefused) {
  const Rows rows;
  const TemporaryDirectory folder;
  const std::string path = folder / "run.npz";
  Rng rng(1);
  const auto saved = [&](const Optimizer& o) {
    Loop loop = o.start(rows.f, rows.start, rng);
    for (int k = 0; k < 4; ++k) loop.next();
    loop.save(path);
  };
  const auto text = [&](const Optimizer& o) {
    return error_of<DomainError>([&] { o.resume(path, rows.f, rng); });
  };
  saved(Sgd({.batch = 2}));
  EXPECT_EQ(text(Sgd({.batch = 5})),
            "[resume] estimator.batch is 2 there, 5 here; resume with the options it was saved with");
  EXPECT_NE(text(Sgd({.batch = 2, .replacement = true})).find("estimator.replacement is 0 there"),
            std::string::npos);
  saved(Saga());
  EXPECT_NE(text(Saga({.two_draws = true})).find("two_draws"), std::string::npos);
  saved(Gd({.momentum = 0.5}));
  EXPECT_NE(text(Gd({.momentum = 0.5, .nesterov = true})).find("nesterov velocity"), std::string::npos);
  saved(Gd({.params = {"w"}}));
  EXPECT_EQ(text(Gd({.params = {"w"}})), "nothing thrown");
}

TEST(ResumeTraps, ObserversAreThereAtOnce) {
  const Rows rows;
  const TemporaryDirectory folder;
  Rng rng(1);
  Best best, again, third;
  const Sgd sgd({.batch = 5, .epochs = 20});
  {
    Loop loop = sgd.start(rows.f, rows.start, rng, {&best});
    for (int k = 0; k < 6; ++k) loop.next();
    loop.save(folder / "a.npz");
  }
  Loop loop = sgd.resume(folder / "a.npz", rows.f, rng, {&again});
  EXPECT_EQ(again.epoch(), best.epoch());
  EXPECT_EQ(again.value(), best.value());
  loop.save(folder / "b.npz");
  sgd.resume(folder / "b.npz", rows.f, rng, {&third});
  EXPECT_EQ(third.value(), best.value());
}

TEST(ResumeTraps, WhatIsReturnedIsNotWhatGoesOn) {
  const Rows rows;
  const TemporaryDirectory folder;
  Rng rng(1);
  const Nesterov whole({.step = 0.1, .iterations = 20}), half({.step = 0.1, .iterations = 10});
  const Params wanted = whole.minimize(rows.f, rows.start, rng).w;
  Loop loop = half.start(rows.f, rows.start, rng);
  while (loop.next()) {
  }
  loop.finish();
  loop.save(folder / "run.npz");
  Loop resumed = whole.resume(folder / "run.npz", rows.f, rng);
  while (resumed.next()) {
  }
  EXPECT_TRUE(equal(resumed.finish().w.flat(), wanted.flat()));
}

TEST(ResumeTraps, EndsBetweenStepsLeaveNoTrace) {
  const Rows rows;
  const TemporaryDirectory folder;
  Rng rng(1), other(1);
  const Sgd sgd({.step = 0.05, .batch = 2, .epochs = 4});
  const auto whole = sgd.minimize(rows.f, rows.start, rng);
  auto stop = on_epoch([](const View& at) { return at.epoch == 1 ? Flow::stop : Flow::go_on; });
  Loop loop = sgd.start(rows.f, rows.start, other, {&stop});
  while (loop.next()) {
  }
  EXPECT_EQ(loop.finish().trace.size(), 2);
  loop.save(folder / "run.npz");
  auto go_on = on_epoch([](const View&) {});
  Loop resumed = sgd.resume(folder / "run.npz", rows.f, other, {&go_on});
  while (resumed.next()) {
  }
  const auto run = resumed.finish();
  EXPECT_EQ(run.iterations, whole.iterations);
  EXPECT_EQ(run.trace.size(), whole.trace.size());
  EXPECT_TRUE(equal(run.w.flat(), whole.w.flat()));
}

TEST(ThrowTraps, AFunctionThatThrowsOnceLeavesARunThatGoesOn) {
  const Rows rows;
  int calls = 0;
  const FiniteSum f = rows.f.like([&](const Var& w, const Batch& b) {
    if (++calls == 5) throw std::runtime_error("once");
    return rows.f(w, b);
  });
  Rng rng(1);
  Loop loop = Saga({.step = 0.01, .epochs = 2}).start(f, rows.start, rng);
  EXPECT_THROW(loop.next(), std::runtime_error);
  while (loop.next()) {
  }
  EXPECT_EQ(loop.finish().iterations, 20);
}

TEST(BadInput, IsFoundBeforeTheFirstStep) {
  const Rows rows;
  Rng rng(1);
  EXPECT_THROW(Page({.large_batch = -1}).minimize(rows.f, rows.start, rng), DomainError);
  EXPECT_THROW(Svrg({.batch = Index{1} << 50}).minimize(rows.f, rows.start, rng), DomainError);
  const TemporaryDirectory folder;
  for (const std::string& path : {std::string(), folder.path()}) {
    Checkpoint checkpoint(path);
    EXPECT_THROW(Gd().minimize(rows.f, rows.start, {&checkpoint}), DomainError);
  }
  EXPECT_THROW(plateau({.step = 1e-3, .least = 0.5}), DomainError);
  // A dependent system: its damping grows until there is a step.
  const auto r = [](const Var& w) {
    const Var s = slice(w, 0, 0, 1) + slice(w, 0, 1, 2) - 1.0;
    return concat({s, 2.0 * s}, 0);
  };
  EXPECT_NO_THROW(
      GaussNewton(r, {.iterations = 60, .damping = 1e-2}).minimize(least_squares(r), Tensor{3.0, 1.0}, rng));
}

}  // namespace
}  // namespace cotangent::optim
