// What every optimizer can: stops, averages, decay, clipping, a thinned trace; runs by hand; parts of one's
// own.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::optim {
namespace {

using test::error_of;

FiniteSum bowl() {
  return objective([](const Var& w) { return 0.5 * dot(w, w); });
}

/// (1/5) sum_i (w - i)^2 / 2.
FiniteSum five_samples() {
  return finite_sum(5, [samples = Tensor::linspace(0.0, 4.0, 5)](const Var& w, const Batch& b) {
    return 0.5 * mean(square(broadcast_to(w, {b.size()}) - b.rows(samples)));
  });
}

TEST(Stop, AtEachOfItsReasons) {
  const FiniteSum f = bowl();
  const auto residual =
      Gd({.step = 0.5, .iterations = 100, .stop = {.residual = 0.1}}).minimize(f, Tensor{1.0});
  EXPECT_EQ(residual.stop, StopReason::converged);
  EXPECT_EQ(residual.w.flat()(0), 0.0625);
  const auto value = Gd({.step = 0.5, .iterations = 100, .stop = {.value = 0.01}}).minimize(f, Tensor{1.0});
  EXPECT_EQ(value.stop, StopReason::target);
  EXPECT_EQ(value.w.flat()(0), 0.125);
  const auto spent =
      Gd({.step = 0.5, .iterations = 100, .stop = {.component_gradients = 7}}).minimize(f, Tensor{1.0});
  EXPECT_EQ(spent.stop, StopReason::budget);
  EXPECT_EQ(spent.spent.gradients, 7);
  EXPECT_EQ(spent.iterations, 6);
  Rng rng(1);
  const auto seconds = Sgd({.step = 1e-3, .batch = 1, .epochs = 1000000000, .stop = {.seconds = 0.05}})
                           .minimize(five_samples(), Tensor{1.0}, rng);
  EXPECT_EQ(seconds.stop, StopReason::budget);
  EXPECT_GE(seconds.seconds, 0.05);
  EXPECT_LT(seconds.seconds, 5.0);
}

TEST(Stop, LooksAtExactEstimatesAlone) {
  // Single samples can have gradient and value 0 far from the minimiser.
  Rng rng(1);
  const auto run = Sgd({.step = 1e-9, .batch = 1, .epochs = 20, .stop = {.residual = 0.1, .value = 0.1}})
                       .minimize(five_samples(), Tensor{4.0}, rng);
  EXPECT_EQ(run.stop, StopReason::finished);
}

TEST(Average, IsWhatItSays) {
  const FiniteSum f = bowl();  // step 1/2 from 1: 1/2, 1/4, 1/8, 1/16
  const auto average = [&](const Average& wanted) {
    return Gd({.step = 0.5, .iterations = 4, .average = wanted}).minimize(f, Tensor{1.0}).average;
  };
  EXPECT_NEAR(average(Average::uniform()).flat()(0), (0.5 + 0.25 + 0.125 + 0.0625) / 4.0, 1e-16);
  EXPECT_NEAR(average(Average::tail(2)).flat()(0), (0.125 + 0.0625) / 2.0, 1e-16);
  double ema = 1.0;
  for (const double w : {0.5, 0.25, 0.125, 0.0625}) ema = 0.75 * ema + 0.25 * w;
  EXPECT_NEAR(average(Average::exponential(0.75)).flat()(0), ema, 1e-16);
  EXPECT_EQ(average({}).size(), 0);
}

TEST(Average, OnePassOfOneOverKIsTheMean) {  // 1/(k + 1) on (x - b_k)^2 / 2
  Rng rng(3);
  const Tensor b = rng.normal({50});
  const FiniteSum f = finite_sum(50, [&](const Var& w, const Batch& batch) {
    return 0.5 * mean(square(broadcast_to(w, {batch.size()}) - batch.rows(b)));
  });
  const auto run = Sgd({.step = decaying(1.0, 1.0), .batch = 1, .epochs = 1}).minimize(f, Tensor{7.0}, rng);
  EXPECT_NEAR(run.w.flat()(0), mean(b).item(), 1e-14);
}

TEST(WeightDecay, IsAddedToTheGradientAndNotToTheValue) {
  const FiniteSum f = bowl();
  const auto run = Gd({.step = 0.1, .iterations = 3, .weight_decay = 0.5}).minimize(f, Tensor{1.0, -2.0});
  EXPECT_NEAR(run.w.flat()(0), std::pow(0.85, 3), 1e-15);
  EXPECT_NEAR(run.value, f.value(run.w), 0.0);
}

TEST(ClipNorm, ScalesLongGradients) {
  const auto run = Gd({.step = 1.0, .iterations = 2, .clip_norm = 2.0}).minimize(bowl(), Tensor{6.0, 8.0});
  EXPECT_NEAR(run.w.flat()(0), 6.0 - 1.2 - 1.2, 1e-14);
  EXPECT_NEAR(run.w.flat()(1), 8.0 - 1.6 - 1.6, 1e-14);
  EXPECT_EQ(run.trace[0].gradient_norm, 10.0);  // what is clipped is what the rule sees
}

/// Least squares with two blocks, "a" [2] and "b" [3].
struct Blocks {
  Params start{{{"a", Tensor{1.0, -2.0}}, {"b", Tensor{0.5, 1.5, -1.0}}}};
  Tensor curvature{1.0, 2.0, 3.0, 4.0, 5.0};
  FiniteSum f = finite_sum(2, [this](const Var& w, const Batch&) {
    return 0.5 * dot(curvature, square(w)) + 0.1 * sum(w) * sum(w);
  });
};

TEST(Params, OthersStayBitForBit) {
  const Blocks blocks;
  const std::vector<std::pair<const char*, Optimizer>> all{
      {"gd", Gd({.step = 0.05, .iterations = 40, .momentum = 0.5, .params = {"b"}})},
      {"sgd", Sgd({.step = 0.05, .batch = 1, .epochs = 20, .params = {"b"}, .weight_decay = 0.1})},
      {"adam", Adam({.step = 0.05, .epochs = 20, .params = {"b"}, .average = Average::uniform()})},
      {"adamw", AdamW({.step = 0.05, .epochs = 20, .params = {"b"}})},
      {"svrg", Svrg({.step = 0.05, .epochs = 5, .params = {"b"}})},
      {"saga", Saga({.step = 0.05, .epochs = 5, .params = {"b"}})},
      {"lbfgs", Lbfgs({.iterations = 20, .params = {"b"}})},
      {"newton", Newton({.iterations = 3, .params = {"b"}})},
      {"nesterov", Nesterov({.step = 0.1, .iterations = 20, .params = {"b"}})},
      {"proximal", ProximalGd(l1(0.3), {.step = 0.1, .iterations = 20, .params = {"b"}})},
  };
  struct Same : Observer {
    Tensor a;
    Flow on_step(const View& view) override {
      EXPECT_TRUE(equal(view.w["a"], a));
      EXPECT_TRUE(equal(view.gradient["a"], Tensor{0.0, 0.0}));
      EXPECT_EQ(view.gradient.size(), 5);
      return Flow::go_on;
    }
  } same;
  same.a = blocks.start["a"];
  for (const auto& [name, optimizer] : all) {
    Rng rng(1);
    const auto run = optimizer.minimize(blocks.f, blocks.start, rng, {&same});
    EXPECT_TRUE(equal(run.w["a"], blocks.start["a"])) << name;
    EXPECT_FALSE(equal(run.w["b"], blocks.start["b"])) << name;
    EXPECT_LT(run.value, blocks.f.value(blocks.start)) << name;
  }
  // Newton's method in the space of b alone ends where the gradient by b is 0.
  Rng rng(1);
  const auto newton = Newton({.iterations = 3, .params = {"b"}}).minimize(blocks.f, blocks.start, rng);
  const Tensor gradient = blocks.f.grad(newton.w)["b"];
  for (const double g : gradient.data()) EXPECT_NEAR(g, 0.0, 1e-14);
  EXPECT_EQ(Adam({.params = {"b"}}).minimize(blocks.f, blocks.start, rng).state_numbers, 6);
  EXPECT_GT(blocks.f.component_gradients(), 100);
}

TEST(Params, WithoutNumbersAreNothingToMove) {
  const Params start(
      {{"empty", Tensor::zeros({0, 3})}, {"a", Tensor{1.0, -2.0}}, {"none", Tensor::zeros({0})}});
  const FiniteSum f = bowl();
  EXPECT_EQ(
      error_of<DomainError>([&] {
        Gd({.params = {"n*", "empty"}}).minimize(f, start);
      }),
      "[params] the patterns match parameters without numbers alone, such as \"empty\" [0, 3]; name one "
      "to move");
  EXPECT_EQ(f.component_gradients(), 0);
  // Beside others they are no mistake.
  const auto run = Gd({.step = 0.5, .iterations = 1, .params = {"empty", "a"}}).minimize(f, start);
  EXPECT_TRUE(equal(run.w["a"], Tensor{0.5, -1.0}));
  EXPECT_EQ(run.w["empty"].shape(), (Shape{0, 3}));
  const auto grouped = Gd({.step = 0.5, .iterations = 1, .groups = {{"empty", 2.0}}}).minimize(f, start);
  EXPECT_TRUE(equal(grouped.w["a"], Tensor{0.5, -1.0}));
}

TEST(Groups, HaveStepsAndDecaysOfTheirOwn) {
  const Blocks blocks;
  const FiniteSum f = objective([](const Var& w) { return sum(w); });  // the gradient is 1
  const auto run = [&](const Optimizer& o) {
    Rng rng(1);
    return o.minimize(f, blocks.start, rng).w;
  };
  const Params w = run(
      Gd({.step = 0.5, .iterations = 1, .groups = {{"*", 1.0, 0.2}, {"b", 0.1, 0.0}}, .weight_decay = 7.0}));
  EXPECT_NEAR(w["a"](0), 1.0 - 0.5 * (1.0 + 0.2), 1e-15);
  EXPECT_NEAR(w["a"](1), -2.0 - 0.5 * (1.0 - 0.4), 1e-15);
  EXPECT_NEAR(w["b"](0), 0.5 - 0.05, 1e-15);
  // Adam's first step is the step itself whatever the gradient; AdamW's decay is beside it.
  const Params v = run(AdamW({.step = 0.1, .epochs = 1, .groups = {{.pattern = "b", .weight_decay = 0.0}}}));
  EXPECT_NEAR(v["a"](0), 1.0 - 0.1 * 0.01 - 0.1, 1e-8);
  EXPECT_NEAR(v["b"](1), 1.5 - 0.1, 1e-8);
}

TEST(Groups, Errors) {
  const Blocks blocks;
  EXPECT_EQ(error_of<DomainError>([&] { Gd({.params = {"c*"}}).minimize(blocks.f, blocks.start); }),
            "[params] no parameter matches \"c*\"; there are \"a\", \"b\"");
  EXPECT_EQ(error_of<DomainError>([&] { Gd({.groups = {{"c"}}}).minimize(blocks.f, blocks.start); }),
            "[params] no parameter matches \"c\"; there are \"a\", \"b\"");
  EXPECT_EQ(error_of<DomainError>([&] {
              Gd({.groups = {{"a", -1.0}}}).minimize(blocks.f, blocks.start);
            }),
            "[Gd] the group \"a\" has the step factor -1; give a finite number, 0 or above");
}

TEST(TraceEvery, KeepsEachSoManiethAndTheLast) {
  const auto run = Gd({.step = 0.1, .iterations = 10, .trace_every = 4}).minimize(bowl(), Tensor{1.0});
  ASSERT_EQ(run.trace.size(), 3);
  EXPECT_EQ(run.trace[0].epoch, 3);
  EXPECT_EQ(run.trace[1].epoch, 7);
  EXPECT_EQ(run.trace[2].epoch, 9);
}

TEST(Loop, ByHandIsMinimize) {
  const Sgd sgd({.step = 0.1, .batch = 2, .epochs = 3, .momentum = 0.5});
  Rng a(1), b(1);
  Loop loop = sgd.start(five_samples(), Tensor{7.0}, a);
  Index steps = 0;
  while (loop.next()) {
    ++steps;
    EXPECT_EQ(loop.iteration(), steps);
    EXPECT_TRUE(std::isfinite(loop.value()));
  }
  EXPECT_FALSE(loop.next());
  const auto by_hand = loop.finish(), again = loop.finish(),
             run = sgd.minimize(five_samples(), Tensor{7.0}, b);
  EXPECT_EQ(steps, 9);
  EXPECT_TRUE(equal(by_hand.w.flat(), run.w.flat()));
  EXPECT_TRUE(equal(again.w.flat(), run.w.flat()));
  EXPECT_EQ(by_hand.spent, run.spent);
  EXPECT_EQ(a, b);
  EXPECT_EQ(sgd.start(five_samples(), Tensor{7.0}, a).finish().iterations, 0);
}

TEST(Loop, FinishedBeforeItsEndIsStopped) {
  Rng rng(1);
  const FiniteSum f = five_samples();
  const Sgd sgd({.step = 0.1, .batch = 2, .epochs = 3});  // 9 iterations
  const auto after = [&](Index steps, const Optimizer& o) {
    Loop loop = o.start(f, Tensor{7.0}, rng);
    for (Index k = 0; k < steps; ++k) loop.next();
    const auto run = loop.finish();
    EXPECT_FALSE(loop.next());
    EXPECT_EQ(loop.finish().stop, run.stop);
    return run.stop;
  };
  for (const Index steps : {0, 1, 3, 8}) EXPECT_EQ(after(steps, sgd), StopReason::stopped) << steps;
  // All iterations are made, whether or not `next` has said that there is none.
  for (const Index steps : {9, 10, 20}) EXPECT_EQ(after(steps, sgd), StopReason::finished) << steps;
  EXPECT_EQ(after(0, Sgd({.epochs = 0})), StopReason::finished);
  // Other reasons stay.
  EXPECT_EQ(after(5, Gd({.step = 0.1, .iterations = 9, .stop = {.value = 13.5}})), StopReason::target);
  EXPECT_EQ(after(5, Gd({.step = 1e300, .iterations = 9})), StopReason::diverged);
  EXPECT_EQ(after(1, Gd({.step = 1e300, .iterations = 9})), StopReason::diverged);
  struct Ender : Observer {
    Flow on_start(const View&) override { return Flow::stop; }
  } ender;
  EXPECT_EQ(sgd.start(f, Tensor{7.0}, rng, {&ender}).finish().stop, StopReason::stopped_by_observer);
  // What was stopped can be saved, and goes on.
  const test::TemporaryDirectory folder;
  Rng same(3), other(3);
  Loop loop = sgd.start(f, Tensor{7.0}, same);
  for (int k = 0; k < 4; ++k) loop.next();
  loop.finish();
  loop.save(folder / "run.npz");
  Loop resumed = sgd.resume(folder / "run.npz", f, same);
  while (resumed.next()) {
  }
  const auto run = resumed.finish(), whole = sgd.minimize(f, Tensor{7.0}, other);
  EXPECT_EQ(run.stop, StopReason::finished);
  EXPECT_TRUE(equal(run.w.flat(), whole.w.flat()));
}

TEST(Loop, ChargesPartsButNotObservers) {
  struct Curious : Observer {
    const FiniteSum* f;
    Flow on_step(const View& view) override {
      f->grad(view.w);
      return Flow::go_on;
    }
  } curious;
  const FiniteSum f = five_samples();
  curious.f = &f;
  const auto run = Gd({.iterations = 4}).minimize(f, Tensor{1.0}, {&curious});
  EXPECT_EQ(run.spent.gradients, 20);
  EXPECT_EQ(f.component_gradients(), 40);
}

// ---- parts of one's own -----------------------------------------------------------------------------------

/// Goes one way or the other by the gradient's sign, and keeps its own count.
class SignRule final : public Rule {
 public:
  Params direction(const At&, Params gradient) override {
    ++calls_;
    return gradient.with(sign(gradient.flat()).value());
  }
  void visit(State& state) override { state("calls", calls_); }

 private:
  Index calls_ = 0;
};

TEST(Parts, OnesOwnAreAClassAndALine) {
  const Descent sign_descent({.name = "SignDescent",
                              .rule = [](const Setting&) { return std::make_unique<SignRule>(); },
                              .step = 0.25,
                              .epochs = 4});
  Rng rng(1);
  const auto run = sign_descent.minimize(bowl(), Tensor{1.0, -3.0}, rng);
  EXPECT_TRUE(equal(run.w.flat(), Tensor{0.0, -2.0}));
}

TEST(Parts, Mix) {
  Rng rng(1);
  const Descent mixed({.estimator = svrg({.inner = 10}),
                       .rule = adam(),
                       .move = proximal(box(0.0, 1.5)),
                       .step = 0.05,
                       .epochs = 60});
  EXPECT_NEAR(mixed.minimize(five_samples(), Tensor{0.0}, rng).w.flat()(0), 1.5, 1e-12);
}

TEST(RunOptions, Errors) {
  const auto text = [](const Recipe& recipe) { return error_of<DomainError>([&] { Descent{recipe}; }); };
  EXPECT_EQ(text({.epochs = -1}), "[Descent] epochs is -1; give 0 or more");
  EXPECT_EQ(text({.stop = {.residual = -1.0}}),
            "[Descent] stop.residual is -1; give a finite number, 0 or above");
  EXPECT_EQ(text({.stop = {.value = NAN}}), "[Descent] stop.value is nan; give the value to reach");
  EXPECT_EQ(text({.stop = {.component_gradients = -3}}),
            "[Descent] stop.component_gradients is -3; give 0 or more");
  EXPECT_EQ(text({.stop = {.seconds = -1.0}}),
            "[Descent] stop.seconds is -1; give a finite number, 0 or above");
  EXPECT_EQ(text({.weight_decay = -1.0}), "[Descent] weight_decay is -1; give a finite number, 0 or above");
  EXPECT_EQ(text({.clip_norm = 0.0}), "[Descent] clip_norm is 0; give a number above 0");
  EXPECT_EQ(text({.average = Average::exponential(1.0)}),
            "[Descent] the average begins at 0 with the decay 1; give 0 or more, in [0, 1)");
  EXPECT_EQ(text({.trace_every = 0}), "[Descent] trace_every is 0; give 1 or more");
}

}  // namespace
}  // namespace cotangent::optim
