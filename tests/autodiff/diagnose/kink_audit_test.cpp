// How far a point is from a function's kinks, which lie between two points, and both one-sided derivatives.
#include <cmath>

#include "autodiff/checkpoint.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kinks.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "autodiff/tensor/access.hpp"
#include "nn/layers.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

TEST(KinkAudit, DistancesAreThoseOfThePreActivations) {
  const Params w({{"weight", Tensor{{1.0, -2.0}, {0.5, 0.25}}}, {"bias", Tensor{0.0, -0.75}}});
  const Tensor x{{2.0, 1.0}, {1.0, 1.0}, {3.0, -1.0}};
  const auto f = [&](const Var& v) {
    return sum(relu(linear(x, view(v, 0, Shape{2, 2}), view(v, 4, Shape{2}))));
  };
  // Pre-activations by hand: (0, 0.5), (-1, 0), (5, 0.5).
  const KinkAudit audit = kink_audit(f, w, {.closest = 3});
  ASSERT_EQ(audit.operations.size(), 1u);
  EXPECT_EQ(audit.operations[0].operation, "relu");
  EXPECT_EQ(audit.operations[0].shape, (Shape{3, 2}));
  EXPECT_EQ(audit.operations[0].below, 1);
  EXPECT_EQ(audit.operations[0].at_kink, 2);
  EXPECT_EQ(audit.elements, 6);
  EXPECT_EQ(audit.at_kink, 2);
  ASSERT_EQ(audit.closest.size(), 3u);
  EXPECT_EQ(audit.closest[0].element, "[0, 0]");
  EXPECT_EQ(audit.closest[1].element, "[1, 1]");
  EXPECT_EQ(audit.closest[2].element, "[0, 1]");
  EXPECT_EQ(audit.closest[2].distance, 0.5);
  EXPECT_EQ(audit.closest[0].node, audit.operations[0].node);
  EXPECT_THAT(audit.to_string(), AllOf(HasSubstr("6 elements of 1 operations"), HasSubstr("2 exactly at it"),
                                       HasSubstr("[1, 1]")));
}

TEST(KinkAudit, FindsEveryOperationWithAKinkInOrder) {
  const auto f = [](const Var& x) { return sum(elu(leaky_relu(tanh(relu(x)), 0.1) - 0.5)); };
  const KinkAudit audit = kink_audit(f, Tensor{-1.0, 0.2, 3.0}, {.closest = 100});
  ASSERT_EQ(audit.operations.size(), 3u);
  EXPECT_EQ(audit.operations[0].operation, "relu");
  EXPECT_EQ(audit.operations[1].operation, "leaky_relu");
  EXPECT_EQ(audit.operations[2].operation, "elu");
  EXPECT_EQ(audit.closest.size(), 9u);
  for (std::size_t k = 1; k < audit.closest.size(); ++k)
    EXPECT_LE(std::fabs(audit.closest[k - 1].distance), std::fabs(audit.closest[k].distance));
  EXPECT_TRUE(audit.unknown.empty());
  EXPECT_EQ(kink_audit([](const Var& x) { return sum(tanh(x)); }, Tensor{0.0}).elements, 0);
}

TEST(KinkDistances, AreOnePerElementWithTheValue) {
  const auto f = [](const Var& x) {
    const Var first = relu(x);  // in this order on the tape, whatever the compiler evaluates first in a sum
    return first + maximum(x, 1.0);
  };
  const KinkDistances kinks = kink_distances(f, Tensor{-0.5, 3.0});
  EXPECT_TRUE(equal(kinks.value, Tensor{1.0, 6.0}));
  ASSERT_EQ(kinks.operations.size(), 2u);
  EXPECT_EQ(kinks.operations[0].operation, "relu");
  EXPECT_EQ(kinks.operations[0].node, 1);
  EXPECT_TRUE(equal(kinks.operations[0].distance, Tensor{-0.5, 3.0}));
  EXPECT_EQ(kinks.operations[1].operation, "maximum");
  EXPECT_TRUE(equal(kinks.operations[1].distance, Tensor{-1.5, 2.0}));
}

// The recorded gradient has masks, whose kink is in their second operand.
TEST(KinkAudit, KnowsTheMasksOfARecordedGradient) {
  const auto f = [](const Var& x) {
    return sum(square(grad([](const Var& z) { return sum(leaky_relu(z, 0.1) * elu(z, 2.0)); }, x)));
  };
  const KinkAudit audit = kink_audit(f, Tensor{-0.25, 2.0});
  EXPECT_TRUE(audit.unknown.empty()) << audit.to_string();
  EXPECT_GE(audit.operations.size(), 4u);
  for (const KinkOperation& row : audit.operations) EXPECT_EQ(row.closest, 0.25) << row.operation;
}

const Op kMystery({.name = "test mystery",
                   .forward = [](const OpInputs& in, const OpAttributes&) { return in[0]; },
                   .pullback = [](const OpRecord&, const Var& g, OpCotangents& out) { out.add(0, g); },
                   .at_kink = "1"});
const Op kShifted({.name = "test shifted",
                   .forward = [](const OpInputs& in, const OpAttributes&) { return in[0]; },
                   .pullback = [](const OpRecord&, const Var& g, OpCotangents& out) { out.add(0, g); },
                   .at_kink = "1",
                   .kink_distance = [](const OpInputs& in,
                                       const OpAttributes& a) { return (Var(in[0]) - a.real[0]).value(); }});

TEST(KinkAudit, AsksTheOperationOrSaysThatItCannotTell) {
  const auto f = [](const Var& x) {
    return sum(detail::apply(kMystery, x, Var(1.0))) + sum(detail::apply(kShifted, x, {.real = {2.0}}));
  };
  const KinkAudit audit = kink_audit(f, Tensor{2.5, 1.0});
  ASSERT_EQ(audit.unknown.size(), 1u);
  EXPECT_EQ(audit.unknown[0], "test mystery");
  ASSERT_EQ(audit.operations.size(), 1u);
  EXPECT_EQ(audit.operations[0].closest, 0.5);
  EXPECT_EQ(audit.operations[0].below, 1);
  EXPECT_THAT(audit.to_string(), HasSubstr("not audited: test mystery"));
}

TEST(KinkAudit, ErrorsAndCounts) {
  const auto f = [](const Var& x) { return sum(relu(x)); };
  EXPECT_THAT(error_of<DomainError>([&] { kink_audit(f, Tensor{1.0}, {.closest = -1}); }),
              AllOf(HasSubstr("[kink_audit]"), HasSubstr("-1")));
  EXPECT_TRUE(kink_audit(f, Tensor{1.0}, {.closest = 0}).closest.empty());
  const KinkAudit with_nan = kink_audit(f, Tensor{NAN, 0.5});
  EXPECT_EQ(with_nan.operations[0].closest, 0.5);
  EXPECT_EQ(with_nan.closest.size(), 1u);
}

TEST(KinkAudit, LooksIntoACheckpoint) {
  const auto held = [](const Var& x) { return sum(checkpoint([](const Var& z) { return relu(z); }, x)); };
  const KinkAudit audit = kink_audit(held, Tensor{0.0, 1.0});
  EXPECT_EQ(audit.elements, 2);
  EXPECT_EQ(audit.at_kink, 1);
}

TEST(KinkAudit, WhatCannotChangeSidesIsFarFromAKink) {
  const KinkAudit audit = kink_audit(
      [](const Var& x) { return sum(maximum(x, x)) + max(view(x, 0, Shape{1})); }, Tensor{1.0, 2.0});
  EXPECT_EQ(audit.at_kink, 0);
  EXPECT_TRUE(audit.closest.empty());
  EXPECT_THAT(audit.to_string(), HasSubstr("closest none"));
}

TEST(MaskFlips, CountsElementsThatChangeSides) {
  const auto f = [](const Var& x) {
    const Var first = relu(x);
    return sum(first + leaky_relu(2.0 * x - 1.0, 0.1));
  };
  const MaskFlips flips = mask_flips(f, Tensor{-1.0, 0.25, 2.0, 0.0}, Tensor{1.0, 0.3, 3.0, -0.1});
  EXPECT_EQ(flips.elements, 8);
  EXPECT_EQ(flips.flipped, 3);  // relu at 0 and 3, leaky_relu at 0
  ASSERT_EQ(flips.operations.size(), 2u);
  EXPECT_EQ(flips.operations[0].flipped, 2);
  EXPECT_EQ(flips.operations[1].flipped, 1);
  EXPECT_THAT(flips.to_string(), HasSubstr("3 of 8 elements"));
  EXPECT_EQ(mask_flips(f, Tensor{1.0}, Tensor{1.0}).flipped, 0);
}

// The point may be a constant of the function too.
TEST(KinkAudit, AConstantEqualToThePointIsAtItsKink) {
  const Tensor w{1.0, 2.0};
  EXPECT_EQ(kink_audit([&](const Var& x) { return sum(maximum(x, w)); }, w).at_kink, 2);
  EXPECT_EQ(kink_audit([&](const Var& x) { return sum(greater_equal(x, w) * x); }, w).at_kink, 2);
  EXPECT_EQ(kink_audit([&](const Var& x) { return sum(minimum(x, detach(x))); }, w).at_kink, 2);
}

TEST(KinkAudit, TwoVariablesMeet) {
  const auto f = [](const Var& x) { return maximum(view(x, 0, Shape{}), view(x, 1, Shape{})); };
  EXPECT_EQ(kink_audit(f, Tensor{0.5, 0.5}).at_kink, 1);
  EXPECT_EQ(kink_audit(f, Tensor{0.5, 0.75}).closest[0].distance, -0.25);
}

TEST(KinkAudit, ClipOfEightAxes) {
  const Tensor x = Tensor::full(Shape{1, 1, 1, 1, 1, 1, 1, 2}, 0.5);
  const auto f = [](const Var& v) { return sum(clip(v, 0.0, 0.5)); };
  EXPECT_EQ(kink_audit(f, x).at_kink, 2);
  EXPECT_EQ(kink_audit(f, x).operations[0].shape, x.shape());
  EXPECT_EQ(mask_flips(f, x, (2.0 * Var(x)).value()).flipped, 2);
}

TEST(MaskFlips, AnInfiniteBoundIsNoKink) {
  const auto flips = [](double low, double high, double a, double b) {
    return mask_flips([&](const Var& x) { return sum(clip(x, low, high)); }, Tensor{a}, Tensor{b}).flipped;
  };
  EXPECT_EQ(flips(0.0, INFINITY, 1.0, INFINITY), 0);
  EXPECT_EQ(flips(-INFINITY, 0.0, -1.0, -INFINITY), 0);
  EXPECT_EQ(flips(0.0, INFINITY, 1.0, -INFINITY), 1);
}

TEST(MaskFlips, AcrossABandEvenIfItsMaskIsTheSame) {
  const auto f = [](const Var& x) { return sum(clip(x, -1.0, 1.0)); };
  const auto flips = [&](double a, double b) { return mask_flips(f, Tensor{a}, Tensor{b}); };
  for (const auto& [a, b, count] : std::vector<std::tuple<double, double, Index>>{
           {-3.0, 3.0, 1}, {3.0, -3.0, 1}, {-3.0, 0.0, 1}, {0.0, 3.0, 1}, {-3.0, -2.0, 0}, {-1.0, 1.0, 0}}) {
    EXPECT_EQ(flips(a, b).flipped, count) << a << " to " << b;
    EXPECT_EQ(flips(a, b).elements, 1);
  }
  const KinkAudit audit = kink_audit(f, Tensor{{-1.25, 0.5}, {0.75, 3.0}});
  EXPECT_EQ(audit.elements, 4);
  ASSERT_EQ(audit.operations.size(), 1u);
  EXPECT_EQ(audit.operations[0].shape, (Shape{2, 2}));
  EXPECT_EQ(audit.operations[0].below, 2);
  ASSERT_EQ(audit.closest.size(), 4u);
  EXPECT_EQ(audit.closest[0].element, "[0, 0]");
  EXPECT_EQ(audit.closest[0].distance, -0.25);
  EXPECT_EQ(audit.closest[1].element, "[1, 0]");
  EXPECT_EQ(audit.closest[1].distance, 0.25);
}

TEST(MaskFlips, Errors) {
  const auto branching = [](const Var& x) { return x.value()(0) > 0.0 ? sum(relu(x)) : sum(x); };
  EXPECT_THAT(error_of<DomainError>([&] { mask_flips(branching, Tensor{1.0}, Tensor{-1.0}); }),
              AllOf(HasSubstr("[mask_flips]"), HasSubstr("branches")));
  EXPECT_THAT(error_of<ShapeError>([&] {
                mask_flips(branching, Tensor{1.0}, Tensor{1.0, 2.0});
              }),
              AllOf(HasSubstr("[1]"), HasSubstr("[2]")));
}

TEST(OneSidedDerivatives, AtAKinkAndBesideIt) {
  const auto f = [](const Var& x) { return sum(leaky_relu(x, 0.1) * exp(x)); };
  // At 0: slopes 0.1 and 1; at 0.7, along v = 3, the derivative 3 (x + 1) exp(x).
  const OneSided at = one_sided_derivatives(f, Tensor{0.0, 0.7}, Tensor{1.0, 0.0});
  EXPECT_NEAR(at.left, 0.1, 1e-11);
  EXPECT_NEAR(at.right, 1.0, 1e-11);
  EXPECT_EQ(at.flips, 1);
  const OneSided back = one_sided_derivatives(f, Tensor{0.0, 0.7}, Tensor{-2.0, 0.0});
  EXPECT_NEAR(back.left, -2.0, 1e-10);
  EXPECT_NEAR(back.right, -0.2, 1e-10);
  const OneSided smooth = one_sided_derivatives(f, Tensor{0.0, 0.7}, Tensor{0.0, 3.0});
  EXPECT_NEAR(smooth.left, 3.0 * 1.7 * std::exp(0.7), 1e-9);
  EXPECT_NEAR(smooth.right, smooth.left, 1e-9);
  EXPECT_EQ(smooth.flips, 0);
  EXPECT_THAT(at.to_string(), HasSubstr("kinks between: 1"));
}

// relu(x) - relu(-x) is x: the engine's number at 0 is 2, both one-sided derivatives are 1.
TEST(OneSidedDerivatives, AreThoseOfTheFunctionWhereRulesAddUpWrongly) {
  const auto f = [](const Var& x) { return relu(x) - relu(-x); };
  EXPECT_EQ(grad(f, 0.0), 2.0);
  const OneSided sides = one_sided_derivatives(f, Tensor::scalar(0.0), Tensor::scalar(1.0));
  EXPECT_NEAR(sides.left, 1.0, 1e-12);
  EXPECT_NEAR(sides.right, 1.0, 1e-12);
  EXPECT_EQ(sides.flips, 2);
}

TEST(OneSidedDerivatives, StayOnTheNearPieceIfAKinkIsClose) {
  const auto f = [](const Var& x) { return sum(relu(x - 1e-6)); };
  const OneSided sides = one_sided_derivatives(f, Tensor{0.0}, Tensor{1.0});
  EXPECT_EQ(sides.left, 0.0);
  EXPECT_EQ(sides.right, 0.0);
}

// Kinks as near as 1e-12, narrow pieces, and numbers of quite different sizes beside each other.
TEST(OneSidedDerivatives, OfAnySize) {
  const auto sides = [](VarFunction f, const Tensor& x, const Tensor& v) {
    const OneSided s = one_sided_derivatives(f, x, v);
    return std::pair{s.left, s.right};
  };
  const auto first = [](const Var& x) { return view(x, 0, Shape{}); };
  const auto magnitude = [&](const Var& x) { return abs(first(x)); };
  for (const double near : {1e-3, 1e-6, 1e-9, 1e-11, 2e-12})
    EXPECT_EQ(sides(magnitude, Tensor{near}, Tensor{1.0}), (std::pair{1.0, 1.0})) << near;
  for (const double large : {1.0, 1e4, 1e8, 1e12})
    for (const double near : {0.01, 1e-5, 1e-9})
      EXPECT_EQ(sides(magnitude, Tensor{near, large}, Tensor{1.0, 0.0}), (std::pair{1.0, 1.0})) << large;
  EXPECT_EQ(sides(magnitude, Tensor{0.0, 1e12}, Tensor{1.0, 1.0}), (std::pair{-1.0, 1.0}));
  for (const double width : {1e-3, 1e-6, 1e-9, 2e-12}) {
    const auto [left, right] =
        sides([&](const Var& x) { return clip(first(x), 0.0, width); }, Tensor{0.0}, Tensor{1.0});
    EXPECT_EQ(left, 0.0) << width;
    EXPECT_EQ(right, 1.0) << width;
  }
  for (const double large : {1.0, 1e5, 1e7, 1e12})
    for (const double along : {0.0, 1.0}) {
      const auto [left, right] =
          sides([&](const Var& x) { return exp(first(x)); }, Tensor{0.0, large}, Tensor{1.0, along});
      EXPECT_NEAR(left, 1.0, 1e-13) << large;
      EXPECT_NEAR(right, 1.0, 1e-13) << large;
    }
  // Steps that are lost in the rounding of f.
  for (const double far : {1.0, 1e3, 1e5}) {
    const auto lost = [&](const Var& x) { return relu((first(x) + far) - far); };
    EXPECT_EQ(sides(lost, Tensor{0.0}, Tensor{1.0}), (std::pair{0.0, 1.0})) << far;
    const auto beside_a_dead_one = [&](const Var& x) { return lost(x) + relu(0.0 * first(x)); };
    EXPECT_EQ(sides(beside_a_dead_one, Tensor{0.0}, Tensor{1.0}), (std::pair{0.0, 1.0})) << far;
  }
  EXPECT_EQ(sides(magnitude, Tensor{1e200}, Tensor{1e-120}), (std::pair{1e-120, 1e-120}));
  EXPECT_EQ(sides(magnitude, Tensor{1.0}, Tensor{5e-324}), (std::pair{5e-324, 5e-324}));
  // A direction of any length, also one that changes one number by next to nothing.
  for (const double along : {1e-300, 1e-20, 1.0, 1e300}) {
    EXPECT_EQ(sides(magnitude, Tensor{1e-9, 1.0}, Tensor{along, 0.0}), (std::pair{along, along}));
    EXPECT_EQ(sides(magnitude, Tensor{1e-9, 1.0}, Tensor{1.0, std::min(along, 1e-3)}), (std::pair{1.0, 1.0}));
  }
  for (const double bad : {NAN, INFINITY}) {
    EXPECT_THAT(error_of<DomainError>([&] { sides(magnitude, Tensor{1.0}, Tensor{bad}); }),
                HasSubstr("not finite"));
    EXPECT_THAT(error_of<DomainError>([&] { sides(magnitude, Tensor{bad}, Tensor{1.0}); }),
                HasSubstr("not finite"));
  }
}

TEST(OneSidedDerivatives, OfANetworkWithADeadCornerAndErrors) {
  Rng rng(4);
  const nn::Sequential net = nn::mlp({2, 6, 1}, nn::ReLU(), {.bias = false});
  const Params w = net.init(rng);
  const Tensor x{{0.0, 0.0}};  // all pre-activations are 0 at the origin
  const auto by_inputs = [&](const Var& z) { return sum(net(w, z)); };
  const Tensor v{{0.6, -0.8}};
  const OneSided sides = one_sided_derivatives(by_inputs, x, v);
  // Positively homogeneous: f(t v) = t f(v) for t > 0.
  EXPECT_NEAR(sides.right, by_inputs(v).item(), 1e-12);
  EXPECT_NEAR(sides.left, -by_inputs(-Var(v)).item(), 1e-12);
  EXPECT_EQ(sides.flips, 6);
  EXPECT_EQ(one_sided_derivatives(by_inputs, x, Tensor{{0.0, 0.0}}).right, 0.0);
  EXPECT_THAT(error_of<ShapeError>([&] { one_sided_derivatives(by_inputs, x, Tensor{1.0}); }),
              AllOf(HasSubstr("[one_sided_derivatives]"), HasSubstr("[1]"), HasSubstr("[1, 2]")));
}

}  // namespace
}  // namespace cotangent
