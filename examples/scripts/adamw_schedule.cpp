// A network learns sin(2 x_0) + x_1 x_2 from noisy answers by AdamW: the step warms up and falls along a
// cosine, gradients are clipped, biases do not decay. adamw_schedule.py is the same with PyTorch.
#include "cotangent.hpp"
using namespace cotangent;

int main() {
  Rng rng(1);
  const Tensor x = rng.uniform({3000, 8}, -2.0, 2.0), noise = rng.normal({3000, 1}, 0.0, 0.1);
  const Tensor y = (sin(2.0 * slice(x, 1, 0, 1)) + slice(x, 1, 1, 2) * slice(x, 1, 2, 3) + noise).value();
  const nn::Sequential net = nn::mlp({8, 64, 64, 1}, nn::GELU());
  const Tensor train_x = x.rows(0, 2000), train_y = y.rows(0, 2000);
  const auto risk = optim::finite_sum(
      2000, [&](const Var& w, const Batch& b) { return nn::mse(net(w, b.rows(train_x)), b.rows(train_y)); });

  const Index epochs = 60, steps = epochs * 2000 / 50;
  const optim::AdamW adamw({.step = optim::warmup(100, optim::cosine(3e-3, 0.0, steps - 100)),
                            .batch = 50,
                            .epochs = epochs,
                            .groups = {{.pattern = "*.bias", .weight_decay = 0.0}},
                            .weight_decay = 0.1,
                            .clip_norm = 1.0});
  const optim::Run run = adamw.minimize(risk, net.init(rng), rng);
  const Tensor test_y = y.rows(2000, 3000);
  const double error = nn::mse(net(run.w, x.rows(2000, 3000)), test_y).item();
  print("risk", run.value, "test error", error, "explained", 1.0 - error / variance(test_y).item());
}
