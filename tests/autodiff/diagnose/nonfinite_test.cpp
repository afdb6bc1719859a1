// The tracer names the operation that first made a number that is not finite, forwards and backwards.
#include <cmath>

#include "autodiff/checkpoint.hpp"
#include "autodiff/error.hpp"
#include "autodiff/nonfinite.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape/state.hpp"
#include "nn/layers.hpp"
#include "nn/losses.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// The report there must be.
NonfiniteReport traced(VarFunction f, const Tensor& x, int order = 1) {
  const auto report = trace_nonfinite(f, x, {.order = order});
  EXPECT_TRUE(report.has_value());
  return report.value_or(NonfiniteReport{});
}

TEST(Nonfinite, AFiniteFunctionGivesNothing) {
  const auto f = [](const Var& x) { return sum(exp(x) * log(square(x) + 1.0)) / 3.0; };
  for (const int order : {0, 1, 2}) EXPECT_FALSE(trace_nonfinite(f, Tensor{1.0, -2.0}, {.order = order}));
  Rng rng(1);
  const nn::Sequential net = nn::mlp({3, 8, 2}, nn::Tanh());
  const Tensor x = rng.normal({5, 3}), y = rng.normal({5, 2});
  const auto loss = [&](const Var& w) { return nn::mse(net(w, x), y); };
  EXPECT_FALSE(trace_nonfinite(loss, net.init(rng), {.order = 2}));
  EXPECT_FALSE(trace_nonfinite([](const Var&) { return Var(3.0); }, Tensor{1.0}));
}

TEST(Nonfinite, LogOfANegativeNumber) {
  const auto f = [](const Var& x) { return sum(log(x - 1.0)); };
  const NonfiniteEvent e = traced(f, Tensor{{2.0, 3.0}, {0.5, 0.25}}).first;
  EXPECT_EQ(e.pass, Pass::forward);
  EXPECT_EQ(e.operation, "log");
  EXPECT_EQ(e.node, 2);
  EXPECT_TRUE(std::isnan(e.value));
  EXPECT_EQ(e.shape, (Shape{2, 2}));
  EXPECT_EQ(e.element, "[1, 0]");
  EXPECT_EQ(e.count, 2);
  ASSERT_EQ(e.operands.size(), 1u);
  EXPECT_EQ(e.operands[0].source, "sub, node 1");
  EXPECT_EQ(e.operands[0].at, -0.5);
  EXPECT_EQ(e.operands[0].smallest, -0.75);
  EXPECT_EQ(e.operands[0].largest, 2.0);
  EXPECT_EQ(e.operands[0].nonfinite, 0);
  EXPECT_THAT(e.parameters, ElementsAre("x"));
  EXPECT_THAT(e.to_string(),
              AllOf(HasSubstr("forward pass: log (node 2) made nan at [1, 0] of its result [2, 2], 2 of 4"),
                    HasSubstr("operand 0: sub, node 1 [2, 2], -0.5 there"), HasSubstr("->     2  log")));
}

TEST(Nonfinite, ZeroByZero) {
  const auto f = [](const Var& x) { return sum((x - 1.0) / (2.0 * x - 2.0)); };
  const NonfiniteEvent e = traced(f, Tensor{3.0, 1.0}).first;
  EXPECT_EQ(e.operation, "div");
  EXPECT_TRUE(std::isnan(e.value));
  EXPECT_EQ(e.element, "[1]");
  ASSERT_EQ(e.operands.size(), 2u);
  EXPECT_EQ(e.operands[0].at, 0.0);
  EXPECT_EQ(e.operands[1].at, 0.0);
}

TEST(Nonfinite, ByAScalar) {
  const auto f = [](const Var& x) { return sum(Tensor{1.0, 2.0} / view(x, 0, Shape{})); };
  const NonfiniteEvent e = traced(f, Tensor{0.0}).first;
  EXPECT_EQ(e.operation, "div");
  ASSERT_EQ(e.operands.size(), 2u);
  EXPECT_EQ(e.operands[1].at, 0.0);
}

TEST(Nonfinite, ABackwardEventShowsWhatCameAfterTheOperation) {
  const NonfiniteEvent e = traced([](const Var& x) { return sum(2.0 * sqrt(x)); }, Tensor{1.0, 0.0}).first;
  EXPECT_EQ(e.pass, Pass::backward);
  EXPECT_EQ(e.operation, "sqrt");
  EXPECT_THAT(e.chain, AllOf(HasSubstr("sqrt"), HasSubstr("scale"), HasSubstr("sum")));
}

TEST(Nonfinite, OverflowOfExpAndTheNaNThatFollows) {
  const auto f = [](const Var& x) { return sum(exp(x) - exp(x)); };
  const NonfiniteReport report = traced(f, Tensor{1.0, 2.0, 800.0});
  EXPECT_EQ(report.first.operation, "exp");
  EXPECT_EQ(report.first.value, INFINITY);
  EXPECT_EQ(report.first.element, "[2]");
  EXPECT_EQ(report.first.operands[0].at, 800.0);
  ASSERT_TRUE(report.first_nan.has_value());
  EXPECT_EQ(report.first_nan->operation, "sub");
  EXPECT_EQ(report.first_nan->pass, Pass::forward);
  ASSERT_EQ(report.first_nan->operands.size(), 2u);
  EXPECT_EQ(report.first_nan->operands[0].at, INFINITY);
  EXPECT_EQ(report.first_nan->operands[1].at, INFINITY);
  EXPECT_EQ(report.first_nan->operands[0].nonfinite, 1);
  EXPECT_FALSE(report.result_finite);
  EXPECT_THAT(report.to_string(), AllOf(HasSubstr("exp (node 1) made inf at [2]"), HasSubstr("the first nan"),
                                        HasSubstr("sub (node 3)"), HasSubstr("inf there")));
}

TEST(Nonfinite, InfMinusInfWithAConstant) {
  const auto f = [](const Var& x) { return sum(Tensor{INFINITY, 1.0} - log(x)); };
  const NonfiniteReport report = traced(f, Tensor{2.0, 0.0});
  EXPECT_EQ(report.first.operation, "log");
  EXPECT_EQ(report.first.value, -INFINITY);
  // The constant's own infinity is seen where it meets the record.
  const NonfiniteEvent e = traced(
                               [](const Var& x) {
                                 return sum(Tensor{INFINITY, 1.0} - x);
                               },
                               Tensor{2.0, 0.0})
                               .first;
  EXPECT_EQ(e.operation, "sub");
  EXPECT_EQ(e.operands[0].source, "constant");
  EXPECT_EQ(e.operands[0].nonfinite, 1);
}

TEST(Nonfinite, ADerivativeOfSqrtAtZeroInTheBackwardPassOnly) {
  const auto f = [](const Var& x) { return sum(3.0 * sqrt(2.0 * x)); };
  EXPECT_FALSE(trace_nonfinite(f, Tensor{1.0, 0.0}, {.order = 0}));
  const NonfiniteReport first_order = traced(f, Tensor{1.0, 0.0});
  const NonfiniteEvent& e = first_order.first;
  EXPECT_EQ(e.pass, Pass::backward);
  EXPECT_EQ(e.operation, "sqrt");
  EXPECT_EQ(e.node, 2);
  EXPECT_EQ(e.value, INFINITY);
  EXPECT_EQ(e.element, "[1]");
  ASSERT_TRUE(e.operand.has_value());
  EXPECT_EQ(*e.operand, 0);
  EXPECT_EQ(e.operands[0].source, "scale, node 1");
  EXPECT_EQ(e.operands[0].smallest, 0.0);
  EXPECT_THAT(first_order.to_string(),
              AllOf(HasSubstr("backward pass: the rule of sqrt (node 2) made inf at [1]"),
                    HasSubstr("operand 0's cotangent [2]")));

  // With a graph the operation within the rule is known, too.
  const NonfiniteEvent graph = traced(f, Tensor{1.0, 0.0}, 2).first;
  EXPECT_EQ(graph.pass, Pass::backward);
  EXPECT_EQ(graph.operation, "sqrt");
  EXPECT_EQ(graph.node, 2);
  EXPECT_EQ(graph.inside, "over_positive");
  EXPECT_EQ(graph.value, INFINITY);
  EXPECT_THAT(graph.to_string(), HasSubstr("over_positive in the rule of sqrt (node 2)"));
}

// sqrt keeps its result for its rule, not its operand.
TEST(Nonfinite, TheOperandsNumberIsKnownWhereTheRuleDoesNotKeepIt) {
  const NonfiniteEvent e = traced([](const Var& x) { return sum(sqrt(x)); }, Tensor{1.0, 0.0, 2.0}).first;
  EXPECT_EQ(e.operands[0].at, 0.0);
  EXPECT_THAT(e.to_string(), HasSubstr("operand 0: x [3], 0 there, from 0 to 2"));
  // Nor does a sum keep a constant.
  const NonfiniteEvent f = traced(
                               [](const Var& x) {
                                 return sum(sqrt(x) + Tensor{5.0, 6.0});
                               },
                               Tensor{1.0, 0.0}, 2)
                               .first;
  EXPECT_EQ(f.operation, "sqrt");
}

TEST(Nonfinite, LooksIntoACheckpointForwards) {
  const auto inner = [](const Var& x) { return sum(log(x - 2.0)); };
  const NonfiniteEvent e =
      traced([&](const Var& x) { return 2.0 * checkpoint(inner, x); }, Tensor{3.0, 1.0}).first;
  EXPECT_EQ(e.pass, Pass::forward);
  EXPECT_EQ(e.operation, "log");
  EXPECT_EQ(e.element, "[1]");
  EXPECT_EQ(e.operands[0].at, -1.0);
  EXPECT_THAT(e.parameters, ElementsAre("x"));
  // The infinity that precedes the NaN, in a checkpoint within a checkpoint.
  const auto deep = [](const Var& x) {
    return checkpoint([](const Var& z) { return sum(exp(z) - exp(z)); }, x);
  };
  const NonfiniteReport report =
      traced([&](const Var& x) { return checkpoint(deep, x); }, Tensor{1.0, 800.0});
  EXPECT_EQ(report.first.operation, "exp");
  EXPECT_EQ(report.first.operands[0].at, 800.0);
  ASSERT_TRUE(report.first_nan.has_value());
  EXPECT_EQ(report.first_nan->operation, "sub");
}

TEST(Nonfinite, LooksIntoACheckpointBackwards) {
  const auto f = [](const Var& x) { return checkpoint([](const Var& z) { return sum(sqrt(2.0 * z)); }, x); };
  EXPECT_FALSE(trace_nonfinite(f, Tensor{1.0, 0.0}, {.order = 0}));
  for (const int order : {1, 2}) {
    const NonfiniteEvent e = traced(f, Tensor{1.0, 0.0}, order).first;
    EXPECT_EQ(e.pass, Pass::backward);
    EXPECT_EQ(e.operation, "sqrt");
    EXPECT_EQ(e.element, "[1]");
    EXPECT_EQ(e.inside, order == 1 ? "" : "over_positive");  // by sqrt's result
    EXPECT_EQ(e.operands.at(order == 1 ? 0 : 1).at, 0.0);
  }
}

TEST(Nonfinite, SaysThatAValueWasMadeOutsideTheRecord) {
  const NonfiniteReport constant =
      traced([](const Var&) { return log(Var(Tensor::scalar(-1.0))); }, Tensor{1.0});
  EXPECT_EQ(constant.first.pass, Pass::outside);
  EXPECT_STREQ(to_string(constant.first.pass), "outside");
  EXPECT_FALSE(constant.result_finite);
  EXPECT_THAT(constant.to_string(), AllOf(HasSubstr("outside the record: the value is nan, 1 of 1 numbers"),
                                          HasSubstr("lift(X, w)")));
  const Tensor v{{1.0, 0.0}};
  const NonfiniteEvent detached =
      traced([&](const Var& x) { return log(Var(v)) + 0.0 * sum(detach(x)); }, Tensor{1.0}).first;
  EXPECT_EQ(detached.pass, Pass::outside);
  EXPECT_EQ(detached.value, -INFINITY);
  EXPECT_EQ(detached.element, "[0, 1]");
  // Where it meets the record, that operation is named.
  EXPECT_EQ(traced([&](const Var& x) { return log(Var(v)) + sum(x); }, Tensor{1.0}).first.operation, "add");
}

// The gradient of sqrt at 1e-250 is near 1e125, its derivative beyond all numbers.
TEST(Nonfinite, OnlyTheDerivativeOfTheGradient) {
  const auto steep = [](const Var& x) { return sum(sqrt(x)); };
  EXPECT_FALSE(trace_nonfinite(steep, Tensor{1e-250}, {.order = 1}));
  const NonfiniteEvent e = traced(steep, Tensor{1e-250}, 2).first;
  EXPECT_EQ(e.pass, Pass::backward);
  EXPECT_FALSE(std::isfinite(e.value));
}

TEST(Nonfinite, AParameterThatIsNotANumberIsNamed) {
  Rng rng(2);
  const nn::Sequential net = nn::mlp({2, 4, 1}, nn::ReLU());
  const Params w = net.init(rng);
  std::vector<double> numbers(w.flat().data().begin(), w.flat().data().end());
  numbers[3 * 2 + 1] = NAN;
  const Params bad = w.with(Tensor::from(numbers, w.flat().shape()));
  const Tensor x = rng.normal({3, 2});
  const auto report = trace_nonfinite([&](const Var& v) { return sum(net(v, x)); }, bad);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->first.pass, Pass::point);
  EXPECT_THAT(report->first.parameters, ElementsAre("0.weight[3, 1]"));
  EXPECT_THAT(report->to_string(), HasSubstr("the point: 0.weight[3, 1] is nan (1 of 17 numbers of w)"));
}

TEST(Nonfinite, NamesTheParametersThatAnOperationReads) {
  const nn::Sequential net{nn::Linear(1, 2), nn::Tanh(), nn::Linear(2, 1)};
  const Params w({{"0.weight", Tensor{{1e200}, {1.0}}},
                  {"0.bias", Tensor{0.0, 0.0}},
                  {"2.weight", Tensor{{1.0, 1.0}}},
                  {"2.bias", Tensor{0.0}}});
  const auto report = trace_nonfinite([&](const Var& v) { return sum(net(v, Tensor{{2.0}, {1e200}})); }, w);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->first.pass, Pass::forward);
  EXPECT_EQ(report->first.operation, "linear");
  EXPECT_EQ(report->first.element, "[1, 0]");
  EXPECT_THAT(report->first.parameters, ElementsAre("0.weight", "0.bias"));
  EXPECT_EQ(report->first.operands[0].source, "constant");
  EXPECT_EQ(report->first.operands[1].source, "0.weight");
}

TEST(Nonfinite, NamesTheElementOfTheGradient) {
  const Params w({{"a", Tensor{1.0, 2.0}}, {"b", Tensor{{1.0, 0.0, 4.0}}}});
  const auto f = [](const Var& v) { return sum(view(v, 0, Shape{2})) + sum(sqrt(view(v, 2, Shape{1, 3}))); };
  const auto report = trace_nonfinite(f, w);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->first.pass, Pass::backward);
  EXPECT_THAT(report->first.parameters, ElementsAre("b[0, 1]"));
  EXPECT_EQ(report->first.operands[0].source, "b");
  EXPECT_THAT(report->to_string(), HasSubstr("parameters: b[0, 1]"));
}

// A matrix product writes into the gradient directly; while traced it is seen all the same.
TEST(Nonfinite, InARuleThatIsAMatrixProduct) {
  const Params w({{"weight", Tensor{{1e-200}}}});
  const auto f = [](const Var& v) { return sum(1e200 * linear(Tensor{{1e200}}, view(v, 0, Shape{1, 1}))); };
  const auto report = trace_nonfinite(f, w);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->first.pass, Pass::backward);
  EXPECT_EQ(report->first.operation, "linear");
  EXPECT_EQ(report->first.operand, 1);
  EXPECT_THAT(report->first.parameters, ElementsAre("weight[0, 0]"));
  EXPECT_FALSE(report->result_finite);
}

TEST(Nonfinite, WhenOnlyTheSumOfCotangentsOverflows) {
  const auto f = [](const Var& x) { return sum(1e308 * x + 1e308 * x); };
  const NonfiniteEvent e = traced(f, Tensor{1e-10}).first;
  EXPECT_EQ(e.pass, Pass::backward);
  EXPECT_EQ(e.inside, "sum of cotangents");
  EXPECT_EQ(e.value, INFINITY);
  EXPECT_THAT(e.parameters, ElementsAre("x[0]"));
  EXPECT_THAT(e.to_string(), HasSubstr("summing the cotangents of input (node 0) made inf at [0]"));
}

TEST(Nonfinite, SaysWhenAnInfinityIsDividedAway) {
  const auto f = [](const Var& x) { return sum(1.0 / exp(x)); };
  const auto report = trace_nonfinite(f, Tensor{800.0}, {.order = 0});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->first.operation, "exp");
  EXPECT_TRUE(report->result_finite);
  EXPECT_THAT(report->to_string(), HasSubstr("finite all the same"));
}

TEST(Nonfinite, OfAScalarAndOfManyOutputsAndInsideOtherTransforms) {
  EXPECT_EQ(traced([](const Var& x) { return log(x); }, Tensor::scalar(-1.0)).first.element, "");
  const NonfiniteEvent e = traced([](const Var& x) { return sqrt(x); }, Tensor{4.0, 0.0}).first;
  EXPECT_EQ(e.pass, Pass::backward);
  const auto penalty = [](const Var& x) {
    return sum(square(grad([](const Var& z) { return sum(sqrt(z)); }, x)));
  };
  const NonfiniteEvent inner = traced(penalty, Tensor{0.0}, 0).first;
  EXPECT_EQ(inner.operation, "sqrt");
  EXPECT_EQ(inner.inside, "over_positive");
}

TEST(Nonfinite, ALongChainGivesAnExcerpt) {
  const auto f = [](const Var& x) {
    Var y = x;
    for (int k = 0; k < 1000; ++k) y = 1.5 * y;
    return sum(exp(y));
  };
  const NonfiniteEvent e = traced(f, Tensor{1e-100}).first;
  EXPECT_EQ(e.operation, "exp");
  EXPECT_EQ(std::count(e.chain.begin(), e.chain.end(), '\n'), 7);
  EXPECT_THAT(e.parameters, ElementsAre("x"));
}

TEST(Nonfinite, TheOrderIsChecked) {
  const auto f = [](const Var& x) { return sum(x); };
  for (const int order : {-1, 3})
    EXPECT_THAT(error_of<DomainError>([&] { trace_nonfinite(f, Tensor{1.0}, {.order = order}); }),
                AllOf(HasSubstr("[trace_nonfinite]"), HasSubstr("0, 1 or 2")));
}

// The tape's state is recycled: a probe must not stay behind on it, not even after an error.
TEST(Nonfinite, LeavesNothingBehind) {
  EXPECT_THROW(trace_nonfinite([](const Var& x) { return x + Tensor{1.0, 2.0}; }, Tensor{1.0}), ShapeError);
  for (int k = 0; k < 3; ++k) {
    Tape tape;
    EXPECT_EQ(detail::VarAccess::state(tape).probe, nullptr);
  }
  EXPECT_EQ(grad([](const Var& x) { return sum(square(x)); }, Tensor{3.0})(0), 6.0);
}

}  // namespace
}  // namespace cotangent
