// The kink table: at 0 every operation with a kink takes the derivative it documents.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "autodiff/ops.hpp"
#include "autodiff/ops_internal.hpp"
#include "autodiff/tape_state.hpp"
#include "autodiff/transforms.hpp"

namespace cotangent {
namespace {

/// A piecewise linear function with its kink at 0, and its derivatives on both sides.
struct KinkRow {
  std::string name;
  std::function<Var(const Var&)> function;
  double left;
  double right;
};

std::vector<KinkRow> kink_table() {
  std::vector<KinkRow> table{{"relu", [](const Var& x) { return relu(x); }, 0.0, 1.0},
                             {"leaky_relu", [](const Var& x) { return leaky_relu(x); }, 0.01, 1.0}};
  for (const double slope : {0.1, 2.5, -1.0, 0.0, 1.0, 1e300}) {
    table.push_back({"leaky_relu with slope " + std::to_string(slope),
                     [slope](const Var& x) { return leaky_relu(x, slope); }, slope, 1.0});
    // Times x itself: leaky_mask alone is a step, whose derivative is 0 wherever it exists.
    table.push_back({"leaky_mask of x and x with slope " + std::to_string(slope),
                     [slope](const Var& x) { return detail::leaky_mask(x, detach(x), slope); }, slope, 1.0});
  }
  return table;
}

constexpr double kTiny = std::numeric_limits<double>::denorm_min();
const std::vector<double> kPoints{0.0, -0.0, kTiny, -kTiny, 1e-300, -1e-300,
                                  0.5, -0.5, 3.0,   -3.0,   1e100,  -1e100};

TEST(Kinks, ValuesGoBySign) {
  for (const KinkRow& row : kink_table())
    for (const double x : kPoints)
      EXPECT_EQ(row.function(x).item(), x >= 0.0 ? row.right * x : row.left * x) << row.name << " at " << x;
}

TEST(Kinks, FirstDerivativeAtZeroIsOne) {
  for (const KinkRow& row : kink_table())
    for (const double x : kPoints)
      EXPECT_EQ(grad(row.function, x), x >= 0.0 ? row.right : row.left) << row.name << " at " << x;
}

TEST(Kinks, InArraysAsForSingleNumbers) {
  const Tensor x = Tensor::from(kPoints, Shape{static_cast<Index>(kPoints.size())});
  for (const KinkRow& row : kink_table()) {
    const Tensor g = grad([&](const Var& v) { return sum(row.function(v)); }, x);
    for (std::size_t i = 0; i < kPoints.size(); ++i)
      EXPECT_EQ(g.data()[i], kPoints[i] >= 0.0 ? row.right : row.left) << row.name << " at " << kPoints[i];
  }
}

TEST(Kinks, SecondDerivativeIsZeroEverywhere) {
  for (const KinkRow& row : kink_table())
    for (const double x : kPoints) EXPECT_EQ(hessian(row.function, x), 0.0) << row.name << " at " << x;
}

// (f^2)'' = 2 f'^2 + 2 f f'' = 2 f'(0)^2 at the kink: both factors take the documented derivative.
TEST(Kinks, SecondDerivativeOfTheSquareTakesTheSameSide) {
  for (const KinkRow& row : kink_table()) {
    if (std::fabs(row.left) > 1e100) continue;
    for (const double x : {0.0, -0.0, -kTiny, -1.0, 1.0}) {
      const double slope = x >= 0.0 ? row.right : row.left;
      EXPECT_EQ(hessian([&](const Var& v) { return square(row.function(v)); }, x), 2.0 * slope * slope)
          << row.name << " at " << x;
    }
  }
}

// The mask is linear in its first argument; by its second the derivative is 0, at the jump too.
TEST(Kinks, MaskByItsSecondArgument) {
  for (const double x : kPoints) {
    const auto by_x = [](const Var& v) { return detail::leaky_mask(3.0, v, 0.25); };
    EXPECT_EQ(by_x(x).item(), x >= 0.0 ? 3.0 : 0.75);
    EXPECT_EQ(grad(by_x, x), 0.0);
  }
}

TEST(Kinks, NaNStaysNaN) {
  for (const KinkRow& row : kink_table()) {
    EXPECT_TRUE(std::isnan(row.function(NAN).item())) << row.name;
    EXPECT_TRUE(std::isnan(row.function(-NAN).item())) << row.name;
  }
  const Tensor y = relu(Tensor{1.0, NAN, -1.0, 2.0, -2.0, 3.0, NAN, 4.0, 5.0}).value();
  EXPECT_TRUE(std::isnan(y(1)) && std::isnan(y(6)));
  EXPECT_EQ(y(2), 0.0);
  EXPECT_EQ(y(8), 5.0);
}

TEST(Kinks, Infinities) {
  EXPECT_EQ(relu(-INFINITY).item(), 0.0);
  EXPECT_EQ(relu(INFINITY).item(), INFINITY);
  EXPECT_EQ(leaky_relu(-INFINITY, 0.1).item(), -INFINITY);
  EXPECT_EQ(leaky_relu(-INFINITY, -1.0).item(), INFINITY);
}

// max(x, slope x) would be another function for slopes above 1: it takes the upper branch on the wrong side.
TEST(Kinks, SlopesAboveOneAreNotAMaximum) {
  EXPECT_EQ(leaky_relu(2.0, 2.5).item(), 2.0);
  EXPECT_EQ(leaky_relu(-2.0, 2.5).item(), -5.0);
}

TEST(Kinks, DocumentedValueIsTheOneTaken) {
  std::set<const Op*> recorded;
  for (const KinkRow& row : kink_table()) {
    Tape tape;
    const Var x = tape.input(Tensor::scalar(0.0));
    const Var y = row.function(x);
    const double taken = tape.grad(y, x).item();
    for (const detail::Node& node : detail::VarAccess::state(tape).nodes) {
      if (!node.op) continue;
      recorded.insert(node.op);
      if (const char* documented = node.op->spec().at_kink) {
        EXPECT_EQ(std::stod(documented), taken) << row.name;
      }
    }
  }
  int count = 0;
  for (const Op* op = Op::first(); op; op = op->next()) {
    if (!op->spec().at_kink) continue;
    ++count;
    EXPECT_TRUE(recorded.count(op)) << "[" << op->name() << "] has a kink but no row in the kink table";
  }
  EXPECT_GE(count, 3);
}

}  // namespace
}  // namespace cotangent
