// A training script as a user writes it: a small classifier of points by the sign of x0 x1.
#include "cotangent.hpp"

using namespace cotangent;

int main() {
  Rng rng(7);
  const Index n = 200;
  const Tensor X = rng.uniform({n, 2}, -1.0, 1.0);
  std::vector<double> signs;
  for (Index i = 0; i < n; ++i) signs.push_back(X(i, 0) * X(i, 1) < 0.0 ? -1.0 : 1.0);
  const Tensor y = Tensor::from(signs, {n, 1});

  nn::Sequential net{nn::Linear(2, 32), nn::LeakyReLU(0.1), nn::Linear(32, 1)};
  const Params w = net.init(rng);
  auto f = optim::finite_sum(
      n, [&](const Var& v, const Batch& b) { return nn::logistic(net(v, b.rows(X)), b.rows(y)); });
  const auto run = optim::Sgd({.step = 0.5, .batch = 20, .epochs = 50}).minimize(f, w, rng);
  const double before = nn::logistic(net(w, X), y).item();
  const double after = nn::logistic(net(run.w, X), y).item();
  print("risk before and after:", before, after);
  return after < 0.5 * before ? 0 : 1;
}
