// Verdicts: how numbers become words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/autodiff.hpp"
#include "theory/verdict.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::Inequality;
using theory::Outcome;
using theory::Proof;
using theory::Row;
using theory::Scope;
using theory::Verdict;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

Verdict conclude(Inequality conclusion, Scope scope = Scope::trajectory) {
  return Proof({"claim", "proxy O30", "statement"}).conclude(scope, std::move(conclusion));
}

TEST(Verdict, TheNumbersDecide) {
  const auto outcome = [](double lhs, double rhs, double tolerance, bool strict = false) {
    return conclude({.name = "c", .lhs = lhs, .rhs = rhs, .tolerance = tolerance, .strict = strict}).outcome;
  };
  EXPECT_EQ(outcome(1.0, 2.0, 0.1), Outcome::certified);
  EXPECT_EQ(outcome(2.0, 1.0, 0.1), Outcome::refuted);
  EXPECT_EQ(outcome(1.0, 1.05, 0.1), Outcome::inconclusive);
  EXPECT_EQ(outcome(1.05, 1.0, 0.1), Outcome::inconclusive);
  EXPECT_EQ(outcome(kNaN, 1.0, 0.1), Outcome::inconclusive);
  EXPECT_EQ(outcome(1.0, kNaN, 0.1), Outcome::inconclusive);
  EXPECT_EQ(outcome(1.0, 1.0, 0.0), Outcome::certified);  // exact arithmetic, closed inequality
  EXPECT_EQ(outcome(1.0, 1.0, 0.0, true), Outcome::inconclusive);
  EXPECT_EQ(outcome(1.0, kInf, 0.0), Outcome::certified);
  EXPECT_EQ(outcome(kInf, 1.0, 0.0), Outcome::refuted);
}

TEST(Verdict, SamplesNeverCertify) {
  EXPECT_EQ(conclude({.name = "c", .lhs = 1.0, .rhs = 2.0}, Scope::samples).outcome, Outcome::supported);
  EXPECT_EQ(conclude({.name = "c", .lhs = 2.0, .rhs = 1.0}, Scope::samples).outcome, Outcome::refuted);
  EXPECT_EQ(conclude({.name = "c", .lhs = 1.0, .rhs = 2.0}, Scope::everywhere).outcome, Outcome::certified);
}

TEST(Verdict, AFailedHypothesisIsNamedAndComesFirst) {
  Proof proof({"claim", "proxy O30", "statement"});
  proof.hypothesis({.name = "holds", .lhs = 0.0, .rhs = 1.0});
  EXPECT_TRUE(proof.applicable());
  Row& row = proof.hypothesis_at_each("sample", "|x_i| <= 1");
  EXPECT_TRUE(proof.applicable()) << "nothing was evaluated yet";
  row.observe(0, 0.5, 1.0);
  row.observe(1, 1.5, 1.0);
  row.observe(2, 0.9, 1.0);
  proof.step_at_each("iterate", "a step").observe(4, 3.0, 2.0);
  EXPECT_FALSE(proof.applicable());
  const Verdict v = proof.conclude(Scope::trajectory, {.name = "c", .lhs = 2.0, .rhs = 1.0});
  EXPECT_EQ(v.outcome, Outcome::not_applicable);
  EXPECT_EQ(v.reason, "the hypothesis \"|x_i| <= 1\" fails: 1.5 <= 1 at sample 1");
  ASSERT_EQ(v.hypotheses.size(), 2u);
  EXPECT_TRUE(v.hypotheses[0].holds());
  EXPECT_EQ(v.hypotheses[1].where, "sample 1");
  EXPECT_EQ(v.points, 3);
}

TEST(Verdict, ABrokenStepIsNamed) {
  Proof proof({"claim", "", ""});
  proof.step_at_each("iterate", "descent").observe(17, 3.0, 2.0);
  const Verdict v = proof.conclude(Scope::trajectory, {.name = "c", .lhs = 1.0, .rhs = 2.0});
  EXPECT_EQ(v.outcome, Outcome::not_applicable);
  EXPECT_EQ(v.reason, "the proof breaks at \"descent\": 3 <= 2 at iterate 17");
}

TEST(Verdict, ARowThatWasNeverEvaluatedProvesNothing) {
  Proof proof({"claim", "", ""});
  proof.step_at_each("iterate", "forgotten");
  const Verdict v = proof.conclude(Scope::trajectory, {.name = "c", .lhs = 1.0, .rhs = 2.0});
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  EXPECT_EQ(v.reason, "\"forgotten\" was announced but never evaluated");
}

TEST(Verdict, AnInfiniteToleranceForgivesNothing) {
  EXPECT_FALSE((Inequality{.lhs = kInf, .rhs = 1.0, .tolerance = kInf}).holds());
  EXPECT_FALSE((Inequality{.lhs = 2.0, .rhs = 1.0, .tolerance = kNaN}).holds());
  Proof proof({"claim", "", ""});
  proof.step_at_each("iterate", "row").observe(0, kInf, 1.0, kInf);
  EXPECT_EQ(proof.conclude(Scope::trajectory, {.name = "c", .lhs = 1.0, .rhs = 2.0}).outcome,
            Outcome::not_applicable);
}

TEST(Verdict, UnfinishedWorkSaysSoUnlessAHypothesisFails) {
  Proof proof({"claim", "", ""});
  EXPECT_EQ(proof.unfinished(Scope::trajectory, {.name = "c", .lhs = 1.0, .rhs = 2.0}, "broken off").outcome,
            Outcome::inconclusive);
  proof.hypothesis({.name = "0 < gamma", .lhs = 0.0, .rhs = 0.0, .strict = true});
  const Verdict v = proof.unfinished(Scope::trajectory, {.name = "c"}, "broken off");
  EXPECT_EQ(v.outcome, Outcome::not_applicable);
  EXPECT_THAT(v.reason, HasSubstr("0 < gamma"));
}

TEST(Verdict, ARowKeepsWhereItsSidesCameClosest) {
  Row row("iterate", "a <= b");
  row.observe(3, 1.0, 2.0);
  row.observe(5, 1.0, 1.25);
  row.observe(9, 0.0, 7.0);
  EXPECT_EQ(row.evaluations(), 3);
  EXPECT_EQ(row.worst().where, "iterate 5");
  EXPECT_DOUBLE_EQ(row.worst().margin(), 0.25);
  row.observe(11, kNaN, 1.0);
  row.observe(12, -5.0, 1.0);
  EXPECT_EQ(row.worst().where, "iterate 11") << "NaN is closest of all";
  EXPECT_FALSE(row.worst().holds());
}

TEST(Verdict, RoundingIsForgivenUnlessTheInequalityIsStrict) {
  EXPECT_TRUE((Inequality{.lhs = 1.0 + 1e-16, .rhs = 1.0, .tolerance = 1e-15}).holds());
  EXPECT_FALSE((Inequality{.lhs = 1.1, .rhs = 1.0, .tolerance = 1e-15}).holds());
  EXPECT_FALSE((Inequality{.lhs = 0.0, .rhs = 0.0, .tolerance = 1.0, .strict = true}).holds());
  EXPECT_FALSE((Inequality{.lhs = kNaN, .rhs = 0.0, .tolerance = 1.0}).holds());
  EXPECT_DOUBLE_EQ(theory::rounding({1.0, -3.0}), 256.0 * std::numeric_limits<double>::epsilon() + 1e-300);
}

TEST(Verdict, RecordsAndPrintsEverythingItKnows) {
  Proof proof({"descent", "proxy O2", "f goes down"});
  proof.hypothesis({.name = "step <= 1/L", .lhs = 0.5, .rhs = 1.0});
  proof.step_at_each("iterate", "f+ <= f").observe(7, 1.0, 2.0);
  Verdict v = proof.conclude(Scope::trajectory, {.name = "least", .lhs = 1.0, .rhs = 3.0});
  v.account = {{"dropped term", 2.0}};
  const report::Check check = v.record(Outcome::refuted);
  EXPECT_EQ(check.name, "descent");
  EXPECT_EQ(check.source, "proxy O2");
  EXPECT_EQ(check.verdict, "certified");
  EXPECT_EQ(check.expected, "refuted");
  EXPECT_FALSE(check.as_expected());
  EXPECT_EQ(check.scope, "on this trajectory");
  EXPECT_DOUBLE_EQ(check.margin, 2.0);
  ASSERT_EQ(check.hypotheses.size(), 1u);
  ASSERT_EQ(check.steps.size(), 1u);
  EXPECT_EQ(check.steps[0].where, "iterate 7");
  EXPECT_TRUE(check.steps[0].holds);
  for (const char* piece : {"certified (on this trajectory): f goes down", "f goes down", "step <= 1/L",
                            "iterate 7", "dropped term", "least"})
    EXPECT_THAT(v.to_string(), HasSubstr(piece));
}

}  // namespace
}  // namespace cotangent
