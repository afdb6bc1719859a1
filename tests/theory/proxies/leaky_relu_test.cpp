// The leaky ReLU theorem (O33 to O36): the sheet's numbers to the digits given, every hypothesis that can
// break, the lecture's slips, and (slow) random problems.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <type_traits>

#include "autodiff/autodiff.hpp"
#include "tests/support/leaky_relu.hpp"
#include "theory/proxies/leaky_relu_margins.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::check_leaky_relu_theorem;
using theory::check_perceptron;
using theory::Domain;
using theory::LeakyReluForm;
using theory::LeakyReluOptions;
using theory::LeakyReluProblem;
using theory::Outcome;
using theory::ProxyConvexity;
using theory::Verdict;

constexpr double kRho = 8.283022165960;  // log(12) / 0.3
const Tensor kX = test::kSheetX, kY = test::kSheetY;
using test::sheet_net, test::sheet_start;

TEST(LeakyRelu, TheSheetsRiskAndGradient) {
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const auto [risk, g] = value_and_grad([&](const Var& w) { return problem.risk(w); }, sheet_start());
  EXPECT_NEAR(risk, 0.739279395957070, 1e-15);
  EXPECT_NEAR(norm(g), 0.235017396309, 5e-13);
  const double expected[] = {-0.1174176099729, 0.0021830782105,  -0.1175112754539, 0.0020581909025,
                             0.1176044350495,  -0.0024321783126, 0.1174176099729,  -0.0021830782105};
  for (Index k = 0; k < 8; ++k) EXPECT_NEAR(g.flat()(k), expected[k], 5e-14) << k;
  EXPECT_NEAR(dot(g, sheet_start()), 0.047263237749, 5e-13);
  theory::LeakyReluMargins margins(problem);
  margins.at(sheet_start());
  const double z[] = {-0.055, -0.13, -0.11, -0.065};
  double slopes = 0.0;
  for (Index i = 0; i < 4; ++i) {
    EXPECT_NEAR(margins.margin(i), z[i], 1e-15);
    slopes -= margins.slope(i) / 4.0;
  }
  EXPECT_NEAR(slopes, 0.522479356674, 5e-13);
}

TEST(LeakyRelu, TheSheetsProxyInequality) {
  const LeakyReluProblem problem(sheet_net(), kX, kY, {1.0, 0.0});
  EXPECT_LE(problem.margin(), 0.6);
  EXPECT_NEAR(problem.margin(), 0.6, 1e-15);
  EXPECT_NEAR(norm(problem.reference(kRho)), kRho, 1e-14);
  const Params g = grad([&](const Var& w) { return problem.risk(w); }, sheet_start());
  EXPECT_NEAR(dot(g, problem.reference(kRho)), -1.946306986912, 5e-12);
  EXPECT_NEAR(problem.proxy(kRho).at(sheet_start()).margin(), 1.334333536377, 5e-12);
}

/// phi = max(t, t/2) with derivative 1/2 at 0: -leaky_2(-t) / 2.
struct LowerKink : nn::Module {
  Var operator()(const Var&, const Var& x) const override { return -0.5 * leaky_relu(-1.0 * x, 2.0); }
};
/// The same function with derivative 0.7 at 0.
struct MiddleKink : nn::Module {
  Var operator()(const Var&, const Var& x) const override {
    return 0.4 * leaky_relu(x, 0.5) + 0.6 * (-0.5 * leaky_relu(-1.0 * x, 2.0));
  }
};

// At W = 0 every unit is at its kink: any derivative in [alpha, 1] keeps the inequality.
TEST(LeakyRelu, AnySubgradientAtTheKinkWillDo) {
  const LeakyReluProblem problem(sheet_net(), kX, kY, {1.0, 0.0});
  const Params zero = sheet_start().zeros_like();
  const auto slack = [&](const nn::TwoLayer& net) {
    ProxyConvexity triple = problem.proxy(5.0);
    triple.f = [&net](const Var& w) { return nn::logistic(net(w, kX), kY.reshape({4, 1})); };
    return triple.at(zero).margin();
  };
  const nn::TwoLayerOptions outer{.outer = {0.5, 0.5, -0.5, -0.5}};
  EXPECT_NEAR(slack(nn::TwoLayer(2, 4, LowerKink(), outer)), 0.258266, 5e-7);
  EXPECT_NEAR(slack(nn::TwoLayer(2, 4, MiddleKink(), outer)), 0.558266, 5e-7);
  EXPECT_NEAR(slack(sheet_net()), 1.008266, 5e-7);
}

TEST(LeakyRelu, TheSheetsTheorem) {
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const Verdict run = check_leaky_relu_theorem(problem, sheet_start(), {.accuracy = 0.25, .whole_run = true});
  EXPECT_EQ(run.outcome, Outcome::certified) << run.to_string();
  EXPECT_EQ(run.domain.kind, Domain::Kind::run);
  EXPECT_NEAR(run.number("rho"), kRho, 5e-13);
  EXPECT_NEAR(run.number("h"), 0.080042707674, 5e-13);
  EXPECT_NEAR(run.number("h"), std::log1p(0.25 / 3.0), 1e-15);
  EXPECT_NEAR(run.number("step"), 1.0 / 6.0, 1e-15);
  EXPECT_LT(run.number("step"), 1.0 / 6.0) << "rounded down: 2 eps / 3 is no double";
  EXPECT_NEAR(run.number("distance"), 72.211665068169, 5e-12);
  EXPECT_EQ(run.number("T"), 2600);
  ASSERT_EQ(run.curve("risk").size(), 2600u);
  EXPECT_NEAR(run.curve("risk")[1], 0.730113708532, 5e-13);
  EXPECT_NEAR(run.curve("risk")[2], 0.721106053292, 5e-13);
  EXPECT_NEAR(run.curve("risk")[10], 0.654304713885, 5e-13);
  Index first = 0;
  while (run.curve("risk")[static_cast<std::size_t>(first)] >= 0.25) ++first;
  EXPECT_EQ(first, 117);
  double parts = 0.0;
  for (const auto& [name, part] : run.account) parts += part;
  EXPECT_NEAR(parts, run.curve("bound").back() - run.number("least"), 1e-12);
  // -log(expm1(eps/3)) / (alpha gamma) is the least rho with l(rho alpha gamma) <= eps/3.
  EXPECT_NEAR(-std::log(std::expm1(0.25 / 3.0)) / 0.3, 8.143168826708, 5e-13);
}

TEST(LeakyRelu, TheLecturesOwnNumbersOfIterations) {
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const Verdict run = check_leaky_relu_theorem(problem, sheet_start(), {.accuracy = 0.25});
  // T = 2 |W_0 - V|^2 / (step eps) as printed, at step 2 eps/3 and at eps/2.
  EXPECT_EQ(std::ceil(2.0 * run.number("distance") / (0.25 / 6.0)), 3467.0);
  EXPECT_EQ(std::ceil(2.0 * run.number("distance") / (0.25 * 0.125)), 4622.0);
  for (const auto& [step, iterations] : {std::pair{1.0 / 6.0, Index{3467}}, std::pair{0.125, Index{4622}}})
    EXPECT_EQ(check_leaky_relu_theorem(problem, sheet_start(),
                                       {.accuracy = 0.25, .step = step, .iterations = iterations})
                  .outcome,
              Outcome::certified);
  // The bound at the lecture's T is below 11 eps / 12.
  const Verdict whole = check_leaky_relu_theorem(problem, sheet_start(),
                                                 {.accuracy = 0.25, .iterations = 3467, .whole_run = true});
  EXPECT_LE(whole.curve("bound").back(), 11.0 * 0.25 / 12.0);
}

TEST(LeakyRelu, TheSharperForm) {
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const Verdict run = check_leaky_relu_theorem(
      problem, sheet_start(), {.accuracy = 0.25, .form = LeakyReluForm::sharper, .whole_run = true});
  EXPECT_EQ(run.outcome, Outcome::certified) << run.to_string();
  EXPECT_EQ(run.number("T"), 867);
  EXPECT_DOUBLE_EQ(run.number("step"), 1.0);
  EXPECT_LE(run.curve("bound").back(), 0.25);
}

TEST(LeakyRelu, StopsWhenTheClaimHasComeTrue) {
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const Verdict run = check_leaky_relu_theorem(problem, sheet_start(), {.accuracy = 0.25});
  EXPECT_EQ(run.outcome, Outcome::certified);
  EXPECT_EQ(run.curve("risk").size(), 118u);
  EXPECT_EQ(run.number("least at"), 117);
}

TEST(LeakyRelu, AWrongClaimIsRefuted) {
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const Verdict run = check_leaky_relu_theorem(problem, sheet_start(), {.accuracy = 0.25, .claimed = 0.001});
  EXPECT_EQ(run.outcome, Outcome::refuted) << run.to_string();
  EXPECT_EQ(run.curve("risk").size(), 2600u);
  EXPECT_NEAR(run.conclusion.lhs.value(), run.curve("risk").back(), 1e-12);
}

TEST(LeakyRelu, ABudgetTooSmallIsInconclusive) {
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const Verdict run = check_leaky_relu_theorem(problem, sheet_start(), {.accuracy = 0.25, .budget = 50});
  EXPECT_EQ(run.outcome, Outcome::inconclusive);
  EXPECT_THAT(run.reason, HasSubstr("budget of 50 of 2600"));
}

// Rounding grows with the width and with 1/gamma; the theorem does not.
TEST(LeakyRelu, WideNetsAndThinMarginsAreCertified) {
  Rng rng(3);
  const Tensor x{{0.5, 0.1}, {-0.4, 0.2}}, y{1, -1};
  for (const Index m : {2000, 5000, 20000}) {
    const nn::TwoLayer net(2, m, nn::LeakyReLU(0.5));
    const Verdict run = check_leaky_relu_theorem(LeakyReluProblem(net, x, y), net.init(rng),
                                                 {.accuracy = 0.3, .form = LeakyReluForm::sharper});
    EXPECT_EQ(run.outcome, Outcome::certified) << m << "\n" << run.to_string();
  }
  const double c = 0.99, s = std::sqrt(0.5);
  for (const double g : {1e-2, 1e-3}) {
    const Tensor thin{{c * s + g * s, -c * s + g * s}, {-c * s + g * s, c * s + g * s}};
    const nn::TwoLayer net(2, 4, nn::LeakyReLU(0.5));
    const Verdict run =
        check_leaky_relu_theorem(LeakyReluProblem(net, thin, Tensor{1, 1}), net.init(rng).zeros_like(),
                                 {.accuracy = 0.6, .form = LeakyReluForm::sharper, .budget = 30000});
    EXPECT_NE(run.outcome, Outcome::not_applicable) << g << "\n" << run.to_string();
    EXPECT_EQ(check_perceptron(LeakyReluProblem(net, thin, Tensor{1, 1}), net.init(rng)).outcome,
              Outcome::certified);
  }
}

TEST(LeakyRelu, AHugeTheoremIsNotRefusedForItsT) {
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const Verdict run = check_leaky_relu_theorem(problem, sheet_start(), {.accuracy = 1e-10, .budget = 100});
  EXPECT_EQ(run.outcome, Outcome::inconclusive) << run.to_string();
  EXPECT_THAT(run.reason, HasSubstr("budget"));
  EXPECT_THROW(check_leaky_relu_theorem(problem, (1e300 * sheet_start()), {.accuracy = 0.1}), DomainError);
  EXPECT_THROW(check_leaky_relu_theorem(problem, sheet_start().with(Tensor::full({8}, NAN))), DomainError);
  EXPECT_THROW(check_leaky_relu_theorem(problem, sheet_start(), {.claimed = NAN}), DomainError);
}

// ---- O34 everywhere

TEST(LeakyRelu, TheProxyIsCertifiedEverywhereAndASmallerOneRefuted) {
  Rng rng(3);
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const Verdict right = theory::check_leaky_relu_proxy(problem, kRho, rng);
  EXPECT_EQ(right.outcome, Outcome::certified);
  EXPECT_EQ(right.domain.kind, Domain::Kind::everywhere);
  // The same constant as a rounded number is not known to be on the right side.
  const double h = nn::log_loss(kRho * problem.slope() * problem.margin());
  EXPECT_EQ(theory::check_leaky_relu_proxy(problem, kRho, rng, h).outcome, Outcome::inconclusive);
  const Verdict wrong = theory::check_leaky_relu_proxy(problem, kRho, rng, 0.02);
  EXPECT_EQ(wrong.outcome, Outcome::refuted) << wrong.to_string();
  ASSERT_TRUE(wrong.witness);
  ProxyConvexity triple = problem.proxy(kRho);
  triple.h = [](const Var&) { return Var(0.02); };
  EXPECT_FALSE(triple.at(*wrong.witness).holds());
  EXPECT_EQ(theory::check_leaky_relu_proxy(problem, kRho, rng, 1.0).outcome, Outcome::certified);
  EXPECT_THROW(theory::check_leaky_relu_proxy(problem, 0.0, rng), DomainError);
}

// Everywhere rounds outwards: lengths that are short by more than a double's own digits are refused, and what
// remains of them is in h.
TEST(LeakyRelu, LengthsThatFallShortGiveNoCertificate) {
  Rng rng(3);
  const auto verdict = [&](double a, double v, double x = 1.0) {
    const double h = 0.5 * (1.0 - a), c = 1.0 - v;
    const nn::TwoLayer net(2, 4, nn::LeakyReLU(0.5), {.outer = {h, h, -h, -h}});
    const LeakyReluProblem problem(net, (x * Var(kX)).value(), kY, {c, 0.0});
    return theory::check_leaky_relu_proxy(problem, kRho, rng);
  };
  EXPECT_EQ(verdict(0.0, 0.0).outcome, Outcome::certified);
  EXPECT_EQ(verdict(2.7e-14, 2.7e-14).outcome, Outcome::not_applicable);
  EXPECT_THAT(verdict(2.7e-14, 0.0).reason, HasSubstr("|a_j| = 1/sqrt(m)"));
  EXPECT_THAT(verdict(0.0, 2.7e-14).reason, HasSubstr("|v*| = 1"));
  EXPECT_THAT(verdict(-2.7e-14, 0.0).reason, HasSubstr("|a_j| = 1/sqrt(m)"));
  EXPECT_THAT(verdict(0.0, 0.0, 1.0 + 2.7e-14).reason, HasSubstr("|x_i| <= 1"));
  // Two units in the last place less: still a certificate, of a larger h, at which no counterexample is lost.
  const Verdict shorter = verdict(4e-16, 0.0), full = verdict(0.0, 0.0);
  EXPECT_EQ(shorter.outcome, Outcome::certified) << shorter.to_string();
  EXPECT_GT(full.conclusion.rhs.value(), nn::log_loss(kRho * 0.5 * 0.6)) << "rounded up";
  EXPECT_LT(full.conclusion.rhs.value(), nn::log_loss(kRho * 0.5 * 0.6) + 1e-12);
  EXPECT_THAT(full.claim.statement, HasSubstr(fmt::format("h = {}", full.conclusion.rhs.value())));
  for (const double claimed : {double(NAN), double(INFINITY), -double(INFINITY)})
    EXPECT_THROW(theory::check_leaky_relu_proxy({sheet_net(), kX, kY}, kRho, rng, claimed), DomainError);
}

// A start so far away that no step moves it, and no digit of the margins is known.
TEST(LeakyRelu, AStartOfNorm1e17GivesNoCertificate) {
  Rng rng(5);
  const LeakyReluProblem problem(sheet_net(), kX, kY);
  const Params right = problem.reference(1e17), wrong = -1.0 * right;
  Params across = sheet_start();  // its margins cancel
  across = (1e17 / norm(across)) * across;
  for (const Params& w0 : {right, wrong, across, 1e17 * problem.net().init(rng)})
    for (const LeakyReluForm form : {LeakyReluForm::lecture, LeakyReluForm::sharper}) {
      const Verdict v =
          check_leaky_relu_theorem(problem, w0, {.accuracy = 0.25, .form = form, .budget = 100});
      EXPECT_NE(v.outcome, Outcome::certified) << v.to_string();
      EXPECT_NE(v.outcome, Outcome::refuted) << v.to_string();
      const Verdict p = check_perceptron(problem, w0, {.iterations = 20});
      EXPECT_NE(p.outcome, Outcome::certified) << p.to_string();
      EXPECT_NE(p.outcome, Outcome::refuted) << p.to_string();
    }
}

// A margin that exists in no digit of the data: <v*, x> cancels to -1.8e-15, and 5e-15 is claimed.
TEST(LeakyRelu, AMarginWithinTheRoundingOfItsTermsIsNoMargin) {
  Rng rng(3);
  const Tensor x{{0.8 - 3e-15, -0.6}, {0.6, 0.8}}, y{1, 1};
  const LeakyReluProblem problem(nn::TwoLayer(2, 4, nn::LeakyReLU(0.5)), x, y, {0.6, 0.8}, 5e-15);
  const Verdict v = theory::check_leaky_relu_proxy(problem, 1e17, rng);
  EXPECT_EQ(v.outcome, Outcome::not_applicable) << v.to_string();
  EXPECT_THAT(v.reason, HasSubstr("gamma <= y_i <v*, x_i>"));
}

// A subclass could be another function than the one that is verified.
static_assert(std::is_final_v<nn::TwoLayer> && std::is_final_v<nn::LeakyReLU> && std::is_final_v<nn::ReLU>);

// Where the numbers leave open whether the data are separable, so is the hypothesis.
TEST(LeakyRelu, AMarginThatIsNotKnownIsOpen) {
  Rng rng(3);
  // Separable by 1e-17 or by nothing: (0.1, 0.3) and (-0.2, -0.6) as doubles.
  const Tensor x{{0.1, 0.3}, {-0.2, -0.6 + 1e-16}}, y{1, 1};
  const LeakyReluProblem problem(nn::TwoLayer(2, 4, nn::LeakyReLU(0.5)), x, y);
  ASSERT_LE(problem.margin(), 0.0);
  const Verdict v = theory::check_leaky_relu_proxy(problem, 1.0, rng);
  EXPECT_EQ(v.outcome, Outcome::inconclusive) << v.to_string();
  EXPECT_THAT(v.reason, HasSubstr("whether the hypothesis \"0 < gamma\" holds is open"));
  const Verdict run = check_leaky_relu_theorem(problem, problem.net().init(rng));
  EXPECT_EQ(run.outcome, Outcome::inconclusive) << run.to_string();
  EXPECT_EQ(check_perceptron(problem, problem.net().init(rng)).outcome, Outcome::inconclusive);
}

// ---- one hypothesis broken at a time

std::string broken(const LeakyReluProblem& problem, const LeakyReluOptions& options = {}) {
  Rng rng(1);
  const Verdict v = check_leaky_relu_theorem(problem, problem.net().init(rng), options);
  EXPECT_EQ(v.outcome, Outcome::not_applicable) << v.to_string();
  return v.reason;
}

TEST(LeakyRelu, EveryBrokenHypothesisIsNamed) {
  EXPECT_THAT(broken({nn::TwoLayer(2, 4, nn::Tanh()), kX, kY}), HasSubstr("phi is a leaky ReLU"));
  EXPECT_THAT(broken({nn::TwoLayer(2, 4, nn::ReLU()), kX, kY}), HasSubstr("0 < alpha"));
  EXPECT_THAT(broken({sheet_net(-0.1), kX, kY}), HasSubstr("0 < alpha"));
  EXPECT_THAT(broken({sheet_net(1.5), kX, kY}), HasSubstr("alpha <= 1"));
  EXPECT_THAT(broken({nn::TwoLayer(2, 4, nn::LeakyReLU(0.5), {.outer = {0.5, 0.5, -0.5, -0.4}}), kX, kY}),
              AllOf(HasSubstr("|a_j| = 1/sqrt(m)"), HasSubstr("unit 3")));
  const Tensor longer = (1.01 * Var(kX)).value();
  EXPECT_THAT(broken({sheet_net(), longer, kY}), AllOf(HasSubstr("|x_i| <= 1"), HasSubstr("1.01 <= 1")));
  EXPECT_THAT(broken({sheet_net(), kX, Tensor{1, -1, 1, 1}}), HasSubstr("0 < gamma"));
  EXPECT_THAT(broken({sheet_net(), kX, kY, {0.0, 1.0}}), HasSubstr("0 < gamma"));
  EXPECT_THAT(broken({sheet_net(), kX, kY, {2.0, 0.0}}), HasSubstr("|v*| = 1"));
  EXPECT_THAT(broken({sheet_net(), kX, kY, {1.0, 0.0}, 0.61}), HasSubstr("gamma <= y_i <v*, x_i>"));
  const LeakyReluProblem right(sheet_net(), kX, kY);
  EXPECT_THAT(broken(right, {.accuracy = 3.0}), HasSubstr("eps < 3"));
  EXPECT_THAT(broken(right, {.accuracy = 0.0}), HasSubstr("0 < eps"));
  EXPECT_THAT(broken(right, {.accuracy = 0.25, .step = 0.17}), HasSubstr("step <= 2 eps / 3"));
  EXPECT_THAT(broken(right, {.accuracy = 0.25, .form = LeakyReluForm::sharper, .step = 1.01}),
              HasSubstr("step <= 1"));
  EXPECT_THAT(broken(right, {.accuracy = 0.25, .step = -0.1}), HasSubstr("0 < step"));
  EXPECT_THAT(broken(right, {.accuracy = 0.25, .iterations = 1000}), HasSubstr("<= T"));
}

TEST(LeakyRelu, BadInputIsNamed) {
  const auto message = [](auto f) -> std::string {
    try {
      f();
    } catch (const std::exception& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  const LeakyReluProblem right(sheet_net(), kX, kY);
  EXPECT_THAT(message([] {
                LeakyReluProblem(sheet_net(), kX, Tensor{1, 0, 1, 0});
              }),
              HasSubstr("a label is 0"));
  EXPECT_THAT(message([] { LeakyReluProblem(sheet_net(), kX, Tensor{1, 1}); }), HasSubstr("y is [2]"));
  EXPECT_THAT(message([] {
                LeakyReluProblem(sheet_net(), Tensor::zeros({4, 3}), kY);
              }),
              HasSubstr("takes 2 inputs"));
  EXPECT_THAT(message([] {
                LeakyReluProblem(sheet_net(), kX, kY, {1.0, 0.0}, NAN);
              }),
              HasSubstr("margin is nan"));
  EXPECT_THAT(message([&] {
                check_leaky_relu_theorem(right, Params({{"w", Tensor{1, 2}}}));
              }),
              HasSubstr("w0 has 2 parameters"));
  EXPECT_THAT(message([&] { check_leaky_relu_theorem(right, sheet_start(), {.accuracy = NAN}); }),
              HasSubstr("accuracy is nan"));
  EXPECT_THAT(message([&] { check_leaky_relu_theorem(right, sheet_start(), {.budget = 0}); }),
              HasSubstr("budget"));
}

// ---- ReLU: the theorem from any start is false (P1)

TEST(LeakyRelu, ForReluTheAnyStartTheoremIsFalse) {
  const nn::TwoLayer relu(1, 1, nn::ReLU(), {.outer = {1.0}});
  const Tensor x{{1.0}}, y{1.0};
  const LeakyReluProblem problem(relu, x, y);
  const Params dead({{"weight", {{-1.0}}}});
  const auto [risk, g] = value_and_grad([&](const Var& w) { return problem.risk(w); }, dead);
  EXPECT_DOUBLE_EQ(risk, std::log(2.0));
  EXPECT_EQ(norm(g), 0.0);
  // Any h below log 2 is refuted, whatever V.
  Rng rng(4);
  for (const double v : {1.0, 10.0, 100.0}) {
    const ProxyConvexity triple{.f = [&](const Var& w) { return problem.risk(w); },
                                .h = [](const Var&) { return Var(0.69); },
                                .v = Params({{"weight", {{v}}}})};
    EXPECT_FALSE(triple.at(dead).holds());
    EXPECT_EQ(check_proxy_convexity(triple, dead, rng).outcome, Outcome::refuted);
  }
}

// ---- O36

TEST(Perceptron, TheSheetsBoundAndAWrongOne) {
  const theory::LeakyReluProblem problem(sheet_net(), kX, kY), relu(sheet_net(0.0), kX, kY);
  const theory::Verdict v = check_perceptron(problem, sheet_start());
  EXPECT_EQ(v.outcome, Outcome::certified) << v.to_string();
  EXPECT_NEAR(v.curve("bound").back(), 0.135116578924, 5e-13);
  EXPECT_NEAR(v.curve("G").front(), 0.522479356674, 5e-13);
  EXPECT_NEAR(test::total(v.account), v.curve("bound").back() - v.conclusion.lhs.value(), 1e-12);
  EXPECT_EQ(check_perceptron(problem, sheet_start(), {.iterations = 99, .claimed = 0.01}).outcome,
            Outcome::refuted);
  EXPECT_THAT(check_perceptron(relu, sheet_start()).reason, testing::HasSubstr("0 < alpha"));
  EXPECT_THROW(check_perceptron(problem, Params({{"w", Tensor{1}}})), ShapeError);
}

TEST(Perceptron, ABoundAboveOneIsVacuous) {
  const theory::LeakyReluProblem problem(sheet_net(), kX, kY);
  const theory::Verdict early = check_perceptron(problem, 30.0 * sheet_start(), {.iterations = 3});
  EXPECT_EQ(early.outcome, Outcome::certified) << early.to_string();
  EXPECT_TRUE(early.vacuous);
  EXPECT_THAT(early.reason, testing::HasSubstr("VACUOUS"));
  EXPECT_FALSE(check_perceptron(problem, sheet_start()).vacuous);
  EXPECT_THAT(check_perceptron(problem, sheet_start(), {.iterations = 9, .claimed = 0.01}).claim.statement,
              testing::HasSubstr("claimed 0.01"));
}

TEST(Perceptron, HoldsOnRandomProblemsForEveryStep) {
  Rng rng(6);
  for (int k = 0; k < 60; ++k) {
    const test::SeparableProblem p(rng, 2 + rng.below(6), 2 + rng.below(4), 1 + rng.below(6));
    EXPECT_EQ(
        check_perceptron(p.problem, p.w0, {.step = 0.05 + 5.0 * rng.uniform(), .iterations = 200}).outcome,
        Outcome::certified);
  }
}

// ---- random problems

struct Problem {
  nn::Separable data;
  nn::TwoLayer net;
  Params w0;
  double margin;
};

/// n 10-200, d 2-50, m 1-512 and slope 0.01-1 (both uniform in the logarithm), margin 0.02-0.32.
Problem draw(Rng& rng, Index largest_width) {
  const Index n = 10 + rng.below(191), d = 2 + rng.below(49);
  const auto m = std::lround(std::pow(static_cast<double>(largest_width), rng.uniform()));
  const double slope = std::pow(100.0, rng.uniform() - 1.0), margin = 0.02 + 0.3 * rng.uniform();
  const nn::TwoLayer net(d, m, nn::LeakyReLU(slope), {.outer = nn::random_signs(m, rng)});
  Params w0 = net.init(rng);
  return {nn::separable(rng, {.n = n, .d = d, .margin = margin}), net, std::move(w0), margin};
}

void expect_certified(int count, Rng& rng, Index largest_width) {
  for (int k = 0; k < count; ++k) {
    const Problem p = draw(rng, largest_width);
    const LeakyReluProblem problem(p.net, p.data.x, p.data.y);
    EXPECT_GE(problem.margin(), p.margin * (1.0 - 1e-12));
    const Verdict run =
        check_leaky_relu_theorem(problem, p.w0,
                                 {.accuracy = 0.2 + 0.4 * rng.uniform(),
                                  .form = k % 2 ? LeakyReluForm::sharper : LeakyReluForm::lecture,
                                  .budget = 20'000'000});
    EXPECT_EQ(run.outcome, Outcome::certified) << "problem " << k << "\n" << run.to_string();
    EXPECT_EQ(run.domain.kind, Domain::Kind::run);
  }
}

TEST(LeakyRelu, RandomSeparableProblemsAreCertified) {
  Rng rng(12);
  expect_certified(20, rng, 32);
}

TEST(SlowLeakyRelu, TwoHundredRandomSeparableProblemsAreCertified) {
  Rng rng(11);
  expect_certified(200, rng, 512);
}

/// A problem with hypothesis number `which` broken, and the words that name it.
std::pair<Verdict, std::string> break_one(int which, Rng& rng) {
  Problem p = draw(rng, 32);
  const Index d = p.net.inputs(), m = p.net.width();
  LeakyReluOptions options{.accuracy = 0.1 + 0.4 * rng.uniform()};
  const auto run = [&](const LeakyReluProblem& problem) {
    return check_leaky_relu_theorem(problem, p.w0, options);
  };
  const auto with_net = [&](auto phi, const Tensor& outer = {}) {
    return run({nn::TwoLayer(d, m, phi, {.outer = outer}), p.data.x, p.data.y});
  };
  switch (which % 10) {
    case 0: {  // one label turned: nothing separates, for the turned point lies inside its neighbours' hull
      std::vector<double> y(p.data.y.data().begin(), p.data.y.data().end());
      Tensor x = concat({p.data.x, p.data.x.rows(0, 1)}, 0).value();
      y.push_back(-y[0]);
      return {run({p.net, x, Tensor::from(y, {x.size(0)})}), "0 < gamma"};
    }
    case 1:
      return {run({p.net, (1.5 / p.margin * Var(p.data.x)).value(), p.data.y}), "|x_i| <= 1"};
    case 2:
      options.step = 2.0 * options.accuracy / 3.0 * (1.001 + rng.uniform());
      return {run({p.net, p.data.x, p.data.y}), "step <= 2 eps / 3"};
    case 3:
      return {with_net(nn::ReLU()), "0 < alpha"};
    case 4:
      return {with_net(nn::LeakyReLU(1.001 + rng.uniform())), "alpha <= 1"};
    case 5:
      return {with_net(nn::LeakyReLU(0.5), (1.001 * Var(p.net.outer())).value()), "|a_j| = 1/sqrt(m)"};
    case 6:
      return {run({p.net, p.data.x, p.data.y, p.data.direction, 1.001 * p.margin}), "gamma <= y_i <v*, x_i>"};
    case 7:
      return {run({p.net, p.data.x, p.data.y, (1.001 * Var(p.data.direction)).value()}), "|v*| = 1"};
    case 8:
      return {with_net(nn::Softplus()), "phi is a leaky ReLU"};
    default: {
      const LeakyReluProblem problem(p.net, p.data.x, p.data.y);
      options.iterations = 1;
      return {run(problem), "<= T"};
    }
  }
}

TEST(LeakyRelu, OneHundredBrokenProblemsAreNamed) {
  Rng rng(21);
  for (int k = 0; k < 100; ++k) {
    const auto [verdict, name] = break_one(k, rng);
    EXPECT_EQ(verdict.outcome, Outcome::not_applicable) << k << "\n" << verdict.to_string();
    EXPECT_THAT(verdict.reason, HasSubstr(name)) << k;
  }
}

}  // namespace
}  // namespace cotangent
