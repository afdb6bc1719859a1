// A program run as a child: its input given, its output collected.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotangent::report {

struct ChildResult {
  int exit_code = 0;  // 128 + k after signal k, as shells count
  std::string output;
  std::string errors;  // what it wrote to standard error
};

struct ChildOptions {
  /// The child is killed after this time.
  double seconds = 120.0;
  /// It is killed, too, if it writes more bytes than these to its two outputs.
  std::size_t most_output = std::size_t{256} << 20;
};

/// Runs command[0], looked up on PATH, with the arguments command[1], ... and `input` on its standard input.
///
/// No shell reads the words. The child gets the three standard descriptors and no others, is always waited
/// for, and may leave its input unread. Nothing is returned if there is no such program.
/// Throws: DomainError "[operation] ..." if the command is empty, the child cannot be started, or it is
/// killed for its time or its output, which the error then quotes.
std::optional<ChildResult> run_child(const char* operation, const std::vector<std::string>& command,
                                     std::string_view input, ChildOptions options = {});

}  // namespace cotangent::report
