// Gradients of a loss a sample: against a loop over single samples; lengths against the rows; losses that
// cannot be taken apart; refusals.
#include "autodiff/per_sample_gradients.hpp"

#include <cmath>

#include "autodiff/custom_op.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/samples/sweep.hpp"
#include "autodiff/transforms.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::AllOf;
using testing::HasSubstr;

using Loss = std::function<Var(const Var&, const Var&, const Tensor&)>;

Tensor by_single_samples(const Loss& loss, const Tensor& w, const Tensor& x, const Tensor& y) {
  std::vector<double> numbers;
  for (Index i = 0; i < x.size(0); ++i) {
    const Tensor g =
        grad([&](const Var& at) { return loss(at, Var(x.rows(i, i + 1)), y.rows(i, i + 1)); }, w);
    numbers.insert(numbers.end(), g.data().begin(), g.data().end());
  }
  return Tensor::from(numbers, Shape{x.size(0), w.size()});
}

Tensor squares_of(const Tensor& rows) {
  std::vector<double> squares;
  for (Index i = 0; i < rows.size(0); ++i) {
    double s = 0.0;
    for (Index k = 0; k < rows.size(1); ++k) s += rows(i, k) * rows(i, k);
    squares.push_back(s);
  }
  return Tensor::from(squares, Shape{rows.size(0)});
}

void expect_as_the_loop(const std::string& what, const Loss& loss, const Params& w, const Tensor& x,
                        const Tensor& y, bool structured) {
  for (const Index n : {Index{1}, Index{2}, x.size(0)}) {
    SCOPED_TRACE(what + ", n = " + std::to_string(n));
    const Tensor xs = x.rows(0, n), ys = y.rows(0, n);
    const Tensor expected = by_single_samples(loss, w.flat(), xs, ys);
    const Jacobian rows = per_sample_gradients(loss, w, xs, ys);
    EXPECT_EQ(rows.outputs(), 1);
    expect_close(rows.matrix(), expected, 1e-12);
    expect_close(per_sample_gradients(loss, w.flat(), xs, ys).matrix(), expected, 1e-12);
    expect_close(per_sample_square_norms(loss, w, xs, ys), squares_of(expected), 1e-12);
    expect_close(per_sample_square_norms(loss, w.flat(), xs, ys), squares_of(expected), 1e-12);
    const auto sweep =
        detail::sweep_samples(detail::SampleSource::losses(loss, w.flat(), xs, ys, {{0, w.size(), 0}}));
    if (n > 1) {
      EXPECT_EQ(sweep.slow_reason.empty(), structured) << sweep.slow_reason;
    }
  }
}

struct Problem {
  nn::Sequential net;
  Params w;
  Tensor x, y;
};

Problem problem(Index outputs, Index n = 7) {
  nn::Sequential net{nn::Linear(4, 6), nn::Tanh(), nn::Linear(6, outputs)};
  Rng rng(3);
  Params w = net.init(rng);
  Rng data(5);
  return {net, w, data.normal(Shape{n, 4}), data.normal(Shape{n, outputs})};
}

Tensor signs(const Tensor& t) {
  return test::tensor_by(t.shape(),
                         [&](Index k) { return t.data()[static_cast<std::size_t>(k)] < 0 ? -1.0 : 1.0; });
}

TEST(PerSampleGradients, LossesOfTheLibraryKeepTheirStructure) {
  const Problem one = problem(1), three = problem(3);
  const auto check = [](const std::string& what, const Problem& p, const Tensor& y, auto loss) {
    expect_as_the_loop(
        what, [&](const Var& w, const Var& x, const Tensor& t) { return loss(p.net(w, x), t); }, p.w, p.x, y,
        true);
  };
  check("mse", one, one.y, [](const Var& f, const Tensor& y) { return nn::mse(f, y); });
  check("mse of three outputs", three, three.y, [](const Var& f, const Tensor& y) { return nn::mse(f, y); });
  check("half_mse", three, three.y, [](const Var& f, const Tensor& y) { return nn::half_mse(f, y); });
  check("logistic", one, signs(one.y), [](const Var& f, const Tensor& y) { return nn::logistic(f, y); });
  check("exponential", one, signs(one.y),
        [](const Var& f, const Tensor& y) { return nn::exponential(f, y); });
  check("hinge", one, signs(one.y), [](const Var& f, const Tensor& y) { return nn::hinge(f, y); });
  check("cross_entropy", three, Tensor{0, 2, 1, 1, 0, 2, 2},
        [](const Var& f, const Tensor& y) { return nn::cross_entropy(f, y); });
}

TEST(PerSampleGradients, OneNumberASampleAndSums) {
  const Problem p = problem(3);
  const auto residuals = [&](const Var& w, const Var& x, const Tensor& y) { return square(p.net(w, x) - y); };
  expect_as_the_loop(
      "[n] losses", [&](const Var& w, const Var& x, const Tensor& y) { return sum(residuals(w, x, y), 1); },
      p.w, p.x, p.y, true);
  expect_as_the_loop(
      "a sum", [&](const Var& w, const Var& x, const Tensor& y) { return sum(residuals(w, x, y)); }, p.w, p.x,
      p.y, true);
  expect_as_the_loop(
      "a multiple of a mean",
      [&](const Var& w, const Var& x, const Tensor& y) { return -2.5 * mean(residuals(w, x, y)); }, p.w, p.x,
      p.y, true);
  expect_as_the_loop(
      "a mean in steps",
      [&](const Var& w, const Var& x, const Tensor& y) {
        const Var per_sample = sum(residuals(w, x, y), 1);
        return Var(3.0) * (reshape(sum(per_sample, 0), Shape{1, 1}) / 2.0);
      },
      p.w, p.x, p.y, true);
}

TEST(PerSampleGradients, OneSliceUsedInManyWays) {
  Rng rng(8);
  const Params w({{"a", rng.normal(Shape{4, 4})}, {"r", rng.normal(Shape{4})}});
  const Tensor x = rng.normal(Shape{6, 4}), y = rng.normal(Shape{6, 4});
  const auto net = [](const Var& v, const Var& samples) {
    const Var a = view(v, 0, Shape{4, 4}), r = view(v, 16, Shape{4});
    const Var h = tanh(add_rows(linear(samples, a), r));
    return mul_rows(add_rows(matmul(tanh(linear(h, a)), a), r), r);
  };
  expect_as_the_loop(
      "W, W, W^T and a vector thrice",
      [&](const Var& v, const Var& s, const Tensor& t) { return nn::mse(net(v, s), t); }, w, x, y, true);
  expect_as_the_loop(
      "one slice in two shapes",
      [](const Var& v, const Var& s, const Tensor& t) {
        const Var wide = matmul(slice(s, 1, 0, 2), view(v, 0, Shape{2, 8}));
        return nn::mse(linear(s, view(v, 0, Shape{4, 4})) * slice(wide, 1, 2, 6), t);
      },
      w, x, y, true);
}

TEST(PerSampleGradients, LossesThatCannotBeTakenApartTakeTheLoop) {
  const Problem p = problem(1);
  expect_as_the_loop(
      "a penalty",
      [&](const Var& w, const Var& x, const Tensor& y) { return nn::mse(p.net(w, x), y) + 0.1 * dot(w, w); },
      p.w, p.x, p.y, false);
  expect_as_the_loop(
      "the root of the mean",
      [&](const Var& w, const Var& x, const Tensor& y) { return sqrt(nn::mse(p.net(w, x), y)); }, p.w, p.x,
      p.y, false);
  expect_as_the_loop(
      "normalised weights",
      [&](const Var& w, const Var& x, const Tensor& y) { return nn::mse(p.net(w / sqrt(dot(w, w)), x), y); },
      p.w, p.x, p.y, false);
}

// The loss of one sample alone is what counts, however a batch's is normalised.
// A sum and multiples under names of a script's own.
const CustomOp kOwnTotal({.name = "gradients_test_total",
                          .forward = [](const OpInputs& in,
                                        const OpAttributes&) { return sum(in[0]).value(); },
                          .pullback = [](const OpRecord& p, const Var& g,
                                         OpCotangents& out) { out.add(0, broadcast_to(g, p.shape(0))); },
                          .linear = OpLinear::sum});
const CustomOp kOwnShare(
    {.name = "gradients_test_share",
     .forward = [](const OpInputs& in, const OpAttributes&) { return (Var(in[0]) / in[1]).value(); },
     .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) { out.add(0, g / p.in(1)); },
     .linear = OpLinear::in_first});
const CustomOp kOwnProduct({.name = "gradients_test_product",
                            .forward = [](const OpInputs& in,
                                          const OpAttributes&) { return (Var(in[0]) * in[1]).value(); },
                            .pullback =
                                [](const OpRecord& p, const Var& g, OpCotangents& out) {
                                  out.add(0, g * p.in(1));
                                  out.add(1, g * p.in(0));
                                },
                            .linear = OpLinear::in_each});
const CustomOp kUnsaid(
    {.name = "gradients_test_unsaid",
     .forward = [](const OpInputs& in, const OpAttributes&) { return (3.0 * Var(in[0])).value(); },
     .pullback = [](const OpRecord&, const Var& g, OpCotangents& out) { out.add(0, 3.0 * g); }});

TEST(PerSampleGradients, SumsAndMultiplesOfAScript) {
  const auto [net, w, x, y] = problem(1);
  const auto square_errors = [&net = net](const Var& v, const Var& xs, const Tensor& ys) {
    return square(net(v, xs) - ys);
  };
  const auto expect = [&, &w = w, &x = x, &y = y](const char* what, auto outside, bool structured) {
    expect_as_the_loop(
        what,
        [&](const Var& v, const Var& xs, const Tensor& ys) { return outside(square_errors(v, xs, ys)); }, w,
        x, y, structured);
  };
  const Tensor three = Tensor::scalar(3.0);
  expect(
      "total", [](const Var& e) { return kOwnTotal(e); }, true);
  expect(
      "share", [&](const Var& e) { return kOwnShare(kOwnTotal(e), three); }, true);
  expect(
      "product", [&](const Var& e) { return kOwnProduct(three, reshape(kOwnTotal(e), Shape{1})); }, true);
  expect(
      "share of the batch",
      [](const Var& e) { return kOwnShare(sum(e), Tensor::scalar(static_cast<double>(e.size(0)))); }, true);
  expect(
      "square", [](const Var& e) { return kOwnProduct(kOwnTotal(e), kOwnTotal(e)); }, false);
  expect(
      "unsaid", [](const Var& e) { return kUnsaid(sum(e)); }, false);
}

TEST(PerSampleGradients, LossesNormalisedByTheBatch) {
  const Tensor x = Tensor::ones(Shape{5, 1}), t{1, 2, 3, 4, 5}, two = Tensor::full(Shape{5, 1}, 2.0);
  const Tensor w{1.0};
  const auto pred = [](const Var& v, const Var& xv) {
    return reshape(matmul(xv, reshape(v, Shape{1, 1})), Shape{xv.size(0)});
  };
  const auto total = [](const Tensor& numbers) { return sum(Var(numbers)).item(); };
  const std::vector<Loss> losses{[&](const Var& v, const Var& xv, const Tensor& ts) {
                                   return sum(Var(ts) * square(pred(v, xv))) / sum(Var(ts));
                                 },
                                 [&](const Var& v, const Var& xv, const Tensor& ts) {
                                   return sum(Var(ts) * square(pred(v, xv))) * (1.0 / total(ts));
                                 },
                                 [&](const Var& v, const Var& xv, const Tensor& ts) {
                                   return sum(Var((Var(ts) / total(ts)).value()) * square(pred(v, xv)));
                                 },
                                 [&](const Var& v, const Var& xv, const Tensor&) {
                                   return square(pred(v, xv)) / static_cast<double>(xv.size(0));
                                 },
                                 [&](const Var& v, const Var& xv, const Tensor&) {
                                   return sum(square(pred(v, xv))) / static_cast<double>(xv.size(0));
                                 }};
  for (std::size_t k = 0; k < losses.size(); ++k) {
    SCOPED_TRACE(k);
    expect_close(per_sample_gradients(losses[k], w, x, t).matrix(), two, 1e-15);
    expect_close(per_sample_square_norms(losses[k], w, x, t), Tensor::full(Shape{5}, 4.0), 1e-15);
  }
  const auto sign = [&](const Var& v, const Var& xv, const Tensor& ts) {
    return (ts(0) > 0 ? 1.0 : -1.0) * sum(square(pred(v, xv)));
  };
  expect_close(per_sample_gradients(sign, w, x, Tensor{1, -1, 1, 1, -1}).matrix(),
               Tensor{{2}, {-2}, {2}, {2}, {-2}}, 1e-15);
  // One unlike target in many, which no choice of samples would find.
  for (const Index n : {Index{50}, Index{200}})
    for (const Index special : {Index{1}, n / 3}) {
      const Tensor rare = test::tensor_by(Shape{n}, [&](Index k) { return k == special ? -3.0 : 1.0; });
      expect_close(per_sample_gradients(sign, w, Tensor::ones(Shape{n, 1}), rare).matrix(),
                   test::tensor_by(Shape{n, 1}, [&](Index k) { return k == special ? -2.0 : 2.0; }), 1e-15);
    }
}

TEST(PerSampleGradients, ClassWeightsAndBatchStatistics) {
  const Problem p = problem(3), one = problem(1);
  const Tensor classes{0, 2, 1, 1, 0, 2, 2}, weights{0.5, 1.0, 3.0};
  expect_as_the_loop(
      "weighted cross-entropy",
      [&](const Var& w, const Var& x, const Tensor& labels) {
        const Var c = gather_rows(weights, labels);
        const Index n = labels.size();
        const Var pick = take_along_axis(log_softmax(p.net(w, x), 1), labels.reshape(Shape{n, 1}), 1);
        return -(sum(c * reshape(pick, Shape{n})) / sum(c));
      },
      p.w, p.x, classes, true);
  expect_as_the_loop(
      "a mean over the batch off the record",
      [&](const Var& w, const Var& x, const Tensor& y) {
        const Var f = one.net(w, x);
        return nn::mse(f * Var(1.0 + std::fabs(mean(f).item())), y);
      },
      one.w, one.x, one.y, false);
  expect_as_the_loop(
      "a gradient that is another one in a batch",
      [&](const Var& w, const Var& x, const Tensor& y) {
        const Var loss = nn::mse(one.net(w, x), y);
        return x.size(0) > 1 ? nn::mse(0.5 * one.net(w, x) + 0.5 * detach(one.net(w, x)), y) : loss;
      },
      one.w, one.x, one.y, false);
}

// The library's means need no pass of single samples but those of the check.
TEST(PerSampleGradients, MeansOfTheLibraryAreNotEvaluatedSampleBySample) {
  const Problem p = problem(1, 300);
  const auto calls = [&](auto loss) {
    int count = 0;
    per_sample_gradients(
        [&](const Var& w, const Var& x, const Tensor& y) {
          ++count;
          return loss(p.net(w, x), y);
        },
        p.w, p.x, p.y);
    return count;
  };
  EXPECT_LE(calls([](const Var& f, const Tensor& y) { return nn::mse(f, y); }), 10);
  EXPECT_LE(calls([](const Var& f, const Tensor& y) { return nn::half_mse(f, y); }), 10);
  EXPECT_GE(calls([](const Var& f, const Tensor& y) { return 0.5 * nn::mse(f, y); }), 300);
}

TEST(PerSampleGradients, ChosenColumns) {
  const Problem p = problem(3);
  const auto loss = [&](const Var& w, const Var& x, const Tensor& y) { return nn::mse(p.net(w, x), y); };
  const auto penalised = [&](const Var& w, const Var& x, const Tensor& y) {
    return loss(w, x, y) + dot(w, w);
  };
  const auto check = [&](SampleLoss f) {
    const Jacobian whole = per_sample_gradients(f, p.w, p.x, p.y);
    const Jacobian part = per_sample_gradients(f, p.w, p.x, p.y, {.params = {"*.bias"}});
    expect_close(part.matrix(), whole.block("*.bias").matrix(), 1e-14);
    expect_close(per_sample_square_norms(f, p.w, p.x, p.y, {.params = {"*.bias"}}), squares_of(part.matrix()),
                 1e-13);
  };
  check(loss);
  check(penalised);
  EXPECT_THROW(per_sample_gradients(loss, p.w, p.x, p.y, {.params = {"nothing"}}), DomainError);
}

TEST(PerSampleGradients, Refusals) {
  const Problem p = problem(1);
  EXPECT_THAT(error_of<TapeError>([&] {
                per_sample_gradients(
                    [&](const Var& w, const Var& x, const Tensor& y) {
                      const Var f = p.net(w, x);
                      return nn::mse(add_rows(f, -mean(f, 0)), y);
                    },
                    p.w, p.x, p.y);
              }),
              AllOf(HasSubstr("[sum_axis] mixes samples"), HasSubstr("[7, 1]")));
  EXPECT_THAT(error_of<ShapeError>([&] {
                per_sample_gradients([&](const Var& w, const Var& x, const Tensor&) { return p.net(w, x); },
                                     p.w, p.x, p.y.rows(0, 3));
              }),
              AllOf(HasSubstr("X is [7, 4]"), HasSubstr("targets are [3, 1]")));
  const Problem three = problem(3);
  EXPECT_THAT(error_of<ShapeError>([&] {
                per_sample_gradients(
                    [&](const Var& w, const Var& x, const Tensor&) { return three.net(w, x); }, three.w,
                    three.x, three.y);
              }),
              AllOf(HasSubstr("the loss is [7, 3] for 7 samples"), HasSubstr("it must be [7]")));
  EXPECT_THAT(error_of<ShapeError>([&] {
                per_sample_square_norms(
                    [&](const Var& w, const Var& x, const Tensor& y) { return nn::mse(p.net(w, x), y); },
                    p.w.flat().reshape(Shape{p.w.size(), 1}), p.x, p.y);
              }),
              HasSubstr("give the flat vector"));
}

}  // namespace
}  // namespace cotangent
