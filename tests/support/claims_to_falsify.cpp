#include "tests/support/claims_to_falsify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "theory/theory.hpp"

namespace cotangent::test {
namespace {

using theory::Claim;
using theory::exact;
using theory::inner_product;
using theory::PairClaim;
using theory::PointwiseClaim;
using theory::Side;
using theory::side;

using Scalar = Function<Var(const Var& w)>;

double log_uniform(Rng& rng, double low, double high) { return low * std::pow(high / low, rng.uniform()); }
Index size_between(Rng& rng, double low, double high) {
  return static_cast<Index>(std::lround(log_uniform(rng, low, high)));
}
Params point(const Var& w) { return Params({{"w", w.value()}}); }
double length(const Var& v) { return norm(v).item(); }
Tensor unit(Index size, Index k, double value) {
  std::vector<double> e(static_cast<std::size_t>(size));
  e[static_cast<std::size_t>(k)] = value;
  return Tensor::from(e, Shape{size});
}

/// 1 + by how much a constant is too large; of true claims a little too small.
double beyond(Rng& rng, Truth truth, double least, double most) {
  const double by = log_uniform(rng, least, most);
  return truth == Truth::no ? 1.0 + by : 1.0 - 1e-6;
}

/// 1/2 (w - b)' Q D Q (w - b) with a reflection Q.
struct Quadratic {
  Tensor eigenvalues, mirror, minimiser;

  Quadratic(Rng& rng, Index d, double condition) {
    const double least = std::exp(rng.normal());
    std::vector<double> a{least};
    for (Index k = 1; k < d; ++k)
      a.push_back(least * (k + 1 == d ? condition : log_uniform(rng, 1.0, condition)));
    eigenvalues = Tensor::from(a, Shape{d});
    const Var u = rng.normal(Shape{d});
    mirror = (u / length(u)).value();
    minimiser = (3.0 / std::sqrt(static_cast<double>(d)) * Var(rng.normal(Shape{d}))).value();
  }
  double least() const { return eigenvalues(0); }
  double greatest() const { return eigenvalues(eigenvalues.size() - 1); }
  Var mirrored(const Var& v) const { return v - 2.0 * dot(Var(mirror), v) * Var(mirror); }
  Var operator()(const Var& w) const {
    return 0.5 * sum(Var(eigenvalues) * square(mirrored(w - Var(minimiser))));
  }
  /// minimiser + t times the eigenvector of eigenvalue k.
  Params along(Index k, double t) const {
    return point(Var(minimiser) + mirrored(unit(eigenvalues.size(), k, t)));
  }
};

/// Labels of a random direction with noise, so that they are not separable as a rule.
struct Logistic {
  Tensor x, y;
  double weight;

  Logistic(Rng& rng, double weight_) : weight(weight_) {
    const Index d = size_between(rng, 2, 20), n = 10 + rng.below(60);
    x = rng.normal(Shape{n, d});
    const Var z = linear(x, rng.normal(Shape{1, d})) + Var(rng.normal(Shape{n, 1}, 0.0, 2.0));
    y = (2.0 * greater_equal(z, 0.0) - 1.0).value();
  }
  Index size() const { return x.size(1); }
  Var operator()(const Var& w) const {
    const Var risk = nn::logistic(linear(x, reshape(w, {1, w.size()})), y);
    return weight > 0.0 ? risk + 0.5 * weight * dot(w, w) : risk;
  }
};

Var sin_bowl(const Var& w) { return sum(square(w) + 3.0 * square(sin(w))); }
/// Its PL constant, and its restricted secant's.
constexpr double kSinBowlMu = 0.175530985880;
constexpr double kSinBowlAt = 2.201709;

/// 2 mu (f - f*) <= |grad f|^2.
PointwiseClaim pl(const Scalar& f, double mu, double optimum = 0.0) {
  return {Claim("PL", fmt::format("2 {:g} (f - f*) <= |grad f|^2", mu)), [=](const Var& w) {
            const VarValueAndGrad at = value_and_grad(f, w);
            const Side gap = optimum == 0.0 ? side(at.value) : side(at.value) - side(exact(optimum));
            return exact(2.0 * mu) * gap <= inner_product(at.grad, at.grad);
          }};
}

/// |grad f(x) - grad f(y)|^2 <= L^2 |x - y|^2.
PairClaim smooth(const Scalar& f, double constant) {
  return {Claim("smoothness", fmt::format("|grad f(x) - grad f(y)| <= {:g} |x - y|", constant)),
          [=](const Var& x, const Var& y) {
            const Var g = grad(f, x), h = grad(f, y);
            const Side apart = inner_product(g - h, g, h), distance = inner_product(x - y, x, y);
            return apart <= exact(constant * constant) * distance;
          }};
}

/// mu |w - w*|^2 <= <grad f(w), w - w*>.
PointwiseClaim secant(const Scalar& f, double mu, const Tensor& minimiser) {
  return {Claim("restricted secant", fmt::format("{:g} |w - w*|^2 <= <grad f, w - w*>", mu)),
          [=](const Var& w) {
            return exact(mu) * inner_product(w - Var(minimiser), w, minimiser) <=
                   inner_product(grad(f, w), w, minimiser);
          }};
}

/// f(y) + <grad f(y), x - y> <= f(x).
PairClaim convex(const Scalar& f) {
  return {Claim("convexity", "f(y) + <grad f(y), x - y> <= f(x)"), [=](const Var& x, const Var& y) {
            const VarValueAndGrad at = value_and_grad(f, y);
            return side(at.value) + inner_product(at.grad, x, y) <= side(f(x));
          }};
}

ClaimToFalsify pl_quadratic(Rng& rng, int, Truth truth) {
  const Quadratic f(rng, size_between(rng, 2, 200), log_uniform(rng, 2.0, 1e4));
  const double factor = beyond(rng, truth, 1e-5, 0.1);
  return {fmt::format("d = {}, condition {:.3g}, mu times {:.8g}", f.mirror.size(), f.greatest() / f.least(),
                      factor),
          pl(f, f.least() * factor),
          point(Tensor::zeros(f.mirror.shape())),
          {},
          {f.along(0, 1.0)}};
}

ClaimToFalsify pl_logistic(Rng& rng, int, Truth truth) {
  const Logistic f(rng, log_uniform(rng, 1e-3, 1.0));
  const double factor = beyond(rng, truth, 1e-3, 0.1);
  Rng none(1);
  const Params zero = point(Tensor::zeros(Shape{f.size()}));
  const optim::Run run = optim::Newton({.iterations = 100}).minimize(optim::objective(f), zero, none);
  const Var d = rng.normal(Shape{f.size()});
  // Far away |grad f|^2 is 2 weight f but for terms of first order.
  const double far = 1e3 * length(mean(abs(f.x))) * std::sqrt(static_cast<double>(f.size())) /
                     (f.weight * std::sqrt(factor > 1.0 ? factor - 1.0 : 1.0));
  return {fmt::format("d = {}, weight {:.3g}, mu times {:.6g}", f.size(), f.weight, factor),
          // A value above f* keeps a true claim true: its own rounding must not make it false.
          pl(f, f.weight * factor, run.value * (truth == Truth::yes ? 1.0 + 1e-12 : 1.0)),
          point(rng.normal(Shape{f.size()})),
          {},
          {point(far / length(d) * d)}};
}

ClaimToFalsify pl_tanh(Rng& rng, int, Truth) {
  const Index d = 1 + rng.below(4), m = 2 + rng.below(6), n = 5 + rng.below(20);
  const nn::Sequential net{nn::Linear(d, m), nn::Tanh(), nn::Linear(m, 1, {.bias = false})};
  const Tensor x = rng.normal(Shape{n, d});
  const Tensor y = net(net.init(rng), Var(x)).value();
  const Scalar f = [=](const Var& w) { return nn::mse(net(w, x), y); };
  const double mu = log_uniform(rng, 1e-4, 1.0);
  const Params w0 = net.init(rng);
  return {fmt::format("{} inputs, {} units, mu = {:.3g}", d, m, mu), pl(f, mu), w0, {}, {w0.zeros_like()}};
}

ClaimToFalsify pl_rosenbrock(Rng& rng, int, Truth) {
  const double c = log_uniform(rng, 10.0, 1000.0), x = log_uniform(rng, 1.5, 100.0);
  const Scalar f = [c](const Var& w) {
    const Var a = slice(w, 0, 0, 1), b = slice(w, 0, 1, 2);
    return sum(c * square(b - square(a)) + square(1.0 - a));
  };
  // Beside the valley's floor, where the gradient across it is least.
  const Params at = point(Tensor{x, x * x - (1.0 - x) / (2.0 * c * x)});
  const auto [value, g] = value_and_grad(f, at.flat());
  const double mu = 1.05 * dot(Var(g), Var(g)).item() / (2.0 * value);
  return {fmt::format("c = {:.3g}, mu = {:.3g}, false at x = {:.3g}", c, mu, x),
          pl(f, mu),
          point(2.0 * Var(rng.normal(Shape{2}))),
          {},
          {at}};
}

ClaimToFalsify pl_sin_bowl(Rng& rng, int, Truth truth) {
  const Index d = size_between(rng, 1, 20);
  const double factor = beyond(rng, truth, 1e-4, 0.1);
  return {fmt::format("d = {}, mu times {:.6g}", d, factor),
          pl(sin_bowl, kSinBowlMu * factor),
          point(3.0 * Var(rng.normal(Shape{d}))),
          {},
          {point(unit(d, rng.below(d), kSinBowlAt))}};
}

ClaimToFalsify smoothness(Rng& rng, int k, Truth truth) {
  const double factor = 1.0 / beyond(rng, truth, 1e-3, 0.1);
  const auto text = [factor](const char* f, Index d) {
    return fmt::format("{}, d = {}, L times {:.6g}", f, d, factor);
  };
  switch (k % 4) {
    case 0: {
      const Quadratic f(rng, size_between(rng, 2, 50), log_uniform(rng, 2.0, 1e3));
      const Index d = f.mirror.size();
      return {text("quadratic", d),
              smooth(f, f.greatest() * factor),
              point(rng.normal(Shape{d})),
              {},
              {f.along(d - 1, 1.0), f.along(d - 1, 0.0)}};
    }
    case 1: {
      const Logistic f(rng, 0.0);
      const Var gram = matmul(f.x, f.x, {.transpose_a = true}) / static_cast<double>(f.x.size(0));
      const theory::Spectrum found = theory::spectrum((0.5 * (gram + transpose(gram))).value());
      const Var v = slice(found.vectors, 1, f.size() - 1, f.size());
      const Tensor step = (1e-3 * reshape(v, {f.size()})).value();
      return {text("logistic", f.size()),
              smooth(f, 0.25 * found.largest() * factor),
              point(3.0 * Var(rng.normal(Shape{f.size()}))),
              {},
              {point(step), point(-Var(step))}};
    }
    case 2: {
      const Index d = size_between(rng, 2, 20);
      const Tensor a = exp(rng.normal(Shape{d})).value(), b = rng.normal(Shape{d});
      const Scalar f = [=](const Var& w) { return sum(Var(a) * cos(w - Var(b))); };
      Index top = 0;
      for (Index j = 0; j < d; ++j)
        if (a(j) > a(top)) top = j;
      return {text("cosines", d),
              smooth(f, a(top) * factor),
              point(rng.normal(Shape{d})),
              {},
              {point(Var(b) + Var(unit(d, top, 1e-3))), point(Var(b))}};
    }
    default: {
      const Index d = size_between(rng, 2, 20);
      const double r = log_uniform(rng, 0.5, 20.0);
      const Scalar f = [](const Var& w) { return sum(square(square(w))) / 12.0; };
      // On |w| <= r the Hessian diag(w^2) is largest where one coordinate has all of it.
      const Index at = rng.below(d);
      return {text("w^4 / 12 on a ball", d),
              smooth(f, r * r * factor),
              point(Tensor::zeros(Shape{d})),
              {.radius = r, .domain = r},
              {point(unit(d, at, r * (1.0 - 1e-9))), point(unit(d, at, r * (1.0 - 1e-4)))}};
    }
  }
}

ClaimToFalsify restricted_secant(Rng& rng, int k, Truth truth) {
  const double factor = beyond(rng, truth, 1e-5, 0.1);
  if (k % 2 == 0) {
    const Quadratic f(rng, size_between(rng, 2, 200), log_uniform(rng, 2.0, 1e4));
    const Index d = f.mirror.size();
    return {fmt::format("quadratic, d = {}, mu times {:.8g}", d, factor),
            secant(f, f.least() * factor, f.minimiser),
            point(Tensor::zeros(Shape{d})),
            {},
            {f.along(0, 1.0)}};
  }
  // 2 + 3 sin(2 w) / w is least where tan(2 w) = 2 w.
  const double at = 0.5 * 4.493409457909064, mu = 2.0 + 3.0 * std::sin(2.0 * at) / at;
  const Index d = size_between(rng, 1, 20);
  return {fmt::format("sin bowl, d = {}, mu times {:.8g}", d, factor),
          secant(sin_bowl, mu * factor, Tensor::zeros(Shape{d})),
          point(3.0 * Var(rng.normal(Shape{d}))),
          {},
          {point(unit(d, rng.below(d), at))}};
}

ClaimToFalsify broken_convexity(Rng& rng, int k, Truth truth, Index d) {
  const double r = log_uniform(rng, 15.0, 1e4);
  const Var u = rng.normal(Shape{d});
  const Tensor direction = (u / length(u)).value(), b = rng.normal(Shape{d});
  if (truth == Truth::yes) {
    const Quadratic f(rng, d, 100.0);
    return {"quadratic", convex(f), point(Tensor::zeros(Shape{d}))};
  }
  Scalar f;
  const char* name = nullptr;
  switch (k % 3) {
    case 0:
      name = "log(1 + |w|^2/R^2)";
      f = [=](const Var& w) { return log1p(dot(w - Var(b), w - Var(b)) / (r * r)); };
      break;
    case 1:
      name = "1 - exp(-|w|^2/2R^2)";
      f = [=](const Var& w) { return -expm1(-0.5 / (r * r) * dot(w - Var(b), w - Var(b))); };
      break;
    default:
      name = "|w|^2/2 - relu(<u, w> - R)^2";
      f = [=](const Var& w) {
        const Var v = w - Var(b);
        return 0.5 * dot(v, v) - square(relu(dot(Var(direction), v) - r));
      };
  }
  // Two points on a ray, beyond the radius.
  return {fmt::format("{}, d = {}, R = {:.4g}", name, d, r),
          convex(f),
          point(Tensor::zeros(Shape{d})),
          {},
          {point(Var(b) + 1.9 * r * Var(direction)), point(Var(b) + 1.6 * r * Var(direction))}};
}

/// f(w) + <grad f(w), v - w> <= h with h too small by 1 % or 0.01 %: false at v.
ClaimToFalsify proxy(Rng& rng, int k, Truth truth) {
  const double factor = truth == Truth::yes ? 1.0 : k % 2 ? 0.9999 : 0.99;
  Scalar f;
  Tensor v;
  const char* name = nullptr;
  switch (k / 2 % 3) {
    case 0: {
      name = "quadratic";
      const Quadratic q(rng, size_between(rng, 2, 50), log_uniform(rng, 2.0, 1e3));
      f = q, v = (Var(q.minimiser) + Var(rng.normal(q.mirror.shape()))).value();
      break;
    }
    case 1: {
      name = "logistic";
      const Logistic risk(rng, 0.0);
      f = risk, v = rng.normal(Shape{risk.size()});
      break;
    }
    default: {
      name = "exponentials";
      const Index d = size_between(rng, 2, 20);
      const Tensor a = rng.normal(Shape{d, d});
      f = [=](const Var& w) { return log_sum_exp(linear(reshape(w, {1, w.size()}), a), 1); };
      f = [f](const Var& w) { return sum(square(f(w) + 10.0)); };
      v = rng.normal(Shape{d});
    }
  }
  const double h = factor * f(v).item();
  theory::ProxyConvexity triple{.f = f, .h = f, .v = point(v)};
  if (truth == Truth::no) triple.h = [h](const Var&) { return Var(h); };
  return {fmt::format("{}, d = {}, h times {:g}", name, v.size(), factor),
          triple.claim(),
          point(Tensor::zeros(v.shape())),
          {.radius = std::max(10.0, 3.0 * length(v))},
          {point(v)}};
}

/// The leaky ReLU proxy with a constant 1 % below what it takes where all units are below their kinks.
ClaimToFalsify leaky_relu_proxy(Rng& rng, int, Truth truth) {
  const Index d = 2 + rng.below(4), m = 2 + rng.below(6), n = 1 + rng.below(5);
  const double slope = 0.1 + 0.6 * rng.uniform();
  const nn::TwoLayer net(d, m, nn::LeakyReLU(slope));
  const auto data = nn::separable(rng, {.n = n, .d = d, .margin = 0.3});
  const Tensor x = scale_rows(data.x, Var(data.y.reshape({n}))).value(), y = Tensor::ones({n, 1});
  const theory::LeakyReluProblem problem(net, x, y, data.direction);
  const double level = 0.5 + 2.5 * rng.uniform(), rho = level / (slope * problem.margin());
  const Tensor s = matmul(x, reshape(data.direction, {d, 1})).value();
  // w_j = -c_j v*, with <grad f, W> = <grad f, V>: then the left side is mean l(rho slope s_i).
  double attained = 0.0, negative = 0.0, positive = 0.0;
  for (const double t : s.data()) attained += nn::log_loss(rho * slope * t) / static_cast<double>(n);
  for (const double o : net.outer().data()) (o < 0.0 ? negative : positive) += std::fabs(o);
  std::vector<double> w;
  for (const double o : net.outer().data()) {
    const double c = o < 0.0 ? (rho + 0.01 * positive) / negative : 0.01;
    for (const double t : data.direction.data()) w.push_back(-c * t);
  }
  theory::ProxyConvexity triple = problem.proxy(rho);
  if (truth == Truth::no) triple.h = [h = 0.99 * attained](const Var&) { return Var(h); };
  return {fmt::format("{} inputs, {} units, {} samples, slope {:.2g}, rho = {:.3g}", d, m, n, slope, rho),
          triple.claim(),
          triple.v.zeros_like(),
          {.radius = std::max(10.0, 3.0 * norm(triple.v))},
          {Params(Tensor::from(w, {static_cast<Index>(w.size())}), net.table())}};
}

/// f is (f, (1 - delta) f, v)-proxy convex for every v: false at w = v.
ClaimToFalsify proxy_for_all(Rng& rng, int k, Truth truth) {
  const double factor = truth == Truth::yes ? 1.0 : 1.0 - log_uniform(rng, 1e-4, 1e-2);
  Scalar f;
  Index d = 0;
  if (k % 2 == 0) {
    const Quadratic q(rng, size_between(rng, 2, 50), log_uniform(rng, 2.0, 1e3));
    f = q, d = q.mirror.size();
  } else {
    const Logistic risk(rng, 0.0);
    f = risk, d = risk.size();
  }
  const Tensor v = rng.normal(Shape{d});
  return {fmt::format("{}, d = {}, h = {:.6g} f", k % 2 ? "logistic" : "quadratic", d, factor),
          PairClaim{Claim("proxy convexity", "f(w) + <grad f(w), v - w> <= h(v)"),
                    [=](const Var& w, const Var& at) {
                      const VarValueAndGrad here = value_and_grad(f, w);
                      return side(here.value) + inner_product(here.grad, at, w) <=
                             exact(factor) * side(f(at));
                    }},
          point(Tensor::zeros(Shape{d})),
          {},
          {point(v), point(v)}};
}

ClaimToFalsify bump(Rng& rng, int, Truth truth) {
  const Index d = 1 + rng.below(2);
  const Var u = rng.normal(Shape{d});
  const Tensor at = (10.0 * rng.uniform() / length(u) * u).value();
  const double level = truth == Truth::no ? 0.5 : 1.0;
  return {fmt::format("d = {}", d),
          theory::pointwise(
              {"bump", "exp(-|w - p|^2 / 0.01^2) <= level"},
              [=](const Var& w) { return exp(-1e4 * dot(w - Var(at), w - Var(at))); },
              [=](const Var&) { return Var(level); }),
          point(Tensor::zeros(Shape{d})),
          {},
          {point(at)}};
}

ClaimToFalsify kink(Rng& rng, int, Truth truth) {
  const Index d = size_between(rng, 2, 20);
  const Tensor at = (3.0 * Var(rng.normal(Shape{d}))).value(), a = exp(rng.normal(Shape{d})).value();
  const double level = truth == Truth::no ? 0.01 : 0.0;
  return {fmt::format("d = {}", d),
          theory::pointwise(
              {"kinks", "level <= sum a_i |w_i - p_i|"}, [=](const Var&) { return Var(level); },
              [=](const Var& w) { return sum(Var(a) * abs(w - Var(at))); }),
          point(Tensor::zeros(Shape{d})),
          {},
          {point(at)}};
}

}  // namespace

theory::Inequality ClaimToFalsify::at_witness() const {
  if (const auto* pair = std::get_if<PairClaim>(&claim)) return pair->evaluate(witness.at(0), witness.at(1));
  return std::get<PointwiseClaim>(claim).evaluate(witness.at(0));
}

theory::Verdict ClaimToFalsify::falsify(Rng& rng) const {
  return std::visit([&](const auto& c) { return theory::falsify(c, centre, rng, options); }, claim);
}

const std::vector<KindOfClaim>& kinds_of_claims() {
  static const std::vector<KindOfClaim> kinds{
      {"PL, quadratics", 80, pl_quadratic},
      {"PL, logistic + quadratic", 97, pl_logistic},
      {"PL, tanh nets", 97, pl_tanh, KindOfClaim::Has::only_false},
      {"PL, Rosenbrock", 80, pl_rosenbrock, KindOfClaim::Has::only_false},
      {"PL, sin bowl", 100, pl_sin_bowl},
      {"smoothness, four kinds", 90, smoothness},
      {"restricted secant", 90, restricted_secant},
      {"convexity broken far away", 85,
       [](Rng& rng, int k, Truth truth) {
         const Index d = size_between(rng, 2, 20);
         return broken_convexity(rng, k, truth, d);
       }},
      {"the same, d = 200", 95,
       [](Rng& rng, int k, Truth truth) { return broken_convexity(rng, k, truth, 200); }},
      {"proxies, h 1 % or 0.01 % small", 99, proxy},
      {"leaky ReLU proxy, 1 % small", 95, leaky_relu_proxy},
      {"proxy convexity for every v", 0, proxy_for_all},
      {"bumps of radius 0.01", 0, bump},
      {"kinks", 0, kink},
      {"rounding hides it", 0, true_claim_that_cancels, KindOfClaim::Has::only_true, 22 * 20}};
  return kinds;
}

}  // namespace cotangent::test
