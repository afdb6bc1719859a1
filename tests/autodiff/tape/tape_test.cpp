// The tape as an object: long chains, ends and resets, errors in the middle of work, and its memory.
#include "autodiff/tape.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/memory/block_cache.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape/record.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using detail::VarAccess;
using test::error_of;
using test::expect_close;
using testing::AllOf;
using testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST(LongChain, BuildsDifferentiatesAndFreesAMillionOperations) {
  detail::drop_cached_buffers();
  ::malloc_trim(0);
  const std::size_t before = resident_bytes();
  constexpr int kLength = 1'000'000;
  std::size_t during = 0;
  {
    Tape tape;
    const Var x = tape.input(Tensor::scalar(0.5));
    Var y = x;
    for (int k = 0; k < kLength; ++k) y = sin(y);
    EXPECT_EQ(tape.num_nodes(), kLength + 1);
    const double slope = tape.grad(y, x).item();
    // The same chain by hand: the derivative is the product of all cosines.
    double value = 0.5, product = 1.0;
    for (int k = 0; k < kLength; ++k) {
      product *= std::cos(value);
      value = std::sin(value);
    }
    EXPECT_NEAR(y.item(), value, 1e-12);
    EXPECT_NEAR(slope / product, 1.0, 1e-8);
    during = resident_bytes();
  }
  EXPECT_LE(detail::cached_bytes(), detail::cached_bytes_limit());
  detail::drop_cached_buffers();
  EXPECT_EQ(detail::cached_bytes(), 0u);
  ::malloc_trim(0);
  if (kSanitized) return;
  const std::size_t after = resident_bytes();
  EXPECT_GT(during, before + (std::size_t{100} << 20));
  EXPECT_LT(after, before + (std::size_t{16} << 20));
}

TEST(LongChain, IsDifferentiableAgain) {
  Tape tape;
  const Var x = tape.input(Tensor::scalar(0.9));
  Var y = x;
  constexpr int kLength = 100'000;
  for (int k = 0; k < kLength; ++k) y = y * 1.00001;
  const Var g = tape.grad(square(y), x, {.create_graph = true});
  const double factor = std::exp(2.0 * kLength * std::log(1.00001));
  EXPECT_NEAR(g.item() / (2.0 * 0.9 * factor), 1.0, 1e-10);
  EXPECT_NEAR(tape.grad(g, x).item() / (2.0 * factor), 1.0, 1e-10);
}

TEST(LongChain, OfPendingSharedOperands) {
  // Every value is used twice, so a pass that walked paths instead of nodes would need 2^60 steps.
  Tape tape;
  const Var x = tape.input(Tensor::scalar(1.0));
  Var y = x;
  for (int k = 0; k < 60; ++k) y = 0.5 * y + 0.5 * y;
  EXPECT_EQ(tape.grad(y, x).item(), 1.0);
}

std::string epochs_of(const Var& v) {
  return "epoch " + std::to_string(VarAccess::epoch(v)) + " of a tape that is now in epoch " +
         std::to_string(VarAccess::cell(v)->epoch);
}

TEST(Handles, AfterTheTapesEnd) {
  Var x, y;
  {
    Tape tape;
    x = tape.input(Tensor{1.0, 2.0});
    y = square(x);
    EXPECT_EQ(VarAccess::epoch(y), VarAccess::cell(y)->epoch);
  }
  // The value can always be read.
  EXPECT_TRUE(equal(y.value(), Tensor{1.0, 4.0}));
  EXPECT_TRUE(y.tracked());
  EXPECT_NE(VarAccess::epoch(y), VarAccess::cell(y)->epoch);
  EXPECT_THAT(error_of<TapeError>([&] { y + 1.0; }),
              AllOf(HasSubstr("[add]"), HasSubstr(epochs_of(y)), HasSubstr("ended or was reset"),
                    HasSubstr("value()")));
  EXPECT_THAT(error_of<TapeError>([&] { sum(y); }), AllOf(HasSubstr("[sum]"), HasSubstr(epochs_of(y))));
  Tape other;
  const Var z = other.input(Tensor{3.0, 4.0});
  EXPECT_THAT(error_of<TapeError>([&] { z* y; }), AllOf(HasSubstr("[mul]"), HasSubstr(epochs_of(y))));
  EXPECT_THAT(error_of<TapeError>([&] { other.grad(sum(z), x); }), HasSubstr(epochs_of(x)));
  EXPECT_THAT(error_of<TapeError>([&] { other.vjp(y, z.value(), z); }), HasSubstr(epochs_of(y)));
  EXPECT_THAT(error_of<TapeError>([&] { lift(Tensor{1.0}, x); }),
              AllOf(HasSubstr("[lift]"), HasSubstr(epochs_of(x))));
  EXPECT_THAT(error_of<TapeError>([&] { grad([](const Var& v) { return sum(v); }, x); }),
              HasSubstr(epochs_of(x)));
  EXPECT_THAT(error_of<TapeError>([&] { jacobian([](const Var& v) { return v; }, x); }),
              HasSubstr("[jacobian]"));
  EXPECT_THAT(error_of<TapeError>([&] { hessian([](const Var& v) { return sum(v); }, x); }),
              HasSubstr("[hessian]"));
  EXPECT_THAT(error_of<TapeError>([&] { hvp([](const Var& v) { return sum(v); }, x, z); }),
              HasSubstr("[hvp]"));
  EXPECT_THAT(error_of<TapeError>([&] { vjp([](const Var& v) { return v; }, x, z); }), HasSubstr("[vjp]"));
  EXPECT_THAT(error_of<TapeError>([&] { jvp([](const Var& v) { return v; }, x, z); }), HasSubstr("[jvp]"));
  // Cut off from its dead tape it is a value like any other.
  expect_close((detach(y) + z).value(), Tensor{4.0, 8.0}, 0.0);
}

TEST(Handles, AfterAReset) {
  Tape tape;
  const Var x = tape.input(Tensor{1.0, 2.0});
  const Var y = square(x);
  tape.reset();
  EXPECT_EQ(tape.num_nodes(), 0);
  EXPECT_THAT(error_of<TapeError>([&] { exp(y); }), AllOf(HasSubstr("[exp]"), HasSubstr(epochs_of(y))));
  EXPECT_THAT(error_of<TapeError>([&] { tape.grad(sum(Var(1.0)), x); }), HasSubstr(epochs_of(x)));
  EXPECT_TRUE(equal(y.value(), Tensor{1.0, 4.0}));
  const Var again = tape.input(Tensor{3.0, 5.0});
  expect_close(tape.grad(sum(square(again)), again).value(), Tensor{6.0, 10.0}, 0.0);
  EXPECT_THAT(error_of<TapeError>([&] { again* y; }), HasSubstr("[mul]"));
}

// A new tape may take the memory and the cell of an old one; its handles must still be told apart.
TEST(Handles, AreNotMistakenForThoseOfALaterTape) {
  std::vector<Var> stale;
  for (int k = 0; k < 60; ++k) {
    Tape tape;
    const Var x = tape.input(Tensor::scalar(k));
    for (const Var& old : stale) EXPECT_THROW(x + old, TapeError);
    stale.push_back(square(x));
  }
}

TEST(Tape, ResetForgetsButKeepsWorking) {
  Tape tape;
  for (int k = 1; k <= 5; ++k) {
    const Var x = tape.input(Tensor::scalar(k));
    EXPECT_EQ(tape.grad(square(x), x).item(), 2.0 * k);
    EXPECT_EQ(tape.num_nodes(), 2);
    tape.reset();
  }
}

TEST(Tape, OperationsOnConstantsAreNotRecorded) {
  Tape tape;
  const Var x = tape.input(Tensor{1.0, 2.0});
  const Var constant = exp(Var(Tensor{1.0, 2.0})) + 3.0;
  EXPECT_FALSE(constant.tracked());
  EXPECT_EQ(tape.num_nodes(), 1);
  EXPECT_TRUE((x * constant).tracked());
  EXPECT_EQ(tape.num_nodes(), 2);
}

TEST(Tape, FirstOrderBackwardRecordsNothing) {
  Tape tape;
  const Var x = tape.input(Tensor{{1.0, 2.0}, {3.0, 4.0}});
  const Var y = sum(log_sum_exp(matmul(x, tanh(x)), 1));
  const Index nodes = tape.num_nodes();
  EXPECT_FALSE(tape.grad(y, x).tracked());
  EXPECT_EQ(tape.num_nodes(), nodes);
  EXPECT_TRUE(tape.grad(y, x, {.create_graph = true}).tracked());
  EXPECT_GT(tape.num_nodes(), nodes);
}

TEST(Tape, GradientsBySeveralInputsAndByInnerVariables) {
  Tape tape;
  const Var a = tape.input(Tensor{1.0, 2.0}), b = tape.input(Tensor{3.0, 5.0});
  const Var c = a * b;
  const Var y = sum(square(c));
  expect_close(tape.grad(y, a).value(), Tensor{18.0, 100.0}, 0.0);  // 2 a b^2
  expect_close(tape.grad(y, b).value(), Tensor{6.0, 40.0}, 0.0);    // 2 a^2 b
  expect_close(tape.grad(y, c).value(), Tensor{6.0, 20.0}, 0.0);    // 2 c
  expect_close(tape.grad(y, y).value(), Tensor::scalar(1.0), 0.0);
  const Var unrelated = tape.input(Tensor{7.0});
  expect_close(tape.grad(y, unrelated).value(), Tensor{0.0}, 0.0);
  expect_close(tape.vjp(c, Tensor{1.0, -1.0}, a).value(), Tensor{3.0, -5.0}, 0.0);
}

TEST(Tape, ToStringListsEveryNode) {
  Tape tape;
  const Var x = tape.input(Tensor{{1.0, 2.0}});
  matmul(Tensor{{3.0}}, x);
  sum(tanh(x));
  EXPECT_EQ(tape.to_string(),
            "     0  input          [1, 2]\n"
            "     1  matmul         [1, 2]  const  0\n"
            "     2  tanh           [1, 2]  0\n"
            "     3  sum            []  2\n");
}

TEST(Var, DefaultIsAnEmptyConstant) {
  const Var v;
  EXPECT_FALSE(v.tracked());
  EXPECT_EQ(v.size(), 0);
  EXPECT_EQ(v.shape(), (Shape{0}));
  EXPECT_EQ(v.to_string(), "[]");
}

TEST(Var, ConvertsFromTensorDoubleAndParams) {
  EXPECT_EQ(Var(2.5).item(), 2.5);
  EXPECT_EQ(Var(Tensor{1.0, 2.0}).size(0), 2);
  EXPECT_EQ(Var(Params({{"a", Tensor{1.0}}, {"b", Tensor{{2.0, 3.0}}}})).shape(), (Shape{3}));
}

// ---- errors in the middle of work

const Op kThrowing({.name = "test throwing",
                    .forward = [](const OpInputs& in, const OpAttributes&) { return in[0]; },
                    .pullback = [](const OpRecord&, const Var&,
                                   OpCotangents&) { throw std::runtime_error("from a pullback"); }});

// Returns g unchanged, after a whole other tape has lived and died inside the rule.
const Op kNested({.name = "test nested",
                  .forward = [](const OpInputs& in, const OpAttributes&) { return in[0]; },
                  .pullback =
                      [](const OpRecord&, const Var& g, OpCotangents& out) {
                        const double three = grad([](const Var& x) { return 3.0 * x; }, 1.0);
                        out.add(0, (three / 3.0) * g);
                      }});

const Tensor kPoint{0.4, -1.2, 0.9};

Var usual(const Var& x) { return sum(exp(x) * sin(x)) + sum(square(view(x, 1, Shape{2}))); }
void expect_usual_gradient() {
  const auto g = [](Index i) {
    return std::exp(kPoint(i)) * (std::sin(kPoint(i)) + std::cos(kPoint(i))) + (i ? 2.0 * kPoint(i) : 0.0);
  };
  expect_close(grad(usual, kPoint), test::tensor_by(Shape{3}, g), 1e-14);
  Tape tape;
  const Var x = tape.input(kPoint);
  expect_close(grad(usual, x).value(), test::tensor_by(Shape{3}, g), 1e-14);
}

TEST(Exceptions, FromATracedFunction) {
  for (int k = 0; k < 3; ++k) {
    EXPECT_EQ(error_of<std::runtime_error>([] {
                grad(
                    [](const Var& x) -> Var {
                      usual(x);
                      throw std::runtime_error("from the function");
                    },
                    kPoint);
              }),
              "from the function");
    expect_usual_gradient();
  }
}

TEST(Exceptions, FromAPullback) {
  const auto f = [](const Var& x) {
    const Var part = sum(square(view(x, 0, Shape{2})));  // half-written cotangents must not survive either
    return usual(detail::apply(kThrowing, x)) + part + sum(view(x, 2, Shape{1}));
  };
  for (int k = 0; k < 3; ++k) {
    EXPECT_EQ(error_of<std::runtime_error>([&] { grad(f, kPoint); }), "from a pullback");
    expect_usual_gradient();
    EXPECT_EQ(error_of<std::runtime_error>([&] { hessian(f, kPoint); }), "from a pullback");
    expect_usual_gradient();
  }
  // On one and the same tape, at first order and with a graph.
  Tape tape;
  const Var x = tape.input(kPoint);
  const Var bad = f(x), good = usual(x);
  const Tensor expected = tape.grad(good, x).value();
  for (const bool graph : {false, true}) {
    EXPECT_EQ(error_of<std::runtime_error>([&] { tape.grad(bad, x, {.create_graph = graph}); }),
              "from a pullback");
    expect_close(tape.grad(good, x, {.create_graph = graph}).value(), expected, 1e-15);
  }
}

TEST(Exceptions, FromAnInnerTransform) {
  const auto outer = [](const Var& w) {
    return sum(w) *
           sum(grad([&](const Var& x) { return dot(w, detail::apply(kThrowing, x)); }, lift(kPoint, w)));
  };
  EXPECT_EQ(error_of<std::runtime_error>([&] { grad(outer, kPoint); }), "from a pullback");
  expect_usual_gradient();
}

TEST(Exceptions, FromAShapeErrorInTheMiddle) {
  EXPECT_THROW(grad([](const Var& x) { return sum(exp(x) + Tensor{1.0, 2.0}); }, kPoint), ShapeError);
  expect_usual_gradient();
}

TEST(Pullbacks, MayRunTapesOfTheirOwn) {
  const auto f = [](const Var& x) { return usual(detail::apply(kNested, x)); };
  expect_close(grad(f, kPoint), grad(usual, kPoint), 1e-14);
  expect_close(hessian(f, kPoint), hessian(usual, kPoint), 1e-13);
}

TEST(Pullbacks, ManyInputsAndRepeatedOnes) {
  Tape tape;
  const Var x = tape.input(Tensor{2.0});
  const std::vector<Var> parts(50, x);
  const Var y = sum(square(concat(parts, 0)));
  const Var g = tape.grad(y, x, {.create_graph = true});
  EXPECT_EQ(g.item(), 200.0);
  EXPECT_EQ(tape.grad(g, x).item(), 100.0);
}

// One cotangent goes to several places, is added to where it came from, and stays what it was.
TEST(Tape, CotangentsAddUpWhereTheirNumbersAreShared) {
  for (const Index n : {1, 7, 8, 9, 999, 1000, 1001, 4096}) {
    std::vector<double> numbers, weights;
    for (Index k = 0; k < n; ++k) {
      numbers.push_back(1.0 + 0.37 * static_cast<double>(k % 101));
      weights.push_back(0.5 - static_cast<double>(k % 7));
    }
    const Tensor x = Tensor::from(numbers, {n}), g = Tensor::from(weights, {n});
    const auto f = [](const Var& v) {
      const Var twice = v + v;
      return twice + v + (twice + twice) - v * v;
    };
    const Vjp<Tensor> pullback = vjp(f, x);
    for (int round = 0; round < 2; ++round) {
      const Tensor back = pullback(g);
      for (Index k = 0; k < n; ++k)
        ASSERT_NEAR(back(k), 7.0 * g(k) - 2.0 * g(k) * x(k), 1e-10) << n << " numbers, at " << k;
      EXPECT_TRUE(equal(g, Tensor::from(weights, {n})));
      EXPECT_TRUE(equal(x, Tensor::from(numbers, {n})));
    }
  }
}

}  // namespace
}  // namespace cotangent
