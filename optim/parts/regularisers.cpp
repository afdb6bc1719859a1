// Penalties and sets by their proximal operators, projections and linear minimisers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/tensor/access.hpp"
#include "optim/moves.hpp"

namespace cotangent::optim {
namespace {

template <class EachNumber>
Tensor mapped(const Tensor& x, EachNumber each) {
  Tensor y = detail::uninitialized(x.shape());
  double* to = detail::mutable_data(y);
  const double* from = x.data().data();
  for (Index j = 0; j < x.size(); ++j) to[j] = each(from[j]);
  return y;
}

double sum_of_magnitudes(const Tensor& w) {
  double sum = 0.0;
  for (const double v : w.data()) sum += std::fabs(v);
  return sum;
}

double length(const Tensor& w) {
  double scale = 0.0, square = 0.0;
  for (const double v : w.data()) scale = std::max(scale, std::fabs(v));
  if (scale == 0.0 || !std::isfinite(scale)) return scale;
  for (const double v : w.data()) square += (v / scale) * (v / scale);
  return scale * std::sqrt(square);
}

double distance_between(const Tensor& a, const Tensor& b) {
  std::vector<double> difference;
  for (std::size_t j = 0; j < a.data().size(); ++j) difference.push_back(a.data()[j] - b.data()[j]);
  return length(Tensor::from(difference, {a.size()}));
}

void check_weight(const char* name, double weight) {
  if (!(weight >= 0.0 && std::isfinite(weight)))
    throw DomainError(fmt::format("[{}] the weight is {}; give a finite number, 0 or above", name, weight));
}

void check_size(const char* name, const char* what, double size) {
  if (!(size > 0.0 && std::isfinite(size)))
    throw DomainError(fmt::format("[{}] the {} is {}; give a finite number above 0", name, what, size));
}

void check_bounds(const char* name, double low, double high) {
  if (!(low <= high) || std::isinf(low) || std::isinf(high))
    throw DomainError(fmt::format(
        "[{}] the bounds are {} and {}; give two finite numbers, the lower one first", name, low, high));
}

/// x - t for the t at which the positive parts add up to `total`; negatives become 0.
Tensor onto_simplex(const Tensor& x, double total) {
  // Less the largest number, whose size would swallow the total's.
  const double top = *std::max_element(x.data().begin(), x.data().end());
  std::vector<double> sorted;
  for (const double v : x.data()) sorted.push_back(v - top);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double sum = 0.0, level = 0.0;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    sum += sorted[k];
    const double at = (sum - total) / static_cast<double>(k + 1);
    if (sorted[k] > at) level = at;
  }
  return mapped(x, [=](double v) { return std::max((v - top) - level, 0.0); });
}

Tensor onto_l1_ball(const Tensor& x, double radius) {
  if (sum_of_magnitudes(x) <= radius) return x;
  const Tensor sizes = onto_simplex(mapped(x, [](double v) { return std::fabs(v); }), radius);
  Tensor y = detail::uninitialized(x.shape());
  for (Index j = 0; j < x.size(); ++j) detail::mutable_data(y)[j] = std::copysign(sizes.flat(j), x.flat(j));
  return y;
}

Tensor onto_l2_ball(const Tensor& x, double radius) {
  const double size = length(x);
  return size <= radius ? x : mapped(x, [=](double v) { return v * (radius / size); });
}

Tensor clipped(const Tensor& x, double low, double high) {
  return mapped(x, [=](double v) { return std::clamp(v, low, high); });
}

Tensor softened(const Tensor& x, double by, double shrink) {
  return mapped(x, [=](double v) { return std::copysign(std::max(std::fabs(v) - by, 0.0), v) / shrink; });
}

/// A set by its projection.
template <class Projection>
Regulariser set(const char* name, Projection project) {
  return {.name = name,
          .value = [](const Tensor&) { return 0.0; },
          .prox = [project](const Tensor& x, double) { return project(x); },
          .distance = [project](const Tensor& w) { return distance_between(w, project(w)); }};
}

template <class Projection, class Minimiser>
LinearMinimiser minimiser(const char* name, Projection project, Minimiser minimise) {
  return {.name = name, .minimise = minimise, .distance = [project](const Tensor& w) {
            return distance_between(w, project(w));
          }};
}

/// `size` with a sign at the position of g's smallest number, or largest magnitude; 0 elsewhere.
Tensor corner(const Tensor& g, double size, bool signed_) {
  Index at = 0;
  const auto key = [&](Index j) { return signed_ ? -std::fabs(g.flat(j)) : g.flat(j); };
  for (Index j = 1; j < g.size(); ++j)
    if (key(j) < key(at)) at = j;
  Tensor s = Tensor::zeros(g.shape());
  detail::mutable_data(s)[at] = signed_ && g.flat(at) > 0.0 ? -size : size;
  return s;
}

}  // namespace

Regulariser l1(double weight) {
  check_weight("l1", weight);
  return {.name = "l1",
          .value = [weight](const Tensor& w) { return weight * sum_of_magnitudes(w); },
          .prox = [weight](const Tensor& x, double step) { return softened(x, step * weight, 1.0); }};
}

Regulariser elastic_net(double l1, double squared) {
  check_weight("elastic_net", l1);
  check_weight("elastic_net", squared);
  return {.name = "elastic_net",
          .value =
              [l1, squared](const Tensor& w) {
                const double size = length(w);
                return l1 * sum_of_magnitudes(w) + 0.5 * squared * size * size;
              },
          .prox = [l1, squared](const Tensor& x,
                                double step) { return softened(x, step * l1, 1.0 + step * squared); }};
}

Regulariser squared_l2(double weight) {
  check_weight("squared_l2", weight);
  Regulariser h = elastic_net(0.0, weight);
  h.name = "squared_l2";
  return h;
}

Regulariser box(double low, double high) {
  check_bounds("box", low, high);
  return set("box", [=](const Tensor& x) { return clipped(x, low, high); });
}

Regulariser nonnegative() {
  return set("nonnegative",
             [](const Tensor& x) { return mapped(x, [](double v) { return std::max(v, 0.0); }); });
}

Regulariser simplex(double total) {
  check_size("simplex", "total", total);
  return set("simplex", [=](const Tensor& x) { return onto_simplex(x, total); });
}

Regulariser l1_ball(double radius) {
  check_size("l1_ball", "radius", radius);
  return set("l1_ball", [=](const Tensor& x) { return onto_l1_ball(x, radius); });
}

Regulariser l2_ball(double radius) {
  check_size("l2_ball", "radius", radius);
  return set("l2_ball", [=](const Tensor& x) { return onto_l2_ball(x, radius); });
}

LinearMinimiser over_box(double low, double high) {
  check_bounds("over_box", low, high);
  return minimiser(
      "over_box", [=](const Tensor& x) { return clipped(x, low, high); },
      [=](const Tensor& g) { return mapped(g, [=](double v) { return v > 0.0 ? low : high; }); });
}

LinearMinimiser over_simplex(double total) {
  check_size("over_simplex", "total", total);
  return minimiser(
      "over_simplex", [=](const Tensor& x) { return onto_simplex(x, total); },
      [=](const Tensor& g) { return corner(g, total, false); });
}

LinearMinimiser over_l1_ball(double radius) {
  check_size("over_l1_ball", "radius", radius);
  return minimiser(
      "over_l1_ball", [=](const Tensor& x) { return onto_l1_ball(x, radius); },
      [=](const Tensor& g) { return corner(g, radius, true); });
}

LinearMinimiser over_l2_ball(double radius) {
  check_size("over_l2_ball", "radius", radius);
  return minimiser(
      "over_l2_ball", [=](const Tensor& x) { return onto_l2_ball(x, radius); },
      [=](const Tensor& g) {
        const double size = length(g);
        return mapped(g, [=](double v) { return size > 0.0 ? -radius * (v / size) : 0.0; });
      });
}

}  // namespace cotangent::optim
