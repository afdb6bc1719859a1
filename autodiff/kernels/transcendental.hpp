// Elementwise functions, in one version for each level of processors, all of which give the same bits.
// This header includes next to nothing, so that no inline function compiled for a newer processor can end up
// in the rest of the program.
#pragma once
#include <cstdint>

namespace cotangent::kernel {

/// The functions for this processor, chosen when they are first used; y may equal x. Fewer than four numbers
/// go through the C library, whose last bits differ from one version to another.
struct Transcendental {
  void (*exp)(double* y, const double* x, std::int64_t n);
  void (*log)(double* y, const double* x, std::int64_t n);
  void (*sin)(double* y, const double* x, std::int64_t n);
  void (*cos)(double* y, const double* x, std::int64_t n);
  void (*tanh)(double* y, const double* x, std::int64_t n);
  void (*sigmoid)(double* y, const double* x, std::int64_t n);
  void (*softplus)(double* y, const double* x, std::int64_t n);
  void (*expm1)(double* y, const double* x, std::int64_t n);
  void (*log1p)(double* y, const double* x, std::int64_t n);
};
const Transcendental& transcendental();
/// The level of x86-64 that the kernels run at: "v1", "v3" or "v4". COTANGENT_ISA overrides the choice.
/// Throws: DomainError, as every first use of a kernel, if it names a level that this processor lacks.
const char* isa_name();

}  // namespace cotangent::kernel
