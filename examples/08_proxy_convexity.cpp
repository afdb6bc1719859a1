// Lesson 08, proxy convexity. One learns that gradient descent reaches every accuracy with a two-layer leaky ReLU net on
// separable data, from any start and at any width: the theorem verified hypothesis by hypothesis, its proof evaluated at
// every iterate of a run, and what is refused or refuted when a hypothesis breaks.
#include "cotangent.hpp"
#include "examples/support/digits.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using theory::Outcome, theory::LeakyReluProblem, theory::check_leaky_relu_theorem;

namespace {

/// Loss against bound.
report::Drawn draw(const std::string& path, const theory::LeakyReluRun& run,
                   const report::PlotOptions& options) {
  const auto n = static_cast<Index>(run.descent.g.size());
  const Tensor t = Tensor::linspace(1.0, static_cast<double>(n), n), risk = Tensor::from(run.descent.g, {n}),
               bound = Tensor::from(run.descent.bounds, {n});
  return report::plot(
      path, {{"risk", t, risk}, {"bound on its least so far", t, bound, {report::Line::predicted}}}, options);
}

void lesson(examples::Lesson& l) {
  Rng rng(l.seed());
  const nn::Separable data = nn::separable(rng, {.n = l.smoke() ? 20 : 100, .d = 10, .margin = 0.25});
  const nn::TwoLayer net(10, 32, nn::LeakyReLU(0.5));
  const Params w0 = net.init(rng);
  const LeakyReluProblem problem(net, data.x, data.y);
  const auto run = check_leaky_relu_theorem(problem, w0, {.accuracy = 0.2, .whole_run = !l.smoke()});
  print(run.verdict);
  l.metric("least_risk", run.descent.least);
  l.metric("margin", problem.margin());
  l.metric("iterations_of_the_theorem", static_cast<double>(run.iterations));
  l.expect(Outcome::certified, run.verdict);
  report::PlotOptions plot{.title = "Gradient descent on separable points",
                           .x = "T",
                           .y = "logistic risk",
                           .log_x = true,
                           .log_y = true,
                           .horizontal = {{0.2, "eps"}}};
  l.figure(draw(l.path("_risk.svg"), run, plot),
           "The risk, and the theorem's bound on its minimum up to each iterate.");
  const auto sharper =
      check_leaky_relu_theorem(problem, w0, {.accuracy = 0.2, .form = theory::LeakyReluForm::sharper});
  l.metric("iterations_of_the_sharper_form", static_cast<double>(sharper.iterations));
  l.expect(Outcome::certified, sharper.verdict);
  l.expect(Outcome::certified, check_perceptron(problem, w0, {.iterations = l.smoke() ? 50 : 1000}).verdict);
  l.expect(Outcome::certified, check_leaky_relu_proxy(problem, run.rho, rng));
  l.expect(Outcome::supported, check_proxy_convexity(problem.proxy(run.rho), w0, rng), "the same, by search");
  const auto output = [&](const Var& w) { return sum(net(w, data.x.rows(0, 1))); };
  l.expect(Outcome::supported, theory::check_homogeneity(output, 1.0, w0, rng));
  l.expect(Outcome::refuted, theory::check_homogeneity(output, 2.0, w0, rng),
           "Euler's identity with degree 2");

  const nn::Labelled digits = examples::two_digits(l.data(), l.smoke() ? 300 : 5000, rng);
  const nn::TwoLayer wide(784, 16, nn::LeakyReLU(0.5));
  const LeakyReluProblem on_digits(wide, digits.x, digits.y);
  const auto of_digits = check_leaky_relu_theorem(
      on_digits, wide.init(rng), {.accuracy = 0.1, .form = theory::LeakyReluForm::sharper, .progress = true});
  l.metric("margin_of_two_digits", on_digits.margin());
  l.expect(Outcome::certified, of_digits.verdict, "the theorem on two digits");
  plot.title = "Gradient descent on the digits 0 and 1";
  plot.horizontal = {{0.1, "eps"}};
  l.figure(draw(l.path("_digits.svg"), of_digits, plot), "The same on two digits, by the sharper form.");

  // One hypothesis broken at a time: the verdict names it.
  const auto broken = [&](const LeakyReluProblem& p, const std::string& name,
                          theory::LeakyReluOptions options = {}) {
    const theory::Verdict verdict = check_leaky_relu_theorem(p, w0, options).verdict;
    print(name + ":", verdict.reason);
    l.expect(Outcome::not_applicable, verdict, name);
  };
  const Tensor twice = concat({data.x, data.x.rows(0, 1)}, 0).value(),
               both = concat({data.y, -1.0 * Var(data.y.rows(0, 1))}, 0).value();
  broken({net, twice, both}, "a point with both labels: no margin");
  broken({net, (3.0 * Var(data.x)).value(), data.y}, "inputs longer than 1");
  broken(problem, "a step too long", {.step = 1.0});
  broken({nn::TwoLayer(10, 32, nn::ReLU()), data.x, data.y}, "ReLU instead of leaky ReLU");

  // With ReLU the theorem is false: a dead unit has the risk log 2 and no gradient, so no h below log 2 can be a proxy.
  const LeakyReluProblem dead(nn::TwoLayer(1, 1, nn::ReLU(), {.outer = {1}}), {{1}}, {1});
  const theory::ProxyConvexity hoped{.f = [&](const Var& w) { return dead.risk(w); },
                                     .h = [](const Var&) { return Var(0.1); },
                                     .v = dead.reference(10.0)};
  l.expect(Outcome::refuted, check_proxy_convexity(hoped, hoped.v.zeros_like(), rng),
           "ReLU: a proxy with h = 0.1");

  // What the lecture says of surrogates, as printed.
  l.expect(Outcome::refuted, check_surrogate(theory::MarginLoss::logistic));
  l.expect(Outcome::certified, check_surrogate(theory::MarginLoss::logistic, 2.0), "twice the logistic loss");
  l.expect(Outcome::refuted, check_slope_surrogate(theory::MarginLoss::logistic));
  l.expect_refuted("proxy O34", "l decreasing, so -l'(z) < 0", "at z = 0 (false: it is 1/2)",
                   -theory::logistic_slope(0.0), 0.0);
}

}  // namespace

int main(int argc, char** argv) { return examples::run_lesson(examples::kProxies, argc, argv, lesson); }
