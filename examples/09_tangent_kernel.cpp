// Lesson 09, the tangent kernel. One learns three ways to the same K = J J^T and one to K v without K, how far computed
// eigenvalues can be trusted, and that lambda_min(K(w)) is the PL* constant at w of the square loss.
#include <cmath>

#include "cotangent.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using examples::relative_error;

namespace {

void lesson(examples::Lesson& l) {
  Rng rng(l.seed());
  const Index n = l.smoke() ? 12 : 64, width = l.smoke() ? 16 : 128, outputs = 2, rows = n * outputs;
  const nn::Sequential net = nn::mlp({8, width, width, outputs}, nn::LeakyReLU(0.1));
  const Params w = net.init(rng);
  const Tensor x = rng.normal({n, 8});
  print(net);

  // Without a Jacobian; by the Jacobian; and in the simplest way there is, one sample after the other.
  const Tensor k = theory::tangent_kernel(net, w, x, {.method = theory::KernelMethod::structured}).matrix();
  const Tensor by_j =
      theory::tangent_kernel(net, w, x, {.method = theory::KernelMethod::materialised}).matrix();
  std::vector<Var> blocks;
  for (Index i = 0; i < n; ++i) {
    const auto one = [&](const Var& u) { return reshape(net(u, x.rows(i, i + 1)), {outputs}); };
    blocks.push_back(jacobian(one, w));  // [C, P]
  }
  const Var j = concat(blocks, 0);  // [n C, P]
  l.expect_certified("landscape K19", "structured = materialised", "to 1e-12 of the largest entry",
                     relative_error(k, by_j), 1e-12);
  l.expect_certified("landscape K19", "structured = sample by sample", "to 1e-12 of the largest entry",
                     relative_error(k, matmul(j, j, {.transpose_b = true}).value()), 1e-12);
  const Tensor v = rng.normal({rows}), kv = matmul(k, reshape(v, {rows, 1})).value();
  l.expect_certified("landscape K19", "K v without K",
                     "a pullback and a directional derivative give it to 1e-12",
                     relative_error(theory::TangentKernelOperator(net, w, x)(v), kv.reshape({rows})), 1e-12);

  const theory::Spectrum s = theory::spectrum(k);
  print(s);
  l.figure(
      report::heat_map(l.path("_kernel.svg"), k,
                       {.title = "K(w)", .x = "(sample, output)", .y = "(sample, output)"}),
      "Entry (i, c), (i', c') is the product of two rows of J; the diagonal is the squared norm of a row.");
  l.figure(
      report::spectrum(l.path("_spectrum.svg"), s.values, {.title = "Eigenvalues of K(w)", .bound = s.bound}),
      "All lie far above their error bound, so the computed smallest one can be trusted.");
  l.metric("lambda_min", s.smallest());
  l.metric("condition", s.condition());
  l.metric("eigenvalue_bound", s.bound);

  // L(w) = |F(w) - y|^2 / 2 has the gradient J^T r with r = F(w) - y, whatever the targets y are.
  const Tensor at_w = net(w, x).value();
  const auto loss_and_square_gradient = [&](const Tensor& y) {
    const auto [loss, g] = value_and_grad([&](const Var& u) { return 0.5 * sum(square(net(u, x) - y)); }, w);
    return std::pair(loss, dot(g, g));
  };
  const Tensor y = rng.normal({n, outputs});
  const auto [loss, square_gradient] = loss_and_square_gradient(y);
  const Var r = reshape(at_w - y, {rows, 1});
  l.expect_certified("ece8101 O15", "|grad L|^2 = r^T K r",
                     "at this w, for targets drawn at random, to 1e-12",
                     std::fabs(square_gradient / dot(r, matmul(k, r)).item() - 1.0), 1e-12);
  l.expect_certified("ece8101 O15", "PL* at w", "2 lambda_min(K(w)) L(w) <= |grad L(w)|^2 for these targets",
                     2.0 * s.smallest() * loss, square_gradient, 2.0 * s.bound * loss);

  // What the computed spectrum proves of the matrix K, and what it leaves open.
  l.expect_certified("ece8101 O15", "a constant below the computed lambda_min",
                     "less two error bounds it is a lower bound", s.smallest() - 2.0 * s.bound, s.smallest(),
                     s.bound);
  l.expect_inconclusive("ece8101 O15", "the computed lambda_min itself",
                        "it is a lower bound, too (left open)", s.smallest(), s.smallest(), s.bound);

  // A constant 1 % too large fails for the targets that leave the first eigenvector as the residual.
  const Tensor witness = (at_w - reshape(slice(s.vectors, 1, 0, 1), {n, outputs})).value();
  const auto [loss_there, square_gradient_there] = loss_and_square_gradient(witness);
  l.expect_refuted("ece8101 O15", "a PL* constant 1 % above lambda_min",
                   "2 (1.01 lambda_min) L(w) <= |grad L(w)|^2 for all targets (false; the witness is saved)",
                   2.02 * s.smallest() * loss_there, square_gradient_there, 2.0 * s.bound * loss_there);
  save(l.path("_witness.npz"), Params({{"w", w.flat()}, {"X", x}, {"targets", witness}}));
}

}  // namespace

int main(int argc, char** argv) { return examples::run_lesson(examples::kTangentKernel, argc, argv, lesson); }
