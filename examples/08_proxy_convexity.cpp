// Lesson 08, proxy convexity. One learns that gradient descent reaches every accuracy with a two-layer leaky
// ReLU net on separable data, from any start and at any width: the theorem verified hypothesis by hypothesis,
// its proof evaluated at every iterate of a run, and what is refused or refuted when a hypothesis breaks.
#include "cotangent.hpp"
#include "examples/support/digits.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using theory::check_leaky_relu_theorem, theory::check_slope_surrogate, theory::check_surrogate,
    theory::LeakyReluProblem, theory::Outcome, theory::Verdict;

namespace {

void lesson(examples::Lesson& l) {
  Rng rng(l.seed());
  const nn::Separable data = nn::separable(rng, {.n = l.smoke() ? 20 : 100, .d = 10, .margin = 0.25});
  const nn::TwoLayer net(10, 32, nn::LeakyReLU(0.5));
  const Params w0 = net.init(rng);
  const LeakyReluProblem problem(net, data.x, data.y);
  const Verdict theorem = check_leaky_relu_theorem(problem, w0, {.accuracy = 0.2, .whole_run = !l.smoke()});
  print(theorem);
  l.metric("least_risk", theorem.number("least"));
  l.metric("margin", problem.margin());
  l.metric("iterations_of_the_theorem", theorem.number("T"));
  l.expect(Outcome::certified, theorem);
  report::PlotOptions plot{.title = "Gradient descent on separable points",
                           .x = "T",
                           .y = "logistic risk",
                           .log_x = true,
                           .log_y = true,
                           .horizontal = {{0.2, "eps"}}};
  l.figure(theory::plot(l.path("_risk.svg"), theorem, plot),
           "The risk, and the theorem's bound on its minimum up to each iterate.");
  const Verdict sharper =
      check_leaky_relu_theorem(problem, w0, {.accuracy = 0.2, .form = theory::LeakyReluForm::sharper});
  l.metric("iterations_of_the_sharper_form", sharper.number("T"));
  l.expect(Outcome::certified, sharper);
  l.expect(Outcome::certified, check_perceptron(problem, w0, {.iterations = l.smoke() ? 50 : 1000}));
  const double rho = theorem.number("rho");
  l.expect(Outcome::certified, check_leaky_relu_proxy(problem, rho, rng));
  l.expect(Outcome::supported, check_proxy_convexity(problem.proxy(rho), w0, rng), "the same, by search");
  const auto output = [&](const Var& w) { return sum(net(w, data.x.rows(0, 1))); };
  l.expect(Outcome::supported, theory::check_homogeneity(output, 1.0, w0, rng));
  l.expect(Outcome::refuted, theory::check_homogeneity(output, 2.0, w0, rng),
           "Euler's identity with degree 2");

  const nn::Labelled digits = examples::two_digits(l.data(), l.smoke() ? 300 : 5000, rng);
  const nn::TwoLayer wide(784, 16, nn::LeakyReLU(0.5));
  const LeakyReluProblem on_digits(wide, digits.x, digits.y);
  const Verdict of_digits = check_leaky_relu_theorem(
      on_digits, wide.init(rng), {.accuracy = 0.1, .form = theory::LeakyReluForm::sharper, .progress = true});
  l.metric("margin_of_two_digits", on_digits.margin());
  l.expect(Outcome::certified, of_digits, "the theorem on two digits");
  plot.title = "Gradient descent on the digits 0 and 1";
  plot.horizontal = {{0.1, "eps"}};
  l.figure(theory::plot(l.path("_digits.svg"), of_digits, plot),
           "The same on two digits, by the sharper form, until the claim has come true.");

  // One hypothesis broken at a time: the verdict names it.
  const auto broken = [&](const LeakyReluProblem& p, const std::string& name,
                          theory::LeakyReluOptions options = {}) {
    const Verdict verdict = check_leaky_relu_theorem(p, w0, options);
    print(name + ":", verdict.reason);
    l.expect(Outcome::not_applicable, verdict, name);
  };
  const Tensor twice = concat({data.x, data.x.rows(0, 1)}, 0).value(),
               both = concat({data.y, -1.0 * Var(data.y.rows(0, 1))}, 0).value();
  broken({net, twice, both}, "a point with both labels: no margin");
  broken({net, (3.0 * Var(data.x)).value(), data.y}, "inputs longer than 1");
  broken(problem, "a step too long", {.step = 1.0});
  broken({nn::TwoLayer(10, 32, nn::ReLU()), data.x, data.y}, "ReLU instead of leaky ReLU");

  // With ReLU the theorem is false: a dead unit has the risk log 2 and no gradient, so no h below log 2 can
  // be a proxy.
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
  l.expect(Outcome::refuted,
           compare({"l decreasing, so -l'(z) < 0", "at z = 0 (false: it is 1/2)"},
                   theory::exact(-facts(theory::MarginLoss::logistic).slope_at_zero) < theory::exact(0.0)));
}

}  // namespace

int main(int argc, char** argv) { return examples::run_lesson(examples::kProxies, argc, argv, lesson); }
