// per_sample_jacobian against a loop over single samples, for every way in which parameters meet the data, at
// batch sizes that coincide with the width and the number of outputs.
#include "autodiff/samples/sweep.hpp"

#include <cmath>

#include "autodiff/jacobian.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/rng.hpp"
#include "autodiff/transforms.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::expect_close;

constexpr Index kParams = 40;
constexpr Index kWidth = 3;  // also the number of inputs and of outputs

struct Model {
  const char* name;
  std::function<Var(const Var&, const Var&)> f;
};

Var matrix(const Var& w, Index offset) { return view(w, offset, Shape{kWidth, kWidth}); }
Var vector(const Var& w, Index offset) { return view(w, offset, Shape{kWidth}); }
Var row(const Var& w, Index offset) { return view(w, offset, Shape{1, kWidth}); }
Shape batch(const Var& x) { return Shape{x.size(0), kWidth}; }

const std::vector<Model> kStructured{
    {"linear without bias", [](const Var& w, const Var& x) { return linear(x, matrix(w, 0)); }},
    {"linear", [](const Var& w, const Var& x) { return linear(x, matrix(w, 0), vector(w, 9)); }},
    {"one output", [](const Var& w, const Var& x) { return linear(x, row(w, 4), view(w, 7, Shape{1})); }},
    {"two outputs",
     [](const Var& w, const Var& x) {
       return linear(x, view(w, 4, Shape{2, 3}), view(w, 10, Shape{2}));
     }},
    {"two layers",
     [](const Var& w, const Var& x) {
       const Var h = leaky_relu(linear(x, matrix(w, 0), vector(w, 9)), 0.1);
       return linear(h, matrix(w, 12), vector(w, 21));
     }},
    {"a narrow and a wide layer",
     [](const Var& w, const Var& x) {
       const Var h = tanh(linear(x, view(w, 0, Shape{5, 3}), view(w, 15, Shape{5})));
       return linear(h, view(w, 20, Shape{2, 5}));
     }},
    {"one layer used twice",
     [](const Var& w, const Var& x) {
       const Var h = tanh(linear(x, matrix(w, 0), vector(w, 9)));
       return linear(h, matrix(w, 0), vector(w, 9));
     }},
    {"one weight as W and as its transpose",
     [](const Var& w, const Var& x) {
       return matmul(tanh(linear(x, view(w, 0, Shape{5, 3}))), view(w, 0, Shape{5, 3}));
     }},
    {"one square weight as W, W^T and W again",
     [](const Var& w, const Var& x) {
       const Var h = tanh(linear(x, matrix(w, 2)));
       return matmul(sin(matmul(h, matrix(w, 2))), matrix(w, 2));
     }},
    {"one slice as two shapes",
     [](const Var& w, const Var& x) {
       const Var h = tanh(linear(x, view(w, 0, Shape{2, 3})));
       return linear(h, view(w, 0, Shape{3, 2}), vector(w, 6));
     }},
    {"one slice as weight and as bias",
     [](const Var& w, const Var& x) { return add_rows(mul_rows(tanh(x), vector(w, 1)), vector(w, 1)); }},
    {"NTK scales",
     [](const Var& w, const Var& x) {
       const Var h = softplus(linear(x, matrix(w, 0), vector(w, 9), {.weight = 0.57, .bias = 0.1}));
       return linear(h, matrix(w, 12), vector(w, 21), {.weight = 0.3, .bias = -2.0});
     }},
    {"matmul, weight on the right",
     [](const Var& w, const Var& x) { return matmul(x, matrix(w, 0), {.scale = -0.5}); }},
    {"matmul, weight transposed on the right",
     [](const Var& w, const Var& x) {
       return matmul(x, view(w, 0, Shape{2, 3}), {.transpose_b = true});
     }},
    {"matmul, data transposed, weight on the right",
     [](const Var& w, const Var& x) {
       return matmul(transpose(x), view(w, 0, Shape{3, 2}), {.transpose_a = true, .scale = 2.0});
     }},
    {"matmul, both transposed, weight on the right",
     [](const Var& w, const Var& x) {
       return matmul(transpose(x), view(w, 0, Shape{2, 3}), {.transpose_a = true, .transpose_b = true});
     }},
    {"matmul, weight on the left",
     [](const Var& w, const Var& x) {
       return transpose(matmul(view(w, 0, Shape{2, 3}), transpose(x)));
     }},
    {"matmul, weight transposed on the left",
     [](const Var& w, const Var& x) {
       return transpose(matmul(view(w, 0, Shape{3, 2}), transpose(x), {.transpose_a = true, .scale = -1.5}));
     }},
    {"matmul, weight on the left, data transposed by the product",
     [](const Var& w, const Var& x) {
       return transpose(matmul(view(w, 0, Shape{2, 3}), x, {.transpose_b = true, .scale = 0.7}));
     }},
    {"matmul, everything transposed, weight on the left",
     [](const Var& w, const Var& x) {
       return transpose(matmul(matrix(w, 0), x, {.transpose_a = true, .transpose_b = true}));
     }},
    {"a hidden layer kept as columns",
     [](const Var& w, const Var& x) {
       const Var h = tanh(matmul(view(w, 0, Shape{4, 3}), x, {.transpose_b = true}));  // [4, n]
       return matmul(h, view(w, 12, Shape{4, 2}), {.transpose_a = true});
     }},
    {"mul_rows and add_rows",
     [](const Var& w, const Var& x) { return add_rows(mul_rows(sin(x), vector(w, 0)), vector(w, 3)); }},
    {"a bias by broadcast_to",
     [](const Var& w, const Var& x) { return exp(x) + broadcast_to(vector(w, 5), batch(x)); }},
    {"a bias of shape [1, k] by broadcast_to",
     [](const Var& w, const Var& x) { return sin(x + broadcast_to(row(w, 5), batch(x))); }},
    {"a number for all by broadcast_to",
     [](const Var& w, const Var& x) { return x * broadcast_to(view(w, 3, Shape{}), batch(x)); }},
    {"a scale for all by broadcast_to of [1, 1]",
     [](const Var& w, const Var& x) {
       return x * broadcast_to(view(w, 3, Shape{1, 1}), batch(x));
     }},
    {"outputs [n] by a sum",
     [](const Var& w, const Var& x) { return sum(tanh(linear(x, matrix(w, 0), vector(w, 9))), 1); }},
    {"outputs [n] by a reshape",
     [](const Var& w, const Var& x) { return reshape(linear(x, row(w, 4)), Shape{x.size(0)}); }},
    {"outputs [n, 2, 2]",
     [](const Var& w, const Var& x) {
       return reshape(linear(x, view(w, 0, Shape{4, 3})), Shape{x.size(0), 2, 2});
     }},
    {"a skip connection",
     [](const Var& w, const Var& x) {
       return linear(concat({tanh(linear(x, matrix(w, 0))), x}, 1), view(w, 9, Shape{2, 6}));
     }},
    {"halves of the features",
     [](const Var& w, const Var& x) {
       const Var h = linear(x, view(w, 0, Shape{4, 3}));
       return slice(h, 1, 0, 2) * sigmoid(slice(h, 1, 2, 4));
     }},
    {"log of softmax over the outputs",
     [](const Var& w, const Var& x) {
       const Var h = linear(x, matrix(w, 0), vector(w, 9));
       return h - broadcast_to(reshape(log_sum_exp(h, 1), Shape{x.size(0), 1}), batch(x));
     }},
    {"rows normalised to length 1",
     [](const Var& w, const Var& x) {
       const Var h = linear(x, matrix(w, 0), vector(w, 9));
       return scale_rows(h, 1.0 / sqrt(1.0 + sum(square(h), 1)));
     }},
    {"numbers of the samples' own, samples along columns",
     [](const Var& w, const Var& x) {
       const Var h = linear(x, matrix(w, 0), vector(w, 9));
       const Var columns = mul_rows(add_rows(transpose(h), sum(x, 1)), sin(sum(h, 1)));  // [k, n]
       return transpose(columns);
     }},
    {"blocks of features summed",
     [](const Var& w, const Var& x) {
       return mean(reshape(linear(x, view(w, 0, Shape{6, 3})), Shape{x.size(0), 2, 3}), 1);
     }},
    {"axes swapped and swapped back",
     [](const Var& w, const Var& x) {
       const Var h =
           transpose(reshape(linear(x, view(w, 0, Shape{4, 3})), Shape{x.size(0), 2, 2}), {1, 2, 0});
       return transpose(square(h), {2, 0, 1});
     }},
    {"one feature as a column, and the whole of it sliced",  // [1, 1] for a single sample: axes look alike
     [](const Var& w, const Var& x) {
       const Var h = transpose(linear(x, row(w, 4)));  // [1, n]
       return transpose(tanh(h) * slice(h, 0, 0, 1));
     }},
    {"a slice of a slice",
     [](const Var& w, const Var& x) {
       const Var layer = slice(w, 0, 5, 20);
       return linear(x, view(layer, 2, Shape{2, 3}), slice(layer, 0, 8, 10));
     }},
    {"constants of every kind",
     [](const Var& w, const Var& x) {
       const Tensor a{{1.0, -1.0, 0.5}, {2.0, 0.0, 1.0}, {0.3, 0.2, 0.1}};
       return 2.0 * add_rows(linear(matmul(x, a), matrix(w, 0)), Tensor{1.0, 2.0, 3.0}) / 3.0 - 1.0;
     }},
    {"a scalar multiplier", [](const Var& w, const Var& x) { return view(w, 3, Shape{}) * x; }},
    {"a scalar multiplier of a layer",
     [](const Var& w, const Var& x) { return linear(tanh(x), matrix(w, 0)) * view(w, 12, Shape{}); }},
    {"a scalar divisor and a scalar bias",
     [](const Var& w, const Var& x) { return x / view(w, 3, Shape{}) + view(w, 4, Shape{}); }},
    {"a scalar less the data, and the data less a scalar",
     [](const Var& w, const Var& x) {
       return (view(w, 3, Shape{}) - x) * linear(x, matrix(w, 4)) - view(w, 13, Shape{});
     }},
    {"a scalar divided by each number",
     [](const Var& w, const Var& x) { return view(w, 3, Shape{}) / exp(x); }},
    {"a scalar multiplier, samples along columns",
     [](const Var& w, const Var& x) { return transpose(view(w, 3, Shape{}) * sin(transpose(x))); }},
    {"not a function of the samples",
     [](const Var& w, const Var& x) { return broadcast_to(vector(w, 0), batch(x)); }},
    {"not a function of the parameters", [](const Var&, const Var& x) { return square(x); }},
    {"the samples themselves", [](const Var&, const Var& x) { return x; }},
};

const std::vector<Model> kSlow{
    {"W2 W1", [](const Var& w, const Var& x) { return linear(x, matmul(matrix(w, 9), matrix(w, 0))); }},
    {"a transposed weight", [](const Var& w, const Var& x) { return matmul(x, transpose(matrix(w, 0))); }},
    {"normalised weights",
     [](const Var& w, const Var& x) {
       const Var v = matrix(w, 0);
       return linear(x, v / sqrt(sum(square(v))), vector(w, 9));
     }},
    {"weights of rows normalised",
     [](const Var& w, const Var& x) {
       const Var v = matrix(w, 0);
       return linear(x, scale_rows(v, 1.0 / sqrt(sum(square(v), 1))));
     }},
    {"positive weights", [](const Var& w, const Var& x) { return linear(x, softplus(matrix(w, 0))); }},
    {"slices that overlap in part",
     [](const Var& w, const Var& x) { return linear(tanh(linear(x, matrix(w, 0))), matrix(w, 4)); }},
    {"a weight joined of two slices",
     [](const Var& w, const Var& x) {
       return linear(x, concat({row(w, 0), view(w, 6, Shape{2, 3})}, 0));
     }},
    {"the norm of all parameters",
     [](const Var& w, const Var& x) { return linear(x, matrix(w, 0)) * (1.0 + 0.1 * sum(square(w))); }},
    {"a tied and a free use of one weight",
     [](const Var& w, const Var& x) { return linear(tanh(linear(x, matrix(w, 0))), 2.0 * matrix(w, 0)); }},
    {"broadcast of a transformed parameter",
     [](const Var& w, const Var& x) { return x + broadcast_to(exp(vector(w, 0)), batch(x)); }},
    {"a number for each column, samples along columns",
     [](const Var& w, const Var& x) { return transpose(scale_rows(transpose(x), vector(w, 2))); }},
};

Tensor weights() { return Rng(31).normal(Shape{kParams}, 0.0, 0.7); }
Tensor samples(Index n) { return Rng(32).split("x").normal(Shape{n, kWidth}); }

/// Row (i, c) as the definition has it: the gradient of f(w, X[i:i+1])[c], one sample and one output at a
/// time.
Tensor by_single_samples(const Model& model, const Tensor& w, const Tensor& x, bool by_inputs) {
  std::vector<double> numbers;
  Index rows = 0;
  for (Index i = 0; i < x.size(0); ++i) {
    const Tensor sample = x.rows(i, i + 1);
    const Index outputs = model.f(Var(w), Var(sample)).size();
    for (Index c = 0; c < outputs; ++c, ++rows) {
      const auto output = [&](const Var& wv, const Var& xv) {
        const Var y = model.f(wv, xv);
        return slice(reshape(y, Shape{y.size()}), 0, c, c + 1);
      };
      const Tensor g = by_inputs ? grad([&](const Var& xv) { return output(w, xv); }, sample)
                                 : grad([&](const Var& wv) { return output(wv, sample); }, w);
      numbers.insert(numbers.end(), g.data().begin(), g.data().end());
    }
  }
  return Tensor::from(numbers, Shape{rows, static_cast<Index>(numbers.size()) / rows});
}

detail::SampleSweep sweep_of(const Model& model, const Tensor& w, const Tensor& x) {
  return detail::sweep_samples(detail::SampleSource::model(model.f, w, x, {{0, w.size(), 0}}));
}

constexpr Index kBatches[] = {1, 2, 3, 4, 7};

TEST(PerSampleJacobian, StructuredEqualsALoopOverSingleSamples) {
  const Tensor w = weights();
  for (const Model& model : kStructured) {
    for (const Index n : kBatches) {
      SCOPED_TRACE(std::string(model.name) + ", n = " + std::to_string(n));
      const Tensor x = samples(n);
      const Jacobian j = per_sample_jacobian(model.f, w, x);
      EXPECT_EQ(j.samples(), n);
      expect_close(j.matrix(), by_single_samples(model, w, x, false), 1e-12);
      EXPECT_EQ(sweep_of(model, w, x).slow_reason, "");
    }
  }
}

TEST(PerSampleJacobian, SlowPathEqualsALoopOverSingleSamples) {
  const Tensor w = weights();
  for (const Model& model : kSlow) {
    for (const Index n : kBatches) {
      SCOPED_TRACE(std::string(model.name) + ", n = " + std::to_string(n));
      const Tensor x = samples(n);
      expect_close(per_sample_jacobian(model.f, w, x).matrix(), by_single_samples(model, w, x, false), 1e-12);
      EXPECT_NE(sweep_of(model, w, x).slow_reason, "");
    }
  }
}

TEST(PerSampleJacobian, ByInputsEqualsALoopOverSingleSamples) {
  const Tensor w = weights();
  for (const auto* models : {&kStructured, &kSlow}) {
    for (const Model& model : *models) {
      for (const Index n : kBatches) {
        SCOPED_TRACE(std::string(model.name) + ", n = " + std::to_string(n));
        const Tensor x = samples(n);
        const Jacobian j = per_sample_jacobian(model.f, w, x, {.wrt = Wrt::inputs});
        expect_close(j.matrix(), by_single_samples(model, w, x, true), 1e-12);
      }
    }
  }
}

// A second opinion that uses no reverse mode at all.
TEST(PerSampleJacobian, AgreesWithDifferences) {
  const Tensor w = weights(), x = samples(4);
  for (const auto* models : {&kStructured, &kSlow}) {
    for (const Model& model : *models) {
      SCOPED_TRACE(model.name);
      const auto value = [&](const Tensor& at) { return model.f(Var(at), Var(x)).value(); };
      expect_close(per_sample_jacobian(model.f, w, x).matrix(), test::differences(value, w), 1e-7);
    }
  }
}

TEST(PerSampleJacobian, EverySubsetOfColumnsIsThatOfTheWhole) {
  const Tensor flat = weights(), x = samples(4);
  // Cut so that blocks agree with some models' slices, and cut through those of others.
  const std::vector<ParamEntry> table{{"0.weight", Shape{3, 3}, 0},
                                      {"0.bias", Shape{3}, 9},
                                      {"1.weight", Shape{3, 3}, 12},
                                      {"1.bias", Shape{3}, 21},
                                      {"rest", Shape{16}, 24}};
  const Params w(flat, table);
  const std::vector<std::vector<std::string>> choices{
      {"*"}, {"0.weight"}, {"*.bias"}, {"0.*"}, {"1.*", "0.bias"}, {"rest"}, {"?.weight"}};
  for (const auto* models : {&kStructured, &kSlow}) {
    for (const Model& model : *models) {
      const Jacobian whole = per_sample_jacobian(model.f, w, x);
      for (const auto& patterns : choices) {
        SCOPED_TRACE(std::string(model.name) + ", " + patterns[0]);
        const Jacobian part = per_sample_jacobian(model.f, w, x, {.params = patterns});
        Index column = 0;
        for (const ParamEntry& entry : part.columns()) {
          EXPECT_EQ(entry.offset, column);
          const ParamEntry& original = w.entry(entry.name);
          for (Index i = 0; i < whole.matrix().size(0); ++i)
            for (Index k = 0; k < entry.size(); ++k)
              EXPECT_NEAR(part.matrix()(i, column + k), whole.matrix()(i, original.offset + k), 1e-12);
          column += entry.size();
        }
        EXPECT_EQ(part.matrix().size(1), column);
      }
    }
  }
}

// Constant parameters may enter as they like: only the wanted ones need structure.
TEST(PerSampleJacobian, ChosenColumnsAreStructuredWhereTheOthersAreNot) {
  const Params w(
      {{"a", Rng(1).normal(Shape{3, 3})}, {"s", Tensor::scalar(0.7)}, {"b", Tensor{1.0, 2.0, 3.0}}});
  const auto f = [](const Var& v, const Var& x) {
    return exp(view(v, 9, Shape{})) * linear(x, matrix(v, 0), vector(v, 10));
  };
  std::vector<ParamEntry> chosen;
  const auto columns = detail::select_columns(w.table(), w.size(), {"a", "b"}, chosen);
  EXPECT_EQ(detail::sweep_samples(detail::SampleSource::model(f, w.flat(), samples(4), columns)).slow_reason,
            "");
  const auto all = detail::select_columns(w.table(), w.size(), {}, chosen);
  EXPECT_NE(detail::sweep_samples(detail::SampleSource::model(f, w.flat(), samples(4), all)).slow_reason, "");
}

TEST(PerSampleJacobian, SamplesOfHigherRank) {
  const Tensor w = weights(), x = Rng(7).normal(Shape{4, 2, 3});
  const auto f = [](const Var& wv, const Var& xv) {
    const Var flat = reshape(xv, Shape{xv.size(0), 6});
    return linear(tanh(linear(flat, view(wv, 0, Shape{4, 6}))), view(wv, 24, Shape{2, 4}));
  };
  const Model model{"images", f};
  expect_close(per_sample_jacobian(f, w, x).matrix(), by_single_samples(model, w, x, false), 1e-12);
  const Jacobian j = per_sample_jacobian(f, w, x, {.wrt = Wrt::inputs});
  expect_close(j.matrix(), by_single_samples(model, w, x, true), 1e-12);
  EXPECT_EQ(j.column_name(5), "x[1, 2]");
}

// J of a two-layer net by hand: d/dW_jk = a_j phi'(<w_j, x>) x_k.
TEST(PerSampleJacobian, ClosedFormOfALeakyReluNet) {
  constexpr Index m = 5, d = 3, n = 6;
  const Tensor w = Rng(3).normal(Shape{m * d}), a = Rng(4).normal(Shape{1, m}),
               x = Rng(5).normal(Shape{n, d});
  const Jacobian j = per_sample_jacobian(
      [&](const Var& wv, const Var& xv) {
        return linear(leaky_relu(linear(xv, view(wv, 0, Shape{m, d})), 0.1), a);
      },
      w, x);
  for (Index i = 0; i < n; ++i)
    for (Index r = 0; r < m; ++r) {
      double t = 0.0;
      for (Index k = 0; k < d; ++k) t += w(r * d + k) * x(i, k);
      for (Index k = 0; k < d; ++k)
        EXPECT_NEAR(j.matrix()(i, r * d + k), a(0, r) * (t >= 0.0 ? 1.0 : 0.1) * x(i, k), 1e-15);
    }
}

TEST(PerSampleJacobian, ManySamplesAtOnceCostNoStructure) {
  const Tensor w = weights(), x = samples(300);
  const Jacobian j = per_sample_jacobian(kStructured[4].f, w, x);
  expect_close(j.matrix(), by_single_samples(kStructured[4], w, x, false), 1e-12);
}

}  // namespace
}  // namespace cotangent
