// Logarithm by exact argument reduction and a Taylor series; inverse normal by Wichura's rational functions.
#include "autodiff/tensor/inverse_normal.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace cotangent::detail {
namespace {

// log 2 in two pieces; the first has 21 trailing zero bits, so that its product with an exponent is exact.
constexpr double kLog2High = 0x1.62e42feep-1;
constexpr double kLog2Low = 0x1.a39ef35793c76p-33;

struct Rational {
  double numerator[8];
  double denominator[8];
};

// Wichura's coefficients, constant term first: |p - 1/2| <= 0.425, sqrt(-log p) <= 5, and beyond.
constexpr Rational kCentre = {
    {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
     4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
    {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
     2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3}};
constexpr Rational kMiddle = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2,
     7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9}};
constexpr Rational kTail = {{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                             2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                             2.71155556874348757815e-5, 2.01033439929228813265e-7},
                            {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                             1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                             1.42151175831644588870e-7, 2.04426310338993978564e-15}};

double polynomial(const double (&coefficients)[8], double x) {
  double value = coefficients[7];
  for (std::size_t k = 7; k-- > 0;) value = value * x + coefficients[k];
  return value;
}

double ratio(const Rational& r, double x) {
  return polynomial(r.numerator, x) / polynomial(r.denominator, x);
}

}  // namespace

double portable_log(double x) noexcept {
  constexpr std::uint64_t kFraction = (std::uint64_t{1} << 52) - 1;
  constexpr std::uint64_t kSqrt2Fraction = 0x6a09e667f3bcd;
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t fraction = bits & kFraction;
  const std::uint64_t halve =
      fraction >= kSqrt2Fraction ? 1 : 0;  // m in [1, 2) becomes m / 2 from sqrt(2) on
  const double m = std::bit_cast<double>(fraction | ((1023 - halve) << 52));
  const double e = static_cast<double>(static_cast<std::int64_t>((bits >> 52) + halve) - 1023);

  // With s = f / (2 + f): log(1 + f) = 2s + s R = f - s (f - R), whose rounding errors are below those of f.
  const double f = m - 1.0;  // exact
  const double s = f / (2.0 + f);
  const double z = s * s;  // at most 0.02944, so the first term left out is below 2^-56 of the sum
  double series = 0.0;
  for (int k = 21; k >= 3; k -= 2) series = (series + 2.0 / k) * z;
  return e * kLog2High + (f - (s * (f - series) - e * kLog2Low));
}

double inverse_normal(double p) noexcept {
  const double q = p - 0.5;
  if (q >= -0.425 && q <= 0.425) return q * ratio(kCentre, 0.180625 - q * q);
  const double r = std::sqrt(-portable_log(q < 0.0 ? p : 1.0 - p));
  const double z = r <= 5.0 ? ratio(kMiddle, r - 1.6) : ratio(kTail, r - 5.0);
  return q < 0.0 ? -z : z;
}

}  // namespace cotangent::detail
