#include "tests/support/optimizers.hpp"

#include "autodiff/ops.hpp"

namespace cotangent::test {

using namespace optim;  // NOLINT(google-build-using-namespace)

FiniteSum five_samples() {
  return finite_sum(5, [samples = Tensor::linspace(0.0, 4.0, 5)](const Var& w, const Batch& b) {
    return 0.5 * mean(square(broadcast_to(w, {b.size()}) - b.rows(samples)));
  });
}

std::vector<OptimizerCase> every_optimizer(Index epochs) {
  return {
      {"gd", std::make_shared<Gd>(GdOptions{.iterations = epochs}), 1},
      {"gd with momentum", std::make_shared<Gd>(GdOptions{.iterations = epochs, .momentum = 0.5}), 1},
      {"sgd", std::make_shared<Sgd>(SgdOptions{.batch = 2, .epochs = epochs}), 3},
      {"sgd, nesterov",
       std::make_shared<Sgd>(SgdOptions{.batch = 2, .epochs = epochs, .momentum = 0.5, .nesterov = true}), 3},
      {"sgd, replacement",
       std::make_shared<Sgd>(SgdOptions{.batch = 4, .epochs = epochs, .replacement = true}), 2},
      {"sgd, all", std::make_shared<Sgd>(SgdOptions{.batch = 5, .epochs = epochs}), 1},
      {"adam", std::make_shared<Adam>(AdamOptions{.batch = 2, .epochs = epochs}), 3},
      {"adamw", std::make_shared<AdamW>(AdamWOptions{.batch = 0, .epochs = epochs}), 1},
      {"rmsprop", std::make_shared<RmsProp>(RmsPropOptions{.batch = 3, .epochs = epochs}), 2},
      {"adagrad", std::make_shared<AdaGrad>(AdaGradOptions{.batch = 3, .epochs = epochs}), 2},
      {"svrg", std::make_shared<Svrg>(SvrgOptions{.epochs = epochs, .inner = 4}), 4},
      {"saga", std::make_shared<Saga>(SagaOptions{.epochs = epochs}), 5},
      {"page", std::make_shared<Page>(PageOptions{.epochs = epochs, .batch = 1}), 6},
      {"zeroth order", std::make_shared<ZerothOrder>(ZerothOrderOptions{.iterations = epochs}), 1},
      {"lbfgs", std::make_shared<Lbfgs>(LbfgsOptions{.step = 0.1, .iterations = epochs}), 1},
      {"lbfgs, searching",
       std::make_shared<Lbfgs>(
           LbfgsOptions{.step = backtracking({.first = 0.1, .growth = 1.0}), .iterations = epochs}),
       1},
      {"newton", std::make_shared<Newton>(NewtonOptions{.iterations = epochs, .radius = 1.0}), 1},
      {"nesterov", std::make_shared<Nesterov>(NesterovOptions{.iterations = epochs}), 1, true},
      {"heavy ball", std::make_shared<HeavyBall>(HeavyBallOptions{.iterations = epochs}), 1},
      {"proximal", std::make_shared<ProximalGd>(box(-9.0, 9.0), ProximalGdOptions{.iterations = epochs}), 1},
      {"fista",
       std::make_shared<ProximalGd>(box(-9.0, 9.0),
                                    ProximalGdOptions{.iterations = epochs, .accelerated = true}),
       1, true},
      {"frank-wolfe",
       std::make_shared<FrankWolfe>(over_box(-9.0, 9.0), FrankWolfeOptions{.iterations = epochs}), 1},
      {"perturbed",
       std::make_shared<PerturbedGd>(
           Perturbation{.step = 0.1, .radius = 1e-3, .gradient = 1e-6, .decrease = 1e-9, .pause = 10},
           PerturbedGdOptions{.iterations = epochs}),
       1},
  };
}

}  // namespace cotangent::test
