// Prints the bits of random draws; built by both compilers, Debug and Release, the outputs must be equal.
#include <bit>
#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include "autodiff/rng.hpp"

namespace {

using cotangent::Index;
using cotangent::Rng;
using cotangent::Shape;
using cotangent::Tensor;

/// FNV-1a over the bits of many numbers, so that all of them count without being printed.
std::uint64_t digest(const Tensor& t) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const double x : t.data()) {
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
    for (int shift = 0; shift < 64; shift += 8) h = (h ^ ((bits >> shift) & 0xffu)) * 0x100000001b3u;
  }
  return h;
}

void print_bits(const char* name, double x) {
  std::printf("%s %016" PRIx64 "\n", name, std::bit_cast<std::uint64_t>(x));
}

}  // namespace

int main() {
  Rng rng(7);
  for (int i = 0; i < 16; ++i) print_bits("uniform", rng.uniform());
  for (int i = 0; i < 64; ++i) print_bits("normal", rng.normal());
  for (const Index n : {Index{1}, Index{2}, Index{10}, Index{60000}, (Index{1} << 62) + 1})
    std::printf("below %" PRId64 " %" PRId64 "\n", n, rng.below(n));
  std::printf("permutation");
  for (const Index i : rng.permutation(50)) std::printf(" %" PRId64, i);
  Rng init = rng.split("init");
  std::printf("\nuniforms %016" PRIx64 "\n", digest(init.uniform(Shape{100, 1000}, -0.3, 0.7)));
  std::printf("normals %016" PRIx64 "\n", digest(init.normal(Shape{300, 1000}, 1.5, 0.125)));
  std::printf("state %s\n", init.state().c_str());
}
