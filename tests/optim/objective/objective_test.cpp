// Objectives: batches of samples, finite sums and their counts.
#include "optim/objective.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/plan/block_trace.hpp"
#include "autodiff/transforms.hpp"
#include "optim/oracle.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::optim {
namespace {

using test::error_of;

// ---- batches ----------------------------------------------------------------------------------------------

TEST(Batch, AllGivesTheTensorItself) {
  const Tensor x = Tensor::linspace(0.0, 11.0, 12).reshape(Shape{4, 3});
  const Batch all = Batch::all(4);
  EXPECT_TRUE(all.is_all());
  EXPECT_EQ(all.rows(x).data().data(), x.data().data());
  EXPECT_EQ(all.rows(x).shape(), x.shape());
  EXPECT_EQ(all.indices(), (std::vector<Index>{0, 1, 2, 3}));
}

TEST(Batch, ConsecutiveSamplesShareTheNumbers) {
  const Tensor x = Tensor::linspace(0.0, 11.0, 12).reshape(Shape{4, 3});
  for (const Batch& batch : {Batch::range(4, 1, 3), Batch::of(4, {1, 2})}) {
    EXPECT_FALSE(batch.is_all());
    EXPECT_EQ(batch.size(), 2);
    EXPECT_EQ(batch.total(), 4);
    EXPECT_EQ(batch.indices(), (std::vector<Index>{1, 2}));
    EXPECT_EQ(batch.rows(x).data().data(), x.data().data() + 3);
    EXPECT_EQ(batch.rows(x).shape(), (Shape{2, 3}));
  }
  EXPECT_TRUE(Batch::of(3, {0, 1, 2}).is_all());
}

TEST(Batch, ListsAreGathered) {
  const Tensor x = Tensor::linspace(0.0, 11.0, 12).reshape(Shape{4, 3});
  const Tensor labels{10.0, 11.0, 12.0, 13.0};
  const Batch batch = Batch::of(4, {3, 0, 3});
  EXPECT_TRUE(equal(batch.rows(x), Tensor{{9.0, 10.0, 11.0}, {0.0, 1.0, 2.0}, {9.0, 10.0, 11.0}}));
  EXPECT_TRUE(equal(batch.rows(labels), Tensor{13.0, 10.0, 13.0}));
  EXPECT_EQ(batch[0], 3);
  EXPECT_EQ(batch[1], 0);
  const Tensor images = Tensor::linspace(0.0, 23.0, 24).reshape(Shape{4, 2, 3});
  EXPECT_EQ(batch.rows(images).shape(), (Shape{3, 2, 3}));
  EXPECT_EQ(batch.rows(images)(1, 1, 2), 5.0);
  EXPECT_EQ(Batch::of(4, {2, 1}).rows(Tensor::zeros(Shape{4, 0})).shape(), (Shape{2, 0}));
  EXPECT_FALSE(Batch::of(2, {1, 0}).is_all());
}

TEST(Batch, Errors) {
  EXPECT_EQ(error_of<DomainError>([] {
              Batch::of(4, {0, 4});
            }),
            "[Batch] sample 4 at position 1 of 4 samples; samples are numbered 0 .. 3");
  EXPECT_EQ(error_of<DomainError>([] { Batch::of(4, {-1}); }),
            "[Batch] sample -1 at position 0 of 4 samples; samples are numbered 0 .. 3");
  EXPECT_EQ(error_of<DomainError>([] { Batch::of(4, {}); }),
            "[Batch] no samples of 4; the mean over none is undefined, give at least one");
  const std::string fix = " (the last excluded) of 4; give a range with at least one sample inside 0 .. 4";
  EXPECT_EQ(error_of<DomainError>([] { Batch::range(4, 2, 2); }), "[Batch] samples 2 .. 2" + fix);
  EXPECT_EQ(error_of<DomainError>([] { Batch::range(4, 0, 5); }), "[Batch] samples 0 .. 5" + fix);
  EXPECT_EQ(error_of<DomainError>([] { Batch::range(4, -1, 2); }), "[Batch] samples -1 .. 2" + fix);
  EXPECT_EQ(
      error_of<ShapeError>([] {
        Batch::of(4, {1}).rows(Tensor::ones(Shape{3, 2}));
      }),
      "[Batch::rows] the tensor is [3, 2], the objective has 4 samples; give one whose axis 0 numbers all "
      "samples, [4, ...]");
  EXPECT_EQ(error_of<ShapeError>([] { Batch::all(1).rows(Tensor::scalar(2.0)); }),
            "[Batch::rows] the tensor is [], the objective has 1 samples; give one whose axis 0 numbers all "
            "samples, [1, ...]");
}

TEST(Batch, SomeOfItsSamples) {
  const Tensor x = Tensor::linspace(0.0, 11.0, 12).reshape(Shape{6, 2});
  const std::vector<Index> list = {5, 0, 2, 3, 1};
  for (const Batch& batch : {Batch::of(6, list), Batch::view(6, list)}) {
    for (const std::vector<Index>& positions :
         {std::vector<Index>{0, 1, 2, 3, 4}, std::vector<Index>{1, 2}, std::vector<Index>{2, 3},
          std::vector<Index>{4, 4, 0}, std::vector<Index>{3}, std::vector<Index>{4, 2}}) {
      const Batch some = batch.at(Batch::of(5, positions));
      std::vector<Index> expected;
      for (const Index k : positions) expected.push_back(list[static_cast<std::size_t>(k)]);
      EXPECT_EQ(some.indices(), expected);
      EXPECT_EQ(some.total(), 6);
      EXPECT_TRUE(equal(some.rows(x), Batch::of(6, expected).rows(x)));
    }
  }
  const Batch middle = Batch::range(6, 1, 5);
  EXPECT_EQ(middle.at(Batch::range(4, 1, 3)).rows(x).data().data(), x.data().data() + 4);
  EXPECT_EQ(middle.at(Batch::of(4, {3, 0})).indices(), (std::vector<Index>{4, 1}));
  EXPECT_TRUE(Batch::of(3, {2, 0, 1}).at(Batch::of(3, {1, 2, 0})).is_all());
  Batch part = Batch::all(6);
  {
    const Batch lives_shorter = Batch::of(6, list);
    part = lives_shorter.at(Batch::range(5, 0, 2));
  }
  EXPECT_EQ(part.indices(), (std::vector<Index>{5, 0}));
  EXPECT_EQ(error_of<DomainError>([&] { middle.at(Batch::all(6)); }),
            "[Batch::at] positions out of 6 for a batch of 4; make them with n = 4");
}

// ---- objectives -------------------------------------------------------------------------------------------

/// Least squares 1/(2n) |X w - y|^2 as a finite sum.
struct LeastSquares {
  Tensor x{{1.0, 2.0}, {2.0, -1.0}, {-1.0, 1.0}, {0.5, 0.5}, {3.0, 1.0}};
  Tensor y{1.0, 2.0, -1.0, 0.5, 0.0};
  FiniteSum f = finite_sum(5, [X = x, Y = y](const Var& w, const Batch& b) {
    const Var residual = reshape(matmul(b.rows(X), reshape(w, {2, 1})), {b.size()}) - b.rows(Y);
    return 0.5 * mean(square(residual));
  });
  /// Value and gradient of one component, by hand.
  double component(Index i, double w0, double w1, std::array<double, 2>& g) const {
    const double r = x(i, 0) * w0 + x(i, 1) * w1 - y(i);
    g = {r * x(i, 0), r * x(i, 1)};
    return 0.5 * r * r;
  }
};

TEST(FiniteSum, IsTheMeanOfItsComponents) {
  const LeastSquares ls;
  const Params w({{"w", Tensor{0.3, -0.7}}});
  for (const std::vector<Index>& list :
       {std::vector<Index>{0, 1, 2, 3, 4}, std::vector<Index>{4, 1}, std::vector<Index>{2, 2, 0}}) {
    double value = 0.0, g0 = 0.0, g1 = 0.0;
    for (const Index i : list) {
      std::array<double, 2> g{};
      value += ls.component(i, 0.3, -0.7, g) / static_cast<double>(list.size());
      g0 += g[0] / static_cast<double>(list.size());
      g1 += g[1] / static_cast<double>(list.size());
    }
    const Batch batch = Batch::of(5, list);
    const auto [v, g] = ls.f.value_and_grad(w, batch);
    EXPECT_NEAR(v, value, 1e-15);
    EXPECT_NEAR(g["w"](0), g0, 1e-15);
    EXPECT_NEAR(g["w"](1), g1, 1e-15);
    EXPECT_EQ(ls.f.value(w, batch), v);
    EXPECT_TRUE(equal(ls.f.grad(w, batch).flat(), g.flat()));
    EXPECT_TRUE(equal(ls.f.grad(w.flat(), batch), g.flat()));
  }
  EXPECT_EQ(ls.f.value(w), ls.f.value(w, Batch::all(5)));
  EXPECT_EQ(ls.f.value(w.flat()), ls.f.value(w));
  EXPECT_TRUE(equal(ls.f.grad(w).flat(), ls.f.grad(w.flat())));
  EXPECT_EQ(ls.f.size(), 5);
}

TEST(FiniteSum, CountsComponentGradients) {
  const LeastSquares ls;
  const Tensor w{0.0, 0.0};
  EXPECT_EQ(ls.f.component_gradients(), 0);
  ls.f.value(w);
  EXPECT_EQ(ls.f.component_gradients(), 0);
  ls.f.grad(w);
  EXPECT_EQ(ls.f.component_gradients(), 5);
  ls.f.value_and_grad(w, Batch::of(5, {3, 3, 0}));
  EXPECT_EQ(ls.f.component_gradients(), 8);
  const FiniteSum copy = ls.f;
  copy.grad(Params({{"w", w}}), Batch::range(5, 0, 1));
  EXPECT_EQ(ls.f.component_gradients(), 9);
}

TEST(FiniteSum, EveryTransformTakesIt) {
  const LeastSquares ls;
  const Tensor hessian_by_hand = matmul(ls.x, ls.x, {.transpose_a = true}).value();  // n * Hessian
  const Tensor h = hessian(ls.f, Tensor{0.1, 0.2});
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 2; ++j) EXPECT_NEAR(h(i, j), hessian_by_hand(i, j) / 5.0, 1e-14);
  const Tensor hv = hvp(ls.f, Tensor{0.1, 0.2}, Tensor{1.0, -1.0});
  EXPECT_NEAR(hv(0), h(0, 0) - h(0, 1), 1e-14);
}

TEST(FiniteSum, OnSomeSamples) {
  const LeastSquares ls;
  const Tensor w{0.3, -0.7};
  std::vector<Index> list = {4, 0, 3};
  const FiniteSum part = ls.f.on(Batch::view(5, list));
  list = {0, 0, 0};  // the part keeps its own
  EXPECT_EQ(part.size(), 3);
  const auto same = [&](const Batch& positions, const std::vector<Index>& samples) {
    const Batch batch = Batch::of(5, samples);
    const auto [value, gradient] = part.value_and_grad(w, positions);
    const auto [expected, by] = ls.f.value_and_grad(w, batch);
    EXPECT_EQ(value, expected);
    EXPECT_TRUE(equal(gradient, by));
    EXPECT_EQ(part.value(w, positions), expected);
  };
  same(Batch::all(3), {4, 0, 3});
  same(Batch::range(3, 1, 2), {0});
  same(Batch::of(3, {2, 0, 0}), {3, 4, 4});
  EXPECT_EQ(ls.f.component_gradients(), 2 * (3 + 1 + 3));
  EXPECT_EQ(part.component_gradients(), ls.f.component_gradients());
  const FiniteSum one = part.on(Batch::range(3, 2, 3));
  EXPECT_EQ(one.value(w), ls.f.value(w, Batch::range(5, 3, 4)));
  EXPECT_EQ(error_of<DomainError>([&] { ls.f.on(Batch::all(4)); }),
            "[finite_sum] a batch out of 4 samples for an objective of 5; make it with n = 5");
}

TEST(FiniteSum, MaximisedIsMinimisedWithTheOtherSign) {
  const LeastSquares ls;
  const Params w({{"w", Tensor{0.3, -0.7}}});
  const FiniteSum g = -ls.f.chunked(2);
  EXPECT_EQ(g.piece(), 2);
  EXPECT_EQ((-ls.f).value(w), -ls.f.value(w));
  const Batch batch = Batch::of(5, {3, 1});
  EXPECT_TRUE(equal(g.grad(w, batch).flat(), (-ls.f.grad(w, batch)).flat()));
  EXPECT_EQ(g.component_gradients(), 4);
}

TEST(FiniteSum, PiecesAreTheWhole) {
  const LeastSquares ls;
  const Params w({{"w", Tensor{0.3, -0.7}}});
  for (const Batch& batch :
       {Batch::all(5), Batch::of(5, {3, 0, 0, 4}), Batch::of(5, {2}), Batch::range(5, 1, 5)})
    for (const Index most : {1, 2, 3, 4, 5, 9}) {
      const FiniteSum f = ls.f.chunked(most);
      const auto [value, gradient] = ls.f.value_and_grad(w, batch);
      const Index before = f.component_gradients();
      const auto [v, g] = f.value_and_grad(w, batch);
      EXPECT_EQ(f.component_gradients(), before + batch.size());
      const Tensor g_plain = f.grad(w.flat(), batch);
      if (batch.size() <= most) {
        EXPECT_EQ(v, value);
        EXPECT_TRUE(equal(g.flat(), gradient.flat()));
        EXPECT_TRUE(equal(g_plain, gradient.flat()));
      }
      EXPECT_NEAR(v, value, 1e-15);
      EXPECT_EQ(f.value(w, batch), v);
      for (Index j = 0; j < 2; ++j) {
        EXPECT_NEAR(g.flat()(j), gradient.flat()(j), 1e-15);
        EXPECT_NEAR(g_plain(j), gradient.flat()(j), 1e-15);
      }
    }
  EXPECT_EQ(error_of<DomainError>([&] { ls.f.chunked(0); }),
            "[chunked] pieces of 0 samples; give the most to take at once, 1 or more");
}

TEST(FiniteSum, ProductsOfPiecesAreThoseOfTheWhole) {
  const FiniteSum f = finite_sum(5, [x = Tensor{0.5, -1.0, 2.0, 0.1, 1.0}](const Var& w, const Batch& b) {
    return mean(exp(b.rows(x) * sum(square(w))));
  });
  const Params w({{"w", Tensor{0.3, -0.7}}}), v({{"w", Tensor{1.0, 0.5}}});
  Oracle whole(f), pieces(f.chunked(2));
  const Tensor expected = whole.hvp(w, v, Batch::all(5)).flat();
  const Tensor found = pieces.hvp(w, v, Batch::all(5)).flat();
  for (Index j = 0; j < 2; ++j) EXPECT_NEAR(found(j), expected(j), 1e-14);
  EXPECT_EQ(pieces.spent(), (Counts{.products = 5}));
}

/// Mean over a batch of a sum of squares of 100 numbers, recorded in many blocks of them.
FiniteSum wide(Index n) {
  return finite_sum(n, [x = Tensor::ones({n, 100})](const Var& w, const Batch& b) {
    return mean(square(tanh(Var(b.rows(x)) * broadcast_to(reshape(w, {1, 100}), {b.size(), 100}))));
  });
}

/// The most bytes of blocks that a piece of work holds at once.
template <class Work>
double bytes_held(Work work) {
  const detail::BlockTrace trace;
  work();
  return detail::BlockReplay().run(trace.events()).peak();
}

TEST(FiniteSum, APieceIsGoneBeforeTheNextIsRecorded) {
  const FiniteSum f = wide(512), pieces = f.chunked(16);
  const Tensor w = Tensor::linspace(0.0, 1.0, 100);
  std::vector<Index> list(512, 3);
  const Batch batch = Batch::view(512, list), piece = Batch::view(512, std::span(list).first(16));
  const double one = bytes_held([&] { f.value_and_grad(w, piece); });
  EXPECT_GT(bytes_held([&] { f.value_and_grad(w, batch); }), 10.0 * one);
  EXPECT_LT(bytes_held([&] { pieces.value_and_grad(w, batch); }), one + 4096.0);
  EXPECT_LT(bytes_held([&] { pieces.value(w, batch); }), one + 4096.0);
}

TEST(FiniteSum, Errors) {
  const auto zero = [](const Var& w, const Batch&) { return sum(w); };
  EXPECT_EQ(error_of<DomainError>([&] { finite_sum(0, zero); }),
            "[finite_sum] n is 0; an objective needs at least one component, n >= 1");
  EXPECT_EQ(error_of<DomainError>([&] { finite_sum(-2, zero); }),
            "[finite_sum] n is -2; an objective needs at least one component, n >= 1");
  EXPECT_EQ(error_of<DomainError>([] { finite_sum(2, BatchFunction()); }),
            "[finite_sum] the function is empty; give a callable of (const Var&, const Batch&)");
  EXPECT_EQ(error_of<DomainError>([] { objective(Function<Var(const Var&)>()); }),
            "[objective] the function is empty; give a callable of (const Var&)");
  const FiniteSum f = finite_sum(4, [](const Var& w, const Batch&) { return 2.0 * w; });
  const std::string text =
      "[finite_sum] the function returned [3] for a batch of 2 and w [3]; return one number, the mean over "
      "the "
      "batch";
  EXPECT_EQ(error_of<ShapeError>([&] { f.value(Tensor::ones({3}), Batch::range(4, 0, 2)); }), text);
  EXPECT_EQ(error_of<ShapeError>([&] { f.grad(Tensor::ones({3}), Batch::range(4, 0, 2)); }), text);
  EXPECT_EQ(error_of<DomainError>([&] { f.value(Tensor::ones({3}), Batch::all(5)); }),
            "[finite_sum] a batch out of 5 samples for an objective of 4; make it with n = 4");
}

}  // namespace
}  // namespace cotangent::optim
