// Lesson 03, Jacobians. One learns that the per-sample Jacobians of small networks have closed forms, what
// these say of K = J J^T, and why "one active neuron somewhere" is not enough for K > 0. The lecture's J is
// ours transposed.
#include <algorithm>

#include "cotangent.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using namespace cotangent::theory;

namespace {

/// sum_j v_j phi(<w_j, x>): v is fixed, phi is leaky ReLU, the identity where the slope is 1.
nn::TwoLayer network(Index inputs, const Tensor& v, double slope) {
  return {inputs, v.size(), nn::LeakyReLU(slope), {.outer = v}};
}

void lesson(examples::Lesson& l) {
  const Tensor x{{1, 0, 1}, {0, 1, 1}}, v{1, -2};
  const Params w({{"weight", {{1, -1, 0.5}, {-1, 0.5, 0.25}}}});
  const nn::TwoLayer straight = network(3, v, 1.0), leaky = network(3, v, 0.1), relu = network(3, v, 0.0);

  print("The linear network: " + per_sample_jacobian(straight, w, x).to_string());
  l.expect(Outcome::certified, check_linear_jacobian(straight, w, x), "linear: J = v (x) X");
  l.expect(Outcome::agrees, compare({"linear: eigenvalues of K", "they are 5 and 15, to 1e-12"},
                                    spectrum(tangent_kernel(straight, w, x).matrix()).values, {5, 15}));
  l.expect(Outcome::certified, check_jacobian_rank(straight, w, x, 2), "linear: rank J = rank v rank X = 2");

  print("The leaky network: " + per_sample_jacobian(leaky, w, x).to_string());
  l.expect(Outcome::agrees,
           compare({"leaky: eigenvalues of K", "2.038206514384 and 8.061793485616, to 1e-12"},
                   spectrum(tangent_kernel(leaky, w, x).matrix()).values, {2.038206514384, 8.061793485616}));
  const theory::Verdict bound = check_two_layer_bound(leaky, w, x);
  l.expect(Outcome::certified, bound, "leaky: bound at this W");
  l.expect(Outcome::agrees,
           compare({"ReLU: eigenvalues of K", "each sample has an active neuron: 2 and 8, to 1e-12"},
                   spectrum(tangent_kernel(relu, w, x).matrix()).values, {2, 8}));

  // Other networks and other W: the block form of J, K = (X X^T) o B with B = D D^T, and the bound for every
  // W.
  Rng rng(l.seed());
  std::vector<theory::Verdict> forms, bounds;
  double least = bound.number("lambda_min");
  for (int t = 0; t < (l.smoke() ? 20 : 500); ++t) {
    const nn::TwoLayer net = network(4, rng.normal({2}), rng.uniform());
    const Params at({{"weight", rng.normal({2, 4})}}), other({{"weight", rng.normal({2, 3})}});
    forms.push_back(check_leaky_relu_jacobian(net, at, rng.normal({6, 4})));
    bounds.push_back(check_two_layer_bound(leaky, other, x, {.slope = 0.1, .claimed = 0.05 - 1e-12}));
    least = std::min(least, bounds.back().number("lambda_min"));
  }
  l.metric("least_lambda_min", least);
  const Params at({{"weight", rng.normal({8, 12})}});
  const Tensor many = rng.normal({24, 12}), eight = Tensor::linspace(-2, 2, 8);
  for (const double slope : {1.0, 0.1})
    l.figure(report::heat_map(l.path(slope < 1.0 ? "_leaky.svg" : "_linear.svg"),
                              per_sample_jacobian(network(12, eight, slope), at, many).matrix(),
                              {.title = "J, slope " + to_string(slope), .range = {{-6, 6}}}),
             "Block j of 12 columns is v_j X, the rows where neuron j is not active times the slope.");
  l.expect(Outcome::supported, theory::over_points(forms),
           "J(W) and K(W) in closed form, at random W, X, v, slopes");
  l.expect(Outcome::supported, theory::over_points(bounds),
           "leaky: bound for every W, 0.05, which is attained");

  // "At least one activation has nonzero derivative", says the lecture. Here no neuron is active at sample 1.
  const Params dead({{"weight", {{1, -1, 0}, {1, -1, -0.5}}}});
  print("The ReLU network, dead at sample 1: " + per_sample_jacobian(relu, dead, x).to_string());
  l.expect(Outcome::refuted, check_jacobian_rank(relu, dead, x, 2),
           "ReLU: one active neuron somewhere suffices (false: each sample needs one)");
}

}  // namespace

int main(int argc, char** argv) { return examples::run_lesson(examples::kJacobians, argc, argv, lesson); }
