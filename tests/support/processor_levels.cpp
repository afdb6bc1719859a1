// What the processor says of itself.
#include "tests/support/processor_levels.hpp"

namespace cotangent {

namespace kernel {
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
}  // namespace kernel

namespace test {

std::vector<ProcessorLevel> processor_levels() {
  using namespace kernel;
  std::vector<ProcessorLevel> list{{"v1", &v1::kTable, &v1::kLoops, &v1::kElements}};
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_v3) list.push_back({"v3", &v3::kTable, &v3::kLoops, &v3::kElements});
  if (has_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd"))
    list.push_back({"v4", &v4::kTable, &v4::kLoops, &v4::kElements});
#endif
  return list;
}

}  // namespace test
}  // namespace cotangent
