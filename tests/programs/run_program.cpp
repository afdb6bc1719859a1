// One run of an optimizer, or several made to choose, for tests that stop them from outside.
//
// Usage: run_program [CASE CHECKPOINT [MICROSECONDS]]. Alone it prints the names of the cases. Goes on from
// the checkpoint if it is there. Waits so long in each step; prints how it ended, and the run's numbers bit
// by bit: the point, the counts, the generator and the trace without its seconds.
// Or: run_program compare|quick_start MICROSECONDS. Waits so long at each value or gradient; prints how it
// ended.
#include <bit>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "optim/optim.hpp"
#include "tests/support/optimizers.hpp"

namespace {

using namespace cotangent;  // NOLINT(google-build-using-namespace)

void print_bits(const char* name, double x) {
  std::printf("%s %016" PRIx64 "\n", name, std::bit_cast<std::uint64_t>(x));
}

void print_run(const optim::Run& run, const Rng& rng) {
  for (const double x : run.w.flat().data()) print_bits("w", x);
  print_bits("value", run.value);
  std::printf("iterations %td, gradients %td, values %td, products %td\n", run.iterations,
              run.spent.gradients, run.spent.values, run.spent.products);
  std::printf("rng %s\n", rng.state().c_str());
  for (Index row = 0; row < run.trace.size(); ++row)
    for (const optim::Column& c : run.trace.columns_of(row))
      if (c.name != "seconds") print_bits(c.name.c_str(), c.value);
}

void run(const std::string& wanted, const std::string& path, int wait) {
  for (const test::OptimizerCase& c : test::every_optimizer(60)) {
    if (c.name != wanted) continue;
    Rng rng(5);
    optim::Checkpoint checkpoint(path, 1);
    auto slowly = optim::on_step([&](const auto& at) {
      if (at.iteration == 0) {
        std::puts("running");
        std::fflush(stdout);
      }
      if (wait > 0) std::this_thread::sleep_for(std::chrono::microseconds(wait));
    });
    const std::vector<optim::Observer*> observers{&checkpoint, &slowly};
    optim::Loop loop = std::filesystem::exists(path)
                           ? c.optimizer->resume(path, test::five_samples(), rng, observers)
                           : c.optimizer->start(test::five_samples(), Tensor{7.0}, rng, observers);
    while (loop.next()) {
    }
    const optim::Run run = loop.finish();
    std::printf("stop %s\n", to_string(run.stop));
    print_run(run, rng);
    return;
  }
  std::printf("no optimizer is called \"%s\"\n", wanted.c_str());
}

/// f, which takes some time and says so at first.
optim::FiniteSum slow(int wait) {
  const optim::FiniteSum f = test::five_samples();
  return f.like([f, wait, calls = std::make_shared<int>(0)](const Var& w, const Batch& batch) {
    if (++*calls == 1) {
      std::puts("running");
      std::fflush(stdout);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(wait));
    return f(w, batch);
  });
}

void compare(int wait) {
  const optim::Gd gd({.step = 0.01, .iterations = 1000000});
  const Params start({{"w", Tensor{7.0}}});
  const optim::Comparison seen = optim::compare(slow(wait), start, {{"one", gd}, {"two", gd}, {"three", gd}});
  const optim::Comparison::Entry& last = seen.entries().back();
  std::printf("stop %s\nruns %zu\nlower %d\n", to_string(last.run.stop), seen.entries().size(),
              last.run.value < last.looks.front().value);
}

void quick_start(int wait) {
  Rng rng(1);
  const optim::QuickStart found = optim::quick_start(slow(wait), Params({{"w", Tensor{7.0}}}), rng);
  std::printf("stop %s\n%s", to_string(found.stop), found.decisions.to_text().c_str());
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 1) {
    for (const test::OptimizerCase& c : test::every_optimizer()) std::puts(c.name.c_str());
    return 0;
  }
  if (argc == 2) {
    std::fprintf(stderr,
                 "usage: run_program [CASE CHECKPOINT [MICROSECONDS] | compare|quick_start MICROSECONDS]\n");
    return 2;
  }
  const std::string name = argv[1];
  if (name == "compare") return compare(std::stoi(argv[2])), 0;
  if (name == "quick_start") return quick_start(std::stoi(argv[2])), 0;
  run(argv[1], argv[2], argc > 3 ? std::stoi(argv[3]) : 0);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
