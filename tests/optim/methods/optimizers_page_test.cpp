// docs/optimizers.md: its blocks of C++ stand here and run, and its table's gradients and states are counted.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cotangent.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent {
namespace {

class Lion final : public optim::Rule {
 public:
  Params direction(const optim::At&, Params g) override {
    if (m_.size() == 0) m_ = g.zeros_like();
    const Params mixed = 0.9 * m_ + 0.1 * g;
    m_ = 0.99 * m_ + 0.01 * g;
    return g.with(sign(mixed.flat()).value());
  }
  void visit(optim::State& state) override { state("m", m_); }

 private:
  Params m_;
};

TEST(OptimizersPage, BlocksRun) {
  const test::TemporaryDirectory directory;
  const std::string folder = directory.path();
  Rng rng(3);
  const Index n = 60;
  const nn::Labelled points = nn::spirals(rng, {.n = n});
  const Tensor x = points.x, labels = points.y;
  const nn::Sequential net = nn::mlp({2, 8, 8, 3}, nn::LeakyReLU(0.1));
  testing::internal::CaptureStdout();

  const auto f = optim::finite_sum(
      n, [&](const Var& w, const Batch& b) { return nn::cross_entropy(net(w, b.rows(x)), b.rows(labels)); });
  const optim::Run run =
      optim::Adam({.step = 3e-3, .batch = 64, .epochs = 20}).minimize(f, net.init(rng), rng);
  print(run.value, to_string(run.stop), "after", run.iterations, "steps and", run.spent.gradients,
        "gradients");
  EXPECT_EQ(run.iterations, 20);
  EXPECT_EQ(run.spent.gradients, 20 * n);

  const optim::Descent mixed({.estimator = optim::svrg({.inner = 2 * n}),
                              .rule = optim::plain(),
                              .move = optim::proximal(optim::l1(0.01)),
                              .step = optim::warmup(n, optim::cosine(0.3, 1e-3, 19 * n)),
                              .epochs = 10,
                              .clip_norm = 5.0});
  const optim::Run sparse = mixed.minimize(f, net.init(rng), rng);
  EXPECT_EQ(sparse.iterations, 20 * n);
  EXPECT_LT(sparse.value, run.value);
  Index zeros = 0;
  for (const double w : sparse.w.flat().data()) zeros += w == 0.0 ? 1 : 0;
  EXPECT_GT(zeros, 0);

  const optim::Descent lion({.name = "Lion",
                             .estimator = optim::mini_batch({.batch = 32}),
                             .rule = [](const optim::Setting&) { return std::make_unique<Lion>(); },
                             .step = 1e-3,
                             .epochs = 10,
                             .weight_decay = 0.1,
                             .decoupled_decay = true});
  const Params start = net.init(rng);
  const optim::Run of_lion = lion.minimize(f, start, rng);
  EXPECT_LT(of_lion.value, f.value(start));
  EXPECT_EQ(of_lion.state_numbers, start.size());

  const optim::AdamW every({.step = 1e-3,
                            .epochs = 50,
                            .params = {"0.*", "4.*"},                                // move these; none: all
                            .groups = {{.pattern = "*.bias", .weight_decay = 0.0}},  // the last match counts
                            .stop = {.value = 1e-3, .component_gradients = 2000000, .seconds = 60.0},
                            .value_limit = 1e6,  // above it: diverged
                            .clip_norm = 1.0,
                            .average = optim::Average::exponential(0.999),  // run.average
                            .trace_every = 5,
                            .progress = false});
  const optim::Run chosen = every.minimize(f, start, rng);
  EXPECT_TRUE(equal(chosen.w["2.weight"], start["2.weight"]));
  EXPECT_EQ(chosen.average.size(), start.size());
  EXPECT_EQ(chosen.trace.size(), 10);

  optim::Monitor error("validation error", [&](const Params& w) { return nn::zero_one(net(w, x), labels); });
  optim::EarlyStop patience({.patience = 5, .monitor = &error});
  optim::Best best(&error);
  optim::CsvLog log(folder + "/log.csv");
  auto watch = optim::on_epoch([](const auto& at) { print(at.epoch, at.value, at.trace.back().seconds); });
  const optim::Run watched =
      optim::Sgd({.epochs = 3}).minimize(f, net.init(rng), rng, {&error, &patience, &best, &log, &watch});
  save(folder + "/best.npz", best.w());
  print(best.epoch(), best.value(), watched.trace.column("validation error").back());
  EXPECT_EQ(watched.trace.size(), 3);
  EXPECT_TRUE(equal(load_params(folder + "/best.npz").flat(), best.w().flat()));

  optim::Loop loop = optim::Gd({.step = 0.1, .iterations = 200}).start(f, net.init(rng), rng);
  while (loop.next())
    if (loop.iteration() % 100 == 0) print(loop.value(), loop.gradient_norm());
  const optim::Run by_hand = loop.finish();
  EXPECT_EQ(by_hand.iterations, 200);

  optim::Checkpoint checkpoint(folder + "/run.npz", 10);
  const optim::Saga saga({.step = 0.01, .epochs = 2});
  const optim::Run whole = saga.minimize(f, net.init(rng), rng, {&checkpoint});
  optim::Loop again = saga.resume(folder + "/run.npz", f, rng, {&checkpoint});
  while (again.next()) {
  }
  print(equal(again.finish().w.flat(), whole.w.flat()));
  const std::string printed = testing::internal::GetCapturedStdout();
  EXPECT_NE(printed.find("finished after 20 steps and 1200 gradients"), std::string::npos) << printed;
  EXPECT_EQ(printed.substr(printed.size() - 5), "true\n") << printed;
}

std::string without_spaces(const std::string& text) {
  std::string words;
  for (const char c : text)
    if (c != ' ' && c != '\n') words += c;
  return words;
}

std::string read(const std::string& path) {
  const char* root = std::getenv("COTANGENT_SOURCE_DIR");
  std::ifstream file(std::string(root ? root : ".") + "/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(OptimizersPage, BlocksAreThese) {
  const std::string page = read("docs/optimizers.md");
  const std::string here = without_spaces(read("tests/optim/methods/optimizers_page_test.cpp"));
  const std::string open = "```cpp\n", close = "```";
  int blocks = 0;
  for (std::size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
    at += open.size();
    const std::string block = page.substr(at, page.find(close, at) - at);
    EXPECT_NE(here.find(without_spaces(block)), std::string::npos) << "not in this file:\n" << block;
    ++blocks;
  }
  EXPECT_EQ(blocks, 8);
}

/// What the table says of one optimizer on n = 100 components and P = 5 parameters.
struct Row {
  const char* name;
  Index gradients, values, products, state;
};

TEST(OptimizersPage, TableCountsWhatRunsCount) {
  using namespace optim;  // NOLINT(google-build-using-namespace)
  Rng rng(1);
  const Problem p = least_squares_problem(rng, {.samples = 100, .dimension = 5, .condition = 10.0});
  const Index n = 100, P = 5;
  const std::vector<std::pair<Optimizer, Row>> rows{
      {Gd({.iterations = 10}), {"Gd", 10 * n, 0, 0, 0}},
      {Gd({.iterations = 10, .momentum = 0.5}), {"Gd, momentum", 10 * n, 0, 0, P}},
      {Sgd({.epochs = 3}), {"Sgd", 3 * n, 0, 0, 0}},
      {Sgd({.epochs = 3, .momentum = 0.5, .nesterov = true}), {"Sgd, Nesterov", 3 * n, 0, 0, P}},
      {Adam({.epochs = 3}), {"Adam", 3 * n, 0, 0, 2 * P}},
      {Adam({.batch = 0, .epochs = 3, .amsgrad = true}), {"Adam, all", 3 * n, 0, 0, 3 * P}},
      {AdamW({.epochs = 3}), {"AdamW", 3 * n, 0, 0, 2 * P}},
      {RmsProp({.epochs = 3}), {"RmsProp", 3 * n, 0, 0, P}},
      {AdaGrad({.epochs = 3}), {"AdaGrad", 3 * n, 0, 0, P}},
      {Svrg({.step = 0.01, .epochs = 3}), {"Svrg", 3 * (n + 4 * n), 0, 0, 2 * P}},
      {Saga({.step = 0.01, .epochs = 3}), {"Saga", n + 3 * n, 0, 0, (n + 1) * P}},
      {Saga({.step = 0.01, .epochs = 3, .two_draws = true}), {"Saga, two", n + 6 * n, 0, 0, (n + 1) * P}},
      {Page({.epochs = 3, .restart = 1.0}), {"Page, p = 1", 3 * n, 0, 0, 2 * P}},
      {Page({.restart = 1e-9, .stop = {.component_gradients = n + 200}}),
       {"Page, p = 1e-9", n + 200, 0, 0, 2 * P}},
      {ZerothOrder({.iterations = 10, .directions = 2}), {"ZerothOrder", 0, 40 * n, 0, 0}},
      {Nesterov({.iterations = 10}), {"Nesterov", 10 * n, 0, 0, P}},
      {HeavyBall({.mu = 0.1, .iterations = 10}), {"HeavyBall", 10 * n, 0, 0, P}},
      {Lbfgs({.step = 0.1, .iterations = 12, .pairs = 3}), {"Lbfgs", 12 * n, 0, 0, 8 * P}},
      {Newton({.iterations = 1}), {"Newton", n, n, P * n, 0}},
      {ProximalGd(l1(0.1), {.iterations = 10}), {"ProximalGd", 10 * n, 0, 0, 0}},
      {ProximalGd(l1(0.1), {.iterations = 10, .accelerated = true}), {"ProximalGd, FISTA", 10 * n, 0, 0, P}},
      {FrankWolfe(over_l2_ball(1.0), {.iterations = 10}), {"FrankWolfe", 10 * n, 0, 0, 0}},
  };
  for (const auto& [optimizer, row] : rows) {
    Rng draws(2);
    const optim::Run run = optimizer.minimize(p.f, p.start, draws);
    EXPECT_EQ(run.spent, (Counts{row.gradients, row.values, row.products})) << row.name;
    EXPECT_EQ(run.state_numbers, row.state) << row.name;
  }
}

}  // namespace
}  // namespace cotangent
