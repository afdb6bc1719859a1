// checkpoint: the same bits as without it, at any order, from a tape that holds one node in place of many.
#include "autodiff/checkpoint.hpp"

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "autodiff/tape/state.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr Index kBlocks = 6;
constexpr Index kWidth = 8;
constexpr Index kBlock = 2 * kWidth * kWidth + kWidth;

/// A block of a deep network: some twenty operations.
Var block(const Var& w, const Var& x) {
  Var y = linear(x, view(w, 0, Shape{kWidth, kWidth}), view(w, 2 * kWidth * kWidth, Shape{kWidth}));
  for (int k = 0; k < 4; ++k) y = tanh(matmul(sin(y), view(w, kWidth * kWidth, Shape{kWidth, kWidth})));
  return y;
}

Var network(const Var& w, const Var& x, bool checkpointed) {
  Var y = x;
  for (Index b = 0; b < kBlocks; ++b) {
    const Var own = slice(w, 0, b * kBlock, (b + 1) * kBlock);
    y = checkpointed ? checkpoint(block, own, y) : block(own, y);
  }
  return mean(square(y));
}

Tensor weights() { return Rng(1).normal(Shape{kBlocks * kBlock}, 0.0, 0.4); }
Tensor data() { return Rng(2).normal(Shape{16, kWidth}); }

auto risk(bool checkpointed) {
  return [checkpointed, x = data()](const Var& w) { return network(w, x, checkpointed); };
}

TEST(Checkpoint, ValueAndGradientHaveTheSameBits) {
  const auto plain = value_and_grad(risk(false), weights()), saved = value_and_grad(risk(true), weights());
  EXPECT_EQ(plain.value, saved.value);
  EXPECT_TRUE(equal(plain.grad, saved.grad));
  double largest = 0.0;
  for (const double v : saved.grad.data()) largest = std::max(largest, std::fabs(v));
  EXPECT_GT(largest, 1e-6);
}

TEST(Checkpoint, SecondAndThirdDerivativesAgree) {
  const Tensor w = weights(), v = Rng(3).normal(w.shape());
  test::expect_close(hvp(risk(true), w, v), hvp(risk(false), w, v), 1e-15);
  const auto third = [&](bool checkpointed) {
    const auto curvature = [&](const Var& at) { return dot(hvp(risk(checkpointed), at, v), v); };
    return grad(curvature, w);
  };
  test::expect_close(third(true), third(false), 1e-14);
  const Jvp a = jvp(risk(false), w, v), b = jvp(risk(true), w, v);
  EXPECT_EQ(a.tangent.item(), b.tangent.item());
}

/// Numbers that a tape keeps alive.
Index numbers_kept(Tape& tape) {
  Index count = 0;
  const detail::TapeState& state = detail::VarAccess::state(tape);
  std::vector<const double*> seen;
  const auto add = [&](const Var& v) {
    const double* at = detail::TensorAccess::has_data(v.value()) ? v.value().data().data() : nullptr;
    if (!at || std::find(seen.begin(), seen.end(), at) != seen.end()) return;
    seen.push_back(at);
    count += v.size();
  };
  for (const detail::Node& node : state.nodes) add(node.output);
  for (const Var& input : state.inputs) add(input);
  return count;
}

TEST(Checkpoint, TheTapeHoldsOneNodeForAllThatIsWithin) {
  Index nodes[2], kept[2];
  for (const bool checkpointed : {false, true}) {
    Tape tape;
    const Var w = tape.input(weights());
    const Var y = risk(checkpointed)(w);
    nodes[checkpointed] = tape.num_nodes();
    kept[checkpointed] = numbers_kept(tape);
    const Var g = tape.grad(y, w);
    EXPECT_EQ(tape.num_nodes(), nodes[checkpointed])
        << "a first-order backward pass leaves nothing on the tape";
    const Var recorded = tape.grad(y, w, {.create_graph = true});
    EXPECT_TRUE(equal(recorded.value(), g.value()));
    if (checkpointed) {
      // Per block: its backward pass as one node and two views of that, sums and reshapes apart.
      EXPECT_LT(tape.num_nodes() - nodes[1], 8 * kBlocks + 20);
    }
  }
  EXPECT_EQ(nodes[1], 1 + 2 * kBlocks + 3);
  EXPECT_GT(nodes[0], 12 * kBlocks);
  // Weights apart, which both hold: sixteen arrays a block against one.
  EXPECT_LT(kept[1] - weights().size(), (kept[0] - weights().size()) / 5);
}

TEST(Checkpoint, InputsAreDifferentiatedOneByOneOrTogether) {
  const auto f = [](const Var& a, const Var& b, const Var& c) { return a * sin(b) + exp(c) * a; };
  const Tensor a{0.3, -0.7}, b{1.1, 0.4}, c{-0.2, 0.9}, weight{1.0, -2.0};
  const auto by = [&](int which, bool checkpointed) {
    return [&, which, checkpointed](const Var& v) {
      const Var in[] = {which == 0 ? v : Var(a), which == 1 ? v : Var(b), which == 2 ? v : Var(c)};
      return dot(checkpointed ? checkpoint(f, in[0], in[1], in[2]) : f(in[0], in[1], in[2]), weight);
    };
  };
  for (int which = 0; which < 3; ++which) {
    EXPECT_TRUE(equal(grad(by(which, true), a), grad(by(which, false), a))) << which;
    EXPECT_TRUE(equal(hessian(by(which, true), b), hessian(by(which, false), b))) << which;
  }
  // The same variable as several inputs, and one used outside as well.
  const auto tangled = [&](const Var& v) { return dot(checkpoint(f, v, v, v) * v, weight); };
  const auto plain = [&](const Var& v) { return dot(f(v, v, v) * v, weight); };
  test::expect_close(grad(tangled, a), grad(plain, a), 1e-15);
  test::expect_close(hessian(tangled, a), hessian(plain, a), 1e-14);
}

TEST(Checkpoint, FunctionsThatIgnoreOrReturnTheirInputs) {
  const auto first = [](const Var& a, const Var&) { return a; };
  const auto second = [](const Var&, const Var& b) { return b; };
  const auto neither = [](const Var&, const Var&) { return Var(Tensor{5.0, 6.0}); };
  const Tensor at{1.0, 2.0}, c{3.0, -1.0};
  EXPECT_TRUE(equal(grad([&](const Var& v) { return dot(checkpoint(first, v, square(v)), c); }, at), c));
  EXPECT_TRUE(equal(grad([&](const Var& v) { return dot(checkpoint(second, v, square(v)), c); }, at),
                    Tensor{6.0, -4.0}));
  EXPECT_TRUE(equal(grad([&](const Var& v) { return dot(checkpoint(neither, v, square(v)), c); }, at),
                    Tensor{0.0, 0.0}));
  EXPECT_TRUE(equal(hessian([&](const Var& v) { return dot(checkpoint(neither, v, v) * v, c); }, at),
                    Tensor::zeros(Shape{2, 2})));
  EXPECT_FALSE(checkpoint(first, Var(at), Var(c)).tracked());
}

TEST(Checkpoint, AModuleTrainsThroughIt) {
  Rng rng(4);
  const nn::Sequential net{nn::Linear(3, 5), nn::Tanh(), nn::Linear(5, 1)};
  const Params w = net.init(rng);
  const Tensor x = Rng(5).normal(Shape{7, 3});
  const Params plain = grad([&](const Var& v) { return sum(square(net(v, x))); }, w);
  const Params saved = grad([&](const Var& v) { return sum(square(checkpoint(net, v, Var(x)))); }, w);
  EXPECT_TRUE(equal(plain.flat(), saved.flat()));
}

TEST(Checkpoint, ErrorsSayWhatIsWrong) {
  const Tensor at{1.0, 2.0};
  EXPECT_THAT(
      error_of<TapeError>([&] {
        grad([](const Var& v) { return sum(checkpoint([v](const Var& a) { return a * v; }, square(v))); },
             at);
      }),
      HasSubstr("[checkpoint] f uses a tracked variable that is not among its inputs"));
  // One of another tape that f uses only when it is called again.
  Tape other;
  const Var alien = other.input(at);
  int calls = 0;
  const auto moody = [&](const Var& a) { return ++calls > 1 ? exp(exp(exp(alien))) : a; };
  EXPECT_THAT(error_of<TapeError>([&] { grad([&](const Var& v) { return sum(checkpoint(moody, v)); }, at); }),
              HasSubstr("[checkpoint] f uses a tracked variable that is not among its inputs"));
  EXPECT_THAT(
      error_of<ShapeError>([&] { checkpoint([](const Var& a) { return a + Var(Tensor{1.0}); }, Var(at)); }),
      HasSubstr("[add]"));
  const auto model = [](const Var& w, const Var& x) {
    return checkpoint([](const Var& v, const Var& u) { return linear(u, reshape(v, Shape{1, 2})); }, w, x);
  };
  EXPECT_THAT(error_of<TapeError>([&] {
                per_sample_jacobian(model, at, Tensor{{1.0, 2.0}, {3.0, 4.0}});
              }),
              AllOf(HasSubstr("[checkpoint] hides"), Not(HasSubstr("mixes"))));
  test::expect_close(per_sample_jacobian(model, at, Tensor{{1.0, 2.0}}).matrix(), Tensor{{1.0, 2.0}}, 0.0);
}

}  // namespace
}  // namespace cotangent
