// prove: one-line claims become theorems on boxes, false ones are refuted, and what is open is counted.
#include "theory/prove.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <tuple>

#include "autodiff/autodiff.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::Outcome;
using theory::pointwise;
using theory::PointwiseClaim;
using theory::prove;
using theory::Verdict;

using Scalar = Function<Var(const Var& w)>;

Var half_square(const Var& w) { return 0.5 * sum(square(w)); }
Var log_cosh(const Var& w) { return sum(log(0.5 * (exp(w) + exp(-w)))); }

Box interval(double lower, double upper) { return {Tensor{lower}, Tensor{upper}}; }

/// 2 mu f <= |f'|^2 for f = x^2 + 3 sin^2 x, true for mu <= 0.175530985880.
PointwiseClaim pl(double mu) {
  const Scalar f = [](const Var& w) { return sum(square(w) + 3.0 * square(sin(w))); };
  return {{"PL", "2 mu f <= |f'|^2 for all w"}, [=](const Var& w) {
            const VarValueAndGrad at = value_and_grad(f, w);
            return theory::exact(2.0 * mu) * theory::side(at.value) <=
                   theory::inner_product(at.grad, at.grad);
          }};
}

struct OneLine {
  const char* text;
  Scalar lhs, rhs;
  Box box;
};

std::vector<OneLine> one_line_claims() {
  return {
      {"log cosh w <= w^2/2", log_cosh, half_square, interval(0.01, 20.0)},
      {"log(1 + e^w) <= e^w", [](const Var& w) { return sum(log(1.0 + exp(w))); },
       [](const Var& w) { return sum(exp(w)); }, interval(-10.0, 10.0)},
      {"1 - sigmoid(w) <= e^-w", [](const Var& w) { return sum(1.0 - sigmoid(w)); },
       [](const Var& w) { return sum(exp(-w)); }, interval(-10.0, 10.0)},
      {"1 - tanh^2 w <= 4 e^-2w", [](const Var& w) { return sum(1.0 - square(tanh(w))); },
       [](const Var& w) { return 4.0 * sum(exp(-2.0 * w)); }, interval(-10.0, 10.0)},
      {"sqrt(w^2 + 1) - |w| <= 1/(2|w|)", [](const Var& w) { return sum(sqrt(square(w) + 1.0) - abs(w)); },
       [](const Var& w) { return sum(0.5 / abs(w)); }, interval(0.1, 10.0)},
      {"1 - cos w <= w^2/2", [](const Var& w) { return sum(1.0 - cos(w)); }, half_square,
       interval(0.01, 10.0)}};
}

TEST(Prove, OneLineClaimsBecomeTheorems) {
  for (const OneLine& c : one_line_claims()) {
    const PointwiseClaim claim = pointwise({c.text, c.text}, c.lhs, c.rhs);
    const Verdict v = prove(claim, c.box);
    EXPECT_EQ(v.outcome, Outcome::certified) << v.to_string();
    ASSERT_TRUE(v.boxes);
    EXPECT_GE(v.boxes->proved, 1);
    EXPECT_TRUE(v.boxes->undecided.empty());
    EXPECT_GT(v.conclusion.margin(), 0.0);
    // None of them touches on its box.
    const Verdict strict = prove(
        {claim.claim, [=](const Var& w) { return theory::side(c.lhs(w)) < theory::side(c.rhs(w)); }}, c.box);
    EXPECT_EQ(strict.outcome, Outcome::certified) << strict.to_string();
  }
}

TEST(Prove, FalseOnesAreRefutedAtAPoint) {
  for (const OneLine& c : one_line_claims()) {
    // What the margin is at the left end, and a little more.
    const Verdict v =
        prove(pointwise(
                  c.text, [=](const Var& w) { return c.lhs(w) + 1e-6; },
                  [=](const Var& w) { return c.rhs(w) - (c.rhs(c.box.upper) - c.lhs(c.box.upper)).item(); }),
              c.box);
    EXPECT_EQ(v.outcome, Outcome::refuted) << v.to_string();
    ASSERT_TRUE(v.witness);
    const double w = v.witness->flat()(0);
    EXPECT_TRUE(c.box.lower(0) <= w && w <= c.box.upper(0)) << w;
    EXPECT_TRUE(v.conclusion.disproved());
    EXPECT_LT(v.boxes->looked_at, 300) << "middles show it, long before boxes are too small";
  }
}

// A strict claim that touches is false there.
TEST(Prove, AStrictClaimIsFalseWhereItsSidesMeet) {
  const auto strict = [](const Scalar& f) {
    return PointwiseClaim{
        "strict", [f](const Var& w) { return theory::side(theory::exact(0.0)) < theory::side(f(w)); }};
  };
  EXPECT_EQ(prove(strict([](const Var& w) { return sum(square(w)); }), interval(-1.0, 1.0)).outcome,
            Outcome::refuted);
  EXPECT_EQ(prove(strict([](const Var& w) { return sum(w); }), interval(0.0, 1.0)).outcome, Outcome::refuted);
  EXPECT_EQ(prove(strict([](const Var& w) { return sum(w); }), interval(1e-9, 1.0)).outcome,
            Outcome::certified);
}

TEST(Prove, KarimisPlConstantAwayFromZeroAndAcrossIt) {
  for (const Box& box : {interval(0.5, 10.0), interval(-10.0, -0.5), interval(-10.0, 10.0)}) {
    const Verdict right = prove(pl(0.1755), box);
    EXPECT_EQ(right.outcome, Outcome::certified) << right.to_string();
    EXPECT_THAT(right.domain.text, HasSubstr("10"));
    EXPECT_THAT(right.to_string(), testing::Not(HasSubstr("for all w")));
    const Verdict wrong = prove(pl(0.1756), box);
    EXPECT_EQ(wrong.outcome, Outcome::refuted) << wrong.to_string();
    EXPECT_NEAR(std::fabs(wrong.witness->flat()(0)), 2.2017, 0.02);
  }
}

// |w| <= 2 has a kink at 0; sign jumps there, and its derivative, 0, must prove nothing.
TEST(Prove, KinksAndJumps) {
  const auto below = [](const Scalar& f, double level) {
    return pointwise("below", f, [level](const Var&) { return Var(level); });
  };
  const Scalar bent = [](const Var& w) { return sum(abs(w) - 0.5 * w); };
  EXPECT_EQ(prove(below(bent, 1.5), interval(-1.0, 1.0)).outcome, Outcome::certified);
  EXPECT_EQ(prove(below(bent, 1.4), interval(-1.0, 1.0)).outcome, Outcome::refuted);
  const Scalar jump = [](const Var& w) { return sum(sign(w - 0.3)); };
  EXPECT_EQ(prove(below(jump, 0.5), interval(-1.0, 1.0)).outcome, Outcome::refuted);
  EXPECT_EQ(prove(below(jump, 1.001), interval(-1.0, 1.0)).outcome, Outcome::certified);
  // The gradient of relu inside a claim: its derivative is 0 on both sides of where it jumps.
  const Scalar slope = [](const Var& w) {
    return sum(grad([](const Var& v) { return sum(relu(v - 0.3)); }, w));
  };
  EXPECT_EQ(prove(below(slope, 0.5), interval(-1.0, 1.0)).outcome, Outcome::refuted);
  EXPECT_EQ(prove(below(slope, 1.001), interval(-1.0, 1.0)).outcome, Outcome::certified);
}

TEST(Prove, InTwoAndThreeDimensions) {
  const auto rosenbrock = [](const Var& w) {
    const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
    return sum(100.0 * square(y - square(x)) + square(1.0 - x));
  };
  const auto above = [&](double level) {
    return pointwise(
        "above", [level](const Var&) { return Var(level); }, rosenbrock);
  };
  const Box square_{Tensor{-2.0, -2.0}, Tensor{2.0, 2.0}};
  EXPECT_EQ(prove(above(-0.01), square_).outcome, Outcome::certified);
  EXPECT_EQ(prove(above(0.0), square_, {.touching = {Tensor{1.0, 1.0}}}).outcome, Outcome::certified)
      << "touches at (1, 1) only";
  const Verdict wrong = prove(above(0.01), square_);
  ASSERT_EQ(wrong.outcome, Outcome::refuted);
  EXPECT_LT(rosenbrock(wrong.witness->flat()).item(), 0.01);
  const PointwiseClaim means = pointwise(
      "geometric mean", [](const Var& w) { return exp(mean(log(w))); }, [](const Var& w) { return mean(w); });
  EXPECT_EQ(prove(means, {Tensor{1.0, 2.0, 4.0}, Tensor{1.5, 3.0, 5.0}}).outcome, Outcome::certified);
  EXPECT_EQ(prove(pointwise(
                      "reversed", [](const Var& w) { return mean(w); },
                      [](const Var& w) { return exp(mean(log(w))); }),
                  {Tensor{1.0, 2.0, 4.0}, Tensor{1.5, 3.0, 5.0}})
                .outcome,
            Outcome::refuted);
}

// Second-order forms in two dimensions: a saddle is no bowl, whichever entry of the Hessian says so.
TEST(Prove, ASaddleIsNotNegative) {
  const auto quadratic = [](double a, double b, double c) {
    return [=](const Var& w) {
      const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
      return sum(0.5 * a * square(x) + b * x * y + 0.5 * c * square(y));
    };
  };
  const Box square_{Tensor{-1.0, -1.0}, Tensor{1.0, 1.0}};
  const auto never_negative = [](const Scalar& f) {
    return pointwise(
        "never negative", [](const Var&) { return Var(0.0); }, f);
  };
  EXPECT_EQ(prove(never_negative(quadratic(2.0, 1.0, 2.0)), square_).outcome, Outcome::certified);
  for (const auto& [a, b, c] :
       {std::tuple{1.0, 0.0, -1e-3}, {-1e-3, 0.0, 1.0}, {1.0, 1.1, 1.0}, {1.0, -1.1, 1.0}, {1.0, 3.0, 1.0}})
    EXPECT_EQ(prove(never_negative(quadratic(a, b, c)), square_).outcome, Outcome::refuted) << a << b << c;
  // On one quadrant the cross term helps, on the other it does not, and no box of one may say so of both.
  const Box quadrant{Tensor{0.0, 0.0}, Tensor{1.0, 1.0}}, other{Tensor{0.0, -1.0}, Tensor{1.0, 0.0}};
  EXPECT_EQ(prove(never_negative(quadratic(1.0, 3.0, 1.0)), quadrant).outcome, Outcome::certified);
  EXPECT_EQ(prove(never_negative(quadratic(1.0, 3.0, 1.0)), other).outcome, Outcome::refuted);
  for (const auto& [a, b, c] : {std::tuple{1.0, -3.0, 1.0}, {1.0, 3.0, -0.01}, {-0.01, 3.0, 1.0}})
    EXPECT_EQ(prove(never_negative(quadratic(a, b, c)), quadrant).outcome, Outcome::refuted) << a << b << c;
}

// clip bends at the ends of its band, of which its second derivative, 0, says nothing.
TEST(Prove, ABendIsNoStraightLine) {
  const PointwiseClaim small = pointwise(
      "small", [](const Var& w) { return sum(clip(w, -0.3, 0.3)); }, [](const Var&) { return Var(0.29); });
  EXPECT_EQ(prove(small, interval(-1.0, 1.0)).outcome, Outcome::refuted);
  EXPECT_EQ(prove(small, interval(-1.0, 0.28)).outcome, Outcome::certified);
}

// The gradient of clip inside a claim jumps at both ends of the band.
TEST(Prove, AGradientOfClipJumps) {
  const Scalar slope = [](const Var& w) {
    return sum(grad([](const Var& v) { return sum(clip(v, -0.3, 0.3)); }, w));
  };
  const PointwiseClaim small = pointwise("small", slope, [](const Var&) { return Var(0.5); });
  EXPECT_EQ(prove(small, interval(0.2, 1.0)).outcome, Outcome::refuted);
  EXPECT_NE(prove(small, interval(0.29, 1.0), {.boxes = 5}).outcome, Outcome::certified);
  EXPECT_EQ(prove(small, interval(0.31, 1.0)).outcome, Outcome::certified);
}

// Numbers that underflow are not 0, halves of the smallest stay in their box, constants keep what they lose.
TEST(Prove, SmallNumbersAndConstantsProveNothingFalse) {
  const auto never_positive = [](const Scalar& f) {
    return pointwise("never positive", f, [](const Var& w) { return 0.0 * sum(w); });
  };
  EXPECT_NE(prove(never_positive([](const Var& w) { return sum(pow(w, 4.0)); }), interval(-1e-90, 1e-90),
                  {.boxes = 300})
                .outcome,
            Outcome::certified);
  EXPECT_NE(prove(never_positive([](const Var& w) { return sum(square(square(w))); }),
                  interval(-1e-100, 1e-100), {.boxes = 300})
                .outcome,
            Outcome::certified);
  EXPECT_NE(prove(never_positive([](const Var& w) { return 1e-320 * sum(square(w)); }), interval(-0.01, 0.01),
                  {.boxes = 300})
                .outcome,
            Outcome::certified);
  const PointwiseClaim positive{"positive", [](const Var& w) {
                                  const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
                                  return theory::side(theory::exact(0.0)) <
                                         theory::side(sum(x * (square(y) - y + 1.0)));
                                }};
  const Verdict v = prove(positive, {Tensor{5e-324, 0.0}, Tensor{5e-324, 1.0}}, {.boxes = 200});
  EXPECT_NE(v.outcome, Outcome::refuted) << v.to_string();
  const PointwiseClaim product{"w <= 3 * 0.1", [](const Var& w) {
                                 return theory::side(sum(w)) <=
                                        theory::exact(3.0) * theory::side(theory::exact(0.1));
                               }};
  EXPECT_NE(prove(product, interval(0.0, 0.30000000000000004), {.boxes = 500}).outcome, Outcome::certified);
  EXPECT_EQ(prove(product, interval(0.0, 0.2999)).outcome, Outcome::certified);
}

TEST(Prove, EndsAndRoots) {
  // False at the right end alone.
  const PointwiseClaim below = pointwise(
      "below", [](const Var& w) { return sum(w); }, [](const Var&) { return Var(1.0); });
  const Verdict v = prove(below, interval(0.0, 1.0 + 0x1p-52));
  EXPECT_EQ(v.outcome, Outcome::refuted) << v.to_string();
  EXPECT_EQ(v.witness->flat()(0), 1.0 + 0x1p-52);
  EXPECT_EQ(prove(below, interval(0.0, 1.0)).outcome, Outcome::certified);
  const auto never_negative = [](const Scalar& f) {
    return pointwise(
        "never negative", [](const Var&) { return Var(0.0); }, f);
  };
  EXPECT_EQ(prove(never_negative([](const Var& w) { return sum(square(w - 1.0 / 3.0)); }), interval(0.0, 1.0))
                .outcome,
            Outcome::certified);
  EXPECT_EQ(prove(never_negative([](const Var& w) { return sum(sqrt(w)); }), interval(0.0, 1.0)).outcome,
            Outcome::certified);
  EXPECT_EQ(
      prove(never_negative([](const Var& w) { return norm(w); }), {Tensor{-1.0, -1.0}, Tensor{1.0, 1.0}})
          .outcome,
      Outcome::certified);
  EXPECT_FALSE(prove(below, interval(0.0, 1.0)).witness) << "a certificate has no witness";
}

// Where the sides touch in a point that is no corner or middle nothing is known, and it is said how much.
TEST(Prove, WhatIsOpenIsCounted) {
  // w^3 - 3 a^2 w + 2 a^3 = (w - a)^2 (w + 2 a), a no corner of any box.
  const double a = 0.1;
  const PointwiseClaim touching = pointwise(
      "square", [=](const Var& w) { return 3.0 * square(lift(a, w)) * sum(w); },
      [=](const Var& w) { return sum(w * w * w) + 2.0 * pow(lift(a, w), 3.0); });
  const Verdict v = prove(touching, interval(0.0, 1.0), {.boxes = 500});
  EXPECT_EQ(v.outcome, Outcome::inconclusive);
  ASSERT_TRUE(v.boxes);
  EXPECT_GE(v.boxes->undecided.size(), 1u);
  EXPECT_LE(v.boxes->undecided.size(), 3u);
  EXPECT_LE(v.boxes->looked_at, 502);
  for (const Box& b : v.boxes->undecided) EXPECT_NEAR(b.lower(0), 0.1, 1e-7);
  EXPECT_THAT(v.to_string(), HasSubstr("undecided, the first on [0.0"));
  EXPECT_EQ(prove(touching, interval(0.0, 1.0), {.touching = {Tensor{0.1}}}).outcome, Outcome::certified);
  const test::TemporaryDirectory folder;
  const std::string picture = folder / "margin.svg";
  const bool drawn = plot_margin(picture, touching, v).drawn;
  EXPECT_EQ(std::filesystem::exists(picture), drawn);
  v.save(folder / "v.json");
  EXPECT_THAT(test::read_bytes(folder / "v.json"), HasSubstr("\"undecided\""));
}

// Constants that are off count against the claim.
TEST(Prove, AConstantWithAnErrorIsTakenAtItsWorst) {
  const auto claim = [](double error) {
    return PointwiseClaim{"constant", [=](const Var& w) {
                            return theory::side(sum(square(w))) <= theory::side(theory::within(1.0, error));
                          }};
  };
  EXPECT_EQ(prove(claim(0.0), interval(-1.0, 1.0)).outcome, Outcome::certified);
  EXPECT_NE(prove(claim(1e-3), interval(-1.0, 1.0), {.boxes = 1000}).outcome, Outcome::certified);
  EXPECT_EQ(prove(claim(1e-3), interval(-0.999, 0.999)).outcome, Outcome::certified);
  EXPECT_NE(prove(claim(1e-3), interval(-1.0001, 1.0), {.boxes = 1000}).outcome, Outcome::refuted);
  EXPECT_EQ(prove(claim(1e-3), interval(-1.01, 1.0)).outcome, Outcome::refuted);
}

TEST(Prove, BadInputIsNamed) {
  const PointwiseClaim claim = pl(0.1);
  const auto message = [&](const PointwiseClaim& c, const Box& box,
                           const theory::ProveOptions& o) -> std::string {
    try {
      prove(c, box, o);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  EXPECT_THAT(message(claim, interval(1.0, 0.0), {}), HasSubstr("the lower first"));
  EXPECT_THAT(message(claim, {Tensor::zeros({4}), Tensor::ones({4})}, {}), HasSubstr("one to three numbers"));
  EXPECT_THAT(message(claim, {Tensor{0.0}, Tensor{1.0, 2.0}}, {}),
              HasSubstr("the lower corner is [1], the upper [2]"));
  EXPECT_THAT(message(claim, interval(0.0, 1.0), {.bits = 1}), HasSubstr("[prove] bits is 1"));
  EXPECT_THAT(message(claim, interval(0.0, 1.0), {.boxes = 0}), HasSubstr("boxes is 0"));
  EXPECT_THAT(message(claim, interval(0.0, 1.0), {.smallest = 1.0}), HasSubstr("smallest is 1"));
  EXPECT_THAT(message(claim, interval(0.0, 1.0), {.touching = {Tensor{0.0, 1.0}}}),
              HasSubstr("touching point"));
  EXPECT_THAT(
      message({"identity", [](const Var& w) { return equal(theory::side(sum(w)), theory::side(sum(w))); }},
              interval(0.0, 1.0), {}),
      HasSubstr("identity"));
}

}  // namespace
}  // namespace cotangent
