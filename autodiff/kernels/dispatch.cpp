// Chooses the kernels for this processor once, when they are first used.
#include <array>
#include <cstdlib>
#include <string_view>

#include "autodiff/kernels/levels.hpp"

namespace cotangent::kernel {

namespace v1 {
extern const Transcendental kTable;
extern const Loops kLoops;
extern const Elements kElements;
}  // namespace v1
#if defined(__x86_64__)
namespace v3 {
extern const Transcendental kTable;
extern const Loops kLoops;
extern const Elements kElements;
}  // namespace v3
namespace v4 {
extern const Transcendental kTable;
extern const Loops kLoops;
extern const Elements kElements;
}  // namespace v4
#endif

std::span<const Level> levels() {
  static const std::array all {
    Level{"v1", &v1::kTable, &v1::kLoops, &v1::kElements},
#if defined(__x86_64__)
        Level{"v3", &v3::kTable, &v3::kLoops, &v3::kElements}, Level {
      "v4", &v4::kTable, &v4::kLoops, &v4::kElements
    }
#endif
  };
  static const std::size_t count = [] {
    std::size_t run = 1;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool has_v3 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool has_v4 = has_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512cd");
    run += has_v3 + has_v4;
#endif
    return run;
  }();
  return {all.data(), count};
}

namespace {

/// The level that COTANGENT_ISA names, if this processor runs it; else the highest.
const Level& choice() {
  static const Level& chosen = []() -> const Level& {
    const char* asked = std::getenv("COTANGENT_ISA");
    for (const Level& level : levels())
      if (asked && std::string_view(asked) == level.name) return level;
    return levels().back();
  }();
  return chosen;
}

}  // namespace

const Transcendental& transcendental() { return *choice().table; }
const Loops& loops() { return *choice().loops; }
const Elements& elements() { return *choice().elements; }
const char* isa_name() { return choice().name; }

}  // namespace cotangent::kernel
