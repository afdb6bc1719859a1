// A training script as a user writes it: a small classifier of points by the sign of x0 * x1.
#include "cotangent.hpp"

using namespace cotangent;

int main() {
  Rng rng(7);
  const Tensor X = rng.uniform({200, 2}, -1.0, 1.0);
  const Var first = slice(X, 1, 0, 1), second = slice(X, 1, 1, 2);
  const Tensor y = reshape(sign(first * second), {200}).value();

  nn::Sequential net{nn::Linear(2, 32), nn::LeakyReLU(0.1), nn::Linear(32, 1)};
  Params w = net.init(rng);
  auto f = optim::finite_sum(200, [&](const Var& v, const Batch& b) {
    return nn::logistic(reshape(net(v, b.rows(X)), {b.size()}), b.rows(y));
  });
  const double before = f.value(w);
  auto run = optim::Sgd({.step = 0.5, .batch = 20, .epochs = 50}).minimize(f, w, rng);
  print("risk before and after", before, run.value);
  return run.value < 0.5 * before ? 0 : 1;
}
