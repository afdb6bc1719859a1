// libFuzzer's side of the harnesses: COTANGENT_HARNESS names the one to run.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "tests/fuzz/harnesses.hpp"

namespace {

const cotangent::fuzz::Harness& chosen() {
  const char* name = std::getenv("COTANGENT_HARNESS");
  for (const cotangent::fuzz::Harness& harness : cotangent::fuzz::harnesses())
    if (name && harness.name == name) return harness;
  std::cerr << "COTANGENT_HARNESS names none of the harnesses\n";
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const cotangent::fuzz::Harness& harness = chosen();
  harness.run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
