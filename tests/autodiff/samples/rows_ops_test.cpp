// per_sample_jacobian and tangent kernels through comparisons, reductions, softmax, picking by position and
// batched products: structured, and equal to the derivatives of single samples; what mixes samples is refused
// by name.
#include <cmath>

#include "autodiff/autodiff.hpp"
#include "autodiff/samples/sweep.hpp"
#include "tests/support/expect.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using test::error_of;
using test::expect_close;
using testing::AllOf;
using testing::HasSubstr;

using Function = std::function<Var(const Var&, const Var&)>;

struct Model {
  const char* name;
  Function f;
};

constexpr Index kParams = 40;
constexpr Index kWidth = 3;

Var layer(const Var& w, const Var& x) {
  return linear(x, view(w, 0, Shape{kWidth, kWidth}), view(w, 9, Shape{kWidth}));
}
Var scalar(const Var& w, Index offset) { return view(w, offset, Shape{}); }

Tensor weights() { return Rng(31).normal(Shape{kParams}, 0.0, 0.7); }
Tensor samples(Index n) { return Rng(32).split("x").normal(Shape{n, kWidth}); }
/// The position of a parameter that can be a base.
Index first_positive() {
  const Tensor w = weights();
  Index k = 0;
  while (w(k) < 0.1) ++k;
  return k;
}

const std::vector<Model> kModels{
    {"abs, clip, pow, expm1, log1p",
     [](const Var& w, const Var& x) {
       return log1p(pow(abs(layer(w, x)), 1.5)) + expm1(clip(layer(w, x), -1.0, 0.5));
     }},
    {"maximum and minimum",
     [](const Var& w, const Var& x) { return maximum(layer(w, x), minimum(x, sin(x))); }},
    {"maximum with a scalar parameter on either side",
     [](const Var& w, const Var& x) {
       return maximum(scalar(w, 12), x) * maximum(layer(w, x), scalar(w, 13));
     }},
    {"minimum with a scalar parameter on either side",
     [](const Var& w, const Var& x) {
       return minimum(scalar(w, 12), x) + minimum(layer(w, x), scalar(w, 13));
     }},
    {"where between scalar parameters",
     [](const Var& w, const Var& x) {
       return where(less(layer(w, x), 0.1), scalar(w, 12), x * scalar(w, 13));
     }},
    {"where by a mask that is a parameter",
     [](const Var& w, const Var& x) { return where(scalar(w, 12), layer(w, x), scalar(w, 13)); }},
    {"masks with a scalar parameter",
     [](const Var& w, const Var& x) {
       const Var t = scalar(w, 14);
       return layer(w, x) *
                  (greater(x, t) + less(t, x) + greater_equal(x, t) + less_equal(x, t) + equal_to(x, t)) +
              sign(x);
     }},
    {"a power with a scalar parameter on either side",
     [](const Var& w, const Var& x) {
       return pow(1.5 + square(x), scalar(w, 12)) + pow(scalar(w, first_positive()), x);
     }},
    {"softmax", [](const Var& w, const Var& x) { return softmax(layer(w, x), 1); }},
    {"log_softmax", [](const Var& w, const Var& x) { return log_softmax(layer(w, x), 1); }},
    {"softmax along columns",
     [](const Var& w, const Var& x) { return transpose(softmax(transpose(layer(w, x)), 0)); }},
    {"max and min",
     [](const Var& w, const Var& x) { return max(layer(w, x), 1) - min(layer(w, x), {.axes = {1}}); }},
    {"several axes at once",
     [](const Var& w, const Var& x) {
       const Var h = reshape(linear(x, view(w, 0, Shape{12, 3})), Shape{x.size(0), 3, 2, 2});
       return sum(h, {.axes = {1, 3}}) + norm(h, {.axes = {2, 1}}) + log_sum_exp(h, {.axes = {1, 2}});
     }},
    {"variance and norms",
     [](const Var& w, const Var& x) {
       const Var h = layer(w, x);
       const ReduceOptions each{.axes = {1}, .keep_dims = true};
       return concat({variance(h, {.axes = {1}, .keep_dims = true, .ddof = 1}), mean(h, each),
                      norm(h, {.kind = Norm::one, .axes = {1}, .keep_dims = true}),
                      norm(h, {.kind = Norm::infinity, .axes = {1}, .keep_dims = true})},
                     1);
     }},
    {"stack, pad and flatten",
     [](const Var& w, const Var& x) {
       const Var h = stack({layer(w, x), sin(x)}, 1);  // [n, 2, 3]
       return flatten(pad(h, {.axis = 2, .before = 1, .value = 0.5}), 1);
     }},
    {"a table the samples choose from",
     [](const Var& w, const Var& x) {
       const Var index = 1.0 + sign(slice(x, 1, 0, 1));  // 0 or 2
       return gather_rows(view(w, 0, Shape{3, 4}), flatten(index));
     }},
    {"a table of numbers the samples choose from",
     [](const Var& w, const Var& x) {
       return gather_rows(view(w, 5, Shape{3}), flatten(1.0 + sign(slice(x, 1, 0, 1)))) * sum(x, 1);
     }},
    {"columns picked",
     [](const Var& w, const Var& x) {
       return transpose(gather_rows(transpose(layer(w, x)), Tensor{2, 0, 2, 1}));
     }},
    {"for each sample columns of its own",
     [](const Var& w, const Var& x) {
       const Var index = 1.0 + sign(slice(x, 1, 0, 2));
       return take_along_axis(layer(w, x), index, 1);
     }},
    {"columns added up by groups",
     [](const Var& w, const Var& x) {
       return transpose(scatter_rows(transpose(layer(w, x)), Tensor{1, 0, 1}, 2));
     }},
    {"a product a sample, by one repeated weight",
     [](const Var& w, const Var& x) {
       const Var features = stack({x, sin(x)}, 1);  // [n, 2, 3]
       const Var weight = broadcast_to(view(w, 0, Shape{3, 4}), Shape{x.size(0), 3, 4});
       return flatten(batch_matmul(features, weight), 1);
     }},
    {"attention within a sample",
     [](const Var& w, const Var& x) {
       const Var h = reshape(linear(x, view(w, 0, Shape{6, 3})), Shape{x.size(0), 3, 2});
       const Var scores = batch_matmul(h, h, {.transpose_b = true, .scale = 0.7});  // [n, 3, 3]
       return flatten(batch_matmul(softmax(scores, 2), h), 1);
     }},
    {"triangles within a sample",
     [](const Var& w, const Var& x) {
       const Var h = reshape(linear(x, view(w, 0, Shape{4, 3})), Shape{x.size(0), 2, 2});
       return flatten(lower_triangle(h) + upper_triangle(sin(h), 1), 1);
     }},
};

/// The derivatives of sample i alone.
Tensor single(const Function& f, const Tensor& w, const Tensor& x, Index i, bool by_inputs) {
  const Tensor sample = x.rows(i, i + 1);
  const Tensor j = by_inputs ? jacobian([&](const Var& v) { return f(w, v); }, sample)
                             : jacobian([&](const Var& v) { return f(v, sample); }, w);
  const Index columns = by_inputs ? sample.size() : w.size();
  return j.reshape(Shape{j.size() / columns, columns});
}

TEST(RowsOfMoreOperations, EqualTheDerivativesOfSingleSamples) {
  const Tensor w = weights();
  for (const Model& model : kModels) {
    for (const Index n : {1, 2, 3, 5}) {
      SCOPED_TRACE(std::string(model.name) + ", n = " + std::to_string(n));
      const Tensor x = samples(n);
      const Jacobian by_w = per_sample_jacobian(model.f, w, x);
      const Jacobian by_x = per_sample_jacobian(model.f, w, x, {.wrt = Wrt::inputs});
      const Index c = by_w.outputs();
      for (Index i = 0; i < n; ++i) {
        expect_close(by_w.matrix().rows(i * c, (i + 1) * c), single(model.f, w, x, i, false), 1e-12);
        expect_close(by_x.matrix().rows(i * c, (i + 1) * c), single(model.f, w, x, i, true), 1e-12);
      }
    }
  }
}

TEST(RowsOfMoreOperations, AreStructuredAndSoAreTheirKernels) {
  const Tensor w = weights(), x = samples(5);
  const Params params(w, {{"all", Shape{kParams}, 0}});
  for (const Model& model : kModels) {
    SCOPED_TRACE(model.name);
    if (std::string(model.name) == "several axes at once")
      continue;  // outer makes the samples' axis a product
    EXPECT_EQ(
        detail::sweep_samples(detail::SampleSource::model(model.f, w, x, {{0, kParams, 0}})).slow_reason, "");
    const Tensor j = per_sample_jacobian(model.f, w, x).matrix();
    const auto k = theory::tangent_kernel(model.f, params, x, {.method = theory::KernelMethod::structured});
    EXPECT_EQ(k.method(), theory::KernelMethod::structured);
    expect_close(k.matrix(), matmul(j, j, {.transpose_b = true}).value(), 1e-11);
  }
}

TEST(RowsOfMoreOperations, WhatMixesSamplesIsRefusedByName) {
  const std::vector<std::pair<const char*, Function>> mixing{
      {"softmax", [](const Var& w, const Var& x) { return softmax(layer(w, x), 0); }},
      {"log_softmax", [](const Var& w, const Var& x) { return log_softmax(layer(w, x), 0); }},
      {"max", [](const Var& w, const Var& x) { return layer(w, x) - broadcast_to(max(x, 0), x.shape()); }},
      {"min", [](const Var& w, const Var& x) { return layer(w, x) - broadcast_to(min(x, 0), x.shape()); }},
      {"norm_axis",
       [](const Var& w, const Var& x) {
         return layer(w, x) / norm(x, {.axes = {0}, .keep_dims = true}).value()(0, 0) +
                broadcast_to(norm(x, {.axes = {0}}), x.shape());
       }},
      {"gather_rows",
       [](const Var& w, const Var& x) {
         return gather_rows(layer(w, x), Tensor{3, 2, 1, 0});
       }},
      {"scatter_rows",
       [](const Var& w, const Var& x) {
         return scatter_rows(layer(w, x), Tensor{0, 1, 1, 2}, 4);
       }},
      {"take_along_axis",
       [](const Var& w, const Var& x) {
         return take_along_axis(layer(w, x), Tensor::zeros(Shape{4, 3}), 0);
       }},
      {"solve_spd", [](const Var& w, const Var& x) { return solve_spd(Tensor::eye(4), layer(w, x)); }},
      {"batch_matmul",
       [](const Var& w, const Var& x) {
         const Var h = reshape(layer(w, x), Shape{1, x.size(0), kWidth});
         return reshape(batch_matmul(batch_matmul(h, h, {.transpose_b = true}), h), x.shape());
       }},
  };
  for (const auto& [name, f] : mixing) {
    const std::string text =
        error_of<std::runtime_error>([&, &g = f] { per_sample_jacobian(g, weights(), samples(4)); });
    EXPECT_THAT(text,
                AllOf(HasSubstr("[" + std::string(name) + "] mixes samples"), HasSubstr("use jacobian")));
  }
}

}  // namespace
}  // namespace cotangent
