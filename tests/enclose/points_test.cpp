// Enclosures at many points: at kinks and ties, at random ones, of boxes at points within them, of random
// compositions, networks and losses. Balls of 64 bits contain those of 400.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autodiff/tape/probe.hpp"
#include "enclose/enclosure.hpp"
#include "nn/nn.hpp"
#include "tests/support/enclosed_rows.hpp"
#include "tests/support/kink_table.hpp"
#include "tests/support/random_model.hpp"

namespace cotangent {
namespace {

using enclosing::Account;
using enclosing::Balls;
using enclosing::Program;
using enclosing::Replay;
using test::derivative;
using test::Function;
using test::OpRow;
using test::refused;

/// The largest magnitude among the numbers that f computes at x, by the engine.
class Largest final : public detail::Probe {
 public:
  static double of(const Function& f, const Tensor& x) {
    Tape tape;
    Largest largest;
    const detail::Probing watch(detail::VarAccess::state(tape), largest);
    (void)f(tape.input(x));
    return largest.value_;
  }

 private:
  void recorded(const detail::TapeState&, std::uint32_t, const OpInputs& in, const Tensor& out) override {
    see(out);
    for (int j = 0; j < in.count(); ++j) see(in[j]);
  }
  void input(const detail::TapeState&, std::uint32_t, const Tensor& value) override { see(value); }
  void see(const Tensor& t) {
    for (const double v : t.data())
      if (std::isfinite(v)) value_ = std::max(value_, std::fabs(v));
  }
  bool opens_checkpoints() const override { return true; }
  bool records_constants() const override { return true; }

  double value_ = 0.0;
};

/// 64 bits contain 400; 128 are narrow, as they are on smooth points; the engine is near. The number of
/// comparisons that 400 bits leave open.
Index expect_sound(const Function& f, const Tensor& x, bool narrow) {
  const Program program = enclosing::program_of(f, x);
  if (refused(program)) return 0;
  const Replay replay(program);
  Account few{.bits = 64}, middle{.bits = 128}, many{.bits = 400};
  const Balls a = replay(Balls::of(x), few), b = replay(Balls::of(x), middle), c = replay(Balls::of(x), many);
  const double largest = Largest::of(f, x);
  const Tensor y = f(x).value(), near = c.lower();
  for (Index i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(arb_contains(a[i], c[i])) << i;
    EXPECT_TRUE(arb_contains(b[i], c[i])) << i;
    EXPECT_TRUE(!narrow || mag_get_d(arb_radref(b[i])) <= 1e-30 * largest) << i;
    // The engine takes the same side of a kink, and the same of equal numbers.
    EXPECT_TRUE(many.undecided > 0 || !std::isfinite(y.flat(i)) || !arb_is_finite(c[i]) ||
                std::fabs(near.flat(i) - y.flat(i)) <= 1e-9 * largest)
        << i << ": " << y.flat(i) << " beside " << near.flat(i);
  }
  return many.undecided;
}

/// Inputs of a row, all in one vector; `lattice`: multiples of 1/2, where kinks, steps and ties are.
Tensor inputs_at(const OpRow& row, Rng& rng, bool lattice) {
  std::vector<double> numbers;
  for (const Shape& shape : row.inputs)
    for (Index i = 0; i < shape.size(); ++i) {
      const double x = row.low + (row.high - row.low) * rng.uniform();
      const double away = x >= 0.0 ? x + row.away : x - row.away;
      numbers.push_back(lattice ? std::round(2.0 * away) / 2.0 : away);
    }
  return Tensor::from(numbers, {static_cast<Index>(numbers.size())});
}

void rows_at_random_points(int points, bool lattice) {
  Rng rng(17);
  Index open = 0;
  for (const OpRow& row : test::op_table()) {
    SCOPED_TRACE(row.name);
    const Function value = [&](const Var& flat) { return test::of_flat(row, flat); };
    for (int k = 0; k < points; ++k) {
      const Tensor x = inputs_at(row, rng, lattice);
      for (int order = 0; order <= 2; ++order) {
        SCOPED_TRACE("order " + std::to_string(order) + " at " + x.to_string());
        // Rows of numbers in some order, of positions, of positive matrices have inputs of their own.
        try {
          open += expect_sound(derivative(value, order), x, !lattice);
        } catch (const DomainError&) {
          break;
        }
      }
    }
    if (testing::Test::HasFailure()) return;
  }
  // What 400 bits leave open at doubles is a zero behind a transcendental function.
  EXPECT_EQ(open, 0);
}

TEST(EnclosurePoints, RowsAtRandomPoints) { rows_at_random_points(3, false); }
TEST(EnclosurePoints, RowsAtKinksAndTies) { rows_at_random_points(3, true); }
TEST(SlowEnclosurePoints, RowsAtAThousandRandomPoints) { rows_at_random_points(1000, false); }
TEST(SlowEnclosurePoints, RowsAtAThousandKinksAndTies) { rows_at_random_points(1000, true); }

void boxes_of_rows(int points) {
  Rng rng(19);
  for (const OpRow& row : test::op_table()) {
    SCOPED_TRACE(row.name);
    const Function value = [&](const Var& flat) { return test::of_flat(row, flat); };
    const Tensor x = test::flat_inputs(row);
    for (int order = 0; order <= 1; ++order)
      for (const double radius : {1e-6, 0.2}) {
        SCOPED_TRACE("order " + std::to_string(order) + ", radius " + std::to_string(radius));
        const Function f = derivative(value, order);
        const Tensor low = (x - Var(radius)).value(), high = (x + Var(radius)).value();
        const Program program = enclosing::program_of(f, x);
        if (refused(program)) continue;
        Account account{.bits = 64};
        const Balls box = Replay(program)(Balls::between(low, high), account);
        for (int k = 0; k < points; ++k) {
          const Tensor at = (Var(low) + rng.uniform({x.size()}, 0.0, 1.0) * (Var(high) - low)).value();
          // Another place may take another branch, or be refused: then the record does not speak of it.
          try {
            Account own{.bits = 128};
            const Balls y = Replay(enclosing::program_of(f, at))(Balls::of(at), own);
            if (y.size() != box.size()) continue;
            for (Index i = 0; i < y.size(); ++i) ASSERT_TRUE(arb_overlaps(box[i], y[i])) << i;
          } catch (const DomainError&) {
          }
        }
      }
  }
}

TEST(EnclosurePoints, OfABoxLieInside) { boxes_of_rows(5); }
TEST(SlowEnclosurePoints, AThousandOfABoxLieInside) { boxes_of_rows(1000); }

/// At a kink the engine's conventions, beside it the side's own numbers; and both where a box holds it.
TEST(EnclosurePoints, KinksOfTheTableTakeItsConventions) {
  const auto contains = [](const Balls& y, double number, double factor = 1.0) {
    enclosing::Ball exact(number);
    arb_mul(exact, exact, enclosing::Ball(factor), 200);
    return arb_contains(y[0], exact) != 0;
  };
  const auto at = [](const Function& f, const Tensor& x, const Balls& balls, Index undecided) {
    Account account{.bits = 128};
    const Balls y = Replay(enclosing::program_of(f, x))(balls, account);
    EXPECT_EQ(account.undecided > 0, undecided > 0);
    return y;
  };
  const double kTiny = 5e-324;
  const Balls around = Balls::between(Tensor::scalar(-0.25), Tensor::scalar(0.5));
  const Tensor zero = Tensor::scalar(0.0);
  for (const test::KinkRow& row : test::kink_table()) {
    SCOPED_TRACE(row.name);
    const Function slope = [&](const Var& x) {
      return grad([&](const Var& v) { return sum(row.function(v)); }, x);
    };
    for (const double x : {0.0, kTiny, 1.0, -kTiny, -1.0}) {
      const Tensor point = Tensor::scalar(x);
      EXPECT_TRUE(contains(at(row.function, point, Balls::of(point), 0), x, x >= 0.0 ? row.right : row.left))
          << x;
      const Balls y = at(slope, point, Balls::of(point), 0);
      EXPECT_TRUE(contains(y, x >= 0.0 ? row.right : row.left) && arb_is_exact(y[0])) << x;
    }
    if (row.left == row.right || row.name.find("max") != std::string::npos ||
        row.name.find("min") != std::string::npos || row.name.find("mask") != std::string::npos)
      continue;  // of a maximum in a box nothing is known; masks' kinks are those of constants
    const Balls hull = at(slope, zero, around, 1);
    EXPECT_TRUE(contains(hull, row.left) && contains(hull, row.right));
    const Balls values = at(row.function, zero, around, row.name.find("clip") == std::string::npos);
    EXPECT_TRUE(contains(values, -0.25 * row.left) && contains(values, 0.5 * row.right));
  }
  for (const test::StepRow& row : test::step_table()) {
    SCOPED_TRACE(row.name);
    for (const auto& [x, y] : {std::pair{0.0, row.at}, {kTiny, row.right}, {-kTiny, row.left}}) {
      const Balls found = at(row.function, Tensor::scalar(x), Balls::of(Tensor::scalar(x)), 0);
      EXPECT_TRUE(contains(found, y) && arb_is_exact(found[0])) << x;
    }
    const Balls hull = at(row.function, zero, around, 1);
    EXPECT_TRUE(contains(hull, row.left) && contains(hull, row.right));
    const double far = 1.0;  // apart from the step, one side alone
    EXPECT_TRUE(contains(
        at(row.function, Tensor::scalar(far), Balls::between(Tensor::scalar(0.75), Tensor::scalar(1.25)), 0),
        row.right));
    EXPECT_TRUE(contains(at(row.function, Tensor::scalar(-far),
                            Balls::between(Tensor::scalar(-1.25), Tensor::scalar(-0.75)), 0),
                         row.left));
  }
  for (const test::CurvedRow& row : test::curved_table()) {
    SCOPED_TRACE(row.name);
    for (int order = 0; order <= 3; ++order) {
      Function f = row.function;
      for (int k = 0; k < order; ++k)
        f = [inner = f](const Var& x) { return grad([&](const Var& v) { return sum(inner(v)); }, x); };
      for (const double x : {0.0, kTiny, 0.75}) {
        const Balls y = at(f, Tensor::scalar(x), Balls::of(Tensor::scalar(x)), 0);
        EXPECT_TRUE(contains(y, row.exact[static_cast<std::size_t>(order)](x))) << order << " at " << x;
      }
      const Balls left = at(f, Tensor::scalar(-0.5), Balls::of(Tensor::scalar(-0.5)), 0);
      EXPECT_NEAR(left.lower().item(), row.exact[static_cast<std::size_t>(order)](-0.5), 1e-14) << order;
    }
  }
}

void random_models(int count) {
  int smooth = 0;
  for (int seed = 0; seed < count; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed));
    const test::RandomModel model(rng.split("model"), 1 + seed % 9, true);
    SCOPED_TRACE(std::to_string(seed) + ": " + model.text());
    const Tensor w = rng.normal({test::RandomModel::kParams}),
                 x = rng.normal({3, test::RandomModel::kInputs});
    const Function value = [&](const Var& v) { return model(v, x); };
    for (int order = 0; order <= 2; ++order) {
      SCOPED_TRACE("order " + std::to_string(order));
      const Function f = derivative(value, order);
      smooth += expect_sound(f, w, false) == 0;
      // A random number in bounds of a box around it.
      const Tensor low = (w - Var(1e-4)).value(), high = (w + Var(1e-4)).value();
      const Program program = enclosing::program_of(f, w);
      if (refused(program)) continue;
      Account account{.bits = 64}, own{.bits = 64};
      const Balls box = Replay(program)(Balls::between(low, high), account);
      const Tensor at = (Var(low) + rng.uniform({w.size()}, 0.0, 1.0) * (Var(high) - low)).value();
      const Balls y = Replay(enclosing::program_of(f, at))(Balls::of(at), own);
      for (Index i = 0; i < y.size(); ++i) EXPECT_TRUE(arb_overlaps(box[i], y[i])) << i;
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(smooth, 2 * count);
}

TEST(EnclosurePoints, OfRandomCompositions) { random_models(60); }
TEST(SlowEnclosurePoints, OfManyRandomCompositions) { random_models(3000); }

TEST(EnclosurePoints, OfNetworksAndLosses) {
  Rng rng(23);
  const Tensor x = rng.normal({6, 3}), one = rng.normal({6, 1}), signs{1, -1, 1, 1, -1, -1},
               labels{0, 1, 1, 0, 1, 1};
  using Loss = std::function<Var(const Var& outputs)>;
  const auto column = [](const Var& f) { return reshape(f, {6}); };
  const std::vector<std::pair<Index, Loss>> losses{
      {1, [&](const Var& f) { return nn::mse(f, one); }},
      {1, [&](const Var& f) { return nn::half_mse(f, one); }},
      {1, [&](const Var& f) { return nn::logistic(column(f), signs); }},
      {1, [&](const Var& f) { return nn::hinge(column(f), signs); }},
      {1, [&](const Var& f) { return nn::squared_hinge(column(f), signs); }},
      {1, [&](const Var& f) { return nn::exponential(column(f), signs); }},
      {2, [&](const Var& f) { return nn::cross_entropy(f, labels); }}};
  const auto check = [&](const nn::Sequential& net, const Loss& loss) {
    const Params w = net.init(rng);
    const Function risk = [&](const Var& v) { return loss(net(v, x)); };
    for (int order = 0; order <= 2; ++order) {
      SCOPED_TRACE("order " + std::to_string(order));
      EXPECT_EQ(expect_sound(derivative(risk, order), w.flat(), true), 0);
    }
    const Enclosure e = enclose([&](const Var& v) { return grad(risk, v); }, w);
    const Tensor engine = grad(risk, w).flat();
    for (Index i = 0; i < engine.size(); ++i) EXPECT_NEAR(engine(i), e.lower()(i), 1e-13);
  };
  for (std::size_t k = 0; k < losses.size(); ++k) {
    SCOPED_TRACE("loss " + std::to_string(k));
    const auto& [outputs, loss] = losses[k];
    check(nn::Sequential{nn::Linear(3, 5), nn::ReLU(), nn::Linear(5, outputs)}, loss);
    check(nn::Sequential{nn::Linear(3, 5), nn::LeakyReLU(0.1), nn::Linear(5, 5), nn::Tanh(),
                         nn::Linear(5, outputs)},
          loss);
    check(
        nn::Sequential{nn::Linear(3, 4), nn::GELU(), nn::Linear(4, 4), nn::Sigmoid(), nn::Linear(4, outputs)},
        loss);
  }
}

}  // namespace
}  // namespace cotangent
