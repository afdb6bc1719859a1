// The kernels of every processor level that this machine can run, in ascending order.
#pragma once
#include <string>
#include <vector>

#include "autodiff/kernels/elements.hpp"
#include "autodiff/kernels/loops.hpp"
#include "autodiff/kernels/transcendental.hpp"

namespace cotangent::test {

struct ProcessorLevel {
  std::string name;
  const kernel::Transcendental* table;
  const kernel::Loops* loops;
  const kernel::Elements* elements;
};
std::vector<ProcessorLevel> processor_levels();

}  // namespace cotangent::test
