// Provenance: asks the system, OpenBLAS and the compiler.
#include "autodiff/provenance.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <fstream>
#include <string_view>

#include "autodiff/kernels/transcendental.hpp"
#include "autodiff/memory/sanitizer.hpp"

namespace cotangent {
namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  constexpr std::string_view kKey = "model name";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kKey)) continue;
    const std::size_t colon = line.find(": ", kKey.size());
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string build_type() {
#ifdef __OPTIMIZE__
  std::string type = "Release";
#else
  std::string type = "Debug";
#endif
#ifdef COTANGENT_ASAN
  type += "+asan";
#endif
  return type;
}

std::string trimmed(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

Provenance provenance() {
  return {
      .cpu = cpu_model(),
      .blas_core = openblas_get_corename(),
      .blas_config = trimmed(openblas_get_config()),
      .blas_threads = openblas_get_num_threads(),
      .isa = kernel::isa_name(),
#ifdef __clang__
      .compiler = fmt::format("clang++ {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__),
#else
      .compiler = fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__),
#endif
      .build_type = build_type(),
  };
}

}  // namespace cotangent
