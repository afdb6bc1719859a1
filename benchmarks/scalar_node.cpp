// A scalar node, forward and backward, in a program that never started a thread, and in the same program
// after it has: from then on tensors are counted by locked instructions. Google Benchmark starts a thread,
// hence a program of its own.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <thread>
#include <vector>

#include "benchmarks/support/paired.hpp"

using namespace cotangent;

namespace {

constexpr int kLength = 1000, kRuns = 20000;

double median_ns(FunctionRef<void()> chain) {
  std::vector<double> ns;
  for (int run = 0; run < kRuns; ++run) {
    timespec a{}, b{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    chain();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    ns.push_back(
        (static_cast<double>(b.tv_sec - a.tv_sec) * 1e9 + static_cast<double>(b.tv_nsec - a.tv_nsec)) /
        kLength);
  }
  std::nth_element(ns.begin(), ns.begin() + kRuns / 2, ns.end());
  return ns[kRuns / 2];
}

}  // namespace

int main() {
  const auto on_a_tape = [] {
    Tape tape;
    const Var x = tape.input(Tensor::scalar(0.5));
    Var y = x;
    for (int i = 0; i < kLength; ++i) y = sin(y);
    benchmark::DoNotOptimize(tape.grad(y, x).item());
  };
  const auto plain = [] {  // the same numbers without a tape
    double y = 0.5, d = 1.0;
    for (int i = 0; i < kLength; ++i) {
      d *= std::cos(y);
      y = std::sin(y);
    }
    benchmark::DoNotOptimize(d);
  };
  const double alone = median_ns(on_a_tape);
  std::thread([] {}).join();
  const double beside = median_ns(on_a_tape);
  std::printf("{\"alone_ns\": %.2f, \"with_threads_ns\": %.2f, \"plain_ns\": %.2f}\n", alone, beside,
              median_ns(plain));
  return 0;
}
