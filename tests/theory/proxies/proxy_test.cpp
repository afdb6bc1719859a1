// Proxy convexity (O29) and what gradient descent achieves under it (O30, O31): the theorem on functions with
// known answers, its account to the last digit, wrong constants refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "autodiff/autodiff.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::check_proxy_descent;
using theory::Domain;
using theory::Outcome;
using theory::ProxyBound;
using theory::ProxyConvexity;
using theory::Verdict;

Params point(std::initializer_list<detail::Number> numbers) { return Params({{"w", Tensor(numbers)}}); }

/// |w| as the sum of two ReLUs' kinks: derivative 1 at 0.
Var absolute(const Var& w) { return sum(relu(w) + relu(-w)); }

/// f = |w|, w0 = 3, v = 0: O30's example.
const ProxyConvexity kAbsolute{.f = absolute, .h = absolute, .v = Params({{"w", Tensor{0.0}}})};

double total(const Verdict& v) {
  return std::accumulate(v.account.begin(), v.account.end(), 0.0,
                         [](double s, const auto& part) { return s + part.second; });
}

TEST(ProxyConvexity, IsTheDefinition) {
  // f = w^2/2, g = f, h = f: slack = <f'(w), w - v> - f(w) + f(v) = (w - v)^2 / 2.
  const auto square_half = [](const Var& w) { return 0.5 * sum(square(w)); };
  const ProxyConvexity triple{.f = square_half, .h = square_half, .v = point({2.0})};
  EXPECT_DOUBLE_EQ(triple.at(point({5.0})).margin(), 4.5);
  EXPECT_DOUBLE_EQ(triple.claim().violation(Tensor{5.0}).item(), -4.5);
  EXPECT_DOUBLE_EQ(grad([&](const Var& w) { return triple.claim().violation(w); }, Tensor{5.0})(0), -3.0);
  EXPECT_THROW(triple.at(point({1.0, 2.0})), ShapeError);
}

TEST(ProxyConvexity, TakesAnyFunctions) {
  // g and h of one's own: f = w^2/2, g = f/2, h = 2 f: slack = w^2 - w v - w^2/4 + v^2.
  const auto f = [](const Var& w) { return 0.5 * sum(square(w)); };
  const ProxyConvexity triple{.f = f,
                              .g = [f](const Var& w) { return 0.5 * f(w); },
                              .h = [f](const Var& w) { return 2.0 * f(w); },
                              .v = point({2.0})};
  EXPECT_DOUBLE_EQ(triple.at(point({3.0})).margin(), 9.0 - 6.0 - 2.25 + 4.0);
}

// The proxy inequality of |w| is an equality for every w > 0: the digits a constant costs must not break it.
TEST(ProxyTheorem, WhatLargeConstantsLoseIsNoViolation) {
  for (const double c : {1e8, 1e11}) {
    const auto lossy = [c](const Var& w) { return (c + absolute(w)) - c; };
    const ProxyConvexity triple{.f = lossy, .h = lossy, .v = point({0.0})};
    const Verdict d = check_proxy_descent(triple, point({3.0}), {.step = 0.07, .iterations = 200});
    EXPECT_EQ(d.outcome, Outcome::certified) << d.to_string();
    const ProxyConvexity wrong{
        .f = lossy, .h = [=](const Var& w) { return lossy(w) - 1e-3; }, .v = point({0.0})};
    EXPECT_EQ(check_proxy_descent(wrong, point({3.0}), {.step = 0.07, .iterations = 200}).outcome,
              Outcome::not_applicable);
  }
}

TEST(ProxyTheorem, HoldsForTheAbsoluteValue) {
  const Verdict d = check_proxy_descent(kAbsolute, point({3.0}), {.step = 0.1, .iterations = 200});
  EXPECT_EQ(d.outcome, Outcome::certified);
  EXPECT_EQ(d.domain.kind, Domain::Kind::run);
  ASSERT_EQ(d.curve("g").size(), 200u);
  EXPECT_DOUBLE_EQ(d.curve("bound")[0], 0.05 + 9.0 / 0.2);
  EXPECT_DOUBLE_EQ(d.curve("bound")[199], 0.05 + 9.0 / (0.2 * 200.0));
  for (std::size_t t = 0; t < d.curve("g").size(); ++t) EXPECT_DOUBLE_EQ(d.curve("|grad|")[t], 1.0);
  EXPECT_NEAR(total(d), d.curve("bound").back() - d.number("least"), 1e-12);
}

TEST(ProxyTheorem, TheAccountIsTheSlackToTwelveDigits) {
  Rng rng(5);
  for (int k = 0; k < 40; ++k) {
    const Index p = 1 + rng.below(8);
    const Tensor b = rng.normal({p});
    // Convex, 1-Lipschitz in each coordinate, and above its squared gradient once 1 is added.
    const auto f = [b](const Var& w) { return sum(softplus(w - b)) + 1.0 * static_cast<double>(1); };
    const ProxyConvexity triple{.f = f, .h = f, .v = Params({{"w", rng.normal({p}, -2.0, 1.0)}})};
    const Params w0({{"w", rng.normal({p})}});
    const Index iterations = 1 + rng.below(60);
    const double step = 0.05 + 0.4 * rng.uniform();
    const Verdict lipschitz = check_proxy_descent(
        triple, w0, {.step = step, .iterations = iterations, .lipschitz = std::sqrt(static_cast<double>(p))});
    EXPECT_EQ(lipschitz.outcome, Outcome::certified) << lipschitz.to_string();
    EXPECT_NEAR(total(lipschitz), lipschitz.curve("bound").back() - lipschitz.number("least"), 1e-12);
    const Verdict own = check_proxy_descent(
        triple, w0, {.step = step, .iterations = iterations, .bound = ProxyBound::self_bounded});
    EXPECT_EQ(own.outcome, Outcome::certified) << own.to_string();
    EXPECT_NEAR(total(own), own.curve("bound").back() - own.number("least"), 1e-12);
    for (const auto& [name, part] : own.account) EXPECT_GE(part, -1e-12) << name;
  }
}

TEST(ProxyTheorem, BoundsEveryPrefixNotOnlyTheLast) {
  // Rescaled so that the bound is met late: each T from 1 to 30 is compared with its own minimum.
  const Verdict d = check_proxy_descent(kAbsolute, point({3.0}), {.step = 1.0, .iterations = 30});
  double least = 1e300;
  for (std::size_t t = 0; t < d.curve("g").size(); ++t) {
    least = std::min(least, d.curve("g")[t]);
    const double T = static_cast<double>(t + 1);
    EXPECT_NEAR(d.curve("bound")[t], 0.5 + 9.0 / (2.0 * T), 1e-14);
    EXPECT_LE(least, d.curve("bound")[t]);
  }
}

TEST(ProxyTheorem, AWrongClaimedBoundIsRefuted) {
  const Verdict d =
      check_proxy_descent(kAbsolute, point({3.0}), {.step = 0.1, .iterations = 10, .claimed = 1.0});
  EXPECT_EQ(d.outcome, Outcome::refuted) << d.to_string();
  EXPECT_NEAR(d.conclusion.lhs.value(), 2.1, 1e-12);
}

TEST(ProxyTheorem, AWrongGradientBoundIsNamed) {
  const Verdict d =
      check_proxy_descent(kAbsolute, point({3.0}), {.step = 0.1, .iterations = 10, .lipschitz = 0.5});
  EXPECT_EQ(d.outcome, Outcome::not_applicable);
  EXPECT_EQ(d.reason, "the hypothesis \"|grad f(w)| <= G\" fails: 1 <= 0.5 at iterate 0");
}

TEST(ProxyTheorem, AFalseTripleIsNamedWithTheIterateWhereItBites) {
  // A double well is not convex towards 1 from the left.
  const auto well = [](const Var& w) { return 0.25 * sum(square(square(w) - 1.0)); };
  const ProxyConvexity triple{.f = well, .h = well, .v = point({1.0})};
  const Verdict d = check_proxy_descent(triple, point({-0.6}), {.step = 0.1, .iterations = 50});
  EXPECT_EQ(d.outcome, Outcome::not_applicable);
  EXPECT_THAT(d.reason, HasSubstr("g(w) + <grad f(w), v - w> <= h(v)"));
  EXPECT_THAT(d.reason, HasSubstr("iterate"));
}

TEST(ProxyTheorem, TheSelfBoundedFormNeedsStepsBelowTwo) {
  const auto f = [](const Var& w) { return 0.5 * sum(square(w)); };  // |f'|^2 = 2 f: not <= f
  const ProxyConvexity triple{.f = f, .h = f, .v = point({0.0})};
  const Verdict d =
      check_proxy_descent(triple, point({1.0}), {.step = 2.5, .bound = ProxyBound::self_bounded});
  EXPECT_EQ(d.outcome, Outcome::not_applicable);
  EXPECT_THAT(d.reason, HasSubstr("step < 2"));
  EXPECT_TRUE(d.curve("g").empty()) << "nothing is run in vain";
  const Verdict own =
      check_proxy_descent(triple, point({1.0}), {.step = 0.5, .bound = ProxyBound::self_bounded});
  EXPECT_THAT(own.reason, HasSubstr("|grad f(w)|^2 <= g(w)"));
}

TEST(ProxyTheorem, ADivergedRunIsNoProof) {
  const auto f = [](const Var& w) { return 0.5 * sum(square(w)); };
  const ProxyConvexity triple{.f = f, .h = f, .v = point({0.0})};
  const Verdict d =
      check_proxy_descent(triple, point({1.0}), {.step = 1e160, .iterations = 10, .lipschitz = HUGE_VAL});
  EXPECT_EQ(d.outcome, Outcome::inconclusive);
  EXPECT_THAT(d.reason, HasSubstr("diverged"));
}

TEST(ProxyTheorem, StopsAtAGoalAndStillAccounts) {
  const Verdict d =
      check_proxy_descent(kAbsolute, point({3.0}), {.step = 0.1, .iterations = 1000, .stop_at = 1.0});
  EXPECT_EQ(d.outcome, Outcome::certified);
  EXPECT_EQ(d.curve("g").size(), 31u) << "the bound for T = 1000 is 0.095, below the goal of 1";
  EXPECT_NEAR(total(d), d.curve("bound").back() - d.number("least"), 1e-12);
}

TEST(ProxyTheorem, NoGoalCertifiesAnEndThatWasNotReached) {
  const auto f = [](const Var& w) { return sum(square(w)); };
  const ProxyConvexity triple{.f = f, .h = f, .v = point({0.0})};
  const Verdict v =
      check_proxy_descent(triple, point({3.0}), {.step = 2.5, .iterations = 100, .stop_at = 1e9});
  EXPECT_NE(v.outcome, Outcome::certified) << v.to_string();
}

// O31: with h = sqrt f and g = f/2 the theorem bounds min f/2 by sqrt f(v): not a minimum, but
// a function of it.
TEST(ProxyTheorem, ProxiesOfFItself) {
  const auto f = [](const Var& w) { return 0.5 * sum(square(w - Var(Tensor{1.0, -1.0}))) + Var(0.25); };
  const ProxyConvexity triple{.f = f,
                              .g = [f](const Var& w) { return 0.5 * f(w); },
                              .h = [f](const Var& w) { return sqrt(f(w)); },
                              .v = point({1.0, -1.0})};
  Rng rng(2);
  EXPECT_EQ(check_proxy_convexity(triple, point({0.0, 0.0}), rng).outcome, Outcome::supported);
  const Verdict d =
      check_proxy_descent(triple, point({0.0, 0.0}), {.step = 0.01, .iterations = 2000, .lipschitz = 2.0});
  EXPECT_EQ(d.outcome, Outcome::certified) << d.to_string();
  EXPECT_LE(d.number("least"), std::sqrt(0.25) + 0.01 * 4.0 / 2.0 + 2.0 / (2.0 * 0.01 * 2000.0));
  // And it is no proxy where f(v) > 1 makes sqrt f(v) smaller than f(v).
  const ProxyConvexity high{.f = f, .g = f, .h = triple.h, .v = point({9.0, -1.0})};
  EXPECT_EQ(check_proxy_convexity(high, point({0.0, 0.0}), rng).outcome, Outcome::refuted);
}

TEST(ProxyTheorem, BadOptionsAreNamed) {
  const auto message = [](const Params& w0, const theory::ProxyDescentOptions& o) -> std::string {
    try {
      check_proxy_descent(kAbsolute, w0, o);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  EXPECT_THAT(message(point({1.0, 2.0}), {}), HasSubstr("w0 has 2 parameters, v has 1"));
  EXPECT_THAT(message(point({1.0}), {.step = 0.0}), HasSubstr("step is 0"));
  EXPECT_THAT(message(point({1.0}), {.iterations = 0}), HasSubstr("iterations is 0"));
  EXPECT_THAT(message(point({1.0}), {.lipschitz = NAN}), HasSubstr("lipschitz is nan"));
}

}  // namespace
}  // namespace cotangent
