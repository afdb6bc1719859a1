// Proof: the order in which hypotheses, conclusions and steps decide; Study: what is said of a run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cotangent.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using testing::AllOf, testing::HasSubstr;
using theory::Clause, theory::Domain, theory::exact, theory::Inequality, theory::Iterate, theory::Measured,
    theory::Outcome, theory::Proof, theory::rounded, theory::Study, theory::Verdict, theory::within;

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

// F3: a search hands in its evidence, and the proof decides.
TEST(Proof, EvidenceOfASearchIsDecidedHere) {
  const Params w({{"w", Tensor{1.0}}});
  const auto searched = [&](const Inequality& worst, bool counterexample = false, bool tight = false) {
    return Proof("claim").searched(
        {.worst = worst, .point = w, .points = 9, .counterexample = counterexample, .mostly_tight = tight});
  };
  EXPECT_EQ(searched(kFalse, true).outcome, Outcome::refuted);
  EXPECT_EQ(searched(kTrue, true).outcome, Outcome::supported) << "the numbers decide, not the search";
  EXPECT_EQ(searched(within(2.0, 3.0) <= exact(1.0), true, true).outcome, Outcome::inconclusive);
  EXPECT_EQ(searched(theory::sampled(9.0, 0.1) <= exact(1.0), true).outcome, Outcome::inconclusive);
  for (const Inequality& nothing : {Measured() <= exact(1.0), exact(kInf) <= exact(kInf),
                                    within(0.0, kInf) <= exact(1.0), within(9.0, -1.0) <= exact(1.0)})
    for (const bool counterexample : {false, true}) {
      const Verdict v = searched(nothing, counterexample);
      EXPECT_EQ(v.outcome, Outcome::inconclusive) << nothing.to_string();
      EXPECT_THAT(v.reason, HasSubstr("nothing is known at the worst"));
    }
  EXPECT_EQ(searched(exact(0.0) <= exact(kInf)).outcome, Outcome::supported);
  EXPECT_EQ(Proof("claim").searched({.worst = kTrue, .point = w}).outcome, Outcome::inconclusive)
      << "no point";
  EXPECT_THAT(searched(kFalse).reason, HasSubstr("was not enclosed"));
  EXPECT_EQ(searched(kFalse).outcome, Outcome::inconclusive);
  EXPECT_EQ(searched(kTrue).outcome, Outcome::supported);
  EXPECT_EQ(searched(rounded(1.0) <= exact(1.0)).outcome, Outcome::supported);
  EXPECT_EQ(searched(rounded(1.0) <= exact(1.0), false, true).outcome, Outcome::inconclusive);
  EXPECT_EQ(searched(rounded(1.0) == exact(1.0), false, true).outcome, Outcome::supported);
  Proof broken("claim");
  broken.hypothesis("0 < 0", exact(0.0) < exact(0.0));
  EXPECT_EQ(broken.searched({.worst = kFalse, .point = w, .counterexample = true}).outcome,
            Outcome::not_applicable);
}

TEST(Proof, ASearchSaysWhatEnclosuresDenied) {
  const Params w({{"w", Tensor{1.0}}});
  const auto reason = [&](const Inequality& worst, bool counterexample, Index denied, Index left_over,
                          const std::string& not_enclosed = {}) {
    return Proof("claim")
        .searched({.worst = worst,
                   .point = w,
                   .points = 9,
                   .counterexample = counterexample,
                   .denied = denied,
                   .left_over = left_over,
                   .not_enclosed = not_enclosed})
        .reason;
  };
  EXPECT_THAT(reason(kTrue, false, 0, 0), testing::Not(HasSubstr("enclosure")));
  EXPECT_THAT(reason(kTrue, false, 1, 0), HasSubstr("at 1 points a violation as computed is none"));
  EXPECT_THAT(reason(kTrue, false, 1, 0), testing::Not(HasSubstr("further")));
  EXPECT_THAT(reason(kTrue, false, 2, 1), HasSubstr("at 1 further ones"));
  EXPECT_THAT(reason(kFalse, true, 3, 0), testing::Not(HasSubstr("as computed")));
  EXPECT_THAT(reason(kFalse, false, 0, 0, "no rule"), HasSubstr("which proves nothing: no rule"));
  EXPECT_THAT(reason(rounded(1.0) <= exact(1.0), false, 0, 0, "no rule"), testing::Not(HasSubstr("no rule")));
}

// A box: what is left decides, but only a counterexample that is one refutes.
TEST(Proof, EvidenceOfBoxesIsDecidedHere) {
  const Box box{Tensor{0.0}, Tensor{1.0}};
  const auto bisected = [&](const Inequality& worst, bool counterexample, Index proved, std::size_t left) {
    theory::BoxEvidence e{
        .worst = worst, .point = Params({{"w", Tensor{0.5}}}), .counterexample = counterexample};
    e.record = {.box = box, .looked_at = 7, .proved = proved};
    e.record.undecided.assign(left, box);
    return Proof(theory::Claim("claim", "a <= b for all w")).bisected(e);
  };
  EXPECT_EQ(bisected(kTrue, false, 7, 0).outcome, Outcome::certified);
  EXPECT_EQ(bisected(kTrue, false, 6, 1).outcome, Outcome::inconclusive);
  EXPECT_EQ(bisected(kTrue, false, 0, 0).outcome, Outcome::inconclusive) << "no box was proved";
  EXPECT_EQ(bisected(kFalse, true, 3, 3).outcome, Outcome::refuted);
  EXPECT_EQ(bisected(kFalse, false, 3, 1).outcome, Outcome::inconclusive);
  EXPECT_EQ(bisected(kTrue, true, 3, 1).outcome, Outcome::inconclusive);
  EXPECT_EQ(bisected(kTrue, false, 7, 0).claim.statement, "a <= b for the w of [0, 1]");
  for (const auto& [hypothesis, wanted] : {std::pair{exact(1.0) <= exact(2.0), Outcome::certified},
                                           {rounded(1.0) <= exact(1.0), Outcome::inconclusive},
                                           {theory::sampled(0.0, 0.01) <= exact(1.0), Outcome::inconclusive},
                                           {exact(2.0) <= exact(1.0), Outcome::not_applicable}}) {
    Proof proof("claim");
    proof.hypothesis("h", hypothesis);
    theory::BoxEvidence e{.worst = kTrue};
    e.record = {.box = box, .looked_at = 1, .proved = 1};
    EXPECT_EQ(proof.bisected(e).outcome, wanted);
  }
}

TEST(Proof, ASearchSaysWhatItSaw) {
  const Params w({{"w", Tensor{1.0}}});
  const auto searched = [&](Inequality worst, Index points, Index not_evaluated) {
    return Proof({"c", "a <= b for all w"})
        .searched({.worst = std::move(worst), .point = w, .points = points, .not_evaluated = not_evaluated});
  };
  EXPECT_EQ(searched(kTrue, 1, 0).outcome, Outcome::supported);
  EXPECT_THAT(searched(kTrue, 1, 0).reason, testing::Not(HasSubstr("further points")));
  EXPECT_THAT(searched(kTrue, 5, 1).reason, HasSubstr("at 1 further points a side was no number"));
  EXPECT_EQ(searched(kTrue, 5, 5).outcome, Outcome::supported);
  EXPECT_THAT(searched(kTrue, 5, 5).reason, HasSubstr("at 5 further points"));
  EXPECT_EQ(searched(kTrue, 5, 6).outcome, Outcome::inconclusive);
  EXPECT_THAT(searched(kTrue, 5, 6).reason, testing::Not(HasSubstr("further points")));
  EXPECT_THAT(searched(exact(1.0) <= exact(1.0), 5, 0).reason, HasSubstr("tight"));
  EXPECT_EQ(searched(kTrue, 5, 0).conclusion.where, "the worst point found");
  Inequality placed = kTrue;
  placed.where = "sample 3";
  EXPECT_EQ(searched(placed, 5, 0).conclusion.where, "sample 3");
  // Only a search within a domain speaks of less than every w.
  theory::SearchRecord record{.centre = w, .radius = 2.0};
  const auto recorded = [&] {
    return Proof({"c", "a <= b for all w"})
        .searched({.worst = kTrue, .point = w, .points = 5, .search = record});
  };
  EXPECT_EQ(recorded().claim.statement, "a <= b for all w");
  EXPECT_THAT(recorded().domain.text, HasSubstr("5 points found around |w - centre| <= 2"));
  record.domain = 1.5;
  EXPECT_EQ(recorded().claim.statement, "a <= b for the w of |w - centre| <= 1.5");
  EXPECT_EQ(Proof("mine").searched({.worst = kTrue, .point = w, .points = 5, .search = record}).claim.name,
            "mine (for the w of |w - centre| <= 1.5)");
}

TEST(Clause, KeepsWhereItsSidesCameClosest) {
  Clause clause("iterate", "a <= b");
  clause.observe(3, exact(1.0) <= exact(2.0));
  clause.observe(5, exact(1.0) <= exact(1.25));
  clause.observe(9, exact(0.0) <= exact(7.0));
  EXPECT_EQ(clause.evaluations(), 3);
  EXPECT_EQ(clause.worst().where, "iterate 5");
  EXPECT_DOUBLE_EQ(clause.worst().margin(), 0.25);
  EXPECT_FALSE(clause.first_failure());
  clause.observe(11, exact(kNaN) <= exact(1.0));
  clause.observe(12, exact(-5.0) <= exact(1.0));
  EXPECT_EQ(clause.worst().where, "iterate 11") << "NaN fails";
  EXPECT_EQ(clause.first_failure(), 11);
}

TEST(Clause, AFailureIsNeverHiddenByWhatCameCloser) {
  Clause strict("sample", "a < b");
  strict.observe(0, within(2.0, 3.0) < exact(1.0));  // fails, for it is strict
  strict.observe(1, exact(0.0) < exact(0.5));
  EXPECT_FALSE(strict.worst().holds());
  Clause mixed("sample", "a <= b");
  mixed.observe(0, exact(2.0) <= exact(1.0));
  mixed.observe(1, theory::sampled(9.0, 0.1) <= exact(0.5));
  EXPECT_TRUE(mixed.worst().disproved()) << "what is certainly false comes before what an estimate says";
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

// The enclosure of the worst row decides about it, whichever way, and about no other.
TEST(Clause, TheWorstRowIsSettledByItsEnclosure) {
  const auto clause_of = [](const Inequality& enclosed, bool worse_after = false) {
    Clause c("iterate", "row");
    EXPECT_TRUE(c.observe(0, rounded(1.0) <= exact(2.0)));
    EXPECT_TRUE(c.observe(1, rounded(1.0) <= exact(1.0)));
    c.closest([enclosed] { return enclosed; });
    EXPECT_FALSE(c.observe(2, rounded(0.0) <= exact(1.0)));
    EXPECT_EQ(worse_after && c.observe(3, rounded(1.0) <= exact(0.5)), worse_after);
    EXPECT_FALSE(c.proved());
    c.settle();
    return c;
  };
  const auto difference = [](double lower, double upper) {
    Inequality q = rounded(1.0) <= exact(1.0);
    q.difference = theory::enclosed(lower, upper);
    return q;
  };
  const Clause right = clause_of(difference(1e-20, 1.00001e-20));
  EXPECT_TRUE(right.proved() && right.certain() && right.settled());
  EXPECT_GT(right.worst().margin(), 0.0);
  EXPECT_EQ(right.worst().where, "iterate 1");
  const Clause wrong = clause_of(difference(-1.00001e-20, -1e-20));
  EXPECT_TRUE(wrong.worst().disproved());
  EXPECT_FALSE(wrong.proved());
  const Clause open = clause_of(difference(-1.0, 1.0));
  EXPECT_FALSE(open.proved() || open.worst().disproved());
  const Clause unknown = clause_of(difference(-kInf, kInf));
  EXPECT_FALSE(unknown.certain() || unknown.settled());
  EXPECT_FALSE(unknown.why().empty());
  const Clause later = clause_of(difference(1e-20, 1.00001e-20), true);
  EXPECT_FALSE(later.settled()) << "the enclosure is of another row";
  EXPECT_TRUE(later.worst().disproved());
}

TEST(Clause, ShowsWhereItIsWorst) {
  const auto worst = [](const Inequality& first, const Inequality& second) {
    Clause clause("sample", "c");
    clause.observe(0, first);
    clause.observe(1, second);
    return clause.worst().where;
  };
  const Inequality fails = within(-9.0, kInf) <= exact(1.0), unproved = within(1.0, 3.0) <= exact(1.0);
  EXPECT_EQ(worst(fails, unproved), "sample 0") << "what fails comes before what rounding lets hold";
  EXPECT_EQ(worst(unproved, fails), "sample 1");
  EXPECT_EQ(worst(within(1.0, 0.5) <= exact(1.0), exact(0.0) <= exact(0.1)), "sample 0")
      << "what rounding lets hold comes before what is certain";
  // Of two that are certain, the one closer to being false: rounding forgiven, unless it is strict.
  EXPECT_EQ(worst(within(0.0, 1.0) <= exact(1.5), exact(0.0) <= exact(2.0)), "sample 1");
  EXPECT_EQ(worst(within(0.0, 1.0) < exact(1.5), exact(0.0) < exact(2.0)), "sample 0");
  EXPECT_EQ(worst(exact(0.0) < exact(1.5), exact(0.0) <= exact(2.0)), "sample 0");
  EXPECT_EQ(worst(kTrue, kTrue), "sample 0") << "the first of two alike";
}

TEST(Clause, KnowsWhetherItIsCertain) {
  Clause certain("sample", "c"), rounded_once("sample", "c"), estimated("sample", "c");
  certain.observe(0, kTrue);
  rounded_once.observe(0, rounded(1.0) <= exact(1.0));
  rounded_once.observe(1, kTrue);
  estimated.observe(0, theory::sampled(0.0, 0.1) <= exact(1.0));
  estimated.observe(1, kTrue);
  EXPECT_TRUE(certain.proved() && certain.certain());
  EXPECT_FALSE(rounded_once.proved());
  EXPECT_FALSE(rounded_once.first_failure()) << "what rounding lets hold does not fail";
  EXPECT_TRUE(rounded_once.certain());
  EXPECT_FALSE(estimated.proved() || estimated.certain());
}

// ---- Study

Var half_square(const Var& w) { return 0.5 * sum(square(w)); }
const Params kOne({{"w", Tensor{1.0}}});

TEST(Study, SeesEveryIterateAndItsSuccessor) {
  Study s("claim");
  std::vector<double> seen, next;
  const Verdict v = s.descend(
      half_square, kOne, {.step = 0.5, .iterations = 3},
      [&](const Iterate& it) {
        seen.push_back(it.w.flat()(0));
        next.push_back(it.next.flat()(0));
        EXPECT_EQ(it.value, 0.5 * seen.back() * seen.back());
        EXPECT_EQ(it.gradient_norm.value(), seen.back());
      },
      [] { return kTrue; }, "c");
  EXPECT_EQ(seen, (std::vector<double>{1.0, 0.5, 0.25}));
  EXPECT_EQ(next, (std::vector<double>{0.5, 0.25, 0.125}));
  EXPECT_THAT(v.reason, testing::Not(HasSubstr("enclosed"))) << "no row was";
  EXPECT_EQ(v.outcome, Outcome::certified);
  EXPECT_EQ(v.domain.kind, Domain::Kind::run);
  EXPECT_EQ(v.last->flat()(0), 0.25);
  EXPECT_FALSE(v.witness);
}

TEST(Study, ABrokenHypothesisSavesTheRunAndARefutedRunKeepsItsStart) {
  Study broken("claim");
  broken.hypothesis("0 < 0", exact(0.0) < exact(0.0));
  const auto never = [](const Iterate&) { ADD_FAILURE() << "the run was made"; };
  EXPECT_EQ(broken
                .descend(
                    half_square, kOne, {}, never, [] { return kTrue; }, "c")
                .outcome,
            Outcome::not_applicable);
  Study s("claim");
  const Verdict v = s.descend(
      half_square, kOne, {.iterations = 2}, [](const Iterate&) {}, [] { return kFalse; }, "c");
  EXPECT_EQ(v.outcome, Outcome::refuted);
  EXPECT_TRUE(equal(v.witness->flat(), kOne.flat()));
}

TEST(Study, BudgetsAndDivergenceAreUnfinished) {
  const auto run = [](const theory::DescentOptions& options, bool enough = false) {
    Study s("claim");
    return s.descend(
        half_square, kOne, options,
        [&](const Iterate& it) {
          if (enough && it.t == 4) s.enough();
        },
        [] { return kTrue; }, "c");
  };
  EXPECT_THAT(run({.iterations = 100, .budget = 7}).reason, HasSubstr("budget of 7 of 100"));
  EXPECT_EQ(run({.iterations = 100, .budget = 7}).outcome, Outcome::inconclusive);
  EXPECT_EQ(run({.iterations = 100, .budget = 7}, true).outcome, Outcome::certified) << "it had seen enough";
  EXPECT_THAT(run({.step = 1e160, .iterations = 100}).reason, HasSubstr("diverged"));
  EXPECT_THAT(test::error_of<DomainError>([&] { run({.step = NAN}); }), HasSubstr("step is nan"));
  EXPECT_THAT(test::error_of<DomainError>([&] { run({.iterations = 0}); }), HasSubstr("at least 1"));
}

}  // namespace
}  // namespace cotangent
