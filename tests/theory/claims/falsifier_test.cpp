// The falsifier: refutes what is false, supports what is true, and says where it looked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autodiff/autodiff.hpp"
#include "tests/support/files_support.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::FalsifyOptions;
using theory::Outcome;
using theory::pointwise;
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

// Wherever a search would go, both points are brought back before the claim is asked.
TEST(Falsifier, BothPointsOfAPairStayInsideTheDomain) {
  const Params centre = point({1.0, -2.0});
  double farthest_x = 0.0, farthest_y = 0.0;
  Index calls = 0;
  const theory::PairClaim claim{"Lipschitz", [&](const Var& x, const Var& y) {
                                  const auto away = [&](const Var& w) {
                                    return norm(Var(w.value()) - Var(centre.flat())).item();
                                  };
                                  farthest_x = std::max(farthest_x, away(x));
                                  farthest_y = std::max(farthest_y, away(y));
                                  ++calls;
                                  return theory::side(norm(sin(x) - sin(y))) <= theory::side(norm(x - y));
                                }};
  Rng rng(6);
  const Verdict v =
      falsify(claim, centre, rng, {.evaluations = 4000, .domain = 1.0, .starts = {point({5.0, 5.0})}});
  EXPECT_NE(v.outcome, Outcome::refuted) << v.to_string();
  for (const double farthest : {farthest_x, farthest_y, v.search->farthest}) {
    EXPECT_LE(farthest, 1.0);
    EXPECT_GT(farthest, 1.0 - 1e-12) << "they go up to its edge";
  }
  EXPECT_GT(v.points, calls / 2);
}

TEST(Falsifier, AMarginWithinRoundingIsInconclusive) {
  const auto claim = pointwise(
      "equal", [](const Var& w) { return sum(square(w)); }, [](const Var& w) { return dot(w, w); });
  Rng rng(3);
  EXPECT_EQ(falsify(claim, point({1.0, 2.0}), rng).outcome, Outcome::inconclusive);
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

}  // namespace
}  // namespace cotangent
