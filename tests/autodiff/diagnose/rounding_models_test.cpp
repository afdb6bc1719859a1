// rounding_bound, number by number: what single operations say, what is exact, and misuse.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "autodiff/rounding.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;

constexpr double kU = 0x1p-53;

// The error models themselves, where a true error would not show one that is a little too small.
TEST(Rounding, OfSingleOperationsIsWhatTheModelSays) {
  const auto bound = [](VarFunction f, const Tensor& w, Index k) {
    return rounding_bound(f, w).rounding.flat(k) / kU;
  };
  const Tensor w{0.3, -2.5};
  const Tensor m{{1.0, -2.0}, {3.0, 4.0}};
  const auto at = [](const Var& x, Index k) { return view(x, k, Shape{}); };
  EXPECT_NEAR(bound([&](const Var& x) { return x - 7.0; }, w, 1), 9.5, 1e-9);
  EXPECT_NEAR(bound([&](const Var& x) { return add_rows(m, x); }, w, 3), 1.5, 1e-9);
  EXPECT_NEAR(bound([&](const Var& x) { return dot(x, Tensor{1.0, 2.0}); }, w, 0), 2 * 5.3, 1e-9);
  EXPECT_NEAR(bound([&](const Var& x) { return dot(Tensor{1.0, 2.0}, x); }, w, 0), 2 * 5.3, 1e-9);
  EXPECT_NEAR(bound([&](const Var& x) { return linear(m, m, x, {.bias = 3.0}); }, w, 0), 4 * (5.0 + 0.9),
              1e-9);
  EXPECT_NEAR(bound([&](const Var& x) { return linear(m, m, x, {.bias = 3.0}); }, w, 3), 4 * (25.0 + 7.5),
              1e-9);
  // x^0.4 has the derivative 0.4 x^-0.6, whose exponent was rounded, times the seed, times 0.4.
  const double x = 0.3, power = std::pow(x, -0.6);
  const auto slope = [](const Var& v) { return grad([](const Var& u) { return pow(u, 0.4); }, v); };
  EXPECT_NEAR(bound(slope, Tensor::scalar(x), 0), 0.4 * power * (2.0 + 0.6 * std::fabs(std::log(x)) + 2.0),
              1e-9);
  // Numbers that meet at one place, in the rule of take_along_axis and of slices that overlap.
  const auto taken = [](const Var& v) {
    const auto f = [](const Var& u) {
      return dot(take_along_axis(u, Tensor{0.0, 0.0, 0.0}, 0), Tensor{1.0, 2.0, -3.5});
    };
    return grad(f, v);
  };
  EXPECT_NEAR(bound(taken, w, 0), 6.5 + 2.0 * 6.5, 1e-9);
  const auto sliced = [&](const Var& v) {
    const auto f = [&](const Var& u) {
      return 3.0 * at(u, 0) - 5.5 * at(u, 0) + dot(view(u, 0, Shape{2}), m.rows(0, 1).reshape(Shape{2}));
    };
    return grad(f, v);
  };
  // 3 and -5.5, made and put together, and 1, made and added to them.
  EXPECT_NEAR(bound(sliced, w, 0), (3.0 + 5.5) + (3.0 + 5.5) + 1.0 + 1.5, 1e-9);
  // [[4, -2], [-2, 5]]: its inverse is [[5, 2], [2, 4]] / 16, the roots of its diagonal are 2 and sqrt 5.
  const Tensor a{{4.0, -2.0}, {-2.0, 5.0}};
  const Tensor b{-3.0, 6.0};  // x = (-3/16, 18/16)
  const double sum = 2.0 * 3.0 / 16.0 + std::sqrt(5.0) * 18.0 / 16.0;
  EXPECT_NEAR(bound([&](const Var& v) { return solve_spd(v, b); }, a, 0),
              8.0 * (5.0 * 2.0 + 2.0 * std::sqrt(5.0)) / 16.0 * sum, 1e-9);
  EXPECT_NEAR(bound([&](const Var& v) { return solve_spd(v, b); }, a, 1),
              8.0 * (2.0 * 2.0 + 4.0 * std::sqrt(5.0)) / 16.0 * sum, 1e-9);
  const Tensor c{{4.0, 2.0}, {2.0, 5.0}};  // its inverse has numbers below 0
  EXPECT_NEAR(
      bound([&](const Var& v) { return solve_spd(v, b); }, c, 0),
      8.0 * (5.0 * 2.0 + 2.0 * std::sqrt(5.0)) / 16.0 * (2.0 * 27.0 / 16.0 + std::sqrt(5.0) * 30.0 / 16.0),
      1e-9);
  EXPECT_NEAR(bound([&](const Var& v) { return log_det_spd(v); }, c, 0),
              4.0 * ((5.0 * 4.0 + 4.0 * 5.0 + 2.0 * 2.0 * 2.0 * std::sqrt(5.0)) / 16.0 + std::log(4.0) +
                     std::log(5.0)),
              1e-9);
  const Tensor small{{0.01, 0.0}, {0.0, 0.01}};
  EXPECT_NEAR(bound([&](const Var& v) { return log_det_spd(v); }, small, 0),
              4.0 * (2.0 + 2.0 * std::log(100.0)), 1e-9);
}

TEST(Rounding, OfWhatIsExact) {
  const Tensor w{3.0, -4.0, 5.0};
  const auto bound = [&](VarFunction f) { return sum(Var(rounding_bound(f, w).rounding)).item(); };
  EXPECT_EQ(bound([](const Var& x) { return relu(-reshape(x, Shape{3, 1})); }), 0.0);
  EXPECT_EQ(bound([](const Var& x) { return 0.25 * transpose(reshape(x, Shape{3, 1})); }), 0.0);
  EXPECT_EQ(bound([](const Var& x) { return max(abs(x)); }), 0.0);
  EXPECT_EQ(bound([](const Var&) { return Var(0.1); }), 0.0);
  EXPECT_EQ(bound([](const Var& x) { return mean(slice(x, 0, 0, 2)); }), 3.5 * kU);
  // The mean of three: its sum, and that divided by 3.
  EXPECT_NEAR(bound([](const Var& x) { return mean(x); }), (2.0 * 12.0 / 3.0 + 4.0 / 3.0) * kU, 1e-6 * kU);
}

TEST(Rounding, OfACustomOperation) {
  const auto thirds = [](const OpInputs& in, const OpAttributes&) {
    return map_elements(in[0], [](double t) { return t / 3.0; });
  };
  const auto pullback = [](const OpRecord&, const Var& g, OpCotangents& out) { out.add(0, g / 3.0); };
  const CustomOp silent({.name = "test thirds", .forward = thirds, .pullback = pullback});
  const CustomOp stated(
      {.name = "test thirds, once rounded", .forward = thirds, .pullback = pullback, .roundings = 1.0});
  const CustomOp by_hand({.name = "test thirds, by hand",
                          .forward = thirds,
                          .pullback = pullback,
                          .own_error = [](const OpInputs& in, const OpAttributes&, const Tensor&) {
                            return (100.0 * abs(in[0])).value();
                          }});
  const auto bound = [](const CustomOp& op) {
    return rounding_bound([&](const Var& x) { return op(x); }, Tensor::scalar(6.0)).rounding.item();
  };
  EXPECT_NEAR(bound(silent), 32.0 * kU, 1e-9 * kU);
  EXPECT_NEAR(bound(stated), 2.0 * kU, 1e-9 * kU);
  EXPECT_NEAR(bound(by_hand), 600.0 * kU, 1e-9 * kU);
}

TEST(Rounding, OfEmptyArrays) {
  const Tensor none = Tensor::zeros(Shape{0, 3});
  const auto size = [&](VarFunction f) {
    const RoundedValue r = rounding_bound(f, none);
    for (const double e : r.rounding.data()) EXPECT_LT(e, 1e-300);
    return r.rounding.size();
  };
  EXPECT_EQ(size([](const Var& x) { return sum(x) + dot(x, x); }), 1);
  EXPECT_EQ(size([](const Var& x) { return sum(exp(x), 0); }), 3);
  EXPECT_EQ(size([](const Var& x) { return matmul(x, x, {.transpose_a = true}); }), 9);
  EXPECT_EQ(size([](const Var& x) { return linear(x, Tensor::ones({2, 3})); }), 0);
  EXPECT_EQ(size([](const Var& x) { return softmax(x, 0) + log_softmax(x, 1); }), 0);
  EXPECT_EQ(size([](const Var& x) { return log_sum_exp(x, 1); }), 0);
  EXPECT_EQ(size([](const Var& x) { return scatter_rows(x, Tensor::zeros(Shape{0}), 2); }), 6);
  EXPECT_EQ(size([](const Var& x) { return grad([](const Var& v) { return sum(square(v)); }, x); }), 0);
}

TEST(Rounding, Errors) {
  Tape other;
  const Var foreign = other.input(Tensor::scalar(1.0));
  EXPECT_EQ(
      error_of<TapeError>([&] { rounding_bound([&](const Var&) { return exp(foreign); }, Tensor{1.0}); }),
      "[rounding_bound] f returned a variable of another tape; let it use the w it is given");
}

}  // namespace
}  // namespace cotangent
