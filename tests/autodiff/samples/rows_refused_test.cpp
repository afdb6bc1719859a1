// Functions that mix samples are refused by per_sample_jacobian, with the name of the operation that mixes
// them; coincidences of sizes must not let one through.
#include <cmath>

#include "autodiff/error.hpp"
#include "autodiff/jacobian.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;

using Function = std::function<Var(const Var&, const Var&)>;

constexpr Index kN = 4;  // samples; kWidth equals it where a coincidence is wanted
constexpr Index kIn = 3;

Tensor weights() { return Rng(31).normal(Shape{64}, 0.0, 0.7); }
Tensor samples() { return Rng(32).normal(Shape{kN, kIn}); }

/// A layer of the given width.
Var layer(const Var& w, const Var& x, Index width) { return tanh(linear(x, view(w, 0, Shape{width, kIn}))); }

/// The refusal by parameters; that by inputs must be one too.
std::string refusal(const Function& f) {
  const Tensor w = weights(), x = samples();
  EXPECT_ANY_THROW(per_sample_jacobian(f, w, x, {.wrt = Wrt::inputs}));
  return error_of<TapeError>([&] { per_sample_jacobian(f, w, x); });
}

void expect_mixing(const Function& f, const std::string& operation, Index width) {
  const std::string text = refusal(f);
  EXPECT_THAT(text, AllOf(HasSubstr("[" + operation + "] mixes samples"), HasSubstr("use jacobian")))
      << "width " << width;
}

// Each at a width that differs from n, and at width = n.
constexpr Index kWidths[] = {2, kN};

TEST(Refused, BatchNormByHand) {
  for (const Index k : kWidths)
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          const Var centred = add_rows(h, -mean(h, 0));
          return mul_rows(centred, 1.0 / sqrt(mean(square(centred), 0) + 1e-5));
        },
        "sum_axis", k);
}

TEST(Refused, BatchNormOfTheInputsThemselves) {
  for (const Index k : kWidths)
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var centred = x - broadcast_to(mean(x, 0), x.shape());
          return layer(w, centred, k);
        },
        "sum_axis", k);
}

TEST(Refused, SoftmaxOverTheSamples) {
  for (const Index k : kWidths) {
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return exp(h - broadcast_to(log_sum_exp(h, 0), h.shape()));
        },
        "log_sum_exp", k);
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var e = exp(layer(w, x, k));
          return e / broadcast_to(sum(e, 0), e.shape());
        },
        "sum_axis", k);
  }
}

TEST(Refused, ProductsOfSamplesWithSamples) {
  for (const Index k : kWidths) {
    // h^T h, spread again so that a row a sample comes out
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return matmul(h, matmul(h, h, {.transpose_a = true}));
        },
        "matmul", k);
    // h h^T: row i holds all the others
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return matmul(h, h, {.transpose_b = true});
        },
        "matmul", k);
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return matmul(matmul(h, h, {.transpose_b = true}), h);
        },
        "matmul", k);
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return linear(h, h);
        },
        "linear", k);
  }
  // At width n alone: h^T h is [n, n] and h h looks like a layer whose weight are the samples.
  expect_mixing(
      [](const Var& w, const Var& x) {
        const Var h = layer(w, x, kN);
        return matmul(h, h, {.transpose_a = true});
      },
      "matmul", kN);
  expect_mixing(
      [](const Var& w, const Var& x) {
        const Var h = layer(w, x, kN);
        return matmul(h, h);
      },
      "matmul", kN);
}

TEST(Refused, SumAndBroadcast) {
  for (const Index k : kWidths) {
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return h + broadcast_to(sum(h), h.shape());
        },
        "sum", k);
    expect_mixing([k](const Var& w, const Var& x) { return layer(w, x, k) * mean(square(x)); }, "sum", k);
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return h * dot(h, h);
        },
        "dot", k);
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return add_rows(h, sum(h, 0));
        },
        "sum_axis", k);
  }
}

TEST(Refused, RowPermutations) {
  for (const Index k : kWidths) {
    const auto by_slices = [k](const Var& w, const Var& x) {
      const Var h = layer(w, x, k);
      return concat({slice(h, 0, 1, kN), slice(h, 0, 0, 1)}, 0);
    };
    EXPECT_THAT(refusal(by_slices),
                AnyOf(HasSubstr("[slice] mixes samples"), HasSubstr("[concat] mixes samples")));
    const Tensor rotation{{0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}};
    expect_mixing([&](const Var& w, const Var& x) { return matmul(rotation, layer(w, x, k)); }, "matmul", k);
    expect_mixing([&](const Var& w, const Var& x) { return layer(w, matmul(rotation, x), k); }, "matmul", k);
  }
}

TEST(Refused, JoiningAlongTheSamples) {
  for (const Index k : kWidths) {
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return sum(reshape(concat({h, h}, 0), Shape{2, kN, k}), 0);
        },
        "concat", k);
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return slice(concat({h, h}, 0), 0, 1, kN + 1);
        },
        "concat", k);
  }
}

TEST(Refused, OneSampleGivenToAll) {
  for (const Index k : kWidths)
    expect_mixing(
        [k](const Var& w, const Var& x) {
          const Var h = layer(w, x, k);
          return h + broadcast_to(slice(h, 0, 0, 1), h.shape());
        },
        "slice", k);
}

TEST(Refused, ReshapesThatTearSamplesApart) {
  expect_mixing(
      [](const Var& w, const Var& x) {
        return transpose(reshape(layer(w, x, 2), Shape{2, kN}));
      },
      "reshape", 2);
  expect_mixing(
      [](const Var& w, const Var& x) {
        return sum(reshape(layer(w, x, 2), Shape{2, kN}), 0);
      },
      "reshape", 2);
  expect_mixing(
      [](const Var& w, const Var& x) {
        return reshape(transpose(reshape(layer(w, x, 4), Shape{2, 2, 4}), {1, 0, 2}), Shape{4, 4});
      },
      "reshape", 4);
}

// Only possible at width = n: a number per sample used as a number per column, and axes that are confused.
TEST(Refused, CoincidencesOfWidthAndBatch) {
  const auto per_sample = [](const Var& w, const Var& x) { return sum(layer(w, x, kN), 1); };  // [n]
  const auto refused = [](const Function& f, const std::string& operation) {
    EXPECT_THAT(refusal(f), AllOf(HasSubstr("[" + operation + "]"), HasSubstr("samples")));
  };
  refused([&](const Var& w, const Var& x) { return add_rows(layer(w, x, kN), per_sample(w, x)); },
          "add_rows");
  refused([&](const Var& w, const Var& x) { return mul_rows(layer(w, x, kN), per_sample(w, x)); },
          "mul_rows");
  refused(
      [&](const Var& w, const Var& x) {
        return linear(layer(w, x, kN), view(w, 0, Shape{kN, kN}), per_sample(w, x));
      },
      "linear");
  refused(
      [&](const Var& w, const Var& x) {
        const Var h = layer(w, x, kN);
        return h + broadcast_to(per_sample(w, x), h.shape());
      },
      "add");
  refused([&](const Var& w, const Var& x) { return layer(w, x, kN) + transpose(layer(w, x, kN)); }, "add");
  refused(
      [&](const Var& w, const Var& x) {
        const Var h = layer(w, x, kN);
        const Var direct = exp(h);  // recorded before the transposed use of the same h
        return direct + transpose(h);
      },
      "add");
  refused(
      [&](const Var& w, const Var& x) { return scale_rows(transpose(layer(w, x, kN)), per_sample(w, x)); },
      "scale_rows");
  // The result holds the samples along its second axis: nothing mixes, but rows are not samples.
  EXPECT_THAT(refusal([&](const Var& w, const Var& x) { return transpose(layer(w, x, kN)); }),
              HasSubstr("samples along axis 1"));
  EXPECT_THAT(refusal([&](const Var& w, const Var& x) {
                return broadcast_to(per_sample(w, x), Shape{kN, kN});
              }),
              HasSubstr("samples along axis 1"));
  refused([&](const Var& w, const Var& x) { return sum(layer(w, x, kN), 0); }, "sum_axis");
}

// Square inputs taken by columns: every operation keeps samples apart, but X's axis 0 is not theirs.
TEST(Refused, SquareInputsTakenByColumns) {
  const Tensor w = weights(), x = Rng(33).normal(Shape{kN, kN});
  const auto f = [](const Var& v, const Var& z) {
    return mul_rows(transpose(sin(z)), view(v, 0, Shape{kN}));
  };
  for (const Wrt wrt : {Wrt::params, Wrt::inputs})
    EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(f, w, x, {.wrt = wrt}); }),
                AllOf(HasSubstr("samples along axis 1"), HasSubstr("transpose the result")));
}

TEST(Refused, DependenceOnTheNumberOfSamples) {
  const auto f = [](const Var& w, const Var& x) { return layer(w, x, 2) / static_cast<double>(x.size(0)); };
  const std::string text = refusal(f);
  EXPECT_THAT(text, AllOf(HasSubstr("[per_sample_jacobian]"), HasSubstr("output 0 of sample 0"),
                          HasSubstr("alone"), HasSubstr("batch of 4"), HasSubstr("use jacobian")));
  // As a sum over what was spread over the samples: every operation keeps them apart, the count comes in.
  EXPECT_THAT(
      refusal([](const Var& w, const Var& x) {
        const Var h = layer(w, x, 2);  // [n, 2]
        return sum(broadcast_to(reshape(h, Shape{1, x.size(0), 2}), Shape{x.size(0), x.size(0), 2}), 0);
      }),
      HasSubstr("alone"));
}

TEST(Refused, BranchesOnTheDataThatTheBatchAndTheSampleTakeDifferently) {
  const Tensor w = weights();
  const Tensor x{{-1.0, 0.5, 0.2},
                 {5.0, 1.0, -0.3}};  // the first sample's mean is negative, the batch's is not
  const auto f = [](const Var& wv, const Var& xv) {
    const Var h = layer(wv, xv, 2);
    return mean(xv).item() > 0.0 ? h : 2.0 * h;
  };
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(f, w, x); }),
              AllOf(HasSubstr("alone"), HasSubstr("mixes samples where the record cannot show it")));
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(f, w, x, {.wrt = Wrt::inputs}); }),
              HasSubstr("alone"));
}

/// Rows by the definition.
Tensor alone(const Function& f, const Tensor& w, const Tensor& x) {
  std::vector<Var> rows;
  for (Index i = 0; i < x.size(0); ++i) {
    const Tensor j = jacobian([&](const Var& at) { return f(at, Var(x.rows(i, i + 1))); }, w);
    rows.emplace_back(j.reshape(Shape{j.size() / w.size(), w.size()}));
  }
  return concat(rows, 0).value();
}

// The record does not show values taken out of it; the values of f may not betray them either, its gradients
// do: then each row is taken by itself.
TEST(Refused, StatisticsTakenOffTheRecord) {
  const Tensor w = Tensor::from(std::vector<double>(64, 0.0), Shape{64});
  const Tensor v = weights(), x = samples();
  const auto hidden = [](const Var& wv, const Var& xv) {
    const Var h = linear(xv, view(wv, 0, Shape{2, kIn}));
    const Var scale = detach(mean(square(xv)));  // another one for a sample alone
    return linear(h * scale, view(wv, 6, Shape{1, 2}));
  };
  std::vector<double> mixed(v.data().begin(), v.data().end());
  mixed[6] = mixed[7] = 0.0;  // f is 0 whatever the scale
  const Tensor zero_head = Tensor::from(mixed, Shape{64});
  for (const Wrt wrt : {Wrt::params, Wrt::inputs})
    EXPECT_NO_THROW(per_sample_jacobian(hidden, w, x, {.wrt = wrt})) << "all gradients by this w are 0";
  test::expect_close(per_sample_jacobian(hidden, zero_head, x).matrix(), alone(hidden, zero_head, x), 1e-14);
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(hidden, v, x); }), HasSubstr("alone but"));
}

TEST(Refused, MixingHiddenBehindOutputsThatAreNotFiniteOrOfUnlikeSize) {
  const auto scaled_by_mean = [](const Var& wv, const Var& xv) {
    return linear(xv, view(wv, 0, Shape{1, 2})) * mean(slice(xv, 1, 1, 2)).item();
  };
  const Tensor w{1, 2};
  const Tensor infinite{{1, 2}, {HUGE_VAL, 1}, {3, 4}};
  EXPECT_THAT(error_of<TapeError>([&] { per_sample_jacobian(scaled_by_mean, w, infinite); }),
              HasSubstr("alone but"));
  const auto unlike = [&](const Var& wv, const Var& xv) {
    return concat({scaled_by_mean(wv, xv), 1e12 * linear(xv, view(wv, 0, Shape{1, 2}))}, 1);
  };
  EXPECT_THAT(error_of<TapeError>([&] {
                per_sample_jacobian(unlike, w, Tensor{{1, 2}, {5, 1}, {3, 4}});
              }),
              HasSubstr("alone but"));
  // The middle sample is looked at as well.
  const auto middle = [](const Var& wv, const Var& xv) {
    const Var y = linear(xv, view(wv, 0, Shape{1, 2}));
    if (xv.size(0) < 3) return y;
    return y + Tensor{{0.0}, {1.0}, {0.0}};
  };
  EXPECT_THAT(error_of<TapeError>([&] {
                per_sample_jacobian(middle, w, Tensor{{1, 2}, {5, 1}, {3, 4}});
              }),
              HasSubstr("sample 1"));
}

// Rounding alone may put a pre-activation on either side of a kink; that is no mixing.
TEST(Refused, NotAKinkHitByRounding) {
  Rng rng(5);
  const Index n = 64, d = 40;
  const Tensor w = rng.normal(Shape{2 * d});
  const auto part = [](const Var& v, Index k) { return view(v, k * d, Shape{d, 1}); };
  // Each sample minus its projection on the first part: pre-activations are rounding errors of either sign.
  Tensor x = rng.normal(Shape{n, d});
  const Var p = part(w, 0);
  x = (Var(x) - matmul(matmul(x, p), p, {.transpose_b = true}) / dot(p, p).item()).value();
  const auto f = [&](const Var& v, const Var& xv) {
    return leaky_relu(matmul(xv, part(v, 0)), 0.1) + matmul(xv, part(v, 1));
  };
  EXPECT_NO_THROW(per_sample_jacobian(f, w, x));
  EXPECT_NO_THROW(per_sample_jacobian(f, w, x, {.wrt = Wrt::inputs}));
}

// The values are those of the sample alone, the gradients in a batch are not.
TEST(Refused, NotWhatOnlyTheGradientsBetray) {
  const Tensor w{1.0}, x = Tensor::ones(Shape{5, 1});
  const auto half = [](const Var& v, const Var& xv) {
    const Var h = matmul(xv, reshape(v, Shape{1, 1}));
    return xv.size(0) > 1 ? 0.5 * h + 0.5 * detach(h) : h;
  };
  const Tensor ones = Tensor::ones(Shape{5, 1});
  test::expect_close(per_sample_jacobian(half, w, x).matrix(), ones, 0.0);
  test::expect_close(per_sample_jacobian(half, w, x, {.wrt = Wrt::inputs}).matrix(), ones, 0.0);
  test::expect_close(per_sample_jacobian(half, w, x, {.memory = 1 << 20}).matrix(), ones, 0.0);
}

// All of a few samples are looked at, and of many the first, the middle one and the last.
TEST(Refused, OneSampleTreatedUnlikeTheOthers) {
  const Tensor w{1.0, 2.0};
  const auto expect_refused = [&](Index n, Index special) {
    const auto f = [=](const Var& v, const Var& xv) {
      const Var y = matmul(xv, reshape(v, Shape{2, 1}));
      if (xv.size(0) == 1) return y;
      return y + test::tensor_by(y.shape(), [&](Index k) { return k == special ? 1.0 : 0.0; });
    };
    EXPECT_THAT(error_of<TapeError>([&] {
                  per_sample_jacobian(f, w, Rng(3).normal(Shape{n, 2}));
                }),
                HasSubstr("of sample " + std::to_string(special) + " is"))
        << n;
  };
  for (const Index n : {5, 8})
    for (Index special = 0; special < n; ++special) expect_refused(n, special);
  for (const Index n : {9, 100, 1000})
    for (const Index special : {Index{0}, n / 2, n - 1}) expect_refused(n, special);
}

// One sample has nothing to be mixed with.
TEST(Refused, NothingOfOneSample) {
  const Tensor w = weights(), one = samples().rows(0, 1);
  const std::vector<Function> functions{[](const Var& v, const Var& x) {
                                          const Var h = layer(v, x, 2);
                                          return exp(h - broadcast_to(log_sum_exp(h, 0), h.shape())) * h;
                                        },
                                        [](const Var& v, const Var& x) {
                                          const Var h = layer(v, x, 2);
                                          return matmul(h, h, {.transpose_b = true});
                                        },
                                        [](const Var& v, const Var& x) {
                                          return flatten(linear(layer(v, x, 2), view(v, 20, Shape{1, 2})));
                                        },
                                        [](const Var& v, const Var& x) {
                                          const Var h = flatten(layer(v, x, 2));
                                          return reshape(dot(h, h), Shape{1});
                                        },
                                        [](const Var& v, const Var& x) {
                                          return layer(v, x, 2) + view(v, 20, Shape{1, 2});
                                        }};
  for (const Function& f : functions) {
    test::expect_close(per_sample_jacobian(f, w, one).matrix(), alone(f, w, one), 1e-14);
    const Tensor by_inputs = jacobian([&](const Var& x) { return f(Var(w), x); }, one);
    test::expect_close(per_sample_jacobian(f, w, one, {.wrt = Wrt::inputs}).matrix(),
                       by_inputs.reshape(Shape{by_inputs.size() / kIn, kIn}), 1e-14);
  }
}

TEST(Refused, ParametersOfTheSamplesOwn) {
  const auto f = [](const Var& w, const Var& x) { return layer(w, x, 2) + view(w, 20, Shape{kN, 2}); };
  EXPECT_THAT(refusal(f), AllOf(HasSubstr("[add]"), HasSubstr("[4, 2]"), HasSubstr("parameters of their own"),
                                HasSubstr("broadcast_to or a row operation")));
  EXPECT_THAT(
      refusal([](const Var& w, const Var& x) { return scale_rows(layer(w, x, 2), view(w, 3, Shape{kN})); }),
      AllOf(HasSubstr("[scale_rows]"), HasSubstr("[4]")));
  EXPECT_THAT(refusal([](const Var& w, const Var& x) {
                return layer(w, x, 2) * exp(view(w, 20, Shape{kN, 2}));
              }),
              AllOf(HasSubstr("[exp]"), HasSubstr("parameters of their own")));
  EXPECT_THAT(refusal([](const Var& w, const Var&) {
                return view(w, 0, Shape{kN, 2});
              }),
              HasSubstr("use jacobian"));
}

TEST(Refused, ResultsThatAreNotOneRowASample) {
  const Tensor w = weights(), x = samples();
  const auto shape_error = [&](const Function& f, Wrt wrt) {
    return error_of<ShapeError>([&] { per_sample_jacobian(f, w, x, {.wrt = wrt}); });
  };
  for (const Wrt wrt : {Wrt::params, Wrt::inputs}) {
    EXPECT_THAT(shape_error([](const Var& v, const Var& z) { return sum(layer(v, z, 2)); }, wrt),
                AllOf(HasSubstr("[per_sample_jacobian]"), HasSubstr("returned []"), HasSubstr("4 samples"),
                      HasSubstr("[4, ...]"), HasSubstr("[sum] mixes samples")));
    EXPECT_THAT(shape_error([](const Var& v, const Var& z) { return transpose(layer(v, z, 2)); }, wrt),
                AllOf(HasSubstr("returned [2, 4]"), HasSubstr("[4, ...]")));
    EXPECT_THAT(shape_error([](const Var& v, const Var& z) { return slice(layer(v, z, 2), 0, 0, 3); }, wrt),
                AllOf(HasSubstr("returned [3, 2]"), HasSubstr("[slice] mixes samples")));
    EXPECT_THAT(shape_error([](const Var&, const Var&) { return Var(1.0); }, wrt), HasSubstr("returned []"));
  }
  // A captured X does not change with the batch.
  EXPECT_THAT(
      shape_error([&](const Var& v, const Var&) { return layer(v, x, 2); }, Wrt::params),
      AllOf(HasSubstr("returned [4, 2]"), HasSubstr("for 1 samples"), HasSubstr("sample 0 of 4 alone")));
}

TEST(Refused, VariablesOfOtherTapes) {
  Tape tape;
  const Var other = tape.input(Tensor::ones(Shape{kN, 2}));
  EXPECT_THAT(refusal([&](const Var&, const Var&) { return other * 2.0; }),
              AllOf(HasSubstr("[per_sample_jacobian]"), HasSubstr("another tape")));
  EXPECT_THAT(refusal([&](const Var& w, const Var& x) { return layer(w, x, 2) * other; }),
              HasSubstr("two different tapes"));
}

TEST(Refused, NoSamplesAndNoFlatVector) {
  const Tensor w = weights();
  const auto f = [](const Var& v, const Var& z) { return layer(v, z, 2); };
  for (const Wrt wrt : {Wrt::params, Wrt::inputs}) {
    EXPECT_THAT(error_of<ShapeError>([&] {
                  per_sample_jacobian(f, w, Tensor::zeros(Shape{0, 3}), {.wrt = wrt});
                }),
                AllOf(HasSubstr("X is [0, 3]"), HasSubstr("at least one sample")));
    EXPECT_THAT(error_of<ShapeError>([&] { per_sample_jacobian(f, w, Tensor::scalar(1.0), {.wrt = wrt}); }),
                AllOf(HasSubstr("X is []"), HasSubstr("axis 0")));
  }
  EXPECT_THAT(error_of<ShapeError>([&] {
                per_sample_jacobian(f, Tensor::zeros(Shape{2, 3}), samples());
              }),
              AllOf(HasSubstr("w is [2, 3]"), HasSubstr("[P], or Params")));
}

}  // namespace
}  // namespace cotangent
