// Wolfe's algorithm: a corral of samples whose affine hull's nearest point lies inside their convex hull.
#include "theory/margin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/compensated.hpp"
#include "autodiff/kernels/lapack.hpp"
#include "autodiff/ops.hpp"
#include "theory/measured.hpp"
#include "theory/numerics/arguments.hpp"
#include "theory/spectrum.hpp"

namespace cotangent::theory {
namespace {

using Vector = std::vector<double>;

double dot(std::span<const double> a, std::span<const double> b) { return compensated_dot(a, b).value; }

void check(const char* operation, const Tensor& x, const Tensor& y) {
  if (x.rank() != 2 || y.size() != x.size(0) || y.rank() > 2 || (y.rank() == 2 && y.size(1) != 1))
    throw ShapeError(fmt::format("[{}] X is {}, y is {}; give X [n, d] and y [n] or [n, 1]", operation,
                                 x.shape().to_string(), y.shape().to_string()));
  if (x.size() == 0)
    throw DomainError(
        fmt::format("[{}] X is {}; give at least one sample", operation, x.shape().to_string()));
  for (const double label : y.data())
    if (label != 1.0 && label != -1.0)
      throw DomainError(fmt::format("[{}] a label is {}; labels must be exactly -1 or +1", operation, label));
  for (const double v : x.data())
    if (!std::isfinite(v))
      throw DomainError(
          fmt::format("[{}] X {} holds {}; data must be finite", operation, x.shape().to_string(), v));
}

/// Rows y_i x_i.
Tensor signed_rows(const Tensor& x, const Tensor& y) {
  Vector p(x.data().begin(), x.data().end());
  const auto d = static_cast<std::size_t>(x.size(1));
  for (std::size_t i = 0; i < y.data().size(); ++i)
    if (y.data()[i] < 0.0)
      for (std::size_t j = 0; j < d; ++j) p[i * d + j] = -p[i * d + j];
  return Tensor::from(p, x.shape());
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// <p, v> / |v| rounded down, or rounded up.
class Quotient {
 public:
  explicit Quotient(std::span<const double> v)
      : v_(v),
        shortest_(std::nextafter(std::sqrt(std::max(dot_rounded_down(v, v), 0.0)), 0.0)),
        longest_(std::nextafter(std::sqrt(dot_rounded_up(v, v)), kInfinity)) {}

  // Divided by a norm rounded up where that brings the quotient nearer to 0, as it must, and down elsewhere.
  double down(std::span<const double> p) const {
    const double dot = dot_rounded_down(p, v_);
    return std::nextafter(dot / (dot > 0.0 ? longest_ : shortest_), -kInfinity);
  }
  double up(std::span<const double> p) const {
    const double dot = dot_rounded_up(p, v_);
    return std::nextafter(dot / (dot > 0.0 ? shortest_ : longest_), kInfinity);
  }

 private:
  std::span<const double> v_;
  double shortest_, longest_;
};

double least_margin(const Tensor& points, std::span<const double> v) {
  const Quotient quotient(v);
  double least = kInfinity;
  for (Index i = 0; i < points.size(0); ++i) least = std::min(least, quotient.down(row_of(points, i)));
  return least;
}

/// Whether some p_i = -p_j (or p_i = 0): no direction has a positive margin on both.
bool has_opposites(const Tensor& points) {
  std::vector<Vector> rows;
  for (Index i = 0; i < points.size(0); ++i)
    rows.emplace_back(row_of(points, i).begin(), row_of(points, i).end());
  std::sort(rows.begin(), rows.end());
  return std::any_of(rows.begin(), rows.end(), [&](Vector row) {
    for (double& c : row) c = -c;
    return std::binary_search(rows.begin(), rows.end(), row);
  });
}

/// Whether the hull of the d + 1 points of positive weight holds 0, the weights being off by what they are.
///
/// With A of rows [p_i, 1], exact weights mu solve A^T mu = (0, 1), and |mu - lambda| <= |A^T lambda - (0,
/// 1)| / sigma_min(A): they are positive where the least lambda is larger than that.
bool surrounds_zero(const Tensor& points, const Tensor& weights) {
  const Index d = points.size(1);
  std::vector<Index> chosen;
  for (Index i = 0; i < points.size(0); ++i)
    if (weights(i) > 0.0) chosen.push_back(i);
  if (static_cast<Index>(chosen.size()) != d + 1) return false;
  Vector entries, lambda;
  for (const Index i : chosen) {
    const std::span<const double> p = row_of(points, i);
    entries.insert(entries.end(), p.begin(), p.end());
    entries.push_back(1.0);
    lambda.push_back(weights(i));
  }
  const Tensor a = Tensor::from(entries, Shape{d + 1, d + 1});
  const Tensor columns = transpose(a).value(), gram = matmul(a, a, {.transpose_b = true}).value();
  double off = 0.0, trace = 0.0;  // |A^T lambda - (0, 1)|_1
  for (Index j = 0; j <= d; ++j) {
    const double wanted = j < d ? 0.0 : 1.0;
    off += std::max(dot_rounded_up(row_of(columns, j), lambda) - wanted,
                    wanted - dot_rounded_down(row_of(columns, j), lambda));
    trace += gram(j, j);
  }
  const Spectrum s = spectrum(gram);
  const double least = s.smallest() - s.bound - theory::rounding({trace}, d + 1);
  // Twice as much, for the rounding of this line and of `off`.
  return least > 0.0 && *std::min_element(lambda.begin(), lambda.end()) > 2.0 * off / std::sqrt(least);
}

/// Wolfe's corral: samples S and weights over them, all positive.
class NearestPoint {
 public:
  explicit NearestPoint(const Tensor& points) : points_(points) {
    const Index n = points.size(0);
    double least = kInfinity;
    for (Index i = 0; i < n; ++i) {
      const double square = dot(row_of(points, i), row_of(points, i));
      largest_ = std::max(largest_, square);
      if (square < least) {
        least = square;
        corral_ = {i};
      }
    }
    weights_ = {1.0};
    gram_ = {{least}};
    update();
  }

  void run() {
    const Index limit = 100 * (points_.size(0) + points_.size(1));
    for (Index k = 0; k < limit; ++k) {
      Index next = 0;
      double least = kInfinity;
      const Tensor scores =
          matmul(points_, Tensor::from(point_, Shape{points_.size(1), 1})).value();  // [n, 1]
      for (Index i = 0; i < points_.size(0); ++i)
        if (scores(i, 0) < least) {
          least = scores(i, 0);
          next = i;
        }
      least = dot(row_of(points_, next), point_);
      const double square = dot(point_, point_);
      const double enough = 1e-14 * std::max(square, 1e-16 * largest_);
      if (least >= square - enough || std::count(corral_.begin(), corral_.end(), next)) return;
      if (!step(next)) return;
      if (dot(point_, point_) >= square) {  // no progress beyond rounding
        return;
      }
    }
  }

  const Vector& point() const { return point_; }
  /// How far the computed point may lie from the combination that its weights stand for.
  double rounding() const {
    const auto terms = static_cast<double>(corral_.size() + 4);
    return terms * std::numeric_limits<double>::epsilon() * std::sqrt(largest_);
  }
  Tensor weights() const {
    Vector all(static_cast<std::size_t>(points_.size(0)));
    for (std::size_t k = 0; k < corral_.size(); ++k) all[static_cast<std::size_t>(corral_[k])] = weights_[k];
    return Tensor::from(all, Shape{points_.size(0)});
  }

 private:
  /// Adds a sample and moves to the nearest point of the new corral; false if rounding ends the road.
  bool step(Index next) {
    Vector column;
    for (const Index i : corral_) column.push_back(dot(row_of(points_, i), row_of(points_, next)));
    for (std::size_t k = 0; k < corral_.size(); ++k) gram_[k].push_back(column[k]);
    column.push_back(dot(row_of(points_, next), row_of(points_, next)));
    gram_.push_back(std::move(column));
    corral_.push_back(next);
    weights_.push_back(0.0);
    for (;;) {
      Vector affine;
      if (!nearest_in_affine_hull(affine)) {
        remove(corral_.size() - 1);
        update();
        return false;
      }
      // As far towards it as the weights stay positive.
      double share = 1.0;
      for (std::size_t k = 0; k < affine.size(); ++k)
        if (affine[k] <= kZero)
          share = std::min(share, weights_[k] / std::max(weights_[k] - affine[k], 1e-300));
      for (std::size_t k = 0; k < affine.size(); ++k) weights_[k] += share * (affine[k] - weights_[k]);
      if (share >= 1.0 && std::all_of(affine.begin(), affine.end(), [](double a) { return a > kZero; }))
        break;
      for (std::size_t k = corral_.size(); k-- > 0;)
        if (weights_[k] <= kZero && corral_.size() > 1) remove(k);
    }
    update();
    return true;
  }

  /// Weights of sum 1 over the corral with the shortest combination: (G + 1 1') u = 1, then u / sum u.
  bool nearest_in_affine_hull(Vector& weights) const {
    const auto n = static_cast<Index>(corral_.size());
    Vector a;
    for (const Vector& line : gram_)
      for (const double g : line) a.push_back(g + largest_);
    weights.assign(corral_.size(), 1.0);
    if (kernel::cholesky("hard_margin", a.data(), n) != 0) return false;
    kernel::cholesky_solve("hard_margin", a.data(), n, weights.data(), 1);
    double sum = 0.0;
    for (const double u : weights) sum += u;
    if (!(std::fabs(sum) > 0.0) || !std::isfinite(sum)) return false;
    for (double& u : weights) u /= sum;
    return true;
  }

  void remove(std::size_t k) {
    const auto at = static_cast<std::ptrdiff_t>(k);
    corral_.erase(corral_.begin() + at);
    weights_.erase(weights_.begin() + at);
    gram_.erase(gram_.begin() + at);
    for (Vector& line : gram_) line.erase(line.begin() + at);
  }

  void update() {
    double sum = 0.0;
    for (const double w : weights_) sum += w;
    point_.assign(static_cast<std::size_t>(points_.size(1)), 0.0);
    for (std::size_t k = 0; k < corral_.size(); ++k) {
      weights_[k] /= sum;
      const std::span<const double> p = row_of(points_, corral_[k]);
      for (std::size_t j = 0; j < p.size(); ++j) point_[j] += weights_[k] * p[j];
    }
  }

  static constexpr double kZero = 1e-13;
  const Tensor& points_;
  double largest_ = 0.0;  // largest |p_i|^2
  std::vector<Index> corral_;
  Vector weights_;
  std::vector<Vector> gram_;
  Vector point_;
};

}  // namespace

double margin_of(const Tensor& direction, const Tensor& x, const Tensor& y) {
  check("margin_of", x, y);
  if (direction.rank() != 1 || direction.size() != x.size(1))
    throw ShapeError(fmt::format("[margin_of] the direction is {}, X is {}; give a direction of [{}]",
                                 direction.shape().to_string(), x.shape().to_string(), x.size(1)));
  if (!(dot_rounded_down(direction.data(), direction.data()) > 0.0))
    throw DomainError("[margin_of] the direction is zero, or too short to tell; give one of length 1");
  return least_margin(signed_rows(x, y), direction.data());
}

DirectionMargins margins_of(const Tensor& direction, const Tensor& x, const Tensor& y) {
  margin_of(direction, x, y);  // for its checks
  const Tensor points = signed_rows(x, y);
  const Quotient quotient(direction.data());
  DirectionMargins m;
  for (Index i = 0; i < points.size(0); ++i) {
    m.lower.push_back(quotient.down(row_of(points, i)));
    m.upper.push_back(quotient.up(row_of(points, i)));
  }
  return m;
}

HardMargin hard_margin(const Tensor& x, const Tensor& y) {
  check("hard_margin", x, y);
  // Scaled by a power of two, exactly, so that no square leaves the range of numbers.
  double largest = 0.0;
  for (const double v : x.data()) largest = std::max(largest, std::fabs(v));
  int exponent = 0;
  std::frexp(largest, &exponent);
  const double unit = std::ldexp(1.0, std::clamp(exponent, -1000, 1000));
  const Tensor points = (Var(signed_rows(x, y)) * (1.0 / unit)).value();
  NearestPoint nearest(points);
  nearest.run();
  HardMargin found;
  found.weights = nearest.weights();
  const Vector& p = nearest.point();
  found.upper = std::nextafter(unit * (std::sqrt(dot_rounded_up(p, p)) + nearest.rounding()), kInfinity);
  const double norm = std::sqrt(dot(p, p));
  if (norm > 0.0) {
    Vector v = p;
    for (double& c : v) c /= norm;
    found.margin = unit * least_margin(points, v);
    if (std::fabs(found.margin) < std::numeric_limits<double>::min())  // where scaling rounds
      found.margin = std::nextafter(found.margin, -kInfinity);
    if (found.separable()) found.direction = Tensor::from(v, Shape{x.size(1)});
  }
  if (!found.separable() && (has_opposites(signed_rows(x, y)) || surrounds_zero(points, found.weights)))
    found.upper = 0.0;
  return found;
}

}  // namespace cotangent::theory
