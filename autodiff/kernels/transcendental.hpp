// Elementwise functions, in one version for each level of processors. v1 and v4 give the same bits; v3 fuses
// multiplications and additions, which is quicker, and is up to two units in the last place off, six where
// the square of an exponential is taken. This header includes next to nothing, so that no inline function
// compiled for a newer processor can end up in the rest of the program.
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
  /// x s(x), which is 0 at -inf.
  void (*silu)(double* y, const double* x, std::int64_t n);
  void (*softplus)(double* y, const double* x, std::int64_t n);
  void (*expm1)(double* y, const double* x, std::int64_t n);
  void (*log1p)(double* y, const double* x, std::int64_t n);
  /// g times a derivative at x: those of tanh and sigmoid, without the loss of digits that 1 - t^2 and
  /// s (1 - s) have, that of silu, and g times x s'(x), which is 0 at both infinities; y may equal g or x.
  void (*tanh_slope)(double* y, const double* g, const double* x, std::int64_t n);
  void (*sigmoid_slope)(double* y, const double* g, const double* x, std::int64_t n);
  void (*silu_slope)(double* y, const double* g, const double* x, std::int64_t n);
  void (*sigmoid_moment)(double* y, const double* g, const double* x, std::int64_t n);
};
const Transcendental& transcendental();
/// The level of x86-64 that the kernels run at: "v1", "v3" or "v4". COTANGENT_ISA overrides the choice.
/// Throws: DomainError, as every first use of a kernel, if it names a level that this processor lacks.
const char* isa_name();

}  // namespace cotangent::kernel
