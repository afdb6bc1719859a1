// CustomOp: an operation a script defines behaves as the engine's own, in gradients of any order, per-sample
// Jacobians, tangent kernels and errors; a wrong pullback is found.
#include "autodiff/custom_op.hpp"

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/tape/op_spec.hpp"
#include "tests/support/expect.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::AllOf;
using testing::HasSubstr;

Tensor softsign_of(const OpInputs& x, const OpAttributes&) {
  return map_elements(x[0], [](double t) { return t / (1.0 + std::fabs(t)); });
}

const CustomOp kSoftsign({.name = "test softsign",
                          .forward = softsign_of,
                          .pullback = [](const OpRecord& p, const Var& g,
                                         OpCotangents& out) { out.add(0, g / square(1.0 + abs(p.in(0)))); },
                          .samples = OpSamples::elementwise});

const CustomOp kSoftsignWrong({.name = "test softsign with a wrong pullback",
                               .forward = softsign_of,
                               .pullback = [](const OpRecord& p, const Var& g,
                                              OpCotangents& out) { out.add(0, g / (1.0 + abs(p.in(0)))); },
                               .samples = OpSamples::elementwise});

// hypot(a, b), with two inputs and its own output in the rule.
const CustomOp kHypot({.name = "test hypot",
                       .forward =
                           [](const OpInputs& in, const OpAttributes&) {
                             return map_elements(in[0], in[1],
                                                 [](double a, double b) { return std::hypot(a, b); });
                           },
                       .pullback =
                           [](const OpRecord& p, const Var& g, OpCotangents& out) {
                             out.add(0, g * p.in(0) / p.out());
                             if (out.needs(1)) out.add(1, g * p.in(1) / p.out());
                           },
                       .samples = OpSamples::elementwise});

Tensor reversed_of(const OpInputs& in, const OpAttributes&) {
  std::vector<double> y;
  for (Index i = 0; i < in[0].size(0); ++i)
    for (Index j = in[0].size(1); j-- > 0;) y.push_back(in[0](i, j));
  return Tensor::from(y, in[0].shape());
}
Var reversed(const Var& x);
void reverse_back(const OpRecord&, const Var& g, OpCotangents& out) { out.add(0, reversed(g)); }

// Each row backwards; the rule uses the operation itself.
const CustomOp kReversed({.name = "test reversed rows",
                          .forward = reversed_of,
                          .pullback = reverse_back,
                          .samples = OpSamples::rows});
const CustomOp kReversedMixed({.name = "test reversed rows, nothing said of samples",
                               .forward = reversed_of,
                               .pullback = reverse_back});
Var reversed(const Var& x) { return kReversed(x); }

// x^p for a number p the caller gives; a cotangent of a wrong shape if p is 0.
const CustomOp kPower({.name = "test power",
                       .forward = [](const OpInputs& in,
                                     const OpAttributes& a) { return pow(in[0], a.real[0]).value(); },
                       .pullback =
                           [](const OpRecord& p, const Var& g, OpCotangents& out) {
                             const Var d = p.real() * (g * pow(p.in(0), p.real() - 1.0));
                             out.add(0, p.real() == 0.0 ? sum(d) : d);
                           }});

// A number for all rows, which the rule for rows does not know how to share.
const CustomOp kTimes({.name = "test rows times a number",
                       .forward = [](const OpInputs& in,
                                     const OpAttributes&) { return (Var(in[0]) * Var(in[1])).value(); },
                       .pullback =
                           [](const OpRecord& p, const Var& g, OpCotangents& out) {
                             out.add(0, g * p.in(1));
                             out.add(1, sum(g * p.in(0)));
                           },
                       .samples = OpSamples::rows});

const CustomOp kRounded({.name = "test rounded",
                         .forward =
                             [](const OpInputs& in, const OpAttributes&) {
                               return map_elements(in[0], [](double t) { return std::round(t); });
                             },
                         .pullback = nullptr,
                         .samples = OpSamples::elementwise});

TEST(CustomOp, DerivativesOfEveryOrder) {
  const Tensor x{0.5, -1.25, 2.0, -0.1};
  const auto softsign = [](const Var& v) { return kSoftsign(v); };
  const auto check = check_gradient(softsign, x);
  EXPECT_TRUE(check.passed) << check.to_string();
  for (const double t : {0.5, -1.25, 3.0}) {
    const auto first = [&](const Var& v) { return grad(softsign, v); };
    const auto second = [&](const Var& v) { return grad(first, v); };
    const double r = 1.0 + std::fabs(t), side = t > 0.0 ? 1.0 : -1.0;
    EXPECT_NEAR(grad(softsign, t), 1.0 / (r * r), 1e-15);
    EXPECT_NEAR(grad(first, t), -2.0 * side / (r * r * r), 1e-15);
    EXPECT_NEAR(grad(second, t), 6.0 / (r * r * r * r), 1e-14);
  }
}

TEST(CustomOp, AWrongPullbackIsFound) {
  const auto check = check_gradient([](const Var& v) { return kSoftsignWrong(v); }, Tensor{0.5, -1.25, 2.0});
  EXPECT_FALSE(check.passed);
  EXPECT_GT(check.worst_error, 0.1);
}

TEST(CustomOp, SeveralInputsScalarsAndNumbers) {
  const auto check =
      check_gradient([](const Var& v) { return kHypot(view(v, 0, Shape{3}), view(v, 3, Shape{3})); },
                     Tensor{0.5, -1.0, 2.0, 1.5, 0.3, -0.7});
  EXPECT_TRUE(check.passed) << check.to_string();
  EXPECT_DOUBLE_EQ(kHypot(Tensor{3.0, 5.0}, 4.0).value()(0), 5.0);
  const auto power = [](double p) { return [p](const Var& v) { return kPower(v, {.real = {p}}); }; };
  EXPECT_DOUBLE_EQ(grad(power(3.0), 2.0), 12.0);
  EXPECT_DOUBLE_EQ(hessian(power(3.0), 2.0), 12.0);
  EXPECT_EQ(grad([](const Var& v) { return kRounded(v) * v; }, 2.4), 2.0);
}

TEST(CustomOp, PerSampleJacobiansAndKernelsGoThroughIt) {
  const Tensor w = Rng(1).normal(Shape{18}), x = Rng(2).normal(Shape{5, 3});
  const auto f = [](const Var& v, const Var& u) {
    return reversed(
        kSoftsign(linear(kSoftsign(linear(u, view(v, 0, Shape{3, 3}))), view(v, 9, Shape{2, 3}))));
  };
  const Tensor j = per_sample_jacobian(f, w, x).matrix();
  for (Index i = 0; i < 5; ++i)
    expect_close(j.rows(2 * i, 2 * i + 2),
                 jacobian([&](const Var& v) { return f(v, x.rows(i, i + 1)); }, w).reshape(Shape{2, 18}),
                 1e-13);
  EXPECT_EQ(detail::sweep_samples(detail::SampleSource::model(f, w, x, {{0, 18, 0}})).slow_reason, "");
  const auto k = theory::tangent_kernel(f, Params(w, {{"all", Shape{18}, 0}}), x,
                                        {.method = theory::KernelMethod::structured});
  expect_close(k.matrix(), matmul(j, j, {.transpose_b = true}).value(), 1e-12);
  const auto unsaid = [&](const Var& v, const Var& u) { return kReversedMixed(f(v, u)); };
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(unsaid, w, x); }),
              HasSubstr("[test reversed rows, nothing said of samples] mixes samples"));
}

TEST(CustomOp, RowsAreThoseAlongAxisZero) {
  const Tensor x = Rng(5).normal(Shape{4, 3});
  const Tensor w = Rng(6).normal(Shape{4});
  const auto weights = [](const Var& v) { return view(v, 0, Shape{3, 1}); };
  const auto vector = [&](const Var& v, const Var& u) {
    return kTimes(reshape(matmul(u, weights(v)), Shape{u.size(0)}), 2.0);
  };
  expect_close(per_sample_jacobian(vector, w, x).matrix().reshape(Shape{4, 4}),
               concat({2.0 * Var(x), Tensor::zeros(Shape{4, 1})}, 1).value(), 1e-14);
  const auto columns = [&](const Var& v, const Var& u) {
    return transpose(kTimes(transpose(matmul(u, weights(v))), 2.0));
  };
  const auto number = [&](const Var& v, const Var& u) {
    return kTimes(matmul(u, weights(v)), view(v, 3, Shape{}));
  };
  const auto mixes = HasSubstr("[test rows times a number] mixes samples");
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(columns, w, x); }), mixes);
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(number, w, x); }), mixes);
}

TEST(CustomOp, ErrorsNameTheOperation) {
  EXPECT_THAT(error_of<ShapeError>([] {
                grad([](const Var& v) { return sum(kPower(v)); }, Tensor{1.0, 2.0});
              }),
              AllOf(HasSubstr("[test power] its pullback gave []"), HasSubstr("shape [2]")));
  EXPECT_THAT(error_of<ShapeError>([] {
                map_elements(Tensor{1.0, 2.0}, Tensor{1.0}, [](double a, double) { return a; });
              }),
              AllOf(HasSubstr("[map_elements]"), HasSubstr("a is [2], b is [1]")));
  Tape tape;
  kSoftsign(tape.input(Tensor{1.0}));
  EXPECT_THAT(tape.to_string(), HasSubstr("test softsign"));
}

Tensor the_same(const OpInputs& in, const OpAttributes&) { return in[0]; }
/// Gives its only input a cotangent, and another one to the input its number says.
void beside_the_input(const OpRecord& p, const Var& g, OpCotangents& out) {
  out.add(0, g);
  out.add(static_cast<int>(p.real()), g);
}
const CustomOp kBeside({.name = "test beside", .forward = the_same, .pullback = beside_the_input});

TEST(CustomOp, APullbackThatNamesAnInputThereIsNotIsAnError) {
  const auto error = [](double input, bool create_graph) {
    return error_of<DomainError>([&] {
      Tape tape;
      const Var x = tape.input(Tensor{1.0, 2.0});
      const Var y = kBeside(square(x), {.real = {input}});
      tape.grad(sum(y * exp(x)), x, {.create_graph = create_graph});
    });
  };
  for (const bool create_graph : {false, true}) {
    EXPECT_THAT(error(1.0, create_graph),
                HasSubstr("[test beside] its pullback names input 1, but it has 1 input (0 .. 0)"));
    EXPECT_THAT(error(3.0, create_graph), HasSubstr("names input 3"));
    EXPECT_THAT(error(-1.0, create_graph), HasSubstr("names input -1"));
  }
  const Tensor twice = grad([](const Var& x) { return sum(kBeside(x)); }, Tensor{1.0, 2.0});
  EXPECT_TRUE(equal(twice, Tensor{2.0, 2.0}));
}

const CustomOp kRamp({.name = "test ramp from 1",
                      .forward =
                          [](const OpInputs& in, const OpAttributes&) {
                            return map_elements(in[0], [](double t) { return std::fmax(t - 1.0, 0.0); });
                          },
                      .pullback = [](const OpRecord& p, const Var& g,
                                     OpCotangents& out) { out.add(0, g * greater_equal(p.in(0), 1.0)); },
                      .samples = OpSamples::elementwise,
                      .at_kink = "1",
                      .kink_distance =
                          [](const OpInputs& in, const OpAttributes&) {
                            return map_elements(in[0], [](double t) { return t - 1.0; });
                          }});

TEST(CustomOp, ItsKinkIsToldFromAMistake) {
  const auto ramp = [](const Var& x) { return kRamp(x); };
  EXPECT_EQ(check_gradient(ramp, Tensor{1.0, 0.3}).outcome, GradientOutcome::kink);
  EXPECT_EQ(check_gradient(ramp, Tensor{1.5, 0.3}).outcome, GradientOutcome::passed);
  const KinkAudit audit = kink_audit([](const Var& x) { return sum(kRamp(x)); }, Tensor{1.0, 0.25});
  ASSERT_EQ(audit.operations.size(), 1u);
  EXPECT_EQ(audit.operations[0].operation, "test ramp from 1");
  EXPECT_EQ(audit.at_kink, 1);
  EXPECT_EQ(audit.closest[1].distance, -0.75);
  EXPECT_THAT(
      error_of<DomainError>([] {
        CustomOp({.name = "test half a kink", .forward = the_same, .pullback = nullptr, .at_kink = "1"});
      }),
      HasSubstr("[test half a kink] at_kink is \"1\" and kink_distance is not given"));
  EXPECT_THAT(error_of<DomainError>([] {
                CustomOp({.name = "test a distance from nothing",
                          .forward = the_same,
                          .pullback = nullptr,
                          .at_kink = "none",
                          .kink_distance = [](const OpInputs& in, const OpAttributes&) { return in[0]; }});
              }),
              HasSubstr("at_kink is \"none\" and kink_distance is given"));
}

TEST(CustomOp, NeedsANameAndAForwardRule) {
  EXPECT_THAT(error_of<DomainError>([] { CustomOp({.name = "", .forward = the_same, .pullback = nullptr}); }),
              HasSubstr("no name"));
  EXPECT_THAT(
      error_of<DomainError>([] { CustomOp({.name = nullptr, .forward = the_same, .pullback = nullptr}); }),
      HasSubstr("no name"));
  EXPECT_THAT(error_of<DomainError>(
                  [] { CustomOp({.name = "test empty", .forward = nullptr, .pullback = nullptr}); }),
              HasSubstr("[test empty] the operation has no forward rule"));
}

TEST(CustomOp, ADistanceOfAnotherShapeIsAnError) {
  const CustomOp one({.name = "test one distance",
                      .forward = the_same,
                      .pullback = beside_the_input,
                      .at_kink = "1",
                      .kink_distance = [](const OpInputs&, const OpAttributes&) { return Tensor{0.0}; }});
  const auto f = [&](const Var& x) { return sum(one(x)); };
  EXPECT_THAT(error_of<ShapeError>([&] {
                kink_audit(f, Tensor{1.0, 2.0, 3.0});
              }),
              AllOf(HasSubstr("[test one distance]"), HasSubstr("[1]"), HasSubstr("[3]")));
}

TEST(CustomOp, ThatIsSilentOnKinksIsNotAudited) {
  const auto made = [](const char* name, const char* at_kink) {
    return CustomOp({.name = name, .forward = the_same, .pullback = beside_the_input, .at_kink = at_kink});
  };
  const CustomOp silent = made("test silent", nullptr), smooth = made("test smooth", "none");
  const KinkAudit audit =
      kink_audit([&](const Var& x) { return sum(silent(silent(x)) + smooth(x)); }, Tensor{1.0, 0.0});
  EXPECT_EQ(audit.unknown, std::vector<std::string>{"test silent"});
  EXPECT_TRUE(audit.operations.empty());
  EXPECT_THAT(audit.to_string(), HasSubstr("not audited: test silent"));
  EXPECT_THAT(error_of<DomainError>([&] { made("test smooth", nullptr); }), HasSubstr("another operation"));
}

TEST(CustomOp, ANameStandsForOneOperation) {
  const auto made = [](const char* name) {
    return CustomOp({.name = name, .forward = the_same, .pullback = beside_the_input});
  };
  for (const char* name : {"relu", "matmul", "test softsign"})
    EXPECT_THAT(error_of<DomainError>([&] { made(name); }),
                AllOf(HasSubstr(name), HasSubstr("another operation has this name")));
  EXPECT_EQ(made("test once more").name(), made("test once more").name());
  for (const Op* op = Op::first(); op; op = op->next())
    EXPECT_THAT(op->name(), testing::Not(HasSubstr("test ")));
}

TEST(CustomOp, WhatItRecordedOutlivesIt) {
  Tape tape;
  const Var x = tape.input(Tensor{3.0, -2.0});
  Var y;
  {
    const std::string name = "test of a moment", none = "none";
    const CustomOp moment(
        {.name = name.c_str(), .forward = the_same, .pullback = beside_the_input, .at_kink = none.c_str()});
    y = sum(moment(square(x)));
  }
  EXPECT_TRUE(equal(tape.grad(y, x).value(), Tensor{12.0, -8.0}));
  EXPECT_THAT(tape.to_string(), HasSubstr("test of a moment"));
}

const CustomOp kLinearForm({.name = "test a x + b y + c z + d, rows with shared numbers",
                            .forward =
                                [](const OpInputs& in, const OpAttributes&) {
                                  Var sum = add_rows(mul_rows(in[0], in[1]), in[2]);
                                  for (int j = 3; j < in.count(); ++j) sum = sum + in[j];
                                  return sum.value();
                                },
                            .pullback =
                                [](const OpRecord& p, const Var& g, OpCotangents& out) {
                                  out.add(0, mul_rows(g, p.in(1)));
                                  out.add(1, sum(g * p.in(0), 0));
                                  out.add(2, sum(g, 0));
                                  for (int j = 3; j < p.count(); ++j) out.add(j, sum(g));
                                },
                            .samples = OpSamples::rows_of_first});

// s x for one number x or s, whichever it is.
const CustomOp kScaledRows({.name = "test scaled rows",
                            .forward = [](const OpInputs& in,
                                          const OpAttributes&) { return (Var(in[0]) * in[1]).value(); },
                            .pullback =
                                [](const OpRecord& p, const Var& g, OpCotangents& out) {
                                  const auto whole = [&](int j, const Var& c) {
                                    out.add(j, p.shape(j).rank() ? c : sum(c));
                                  };
                                  whole(0, g * p.in(1));
                                  whole(1, g * p.in(0));
                                },
                            .samples = OpSamples::rows_of_first});

TEST(CustomOp, AnyNumberOfInputsAndParametersThatSamplesShare) {
  const auto f = [](const Var& w, const Var& x) {
    return kLinearForm(std::vector<Var>{tanh(x), view(w, 0, Shape{3}), view(w, 3, Shape{3}),
                                        view(w, 6, Shape{}), view(w, 7, Shape{})});
  };
  const Tensor w = Rng(7).normal(Shape{8}), x = Rng(8).normal(Shape{4, 3});
  EXPECT_TRUE(check_gradient([&](const Var& v) { return f(v, x); }, w).passed);
  const Tensor j = per_sample_jacobian(f, w, x).matrix();
  expect_close(j, jacobian([&](const Var& v) { return f(v, x); }, w).reshape(Shape{12, 8}), 1e-13);
  // Along axis 1, and where the first input is a vector or a number.
  const Tensor square_x = Rng(9).normal(Shape{3, 3});
  EXPECT_THAT(error_of<TapeError>([&] {
                per_sample_jacobian([&](const Var& v, const Var& u) { return transpose(f(v, u)); }, w,
                                    square_x);
              }),
              HasSubstr("with the samples along axis 1"));
  const auto scaled = [](const Var& v, const Var& u) { return kScaledRows(sum(u, 1), view(v, 0, Shape{})); };
  expect_close(per_sample_jacobian(scaled, w, x).matrix(),
               jacobian([&](const Var& v) { return scaled(v, x); }, w), 1e-13);
  const auto number = [](const Var& v, const Var& u) { return kScaledRows(view(v, 0, Shape{}), sum(u, 1)); };
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(number, w, x); }), HasSubstr("mixes samples"));
}

}  // namespace
}  // namespace cotangent
