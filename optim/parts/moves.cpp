// Moves in flat space, in sets, on the sphere, and those that leave saddles.
#include "optim/moves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "autodiff/error.hpp"
#include "optim/parts/directions.hpp"
#include "optim/schedule.hpp"

namespace cotangent::optim {
namespace {

void check_positive(const char* operation, const char* name, double value) {
  if (!(value > 0.0 && std::isfinite(value)))
    throw DomainError(fmt::format("[{}] {} is {}; give a finite number above 0", operation, name, value));
}

class PlainMove : public Move {
 public:
  Params point(const Params& w, Params direction, double step) const override {
    return axpy(-step, std::move(direction), w);
  }
  Params line(const Params&, const Params& direction) const override { return -direction; }
};

/// Proximal steps, with or without Nesterov's momentum between them.
class Proximal final : public Move {
 public:
  Proximal(Regulariser h, const ProximalOptions& options) : h_(std::move(h)), options_(options) {}

  Params point(const Params& w, Params direction, double step) const override {
    return w.with(h_.prox(axpy(-step, std::move(direction), w).flat(), step));
  }

  Params next(const At& at, Params direction, double step) override {
    if (step == 0.0) return at.w;  // or the momentum would go on by itself
    Params x = point(at.w, std::move(direction), step);
    if (!options_.accelerated) return x;
    const double t = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * t_ * t_));
    const double mu = options_.mu.value_or(0.0), q = std::sqrt(mu * step);
    if (q > 1.0)
      throw DomainError(
          fmt::format("[proximal] mu * step is {}, which is above 1; the step is to be 1 / L, and no f "
                      "has mu > L",
                      q * q));
    const double momentum = mu > 0.0 ? (1.0 - q) / (1.0 + q) : (t_ - 1.0) / t;
    t_ = t;
    Params y = axpy(momentum, x - (x_.size() > 0 ? x_ : at.w), x);
    x_ = std::move(x);
    return y;
  }

  double penalty(const Params& w) const override { return h_.value(w.flat()); }

  double residual(const At& at, const Params& gradient, double step) const override {
    if (step == 0.0) step = 1.0;  // a schedule's end: the mapping is of some step all the same
    return norm(at.w - point(at.w, gradient, step)) / step;
  }

  void check_start(const char* name, const Params& w) const override {
    if (!h_.distance) return;
    const double away = h_.distance(w.flat());
    if (!(away <= 1e-9 * std::max(1.0, norm(w))))
      throw DomainError(
          fmt::format("[{}] the start is {:.6g} away from {}; start inside, for example at its "
                      "projection",
                      name, away, h_.name));
  }

  Params result(const Params& w) const override { return x_.size() > 0 ? x_ : w; }

  void visit(State& state) override {
    state("x", x_);
    state("t", t_);
  }

 private:
  Regulariser h_;
  ProximalOptions options_;
  Params x_;  // the last proximal point, where the run's own is extrapolated
  double t_ = 1.0;
};

class FrankWolfe final : public Move {
 public:
  explicit FrankWolfe(LinearMinimiser set) : set_(std::move(set)) {}

  Params point(const Params& w, Params direction, double step) const override {
    return axpy(std::min(step, 1.0), corner(direction) - w, w);
  }
  Params line(const Params& w, const Params& direction) const override { return corner(direction) - w; }
  double residual(const At& at, const Params& gradient, double) const override {
    return dot(gradient, at.w - corner(gradient));
  }
  void check_start(const char* name, const Params& w) const override {
    const double away = set_.distance(w.flat());
    if (!(away <= 1e-9 * std::max(1.0, norm(w))))
      throw DomainError(fmt::format("[{}] the start is {:.6g} away from the set of {}; start inside", name,
                                    away, set_.name));
  }

 private:
  Params corner(const Params& g) const { return g.with(set_.minimise(g.flat())); }
  LinearMinimiser set_;
};

class Sphere final : public Move {
 public:
  Params point(const Params& w, Params direction, double step) const override {
    const double along = dot(direction, w) / dot(w, w);
    const Params d = axpy(-along, w, std::move(direction));
    const double size = norm(d);
    if (size == 0.0) return w;
    const Params there = axpy(-std::sin(step * size) / size, d, std::cos(step * size) * w);
    return there / norm(there);  // against the drift of rounding
  }
  double residual(const At& at, const Params& gradient, double) const override {
    return norm(axpy(-dot(gradient, at.w), at.w, gradient));
  }
  void check_start(const char* name, const Params& w) const override {
    const double away = std::fabs(norm(w) - 1.0);
    if (!(away <= 1e-8))
      throw DomainError(fmt::format(
          "[{}] the start is {:.6g} away from the unit sphere; divide it by its norm", name, away));
  }
};

class Perturbed final : public PlainMove {
 public:
  Perturbed(const Perturbation& numbers, Rng& rng) : n_(numbers), rng_(rng) {}

  Params next(const At& at, Params direction, double step) override {
    const Index since = steps_ - noisy_at_;
    if (at.gradient_norm <= n_.gradient && (noisy_at_ < 0 || since > n_.pause)) {
      before_ = at.w;
      value_before_ = at.value;
      noisy_at_ = steps_;
      return at.w + in_ball(at.w, n_.radius, rng_);
    }
    if (noisy_at_ >= 0 && since == n_.pause && at.value - value_before_ > -n_.decrease) {
      ended_ = true;
      return at.w;
    }
    ++steps_;
    return point(at.w, std::move(direction), step);
  }

  Params result(const Params& w) const override { return ended_ ? before_ : w; }
  bool ended() const override { return ended_; }

  void visit(State& state) override {
    state("before", before_);
    state("value before", value_before_);
    state("steps", steps_);
    state("noisy at", noisy_at_);
    state("ended", ended_);
  }

 private:
  Perturbation n_;
  Rng& rng_;
  Params before_;
  double value_before_ = 0.0;
  Index steps_ = 0, noisy_at_ = -1;
  bool ended_ = false;
};

}  // namespace

Choice<Move> plain_move() {
  return [](const Setting&) -> std::unique_ptr<Move> { return std::make_unique<PlainMove>(); };
}

Choice<Move> proximal(Regulariser h, const ProximalOptions& options) {
  if (!h.value || !h.prox)
    throw DomainError("[proximal] the regulariser has no value or no proximal operator");
  if (options.mu && !(*options.mu >= 0.0 && std::isfinite(*options.mu)))
    throw DomainError(fmt::format("[proximal] mu is {}; give a finite number, 0 or above", *options.mu));
  return [h = std::move(h), options](const Setting&) -> std::unique_ptr<Move> {
    return std::make_unique<Proximal>(h, options);
  };
}

Choice<Move> accelerated(std::optional<double> mu) {
  return proximal({.name = "nothing",
                   .value = [](const Tensor&) { return 0.0; },
                   .prox = [](const Tensor& x, double) { return x; }},
                  {.accelerated = true, .mu = mu});
}

Choice<Move> frank_wolfe(LinearMinimiser set) {
  if (!set.minimise || !set.distance)
    throw DomainError(
        "[frank_wolfe] the set has no linear minimiser or no distance; take over_simplex() or such");
  return [set = std::move(set)](const Setting& s) -> std::unique_ptr<Move> {
    if (s.step && s.step->scheduled() && (*s.step)(0) > 1.0)
      throw DomainError(
          fmt::format("[{}] the step is {}, which leads out of the set; give one of at most 1, such as "
                      "frank_wolfe_step()",
                      s.name, (*s.step)(0)));
    return std::make_unique<FrankWolfe>(set);
  };
}

Choice<Move> on_unit_sphere() {
  return [](const Setting&) -> std::unique_ptr<Move> { return std::make_unique<Sphere>(); };
}

Perturbation perturbation_theory(const PerturbationProblem& p) {
  const double l = p.smoothness, rho = p.hessian_lipschitz, eps = p.accuracy, c = p.constant;
  for (const auto& [name, value] : {std::pair("smoothness", l),
                                    {"hessian_lipschitz", rho},
                                    {"accuracy", eps},
                                    {"gap", p.gap},
                                    {"dimension", static_cast<double>(p.dimension)},
                                    {"confidence", p.confidence},
                                    {"constant", c}})
    check_positive("perturbation_theory", name, value);
  if (!(p.confidence < 1.0))
    throw DomainError(fmt::format(
        "[perturbation_theory] confidence is {}; give the chance of a failure, a number in (0, 1)",
        p.confidence));
  if (!(c <= 1.0))
    throw DomainError(
        fmt::format("[perturbation_theory] constant is {}; give a number in (0, 1], for the step is constant "
                    "/ smoothness",
                    c));
  if (!(eps <= l * l / rho))
    throw DomainError(
        fmt::format("[perturbation_theory] accuracy is {}, above smoothness^2 / hessian_lipschitz = {}; give "
                    "a smaller one, as the theorem asks for",
                    eps, l * l / rho));
  const double chi =
      3.0 *
      std::max(std::log(static_cast<double>(p.dimension) * l * p.gap / (c * eps * eps * p.confidence)), 4.0);
  const double pause = std::ceil(chi * l / (c * c * std::sqrt(rho * eps)));
  const double step = c / l, radius = std::sqrt(c) * eps / (chi * chi * l),
               gradient = std::sqrt(c) * eps / (chi * chi),
               decrease = c / (chi * chi * chi) * std::sqrt(eps * eps * eps / rho);
  constexpr double kMost = std::numeric_limits<double>::max(), kLongest = 1e18;  // of an Index
  for (const auto& [name, value, most] : {std::tuple("step", step, kMost),
                                          {"radius", radius, kMost},
                                          {"gradient", gradient, kMost},
                                          {"decrease", decrease, kMost},
                                          {"pause", pause, kLongest}})
    if (!(value > 0.0 && value <= most))
      throw DomainError(fmt::format(
          "[perturbation_theory] {} comes out as {}, which no run can use; scale f and w towards 1", name,
          value));
  return {.step = step,
          .radius = radius,
          .gradient = gradient,
          .decrease = decrease,
          .pause = static_cast<Index>(pause)};
}

Choice<Move> perturbed(const Perturbation& n) {
  check_positive("perturbed", "step", n.step);
  check_positive("perturbed", "radius", n.radius);
  check_positive("perturbed", "gradient", n.gradient);
  check_positive("perturbed", "decrease", n.decrease);
  if (n.pause < 1) throw DomainError(fmt::format("[perturbed] pause is {}; give 1 step or more", n.pause));
  return [n](const Setting& s) -> std::unique_ptr<Move> { return std::make_unique<Perturbed>(n, s.rng); };
}

}  // namespace cotangent::optim
