// Linear programs: solved by hand, made with a known solution, without solution, without end; bad input.
#include "theory/linear_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cotangent {
namespace {

using testing::HasSubstr;
using theory::linear_program;
using theory::LinearProgram;
using theory::LinearSolution;
using theory::LinearStatus;

constexpr double kInf = std::numeric_limits<double>::infinity();

void expect_numbers(const Tensor& got, const std::vector<double>& wanted) {
  ASSERT_EQ(got.size(), static_cast<Index>(wanted.size()));
  for (std::size_t k = 0; k < wanted.size(); ++k)
    EXPECT_NEAR(got.data()[k], wanted[k], 1e-12) << "number " << k;
}

/// Optimal, with constraints kept and bound and value closed on each other.
void expect_solved(const LinearSolution& s, double value) {
  EXPECT_EQ(s.status, LinearStatus::optimal) << s.to_string();
  const double size = std::max(1.0, std::fabs(value));
  EXPECT_NEAR(s.value, value, 1e-12 * size);
  EXPECT_NEAR(s.bound, value, 1e-12 * size);
  EXPECT_LE(s.violation, 1e-12 * size);
  EXPECT_LE(s.residual, 1e-12);
}

TEST(LinearProgram, TheGlassFactory) {
  // max 3 x + 5 y, x <= 4, 2 y <= 12, 3 x + 2 y <= 18, x, y >= 0: 36 at (2, 6), prices 0, 3/2, 1.
  const LinearSolution s = linear_program(
      {.c = {-3, -5}, .a = Tensor{{1, 0}, {0, 2}, {3, 2}}, .b = Tensor{4, 12, 18}, .lower = Tensor{0, 0}});
  expect_solved(s, -36.0);
  expect_numbers(s.x, {2, 6});
  expect_numbers(s.multipliers, {0, 1.5, 1});
  EXPECT_EQ(s.multipliers_eq.size(), 0);
  EXPECT_EQ(s.residual, 0.0) << "0 <= x bounds every variable from below";
  EXPECT_THAT(s.to_string(), HasSubstr("optimal: -36, at least -36 by the duals"));
}

TEST(LinearProgram, EqualitiesBoundsAndFreeVariables) {
  // Two stores with 3 and 4, two shops that want 2 and 5, costs 1, 4 / 2, 3: 2 + 4 + 12 = 18.
  const LinearSolution transport =
      linear_program({.c = {1, 4, 2, 3},
                      .a_eq = Tensor{{1, 1, 0, 0}, {0, 0, 1, 1}, {1, 0, 1, 0}, {0, 1, 0, 1}},
                      .b_eq = Tensor{3, 4, 2, 5},
                      .lower = Tensor::zeros({4})});
  expect_solved(transport, 18.0);
  expect_numbers(transport.x, {2, 1, 0, 4});
  // min x + y, x - y = 1, x, y free, x + y >= 3: (2, 1), duals 1 and 0.
  const LinearSolution free = linear_program(
      {.c = {1, 1}, .a = Tensor{{-1, -1}}, .b = Tensor{-3}, .a_eq = Tensor{{1, -1}}, .b_eq = Tensor{1}});
  expect_solved(free, 3.0);
  expect_numbers(free.x, {2, 1});
  expect_numbers(free.multipliers, {1});
  expect_numbers(free.multipliers_eq, {0});
  // Bounds alone.
  const LinearSolution box =
      linear_program({.c = {2, -1, 0.5}, .lower = Tensor{-1, -kInf, 0}, .upper = Tensor{kInf, 7, 1}});
  expect_solved(box, -9.0);
  expect_numbers(box.x, {-1, 7, 0});
}

TEST(LinearProgram, TheMedianIsTheLeastAbsoluteDeviation) {
  // min sum s_i with -s_i <= m - t_i <= s_i.
  const std::vector<double> t = {3.0, -1.0, 7.5, 0.25, 2.0};
  std::vector<double> a, b, c(6, 1.0);
  c[0] = 0.0;
  for (std::size_t i = 0; i < 5; ++i)
    for (const double sign : {1.0, -1.0}) {
      std::vector<double> row(6, 0.0);
      row[0] = sign;
      row[i + 1] = -1.0;
      a.insert(a.end(), row.begin(), row.end());
      b.push_back(sign * t[i]);
    }
  const LinearSolution s = linear_program(
      {.c = Tensor::from(c, Shape{6}), .a = Tensor::from(a, Shape{10, 6}), .b = Tensor::from(b, Shape{10})});
  expect_solved(s, 1.0 + 3.0 + 5.5 + 1.75);
  EXPECT_DOUBLE_EQ(s.x(0), 2.0);
}

TEST(LinearProgram, RandomProgramsWhoseSolutionIsKnown) {
  Rng rng(11);
  for (int trial = 0; trial < 200; ++trial) {
    const Index n = 1 + rng.below(8), m = n + rng.below(10);
    const Tensor a = rng.normal({m, n}), x = rng.normal({n});
    const Tensor image = matmul(a, reshape(x, Shape{n, 1})).value();  // [m, 1]
    // n tight rows with positive multipliers, slack in the others: c = -A^T lambda makes x optimal.
    std::vector<double> b(static_cast<std::size_t>(m)), lambda(static_cast<std::size_t>(m), 0.0);
    for (Index i = 0; i < m; ++i) {
      b[static_cast<std::size_t>(i)] = image(i, 0) + (i < n ? 0.0 : 0.1 + rng.uniform());
      if (i < n) lambda[static_cast<std::size_t>(i)] = 0.1 + rng.uniform();
    }
    const Tensor c = matmul(a, Tensor::from(lambda, Shape{m, 1}), {.transpose_a = true, .scale = -1.0})
                         .value()
                         .reshape({n});
    const LinearSolution s = linear_program({.c = c, .a = a, .b = Tensor::from(b, Shape{m})});
    ASSERT_EQ(s.status, LinearStatus::optimal) << s.to_string();
    const double value = dot(c, x).item();
    EXPECT_NEAR(s.value, value, 1e-9 * std::max(1.0, std::fabs(value)));
    EXPECT_NEAR(s.bound, s.value, 1e-9 * std::max(1.0, std::fabs(value)));
    EXPECT_LE(s.violation, 1e-9);
    EXPECT_LE(s.residual, 1e-9);
    for (Index i = 0; i < m; ++i) EXPECT_GE(s.multipliers(i), 0.0);
  }
}

TEST(LinearProgram, InfeasibleOnesComeWithFarkasMultipliers) {
  // x + y <= 1 and x + y >= 3.
  const LinearSolution clash =
      linear_program({.c = {1, 2}, .a = Tensor{{1, 1}, {-1, -1}}, .b = Tensor{1, -3}});
  EXPECT_EQ(clash.status, LinearStatus::infeasible);
  expect_numbers(clash.multipliers, {0.5, 0.5});
  EXPECT_EQ(clash.bound, 1.0) << "0 <= 1 - 3, halved";
  EXPECT_EQ(clash.residual, 0.0);
  EXPECT_TRUE(std::isnan(clash.value));
  EXPECT_EQ(clash.x.size(), 0);
  EXPECT_THAT(clash.to_string(), HasSubstr("infeasible: Farkas's multipliers leave 1"));
  // x + y = 5 within [0, 1] x [0, 2]: 3 at most.
  const LinearSolution far = linear_program(
      {.c = {0, 0}, .a_eq = Tensor{{1, 1}}, .b_eq = Tensor{5}, .lower = Tensor{0, 0}, .upper = Tensor{1, 2}});
  EXPECT_EQ(far.status, LinearStatus::infeasible);
  expect_numbers(far.multipliers_eq, {-1});
  EXPECT_EQ(far.bound, 2.0);
  // Neither this one nor its dual has a point: infeasible all the same.
  const LinearSolution neither =
      linear_program({.c = {-1, -1}, .a = Tensor{{1, -1}, {-1, 1}}, .b = Tensor{-1, -1}});
  EXPECT_EQ(neither.status, LinearStatus::infeasible) << neither.to_string();
  EXPECT_GT(neither.bound, 0.0);
  EXPECT_EQ(neither.residual, 0.0);
}

TEST(LinearProgram, UnboundedOnesComeWithADirection) {
  const LinearSolution s =
      linear_program({.c = {-1, -1}, .a_eq = Tensor{{1, -1}}, .b_eq = Tensor{0}, .lower = Tensor{0, 0}});
  EXPECT_EQ(s.status, LinearStatus::unbounded);
  expect_numbers(s.x, {1, 1});
  EXPECT_EQ(s.value, -2.0);
  EXPECT_EQ(s.violation, 0.0);
  EXPECT_EQ(s.bound, -kInf);
  EXPECT_EQ(s.multipliers.size(), 0);
  EXPECT_THAT(s.to_string(), HasSubstr("unbounded: -2 a step along x"));
  const LinearSolution free = linear_program({.c = {0, 1}});
  EXPECT_EQ(free.status, LinearStatus::unbounded);
  EXPECT_LT(free.value, 0.0);
  const LinearSolution below = linear_program({.c = {1, 1}, .a = Tensor{{1, 2}}, .b = Tensor{4}});
  EXPECT_EQ(below.status, LinearStatus::unbounded);
  EXPECT_EQ(below.violation, 0.0);
}

TEST(LinearProgram, BadInputIsRefused) {
  const auto message = [](const LinearProgram& p) -> std::string {
    try {
      linear_program(p);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  };
  const Tensor a{{1, 2}}, b{1};
  EXPECT_EQ(message({.c = Tensor{{1, 2}}}), "[linear_program] c is [1, 2]; give a vector [n], n at least 1");
  EXPECT_EQ(message({.c = Tensor()}), "[linear_program] c is [0]; give a vector [n], n at least 1");
  EXPECT_EQ(message({.c = {1, 2}, .a = a}), "[linear_program] a is given without b; give both or neither");
  EXPECT_EQ(message({.c = {1, 2}, .b_eq = b}),
            "[linear_program] b_eq is given without a_eq; give both or neither");
  EXPECT_EQ(message({.c = {1, 2, 3}, .a = a, .b = b}),
            "[linear_program] a is [1, 2], b is [1], c is [3]; give [m, 3] and [m]");
  EXPECT_EQ(message({.c = {1, 2}, .a_eq = a, .b_eq = Tensor{1, 2}}),
            "[linear_program] a_eq is [1, 2], b_eq is [2], c is [2]; give [m, 2] and [m]");
  EXPECT_EQ(message({.c = {1, NAN}}),
            "[linear_program] c [2] holds nan; give finite numbers of magnitudes up to 1e20");
  EXPECT_EQ(message({.c = {1, 2}, .a = a, .b = Tensor{kInf}}),
            "[linear_program] b [1] holds inf; give finite numbers of magnitudes up to 1e20");
  EXPECT_EQ(message({.c = {1, 2}, .lower = Tensor{0}}),
            "[linear_program] lower is [1], c is [2]; give one bound for each variable");
  EXPECT_EQ(message({.c = {1, 2}, .upper = Tensor{0, 1e21}}),
            "[linear_program] upper [2] holds 1e+21; give infinities or numbers of magnitudes up to 1e20");
  EXPECT_EQ(message({.c = {1, 2}, .lower = Tensor{0, 2}, .upper = Tensor{1, 1}}),
            "[linear_program] variable 1 has the bounds 2 and 1; nothing finite lies between them");
}

}  // namespace
}  // namespace cotangent
