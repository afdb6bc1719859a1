// Generators of data. Loops in a fixed order; inner products whose size matters are compensated.
#include "nn/generators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"
#include "autodiff/tensor/access.hpp"

namespace cotangent::nn {
namespace {

void check_count(const char* generator, const char* what, Index count) {
  if (count < 1)
    throw DomainError(fmt::format("[{}] {} is {}; give a whole number from 1 on", generator, what, count));
}

void check_noise(const char* generator, double noise) {
  if (!std::isfinite(noise) || noise < 0.0)
    throw DomainError(fmt::format("[{}] noise is {}; give a finite number, at least 0", generator, noise));
}

/// A unit vector, uniform among those orthogonal to the unit vector `normal` if there is one.
void draw_direction(Rng& rng, std::span<double> x, std::span<const double> normal = {}) {
  double length = 0.0;
  // The second projection removes what rounding left of the first; a short rest would be mostly rounding.
  while (length < 1e-3) {
    for (double& v : x) v = rng.normal();
    for (int pass = 0; !normal.empty() && pass < 2; ++pass) {
      const double along = compensated_dot(x, normal).value;
      for (std::size_t i = 0; i < x.size(); ++i) x[i] -= along * normal[i];
    }
    length = std::sqrt(compensated_dot(x, x).value);
  }
  for (double& v : x) v /= length;
}

/// The k-th root of a uniform number, as the largest of k of them.
double root_of_uniform(Rng& rng, Index k) {
  double largest = 0.0;
  for (Index i = 0; i < k; ++i) largest = std::max(largest, rng.uniform());
  return largest;
}

/// A coordinate t of a point uniform in the unit ball of R^d, given that t >= margin; at least three in ten
/// proposals are taken.
double draw_height(Rng& rng, Index d, double margin) {
  const double width = 1.0 - margin * margin;
  if (margin * margin * static_cast<double>(d + 2) < 1.0) {
    // The ball is the sphere of R^{d+2} projected, so t is a coordinate of a normal vector over its length.
    for (;;) {
      const double first = rng.normal();
      double squares = first * first;
      for (Index i = 0; i <= d; ++i) {
        const double g = rng.normal();
        squares += g * g;
      }
      const double t = std::abs(first) / std::sqrt(squares);
      if (t >= margin) return t;
    }
  }
  // 1 - t^2 has density s^{(d-1)/2} / t: s is drawn by its power and taken with probability margin / t.
  for (;;) {
    const double root = root_of_uniform(rng, d + 1);
    const double t = std::sqrt(1.0 - width * root * root);
    if (rng.uniform() * t <= margin) return std::max(t, margin);
  }
}

/// Moves x along the largest entry of v until <v, x> >= margin without rounding.
void lift_to_margin(std::span<double> x, std::span<const double> v, std::size_t largest, double margin) {
  const double toward = v[largest] > 0.0 ? 1.0 : -1.0;
  for (double excess; (excess = compensated_dot_minus(v, x, margin).value) < 0.0;) {
    const double moved = x[largest] - toward * (excess / std::abs(v[largest]));
    x[largest] =
        moved != x[largest] ? moved : std::nextafter(moved, toward * std::numeric_limits<double>::infinity());
  }
}

/// -1 and +1 by fair coins, both of them present from two on.
std::vector<double> draw_signs(Rng& rng, Index n) {
  std::vector<double> signs(static_cast<std::size_t>(n));
  for (double& s : signs) s = rng.uniform() < 0.5 ? -1.0 : 1.0;
  const bool all_equal = std::all_of(signs.begin(), signs.end(), [&](double s) { return s == signs[0]; });
  if (n >= 2 && all_equal) signs[static_cast<std::size_t>(rng.below(n))] *= -1.0;
  return signs;
}

/// n points of the plane: point(i, x) fills both coordinates, then noise is added; label(i) is its label.
template <class Point, class Label>
Labelled points_of_plane(Rng& rng, Index n, double noise, const Shape& labels, Point point, Label label) {
  Labelled set{detail::uninitialized(Shape{n, 2}), detail::uninitialized(labels)};
  double* x = detail::mutable_data(set.x);
  double* y = detail::mutable_data(set.y);
  Rng normals(rng.bits());
  for (Index i = 0; i < n; ++i, x += 2) {
    point(i, x);
    for (int k = 0; k < 2; ++k) x[k] += noise * normals.normal();
    y[i] = label(i);
  }
  return set;
}

double alternating(Index i) { return i % 2 == 0 ? -1.0 : 1.0; }

}  // namespace

Tensor to_classes(const Tensor& signs) {
  if (signs.rank() != 2 || signs.size(1) != 1)
    throw ShapeError(fmt::format("[to_classes] signs are {}; give labels -1 and +1 of shape [n, 1]",
                                 signs.shape().to_string()));
  Tensor classes = detail::uninitialized(Shape{signs.size()});
  double* out = detail::mutable_data(classes);
  for (const double s : signs.data()) {
    if (s != 1.0 && s != -1.0)
      throw DomainError(fmt::format("[to_classes] a label is {}, labels are {}; give -1 and +1 only", s,
                                    signs.shape().to_string()));
    *out++ = s > 0.0 ? 1.0 : 0.0;
  }
  return classes;
}

Tensor to_signs(const Tensor& classes) {
  if (classes.rank() != 1)
    throw ShapeError(fmt::format("[to_signs] classes are {}; give labels 0 and 1 of shape [n]",
                                 classes.shape().to_string()));
  Tensor signs = detail::uninitialized(Shape{classes.size(), 1});
  double* out = detail::mutable_data(signs);
  for (const double k : classes.data()) {
    if (k != 0.0 && k != 1.0)
      throw DomainError(fmt::format("[to_signs] a label is {}, labels are {}; give 0 and 1 only", k,
                                    classes.shape().to_string()));
    *out++ = k > 0.0 ? 1.0 : -1.0;
  }
  return signs;
}

Tensor sphere(Rng& rng, Index n, Index d) {
  check_count("sphere", "n", n);
  check_count("sphere", "d", d);
  Tensor points = detail::uninitialized(Shape{n, d});
  const auto width = static_cast<std::size_t>(d);
  double* x = detail::mutable_data(points);
  for (Index i = 0; i < n; ++i) draw_direction(rng, {x + i * d, width});
  return points;
}

Separable separable(Rng& rng, const SeparableOptions& options) {
  const Index n = options.n, d = options.d;
  check_count("separable", "n", n);
  check_count("separable", "d", d);
  if (!(options.margin > 0.0 && options.margin <= 1.0))
    throw DomainError(fmt::format(
        "[separable] margin is {}; points of the unit ball have margins above 0, up to 1", options.margin));

  Separable set{detail::uninitialized(Shape{n, d}), Tensor::from(draw_signs(rng, n), Shape{n, 1}),
                detail::uninitialized(Shape{d})};
  const auto width = static_cast<std::size_t>(d);
  const std::span<double> v(detail::mutable_data(set.direction), width);
  draw_direction(rng, v);
  const auto shorter = [](double a, double b) { return std::abs(a) < std::abs(b); };
  const auto largest = static_cast<std::size_t>(std::max_element(v.begin(), v.end(), shorter) - v.begin());
  const Index closest = rng.below(n);
  std::vector<double> sideways(width);
  double* rows = detail::mutable_data(set.x);
  for (Index i = 0; i < n; ++i) {
    const std::span<double> x(rows + i * d, width);
    const double height = i == closest ? options.margin : draw_height(rng, d, options.margin);
    double radius = 0.0;
    if (d > 1) {
      draw_direction(rng, sideways, v);
      radius = std::sqrt((1.0 - height) * (1.0 + height)) * root_of_uniform(rng, d - 1);
    }
    for (std::size_t k = 0; k < width; ++k) x[k] = height * v[k] + radius * sideways[k];
    lift_to_margin(x, v, largest, options.margin);
    const double sign = set.y.data()[static_cast<std::size_t>(i)];
    for (double& coordinate : x) coordinate *= sign;
  }
  return set;
}

Labelled two_moons(Rng& rng, const TwoMoonsOptions& options) {
  check_count("two_moons", "n", options.n);
  check_noise("two_moons", options.noise);
  return points_of_plane(
      rng, options.n, options.noise, Shape{options.n, 1},
      [&rng](Index i, double* x) {
        draw_direction(rng, {x, 2});
        x[1] = std::abs(x[1]);
        if (i % 2 == 0) return;
        x[0] = 1.0 - x[0];
        x[1] = 0.5 - x[1];
      },
      alternating);
}

Labelled circles(Rng& rng, const CirclesOptions& options) {
  check_count("circles", "n", options.n);
  check_noise("circles", options.noise);
  if (!(options.inner > 0.0 && options.inner < 1.0))
    throw DomainError(fmt::format("[circles] inner is {}; give the inner radius, between 0 and the outer 1",
                                  options.inner));
  return points_of_plane(
      rng, options.n, options.noise, Shape{options.n, 1},
      [&](Index i, double* x) {
        draw_direction(rng, {x, 2});
        if (i % 2 == 0) return;
        x[0] *= options.inner;
        x[1] *= options.inner;
      },
      alternating);
}

Labelled spirals(Rng& rng, const SpiralsOptions& options) {
  check_count("spirals", "n", options.n);
  check_count("spirals", "arms", options.arms);
  check_noise("spirals", options.noise);
  if (!std::isfinite(options.turns))
    throw DomainError(fmt::format("[spirals] turns is {}; give a finite number", options.turns));
  const Index arms = options.arms;
  return points_of_plane(
      rng, options.n, options.noise, Shape{options.n},
      [&](Index i, double* x) {
        const double radius = rng.uniform();
        const double part = static_cast<double>(i % arms) / static_cast<double>(arms);
        const double angle = 2.0 * std::numbers::pi * (options.turns * radius + part);
        x[0] = radius * std::cos(angle);
        x[1] = radius * std::sin(angle);
      },
      [arms](Index i) { return static_cast<double>(i % arms); });
}

Labelled teacher_student(Rng& rng, const Module& teacher, const Var& w,
                         const TeacherStudentOptions& options) {
  check_count("teacher_student", "n", options.n);
  check_count("teacher_student", "d", options.d);
  check_noise("teacher_student", options.noise);
  Rng normals(rng.bits());
  const Tensor x = options.inputs == InputDistribution::sphere ? sphere(rng, options.n, options.d)
                                                               : rng.normal(Shape{options.n, options.d});
  const Tensor answers = teacher(w.value(), x).value();
  Tensor y = detail::uninitialized(answers.shape());
  double* out = detail::mutable_data(y);
  for (const double a : answers.data()) *out++ = a + options.noise * normals.normal();
  return {x, y};
}

}  // namespace cotangent::nn
