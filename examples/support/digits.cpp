// Drawn digits: polylines with a random hand; and the random motion of images.
#include "examples/support/digits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/objective.hpp"

namespace cotangent::examples {
namespace {

constexpr Index kSide = 28;
constexpr Index kPixels = kSide * kSide;

struct Point {
  double x;
  double y;
};
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

/// Part of an ellipse, angles in degrees: 0 is to the right, 90 down.
Stroke arc(Point centre, double width, double height, double from, double to) {
  constexpr int kPieces = 14;
  Stroke stroke;
  for (int k = 0; k <= kPieces; ++k) {
    const double angle = (from + (to - from) * k / kPieces) * std::numbers::pi / 180.0;
    stroke.push_back({centre.x + width * std::cos(angle), centre.y + height * std::sin(angle)});
  }
  return stroke;
}

Stroke joined(Stroke first, const Stroke& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// The strokes of a digit in the unit square, y downwards; `other` is the second way to write it.
Glyph glyph(Index digit, bool other) {
  switch (digit) {
    case 0:
      return {arc({0.5, 0.5}, 0.26, 0.4, -90, 270)};
    case 1:
      if (other) return {{{0.5, 0.1}, {0.5, 0.9}}};
      return {{{0.33, 0.3}, {0.54, 0.1}, {0.54, 0.9}}};
    case 2:
      return {joined(arc({0.5, 0.32}, 0.25, 0.22, 190, 380), {{0.25, 0.9}, {0.78, 0.88}})};
    case 3:
      return {arc({0.46, 0.3}, 0.24, 0.2, 200, 450), arc({0.46, 0.7}, 0.28, 0.2, 270, 510)};
    case 4:
      if (other) return {{{0.28, 0.12}, {0.25, 0.52}, {0.78, 0.52}}, {{0.7, 0.12}, {0.68, 0.9}}};
      return {{{0.62, 0.9}, {0.62, 0.1}, {0.22, 0.64}, {0.82, 0.64}}};
    case 5:
      return {joined({{0.75, 0.1}, {0.32, 0.1}, {0.29, 0.46}}, arc({0.47, 0.66}, 0.27, 0.23, -130, 150))};
    case 6:
      return {joined({{0.66, 0.1}, {0.4, 0.34}}, arc({0.5, 0.68}, 0.23, 0.21, 190, 560))};
    case 7:
      if (other) return {{{0.22, 0.12}, {0.77, 0.12}, {0.42, 0.9}}, {{0.36, 0.5}, {0.72, 0.5}}};
      return {{{0.22, 0.12}, {0.77, 0.12}, {0.42, 0.9}}};
    case 8:
      return {arc({0.5, 0.3}, 0.2, 0.2, 90, 450), arc({0.5, 0.7}, 0.25, 0.2, -90, 270)};
    default:
      if (other) return {arc({0.5, 0.32}, 0.23, 0.21, 0, 360), arc({0.4, 0.45}, 0.33, 0.44, -15, 95)};
      return {joined(arc({0.5, 0.32}, 0.23, 0.21, 0, 360), {{0.66, 0.9}})};
  }
}

double around(Rng& rng, double centre, double width) { return centre + width * (2.0 * rng.uniform() - 1.0); }

/// A glyph as one hand writes it, in pixels.
Glyph written(Glyph glyph, Rng& rng) {
  const double width = around(rng, 19.0, 4.0), height = around(rng, 21.0, 3.5);
  const double slant = around(rng, 0.1, 0.3), turn = around(rng, 0.0, 0.2);
  const double right = around(rng, 13.5, 2.5), down = around(rng, 13.5, 2.5);
  const double bend = around(rng, 0.0, 0.06), phase = around(rng, 0.0, std::numbers::pi);
  for (Stroke& stroke : glyph) {
    const Point loose{around(rng, 0.0, 0.04), around(rng, 0.0, 0.04)};
    for (Point& p : stroke) {
      const double y = height * (p.y + loose.y + around(rng, 0.0, 0.015) - 0.5);
      const double waved = p.x + bend * std::sin(2.0 * std::numbers::pi * p.y + phase);
      const double x = width * (waved + loose.x + around(rng, 0.0, 0.015) - 0.5) - slant * y;
      p = {right + std::cos(turn) * x - std::sin(turn) * y, down + std::sin(turn) * x + std::cos(turn) * y};
    }
  }
  return glyph;
}

double square_distance(Point p, Point a, Point b) {
  const double ux = b.x - a.x, uy = b.y - a.y, px = p.x - a.x, py = p.y - a.y;
  const double length = ux * ux + uy * uy;
  const double t = length > 0.0 ? std::clamp((px * ux + py * uy) / length, 0.0, 1.0) : 0.0;
  const double dx = px - t * ux, dy = py - t * uy;
  return dx * dx + dy * dy;
}

void draw(const Glyph& glyph, double* image, Rng& rng) {
  const double pen = around(rng, 1.1, 0.5), edge = around(rng, 0.9, 0.3), ink = around(rng, 0.85, 0.15);
  for (Index row = 0; row < kSide; ++row)
    for (Index column = 0; column < kSide; ++column) {
      const Point p{static_cast<double>(column), static_cast<double>(row)};
      double nearest = 1e9;
      for (const Stroke& stroke : glyph)
        for (std::size_t k = 1; k < stroke.size(); ++k)
          nearest = std::min(nearest, square_distance(p, stroke[k - 1], stroke[k]));
      const double covered = std::clamp((pen + edge - std::sqrt(nearest)) / edge, 0.0, 1.0);
      *image++ = std::clamp(ink * covered + 0.08 * rng.normal(), 0.0, 1.0);
    }
}

/// The image at a point between pixels; 0 outside.
double between(const double* image, double x, double y) {
  // Beyond these ends all four neighbours are outside; from -2 on, rounding towards 0 of x + 2 is floor.
  x = std::clamp(x, -2.0, static_cast<double>(kSide));
  y = std::clamp(y, -2.0, static_cast<double>(kSide));
  const Index column = static_cast<Index>(x + 2.0) - 2, row = static_cast<Index>(y + 2.0) - 2;
  const double u = x - static_cast<double>(column), v = y - static_cast<double>(row);
  const auto pixel = [&](Index i, Index j) {
    return i >= 0 && i < kSide && j >= 0 && j < kSide ? image[i * kSide + j] : 0.0;
  };
  return (1.0 - v) * ((1.0 - u) * pixel(row, column) + u * pixel(row, column + 1)) +
         v * ((1.0 - u) * pixel(row + 1, column) + u * pixel(row + 1, column + 1));
}

/// The class of each sample's largest logit, the first of equals.
std::vector<Index> answers_of(const char* operation, const Tensor& logits, const Tensor& labels) {
  if (logits.rank() != 2 || labels.rank() != 1 || logits.size(0) != labels.size(0) || logits.size(1) == 0)
    throw ShapeError(fmt::format("[{}] logits are {}, labels {}; give [n, C] and [n]", operation,
                                 logits.shape().to_string(), labels.shape().to_string()));
  std::vector<Index> answers;
  for (Index i = 0; i < logits.size(0); ++i) {
    const double* row = logits.data().data() + i * logits.size(1);
    answers.push_back(std::max_element(row, row + logits.size(1)) - row);
  }
  return answers;
}

}  // namespace

nn::Digits drawn_digits(Index n, Rng& rng) {
  if (n < 1) throw DomainError(fmt::format("[drawn_digits] n is {}; ask for at least one digit", n));
  std::vector<double> images(static_cast<std::size_t>(n * kPixels)), labels;
  for (const Index k : rng.permutation(n)) {
    const Index digit = k % 10;
    const bool other = rng.uniform() < 0.35;
    draw(written(glyph(digit, other), rng), images.data() + labels.size() * kPixels, rng);
    labels.push_back(static_cast<double>(digit));
  }
  return {.images = Tensor::from(images, {n, kPixels}), .labels = Tensor::from(labels, {n})};
}

nn::Labelled two_digits(const std::string& data, Index n, Rng& rng) {
  const nn::Digits all = data.empty() ? drawn_digits(n, rng) : nn::read_mnist(data).train;
  std::vector<Index> chosen;
  std::vector<double> labels;
  for (Index i = 0; i < std::min(n, all.labels.size()); ++i)
    if (all.labels(i) < 2.0) {
      chosen.push_back(i);
      labels.push_back(2.0 * all.labels(i) - 1.0);
    }
  if (chosen.empty())
    throw DomainError(fmt::format("[two_digits] neither 0 nor 1 is among the first {} digits", n));
  const Index k = static_cast<Index>(chosen.size());
  const Tensor x = Batch::of(all.labels.size(), std::move(chosen)).rows(all.images);
  const Tensor squares = sum(square(x), 1).value();
  const double longest = *std::max_element(squares.data().begin(), squares.data().end());
  return {.x = (Var(x) / std::sqrt(longest)).value(), .y = Tensor::from(labels, {k, 1})};
}

Tensor moved(const Tensor& images, const Motion& motion, Rng& rng) {
  if (images.rank() != 2 || images.size(1) != kPixels)
    throw ShapeError(fmt::format("[moved] images are {}; give [n, {}]", images.shape().to_string(), kPixels));
  constexpr double kCentre = 0.5 * (kSide - 1);
  std::vector<double> result(static_cast<std::size_t>(images.size()));
  double* to = result.data();
  for (Index i = 0; i < images.size(0); ++i) {
    const double* from = images.data().data() + i * kPixels;
    const double dx = around(rng, 0.0, motion.shift), dy = around(rng, 0.0, motion.shift);
    const double turn = around(rng, 0.0, motion.turn), slant = around(rng, 0.0, motion.slant);
    const double scale = 1.0 / around(rng, 1.0, motion.scale);
    const double c = scale * std::cos(turn), s = scale * std::sin(turn);
    for (Index row = 0; row < kSide; ++row)
      for (Index column = 0; column < kSide; ++column) {
        const double y = static_cast<double>(row) - kCentre - dy;
        const double x = static_cast<double>(column) - kCentre - dx + slant * y;
        *to++ = between(from, kCentre + c * x - s * y, kCentre + s * x + c * y);
      }
  }
  return Tensor::from(result, images.shape());
}

Tensor confusion(const Tensor& logits, const Tensor& labels) {
  const std::vector<Index> answers = answers_of("confusion", logits, labels);
  const auto classes = static_cast<std::size_t>(logits.size(1));
  std::vector<double> counts(classes * classes, 0.0);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const double label = labels.data()[i];
    if (!(label >= 0.0 && label < static_cast<double>(classes)))
      throw DomainError(
          fmt::format("[confusion] label {} is {}; give classes from 0 to {}", i, label, classes - 1));
    counts[static_cast<std::size_t>(label) * classes + static_cast<std::size_t>(answers[i])] += 1.0;
  }
  return Tensor::from(counts, {logits.size(1), logits.size(1)});
}

Tensor mistaken(const Tensor& images, const Tensor& logits, const Tensor& labels, Index most, Index across) {
  const std::vector<Index> answers = answers_of("mistaken", logits, labels);
  if (images.rank() != 2 || images.size(1) != kPixels || images.size(0) != labels.size(0))
    throw ShapeError(fmt::format("[mistaken] images are {} for {} labels; give [{}, {}]",
                                 images.shape().to_string(), labels.size(0), labels.size(0), kPixels));
  if (most < 1 || across < 1)
    throw DomainError(fmt::format("[mistaken] at most {}, {} across; give at least 1 of both", most, across));
  std::vector<Index> chosen;
  for (Index i = 0; i < images.size(0) && static_cast<Index>(chosen.size()) < most; ++i)
    if (labels(i) != static_cast<double>(answers[static_cast<std::size_t>(i)])) chosen.push_back(i);
  const Index count = static_cast<Index>(chosen.size()),
              down = std::max<Index>(1, (count + across - 1) / across);
  std::vector<double> pixels(static_cast<std::size_t>(down * across * kPixels), 0.0);
  for (Index k = 0; k < count; ++k) {
    const double* from = images.data().data() + chosen[static_cast<std::size_t>(k)] * kPixels;
    for (Index row = 0; row < kSide; ++row, from += kSide)
      std::copy(from, from + kSide,
                pixels.begin() + ((k / across * kSide + row) * across + k % across) * kSide);
  }
  return Tensor::from(pixels, {down * kSide, across * kSide});
}

MovingImages::MovingImages(Tensor images, const Motion& motion, Rng rng)
    : original_(std::move(images)), motion_(motion), rng_(rng), now_(moved(original_, motion_, rng_)) {}

optim::Flow MovingImages::on_epoch(const optim::View&) {
  now_ = moved(original_, motion_, rng_);
  return optim::Flow::go_on;
}

}  // namespace cotangent::examples
