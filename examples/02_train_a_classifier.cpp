// Lesson 02, training. One learns how a network, a risk over samples, an optimizer and an observer fit
// together: a leaky ReLU network learns handwritten digits from images that move a little after each epoch,
// and its weights are saved. The numbers in it were chosen on a split of the training digits by
// select_classifier; the table is in the README.
#include <vector>

#include "cotangent.hpp"
#include "examples/support/digits.hpp"
#include "examples/support/lessons.hpp"

using namespace cotangent;
using theory::compare, theory::exact, theory::Outcome;

namespace {

nn::Mnist read_or_draw(const examples::Lesson& l, Rng rng) {
  if (!l.data().empty()) return nn::read_mnist(l.data());
  const Index n = l.smoke() ? 1000 : 5000;
  const nn::Digits train = examples::drawn_digits(n, rng);
  return {.train = train, .test = examples::drawn_digits(n * 2 / 5, rng)};
}

void lesson(examples::Lesson& l) {
  Rng rng(l.seed());
  const auto [training, test] = read_or_draw(l, rng.split("digits"));
  const Tensor labels = training.labels;
  examples::MovingImages images(training.images, {}, rng.split("motion"));

  // The risk is a mean over samples, so any batch of them estimates it; the step falls linearly to 0.
  const Index n = labels.size(), batch = 64, epochs = l.smoke() ? 8 : 30;
  const Index iterations = epochs * ((n - 1) / batch + 1);
  const auto train = [&](const nn::Module& net, double step) {
    const auto risk = optim::finite_sum(n, [&](const Var& w, const Batch& b) {
      return nn::cross_entropy(net(w, b.rows(images.now())), b.rows(labels));
    });
    const auto falling = [=](Index k) {
      return step * static_cast<double>(iterations - k) / static_cast<double>(iterations);
    };
    const optim::Sgd sgd({.step = optim::Step::rule(falling),
                          .batch = batch,
                          .epochs = epochs,
                          .momentum = 0.9,
                          .progress = true});
    return sgd.minimize(risk, net.init(rng), rng, {&images});
  };

  const nn::Sequential net = nn::mlp({784, 384, 128, 10}, nn::LeakyReLU(0.1));
  print(net);
  const optim::Run run = train(net, 0.1);
  report::Table table(
      {{"epoch"}, {"risk", report::Align::right, 4}, {"|gradient|", report::Align::right, 3}});
  for (Index e = 0; e < run.trace.size(); e += (epochs + 5) / 6)
    table.row({e + 1, run.trace[e].value, run.trace[e].gradient_norm});
  print(table);
  std::vector<double> risks;
  for (const optim::EpochRow& row : run.trace.rows()) risks.push_back(row.value);
  l.figure(report::plot(l.path("_risk.svg"), {{"", risks}},
                        {.title = "Training", .x = "epoch", .y = "risk", .log_y = true}),
           "The mean cross-entropy over each epoch's batches, of images that moved after every epoch.");

  const Tensor logits = net(run.w, test.images).value();
  const double accuracy = nn::accuracy(logits, test.labels);
  l.figure(
      report::heat_map(l.path("_confusion.svg"), examples::confusion(logits, test.labels),
                       {.title = "Answers to the test digits",
                        .x = "answer",
                        .y = "digit",
                        .range = report::Range{0, 20},
                        .numbers = true}),
      "Row i, column j: how many test digits i were called j. The colours end at 20, so that mistakes show.");
  l.figure(
      report::heat_map(l.path("_mistaken.png"), examples::mistaken(test.images, logits, test.labels, 24, 8),
                       {.title = "Test digits it gets wrong", .x = "", .y = "", .ticks = false}),
      "The first 24 of them, or all.");
  l.metric("test_accuracy", accuracy);
  l.metric("train_accuracy", nn::accuracy(net(run.w, training.images), labels));
  l.metric("training_seconds", run.trace.back().seconds);
  const double wanted = l.smoke() ? 0.8 : 0.96;
  l.expect(Outcome::certified, compare({"test accuracy", "at least " + to_string(100.0 * wanted) +
                                                             " % of the test digits are classified right"},
                                       exact(wanted) <= exact(accuracy)));

  save(l.path(".npz"), run.w);
  const Tensor logits_again = net(load_params(l.path(".npz")), test.images).value();
  l.expect(Outcome::agrees, compare({"saved weights", "read back, they give the same logits, to 1e-15"},
                                    logits_again, logits, 1e-15));

  // How much of it is the hidden layers' doing: the same training without them.
  const nn::Linear line(784, 10);
  const double of_line = nn::accuracy(line(train(line, 0.01).w, test.images), test.labels);
  l.metric("linear_test_accuracy", of_line);
  l.expect(Outcome::refuted,
           compare({"a linear model", "classifies at least as many test digits right (false)"},
                   exact(accuracy) <= exact(of_line)));
}

}  // namespace

int main(int argc, char** argv) { return examples::run_lesson(examples::kTraining, argc, argv, lesson); }
