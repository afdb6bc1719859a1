// Memory: what every way really holds is at most its forecast, for rules with many temporaries too; budgets
// hold; a Jacobian in blocks of rows is the whole one.
#include <algorithm>
#include <cmath>

#include "autodiff/checkpoint.hpp"
#include "autodiff/curvature.hpp"
#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/memory/block_cache.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/per_sample_gradients.hpp"
#include "autodiff/plan.hpp"
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
using theory::KernelMethod;

/// Bytes of the blocks a piece of work took: those it left in an emptied cache, and its result's.
template <class Work>
double held(Work work) {
  detail::drop_cached_buffers();
  const Tensor result = work();
  return static_cast<double>(detail::cached_bytes() +
                             detail::block_bytes(static_cast<std::size_t>(result.size())));
}

/// Held, and forecast with little to spare.
void expect_within(double bytes, double forecast, double factor) {
  EXPECT_LE(bytes, forecast);
  EXPECT_GE(bytes * factor, forecast);
}

struct Net {
  const char* name;
  nn::Sequential net;
};

std::vector<Net> nets(Index in, Index out) {
  const auto with = [&](auto activation) {
    return nn::Sequential{nn::Linear(in, 48), activation, nn::Linear(48, 48), activation,
                          nn::Linear(48, out)};
  };
  return {
      {"GELU", with(nn::GELU())},
      {"tanh", with(nn::Tanh())},
      {"SiLU", with(nn::SiLU())},
      {"leaky ReLU", with(nn::LeakyReLU(0.1))},
      {"normalised", nn::Sequential{nn::Linear(in, 40), nn::Normalise(), nn::GELU(), nn::Linear(40, out)}},
      {"scaled", nn::Sequential{nn::Scale({.features = in}), nn::Tanh(), nn::Linear(in, out)}}};
}

TEST(Budget, PerSampleJacobiansHoldWhatIsForecastAndNoMore) {
  Rng rng(3);
  const Tensor x = rng.normal(Shape{301, 8});
  for (const auto& entry : nets(8, 2)) {
    SCOPED_TRACE(entry.name);
    const nn::Sequential& net = entry.net;
    const Params w = net.init(rng);
    const std::vector<std::string> first{w.table()[0].name};
    for (const JacobianOptions& options :
         {JacobianOptions{}, JacobianOptions{.params = first}, JacobianOptions{.wrt = Wrt::inputs}}) {
      const Tensor whole = per_sample_jacobian(net, w, x, options).matrix();
      const double result = 8.0 * static_cast<double>(whole.size());
      const double all = plan_per_sample_jacobian(net, w, x, options).way("structured").bytes;
      EXPECT_LE(held([&] { return per_sample_jacobian(net, w, x, options).matrix(); }), all);
      for (const double share : {1.0, 0.6, 0.3, 0.1, 0.04}) {
        JacobianOptions within = options;
        within.memory = static_cast<Index>(1.25 * result + 200.0 + share * (all - result));
        const Way way = plan_per_sample_jacobian(net, w, x, within).chosen();
        SCOPED_TRACE(share);
        EXPECT_TRUE(share < 0.9 || way.name == "structured") << way.name;
        const double bytes = held([&] {
          Tensor j = per_sample_jacobian(net, w, x, within).matrix();
          expect_close(j, whole, 1e-12);
          return j;
        });
        expect_within(bytes, way.bytes, 1.3);
        EXPECT_LE(bytes, static_cast<double>(*within.memory));
      }
    }
  }
}

TEST(Budget, PerSampleGradientsOfALoss) {
  Rng rng(3);
  const Tensor x = rng.normal(Shape{301, 8}), y = rng.normal(Shape{301, 2});
  const auto check = [&](const char* what, auto loss, const Params& w, bool structured) {
    SCOPED_TRACE(what);
    const Tensor whole = per_sample_gradients(loss, w, x, y).matrix();
    const Tensor squares = per_sample_square_norms(loss, w, x, y);
    const double all =
        plan_per_sample_gradients(loss, w, x, y).way(structured ? "structured" : "single").bytes;
    for (const double share : {1.0, 0.4, 0.1}) {
      SCOPED_TRACE(share);
      const double work =
          all - static_cast<double>(detail::block_bytes(static_cast<std::size_t>(whole.size())));
      const double spare = structured ? share * work : work;
      const auto memory = static_cast<Index>(all - work + spare + 1.0);
      const Way way = plan_per_sample_gradients(loss, w, x, y, {.memory = memory}).chosen();
      EXPECT_EQ(way.name, !structured ? "single" : share == 1.0 ? "structured" : "chunks");
      const double bytes = held([&] {
        Tensor g = per_sample_gradients(loss, w, x, y, {.memory = memory}).matrix();
        expect_close(g, whole, 1e-12);
        return g;
      });
      EXPECT_LE(bytes, way.bytes);
      EXPECT_LE(way.bytes, static_cast<double>(memory));
      const auto less = static_cast<Index>(spare + 4000.0);
      EXPECT_LE(held([&] {
                  Tensor s = per_sample_square_norms(loss, w, x, y, {.memory = less});
                  expect_close(s, squares, 1e-12);
                  return s;
                }),
                static_cast<double>(less));
    }
  };
  for (const auto& entry : nets(8, 2)) {
    const nn::Sequential& net = entry.net;
    const Params w = net.init(rng);
    check(
        entry.name, [&](const Var& v, const Var& xs, const Tensor& ys) { return nn::mse(net(v, xs), ys); }, w,
        true);
  }
  const nn::Sequential net{nn::Linear(8, 6), nn::GELU(), nn::Linear(6, 2)};
  check(
      "with a penalty",
      [&](const Var& v, const Var& xs, const Tensor& ys) {
        return nn::mse(net(v, xs), ys) + 0.1 * sum(square(v));
      },
      net.init(rng), false);
}

TEST(Budget, KernelsHoldWhatIsForecast) {
  Rng rng(3);
  const Tensor x = rng.normal(Shape{70, 8}), other = rng.normal(Shape{30, 8});
  for (const auto& entry : nets(8, 2)) {
    SCOPED_TRACE(entry.name);
    const nn::Sequential& net = entry.net;
    const Params w = net.init(rng);
    const Plan one = theory::plan_tangent_kernel(net, w, x),
               two = theory::plan_tangent_kernel(net, w, x, other);
    for (const auto& [name, kernel_method] : {std::pair{"structured", KernelMethod::structured},
                                              std::pair{"materialised", KernelMethod::materialised},
                                              std::pair{"products", KernelMethod::products}}) {
      const char* way = name;
      const KernelMethod method = kernel_method;  // clang 14 captures no bindings
      SCOPED_TRACE(way);
      expect_within(held([&] { return theory::tangent_kernel(net, w, x, {.method = method}).matrix(); }),
                    one.way(way).bytes, 2.0);
      expect_within(
          held([&] { return theory::tangent_kernel(net, w, x, other, {.method = method}).matrix(); }),
          two.way(way).bytes, 2.6);
    }
  }
}

/// Functions of several shapes with rules of many temporaries.
template <class Check>
void each_function(Check check) {
  Rng rng(5);
  const Tensor a = rng.normal(Shape{3, 40}), b = rng.normal(Shape{40, 3});
  check(
      "GELU to many", [&](const Var& v) { return gelu(matmul(v, a)); }, rng.normal(Shape{30, 3}));
  check(
      "GELU to few", [&](const Var& v) { return sum(gelu(matmul(v, b)) * softmax(matmul(v, b), 1), 0); },
      rng.normal(Shape{20, 40}));
  check(
      "SiLU, softmax, norms",
      [&](const Var& v) { return log_softmax(silu(matmul(v, a)), 1) * exp(-square(matmul(v, a))); },
      rng.normal(Shape{2, 3}));
  check(
      "a batch of products", [&](const Var& v) { return batch_matmul(v, tanh(v), {.transpose_b = true}); },
      rng.normal(Shape{3, 4, 5}));
  check(
      "one number broadcast", [](const Var& v) { return sin(broadcast_to(v, Shape{2000})); }, Tensor{0.3});
  check(
      "checkpointed",
      [&](const Var& v) { return checkpoint([&](const Var& u) { return gelu(gelu(matmul(u, a))); }, v); },
      rng.normal(Shape{10, 3}));
}

TEST(Budget, JacobiansHoldAtMostTheForecastBothWays) {
  each_function([](const char* what, auto f, const Tensor& x) {
    SCOPED_TRACE(what);
    const Plan plan = plan_jacobian(f, x);
    const auto bytes = [&](DerivativeMode mode) {
      return held([&] { return jacobian(f, x, {.mode = mode}); });
    };
    expect_within(bytes(DerivativeMode::reverse), plan.way("reverse").bytes, 1.3);
    expect_within(bytes(DerivativeMode::forward), plan.way("forward").bytes, 4.0);
    EXPECT_GE(plan.way("reverse").flops, 1.0);
  });
}

TEST(Budget, JacobiansAtAVarCountTheirRecordedPasses) {
  each_function([](const char* what, auto f, const Tensor& x) {
    SCOPED_TRACE(what);
    for (const DerivativeMode mode : {DerivativeMode::reverse, DerivativeMode::forward}) {
      detail::drop_cached_buffers();
      double bytes = 0.0;
      {
        Tape tape;
        jacobian(f, tape.input(x), {.mode = mode});
      }
      bytes = static_cast<double>(detail::cached_bytes());
      Tape tape;
      EXPECT_THROW(jacobian(f, tape.input(x), {.mode = mode, .memory = static_cast<Index>(bytes) - 1}),
                   DomainError);
      // A checkpoint keeps little of what a pass takes.
      EXPECT_NO_THROW(jacobian(f, tape.input(x), {.mode = mode, .memory = static_cast<Index>(60.0 * bytes)}));
    }
  });
  Tape tape;
  const Var x = tape.input(Rng(1).normal(Shape{50}));
  EXPECT_THAT(
      error_of<DomainError>([&] { jacobian([](const Var& y) { return outer(y, y); }, x, {.memory = 1}); }),
      AllOf(HasSubstr("Jacobian [2500, 50]"), HasSubstr("1 B allowed")));
}

TEST(Budget, TheSameWayIsTakenWithAndWithoutAMemory) {
  each_function([](const char* what, auto f, const Tensor& x) {
    SCOPED_TRACE(what);
    const auto nodes = [&](const FullJacobianOptions& options) {
      Tape tape;
      jacobian(f, tape.input(x), options);
      return tape.num_nodes();
    };
    EXPECT_EQ(nodes({}), nodes({.memory = Index{1} << 34}));
    const std::string way = plan_jacobian(f, x).chosen().name;
    EXPECT_EQ(nodes({}),
              nodes({.mode = way == "forward" ? DerivativeMode::forward : DerivativeMode::reverse}));
  });
  const auto f = [](const Var& v) { return sin(broadcast_to(v, Shape{2000})); };
  EXPECT_EQ(plan_jacobian(f, Tensor{0.3}).chosen().name, "forward");
}

TEST(JacobianBlocks, AreTheRowsOfTheWholeWithinTheMemory) {
  each_function([](const char* what, auto f, const Tensor& x) {
    SCOPED_TRACE(what);
    for (const DerivativeMode mode :
         {DerivativeMode::automatic, DerivativeMode::forward, DerivativeMode::reverse}) {
      const Tensor whole = jacobian(f, x, {.mode = mode});
      const Index s = x.size(), t = whole.size() / s;
      const double working = plan_jacobian_blocks(f, x, {.mode = mode, .memory = 0})
                                 .ways()[mode == DerivativeMode::forward ? 1 : 0]
                                 .bytes;
      const auto memory =
          static_cast<Index>(1.3 * working + 8.0 * static_cast<double>(s * std::max<Index>(t / 5, 1)));
      const Way way = plan_jacobian_blocks(f, x, {.mode = mode, .memory = memory}).chosen();
      Tensor sum = Tensor::zeros(Shape{s, s});
      Index next = 0, blocks = 0;
      const double bytes = held([&] {
        jacobian_blocks(f, x, {.mode = mode, .memory = memory}, [&](Index first, const Tensor& rows) {
          ASSERT_EQ(first, next);
          ASSERT_EQ(rows.size(1), s);
          for (Index k = 0; k < rows.size(); ++k)
            ASSERT_NEAR(rows.data()[static_cast<std::size_t>(k)],
                        whole.data()[static_cast<std::size_t>(first * s + k)], 1e-12);
          next += rows.size(0);
          ++blocks;
        });
        return Tensor();
      });
      EXPECT_EQ(next, t);
      EXPECT_EQ(blocks, (t + *way.chunk - 1) / *way.chunk);
      EXPECT_LE(bytes, static_cast<double>(memory) + 200.0);  // the empty result's block
    }
  });
}

TEST(JacobianBlocks, OneBlockWithoutAMemoryAndNoneOfNothing) {
  const auto f = [](const Var& v) { return sin(v) * sum(v); };
  const Tensor x{0.1, 0.2, 0.3};
  Index calls = 0;
  jacobian_blocks(f, x, {}, [&](Index first, const Tensor& rows) {
    EXPECT_EQ(first, 0);
    expect_close(rows, jacobian(f, x), 1e-15);
    ++calls;
  });
  EXPECT_EQ(calls, 1);
  jacobian_blocks([](const Var& v) { return slice(v, 0, 0, 0); }, x, {.memory = 10000},
                  [&](Index, const Tensor&) { ++calls; });
  EXPECT_EQ(calls, 1);
  // J^T J of a point of named parameters, and a Hessian, row by row.
  const Params w({{"a", x}});
  Tensor products = Tensor::zeros(Shape{3, 3}), second = Tensor::zeros(Shape{3, 3});
  jacobian_blocks(f, w, {.memory = 2000}, [&](Index, const Tensor& rows) {
    products = (products + matmul(rows, rows, {.transpose_a = true})).value();
  });
  const Tensor j = jacobian(f, x);
  expect_close(products, matmul(j, j, {.transpose_a = true}).value(), 1e-13);
  const auto g = [](const Var& v) { return sum(square(v) * sin(v)); };
  expect_close(jacobian([&](const Var& v) { return grad(g, v); }, x, {.memory = 1 << 20}), hessian(g, x),
               1e-13);
  EXPECT_THAT(
      error_of<DomainError>([&] { jacobian_blocks(f, x, {.memory = 10}, [](Index, const Tensor&) {}); }),
      AllOf(HasSubstr("in blocks of rows"), HasSubstr("none can be used")));
}

TEST(Budget, BelowZeroIsRefusedByName) {
  Rng rng(1);
  const nn::Sequential net{nn::Linear(2, 1)};
  const Params w = net.init(rng);
  const Tensor x = rng.normal(Shape{3, 2}), y = rng.normal(Shape{3, 1});
  const auto loss = [&](const Var& v, const Var& xs, const Tensor& ys) { return nn::mse(net(v, xs), ys); };
  const auto f = [](const Var& v) { return sin(v); };
  const auto refused = [](const char* name, auto work) {
    EXPECT_THAT(error_of<DomainError>(work),
                AllOf(testing::StartsWith(std::string("[") + name + "] .memory is -5"), HasSubstr("bytes")));
  };
  refused("per_sample_jacobian", [&] { per_sample_jacobian(net, w, x, {.memory = -5}); });
  refused("per_sample_gradients", [&] { per_sample_gradients(loss, w, x, y, {.memory = -5}); });
  refused("per_sample_square_norms", [&] { per_sample_square_norms(loss, w, x, y, {.memory = -5}); });
  refused("tangent_kernel", [&] { theory::tangent_kernel(net, w, x, {.memory = -5}); });
  refused("jacobian", [&] { jacobian(f, x, {.memory = -5}); });
  refused("jacobian_blocks", [&] { jacobian_blocks(f, x, {.memory = -5}, [](Index, const Tensor&) {}); });
  refused("plan", [&] { Plan("a task", {}, -5); });
}

TEST(Budget, TooManyAxesAreNamedWithBothShapes) {
  const Tensor x = Tensor::ones(Shape{1, 2, 1, 1, 1});
  const auto same = [](const Var& v) { return v * v; };
  const auto message =
      AllOf(HasSubstr("[1, 2, 1, 1, 1] by [1, 2, 1, 1, 1]"), HasSubstr("10 axes"), HasSubstr("flatten"));
  EXPECT_THAT(error_of<ShapeError>([&] { jacobian(same, x); }), AllOf(HasSubstr("[jacobian]"), message));
  EXPECT_THAT(error_of<ShapeError>([&] { hessian([](const Var& v) { return sum(v * v); }, x); }),
              AllOf(HasSubstr("[hessian]"), message));
  Tape tape;
  EXPECT_THAT(error_of<ShapeError>([&] { jacobian(same, tape.input(x)); }), message);
  EXPECT_THAT(error_of<ShapeError>([&] {
                gauss_newton_matrix(
                    same, [](const Var& v) { return sum(v * v); }, x);
              }),
              message);
}

}  // namespace
}  // namespace cotangent
