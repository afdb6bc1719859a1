#include "tests/support/paths.hpp"

#include "autodiff/ops.hpp"

namespace cotangent::test {

optim::FiniteSum Parabolas::sum() const {
  return optim::finite_sum(n(), [x = a, y = b](const Var& w, const Batch& batch) {
    return 0.5 * mean(batch.rows(x) * square(broadcast_to(w, {batch.size()}) - batch.rows(y)));
  });
}

double Parabolas::gradient(double x) const {
  double g = 0.0;
  for (Index i = 0; i < n(); ++i) g += gradient(i, x) / static_cast<double>(n());
  return g;
}

double Parabolas::value(double x) const {
  double f = 0.0;
  for (Index i = 0; i < n(); ++i) f += 0.5 * a(i) * (x - b(i)) * (x - b(i)) / static_cast<double>(n());
  return f;
}

Parabolas three_parabolas() { return {Tensor{1.0, 2.0, 3.0}, Tensor{1.0, 0.0, -1.0}}; }

optim::Flow Path::on_step(const optim::View& view) {
  batches.push_back(view.batch.indices());
  points.push_back(view.w.flat()(0));
  values.push_back(view.value);
  norms.push_back(view.gradient_norm);
  gradients.push_back(view.gradient.flat());
  return optim::Flow::go_on;
}

}  // namespace cotangent::test
