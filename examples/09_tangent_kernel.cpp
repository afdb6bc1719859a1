// Lesson 09, the tangent kernel. One learns three ways to the same K = J J^T and one to K v without K, how
// far computed eigenvalues can be trusted, and that lambda_min(K(w)) is the PL* constant at w of the square
// loss.
#include "cotangent.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using theory::check_kernel_paths, theory::check_pl_star, theory::compare, theory::KernelPath, theory::Outcome;

namespace {

void lesson(examples::Lesson& l) {
  Rng rng(l.seed());
  const Index n = l.smoke() ? 12 : 64, width = l.smoke() ? 16 : 128, outputs = 2, rows = n * outputs;
  const nn::Sequential net = nn::mlp({8, width, width, outputs}, nn::LeakyReLU(0.1));
  const Params w = net.init(rng);
  const Tensor x = rng.normal({n, 8});
  print(net);

  // Without a Jacobian; by the Jacobian; in the simplest way there is, one sample after the other; and by
  // products K v.
  l.expect(Outcome::certified, check_kernel_paths(net, w, x, KernelPath::materialised),
           "structured = materialised");
  l.expect(Outcome::certified, check_kernel_paths(net, w, x, KernelPath::sample_by_sample),
           "structured = sample by sample");
  l.expect(Outcome::certified, check_kernel_paths(net, w, x, KernelPath::products),
           "K v without K, for every unit vector v");

  const Tensor k = theory::tangent_kernel(net, w, x).matrix(), v = rng.normal({rows});
  l.expect(Outcome::agrees,
           compare({"K v for a random v", "a pullback and a directional derivative give it to 1e-12"},
                   theory::TangentKernelOperator(net, w, x)(v),
                   matmul(k, reshape(v, {rows, 1})).value().reshape({rows})));
  const theory::Spectrum s = theory::spectrum(k);
  print(s);
  l.figure(
      report::heat_map(l.path("_kernel.svg"), k,
                       {.title = "K(w)", .x = "(sample, output)", .y = "(sample, output)"}),
      "Entry (i, c), (i', c') is the product of two rows of J; the diagonal is the squared norm of a row.");
  l.figure(report::plot_spectrum(l.path("_spectrum.svg"), s.values,
                                 {.title = "Eigenvalues of K(w)", .bound = s.bound}),
           "All lie far above their error bound, so the computed smallest one can be trusted.");
  l.metric("lambda_min", s.smallest());
  l.metric("condition", s.condition());
  l.metric("eigenvalue_bound", s.bound);

  // L(w) = |F(w) - y|^2 / 2 has the gradient J^T r with r = F(w) - y, whatever the targets y are.
  const Tensor y = rng.normal({n, outputs});
  const Params g = grad([&](const Var& u) { return 0.5 * sum(square(net(u, x) - y)); }, w);
  const Var r = reshape(net(w, x) - y, {rows, 1});
  l.expect(Outcome::agrees,
           compare({"|grad L|^2 = r^T K r", "at this w, for targets drawn at random, to 1e-12"},
                   Tensor{dot(g, g)}, Tensor{dot(r, matmul(k, r)).item()}));
  l.expect(Outcome::certified, check_pl_star(net, w, x, y, s.smallest()), "PL* at w for these targets");

  // For all targets the constant is lambda_min(K(w)) itself: proved below it, refuted above it, by the
  // targets that leave the first eigenvector as the residual. For that every entry of K gets proven bounds.
  const theory::PlStarOptions proven{.kernel = theory::enclose_tangent_kernel(net, w, x)};
  l.expect(Outcome::certified, check_pl_star(net, w, x, (1.0 - 1e-9) * s.smallest(), proven),
           "PL* with a constant a billionth below lambda_min");
  l.expect(Outcome::refuted, check_pl_star(net, w, x, (1.0 + 1e-9) * s.smallest(), proven),
           "PL* with a constant a billionth above lambda_min");
}

}  // namespace

int main(int argc, char** argv) { return examples::run_lesson(examples::kTangentKernel, argc, argv, lesson); }
