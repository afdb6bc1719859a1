// Chooses the kernels for this processor once, when they are first used.
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "autodiff/error.hpp"
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

/// The level that COTANGENT_ISA names, else the highest. Throws: DomainError if this processor has none of
/// that name; the next use throws again.
const Level& choice() {
  static const Level& chosen = []() -> const Level& {
    const char* asked = std::getenv("COTANGENT_ISA");
    if (!asked || !*asked) return levels().back();
    std::string names;
    for (const Level& level : levels()) {
      if (std::string_view(asked) == level.name) return level;
      names += fmt::format("{}{}", names.empty() ? "" : ", ", level.name);
    }
    throw DomainError(fmt::format(
        "[kernels] COTANGENT_ISA is '{}'; this processor runs the levels {}: name one of them, or "
        "leave the variable unset for the highest",
        asked, names));
  }();
  return chosen;
}

}  // namespace

const Transcendental& transcendental() { return *choice().table; }
const Loops& loops() { return *choice().loops; }
const Elements& elements() { return *choice().elements; }
const char* isa_name() { return choice().name; }

}  // namespace cotangent::kernel
