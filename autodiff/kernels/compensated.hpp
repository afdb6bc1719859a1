// Compensated arithmetic: sums and inner products as if computed in twice the working precision, and bounds
// that err on the stated side. Other rooms include this header too.
#pragma once
#include <initializer_list>
#include <span>

namespace cotangent {

/// A number with the sum of the magnitudes it was made of, from which its rounding follows.
struct Compensated {
  double value = 0.0;
  double magnitude = 0.0;
};

/// sum_i t_i and sum_i a_i b_i, with an error of about eps |value| + (n eps)^2 magnitude.
///
/// Throws: ShapeError if a and b differ in length.
/// Source: Ogita, Rump, Oishi 2005 (Sum2, Dot2).
Compensated compensated_sum(std::span<const double> terms) noexcept;
Compensated compensated_sum(std::initializer_list<double> terms) noexcept;
Compensated compensated_dot(std::span<const double> a, std::span<const double> b);
/// sum_i a_i b_i - c. Throws: ShapeError.
Compensated compensated_dot_minus(std::span<const double> a, std::span<const double> b, double c);
/// sum_i a_i (b_i - c_i), the differences taken without loss. Throws: ShapeError.
Compensated compensated_dot_difference(std::span<const double> a, std::span<const double> b,
                                       std::span<const double> c);
/// sum_i (a_i - b_i)^2. Throws: ShapeError.
Compensated squared_distance(std::span<const double> a, std::span<const double> b);

/// A number certainly at most (at least) the exact inner product.
/// Source: the error bound of Dot2.
double dot_rounded_down(std::span<const double> a, std::span<const double> b);
double dot_rounded_up(std::span<const double> a, std::span<const double> b);

}  // namespace cotangent
