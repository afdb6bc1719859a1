// Line searches, trial by trial: what they ask of answers made up beforehand, and what they take.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/parts.hpp"

namespace cotangent::optim {
namespace {

using test::Bench, test::MadeLine, test::error_of;
using Found = Line::Found;
using Steps = std::vector<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kNoise = 4.0 * std::numeric_limits<double>::epsilon();  // of the value 1

double above(double x) { return std::nextafter(x, std::numeric_limits<double>::infinity()); }
double below(double x) { return std::nextafter(x, -std::numeric_limits<double>::infinity()); }

/// What a search took and what it asked.
struct Searched {
  double step;
  Steps asked;
};

/// One search after another.
class Search {
 public:
  explicit Search(const Step& step) : size_(step.begin()) {}
  Searched operator()(double value, double slope, const std::vector<Found>& answers,
                      double gradient_norm = 1.0) {
    MadeLine line(value, slope, answers);
    const double step = size_->next(bench_.at(Tensor{0.0}, value, gradient_norm), line);
    return {step, line.asked};
  }

 private:
  Bench bench_{objective([](const Var& w) { return dot(w, w); }), Tensor{0.0}};
  std::unique_ptr<StepSize> size_;
};

Searched wolfe(const WolfeOptions& options, double value, double slope, const std::vector<Found>& answers,
               double gradient_norm = 1.0) {
  return Search(strong_wolfe(options))(value, slope, answers, gradient_norm);
}

/// t^3 + a t^2 + b t, whose derivative 3 (t - least) (t + most) has its zeros there.
struct Cubic {
  double least, most;
  double value(double t) const { return t * t * t + 1.5 * (most - least) * t * t - 3.0 * least * most * t; }
  double slope(double t) const { return 3.0 * (t - least) * (t + most); }
  Found at(double t) const { return {value(t), slope(t)}; }
};

// ---- strong Wolfe -----------------------------------------------------------------------------------------

TEST(StrongWolfeTrials, AskNothingWhereNothingLeadsDown) {
  for (const double slope : {0.0, 0.5, kNan}) {
    const Searched none = wolfe({}, 1.0, slope, {{0.0, 0.0}});
    EXPECT_EQ(none.step, 0.0) << slope;
    EXPECT_EQ(none.asked, Steps{}) << slope;
  }
}

TEST(StrongWolfeTrials, TakeWhatMeetsBothConditionsExactly) {
  // From 1 with the slope -1: f <= 3/4 + rounding and |slope| <= 1/2 at the step 1.
  const WolfeOptions options{.decrease = 0.25, .curvature = 0.5};
  const double highest = 0.75 + kNoise;
  for (const double slope : {-0.5, 0.0, 0.5}) {
    const Searched taken = wolfe(options, 1.0, -1.0, {{highest, slope}});
    EXPECT_EQ(taken.step, 1.0) << slope;
    EXPECT_EQ(taken.asked, Steps{1.0}) << slope;
  }
  const Found good{0.0, 0.0};
  EXPECT_EQ(wolfe(options, 1.0, -1.0, {{above(highest), 0.0}, good}).asked.size(), 2u);
  EXPECT_EQ(wolfe(options, 1.0, -1.0, {{0.5, below(-0.5)}, good}).asked, (Steps{1.0, 2.0}));
  const Searched back = wolfe(options, 1.0, -1.0, {{0.5, above(0.5)}, good});
  ASSERT_EQ(back.asked.size(), 2u);
  EXPECT_LT(back.asked[1], 1.0);
  EXPECT_EQ(back.step, back.asked[1]);
}

TEST(StrongWolfeTrials, GoToTheLeastPointOfTheCubic) {
  const WolfeOptions strict{.curvature = 0.01};
  // Between the start and a trial that is too high; near the start, too.
  for (const double least : {0.5, 0.3, 0.15, 0.05, 1e-6}) {
    const Cubic f{least, 1.0};
    const Searched found = wolfe(strict, 0.0, f.slope(0.0), {f.at(1.0), f.at(least)});
    ASSERT_EQ(found.asked.size(), 2u) << least;
    EXPECT_NEAR(found.asked[1], least, 1e-15) << least;
    EXPECT_EQ(found.step, found.asked[1]) << least;
  }
  // Between two trials, of which the second is higher. Where the third fails, the next is in the middle of it
  // and of the lower end.
  const Cubic later{1.4, 3.0};
  const Searched two = wolfe(strict, 0.0, later.slope(0.0), {later.at(1.0), later.at(2.0), {kNan, kNan}});
  EXPECT_EQ(two.asked[1], 2.0);
  EXPECT_NEAR(two.asked[2], 1.4, 1e-14);
  EXPECT_NEAR(two.asked[3], 1.2, 1e-14);
  // Back from a trial beyond the least point, which is the lower end.
  const Cubic sooner{0.7, 2.0};
  const Searched back = wolfe(strict, 0.0, sooner.slope(0.0), {sooner.at(1.0), {kNan, kNan}});
  EXPECT_NEAR(back.asked[1], 0.7, 1e-14);
  EXPECT_NEAR(back.asked[2], 0.85, 1e-14);
}

/// The least point of the cubic through two trials, from its form in u = (t - a) / (b - a).
double between(double a, const Found& at_a, double b, const Found& at_b) {
  const double width = b - a, rise = at_b.value - at_a.value;
  const double c1 = width * at_a.slope, c2 = 3.0 * rise - width * (2.0 * at_a.slope + at_b.slope),
               c3 = width * (at_a.slope + at_b.slope) - 2.0 * rise;
  return a - width * c1 / (c2 + std::sqrt(c2 * c2 - 3.0 * c1 * c3));
}

TEST(StrongWolfeTrials, KeepTheEndToWhichTheLowerOneFalls) {
  const WolfeOptions strict{.curvature = 0.01};
  const Cubic f{1.4, 3.0};
  const Found one = f.at(1.0), two = f.at(2.0);
  {  // The third trial, at 1.4, is the lowest and rises: the least point is between 1 and 1.4.
    const Found third{-9.3, 0.6};
    const Searched s = wolfe(strict, 0.0, f.slope(0.0), {one, two, third, {kNan, kNan}});
    EXPECT_NEAR(s.asked[3], between(1.4, third, 1.0, one), 1e-12);
    EXPECT_NEAR(s.asked[4], 0.5 * (1.4 + s.asked[3]), 1e-14);
  }
  {  // It falls: between 1.4 and 2.
    const Found third{-9.3, -0.6};
    const Searched s = wolfe(strict, 0.0, f.slope(0.0), {one, two, third, {kNan, kNan}});
    EXPECT_NEAR(s.asked[3], between(1.4, third, 2.0, two), 1e-12);
    EXPECT_NEAR(s.asked[4], 0.5 * (1.4 + s.asked[3]), 1e-14);
  }
  // The second trial is lower and rises: between it and the first.
  const Found falls{-9.0, -5.0}, rises{-9.5, 4.0};
  const double least = between(2.0, rises, 1.0, falls);
  for (const double slope : {0.6, -0.6}) {  // of the third: between it and 1, or 2
    const Found third{-9.8, slope};
    const Searched s = wolfe(strict, 0.0, -12.6, {falls, rises, third, {kNan, kNan}});
    EXPECT_NEAR(s.asked[2], least, 1e-14);
    const double expected =
        slope > 0.0 ? between(least, third, 1.0, falls) : between(least, third, 2.0, rises);
    EXPECT_NEAR(s.asked[3], expected, 1e-12) << slope;
    EXPECT_NEAR(s.asked[4], 0.5 * (least + s.asked[3]), 1e-13) << slope;
  }
}

TEST(StrongWolfeTrials, HalveWhereTheCubicHelpsLittle) {
  const Found bad{kNan, kNan};
  EXPECT_EQ(wolfe({.first = 4.0}, 0.0, -1.0, {bad}).asked[1], 2.0);
  // Its least point at a tenth of the way and at nine tenths is one to try, exactly there.
  EXPECT_EQ(wolfe({.first = 10.0}, 0.0, -14.75, {{920.0 / 3.0, 42.75}, bad}).asked[1], 1.0);
  const WolfeOptions steep{.first = 10.0, .decrease = 0.75, .curvature = 0.8};
  EXPECT_EQ(wolfe(steep, 0.0, -42.75, {{-920.0 / 3.0, 14.75}, bad}).asked[1], 9.0);
  // Nearer to the far end it is not.
  const Cubic far{9.5, 10.0}, near{9.5, 20.0};
  ASSERT_GT(far.value(10.0), 7.5 * far.slope(0.0));
  EXPECT_EQ(wolfe(steep, 0.0, far.slope(0.0), {far.at(10.0), bad}).asked[1], 5.0);
  // Nor is it nearer to the lower end, if that is not the start.
  EXPECT_EQ(wolfe({.first = 10.0, .curvature = 0.01}, 0.0, near.slope(0.0), {near.at(10.0), bad}).asked[1],
            5.0);
  // From the start at least 1e-12 of the way is gone.
  EXPECT_EQ(wolfe({.first = 4.0}, 0.0, -1e-20, {{1.0, 0.5}, bad}).asked[1], 4e-12);
  // It has no least point.
  EXPECT_EQ(wolfe({.decrease = 0.75, .curvature = 0.8}, 0.0, -1.0, {{-0.5, -1.0}, bad}).asked[1], 0.5);
}

TEST(StrongWolfeTrials, TellValuesApartUpToTheirRounding) {
  const WolfeOptions strict{.curvature = 0.1};
  // The second trial, at 2, is as good as the first unless it is higher by more than rounding.
  const Found first{0.5, -0.5};
  EXPECT_EQ(wolfe(strict, 1.0, -1.0, {first, {below(0.5 + kNoise), 0.0}}).step, 2.0);
  EXPECT_LT(wolfe(strict, 1.0, -1.0, {first, {0.5 + kNoise, 0.0}, {0.0, 0.0}}).step, 2.0);
  // The start, which meets no condition, is no such trial.
  EXPECT_EQ(wolfe({}, 1.0, -1e-15, {{1.0 + kNoise, -5e-16}, {0.0, 0.0}}).asked, Steps{1.0});
}

TEST(StrongWolfeTrials, BeginAtALengthWhereTheValueCannotTell) {
  const Found good{0.0, 0.0};
  EXPECT_EQ(wolfe({}, 1.0, -kNoise, {good}, 0.5).asked, Steps{2.0});
  EXPECT_EQ(wolfe({}, 1.0, below(-kNoise), {good}, 0.5).asked, Steps{1.0});
  // Later at the last step that was taken, if that is longer than the first.
  Search search(strong_wolfe());
  EXPECT_EQ(search(1.0, -1.0, {{0.5, -0.95}, {0.25, -0.95}, good}).asked, (Steps{1.0, 2.0, 4.0}));
  EXPECT_EQ(search(1.0, -kNoise, {good}, 0.5).asked, Steps{4.0});
  EXPECT_EQ(search(1.0, -1.0, {good}).asked, Steps{1.0});
}

TEST(StrongWolfeTrials, EndWithTheBestOfThem) {
  // Every value is too high for the decrease asked for.
  const WolfeOptions three{.decrease = 0.9, .curvature = 0.95, .trials = 3};
  const auto of = [&](const std::vector<Found>& answers) { return wolfe(three, 1.0, -1.0, answers); };
  {
    const Searched s = of({{0.95, 1.0}, {0.9, 1.0}, {0.97, 1.0}});
    ASSERT_EQ(s.asked.size(), 4u);
    EXPECT_EQ(s.step, s.asked[1]);
    EXPECT_EQ(s.asked[3], s.step);  // looked at last, for the next iteration
  }
  EXPECT_EQ(of({{0.9, 1.0}, {0.9, 1.0}, {0.97, 1.0}}).step, 1.0);
  {
    const Searched s = of({{kNan, kNan}, {0.99, 1.0}, {kNan, kNan}});
    EXPECT_EQ(s.step, 0.5);
    EXPECT_EQ(s.asked.size(), 4u);
    EXPECT_EQ(s.asked[3], 0.5);
  }
  for (const double value : {1.0, 2.0, kNan}) {
    const Searched none = of({{value, 1.0}});
    EXPECT_EQ(none.step, 0.0) << value;
    EXPECT_EQ(none.asked.size(), 3u) << value;
  }
  // Steps that double as long as f falls steeply.
  EXPECT_EQ(wolfe({.trials = 3}, 1.0, -1.0, {{0.0, -1.0}, {-1.0, -1.0}, {-3.0, -1.0}}).asked,
            (Steps{1.0, 2.0, 4.0, 4.0}));
}

TEST(StrongWolfeTrials, AreOfASearch) {
  const FiniteSum f = objective([](const Var& w) { return dot(w, w); });
  EXPECT_NE(error_of<DomainError>([&] {
              Gd({.step = strong_wolfe(), .weight_decay = 0.1}).minimize(f, Tensor{1.0});
            }).find("weight decay is not in f"),
            std::string::npos);
}

// ---- backtracking -----------------------------------------------------------------------------------------

TEST(BacktrackingTrials, TakeWhatMeetsArmijosConditionExactly) {
  const Step step = backtracking({.decrease = 0.25});
  const double highest = 0.75 + kNoise;
  EXPECT_EQ(Search(step)(1.0, -1.0, {{highest, 0.0}}).asked, Steps{1.0});
  const Searched shortened = Search(step)(1.0, -1.0, {{above(highest), 0.0}, {0.5, 0.0}});
  EXPECT_EQ(shortened.asked, (Steps{1.0, 0.5}));
  EXPECT_EQ(shortened.step, 0.5);
}

TEST(BacktrackingTrials, BeginAtALengthWhereTheValueCannotTell) {
  const Found good{0.0, 0.0};
  const Step step = backtracking({.first = 2.0});
  EXPECT_EQ(Search(step)(1.0, -0.5 * kNoise, {good}, 0.25).asked, Steps{8.0});
  EXPECT_EQ(Search(step)(1.0, below(-0.5 * kNoise), {good}, 0.25).asked, Steps{2.0});
  EXPECT_EQ(Search(step)(1.0, 0.0, {{1.0, 0.0}}, 0.0).asked, Steps{2.0});  // no length has a scale
  // Later at `growth` times the last step.
  for (const double first : {1.0, 4.0}) {
    Search search(backtracking({.first = first, .growth = 3.0}));
    EXPECT_EQ(search(1.0, -1.0, {{-9.0, 0.0}}).step, first);
    EXPECT_EQ(search(1.0, -1e-30, {{1.0, 0.0}}, 0.25).asked, Steps{3.0 * first});
  }
}

TEST(BacktrackingTrials, AreSixtyOfEachBeginning) {
  const Found bad{kNan, kNan};
  Search search(backtracking());
  const Searched first = search(1.0, -1.0, {bad}, 0.25);  // from 1, and from a step of length 1
  EXPECT_EQ(first.step, 0.0);
  ASSERT_EQ(first.asked.size(), 120u);
  EXPECT_EQ(first.asked[0], 1.0);
  EXPECT_EQ(first.asked[59], std::ldexp(1.0, -59));
  EXPECT_EQ(first.asked[60], 4.0);
  EXPECT_EQ(search(1.0, -1.0, {{0.0, 0.0}}).step, 1.0);
  const Searched later = search(1.0, -1.0, {bad}, 0.25);  // from twice the last one as well
  EXPECT_EQ(later.step, 0.0);
  ASSERT_EQ(later.asked.size(), 180u);
  EXPECT_EQ(later.asked[0], 2.0);
  EXPECT_EQ(later.asked[60], 1.0);
  EXPECT_EQ(later.asked[120], 4.0);
  EXPECT_EQ(search(1.0, -1.0, {{-9.0, 0.0}}).asked, Steps{2.0});  // the last that was taken is 1 still
}

// ---- without a search -------------------------------------------------------------------------------------

TEST(Polyak, KeepsTheStepBeforeAtTheOptimum) {
  Search search(polyak(0.5));
  EXPECT_EQ(search(1.0, -1.0, {}, 2.0).step, 0.125);
  EXPECT_EQ(search(0.5, -1.0, {}, 2.0).step, 0.125);
  EXPECT_EQ(search(1.0, -1.0, {}, 0.0).step, 0.125);
}

TEST(Plateau, CountsFromItsLastFallAndByTheShareOfTheBest) {
  Search search(plateau({.step = 1.0, .factor = 0.5, .patience = 2, .improvement = 0.25}));
  Steps steps;
  for (const double value : {4.0, 3.0, 3.0, 3.0, 3.0, 2.9, 2.2, 2.2})
    steps.push_back(search(value, -1.0, {}).step);
  // 3 is no improvement of 4 by more than a quarter, 2.9 is one, and 2.2 is none of that.
  EXPECT_EQ(steps, (Steps{1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125}));
}

}  // namespace
}  // namespace cotangent::optim
