// Estimators that remember: against the plainest implementations, whose expectations are enumerated and
// published.
#include "optim/estimators.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "optim/optim.hpp"
#include "tests/support/files_support.hpp"
#include "tests/support/paths.hpp"

namespace cotangent::optim {
namespace {

using test::error_of;
using test::Parabolas;
using test::Path;

const Parabolas kThree = test::three_parabolas();
constexpr double kBest = 5.0 / 9.0, kStart = 2.0;

/// Points x_0 .. x_T of a method by hand; draw() gives a sample, coin() a uniform number.
using Draw = std::function<Index()>;
using Points = std::vector<double>;

Points svrg_by_hand(double step, int inner, int steps, const Draw& draw) {
  Points x{kStart};
  double snapshot = 0.0;
  for (int t = 0; t < steps; ++t) {
    if (t % inner == 0) snapshot = x.back();
    const Index i = draw();
    const double v = kThree.component_gradient(i, x.back()) - kThree.component_gradient(i, snapshot) +
                     kThree.gradient(snapshot);
    x.push_back(x.back() - step * v);
  }
  return x;
}

Points saga_by_hand(double step, bool two, int steps, const Draw& draw) {
  Points x{kStart};
  std::array<double, 3> at{kStart, kStart, kStart};  // where each entry of the table was taken
  for (int t = 0; t < steps; ++t) {
    const Index i = draw(), j = two ? draw() : i;
    double mean = 0.0;
    for (Index k = 0; k < 3; ++k) mean += kThree.component_gradient(k, at[static_cast<std::size_t>(k)]) / 3.0;
    const double v = kThree.component_gradient(i, x.back()) -
                     kThree.component_gradient(i, at[static_cast<std::size_t>(i)]) + mean;
    at[static_cast<std::size_t>(j)] = x.back();
    x.push_back(x.back() - step * v);
  }
  return x;
}

/// anew(t): whether iteration t begins anew.
Points page_by_hand(double step, int steps, const std::function<bool()>& anew, const Draw& draw) {
  Points x{kStart};
  double g = kThree.gradient(kStart);
  for (int t = 0; t < steps; ++t) {
    if (t > 0) {
      if (anew()) {
        g = kThree.gradient(x[x.size() - 1]);
      } else {
        const Index i = draw();
        g += kThree.component_gradient(i, x[x.size() - 1]) - kThree.component_gradient(i, x[x.size() - 2]);
      }
    }
    x.push_back(x.back() - step * g);
  }
  return x;
}

/// The mean gap after `steps` steps over all sequences of `draws` draws out of `choices`.
double mean_gap(Index choices, int draws, const std::function<Points(const Draw&)>& run) {
  double sum = 0.0, paths = 1.0;
  for (int k = 0; k < draws; ++k) paths *= static_cast<double>(choices);
  for (Index path = 0; path < static_cast<Index>(paths); ++path) {
    Index rest = path;
    const Points x = run([&] {
      const Index drawn = rest % choices;
      rest /= choices;
      return drawn;
    });
    sum += (kThree.value(x.back()) - kBest) / paths;
  }
  return sum;
}

TEST(Estimators, ExpectedGapsAreThePublishedOnes) {  // additions.md 6.2
  const std::array<double, 5> svrg_gaps{3.78086419753, 2.62630029721, 1.826176208, 1.27266486816,
                                        0.883795047336};
  const std::array<double, 4> one{3.29355281207, 1.99460899705, 1.21477463986, 0.749934662699};
  const std::array<double, 4> two{3.29355281207, 1.99460899705, 1.21444681001, 0.748698892572};
  const std::array<double, 4> page_gaps{2.41975308642, 1.08384773663, 0.500264346136, 0.246062492856};
  for (int t = 1; t <= 5; ++t)
    EXPECT_NEAR(mean_gap(3, t, [t](const Draw& d) { return svrg_by_hand(1.0 / 12.0, 4, t, d); }),
                svrg_gaps[static_cast<std::size_t>(t - 1)], 1e-11);
  for (int t = 1; t <= 4; ++t) {
    const auto at = static_cast<std::size_t>(t - 1);
    EXPECT_NEAR(mean_gap(3, t, [t](const Draw& d) { return saga_by_hand(1.0 / 9.0, false, t, d); }), one[at],
                1e-11);
    EXPECT_NEAR(mean_gap(3, 2 * t, [t](const Draw& d) { return saga_by_hand(1.0 / 9.0, true, t, d); }),
                two[at], 1e-11);
    // Of 12 equal choices 3 begin anew and 9 go on, with a sample each.
    EXPECT_NEAR(mean_gap(12, t - 1,
                         [t](const Draw& d) {
                           Index drawn = 0;
                           return page_by_hand(
                               1.0 / 6.0, t, [&] { return (drawn = d()) < 3; }, [&] { return drawn % 3; });
                         }),
                page_gaps[at], 1e-11);
  }
}

TEST(Estimators, RunsAreThoseByHand) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto same = [&](const Optimizer& optimizer, const std::function<Points(Rng&)>& by_hand) {
      Rng rng(seed), again(seed);
      Path path;
      const auto run = optimizer.minimize(kThree.sum(), Tensor{kStart}, rng, {&path});
      Points x = by_hand(again);
      path.x.push_back(run.w.flat()(0));
      ASSERT_EQ(path.x.size(), x.size());
      for (std::size_t t = 0; t < x.size(); ++t) EXPECT_NEAR(path.x[t], x[t], 1e-13) << seed << " " << t;
      EXPECT_EQ(rng, again);
    };
    const auto draw = [](Rng& rng) { return [&rng] { return rng.below(3); }; };
    same(Svrg({.step = 1.0 / 12.0, .epochs = 3, .inner = 4}),
         [&](Rng& rng) { return svrg_by_hand(1.0 / 12.0, 4, 12, draw(rng)); });
    for (const bool two : {false, true})
      same(Saga({.step = 1.0 / 9.0, .epochs = 4, .two_draws = two}),
           [&](Rng& rng) { return saga_by_hand(1.0 / 9.0, two, 12, draw(rng)); });
    same(Page({.step = 1.0 / 6.0, .epochs = 3, .batch = 1}), [&](Rng& rng) {  // p = 1/4: epochs of 4
      return page_by_hand(
          1.0 / 6.0, 12, [&] { return rng.uniform() < 0.25; }, draw(rng));
    });
  }
}

/// Points for which the estimate of any batch is unbiased, in the plane.
struct Sum {
  Rng rng{5};
  Tensor x = rng.normal({7, 3}), y = rng.normal({7});
  FiniteSum f = finite_sum(7, [this](const Var& v, const Batch& b) {
    return mean(softplus(reshape(matmul(b.rows(x), reshape(v, {3, 1})), {b.size()}) - b.rows(y)));
  });
  Params w0{{{"w", Tensor{0.4, -1.0, 0.3}}}}, w{{{"w", Tensor{0.1, 0.2, -0.5}}}};
};

/// The mean of the estimates at w after `prepare`, over all seven samples drawn, and the sum of their
/// magnitudes.
struct Mean {
  Tensor gradient, magnitude;
};
template <class Prepare>
Mean over_draws(Sum& sum, const Choice<Estimator>& choice, Prepare prepare) {
  Oracle f(sum.f);
  std::vector<Tensor> seen(7);
  std::size_t met = 0;
  for (std::uint64_t trial = 0; met < 7 && trial < 1000; ++trial) {
    Rng rng(11);
    const auto estimator = choice({.name = "test", .f = f, .rng = rng, .start = sum.w0});
    prepare(*estimator);
    rng = Rng(1000 + trial);
    const Estimate e = estimator->at(sum.w, 5);
    EXPECT_EQ(e.batch.size(), 1);
    EXPECT_FALSE(e.exact);
    Tensor& here = seen[static_cast<std::size_t>(e.batch[0])];
    if (here.size() == 0) ++met;
    here = e.gradient.flat();
  }
  EXPECT_EQ(met, 7u);
  Mean mean{Tensor::zeros({3}), Tensor::zeros({3})};
  for (const Tensor& g : seen) {
    mean.gradient = (mean.gradient + g / 7.0).value();
    mean.magnitude = (mean.magnitude + abs(g) / 7.0).value();
  }
  return mean;
}

void expect_unbiased(Sum& sum, const Mean& mean) {
  const Tensor exact = sum.f.grad(sum.w).flat();
  for (Index j = 0; j < 3; ++j)
    EXPECT_NEAR(mean.gradient(j), exact(j),
                64.0 * std::numeric_limits<double>::epsilon() * mean.magnitude(j));
}

TEST(Estimators, OfOneSampleAreUnbiasedByEnumeration) {
  Sum sum;
  expect_unbiased(sum, over_draws(sum, mini_batch({.batch = 1, .replacement = true}),
                                  [&](Estimator& e) { e.begin_epoch(sum.w0); }));
  expect_unbiased(sum, over_draws(sum, svrg(), [&](Estimator& e) {
                    e.begin_epoch(sum.w0);
                    e.at(sum.w0, 0);
                  }));
  expect_unbiased(sum, over_draws(sum, saga(), [&](Estimator& e) {
                    e.begin_epoch(sum.w0);
                    for (Index i = 0; i < 6; ++i) e.at((1.0 + 0.1 * static_cast<double>(i)) * sum.w0, i);
                  }));
}

TEST(Estimators, SvrgHasNoVarianceAtItsSnapshot) {
  Sum sum;
  Oracle f(sum.f);
  Rng rng(3);
  const auto estimator = svrg()({.name = "test", .f = f, .rng = rng, .start = sum.w0});
  EXPECT_EQ(estimator->begin_epoch(sum.w), 14);
  const Tensor exact = sum.f.grad(sum.w).flat();
  for (Index i = 0; i < 30; ++i) {
    const Estimate e = estimator->at(sum.w, i);
    for (Index j = 0; j < 3; ++j) EXPECT_NEAR(e.gradient.flat()(j), exact(j), 1e-15);
    EXPECT_EQ(e.exact, i == 0);
  }
}

TEST(Estimators, PageIsBiasedByWhatItRemembers) {
  // Given g and w-, the mean over samples of g + grad f_i(w) - grad f_i(w-) is g + grad f(w) - grad f(w-).
  Sum sum;
  const auto prepare = [&](Estimator& e) {
    e.begin_epoch(sum.w0);
    e.at(sum.w0, 0);
    e.at(0.5 * sum.w0, 1);
  };
  Oracle f(sum.f);
  Rng rng(11);
  const auto choice = page({.batch = 1, .restart = 1e-9});
  const auto first = choice({.name = "test", .f = f, .rng = rng, .start = sum.w0});
  first->begin_epoch(sum.w0);
  first->at(sum.w0, 0);
  const Tensor g = first->at(0.5 * sum.w0, 1).gradient.flat();
  const Mean mean = over_draws(sum, choice, prepare);
  const Tensor expected = (g + Var(sum.f.grad(sum.w).flat()) - sum.f.grad(0.5 * sum.w0).flat()).value();
  const Tensor exact = sum.f.grad(sum.w).flat();
  double bias = 0.0;
  for (Index j = 0; j < 3; ++j) {
    EXPECT_NEAR(mean.gradient(j), expected(j), 1e-15);
    bias = std::max(bias, std::fabs(expected(j) - exact(j)));
  }
  EXPECT_GT(bias, 1e-3);
}

TEST(ZerothOrder, IsItsFormulaOnQuadratics) {
  // g = P <u, grad> u for each u, so that |g|^2 = P <g, grad> and, with E <u, v>^2 = |v|^2 / P, E g = grad.
  const FiniteSum f = objective([](const Var& w) {
    return 0.5 * dot(Tensor{1.0, 3.0, 0.5, 2.0}, square(w));
  });
  const Params w({{"w", Tensor{1.0, -1.0, 2.0, 0.5}}});
  const Params exact = f.grad(w);
  Oracle oracle(f);
  Rng rng(2);
  const auto estimator =
      zeroth_order({.distance = 0.1})({.name = "test", .f = oracle, .rng = rng, .start = w});
  constexpr int kDraws = 4000;
  double sum = 0.0, square = 0.0;
  for (int k = 0; k < kDraws; ++k) {
    const Params g = estimator->at(w, 0).gradient;
    EXPECT_NEAR(dot(g, g), 4.0 * dot(g, exact), 1e-11 * dot(g, g) + 1e-12);
    // Its value is f(w) + h^2 <u, H u> / 2, with curvatures from 0.5 to 3.
    const double above = estimator->at(w, 0).value - f.value(w);
    EXPECT_GE(above, 0.0025 - 1e-14);
    EXPECT_LE(above, 0.015 + 1e-14);
    sum += dot(g, exact);
    square += dot(g, exact) * dot(g, exact);
  }
  const double mean = sum / kDraws, deviation = std::sqrt((square / kDraws - mean * mean) / kDraws);
  EXPECT_NEAR(mean, dot(exact, exact), 5.0 * deviation);
  EXPECT_EQ(oracle.spent().values, 4 * kDraws);
  EXPECT_EQ(oracle.spent().gradients, 0);
}

TEST(ZerothOrder, HasABiasOfSecondOrder) {
  // On the line u is +1 or -1 and the estimate the central difference: (w^3)' + h^2.
  const FiniteSum f = objective([](const Var& w) { return sum(w * w * w); });
  const Params w({{"w", Tensor{0.7}}});
  for (const double h : {0.4, 0.2, 0.1}) {
    Oracle oracle(f);
    Rng rng(2);
    const auto e =
        zeroth_order({.distance = h, .directions = 3})({.name = "test", .f = oracle, .rng = rng, .start = w});
    EXPECT_NEAR(e->at(w, 0).gradient.flat()(0), 3.0 * 0.49 + h * h, 1e-12);
  }
}

TEST(Noisy, AddsAVectorOfItsLength) {
  Sum sum;
  Oracle f(sum.f);
  Rng rng(2);
  const auto e = noisy(full(), 0.25)({.name = "test", .f = f, .rng = rng, .start = sum.w});
  const Params exact = sum.f.grad(sum.w);
  Params mean = exact.zeros_like();
  constexpr int kDraws = 4000;
  EXPECT_FALSE(e->at(sum.w, 0).exact);
  for (int k = 0; k < kDraws; ++k) {
    const Params noise = e->at(sum.w, 0).gradient - exact;
    EXPECT_NEAR(norm(noise), 0.25, 1e-12);
    mean = axpy(1.0 / kDraws, noise, mean);
  }
  EXPECT_LT(norm(mean), 5.0 * 0.25 / std::sqrt(double{kDraws}));
}

TEST(Estimators, AreChargedForWhatTheyAsk) {
  Sum sum;
  Rng rng(1);
  const auto spent = [&](const Optimizer& o) { return o.minimize(sum.f, sum.w0, rng).spent.gradients; };
  EXPECT_EQ(spent(Gd({.iterations = 3})), 21);
  EXPECT_EQ(spent(Svrg({.epochs = 2, .inner = 5, .batch = 2})), 2 * (7 + 2 * 2 * 5));
  EXPECT_EQ(spent(Saga({.epochs = 2})), 7 + 14);
  EXPECT_EQ(spent(Saga({.epochs = 2, .two_draws = true})), 7 + 28);
  EXPECT_EQ(spent(Page({.epochs = 1, .batch = 2, .restart = 1.0})), 7);
  const auto page = Page({.epochs = 50, .batch = 1, .restart = 0.5}).minimize(sum.f, sum.w0, rng);
  EXPECT_EQ(page.iterations, 100);
  EXPECT_GT(page.spent.gradients, 7 * 30 + 2 * 30);
  EXPECT_LT(page.spent.gradients, 7 * 70 + 2 * 70);
  EXPECT_EQ(page.trace.back().component_gradients, page.spent.gradients);
}

TEST(Estimators, HoldTheNumbersTheySay) {
  Sum sum;
  Rng rng(1);
  const auto held = [&](const Optimizer& o) { return o.minimize(sum.f, sum.w0, rng).state_numbers; };
  constexpr Index p = 3, n = 7;
  EXPECT_EQ(held(Gd()), 0);
  EXPECT_EQ(held(Svrg()), 2 * p);
  EXPECT_EQ(held(Page()), 2 * p);
  EXPECT_EQ(held(Saga()), (n + 1) * p);
  EXPECT_EQ(held(Adam()), 2 * p);
  EXPECT_EQ(held(Adam({.amsgrad = true})), 3 * p);
  EXPECT_EQ(held(Gd({.momentum = 0.5})), p);
  EXPECT_EQ(held(Lbfgs({.iterations = 40})), 22 * p);
}

TEST(Theory, StepsAndLengthsAreThePublishedOnes) {  // A6, A7, A8 at n = 27, L = 1
  const SvrgTheory s = svrg_theory(27, 1.0);
  EXPECT_NEAR(s.step, 0.027777777778, 1e-12);
  EXPECT_EQ(s.inner, 36);
  EXPECT_NEAR(s.gamma, 0.024238391904, 1e-12);
  EXPECT_NEAR(saga_theory(27, 1.0).gamma, 0.028549382716, 1e-12);
  EXPECT_NEAR(1.0 / saga_theory(27, 2.0).gamma, 2.0 * 35.0270270270, 1e-8);
  const PageTheory p = page_theory(27, 5, 1.0);
  EXPECT_EQ(p.restart, 0.15625);
  EXPECT_NEAR(p.step, 0.490381056767, 1e-12);
  EXPECT_NEAR(p.step_of_pl, 0.404908487646, 1e-12);
  EXPECT_NEAR(page_theory(27, 5, 1.0, 1.0).step_of_pl, 0.078125, 1e-15);
}

TEST(Estimators, Errors) {
  Sum sum;
  Rng rng(1);
  const FiniteSum single = objective([](const Var& w) { return dot(w, w); });
  EXPECT_EQ(error_of<DomainError>([&] { Svrg().minimize(single, Tensor{1.0}, rng); }),
            "[Svrg] f has one component, which leaves nothing to sample; use Gd");
  EXPECT_THROW(Saga().minimize(single, Tensor{1.0}, rng), DomainError);
  EXPECT_THROW(Page().minimize(single, Tensor{1.0}, rng), DomainError);
  EXPECT_EQ(error_of<DomainError>([&] { Svrg({.batch = 8}).minimize(sum.f, sum.w0, rng); }),
            "[Svrg] batch is 8 of 7 samples; give at most as many");
  EXPECT_EQ(error_of<DomainError>([&] { Page({.batch = 8}).minimize(sum.f, sum.w0, rng); }),
            "[Page] batch is 8 of 7 samples; give at most as many");
  EXPECT_EQ(error_of<DomainError>([&] { Page({.large_batch = 9}).minimize(sum.f, sum.w0, rng); }),
            "[Page] large_batch is 9 of 7 samples; give 1 to 7");
  EXPECT_EQ(error_of<DomainError>([&] { Page({.restart = 0.0}); }),
            "[page] restart is 0; give a chance in (0, 1]");
  EXPECT_EQ(
      error_of<DomainError>([&] { Saga({.memory = 100}).minimize(sum.f, sum.w0, rng); }),
      "[Saga] the table of 7 gradients of 3 numbers takes 192 bytes, above .memory = 100; take svrg or page, "
      "which hold two points");
  EXPECT_THROW(Svrg({.inner = -1}), DomainError);
  EXPECT_THROW(noisy(full(), 0.0), DomainError);
  EXPECT_THROW(ZerothOrder({.distance = -1.0}), DomainError);
  EXPECT_THROW(svrg_theory(0, 1.0), DomainError);
  EXPECT_THROW(page_theory(5, 6, 1.0), DomainError);
}

}  // namespace
}  // namespace cotangent::optim
