// By numbers each rule takes the steps of the public operations in their order: the bits are theirs.
#include "nn/loss_rules.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/transcendental.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/ops/loss_node.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::nn {
namespace {

using cotangent::detail::average;
using cotangent::detail::log_softmax_slope;
using cotangent::detail::LossRule;
using cotangent::detail::mutable_data;
using cotangent::detail::uninitialized;

double sum(const double* x, Index n) { return kernel::loops().sum(x, n); }

/// As mean() has it: of numbers divided before where their sum alone is beyond the range of numbers.
double mean(double* x, Index n) {
  const auto count = static_cast<double>(n);
  const double total = sum(x, n);
  if (std::isfinite(total)) return total / count;
  const double by = std::ldexp(1.0, std::ilogb(count) + 1);
  for (Index i = 0; i < n; ++i) x[i] *= 1.0 / by;
  return by * (sum(x, n) / count);
}

/// What the pullback of a mean of n numbers gives each of them.
double share(double g, Index n) { return g / static_cast<double>(n); }

// ---- margin losses, by s = -y f: the numbers s become l, or h dl/ds

double relu_slope(double x, double h) { return x >= 0.0 ? h : x < 0.0 ? 0.0 : x; }

struct Hinge {
  static constexpr MarginLoss kLoss = MarginLoss::hinge;
  static void values(double* s, Index n) {
    for (Index i = 0; i < n; ++i) s[i] = 1.0 + s[i] < 0.0 ? 0.0 : 1.0 + s[i];
  }
  static void slopes(double* s, double h, Index n) {
    for (Index i = 0; i < n; ++i) s[i] = relu_slope(1.0 + s[i], h);
  }
  static Var slope(const Var& s) { return less_equal(-1.0, s); }
};

struct SquaredHinge {
  static constexpr MarginLoss kLoss = MarginLoss::squared_hinge;
  static void values(double* s, Index n) {
    Hinge::values(s, n);
    for (Index i = 0; i < n; ++i) s[i] *= s[i];
  }
  static void slopes(double* s, double h, Index n) {
    for (Index i = 0; i < n; ++i) s[i] = relu_slope(1.0 + s[i], 2.0 * (h * (1.0 + s[i])));
  }
  static Var slope(const Var& s) { return 2.0 * relu(1.0 + s); }
};

struct Exponential {
  static constexpr MarginLoss kLoss = MarginLoss::exponential;
  static void values(double* s, Index n) { kernel::transcendental().exp(s, s, n); }
  static void slopes(double* s, double h, Index n) {
    values(s, n);
    for (Index i = 0; i < n; ++i) s[i] = h * s[i];
  }
  static Var slope(const Var& s) { return exp(s); }
};

struct Logistic {
  static constexpr MarginLoss kLoss = MarginLoss::logistic;
  static void values(double* s, Index n) { kernel::transcendental().softplus(s, s, n); }
  static void slopes(double* s, double h, Index n) {
    kernel::transcendental().sigmoid(s, s, n);
    for (Index i = 0; i < n; ++i) s[i] = h * s[i];
  }
  static Var slope(const Var& s) { return sigmoid(s); }
};

void negated_margins(double* s, const Tensor& f, const Tensor& y) {
  for (Index i = 0, n = f.size(); i < n; ++i) s[i] = -(y.flat(i) * f.flat(i));
}

template <class Loss>
constexpr LossRule kMarginRule = {
    .by_operations = [](const Var& f, const Var& y) { return mean(facts(Loss::kLoss).elementwise(y * f)); },
    .slope = [](const Var& f, const Var& y) { return average(-(y * Loss::slope(-(y * f))), f.size()); },
    .value =
        [](const Tensor& f, const Tensor& y) {
          Tensor each = uninitialized(f.shape());
          double* l = mutable_data(each);
          negated_margins(l, f, y);
          Loss::values(l, f.size());
          return mean(l, f.size());
        },
    .pull_back =
        [](double* out, double g, const Tensor& f, const Tensor& y) {
          negated_margins(out, f, y);
          Loss::slopes(out, share(g, f.size()), f.size());
          for (Index i = 0, n = f.size(); i < n; ++i) out[i] = -out[i] * y.flat(i);
        },
};

// In the order of the losses.
constexpr std::array<const LossRule*, kMarginLosses.size()> kMarginRules = {
    &kMarginRule<Hinge>, &kMarginRule<SquaredHinge>, &kMarginRule<Exponential>, &kMarginRule<Logistic>};

// ---- squared differences: factor * (part * d)^2, for half a square may be a number where the square is none

double mean_square(double factor, double part, const Tensor& p, const Tensor& t) {
  Tensor each = uninitialized(p.shape());
  double* e = mutable_data(each);
  for (Index i = 0, n = p.size(); i < n; ++i) {
    const double d = part * (p.flat(i) - t.flat(i));
    e[i] = factor * (d * d);
  }
  return mean(e, p.size());
}

void mean_square_slope(double* out, double h, const Tensor& p, const Tensor& t) {
  for (Index i = 0, n = p.size(); i < n; ++i) out[i] = 2.0 * (h * (p.flat(i) - t.flat(i)));
}

}  // namespace

const LossRule& margin_rule(MarginLoss loss) noexcept {
  return *kMarginRules[static_cast<std::size_t>(loss)];
}

const LossRule kMseRule = {
    .by_operations = [](const Var& p, const Var& t) { return mean(square(p - t)); },
    .slope = [](const Var& p, const Var& t) { return 2.0 * average(p - t, p.size()); },
    .value = [](const Tensor& p, const Tensor& t) { return mean_square(1.0, 1.0, p, t); },
    .pull_back = [](double* out, double g, const Tensor& p,
                    const Tensor& t) { mean_square_slope(out, share(g, p.size()), p, t); },
};

const LossRule kHalfMseRule = {
    .by_operations = [](const Var& p, const Var& t) { return mean(2.0 * square(0.5 * (p - t))); },
    .slope = [](const Var& p, const Var& t) { return average(p - t, p.size()); },
    .value = [](const Tensor& p, const Tensor& t) { return mean_square(2.0, 0.5, p, t); },
    .pull_back = [](double* out, double g, const Tensor& p,
                    const Tensor& t) { mean_square_slope(out, 0.5 * share(g, p.size()), p, t); },
};

namespace {

// By logarithms of probabilities, for the difference of log sum exp and a logit, both large, is not
// precise. A class that cannot be (a logit of -inf) and is not, p = 0, costs nothing.
Var cross_entropy_by_operations(const Var& logits, const Var& p) {
  const Var log_s = log_softmax(logits, 1);
  const std::span<const double> each = log_s.value().data();
  const bool possible = std::all_of(each.begin(), each.end(), [](double v) { return std::isfinite(v); });
  return mean(-cotangent::sum(possible ? p * log_s : where(equal_to(p, 0.0), 0.0, p * log_s), 1));
}

}  // namespace

const LossRule kCrossEntropyRule = {
    .by_operations = cross_entropy_by_operations,
    .slope = [](const Var& logits,
                const Var& p) { return average(-log_softmax_slope(p, softmax(logits, 1), 1), p.size(0)); },
    .value = [](const Tensor& logits,
                const Tensor& p) { return cross_entropy_by_operations(logits, p).item(); },
    .pull_back =
        [](double* out, double g, const Tensor& logits, const Tensor& p) {
          const Tensor s = exp(log_softmax(logits, 1)).value();
          const Tensor by_class = (-share(g, p.size(0)) * Var(p)).value();
          const Tensor slope = log_softmax_slope(by_class, s, 1).value();
          std::copy(slope.data().begin(), slope.data().end(), out);
        },
};

}  // namespace cotangent::nn
