// enclose: what it says of functions, kinks, boxes, data, and misuse.
#include "enclose/enclosure.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/expect.hpp"

namespace cotangent {
namespace {

using test::error_of;

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Enclosure, OfANumberIsADoubleWide) {
  const Enclosure e = enclose([](const Var& w) { return exp(w); }, Tensor{1.0, 0.0, -2.0});
  EXPECT_TRUE(e.finite());
  EXPECT_EQ(e.bits(), 128);
  for (Index i = 0; i < 3; ++i) {
    EXPECT_LE(e.lower()(i), e.upper()(i));
    EXPECT_LE(e.upper()(i), std::nextafter(e.lower()(i), kInf));
  }
  EXPECT_EQ(e.lower()(1), 1.0);
  EXPECT_EQ(e.upper()(1), 1.0);
  EXPECT_EQ(e.log2_radius(1), -kInf);
  EXPECT_LT(e.log2_radius(0), -120.0);
  EXPECT_EQ(e.digits(0, 35).substr(0, 35), "[2.71828182845904523536028747135266");
}

// Doubles see 0, 1 or 2 where the function is 1 - cos(1e-9) = 5e-19.
TEST(Enclosure, SeesWhatRoundingLost) {
  const auto f = [](const Var& w) { return 1.0 - cos(w); };
  EXPECT_EQ(f(1e-9).item(), 0.0);
  const Enclosure e = enclose(f, Tensor::scalar(1e-9));
  EXPECT_GT(e.lower().item(), 4.9999999e-19);
  EXPECT_LT(e.upper().item(), 5.0000001e-19);
  const auto large = [](const Var& w) { return (w + 1e16) - 1e16; };
  EXPECT_TRUE(enclose(large, Tensor::scalar(0.3)).contains(Tensor::scalar(0.3)));
  EXPECT_NE(large(0.3).item(), 0.3);
}

TEST(Enclosure, MoreBitsAreTakenUntilANumberIsKnown) {
  const auto f = [](const Var& w) { return (exp(w) + 1e100) - 1e100; };
  const Enclosure e = enclose(f, Tensor::scalar(1.0));
  EXPECT_GT(e.bits(), 256);
  EXPECT_TRUE(e.contains(Tensor::scalar(std::exp(1.0))));
  const Enclosure once = enclose(f, Tensor::scalar(1.0), {.bits = 128, .most_bits = 128});
  EXPECT_EQ(once.bits(), 128);
  EXPECT_GT(once.upper().item() - once.lower().item(), 1e50);
}

TEST(Enclosure, OfGradientsAndHessians) {
  Rng rng(1);
  const auto f = [](const Var& w) { return sum(log(1.0 + exp(w)) * sin(w)); };
  const Tensor w = rng.normal({4});
  const auto g = [&](const Var& v) { return grad(f, v); };
  const Enclosure e = enclose(g, w);
  const Tensor engine = grad(f, w);
  for (Index i = 0; i < 4; ++i) {
    EXPECT_LE(e.upper()(i) - e.lower()(i), 1e-15);
    EXPECT_NEAR(engine(i), e.lower()(i), 1e-14);
  }
  const Enclosure h = enclose([&](const Var& v) { return hvp(f, v, Tensor::ones({4})); }, w);
  test::expect_close(h.lower(), hvp(f, w, Tensor::ones({4})), 1e-13);
}

TEST(Enclosure, ANumberThatIsLiftedIsOnTheRecord) {
  const auto f = [](const Var& w) { return log(1.0 + exp(w)) - log(lift(2.0, w)); };
  const Enclosure at_zero = enclose(f, Tensor::scalar(0.0), {.most_bits = 256});
  EXPECT_TRUE(at_zero.contains(Tensor::scalar(0.0)));
  EXPECT_LT(at_zero.log2_radius(0), -200.0);
  const auto data = [](const Var& w) { return log(1.0 + exp(w)) - std::log(2.0); };
  EXPECT_FALSE(enclose(data, Tensor::scalar(0.0)).contains(Tensor::scalar(0.0)));
}

TEST(Enclosure, TellsAJumpFromABend) {
  const Box around_zero{Tensor{-1.0}, Tensor{1.0}};
  const Enclosure bend = enclose([](const Var& w) { return sum(relu(w) + abs(w)); }, around_zero);
  EXPECT_EQ(bend.undecided(), 2);
  EXPECT_EQ(bend.jumps(), 0);
  EXPECT_EQ(enclose([](const Var& w) { return sum(sign(w)); }, around_zero).jumps(), 1);
  const auto slope = [](const Var& w) { return grad([](const Var& v) { return sum(relu(v)); }, w); };
  EXPECT_EQ(enclose(slope, around_zero).jumps(), 1);
}

TEST(Enclosure, AFunctionRecordedOnceIsAskedOften) {
  int calls = 0;
  const EnclosedFunction f(
      [&](const Var& w) {
        ++calls;
        return sum(sin(w) * w);
      },
      Tensor{1.0, 2.0});
  for (const double x : {0.5, 1.5, -3.0}) {
    const Enclosure e = f(Tensor{x, x});
    EXPECT_NEAR(e.lower().item(), 2.0 * x * std::sin(x), 1e-14);
    EXPECT_TRUE(f(Box{Tensor{x - 0.1, x}, Tensor{x, x + 0.1}}).contains(Tensor::scalar(e.upper().item())));
  }
  EXPECT_EQ(calls, 1);
  EXPECT_NE(error_of<ShapeError>([&] { f(Tensor{1.0}); }).find("recorded at [2], and is asked at [1]"),
            std::string::npos);
}

TEST(Enclosure, KinksAreDecidedOrCounted) {
  const auto slope = [](const Var& w) { return grad([](const Var& v) { return sum(relu(v)); }, w); };
  const Enclosure exact = enclose(slope, Tensor{0.0, -1e-300, 2.0});
  EXPECT_EQ(exact.undecided(), 0);
  EXPECT_GT(exact.comparisons(), 0);
  EXPECT_TRUE(exact.contains(Tensor{1.0, 0.0, 1.0}));
  EXPECT_EQ(exact.upper()(1), 0.0);
  // A zero that no number of bits shows.
  const auto hidden = [](const Var& w) {
    return grad([](const Var& v) { return sum(relu(tanh(v) - tanh(v))) + 0.0 * sum(v); }, w);
  };
  const Enclosure hull = enclose(hidden, Tensor{0.3}, {.most_bits = 512});
  EXPECT_EQ(hull.bits(), 512);
  EXPECT_GT(hull.undecided(), 0);
  EXPECT_TRUE(hull.contains(Tensor{0.0}));
}

// Which number is the largest, the rule of max has from doubles: where that is not sure, nothing is said.
TEST(Enclosure, ALargestNumberThatIsNotSureHasNoDerivative) {
  const auto f = [](const Var& w) { return max(concat({(w + 1e16) - 1e16, w}, 0)); };
  const Enclosure value = enclose(f, Tensor{0.3});
  EXPECT_EQ(value.undecided(), 0);
  EXPECT_TRUE(value.contains(Tensor::scalar(0.3)));
  const auto slope = [&](const Var& w) { return grad(f, w); };
  EXPECT_TRUE(enclose(slope, Tensor{0.3}).contains(Tensor{1.0}));
  // Doubles take the first for 0 and the second for the largest, whose derivative is 1; in truth it is the
  // first.
  const auto other = [](const Var& w) { return max(concat({(2.0 * w + 1e16) - 1e16, w + 0.2}, 0)); };
  EXPECT_EQ(grad(other, Tensor{0.3})(0), 1.0);
  const Enclosure wrong = enclose([&](const Var& w) { return grad(other, w); }, Tensor{0.3});
  EXPECT_FALSE(wrong.finite());
  EXPECT_GT(wrong.undecided(), 0);
  const auto close = [](const Var& w) { return max(concat({w * 3.0, w + w + w}, 0)); };
  EXPECT_TRUE(enclose([&](const Var& w) { return grad(close, w); }, Tensor{0.1}).contains(Tensor{3.0}));
}

TEST(Enclosure, OfABox) {
  const auto f = [](const Var& w) { return w * w - w; };
  const Enclosure e = enclose(f, Box{Tensor{0.0}, Tensor{1.0}});
  EXPECT_LE(e.lower()(0), -0.25);
  EXPECT_GE(e.upper()(0), 0.0);
  EXPECT_GE(e.lower()(0), -1.6);
  const Enclosure point = enclose(f, Box{Tensor{0.5}, Tensor{0.5}});
  EXPECT_EQ(point.lower()(0), -0.25);
  EXPECT_EQ(point.upper()(0), -0.25);
  const Enclosure open = enclose([](const Var& w) { return log(w); }, Box{Tensor{-1.0}, Tensor{1.0}});
  EXPECT_FALSE(open.finite());
  EXPECT_EQ(open.bits(), 128);
  // Outward also where doubles end.
  const Enclosure huge = enclose([](const Var& w) { return exp(w); }, Tensor{1000.0, -1000.0});
  EXPECT_EQ(huge.lower()(0), std::numeric_limits<double>::max());
  EXPECT_EQ(huge.upper()(0), kInf);
  EXPECT_EQ(huge.lower()(1), 0.0);
  EXPECT_EQ(huge.upper()(1), std::numeric_limits<double>::denorm_min());
}

TEST(Enclosure, NumbersThatLeaveTheRecordAreData) {
  const auto of_double = [](const Var& w) { return log(w) - std::log(2.0); };
  const auto on_record = [](const Var& w) { return log(w) - log(lift(2.0, w)); };
  EXPECT_FALSE(enclose(of_double, Tensor::scalar(2.0)).contains(Tensor::scalar(0.0)));
  EXPECT_TRUE(enclose(on_record, Tensor::scalar(2.0)).contains(Tensor::scalar(0.0)));
  const Enclosure constant = enclose([](const Var&) { return Var(0.1); }, Tensor::scalar(2.0));
  EXPECT_EQ(constant.lower().item(), 0.1);
  EXPECT_EQ(constant.upper().item(), 0.1);
}

TEST(Enclosure, OfLossesAndNetworks) {
  Rng rng(2);
  const nn::Sequential net{nn::Linear(3, 8), nn::LeakyReLU(0.1), nn::Linear(8, 2)};
  const Params w = net.init(rng);
  const Tensor x = rng.normal({5, 3}), y{0, 1, 1, 0, 1};
  const auto risk = [&](const Var& v) { return nn::cross_entropy(net(v, x), y); };
  const Enclosure value = enclose(risk, w);
  EXPECT_NEAR(value.lower().item(), risk(w).item(), 1e-14);
  const Enclosure slope = enclose([&](const Var& v) { return grad(risk, v); }, w);
  EXPECT_EQ(slope.undecided(), 0);
  test::expect_close(slope.lower(), grad(risk, w).flat(), 1e-14);
  EXPECT_TRUE(slope.finite());
}

TEST(Enclosure, ThreadsThatEndLeaveNothing) {
  double lower = 0.0;
  std::thread([&] {
    lower = enclose([](const Var& w) { return sin(w); }, Tensor::scalar(1.0)).lower().item();
  }).join();
  EXPECT_NEAR(lower, std::sin(1.0), 1e-15);
}

TEST(Enclosure, Errors) {
  const auto f = [](const Var& w) { return sum(w); };
  const Tensor w{1.0, 2.0};
  EXPECT_EQ(error_of<DomainError>([&] { enclose(f, w, {.bits = 1}); }),
            "[enclose] bits is 1, most_bits 4096; give bits from 2 on, and most_bits from bits to 2^20");
  EXPECT_EQ(error_of<DomainError>([&] { enclose(f, w, {.bits = 512, .most_bits = 128}); }),
            "[enclose] bits is 512, most_bits 128; give bits from 2 on, and most_bits from bits to 2^20");
  EXPECT_EQ(error_of<DomainError>([&] { enclose(f, w, {.accuracy = NAN}); }),
            "[enclose] accuracy is nan; give 0 or more");
  EXPECT_EQ(error_of<DomainError>([&] {
              enclose(f, Box{Tensor{1.0, 2.0}, Tensor{1.0, 1.5}});
            }),
            "[enclose] the box's corners are 2 and 1.5 at [1]; give finite numbers, the lower first");
  EXPECT_EQ(error_of<ShapeError>([&] {
              enclose(f, Box{Tensor{1.0, 2.0}, Tensor{1.0}});
            }),
            "[enclose] the lower corner is [2], the upper [1]; give them one shape");
  EXPECT_EQ(error_of<ShapeError>([&] { (void)enclose(f, w).contains(w); }),
            "[Enclosure] the numbers are [2], the bounds []; give them one shape");
  EXPECT_EQ(error_of<ShapeError>([&] { (void)enclose(f, w).digits(1); }),
            "[Enclosure] number 1 of []; give one of 0 .. 0");
  const Linearized linear = linearize([](const Var& v) { return sin(v); }, w);
  EXPECT_EQ(error_of<DomainError>([&] { enclose([&](const Var& v) { return linear(v); }, w); }),
            "[enclose] [linear_map] has no enclosure; write f of operations that have one");
  const CustomOp cubed(
      {.name = "test cubed for enclosures",
       .forward = [](const OpInputs& x,
                     const OpAttributes&) { return map_elements(x[0], [](double t) { return t * t * t; }); },
       .pullback = nullptr});
  EXPECT_EQ(error_of<DomainError>([&] { enclose([&](const Var& v) { return cubed(v); }, w); }),
            "[enclose] [test cubed for enclosures] has no enclosure; give its CustomOp one by elementwise or "
            ".enclose, or write f of operations that have one");
}

}  // namespace
}  // namespace cotangent
