// Lesson 01, gradients. One learns how a tape records a function and is walked back through, that the
// gradient can be differentiated again, what central differences can check, and which derivative counts at a
// kink.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cotangent.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using theory::compare, theory::Domain, theory::exact, theory::Outcome, theory::relative_error;

namespace {

/// (y - sin x)^2 / 2 for p = (x, y): not convex, yet |grad f|^2 = 2 (1 + cos^2 x) f everywhere.
Var valley(const Var& p) {
  const Var x = slice(p, 0, 0, 1), y = slice(p, 0, 1, 2);
  return 0.5 * sum(square(y - sin(x)));
}

/// (f(p + h e_j) - f(p - h e_j)) / 2h for each j: needs nothing but values of f.
Tensor central_differences(VarFunction f, const Tensor& p, double h = 1e-6) {
  std::vector<double> slopes;
  for (Index j = 0; j < p.size(); ++j) {
    const Tensor e = Tensor::eye(p.size()).rows(j, j + 1).reshape(p.shape());
    slopes.push_back((f(p + h * e) - f(p - h * e)).item() / (2.0 * h));
  }
  return Tensor::from(slopes, p.shape());
}

void lesson(examples::Lesson& l) {
  // By hand: a tape, an input, a function of it, and the way back, which create_graph records as well.
  Tape tape;
  const Var p = tape.input({std::acos(0.0), 0.0});
  const Var f = valley(p);
  const Var g = tape.grad(f, p, {.create_graph = true});
  const Var row_x = tape.grad(dot(g, Tensor{1, 0}), p), row_y = tape.grad(dot(g, Tensor{0, 1}), p);
  print("The tape of (y - sin x)^2 / 2 and of its gradient:");
  print(tape);
  print("at (pi/2, 0): value", f, "gradient", g, "second derivatives", row_x, row_y);
  l.expect(Outcome::agrees,
           compare({"gradient by the tape", "at (pi/2, 0) it is (0, -1), to 1e-12"}, g.value(), {0, -1}));
  l.expect(Outcome::agrees, compare({"second derivatives by the tape",
                                     "at (pi/2, 0) they are diag(-1, 1), to 1e-12: f is not convex"},
                                    concat({row_x, row_y}, 0).value(), {-1, 0, 0, 1}));

  // In one call, at random points: against differences, and against what is known of this f.
  Rng rng(l.seed());
  double by_differences = 0.0, too_long = 0.0, by_identity = 0.0;
  const Index points = l.smoke() ? 20 : 2000;
  for (Index k = 0; k < points; ++k) {
    const Tensor at = rng.uniform({2}, -3.0, 3.0);
    const auto [value, gradient] = value_and_grad(valley, at);
    const Tensor differences = central_differences(valley, at);
    by_differences = std::max(by_differences, relative_error(gradient, differences));
    too_long = std::max(too_long, relative_error((1.001 * gradient).value(), differences));
    const double mu = 1.0 + std::pow(std::cos(at(0)), 2),
                 ratio = dot(gradient, gradient).item() / (2.0 * value);
    by_identity = std::max(by_identity, std::fabs(ratio / mu - 1.0));
  }
  l.metric("worst_gradient_error", by_differences);
  const auto at_points = [&](Outcome expected, const theory::Claim& claim, double error, double accuracy) {
    l.expect(expected, compare(claim, exact(error) <= exact(accuracy), Domain::points(points)));
  };
  at_points(
      Outcome::supported,
      {"gradient against central differences", "at points of [-3, 3]^2 drawn at random they agree to 1e-6"},
      by_differences, 1e-6);
  at_points(Outcome::supported,
            {"|grad f|^2 = 2 (1 + cos^2 x) f", "at the same points, to 1e-9: f satisfies PL with mu = 1"},
            by_identity, 1e-9);
  at_points(Outcome::refuted,
            {"a gradient 0.1 % too long", "1.001 grad f agrees with central differences to 1e-6 (false)"},
            too_long, 1e-6);

  // What differences cannot be asked for: a step too long misses the curve, one too short drowns in rounding.
  const Tensor at{1.0, -0.5}, known = grad(valley, at);
  std::vector<double> steps, one_sided, central;
  for (double h = 1.0; h > 1e-13; h /= 2.0) {
    const double ahead = (valley(at + h * Tensor{1, 0}) - valley(at)).item() / h;
    steps.push_back(h);
    one_sided.push_back(std::fabs(ahead - known(0)));
    central.push_back(std::fabs(central_differences(valley, at, h)(0) - known(0)));
  }
  l.figure(
      report::plot(
          l.path("_differences.svg"),
          {{"one-sided", steps, one_sided}, {"central", steps, central, {.line = report::Line::predicted}}},
          {.x = "step h", .y = "|difference - derivative|", .log_x = true, .log_y = true}),
      "The error falls as h, or as h^2, until rounding, which grows as 1/h, takes over: ten digits at best.");

  // At a kink there is no derivative; the course agrees on the one from the right, 1 for leaky ReLU.
  const auto leaky = [](const Var& t) { return sum(leaky_relu(t, 0.1)); };
  const double kink = grad(leaky, 0.0), halfway = central_differences(leaky, Tensor{0.0}).item();
  print("leaky ReLU of slope 0.1 at 0: derivative", kink, "central differences", halfway);
  l.expect(Outcome::agrees,
           compare({"derivative at the kink", "leaky ReLU's at 0 is 1"}, exact(kink), exact(1.0)));
  l.expect(Outcome::refuted,
           compare({"differences at the kink",
                    "central differences find it, too (false: they find the mean of both sides)"},
                   Tensor{halfway}, Tensor{kink}, 1e-6));
}

}  // namespace

int main(int argc, char** argv) { return examples::run_lesson(examples::kGradients, argc, argv, lesson); }
