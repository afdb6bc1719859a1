// Steps of optimizers beside the same arithmetic by hand: what the loop, its parts and the record cost.
#include <cblas.h>

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "benchmarks/support/paired.hpp"

namespace {

using namespace cotangent;
using bench::paired;

constexpr Index kSamples = 2000, kWidth = 50;

/// The order of an epoch, as the library draws it.
void shuffle(std::vector<Index>& order, Rng& rng) {
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t k = order.size(); k > 1; --k)
    std::swap(order[k - 1], order[static_cast<std::size_t>(rng.below(static_cast<Index>(k)))]);
}

double bare_dot(const double* a, const double* b) {
  double sum = 0.0;
  for (Index j = 0; j < kWidth; ++j) sum += a[j] * b[j];
  return sum;
}

// One epoch of SGD, batch 1, on (1/n) sum log(1 + exp(-y_i <x_i, w>)) + (lambda/2) |w|^2.
void sgd_logistic(benchmark::State& state) {
  constexpr double kLambda = 1e-3, kStep = 0.05;
  Rng rng(1);
  const Tensor x = rng.normal({kSamples, kWidth});
  const Tensor y = sign(slice(x, 1, 0, 1) + 0.3 * Var(rng.normal({kSamples, 1}))).value().reshape({kSamples});
  const auto f = optim::finite_sum(kSamples, [&](const Var& w, const optim::Batch& b) {
    return nn::logistic(matmul(b.rows(x), w), b.rows(y)) + (0.5 * kLambda) * dot(w, w);
  });
  const optim::Sgd sgd({.step = kStep, .batch = 1, .epochs = 1});
  const Tensor start = Tensor::zeros({kWidth});
  std::vector<Index> order(kSamples);
  paired(
      state,
      [&] {
        Rng draws(2);
        benchmark::DoNotOptimize(sgd.minimize(f, start, draws).value);
      },
      [&] {
        Rng draws(2);
        shuffle(order, draws);
        std::array<double, kWidth> w{};
        for (const Index i : order) {
          const double* row = x.data().data() + i * kWidth;
          const double label = y.flat(i);
          const double slope = -label / (1.0 + std::exp(label * bare_dot(row, w.data())));
          for (std::size_t j = 0; j < kWidth; ++j) w[j] -= kStep * (slope * row[j] + kLambda * w[j]);
        }
        benchmark::DoNotOptimize(w);
      });
}
BENCHMARK(sgd_logistic)->UseManualTime()->Unit(benchmark::kMicrosecond);

// n steps of SAGA on least squares.
void saga_least_squares(benchmark::State& state) {
  Rng rng(1);
  const optim::Problem a = optim::least_squares_problem(rng, {.samples = kSamples, .dimension = kWidth});
  const double step = 1e-4;
  const optim::Saga saga({.step = step, .epochs = 1});
  const Tensor x = rng.normal({kSamples, kWidth}), y = rng.normal({kSamples});
  std::vector<double> table(kSamples), mean(kWidth), w(kWidth);
  paired(
      state,
      [&] {
        Rng draws(2);
        benchmark::DoNotOptimize(saga.minimize(a.f, a.start, draws).value);
      },
      [&] {  // the first table is a pass of its own, as in the library
        Rng draws(2);
        std::fill(w.begin(), w.end(), 0.0);
        std::fill(mean.begin(), mean.end(), 0.0);
        for (Index i = 0; i < kSamples; ++i) {
          const double* row = x.data().data() + i * kWidth;
          table[static_cast<std::size_t>(i)] = bare_dot(row, w.data()) - y.flat(i);
          for (std::size_t j = 0; j < kWidth; ++j)
            mean[j] += table[static_cast<std::size_t>(i)] * row[j] / kSamples;
        }
        for (Index k = 0; k < kSamples; ++k) {
          const Index i = draws.below(kSamples);
          const double* row = x.data().data() + i * kWidth;
          const double slope = bare_dot(row, w.data()) - y.flat(i);
          const double change = slope - table[static_cast<std::size_t>(i)];
          table[static_cast<std::size_t>(i)] = slope;
          for (std::size_t j = 0; j < kWidth; ++j) {
            w[j] -= step * (change * row[j] + mean[j]);
            mean[j] += change * row[j] / kSamples;
          }
        }
        benchmark::DoNotOptimize(w.data());
      });
}
BENCHMARK(saga_least_squares)->UseManualTime()->Unit(benchmark::kMicrosecond);

// The loop alone: an estimator that knows the gradient already, beside a step and a norm.
class Known final : public optim::Estimator {
 public:
  Known(Params gradient, Index iterations) : gradient_(std::move(gradient)), iterations_(iterations) {}
  Index begin_epoch(const Params&) override { return iterations_; }
  optim::Estimate at(const Params&, Index) override {
    return {.value = 1.0, .gradient = gradient_, .batch = optim::Batch::all(1)};
  }

 private:
  Params gradient_;
  Index iterations_;
};

void loop_alone(benchmark::State& state) {
  constexpr Index kSteps = 10000;
  const Params w({{"w", Tensor::zeros({kWidth})}}), g({{"w", Tensor::ones({kWidth})}});
  const optim::Descent descent({.estimator = [&](const optim::Setting&) -> std::unique_ptr<optim::Estimator> {
                                  return std::make_unique<Known>(w.with(g.flat()), kSteps);
                                },
                                .step = 1e-9,
                                .epochs = 1});
  const auto f = optim::objective([](const Var& v) { return dot(v, v); });
  paired(
      state,
      [&] {
        Rng rng(1);
        benchmark::DoNotOptimize(descent.minimize(f, w, rng).iterations);
      },
      [&] {
        Params u = w;
        double sum = 0.0;
        for (Index k = 0; k < kSteps; ++k) {
          u = axpy(-1e-9, g, std::move(u));
          sum += norm(g);
        }
        benchmark::DoNotOptimize(sum);
      });
}
BENCHMARK(loop_alone)->UseManualTime()->Unit(benchmark::kMicrosecond);

// ---- a rule and its move, at the parameters of 32-256-256-1

constexpr Index kParameters = 74497;

/// What a rule is given, of a point and a gradient that change a little from step to step.
class Steps {
 public:
  explicit Steps(const optim::Choice<optim::Rule>& choice)
      : f_(optim::objective([](const Var& v) { return dot(v, v); })),
        oracle_(f_),
        rng_(3),
        w_({{"w", rng_.normal({kParameters})}}),
        gradient_(w_.with(rng_.normal({kParameters}))),
        rule_(choice({.name = "bench", .f = oracle_, .rng = rng_, .start = w_})) {}

  /// One step; a gradient that goes along with the point, as that of |w|^2 / 2 does.
  void step(double size) {
    const optim::At at{.iteration = iteration_++,
                       .w = w_,
                       .value = 1.0,
                       .gradient_norm = 1.0,
                       .batch = all_,
                       .exact = true,
                       .f = oracle_,
                       .stalled = stalled_};
    Params d = rule_->direction(at, gradient_);
    w_ = axpy(-size, d, std::move(w_));
    benchmark::DoNotOptimize(w_.flat().data().data());
  }
  void follow() { gradient_ = w_; }

 private:
  optim::Batch all_ = optim::Batch::all(1);
  optim::FiniteSum f_;
  optim::Oracle oracle_;
  Rng rng_;
  Params w_, gradient_;
  std::unique_ptr<optim::Rule> rule_;
  Index iteration_ = 0;
  bool stalled_ = false;
};

void adam_update(benchmark::State& state) {
  Steps ours(optim::adam());
  std::vector<double> w(kParameters, 0.1), g(kParameters, 0.3), m(kParameters), v(kParameters);
  double power1 = 1.0, power2 = 1.0;
  paired(
      state, [&] { ours.step(1e-3); },
      [&] {
        power1 *= 0.9, power2 *= 0.999;
        const double scale = 1.0 / (1.0 - power1), root = 1.0 / std::sqrt(1.0 - power2);
        for (std::size_t j = 0; j < kParameters; ++j) {
          m[j] = 0.9 * m[j] + 0.1 * g[j];
          v[j] = 0.999 * v[j] + 0.001 * g[j] * g[j];
          w[j] -= 1e-3 * scale * m[j] / (std::sqrt(v[j]) * root + 1e-8);
        }
        benchmark::DoNotOptimize(w.data());
      });
}
BENCHMARK(adam_update)->UseManualTime()->Unit(benchmark::kMicrosecond);

void lbfgs_direction(benchmark::State& state) {
  constexpr int kPairs = 10, kSize = static_cast<int>(kParameters);
  Steps ours(optim::lbfgs(kPairs));
  for (int k = 0; k < kPairs + 2; ++k) {
    ours.step(0.1);
    ours.follow();
  }
  std::vector<std::vector<double>> s(kPairs, std::vector<double>(kParameters, 0.01)), y = s;
  std::vector<double> d(kParameters, 1.0);
  paired(
      state,
      [&] {
        ours.step(0.1);
        ours.follow();
      },
      [&] {
        double sum = 0.0;
        for (std::size_t k = 0; k < kPairs; ++k) {
          sum += cblas_ddot(kSize, s[k].data(), 1, d.data(), 1);
          cblas_daxpy(kSize, 1e-9, y[k].data(), 1, d.data(), 1);
        }
        for (std::size_t k = 0; k < kPairs; ++k) {
          sum += cblas_ddot(kSize, y[k].data(), 1, d.data(), 1);
          cblas_daxpy(kSize, 1e-9, s[k].data(), 1, d.data(), 1);
        }
        benchmark::DoNotOptimize(sum);
      });
}
BENCHMARK(lbfgs_direction)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv); }
