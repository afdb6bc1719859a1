// The falsifier: refutes what is false, supports what is true, and finds 99 of 100 planted false proxies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/files_support.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::FalsifyOptions;
using theory::Outcome;
using theory::pointwise;
using theory::ProxyConvexity;
using theory::Verdict;

Params point(std::initializer_list<detail::Number> numbers) { return Params({{"w", Tensor(numbers)}}); }

/// x^2 + 3 sin^2 x, Karimi's PL function: |f'|^2 >= 2 mu f with mu = 0.175530985880 at best.
Var karimi(const Var& w) { return sum(square(w) + 3.0 * square(sin(w))); }

theory::PointwiseClaim pl(double mu) {
  return pointwise(
      {"PL", "2 mu f <= |f'|^2"}, [mu](const Var& w) { return 2.0 * mu * karimi(w); },
      [](const Var& w) { return sum(square(grad(karimi, w))); });
}

TEST(Falsifier, ChecksMyClaim) {
  Rng rng(1);
  const Verdict right = falsify(pl(0.1755), point({1.0}), rng);
  EXPECT_EQ(right.outcome, Outcome::supported);
  EXPECT_GT(right.points, 200);
  EXPECT_THAT(right.reason, HasSubstr("evidence, not proof"));
  EXPECT_THAT(right.seed, HasSubstr("philox"));
  const Verdict wrong = falsify(pl(0.1756), point({1.0}), rng);
  EXPECT_EQ(wrong.outcome, Outcome::refuted);
  ASSERT_TRUE(wrong.witness);
  const double x = wrong.witness->flat()(0);
  EXPECT_NEAR(std::fabs(x), 2.201709, 0.1) << "the best mu is attained at 2.2017";
  EXPECT_LT(std::pow(2.0 * x + 3.0 * std::sin(2.0 * x), 2),
            2.0 * 0.1756 * (x * x + 3.0 * std::pow(std::sin(x), 2)));
}

TEST(Falsifier, AWitnessReloads) {
  Rng rng(1);
  const Verdict wrong = falsify(pl(0.5), point({1.0}), rng);
  ASSERT_EQ(wrong.outcome, Outcome::refuted);
  const test::TemporaryDirectory folder;
  const std::string path = folder / "witness.npz";
  save(path, *wrong.witness);
  const theory::Inequality again = pl(0.5).evaluate(load_params(path));
  EXPECT_EQ(again.lhs.value(), wrong.conclusion.lhs.value());
  EXPECT_EQ(again.rhs.value(), wrong.conclusion.rhs.value());
  EXPECT_FALSE(again.holds());
}

TEST(Falsifier, TheSameSeedGivesTheSameVerdict) {
  Rng a(7), b(7);
  const Verdict x = falsify(pl(0.17), point({0.5}), a), y = falsify(pl(0.17), point({0.5}), b);
  EXPECT_EQ(x.conclusion.lhs.value(), y.conclusion.lhs.value());
  EXPECT_TRUE(equal(x.witness->flat(), y.witness->flat()));
}

TEST(Falsifier, StaysInsideTheDomain) {
  // x^2 <= 4 holds on |x| <= 2 and nowhere else.
  const auto claim = pointwise(
      "square", [](const Var& w) { return sum(square(w)); }, [](const Var&) { return Var(4.0); });
  Rng rng(3);
  EXPECT_EQ(falsify(claim, point({0.0, 0.0}), rng, {.domain = 1.99}).outcome, Outcome::supported);
  EXPECT_EQ(falsify(claim, point({0.0, 0.0}), rng, {.radius = 1.0, .domain = 2.01}).outcome,
            Outcome::refuted);
  EXPECT_EQ(falsify(claim, point({0.0, 0.0}), rng, {.radius = 1.0}).outcome, Outcome::refuted)
      << "an ascent leaves the ball the points are drawn from";
}

// What a search says can be looked for again, and is not said of every w where the search had a domain.
TEST(Falsifier, SaysWhereAndHowItLooked) {
  const auto claim = pointwise(
      {"square", "|w|^2 <= 9 for every w"}, [](const Var& w) { return sum(square(w)); },
      [](const Var&) { return Var(9.0); });
  Rng rng(3);
  const std::string before = rng.state();
  const Verdict v = falsify(claim, point({1.0, 0.0}), rng,
                            {.evaluations = 300, .domain = 1.5, .starts = {point({0.5, 0.5})}});
  ASSERT_EQ(v.outcome, Outcome::supported);
  ASSERT_TRUE(v.search);
  EXPECT_TRUE(equal(v.search->centre.flat(), Tensor{1.0, 0.0}));
  EXPECT_EQ(v.search->radius, 10.0);
  EXPECT_EQ(v.search->domain, 1.5);
  EXPECT_EQ(v.search->evaluations, 300);
  EXPECT_EQ(v.search->starts.size(), 1u);
  EXPECT_EQ(v.search->seed, before);
  EXPECT_EQ(v.search->points, v.points);
  EXPECT_EQ(v.search->not_evaluated, 0);
  EXPECT_EQ(v.claim.statement, "|w|^2 <= 9 for the w of |w - centre| <= 1.5");
  EXPECT_THAT(v.domain.text, HasSubstr("of |w - centre| <= 1.5"));
  EXPECT_THAT(v.to_string(), testing::Not(HasSubstr("every w")));
  EXPECT_THAT(
      v.to_string(),
      HasSubstr(
          "radius 10 around the centre, |centre| = 1, within 1.5, the farthest at 1.5; 300 evaluations"));
  // Made again from the record, it is the same.
  Rng again = Rng::from_state(v.search->seed);
  const Verdict w = falsify(claim, v.search->centre, again,
                            {.radius = v.search->radius,
                             .evaluations = v.search->evaluations,
                             .domain = v.search->domain,
                             .starts = v.search->starts});
  EXPECT_EQ(v.to_string(), w.to_string());
}

// An error that is an estimate stays one where an identity is judged with an accuracy of its own.
TEST(Falsifier, AnIdentityOfEstimatesIsNotRefuted) {
  const theory::PointwiseClaim claim{"mean", [](const Var&) {
                                       return equal(theory::side(theory::sampled(1.0, 0.01)),
                                                    theory::side(theory::exact(2.0)));
                                     }};
  EXPECT_FALSE(claim.evaluate(point({1.0})).certain());
  EXPECT_FALSE(claim.evaluate(point({1.0})).disproved());
}

// Evaluations are counted, whatever they cost in time.
TEST(Falsifier, KeepsToItsEvaluations) {
  for (const Index evaluations : {1, 10, 1000, 5000}) {
    Index calls = 0;
    const theory::PointwiseClaim claim{"square", [&calls](const Var& w) {
                                         ++calls;
                                         return theory::side(-sum(square(w))) <=
                                                theory::side(sum(w * w) + 1.0);
                                       }};
    Rng rng(3);
    EXPECT_EQ(falsify(claim, point({1.0, 2.0}), rng, {.evaluations = evaluations}).outcome,
              Outcome::supported);
    EXPECT_LE(calls, evaluations + 20);
    EXPECT_GE(calls, evaluations / 3);
  }
}

// Far away, at numbers whose last digit is 1e-7, and where a side is nearly too large for a double.
TEST(Falsifier, LooksAtScalesOfItsOwn) {
  const auto below = [](const Function<Var(const Var&)>& f, double level) {
    return pointwise(
        "level", [f](const Var& w) { return sum(f(w)); }, [level](const Var&) { return Var(level); });
  };
  Rng rng(1);
  const auto outcome = [&](const theory::PointwiseClaim& claim, double centre, double radius) {
    return falsify(claim, point({centre}), rng, {.radius = radius}).outcome;
  };
  const auto wave = [](const Var& w) { return sin(w - 1e9); };
  EXPECT_EQ(outcome(below(wave, 0.5), 1e9, 10.0), Outcome::refuted);
  EXPECT_EQ(outcome(below(wave, 1.0), 1e9, 10.0), Outcome::supported);
  const auto peak = [](const Var& w) { return exp(-square(w)); };
  EXPECT_EQ(outcome(below(peak, 0.9), 0.0, 1e12), Outcome::refuted);
  EXPECT_NE(outcome(below(peak, 1.0), 0.0, 1e12), Outcome::refuted);
  const auto tower = [](const Var& w) { return exp(exp(w)); };
  EXPECT_EQ(outcome(below(tower, 1e300), 0.0, 10.0), Outcome::refuted);
  // Four decades beyond the radius.
  const auto step = [](const Var& w) { return sigmoid(w - 5e4); };
  EXPECT_EQ(outcome(below(step, 0.5), 0.0, 10.0), Outcome::refuted);
}

// A side that throws at some points costs them; at every point its error is the answer.
TEST(Falsifier, AThrowCostsOnePoint) {
  const auto until = [](double limit) {
    return pointwise(
        "square",
        [limit](const Var& w) {
          if (w.value().data()[0] > limit) throw DomainError("[mine] beyond the limit");
          return sum(square(w));
        },
        [](const Var&) { return Var(25.0); });
  };
  Rng rng(3);
  const Verdict v = falsify(until(3.0), point({1.0}), rng);
  EXPECT_EQ(v.outcome, Outcome::refuted) << v.to_string();
  EXPECT_LT(v.witness->flat()(0), -5.0);
  EXPECT_GT(v.search->not_evaluated, 0);
  try {
    falsify(until(-1e9), point({1.0}), rng);
    FAIL() << "nothing was thrown";
  } catch (const DomainError& e) {
    EXPECT_THAT(e.what(), HasSubstr("[mine] beyond the limit"));
  }
}

// What is ascended and what decides must be the same two sides.
TEST(Falsifier, SidesThatDisagreeAreAnError) {
  const theory::PointwiseClaim claim{"twisted", [](const Var& w) {
                                       theory::Side side = theory::side(sum(square(w)));
                                       side.var = -side.var;
                                       return side <= theory::side(theory::exact(0.5));
                                     }};
  Rng rng(3);
  try {
    falsify(claim, point({1.0}), rng);
    FAIL() << "nothing was thrown";
  } catch (const DomainError& e) {
    EXPECT_THAT(e.what(), HasSubstr("lhs - rhs is -1.5 as a Var, which is ascended, and 0.5 as measured"));
  }
}

/// Monotone, <f(x) - f(y), x - y> >= 0, and a gap in it between a and a + 0.5.
theory::PairClaim monotone(double a) {
  return {"monotone", [a](const Var& x, const Var& y) {
            const auto f = [a](const Var& w) { return w - 2.0 * (relu(w - a) - relu(w - a - 0.5)); };
            return theory::side(0.0 * sum(x)) <= theory::inner_product(f(x) - f(y), x, y);
          }};
}

TEST(Falsifier, ClaimsOfTwoPoints) {
  Rng rng(5);
  const Params centre = point({0.0});
  const Verdict v = falsify(monotone(7.0), centre, rng);
  ASSERT_EQ(v.outcome, Outcome::refuted) << v.to_string();
  EXPECT_LT(v.points, 5000);
  EXPECT_TRUE(equal(v.search->centre.flat(), centre.flat()));
  const Params x({{"w", (*v.witness)["x.w"]}}), y({{"w", (*v.witness)["y.w"]}});
  EXPECT_TRUE(monotone(7.0).evaluate(x, y).disproved());
  // Each of the two stays inside the domain.
  EXPECT_EQ(falsify(monotone(7.0), centre, rng, {.domain = 7.0}).outcome, Outcome::supported);
  EXPECT_EQ(falsify(monotone(7.0), centre, rng, {.domain = 7.1}).outcome, Outcome::refuted);
  // A start is a point of the claim.
  const Verdict from = falsify(monotone(7.0), centre, rng, {.starts = {point({7.2})}});
  EXPECT_EQ(from.outcome, Outcome::refuted);
  EXPECT_EQ(from.search->starts.size(), 1u);
}

TEST(Falsifier, AMarginWithinRoundingIsInconclusive) {
  const auto claim = pointwise(
      "equal", [](const Var& w) { return sum(square(w)); }, [](const Var& w) { return dot(w, w); });
  Rng rng(3);
  EXPECT_EQ(falsify(claim, point({1.0, 2.0}), rng).outcome, Outcome::inconclusive);
}

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

TEST(Falsifier, ASearchSaysHowFarItWent) {
  const auto claim = pointwise(
      {"positive", "0 <= |w|^2 for all w"}, [](const Var&) { return Var(0.0); },
      [](const Var& w) { return sum(square(w)); });
  Rng rng(1);
  double most = 0.0;
  const theory::PointwiseClaim watched{claim.claim, [&](const Var& w) {
                                         most = std::max(most, std::fabs(w.value()(0)));
                                         return claim.sides(w);
                                       }};
  const Verdict v = falsify(watched, point({0.0}), rng, {.evaluations = 5000});
  EXPECT_GT(v.search->farthest, 1e3);
  EXPECT_LE(v.search->farthest, most);
  const Verdict within = falsify(claim, point({0.0}), rng, {.evaluations = 5000, .domain = 3.0});
  EXPECT_EQ(within.search->not_evaluated, 0) << within.to_string();
  EXPECT_THAT(within.conclusion.name, HasSubstr("for the w of |w - centre| <= 3"));
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

// F7: a claim is written once. An identity is judged by how far its sides are apart beside the terms
// they are made of.
TEST(Falsifier, AnIdentityIsOne) {
  const auto square_of_sum = [](double factor) {
    return theory::PointwiseClaim{{"identity", "|w|^2 = sum w_i w_i"}, [=](const Var& w) {
                                    return equal(theory::inner_product(w, w),
                                                 theory::exact(factor) * theory::side(sum(square(w))));
                                  }};
  };
  Rng rng(3);
  const Verdict right = falsify(square_of_sum(1.0), point({1.0, 2.0}), rng);
  EXPECT_EQ(right.outcome, Outcome::supported) << right.to_string();
  EXPECT_EQ(right.conclusion.relation, theory::Relation::equal);
  const Verdict wrong = falsify(square_of_sum(1.0 + 1e-8), point({1.0, 2.0}), rng);
  EXPECT_EQ(wrong.outcome, Outcome::refuted) << wrong.to_string();
  // The violation that is ascended and the evaluation that decides are made of the same two sides.
  const theory::PointwiseClaim claim = square_of_sum(3.0);
  const theory::Inequality at = claim.evaluate(point({1.0, 2.0}));
  EXPECT_DOUBLE_EQ(at.lhs.value(), 5.0);
  EXPECT_DOUBLE_EQ(at.rhs.value(), 15.0);
  EXPECT_DOUBLE_EQ(claim.violation(Tensor{1.0, 2.0}).item(), 100.0);
}

TEST(Falsifier, PointsItCannotEvaluateSupportNothing) {
  const auto claim = pointwise(
      "log", [](const Var& w) { return 0.0 * sum(log(w - 9.99) + log(10.0 - w)); },
      [](const Var&) { return Var(1.0); });
  Rng rng(3);
  const Verdict v = falsify(claim, point({9.995}), rng);
  EXPECT_EQ(v.outcome, Outcome::inconclusive) << v.to_string();
  EXPECT_THAT(v.reason, HasSubstr("a side is not finite"));
}

TEST(Falsifier, BadInputIsNamed) {
  Rng rng(1);
  const auto message = [&](const theory::PointwiseClaim& c, const Params& w,
                           const FalsifyOptions& o) -> std::string {
    try {
      falsify(c, w, rng, o);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  EXPECT_THAT(message(pl(1.0), point({1.0}), {.radius = -1.0}), HasSubstr("radius is -1"));
  EXPECT_THAT(message(pl(1.0), point({1.0}), {.evaluations = 0}), HasSubstr("evaluations"));
  EXPECT_THAT(message(pl(1.0), Params(), {}), HasSubstr("no parameters"));
  EXPECT_THAT(message(pl(1.0), point({1.0}), {.starts = {point({1.0, 2.0})}}), HasSubstr("2 parameters"));
  const auto nowhere = pointwise(
      "log", [](const Var& w) { return sum(log(w)); }, [](const Var&) { return Var(1.0); });
  EXPECT_THAT(message(nowhere, point({-1e6}), {.radius = 1.0}), HasSubstr("finite at none"));
}

/// A false triple and a point that shows it, found by thought and not by search.
struct Planted {
  std::string family;
  ProxyConvexity triple;
  Params witness;
};

Function<Var(const Var&)> constant(double h) {
  return [h](const Var&) { return Var(h); };
}

/// Data of one label, so that all hidden units can be inactive at once; ReLU or leaky ReLU net.
struct OneLabel {
  Tensor x, y;
  nn::TwoLayer net;
  Tensor direction;
  double least, most;  // of <v*, x_i>
  OneLabel(Rng& rng, double slope) : net(2 + rng.below(2), 2 + rng.below(3), nn::LeakyReLU(slope)) {
    const auto data = nn::separable(rng, {.n = 2 + rng.below(3), .d = net.inputs(), .margin = 0.3});
    x = mul(data.x, data.y);
    y = Tensor::ones({x.size(0), 1});
    direction = data.direction;
    least = 1e300, most = 0.0;
    const Tensor s = matmul(x, Var(direction.reshape({net.inputs(), 1}))).value();
    for (const double v : s.data()) least = std::min(least, v), most = std::max(most, v);
  }
  static Tensor mul(const Tensor& x, const Tensor& y) { return scale_rows(x, y.reshape({y.size()})).value(); }
  Function<Var(const Var&)> risk() const {
    return [net = net, x = x, y = y](const Var& w) { return nn::logistic(net(w, x), y); };
  }
  /// Rows -c_j v*.
  Params inactive(const std::vector<double>& c) const {
    std::vector<double> w;
    for (const double s : c)
      for (const double v : direction.data()) w.push_back(-s * v);
    return Params(Tensor::from(w, {static_cast<Index>(w.size())}), net.table());
  }
};

Planted plant(int k, Rng& rng) {
  const Index p = 2 + rng.below(6);
  const Tensor a = exp(rng.normal({p})).value(), b = rng.normal({p}), v = rng.normal({p});
  const auto quadratic = [a, b](const Var& w) { return 0.5 * sum(Var(a) * square(w - b)); };
  const Params at_v({{"w", v}});
  switch (k % 7) {
    case 0:  // convex, but h below f(v)
      return {"h too small",
              {.f = quadratic, .h = constant(quadratic(v).item() - 0.01 - 0.3 * rng.uniform()), .v = at_v},
              at_v};
    case 1: {  // convex, but g above f
      const double factor = 1.0 + 0.02 + rng.uniform();
      return {"g too large",
              {.f = quadratic,
               .g = [quadratic, factor](const Var& w) { return factor * quadratic(w); },
               .h = constant(quadratic(v).item()),
               .v = at_v},
              at_v};
    }
    case 2: {  // PL, but not convex towards its minimiser
      std::vector<double> w(static_cast<std::size_t>(p));
      w[0] = 2.0;
      return {"PL is not proxy convexity",
              {.f = karimi, .h = constant(0.0), .v = at_v.zeros_like()},
              Params({{"w", Tensor::from(w, {p})}})};
    }
    case 3: {  // the leaky ReLU theorem with a margin beyond every sample's
      const double slope = 0.1 + 0.6 * rng.uniform();
      const OneLabel d(rng, slope);
      const double claimed = 1.3 * d.most, rho = (1.0 + rng.uniform()) / (slope * d.most);
      const theory::LeakyReluProblem problem(d.net, d.x, d.y, d.direction, claimed);
      // Inactive everywhere with <grad f, W> = <grad f, V>: then L = mean l(rho alpha s_i) > h.
      double negative = 0.0, positive = 0.0;
      for (const double o : d.net.outer().data()) (o < 0.0 ? negative : positive) += std::fabs(o);
      std::vector<double> c;
      for (const double o : d.net.outer().data())
        c.push_back(o < 0.0 ? (rho + 0.01 * positive) / negative : 0.01);
      return {"margin overstated", problem.proxy(rho), d.inactive(c)};
    }
    case 4: {  // ReLU: where every unit is dead the risk is log 2 and the gradient 0
      const OneLabel d(rng, 0.0);
      const double rho = 3.0 / d.least;
      std::vector<double> dead(d.net.outer().data().size(), 1.0);
      const theory::LeakyReluProblem problem(d.net, d.x, d.y, d.direction);
      ProxyConvexity triple{.f = d.risk(), .h = constant(0.3 * rng.uniform()), .v = problem.reference(rho)};
      return {"ReLU", triple, d.inactive(dead)};
    }
    case 5: {  // Rosenbrock is not convex towards its minimiser
      const auto rosenbrock = [](const Var& w) {
        const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
        return sum(100.0 * square(y - square(x)) + square(1.0 - x));
      };
      return {"Rosenbrock", {.f = rosenbrock, .h = constant(0.0), .v = point({1.0, 1.0})}, point({0.0, 1.0})};
    }
    default: {  // the mean of -l', a surrogate that is not convex: flat where it is 1
      const auto data = nn::separable(rng, {.n = 10, .d = p, .margin = 0.2});
      const auto slopes = [x = data.x, y = data.y](const Var& w) {
        return mean(sigmoid(-(Var(y) * linear(x, reshape(w, {1, w.size()})))));
      };
      const Tensor far = (20.0 * Var(data.direction)).value();
      return {"-l' is not convex",
              {.f = slopes, .h = slopes, .v = Params({{"w", far}})},
              Params({{"w", (-1.0 * Var(far)).value()}})};
    }
  }
}

TEST(Falsifier, RefutesNinetyNineOfAHundredPlantedProxies) {
  Rng planting(2024), searching(1);
  int found = 0;
  std::string missed;
  for (int k = 0; k < 100; ++k) {
    const Planted planted = plant(k, planting);
    const theory::Inequality known = planted.triple.at(planted.witness);
    ASSERT_LT(known.margin(), -1e-6) << planted.family << " is not false there";
    // Around 0 at v's scale, and without the hint that v itself is worth a look.
    const Verdict v = falsify(planted.triple.claim(), planted.triple.v.zeros_like(), searching,
                              {.radius = std::max(10.0, 3.0 * norm(planted.triple.v))});
    if (v.outcome != Outcome::refuted) {
      missed += planted.family + "; ";
      continue;
    }
    ++found;
    const theory::Inequality again = planted.triple.at(*v.witness);
    EXPECT_TRUE(again.disproved());
  }
  EXPECT_GE(found, 99) << "missed: " << missed;
}

TEST(Falsifier, RefutesNoTrueProxy) {
  Rng rng(9);
  for (int k = 0; k < 30; ++k) {
    const Index p = 2 + rng.below(6);
    const Tensor a = exp(rng.normal({p})).value(), b = rng.normal({p});
    const auto quadratic = [a, b](const Var& w) { return 0.5 * sum(Var(a) * square(w - b)); };
    const ProxyConvexity convex{.f = quadratic, .h = quadratic, .v = Params({{"w", rng.normal({p})}})};
    const FalsifyOptions few{.evaluations = 10'000};
    EXPECT_NE(check_proxy_convexity(convex, convex.v.zeros_like(), rng, few).outcome, Outcome::refuted);
    const auto data = nn::separable(rng, {.n = 8, .d = p, .margin = 0.2});
    const nn::TwoLayer net(p, 4, nn::LeakyReLU(0.2));
    const theory::LeakyReluProblem problem(net, data.x, data.y);
    EXPECT_NE(check_proxy_convexity(problem.proxy(30.0), net.init(rng), rng, few).outcome, Outcome::refuted);
  }
}

}  // namespace
}  // namespace cotangent
