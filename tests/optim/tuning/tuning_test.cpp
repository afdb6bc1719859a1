// Recipes: steps against the theory's largest, a quick start against the optimum, comparisons against runs.
#include "optim/tuning.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::optim {
namespace {

using test::error_of, test::TemporaryDirectory;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ---- the largest stable step ------------------------------------------------------------------------------

TEST(LargestStableStep, LiesWithinATenthOfTheTheorys) {
  for (const double largest : {1e-4, 0.003, 0.7, 1.0, 30.0, 5e4}) {  // L
    const Problem p = diagonal_quadratic(Tensor{largest, 0.1 * largest}, Tensor{1.0, -1.0});
    Rng rng(1);
    const double limit = 2.0 / largest;
    const StableStep found = largest_stable_step(p.f, p.start, rng);
    if (limit < 1e3) {
      EXPECT_LE(found.step, limit) << largest;
      EXPECT_GT(found.step, limit / 10.0) << largest;
    } else {
      EXPECT_EQ(found.step, 1e3);
    }
    EXPECT_EQ(found.run.iterations, 100);
    EXPECT_EQ(found.run.stop, StopReason::finished);
    EXPECT_EQ(found.tried.num_rows(), std::lround(std::log10(1e3 / found.step)) + 1);
  }
}

TEST(LargestStableStep, OfHeavyBallIsLonger) {
  // The limit is 2 (1 + momentum) / L, here 3.8.
  const Problem p = diagonal_quadratic(Tensor{1.0, 0.1}, Tensor{1.0, -1.0});
  Rng rng(1);
  const StableStepOptions from{.from = 3.0, .momentum = 0.9};
  EXPECT_EQ(largest_stable_step(p.f, p.start, rng, from).step, 3.0);
  EXPECT_EQ(largest_stable_step(p.f, p.start, rng, {.from = 3.0}).step, 0.3);
}

TEST(LargestStableStep, OfSingleSamplesOnALine) {
  // All components have their minimum at 0, so that an epoch multiplies w by the product of all 1 - s a_i.
  const Tensor a{0.25, 0.25, 0.5, 3.0};
  const Problem p = parabolas(a, Tensor{0.0, 0.0, 0.0, 0.0}, 1.0);
  Rng rng(1);
  const StableStep found = largest_stable_step(p.f, p.start, rng, {.steps = 200, .batch = 1});
  const auto epoch = [&](double step) {
    double product = 1.0;
    for (const double curvature : a.data()) product *= std::abs(1.0 - step * curvature);
    return product;
  };
  EXPECT_LT(epoch(found.step), 1.0);
  EXPECT_GT(epoch(10.0 * found.step), 1.0);
  EXPECT_EQ(found.run.spent.gradients, 200);
  EXPECT_EQ(found.run.stop, StopReason::finished);  // all of its steps are made
}

TEST(LargestStableStep, GoesByTheSizeOfANegativeValue) {
  const FiniteSum f = objective([](const Var& w) { return sum(square(w)) - 5.0; });
  Rng rng(1);
  // From f = -4 the limit is 32; s_max = 2 / L is 1, where w changes its sign and no more.
  EXPECT_EQ(largest_stable_step(f, Params({{"w", Tensor{1.0}}}), rng).step, 1.0);
}

TEST(LargestStableStep, ShowsWhatWasTried) {
  const Problem p = diagonal_quadratic(Tensor{1.0}, Tensor{2.0});
  Rng rng(1);
  const StableStep found = largest_stable_step(p.f, p.start, rng, {.from = 10.0, .steps = 3});
  EXPECT_EQ(found.tried.to_markdown(),
            "| step | steps made | value | verdict |\n"
            "| ---: | ---: | ---: | --- |\n"
            "| 10 | 1 | nan | diverges |\n"
            "| 1 | 3 | 0 | stable |\n");
  EXPECT_EQ(found.spent, (Counts{.gradients = 2 + 3}));
}

TEST(LargestStableStep, Errors) {
  const Problem p = diagonal_quadratic(Tensor{1.0}, Tensor{2.0});
  Rng rng(1);
  const auto error = [&](const StableStepOptions& o) {
    return error_of<DomainError>([&] { largest_stable_step(p.f, p.start, rng, o); });
  };
  const std::string steps = "; give a finite number and one above 0 that is no larger";
  EXPECT_EQ(error({.from = 1.0, .least = 2.0}), "[largest_stable_step] steps from 1 down to 2" + steps);
  EXPECT_EQ(error({.least = 0.0}), "[largest_stable_step] steps from 1000 down to 0" + steps);
  EXPECT_EQ(error({.steps = 0}), "[largest_stable_step] trials of 0 steps; give 1 or more, such as 100");
  EXPECT_EQ(
      error({.batch = 0}),
      "[largest_stable_step] batch is 0; give the number of samples a step, 1 or more, or none for all");
  EXPECT_EQ(error({.momentum = 1.0}), "[largest_stable_step] momentum is 1; give 0 <= momentum < 1");
  const std::string none = error({.least = 10.0});
  EXPECT_EQ(
      none.substr(0, none.find('\n')),
      "[largest_stable_step] all steps from 1000 down to 10 diverge within 100 steps; is f smooth at w0? "
      "else give a smaller .least");
  EXPECT_EQ(error_of<DomainError>([&] {
              largest_stable_step(p.f, Params({{"w", Tensor{kNan}}}), rng);
            }),
            "[largest_stable_step] f(w0) is nan; start where f is finite");
}

// ---- the quick start --------------------------------------------------------------------------------------

TEST(QuickStart, ComesNearTheOptimum) {
  Rng data(3);
  const Problem p = least_squares_problem(data, {.samples = 200, .dimension = 10});
  Rng rng(1);
  const QuickStart found = quick_start(p.f, p.start, rng);
  const double first = p.f.value(p.start) - p.optimum->value;
  EXPECT_LE(found.value - p.optimum->value, 0.01 * first);
  EXPECT_EQ(found.value, p.f.value(found.w));
  EXPECT_EQ(found.batch, 200);
  EXPECT_LE(found.step, 2.0 * (1.0 + found.momentum));
  EXPECT_EQ(found.stop, StopReason::finished);
  EXPECT_EQ(found.spent.gradients, p.f.component_gradients());
  const std::string decisions = found.decisions.to_text();
  for (const char* rule : {"1 batch", "2 momentum", "3 step", "4 run", "5 step", "6 end"})
    EXPECT_NE(decisions.find(rule), std::string::npos) << rule << "\n" << decisions;
}

TEST(QuickStart, KeepsWithinTheMemory) {
  Rng data(3);
  const Problem p = least_squares_problem(data, {.samples = 200, .dimension = 10});
  constexpr Index kMemory = 6000;
  Rng rng(1);
  const QuickStart found = quick_start(p.f, p.start, rng, {.memory = kMemory, .momentum = 0.0});
  EXPECT_EQ(found.batch, largest_batch(p.f, p.start, kMemory));
  EXPECT_LT(found.batch, 200);
  EXPECT_EQ(found.momentum, 0.0);
  const double first = p.f.value(p.start) - p.optimum->value;
  EXPECT_LE(found.value - p.optimum->value, 0.05 * first);
}

TEST(QuickStart, EndsAfterItsSteps) {
  Rng data(3);
  const Problem p = least_squares_problem(data, {.samples = 200, .dimension = 10});
  Rng rng(1);
  const QuickStart found = quick_start(p.f, p.start, rng, {.window = 20, .steps = 30});
  EXPECT_EQ(found.iterations, 30);
  EXPECT_EQ(found.stop, StopReason::budget);
  EXPECT_NE(found.decisions.to_text().find("all 30 steps are made"), std::string::npos);
}

/// f, which gets a Ctrl-C in its call number `at`.
struct Interrupted {
  Index calls = 0;
  FiniteSum f;
  Interrupted(const FiniteSum& inner, Index at)
      : f(inner.like([this, inner, at](const Var& w, const Batch& b) {
          if (++calls == at) std::raise(SIGINT);
          return inner(w, b);
        })) {}
};

TEST(LargestStableStep, EndsAtCtrlC) {
  const Problem p = diagonal_quadratic(Tensor{1.0, 0.1}, Tensor{1.0, -1.0});
  Rng rng(1);
  Interrupted whole(p.f, -1);
  largest_stable_step(whole.f, p.start, rng);
  for (Index at = 1; at < whole.calls; ++at) {
    Interrupted f(p.f, at);
    const StableStep found = largest_stable_step(f.f, p.start, rng);
    // The last step may have been made when it comes.
    EXPECT_TRUE(found.run.stop == StopReason::interrupted || at > whole.calls - 3) << at;
    EXPECT_LE(f.calls, at + 4) << at;
    EXPECT_DOUBLE_EQ(found.step, std::pow(10.0, 4.0 - static_cast<double>(found.tried.num_rows()))) << at;
  }
}

TEST(QuickStart, EndsAtCtrlCWithWhatItHas) {
  Rng data(3);
  const Problem p = least_squares_problem(data, {.samples = 40, .dimension = 3, .condition = 5.0});
  const QuickStartOptions options{.window = 10};
  const double first = p.f.value(p.start);
  Interrupted whole(p.f, -1);
  Rng rng(1);
  const Index all = (quick_start(whole.f, p.start, rng, options), whole.calls);
  for (Index at = 1; at < all; ++at) {
    Interrupted f(p.f, at);
    Rng same(1);
    const QuickStart found = quick_start(f.f, p.start, same, options);
    if (at < all - 3) {
      EXPECT_EQ(found.stop, StopReason::interrupted) << at;
    }
    EXPECT_LE(f.calls, at + 8) << at;  // the batch is chosen before the first run
    EXPECT_EQ(found.value, p.f.value(found.w)) << at;
    EXPECT_LE(found.value, first) << at;
    EXPECT_NE(found.decisions.to_text().find("interrupted"), std::string::npos) << at;
    if (at > all / 2) {
      EXPECT_LT(found.value, first) << at;
    }
  }
}

TEST(QuickStart, Errors) {
  const Problem p = diagonal_quadratic(Tensor{1.0}, Tensor{2.0});
  Rng rng(1);
  const auto error = [&](const QuickStartOptions& o) {
    return error_of<DomainError>([&] { quick_start(p.f, p.start, rng, o); });
  };
  EXPECT_EQ(error({.momentum = 1.0}), "[quick_start] momentum is 1; give 0 <= momentum < 1");
  EXPECT_EQ(error({.window = 0}), "[quick_start] windows of 0 steps, 100000 in all; give 1 or more of both");
  EXPECT_EQ(error({.plateau = 1.0}), "[quick_start] plateau is 1; give a number inside (0, 1)");
  EXPECT_EQ(error({.improvement = 0.0}), "[quick_start] improvement is 0; give a number inside (0, 1)");
  EXPECT_EQ(error({.least_step = kNan}), "[quick_start] least_step is nan; give a number inside (0, 1)");
  EXPECT_EQ(error({.memory = 1}).substr(0, 15), "[largest_batch]");
}

// ---- comparisons ------------------------------------------------------------------------------------------

/// A small instance of problem A, and optimizers of each kind.
struct Comparing {
  Problem p = make();
  std::vector<NamedOptimizer> optimizers{{"GD", Gd({.step = 1.0, .iterations = 40})},
                                         {"SGD", Sgd({.step = 0.01, .batch = 8, .epochs = 20})},
                                         {"SVRG", Svrg({.step = 0.02, .epochs = 8})},
                                         {"L-BFGS", Lbfgs({.iterations = 30})},
                                         {"values alone", ZerothOrder({.step = 1e-3, .iterations = 10})}};

  static Problem make() {
    Rng rng(3);
    return least_squares_problem(rng, {.samples = 100, .dimension = 5, .condition = 10.0});
  }
};

TEST(Compare, RunsAreThoseOfTheOptimizersAlone) {
  const Comparing c;
  const Comparison seen = compare(c.p.f, c.p.start, c.optimizers, {.seed = 5});
  ASSERT_EQ(seen.entries().size(), c.optimizers.size());
  for (const NamedOptimizer& named : c.optimizers) {
    Rng rng(5);
    const auto alone = named.optimizer.minimize(c.p.f, c.p.start, rng);
    const Comparison::Entry& entry = seen[named.name];
    EXPECT_TRUE(equal(entry.run.w.flat(), alone.w.flat())) << named.name;
    EXPECT_EQ(entry.run.value, alone.value);
    EXPECT_EQ(entry.run.spent, alone.spent) << named.name;
    EXPECT_EQ(entry.run.iterations, alone.iterations);
    EXPECT_EQ(entry.run.stop, alone.stop);
    EXPECT_EQ(entry.run.state_numbers, alone.state_numbers);
    EXPECT_FALSE(entry.to_target);

    ASSERT_GE(entry.looks.size(), 3u);
    EXPECT_EQ(entry.looks[0].value, c.p.f.value(c.p.start));
    EXPECT_EQ(entry.looks[0].component_gradients, 0);
    EXPECT_EQ(entry.looks.back().value, alone.value);
    EXPECT_EQ(entry.looks.back().component_gradients, alone.spent.gradients);
    for (std::size_t k = 1; k < entry.looks.size(); ++k) {
      EXPECT_GE(entry.looks[k].iterations, entry.looks[k - 1].iterations);
      EXPECT_GE(entry.looks[k].seconds, entry.looks[k - 1].seconds);
    }
  }
  const std::vector<Comparison::Look>& gd = seen["GD"].looks;
  for (std::size_t k = 0; k <= 40; ++k) {
    EXPECT_EQ(gd[k].component_gradients, 100 * static_cast<Index>(k));
    EXPECT_EQ(gd[k].iterations, static_cast<Index>(k));
  }
}

TEST(Compare, EndsAtTheTarget) {
  const Comparing c;
  const double first = c.p.f.value(c.p.start), best = c.p.optimum->value;
  const double target = best + 0.05 * (first - best);
  const Comparison seen =
      compare(c.p.f, c.p.start, {c.optimizers[0], {"stays", Gd({.step = 1e-9, .iterations = 3})}},
              {.target = target});
  const Comparison::Entry& gd = seen["GD"];
  EXPECT_EQ(gd.run.stop, StopReason::target);
  EXPECT_LE(gd.run.value, target);
  ASSERT_TRUE(gd.to_target);
  EXPECT_EQ(*gd.to_target, 100 * gd.run.iterations);
  EXPECT_EQ(*gd.to_target, gd.run.spent.gradients);
  EXPECT_GT(c.p.f.value(Gd({.step = 1.0, .iterations = gd.run.iterations - 1}).minimize(c.p.f, c.p.start).w),
            target);
  EXPECT_EQ(seen["stays"].run.stop, StopReason::finished);
  EXPECT_FALSE(seen["stays"].to_target);
  EXPECT_NE(seen.to_string().find("not reached"), std::string::npos);
}

TEST(Compare, SeesPenalties) {
  const Problem p = diagonal_quadratic(Tensor{1.0, 1.0}, Tensor{2.0, 2.0});
  const Comparison seen =
      compare(p.f, p.start, {{"prox", ProximalGd(l1(1.0), {.step = 0.5, .iterations = 2})}});
  EXPECT_EQ(seen["prox"].looks[0].value, 4.0 + 4.0);
  EXPECT_EQ(seen["prox"].looks.back().value, seen["prox"].run.value);
}

TEST(Compare, WritesTablesAndFiles) {
  const Problem p = diagonal_quadratic(Tensor{1.0, 0.5}, Tensor{2.0, 2.0});
  const Comparison seen =
      compare(p.f, p.start,
              {{"plain", Gd({.step = 1.0, .iterations = 2})},
               {"a \"heavy, ball\"", Gd({.step = 1.0, .iterations = 2, .momentum = 0.5})}},
              {.every = 2, .optimum = 0.0});
  const report::Table table = seen.table();
  EXPECT_EQ(table.num_rows(), 2);
  EXPECT_EQ(table.num_columns(), 8);
  EXPECT_NE(table.to_markdown().find("| plain | 0.0625 | 2 | 0 | 0 | "), std::string::npos)
      << table.to_markdown();
  EXPECT_NE(table.to_markdown().find(" | 16 | finished |"), std::string::npos) << table.to_markdown();

  const TemporaryDirectory folder;
  seen.save_csv(folder / "looks.csv");
  const std::string text = test::read_bytes(folder / "looks.csv");
  EXPECT_EQ(text.substr(0, text.find('\n')), "optimizer,iterations,component_gradients,seconds,value");
  EXPECT_NE(text.find("\"plain\",0,0,"), std::string::npos) << text;
  EXPECT_NE(text.find("\"a \"\"heavy, ball\"\"\",2,2,"), std::string::npos) << text;
  for (const auto axis : {Comparison::Axis::component_gradients, Comparison::Axis::seconds}) {
    const report::Drawn drawn = seen.draw(folder / "compared.svg", axis);
    if (!drawn.drawn) GTEST_SKIP() << "there is no gnuplot";
    EXPECT_TRUE(std::filesystem::exists(folder / "compared.svg"));
    EXPECT_EQ(drawn.note, "");
  }
}

// A run that ends on its target exactly ends on the target's line, whatever the optimum is.
TEST(Compare, TheTargetsLineIsWhereACurveEnds) {
  const FiniteSum f = objective([](const Var& w) { return 1.0 + dot(w, w); });
  const Params start({{"w", Tensor{2.0}}});
  const TemporaryDirectory folder;
  for (const double optimum : {0.0, 1.0}) {
    const Comparison seen = compare(f, start, {{"GD", Gd({.step = 0.25, .iterations = 9})}},
                                    {.target = 1.0625, .optimum = optimum});
    ASSERT_EQ(seen["GD"].run.value, 1.0625) << "w is halved three times";
    ASSERT_EQ(seen["GD"].run.stop, StopReason::target);
    const report::Drawn drawn = seen.draw(folder / "compared.svg", Comparison::Axis::component_gradients);
    if (!drawn.drawn) GTEST_SKIP() << "there is no gnuplot";
    const test::Finished python = test::run_python(R"py(
import re, sys, xml.etree.ElementTree as E
ns = '{http://www.w3.org/2000/svg}'
groups = E.parse(sys.argv[1]).iter(ns + 'g')
curves = [g for g in groups if (g.get('id') or '').startswith('gnuplot_plot_')]
# The first two points of a path are the legend's sample.
paths = [g.find('.//' + ns + 'path').get('d') for g in curves]
run, target = [re.findall('[ML] *[0-9.]+,([0-9.]+)', path)[2:] for path in paths]
print(len(run), len(set(run)), target == [run[-1], run[-1]])
)py",
                                                   {folder / "compared.svg"});
    EXPECT_EQ(python.output, "4 4 True\n") << optimum;
  }
}

TEST(Compare, EndsAtCtrlCWithWhatItHas) {
  const Comparing c;
  const std::vector<NamedOptimizer> three{{"explodes", Gd({.step = 1e200, .iterations = 9})},
                                          {"GD", Gd({.step = 1.0, .iterations = 9})},
                                          {"again", Gd({.step = 1.0, .iterations = 9})}};
  Interrupted whole(c.p.f, -1);
  compare(whole.f, c.p.start, three);
  std::size_t entries = 1;
  for (Index at = 1; at <= whole.calls; ++at) {
    Interrupted f(c.p.f, at);
    const Comparison seen = compare(f.f, c.p.start, three);
    EXPECT_GE(seen.entries().size(), entries) << at;
    entries = seen.entries().size();
    EXPECT_LE(f.calls, at + 4) << at;
    EXPECT_FALSE(seen.table().to_text().empty());
    for (const Comparison::Entry& entry : seen.entries()) EXPECT_TRUE(std::isfinite(entry.run.value));
  }
  EXPECT_EQ(entries, 3u);
  Interrupted f(c.p.f, whole.calls / 2);
  EXPECT_EQ(compare(f.f, c.p.start, three).entries().back().run.stop, StopReason::interrupted);
}

TEST(Compare, Errors) {
  const Problem p = diagonal_quadratic(Tensor{1.0}, Tensor{2.0});
  const Gd gd({.iterations = 1});
  const auto error = [&](const std::vector<NamedOptimizer>& list, const CompareOptions& o = {}) {
    return error_of<DomainError>([&] { compare(p.f, p.start, list, o); });
  };
  EXPECT_EQ(error({}), "[compare] there is no optimizer; give {{\"GD\", Gd({...})}, ...}");
  EXPECT_EQ(error({{"a", gd}, {"", gd}}), "[compare] optimizer 1 has no name; give it one");
  EXPECT_EQ(error({{"a", gd}, {"a", gd}}),
            "[compare] two optimizers are called \"a\"; give each a name of its own");
  EXPECT_EQ(error({{"a", gd}}, {.every = 0}), "[compare] every is 0; give 1 or more, or none for n");
  EXPECT_EQ(error({{"a", gd}}, {.target = kNan}),
            "[compare] target is nan; give the value to reach, or none");
  EXPECT_EQ(error({{"a", gd}}, {.optimum = kNan}),
            "[compare] optimum is nan; give a finite number, such as 0");
  EXPECT_EQ(error_of<DomainError>([&] {
              compare(p.f, p.start, {{"a", gd}})["b"];
            }),
            "[Comparison] no optimizer \"b\"; there are a");
}

}  // namespace
}  // namespace cotangent::optim
