// Loops over plain numbers, in one version for each level of processors, all of which give the same bits.
// This header includes next to nothing, for the reason that transcendental.hpp gives. Other rooms include it
// too.
#pragma once
#include <cstdint>

namespace cotangent::kernel {

/// The loops for this processor, chosen when they are first used.
struct Loops {
  /// y_i = x_i + z_i; y_i += x_i; y_i += c x_i; y_i = x_i + c z_i, where y may be x, z or both.
  void (*add)(double* y, const double* x, const double* z, std::int64_t n);
  void (*add_to)(double* y, const double* x, std::int64_t n);
  void (*add_scaled_to)(double* y, double c, const double* x, std::int64_t n);
  void (*add_multiple)(double* y, const double* x, double c, const double* z, std::int64_t n);
  /// y_i = x_i where x_i >= 0, else slope * x_i; and g_i or slope * g_i by the sign of x_i.
  void (*leaky_relu)(double* y, const double* x, double slope, std::int64_t n);
  void (*leaky_mask)(double* y, const double* g, const double* x, double slope, std::int64_t n);
  /// y_ab (=, +=) left_a right_b, for y [p, q].
  void (*outer)(double* y, const double* left, std::int64_t p, const double* right, std::int64_t q);
  void (*outer_add)(double* y, const double* left, std::int64_t p, const double* right, std::int64_t q);
  /// Sums and inner products, pairwise in an order that is the same everywhere.
  double (*sum)(const double* x, std::int64_t n);
  double (*dot)(const double* x, const double* y, std::int64_t n);
  /// y_k = the sum (of squares) over the middle axis of x [outer, middle, inner].
  void (*sum_middle)(double* y, const double* x, std::int64_t outer, std::int64_t middle, std::int64_t inner);
  void (*sum_squares_middle)(double* y, const double* x, std::int64_t outer, std::int64_t middle,
                             std::int64_t inner);
  /// y_k = the sum of squared differences from the mean over the middle axis, which is not empty, in one
  /// pass; not finite where a square overflows. `room` is for 5 inner numbers.
  void (*deviations_middle)(double* y, double* room, const double* x, std::int64_t outer, std::int64_t middle,
                            std::int64_t inner);
  /// y_k = the largest (smallest) number along the middle axis, which is not empty; NaN if there is one.
  void (*max_middle)(double* y, const double* x, std::int64_t outer, std::int64_t middle, std::int64_t inner);
  void (*min_middle)(double* y, const double* x, std::int64_t outer, std::int64_t middle, std::int64_t inner);
  /// The position of the first of n numbers that equals `value`, or n.
  std::int64_t (*find)(const double* x, double value, std::int64_t n);
  /// Of n numbers, at least one, one that is nearest to `centre`; the first where none is near.
  double (*nearest)(const double* x, double centre, std::int64_t n);
};
const Loops& loops();

}  // namespace cotangent::kernel
