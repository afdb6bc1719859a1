// Proof: what is made of the evidence of a search, and of a box that was bisected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "cotangent.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::exact, theory::Inequality, theory::Measured, theory::Outcome, theory::Proof, theory::rounded,
    theory::Verdict, theory::within;

constexpr double kInf = std::numeric_limits<double>::infinity();

const Inequality kTrue = exact(1.0) <= exact(2.0), kFalse = exact(2.0) <= exact(1.0);

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

}  // namespace
}  // namespace cotangent
