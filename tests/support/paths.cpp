#include "tests/support/paths.hpp"

#include <numeric>

#include "autodiff/ops.hpp"

namespace cotangent::test {

optim::Flow Path::on_step(const optim::View& view) {
  batches.push_back(view.batch.indices());
  points.push_back(view.w);
  gradients.push_back(view.gradient);
  w.push_back(view.w.flat());
  x.push_back(view.w.flat()(0));
  values.push_back(view.value);
  norms.push_back(view.gradient_norm);
  steps.push_back(view.step);
  return optim::Flow::go_on;
}

optim::FiniteSum Parabolas::sum() const {
  return optim::finite_sum(n(), [x = a, y = b](const Var& w, const Batch& batch) {
    return 0.5 * mean(batch.rows(x) * square(broadcast_to(w, {batch.size()}) - batch.rows(y)));
  });
}

double Parabolas::minimiser() const { return dot(a, b).item() / cotangent::sum(a).item(); }

double Parabolas::value(double x) const {
  double f = 0.0;
  for (Index i = 0; i < n(); ++i) f += 0.5 * a(i) * (x - b(i)) * (x - b(i)) / static_cast<double>(n());
  return f;
}

double Parabolas::gradient(double x) const {
  std::vector<Index> all(static_cast<std::size_t>(n()));
  std::iota(all.begin(), all.end(), Index{0});
  return gradient(x, all);
}

double Parabolas::gradient(double x, const std::vector<Index>& list) const {
  double g = 0.0;
  for (const Index i : list) g += component_gradient(i, x);
  return g / static_cast<double>(list.size());
}

Parabolas three_parabolas() { return {Tensor{1.0, 2.0, 3.0}, Tensor{1.0, 0.0, -1.0}}; }

}  // namespace cotangent::test
