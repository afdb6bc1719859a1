// Three spirals: a network learns them by Adam until its loss on other points no longer falls; its best
// weights are saved, read again and tested. three_spirals.py is the same with PyTorch.
#include "cotangent.hpp"
using namespace cotangent;

int main() {
  Rng rng(1);
  const nn::Labelled spirals = nn::spirals(rng, {.n = 1200, .turns = 1.5, .noise = 0.02});
  const Tensor x = spirals.x, y = spirals.y;
  const Tensor train_x = x.rows(0, 600), train_y = y.rows(0, 600);
  const nn::Sequential net = nn::mlp({2, 64, 64, 3}, nn::Tanh());
  const auto risk = optim::finite_sum(600, [&](const Var& w, const Batch& b) {
    return nn::cross_entropy(net(w, b.rows(train_x)), b.rows(train_y));
  });

  optim::Monitor validation("validation", [&](const Params& w) {
    return nn::cross_entropy(net(w, x.rows(600, 900)), y.rows(600, 900)).item();
  });
  optim::EarlyStop early({.patience = 20, .monitor = &validation});
  optim::Best best(&validation);
  const optim::Adam adam({.step = 0.01, .batch = 50, .epochs = 500});
  const optim::Run run = adam.minimize(risk, net.init(rng), rng, {&validation, &early, &best});
  save("three_spirals.npz", best.w());
  print(to_string(run.stop), "after", run.trace.size(), "epochs; best was", best.epoch(), "with loss",
        best.value());

  const Params w = load_params("three_spirals.npz");
  print("test accuracy", nn::accuracy(net(w, x.rows(900, 1200)).value(), y.rows(900, 1200)));
}
