// Perturbed gradient descent: its numbers, its perturbations and its end.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/parts.hpp"

namespace cotangent::optim {
namespace {

using test::Bench, test::error_of;

TEST(Perturbed, PublishedNumbersAndTheRunThatEndsAtAMinimum) {  // A9
  const Perturbation p = perturbation_theory({.smoothness = 3.32,
                                              .hessian_lipschitz = 7.2,
                                              .accuracy = 0.1,
                                              .gap = 0.75,
                                              .dimension = 2,
                                              .confidence = 0.1,
                                              .constant = 1.0});
  EXPECT_NEAR(p.step, 0.301204819277, 1e-12);
  EXPECT_NEAR(p.radius, 4.617801359e-5, 1e-14);
  EXPECT_NEAR(p.gradient, 1.533110051e-4, 1e-13);
  EXPECT_NEAR(p.decrease, 7.0744673759e-7, 1e-16);
  EXPECT_EQ(p.pause, 100);
  const FiniteSum f = objective([](const Var& w) {
    const Var x = slice(w, 0, 0, 1), y = slice(w, 0, 1, 2);
    return sum(0.5 * square(x) + 0.25 * square(square(y)) - 0.5 * square(y));
  });
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Rng rng(seed);
    const auto run = PerturbedGd(p).minimize(f, Tensor{1.0, 0.0}, rng);
    EXPECT_EQ(run.stop, StopReason::finished);
    EXPECT_LT(run.iterations, 2000);
    EXPECT_NEAR(run.w.flat()(0), 0.0, 1e-3);
    EXPECT_NEAR(std::fabs(run.w.flat()(1)), 1.0, 1e-3);
    EXPECT_NEAR(Gd({.step = p.step, .iterations = 2000}).minimize(f, Tensor{1.0, 0.0}).w.flat()(1), 0.0,
                1e-12);
  }
}

/// A point in the ball of this radius around 0, as a run draws it.
Tensor drawn(Rng& rng, double radius) {
  const double share = std::sqrt(rng.uniform()), x = rng.normal(), y = rng.normal();
  return (radius * share / std::hypot(x, y) * Var(Tensor{x, y})).value();
}

/// The move by itself, at gradients and values made up: steps of 1/2 along (1, 0); where |g| is at most 1/4
/// it perturbs; f is to fall by 1/8 in two steps.
struct Alone {
  Bench bench{objective([](const Var& x) { return dot(x, x); }), Tensor{4.0, 2.0}, 3};
  Rng again{3};
  std::unique_ptr<Move> move = perturbed(
      {.step = 0.5, .radius = 0.1, .gradient = 0.25, .decrease = 0.125, .pause = 2})(bench.setting());
  Tensor w{4.0, 2.0};

  void next(double value, double gradient_norm) {
    w = move->next(bench.at(w, value, gradient_norm), bench.params(Tensor{1.0, 0.0}), 0.5).flat();
  }
  void expect_step(double value, double gradient_norm) {
    const Tensor before = w;
    next(value, gradient_norm);
    EXPECT_TRUE(equal(w, (before - Tensor{0.5, 0.0}).value()));
    EXPECT_FALSE(move->ended());
  }
  void expect_perturbation(double value, double gradient_norm) {
    const Tensor before = w, noise = drawn(again, 0.1);
    next(value, gradient_norm);
    for (Index j = 0; j < 2; ++j) EXPECT_NEAR(w(j), before(j) + noise(j), 1e-15);
    EXPECT_FALSE(move->ended());
  }
};

TEST(Perturbed, PausesBetweenPerturbations) {
  Alone run;
  run.expect_step(9.0, 0.26);
  run.expect_perturbation(1.0, 0.25);
  run.expect_step(1.0, 0.0);
  run.expect_step(1.0, 0.0);
  run.expect_step(0.875, 0.0);  // fallen by 1/8, just enough
  run.expect_perturbation(0.875, 0.25);
  EXPECT_EQ(run.bench.rng, run.again);
  EXPECT_TRUE(equal(run.move->result(run.bench.params(run.w)).flat(), run.w));
}

TEST(Perturbed, EndsWithThePointFromBefore) {
  for (const bool at_once : {true, false}) {  // perturbed in the first iteration, or in the second
    Alone run;
    if (!at_once) run.expect_step(2.0, 1.0);
    const Tensor before = run.w;
    run.expect_perturbation(1.0, 0.25);
    run.expect_step(1.0, 0.0);
    run.expect_step(1.0, 0.0);
    const Tensor there = run.w;
    run.next(0.876, 0.0);
    EXPECT_TRUE(run.move->ended());
    EXPECT_TRUE(equal(run.w, there));
    EXPECT_TRUE(equal(run.move->result(run.bench.params(run.w)).flat(), before));
  }
}

TEST(Perturbed, OddNumbersAreNamed) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const PerturbationProblem good{
      .smoothness = 3.32, .hessian_lipschitz = 7.2, .accuracy = 0.1, .gap = 0.75, .dimension = 2};
  const Perturbation numbers = perturbation_theory(good);
  const auto of_problem = [](const PerturbationProblem& p) {
    return error_of<DomainError>([&] { perturbation_theory(p); });
  };
  const auto of_numbers = [](const Perturbation& n) {
    const std::string text = error_of<DomainError>([&] { perturbed(n); });
    EXPECT_EQ(text, error_of<DomainError>([&] { PerturbedGd{n}; }));
    return text;
  };
  for (const double odd : {kNan, -1.0, 0.0, kInf, -kInf}) {
    const std::string rest = fmt::format(" is {}; give a finite number above 0", odd);
    for (const auto& [name, field] : {std::pair("smoothness", &PerturbationProblem::smoothness),
                                      {"hessian_lipschitz", &PerturbationProblem::hessian_lipschitz},
                                      {"accuracy", &PerturbationProblem::accuracy},
                                      {"gap", &PerturbationProblem::gap},
                                      {"confidence", &PerturbationProblem::confidence},
                                      {"constant", &PerturbationProblem::constant}}) {
      PerturbationProblem p = good;
      p.*field = odd;
      EXPECT_EQ(of_problem(p), std::string("[perturbation_theory] ") + name + rest);
    }
    for (const auto& [name, field] : {std::pair("step", &Perturbation::step),
                                      {"radius", &Perturbation::radius},
                                      {"gradient", &Perturbation::gradient},
                                      {"decrease", &Perturbation::decrease}}) {
      Perturbation n = numbers;
      n.*field = odd;
      EXPECT_EQ(of_numbers(n), std::string("[perturbed] ") + name + rest);
    }
  }
  PerturbationProblem p = good;
  p.dimension = 0;
  EXPECT_EQ(of_problem(p), "[perturbation_theory] dimension is 0; give a finite number above 0");
  p = good, p.confidence = 1.0;
  EXPECT_EQ(of_problem(p),
            "[perturbation_theory] confidence is 1; give the chance of a failure, a number in (0, 1)");
  p = good, p.constant = 1.5;
  EXPECT_EQ(of_problem(p),
            "[perturbation_theory] constant is 1.5; give a number in (0, 1], for the step is constant / "
            "smoothness");
  p = good, p.smoothness = 1.0, p.hessian_lipschitz = 4.0, p.accuracy = 0.5;
  EXPECT_EQ(of_problem(p),
            "[perturbation_theory] accuracy is 0.5, above smoothness^2 / hessian_lipschitz = 0.25; give a "
            "smaller one, as the theorem asks for");
  // Good numbers whose results no double or count holds.
  p = good, p.accuracy = 1e-200;
  EXPECT_EQ(of_problem(p),
            "[perturbation_theory] radius comes out as 0, which no run can use; scale f and w towards 1");
  p = good, p.constant = 1e-12;
  EXPECT_NE(of_problem(p).find("pause comes out as "), std::string::npos);
  Perturbation n = numbers;
  n.pause = 0;
  EXPECT_EQ(of_numbers(n), "[perturbed] pause is 0; give 1 step or more");
}

}  // namespace
}  // namespace cotangent::optim
