// Verdicts: what is said of numbers compared, of many points at once, and how a verdict
// is printed, recorded, drawn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cotangent.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

using testing::AllOf, testing::HasSubstr;
using theory::Claim, theory::compare, theory::Domain, theory::entry, theory::exact, theory::Outcome,
    theory::Proof, theory::Verdict, theory::within;

TEST(Compare, TwoNumbersAgreeAndMeanNoTheorem) {
  EXPECT_EQ(compare("c", exact(1.0), exact(1.0)).outcome, Outcome::agrees);
  EXPECT_EQ(compare("c", within(1.0, 0.1), exact(1.05)).outcome, Outcome::agrees);
  EXPECT_EQ(compare("c", within(1.0, 0.1), exact(1.2)).outcome, Outcome::refuted);
  EXPECT_EQ(compare("c", exact(NAN), exact(1.0)).outcome, Outcome::inconclusive);
  EXPECT_EQ(compare("c", theory::sampled(1.0, 0.1), exact(1.4)).outcome, Outcome::supported);
  EXPECT_EQ(compare("c", theory::sampled(1.0, 0.1), exact(1.6)).outcome, Outcome::inconclusive);
  EXPECT_EQ(compare("c", Tensor{1.0, 2.0}, Tensor{1.0, 2.0 + 1e-12}).outcome, Outcome::agrees);
  const Verdict apart = compare("c", Tensor{1.0, 2.0}, Tensor{1.0, 2.5}, 1e-3);
  EXPECT_EQ(apart.outcome, Outcome::refuted);
  EXPECT_EQ(apart.record(Outcome::refuted).lhs, 0.2);
  EXPECT_EQ(apart.record(Outcome::refuted).rhs, 1e-3);
  EXPECT_EQ(compare("c", Tensor{NAN}, Tensor{1.0}).outcome, Outcome::inconclusive);
}

TEST(Compare, AnInequalityOfNumbersIsDecidedForTheseNumbersAlone) {
  const Verdict v = compare({"c", "0.96 <= accuracy"}, exact(0.96) <= exact(0.98));
  EXPECT_EQ(v.outcome, Outcome::certified);
  EXPECT_EQ(v.domain.text, "for these numbers");
  EXPECT_EQ(compare("c", exact(1.0) <= exact(0.0)).outcome, Outcome::refuted);
  EXPECT_EQ(compare("c", exact(0.0) <= exact(1.0), Domain::points(20)).outcome, Outcome::supported);
}

TEST(Compare, ShowsNoEntry) {
  EXPECT_THAT(test::error_of<DomainError>([] { compare(Claim(entry("O13")), exact(1.0), exact(1.0)); }),
              AllOf(HasSubstr("(O13)"), HasSubstr("use its check")));
  EXPECT_THAT(test::error_of<DomainError>([] { compare("c", Tensor{1.0}, Tensor{1.0}, 0.0); }),
              HasSubstr("accuracy is 0"));
  for (const double accuracy : {1.0, -1e-12, double(NAN), double(INFINITY)})
    EXPECT_THROW(compare("c", Tensor{1.0}, Tensor{5.0}, accuracy), DomainError) << "zeros would agree";
  EXPECT_THAT(
      test::error_of<DomainError>([] { compare("c", exact(1.0) <= exact(4.0), Domain::everywhere()); }),
      HasSubstr("show nothing everywhere"));
}

TEST(Compare, RelativeErrors) {
  EXPECT_EQ(theory::relative_error({{1.0, 2.0}, {3.0, -4.0}}, {{1.0, 2.5}, {3.0, -4.0}}), 0.125);
  EXPECT_TRUE(std::isnan(theory::relative_error({1.0, NAN}, {1.0, 1.0})));
  EXPECT_TRUE(std::isnan(theory::relative_error({1.0, 1.0}, {NAN, 1.0})));
  EXPECT_EQ(test::error_of<ShapeError>([] { theory::relative_error({1.0}, Tensor{{1.0}}); }),
            "[relative_error] got is [1], wanted is [1, 1]; compare tensors of one shape");
  EXPECT_THAT(test::error_of<DomainError>([] {
                theory::relative_error({1.0, 1.0}, {0.0, 0.0});
              }),
              HasSubstr("nothing but zeros"));
}

TEST(OverPoints, ManyPointsSupportAndOneRefutes) {
  const auto at = [](double lhs) { return compare("c", exact(lhs) <= exact(1.0)); };
  std::vector<Verdict> verdicts{at(0.5), at(0.9), at(0.1)};
  const Verdict all = theory::over_points(verdicts);
  EXPECT_EQ(all.outcome, Outcome::supported) << "points never certify";
  EXPECT_EQ(all.domain.text, "at 3 points");
  EXPECT_EQ(all.conclusion.lhs.value(), 0.9) << "the smallest margin is shown";
  verdicts.push_back(compare("c", within(1.0, 0.1) <= exact(1.0)));
  EXPECT_EQ(theory::over_points(verdicts).outcome, Outcome::inconclusive);
  verdicts.push_back(at(2.0));
  EXPECT_EQ(theory::over_points(verdicts).outcome, Outcome::refuted);
  EXPECT_THROW(theory::over_points({}), DomainError);
  // Each of the three words for what held counts; what comes closest, rounding forgiven, is shown.
  const Verdict agrees = compare("c", exact(1.0), exact(1.0)),
                supported = compare("c", exact(0.0) <= exact(9.0), Domain::points(2));
  for (const Verdict& v : {agrees, supported, at(0.5)}) {
    EXPECT_EQ(theory::over_points(std::vector{v, v}).outcome, Outcome::supported);
    EXPECT_EQ(theory::over_points(std::vector{at(0.1), v}).outcome, Outcome::supported);
  }
  const auto shown = [](const Verdict& a, const Verdict& b) {
    return theory::over_points(std::vector{a, b}).conclusion.rhs.value();
  };
  EXPECT_EQ(shown(compare("c", within(0.0, 1.0) <= exact(1.5)), compare("c", exact(0.0) <= exact(2.0))), 2.0);
  EXPECT_EQ(shown(compare("c", exact(0.0) <= exact(0.5)), compare("c", exact(0.5) <= exact(1.0))), 0.5)
      << "the first of two alike";
  EXPECT_THROW(theory::over_points(std::vector{at(0.5), compare("another", exact(0.0) <= exact(1.0))}),
               DomainError);
}

TEST(Domain, SaysWhere) {
  EXPECT_EQ(Domain::everywhere().text, "everywhere");
  EXPECT_EQ(Domain::here().text, "at this w");
  EXPECT_EQ(Domain::ball("w0", 0.5).text, "on |w - w0| <= 0.5");
  EXPECT_EQ(Domain::run().text, "on this trajectory");
  EXPECT_EQ(Domain::points(7).text, "at 7 points");
  EXPECT_EQ(Domain::expectation().text, "in exact expectation");
  EXPECT_EQ(Domain::standard_errors().text, "within 5 standard errors");
  EXPECT_EQ(Domain::probability(0.05).text, "with probability 0.95");
  EXPECT_EQ(Domain::integration(1e-8).text, "to the integrator's tolerance of 1e-08");
  for (const Domain& d : {Domain::points(7), Domain::standard_errors(), Domain::integration(1e-8)})
    EXPECT_FALSE(d.certifiable()) << d.text;
  for (const Domain& d : {Domain::everywhere(), Domain::here(), Domain::ball("w0", 1.0), Domain::run(),
                          Domain::expectation(), Domain::probability(0.1), Domain::numbers()})
    EXPECT_TRUE(d.certifiable()) << d.text;
}

Verdict whole() {
  Proof proof(Claim(entry("O30"), "step = 0.5"));
  proof.hypothesis("step <= 1/L", exact(0.5) <= exact(1.0));
  proof.step_at_each("iterate", "f+ <= f").observe(7, exact(1.0) <= exact(2.0));
  proof.observed("loss") = {3.0, 2.0, 1.0};
  proof.predicted("bound") = {4.0, 3.5, 3.0};
  proof.noted("norm") = {1.0, 1.0, 1.0};
  proof.number("T", 3.0);
  proof.account({{"dropped term", exact(1.5)}, {"mean", exact(0.5)}}, exact(2.0));
  return proof.conclude(Domain::run(), "least", exact(1.0) <= exact(3.0));
}

TEST(Verdict, RecordsAndPrintsEverythingItKnows) {
  const Verdict v = whole();
  const report::Check check = v.record(Outcome::refuted);
  EXPECT_EQ(check.source, "proxy O30");
  EXPECT_EQ(check.citation, entry("O30").citation());
  EXPECT_EQ(check.formula, entry("O30").tex);
  EXPECT_EQ(check.verdict, "certified");
  EXPECT_FALSE(check.as_expected());
  EXPECT_EQ(check.scope, "on this trajectory");
  EXPECT_DOUBLE_EQ(check.margin, 2.0);
  ASSERT_EQ(check.hypotheses.size(), 1u);
  ASSERT_EQ(check.steps.size(), 1u);
  EXPECT_EQ(check.steps[0].where, "iterate 7");
  EXPECT_TRUE(check.steps[0].holds);
  for (const char* piece : {"certified (on this trajectory): ", "(step = 0.5)", "lecture 000", "(O30)",
                            "step <= 1/L", "iterate 7", "dropped term", "least", "T = 3"})
    EXPECT_THAT(v.to_string(), HasSubstr(piece));
  EXPECT_EQ(v.curve("loss").size(), 3u);
  EXPECT_EQ(v.number("T"), 3.0);
  EXPECT_THAT(test::error_of<DomainError>([&] { v.curve("los"); }), HasSubstr("\"loss\", \"bound\""));
  EXPECT_THAT(test::error_of<DomainError>([&] { v.number("t"); }), HasSubstr("\"T\""));
}

TEST(Verdict, CurvesAccountAndTableAreOneCallEach) {
  const test::TemporaryDirectory folder;
  const Verdict v = whole();
  save_csv(folder / "v.csv", v);
  EXPECT_EQ(test::read_bytes(folder / "v.csv"), "T,loss,bound,norm\n1,3,4,1\n2,2,3.5,1\n3,1,3,1\n");
  if (plot(folder / "v.svg", v).drawn) {
    EXPECT_THAT(test::read_bytes(folder / "v.svg"),
                AllOf(HasSubstr("loss"), HasSubstr("bound"), Not(HasSubstr("norm"))));
    EXPECT_TRUE(plot_account(folder / "a.svg", v).drawn);
    EXPECT_THAT(test::read_bytes(folder / "a.svg"), HasSubstr("dropped term"));
  }
  const Verdict bare = compare("c", exact(1.0), exact(1.0));
  EXPECT_THROW(plot(folder / "b.svg", bare), DomainError);
  EXPECT_THROW(plot_account(folder / "b.svg", bare), DomainError);
  EXPECT_THROW(save_csv(folder / "b.csv", bare), DomainError);
}

}  // namespace
}  // namespace cotangent
