// The ways in which a search comes to points worth a look, one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "theory/claims/search.hpp"

namespace cotangent::theory {
namespace {

Params point(const Tensor& w) { return Params({{"w", w}}); }

SearchedClaim below(const Function<Var(const Var&)>& f, double level, const Params& centre) {
  return {.claim = "level",
          .sides = [=](const Var& w) { return side(f(w)) <= side(exact(level)); },
          .centre = centre};
}

double away(const Tensor& w, const Tensor& centre) { return norm(Var(w) - Var(centre)).item(); }

TEST(Search, DrawsOverNineDecades) {
  const Tensor centre{1.0, -2.0, 3.0};
  const auto f = [](const Var& w) { return sum(w); };
  const SearchedClaim claim = below(f, 1.0, point(centre));
  Rng rng(1);
  const FalsifyOptions options{.radius = 10.0}, inside{.radius = 10.0, .domain = 0.5};
  Trials trials(claim, rng, options), domain(claim, rng, inside);
  std::vector<int> decades(9);
  int few = 0;
  for (Index k = 0; k < 900; ++k) {
    const Tensor w = draw(trials, centre, k);
    const auto decade = static_cast<std::size_t>(std::floor(std::log10(away(w, centre)) + 4.0));
    ASSERT_LT(decade, decades.size());
    ++decades[decade];
    few += w(0) == 1.0 || w(1) == -2.0 || w(2) == 3.0;
    EXPECT_LE(away(draw(domain, centre, k), centre), 0.5);
  }
  for (const int count : decades) EXPECT_GT(count, 25);
  EXPECT_GT(few, 90);
  EXPECT_LT(few, 300);
}

TEST(Search, DrawsPairsApartAndTogether) {
  const Tensor centre{0.0, 0.0, 0.0, 0.0};
  const SearchedClaim claim{.claim = "pairs",
                            .sides = [](const Var& w) { return side(sum(w)) <= side(exact(1.0)); },
                            .centre = point(centre),
                            .points = 2};
  Rng rng(1);
  const FalsifyOptions options{};
  Trials trials(claim, rng, options);
  int near = 0, on_a_ray = 0;
  for (Index k = 0; k < 400; ++k) {
    const Tensor w = draw(trials, centre, k);
    const Var x = view(w, 0, {2}), y = view(w, 2, {2});
    near += norm(x - y).item() < 0.1 * norm(x).item();
    on_a_ray += std::fabs(dot(x, y).item()) > (1.0 - 1e-12) * norm(x).item() * norm(y).item();
  }
  EXPECT_GT(near, 100);
  EXPECT_LT(near, 300);
  EXPECT_GT(on_a_ray, 80);
  const Tensor same = draw_on_diagonal(trials);
  EXPECT_TRUE(equal(view(same, 0, {2}).value(), view(same, 2, {2}).value()));
}

// All pre-activations of a net of one hidden layer can be below 0 at once where all samples lie on one side.
TEST(Search, FindsWhereUnitsDie) {
  Rng rng(4);
  const nn::TwoLayer net(6, 8, nn::ReLU());
  const auto data = nn::separable(rng, {.n = 10, .d = 6, .margin = 0.1});
  const Tensor x = scale_rows(data.x, Var(data.y.reshape({10}))).value(), y = Tensor::ones({10, 1});
  const auto risk = [&](const Var& w) { return nn::logistic(net(w, x), y); };
  const SearchedClaim claim = below(risk, 1.0, net.init(rng));
  const FalsifyOptions options{};
  Trials trials(claim, rng, options);
  const std::vector<Tensor> points = points_where_units_die(trials);
  ASSERT_GE(points.size(), 4u);
  EXPECT_LT(risk(claim.centre.flat()).item(), 10.0);
  EXPECT_NE(risk(claim.centre.flat()).item(), std::log(2.0));
  // Of the first, for all units, those far enough.
  EXPECT_DOUBLE_EQ(risk(points[3]).item(), std::log(2.0));
  // Others kill some of them.
  bool some = false;
  for (std::size_t k = 7; k < points.size(); k += 4) {
    Index dead = 0;
    const Tensor units = matmul(x, reshape(points[k], {8, 6}), {.transpose_b = true}).value();
    for (const double z : units.data()) dead += z < 0.0;
    some = some || (dead > 0 && dead < 80);
  }
  EXPECT_TRUE(some);
}

// x^T diag(-100, ..., 1e-6) x: positive along one direction of forty, by very little.
TEST(Search, LooksAlongTheTopBend) {
  constexpr Index kSize = 40;
  Rng rng(2);
  const Var u = rng.normal(Shape{kSize});
  const Tensor mirror = (u / norm(u)).value();
  std::vector<double> a;
  for (Index k = 0; k < kSize; ++k) a.push_back(k == 0 ? 1e-6 : -100.0 / static_cast<double>(k));
  const Tensor bends = Tensor::from(a, {kSize});
  const auto mirrored = [&](const Var& w) { return w - 2.0 * dot(Var(mirror), w) * Var(mirror); };
  const auto f = [&](const Var& w) { return sum(Var(bends) * square(mirrored(w))); };
  const SearchedClaim claim = below(f, 0.0, point(Tensor::zeros({kSize})));
  const FalsifyOptions options{};
  Trials trials(claim, rng, options);
  const auto found = look_along_bends(trials, claim.centre.flat());
  ASSERT_TRUE(found);
  EXPECT_GT(found->violation, 0.0);
  EXPECT_GT(std::fabs(dot(mirrored(found->w), Tensor::from(
                                                  [&] {
                                                    std::vector<double> e(kSize);
                                                    e[0] = 1.0;
                                                    return e;
                                                  }(),
                                                  {kSize}))
                          .item()),
            (1.0 - 1e-6) * norm(Var(found->w)).item());
}

TEST(Search, ClimbsAndSaysHow) {
  Rng rng(2);
  const auto f = [](const Var& w) { return -sum(Var(Tensor{1.0, 100.0}) * square(w - 3.0)); };
  const SearchedClaim claim = below(f, 1.0, point({0.0, 0.0}));
  const FalsifyOptions options{}, inside{.domain = 2.0};
  Trials trials(claim, rng, options), domain(claim, rng, inside);
  const Climbed top = climb(trials, Climb::difference, *trials.look({0.0, 0.0}), 100);
  EXPECT_NEAR(away(top.end.w, {3.0, 3.0}), 0.0, 1e-6);
  EXPECT_GE(top.best.ratio, top.end.ratio);
  EXPECT_TRUE(climb(trials, Climb::difference, *trials.look({0.0, 0.0}), 2).unfinished);
  const Climbed low = climb(trials, Climb::low_lhs, *trials.look({3.1, 3.0}), 3);
  EXPECT_GT(away(low.end.w, {3.0, 3.0}), 1.0) << "-lhs has no end";
  // Within the domain the best point is on its edge.
  const Climbed edge = climb(domain, Climb::difference, *domain.look({0.1, 0.0}), 100);
  EXPECT_NEAR(norm(Var(edge.end.w)).item(), 2.0, 1e-9);
  EXPECT_GT(edge.end.violation, -120.0);
}

// A walk goes up to a corner where gradients lead to and fro.
TEST(Search, WalksAlongAnEdge) {
  Rng rng(2);
  const auto f = [](const Var& w) { return -sum(Var(Tensor{1.0, 30.0}) * abs(w - 1.0)); };
  const SearchedClaim claim = below(f, -0.5, point({0.0, 0.0}));
  const FalsifyOptions options{};
  Trials trials(claim, rng, options);
  walk(trials, *trials.look({0.0, 0.0}), 200);
  EXPECT_TRUE(trials.evidence().counterexample);
}

}  // namespace
}  // namespace cotangent::theory
