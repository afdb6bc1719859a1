// Chooses the kernels for this processor once, when they are first used.
#include <cstdlib>
#include <string_view>

#include "autodiff/kernels/elements.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/transcendental.hpp"

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

namespace {

struct Choice {
  const char* name;
  const Transcendental* table;
  const Loops* loops;
  const Elements* elements;
};

Choice choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_v3 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool has_v4 = has_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512cd");
  const char* asked = std::getenv("COTANGENT_ISA");
  const std::string_view wish = asked ? asked : "";
  if (wish == "v1") return {"v1", &v1::kTable, &v1::kLoops, &v1::kElements};
  if (has_v4 && wish != "v3") return {"v4", &v4::kTable, &v4::kLoops, &v4::kElements};
  if (has_v3) return {"v3", &v3::kTable, &v3::kLoops, &v3::kElements};
#endif
  return {"v1", &v1::kTable, &v1::kLoops, &v1::kElements};
}

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}

}  // namespace

const Transcendental& transcendental() { return *choice().table; }
const Loops& loops() { return *choice().loops; }
const Elements& elements() { return *choice().elements; }
const char* isa_name() { return choice().name; }

}  // namespace cotangent::kernel
