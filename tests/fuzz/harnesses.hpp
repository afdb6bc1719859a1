// What is done with the bytes of hostile files, one harness a reader: by libFuzzer, which makes them up, and
// by the replay of those that were ever found.
#pragma once
#include <span>
#include <string_view>

namespace cotangent::fuzz {

/// Whatever the bytes are, `run` returns; a defect ends the process, or leaves by an exception of its own.
struct Harness {
  std::string_view name;  // and that of its folder in corpus/
  void (*run)(std::string_view bytes);
};

std::span<const Harness> harnesses();

}  // namespace cotangent::fuzz
