// Compensated sums by error-free transformations.
#include "autodiff/kernels/compensated.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "autodiff/error.hpp"

namespace cotangent {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();  // 2^-52, twice the unit roundoff

/// a + b = sum + error exactly.
struct TwoSum {
  double sum, error;
  TwoSum(double a, double b) noexcept : sum(a + b) {
    const double part = sum - a;
    error = (a - (sum - part)) + (b - part);
  }
};

class Accumulator {
 public:
  void add(double term) noexcept {
    const TwoSum s(sum_, term);
    sum_ = s.sum;
    rest_ += s.error;
    magnitude_ += std::fabs(term);
  }
  void add_product(double a, double b) noexcept {
    const double product = a * b;
    const double error = std::fma(a, b, -product);
    const TwoSum s(sum_, product);
    sum_ = s.sum;
    rest_ += s.error + error;
    magnitude_ += std::fabs(product);
  }
  Compensated result() const noexcept { return {.value = sum_ + rest_, .magnitude = magnitude_}; }

 private:
  double sum_ = 0.0, rest_ = 0.0, magnitude_ = 0.0;
};

void check(std::size_t a, std::size_t b) {
  if (a != b)
    throw ShapeError(fmt::format(
        "[compensated_dot] the vectors have {} and {} numbers; give vectors of one length", a, b));
}

/// Half the width of an interval around Dot2's value that holds the exact one; generous in the constants.
double uncertainty(const Compensated& dot, std::size_t n) {
  const double gamma = static_cast<double>(n) * kEpsilon;
  return kEpsilon * std::fabs(dot.value) + 2.0 * gamma * gamma * dot.magnitude +
         static_cast<double>(n) * std::numeric_limits<double>::min();
}

}  // namespace

Compensated compensated_sum(std::span<const double> terms) noexcept {
  Accumulator sum;
  for (const double t : terms) sum.add(t);
  return sum.result();
}

Compensated compensated_sum(std::initializer_list<double> terms) noexcept {
  return compensated_sum(std::span<const double>(terms.begin(), terms.size()));
}

Compensated compensated_dot(std::span<const double> a, std::span<const double> b) {
  check(a.size(), b.size());
  Accumulator sum;
  for (std::size_t i = 0; i < a.size(); ++i) sum.add_product(a[i], b[i]);
  return sum.result();
}

Compensated compensated_dot_minus(std::span<const double> a, std::span<const double> b, double c) {
  check(a.size(), b.size());
  Accumulator sum;
  sum.add(-c);
  for (std::size_t i = 0; i < a.size(); ++i) sum.add_product(a[i], b[i]);
  return sum.result();
}

Compensated compensated_dot_difference(std::span<const double> a, std::span<const double> b,
                                       std::span<const double> c) {
  check(a.size(), b.size());
  check(a.size(), c.size());
  Accumulator sum;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const TwoSum difference(b[i], -c[i]);
    sum.add_product(a[i], difference.sum);
    sum.add_product(a[i], difference.error);
  }
  return sum.result();
}

Compensated squared_distance(std::span<const double> a, std::span<const double> b) {
  check(a.size(), b.size());
  Accumulator sum;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const TwoSum d(a[i], -b[i]);
    sum.add_product(d.sum, d.sum);
    sum.add_product(2.0 * d.sum, d.error);
  }
  return sum.result();
}

double dot_rounded_down(std::span<const double> a, std::span<const double> b) {
  const Compensated dot = compensated_dot(a, b);
  return std::nextafter(dot.value - uncertainty(dot, a.size()), -std::numeric_limits<double>::infinity());
}

double dot_rounded_up(std::span<const double> a, std::span<const double> b) {
  const Compensated dot = compensated_dot(a, b);
  return std::nextafter(dot.value + uncertainty(dot, a.size()), std::numeric_limits<double>::infinity());
}

}  // namespace cotangent
