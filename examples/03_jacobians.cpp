// Lesson 03, Jacobians. One learns that the per-sample Jacobians of small networks have closed forms, what these say of
// K = J J^T, and why "one active neuron somewhere" is not enough for K > 0. The lecture's J is ours transposed.
#include <algorithm>

#include "cotangent.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using examples::relative_error, theory::spectrum, theory::tangent_kernel;

namespace {

/// d_ij = v_j phi'(<w_j, x_i>), by hand. Shapes: v [k], w [k, d], x [n, d] -> [n, k].
Tensor factors(const nn::TwoLayer& net, const Tensor& w, const Tensor& x) {
  std::vector<double> d;
  const Tensor z = linear(x, w).value();
  for (Index i = 0; i < z.size(0); ++i)
    for (Index j = 0; j < z.size(1); ++j) d.push_back(net.outer()(j) * (z(i, j) >= 0.0 ? 1.0 : *net.slope()));
  return Tensor::from(d, z.shape());
}

/// sum_j v_j phi(<w_j, x>): v is fixed, phi is leaky ReLU, the identity where the slope is 1.
nn::TwoLayer network(Index inputs, const Tensor& v, double slope) {
  return {inputs, v.size(), nn::LeakyReLU(slope), {.outer = v}};
}

Var gram(const Var& x) { return matmul(x, x, {.transpose_b = true}); }

void lesson(examples::Lesson& l) {
  const Tensor x{{1, 0, 1}, {0, 1, 1}}, v{1, -2};
  const Params w({{"weight", {{1, -1, 0.5}, {-1, 0.5, 0.25}}}});
  const nn::TwoLayer straight = network(3, v, 1.0), leaky = network(3, v, 0.1), relu = network(3, v, 0.0);

  const Jacobian j = per_sample_jacobian(straight, w, x);
  const auto of_straight = spectrum(tangent_kernel(straight, w, x).matrix());
  print("The linear network: " + j.to_string());
  l.expect_certified("ece826 O13", "linear: J = v (x) X", "its blocks are v_j X, to 1e-12",
                     relative_error(j.matrix(), concat({x, -2.0 * Var(x)}, 1).value()), 1e-12);
  l.expect_certified("ece826 O13", "linear: eigenvalues of K", "they are 5 and 15, to 1e-12",
                     relative_error(of_straight.values, {5, 15}), 1e-12);
  l.expect_certified("ece826 O13", "linear: rank J = rank v rank X = 2", "0 < lambda_min(J J^T)", 0.0,
                     of_straight.smallest(), of_straight.bound);

  const auto of_leaky = spectrum(tangent_kernel(leaky, w, x).matrix());
  const Tensor b = sum(square(factors(leaky, w["weight"], x)), 1).value();  // diag B
  const double of_data = spectrum(gram(x).value()).smallest();
  print("The leaky network: " + per_sample_jacobian(leaky, w, x).to_string());
  l.expect_certified("ece826 O14", "leaky: eigenvalues of K", "2.038206514384 and 8.061793485616, to 1e-12",
                     relative_error(of_leaky.values, {2.038206514384, 8.061793485616}), 1e-12);
  l.expect_certified("ece826 O14", "leaky: bound at this W",
                     "lambda_min(X X^T) min B_ii = 1.04 <= lambda_min(K)", of_data * std::min(b(0), b(1)),
                     of_leaky.smallest(), of_leaky.bound);
  l.expect_certified("ece826 O14", "ReLU: eigenvalues of K",
                     "each sample has an active neuron: 2 and 8, to 1e-12",
                     relative_error(spectrum(tangent_kernel(relu, w, x).matrix()).values, {2, 8}), 1e-12);

  // Other networks and other W: the block form of J, K = (X X^T) o B with B = D D^T, and the bound for every W.
  Rng rng(l.seed());
  double of_j = 0.0, of_k = 0.0, least = of_leaky.smallest();
  for (int t = 0; t < (l.smoke() ? 20 : 500); ++t) {
    const nn::TwoLayer net = network(4, rng.normal({2}), rng.uniform());
    const Params at({{"weight", rng.normal({2, 4})}}), other({{"weight", rng.normal({2, 3})}});
    const Tensor data = rng.normal({6, 4}), d = factors(net, at["weight"], data);
    const auto block = [&](Index k) { return scale_rows(data, reshape(slice(d, 1, k, k + 1), {6})); };
    of_j = std::max(of_j, relative_error(per_sample_jacobian(net, at, data).matrix(),
                                         concat({block(0), block(1)}, 1).value()));
    of_k = std::max(of_k,
                    relative_error(tangent_kernel(net, at, data).matrix(), (gram(data) * gram(d)).value()));
    least = std::min(least, spectrum(tangent_kernel(leaky, other, x).matrix()).smallest());
  }
  l.metric("least_lambda_min", least);
  const Params at({{"weight", rng.normal({8, 12})}});
  const Tensor many = rng.normal({24, 12}), eight = Tensor::linspace(-2, 2, 8);
  for (const double slope : {1.0, 0.1})
    l.figure(report::heat_map(l.path(slope < 1.0 ? "_leaky.svg" : "_linear.svg"),
                              per_sample_jacobian(network(12, eight, slope), at, many).matrix(),
                              {.title = "J, slope " + to_string(slope), .range = {{-6, 6}}}),
             "Block j of 12 columns is v_j X, the rows where neuron j is not active times the slope.");
  l.expect_supported("ece826 O14", "J(W) = [v_j phi'(<w_j, x_i>) x_i]", "at random W, X, v, slopes, to 1e-12",
                     of_j, 1e-12);
  l.expect_supported("ece826 O14", "K(W) = (X X^T) o B", "at the same points, to 1e-12", of_k, 1e-12);
  l.expect_supported("ece826 O14", "leaky: bound for every W",
                     "0.05 - 1e-12 <= lambda_min(K(W)) at random W; it is attained",
                     0.01 * dot(v, v).item() * of_data - 1e-12, least, of_leaky.bound);

  // "At least one activation has nonzero derivative", says the lecture. Here no neuron is active at sample 1.
  const Params dead({{"weight", {{1, -1, 0}, {1, -1, -0.5}}}});
  const Jacobian of_dead = per_sample_jacobian(relu, dead, x);
  print("The ReLU network, dead at sample 1: " + of_dead.to_string());
  double rows = 0.0;  // the rank is at most the number of rows that are not zero
  for (Index i = 0; i < 2; ++i) rows += equal(of_dead.sample(i).matrix(), Tensor::zeros({1, 6})) ? 0.0 : 1.0;
  l.expect_refuted("ece826 O14", "ReLU: one active neuron somewhere",
                   "suffices for 2 <= rank J (false: each sample needs one; the witness is saved)", 2.0,
                   rows);
  save(l.path("_witness.npz"), Params({{"W", dead["weight"]}, {"v", v}, {"X", x}}));
}

}  // namespace

int main(int argc, char** argv) { return examples::run_lesson(examples::kJacobians, argc, argv, lesson); }
