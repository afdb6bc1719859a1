// The best proxy of a run: against brute force in one dimension, against the theorem's own v,
// and where none exists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::ProxySearch;
using theory::search_proxy;

Params point(std::initializer_list<detail::Number> numbers) { return Params({{"w", Tensor(numbers)}}); }

/// x^2 + 3 sin^2 x: not convex, so that the search has something to do.
Var karimi(const Var& w) { return sum(square(w) + 3.0 * square(sin(w))); }

TEST(ProxySearch, IsTheBestOfTheLine) {
  const double step = 0.05;
  const int iterations = 12;
  const ProxySearch found =
      search_proxy(karimi, point({2.5}), {.step = step, .iterations = iterations, .gap = 1e-10});
  // The objective for one v, from the run made again by plain arithmetic.
  const auto objective = [&](double v) {
    double w = 2.5, h = -1e300;
    for (int t = 0; t < iterations; ++t) {
      const double f = w * w + 3.0 * std::pow(std::sin(w), 2), g = 2.0 * w + 3.0 * std::sin(2.0 * w);
      h = std::max(h, f + g * (v - w));
      w -= step * g;
    }
    return h + (2.5 - v) * (2.5 - v) / (2.0 * step * iterations);
  };
  double best = 1e300;
  for (double v = -20.0; v < 20.0; v += 1e-4) best = std::min(best, objective(v));
  EXPECT_NEAR(found.value, best, 1e-6);
  EXPECT_NEAR(objective(found.v.flat()(0)), found.value, 1e-10);
  EXPECT_LE(found.lower, best + 1e-9);
  EXPECT_LE(found.value - found.lower, 1e-9);
}

TEST(ProxySearch, IsAProxyOfTheRunAndBoundsIt) {
  Rng rng(3);
  for (int k = 0; k < 10; ++k) {
    const auto data = nn::separable(rng, {.n = 10, .d = 3, .margin = 0.1});
    const nn::TwoLayer net(3, 6, nn::LeakyReLU(0.2));
    const theory::LeakyReluProblem problem(net, data.x, data.y);
    const Params w0 = net.init(rng);
    const auto risk = [&](const Var& w) { return problem.risk(w); };
    const ProxySearch found = search_proxy(risk, w0, {.step = 0.5, .iterations = 100});
    EXPECT_LE(found.value - found.lower, 2e-6);
    EXPECT_LE(found.least, found.bound);
    // No worse than the theorem's v at any rho.
    for (const double rho : {1.0, 10.0, 100.0}) {
      const Params away = w0 - problem.reference(rho);
      EXPECT_LE(found.lower, problem.proxy(rho).h(Var()).item() + dot(away, away) / 100.0 + 1e-9);
    }
    // The theorem itself, with this v and h, is certified on the same run.
    const theory::ProxyConvexity triple{
        .f = risk, .h = [h = found.h](const Var&) { return Var(h + 1e-9); }, .v = found.v};
    EXPECT_EQ(check_proxy_descent(triple, w0, {.step = 0.5, .iterations = 100}).outcome,
              theory::Outcome::certified);
  }
}

TEST(ProxySearch, FindsNoneWhereUnitsAreDead) {
  const nn::TwoLayer relu(1, 1, nn::ReLU(), {.outer = {1.0}});
  const auto risk = [&](const Var& w) { return nn::logistic(relu(w, Tensor{{1.0}}), Tensor{{1.0}}); };
  const ProxySearch found = search_proxy(risk, Params({{"weight", {{-1.0}}}}), {.iterations = 50});
  EXPECT_DOUBLE_EQ(found.value, std::log(2.0));
  EXPECT_DOUBLE_EQ(found.bound, std::log(2.0));
}

TEST(ProxySearch, BadInputIsNamed) {
  const auto message = [](const theory::ProxySearchOptions& o) -> std::string {
    try {
      search_proxy(karimi, point({1.0}), o);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  EXPECT_THAT(message({.step = 0.0}), HasSubstr("[search_proxy] step"));
  EXPECT_THAT(message({.iterations = 0}), HasSubstr("iterations"));
  EXPECT_THAT(message({.step = 1e200}), HasSubstr("no longer finite"));
}

}  // namespace
}  // namespace cotangent
