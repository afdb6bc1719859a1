// The falsifier: finds 99 of 100 planted false proxies, and refutes no true one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "theory/theory.hpp"

namespace cotangent {
namespace {

using theory::FalsifyOptions;
using theory::Outcome;
using theory::ProxyConvexity;
using theory::Verdict;

Params point(std::initializer_list<detail::Number> numbers) { return Params({{"w", Tensor(numbers)}}); }

/// x^2 + 3 sin^2 x, Karimi's PL function: |f'|^2 >= 2 mu f with mu = 0.175530985880 at best.
Var karimi(const Var& w) { return sum(square(w) + 3.0 * square(sin(w))); }

/// A false triple and a point that shows it, found by thought and not by search.
struct Planted {
  std::string family;
  ProxyConvexity triple;
  Params witness;
};

Function<Var(const Var&)> constant(double h) {
  return [h](const Var&) { return Var(h); };
}

/// Data of one label, so that all hidden units can be inactive at once; ReLU or leaky ReLU net.
struct OneLabel {
  Tensor x, y;
  nn::TwoLayer net;
  Tensor direction;
  double least, most;  // of <v*, x_i>
  OneLabel(Rng& rng, double slope) : net(2 + rng.below(2), 2 + rng.below(3), nn::LeakyReLU(slope)) {
    const auto data = nn::separable(rng, {.n = 2 + rng.below(3), .d = net.inputs(), .margin = 0.3});
    x = mul(data.x, data.y);
    y = Tensor::ones({x.size(0), 1});
    direction = data.direction;
    least = 1e300, most = 0.0;
    const Tensor s = matmul(x, Var(direction.reshape({net.inputs(), 1}))).value();
    for (const double v : s.data()) least = std::min(least, v), most = std::max(most, v);
  }
  static Tensor mul(const Tensor& x, const Tensor& y) { return scale_rows(x, y.reshape({y.size()})).value(); }
  Function<Var(const Var&)> risk() const {
    return [net = net, x = x, y = y](const Var& w) { return nn::logistic(net(w, x), y); };
  }
  /// Rows -c_j v*.
  Params inactive(const std::vector<double>& c) const {
    std::vector<double> w;
    for (const double s : c)
      for (const double v : direction.data()) w.push_back(-s * v);
    return Params(Tensor::from(w, {static_cast<Index>(w.size())}), net.table());
  }
};

Planted plant(int k, Rng& rng) {
  const Index p = 2 + rng.below(6);
  const Tensor a = exp(rng.normal({p})).value(), b = rng.normal({p}), v = rng.normal({p});
  const auto quadratic = [a, b](const Var& w) { return 0.5 * sum(Var(a) * square(w - b)); };
  const Params at_v({{"w", v}});
  switch (k % 7) {
    case 0:  // convex, but h below f(v)
      return {"h too small",
              {.f = quadratic, .h = constant(quadratic(v).item() - 0.01 - 0.3 * rng.uniform()), .v = at_v},
              at_v};
    case 1: {  // convex, but g above f
      const double factor = 1.0 + 0.02 + rng.uniform();
      return {"g too large",
              {.f = quadratic,
               .g = [quadratic, factor](const Var& w) { return factor * quadratic(w); },
               .h = constant(quadratic(v).item()),
               .v = at_v},
              at_v};
    }
    case 2: {  // PL, but not convex towards its minimiser
      std::vector<double> w(static_cast<std::size_t>(p));
      w[0] = 2.0;
      return {"PL is not proxy convexity",
              {.f = karimi, .h = constant(0.0), .v = at_v.zeros_like()},
              Params({{"w", Tensor::from(w, {p})}})};
    }
    case 3: {  // the leaky ReLU theorem with a margin beyond every sample's
      const double slope = 0.1 + 0.6 * rng.uniform();
      const OneLabel d(rng, slope);
      const double claimed = 1.3 * d.most, rho = (1.0 + rng.uniform()) / (slope * d.most);
      const theory::LeakyReluProblem problem(d.net, d.x, d.y, d.direction, claimed);
      // Inactive everywhere with <grad f, W> = <grad f, V>: then L = mean l(rho alpha s_i) > h.
      double negative = 0.0, positive = 0.0;
      for (const double o : d.net.outer().data()) (o < 0.0 ? negative : positive) += std::fabs(o);
      std::vector<double> c;
      for (const double o : d.net.outer().data())
        c.push_back(o < 0.0 ? (rho + 0.01 * positive) / negative : 0.01);
      return {"margin overstated", problem.proxy(rho), d.inactive(c)};
    }
    case 4: {  // ReLU: where every unit is dead the risk is log 2 and the gradient 0
      const OneLabel d(rng, 0.0);
      const double rho = 3.0 / d.least;
      std::vector<double> dead(d.net.outer().data().size(), 1.0);
      const theory::LeakyReluProblem problem(d.net, d.x, d.y, d.direction);
      ProxyConvexity triple{.f = d.risk(), .h = constant(0.3 * rng.uniform()), .v = problem.reference(rho)};
      return {"ReLU", triple, d.inactive(dead)};
    }
    case 5: {  // Rosenbrock is not convex towards its minimiser
      const auto rosenbrock = [](const Var& w) {
        const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
        return sum(100.0 * square(y - square(x)) + square(1.0 - x));
      };
      return {"Rosenbrock", {.f = rosenbrock, .h = constant(0.0), .v = point({1.0, 1.0})}, point({0.0, 1.0})};
    }
    default: {  // the mean of -l', a surrogate that is not convex: flat where it is 1
      const auto data = nn::separable(rng, {.n = 10, .d = p, .margin = 0.2});
      const auto slopes = [x = data.x, y = data.y](const Var& w) {
        return mean(sigmoid(-(Var(y) * linear(x, reshape(w, {1, w.size()})))));
      };
      const Tensor far = (20.0 * Var(data.direction)).value();
      return {"-l' is not convex",
              {.f = slopes, .h = slopes, .v = Params({{"w", far}})},
              Params({{"w", (-1.0 * Var(far)).value()}})};
    }
  }
}

TEST(Falsifier, RefutesNinetyNineOfAHundredPlantedProxies) {
  Rng planting(2024), searching(1);
  int found = 0;
  std::string missed;
  for (int k = 0; k < 100; ++k) {
    const Planted planted = plant(k, planting);
    const theory::Inequality known = planted.triple.at(planted.witness);
    ASSERT_LT(known.margin(), -1e-6) << planted.family << " is not false there";
    // Around 0 at v's scale, and without the hint that v itself is worth a look.
    const Verdict v = falsify(planted.triple.claim(), planted.triple.v.zeros_like(), searching,
                              {.radius = std::max(10.0, 3.0 * norm(planted.triple.v))});
    if (v.outcome != Outcome::refuted) {
      missed += planted.family + "; ";
      continue;
    }
    ++found;
    const theory::Inequality again = planted.triple.at(*v.witness);
    EXPECT_TRUE(again.disproved());
  }
  EXPECT_GE(found, 99) << "missed: " << missed;
}

TEST(Falsifier, RefutesNoTrueProxy) {
  Rng rng(9);
  for (int k = 0; k < 30; ++k) {
    const Index p = 2 + rng.below(6);
    const Tensor a = exp(rng.normal({p})).value(), b = rng.normal({p});
    const auto quadratic = [a, b](const Var& w) { return 0.5 * sum(Var(a) * square(w - b)); };
    const ProxyConvexity convex{.f = quadratic, .h = quadratic, .v = Params({{"w", rng.normal({p})}})};
    const FalsifyOptions few{.evaluations = 10'000};
    EXPECT_NE(check_proxy_convexity(convex, convex.v.zeros_like(), rng, few).outcome, Outcome::refuted);
    const auto data = nn::separable(rng, {.n = 8, .d = p, .margin = 0.2});
    const nn::TwoLayer net(p, 4, nn::LeakyReLU(0.2));
    const theory::LeakyReluProblem problem(net, data.x, data.y);
    EXPECT_NE(check_proxy_convexity(problem.proxy(30.0), net.init(rng), rng, few).outcome, Outcome::refuted);
  }
}

}  // namespace
}  // namespace cotangent
