// Proof: the order in which hypotheses, conclusions and steps decide.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "cotangent.hpp"

namespace cotangent {
namespace {

using testing::AllOf, testing::HasSubstr;
using theory::Clause, theory::Domain, theory::exact, theory::Inequality, theory::Measured, theory::Outcome,
    theory::Proof, theory::rounded, theory::Verdict, theory::within;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

const Inequality kTrue = exact(1.0) <= exact(2.0), kFalse = exact(2.0) <= exact(1.0);

Verdict conclude(const Inequality& conclusion, const Domain& domain = Domain::run()) {
  return Proof("claim").conclude(domain, "c", conclusion);
}

TEST(Proof, TheNumbersDecide) {
  const auto outcome = [](double lhs, double rhs, double tolerance) {
    return conclude(within(lhs, tolerance) <= exact(rhs)).outcome;
  };
  EXPECT_EQ(outcome(1.0, 2.0, 0.1), Outcome::certified);
  EXPECT_EQ(outcome(2.0, 1.0, 0.1), Outcome::refuted);
  EXPECT_EQ(outcome(1.0, 1.05, 0.1), Outcome::inconclusive);
  EXPECT_EQ(outcome(1.05, 1.0, 0.1), Outcome::inconclusive);
  EXPECT_EQ(outcome(kNaN, 1.0, 0.1), Outcome::inconclusive);
  EXPECT_EQ(outcome(1.0, kNaN, 0.1), Outcome::inconclusive);
  EXPECT_EQ(outcome(1.0, 1.0, 0.0), Outcome::certified);  // exact arithmetic, closed inequality
  EXPECT_EQ(outcome(1.0, kInf, 0.0), Outcome::certified);
  EXPECT_EQ(outcome(kInf, 1.0, 0.0), Outcome::refuted);
  EXPECT_EQ(conclude(exact(1.0) < exact(1.0)).outcome, Outcome::refuted);
}

// F2: exactness is written out; a side that was computed certifies no equality.
TEST(Proof, ARoundedEqualityCertifiesNothing) {
  EXPECT_EQ(conclude(exact(1.0) <= exact(1.0)).outcome, Outcome::certified);
  const Verdict v = conclude(exact(1.0) <= rounded(1.0));
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  EXPECT_THAT(v.reason, HasSubstr("within its rounding"));
}

// F4: the texts name what may have moved the numbers, and an estimated error proves nothing either way.
TEST(Proof, EstimatesNeverCertifyNorRefute) {
  const Verdict holds = conclude(theory::sampled(0.0, 0.1) <= exact(1.0));
  EXPECT_EQ(holds.outcome, Outcome::supported);
  EXPECT_THAT(holds.reason, AllOf(HasSubstr("holds within five standard errors"), HasSubstr("margin of 1")));
  const Verdict fails = conclude(theory::sampled(2.0, 0.1) <= exact(1.0));
  EXPECT_EQ(fails.outcome, Outcome::inconclusive);
  EXPECT_THAT(fails.reason,
              AllOf(HasSubstr("fails beyond five standard errors"), HasSubstr("margin of -1, 10 "
                                                                              "standard errors")));
  EXPECT_THAT(conclude(theory::integrated(2.0, 0.1) <= exact(1.0)).reason,
              HasSubstr("the integrator's tolerance"));
  EXPECT_EQ(conclude(kTrue, Domain::points(5)).outcome, Outcome::supported) << "samples never certify";
  EXPECT_EQ(conclude(kFalse, Domain::points(5)).outcome, Outcome::refuted);
}

TEST(Proof, AnEstimateAnywhereInTheProofKeepsItFromCertifying) {
  Proof step("claim"), hypothesis("claim"), conclusion("claim");
  step.step("estimated", theory::sampled(0.0, 0.1) <= exact(1.0));
  hypothesis.hypothesis("estimated", theory::sampled(0.0, 0.1) <= exact(1.0));
  conclusion.conclusion_at_each("iterate", "estimated").observe(0, theory::sampled(0.0, 0.1) <= exact(1.0));
  for (const Proof* proof : {&step, &hypothesis, &conclusion}) {
    const Verdict v = proof->conclude(Domain::everywhere(), "c", kTrue);
    EXPECT_EQ(v.outcome, Outcome::supported);
    EXPECT_THAT(v.reason, HasSubstr("is an estimate"));
  }
}

TEST(Proof, AConclusionThatOnlyRoundingForgivesSomewhereIsNotCertified) {
  Proof proof("claim");
  Clause& every = proof.conclusion_at_each("iterate", "for every T");
  every.observe(0, within(2.0, 5.0) <= exact(1.0));
  every.observe(1, kTrue);
  const Verdict v = proof.conclude(Domain::run(), "last", kTrue);
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  EXPECT_THAT(v.reason, HasSubstr("\"for every T\" is not certain wherever"));
}

const Domain kBeyond[] = {Domain::everywhere(), Domain::ball("w0", 1.0), Domain::expectation(),
                          Domain::probability(0.1)};

// A claim that goes beyond the numbers evaluated rests on what is certain: nothing within rounding is
// forgiven, neither to certify nor to refute.
TEST(Proof, AHypothesisWithinRoundingIsOpenWhereTheClaimGoesBeyondTheNumbers) {
  Proof proof("claim");
  proof.hypothesis("0 < step", exact(0.0) < exact(1.0));
  proof.hypothesis("|a| = 1", within(1.0 - 2.7e-14, 3e-14) == exact(1.0));
  for (const Domain& domain : kBeyond)
    for (const Inequality& conclusion : {kTrue, kFalse}) {
      const Verdict v = proof.conclude(domain, "c", conclusion);
      EXPECT_EQ(v.outcome, Outcome::inconclusive) << domain.text;
      EXPECT_THAT(v.reason, HasSubstr("the hypothesis \"|a| = 1\" holds only within its bound of 3e-14"));
    }
  // At one point or on a run the conclusion itself was evaluated; the verdict says what was forgiven.
  for (const Domain& domain : {Domain::run(), Domain::here()}) {
    EXPECT_EQ(proof.conclude(domain, "c", kTrue).outcome, Outcome::certified);
    EXPECT_EQ(proof.conclude(domain, "c", kFalse).outcome, Outcome::refuted);
    for (const Inequality& conclusion : {kTrue, kFalse})
      EXPECT_THAT(proof.conclude(domain, "c", conclusion).reason,
                  testing::EndsWith("; hypotheses that hold only within rounding: \"|a| = 1\""));
  }
  const Params w({{"w", Tensor{1.0}}});
  for (const Inequality& worst : {kTrue, kFalse})
    EXPECT_EQ(proof.searched({.worst = worst, .point = w, .points = 9, .counterexample = true}).outcome,
              Outcome::inconclusive);
}

TEST(Proof, AStepWithinRoundingIsOpenWhereTheClaimGoesBeyondTheNumbers) {
  Proof proof("claim");
  proof.step_at_each("sample", "descent").observe(2, rounded(1.0) <= exact(1.0));
  for (const Domain& domain : kBeyond) {
    const Verdict v = proof.conclude(domain, "c", kTrue);
    EXPECT_EQ(v.outcome, Outcome::inconclusive) << domain.text;
    EXPECT_THAT(v.reason,
                AllOf(HasSubstr("\"descent\" holds only within its rounding"), HasSubstr("sample 2")));
    EXPECT_EQ(proof.conclude(domain, "c", kFalse).outcome, Outcome::refuted);
  }
  EXPECT_EQ(proof.conclude(Domain::run(), "c", kTrue).outcome, Outcome::certified);
}

// Of NaN, an infinite error and an estimate nothing is known: neither that a hypothesis holds nor that it
// fails.
TEST(Proof, AHypothesisOfWhichNothingIsKnownIsOpen) {
  for (const Inequality& q : {exact(kNaN) <= exact(1.0), within(0.5, kInf) <= exact(1.0),
                              within(0.0, 1.0) < exact(0.0), exact(kInf) <= exact(kInf),
                              within(0.5, -1.0) <= exact(1.0), theory::sampled(9.0, 0.1) <= exact(1.0)}) {
    Proof proof("claim");
    proof.hypothesis("h", q);
    EXPECT_FALSE(proof.applicable()) << q.to_string();
    for (const Domain& domain : {Domain::everywhere(), Domain::run(), Domain::here(), Domain::points(3)})
      for (const Inequality& conclusion : {kTrue, kFalse}) {
        const Verdict v = proof.conclude(domain, "c", conclusion);
        EXPECT_EQ(v.outcome, Outcome::inconclusive) << q.to_string();
        EXPECT_THAT(v.reason, HasSubstr("whether the hypothesis \"h\" holds is open"));
      }
    EXPECT_THAT(proof.unfinished(Domain::run(), "broken off").reason, HasSubstr("is open"));
    proof.hypothesis("false", kFalse);
    EXPECT_EQ(proof.conclude(Domain::run(), "c", kTrue).outcome, Outcome::not_applicable)
        << "what is false decides";
  }
}

TEST(Proof, WhatIsCertainIsEnoughEverywhere) {
  Proof proof("claim");
  proof.hypothesis("h", kTrue);
  proof.step("s", kTrue);
  EXPECT_EQ(proof.conclude(Domain::everywhere(), "c", kTrue).outcome, Outcome::certified);
  const Params w({{"w", Tensor{1.0}}});
  EXPECT_EQ(proof.searched({.worst = kTrue, .point = w, .points = 1}).outcome, Outcome::supported);
  Proof only("claim");
  only.hypothesis("h", rounded(1.0) <= exact(1.0));
  EXPECT_TRUE(only.applicable()) << "what rounding lets hold is worth the work";
  EXPECT_THAT(only.conclude(Domain::run(), "c", kTrue).reason, HasSubstr("every hypothesis was evaluated"));
}

TEST(Proof, TheConclusionShownIsTheOneThatIsOpen) {
  const auto at_each = [](const Inequality& q) {
    Proof proof("claim");
    proof.conclusion_at_each("iterate", "for every T").observe(1, q);
    return proof.conclude(Domain::run(), "last", kTrue);
  };
  const Verdict fails = at_each(theory::sampled(9.0, 0.1) <= exact(1.0));
  EXPECT_EQ(fails.outcome, Outcome::inconclusive);
  EXPECT_EQ(fails.conclusion.name, "for every T");
  const Verdict holds = at_each(theory::sampled(0.0, 0.1) <= exact(1.0));
  EXPECT_EQ(holds.outcome, Outcome::supported);
  EXPECT_EQ(holds.conclusion.name, "last");
  Proof broken("claim");
  broken.step("s", kFalse);
  EXPECT_THAT(broken.conclude(Domain::run(), "c", rounded(1.0) <= exact(1.0)).reason,
              HasSubstr("; the claim held here"));
}

TEST(Proof, AnIdentityIsCertifiedOnlyOfExactNumbers) {
  EXPECT_EQ(conclude(exact(1.0) == exact(1.0)).outcome, Outcome::certified);
  EXPECT_EQ(conclude(exact(1.0) == exact(1.0), Domain::numbers()).outcome, Outcome::agrees);
  EXPECT_EQ(conclude(within(1.0, 0.1) == exact(1.05)).outcome, Outcome::agrees);
  EXPECT_EQ(conclude(within(1.0, 0.1) == exact(1.05), Domain::points(3)).outcome, Outcome::supported);
  EXPECT_EQ(conclude(within(1.0, 0.1) == exact(1.2)).outcome, Outcome::refuted);
}

TEST(Proof, AVacuousBoundSaysSo) {
  Proof proof("claim");
  proof.vacuous_if(exact(1.0) <= exact(7.0), "7 is above 1, which G never exceeds");
  const Verdict v = proof.conclude(Domain::run(), "c", kTrue);
  EXPECT_TRUE(v.vacuous);
  EXPECT_EQ(v.outcome, Outcome::certified);
  EXPECT_THAT(v.reason, HasSubstr("; VACUOUS: 7 is above 1"));
  EXPECT_THAT(v.to_string(), testing::StartsWith("certified, VACUOUS (on this trajectory)"));
  EXPECT_FALSE(proof.conclude(Domain::run(), "c", kFalse).vacuous);
  EXPECT_TRUE(proof.conclude(Domain::points(3), "c", kTrue).vacuous);
  EXPECT_FALSE(proof.conclude(Domain::run(), "c", rounded(1.0) <= exact(1.0)).vacuous);
  EXPECT_FALSE(proof.conclude(Domain::numbers(), "c", exact(1.0) == exact(1.0)).vacuous);
  Proof barely("claim");
  barely.vacuous_if(rounded(1.0) <= exact(1.0), "");
  EXPECT_TRUE(barely.conclude(Domain::run(), "c", kTrue).vacuous);
  Proof sharp("claim");
  sharp.vacuous_if(exact(1.0) <= exact(0.5), "");
  EXPECT_FALSE(sharp.conclude(Domain::run(), "c", kTrue).vacuous);
}

TEST(Proof, AFailedHypothesisIsNamedAndComesFirst) {
  Proof proof("claim");
  proof.hypothesis("holds", exact(0.0) <= exact(1.0));
  EXPECT_TRUE(proof.applicable());
  Clause& clause = proof.hypothesis_at_each("sample", "|x_i| <= 1");
  EXPECT_TRUE(proof.applicable()) << "nothing was evaluated yet";
  clause.observe(0, exact(0.5) <= exact(1.0));
  clause.observe(1, exact(1.5) <= exact(1.0));
  clause.observe(2, exact(0.9) <= exact(1.0));
  proof.step_at_each("iterate", "a step").observe(4, kFalse);
  EXPECT_FALSE(proof.applicable());
  const Verdict v = proof.conclude(Domain::run(), "c", kFalse);
  EXPECT_EQ(v.outcome, Outcome::not_applicable);
  EXPECT_EQ(v.reason, "the hypothesis \"|x_i| <= 1\" fails: 1.5 <= 1 at sample 1");
  ASSERT_EQ(v.hypotheses.size(), 2u);
  EXPECT_TRUE(v.hypotheses[0].holds());
  EXPECT_EQ(v.points, 3);
}

// F1: the conclusion decides before the steps do.
TEST(Proof, AFalseConclusionIsRefutedAndNamesTheFirstFalseStep) {
  Proof proof("claim");
  proof.step_at_each("iterate", "sound").observe(3, kTrue);
  proof.step_at_each("iterate", "descent").observe(17, exact(3.0) <= exact(2.0));
  const Verdict v = proof.conclude(Domain::run(), "bound", kFalse);
  EXPECT_EQ(v.outcome, Outcome::refuted);
  EXPECT_EQ(v.reason,
            "\"bound\" is false: 2 <= 1; the proof's first false step is \"descent\": 3 <= 2 at iterate 17");
}

TEST(Proof, AFalseConclusionForOneTIsRefuted) {
  Proof proof("claim");
  Clause& every = proof.conclusion_at_each("iterate", "for every T");
  every.observe(1, kTrue);
  every.observe(2, exact(5.0) <= exact(4.0));
  const Verdict v = proof.conclude(Domain::run(), "last", kTrue);
  EXPECT_EQ(v.outcome, Outcome::refuted);
  EXPECT_EQ(v.reason, "\"for every T\" is false: 5 <= 4 at iterate 2");
  EXPECT_EQ(v.conclusion.where, "iterate 2");
  EXPECT_EQ(proof.unfinished(Domain::run(), "broken off").outcome, Outcome::refuted) << "one T is enough";
}

TEST(Proof, ABrokenStepLeavesATrueConclusionUnproved) {
  Proof proof("claim");
  proof.step_at_each("iterate", "descent").observe(17, exact(3.0) <= exact(2.0));
  const Verdict v = proof.conclude(Domain::run(), "c", kTrue);
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  EXPECT_EQ(v.reason, "the proof breaks at \"descent\": 3 <= 2 at iterate 17; the claim held here");
  EXPECT_THAT(proof.conclude(Domain::run(), "c", Measured() <= exact(1.0)).reason, HasSubstr("is open"));
}

TEST(Proof, WhatWasNeverEvaluatedProvesNothing) {
  Proof steps("claim"), hypotheses("claim"), conclusions("claim");
  steps.step_at_each("iterate", "forgotten");
  hypotheses.hypothesis_at_each("iterate", "forgotten");
  conclusions.conclusion_at_each("iterate", "forgotten");
  for (const Proof* proof : {&steps, &hypotheses, &conclusions}) {
    const Verdict v = proof->conclude(Domain::run(), "c", kTrue);
    EXPECT_EQ(v.outcome, Outcome::inconclusive);
    EXPECT_EQ(v.reason, "\"forgotten\" was announced but never evaluated");
  }
  EXPECT_EQ(hypotheses.conclude(Domain::run(), "c", kFalse).outcome, Outcome::inconclusive)
      << "a claim whose hypothesis nobody looked at is not refuted";
}

// F6: the account is added up by the proof.
TEST(Proof, AnAccountThatDoesNotAddUpProvesNothing) {
  const auto with = [](double part) {
    Proof proof("claim");
    proof.account({{"first", exact(1.0)}, {"second", exact(part)}}, exact(3.0));
    return proof.conclude(Domain::run(), "c", kTrue);
  };
  EXPECT_EQ(with(2.0).outcome, Outcome::certified);
  EXPECT_EQ(with(2.0).account.size(), 2u);
  EXPECT_EQ(with(2.0 + 1e-13).outcome, Outcome::certified);
  EXPECT_EQ(with(2.0 + 1e-11).outcome, Outcome::inconclusive);
  EXPECT_THAT(with(1.0).reason,
              AllOf(HasSubstr("the account is off"), HasSubstr("sum to 2"), HasSubstr("slack is 3")));
  EXPECT_EQ(with(kNaN).outcome, Outcome::inconclusive);
  const auto sum = [](const Measured& part, const Measured& slack) {
    Proof proof("claim");
    proof.account({{"part", part}}, slack);
    return proof.conclude(Domain::run(), "c", kTrue).outcome;
  };
  EXPECT_EQ(sum(exact(0.0), exact(0.0)), Outcome::certified);
  EXPECT_EQ(sum(exact(1e-20), exact(3e-20)), Outcome::inconclusive) << "beside the largest part";
  EXPECT_EQ(sum(exact(1e15), exact(1e15 + 100.0)), Outcome::certified);
  EXPECT_EQ(sum(within(1.0, 0.5), exact(1.3)), Outcome::certified) << "what a part may be off";
  EXPECT_EQ(sum(exact(1.0), within(1.3, 0.5)), Outcome::certified) << "what the slack may be off";
  EXPECT_EQ(sum(within(1.0, 0.2), exact(1.3)), Outcome::inconclusive);
  Proof vague("claim");
  vague.account({{"anything", within(5.0, kInf)}}, exact(-3.0));
  EXPECT_EQ(vague.conclude(Domain::run(), "c", kTrue).outcome, Outcome::inconclusive);
}

TEST(Proof, UnfinishedWorkSaysSoUnlessAHypothesisFails) {
  Proof proof("claim");
  EXPECT_EQ(proof.unfinished(Domain::run(), "broken off").outcome, Outcome::inconclusive);
  EXPECT_EQ(proof.unfinished(Domain::run(), "broken off").reason, "broken off");
  proof.hypothesis("0 < gamma", exact(0.0) < exact(0.0));
  const Verdict v = proof.unfinished(Domain::run(), "broken off");
  EXPECT_EQ(v.outcome, Outcome::not_applicable);
  EXPECT_THAT(v.reason, HasSubstr("0 < gamma"));
}

// What was only computed certifies and refutes nothing.
TEST(Proof, WhatIsOnlyComputedProvesNothing) {
  const auto verdict = [](const Inequality& conclusion) {
    Proof proof("claim");
    proof.hypothesis("h", exact(0.0) < exact(1.0));
    proof.as_computed("no rule for it");
    return proof.conclude(Domain::here(), "c", conclusion);
  };
  EXPECT_EQ(verdict(kTrue).outcome, Outcome::supported);
  EXPECT_EQ(verdict(kFalse).outcome, Outcome::inconclusive);
  for (const Inequality& q : {kTrue, kFalse})
    EXPECT_THAT(verdict(q).reason, HasSubstr("which proves nothing: no rule for it"));
}

}  // namespace
}  // namespace cotangent
