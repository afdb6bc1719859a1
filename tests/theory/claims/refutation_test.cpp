// The falsifier: a counterexample is one by the enclosure of the sides, and rounding is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::Outcome;
using theory::pointwise;
using theory::Verdict;

Params point(std::initializer_list<detail::Number> numbers) { return Params({{"w", Tensor(numbers)}}); }

// Rounding inside a side is larger than its tolerance knows: 0 <= e^w - 1 - w is true, and computed
// as false near 0.
TEST(Falsifier, RoundingIsNoCounterexample) {
  const auto claim = pointwise(
      "exp", [](const Var&) { return Var(0.0); }, [](const Var& w) { return sum(exp(w) - 1.0 - w); });
  for (int seed = 1; seed <= 20; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed));
    EXPECT_NE(falsify(claim, point({0.0}), rng, {.radius = 1e-3}).outcome, Outcome::refuted) << seed;
  }
}

// Rounding that is the same for many neighbours is told by the gradients, which know nothing of it.
TEST(Falsifier, RoundingOnPlateausIsNoCounterexample) {
  const std::vector<Function<Var(const Var&)>> never_negative{
      [](const Var& w) {
        return sum(square(square(w)) - 4.0 * square(w) * w + 6.0 * square(w) - 4.0 * w + 1.0);
      },
      [](const Var& w) { return mean(square(w)) - square(mean(w)); },
      [](const Var& w) { return sum(abs(w) - log(1.0 + abs(w))); },
      [](const Var& w) { return sum(1.0 - square(sin(w)) - square(cos(w))); }};
  for (const auto& f : never_negative)
    for (const double radius : {1e-3, 1.0, 1e4}) {
      Rng rng(5);
      const auto claim = pointwise(
          "never negative", [](const Var&) { return Var(0.0); }, f);
      EXPECT_NE(
          falsify(claim, point({1.0, 0.5, 0.7}), rng, {.radius = radius, .evaluations = 10'000}).outcome,
          Outcome::refuted)
          << &f - never_negative.data() << ", " << radius;
    }
}

// |w|^2 <= r^2 on |w| <= r is tight on the sphere: a witness must certainly lie within.
TEST(Falsifier, AClaimThatIsTightOnTheSphereOfItsDomainIsNotRefuted) {
  const auto claim = [](double level) {
    return theory::PointwiseClaim{"sphere", [=](const Var& w) {
                                    return theory::inner_product(w, w) <= theory::side(theory::exact(level));
                                  }};
  };
  for (const Index d : {2, 3, 10})
    for (int seed = 1; seed <= 5; ++seed) {
      Rng rng(static_cast<std::uint64_t>(seed));
      const Params centre({{"w", Tensor::zeros({d})}});
      const Verdict v = falsify(claim(1.0), centre, rng, {.evaluations = 5000, .domain = 1.0});
      EXPECT_EQ(v.outcome, Outcome::supported) << v.to_string();
      EXPECT_EQ(v.search->not_evaluated, 0) << "no point is lost";
      EXPECT_LE(v.search->farthest, 1.0);
      EXPECT_EQ(falsify(claim(1.0 - 1e-12), centre, rng, {.domain = 1.0}).outcome, Outcome::refuted);
    }
  // A point given from outside is moved inside.
  Rng rng(1);
  const Verdict v = falsify(claim(1.0), point({0.0, 0.0}), rng,
                            {.evaluations = 2000, .domain = 1.0, .starts = {point({2.0, 0.0})}});
  EXPECT_EQ(v.outcome, Outcome::supported) << v.to_string();
}

// Sums and products of constants are no roundings on the record: what they lose counts as an error.
TEST(Falsifier, ConstantsThatMeetKeepWhatTheyLose) {
  using theory::exact, theory::side, theory::PointwiseClaim;
  Rng rng(1);
  const PointwiseClaim strict{"1 - w^2 < 1 + 1e-20", [](const Var& w) {
                                return side(1.0 - sum(square(w))) < side(exact(1.0)) + side(exact(1e-20));
                              }};
  EXPECT_NE(falsify(strict, point({0.5}), rng, {.evaluations = 3000}).outcome, Outcome::refuted);
  const PointwiseClaim product{"1 - w^2 <= 3 * 0.1 + 0.7", [](const Var& w) {
                                 return side(1.0 - sum(square(w))) <=
                                        exact(3.0) * side(exact(0.1)) + side(exact(0.7));
                               }};
  EXPECT_NE(falsify(product, point({0.5}), rng, {.evaluations = 3000}).outcome, Outcome::refuted);
  const PointwiseClaim data{"1 - w^2 <= <x, x>", [](const Var& w) {
                              const Var x = Tensor{0.6, 0.8};
                              return side(1.0 - sum(square(w))) <= theory::inner_product(x, x);
                            }};
  EXPECT_NE(falsify(data, point({0.5}), rng, {.evaluations = 3000}).outcome, Outcome::refuted);
}

// An infinite side against a finite one is a violation; what only overflows is enclosed.
TEST(Falsifier, InfiniteAgainstFinite) {
  const auto below = [](double level) {
    return pointwise(
        "below", [](const Var& w) { return sum(square(w)); }, [level](const Var&) { return Var(level); });
  };
  Rng rng(1);
  EXPECT_EQ(falsify(below(-std::numeric_limits<double>::infinity()), point({1.0}), rng).outcome,
            Outcome::refuted);
  EXPECT_EQ(falsify(below(1e300), point({1e200}), rng).outcome, Outcome::refuted);
}

// Of a violation without enclosure nothing is proved, and the operation is named.
TEST(Falsifier, WithoutAnEnclosureNothingIsRefuted) {
  static const CustomOp own(
      {.name = "unenclosed_square",
       .forward = [](const OpInputs& x,
                     const OpAttributes&) { return map_elements(x[0], [](double t) { return t * t; }); },
       .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, 2.0 * g * p.in(0)); },
       .samples = OpSamples::elementwise,
       .at_kink = "none"});
  const auto claim = pointwise(
      "small", [](const Var& w) { return sum(own(w)); }, [](const Var&) { return Var(4.0); });
  Rng rng(3);
  const Verdict v = falsify(claim, point({0.5}), rng, {.evaluations = 2000});
  EXPECT_EQ(v.outcome, Outcome::inconclusive) << v.to_string();
  EXPECT_THAT(v.reason, HasSubstr("which proves nothing: [enclose] [unenclosed_square]"));
  EXPECT_GT(v.conclusion.lhs.value(), 1e4) << "the worst as computed is shown";
}

// e^-w/2 <= log(1 + e^-w) is true for w > 0; as computed the right side is 0 from w = 37 on, and so is its
// gradient.
TEST(Falsifier, AViolationThatAllNeighboursShareIsEnclosed) {
  const auto claim = pointwise(
      "softplus", [](const Var& w) { return 0.5 * sum(exp(-abs(w))); },
      [](const Var& w) { return sum(log(1.0 + exp(-abs(w)))); });
  EXPECT_TRUE(claim.evaluate(point({40.0})).disproved()) << "as computed";
  Rng rng(3);
  const Verdict v = falsify(claim, point({40.0}), rng, {.radius = 1.0});
  EXPECT_EQ(v.outcome, Outcome::supported) << v.to_string();
  EXPECT_THAT(v.reason, HasSubstr("a violation as computed is none by an enclosure"));
  EXPECT_EQ(v.conclusion.by(), theory::Measured::By::enclosure);
}

// Every convex f is (f, f, v)-proxy convex, with equality at v itself.
TEST(Falsifier, ATightClaimIsSupported) {
  const auto f = [](const Var& w) { return sum(square(w - 1.0)); };
  Rng rng(3);
  const Verdict v =
      theory::check_proxy_convexity({.f = f, .h = f, .v = point({1.0, 2.0})}, point({0.0, 0.0}), rng);
  EXPECT_EQ(v.outcome, Outcome::supported) << v.to_string();
  EXPECT_THAT(v.reason, HasSubstr("tight"));
}

// A true triple whose numbers are large beside their difference.
TEST(Falsifier, AThinMarginsTheoremIsNotRefuted) {
  const double c = 0.99, g = 1e-6, s = std::sqrt(0.5);
  const Tensor x{{c * s + g * s, -c * s + g * s}, {-c * s + g * s, c * s + g * s}}, y{1, 1};
  const nn::TwoLayer net(2, 4, nn::LeakyReLU(1.0));
  const theory::LeakyReluProblem problem(net, x, y);
  for (int seed = 1; seed <= 5; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed));
    EXPECT_NE(
        check_proxy_convexity(problem.proxy(std::log(6.0) / problem.margin()), net.init(rng), rng).outcome,
        Outcome::refuted)
        << seed;
  }
}

}  // namespace
}  // namespace cotangent
