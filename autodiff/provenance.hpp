// Provenance: what a number was computed with.
#pragma once
#include <string>

namespace cotangent {

/// The machine and the build behind a result; printed with every benchmark and kept in every record.
struct Provenance {
  std::string cpu;          // "Intel(R) Xeon(R) ...", "unknown" where the system does not say
  std::string blas_core;    // the processor OpenBLAS's kernels are made for, chosen when the program starts
  std::string blas_config;  // OpenBLAS's version and build options
  int blas_threads = 0;
  std::string isa;  // level of the kernels: "v1", "v3", "v4"
  std::string compiler;
  std::string build_type;  // of this library: "Release" or "Debug", "+asan" where the sanitizer is built in

  friend bool operator==(const Provenance&, const Provenance&) = default;
};

/// The present process. Cost: reads /proc/cpuinfo. Throws: DomainError if COTANGENT_ISA names a level of
/// processors that this one does not have.
Provenance provenance();

}  // namespace cotangent
