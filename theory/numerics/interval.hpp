// Real numbers between two doubles; whatever is computed with them is rounded outward.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

namespace cotangent::theory {

inline double below(double x) { return std::nextafter(x, -std::numeric_limits<double>::infinity()); }
inline double above(double x) { return std::nextafter(x, std::numeric_limits<double>::infinity()); }
/// a + b, rounded down. 0 adds nothing: where both sides of a claim meet, everything is 0.
inline double sum_below(double a, double b) { return a == 0.0 || b == 0.0 ? a + b : below(a + b); }

struct Interval {
  double lower = 0.0, upper = 0.0;
};
inline Interval operator-(const Interval& a, double b) {
  const auto exact = [b](double x) { return x == b || b == 0.0; };
  return {exact(a.lower) ? a.lower - b : below(a.lower - b),
          exact(a.upper) ? a.upper - b : above(a.upper - b)};
}
inline Interval operator*(const Interval& a, const Interval& b) {
  Interval c{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const double x : {a.lower, a.upper})
    for (const double y : {b.lower, b.upper}) {
      const bool zero = x == 0.0 || y == 0.0;
      c.lower = std::min(c.lower, zero ? 0.0 : below(x * y));
      c.upper = std::max(c.upper, zero ? 0.0 : above(x * y));
    }
  return c;
}

}  // namespace cotangent::theory
