// Lesson 15, optimizers. One learns what methods cost on one problem, counted in component gradients, with
// steps that work beside those of the theorems; that a longer step is not faster; to write a rule of one's
// own; and to save a run and go on with it.
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cotangent.hpp"
#include "examples/support/digits.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using optim::saga_theory, theory::check_pl_rate, theory::compare, theory::exact, theory::Outcome;

namespace {

/// Barzilai's and Borwein's direction, g <s, s> / <s, y> with the last differences s of points and y of
/// gradients; at first g. Take it with the step 1.
class BarzilaiBorwein final : public optim::Rule {
 public:
  Params direction(const optim::At& at, Params g) override {
    if (w_.size() > 0) length_ = dot(at.w - w_, at.w - w_) / dot(at.w - w_, g - g_);
    w_ = at.w;
    g_ = g;
    return length_ * g;
  }
  void visit(optim::State& state) override {
    state("w", w_);
    state("g", g_);
    state("length", length_);
  }

 private:
  double length_ = 1.0;
  Params w_, g_;
};

void on_least_squares(examples::Lesson& l, Rng rng) {
  const Index n = l.smoke() ? 200 : 2000, d = l.smoke() ? 10 : 50, many = 1000000;
  const double condition = l.smoke() ? 30.0 : 100.0, size = static_cast<double>(n);
  const auto p = optim::least_squares_problem(rng, {.samples = n, .dimension = d, .condition = condition});
  const double mu = p.mu->value, top = p.component_smoothness->value, optimum = p.optimum->value;
  const auto svrg = optim::svrg_theory(n, top);
  const auto page = optim::page_theory(n, static_cast<Index>(std::sqrt(size)), p.mean_smoothness->value, mu);
  const auto own = [](const optim::Setting&) { return std::make_unique<BarzilaiBorwein>(); };
  const std::vector<std::pair<const char*, optim::Optimizer>> methods{
      {"gradient descent", optim::Gd({.step = 1.0, .iterations = many})},
      {"Nesterov, from L", optim::Nesterov({.step = 1.0, .iterations = many})},
      {"Nesterov, from L and mu", optim::Nesterov({.step = 1.0, .iterations = many, .mu = mu})},
      {"heavy ball", optim::HeavyBall({.mu = mu, .iterations = many})},
      {"L-BFGS", optim::Lbfgs({.iterations = many})},
      {"Barzilai-Borwein", optim::Descent({.rule = own, .step = 1.0, .epochs = many})},
      {"SVRG", optim::Svrg({.step = 0.25 / top, .epochs = many})},
      {"SVRG, theorem", optim::Svrg({.step = svrg.step, .epochs = many, .inner = svrg.inner})},
      {"SAGA", optim::Saga({.step = 1.0 / (3.0 * top), .epochs = many})},
      {"SAGA, theorem", optim::Saga({.step = saga_theory(n, top).step, .epochs = many, .two_draws = true})},
      {"PAGE", optim::Page({.step = 0.5, .epochs = many})},
      {"PAGE, theorem", optim::Page({.step = page.step_of_pl, .epochs = many})}};

  // Each runs to 1e-8 of the first gap. The theorems' steps are so short that 700 n gradients end some runs.
  constexpr report::Line kDashed = report::Line::predicted;
  std::map<std::string, double> spent;
  std::vector<report::Series> whole, sampled;
  report::Table table({{"method"}, {"component gradients"}, {"gap, of the first", report::Align::right, 2}});
  for (const auto& [name, optimizer] : methods) {
    std::vector<double> gradients{0.0}, gaps{1.0};
    optim::Loop loop = optimizer.start(p.f, p.start, rng);
    while (gaps.back() > 1e-8 && gradients.back() < 700.0 * size && loop.next()) {
      const double now = static_cast<double>(loop.spent().gradients);
      if (now < gradients.back() + 0.02 * size) continue;
      gradients.push_back(now);
      gaps.push_back((p.f.value(loop.result()) - optimum) / (p.f.value(p.start) - optimum));
    }
    spent[name] = gradients.back();
    table.row({name, static_cast<Index>(gradients.back()), gaps.back()});
    const auto line = std::string(name).ends_with("theorem") ? kDashed : report::Line::observed;
    (spent.size() <= 6 ? whole : sampled).push_back({name, gradients, gaps, {line}});
  }
  print(table);
  report::PlotOptions axes{
      .x = "component gradients", .y = "gap, of the first", .log_y = true, .height = 600};
  l.figure(report::plot(l.path("_whole.svg"), whole, axes), "Methods on the whole sum.");
  l.figure(report::plot(l.path("_sampled.svg"), sampled, axes), "Methods on samples; dashed: by theorem.");
  const double gd = spent["gradient descent"];
  l.metric("gradients_of_saga", spent["SAGA"]);
  const auto expect = [&](Outcome expected, const theory::Claim& claim, double less, double more) {
    l.expect(expected, compare(claim, exact(less) <= exact(more)));
  };
  expect(Outcome::certified, {"SAGA", "half of gradient descent's gradients suffice for the same gap"},
         spent["SAGA"], gd / 2);
  expect(Outcome::refuted, {"SAGA by its theorem", "as many suffice (false)"}, spent["SAGA, theorem"], gd);
  expect(Outcome::certified, {"heavy ball", "a third suffices"}, spent["heavy ball"], gd / 3);
  expect(Outcome::certified, {"one's own rule", "a third suffices"}, spent["Barzilai-Borwein"], gd / 3);

  // Steps of any length: what the theorem says below 2/L, and what is above.
  const theory::HalvedPl pl{0.999 * mu};
  l.expect(Outcome::certified, check_pl_rate(p.f, p.start, pl, {.optimum = optimum, .iterations = 500}));
  l.expect(Outcome::not_applicable, check_pl_rate(p.f, p.start, pl, {.optimum = optimum, .step = 2.1}),
           "the theorem with the step 2.1/L");
  std::vector<double> lengths, gaps;
  for (double step = 0.1; step < 2.11; step += 0.05) {
    lengths.push_back(step);
    gaps.push_back(optim::Gd({.step = step}).minimize(p.f, p.start).value - optimum);
  }
  axes = {.x = "step, in 1/L", .y = "gap after 100 steps", .log_y = true, .vertical = {{2.0, "2/L"}}};
  l.figure(report::plot(l.path("_steps.svg"), {{"", lengths, gaps}}, axes), "What 100 steps leave.");
  expect(Outcome::refuted, {"a longer step is faster", "100 steps of 2.1/L leave no more than 100 of 0.1/L"},
         gaps.back(), gaps.front());
}

void on_digits(examples::Lesson& l, Rng rng) {
  const nn::Digits digits =
      l.data().empty() ? examples::drawn_digits(l.smoke() ? 300 : 2000, rng) : nn::read_mnist(l.data()).train;
  const nn::Sequential net = nn::mlp({784, 64, 10}, nn::LeakyReLU(0.1));
  const auto f = optim::finite_sum(digits.labels.size(), [&](const Var& w, const Batch& b) {
    return nn::cross_entropy(net(w, b.rows(digits.images)), b.rows(digits.labels));
  });
  const Params w0 = net.init(rng);
  const optim::Adam adam;
  report::Table table({{"on digits"}, {"risk"}, {"component gradients"}, {"numbers of state"}});
  for (const optim::Optimizer& o : std::vector<optim::Optimizer>{adam, optim::RmsProp({.step = 1e-3})}) {
    const optim::Run run = o.minimize(f, w0, rng);
    table.row({o.recipe().name, run.value, run.spent.gradients, run.state_numbers});
    const theory::Inequality falls = exact(run.value) < exact(f.value(w0));
    l.expect(Outcome::certified, compare({o.recipe().name, "its risk falls, on digits"}, falls));
  }
  print(table);

  // A run that is saved within an epoch, and gone on with beside a generator of another state.
  optim::Loop loop = adam.start(f, w0, rng);
  for (Index k = 0; k < 7; ++k) loop.next();
  loop.save(l.path("_run.npz"));
  Rng other(0);
  optim::Loop again = adam.resume(l.path("_run.npz"), f, other);
  while (loop.next()) again.next();
  l.expect(Outcome::agrees, compare({"a resumed run", "it ends at the same point, bit by bit"},
                                    exact(norm(again.finish().w - loop.finish().w)), exact(0.0)));
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run_lesson(examples::kOptimizers, argc, argv, [](examples::Lesson& l) {
    on_least_squares(l, Rng(l.seed()).split("least squares"));
    on_digits(l, Rng(l.seed()).split("digits"));
  });
}
