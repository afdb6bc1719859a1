// Problems and the linear algebra that says what is known of them.
#include "optim/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/lapack.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::optim {
namespace {

Params point(const Tensor& w) { return Params({{"w", w}}); }

Tensor transposed(const Tensor& a) { return transpose(Var(a)).value(); }

/// Orthonormal columns from a normal matrix [rows, columns], by Gram and Schmidt, twice.
Tensor orthonormal(Rng& rng, Index rows, Index columns) {
  const Tensor a = rng.normal({columns, rows});  // row j is column j
  std::vector<double> q(a.data().begin(), a.data().end());
  const auto column = [&](Index j) { return q.data() + j * rows; };
  const auto inner = [&](Index i, Index j) {
    double sum = 0.0;
    for (Index k = 0; k < rows; ++k) sum += column(i)[k] * column(j)[k];
    return sum;
  };
  for (Index j = 0; j < columns; ++j) {
    for (int twice = 0; twice < 2; ++twice)
      for (Index i = 0; i < j; ++i) {
        const double along = inner(i, j);
        for (Index k = 0; k < rows; ++k) column(j)[k] -= along * column(i)[k];
      }
    const double size = std::sqrt(inner(j, j));
    for (Index k = 0; k < rows; ++k) column(j)[k] /= size;
  }
  return transposed(Tensor::from(q, {columns, rows}));
}

/// |x_i|^2 of each row.
std::vector<double> row_squares(const Tensor& x) {
  std::vector<double> squares(static_cast<std::size_t>(x.size(0)));
  for (Index i = 0; i < x.size(0); ++i)
    for (Index j = 0; j < x.size(1); ++j) squares[static_cast<std::size_t>(i)] += x(i, j) * x(i, j);
  return squares;
}

/// The largest eigenvalue of (1/n) sum_i weight_i x_i x_i^T.
double largest_eigenvalue(const Tensor& x, const std::vector<double>& weights) {
  const Index n = x.size(0), d = x.size(1);
  std::vector<double> scaled(weights.size());
  for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] = weights[i] / static_cast<double>(n);
  const Var rows = Var(x) * broadcast_to(Tensor::from(scaled, {n, 1}), {n, d});
  const Tensor gram = matmul(x, rows, {.transpose_a = true}).value();
  std::vector<double> matrix(gram.data().begin(), gram.data().end()), values(static_cast<std::size_t>(d)),
      vectors(static_cast<std::size_t>(d * d));
  kernel::symmetric_eigen("Problem", matrix.data(), d, values.data(), vectors.data());
  return values.back();
}

double root_mean_square(const std::vector<double>& v) {
  double sum = 0.0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum / static_cast<double>(v.size()));
}

}  // namespace

Problem least_squares_problem(Rng& rng, const LeastSquaresOptions& o) {
  const Index n = o.samples, d = o.dimension;
  if (d < 2 || n < d || !(o.condition >= 1.0) || !std::isfinite(o.condition) || !(o.noise >= 0.0))
    throw DomainError(
        fmt::format("[least_squares_problem] {} samples in {} dimensions, condition {}, noise {}; give "
                    "n >= d >= 2, a finite condition of 1 or more, noise of 0 or more",
                    n, d, o.condition, o.noise));
  std::vector<double> scale;
  for (Index j = 0; j < d; ++j)
    scale.push_back(std::sqrt(static_cast<double>(n)) *
                    std::pow(o.condition, -0.5 * static_cast<double>(j) / static_cast<double>(d - 1)));
  const Tensor u = orthonormal(rng, n, d), v = orthonormal(rng, d, d);
  const Tensor x = matmul(u * broadcast_to(Tensor::from(scale, {1, d}), {n, d}), transposed(v)).value();
  const Tensor truth = rng.normal({d, 1}), e = rng.normal({n, 1});
  const Tensor y = reshape(matmul(x, truth) + o.noise * Var(e), {n}).value();
  // X^T X = n V diag(h) V^T, so that the minimiser is truth + V diag(h)^(-1/2) U^T e / sqrt(n).
  std::vector<double> inverse;
  for (const double s : scale) inverse.push_back(1.0 / s);
  const Var shift = matmul(v, Var(Tensor::from(inverse, {d, 1})) * matmul(transposed(u), o.noise * Var(e)));
  const Params best = point(reshape(truth + shift, {d}).value());

  Problem p{.name = o.noise > 0.0 ? "least squares" : "least squares, consistent",
            .f = finite_sum(n,
                            [x, y](const Var& w, const Batch& b) {
                              const Var r = matmul(b.rows(x), w) - b.rows(y);
                              return 0.5 * mean(square(r));
                            }),
            .start = point(Tensor::zeros({d}))};
  const std::vector<double> smoothnesses = row_squares(x);
  p.optimum = Known{o.noise > 0.0 ? p.f.value(best) : 0.0};
  p.smoothness = Known{1.0};
  p.component_smoothness = Known{*std::max_element(smoothnesses.begin(), smoothnesses.end())};
  p.mean_smoothness = Known{std::sqrt(largest_eigenvalue(x, smoothnesses))};
  p.mu = Known{1.0 / o.condition};
  p.nearest = [best](const Params& w) { return w.with(best.flat()); };
  return p;
}

Problem diagonal_quadratic(const Tensor& lambda, const Tensor& start) {
  if (lambda.rank() != 1 || !(lambda.shape() == start.shape()))
    throw ShapeError(
        fmt::format("[diagonal_quadratic] lambda is {}, the start {}; give two vectors of one size",
                    lambda.shape().to_string(), start.shape().to_string()));
  double least = HUGE_VAL, largest = 0.0;
  for (const double v : lambda.data()) {
    if (!(v > 0.0 && std::isfinite(v)))
      throw DomainError(fmt::format("[diagonal_quadratic] an eigenvalue is {}; give positive numbers", v));
    least = std::min(least, v);
    largest = std::max(largest, v);
  }
  Problem p{.name = "quadratic",
            .f = objective([lambda](const Var& w) { return 0.5 * dot(lambda, square(w)); }),
            .start = point(start)};
  p.optimum = Known{0.0};
  p.smoothness = p.component_smoothness = p.mean_smoothness = Known{largest};
  p.mu = Known{least};
  p.nearest = [](const Params& w) { return w.zeros_like(); };
  return p;
}

Problem rosenbrock_problem() {
  Problem p{.name = "Rosenbrock",
            .f = objective([](const Var& w) {
              const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
              return 0.5 * sum(square(1.0 - x)) + 50.0 * sum(square(y - square(x)));
            }),
            .start = point(Tensor{-1.2, 1.0})};
  p.optimum = Known{0.0};
  p.nearest = [](const Params& w) { return w.with(Tensor{1.0, 1.0}); };
  return p;
}

Problem parabolas(const Tensor& a, const Tensor& b, double start) {
  if (a.rank() != 1 || !(a.shape() == b.shape()) || a.size() == 0)
    throw ShapeError(fmt::format("[parabolas] a is {}, b is {}; give two vectors of one size",
                                 a.shape().to_string(), b.shape().to_string()));
  double sum = 0.0, moment = 0.0;
  const auto n = static_cast<double>(a.size());
  for (Index i = 0; i < a.size(); ++i) {
    if (!(a(i) > 0.0))
      throw DomainError(fmt::format("[parabolas] a({}) is {}; give positive numbers", i, a(i)));
    sum += a(i);
    moment += a(i) * b(i);
  }
  const Params best = point(Tensor{moment / sum});
  Problem p{.name = "parabolas",
            .f = finite_sum(a.size(),
                            [a, b](const Var& w, const Batch& batch) {
                              return 0.5 * mean(batch.rows(a) *
                                                square(broadcast_to(w, {batch.size()}) - batch.rows(b)));
                            }),
            .start = point(Tensor{start})};
  const std::vector<double> smoothnesses(a.data().begin(), a.data().end());
  p.optimum = Known{p.f.value(best)};
  p.smoothness = p.mu = Known{sum / n};
  p.component_smoothness = Known{*std::max_element(smoothnesses.begin(), smoothnesses.end())};
  p.mean_smoothness = Known{root_mean_square(smoothnesses)};
  p.nearest = [best](const Params& w) { return w.with(best.flat()); };
  return p;
}

Problem logistic_problem(const Tensor& x, const Tensor& y, double weight) {
  if (x.rank() != 2 || x.size() == 0 || !(y.shape() == Shape{x.size(0)}))
    throw ShapeError(fmt::format("[logistic_problem] X is {}, y is {}; give X [n, d] and y [n]",
                                 x.shape().to_string(), y.shape().to_string()));
  for (const double label : y.data())
    if (label != 1.0 && label != -1.0)
      throw DomainError(fmt::format("[logistic_problem] a label is {}; labels must be -1 or 1", label));
  if (!(weight > 0.0 && std::isfinite(weight)))
    throw DomainError(fmt::format("[logistic_problem] weight is {}; give a finite number above 0", weight));
  const Index n = x.size(0), d = x.size(1);
  Problem p{.name = "logistic regression",
            .f = finite_sum(n,
                            [x, y, weight](const Var& w, const Batch& b) {
                              const Var margin = b.rows(y) * matmul(b.rows(x), w);
                              return mean(softplus(-margin)) + 0.5 * weight * dot(w, w);
                            }),
            .start = point(Tensor::zeros({d}))};
  std::vector<double> smoothnesses = row_squares(x);
  for (double& s : smoothnesses) s = 0.25 * s + weight;
  p.optimum = Known{0.0, false};
  const std::vector<double> ones(static_cast<std::size_t>(n), 1.0);
  p.smoothness = Known{0.25 * largest_eigenvalue(x, ones) + weight};
  p.component_smoothness = Known{*std::max_element(smoothnesses.begin(), smoothnesses.end())};
  p.mean_smoothness = Known{root_mean_square(smoothnesses), false};
  p.mu = Known{weight, false};
  return p;
}

}  // namespace cotangent::optim
