// How lesson 02 came to its settings: each is trained on 4000 of the training digits and measured on the
// other 1000, for three splits. The test digits play no part.
#include <ctime>

#include "cotangent.hpp"
#include "examples/support/digits.hpp"
#include "examples/support/lesson.hpp"

using namespace cotangent;

namespace {

struct Setting {
  std::string name;
  std::vector<Index> hidden = {384, 128};
  examples::Motion motion = {};
  double step = 0.1;
  Index batch = 64;
  Index epochs = 30;
};

/// Each differs from the first, the one lesson 02 uses, by what its name says.
const std::vector<Setting> kSettings = {
    {.name = "384-128, batch 64, step 0.1, 30 epochs"},
    {.name = "no hidden layer, still images, step 0.01", .hidden = {}, .motion = {0, 0, 0, 0}, .step = 0.01},
    {.name = "one hidden layer of 512", .hidden = {512}},
    {.name = "256-128", .hidden = {256, 128}},
    {.name = "512-128", .hidden = {512, 128}},
    {.name = "still images", .motion = {0, 0, 0, 0}},
    {.name = "shifts only", .motion = {2, 0, 0, 0}},
    {.name = "three quarters of the motion", .motion = {1.5, 0.11, 0.075, 0.11}},
    {.name = "three halves of the motion", .motion = {3, 0.22, 0.15, 0.22}},
    {.name = "step 0.05", .step = 0.05},
    {.name = "step 0.2", .step = 0.2},
    {.name = "step 0.3", .step = 0.3},
    {.name = "batch 128, step 0.2", .step = 0.2, .batch = 128},
    {.name = "20 epochs", .epochs = 20},
    {.name = "40 epochs", .epochs = 40},
};

double validated_accuracy(const Setting& s, const nn::Digits& train, const nn::Digits& held_out, Rng rng) {
  std::vector<Index> widths = {784, 10};
  widths.insert(widths.begin() + 1, s.hidden.begin(), s.hidden.end());
  const nn::Sequential net = nn::mlp(widths, nn::LeakyReLU(0.1));
  const Index n = train.labels.size();
  examples::MovingImages images(train.images, s.motion, rng.split("motion"));
  const auto f = optim::finite_sum(n, [&](const Var& w, const Batch& b) {
    return nn::cross_entropy(net(w, b.rows(images.now())), b.rows(train.labels));
  });
  const Index iterations = s.epochs * ((n - 1) / s.batch + 1);
  const auto falling = [iterations, step = s.step](Index k) {
    return step * static_cast<double>(iterations - k) / static_cast<double>(iterations);
  };
  const optim::Sgd sgd(
      {.step = optim::Step::rule(falling), .batch = s.batch, .epochs = s.epochs, .momentum = 0.9});
  const auto run = sgd.minimize(f, net.init(rng), rng, {&images});
  return nn::accuracy(net(run.w, held_out.images), held_out.labels);
}

void lesson(examples::Lesson& l) {
  const Rng rng(l.seed());
  Rng drawing = rng.split("digits");
  const nn::Digits all = l.data().empty() ? examples::drawn_digits(l.smoke() ? 500 : 5000, drawing)
                                          : nn::read_mnist(l.data()).train;
  const Index n = all.labels.size(), splits = l.smoke() ? 1 : 3;
  report::Table table(
      {{"setting"}, {"mean accuracy", report::Align::automatic, 4}, {"worst"}, {"CPU seconds"}});
  report::Progress progress(static_cast<Index>(kSettings.size()), {.label = "settings"});
  for (Setting s : kSettings) {
    if (l.smoke()) s.epochs = 2;
    double total = 0.0, worst = 1.0;
    const std::clock_t start = std::clock();
    for (Index split = 0; split < splits; ++split) {
      Rng own = rng.split("split " + std::to_string(split));
      const std::vector<Index> order = own.permutation(n);
      const auto part = [&](Index first, Index last) {
        const Batch b = Batch::of(n, {order.begin() + first, order.begin() + last});
        return nn::Digits{b.rows(all.images), b.rows(all.labels)};
      };
      const double accuracy = validated_accuracy(s, part(0, n * 4 / 5), part(n * 4 / 5, n), own);
      total += accuracy;
      worst = std::min(worst, accuracy);
    }
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    table.row({s.name, total / static_cast<double>(splits), worst, seconds / static_cast<double>(splits)});
    l.metric(s.name, total / static_cast<double>(splits));
    progress.update(table.num_rows());
  }
  progress.finish();
  print(table);
}

}  // namespace

int main(int argc, char** argv) {
  return examples::run_lesson({.name = "select_classifier",
                               .about = "Compares settings for lesson 02 on a part of the training digits.",
                               .reads_data = true},
                              argc, argv, lesson);
}
