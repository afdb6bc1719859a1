// check_gradient is itself tested with operations whose rules are deliberately wrong, by 0.1 % and worse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "autodiff/check_gradient.hpp"
#include "autodiff/checkpoint.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape/record.hpp"
#include "autodiff/tensor/access.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

using detail::Keep;
using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

Tensor power(const Tensor& x, int exponent) {
  Tensor y = detail::uninitialized(x.shape());
  for (Index i = 0; i < x.size(); ++i)
    detail::mutable_data(y)[i] = std::pow(x.data()[static_cast<std::size_t>(i)], exponent);
  return y;
}
Tensor cube_of(const OpInputs& in, const OpAttributes&) { return power(in[0], 3); }
Tensor square_of(const OpInputs& in, const OpAttributes&) { return power(in[0], 2); }

const Op kRight({.name = "test cube",
                 .forward = cube_of,
                 .pullback = [](const OpRecord& p, const Var& g,
                                OpCotangents& out) { out.add(0, 3.0 * (g * square(p.in(0)))); },
                 .keep = Keep::kInputs});

const Op kOffAtFirstOrder({.name = "test cube, off at first order",
                           .forward = cube_of,
                           .pullback = [](const OpRecord& p, const Var& g,
                                          OpCotangents& out) { out.add(0, 3.003 * (g * square(p.in(0)))); },
                           .keep = Keep::kInputs});

// Its value is right, its derivative is off: a cube that uses it in its rule is wrong at second order only.
const Op kSquareOff({.name = "test square, off at first order",
                     .forward = square_of,
                     .pullback = [](const OpRecord& p, const Var& g,
                                    OpCotangents& out) { out.add(0, 2.002 * (g * p.in(0))); },
                     .keep = Keep::kInputs});

const Op kOffAtSecondOrder({.name = "test cube, off at second order",
                            .forward = cube_of,
                            .pullback =
                                [](const OpRecord& p, const Var& g, OpCotangents& out) {
                                  out.add(0, 3.0 * (g * detail::apply(kSquareOff, p.in(0))));
                                },
                            .keep = Keep::kInputs});

// Computing with plain numbers instead of Vars loses the second derivative.
const Op kDetached({.name = "test cube, detached",
                    .forward = cube_of,
                    .pullback = [](const OpRecord& p, const Var& g,
                                   OpCotangents& out) { out.add(0, 3.0 * (g * power(p.in(0).value(), 2))); },
                    .keep = Keep::kInputs});

const Op kWrongSign({.name = "test cube, one element's sign wrong",
                     .forward = cube_of,
                     .pullback =
                         [](const OpRecord& p, const Var& g, OpCotangents& out) {
                           Tensor signs = Tensor::from(Tensor::ones(p.shape(0)).data(), p.shape(0));
                           detail::mutable_data(signs)[0] = -1.0;
                           out.add(0, signs * (3.0 * (g * square(p.in(0)))));
                         },
                     .keep = Keep::kInputs});

const Op kNotANumber({.name = "test cube, NaN",
                      .forward = cube_of,
                      .pullback = [](const OpRecord& p, const Var& g,
                                     OpCotangents& out) { out.add(0, std::nan("") * (g * p.in(0))); },
                      .keep = Keep::kInputs});

const Op kInfinite({.name = "test cube, infinite",
                    .forward = cube_of,
                    .pullback = [](const OpRecord& p, const Var& g,
                                   OpCotangents& out) { out.add(0, INFINITY * square(g * p.in(0))); },
                    .keep = Keep::kInputs});

const Op kForgets({.name = "test cube without a cotangent",
                   .forward = cube_of,
                   .pullback = [](const OpRecord&, const Var&, OpCotangents&) {}});

const Op kWrongShape({.name = "test cube, summed",
                      .forward = cube_of,
                      .pullback = [](const OpRecord& p, const Var& g,
                                     OpCotangents& out) { out.add(0, sum(3.0 * (g * square(p.in(0))))); },
                      .keep = Keep::kInputs});

const Op kNoRule({.name = "test step", .forward = square_of, .pullback = nullptr});

GradientCheck check_of(const Op& op, const GradientCheckOptions& options = {}) {
  Rng rng(3);
  const Tensor x = rng.uniform(Shape{2, 3}, 0.5, 2.0);
  return check_gradient([&](const Var& v) { return detail::apply(op, v); }, x, options);
}

/// Whether all comparisons of one order are within `tolerance`.
bool order_holds(const GradientCheck& check, int order, double tolerance = 1e-6) {
  bool holds = true;
  for (const GradientCheckRow& row : check.rows)
    if (row.order == order) holds = holds && row.error <= tolerance;
  return holds;
}

TEST(CheckGradient, PassesARightRule) {
  const GradientCheck check = check_of(kRight);
  EXPECT_TRUE(check.passed) << check.to_string();
  EXPECT_LE(check.worst_error, 1e-8);
  EXPECT_EQ(check.rows.size(), 8u);
  EXPECT_THAT(check.to_string(), AllOf(HasSubstr("passed"), Not(HasSubstr("FAILED"))));
}

TEST(CheckGradient, FailsARuleThatIsOffByATenthOfAPercent) {
  const GradientCheck check = check_of(kOffAtFirstOrder);
  EXPECT_FALSE(check.passed);
  EXPECT_FALSE(order_holds(check, 1));
  EXPECT_NEAR(check.worst_error, 1e-3, 1e-4);
  EXPECT_THAT(check.to_string(), AllOf(HasSubstr("FAILED"), HasSubstr("<- worst")));
}

TEST(CheckGradient, FailsARuleThatIsOffAtSecondOrderOnly) {
  EXPECT_TRUE(check_of(kOffAtSecondOrder, {.order = 1}).passed);
  const GradientCheck check = check_of(kOffAtSecondOrder);
  EXPECT_FALSE(check.passed);
  EXPECT_TRUE(order_holds(check, 1)) << check.to_string();
  EXPECT_FALSE(order_holds(check, 2));
  EXPECT_NEAR(check.worst_error, 1e-3, 1e-4);
}

TEST(CheckGradient, FailsARuleThatDetaches) {
  const GradientCheck check = check_of(kDetached);
  EXPECT_FALSE(check.passed);
  EXPECT_TRUE(order_holds(check, 1)) << check.to_string();
  EXPECT_FALSE(order_holds(check, 2, 0.5));
}

TEST(CheckGradient, FailsOneWrongElementOfMany) { EXPECT_FALSE(check_of(kWrongSign).passed); }

TEST(CheckGradient, FailsNaNAndInfinity) {
  EXPECT_FALSE(check_of(kNotANumber).passed);
  EXPECT_EQ(check_of(kNotANumber).worst_error, HUGE_VAL);
  EXPECT_FALSE(check_of(kInfinite).passed);
}

TEST(CheckGradient, FailsARuleThatForgetsItsInput) {
  EXPECT_FALSE(check_of(kForgets).passed);
  EXPECT_FALSE(check_of(kNoRule).passed);
}

TEST(CheckGradient, AWrongShapeIsAnErrorWithBothShapes) {
  EXPECT_THAT(error_of<ShapeError>([] { check_of(kWrongShape); }),
              AllOf(HasSubstr("[test cube, summed]"), HasSubstr("pullback"), HasSubstr("gave []"),
                    HasSubstr("input 0"), HasSubstr("[2, 3]")));
}

// A rule wrong only for one of two parameters, the larger of which dominates the value.
TEST(CheckGradient, SeesThroughAMixtureOfRightAndWrong) {
  const Params w({{"right", Tensor{1.0, 2.0, 1.5}}, {"wrong", Tensor{0.7, 1.1}}});
  const auto f = [](const Op& op) {
    return [&op](const Var& v) {
      return sum(detail::apply(kRight, view(v, 0, Shape{3}))) + sum(detail::apply(op, view(v, 3, Shape{2})));
    };
  };
  EXPECT_TRUE(check_gradient(f(kRight), w).passed);
  EXPECT_FALSE(check_gradient(f(kOffAtFirstOrder), w).passed);
  EXPECT_FALSE(check_gradient(f(kOffAtSecondOrder), w).passed);
}

TEST(CheckGradient, ASmoothRuleThatIsWrongIsNotCalledAKink) {
  EXPECT_EQ(check_of(kOffAtFirstOrder).outcome, GradientOutcome::failed);
  EXPECT_EQ(check_of(kOffAtSecondOrder).outcome, GradientOutcome::failed);
  EXPECT_EQ(check_of(kForgets).outcome, GradientOutcome::failed);
  EXPECT_EQ(check_of(kNotANumber).outcome, GradientOutcome::failed);
  EXPECT_EQ(check_of(kRight).outcome, GradientOutcome::passed);
  EXPECT_THAT(check_of(kOffAtFirstOrder).to_string(), Not(HasSubstr("kink")));
}

GradientCheck check_at(VarFunction f, const Tensor& x, int order) {
  return check_gradient(f, x, {.order = order});
}

TEST(CheckGradient, AKinkAtThePointIsReported) {
  const GradientCheck check = check_at([](const Var& x) { return relu(x); }, Tensor{0.0, 1.0}, 1);
  EXPECT_FALSE(check.passed);
  EXPECT_EQ(check.outcome, GradientOutcome::kink);
  EXPECT_THAT(check.to_string(), AllOf(HasSubstr("met a kink"), HasSubstr("kinks crossed: 1"),
                                       HasSubstr("from the left"), Not(HasSubstr("FAILED"))));
  for (const GradientCheckRow& row : check.rows) {
    EXPECT_EQ(row.flips, 1);
    EXPECT_GE(row.analytic, std::fmin(row.left, row.right) - 1e-9);
    EXPECT_LE(row.analytic, std::fmax(row.left, row.right) + 1e-9);
    EXPECT_GT(std::fabs(row.left - row.right), 1e-3);
  }
}

TEST(CheckGradient, RightRulesAtOrNearAKinkAreReportedAtBothOrders) {
  const auto net = [](const Var& x) { return square(leaky_relu(x, 0.1)) + tanh(relu(x)) * x + elu(x, 2.0); };
  for (const double at : {0.0, 3e-7, -3e-7, 4e-6, -4e-6}) {
    const GradientCheck check = check_at(net, Tensor{at, 0.7, -0.4}, 2);
    EXPECT_EQ(check.outcome, GradientOutcome::kink) << at << "\n" << check.to_string();
  }
  EXPECT_EQ(check_at(net, Tensor{0.3, 0.7, -0.4}, 2).outcome, GradientOutcome::passed);
}

TEST(CheckGradient, ATieOfAnExtremeIsAKink) {
  for (const double other : {1.0, 1.0 + 3e-6}) {
    const Tensor x{1.0, other, 0.2};
    EXPECT_EQ(check_at([](const Var& v) { return max(v); }, x, 1).outcome, GradientOutcome::kink);
    EXPECT_EQ(check_at([](const Var& v) { return square(min(-v, 0)); }, x, 2).outcome, GradientOutcome::kink);
  }
}

// A ramp whose rule takes `slope` at 0 and near it, whatever its values do.
template <int kPercent>
const Op kRampWithSlope({.name = "test ramp",
                         .forward =
                             [](const OpInputs& in, const OpAttributes&) {
                               Tensor y = detail::uninitialized(in.shape(0));
                               for (Index i = 0; i < y.size(); ++i)
                                 detail::mutable_data(y)[i] =
                                     std::fmax(in[0].data()[static_cast<std::size_t>(i)], 0.0);
                               return y;
                             },
                         .pullback =
                             [](const OpRecord& p, const Var& g, OpCotangents& out) {
                               Tensor slope = detail::uninitialized(p.shape(0));
                               for (Index i = 0; i < slope.size(); ++i) {
                                 const double x = p.in(0).value().data()[static_cast<std::size_t>(i)];
                                 detail::mutable_data(slope)[i] =
                                     std::fabs(x) < 1e-3 ? kPercent / 100.0 : x > 0.0;
                               }
                               out.add(0, g * Var(slope));
                             },
                         .keep = Keep::kInputs,
                         .at_kink = "1"});

template <int kPercent>
GradientOutcome ramp_outcome(double at) {
  return check_at([](const Var& x) { return detail::apply(kRampWithSlope<kPercent>, x); }, Tensor{at}, 1)
      .outcome;
}

TEST(CheckGradient, AWrongRuleAtAKinkFailsOutsideTheOneSidedDerivatives) {
  EXPECT_EQ(ramp_outcome<100>(0.0), GradientOutcome::kink);
  EXPECT_EQ(ramp_outcome<0>(0.0), GradientOutcome::kink);
  EXPECT_EQ(ramp_outcome<30>(0.0), GradientOutcome::kink);
  EXPECT_EQ(ramp_outcome<101>(0.0), GradientOutcome::failed);
  EXPECT_EQ(ramp_outcome<-1>(0.0), GradientOutcome::failed);
  EXPECT_EQ(ramp_outcome<170>(0.0), GradientOutcome::failed);
}

// Inside the step but beside the kink there is one derivative, and a number between the slopes is wrong.
TEST(CheckGradient, AWrongRuleBesideAKinkFails) {
  EXPECT_EQ(ramp_outcome<100>(2e-6), GradientOutcome::kink);
  EXPECT_EQ(ramp_outcome<30>(2e-6), GradientOutcome::failed);
  EXPECT_EQ(ramp_outcome<0>(2e-6), GradientOutcome::failed);
  EXPECT_EQ(ramp_outcome<0>(-2e-6), GradientOutcome::kink);
  EXPECT_EQ(ramp_outcome<100>(-2e-6), GradientOutcome::failed);
}

// relu(x) - relu(-x) is x, but both rules take 1 at 0: their sum is 2, no derivative from any side.
TEST(CheckGradient, KinksThatCancelAreKinksIfTheRulesAreRightBesideThem) {
  const auto f = [](const Var& x) { return relu(x) - relu(-x); };
  EXPECT_EQ(check_at(f, Tensor{0.0}, 1).outcome, GradientOutcome::kink);
  EXPECT_EQ(check_at(f, Tensor{0.5}, 2).outcome, GradientOutcome::passed);
  const auto net = [&](const Var& x) { return sin(f(x)) + f(x) * exp(x) + maximum(x, -x); };
  EXPECT_EQ(check_at(net, Tensor{0.0, 0.4}, 1).outcome, GradientOutcome::kink);
  // A wrong rule is not excused by kinks, neither its own nor those of others.
  const auto wrong = [&](const Var& x) { return f(x) + detail::apply(kOffAtFirstOrder, x); };
  EXPECT_EQ(check_at(wrong, Tensor{0.0, 0.7}, 1).outcome, GradientOutcome::failed);
  const auto twice = [](const Var& x) {
    return detail::apply(kRampWithSlope<170>, x) + detail::apply(kRampWithSlope<170>, x);
  };
  EXPECT_EQ(check_at(twice, Tensor{0.0}, 1).outcome, GradientOutcome::failed);
}

TEST(CheckGradient, EveryComparisonKnowsItsSideAtEquality) {
  const Tensor x{0.0, 1.0, -2.0};
  const auto outcome = [&](VarFunction f) { return check_gradient(f, x, {.order = 2}).outcome; };
  EXPECT_EQ(outcome([](const Var& v) { return where(greater(v, 0.0), v, 0.0 * v); }), GradientOutcome::kink);
  EXPECT_EQ(outcome([](const Var& v) { return where(less_equal(v, 0.0), 0.0 * v, v); }),
            GradientOutcome::kink);
  EXPECT_EQ(outcome([](const Var& v) { return v * greater(v, 0.0); }), GradientOutcome::kink);
  EXPECT_EQ(outcome([](const Var& v) { return v * greater_equal(v, 0.0); }), GradientOutcome::kink);
  EXPECT_EQ(outcome([](const Var& v) { return v * less(v, 0.0); }), GradientOutcome::kink);
}

TEST(CheckGradient, TheNormAtZeroAndACheckpointAreKinksToo) {
  const auto length = [](const Var& v) { return norm(v); };
  EXPECT_THROW(check_at(length, Tensor{0.0, 0.0}, 2), DomainError) << "it has no second derivative";
  const auto held = [](const Var& v) { return checkpoint([](const Var& z) { return relu(z); }, v); };
  EXPECT_EQ(check_at(held, Tensor{0.0, 1.0}, 2).outcome, GradientOutcome::kink);
}

// Small functions are compared as strictly as others.
TEST(CheckGradient, AWrongRuleOfASmallFunctionFails) {
  for (const double size : {1e-6, 1e-20, 1e-200}) {
    const auto right = [&](const Var& v) { return size * detail::apply(kRight, v); };
    const auto wrong = [&](const Var& v) { return size * detail::apply(kOffAtFirstOrder, v); };
    EXPECT_EQ(check_at(right, Tensor{1.0, -2.0}, 1).outcome, GradientOutcome::passed) << size;
    EXPECT_EQ(check_at(wrong, Tensor{1.0, -2.0}, 1).outcome, GradientOutcome::failed) << size;
  }
}

TEST(CheckGradient, NeitherInfinityNorTheLastDigitsPassForAgreement) {
  const auto overflows = [](const Var& v) { return 1.7e308 * v; };
  EXPECT_EQ(check_gradient(overflows, Tensor{0.1}, {.order = 1, .directions = 20}).outcome,
            GradientOutcome::failed);
  // Denormal derivatives have no digits left to compare.
  EXPECT_EQ(check_at([](const Var& v) { return exp(v); }, Tensor{-735.0}, 2).outcome,
            GradientOutcome::passed);
  // Flat points: differences of x^3 and x^5 are never 0, but fall as those of a flat point do.
  for (const int exponent : {2, 3, 4, 5, 6})
    EXPECT_EQ(check_at([&](const Var& v) { return pow(v, exponent); }, Tensor{0.0}, 1).outcome,
              GradientOutcome::passed)
        << exponent;
  const auto slope_lost = [](const Var& v) { return v * v * v + 1e-9 * detach(v); };
  EXPECT_EQ(check_at(slope_lost, Tensor{0.0}, 1).outcome, GradientOutcome::failed);
  // Shorter steps end before their own rounding passes for agreement.
  int passed = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto off = [](const Var& v) { return log(v) + 1e-5 * (detach(v) - v); };
    passed += check_gradient(off, Tensor{1.0}, {.order = 1, .directions = 1, .seed = seed}).passed;
  }
  EXPECT_EQ(passed, 0);
}

// Wrong at its kink alone, where one kink is no excuse for a slope that neither side has.
const Op kRampWrongAtZero({.name = "test ramp, wrong at 0",
                           .forward = [](const OpInputs& in,
                                         const OpAttributes&) { return maximum(in[0], 0.0).value(); },
                           .pullback =
                               [](const OpRecord& p, const Var& g, OpCotangents& out) {
                                 out.add(0, g * (greater(p.in(0), 0.0) + 2.0 * equal_to(p.in(0), 0.0)));
                               },
                           .keep = Keep::kInputs,
                           .at_kink = "2"});

TEST(CheckGradient, ARuleWrongAtItsKinkAloneFails) {
  const auto f = [](const Var& v) { return detail::apply(kRampWrongAtZero, v); };
  EXPECT_EQ(check_at(f, Tensor{0.0}, 1).outcome, GradientOutcome::failed);
  // No number at all is wrong, beside whatever kinks.
  const auto nowhere = [](const Var& v) { return relu(v) - relu(-v) + 0.0 * sqrt(v * v); };
  EXPECT_EQ(check_at(nowhere, Tensor{0.0}, 1).outcome, GradientOutcome::failed);
  // An element at both of its kinks.
  EXPECT_EQ(check_at([](const Var& v) { return clip(v, 1.0, 1.0); }, Tensor{1.0}, 1).outcome,
            GradientOutcome::kink);
}

// There the step is too long long before it reaches the kink.
TEST(CheckGradient, NearZeroOfTheNormShorterStepsAgree) {
  for (const double size : {1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
    const Tensor x{size, -0.5 * size};
    const GradientCheck check = check_at([](const Var& v) { return norm(v); }, x, 2);
    EXPECT_TRUE(check.passed) << size << "\n" << check.to_string();
    EXPECT_LE(check.worst_error, 1e-6);
    const auto off = [](const Var& v) { return norm(v) + 1e-4 * sum(detach(v) - v); };
    EXPECT_EQ(check_at(off, x, 1).outcome, GradientOutcome::failed) << size;
  }
  // Rounding hides what shorter steps would say: this is no pass.
  const auto hidden = [](const Var& v) { return 1e6 + norm(v); };
  EXPECT_EQ(check_at(hidden, Tensor{2e-5, 1e-5}, 1).outcome, GradientOutcome::failed);
}

TEST(CheckGradient, AtOrderTwoAWrongRuleBesideAKinkOnBothSidesFails) {
  const auto f = [](const Op& op) {
    return [&op](const Var& v) { return relu(v) + relu(-v) + detail::apply(op, v + 0.5); };
  };
  EXPECT_EQ(check_at(f(kRight), Tensor{0.0}, 2).outcome, GradientOutcome::kink);
  const GradientCheck wrong = check_at(f(kOffAtSecondOrder), Tensor{0.0}, 2);
  EXPECT_EQ(wrong.outcome, GradientOutcome::failed) << wrong.to_string();
}

// A jump makes the differences meaningless, not the rules of the rest.
TEST(CheckGradient, AWrongRuleBesideAJumpFails) {
  const auto f = [](const Op& op) {
    return [&op](const Var& v) { return sign(view(v, 0, Shape{})) + detail::apply(op, view(v, 1, Shape{})); };
  };
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Tensor x{0.0, 0.5};
    EXPECT_EQ(check_gradient(f(kOffAtFirstOrder), x, {.order = 1, .seed = seed}).outcome,
              GradientOutcome::failed);
    const GradientCheck right = check_gradient(f(kRight), x, {.order = 1, .seed = seed});
    EXPECT_EQ(right.outcome, GradientOutcome::kink) << right.to_string();
    EXPECT_TRUE(right.rows[0].jump);
    EXPECT_THAT(right.to_string(), HasSubstr("a jump"));
  }
  EXPECT_FALSE(check_at([](const Var& v) { return relu(v); }, Tensor{0.0}, 1).rows[0].jump);
}

TEST(CheckGradient, TakesScalarsConstantsAndLargeNumbers) {
  EXPECT_TRUE(check_gradient([](const Var& x) { return sin(x); }, Tensor::scalar(0.3)).passed);
  EXPECT_TRUE(check_gradient([](const Var&) { return Var(2.5); }, Tensor{1.0, 2.0}).passed);
  EXPECT_TRUE(check_gradient([](const Var& x) { return square(x); }, Tensor{1e4, -3e4}).passed);
}

TEST(CheckGradient, OptionsAreChecked) {
  const auto with = [](const GradientCheckOptions& options) {
    return error_of<DomainError>([&] { check_of(kRight, options); });
  };
  EXPECT_THAT(with({.order = 3}),
              AllOf(HasSubstr("[check_gradient]"), HasSubstr("order 3"), HasSubstr("1 or 2")));
  EXPECT_THAT(with({.order = 0}), HasSubstr("order 0"));
  EXPECT_THAT(with({.directions = 0}), HasSubstr("directions, step and tolerance must be positive"));
  EXPECT_THAT(with({.step = 0.0}), HasSubstr("must be positive"));
  EXPECT_THAT(with({.tolerance = -1.0}), HasSubstr("must be positive"));
  EXPECT_THAT(with({.step = NAN}), HasSubstr("must be positive"));
}

TEST(CheckGradient, TheSeedChoosesTheDirections) {
  const auto first = [](std::uint64_t seed) { return check_of(kRight, {.seed = seed}).rows[0].analytic; };
  EXPECT_EQ(first(1), first(1));
  EXPECT_NE(first(1), first(2));
  EXPECT_EQ(check_of(kRight, {.order = 1, .directions = 7}).rows.size(), 7u);
}

}  // namespace
}  // namespace cotangent
