// Calls of operations that must fail, and what the error must say.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/tape.hpp"
#include "tests/support/expect.hpp"

namespace cotangent::test {

/// What every one of these calls must say.
struct BadCall {
  const char* name;
  std::function<void(const std::function<Var(const Shape&)>&)> call;
  std::vector<std::string> says;
};

using Make = std::function<Var(const Shape&)>;

/// Each call fails with an Error that says so, on constants and on a tape, where it leaves nothing behind.
template <class Error>
void expect_errors(const std::vector<BadCall>& calls) {
  for (const BadCall& bad : calls) {
    SCOPED_TRACE(bad.name);
    const std::string text =
        error_of<Error>([&] { bad.call([](const Shape& s) { return Var(Tensor::ones(s)); }); });
    for (const std::string& part : bad.says) EXPECT_THAT(text, testing::HasSubstr(part));
    // The same on a tape; the failed operation leaves nothing behind.
    Tape tape;
    Index inputs = 0;
    const std::string tracked = error_of<Error>([&] {
      bad.call([&](const Shape& s) {
        ++inputs;
        return tape.input(Tensor::ones(s));
      });
    });
    EXPECT_EQ(tracked, text);
    EXPECT_EQ(tape.num_nodes(), inputs);
  }
}

}  // namespace cotangent::test
