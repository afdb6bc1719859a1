// Rules of enclosures at their edges: boxes that touch a kink, numbers far out, positions that are not sure,
// how much bits are worth, what is counted.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "autodiff/ops/rule_ops.hpp"
#include "enclose/enclose.hpp"
#include "enclose/replay/replay.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using enclosing::Account;
using enclosing::Balls;
using Function = std::function<Var(const Var&)>;

constexpr double kInf = std::numeric_limits<double>::infinity();

Enclosure of_box(const Function& f, double low, double high) {
  return enclose(f, Box{Tensor{low}, Tensor{high}});
}

/// All numbers of [low, high] and nothing beyond what radii of 30 bits add.
void expect_bounds(const Enclosure& e, double low, double high) {
  EXPECT_LE(e.lower()(0), low);
  EXPECT_GE(e.upper()(0), high);
  EXPECT_NEAR(e.lower()(0), low, 1e-7);
  EXPECT_NEAR(e.upper()(0), high, 1e-7);
}

template <class Formula>
void expect_of_both(const char* name, Formula formula, double low, double high, double from, double to,
                    Index undecided) {
  SCOPED_TRACE(name);
  const CustomOp own(elementwise(formula, {.name = name, .pullback = nullptr}));
  for (const Function& f : {Function([&](const Var& x) { return own(x); }),
                            Function([&](const Var& x) { return Var(formula(x)); })}) {
    const Enclosure e = of_box(f, low, high);
    expect_bounds(e, from, to);
    EXPECT_EQ(e.undecided(), undecided);
    EXPECT_GE(e.comparisons(), 1);
  }
}

// A box that touches the place of a step has numbers of both sides, or of one where that side has the place.
TEST(EnclosureEdges, BoxesThatTouchAStep) {
  expect_of_both(
      "edge: less, left", [](auto x) { return less(x, 1.0); }, 0.0, 1.0, 0.0, 1.0, 1);
  expect_of_both(
      "edge: less, right", [](auto x) { return less(x, 1.0); }, 1.0, 2.0, 0.0, 0.0, 0);
  expect_of_both(
      "edge: less_equal, left", [](auto x) { return less_equal(x, 1.0); }, 0.0, 1.0, 1.0, 1.0, 0);
  expect_of_both(
      "edge: less_equal, right", [](auto x) { return less_equal(x, 1.0); }, 1.0, 2.0, 0.0, 1.0, 1);
  expect_of_both(
      "edge: greater, left", [](auto x) { return greater(x, 1.0); }, 0.0, 1.0, 0.0, 0.0, 0);
  expect_of_both(
      "edge: greater, right", [](auto x) { return greater(x, 1.0); }, 1.0, 2.0, 0.0, 1.0, 1);
  expect_of_both(
      "edge: greater_equal, left", [](auto x) { return greater_equal(x, 1.0); }, 0.0, 1.0, 0.0, 1.0, 1);
  expect_of_both(
      "edge: greater_equal, right", [](auto x) { return greater_equal(x, 1.0); }, 1.0, 2.0, 1.0, 1.0, 0);
  expect_of_both(
      "edge: sign, left", [](auto x) { return sign(x); }, -1.0, 0.0, -1.0, 1.0, 1);
  expect_of_both(
      "edge: sign, right", [](auto x) { return sign(x); }, 0.0, 1.0, 1.0, 1.0, 0);
  expect_of_both(
      "edge: relu", [](auto x) { return relu(x); }, -1.0, 0.0, -1.0, 0.0, 1);
  expect_of_both(
      "edge: abs", [](auto x) { return abs(x); }, -3.0, 2.0, 0.0, 3.0, 1);
  expect_of_both(
      "edge: where, a negative mask", [](auto x) { return where(x, 3.0, 5.0); }, -2.0, -1.0, 3.0, 3.0, 0);
  expect_of_both(
      "edge: where, a mask of 0", [](auto x) { return where(x, 3.0, 5.0); }, 0.0, 0.0, 5.0, 5.0, 0);
  expect_of_both(
      "edge: where, open", [](auto x) { return where(x, 3.0, 5.0); }, 0.0, 1.0, 3.0, 5.0, 1);
}

// Radii have 30 bits and are rounded up where that is too few.
TEST(EnclosureEdges, ABoxHoldsItsCorners) {
  Rng rng(29);
  const Tensor low = rng.normal({200}), high = (low + abs(rng.normal({200}))).value();
  const Enclosure e = enclose([](const Var& w) { return w; }, Box{low, high});
  EXPECT_TRUE(e.contains(low) && e.contains(high));
  const Enclosure huge = enclose([](const Var& w) { return w; }, Box{Tensor{-1.7e308}, Tensor{1.7e308}});
  EXPECT_TRUE(huge.contains(Tensor{-1.7e308}) && huge.contains(Tensor{1.7e308}));
  EXPECT_TRUE(huge.finite());
}

TEST(EnclosureEdges, BoxesThatTouchTheEndsOfClip) {
  const auto slope = [](const Var& x) {
    return grad([](const Var& v) { return sum(clip(v, 0.0, 2.0)); }, x);
  };
  expect_bounds(of_box(slope, -1.0, 0.0), 0.0, 1.0);
  expect_bounds(of_box(slope, 2.0, 3.0), 0.0, 1.0);
  expect_bounds(of_box(slope, 0.0, 2.0), 1.0, 1.0);
  expect_bounds(of_box(slope, 2.25, 3.0), 0.0, 0.0);
  expect_bounds(of_box(slope, -3.0, -0.25), 0.0, 0.0);
  EXPECT_EQ(of_box(slope, 0.5, 1.0).comparisons(), 1);
  expect_bounds(of_box([](const Var& x) { return clip(x, 0.0, 2.0); }, -1.0, 1.0), 0.0, 1.0);
  expect_bounds(of_box([](const Var& x) { return clip(x, 0.0, 2.0); }, 1.0, 3.0), 1.0, 2.0);
}

// One operand a scalar, the other not.
TEST(EnclosureEdges, ScalarsGoWithAnyShape) {
  const Tensor three{0.5, -1.0, 3.0};
  const auto both = [&](Index comparisons, auto op) {
    for (const Function& f : {Function([&](const Var& x) { return op(x, Var(three)); }),
                              Function([&](const Var& x) { return op(Var(three), x); })}) {
      for (const Tensor& x : {Tensor::scalar(0.75), Tensor{0.25, 0.5, 2.0}}) {
        const Enclosure e = enclose(f, x);
        EXPECT_TRUE(e.contains(f(x).value()));
        EXPECT_TRUE(comparisons == 0 || e.comparisons() == comparisons);
      }
    }
  };
  both(3, [](const Var& a, const Var& b) { return less(a, b); });
  both(3, [](const Var& a, const Var& b) { return detail::band_mask(a, b, -1.5, 2.0); });
  both(0, [](const Var& a, const Var& b) { return where(greater(a, 0.6), a, b) * equal_to(b, b); });
}

TEST(EnclosureEdges, NumbersFarOut) {
  const Enclosure soft = enclose([](const Var& x) { return softplus(x); }, Tensor{1e300, -1e300});
  EXPECT_GE(soft.lower()(0), std::nextafter(1e300, 0.0));
  EXPECT_LE(soft.upper()(0), std::nextafter(1e300, kInf));
  EXPECT_GE(soft.lower()(1), 0.0);
  EXPECT_LE(soft.upper()(1), 5e-324);
  const Enclosure logistic = enclose([](const Var& x) { return sigmoid(x); }, Tensor{-1e300, 1e300});
  EXPECT_LE(logistic.upper()(0), 5e-324);
  EXPECT_GE(logistic.lower()(0), 0.0);
  EXPECT_LE(logistic.upper()(1), std::nextafter(1.0, 2.0));
  EXPECT_GE(logistic.lower()(1), 1.0 - 1e-15);
}

TEST(EnclosureEdges, PowersOfZeroAndToZero) {
  const Enclosure root = of_box([](const Var& x) { return pow(x, 0.5); }, 0.0, 1.0);
  EXPECT_LE(root.lower()(0), 0.0);
  EXPECT_GE(root.upper()(0), 1.0);
  const Enclosure zero = enclose([](const Var& x) { return pow(x, 0.5); }, Tensor{0.0});
  EXPECT_EQ(zero.lower()(0), 0.0);
  EXPECT_EQ(zero.upper()(0), 0.0);
  // 0^0 = 1, and 0 elsewhere.
  const Enclosure exponent = of_box([](const Var& p) { return pow(Var(Tensor{0.0}), p); }, 0.0, 1.0);
  EXPECT_LE(exponent.lower()(0), 0.0);
  EXPECT_GE(exponent.upper()(0), 1.0);
  const Enclosure none = enclose([](const Var& p) { return pow(Var(Tensor{0.0}), p); }, Tensor{0.0});
  EXPECT_EQ(none.lower()(0), 1.0);
  EXPECT_EQ(none.upper()(0), 1.0);
  EXPECT_EQ(enclose([](const Var& x) { return pow(x, 3.0); }, Tensor{-2.0}).lower()(0), -8.0);
  EXPECT_EQ(enclose([](const Var& x) { return pow(x, -2.0); }, Tensor{-2.0}).lower()(0), 0.25);
}

// Positions are taken at their word only if they are numbers that can be positions.
TEST(EnclosureEdges, PositionsThatAreNotSureSayNothing) {
  const Tensor rows{3.0, 5.0, 7.0}, table{{3.0, 5.0, 7.0}, {2.0, 4.0, 6.0}};
  const auto known = [](const EnclosedFunction& f, const Tensor& at, const Tensor& y) {
    const Enclosure e = f(at);
    EXPECT_TRUE(e.contains(y) && e.finite());
  };
  const auto unknown = [](const Enclosure& e) {
    for (Index i = 0; i < e.lower().size(); ++i)
      EXPECT_TRUE(e.lower().flat(i) == -kInf && e.upper().flat(i) == kInf);
  };
  const EncloseOptions once{.most_bits = 128};
  const EnclosedFunction gather([&](const Var& k) { return gather_rows(rows, k); }, Tensor{1.0});
  known(gather, Tensor{0.0}, Tensor{3.0});
  known(gather, Tensor{2.0}, Tensor{7.0});
  const EnclosedFunction scatter([&](const Var& k) { return scatter_rows(Tensor{3.0}, k, 3); }, Tensor{1.0});
  known(scatter, Tensor{2.0}, Tensor{0.0, 0.0, 3.0});
  known(scatter, Tensor{0.0}, Tensor{3.0, 0.0, 0.0});
  const EnclosedFunction take(
      [&](const Var& k) {
        return take_along_axis(table, reshape(k, {2, 1}), 1);
      },
      Tensor{1.0, 1.0});
  known(take, Tensor{0.0, 2.0}, Tensor{{3.0}, {6.0}});
  for (const double bad : {-1.0, 1.5, 3.0}) {
    unknown(gather(Tensor{bad}, once));
    unknown(scatter(Tensor{bad}, once));
    unknown(take(Tensor{bad, bad}, once));
  }
  unknown(gather(Box{Tensor{0.0}, Tensor{1.0}}));
  unknown(scatter(Box{Tensor{0.0}, Tensor{1.0}}));
  unknown(take(Box{Tensor{0.0, 0.0}, Tensor{1.0, 1.0}}));
}

// The largest of two lines that bounds do not tell apart has no derivative; one sure of being first has.
TEST(EnclosureEdges, LargestNumbersThatTouch) {
  const Tensor at{{1.0, 0.5, 0.25}, {-1.0, 2.0, 0.0}};
  for (const bool largest : {true, false}) {
    const auto value = [largest](const Var& x) { return sum(largest ? max(x, 1) : min(x, 1) * 1.0); };
    const EnclosedFunction slope([&](const Var& x) { return grad(value, x); }, at);
    const Tensor picked = grad(value, at);
    EXPECT_TRUE(slope(at).contains(picked) && slope(at).finite());
    const Tensor near_low = (at - Var(0.1)).value(), near_high = (at + Var(0.1)).value();
    const Enclosure sure = slope(Box{near_low, near_high});
    EXPECT_TRUE(sure.contains(picked) && sure.finite());
    EXPECT_EQ(sure.undecided(), 0);
    EXPECT_EQ(sure.comparisons(), 2);
    const Tensor low = (at - Var(0.5)).value(), high = (at + Var(0.5)).value();
    const Enclosure open = slope(Box{low, high});
    EXPECT_FALSE(open.finite());
    EXPECT_GT(open.undecided(), 0);
    // Recorded where another is the largest: then it is not what the record says.
    EXPECT_FALSE(slope(Tensor{{0.0, 0.5, 0.25}, {-1.0, 2.0, 3.0}}, {.most_bits = 128}).finite());
    // Of exactly equal ones the first.
    const Tensor tied = Tensor::ones({2, 3});
    const EnclosedFunction first([&](const Var& x) { return grad(value, x); }, tied);
    EXPECT_TRUE(first(tied).contains(grad(value, tied)) && first(tied).finite());
    EXPECT_FALSE(slope(Tensor{{0.5, 0.5, 0.5}, {2.0, 2.0, 2.0}}, {.most_bits = 128}).finite());
  }
}

TEST(EnclosureEdges, LargestNumbersThatMayBeEqual) {
  for (const double sign : {1.0, -1.0}) {
    const auto value = [sign](const Var& x) { return sign > 0.0 ? max(x) : min(x); };
    const auto slope = [&](const Tensor& at, const Tensor& a, const Tensor& b) {
      const EnclosedFunction f([&](const Var& x) { return grad(value, x); }, (sign * Var(at)).value());
      const Tensor one = (sign * Var(a)).value(), other = (sign * Var(b)).value();
      return f(sign > 0.0 ? Box{one, other} : Box{other, one});
    };
    // [1, 2] and [2, 3]: where both are 2 the first has the derivative.
    EXPECT_FALSE(slope(Tensor{1.5, 2.5}, Tensor{1.0, 2.0}, Tensor{2.0, 3.0}).finite());
    EXPECT_TRUE(slope(Tensor{1.5, 2.5}, Tensor{1.0, 2.125}, Tensor{2.0, 3.0}).finite());
    // 2 exactly, and one on both sides of it; two of the same bounds.
    EXPECT_FALSE(slope(Tensor{2.0, 1.5}, Tensor{2.0, 1.0}, Tensor{2.0, 3.0}).finite());
    EXPECT_FALSE(slope(Tensor{2.5, 1.5}, Tensor{1.0, 1.0}, Tensor{3.0, 3.0}).finite());
    EXPECT_TRUE(slope(Tensor{2.0, 2.0}, Tensor{2.0, 2.0}, Tensor{2.0, 2.0}).contains(Tensor{1.0, 0.0}));
  }
}

// The derivative by a of that of a max(x) along c is the c of the largest x: a position, and nothing else.
TEST(EnclosureEdges, PositionsOfAMaximumAreCheckedAtEveryOrder) {
  for (const bool largest : {true, false}) {
    const auto f = [&](const Var& v) {
      const Var x = slice(v, 0, 0, 2);
      return sum(slice(v, 0, 2, 3)) * (largest ? max(x) : min(x));
    };
    const auto slope = [&](const Var& v) {
      return slice(grad([&](const Var& u) { return dot(grad(f, u), Tensor{3.0, 5.0, 0.0}); }, v), 0, 2, 3);
    };
    const Tensor at{2.0, 1.0, 0.5};
    const EnclosedFunction enclosed(slope, at);
    EXPECT_EQ(enclosed(at).lower()(0), largest ? 3.0 : 5.0);
    EXPECT_EQ(enclosed(at).upper()(0), largest ? 3.0 : 5.0);
    EXPECT_TRUE(enclosed(Box{Tensor{1.75, 1.0, 0.5}, Tensor{2.0, 1.5, 0.5}}).finite());
    EXPECT_FALSE(enclosed(Box{Tensor{1.0, 1.0, 0.5}, Tensor{2.0, 1.5, 0.5}}).finite());
  }
}

TEST(EnclosureEdges, WhatIsRecordedAndWhatOfItIsReplayed) {
  std::vector<double> seen;
  enclose(
      [&](const Var& w) {
        seen.push_back(w.value()(0));
        return w * w;
      },
      Box{Tensor{2.0}, Tensor{5.0}});
  EXPECT_EQ(seen, std::vector<double>{3.5});  // a box at its middle
  // An operation that has no enclosure, and no part in the result.
  const CustomOp none({.name = "edge: no enclosure",
                       .forward = [](const OpInputs& in, const OpAttributes&) { return in[0]; },
                       .pullback = nullptr});
  const Enclosure e = enclose(
      [&](const Var& w) {
        (void)none(w);
        return 2.0 * w;
      },
      Tensor{0.25});
  EXPECT_EQ(e.lower()(0), 0.5);
  // What is within a checkpoint is enclosed one by one.
  const auto block = [](const Var& x) { return sin(x) * x; };
  const auto slope = [&](bool again) {
    return enclose(
        [&](const Var& w) {
          return grad([&](const Var& v) { return sum(again ? checkpoint(block, v) : block(v)); }, w);
        },
        Tensor{0.7, 0.2});
  };
  EXPECT_TRUE(equal(slope(true).lower(), slope(false).lower()));
  EXPECT_TRUE(equal(slope(true).upper(), slope(false).upper()));
}

TEST(EnclosureEdges, DataThatAreNotFinite) {
  const Tensor none{NAN}, far{kInf};
  const auto plus = [](const Tensor& data) {
    return enclose([&](const Var& w) { return w + data; }, Tensor{1.0}, {.most_bits = 128});
  };
  EXPECT_EQ(plus(none).lower()(0), -kInf);
  EXPECT_EQ(plus(none).upper()(0), kInf);
  const auto alone = [](const Tensor& data) {
    return enclose([&](const Var&) { return Var(data); }, Tensor{1.0}, {.most_bits = 128});
  };
  EXPECT_EQ(alone(none).lower()(0), -kInf);
  EXPECT_EQ(alone(none).upper()(0), kInf);
  EXPECT_EQ(alone(far).lower()(0), kInf);
  EXPECT_EQ(alone(far).upper()(0), kInf);
}

TEST(EnclosureEdges, ProductsTimesANumberAndOfSingleNumbers) {
  const Tensor x{{0.5, 2.0}, {1.0, -3.0}};
  const auto exact = [](const Function& f, const Tensor& at) {
    const Enclosure e = enclose(f, at);
    EXPECT_TRUE(equal(e.lower(), f(at).value()) && equal(e.upper(), f(at).value()));
  };
  for (const double scale : {1.0, 2.0, -0.5})
    exact([&](const Var& v) { return matmul(v, v, {.scale = scale}); }, x);
  exact([](const Var& v) { return batch_matmul(v, v); }, Tensor{3.0, 0.5}.reshape({2, 1, 1}));
  exact([](const Var& v) { return batch_matmul(v, v, {.transpose_b = true, .scale = 2.0}); },
        Tensor{3.0, 1.0, 0.5, 4.0}.reshape({2, 1, 2}));
}

// How far a result may be off, in units of 2^-bits: by rounding, as rules have constants to more bits.
TEST(EnclosureEdges, BitsAreWorthWhatTheySay) {
  const auto radius = [](const Function& f, const Tensor& x, slong bits) {
    Account account{.bits = bits};
    const Balls y = enclosing::Replay(enclosing::program_of(f, x))(Balls::of(x), account);
    return std::ldexp(mag_get_d(arb_radref(y[0])), static_cast<int>(bits));
  };
  const auto slope_of_erf = [](const Var& v) { return grad([](const Var& u) { return erf(u); }, v); };
  for (const slong bits : {slong{64}, slong{128}, slong{500}}) {
    EXPECT_LE(radius(slope_of_erf, Tensor::scalar(0.0), bits), 2.01);
    EXPECT_LE(radius(slope_of_erf, Tensor::scalar(0.3), bits), 3.5);
    EXPECT_LE(radius([](const Var& v) { return mean(v); }, Tensor{0.7, 0.2, 0.1}, bits), 1.1);
    EXPECT_LE(radius([](const Var& v) { return pow(v, 0.1); }, Tensor::scalar(0.7), bits), 2.1);
  }
}

}  // namespace
}  // namespace cotangent
