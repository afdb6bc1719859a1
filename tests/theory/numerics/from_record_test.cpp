// Measured numbers from a record: their errors are its bounds, of the kind of rounding.
#include "theory/numerics/from_record.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "theory/falsifier.hpp"

namespace cotangent {
namespace {

using theory::from_record, theory::Measured;

TEST(FromRecord, NumbersOfOneRecordWithItsBounds) {
  const Params w({{"w", Tensor{1.0, -2.0}}});
  const auto f = [](const Var& v) { return sum(square(v)) + 1e6 - 1e6; };
  const auto three = [&](const Var& v) {
    const VarValueAndGrad at = value_and_grad(f, v);
    return theory::in_a_row({at.value, dot(at.grad, at.grad), sum(at.grad)});
  };
  const std::vector<Measured> m = from_record(three, w);
  ASSERT_EQ(m.size(), 3u);
  EXPECT_DOUBLE_EQ(m[0].value(), 5.0);
  EXPECT_EQ(m[1].value(), 20.0);
  EXPECT_EQ(m[2].value(), -2.0);
  for (const Measured& number : m) {
    EXPECT_EQ(number.by(), Measured::By::rounding);
    EXPECT_TRUE(number.certain());
  }
  EXPECT_NEAR(m[0].error(), 1e6 * 0x1p-53, 1e-4 * m[0].error());  // that of the sum with 1e6, and little else
  EXPECT_LT(m[1].error(), 20.0 * 0x1p-50);
  EXPECT_EQ(theory::rounded_by(1.0, NAN).error(), HUGE_VAL);
  EXPECT_EQ(theory::rounded_by(1.0, -1.0).error(), HUGE_VAL);
}

}  // namespace
}  // namespace cotangent
