// Clause: which row is kept and what settles it; Study: what is said of a run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "cotangent.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::Clause, theory::Domain, theory::exact, theory::Inequality, theory::Iterate, theory::Outcome,
    theory::rounded, theory::Study, theory::Verdict, theory::within;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

const Inequality kTrue = exact(1.0) <= exact(2.0), kFalse = exact(2.0) <= exact(1.0);

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

// Of rows that cannot be enclosed nothing is proved, whichever way the numbers say.
TEST(Study, WithoutEnclosuresARunIsAsComputed) {
  const auto verdict = [](const Inequality& conclusion) {
    Study s("claim");
    Clause& row = s.step_at_each("iterate", "row");
    return s.descend(
        half_square, kOne, {.step = 0.5, .iterations = 2},
        [&](const Iterate& it) {
          if (row.observe(it.t, rounded(1.0) <= exact(2.0)))
            row.closest([]() -> Inequality { throw DomainError("no rule"); });
        },
        [&] { return conclusion; }, "c");
  };
  EXPECT_EQ(verdict(kTrue).outcome, Outcome::supported);
  EXPECT_EQ(verdict(exact(2.0) <= exact(1.0)).outcome, Outcome::inconclusive);
  EXPECT_THAT(verdict(kTrue).reason, HasSubstr("\"row\" could not be enclosed: no rule"));
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
