// True claims whose sides lose digits to rounding, so that as computed they are false at many points.
#include <cmath>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "tests/support/claims_to_falsify.hpp"
#include "theory/proxies.hpp"

namespace cotangent::test {
namespace {

using theory::PointwiseClaim;
using theory::side;

using Scalar = Function<Var(const Var& w)>;

/// x > 0, and more than 0.1.
Var positive(const Var& w) { return 0.1 + abs(w); }

PointwiseClaim at_most(const char* text, const Scalar& lhs, const Scalar& rhs) {
  return theory::pointwise({text, text}, lhs, rhs);
}
PointwiseClaim never_negative(const char* text, const Scalar& f) {
  return at_most(
      text, [](const Var&) { return Var(0.0); }, f);
}

/// Of one number each.
std::vector<PointwiseClaim> claims_of_a_number() {
  const Scalar log_cosh = [](const Var& w) { return sum(log(0.5 * (exp(w) + exp(-w)))); };
  const Scalar half_square = [](const Var& w) { return 0.5 * sum(square(w)); };
  return {
      at_most(
          "log(1 + e^w) <= e^w", [](const Var& w) { return sum(log(1.0 + exp(w))); },
          [](const Var& w) { return sum(exp(w)); }),
      at_most(
          "1 - sigmoid(w) <= e^-w", [](const Var& w) { return sum(1.0 - sigmoid(w)); },
          [](const Var& w) { return sum(exp(-w)); }),
      at_most("log cosh w <= w^2/2", log_cosh, half_square),
      at_most(
          "1 - tanh^2 w <= 4 e^-2w", [](const Var& w) { return sum(1.0 - square(tanh(w))); },
          [](const Var& w) { return 4.0 * sum(exp(-2.0 * w)); }),
      at_most(
          "sqrt(w^2 + 1) - |w| <= 1/(2|w|)", [](const Var& w) { return sum(sqrt(square(w) + 1.0) - abs(w)); },
          [](const Var& w) { return sum(0.5 / abs(w)); }),
      at_most(
          "1 - cos w <= w^2/2", [](const Var& w) { return sum(1.0 - cos(w)); }, half_square),
      at_most(
          "e^w - 1 - w <= e^|w| w^2/2", [](const Var& w) { return sum(exp(w) - 1.0 - w); },
          [](const Var& w) { return 0.5 * sum(exp(abs(w)) * square(w)); }),
      at_most(
          "w - log(1 + w) <= w^2/2, w > 0", [](const Var& w) { return sum(abs(w) - log(1.0 + abs(w))); },
          half_square),
      at_most(
          "(1 + x)^(1/2) - 1 <= x/2", [](const Var& w) { return sum(sqrt(1.0 + abs(w)) - 1.0); },
          [](const Var& w) { return 0.5 * sum(abs(w)); }),
      at_most(
          "1/x - 1/(x + 1) <= 1/x^2",
          [](const Var& w) { return sum(1.0 / positive(w) - 1.0 / (positive(w) + 1.0)); },
          [](const Var& w) { return sum(1.0 / square(positive(w))); }),
      never_negative("0 <= e^w - 1 - w", [](const Var& w) { return sum(exp(w) - 1.0 - w); }),
      never_negative("0 <= (w - 1)^4, expanded",
                     [](const Var& w) {
                       const Var s = square(w);
                       return sum(square(s) - 4.0 * s * w + 6.0 * s - 4.0 * w + 1.0);
                     }),
      at_most(
          "sin^2 + cos^2 <= 1", [](const Var& w) { return sum(square(sin(w)) + square(cos(w))); },
          [](const Var& w) { return Var(static_cast<double>(w.size())); }),
      at_most(
          "e^-w/2 <= log(1 + e^-w), w > 0", [](const Var& w) { return 0.5 * sum(exp(-abs(w))); },
          [](const Var& w) { return sum(log(1.0 + exp(-abs(w)))); }),
      at_most(
          "w^2/2 - w^4/24 <= 1 - cos w",
          [](const Var& w) { return sum(0.5 * square(w) - square(square(w)) / lift(24.0, w)); },
          [](const Var& w) { return sum(1.0 - cos(w)); })};
}

/// Of a vector.
std::vector<PointwiseClaim> claims_of_a_vector(Rng& rng, Index d) {
  const Tensor x = rng.normal(Shape{2 * d, d}), v = rng.normal(Shape{d});
  const Scalar softplus_risk = [x](const Var& w) {
    return mean(log(1.0 + exp(linear(x, reshape(w, {1, w.size()})))));
  };
  const theory::ProxyConvexity convex{.f = softplus_risk, .h = softplus_risk, .v = Params({{"w", v}})};
  const Scalar shifted = [x](const Var& w) {
    return (1e8 + sum(relu(linear(x, reshape(w, {1, w.size()}))))) - 1e8;
  };
  const PointwiseClaim euler{theory::Claim("Euler", "<grad f, w> = f"), [=](const Var& w) {
                               const VarValueAndGrad at = value_and_grad(shifted, w);
                               return equal(theory::inner_product(at.grad, w), side(at.value), 1e-9);
                             }};
  const double scale = 1.0 + static_cast<double>(d);
  return {convex.claim(),
          euler,
          never_negative("0 <= mean w^2 - (mean w)^2",
                         [](const Var& w) { return mean(square(w)) - square(mean(w)); }),
          at_most(
              "max <= log sum exp", [](const Var& w) { return max(w, 0); },
              [](const Var& w) { return log(sum(exp(w))); }),
          at_most(
              "<w, v>^2 <= |w|^2 |v|^2", [v](const Var& w) { return square(dot(w, lift(v, w))); },
              [v](const Var& w) {
                const Var at = lift(v, w);
                return dot(w, w) * dot(at, at);
              }),
          at_most(
              "|w + v| <= |w| + |v|", [v](const Var& w) { return norm(w + v); },
              [v](const Var& w) { return norm(w) + norm(lift(v, w)); }),
          at_most(
              "|w|_1 <= sqrt(d) |w|, squared", [](const Var& w) { return square(sum(abs(w))); },
              [scale](const Var& w) { return (scale - 1.0) * dot(w, w); })};
}

}  // namespace

ClaimToFalsify true_claim_that_cancels(Rng& rng, int k, Truth) {
  const Index d = 2 + rng.below(6);
  std::vector<PointwiseClaim> all = claims_of_a_number();
  const auto of_a_number = static_cast<int>(all.size());
  for (PointwiseClaim& claim : claims_of_a_vector(rng, d)) all.push_back(std::move(claim));
  const int which = k % static_cast<int>(all.size());
  PointwiseClaim claim = all[static_cast<std::size_t>(which)];
  const Shape shape{which < of_a_number ? 1 : d};
  const double size = std::pow(10.0, 2.0 * rng.uniform() - 1.0);
  return {claim.claim.statement,
          std::move(claim),
          Params({{"w", (size * Var(rng.normal(shape))).value()}}),
          {.radius = std::pow(10.0, 3.0 * rng.uniform() - 1.5)}};
}

}  // namespace cotangent::test
