// The versions of the kernels, one for each level of processors.
#pragma once
#include <span>

#include "autodiff/kernels/elements.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/transcendental.hpp"

namespace cotangent::kernel {

struct Level {
  const char* name;
  const Transcendental* table;
  const Loops* loops;
  const Elements* elements;
};

/// Those that this processor runs, in ascending order; every processor runs the first.
std::span<const Level> levels();

}  // namespace cotangent::kernel
