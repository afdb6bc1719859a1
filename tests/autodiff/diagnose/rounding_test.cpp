// rounding_bound against enclosures: no error is larger than its bound, but where a difference is lost.
#include "autodiff/rounding.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "autodiff/tape/op_spec.hpp"
#include "enclose/enclose.hpp"
#include "nn/nn.hpp"
#include "tests/support/op_table.hpp"

namespace cotangent {
namespace {

constexpr double kU = 0x1p-53;

/// What is known of |value - f(w)|, number by number: enclosed as a function itself, for it lies far below
/// the digits of the value. Throws: DomainError where an operation has no enclosure.
struct TrueError {
  Tensor least, most;
};
TrueError true_error(VarFunction f, const Tensor& w, const Tensor& value) {
  const Enclosure e = enclose([&](const Var& v) { return f(v) - value; }, w, {.bits = 256});
  std::vector<double> least, most;
  for (Index i = 0; i < value.size(); ++i) {
    const double low = e.lower().flat(i), high = e.upper().flat(i);
    least.push_back(low > 0.0 ? low : high < 0.0 ? -high : 0.0);
    most.push_back(std::fmax(std::fabs(low), std::fabs(high)));
  }
  return {Tensor::from(least, value.shape()), Tensor::from(most, value.shape())};
}

/// Bound over error for every number of f that erred; expects none below 1.
std::vector<double> looseness(VarFunction f, const Tensor& w) {
  const RoundedValue r = rounding_bound(f, w);
  EXPECT_EQ(r.rounding.shape().to_string(), r.value.shape().to_string());
  std::vector<double> ratios;
  const TrueError error = true_error(f, w, r.value);
  for (Index i = 0; i < r.value.size(); ++i) {
    if (!std::isfinite(r.value.flat(i))) continue;
    EXPECT_GE(r.rounding.flat(i), error.least.flat(i)) << "number " << i << ", " << r.value.flat(i);
    if (error.least.flat(i) > 0.0) ratios.push_back(r.rounding.flat(i) / error.least.flat(i));
  }
  return ratios;
}

double median(std::vector<double> v) {
  if (v.empty()) return 0.0;
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// ---- random functions whose terms cancel ---------------------------------------------------------

using Scalar = std::function<Var(const Var&)>;

/// A smooth expression of the three coordinates, the same for the same stream.
Var smooth(Rng& rng, const std::vector<Var>& x, int depth) {
  if (depth == 0)
    return rng.uniform() < 0.15 ? Var(rng.uniform()) : x[static_cast<std::size_t>(rng.below(3))];
  const Var a = smooth(rng, x, depth - 1);
  const auto other = [&] { return smooth(rng, x, depth - 1); };
  switch (rng.below(14)) {
    case 0:
    case 1:
      return a + other();
    case 2:
      return 0.7 * a - other();
    case 3:
    case 4:
      return a * other();
    case 5:
      return a / (2.0 + square(other()));
    case 6:
      return tanh(a);
    case 7:
      return sin(2.0 * a + 0.3);
    case 8:
      return exp(0.4 * sin(a));
    case 9:
      return log1p(square(a));
    case 10:
      return softplus(a);
    case 11:
      return sqrt(1.5 + a * a);
    case 12:
      return erf(a);
    default:
      return pow(1.0 + square(a), -0.7);
  }
}
Scalar expression(std::uint64_t seed, int depth) {
  return [=](const Var& x) {
    Rng rng(seed);
    return smooth(rng, {view(x, 0, Shape{}), view(x, 1, Shape{}), view(x, 2, Shape{})}, depth);
  };
}

struct Cancelling {
  std::string kind;
  Scalar f;
  Tensor w;
};

Cancelling cancelling(int i) {
  Rng rng = Rng(31).split(std::to_string(i));
  const double r = rng.uniform();
  const std::uint64_t seed = rng.bits();
  const Scalar g = expression(seed, 5);
  const Tensor w = rng.uniform({3}, -1.5, 1.5);
  switch (i % 8) {
    case 0: {
      const double h = std::pow(10.0, -1 - 10 * r);
      return {"difference of neighbours", [=](const Var& x) { return g(x + h) - g(x); }, w};
    }
    case 1: {
      const double c = std::pow(10.0, 10 * r);
      return {"constant added and taken away", [=](const Var& x) { return (c + g(x)) - c; }, w};
    }
    case 2: {
      const double h = std::pow(10.0, -1 - 5 * r);
      return {"second difference", [=](const Var& x) { return (g(x + h) - 2.0 * g(x) + g(x - h)) / (h * h); },
              w};
    }
    case 3: {
      const double c = std::pow(10.0, 6 * r);
      return {"variance by squares", [=](const Var& x) { return mean(square(x + c)) - square(mean(x + c)); },
              w};
    }
    case 4: {
      const double h = std::pow(10.0, -1 - 8 * r);
      return {"quotient by a difference", [=](const Var& x) { return g(x) / (g(x + h) - g(x)); }, w};
    }
    case 5:
      return {"gradient along itself",
              [=](const Var& x) {
                const Var d = grad(g, x);
                return dot(d, d) - dot(d, 0.9999 * d + 1e-5);
              },
              w};
    case 6: {
      const double c = std::pow(10.0, 1 + 7 * r);
      return {"root of c^2 + x less c", [=](const Var& x) { return sqrt(c * c + square(g(x))) - c; }, w};
    }
    default: {
      const double h = std::pow(10.0, -1 - 8 * r);
      return {"logarithm of a quotient", [=](const Var& x) { return log(exp(g(x + h)) / exp(g(x))); }, w};
    }
  }
}

TEST(Rounding, OfRandomCancellingFunctions) {
  std::vector<double> ratios;
  for (int i = 0; i < 200; ++i) {
    const Cancelling c = cancelling(i);
    SCOPED_TRACE(c.kind + " " + std::to_string(i));
    for (const double ratio : looseness(c.f, c.w)) ratios.push_back(ratio);
  }
  const double middle = median(ratios);
  RecordProperty("median_looseness", std::to_string(middle));
  RecordProperty("functions_with_an_error", std::to_string(ratios.size()));
  EXPECT_GE(ratios.size(), 150u);
  EXPECT_LT(middle, 60.0);
}

// The gradients of such functions, number by number: second derivatives carry the errors back.
TEST(Rounding, OfTheirGradients) {
  std::vector<double> ratios;
  for (int i = 0; i < 80; ++i) {
    const Cancelling c = cancelling(i);
    if (i % 8 == 5) continue;
    SCOPED_TRACE(c.kind + " " + std::to_string(i));
    for (const double ratio : looseness([&](const Var& x) { return grad(c.f, x); }, c.w))
      ratios.push_back(ratio);
  }
  EXPECT_LT(median(ratios), 100.0);
}

// The square of a difference that is lost has the derivative 0, so the bound knows nothing of what was lost.
TEST(Rounding, IsTooSmallWhereADifferenceIsLostAltogether) {
  const auto f = [](const Var& x) { return square((x + 1e-20) - x); };
  const RoundedValue r = rounding_bound(f, Tensor::scalar(0.3));
  EXPECT_EQ(r.value.item(), 0.0);
  EXPECT_LT(r.rounding.item(), 1e-300);
  EXPECT_GT(true_error(f, Tensor::scalar(0.3), r.value).least.item(), 9e-41);
  // The difference itself, which is linear in what was lost, is within its bound.
  looseness([](const Var& x) { return (x + 1e-20) - x; }, Tensor::scalar(0.3));
}

// Of functions that bend within the error of a difference some bounds are too small, and only there: where
// the difference is no larger than its own bound.
TEST(Rounding, IsTooSmallOnlyWhereADifferenceIsLost) {
  int too_small = 0, lost = 0;
  for (int i = 0; i < 200; ++i) {
    SCOPED_TRACE(i);
    Rng rng = Rng(32).split(std::to_string(i));
    const double h = std::pow(10.0, -8 - 10 * rng.uniform());
    const Scalar g = expression(rng.bits(), 4);
    const Tensor w = rng.uniform({3}, -1.5, 1.5);
    const Scalar difference = [=](const Var& x) { return g(x + h) - g(x); };
    const auto f = [&](const Var& x) {
      const Var d = difference(x);
      switch (i % 4) {
        case 0:
          return square(d);
        case 1:
          return 1.0 - cos(1e3 * d);
        case 2:
          return 1.0 / (1e-30 + square(d));
        default:
          return sqrt(1e-30 + square(d));
      }
    };
    looseness(difference, w);
    const RoundedValue r = rounding_bound(f, w), d = rounding_bound(difference, w);
    const bool is_lost = std::fabs(d.value.item()) <= d.rounding.item();
    lost += is_lost ? 1 : 0;
    if (r.rounding.item() >= true_error(f, w, r.value).least.item()) continue;
    ++too_small;
    EXPECT_TRUE(is_lost) << d.value.item() << " +- " << d.rounding.item();
  }
  RecordProperty("too_small", too_small);
  RecordProperty("lost", lost);
  EXPECT_GT(too_small, 0);
  EXPECT_GT(lost, too_small);
}

TEST(Rounding, OfLargeConstantsThatCancel) {
  Rng rng(3);
  const nn::Sequential net{nn::Linear(3, 8), nn::Tanh(), nn::Linear(8, 1)};
  const Params w = net.init(rng);
  const Tensor x = rng.normal({1, 3});
  const auto f = [&](const Var& v) { return sum((1e8 + net(v, x)) - 1e8); };
  const RoundedValue r = rounding_bound(f, w);
  EXPECT_GT(r.rounding.item(), 1e-8);
  EXPECT_LT(r.rounding.item(), 1.2e-8);
  EXPECT_LE(true_error(f, w.flat(), r.value).most.item(), r.rounding.item());

  const auto log_exp = [](const Var& v) { return log(1.0 + exp(v)); };
  EXPECT_NEAR(rounding_bound(log_exp, Tensor::scalar(-30.0)).rounding.item(), kU, 0.01 * kU);
  const std::vector<double> at{-40.0, -20.0, -3.0, 0.0, 3.0, 40.0};
  for (const double v : at) {
    looseness(log_exp, Tensor::scalar(v));
    looseness([](const Var& u) { return log_sum_exp(concat({u, Tensor{0.0}}, 0), 0); }, Tensor{v});
    looseness([](const Var& u) { return log_softmax(concat({u, Tensor{0.0}}, 0), 0); }, Tensor{v});
    looseness([](const Var& u) { return sum(softplus(u)) - sum(log1p(exp(u))); }, Tensor{v});
  }
}

// ---- every operation ------------------------------------------------------------------------------

TEST(Rounding, EveryOperationSaysHowItRounds) {
  // Those whose value is a function of the user's, or that no probe ever sees; and operations of tests.
  const std::vector<std::string> silent{"linear_map", "linear_map_transposed", "checkpoint", "loss"};
  for (const Op* op = Op::first(); op; op = op->next()) {
    if (std::string_view(op->name()).starts_with("test ")) continue;
    const bool may_be_silent = std::find(silent.begin(), silent.end(), op->name()) != silent.end();
    const bool says = op->spec().roundings != detail::kRoundingsNotStated || op->spec().own_error;
    EXPECT_NE(says, may_be_silent) << "[" << op->name() << "]";
  }
}

TEST(Rounding, OfEveryRowOfTheTable) {
  for (const test::OpRow& row : test::op_table()) {
    SCOPED_TRACE(row.name);
    const auto f = [&](const Var& flat) { return test::of_flat(row, flat); };
    const auto slope = [&](const Var& flat) {
      return grad(
          [&](const Var& v) {
            const Var y = f(v);
            return sum(y * (0.7 + 0.3 * sin(y)));
          },
          flat);
    };
    try {
      looseness(f, test::flat_inputs(row));
      looseness(slope, test::flat_inputs(row));
    } catch (const DomainError& e) {
      EXPECT_NE(std::string(e.what()).find("has no enclosure"), std::string::npos) << e.what();
    }
  }
}

/// The numbers of x doubled, each second one the negative of the one before but for a part in 1e9: sums of
/// them, and products with ones, lose nine digits.
Tensor opposed(Index rows, Index columns, Rng& rng) {
  std::vector<double> numbers;
  for (Index i = 0; i < rows * columns; ++i)
    numbers.push_back(i % 2 == 0 ? rng.normal() : -numbers.back() * (1.0 + 1e-9 * rng.normal()));
  return Tensor::from(numbers, Shape{rows, columns});
}

// What is summed decides, not the sum: the bound of each of these is known by hand.
TEST(Rounding, OfSumsThatCancelGoesByTheirTerms) {
  Rng rng(5);
  const Index n = 6, k = 40, m = 6;
  const Tensor a = opposed(n, k, rng), ones = Tensor::full(Shape{m, k}, 3.0);
  const auto rows = [&](double c, double factor) {  // c sum_k factor |a_ik|
    std::vector<double> sums;
    for (Index i = 0; i < n; ++i) {
      double s = 0.0;
      for (Index l = 0; l < k; ++l) s += factor * std::fabs(a(i, l));
      sums.push_back(c * s * kU);
    }
    return sums;
  };
  const auto expect_rows = [&](const char* what, VarFunction f, const std::vector<double>& expected,
                               Index each) {
    SCOPED_TRACE(what);
    const RoundedValue r = rounding_bound(f, a);
    ASSERT_EQ(r.value.size(), static_cast<Index>(expected.size()) * each);
    for (Index i = 0; i < r.value.size(); ++i)
      EXPECT_NEAR(r.rounding.flat(i), expected[static_cast<std::size_t>(i / each)],
                  1e-9 * r.rounding.flat(i));
    looseness(f, a);
  };
  expect_rows(
      "matmul", [&](const Var& x) { return matmul(x, ones, {.transpose_b = true, .scale = -2.0}); },
      rows(k + 1, 6.0), m);
  expect_rows(
      "linear", [&](const Var& x) { return linear(x, ones); }, rows(k + 2, 3.0), m);
  expect_rows(
      "sum_axis", [&](const Var& x) { return sum(x, 1); }, rows(static_cast<double>(k) / 8 + 3, 1.0), 1);
  expect_rows(
      "sum_axis down", [&](const Var& x) { return sum(transpose(x), 0); }, rows(k - 1, 1.0), 1);
  expect_rows(
      "batch_matmul",
      [&](const Var& x) {
        return batch_matmul(reshape(x, Shape{n, 1, k}), broadcast_to(ones, Shape{n, m, k}),
                            {.transpose_b = true});
      },
      rows(k + 1, 3.0), m);
  double all = 0.0;
  for (const double s : rows(1.0, 1.0)) all += s;
  const auto size = static_cast<double>(n * k);
  EXPECT_NEAR(rounding_bound([](const Var& x) { return sum(x); }, a).rounding.item(), (size / 8 + 3) * all,
              1e-9 * all);
  EXPECT_NEAR(
      rounding_bound([&](const Var& x) { return dot(x, Tensor::ones(a.shape())); }, a).rounding.item(),
      (size / 8 + 4) * all, 1e-9 * all);
  const Tensor b{1.0, 2.0, 3.0, 4.0, 5.0, 6.0};
  const RoundedValue biased =
      rounding_bound([&](const Var& x) { return linear(x, ones, b, {.weight = 0.5, .bias = -2.0}); }, a);
  const std::vector<double> terms = rows(k + 2, 1.5);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j)
      EXPECT_NEAR(biased.rounding(i, j), terms[static_cast<std::size_t>(i)] + (k + 2) * kU * 2.0 * b(j),
                  1e-9 * biased.rounding(i, j));
}

// Numbers that go to one place are added up there.
TEST(Rounding, OfSumsByPlace) {
  const Tensor x{1.0, -1.0 + 1e-9, 0.5, 0.3};
  const auto scattered = [](const Var& v) { return scatter_rows(v, Tensor{1.0, 1.0, 0.0, 1.0}, 2); };
  const RoundedValue r = rounding_bound(scattered, x);
  EXPECT_NEAR(r.rounding(1), 2.0 * kU * 2.3, 1e-8 * kU);
  looseness(scattered, x);
  EXPECT_EQ(rounding_bound(
                [](const Var& v) {
                  return scatter_rows(v, Tensor{1.0, 3.0, 0.0, 2.0}, 4);
                },
                x)
                .rounding(1),
            0.0);
  // Slices of one vector that overlap: their cotangents are put together.
  looseness(
      [](const Var& v) {
        return grad([](const Var& u) { return sum(exp(slice(u, 0, 0, 3))) - sum(exp(slice(u, 0, 1, 4))); },
                    v);
      },
      x);
  looseness(
      [](const Var& v) {
        return grad(
            [](const Var& u) {
              return sum(exp(take_along_axis(u, Tensor{1.0, 1.0, 2.0, 1.0}, 0)) * Tensor{1, -1, 2, 1});
            },
            v);
      },
      x);
}

TEST(Rounding, OfCholeskySystems) {
  Rng rng(9);
  for (const double smallest : {1.0, 1e-4, 1e-8}) {
    SCOPED_TRACE(smallest);
    const Tensor q = rng.normal({5, 3});
    const auto a = [&](const Var& v) {
      return matmul(q * 1.0 + 0.0 * sum(v), q, {.transpose_b = true}) + smallest * Var(Tensor::eye(5));
    };
    const Tensor b = rng.normal({5});
    looseness([&](const Var& v) { return solve_spd(a(v), v); }, b);
    looseness([&](const Var& v) { return log_det_spd(a(v)); }, b);
  }
}

// ---- networks and losses ----------------------------------------------------------------------------

TEST(Rounding, OfNetworksAndLosses) {
  Rng rng(4);
  const Tensor x = rng.normal({12, 5});
  Tensor labels = Tensor::zeros(Shape{12});
  const nn::Sequential net{nn::Linear(5, 16), nn::GELU(), nn::Linear(16, 16), nn::LeakyReLU(0.1),
                           nn::Linear(16, 3)};
  const Params w = net.init(rng);
  const auto risk = [&](const Var& v) { return nn::cross_entropy(net(v, x), labels); };
  const auto squares = [&](const Var& v) { return nn::mse(net(v, x), Tensor::ones(Shape{12, 3})); };
  const auto logistic = [&](const Var& v) {
    return nn::logistic(slice(net(v, x), 1, 0, 1), Tensor::ones(Shape{12, 1}));
  };
  for (const VarFunction f : {VarFunction(risk), VarFunction(squares), VarFunction(logistic)}) {
    looseness(f, w.flat());
    const auto square_gradient = [&](const Var& v) {
      const Var g = grad(f, v);
      return dot(g, g);
    };
    looseness(square_gradient, w.flat());
    EXPECT_LT(rounding_bound(f, w).rounding.item(), 1e-13);
  }
  looseness([&](const Var& v) { return checkpoint([&](const Var& u) { return risk(u); }, v); }, w.flat());
}

// What the engine computes of constants in a recorded pass is on the record: the seed, a rounded 1/n, data.
TEST(Rounding, OfConstantsWithinDerivatives) {
  const Tensor c = Rng(8).normal({7});
  const auto f = [&](const Var& w) { return mean(erf(c * w) / c) + mean(pow(square(w * c) + 0.1, 0.3)); };
  const Tensor w = Rng(9).normal({7});
  looseness([&](const Var& v) { return grad(f, v); }, w);
  looseness([&](const Var& v) { return hvp(f, v, Var(c)); }, w);
  looseness([&](const Var& v) { return log(lift(Tensor::scalar(2.0), v)) - log(2.0 + 0.0 * sum(v)); }, w);
}

TEST(Rounding, OfNumbersThatAreNotFinite) {
  const double inf = HUGE_VAL;
  const auto bound = [](VarFunction f, double w) {
    return rounding_bound(f, Tensor::scalar(w)).rounding.item();
  };
  EXPECT_EQ(bound([](const Var& x) { return exp(x); }, 1000.0), inf);
  EXPECT_EQ(bound([](const Var& x) { return sqrt(0.3 * x - 0.3 * x); }, 1.0), inf);
  EXPECT_EQ(bound([](const Var& x) { return log(-exp(x)); }, 1.0), inf);
  const auto first_of = [](VarFunction f) { return rounding_bound(f, Tensor{1000.0, 0.5}).rounding.item(); };
  EXPECT_EQ(first_of([](const Var& x) { return sum(exp(x) * Tensor{1.0, 1.0}); }), inf);
  EXPECT_NEAR(first_of([](const Var& x) {
                return sum(where(Tensor{0.0, 1.0}, exp(x), 0.0));
              }),
              6.0 * std::exp(0.5) * kU, 1e-3 * kU);
  // Below the normal numbers errors are absolute.
  looseness([](const Var& x) { return exp(x) * 1e300; }, Tensor::full(Shape{9}, -720.0));
  // What is not finite and not used does no harm.
  EXPECT_LT(bound([](const Var& x) { return where(1.0, sin(x), exp(x)); }, 1000.0), 1e-15);
}

}  // namespace
}  // namespace cotangent
