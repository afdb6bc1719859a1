// Lesson 14, an operation of one's own. One learns to give the engine a function it does not know, by its
// value and its pullback; how a wrong pullback is found; what a right one is good for at once; how one
// formula gives its values and proven bounds; and how a part of a function is computed twice in order not to
// be kept.
#include <algorithm>

#include "cotangent.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using theory::check_kernel_paths, theory::check_two_layer_bound, theory::compare, theory::exact,
    theory::Outcome;

namespace {

constexpr double kSlope = 0.1, kRound = 0.25;

/// Leaky ReLU with its kink rounded off: (1 + a) / 2 t + (1 - a) / 2 sqrt(t^2 + r^2).
constexpr auto kFormula = [](auto t) {
  return 0.5 * (1 + kSlope) * t + 0.5 * (1 - kSlope) * sqrt(square(t) + kRound * kRound);
};
/// Its derivative, (1 + a) / 2 + (1 - a) / 2 t / sqrt(t^2 + r^2), made of operations: it can be
/// differentiated again.
Var slope(const Var& t) {
  return 0.5 * (1 + kSlope) + 0.5 * (1 - kSlope) * t / sqrt(square(t) + kRound * kRound);
}

const CustomOp kRounded(elementwise(kFormula,
                                    {.name = "rounded",
                                     .pullback = [](const OpRecord& p, const Var& g,
                                                    OpCotangents& out) { out.add(0, g * slope(p.in(0))); },
                                     .at_kink = "none"}));
/// Two ways to get it wrong: the root forgotten, and numbers in the place of operations.
const CustomOp kNoRoot(elementwise(kFormula,
                                   {.name = "rounded, without the root",
                                    .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) {
                                      const Var& t = p.in(0);
                                      out.add(0, g * (0.55 + 0.45 * t / (square(t) + kRound * kRound)));
                                    }}));
const CustomOp kNumbers(elementwise(kFormula,
                                    {.name = "rounded, by numbers",
                                     .pullback = [](const OpRecord& p, const Var& g, OpCotangents& out) {
                                       out.add(0, g * slope(detach(p.in(0))));
                                     }}));

/// The operation as an activation, for networks.
struct Rounded : nn::Module {
  Var operator()(const Var& w, const Var& x) const override {
    check(w);
    return kRounded(x);
  }
};

void lesson(examples::Lesson& l) {
  Rng rng(l.seed());
  const Tensor t = rng.normal({l.smoke() ? 5 : 50});
  const auto worst = [&](const CustomOp& op, int order) {
    const auto check =
        check_gradient([&](const Var& x) { return op(x); }, t, {.order = order, .seed = l.seed()});
    print(op.name(), "to order", order, "worst relative error", check.worst_error);
    return check.worst_error;
  };
  const double right = worst(kRounded, 2), no_root = worst(kNoRoot, 1);
  const double first = worst(kNumbers, 1), second = worst(kNumbers, 2);
  l.metric("worst_error", right);
  const auto expect = [&](Outcome expected, const theory::Claim& claim, double error, double accuracy) {
    l.expect(expected, compare(claim, exact(error) <= exact(accuracy), theory::Domain::points(t.size())));
  };
  expect(Outcome::supported, {"the pullback", "it agrees with central differences to second order, to 1e-5"},
         right, 1e-5);
  expect(Outcome::refuted, {"a pullback without its root", "it agrees with differences to 1e-6 (false)"},
         no_root, 1e-6);
  expect(Outcome::supported,
         {"a pullback of plain numbers, first order",
          "it agrees with differences to 1e-6: the gradient is right"},
         first, 1e-6);
  expect(Outcome::refuted,
         {"a pullback of plain numbers, second order",
          "it agrees with differences to 1e-5 (false: numbers have no derivative)"},
         second, 1e-5);

  std::vector<double> at, rounded, derivative, curvature;
  const auto f = [](const Var& x) { return kRounded(x); };
  for (double x = -2.0; x <= 2.0; x += 0.05) {
    at.push_back(x);
    rounded.push_back(kRounded(x).item());
    derivative.push_back(grad(f, x));
    curvature.push_back(hessian(f, x));
  }
  l.figure(report::plot(l.path("_rounded.svg"),
                        {{"value", at, rounded},
                         {"first derivative", at, derivative},
                         {"second derivative", at, curvature}},
                        {.x = "t"}),
           "The operation and what the engine makes of its pullback: the slope goes from 0.1 to 1 without a "
           "jump.");

  // The formula bounds the operation, the recorded pullback its derivative: at every point of a thousand
  // intervals at once, where differences look at points.
  const Index pieces = l.smoke() ? 1000 : 4000;
  const Tensor ends = Tensor::linspace(-2.0, 2.0, pieces + 1);
  const Box intervals{slice(ends, 0, 0, pieces).value(), slice(ends, 0, 1, pieces + 1).value()};
  const Enclosure slopes =
      enclose([](const Var& x) { return grad([](const Var& v) { return sum(kRounded(v)); }, x); }, intervals);
  const double least = min(slopes.lower()).item();
  l.metric("least_slope", least);
  l.expect(Outcome::certified,
           compare({"phi' > a on [-2, 2]", "it holds in each interval, by ball arithmetic"},
                   exact(kSlope) < exact(least)),
           "the slope on intervals");

  // In a network it is an operation like any other: Jacobians a sample, the tangent kernel without them, a
  // bound.
  const Index n = l.smoke() ? 6 : 30, d = n + 2, k = l.smoke() ? 8 : 200;
  const Tensor x = rng.normal({n, d}), v = rng.normal({k});
  const nn::TwoLayer net(d, k, Rounded(), {.outer = v});
  const Params w({{"weight", rng.normal({k, d})}});
  l.expect(Outcome::certified, check_kernel_paths(net, w, x, theory::KernelPath::materialised),
           "structured = materialised");
  const theory::Verdict pl_star = check_two_layer_bound(net, w, x, {.slope = kSlope});
  l.metric("lambda_min", pl_star.number("lambda_min"));
  l.expect(Outcome::certified, pl_star, "PL* for this W, as phi' >= a");

  // A deep network of such blocks, its tape holding one node a block: the backward pass computes each block
  // again.
  const Index width = 16, blocks = l.smoke() ? 4 : 20, size = width * width;
  const Tensor weights = rng.normal({blocks * size}, 0.0, 0.3), data = rng.normal({8, width});
  const auto block = [&](const Var& own, const Var& h) {
    return h + kRounded(linear(h, reshape(own, {width, width})));
  };
  const auto gradient = [&](bool keep, Index& nodes) {
    Tape tape;
    const Var all = tape.input(weights);
    Var h = data;
    for (Index b = 0; b < blocks; ++b) {
      const Var own = slice(all, 0, b * size, (b + 1) * size);
      h = keep ? block(own, h) : checkpoint(block, own, h);
    }
    const Var risk = mean(square(h));
    nodes = tape.num_nodes();
    return tape.grad(risk, all).value();
  };
  Index kept = 0, again = 0;
  const Tensor g = gradient(true, kept), h = gradient(false, again);
  print("nodes on the tape", kept, "with checkpoints", again);
  l.metric("nodes_saved", static_cast<double>(kept - again));
  l.expect(Outcome::agrees,
           compare({"checkpoints change no bit of the gradient", "the largest difference is 0"},
                   exact(norm(Var(g) - h, {.kind = Norm::infinity}).item()), exact(0.0)));
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run_lesson(examples::kYourOwnOperation, argc, argv, lesson);
}
