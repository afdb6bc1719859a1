// The rules of enclosures, for every row of the table of operations: balls of few bits contain those of many,
// derivatives lie where differences at 600 bits say, boxes contain their points.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "enclose/replay/replay.hpp"
#include "tests/support/enclosed_rows.hpp"

namespace cotangent {
namespace {

using enclosing::Account;
using enclosing::Ball;
using enclosing::Balls;
using enclosing::Program;
using test::derivative;
using test::Function;
using test::refused;
using test::visit_rows;
using test::weights;

TEST(EnclosureRules, EveryOperationHasOneOrIsRefused) {
  const std::set<std::string> refusals{"linear_map", "linear_map_transposed",
                                       "checkpoint",  // records what is in it instead
                                       "loss"};       // stands on brief records only
  int count = 0;
  for (const Op* op = Op::first(); op; op = op->next(), ++count)
    EXPECT_NE(enclosing::rule_of(*op) != nullptr, refusals.contains(op->name())) << op->name();
  EXPECT_GT(count, 60);
}

TEST(EnclosureRules, FewBitsContainManyAndTheEnginesNumbersAreNear) {
  int enclosed = 0;
  visit_rows([&](const Function& f, const Tensor& x) {
    for (int order = 0; order <= 2; ++order) {
      SCOPED_TRACE("order " + std::to_string(order));
      const Function g = derivative(f, order);
      const Program program = enclosing::program_of(g, x);
      if (refused(program)) continue;
      Account few{.bits = 64}, many{.bits = 400};
      const Balls a = enclosing::Replay(program)(Balls::of(x), few);
      const Balls b = enclosing::Replay(program)(Balls::of(x), many);
      const Tensor y = g(x).value();
      ASSERT_EQ(a.shape().to_string(), y.shape().to_string());
      double largest = 1.0;
      for (const double v : y.data()) largest = std::max(largest, std::fabs(v));
      const Tensor middle = b.lower();
      for (Index i = 0; i < a.size(); ++i) {
        EXPECT_TRUE(arb_contains(a[i], b[i])) << i;
        EXPECT_NEAR(middle.flat(i), y.flat(i), 1e-9 * largest) << i;
      }
      EXPECT_EQ(many.undecided, 0);
      ++enclosed;
    }
  });
  EXPECT_GT(enclosed, 1500);
}

// A constant that was rounded to a double is off by 2^-54, a derivative's difference quotient by 2^-180.
TEST(EnclosureRules, DerivativesLieWhereDifferencesOfBallsSay) {
  constexpr slong kBits = 600, kStep = -90;
  int compared = 0;
  visit_rows([&](const Function& f, const Tensor& x) {
    for (int order = 1; order <= 2; ++order) {
      SCOPED_TRACE("order " + std::to_string(order));
      const Function lower = derivative(f, order - 1);
      const auto weighted = [&](const Var& v) {
        const Var y = lower(v);
        return sum(y * weights(y.shape()));
      };
      const Program value = enclosing::program_of(weighted, x);
      const Tensor direction = weights(x.shape());
      const Program slope =
          enclosing::program_of([&](const Var& v) { return dot(grad(weighted, v), direction); }, x);
      if (refused(value) || refused(slope)) continue;
      Account account{.bits = kBits};
      const auto beside = [&](double sign) {
        const Balls at = Balls::of(x), along = Balls::of(direction);
        for (Index i = 0; i < x.size(); ++i) {
          arb_mul_2exp_si(along[i], along[i], kStep);
          (sign > 0 ? arb_add : arb_sub)(at[i], at[i], along[i], 4096);
        }
        return enclosing::Replay(value)(at, account);
      };
      const Balls above = beside(1.0), below = beside(-1.0);
      const Balls found = enclosing::Replay(slope)(Balls::of(x), account);
      Ball quotient;
      arb_sub(quotient, above[0], below[0], kBits);
      arb_mul_2exp_si(quotient, quotient, -kStep - 1);
      arb_sub(quotient, quotient, found[0], kBits);
      const double off =
          std::max(std::fabs(arf_get_d(arb_midref(static_cast<arb_ptr>(quotient)), ARF_RND_UP)),
                   mag_get_d(arb_radref(static_cast<arb_ptr>(quotient))));
      const double scale = 1.0 + std::fabs(arf_get_d(arb_midref(found[0]), ARF_RND_UP));
      EXPECT_LE(off, std::ldexp(scale, -140));
      ++compared;
    }
  });
  EXPECT_GT(compared, 900);
}

TEST(EnclosureRules, BoxesContainTheirPoints) {
  Rng rng(3);
  visit_rows([&](const Function& f, const Tensor& x) {
    if (refused(enclosing::program_of(f, x))) return;
    for (const double radius : {1e-3, 0.3}) {
      const Tensor low = (x - Var(Tensor::full(x.shape(), radius))).value(),
                   high = (x + Var(Tensor::full(x.shape(), radius))).value();
      Account account{.bits = 64};
      const Balls box = enclosing::Replay(enclosing::program_of(f, x))(Balls::between(low, high), account);
      const Tensor lower = box.lower(), upper = box.upper();
      for (int k = 0; k < 20; ++k) {
        std::vector<double> at;
        for (Index i = 0; i < x.size(); ++i)
          at.push_back(rng.uniform(Shape{}, low.flat(i), high.flat(i)).item());
        const Tensor point = Tensor::from(at, x.shape());
        // Another place may take another branch, or be refused: then the record does not speak of it.
        try {
          Account own{.bits = 128};
          const Balls y = enclosing::Replay(enclosing::program_of(f, point))(Balls::of(point), own);
          if (y.size() != box.size()) continue;
          for (Index i = 0; i < y.size(); ++i)
            EXPECT_TRUE(arb_overlaps(box[i], y[i]) && y.upper().flat(i) >= lower.flat(i) &&
                        y.lower().flat(i) <= upper.flat(i))
                << i << " at radius " << radius;
        } catch (const DomainError&) {
        }
      }
    }
  });
}

}  // namespace
}  // namespace cotangent
