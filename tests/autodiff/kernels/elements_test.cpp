// Elementwise arithmetic: at every processor level the bits of the plain expression.
#include "autodiff/kernels/elements.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/kernels/levels.hpp"
#include "autodiff/rng.hpp"

namespace cotangent {
namespace {

using kernel::Elements;
using Numbers = std::vector<double>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void expect_same_bits(double found, double wanted, const std::string& what) {
  if (std::isnan(found) && std::isnan(wanted)) return;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(found), std::bit_cast<std::uint64_t>(wanted))
      << what << ": " << found << ", not " << wanted;
}

/// Every special number beside every other, and then any.
Numbers hostile(Rng& rng, std::int64_t n, std::size_t stride) {
  const Numbers special{0.0, -0.0, 1.0, -1.0, 1e-320, -1e-320, 1e308, -1e308, kInf, -kInf, kNan};
  Numbers x;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    x.push_back(i < 121 ? special[i / stride % 11] : rng.normal());
  return x;
}

TEST(Elements, OfOneOperand) {
  struct Case {
    std::string name;
    Elements::Unary Elements::*loop;
    std::function<double(double)> plain;
  };
  const std::vector<Case> cases{{"square", &Elements::square, [](double x) { return x * x; }},
                                {"sqrt", &Elements::sqrt, [](double x) { return std::sqrt(x); }},
                                {"abs", &Elements::abs, [](double x) { return std::fabs(x); }},
                                {"relu", &Elements::relu, [](double x) { return x < 0.0 ? 0.0 : x; }}};
  Rng rng(1);
  for (const std::int64_t n : {0, 1, 3, 8, 15, 200})
    for (const Case& c : cases)
      for (const kernel::Level& level : kernel::levels()) {
        const Numbers x = hostile(rng, n, 1);
        Numbers y(x.size() + 1, 99.0);
        (level.elements->*c.loop)(y.data(), x.data(), n);
        for (std::size_t i = 0; i < x.size(); ++i) expect_same_bits(y[i], c.plain(x[i]), c.name);
        EXPECT_EQ(y.back(), 99.0);
      }
}

TEST(Elements, Clip) {
  const Numbers x{0.0, -0.0, 1.0, -1.0, 0.3, 1e308, -1e308, kInf, -kInf, kNan, 0.7, -0.2};
  for (const kernel::Level& level : kernel::levels())
    for (const auto& [low, high] : {std::pair{-0.5, 0.5}, {0.0, 0.0}, {-kInf, 0.1}, {0.2, kInf}}) {
      Numbers y(x.size());
      level.elements->clip(y.data(), x.data(), low, high, static_cast<std::int64_t>(x.size()));
      for (std::size_t i = 0; i < x.size(); ++i)
        expect_same_bits(y[i],
                         std::isnan(x[i]) ? kNan
                         : x[i] < low     ? low
                         : x[i] > high    ? high
                                          : x[i],
                         "clip");
    }
}

TEST(Elements, OfTwoOperands) {
  struct Case {
    std::string name;
    Elements::Binary Elements::*loop;
    std::function<double(double, double)> plain;
  };
  const auto larger = [](double a, double b) {
    return std::isnan(a) || std::isnan(b) ? kNan : a >= b ? a : b;
  };
  const auto smaller = [](double a, double b) {
    return std::isnan(a) || std::isnan(b) ? kNan : a <= b ? a : b;
  };
  const std::vector<Case> cases{{"add", &Elements::add, [](double a, double b) { return a + b; }},
                                {"sub", &Elements::sub, [](double a, double b) { return a - b; }},
                                {"mul", &Elements::mul, [](double a, double b) { return a * b; }},
                                {"div", &Elements::div, [](double a, double b) { return a / b; }},
                                {"maximum", &Elements::maximum, larger},
                                {"minimum", &Elements::minimum, smaller}};
  Rng rng(2);
  for (const std::int64_t n : {0, 1, 3, 8, 15, 200})
    for (const Case& c : cases)
      for (const kernel::Level& level : kernel::levels()) {
        const Numbers a = hostile(rng, n, 1), b = hostile(rng, n, 11);
        Numbers y(a.size() + 1, 99.0);
        (level.elements->*c.loop)(y.data(), {a.data(), false}, {b.data(), false}, n);
        for (std::size_t i = 0; i < a.size(); ++i) expect_same_bits(y[i], c.plain(a[i], b[i]), c.name);
        for (const double one : {0.7, -0.0, kInf, kNan}) {
          (level.elements->*c.loop)(y.data(), {&one, true}, {b.data(), false}, n);
          for (std::size_t i = 0; i < a.size(); ++i) expect_same_bits(y[i], c.plain(one, b[i]), c.name);
          (level.elements->*c.loop)(y.data(), {a.data(), false}, {&one, true}, n);
          for (std::size_t i = 0; i < a.size(); ++i) expect_same_bits(y[i], c.plain(a[i], one), c.name);
        }
        EXPECT_EQ(y.back(), 99.0);
      }
}

}  // namespace
}  // namespace cotangent
