// Measured numbers: running error bounds of single operations, and when an inequality between two is decided.
#include "theory/measured.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autodiff/kernels/compensated.hpp"

namespace cotangent::theory {

using By = Measured::By;

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();  // twice the unit roundoff
constexpr double kTiny = std::numeric_limits<double>::min();

By later(const Measured& a, const Measured& b) { return std::max(a.by(), b.by()); }

}  // namespace

Measured make_measured(double value, double error, By by) noexcept { return {value, error, by}; }

namespace {

/// A bound that is itself computed with a few roundings.
double enlarged(double error) noexcept { return error * (1.0 + 16.0 * kEpsilon); }

/// An error that somebody gives.
double checked(double error) noexcept {
  return error >= 0.0 ? error : std::numeric_limits<double>::infinity();
}

/// A result computed with one rounding, of operands whose errors move it by at most `carried`.
Measured computed(double value, double carried, By by, bool lossless) noexcept {
  if (lossless) return make_measured(value, enlarged(carried + (by == By::exact ? 0.0 : kTiny)), by);
  return make_measured(value, enlarged(carried + kEpsilon * std::fabs(value) + kTiny),
                       std::max(by, By::rounding));
}

bool sum_is_exact(double a, double b, double sum) noexcept {
  const double part = sum - a;
  return (a - (sum - part)) + (b - part) == 0.0;
}

bool product_is_exact(double a, double b, double product) noexcept {
  const bool in_range = product == 0.0 ? a == 0.0 || b == 0.0 : std::fabs(product) > 1e-250;
  return in_range && std::fma(a, b, -product) == 0.0;
}

}  // namespace

double rounding(std::initializer_list<double> terms, Index summed) noexcept {
  double sum = 0.0;
  for (const double t : terms) sum += std::fabs(t);
  return (64.0 + static_cast<double>(summed)) * kEpsilon * sum + 1e-300;
}

const char* to_string(By by) noexcept {
  switch (by) {
    case By::exact:
      return "nothing";
    case By::enclosure:
      return "enclosure";
    case By::rounding:
      return "rounding";
    case By::bound:
      return "bound";
    case By::integration:
      return "the integrator's tolerance";
    case By::sampling:
      break;
  }
  return "five standard errors";
}

Measured exact(double x) noexcept { return make_measured(x, 0.0, By::exact); }
Measured rounded(double x) noexcept { return make_measured(x, rounding({x}), By::rounding); }
Measured rounded(double x, double magnitude, Index summed) noexcept {
  return make_measured(x, rounding({magnitude}, summed), By::rounding);
}
Measured rounded_by(double x, double error) noexcept {
  return make_measured(x, checked(error), By::rounding);
}
Measured within(double x, double error) noexcept { return make_measured(x, checked(error), By::bound); }
Measured enclosed(double lower, double upper) noexcept {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  // Beyond the range of doubles, but on a known side of 0.
  if (std::isinf(upper) && lower > 0.0) return make_measured(kInfinity, 0.0, By::enclosure);
  if (std::isinf(lower) && upper < 0.0) return make_measured(-kInfinity, 0.0, By::enclosure);
  if (!(std::isfinite(lower) && std::isfinite(upper) && lower <= upper))
    return make_measured(std::numeric_limits<double>::quiet_NaN(), kInfinity, By::enclosure);
  if (lower == upper) return make_measured(lower, 0.0, By::enclosure);
  const double middle = 0.5 * lower + 0.5 * upper;
  return make_measured(middle, std::nextafter(std::fmax(upper - middle, middle - lower), kInfinity),
                       By::enclosure);
}
Measured sampled(double mean, double standard_error) noexcept {
  return make_measured(mean, checked(5.0 * standard_error), By::sampling);
}
Measured integrated(double x, double tolerance) noexcept {
  return make_measured(x, checked(tolerance), By::integration);
}

Measured operator-(const Measured& a) noexcept { return make_measured(-a.value(), a.error(), a.by()); }

Measured operator+(const Measured& a, const Measured& b) noexcept {
  const double sum = a.value() + b.value();
  return computed(sum, a.error() + b.error(), later(a, b), sum_is_exact(a.value(), b.value(), sum));
}

Measured operator-(const Measured& a, const Measured& b) noexcept { return a + -b; }

Measured operator*(const Measured& a, const Measured& b) noexcept {
  const double product = a.value() * b.value();
  const double carried =
      std::fabs(a.value()) * b.error() + std::fabs(b.value()) * a.error() + a.error() * b.error();
  return computed(product, carried, later(a, b), product_is_exact(a.value(), b.value(), product));
}

Measured operator/(const Measured& a, const Measured& b) noexcept {
  const double quotient = a.value() / b.value(), least = std::fabs(b.value()) - b.error();
  const double carried = least > 0.0 ? (a.error() + std::fabs(quotient) * b.error()) / least
                                     : std::numeric_limits<double>::infinity();
  const bool lossless = std::fabs(a.value()) > 1e-250 && std::fma(-quotient, b.value(), a.value()) == 0.0;
  return computed(quotient, carried, later(a, b), lossless);
}

Measured square(const Measured& a) noexcept { return a * a; }
Measured abs(const Measured& a) noexcept { return make_measured(std::fabs(a.value()), a.error(), a.by()); }

Measured sqrt(const Measured& a) noexcept {
  if (a.value() < 0.0 && a.value() + a.error() >= 0.0)  // the exact number is at least 0 and below the error
    return make_measured(0.0, enlarged(std::sqrt(a.error())), std::max(a.by(), By::rounding));
  const double root = std::sqrt(a.value()), lowest = a.value() - a.error();
  // |sqrt(x) - sqrt(y)| = |x - y| / (sqrt(x) + sqrt(y)); where y may be 0, at most sqrt|x - y|.
  const double carried = a.error() == 0.0 ? 0.0
                         : lowest > 0.0   ? a.error() / (root + std::sqrt(lowest))
                                          : std::sqrt(a.error());
  const bool lossless = root == 0.0 || (root > 1e-120 && std::fma(root, root, -a.value()) == 0.0);
  return computed(root, carried, a.by(), lossless);
}

Measured mapped(const Measured& a, double value, double lipschitz) noexcept {
  return make_measured(value,
                       enlarged(checked(lipschitz) * a.error() + 4.0 * kEpsilon * std::fabs(value) + kTiny),
                       std::max(a.by(), By::rounding));
}

Measured exp(const Measured& a) noexcept {
  // The slope is largest at the upper end, where it is exp itself.
  return mapped(a, std::exp(a.value()), a.error() == 0.0 ? 0.0 : std::exp(a.value() + a.error()));
}

Measured log(const Measured& a) noexcept {
  const double lowest = a.value() - a.error();
  const double lipschitz = a.error() == 0.0 ? 0.0
                           : lowest > 0.0   ? 1.0 / lowest
                                            : std::numeric_limits<double>::infinity();
  if (a.value() == 1.0 && a.error() == 0.0) return exact(0.0);
  return mapped(a, std::log(a.value()), lipschitz);
}

Measured least(const Measured& a, const Measured& b) noexcept {
  const double value = a.value() <= b.value() || std::isnan(a.value()) ? a.value() : b.value();
  return make_measured(value, std::max(a.error(), b.error()), later(a, b));
}

Measured inner(std::span<const double> a, std::span<const double> b, Index summed) {
  const Compensated dot = compensated_dot(a, b);
  return rounded(dot.value, dot.magnitude, summed);
}

Measured inner(const Params& a, const Params& b, Index summed) {
  return inner(a.flat().data(), b.flat().data(), summed);
}

Measured squared_norm(const Params& a) { return inner(a, a); }

Measured squared_distance(const Params& a, const Params& b) {
  return rounded(cotangent::squared_distance(a.flat().data(), b.flat().data()).value);
}

const char* to_string(Relation relation) noexcept {
  return relation == Relation::at_most ? "<=" : relation == Relation::below ? "<" : "=";
}

double Inequality::margin() const noexcept {
  // NaN between two infinities of one sign
  const double apart = difference ? difference->value() : rhs.value() - lhs.value();
  return relation == Relation::equal ? -std::fabs(apart) : apart;
}

double Inequality::tolerance() const noexcept {
  return difference ? difference->error() : lhs.error() + rhs.error();
}

By Inequality::by() const noexcept { return difference ? difference->by() : later(lhs, rhs); }

namespace {

/// Whether the errors say anything.
bool bounded(const Inequality& q) noexcept {
  if (q.difference) return std::isfinite(q.difference->error());
  return q.lhs.error() >= 0.0 && q.rhs.error() >= 0.0 && std::isfinite(q.tolerance());
}

}  // namespace

bool Inequality::holds() const noexcept {
  const double m = margin();
  return bounded(*this) && (relation == Relation::below ? m > 0.0 : m >= -tolerance());
}

bool Inequality::proved() const noexcept {
  if (!certain() || !bounded(*this)) return false;
  const bool exactly_equal = tolerance() == 0.0 && margin() == 0.0;
  if (relation == Relation::equal) return exactly_equal;
  return margin() > tolerance() || (relation == Relation::at_most && exactly_equal);
}

bool Inequality::disproved() const noexcept {
  if (!certain() || !bounded(*this)) return false;
  const bool exactly_equal = tolerance() == 0.0 && margin() == 0.0;
  return margin() < -tolerance() || (relation == Relation::below && exactly_equal);
}

std::string Inequality::to_string() const {
  const double a = lhs.value(), b = rhs.value();
  std::string left = fmt::format("{:.12g}", a), right = fmt::format("{:.12g}", b);
  if (left == right && a != b) {
    left = fmt::format("{}", a);
    right = fmt::format("{}", b);
  }
  return fmt::format("{} {} {}{}{}", left, theory::to_string(relation), right, where.empty() ? "" : " at ",
                     where);
}

Inequality operator<=(const Measured& a, const Measured& b) { return {a, Relation::at_most, b}; }
Inequality operator<(const Measured& a, const Measured& b) { return {a, Relation::below, b}; }
Inequality operator==(const Measured& a, const Measured& b) { return {a, Relation::equal, b}; }

}  // namespace cotangent::theory
