// Newton's step within a trust region: by the Hessian, or by products with it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/kernels/lapack.hpp"
#include "autodiff/kernels/length.hpp"
#include "autodiff/kernels/products.hpp"
#include "autodiff/tensor/access.hpp"
#include "optim/rules.hpp"

namespace cotangent::optim {
namespace {

using Vector = std::vector<double>;

/// A step d, to be subtracted, and how much the quadratic model falls along it.
struct Trial {
  Params step;
  double decrease;
  bool at_boundary;
};

/// The model's minimiser on |d| <= radius from the eigenvectors of the Hessian, for any radius.
class Eigenmodel {
 public:
  Eigenmodel(Vector hessian, const Params& gradient) : like_(gradient), n_(gradient.size()) {
    const auto n = static_cast<std::size_t>(n_);
    values_.resize(n);
    vectors_.resize(n * n);
    kernel::symmetric_eigen("newton", hessian.data(), n_, values_.data(), vectors_.data());
    along_.resize(n);  // the gradient along each eigenvector
    kernel::matmul(along_.data(), vectors_.data(), gradient.flat().data().data(), {n_, n_, 1}, {}, 0.0);
    size_ = length(along_);
    tiny_ = 1e-14 * static_cast<double>(n) * std::max(std::fabs(values_.front()), std::fabs(values_.back()));
  }

  Trial within(double radius) const {
    // (H + shift I) d = g with the smallest shift >= 0 that makes it positive definite and |d| <= radius.
    // Where H is singular, and g has no part there, the shortest of the solutions.
    if (values_.front() >= -tiny_ && length(0.0) <= radius) return at(0.0, radius);
    const double least = std::max(0.0, -values_.front());
    double low = least, high = least + std::max(size_ / radius, tiny_);
    // The hard case: the least shift is not enough to reach the boundary, which negative curvature leads to.
    if (values_.front() < -tiny_ && length(least + tiny_) < radius) return at(least + tiny_, radius, true);
    for (int k = 0; k < 200 && high - low > 1e-15 * high; ++k) {
      const double middle = 0.5 * (low + high);
      (length(middle) > radius ? low : high) = middle;
    }
    return at(high, radius);
  }

 private:
  static double length(const Vector& x) { return kernel::length(x.data(), static_cast<Index>(x.size())); }

  Vector parts(double shift) const {
    Vector d(along_.size());
    for (std::size_t k = 0; k < d.size(); ++k) d[k] = part(k, shift);
    return d;
  }
  double length(double shift) const {
    const double size = length(parts(shift));
    return std::isfinite(size) ? size : std::numeric_limits<double>::infinity();
  }

  /// The step along an eigenvector: none where neither curvature nor gradient is more than rounding.
  double part(std::size_t k, double shift) const {
    const bool flat = std::fabs(values_[k] + shift) <= tiny_;
    if (flat && std::fabs(along_[k]) <= 1e-12 * size_) return 0.0;
    return along_[k] / (values_[k] + shift);
  }

  /// In the hard case the rest of the radius is gone along the first eigenvector.
  Trial at(double shift, double radius, bool fill = false) const {
    Vector d = parts(shift);
    const double size = length(d);
    if (fill && size < radius)
      d[0] += std::copysign(std::sqrt(radius - size) * std::sqrt(radius + size), d[0]);
    double decrease = 0.0;
    for (std::size_t k = 0; k < d.size(); ++k) decrease += d[k] * (along_[k] - 0.5 * values_[k] * d[k]);
    Tensor step = detail::uninitialized({n_});
    kernel::matmul(detail::mutable_data(step), d.data(), vectors_.data(), {1, n_, n_}, {}, 0.0);
    return {like_.with(std::move(step)), decrease, shift > 0.0};
  }

  const Params& like_;
  Index n_;
  Vector values_, vectors_, along_;
  double size_ = 0.0;  // |gradient|
  double tiny_ = 0.0;  // below it an eigenvalue is rounding
};

/// The Hessian, factorised where that will do.
class Dense {
 public:
  Dense(const At& at, const Params& gradient) : gradient_(gradient), n_(gradient.size()) {
    const Batch& batch = at.batch;
    const Tensor h = hessian([&](const Var& x) { return at.f.objective()(x, batch); }, at.w);
    at.f.charge({.products = n_ * batch.size()});
    hessian_.assign(h.data().begin(), h.data().end());
    Vector factor = hessian_;
    if (kernel::cholesky("newton", factor.data(), n_) != 0) return;
    Tensor d = Tensor::from(Vector(gradient.flat().data().begin(), gradient.flat().data().end()), {n_});
    kernel::cholesky_solve("newton", factor.data(), n_, detail::mutable_data(d), 1);
    const Params step = gradient.with(std::move(d));
    newton_ = Trial{step, 0.5 * dot(gradient, step), false};
  }

  Trial within(double radius) {
    if (newton_ && norm(newton_->step) <= radius) return *newton_;
    if (!model_) model_.emplace(hessian_, gradient_);
    return model_->within(radius);
  }

 private:
  const Params& gradient_;
  Index n_;
  Vector hessian_;
  std::optional<Trial> newton_;
  std::optional<Eigenmodel> model_;
};

/// Steihaug's conjugate gradients: ends at the boundary, at negative curvature, or where the residual is this
/// part of the gradient. Residuals and directions are in units of |gradient|, so that their squares are
/// numbers whatever the scale of f.
Trial by_products(const At& at, const Params& gradient, double radius, double tolerance, Index products) {
  const double size = norm(gradient);
  Params d = gradient.zeros_like(), hd = d, r = gradient / size, p = r;
  double square = dot(r, r);
  const auto to_boundary = [&](const Params& hp) {
    const double pp = dot(p, p), dp = dot(d, p), dd = dot(d, d);
    const double t = (-dp + std::sqrt(dp * dp + pp * (radius * radius - dd))) / pp;
    d = axpy(t, p, std::move(d));
    hd = axpy(t, hp, std::move(hd));
  };
  bool at_boundary = false;
  for (Index k = 0; k < products && std::sqrt(square) > tolerance; ++k) {
    const Params hp = at.f.hvp(at.w, p, at.batch);
    const double curvature = dot(p, hp), t = square / curvature;
    if (!(curvature > 0.0) || norm(axpy(t * size, p, d)) >= radius) {
      to_boundary(hp);
      at_boundary = true;
      break;
    }
    d = axpy(t * size, p, std::move(d));
    hd = axpy(t * size, hp, std::move(hd));
    r = axpy(-t, hp, std::move(r));
    const double next = dot(r, r);
    p = axpy(next / square, p, r);
    square = next;
  }
  return {d, dot(gradient, d) - 0.5 * dot(d, hd), at_boundary};
}

class Newton final : public Rule {
 public:
  explicit Newton(const NewtonNumbers& numbers) : n_(numbers), radius_(numbers.radius) {}

  Params direction(const At& at, Params gradient) override {
    if (at.gradient_norm == 0.0 && gradient.size() > n_.dense) return gradient;
    if (first_ == 0.0) first_ = at.gradient_norm;
    const double tolerance = std::min(0.5, std::sqrt(at.gradient_norm / first_));
    std::optional<Dense> dense;
    if (gradient.size() <= n_.dense) dense.emplace(at, gradient);
    for (int trials = 0; trials < 60; ++trials) {
      const Trial trial =
          dense ? dense->within(radius_) : by_products(at, gradient, radius_, tolerance, n_.products);
      // Where f cannot tell the step from none, the model is trusted.
      const double floor = 8.0 * std::numeric_limits<double>::epsilon() * std::fabs(at.value);
      if (trial.decrease <= floor) return trial.step;
      const double fallen = at.value - at.f.value(at.w - trial.step, at.batch);
      const double share = fallen / trial.decrease;
      if (!(share >= 0.25)) radius_ = 0.25 * norm(trial.step);
      if (share > 0.75 && trial.at_boundary) radius_ = std::min(2.0 * radius_, n_.largest_radius);
      if (share >= 0.1) return trial.step;
    }
    at.stalled = true;
    return gradient.zeros_like();
  }

  void visit(State& state) override {
    state("radius", radius_);
    state("first", first_);
  }

 private:
  NewtonNumbers n_;
  double radius_;
  double first_ = 0.0;  // |g| at the start
};

}  // namespace

Choice<Rule> newton(const NewtonNumbers& n) {
  if (!(n.radius > 0.0 && n.radius <= n.largest_radius) || n.dense < 0 || n.products < 1)
    throw DomainError(
        fmt::format("[newton] radius is {} of at most {}, dense {}, products {}; give 0 < radius <= "
                    "largest_radius, dense >= 0, products >= 1",
                    n.radius, n.largest_radius, n.dense, n.products));
  return [n](const Setting& s) -> std::unique_ptr<Rule> {
    if (s.shaped)
      throw DomainError(
          fmt::format("[{}] weight decay or clipping is not in f, of which the model is made; add the "
                      "decay to f, or leave it out",
                      s.name));
    return std::make_unique<Newton>(n);
  };
}

}  // namespace cotangent::optim
