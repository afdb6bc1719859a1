// Plans: operations against counts by hand, bytes against what was really held, the way taken for shapes
// where each should be, and that every way gives the same numbers.
#include "autodiff/plan.hpp"

#include <cmath>

#include "autodiff/checkpoint.hpp"
#include "autodiff/custom_op.hpp"
#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/memory/block_cache.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/per_sample_gradients.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/transforms.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"
#include "theory/tangent_kernel.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using theory::KernelMethod;
using theory::plan_tangent_kernel;
using theory::tangent_kernel;

struct Problem {
  nn::Sequential net;
  Params w;
  Tensor x;
};

Problem network(Index in, Index hidden, Index out, Index n) {
  nn::Sequential net{nn::Linear(in, hidden), nn::Tanh(), nn::Linear(hidden, out)};
  Rng rng(1);
  Params w = net.init(rng);
  return {net, w, rng.normal(Shape{n, in})};
}

/// Weights that reach the data through softplus: no structure.
struct Positive {
  Params w;
  Tensor x;
  Positive(Index in, Index hidden, Index n) {
    Rng rng(1);
    w = Params({{"a", rng.normal(Shape{hidden, in})}, {"b", rng.normal(Shape{1, hidden})}});
    x = rng.normal(Shape{n, in});
  }
  Var operator()(const Var& v, const Var& samples) const {
    const Shape first = w.entry("a").shape;
    const Var h = tanh(linear(samples, softplus(view(v, 0, first))));
    return linear(h, view(v, first.size(), Shape{1, first[0]}));
  }
};

/// Bytes of tensors that a piece of work needed: what it left in an emptied cache, and its result.
template <class Work>
double bytes_held(Work work) {
  detail::drop_cached_buffers();
  const auto result = work();
  return static_cast<double>(detail::cached_bytes()) + 8.0 * static_cast<double>(result.matrix().size());
}

TEST(Plan, OperationsAreThoseCountedByHand) {
  const double in = 5, hidden = 7, out = 3, n = 11, call = 400;
  const Problem p = network(5, 7, 3, 11);
  const double parameters = hidden * (in + 1) + out * (hidden + 1);
  // A product with its addition is two operations, a number read or written counts as two.
  const auto linear = [](double k, double from, double to) {
    return 2 * k * from * to + 2 * (k * from + from * to + to + k * to);
  };
  const auto forward = [&](double k) {
    return linear(k, in, hidden) + 4 * k * hidden + linear(k, hidden, out) + 3 * call;
  };
  const auto rows_pass = [&](double k) {  // down to the first product's output, for one output
    return linear(k, hidden, out) + 4 * k * hidden + 2 * call;
  };
  const auto gradient = [&](double k) {
    return linear(k, in, hidden) + 2 * k * hidden + 4 * k * hidden + 2 * linear(k, hidden, out) +
           2 * k * out + 3 * call;
  };
  const auto evaluated_alone = [&](double k) {
    int count = 0;
    const auto f = [&](const Var& w, const Var& x) {
      count += x.size(0) == 1;
      return p.net(w, x);
    };
    per_sample_jacobian(f, p.w, p.x.rows(0, static_cast<Index>(k)));
    return count;
  };
  EXPECT_EQ(evaluated_alone(6), 6);  // all of a few
  const auto sweep = [&](double k) {
    return forward(k) + out * rows_pass(k) + evaluated_alone(k) * (forward(1) + out * rows_pass(1));
  };
  const Plan rows = plan_per_sample_jacobian(p.net, p.w, p.x);
  EXPECT_EQ(rows.way("structured").flops, sweep(n) + n * out * parameters);
  EXPECT_EQ(rows.way("single").flops, n * (forward(1) + out * rows_pass(1)) + n * out * parameters);
  const Plan halves = plan_per_sample_jacobian(
      p.net, p.w, p.x, {.memory = static_cast<Index>(rows.way("structured").bytes) - 1});
  EXPECT_EQ(*halves.way("chunks").chunk, 6);
  EXPECT_EQ(halves.way("chunks").flops, 2 * sweep(6) + n * out * parameters);

  const Plan kernel = plan_tangent_kernel(p.net, p.w, p.x);
  const double pairs = n * n;
  const double features = pairs * (in + hidden);                           // X X^T and H H^T, symmetric
  const double deltas = pairs * (hidden + out) * (out + out * (out - 1));  // diagonal blocks halved
  const double adding = 2 * pairs * (1.5 * out + 1.5 * out * (out - 1));
  EXPECT_EQ(kernel.way("structured").flops, sweep(n) + features + deltas + adding);
  EXPECT_EQ(kernel.way("materialised").flops,
            sweep(n) + n * out * parameters + n * out * n * out * parameters);
  EXPECT_EQ(kernel.way("products").flops, 2 * forward(n) + gradient(n) + n * out * 2 * gradient(n));

  const Plan cross = plan_tangent_kernel(p.net, p.w, p.x, p.x.rows(0, 4));
  EXPECT_EQ(cross.way("structured").flops,
            sweep(n) + sweep(4) + n * 4 * (2 * (in + hidden) + out * out * (2 * (hidden + out) + 2 * 3)));
}

/// Operations of one backward pass, from the plan of a Jacobian with one more of them.
double pass_flops(VarFunction f, const Tensor& x) {
  const Plan plan = plan_jacobian(f, x);
  const auto s = static_cast<double>(x.size()), t = static_cast<double>(f(Var(x)).size());
  return (plan.way("forward").flops - plan.way("reverse").flops) / (2.0 * s + 2.0 - t);
}

TEST(Plan, EveryProductAndEveryElementCounts) {
  Rng rng(2);
  const Tensor a = rng.normal(Shape{10, 8, 6}), spd = (20.0 * Var(Tensor::eye(9))).value();
  const auto batch = [&](const Var& v) { return batch_matmul(v, a); };
  const auto turned = [&](const Var& v) { return batch_matmul(v, a, {.transpose_a = true}); };
  const double factors = 2.0 * 10 * (4 * 8 + 8 * 6 + 4 * 6);
  EXPECT_EQ(pass_flops(batch, rng.normal(Shape{10, 4, 8})), 2.0 * 10 * 4 * 8 * 6 + factors + 400);
  EXPECT_EQ(pass_flops(turned, rng.normal(Shape{10, 8, 4})), 2.0 * 10 * 4 * 8 * 6 + factors + 400);
  EXPECT_GE(pass_flops([&](const Var& v) { return solve_spd(spd, v); }, rng.normal(Shape{9, 5})),
            9.0 * 9 * 9 / 3 + 2.0 * 9 * 9 * 5);
  EXPECT_GE(pass_flops([](const Var& v) { return log_det_spd(v); }, spd), 9.0 * 9 * 9);
  EXPECT_EQ(pass_flops([](const Var& v) { return tanh(v); }, rng.normal(Shape{70})), 4.0 * 70 + 400);
  EXPECT_EQ(pass_flops([](const Var& v) { return sum(v); }, rng.normal(Shape{70})), 2.0 * 71 + 400);
  // A checkpoint's pass evaluates its inside again.
  const Tensor m = rng.normal(Shape{30, 30}), x = rng.normal(Shape{30, 30});
  const auto inside = [&](const Var& v) { return tanh(matmul(tanh(v), m)); };
  const double plain = plan_jacobian(inside, x).way("reverse").flops / 901.0;
  const auto outside = [&](const Var& v) { return checkpoint(inside, v); };
  EXPECT_NEAR(pass_flops(outside, x), 2.0 * plain + 400.0, 1e-6 * plain);
}

// x w^T for x [n, k], w [m, k], as an operation of a script's own that says what it costs.
const CustomOp kOwnProduct(
    {.name = "plan_test_product",
     .forward = [](const OpInputs& in,
                   const OpAttributes&) { return matmul(in[0], in[1], {.transpose_b = true}).value(); },
     .pullback =
         [](const OpRecord& p, const Var& g, OpCotangents& out) {
           out.add_matmul(0, g, p.in(1));
           out.add_matmul(1, g, p.in(0), {.transpose_a = true});
         },
     .samples = OpSamples::rows_of_first,
     .flops = [](const OpRecord& p,
                 int) { return 2.0 * static_cast<double>(p.shape(0)[1] * p.out_shape().size()); }});

TEST(Plan, OperationsOfAScriptCountWhatTheySay) {
  Rng rng(2);
  const Tensor w = rng.normal(Shape{30, 20}), x = rng.normal(Shape{50, 20});
  const auto own = [&](const Var& v) { return tanh(kOwnProduct(Var(x), v)); };
  const auto library = [&](const Var& v) { return tanh(matmul(x, v, {.transpose_b = true})); };
  EXPECT_EQ(pass_flops(own, w), pass_flops(library, w));
  EXPECT_GT(pass_flops(own, w), 2.0 * 50 * 20 * 30);
  EXPECT_EQ(plan_jacobian(own, w).way("forward").flops, plan_jacobian(library, w).way("forward").flops);
}

TEST(Plan, EveryBlockOfRowsTakesItsOwnForwardPasses) {
  const auto f = [](const Var& v) { return tanh(broadcast_to(v, Shape{600, 3})); };
  const Tensor x{0.1, 0.2, 0.3};
  const Plan whole = plan_jacobian(f, x);
  const auto blocks = [&](double rows) {
    const double working = plan_jacobian_blocks(f, x, {.memory = 0}).way("forward").bytes;
    return plan_jacobian_blocks(
               f, x,
               {.mode = DerivativeMode::forward, .memory = static_cast<Index>(working + 8.0 * 3.0 * rows)})
        .chosen();
  };
  const Way few = blocks(500.0), one = blocks(4000.0);
  const double count = std::ceil(1800.0 / static_cast<double>(*few.chunk));
  EXPECT_GE(count, 3.0);
  EXPECT_EQ(*one.chunk, 1800);
  EXPECT_EQ(one.flops, whole.way("forward").flops);
  EXPECT_EQ(few.flops - one.flops, 2.0 * 3.0 * (count - 1.0) * pass_flops(f, x));
}

TEST(Plan, ModelsWithoutProductsTakeTheFastWay) {
  const nn::Sequential net{nn::Scale({.features = 4}), nn::Tanh()};
  Rng rng(1);
  const Params w = net.init(rng);
  const Tensor x = rng.normal(Shape{20000, 4});
  const Plan plan = plan_per_sample_jacobian(net, w, x, {.memory = Index{8} << 30});
  EXPECT_EQ(plan.chosen().name, "structured");
  EXPECT_GE(plan.way("single").flops, 10.0 * plan.way("structured").flops);
  EXPECT_GE(plan_per_sample_jacobian(net, w, x, {.wrt = Wrt::inputs}).way("structured").flops,
            4.0 * 20000 * 4);
  EXPECT_EQ(plan_tangent_kernel(net, w, x.rows(0, 300)).chosen().name, "materialised");
}

// Blocks are up to a quarter larger than their numbers, which a plan counts: hence 0.8 on one side.
TEST(Plan, BytesAreWithinAFactorTwoOfThoseHeld) {
  const auto check = [](const char* what, ModelFunction f, const Params& w, const Tensor& x,
                        bool structured) {
    SCOPED_TRACE(what);
    const auto near = [](const Way& way, double held) {
      EXPECT_LE(way.bytes, 2.0 * held) << way.name;
      EXPECT_GE(way.bytes, 0.8 * held) << way.name;
    };
    const Plan kernel = plan_tangent_kernel(f, w, x), rows = plan_per_sample_jacobian(f, w, x);
    const auto held = [&](KernelMethod method) {
      return bytes_held([&] { return tangent_kernel(f, w, x, {.method = method}); });
    };
    if (structured) near(kernel.way("structured"), held(KernelMethod::structured));
    near(kernel.way("materialised"), held(KernelMethod::materialised));
    near(kernel.way("products"), held(KernelMethod::products));
    near(rows.way(structured ? "structured" : "single"),
         bytes_held([&] { return per_sample_jacobian(f, w, x); }));
  };
  const Problem wide = network(20, 100, 1, 60), outputs = network(10, 20, 5, 40),
                tall = network(2, 4, 1, 300);
  check("a wide network", wide.net, wide.w, wide.x, true);
  check("five outputs", outputs.net, outputs.w, outputs.x, true);
  check("many samples", tall.net, tall.w, tall.x, true);
  const Positive positive(40, 60, 30);
  check("no structure", positive, positive.w, positive.x, false);
}

TEST(Plan, EachWayIsTakenWhereItShouldBe) {
  const Problem wide = network(20, 100, 1, 60);
  EXPECT_EQ(plan_tangent_kernel(wide.net, wide.w, wide.x).chosen().name, "structured");
  // Three parameters: J is narrower than the factors of the structured way.
  const nn::Sequential neuron{nn::Linear(2, 1)};
  Rng rng(1);
  const Params w = neuron.init(rng);
  const Tensor x = rng.normal(Shape{200, 2});
  EXPECT_EQ(plan_tangent_kernel(neuron, w, x).chosen().name, "materialised");
  const Positive positive(40, 60, 30);
  const Plan plan = plan_tangent_kernel(positive, positive.w, positive.x);
  EXPECT_EQ(plan.chosen().name, "materialised");
  EXPECT_THAT(plan.way("structured").refusal, HasSubstr("reaches [linear] through other operations"));
  const auto less = static_cast<Index>(plan.way("materialised").bytes) - 1;
  EXPECT_EQ(plan_tangent_kernel(positive, positive.w, positive.x, {.memory = less}).chosen().name,
            "products");
  EXPECT_EQ(plan_per_sample_jacobian(wide.net, wide.w, wide.x).chosen().name, "structured");
  EXPECT_EQ(plan_per_sample_jacobian(positive, positive.w, positive.x).chosen().name, "single");
}

TEST(Plan, KernelsUnderABudgetAreTheSameNumbers) {
  const auto check = [](const char* what, ModelFunction f, const Params& w, const Tensor& x1,
                        const Tensor& x2) {
    SCOPED_TRACE(what);
    const Tensor k11 = tangent_kernel(f, w, x1, {.method = KernelMethod::materialised}).matrix();
    const Tensor k12 = tangent_kernel(f, w, x1, x2, {.method = KernelMethod::materialised}).matrix();
    int taken = 0;
    for (const Way& way : plan_tangent_kernel(f, w, x1).ways()) {
      if (!way.refusal.empty()) continue;
      const auto k = tangent_kernel(f, w, x1, {.memory = static_cast<Index>(way.bytes) + 1});
      expect_close(k.matrix(), k11, 1e-12);
      EXPECT_TRUE(equal(k.matrix(), transpose(k.matrix()).value()));
      ++taken;
    }
    for (const Way& way : plan_tangent_kernel(f, w, x1, x2).ways())
      if (way.refusal.empty())
        expect_close(tangent_kernel(f, w, x1, x2, {.memory = static_cast<Index>(way.bytes) + 1}).matrix(),
                     k12, 1e-12);
    EXPECT_GE(taken, 2);
    const auto products = tangent_kernel(f, w, x1, x2, {.method = KernelMethod::products});
    EXPECT_EQ(static_cast<int>(products.method()), static_cast<int>(KernelMethod::products));
    expect_close(products.matrix(), k12, 1e-12);
  };
  const Problem p = network(4, 6, 2, 9);
  check("a network", p.net, p.w, p.x, p.x.rows(2, 6));
  const Positive positive(4, 6, 9);
  check("no structure", positive, positive.w, positive.x, positive.x.rows(2, 6));
  const Tensor biases = tangent_kernel(p.net, p.w, p.x, {.params = {"*.bias"}}).matrix();
  expect_close(
      tangent_kernel(p.net, p.w, p.x, {.method = KernelMethod::products, .params = {"*.bias"}}).matrix(),
      biases, 1e-12);
  EXPECT_EQ(static_cast<int>(tangent_kernel(p.net, p.w, p.x, {.memory = 1 << 30}).method()),
            static_cast<int>(KernelMethod::structured));
  EXPECT_EQ(static_cast<int>(
                tangent_kernel(p.net, p.w, p.x, {.method = KernelMethod::materialised, .memory = 1 << 30})
                    .method()),
            static_cast<int>(KernelMethod::materialised));
}

TEST(Plan, JacobiansInChunksHoldTheBudget) {
  const Problem p = network(20, 50, 4, 200);
  const Tensor whole = per_sample_jacobian(p.net, p.w, p.x).matrix();
  const Plan plan = plan_per_sample_jacobian(p.net, p.w, p.x);
  const double sweep = plan.way("structured").bytes - 8.0 * static_cast<double>(whole.size());
  const auto memory = static_cast<Index>(plan.way("structured").bytes - 0.5 * sweep);
  const Plan chunked = plan_per_sample_jacobian(p.net, p.w, p.x, {.memory = memory});
  EXPECT_EQ(chunked.chosen().name, "chunks");
  EXPECT_LT(*chunked.chosen().chunk, 200);
  EXPECT_GE(*chunked.chosen().chunk, 2);
  EXPECT_LE(chunked.chosen().bytes, static_cast<double>(memory));
  const double held = bytes_held([&] {
    Jacobian j = per_sample_jacobian(p.net, p.w, p.x, {.memory = memory});
    expect_close(j.matrix(), whole, 1e-12);
    return j;
  });
  EXPECT_LE(held,
            1.25 * static_cast<double>(memory));  // blocks are up to a quarter larger than their numbers
  for (const Index chunk : {1, 3, 64}) {          // whatever fits, down to one sample at a time
    const double least = plan.way("single").bytes;
    const auto budget =
        static_cast<Index>(least + (chunk == 1 ? 0.0 : sweep * static_cast<double>(chunk) / 200.0));
    expect_close(per_sample_jacobian(p.net, p.w, p.x, {.memory = budget + 1}).matrix(), whole, 1e-12);
  }
  const Positive positive(6, 5, 7);
  const auto plain = per_sample_jacobian(positive, positive.w, positive.x);
  expect_close(per_sample_jacobian(positive, positive.w, positive.x, {.memory = 1 << 20}).matrix(),
               plain.matrix(), 1e-14);
  const Jacobian bias = per_sample_jacobian(p.net, p.w, p.x, {.params = {"2.bias"}, .memory = 1 << 20});
  expect_close(bias.matrix(), per_sample_jacobian(p.net, p.w, p.x).block("2.bias").matrix(), 1e-12);
}

TEST(Plan, TheForecastIsReadable) {
  const Problem p = network(20, 50, 4, 200);
  const std::string text = plan_per_sample_jacobian(p.net, p.w, p.x, {.memory = 20 << 20}).to_string();
  EXPECT_THAT(text, AllOf(HasSubstr("per-sample Jacobian [800, 1254]: structured needs"), HasSubstr("MB"),
                          HasSubstr("allowed; using "), HasSubstr("Mflop"), HasSubstr("chosen")));
  EXPECT_THAT(text, Not(HasSubstr("none can be used")));
  const std::string kernel = plan_tangent_kernel(p.net, p.w, p.x).to_string();
  EXPECT_THAT(kernel, AllOf(HasSubstr("tangent kernel [800, 800] of J [800, 1254]: structured needs"),
                            HasSubstr("using structured")));
  EXPECT_EQ(std::count(kernel.begin(), kernel.end(), '\n'), 4);
}

TEST(Plan, AmountsHaveThreeDigits) {
  const std::string text = Plan("a task",
                                {{.name = "a", .flops = 1e3, .bytes = 13649999.0},
                                 {.name = "b", .flops = 999.6, .bytes = 1.15e9},
                                 {.name = "c", .flops = 12345.0, .bytes = 218.4e6}},
                                13640000)
                               .to_string();
  EXPECT_THAT(text,
              AllOf(HasSubstr("a needs 13.6 MB; b needs 1.15 GB; c needs 218 MB; 13.6 MB allowed; none"),
                    HasSubstr("10.0 kB over the memory"), HasSubstr("1.00 kflop"), HasSubstr("12.3 kflop")));
  EXPECT_THAT(Plan("a task", {{.name = "a", .bytes = 120.0}}, 100).to_string(),
              AllOf(HasSubstr("a needs 120 B; 100 B allowed"), HasSubstr("20 B over the memory")));
}

TEST(Plan, NothingThatFitsIsAnErrorWithTheForecast) {
  const Problem p = network(4, 6, 2, 9);
  EXPECT_THAT(error_of<DomainError>([&] { tangent_kernel(p.net, p.w, p.x, {.memory = 1000}); }),
              AllOf(HasSubstr("[plan] no way fits; raise .memory"), HasSubstr("structured needs"),
                    HasSubstr("over the memory"), HasSubstr("1.00 kB allowed")));
  EXPECT_THAT(error_of<DomainError>([&] { per_sample_jacobian(p.net, p.w, p.x, {.memory = 1000}); }),
              AllOf(HasSubstr("per-sample Jacobian [18, 44]"), HasSubstr("none can be used")));
  EXPECT_THAT(error_of<DomainError>([&] {
                tangent_kernel(p.net, p.w, p.x, {.method = KernelMethod::products, .memory = 1000});
              }),
              HasSubstr("not the .method asked for"));
  EXPECT_THAT(error_of<DomainError>(
                  [&] { per_sample_jacobian(p.net, p.w, p.x, {.wrt = Wrt::inputs, .memory = 1000}); }),
              AllOf(HasSubstr("per-sample Jacobian [18, 4]"), HasSubstr("none can be used")));
  EXPECT_THAT(error_of<DomainError>([&] { plan_tangent_kernel(p.net, p.w, p.x).way("magic"); }),
              AllOf(HasSubstr("no way \"magic\""), HasSubstr("structured")));
}

TEST(Plan, FunctionsThatMixSamplesAreRefusedAsWithoutAPlan) {
  const Problem p = network(4, 6, 2, 9);
  const auto centred = [&](const Var& w, const Var& x) {
    const Var y = p.net(w, x);
    return add_rows(y, -mean(y, 0));
  };
  EXPECT_THAT(error_of<TapeError>([&] { tangent_kernel(centred, p.w, p.x, {.memory = 1 << 30}); }),
              HasSubstr("[sum_axis] mixes samples"));
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(centred, p.w, p.x, {.memory = 1 << 30}); }),
              HasSubstr("[sum_axis] mixes samples"));
  const auto hidden = [&](const Var& w, const Var& x) {
    const Var y = p.net(w, x);
    return y * Var(1.0 + std::fabs(mean(y).item()));
  };
  const double little = plan_tangent_kernel(hidden, p.w, p.x).way("products").bytes;
  for (const Index memory : {Index{1} << 30, static_cast<Index>(little)})
    EXPECT_THAT(error_of<TapeError>([&] { tangent_kernel(hidden, p.w, p.x, {.memory = memory + 1}); }),
                HasSubstr("mixes samples where the record cannot show it"));
  EXPECT_THAT(error_of<ShapeError>([&] {
                plan_tangent_kernel(p.net, p.w, Tensor::zeros(Shape{0, 4}));
              }),
              HasSubstr("at least one sample"));
}

}  // namespace
}  // namespace cotangent
